//! Watches Turtle, TriG, N-Triples, N-Quads and N3 while they are read: nesting and token length, byte by byte, in memory
//! that does not grow with the file. It does not validate the text.

use super::bounds::Bounds;
use super::directive::{self, Announced, Directives};
use crate::error::{Error, Place, Result};
use memchr::{memchr_iter, memchr2, memchr3, memrchr};
use std::io::{self, Read};

/// A reader that passes everything on until a limit is exceeded; then reading fails with an error that `passed` can recover.
pub struct Guard<R> {
    inner: R,
    name: String,
    bounds: Bounds,
    state: State,
    directives: Directives,
    /// Bytes read but not yet passed on, because a base is incomplete; and how many of them were passed on.
    held: Vec<u8>,
    given: usize,
    /// The open brackets, at most one more than the limit.
    open: Vec<Bracket>,
    /// Bytes read before the current buffer, and the position where the current token began.
    read: usize,
    token: usize,
    /// The position of the buffer's first byte; only an error needs a more exact one.
    line: usize,
    column: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// `(`, `[`, `{`
    Plain,
    /// `<<`
    Reified,
    /// `<<(`, closed by `)` and `>>` together
    TripleTerm,
}

#[derive(Clone, Copy)]
enum State {
    Plain,
    Comment,
    /// After a `<`.
    Less,
    /// After `<<`.
    Opened,
    /// After a `>` that does not end an IRI.
    Greater,
    /// After a backslash in a name.
    Backslash,
    Iri,
    /// After the first of a string's quotes, and after the second: the string may be empty, or long.
    Quote(u8),
    TwoQuotes(u8),
    Text {
        mark: u8,
        long: bool,
        /// How many closing quotes of a long string were just read.
        closing: u8,
    },
    Escape {
        mark: u8,
        long: bool,
    },
}

impl<R: Read> Guard<R> {
    /// `name` is the name of the file, for errors.
    pub fn new(inner: R, name: impl Into<String>, bounds: Bounds) -> Self {
        let name = name.into();
        Self {
            inner,
            name,
            bounds,
            state: State::Plain,
            directives: Directives::default(),
            held: Vec::new(),
            given: 0,
            open: Vec::new(),
            read: 0,
            token: 0,
            line: 1,
            column: 1,
        }
    }

    /// Watches the next bytes. The error has the place where a limit is exceeded.
    fn watch(&mut self, bytes: &[u8]) -> Result<()> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let rest = &bytes[at..];
            // Most bytes do not change the state: skip them together.
            let passed = match self.state {
                State::Comment => memchr2(b'\n', b'\r', rest),
                State::Text { mark, long: true, closing: 0 } => memchr2(mark, b'\\', rest),
                State::Text { mark, long: false, .. } => memchr3(mark, b'\\', b'\n', rest),
                State::Iri => rest.iter().position(|b| ENDS_IRI[usize::from(*b)]),
                State::Plain => rest.iter().position(|b| DELIMITS[usize::from(*b)]),
                _ => Some(0),
            };
            match passed {
                Some(0) => {
                    self.step(byte, self.read + at);
                    at += 1;
                }
                passed => {
                    let n = passed.unwrap_or(rest.len());
                    if matches!(self.state, State::Plain) {
                        self.directives.word(&rest[..n]);
                    }
                    at += n;
                }
            }
            let token = (self.read + at).saturating_sub(self.token);
            if token > directive::LONGEST
                && let (State::Iri, Some(announced)) = (self.state, self.directives.announced)
            {
                let over = at.saturating_sub(token - directive::LONGEST);
                return Err(directive::too_long(announced).at(self.place(bytes, over)));
            }
            if token > self.bounds.max_token && !matches!(self.state, State::Comment) {
                // The first byte beyond the limit.
                let over = at.saturating_sub(token - self.bounds.max_token);
                return Err(self.bounds.token_too_long().at(self.place(bytes, over)));
            }
            if self.open.len() > self.bounds.depth() {
                return Err(self.bounds.too_deep().at(self.place(bytes, at - 1)));
            }
        }
        self.read += bytes.len();
        (self.line, self.column) = self.position(bytes);
        Ok(())
    }

    fn step(&mut self, byte: u8, at: usize) {
        self.state = match self.state {
            // The next token begins after the comment at the earliest.
            State::Comment => {
                self.token = at;
                if matches!(byte, b'\n' | b'\r') { State::Plain } else { State::Comment }
            }
            State::Iri => {
                if byte == b'>' {
                    self.directives.end_iri(self.token..at + 1);
                }
                in_iri(byte)
            }
            State::Less if byte == b'<' => {
                self.open.push(Bracket::Reified);
                State::Opened
            }
            State::Less => in_iri(byte),
            State::Opened if byte == b'(' => {
                self.open.pop();
                self.open.push(Bracket::TripleTerm);
                State::Plain
            }
            State::Greater if byte == b'>' => {
                self.open.pop();
                State::Plain
            }
            State::Quote(mark) if byte == mark => State::TwoQuotes(mark),
            State::Quote(mark) => in_text(byte, mark, false, 0),
            State::TwoQuotes(mark) if byte == mark => State::Text { mark, long: true, closing: 0 },
            State::Text { mark, long, closing } => in_text(byte, mark, long, closing),
            State::Escape { mark, long } => State::Text { mark, long, closing: 0 },
            State::Backslash => State::Plain,
            State::Plain | State::Opened | State::Greater | State::TwoQuotes(_) => self.plain(byte, at),
        };
    }

    fn plain(&mut self, byte: u8, at: usize) -> State {
        if DELIMITS[usize::from(byte)] && byte != b'\\' {
            self.token = at;
            self.directives.end_word(byte);
        }
        match byte {
            b'#' => State::Comment,
            b'"' | b'\'' => State::Quote(byte),
            b'<' => State::Less,
            b'>' => State::Greater,
            b'\\' => State::Backslash,
            b'(' | b'[' | b'{' => {
                self.open.push(Bracket::Plain);
                State::Plain
            }
            b')' if self.open.last() == Some(&Bracket::TripleTerm) => State::Plain,
            b')' | b']' | b'}' => {
                self.open.pop();
                State::Plain
            }
            _ => State::Plain,
        }
    }

    /// The line and column after these bytes of the buffer. The column counts code points.
    fn position(&self, bytes: &[u8]) -> (usize, usize) {
        let characters = |bytes: &[u8]| bytes.iter().filter(|b| **b & 0xC0 != 0x80).count();
        match memrchr(b'\n', bytes) {
            Some(last) => (self.line + memchr_iter(b'\n', bytes).count(), characters(&bytes[last + 1..]) + 1),
            None => (self.line, self.column + characters(bytes)),
        }
    }

    fn place(&self, bytes: &[u8], mut at: usize) -> Place {
        while at > 0 && bytes.get(at).is_some_and(|b| b & 0xC0 == 0x80) {
            at -= 1;
        }
        let (line, column) = self.position(bytes.get(..at).unwrap_or(bytes));
        Place::new(self.name.clone(), line, column)
    }
}

/// The bytes that separate names, numbers and words, and the backslash, which escapes the next byte.
static DELIMITS: [bool; 256] = table(b" \t\n\r()[]{},;<>\"'#\\");
static ENDS_IRI: [bool; 256] = table(b"> \t\n\r\"");

const fn table(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] = true;
        i += 1;
    }
    table
}

/// An IRI has no spaces: text that begins with `<` and has one is an operator of N3, or wrong.
fn in_iri(byte: u8) -> State {
    match byte {
        b'>' | b' ' | b'\t' | b'\n' | b'\r' | b'"' => State::Plain,
        _ => State::Iri,
    }
}

fn in_text(byte: u8, mark: u8, long: bool, closing: u8) -> State {
    match byte {
        b'\\' => State::Escape { mark, long },
        // A short string not closed on its line is an error for the parser; the next line starts afresh.
        b'\n' | b'\r' if !long => State::Plain,
        byte if byte != mark => State::Text { mark, long, closing: 0 },
        _ if !long || closing == 2 => State::Plain,
        _ => State::Text { mark, long, closing: closing + 1 },
    }
}

impl<R: Read> Guard<R> {
    /// Reads on until the base that has begun is complete; a limit bounds its length.
    fn hold(&mut self, read: &[u8]) -> io::Result<()> {
        self.held = read.to_vec();
        self.given = 0;
        let mut more = [0; 4096];
        while self.is_in_base() {
            let read = self.inner.read(&mut more)?;
            if read == 0 {
                break;
            }
            self.watch(&more[..read]).map_err(io::Error::other)?;
            self.held.extend_from_slice(&more[..read]);
        }
        let from = self.read - self.held.len();
        self.directives.without_dots(&mut self.held, from);
        Ok(())
    }

    fn is_in_base(&self) -> bool {
        matches!(self.state, State::Less | State::Iri) && self.directives.announced == Some(Announced::Base)
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.held.len() {
            let read = self.inner.read(buffer)?;
            self.watch(&buffer[..read]).map_err(io::Error::other)?;
            if !self.is_in_base() {
                self.directives.without_dots(&mut buffer[..read], self.read - read);
                return Ok(read);
            }
            self.hold(&buffer[..read])?;
        }
        let rest = &self.held[self.given..];
        let now = rest.len().min(buffer.len());
        buffer[..now].copy_from_slice(&rest[..now]);
        self.given += now;
        Ok(now)
    }
}

/// Recovers the error of a limit that a `Guard` found, if that made reading fail.
pub fn passed(error: &io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref::<Error>().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<usize> {
        let bounds = Bounds { max_depth: 8, max_token: 20, ..Bounds::default() };
        let mut guard = Guard::new(text.as_bytes(), "d.ttl", bounds);
        io::copy(&mut guard, &mut io::sink()).map(|n| n as usize).map_err(|e| passed(&e).expect("no other failure"))
    }

    #[test]
    fn nesting_holds_at_the_limit_and_fails_one_beyond() {
        for (open, close) in
            [("(", ")"), ("[ :p ", "]"), ("<< ", ">> "), ("<<(", ")>> "), ("{|", "|}"), ("<< <a> <b> ", ">> ")]
        {
            let nested = |n: usize| format!(":s :p {}1{} .", open.repeat(n), close.repeat(n)).repeat(3);
            assert!(read(&nested(7)).is_ok() && read(&nested(8)).is_ok(), "{open}");
            assert!(read(&nested(9)).unwrap_err().to_string().contains("--max-depth"), "{open}");
        }
    }

    #[test]
    fn brackets_in_strings_comments_names_and_iris_do_not_nest() {
        for text in [
            "'((((((((((' .",
            "'''(((((''(((((''' .",
            "# ((((((((((((",
            "<((((((((((> .",
            r":\(\(\(\(\(\(\(\(\( .",
            r#""""((((((((((""" ."#,
            r"'\'((((((((((' .",
            "'' ''  '((((((((((' .",
        ] {
            assert!(read(text).is_ok(), "{text}");
            assert!(read(&format!("{text}\n((((((((((")).is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_is_found_however_the_bytes_arrive() {
        struct Byte<'a>(&'a [u8]);
        impl Read for Byte<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let n = self.0.len().min(1).min(buffer.len());
                let (now, later) = self.0.split_at(n);
                buffer[..n].copy_from_slice(now);
                self.0 = later;
                Ok(n)
            }
        }
        for text in [
            "<a>\n 'é' ((((((((( ",
            "# ((((((((((\n<a>\n '((((((((((((((((((((((((",
            "<a> é:aaaaaaaaaaaaaaaaaaaaaaaaaaaa .",
        ] {
            let bounds = Bounds { max_depth: 8, max_token: 20, ..Bounds::default() };
            let whole = read(text).unwrap_err().to_string();
            let mut guard = Guard::new(Byte(text.as_bytes()), "d.ttl", bounds);
            let pieces = passed(&io::copy(&mut guard, &mut io::sink()).unwrap_err()).unwrap().to_string();
            assert_eq!(pieces, whole);
        }
    }

    #[test]
    fn one_long_token_fails_at_its_place_and_many_short_ones_pass() {
        assert!(read(&"<a> <b> 'c' , 'd'@en ; :long:name 12345 .\n".repeat(50)).is_ok());
        let error = read(&format!("<a>\n  <b> '{}", "é".repeat(40))).unwrap_err();
        assert_eq!(error.place().map(|p| (p.line, p.column)), Some((2, 17)));
    }

    /// The text that a parser receives, read in steps.
    fn passed_on(text: &str, step: usize) -> String {
        struct Steps<'a>(&'a [u8], usize);
        impl Read for Steps<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let n = buffer.len().min(self.0.len()).min(self.1);
                let (now, later) = self.0.split_at(n);
                buffer[..n].copy_from_slice(now);
                self.0 = later;
                Ok(n)
            }
        }
        let mut out = String::new();
        let mut guard = Guard::new(Steps(text.as_bytes(), step), "d.ttl", Bounds::default());
        guard.read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn a_base_loses_its_dots_and_nothing_else_changes_however_it_is_read() {
        let text = "@base <http://e/a/../b/./c> . # <http://e/x/../y>\n<http://e/../s> :p \"@base <http://e/z/../>\"@base, base:x .\n\
                    bAsE # c\n <file:///q/..>@prefix :<http://e/../> .<d> :base <http://e/../o> . @base <../r/> .";
        let wanted = "@base <http://e/b/c>        . # <http://e/x/../y>\n<http://e/../s> :p \"@base <http://e/z/../>\"@base, base:x .\n\
                      bAsE # c\n <file:///>    @prefix :<http://e/../> .<d> :base <http://e/../o> . @base <../r/> .";
        for step in [1, 3, 7, 1000] {
            assert_eq!(passed_on(text, step), wanted, "{step}");
        }
        assert_eq!(passed_on("@base <http://e/../", 4), "@base <http://e/../");
    }

    #[test]
    fn what_other_iris_are_made_of_is_not_long() {
        let long = "x".repeat(directive::LONGEST);
        let message = |text: String| {
            let mut guard = Guard::new(text.as_bytes(), "d.ttl", Bounds::default());
            io::copy(&mut guard, &mut io::sink()).map_err(|e| passed(&e).unwrap().to_string()).err()
        };
        assert_eq!(message(format!("<http://e/{long}> <p> 'base' .")), None);
        let said = message(format!("@base\n <http://e/{long}> .")).unwrap();
        assert!(said.starts_with("d.ttl:2:65538: this base is longer than 64 KiB"), "{said}");
        assert!(message(format!("PREFIX long.name: <http://e/{long}>")).unwrap().contains("this namespace"));
    }
}
