//! Mistakes in single tokens: open strings, broken IRIs, typographic quotes, full-width punctuation, stray characters.

use super::fault::Fault;
use super::{Span, Token, TokenKind};

/// The mistake in this token, if it is one in any position.
pub(super) fn fault(text: &str, token: Token, previous: Option<Token>) -> Option<Fault> {
    let own = token.text(text);
    match token.kind {
        TokenKind::String(quotes) if !quotes.closed => {
            let mark = if quotes.long { quotes.mark.to_string().repeat(3) } else { quotes.mark.to_string() };
            let start = token.start..token.start + mark.len();
            let fault = Fault::new(start, format!("this string is never closed with `{mark}`"));
            // An apostrophe inside a string quoted by apostrophes ends it early, and the last apostrophe then begins another
            // string.
            let early =
                previous.filter(|p| p.end == token.start && matches!(p.kind, TokenKind::Word | TokenKind::Keyword));
            Some(if early.is_some() {
                fault.hint("if a quote before ends a string too early, write it as `\\'` or `\\\"`")
            } else if quotes.long {
                fault
            } else {
                fault.hint(format!("a string ends on its line; write several lines between `{0}{0}{0}`", quotes.mark))
            })
        }
        TokenKind::String(_) => escape(text, token),
        TokenKind::BadIri => Some(bad_iri(own, token)),
        TokenKind::Unknown => Some(unknown(text, token)),
        TokenKind::LangTag => Some(
            Fault::new(token.span(), format!("the language tag `{own}` must directly follow a string"))
                .hint(format!("write `\"…\"{own}`")),
        ),
        TokenKind::Word | TokenKind::Keyword | TokenKind::BlankNode
            if own.starts_with('_')
                && previous.is_some_and(|p| p.end == token.start && p.kind == TokenKind::LangTag) =>
        {
            let tag = previous.map_or("@", |p| p.text(text));
            Some(
                Fault::new(token.span(), "the parts of a language tag are joined by `-`")
                    .hint(format!("write `{tag}{}`", own.replace('_', "-"))),
            )
        }
        TokenKind::Word if previous.is_some_and(|p| p.end == token.start && matches!(p.kind, TokenKind::String(_))) => {
            let quote = previous.map_or("\"", |p| &p.text(text)[..1]);
            Some(
                Fault::new(token.span(), format!("the string ends before `{own}`"))
                    .hint(format!("write a quote inside the string as `\\{quote}`")),
            )
        }
        _ => None,
    }
}

/// The first escape in a string that the language does not have.
pub(super) fn escape(text: &str, token: Token) -> Option<Fault> {
    let own = token.text(text);
    let mut rest = own.char_indices();
    while let Some((at, c)) = rest.next() {
        if c != '\\' {
            continue;
        }
        let (_, escaped) = rest.next()?;
        let digits = match escaped {
            't' | 'b' | 'n' | 'r' | 'f' | '"' | '\'' | '\\' => continue,
            'u' => 4,
            'U' => 8,
            other => {
                let start = token.start + at;
                return Some(
                    Fault::new(
                        start..start + 1 + other.len_utf8(),
                        format!("`\\{other}` is not an escape of a string"),
                    )
                    .hint("a backslash is written `\\\\`"),
                );
            }
        };
        let hex = own.get(at + 2..at + 2 + digits);
        let code =
            hex.filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|h| u32::from_str_radix(h, 16).ok());
        if code.and_then(char::from_u32).is_none() {
            let start = token.start + at;
            let message = format!("`\\{escaped}` needs {digits} hexadecimal digits that name a character");
            return Some(Fault::new(start..start + 2, message).hint("a backslash itself is written `\\\\`"));
        }
    }
    None
}

fn bad_iri(own: &str, token: Token) -> Fault {
    if !own.ends_with('>') {
        return Fault::new(token.span(), "this IRI has no closing `>`").hint("add `>` where it ends");
    }
    let inner = &own[1..own.len() - 1];
    let wrong = inner.char_indices().find(|(_, c)| matches!(c, '\0'..=' ' | '"' | '{' | '}' | '|' | '^' | '`' | '\\'));
    let Some((at, c)) = wrong else { return Fault::new(token.span(), "this IRI is not valid") };
    let start = token.start + 1 + at;
    let (name, code) = match c {
        ' ' => ("a space".to_owned(), "%20".to_owned()),
        '\\' => ("a backslash".to_owned(), "%5C".to_owned()),
        c => (format!("`{c}`"), format!("%{:02X}", u32::from(c))),
    };
    Fault::new(start..start + c.len_utf8(), format!("an IRI cannot hold {name}"))
        .hint(format!("write it as `{code}`, or end the IRI with `>` before it"))
}

fn unknown(text: &str, token: Token) -> Fault {
    let span = token.span();
    let c = token.text(text).chars().next().unwrap_or(' ');
    let next = text[token.end..].chars().next();
    match c {
        '“' | '”' | '„' | '«' | '»' | '″' => Fault::new(span, format!("`{c}` is a typographic quote"))
            .hint("write a string between straight quotes: `\"…\"`"),
        '‘' | '’' | '‚' | '′' => Fault::new(span, format!("`{c}` is a typographic quote"))
            .hint("write a string between straight quotes: `'…'`"),
        '\u{feff}' => byte_order_mark(span),
        '\u{a0}' | '\u{3000}' | '\u{2000}'..='\u{200b}' | '\u{202f}' => {
            Fault::new(span, format!("this is no ordinary space (U+{:04X})", u32::from(c)))
                .hint("replace it by a space")
        }
        '&' if next == Some('&') => Fault::new(span, "`&&` is out of place here"),
        '&' => Fault::new(span, "`&` is no operator").hint("did you mean `&&`?"),
        '%' => Fault::new(span, "`%` is no operator").hint("SPARQL has no remainder: use `?x - ?n * FLOOR(?x / ?n)`"),
        '`' => Fault::new(span, "a backtick quotes nothing").hint("write a string between `\"` and `\"`"),
        '$' | '@' => Fault::new(span, format!("a name must follow `{c}`")),
        '\\' if matches!(next, Some('u' | 'U')) => {
            Fault::new(span, "an escape `\\u…` may stand in strings and IRIs only").hint("write the character itself")
        }
        '/' if next == Some('/') => Fault::new(span, "`//` does not start a comment").hint("a comment begins with `#`"),
        '_' => Fault::new(span, "a blank node is written `_:name`"),
        '–' | '—' | '−' => Fault::new(span, format!("`{c}` is not a minus sign")).hint("write `-`"),
        '≠' => Fault::new(span, "`≠` is no operator").hint("did you mean `!=`?"),
        '≤' => Fault::new(span, "`≤` is no operator").hint("did you mean `<=`?"),
        '≥' => Fault::new(span, "`≥` is no operator").hint("did you mean `>=`?"),
        '/' => Fault::new(span, "`/` cannot start anything here")
            .hint("in a name with a prefix write `\\/`, or write the whole IRI `<…>`"),
        c => Fault::new(span, format!("`{c}` cannot start anything here")),
    }
}

/// Full-width punctuation, which the grammar treats as letters of a name.
pub(super) fn full_width(text: &str, token: Token) -> Option<Fault> {
    if !matches!(
        token.kind,
        TokenKind::Variable | TokenKind::Word | TokenKind::PrefixedName | TokenKind::BlankNode | TokenKind::Unknown
    ) {
        return None;
    }
    let (at, c) = token.text(text).char_indices().find(|(_, c)| ascii_of(*c).is_some())?;
    let start = token.start + at;
    let plain = ascii_of(c)?;
    if c == '\u{feff}' {
        return Some(byte_order_mark(start..start + c.len_utf8()));
    }
    Some(
        Fault::new(start..start + c.len_utf8(), format!("`{c}` is full-width punctuation"))
            .hint(format!("write `{plain}`")),
    )
}

fn byte_order_mark(span: Span) -> Fault {
    Fault::new(span, "there is a byte order mark here").hint("save the text as UTF-8 without it")
}

/// The ASCII mark that corresponds to a character of an East Asian keyboard.
fn ascii_of(c: char) -> Option<char> {
    Some(match c {
        '\u{feff}' => ' ',
        '，' | '、' => ',',
        '。' | '．' => '.',
        '；' => ';',
        '：' => ':',
        '？' => '?',
        '！' => '!',
        '（' => '(',
        '）' => ')',
        '｛' => '{',
        '｝' => '}',
        '［' | '【' => '[',
        '］' | '】' => ']',
        '＝' => '=',
        '＜' | '《' => '<',
        '＞' | '》' => '>',
        '＋' => '+',
        '－' => '-',
        '＊' => '*',
        '／' => '/',
        '｜' => '|',
        '＂' | '「' | '」' => '"',
        '＇' => '\'',
        '＃' => '#',
        '＄' => '$',
        '＠' => '@',
        '＆' => '&',
        _ => return None,
    })
}
