//! Corrects a query by one change, if a hint of an error or of a reason suggests what was meant.
//!
//! A change is only offered if the changed query was tried and works.

use kgq_syntax::error::{Error, Place};
use kgq_syntax::rdf::Prefixes;

/// The maximum number of changes tried.
const MOST: usize = 6;

/// The first changed query that works.
pub fn mended(text: &str, errors: &[Error], prefixes: &Prefixes, works: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut tried = 0;
    for error in errors {
        for candidate in candidates(text, error, prefixes) {
            if tried == MOST {
                return None;
            }
            tried += 1;
            if works(&candidate) {
                return Some(candidate);
            }
        }
    }
    None
}

fn candidates(text: &str, error: &Error, prefixes: &Prefixes) -> Vec<String> {
    let mut changed = Vec::new();
    let span = error.place().and_then(|place| span(text, place));
    for hint in error.hints() {
        for word in quoted(hint) {
            if word.starts_with("PREFIX ") {
                changed.push(format!("{word}\n{text}"));
            } else if let Some((start, end)) = span {
                let marked = &text[start..end];
                changed.push(format!("{}{word}{}", &text[..start], &text[end..]));
                // If a whole name is marked, the hint may be about its prefix only.
                if let (Some((_, local)), false) = (marked.split_once(':'), word.contains(':')) {
                    changed.push(format!("{}{word}:{local}{}", &text[..start], &text[end..]));
                    if let Some(namespace) = prefixes.get(word) {
                        let prefixed = format!("{}{word}:{local}{}", &text[..start], &text[end..]);
                        changed.push(format!("PREFIX {word}: <{namespace}>\n{prefixed}"));
                    }
                }
            }
        }
    }
    changed
}

/// The parts in backquotes.
fn quoted(hint: &str) -> impl Iterator<Item = &str> {
    hint.split('`').skip(1).step_by(2).filter(|word| !word.is_empty() && !word.contains('…'))
}

/// The byte range of the marked text, if the excerpt matches the text there.
fn span(text: &str, place: &Place) -> Option<(usize, usize)> {
    let marked = place.excerpt.as_ref()?.marked();
    let line = text.split('\n').take(place.line.checked_sub(1)?).map(|line| line.len() + 1).sum::<usize>();
    let rest = text.get(line..)?;
    let column = rest.char_indices().nth(place.column.checked_sub(1)?).map_or(rest.len(), |(at, _)| at);
    let start = line + column;
    (!marked.is_empty() && text.get(start..)?.starts_with(marked)).then_some((start, start + marked.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::error::Source;

    fn error(text: &str, word: &str, hint: &str) -> Error {
        let at = text.find(word).unwrap();
        Error::input("wrong").at(Source::new("query", text).place(at..at + word.len())).hint(hint)
    }

    #[test]
    fn a_change_is_offered_if_it_works_and_else_not() {
        let text = "SELECT *\nWHERE { ?文 e:nmae ?n }";
        let wrong = error(text, "e:nmae", "did you mean `e:name`?");
        let prefixes = Prefixes::default();
        let right = "SELECT *\nWHERE { ?文 e:name ?n }";
        let offered = mended(text, std::slice::from_ref(&wrong), &prefixes, &|text| text == right);
        assert_eq!(offered.as_deref(), Some(right));
        assert_eq!(mended(text, &[wrong], &prefixes, &|_| false), None);
    }

    #[test]
    fn a_prefix_is_replaced_or_declared() {
        let text = "ASK { ?s foa:name ?o }";
        let prefixes = Prefixes::default();
        let near = error(text, "foa:name", "did you mean `foaf`?");
        let right = "ASK { ?s foaf:name ?o }";
        assert_eq!(mended(text, &[near], &prefixes, &|text| text == right).as_deref(), Some(right));
        let missing = error(text, "foa:name", "add `PREFIX foa: <http://e/>`");
        let right = "PREFIX foa: <http://e/>\nASK { ?s foa:name ?o }";
        assert_eq!(mended(text, &[missing], &prefixes, &|text| text == right).as_deref(), Some(right));
    }

    #[test]
    fn what_does_not_stand_where_it_is_said_is_left() {
        let text = "ASK {}";
        let elsewhere = error("xxxxx { ?s ?p ?o } yyyyyyy", "yyyyyyy", "did you mean `z`?");
        assert_eq!(mended(text, &[elsewhere], &Prefixes::default(), &|_| true), None);
    }
}
