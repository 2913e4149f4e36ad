//! The only path to a terminal. Characters that could control the terminal, or hide or reorder text, are escaped; of escape
//! sequences only our own pass. Files and pipes get every byte unchanged.

use kgq_graph::render::Format;
use kgq_syntax::rdf::RdfFormat;
use kgq_syntax::text::{codepoint_escape, is_unsafe, visible};
use std::io::{self, IsTerminal, Write};

/// The styles that we and clap set.
const STYLES: &[&str] = &[
    "\x1b[0m",
    "\x1b[1m",
    "\x1b[2m",
    "\x1b[4m",
    "\x1b[31m",
    "\x1b[32m",
    "\x1b[33m",
    "\x1b[1;31m",
    "\x1b[1;33m",
    "\x1b[1;34m",
];

/// The kind of text written. It decides how an unsafe character is escaped: in the format's own way if there is one, so that a
/// copied text keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Laid out by kgq for reading: our styles pass.
    LaidOut,
    /// A format without escapes of its own.
    Plain,
    /// Turtle, its kin, and SPARQL: `\u009B`.
    Rdf,
    Json,
    Xml,
}

impl Content {
    pub fn of(format: Format) -> Self {
        match format {
            Format::Table => Self::LaidOut,
            // Binary formats are refused at a terminal.
            Format::Csv | Format::Markdown | Format::Arrow | Format::Parquet | Format::Excel => Self::Plain,
            Format::Json | Format::Ndjson | Format::GeoJson | Format::Rdf(RdfFormat::JsonLd) => Self::Json,
            Format::Xml | Format::Html | Format::Rdf(RdfFormat::RdfXml) => Self::Xml,
            Format::Tsv | Format::Rdf(_) => Self::Rdf,
        }
    }

    fn spell(self, c: char, out: &mut String) {
        match self {
            Self::LaidOut | Self::Plain => out.push_str(&visible(c.encode_utf8(&mut [0; 4]))),
            Self::Rdf => out.push_str(&codepoint_escape(c)),
            Self::Json => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}"))),
            Self::Xml => out.push_str(&format!("&#x{:X};", u32::from(c))),
        }
    }
}

/// A writer to a terminal that escapes unsafe characters.
pub struct Door {
    terminal: Box<dyn Write + Send>,
    content: Content,
    styled: bool,
    /// An incomplete character, style or line end that the next write may complete.
    held: Vec<u8>,
}

impl Door {
    pub fn new(terminal: Box<dyn Write + Send>, styled: bool) -> Self {
        Self { terminal, content: Content::LaidOut, styled, held: Vec::new() }
    }

    /// Replaces the line that the cursor is in; empty words clear it.
    pub fn status(&mut self, words: &str) -> io::Result<()> {
        write!(self.terminal, "\r\x1b[K{}", visible(words))?;
        self.terminal.flush()
    }

    /// Writes what is held and the bytes, but holds back what a later write may complete; with `end`, nothing is held back.
    fn pass(&mut self, bytes: &[u8], end: bool) -> io::Result<()> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut out = String::with_capacity(all.len());
        let mut rest: &[u8] = &all;
        while !rest.is_empty() {
            let (text, wrong) = match std::str::from_utf8(rest) {
                Ok(text) => (text, 0),
                Err(error) => {
                    let valid = std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default();
                    // Without a length, the bytes are an incomplete character at the end.
                    (valid, error.error_len().unwrap_or(rest.len() - valid.len()))
                }
            };
            let goes_on = text.len() + wrong == rest.len() && !end;
            let incomplete =
                wrong > 0 && std::str::from_utf8(&rest[text.len()..]).is_err_and(|e| e.error_len().is_none());
            let left = self.letters(text, goes_on && wrong == 0, &mut out);
            if goes_on && (wrong == 0 || incomplete) {
                self.held = rest[text.len() - left..].to_vec();
                break;
            }
            for byte in &rest[text.len()..text.len() + wrong] {
                out.push_str(&format!("\\x{byte:02X}"));
            }
            rest = &rest[text.len() + wrong..];
        }
        self.terminal.write_all(out.as_bytes())
    }

    /// Appends a text with unsafe characters escaped; returns how many bytes at its end must wait for the next write.
    fn letters(&self, text: &str, goes_on: bool, out: &mut String) -> usize {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| is_unsafe(c) && c != '\n' && c != '\t') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let own = self.own(rest);
            if let Some(own) = own {
                out.push_str(own);
                rest = &rest[own.len()..];
                continue;
            }
            if goes_on && self.may_become_own(rest) {
                return rest.len();
            }
            let mut chars = rest.chars();
            chars.by_ref().take(1).for_each(|c| self.content.spell(c, out));
            rest = chars.as_str();
        }
        out.push_str(rest);
        0
    }

    fn styles(&self) -> &'static [&'static str] {
        if self.styled && self.content == Content::LaidOut { STYLES } else { &[] }
    }

    /// The style or line end at the start of the text.
    fn own(&self, text: &str) -> Option<&'static str> {
        self.styles().iter().copied().chain(["\r\n"]).find(|own| text.starts_with(own))
    }

    fn may_become_own(&self, text: &str) -> bool {
        self.styles().iter().copied().chain(["\r\n"]).any(|own| own.starts_with(text))
    }
}

impl Write for Door {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pass(bytes, false)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(&[], true)?;
        self.terminal.flush()
    }
}

/// A stream that the program writes to.
pub enum Stream {
    Terminal(Door),
    /// A file or a pipe: bytes unchanged.
    Bytes(Box<dyn Write + Send>),
}

impl Stream {
    pub fn stdout() -> Self {
        let out = io::stdout();
        if out.is_terminal() {
            Self::Terminal(Door::new(Box::new(out), has_styles()))
        } else {
            Self::Bytes(Box::new(out))
        }
    }

    pub fn stderr() -> Self {
        let err = io::stderr();
        if err.is_terminal() {
            Self::Terminal(Door::new(Box::new(err), has_styles()))
        } else {
            Self::Bytes(Box::new(err))
        }
    }

    /// A stream to a program that itself writes to the terminal.
    pub fn through(program: Box<dyn Write + Send>, styled: bool) -> Self {
        Self::Terminal(Door::new(program, styled))
    }

    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Whether styles are used.
    pub fn is_styled(&self) -> bool {
        matches!(self, Self::Terminal(Door { styled: true, .. }))
    }

    /// Writes text of this kind.
    pub fn write_as<T>(&mut self, content: Content, write: impl FnOnce(&mut dyn Write) -> T) -> T {
        match self {
            Self::Bytes(out) => write(out),
            Self::Terminal(door) => {
                let before = std::mem::replace(&mut door.content, content);
                let result = write(door);
                door.content = before;
                result
            }
        }
    }

    /// Shows progress in one line of a terminal. A failure to show it is ignored.
    pub fn status(&mut self, words: &str) {
        if let Self::Terminal(door) = self {
            let _ = door.status(words);
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Terminal(door) => door.write(bytes),
            Self::Bytes(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Terminal(door) => door.flush(),
            Self::Bytes(out) => out.flush(),
        }
    }
}

/// A text as a terminal would get it, for a pager, which itself writes to the terminal.
pub fn as_shown(text: &str, content: Content, styled: bool) -> String {
    let mut out = String::with_capacity(text.len());
    Door { content, ..Door::new(Box::new(io::sink()), styled) }.letters(text, false, &mut out);
    out
}

/// Whether the user's terminal and wishes allow styles.
fn has_styles() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the screen gets if the bytes are written in pieces of this size.
    fn shown(content: Content, styled: bool, bytes: &[u8], piece: usize) -> String {
        let screen = Screen::default();
        let mut stream = Stream::Terminal(Door::new(Box::new(screen.clone()), styled));
        stream.write_as(content, |out| {
            bytes.chunks(piece).for_each(|bytes| out.write_all(bytes).unwrap());
            out.flush().unwrap();
        });
        String::from_utf8(screen.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn only_our_styles_pass_however_the_bytes_are_cut() {
        let bytes = "\x1b[1mbold\x1b[0m 部门\t\x1b]52;c;ZQ==\x07\x1b[8m\u{9b}31m\u{202e}\rx\r\n".as_bytes();
        let styled = "\x1b[1mbold\x1b[0m 部门\t\\u{1B}]52;c;ZQ==\\u{7}\\u{1B}[8m\\u{9B}31m\\u{202E}\\rx\r\n";
        for piece in 1..=bytes.len() {
            assert_eq!(shown(Content::LaidOut, true, bytes, piece), styled, "{piece}");
            let plain = shown(Content::LaidOut, false, bytes, piece);
            assert!(!plain.contains('\x1b') && plain.starts_with("\\u{1B}[1mbold"), "{plain}");
        }
    }

    #[test]
    fn data_are_spelled_so_that_the_format_reads_the_same_back() {
        let bytes = "a\u{9b}\u{e0001}\x1b[1m".as_bytes();
        assert_eq!(shown(Content::Rdf, true, bytes, 3), "a\\u009B\\U000E0001\\u001B[1m");
        assert_eq!(shown(Content::Json, true, bytes, 3), "a\\u009B\\uDB40\\uDC01\\u001B[1m");
        assert_eq!(shown(Content::Xml, true, bytes, 3), "a&#x9B;&#xE0001;&#x1B;[1m");
    }

    #[test]
    fn bytes_that_are_no_text_are_spelled_and_what_is_begun_is_not_lost() {
        assert_eq!(shown(Content::Plain, true, b"a\xff\xe9b\xe9\x83", 2), "a\\xFF\\xE9b\\xE9\\x83");
        assert_eq!(shown(Content::LaidOut, true, b"a\x1b[1", 2), "a\\u{1B}[1");
        assert_eq!(shown(Content::LaidOut, true, b"a\r", 1), "a\\r");
    }

    #[test]
    fn a_pager_gets_what_the_terminal_would() {
        assert_eq!(as_shown("\x1b[1mx\x1b[0m\x1b]0;t\x07", Content::LaidOut, true), "\x1b[1mx\x1b[0m\\u{1B}]0;t\\u{7}");
        assert_eq!(as_shown("\x1b[1mx", Content::LaidOut, false), "\\u{1B}[1mx");
    }
}
