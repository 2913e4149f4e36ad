//! Texts of source documents: finds the span of a citation by code points, and marks its anchor.

use super::sources::Span;
use kgq_syntax::text::hexadecimal;
use std::io::{self, BufRead};
use std::ops::Range;

/// Converts a span in code points to bytes; `None` if it is empty or extends beyond the text.
pub fn span_of(text: &str, span: Span) -> Option<Range<usize>> {
    if span.start >= span.end {
        return None;
    }
    let mut starts = text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len()));
    let start = starts.nth(span.start)?;
    let end = starts.nth(span.end - span.start - 1)?;
    Some(start..end)
}

/// A sentence in three parts, of which the middle one is the anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    pub before: String,
    pub anchor: String,
    pub after: String,
}

/// Returns the text of a span with its anchor marked; all of it is `before` if the anchor does not occur in it.
pub fn mark(text: &str, span: Span, anchor: Option<&str>) -> Option<Marked> {
    let sentence = text.get(span_of(text, span)?)?;
    let parts = anchor.filter(|a| !a.is_empty()).and_then(|a| Some((a, sentence.split_once(a)?)));
    Some(match parts {
        Some((anchor, (before, after))) => Marked { before: before.into(), anchor: anchor.into(), after: after.into() },
        None => Marked { before: sentence.into(), anchor: String::new(), after: String::new() },
    })
}

/// Returns the SHA-256 (FIPS 180-4) in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hexadecimal(&Sha256::digest(bytes))
}

/// The same of what is read, piece by piece.
///
/// # Errors
/// Those of reading.
pub fn sha256_of(mut read: impl BufRead) -> io::Result<String> {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    loop {
        let piece = read.fill_buf()?;
        if piece.is_empty() {
            return Ok(hexadecimal(&hash.finalize()));
        }
        hash.update(piece);
        let length = piece.len();
        read.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_code_points_not_bytes() {
        let text = "商务部发布。外资占一半。";
        let marked = mark(text, Span { start: 6, end: 12 }, Some("一半")).unwrap();
        assert_eq!((marked.before.as_str(), marked.anchor.as_str(), marked.after.as_str()), ("外资占", "一半", "。"));
        assert_eq!(span_of(text, Span { start: 6, end: 13 }), None);
        assert_eq!(span_of(text, Span { start: 6, end: 6 }), None);
        assert_eq!(span_of(text, Span { start: 0, end: 12 }), Some(0..text.len()));
    }
}
