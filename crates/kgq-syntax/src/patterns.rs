//! The regular expressions that a query contains as strings: reports mistakes in them before anything runs.

use super::turtle::triples::unescape;
use super::xpath_regex::{Fault, compile, replacement};
use super::{Token, TokenKind};
use crate::error::{Error, Result, Source};

/// The most patterns compiled before the query runs; each takes up to a few milliseconds. Mistakes in later ones become
/// errors of rows.
const MOST_CHECKED: usize = 100;

/// Refuses patterns, flags and replacements of REGEX and REPLACE that would be errors in every row. `tokens` are those that
/// a parser sees.
pub fn check(source: Source<'_>, tokens: &[Token]) -> Result<()> {
    let text = source.text;
    let mut checked = 0;
    for (at, token) in tokens.iter().enumerate() {
        let is_replace = token.is_keyword(text, "REPLACE");
        if !is_replace && !token.is_keyword(text, "REGEX") {
            continue;
        }
        let arguments = arguments(text, &tokens[at + 1..]);
        let string = |argument: Option<&&[Token]>| match argument {
            Some([token]) => Some((*token, string_of(text, *token)?)),
            _ => None,
        };
        let flags = if is_replace { 3 } else { 2 };
        let (Some((place, pattern)), flags) = (string(arguments.get(1)), arguments.get(flags)) else { continue };
        let flags = match flags {
            None => None,
            Some(argument) => match string(Some(argument)) {
                Some(flags) => Some(flags),
                None => continue,
            },
        };
        checked += 1;
        if checked > MOST_CHECKED {
            break;
        }
        let flag_text = flags.as_ref().map_or("", |(_, text)| text);
        let refuse = |place: Token, what: &str, fault: Fault| {
            let error = Error::input(format!("{what}: {}", fault.message)).at(source.place(place.span()));
            match fault.hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        };
        // Compiling the empty pattern distinguishes invalid flags from an invalid pattern.
        if let (Some((place, flags)), Some(Err(fault))) = (&flags, flags.as_ref().map(|(_, f)| compile("", f))) {
            return Err(refuse(*place, &format!("the flags \"{flags}\""), fault));
        }
        let regex = compile(&pattern, flag_text).map_err(|fault| refuse(place, "this regular expression", fault))?;
        if !is_replace {
            continue;
        }
        if regex.is_match("") {
            return Err(Error::input("REPLACE needs a pattern that does not match the empty string")
                .at(source.place(place.span()))
                .hint("write `+` for `*`, for example"));
        }
        if let Some((place, text)) = string(arguments.get(2)).filter(|_| !flag_text.contains('q')) {
            replacement(&text, regex.captures_len() - 1).map_err(|fault| refuse(place, "this replacement", fault))?;
        }
    }
    Ok(())
}

/// The tokens of each argument of a call; `tokens` begin with the call's bracket.
fn arguments<'t>(text: &str, tokens: &'t [Token]) -> Vec<&'t [Token]> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_usize, 1);
    for (at, token) in tokens.iter().enumerate() {
        match token.text(text) {
            "(" | "[" | "{" | "<<(" => depth += 1,
            ")" | "]" | "}" | ")>>" => depth = depth.saturating_sub(1),
            "," if depth == 1 => {
                found.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            if at >= start {
                found.push(&tokens[start..at]);
            }
            break;
        }
    }
    found
}

/// The value of a string token.
fn string_of(text: &str, token: Token) -> Option<String> {
    let TokenKind::String(quotes) = token.kind else { return None };
    let marks = if quotes.long { 3 } else { 1 };
    let own = token.text(text);
    Some(unescape(own.get(marks..own.len().checked_sub(marks)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{significant, sparql};

    fn message(text: &str) -> Option<String> {
        check(Source::new("q", text), &significant(&sparql::tokenize(text))).err().map(|e| e.message().to_owned())
    }

    #[test]
    fn constant_patterns_are_checked_where_they_stand() {
        for (expression, expected) in [
            (r#"REGEX(?x, "(a)\\1")"#, Some("back-reference")),
            (r#"regex(STR(?x, ?y), '[a', "i")"#, Some("never closed")),
            (r#"REGEX(?x, "a", "g")"#, Some("the flags")),
            (r#"REGEX(?x, """[a-z-[aeiou]]""")"#, None),
            (r#"REGEX(?x, ?y, "g")"#, None),
            (r#"REGEX(?x, "(", ?flags)"#, None),
            (r#"REGEX(?x, "(", "q")"#, None),
            (r#"REGEX(?x, CONCAT("(", "a"))"#, None),
            (r#"REPLACE(?x, "a*", "b")"#, Some("the empty string")),
            (r#"REPLACE(?x, "a", "$")"#, Some("this replacement")),
            (r#"REPLACE(?x, "a", "$", "q")"#, None),
            (r#"REPLACE(?x, "(a)", "\\$$1")"#, None),
            (r#"REPLACE(?x, "(a)", "\\1")"#, Some("a backslash")),
            (r#"REPLACE(REPLACE(?x, "(", "b"), "c", "d")"#, Some("never closed")),
            (r#"REGEX(?x, "a""#, None),
            ("REGEX(", None),
            ("REGEX", None),
        ] {
            let found = message(&format!("SELECT * {{ FILTER({expression}) }}"));
            match expected {
                Some(expected) => {
                    assert!(found.as_deref().is_some_and(|m| m.contains(expected)), "{expression}: {found:?}")
                }
                None => assert_eq!(found, None, "{expression}"),
            }
        }
    }
}
