//! Signatures of bundles, made and checked by OpenSSH's `ssh-keygen -Y` in the namespace `kgq`.

use kgq_graph::request::bundle::{Claim, is_plain_signature};
use kgq_syntax::error::{Error, Result};
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::NamedTempFile;

const NAMESPACE: &str = "kgq";

/// Signs a text with an SSH key; returns the signature.
///
/// # Errors
/// ssh-keygen is missing, or cannot sign with the key.
pub fn sign(key: &Path, text: &str) -> Result<String> {
    let arguments = [
        OsStr::new("-Y"),
        OsStr::new("sign"),
        OsStr::new("-f"),
        key.as_os_str(),
        OsStr::new("-n"),
        OsStr::new(NAMESPACE),
    ];
    let output = ssh_keygen(&arguments, text)?;
    let signature = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() || !is_plain_signature(&signature) {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = told.lines().last().unwrap_or("it gave no signature");
        return Err(Error::input(format!("ssh-keygen cannot sign with {}: {told}", key.display())));
    }
    Ok(signature)
}

/// Checks a signature of the text; returns the claims. `allowed` is a file of trusted keys in the ALLOWED SIGNERS format of
/// ssh-keygen.
///
/// # Errors
/// ssh-keygen is missing.
pub fn check(signature: &str, text: &str, allowed: Option<&Path>) -> Result<Vec<Claim>> {
    if !is_plain_signature(signature) {
        return Ok(vec![Claim::fails("the signature is not in the form that ssh-keygen writes")]);
    }
    let failed = |error: std::io::Error| Error::io("a temporary file", &error);
    let mut file = NamedTempFile::with_prefix("kgq-").map_err(failed)?;
    file.write_all(signature.as_bytes()).map_err(failed)?;
    let ask = |verb: &str, rest: &[&OsStr]| {
        let path = file.path().as_os_str();
        let mut arguments =
            vec![OsStr::new("-Y"), OsStr::new(verb), OsStr::new("-n"), OsStr::new(NAMESPACE), OsStr::new("-s"), path];
        arguments.extend(rest);
        ssh_keygen(&arguments, text)
    };
    let valid = ask("check-novalidate", &[])?;
    if !valid.status.success() {
        return Ok(vec![Claim::fails("the signature is not one of this bundle")]);
    }
    let told = String::from_utf8_lossy(&valid.stdout);
    let key = told.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap_or("a key").to_owned();
    let Some(allowed) = allowed else {
        return Ok(vec![
            Claim::holds(format!("it is signed by the key {key}")),
            Claim::unknown("whose key that is, `--allowed-signers FILE` would tell"),
        ]);
    };
    let of_allowed = [OsStr::new("-f"), allowed.as_os_str()];
    let found = ask("find-principals", &of_allowed)?;
    let name = String::from_utf8_lossy(&found.stdout).lines().next().unwrap_or_default().to_owned();
    let verified = !name.is_empty()
        && ask("verify", &[of_allowed[0], of_allowed[1], OsStr::new("-I"), OsStr::new(&name)])?.status.success();
    Ok(vec![match verified {
        true => Claim::holds(format!("it is signed by {name} with the key {key}")),
        false => Claim::fails(format!("it is signed by the key {key}, which {} does not allow", allowed.display())),
    }])
}

/// Runs ssh-keygen with a text on its standard input.
fn ssh_keygen(arguments: &[&OsStr], text: &str) -> Result<Output> {
    let failed = |error: std::io::Error| Error::io("ssh-keygen", &error);
    let command = Command::new("ssh-keygen")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = command.map_err(|error| failed(error).hint("signatures need OpenSSH's ssh-keygen"))?;
    if let Some(mut input) = child.stdin.take() {
        // A process that ends before it has read everything reports why itself.
        let _ = input.write_all(text.as_bytes());
    }
    child.wait_with_output().map_err(failed)
}
