//! The triples of a text that is read piece by piece, so that a large file needs neither its text nor its tree in memory.
//! A piece is some whole statements on whole lines; its triples are those that the tree of the whole text gives.

use super::parse::{Parser, Step};
use super::tree::Dialect;
use super::triples::{Located, Scope, Walk};
use crate::Token;
use crate::diagnose::Known;
use crate::rdf::GraphName;
use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Result};
use std::sync::Arc;

/// Where a piece starts, and what is in force there. Reading can go on from here.
#[derive(Clone, Debug)]
pub struct Start {
    /// In bytes from the start of the text.
    pub offset: u64,
    /// From 1.
    pub line: usize,
    scope: Arc<Scope>,
    block: Option<GraphName>,
}

impl Start {
    /// The start of a text with this base.
    pub fn of_text(base: Option<&str>) -> Self {
        Self { offset: 0, line: 1, scope: Scope::new(base).into(), block: None }
    }

    /// The number of prefixes that this start holds and the other does not share: copies cost memory.
    pub fn own_prefixes(&self, other: &Self) -> usize {
        if Arc::ptr_eq(&self.scope, &other.scope) { 0 } else { self.scope.prefixes.len() }
    }
}

/// Some statements of a text. Spans, and the names of blank nodes without a label, count from the start of the piece.
pub struct Piece<'a> {
    pub start: Start,
    pub text: &'a str,
    pub triples: VecDeque<Located>,
}

/// Reads a text in pieces of about `size` bytes. A piece is larger where a line or a statement is.
pub struct Pieces<R> {
    reader: R,
    dialect: Dialect,
    size: usize,
    next: Start,
    buffer: Vec<u8>,
    /// Where in the buffer the last piece starts, and its length.
    from: usize,
    given: usize,
}

impl<R: Read> Pieces<R> {
    /// `reader` gives the text from this start on. The same size gives the same pieces.
    pub fn new(reader: R, dialect: Dialect, start: Start, size: usize) -> Self {
        Self { reader, dialect, size, next: start, buffer: Vec::new(), from: 0, given: 0 }
    }

    /// Reads the next piece; `None` at the end of the text. `hold` is told how many bytes of text are held before they are.
    ///
    /// # Errors
    /// Those of the reader and of `hold`; [`ErrorKind::InvalidData`] if the text is not UTF-8 or has a mistake.
    pub fn read(&mut self, hold: &mut dyn FnMut(usize) -> Result<()>) -> Result<Option<Piece<'_>>> {
        self.from += std::mem::take(&mut self.given);
        if self.from * 2 >= self.buffer.len() {
            self.buffer.drain(..self.from);
            self.from = 0;
        }
        let mut size = self.size;
        loop {
            hold(size)?;
            let is_whole = self.fill(size)?;
            if self.unread(size).is_empty() {
                return Ok(None);
            }
            if let Some((steps, length)) = self.steps(self.unread(size), is_whole)? {
                return self.give(&steps, length).map(Some);
            }
            size *= 2;
        }
    }

    /// Reads on until this many bytes are buffered. Returns whether the text ends with them.
    fn fill(&mut self, size: usize) -> Result<bool> {
        let missing = size.saturating_sub(self.buffer.len() - self.from) as u64;
        self.reader.by_ref().take(missing).read_to_end(&mut self.buffer)?;
        Ok(self.buffer.len() - self.from < size)
    }

    /// The next bytes, this many at most: what a larger piece left in the buffer changes no later piece.
    fn unread(&self, size: usize) -> &[u8] {
        let rest = &self.buffer[self.from..];
        &rest[..rest.len().min(size)]
    }

    /// The statements of these bytes up to the last one that ends a line, and their length in bytes; all of them if the text
    /// ends here. `None` if more text is needed.
    fn steps(&self, bytes: &[u8], is_whole: bool) -> Result<Option<(Vec<Step>, usize)>> {
        let text = text_of(bytes, is_whole)?;
        let prefixes: Vec<(&str, &str)> = self.next.scope.prefixes.iter().map(|(p, iri)| (&**p, &**iri)).collect();
        let known = Known { prefixes: &prefixes, base: self.next.scope.has_base() };
        let mut parser = Parser::new(text, &super::tokenize(text), self.dialect, known);
        if self.next.block.is_some() {
            parser = parser.in_open_graph();
        }
        let (mut steps, mut sure) = (Vec::new(), (0, 0));
        loop {
            match parser.step() {
                Ok(Some(step)) => {
                    let end = parser.end().end;
                    let is_closed = !matches!(step, Step::Statement(_)) || text[..end].ends_with('.');
                    steps.push(step);
                    if let Some(line_end) = line_end(&text[end..]).filter(|_| is_closed) {
                        sure = (steps.len(), end + line_end);
                    }
                }
                Ok(None) if is_whole => return Ok(Some((steps, text.len()))),
                Err(_) if is_whole || is_final(text, &parser.tokens[parser.at..]) => {
                    return Err(ErrorKind::InvalidData.into());
                }
                Ok(None) | Err(_) => break,
            }
        }
        steps.truncate(sure.0);
        Ok((sure.0 > 0).then_some((steps, sure.1)))
    }

    fn give(&mut self, steps: &[Step], length: usize) -> Result<Piece<'_>> {
        let text = text_of(&self.buffer[self.from..self.from + length], true)?;
        let mut walk = Walk::new(text, Arc::clone(&self.next.scope), self.next.block.take());
        let block = walk.block.clone();
        for step in steps {
            match step {
                Step::Directive(directive) => walk.directive(directive),
                Step::Open(block) => walk.open(block),
                Step::Statement(statement) => walk.statement(statement),
                Step::Close(_) => walk.close(),
            }
        }
        let Walk { scope, block: next_block, found, .. } = walk;
        let (offset, line) = (self.next.offset + length as u64, self.next.line + text.matches('\n').count());
        let start = std::mem::replace(&mut self.next, Start { offset, line, scope, block: next_block });
        self.given = length;
        Ok(Piece { start: Start { block, ..start }, text, triples: found })
    }
}

/// Whether the first of these tokens stays as it is, whatever text follows: `my`, `-` and `data` may become the prefix of a name, but not
/// once white space stands behind them.
fn is_final(text: &str, tokens: &[Token]) -> bool {
    tokens.len() > 1 && text[tokens[0].start..].contains([' ', '\t', '\r', '\n'])
}

/// Bytes as text. Unless the text ends with them, the last character may be cut.
fn text_of(bytes: &[u8], is_whole: bool) -> Result<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if !is_whole && error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()])
            .map_err(|error| Error::new(ErrorKind::InvalidData, error)),
        Err(error) => Err(Error::new(ErrorKind::InvalidData, error)),
    }
}

/// The length of the rest of a line, with its end, if the rest is white space or a comment.
fn line_end(after: &str) -> Option<usize> {
    let rest = after.trim_start_matches([' ', '\t', '\r']);
    let comment = if rest.starts_with('#') { rest.find(['\r', '\n'])? } else { 0 };
    let rest = rest[comment..].strip_prefix('\r').unwrap_or(&rest[comment..]);
    rest.starts_with('\n').then_some(after.len() - rest.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The starts of all pieces, and their triples.
    fn pieces(text: &str, start: Start, size: usize) -> Vec<(Start, VecDeque<Located>)> {
        let mut pieces = Pieces::new(text.as_bytes(), Dialect::TriG, start, size);
        let mut read = Vec::new();
        while let Some(piece) = pieces.read(&mut |_| Ok(())).unwrap() {
            read.push((piece.start, piece.triples));
        }
        read
    }

    #[test]
    fn a_piece_is_the_same_when_it_is_read_again_from_its_start() {
        // A long statement fills the buffer with some of the short ones behind it.
        let long = format!("<http://e/s> <http://e/p> {} .\n", vec!["1"; 99].join(" , "));
        let short = |n: usize| format!("<http://e/s{n}> <http://e/p> \"é{n}. \" . # a dot .\n");
        let text: String = (0..40).map(|n| if n % 13 == 5 { long.clone() } else { short(n) }).collect();
        let text = format!("PREFIX : <http://e/>\n{text}:g {{\n:a :p :b .\n:c :p :d\n}}\n{text}");
        for size in [1, 64, 100, 1000, 100_000] {
            let all = pieces(&text, Start::of_text(None), size);
            assert_eq!(all.iter().map(|(_, triples)| triples.len()).sum::<usize>(), 2 * (37 + 3 * 99) + 2);
            for (start, triples) in all {
                let offset = start.offset as usize;
                assert_eq!(start.line, text[..offset].matches('\n').count() + 1);
                assert_eq!(pieces(&text[offset..], start, size)[0].1, triples, "{size} at {offset}");
            }
        }
    }

    #[test]
    fn a_mistake_ends_reading_where_it_stands() {
        let text =
            "<http://e/s> <http://e/p> 1 .\n<http://e/s> nothing:known 2 .\n".to_owned() + &"# rest\n".repeat(99);
        let mut pieces = Pieces::new(text.as_bytes(), Dialect::Turtle, Start::of_text(None), 30);
        assert_eq!(pieces.read(&mut |_| Ok(())).unwrap().unwrap().triples.len(), 1);
        assert_eq!(pieces.read(&mut |_| Ok(())).err().unwrap().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_name_that_is_cut_is_no_mistake() {
        let statements: String =
            (0..9).map(|n| format!("my-org-data.v2:s{n} my-org-data.v2:p-q 1.5e{n} .\n")).collect();
        let text = format!("@prefix my-org-data.v2: <http://e/> .\n{statements}");
        for size in 1..200 {
            let all = pieces(&text, Start::of_text(None), size);
            assert_eq!(all.iter().map(|(_, triples)| triples.len()).sum::<usize>(), 9, "{size}");
        }
    }

    #[test]
    fn what_is_held_is_told_and_can_be_refused() {
        let text = format!("<http://e/s> <http://e/p> {} .\n", vec!["1"; 99].join(" , "));
        let mut pieces = Pieces::new(text.as_bytes(), Dialect::Turtle, Start::of_text(None), 30);
        let mut most = 0;
        let mut hold = |bytes: usize| {
            most = bytes;
            if bytes > 100 { Err(ErrorKind::OutOfMemory.into()) } else { Ok(()) }
        };
        assert_eq!(pieces.read(&mut hold).err().unwrap().kind(), ErrorKind::OutOfMemory);
        assert_eq!(most, 120);
    }
}
