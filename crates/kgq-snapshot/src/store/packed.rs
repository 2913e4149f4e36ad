//! Files that hold their text compressed or in an archive, though nothing says so; known by their first bytes.

use kgq_syntax::error::Error;

/// What a file holds instead of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Zip,
    Pdf,
}

impl Packed {
    /// Recognises the first bytes of a file; four are enough.
    pub fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1F, 0x8B, ..] => Some(Self::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [0xFD, b'7', b'z', b'X', ..] => Some(Self::Xz),
            [b'P', b'K', 3, 4, ..] => Some(Self::Zip),
            [b'%', b'P', b'D', b'F', ..] => Some(Self::Pdf),
            _ => None,
        }
    }

    /// The error for a file that is read as a text.
    pub fn refusal(self, name: &str) -> Error {
        let (what, hint) = match self {
            Self::Gzip => ("compressed with gzip, which its name does not say", "let its name end in `.gz`"),
            Self::Zstd => ("compressed with zstd, which its name does not say", "let its name end in `.zst`"),
            Self::Bzip2 => ("compressed with bzip2", "kgq reads gzip and zstd: decompress it first, with `bunzip2`"),
            Self::Xz => ("compressed with xz", "kgq reads gzip and zstd: decompress it first, with `unxz`"),
            Self::Zip => ("a zip archive", "take the RDF out of it first, with `unzip`"),
            Self::Pdf => ("a PDF", "kgq reads RDF"),
        };
        Error::input(format!("{name} is {what}")).hint(hint)
    }

    /// The error for a compressed file whose text, once decompressed, is no text.
    pub fn refusal_inside(self, name: &str) -> Error {
        let (what, hint) = match self {
            Self::Gzip | Self::Zstd | Self::Bzip2 | Self::Xz => ("is compressed twice", "decompress it once first"),
            Self::Zip => ("holds a zip archive", "take the RDF out of it first"),
            Self::Pdf => ("holds a PDF", "kgq reads RDF"),
        };
        Error::input(format!("{name} {what}")).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_not_taken_for_packed() {
        for text in ["", "PK", "BZh: a", "@prefix : <http://e/> .", "%PD", "(a b)"] {
            assert_eq!(Packed::of(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Packed::of(b"BZh9"), Some(Packed::Bzip2));
    }
}
