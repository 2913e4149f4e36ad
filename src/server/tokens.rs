//! Tokens by which clients prove that they may ask. Their file has a line per token, with its hash instead of the token itself.

use kgq_syntax::error::{Error, Result, Source};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Read,
    Write,
}

/// The holder of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub name: String,
    pub scope: Scope,
}

#[derive(Debug)]
struct Token {
    name: String,
    scope: Scope,
    hash: [u8; 32],
}

/// All tokens of a file.
#[derive(Debug, Default)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// Reads one token per line: a name, a scope, and the SHA-256 hash. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// A line has another form; the error has its place.
    pub fn read(source: Source<'_>) -> Result<Self> {
        let mut tokens = Vec::new();
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let place = start..start + line.trim_end().len();
            start += line.len();
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: &str| {
                Error::input(what).at(source.place(place.clone())).hint(
                    "a line is `NAME read HASH` or `NAME write HASH`; `printf %s TOKEN | sha256sum` prints the hash",
                )
            };
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [name, scope, hash] = fields.as_slice() else {
                return Err(wrong("a token has a name, a scope and a hash"));
            };
            let scope = match *scope {
                "read" => Scope::Read,
                "write" => Scope::Write,
                _ => return Err(wrong("the scopes are read and write")),
            };
            let hash = bytes(hash).ok_or_else(|| wrong("a hash is 64 digits of base 16"))?;
            tokens.push(Token { name: (*name).to_owned(), scope, hash });
        }
        Ok(Self(tokens))
    }

    /// Whether the file has any token.
    pub fn are_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether reading requires a token, which is so once a token for reading was given out.
    pub fn guard_reading(&self) -> bool {
        self.0.iter().any(|token| token.scope == Scope::Read)
    }

    /// Whether any token permits writing.
    pub fn let_write(&self) -> bool {
        self.0.iter().any(|token| token.scope == Scope::Write)
    }

    /// Returns the holder of a token. If the token is listed twice, it may write if either entry may. All entries are
    /// compared, each in constant time.
    pub fn holder(&self, given: &str) -> Option<Holder> {
        let hash: [u8; 32] = Sha256::digest(given).into();
        let mut holder: Option<&Token> = None;
        for token in &self.0 {
            if bool::from(token.hash.ct_eq(&hash)) && holder.is_none_or(|known| known.scope == Scope::Read) {
                holder = Some(token);
            }
        }
        holder.map(|token| Holder { name: token.name.clone(), scope: token.scope })
    }
}

fn bytes(hash: &str) -> Option<[u8; 32]> {
    let digits = hash.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() || !hash.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-256 hash of `abc` (FIPS 180-2, appendix B.1).
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn read(text: &str) -> Result<Tokens> {
        Tokens::read(Source::new("tokens", text))
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        let tokens = read(&format!("# for the reports\n\nreports read {ABC}\n")).unwrap();
        let reports = Holder { name: "reports".into(), scope: Scope::Read };
        assert_eq!((tokens.holder("abc"), tokens.holder("abd"), tokens.holder("")), (Some(reports), None, None));
        assert!(tokens.guard_reading() && !tokens.let_write());
        let tokens = read(&format!("robot write {ABC}")).unwrap();
        assert!(!tokens.guard_reading() && tokens.let_write());
    }

    #[test]
    fn a_token_that_stands_there_twice_may_do_the_more_of_both() {
        for text in [format!("a read {ABC}\nb write {ABC}"), format!("b write {ABC}\na read {ABC}")] {
            assert_eq!(read(&text).unwrap().holder("abc").unwrap().name, "b");
        }
    }

    #[test]
    fn a_wrong_line_is_an_error_at_its_place() {
        for text in ["\nreports read", "\nreports all 00", "\nreports read 00", "\nx read zz"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with("tokens:2:1: "), "{error}");
        }
    }
}
