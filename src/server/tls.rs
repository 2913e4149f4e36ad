//! TLS (feature `net`): the certificate and its key are read at the start, and again when the server is told to reload.

use kgq_syntax::error::{Error, Kind, Place, Result, Source};
use std::fmt::Write;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error as TlsError, ServerConfig};

/// The only application protocol offered.
const HTTP: &[u8] = b"http/1.1";
const CERTIFICATE: &str = "CERTIFICATE";
const KEYS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
const OF_CERTIFICATE: &str = "the file holds the server's certificate first, then those of its issuers: sections that begin with \
                              `-----BEGIN CERTIFICATE-----`";
const OF_KEY: &str =
    "the file holds the key of the server's certificate: a section that begins with `-----BEGIN PRIVATE KEY-----`";

/// The certificate that the server shows, and the files that it comes from.
#[derive(Debug)]
pub struct Tls {
    certificate: String,
    key: String,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// A file cannot be read or has other content; the error has the place.
    pub fn read(certificate: &str, key: &str) -> Result<Self> {
        let current = RwLock::new(config(certificate, key)?);
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), current })
    }

    /// Reads both files again, for new connections.
    ///
    /// # Errors
    /// As [`Tls::read`]; the former certificate stays in use.
    pub fn read_again(&self) -> Result<()> {
        let newer = config(&self.certificate, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = newer;
        Ok(())
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

fn config(certificate: &str, key: &str) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(ring::default_provider());
    let (chain_text, key_text) = (text(certificate)?, text(key)?);
    let (chain_source, key_source) = (Source::new(certificate, &chain_text), Source::new(key, &key_text));
    let (chain, first) = chain(chain_source)?;
    let (key, place) = private_key(key_source, &provider)?;
    let wrong = |error: TlsError| match error {
        TlsError::InconsistentKeys(_) => Error::input("this is the key of another certificate")
            .at(place)
            .hint(format!("`{certificate}` must hold the server's own certificate first, then those of its issuers")),
        error => Error::input(format!("this certificate cannot be used: {error}")).at(first),
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::bug(format!("TLS has no versions: {error}")))?
        .with_no_client_auth()
        .with_single_cert(chain, key);
    let mut config = config.map_err(wrong)?;
    config.alpn_protocols = vec![HTTP.to_vec()];
    Ok(Arc::new(config))
}

fn text(file: &str) -> Result<String> {
    let bytes = std::fs::read(file).map_err(|error| Error::io(file, &error))?;
    String::from_utf8(bytes).map_err(|_| {
        Error::input(format!("`{file}` is no text, as files of certificates and keys in PEM are")).hint(format!(
            "`openssl x509 -inform der -in {file}` makes such a text of a certificate, `openssl pkey` of a key"
        ))
    })
}

/// A PEM section: text between its begin and end lines.
struct Section<'a> {
    label: &'a str,
    text: &'a str,
    /// The byte range of its first line.
    line: Range<usize>,
}

/// Splits a text into sections; each ends where the next begins.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let label = line.trim().strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        starts.extend(label.map(|label| (label, at..at + line.trim_end().len())));
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|(_, line)| line.start).chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|((label, line), end)| Section { label, text: &text[line.start..end], line: line.clone() })
        .collect()
}

/// Reads the certificates, and the place of the first.
fn chain(source: Source<'_>) -> Result<(Vec<CertificateDer<'static>>, Place)> {
    let sections = sections(source.text);
    let own: Vec<&Section<'_>> = sections.iter().filter(|section| section.label == CERTIFICATE).collect();
    let Some(first) = own.first() else {
        return Err(nothing("no certificate stands here", source, &sections).hint(OF_CERTIFICATE));
    };
    let read = |section: &&Section<'_>| {
        CertificateDer::from_pem_slice(section.text.as_bytes()).map_err(|error| broken(&error, source, section))
    };
    let certificates = own.iter().map(read).collect::<Result<_>>()?;
    Ok((certificates, source.place(first.line.clone())))
}

/// Reads the first private key, and its place.
fn private_key(source: Source<'_>, provider: &CryptoProvider) -> Result<(PrivateKeyDer<'static>, Place)> {
    let sections = sections(source.text);
    let is_key = |section: &&Section<'_>| KEYS.contains(&section.label);
    let is_locked = |section: &&Section<'_>| {
        section.label == "ENCRYPTED PRIVATE KEY" || is_key(section) && section.text.contains("ENCRYPTED")
    };
    if let Some(locked) = sections.iter().find(is_locked) {
        let plain =
            format!("`openssl pkey -in {} -out PLAIN` makes one without; let nobody else read that file", source.name);
        return Err(Error::input("this key is locked by a password, which nobody could give to a server")
            .at(source.place(locked.line.clone()))
            .hint(plain));
    }
    let Some(section) = sections.iter().find(is_key) else {
        return Err(nothing("no key stands here", source, &sections).hint(OF_KEY));
    };
    let key =
        PrivateKeyDer::from_pem_slice(section.text.as_bytes()).map_err(|error| broken(&error, source, section))?;
    let place = source.place(section.line.clone());
    match provider.key_provider.load_private_key(key.clone_key()) {
        Ok(_) => Ok((key, place)),
        Err(_) => Err(Error::input("this key cannot be used")
            .at(place)
            .hint("keys are of RSA with 2,048 bits or more, of ECDSA on P-256 or P-384, or of Ed25519")),
    }
}

/// The error for a missing section; it names what the file contains instead.
fn nothing(what: &str, source: Source<'_>, sections: &[Section<'_>]) -> Error {
    let mut message = what.to_owned();
    if let Some(other) = sections.first() {
        // Writing to a `String` cannot fail.
        let _ = write!(message, ", but `{}`", other.label);
    }
    let line =
        sections.first().map_or(0..source.text.lines().next().unwrap_or_default().len(), |other| other.line.clone());
    Error::new(Kind::Input, message).at(source.place(line))
}

fn broken(error: &PemError, source: Source<'_>, section: &Section<'_>) -> Error {
    let message = match error {
        PemError::MissingSectionEnd { .. } => format!("this section has no line `-----END {}-----`", section.label),
        _ => "what follows this line is not what it announces, in base 64".to_owned(),
    };
    Error::input(message).at(source.place(section.line.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";

    fn of_chain(text: &str) -> String {
        chain(Source::new("cert.pem", text)).map(|_| ()).unwrap_err().to_string()
    }

    fn of_key(text: &str) -> String {
        private_key(Source::new("key.pem", text), &ring::default_provider()).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_certificate_is_told_at_its_place() {
        for (text, told) in [
            ("", "cert.pem:1:1: no certificate stands here"),
            ("hello\n", "cert.pem:1:1: no certificate stands here"),
            ("# mine\n-----BEGIN PRIVATE KEY-----\n", "cert.pem:2:1: no certificate stands here, but `PRIVATE KEY`"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n",
                "cert.pem:1:1: this section has no line `-----END CERTIFICATE-----`",
            ),
            (
                &format!("{EMPTY}-----BEGIN CERTIFICATE-----\n:)\n-----END CERTIFICATE-----\n"),
                "cert.pem:3:1: what follows this line is not what it announces, in base 64",
            ),
        ] {
            let error = of_chain(text);
            assert!(error.starts_with(told), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_is_no_key_is_told_at_its_place_and_nothing_of_it_is_shown() {
        for (text, told) in [
            (EMPTY, "key.pem:1:1: no key stands here, but `CERTIFICATE`"),
            ("\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nSECRET\n", "key.pem:2:1: this key is locked"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nSECRET\n-----END RSA PRIVATE KEY-----\n",
                "key.pem:1:1: this key is locked",
            ),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "key.pem:1:1: this key cannot be used"),
        ] {
            let error = of_key(text);
            assert!(error.starts_with(told) && !error.contains("SECRET"), "{text:?}: {error}");
        }
    }
}
