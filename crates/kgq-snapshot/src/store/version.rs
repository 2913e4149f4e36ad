//! The version announcement that RDF 1.2 allows in N-Triples and N-Quads (`VERSION "1.2"`); oxttl accepts it in Turtle only.

use memchr::{memchr, memmem};
use std::io::{self, BufRead, Read};

/// The length of the announcement with which a line begins, up to its closing quote.
pub fn announcement(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(b"VERSION")?;
    let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mark = *rest.get(space).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let inside = &rest[space + 1..];
    let end = memchr(mark, inside)?;
    let plain = !inside[..end].iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'\\'));
    (space > 0 && plain).then_some(b"VERSION".len() + space + 1 + end + 1)
}

/// No announcement is longer than this, in bytes.
const LONGEST: usize = 64;

/// Replaces announcements by spaces, so that everything else keeps its position.
pub struct WithoutVersion<R> {
    inner: R,
    at_line_start: bool,
    /// Bytes read ahead to decide whether they are an announcement.
    ahead: Vec<u8>,
}

impl<R: BufRead> WithoutVersion<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, at_line_start: true, ahead: Vec::new() }
    }

    /// Reads ahead while the line may begin with an announcement; replaces one by spaces.
    fn look_ahead(&mut self) -> io::Result<()> {
        const WORD: &[u8] = b"VERSION";
        while self.ahead.len() < LONGEST
            && !self.ahead.contains(&b'\n')
            && (self.ahead.starts_with(WORD) || WORD.starts_with(&self.ahead))
        {
            let available = self.inner.fill_buf()?;
            if available.is_empty() {
                break;
            }
            // The whole line, or as much as matters; for any other line, its first byte.
            let most = if self.ahead.is_empty() { 1 } else { LONGEST - self.ahead.len() };
            let most = most.min(available.len());
            let length = memchr(b'\n', &available[..most]).map_or(most, |at| at + 1);
            self.ahead.extend_from_slice(&available[..length]);
            self.inner.consume(length);
        }
        if let Some(length) = announcement(&self.ahead) {
            self.ahead[..length].fill(b' ');
        }
        Ok(())
    }
}

impl<R: BufRead> Read for WithoutVersion<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at_line_start && self.ahead.is_empty() {
            self.look_ahead()?;
        }
        let (available, is_ahead) =
            if self.ahead.is_empty() { (self.inner.fill_buf()?, false) } else { (self.ahead.as_slice(), true) };
        let most = buffer.len().min(available.len());
        // A line that may be an announcement must start a new read.
        let length = memmem::find(&available[..most], b"\nV").map_or(most, |at| at + 1);
        buffer[..length].copy_from_slice(&available[..length]);
        if length > 0 {
            self.at_line_start = available[length - 1] == b'\n';
        }
        if is_ahead {
            self.ahead.drain(..length);
        } else {
            self.inner.consume(length);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_become_spaces_and_nothing_else_does() {
        let read = |text: &str| {
            let mut out = String::new();
            WithoutVersion::new(text.as_bytes()).read_to_string(&mut out).unwrap();
            out
        };
        let slowly = |text: &str| {
            let mut out = String::new();
            let parts = std::io::BufReader::with_capacity(3, text.as_bytes());
            WithoutVersion::new(parts).read_to_string(&mut out).unwrap();
            out
        };
        assert_eq!(
            slowly("VERSION \"1.2\"\n<a>\nVERSION '1.2' .\nVERS\n"),
            "             \n<a>\n              .\nVERS\n"
        );
        assert_eq!(read("VERSION \"1.2\" # c\n<a> <b> \"\n"), "              # c\n<a> <b> \"\n");
        assert_eq!(read("<a>\nVERSION '1.2'\nV\n"), "<a>\n             \nV\n");
        for text in ["VERSION 1.2\n", "VERSION\"1\"\n", " VERSION", "version \"1.2\"", "VERSION \"1", "VERSION \"a\n\""]
        {
            assert_eq!(read(text), text);
        }
    }
}
