//! A text inside another one, such as a query in a string of a Turtle file: maps its spans to spans of the whole.

use crate::Span;
use crate::error::{Place, Source};
use crate::turtle::triples::unescape;
use std::sync::Arc;

/// The containing text, and the position of the embedded one in it.
#[derive(Clone, Debug)]
pub struct Embedded {
    whole: Arc<str>,
    /// The line of the file on which the whole starts, from 1.
    first_line: usize,
    /// In text order, without gaps.
    pieces: Vec<Piece>,
}

/// A piece of the text, and the part of the whole from which it was read: either identical, or one escape.
#[derive(Clone, Debug)]
struct Piece {
    text: Span,
    whole: Span,
}

impl Embedded {
    /// The text of the Turtle string at this span of the whole; `None` if there is no string.
    pub fn in_turtle(whole: &Arc<str>, string: Span) -> Option<(String, Self)> {
        let written = whole.get(string.clone())?;
        let mark = written.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
        let long: String = std::iter::repeat_n(mark, 3).collect();
        let marks = if written.len() >= 6 && written.starts_with(&long) { 3 } else { 1 };
        // A language tag or a datatype may follow the string.
        let end = written.rfind(mark)?.checked_sub(marks - 1)?;
        let written = written.get(marks..end)?;
        let (mut text, mut pieces) = (String::new(), Vec::new());
        let mut at = 0;
        while at < written.len() {
            let rest = &written[at..];
            let length = match rest.find('\\') {
                Some(0) => escape_length(rest),
                Some(next) => next,
                None => rest.len(),
            };
            let start = text.len();
            text.push_str(&unescape(&rest[..length]));
            let from = string.start + marks + at;
            pieces.push(Piece { text: start..text.len(), whole: from..from + length });
            at += length;
        }
        if pieces.is_empty() {
            let start = string.start + marks;
            pieces.push(Piece { text: 0..0, whole: start..start });
        }
        Some((text, Self { whole: whole.clone(), first_line: 1, pieces }))
    }

    /// The same with `bytes` more bytes before the text, which the whole does not have; they are placed where the text
    /// starts.
    #[must_use]
    pub fn after(mut self, bytes: usize) -> Self {
        for piece in &mut self.pieces {
            piece.text = piece.text.start + bytes..piece.text.end + bytes;
        }
        let start = self.pieces.first().map_or(0, |piece| piece.whole.start);
        self.pieces.insert(0, Piece { text: 0..bytes, whole: start..start });
        self
    }

    /// The same where the whole is a part of a file that starts on this line, from 1.
    #[must_use]
    pub fn from_line(self, first_line: usize) -> Self {
        Self { first_line, ..self }
    }

    /// The place in the file of a span of the text.
    pub(crate) fn place(&self, file: &str, span: Span) -> Place {
        Source::new(file, &self.whole).place(self.span(span)).from_line(self.first_line)
    }

    /// The span of the whole that corresponds to a span of the text.
    fn span(&self, span: Span) -> Span {
        let start = self.offset(self.pieces.partition_point(|piece| piece.text.end <= span.start), span.start);
        let end = self.offset(self.pieces.partition_point(|piece| piece.text.end < span.end), span.end);
        start..end.max(start)
    }

    fn offset(&self, piece: usize, at: usize) -> usize {
        let Some(Piece { text, whole }) = self.pieces.get(piece).or(self.pieces.last()) else { return 0 };
        let within = at.saturating_sub(text.start);
        if within >= text.len() {
            whole.end
        } else if text.len() == whole.len() {
            whole.start + within
        } else {
            whole.start
        }
    }
}

/// The length of an escape, which begins with a backslash, within the text.
fn escape_length(rest: &str) -> usize {
    let length = match rest.chars().nth(1) {
        Some('u') => 6,
        Some('U') => 10,
        Some(other) => 1 + other.len_utf8(),
        None => 1,
    };
    if rest.is_char_boundary(length) { length.min(rest.len()) } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_string_is_one_in_its_file() {
        let file = "<q> <p> \"\"\"SELECT \\u0041\n  '\\\\n' ?x \\\"\"\"\"@en .";
        let whole: Arc<str> = file.into();
        let string = 8..file.find("@en").unwrap();
        let (text, embedded) = Embedded::in_turtle(&whole, string).unwrap();
        assert_eq!(text, "SELECT A\n  '\\n' ?x \"");
        for (part, written) in [("SELECT", "SELECT"), ("A", "\\u0041"), ("'\\n'", "'\\\\n'"), ("?x", "?x")] {
            let at = text.find(part).unwrap();
            let found = embedded.span(at..at + part.len());
            assert_eq!(&file[found], written, "{part}");
        }
        let at = text.find("?x").unwrap();
        let embedded = embedded.after(4);
        let place = Source::within("f.ttl", &text, Some(&embedded)).place(at + 4..at + 6);
        assert_eq!((place.line, place.column), (2, 9));
        assert_eq!(embedded.span(1..3), 11..11);
        let embedded = embedded.from_line(7);
        let place = Source::within("f.ttl", &text, Some(&embedded)).place(at + 4..at + 6);
        assert_eq!((place.line, place.column), (8, 9));
    }

    #[test]
    fn a_string_can_be_empty_or_cut_short() {
        for written in ["\"\"", "''", "\"\"\"\"\"\"", "\"", "'''", "x", "", "'\\'", "'\\u12'"] {
            let whole: Arc<str> = written.into();
            if let Some((text, embedded)) = Embedded::in_turtle(&whole, 0..written.len()) {
                let span = embedded.span(0..text.len() + 9);
                assert!(span.end <= written.len(), "{written}");
            }
        }
    }
}
