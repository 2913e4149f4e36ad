//! What a snapshot was built from, as one number.

use sha2::{Digest, Sha256};
use std::fmt;

/// A SHA-256 digest of a snapshot's sources, byte by byte, and of how they were read (base IRI, graphs, leniency). Two
/// snapshots with the same key have the same content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ContentKey([u8; 32]);

impl ContentKey {
    /// The key of a list of parts; both their order and their boundaries matter.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn words(self) -> [u32; 8] {
        std::array::from_fn(|i| u32::from_ne_bytes(self.0[i * 4..i * 4 + 4].try_into().expect("a word is four bytes")))
    }

    /// Rebuilds a key from its 8 words.
    pub(super) fn from_words(words: &[u32]) -> Self {
        let mut bytes = [0; 32];
        for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *bytes = word.to_ne_bytes();
        }
        Self(bytes)
    }
}

impl fmt::Display for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
