//! The scanner that both tokenizers share. It accepts any text, never fails, and reads each byte a bounded number of times.
//!
//! The grammars of SPARQL 1.2 and Turtle 1.2 share their terminals; `Language` holds the few differences.

use super::{Quotes, Token, TokenKind};

/// The differences between the languages.
#[derive(Clone, Copy)]
pub(super) struct Language {
    /// Whether a word is a keyword of the language.
    pub is_keyword: fn(&str) -> bool,
    /// Operators and punctuation, longer ones before their prefixes.
    pub punctuation: &'static [&'static str],
    /// Whether `+1` is one token (Turtle) or two (SPARQL).
    pub signed_numbers: bool,
    /// Whether `<` can also be an operator; then only a well-formed IRI, or one with `://`, counts as an IRI.
    pub compares: bool,
    /// Words after `@` that are not language tags.
    pub directives: &'static [&'static str],
}

pub(super) fn tokenize(text: &str, language: &Language) -> Vec<Token> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), language, no_colon_before: 0 };
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut at = 0;
    while at < text.len() {
        let (kind, end) = scanner.next(at);
        // Every branch takes at least one character; this guard turns a mistake there into a slow token instead of a hang.
        let end = if end > at { end } else { at + scanner.char_at(at).map_or(1, char::len_utf8) };
        tokens.push(Token { kind, start: at, end });
        at = end;
    }
    tokens
}

/// Which bytes are part of an IRI wherever they stand between its angle brackets: all but white space, controls, and `<>"{}|^` with the
/// grave accent and the backslash, which begins an escape.
const IN_IRI: [bool; 256] = {
    let mut inside = [true; 256];
    let mut control = 0;
    while control <= 0x20 {
        inside[control] = false;
        control += 1;
    }
    let mut rest: &[u8] = b"<>\"{}|^`\\";
    while let [byte, after @ ..] = rest {
        inside[*byte as usize] = false;
        rest = after;
    }
    inside
};

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    language: &'a Language,
    /// Up to here, a run of name characters contains no colon, so later words of the run need no new search.
    no_colon_before: usize,
}

impl Scanner<'_> {
    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..).and_then(|rest| rest.chars().next())
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn next(&mut self, at: usize) -> (TokenKind, usize) {
        let Some(c) = self.char_at(at) else { return (TokenKind::Unknown, at + 1) };
        match c {
            ' ' | '\t' | '\r' | '\n' => {
                (TokenKind::Whitespace, self.while_byte(at, |b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')))
            }
            '#' => (TokenKind::Comment, self.while_byte(at, |b| !matches!(b, b'\r' | b'\n'))),
            '<' => self.angle(at),
            '"' | '\'' => self.string(at, c),
            '@' => self.at_word(at),
            '?' | '$' => {
                let end = self.while_char(at + 1, is_variable_char);
                // A lone `?` is the path operator; a name cannot begin with a combining mark.
                match self.char_at(at + 1) {
                    Some(first) if end > at + 1 && (is_name_start(first) || first == '_' || first.is_ascii_digit()) => {
                        (TokenKind::Variable, end)
                    }
                    _ => self.punctuation(at, c),
                }
            }
            '_' if self.byte(at + 1) == Some(b':') => (TokenKind::BlankNode, self.label(at + 2)),
            '0'..='9' => self.number(at),
            '.' if self.byte(at + 1).is_some_and(|b| b.is_ascii_digit()) => self.number(at),
            '+' | '-' if self.language.signed_numbers && self.digit_follows(at + 1) => self.number(at),
            ':' => (TokenKind::PrefixedName, self.local(at + 1)),
            c if is_name_start(c) || c == '_' => self.word_or_name(at),
            _ => self.punctuation(at, c),
        }
    }

    fn digit_follows(&self, at: usize) -> bool {
        match self.byte(at) {
            Some(b'.') => self.byte(at + 1).is_some_and(|b| b.is_ascii_digit()),
            Some(b) => b.is_ascii_digit(),
            None => false,
        }
    }

    fn while_byte(&self, mut at: usize, take: fn(u8) -> bool) -> usize {
        while self.byte(at).is_some_and(take) {
            at += 1;
        }
        at
    }

    fn while_char(&self, mut at: usize, take: fn(char) -> bool) -> usize {
        while let Some(c) = self.char_at(at)
            && take(c)
        {
            at += c.len_utf8();
        }
        at
    }

    fn punctuation(&self, at: usize, c: char) -> (TokenKind, usize) {
        let rest = &self.bytes[at..];
        match self.language.punctuation.iter().find(|p| rest.starts_with(p.as_bytes())) {
            Some(p) => (TokenKind::Punctuation, at + p.len()),
            None => (TokenKind::Unknown, at + c.len_utf8()),
        }
    }

    fn angle(&self, at: usize) -> (TokenKind, usize) {
        if self.byte(at + 1) == Some(b'<') {
            return self.punctuation(at, '<');
        }
        let mut i = at + 1;
        loop {
            i += self.bytes[i..].iter().take_while(|b| IN_IRI[usize::from(**b)]).count();
            i += match (self.byte(i), self.byte(i + 1)) {
                (Some(b'>'), _) => return (TokenKind::Iri, i + 1),
                (Some(b'\\'), Some(b'u')) if self.hex(i + 2, 4) => 6,
                (Some(b'\\'), Some(b'U')) if self.hex(i + 2, 8) => 10,
                _ => break,
            }
        }
        let begun = &self.text[at + 1..i];
        let meant = match self.language.compares {
            true => begun.contains("://") || begun.starts_with("urn:") || begun.starts_with("mailto:"),
            false => !matches!(self.byte(at + 1), None | Some(b'=' | b'-' | b' ' | b'\t' | b'\r' | b'\n')),
        };
        if !meant {
            return self.punctuation(at, '<');
        }
        // Up to the `>` on the same line, if nothing else begins before it; otherwise up to where the IRI becomes invalid.
        let line = self.while_byte(i, |b| !matches!(b, b'>' | b'<' | b'"' | b'\r' | b'\n'));
        if self.byte(line) == Some(b'>') { (TokenKind::BadIri, line + 1) } else { (TokenKind::BadIri, i) }
    }

    fn hex(&self, at: usize, digits: usize) -> bool {
        self.bytes.get(at..at + digits).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit))
    }

    fn string(&self, at: usize, mark: char) -> (TokenKind, usize) {
        let quote = mark as u8;
        let long = self.byte(at + 1) == Some(quote) && self.byte(at + 2) == Some(quote);
        let mut i = at + if long { 3 } else { 1 };
        let found = |closed| TokenKind::String(Quotes { mark, long, closed });
        while let Some(b) = self.byte(i) {
            if b == b'\\' {
                // The escaped character may have several bytes; the first is skipped, and none of the others can be a quote.
                match self.byte(i + 1) {
                    Some(b'\n' | b'\r') | None if !long => return (found(false), i + 1),
                    None => break,
                    Some(_) => i += 2,
                }
            } else if b == quote {
                if !long {
                    return (found(true), i + 1);
                }
                if self.byte(i + 1) == Some(quote) && self.byte(i + 2) == Some(quote) {
                    return (found(true), i + 3);
                }
                i += 1;
            } else if !long && matches!(b, b'\n' | b'\r') {
                return (found(false), i);
            } else {
                i += 1;
            }
        }
        (found(false), self.text.len())
    }

    fn at_word(&self, at: usize) -> (TokenKind, usize) {
        let mut end = self.while_byte(at + 1, |b| b.is_ascii_alphabetic());
        if end == at + 1 {
            return (TokenKind::Unknown, end);
        }
        let after_string = at > 0 && matches!(self.bytes[at - 1], b'"' | b'\'');
        if !after_string && self.language.directives.contains(&&self.text[at + 1..end]) {
            return (TokenKind::Keyword, end);
        }
        loop {
            let subtag = self.byte(end) == Some(b'-') && self.byte(end + 1).is_some_and(|b| b.is_ascii_alphanumeric());
            let direction =
                self.bytes[end..].starts_with(b"--") && self.byte(end + 2).is_some_and(|b| b.is_ascii_alphabetic());
            if direction {
                return (TokenKind::LangTag, self.while_byte(end + 2, |b| b.is_ascii_alphabetic()));
            }
            if !subtag {
                return (TokenKind::LangTag, end);
            }
            end = self.while_byte(end + 1, |b| b.is_ascii_alphanumeric());
        }
    }

    /// `12`, `1.5`, `.5`, `1e6`, `1.e6`, with a sign if the caller saw one. A dot without a digit after it ends a statement.
    fn number(&self, at: usize) -> (TokenKind, usize) {
        let digits = |from| self.while_byte(from, |b| b.is_ascii_digit());
        let start = if matches!(self.byte(at), Some(b'+' | b'-')) { at + 1 } else { at };
        let whole = digits(start);
        let mut end = whole;
        let mut kind = TokenKind::Integer;
        if self.byte(end) == Some(b'.') {
            let fraction = digits(end + 1);
            if fraction > end + 1 {
                (kind, end) = (TokenKind::Decimal, fraction);
            } else if self.exponent(end + 1).is_some() && whole > start {
                end += 1;
            }
        }
        match self.exponent(end) {
            Some(end) => (TokenKind::Double, end),
            None => (kind, end),
        }
    }

    fn exponent(&self, at: usize) -> Option<usize> {
        if !matches!(self.byte(at), Some(b'e' | b'E')) {
            return None;
        }
        let sign = usize::from(matches!(self.byte(at + 1), Some(b'+' | b'-')));
        let end = self.while_byte(at + 1 + sign, |b| b.is_ascii_digit());
        (end > at + 1 + sign).then_some(end)
    }

    fn word_or_name(&mut self, at: usize) -> (TokenKind, usize) {
        if at >= self.no_colon_before {
            let run = self.while_char(at, |c| is_name_char(c) || c == '.');
            if self.byte(run) == Some(b':') && self.bytes[run - 1] != b'.' && self.bytes[at] != b'_' {
                return (TokenKind::PrefixedName, self.local(run + 1));
            }
            self.no_colon_before = run;
        }
        let end = self.while_char(at, |c| is_name_char(c) && c != '-');
        let word = &self.text[at..end];
        (if (self.language.is_keyword)(word) { TokenKind::Keyword } else { TokenKind::Word }, end)
    }

    /// The end of a local name: inner dots belong to it, trailing dots do not.
    fn local(&self, start: usize) -> usize {
        let (mut at, mut end) = (start, start);
        while let Some(c) = self.char_at(at) {
            at += match c {
                '%' if self.hex(at + 1, 2) => 3,
                '\\' if self.byte(at + 1).is_some_and(|b| b"_~.-!$&'()*+,;=/?#@%".contains(&b)) => 2,
                ':' => 1,
                '.' if at > start => 1,
                c if at > start && is_name_char(c) => c.len_utf8(),
                c if is_name_start(c) || c == '_' || c.is_ascii_digit() => c.len_utf8(),
                _ => break,
            };
            if c != '.' {
                end = at;
            }
        }
        end
    }

    fn label(&self, mut at: usize) -> usize {
        let mut end = at;
        while let Some(c) = self.char_at(at)
            && (is_name_char(c) || c == '.')
        {
            at += c.len_utf8();
            if c != '.' {
                end = at;
            }
        }
        end
    }
}

/// PN_CHARS_BASE of the grammars.
pub(super) fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// PN_CHARS of the grammars.
pub(super) fn is_name_char(c: char) -> bool {
    c == '-' || is_variable_char(c)
}

fn is_variable_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '_' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
