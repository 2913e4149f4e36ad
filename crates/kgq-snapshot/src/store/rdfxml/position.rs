//! A reader that tracks its line and column, and the length of the current token.

use kgq_syntax::bounds::Bounds;
use memchr::{memchr_iter, memrchr};
use std::io::{self, BufRead, BufReader, Read};

/// A line and a column, both from 1; the column counts code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// The position after this text.
    #[must_use]
    pub(super) fn after(self, text: &[u8]) -> Self {
        let characters = |text: &[u8]| text.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        match memrchr(b'\n', text) {
            Some(last) => {
                let line = self.line + memchr_iter(b'\n', text).count();
                Self { line, column: 1 + characters(&text[last + 1..]) }
            }
            None => Self { line: self.line, column: self.column + characters(text) },
        }
    }
}

/// Text that is read token by token.
pub(super) struct Counted<'a> {
    inner: BufReader<Box<dyn Read + 'a>>,
    position: Position,
    bounds: Bounds,
    /// The number of bytes of the current token so far.
    token: usize,
}

impl<'a> Counted<'a> {
    pub(super) fn new(text: Box<dyn Read + 'a>, bounds: Bounds) -> Self {
        let inner = BufReader::with_capacity(1 << 16, text);
        Self { inner, position: Position::START, bounds, token: 0 }
    }

    /// Starts the next token, and returns its position.
    pub(super) fn begin(&mut self) -> Position {
        self.token = 0;
        self.position
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token > self.bounds.max_token {
            return Err(io::Error::other(self.bounds.token_too_long()));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        let consumed = &self.inner.buffer()[..amount];
        self.position = self.position.after(consumed);
        self.token += amount;
        self.inner.consume(amount);
    }
}
