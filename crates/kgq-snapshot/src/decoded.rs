//! A text that is being decoded.

/// Bytes, and room behind them: what is decoded is written there in whole words, of which only a part may count. Room that was made for
/// one text is there for the next.
#[derive(Default)]
pub(super) struct Decoded {
    bytes: Vec<u8>,
    /// How many of them count.
    len: usize,
}

impl Decoded {
    /// An empty text, with the room that these bytes take.
    pub(super) fn over(bytes: Vec<u8>) -> Self {
        Self { bytes, len: 0 }
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes it that long, by cutting off its end or adding bytes of any value.
    #[inline]
    pub(super) fn set_len(&mut self, len: usize) {
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
        }
        self.len = len;
    }

    #[inline]
    pub(super) fn extend(&mut self, more: &[u8]) {
        self.room(more.len())[..more.len()].copy_from_slice(more);
        self.len += more.len();
    }

    /// At least so many bytes behind those that count.
    #[inline]
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.bytes.len() < self.len + bytes {
            self.bytes.resize(self.len + bytes, 0);
        }
        &mut self.bytes[self.len..]
    }

    /// Bytes of the text, to be written over.
    #[inline]
    pub(super) fn part(&mut self, start: usize, end: usize) -> &mut [u8] {
        &mut self.bytes[..self.len][start..end]
    }
}
