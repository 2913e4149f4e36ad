//! Replaces pieces of a text. A removed piece takes its line along; its comments stay.

use kgq_syntax::{Span, Token, TokenKind};

/// Replacements in one text.
#[derive(Default)]
pub struct Splices(Vec<(Span, String)>);

impl Splices {
    pub fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.0.push((at..at, text.into()));
    }

    pub fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.0.push((span, text.into()));
    }

    /// Drops the replacements within a span that is itself replaced as a whole.
    pub fn swallow(&mut self, span: &Span) {
        self.0.retain(|(own, _)| own.start < span.start || own.end > span.end);
    }

    /// Applies all replacements, with the line breaks that the text uses. One that starts within an earlier one is dropped.
    pub fn apply(mut self, text: &str) -> String {
        let has_returns = text.contains("\r\n");
        // The sort is stable: insertions at one place keep the order in which they were made.
        self.0.sort_by_key(|(span, _)| (span.start, span.end));
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (span, with) in self.0 {
            if span.start < from {
                continue;
            }
            out.push_str(&text[from..span.start]);
            out.push_str(&if has_returns { with.replace('\n', "\r\n") } else { with });
            from = span.end;
        }
        out.push_str(&text[from..]);
        out
    }
}

/// A text with its tokens, to find where lines begin and end and which comments they have.
pub struct Lines<'a> {
    pub text: &'a str,
    pub tokens: &'a [Token],
}

impl Lines<'_> {
    /// The white space before a position, if nothing else precedes it on its line.
    fn indent(&self, at: usize) -> Option<&str> {
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        Some(&self.text[start..at]).filter(|before| before.chars().all(|c| matches!(c, ' ' | '\t')))
    }

    /// The indentation of the line of a position, in steps of four spaces.
    pub fn depth(&self, at: usize) -> usize {
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        self.text[start..at].chars().take_while(|c| *c == ' ').count() / 4
    }

    /// The position after the spaces that follow.
    fn behind_spaces(&self, at: usize) -> usize {
        at + self.text[at..].find(|c| !matches!(c, ' ' | '\t')).unwrap_or(self.text.len() - at)
    }

    /// The position after the line break, if only spaces precede it.
    fn behind_line(&self, at: usize) -> Option<usize> {
        let at = self.behind_spaces(at);
        let rest = &self.text[at..];
        match () {
            () if rest.starts_with("\r\n") => Some(at + 2),
            () if rest.starts_with('\n') => Some(at + 1),
            () if rest.is_empty() => Some(at),
            () => None,
        }
    }

    pub fn comments(&self, span: &Span) -> Vec<&str> {
        let first = self.tokens.partition_point(|token| token.start < span.start);
        let within = self.tokens[first..].iter().take_while(|token| token.start < span.end);
        within.filter(|token| token.kind == TokenKind::Comment).map(|token| token.text(self.text).trim_end()).collect()
    }

    /// The position after a comment that follows on the same line; without one, the position itself.
    pub fn behind_comment(&self, at: usize) -> usize {
        let next = self.behind_spaces(at);
        let token = self.tokens.binary_search_by_key(&next, |token| token.start).ok().map(|found| self.tokens[found]);
        match token {
            Some(token) if token.kind == TokenKind::Comment => token.start + token.text(self.text).trim_end().len(),
            _ => at,
        }
    }

    /// The span of a block with the comment lines right above it and the comment after it.
    pub fn with_comments(&self, span: &Span) -> Span {
        let mut start = self.text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
        while start > 0 {
            let above = self.text[..start - 1].rfind('\n').map_or(0, |newline| newline + 1);
            if !self.text[above..start].trim_start().starts_with('#') {
                break;
            }
            start = above;
        }
        start..self.behind_comment(span.end)
    }

    /// The replacement that removes a span, and its line if nothing else stands on it. Comments within get lines of their own.
    pub fn without(&self, span: &Span) -> (Span, String) {
        let comments = self.comments(span);
        let Some(indent) = self.indent(span.start) else {
            let end = self.behind_spaces(span.end);
            if comments.is_empty() {
                return (span.start..end, String::new());
            }
            let indent = "    ".repeat(self.depth(span.start) + 1);
            let lines: String = comments.iter().map(|comment| format!("\n{indent}{comment}")).collect();
            return (span.start..span.end, format!("{lines}\n{indent}"));
        };
        let lines = |end: &str| -> String {
            comments.iter().enumerate().fold(String::new(), |mut out, (number, comment)| {
                out.push_str(if number == 0 { "" } else { indent });
                out.push_str(comment);
                out.push_str(end);
                out
            })
        };
        match self.behind_line(span.end) {
            Some(end) if comments.is_empty() => (span.start - indent.len()..end, String::new()),
            Some(end) => (span.start..end, lines("\n")),
            // What follows on the line moves to the place of the span.
            None => {
                let end = self.behind_spaces(span.end);
                let mut kept = lines("\n");
                if !kept.is_empty() {
                    kept.push_str(indent);
                }
                (span.start..end, kept)
            }
        }
    }

    /// Like [`Self::without`], for a whole block: a blank line goes too if two would remain.
    pub fn without_block(&self, span: &Span) -> (Span, String) {
        let (mut gone, kept) = self.without(span);
        let before = self.text[..gone.start].trim_end_matches([' ', '\t']);
        let blank_before = before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
        if kept.is_empty()
            && blank_before
            && self.text[..gone.end].ends_with('\n')
            && let Some(end) = self.behind_line(gone.end)
        {
            gone.end = end;
        }
        (gone, kept)
    }
}
