//! The comments of a text, each handed out once to the element that it belongs to.

use kgq_syntax::{Span, Token, TokenKind};

pub(super) struct Comments<'a> {
    text: &'a str,
    /// Start, text without trailing space, and whether it was handed out already.
    all: Vec<(usize, &'a str, bool)>,
}

impl<'a> Comments<'a> {
    /// Collects the comments that begin in a span.
    pub fn new(text: &'a str, tokens: &[Token], within: &Span) -> Self {
        let from = tokens.partition_point(|token| token.start < within.start);
        let within = tokens[from..].iter().take_while(|token| token.start < within.end);
        let comments = within.filter(|token| token.kind == TokenKind::Comment);
        Self { text, all: comments.map(|t| (t.start, t.text(text).trim_end(), false)).collect() }
    }

    /// Hands out the remaining comments that begin in a span.
    pub fn take(&mut self, span: Span) -> Vec<String> {
        let from = self.all.partition_point(|(start, ..)| *start < span.start);
        let mut taken = Vec::new();
        for (start, text, given) in &mut self.all[from..] {
            if *start >= span.end {
                break;
            }
            if !std::mem::replace(given, true) {
                taken.push((*text).to_owned());
            }
        }
        taken
    }

    /// Hands out the comment on the line where something ends, if only punctuation is between.
    pub fn trailing(&mut self, end: usize) -> Option<String> {
        let rest = &self.text[end..];
        let at = end + rest.find(|c: char| !matches!(c, ' ' | '\t' | ';' | ',' | '.'))?;
        self.take(at..at + 1).pop()
    }

    /// Hands out the comments of a span in groups separated by blank lines, and says whether a blank line follows the
    /// last group.
    pub fn groups(&mut self, span: Span) -> (Vec<Vec<String>>, bool) {
        let from = self.all.partition_point(|(start, ..)| *start < span.start);
        let mut groups: Vec<Vec<String>> = Vec::new();
        let mut end = None;
        for (start, text, given) in &mut self.all[from..] {
            if *start >= span.end {
                break;
            }
            if std::mem::replace(given, true) {
                continue;
            }
            let apart = end.is_none_or(|end| blank_line(&self.text[end..*start]));
            match groups.last_mut() {
                Some(group) if !apart => group.push((*text).to_owned()),
                _ => groups.push(vec![(*text).to_owned()]),
            }
            end = Some(*start + text.len());
        }
        let followed = end.is_some_and(|end| blank_line(&self.text[end..span.end.max(end)]));
        (groups, followed)
    }
}

/// Whether there is a blank line in this text.
fn blank_line(between: &str) -> bool {
    between.bytes().filter(|b| *b == b'\n').count() > 1
}
