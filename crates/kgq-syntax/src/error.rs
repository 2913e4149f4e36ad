//! The program's only error type: what went wrong, at which place of which text, and what to do next.
//!
//! It contains no colour and queries no terminal; `Error::render` formats it for a reader, with or without colour.

use crate::budget::Exceeded;
use crate::embedded::Embedded;
use crate::text::visible;
use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of a failure. It decides the exit code (documented in `kgq --help`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A check, test or ASK did not hold.
    Check,
    /// The command line was wrong.
    Usage,
    /// A query, data file, header, parameter or name was wrong.
    Input,
    /// A file or the store could not be read or written.
    Io,
    /// A limit on time, memory or rows was reached.
    Limit,
    /// Something that is not allowed, such as a network request.
    Policy,
    /// A mistake in this program.
    Bug,
    /// The user interrupted.
    Interrupted,
    /// The program was asked to stop (SIGTERM).
    Terminated,
    /// The reader of the output has closed it; not worth a message.
    ClosedPipe,
}

impl Kind {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Check => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Io => 4,
            Self::Limit => 5,
            Self::Policy => 6,
            Self::Bug => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::ClosedPipe => 0,
        }
    }
}

/// A text with a name, into which spans point.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file's path as the user would type it, or `<query>`, `<stdin>`.
    pub name: &'a str,
    pub text: &'a str,
    /// The containing text, if this text is only a part of a file.
    within: Option<&'a Embedded>,
}

impl<'a> Source<'a> {
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, within: None }
    }

    /// A text whose places are given in the text that contains it.
    pub fn within(name: &'a str, text: &'a str, within: Option<&'a Embedded>) -> Self {
        Self { name, text, within }
    }

    /// The place of a span of bytes. A span that leaves the text, or splits a character, is moved to the nearest valid
    /// position.
    pub fn place(&self, span: Range<usize>) -> Place {
        if let Some(embedded) = self.within {
            return embedded.place(self.name, span);
        }
        let start = floor_char_boundary(self.text, span.start);
        let end = floor_char_boundary(self.text, span.end).max(start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = self.text[start..].find(['\n', '\r']).map_or(self.text.len(), |i| start + i);
        let line = self.text[..line_start].bytes().filter(|b| *b == b'\n').count() + 1;
        let column = self.text[line_start..start].chars().count() + 1;
        Place {
            file: self.name.into(),
            line,
            column,
            excerpt: Some(Excerpt::cut(
                &self.text[line_start..start],
                &self.text[start..end.min(line_end)],
                &self.text[end.min(line_end).max(start)..line_end],
            )),
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A position in a file: line and column count from 1, the column in code points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// The line itself with the part in question, if the text is available.
    pub excerpt: Option<Excerpt>,
}

impl Place {
    /// A place known by line and column only.
    pub fn new(file: impl Into<String>, line: usize, column: usize) -> Self {
        Self { file: file.into(), line, column, excerpt: None }
    }

    /// The place in a file of a place in a part of it that starts on this line, from 1.
    #[must_use]
    pub fn from_line(self, first_line: usize) -> Self {
        Self { line: self.line + first_line - 1, ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", visible(&self.file), self.line, self.column)
    }
}

/// One line of a text, cut to a window around the part that the error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    before: String,
    marked: String,
    after: String,
}

impl Excerpt {
    /// Characters of context on each side: enough to recognise the line, short enough for a terminal.
    const CONTEXT: usize = 60;

    /// The part in question, as displayed.
    pub fn marked(&self) -> &str {
        &self.marked
    }

    fn cut(before: &str, marked: &str, after: &str) -> Self {
        let mut head = before;
        if let Some((at, _)) = before.char_indices().rev().nth(Self::CONTEXT - 1) {
            head = &before[at..];
        }
        let head = if head.len() < before.len() { format!("…{head}") } else { head.to_owned() };
        Self {
            before: visible(&head).into_owned(),
            marked: visible(&shorten(marked, Self::CONTEXT)).into_owned(),
            after: visible(&shorten(after, Self::CONTEXT)).into_owned(),
        }
    }
}

fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Whether an error stops the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    /// It is reported, and the work goes on.
    Warning,
}

/// A failure, in the user's words.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: Kind,
    severity: Severity,
    message: String,
    place: Option<Place>,
    hints: Vec<String>,
    others: Vec<Error>,
    exceeded: Option<Exceeded>,
}

impl Error {
    /// Creates an error. A message too long to be read is cut, since it may quote a whole file.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        const LONGEST: usize = 2_000;
        let mut message = message.into();
        if message.len() > LONGEST {
            message.truncate(floor_char_boundary(&message, LONGEST));
            message.push('…');
        }
        let (severity, hints, others) = (Severity::Error, Vec::new(), Vec::new());
        Self(Box::new(Inner { kind, severity, message, place: None, hints, others, exceeded: None }))
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Kind::Input, message)
    }

    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(Kind::Limit, message)
    }

    /// An exceeded limit that the user can change; the front end adds how the limit is called there.
    pub fn exceeded(limit: Exceeded, message: impl Into<String>) -> Self {
        let mut error = Self::limit(message);
        error.0.exceeded = Some(limit);
        error
    }

    pub fn policy(message: impl Into<String>) -> Self {
        Self::new(Kind::Policy, message)
    }

    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    /// A failure of the operating system, about the named file or stream.
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        // The system's error number adds nothing to its words.
        let words = error.to_string();
        let words = words.split(" (os error").next().unwrap_or(&words).to_owned();
        let kind = if error.kind() == std::io::ErrorKind::BrokenPipe { Kind::ClosedPipe } else { Kind::Io };
        Self::new(kind, format!("{what}: {words}"))
    }

    /// Combines several failures into one; the first decides the kind. `None` if there are none.
    pub fn all(errors: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.0.others.extend(errors);
        Some(first)
    }

    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds a hint if there is one.
    #[must_use]
    pub fn hint_if(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Adds to this error, and to each one reported with it, the hint that `hint` gives for it.
    #[must_use]
    pub fn hinted(mut self, hint: &dyn Fn(&Self) -> Option<&'static str>) -> Self {
        let others = std::mem::take(&mut self.0.others);
        self.0.others = others.into_iter().map(|other| other.hinted(hint)).collect();
        let own = hint(&self);
        self.hint_if(own)
    }

    /// Puts text before the message.
    #[must_use]
    pub fn prefixed(mut self, words: &str) -> Self {
        self.0.message.insert_str(0, words);
        self
    }

    /// The same error as a warning, which does not stop the work.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.0.severity = Severity::Warning;
        self
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    pub fn severity(&self) -> Severity {
        self.0.severity
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The exceeded limit, if the user can change it.
    pub fn limit_passed(&self) -> Option<Exceeded> {
        self.0.exceeded
    }

    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// The other failures that were reported together with this one.
    pub fn others(&self) -> &[Error] {
        &self.0.others
    }

    /// The error as the program prints it: `file:line:column: message`, the line with a caret, hints; then the other errors.
    pub fn render(&self, colour: bool) -> String {
        let (bold_red, bold, dim, reset) =
            if colour { ("\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "", "") };
        let mut out = String::new();
        let inner = &self.0;
        // Writing to a `String` cannot fail.
        let _ = match (&inner.place, inner.severity) {
            (Some(place), Severity::Error) => write!(out, "{bold}{place}:{reset} "),
            (Some(place), Severity::Warning) => write!(out, "{bold}{place}: warning:{reset} "),
            (None, Severity::Error) => write!(out, "{bold_red}error:{reset} "),
            (None, Severity::Warning) => write!(out, "{bold}warning:{reset} "),
        };
        let _ = writeln!(out, "{bold}{}{reset}", visible(&inner.message));
        if let Some(Place { line, excerpt: Some(excerpt), .. }) = &inner.place {
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            let indent: String = excerpt
                .before
                .chars()
                .map(|c| if c == '\t' { "\t".to_owned() } else { " ".repeat(crate::text::char_width(c)) })
                .collect();
            let carets = "^".repeat(crate::text::width(&excerpt.marked).max(1));
            let _ = writeln!(out, "  {dim}{number} |{reset} {}{}{}", excerpt.before, excerpt.marked, excerpt.after);
            let _ = writeln!(out, "  {margin} {dim}|{reset} {indent}{bold_red}{carets}{reset}");
        }
        for hint in &inner.hints {
            let _ = writeln!(out, "  {dim}hint:{reset} {}", visible(hint));
        }
        for other in &inner.others {
            out.push_str(&other.render(colour));
        }
        out
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_without_a_place_is_no_error() {
        assert_eq!(Error::input("it is dark").as_warning().render(false), "warning: it is dark\n");
        let placed = Error::input("it is dark").at(Place::new("f", 1, 2)).as_warning();
        assert_eq!(placed.render(false), "f:1:2: warning: it is dark\n");
        assert_eq!(Error::input("it is dark").render(false), "error: it is dark\n");
    }

    #[test]
    fn an_error_shows_place_line_caret_and_hint() {
        let text = "PREFIX a: <b>\n  ?部 foa:name ?name .\n";
        let at = text.find("foa").unwrap();
        let error = Error::input("unknown prefix `foa`")
            .at(Source::new("q.rq", text).place(at..at + 3))
            .hint("did you mean `foaf`?");
        assert_eq!(
            error.to_string(),
            "q.rq:2:6: unknown prefix `foa`\n  2 |   ?部 foa:name ?name .\n    |       ^^^\n  hint: did you mean `foaf`?"
        );
    }

    #[test]
    fn a_span_outside_the_text_points_at_its_end() {
        let place = Source::new("q", "ab\ncd").place(90..99);
        assert_eq!((place.line, place.column), (2, 3));
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!("{}X{}", "a".repeat(10_000), "b".repeat(10_000));
        let shown = Error::input("m").at(Source::new("q", &text).place(10_000..10_001)).to_string();
        assert!(shown.len() < 600, "{shown}");
    }
}
