//! Formats the algebra for reading: an S-expression, indented, with prefixes for IRIs.

use kgq_syntax::rdf::Prefixes;

/// The most characters of a line.
const WIDTH: usize = 90;

/// Breaks an S-expression into lines: what fits stays on one line; otherwise each part has its own.
pub fn indented(sse: &str, prefixes: &Prefixes) -> String {
    let tokens = tokens(sse, prefixes);
    let mut out = String::new();
    let mut at = 0;
    // Counts open parentheses; the parser bounds their nesting.
    let mut depth = 0usize;
    let mut fresh = true;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "(" => {
                let end = closing(&tokens, at);
                let flat = flat(&tokens[at..=end]);
                if !fresh {
                    out.push('\n');
                }
                out.push_str(&"  ".repeat(depth.min(40)));
                if flat.chars().count() + depth * 2 <= WIDTH {
                    out.push_str(&flat);
                    at = end + 1;
                    fresh = false;
                    continue;
                }
                out.push('(');
                depth += 1;
                fresh = false;
                // The operator stays on the line of its parenthesis.
                if let Some(next) = tokens.get(at + 1).filter(|t| *t != "(" && *t != ")") {
                    out.push_str(next);
                    at += 1;
                }
            }
            ")" => {
                depth = depth.saturating_sub(1);
                out.push(')');
            }
            word => {
                out.push(' ');
                out.push_str(word);
            }
        }
        at += 1;
    }
    out.push('\n');
    out
}

/// Returns the text with IRIs in angle brackets shortened if a prefix fits; text in double quotes stays.
pub fn with_curies(text: &str, prefixes: &Prefixes) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '"']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = if rest.starts_with('"') { quoted(rest) } else { iri(rest) };
        let piece = &rest[..end];
        match piece.strip_prefix('<').and_then(|iri| prefixes.shorten(iri.strip_suffix('>')?)) {
            Some(curie) => out.push_str(&curie),
            None => out.push_str(piece),
        }
        rest = &rest[end..];
    }
    out + rest
}

/// Returns the length of the quoted text at the start.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// Returns the length of the IRI in angle brackets at the start, or 1 if the bracket begins none.
fn iri(text: &str) -> usize {
    let end = text.char_indices().skip(1).find(|(_, c)| matches!(c, '>' | '<' | '"') || c.is_whitespace());
    end.filter(|(_, c)| *c == '>').map_or(1, |(at, _)| at + 1)
}

fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" => depth += 1,
            ")" => {
                depth -= 1;
                if depth == 0 {
                    return i;
                }
            }
            _ => {}
        }
    }
    tokens.len() - 1
}

fn flat(tokens: &[String]) -> String {
    let mut out = String::new();
    for token in tokens {
        if !(out.is_empty() || out.ends_with('(') || token == ")") {
            out.push(' ');
        }
        out.push_str(token);
    }
    out
}

/// Splits into parentheses, strings and words; IRIs are shortened.
fn tokens(sse: &str, prefixes: &Prefixes) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = sse.trim_start();
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '(' | ')' => 1,
            '"' => string_end(rest),
            '<' if rest[1..].starts_with(|c: char| c.is_alphabetic()) => rest.find('>').map_or(rest.len(), |at| at + 1),
            _ => rest.find(|c: char| c.is_whitespace() || c == '(' || c == ')').unwrap_or(rest.len()).max(c.len_utf8()),
        };
        let (token, after) = rest.split_at(end);
        let iri = token.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
        tokens.push(iri.map_or_else(|| token.to_owned(), |iri| prefixes.display(iri)));
        rest = after.trim_start();
    }
    tokens
}

/// Returns the end of a literal, including its language or datatype.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let rest = &text[at + 1..];
                return at + 1 + rest.find(|c: char| c.is_whitespace() || c == '(' || c == ')').unwrap_or(rest.len());
            }
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_expressions_are_broken_and_short_ones_are_not() {
        let prefixes = Prefixes::from_iter([("e", "http://e/")]);
        assert_eq!(
            indented("(bgp (triple ?s <http://e/p> \"a (b\"@en))", &prefixes),
            "(bgp (triple ?s e:p \"a (b\"@en))\n"
        );
        let long = format!("(join (bgp {}) (b))", "(triple ?s ?p ?o) ".repeat(5).trim_end());
        let shown = indented(&long, &prefixes);
        assert_eq!(
            shown.lines().map(str::trim).collect::<Vec<_>>(),
            [
                "(join",
                "(bgp",
                "(triple ?s ?p ?o)",
                "(triple ?s ?p ?o)",
                "(triple ?s ?p ?o)",
                "(triple ?s ?p ?o)",
                "(triple ?s ?p ?o))",
                "(b))"
            ]
        );
    }
}
