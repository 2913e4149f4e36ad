//! Hash functions (SPARQL 1.1 §17.4.6).

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// Writes the hash of the text's UTF-8 bytes, in lower-case hexadecimal.
    pub fn write(self, text: &str, out: &mut String) {
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(text), out),
            Self::Sha1 => hexadecimal(&Sha1::digest(text), out),
            Self::Sha256 => hexadecimal(&Sha256::digest(text), out),
            Self::Sha384 => hexadecimal(&Sha384::digest(text), out),
            Self::Sha512 => hexadecimal(&Sha512::digest(text), out),
        }
    }
}

fn hexadecimal(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
