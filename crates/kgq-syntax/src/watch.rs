//! Watches JSON-LD while it is read, as `guard` does Turtle: nesting and token length. It does not validate the text.

use super::bounds::Bounds;
use crate::error::{Place, Result};
use std::io::{self, Read};

/// Checks each byte before a parser sees it.
pub trait Watch {
    fn step(&mut self, byte: u8) -> Result<()>;
}

/// A reader that passes everything on until its watch fails; `guard::passed` recovers that error.
pub struct Watched<R, W> {
    inner: R,
    watch: W,
    name: String,
    line: usize,
    column: usize,
}

impl<R: Read, W: Watch> Watched<R, W> {
    /// `name` is the name of the file, for errors.
    pub fn new(inner: R, name: impl Into<String>, watch: W) -> Self {
        Self { inner, watch, name: name.into(), line: 1, column: 0 }
    }
}

impl<R: Read, W: Watch> Read for Watched<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        for byte in &buffer[..read] {
            // The column counts code points.
            self.column += usize::from(byte & 0xC0 != 0x80);
            let place = || Place::new(self.name.clone(), self.line, self.column.max(1));
            self.watch.step(*byte).map_err(|e| io::Error::other(e.at(place())))?;
            if *byte == b'\n' {
                (self.line, self.column) = (self.line + 1, 0);
            }
        }
        Ok(read)
    }
}

/// Watches JSON.
pub struct Json {
    bounds: Bounds,
    depth: usize,
    token: usize,
    state: JsonState,
}

enum JsonState {
    Plain,
    Text,
    Escape,
}

impl Json {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, depth: 0, token: 0, state: JsonState::Plain }
    }
}

impl Watch for Json {
    fn step(&mut self, byte: u8) -> Result<()> {
        self.token += 1;
        self.state = match (&self.state, byte) {
            (JsonState::Escape, _) => JsonState::Text,
            (JsonState::Text, b'\\') => JsonState::Escape,
            (JsonState::Text, b'"') => JsonState::Plain,
            (JsonState::Text, _) => JsonState::Text,
            (JsonState::Plain, b'"') => {
                self.token = 1;
                JsonState::Text
            }
            (JsonState::Plain, _) => {
                match byte {
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if b" \t\r\n{}[],:".contains(&byte) {
                    self.token = 0;
                }
                JsonState::Plain
            }
        };
        if self.depth > self.bounds.depth() {
            return Err(self.bounds.too_deep());
        }
        if self.token > self.bounds.max_token {
            return Err(self.bounds.token_too_long());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::passed;

    const BOUNDS: Bounds = Bounds {
        max_depth: 8,
        max_token: 200,
        max_entities: 100,
        max_query_size: 0,
        max_operators: 0,
        max_decompressed: 0,
        max_ratio: 0,
    };

    fn read(text: &str, watch: impl Watch) -> Result<u64> {
        let mut watched = Watched::new(text.as_bytes(), "d", watch);
        io::copy(&mut watched, &mut io::sink()).map_err(|e| passed(&e).expect("no other failure"))
    }

    fn json(text: &str) -> Result<u64> {
        read(text, Json::new(BOUNDS))
    }

    #[test]
    fn nesting_holds_at_the_limit_and_fails_one_beyond() {
        let arrays = |n: usize| format!("{}\"[[[[\\\"[[[[\"{}", "[".repeat(n), "]".repeat(n));
        assert!(json(&arrays(8)).is_ok());
        assert!(json(&arrays(9)).unwrap_err().to_string().contains("--max-depth"));
        assert!(json(&"{\"a\": {}} ".repeat(50)).is_ok());
    }

    #[test]
    fn a_long_token_fails_at_its_place() {
        let error = json(&format!("[\n \"{}\"]", "é".repeat(150))).unwrap_err();
        assert_eq!(error.place().map(|p| (p.line, p.column)), Some((2, 102)));
    }
}
