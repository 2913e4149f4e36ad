//! Rewrites queries that the standard allows and spargebra refuses into equivalent ones that it accepts. Positions change,
//! so errors are reported for the text as written.
//!
//! - `(COUNT(*) AS ?n) (?n / 2 AS ?half)`: in a grouping SELECT, spargebra does not see the names defined earlier in the
//!   same clause (SPARQL 1.1 §18.2.4.4), so the expression replaces its name.
//! - `INSERT …; PREFIX ex: <…> INSERT …`: spargebra accepts declarations only before the first operation (SPARQL 1.1 Update
//!   §3), so they are moved there, unless the prefix has another meaning.
//! - `GROUP BY (?old AS ?new)`: spargebra drops the new name of a plain variable, though not that of an expression.

use super::{Span, Token, TokenKind, sparql, words};
use std::collections::BTreeMap;

/// The longest text of a rewritten expression: names that double each other would grow without end.
const LONGEST: usize = 64 << 10;

/// Pieces of a text and their replacements, in the order of the text.
#[derive(Debug, Default)]
pub struct Rewriting {
    reused: Vec<(Span, String)>,
    moved: Vec<(Span, String)>,
    renamed: Vec<(Span, String)>,
}

impl Rewriting {
    /// Finds what could be rewritten. `tokens` are those that a parser sees.
    pub fn of(text: &str, tokens: &[Token]) -> Self {
        let mut rewriting = Self { moved: late_declarations(text, tokens), ..Self::default() };
        for (at, token) in tokens.iter().enumerate() {
            if token.is_keyword(text, "SELECT") {
                rewriting.select(text, &tokens[at + 1..]);
            } else if token.is_keyword(text, "GROUP") {
                rewriting.group_by(text, &tokens[at + 1..]);
            }
        }
        rewriting
    }

    /// Whether spargebra would accept the text as it is, but lose something.
    pub fn is_needed(&self) -> bool {
        !self.renamed.is_empty()
    }

    /// The rewritten text; `None` if there is nothing to rewrite.
    pub fn apply(self, text: &str) -> Option<String> {
        let mut pieces = self.reused;
        pieces.extend(self.renamed);
        pieces.extend(self.moved);
        if pieces.is_empty() {
            return None;
        }
        pieces.sort_by_key(|(span, _)| span.start);
        Some(replaced(text, 0..text.len(), &pieces))
    }

    /// Finds the expressions of a SELECT clause that use a name defined earlier in it.
    fn select(&mut self, text: &str, tokens: &[Token]) {
        let mut named: BTreeMap<&str, String> = BTreeMap::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let projects = token.kind == TokenKind::Variable
                || token.is_keyword(text, "DISTINCT")
                || token.is_keyword(text, "REDUCED");
            if !token.is(text, "(") {
                if projects {
                    at += 1;
                    continue;
                }
                return;
            }
            let Some(length) = closing(text, &tokens[at..]) else { return };
            let [expression @ .., word, alias] = &tokens[at + 1..at + length] else { return };
            at += length + 1;
            let (Some(first), Some(last)) = (expression.first(), expression.last()) else { return };
            let (true, Some(alias)) = (word.is_keyword(text, "AS"), alias.variable(text)) else { return };
            let Some(uses) = uses(text, expression, &named) else { return };
            let span = first.start..last.end;
            let whole = replaced(text, span.clone(), &uses);
            if whole.len() > LONGEST {
                return;
            }
            if !uses.is_empty() {
                self.reused.push((span, whole.clone()));
            }
            // Evaluated twice, these would give two results.
            let draws = ["RAND", "UUID", "STRUUID", "BNODE"];
            if !expression.iter().any(|t| draws.iter().any(|function| t.is_keyword(text, function))) {
                named.insert(alias, whole);
            }
        }
    }

    fn group_by(&mut self, text: &str, tokens: &[Token]) {
        let mut at = 1;
        while let Some(token) = tokens.get(at) {
            if token.kind == TokenKind::Variable {
                at += 1;
                continue;
            }
            // In `YEAR(?d)` or `ex:f(?d)`, a name precedes the bracket.
            let bracket = at + usize::from(!token.is(text, "("));
            if !tokens.get(bracket).is_some_and(|t| t.is(text, "(")) {
                return;
            }
            let Some(length) = closing(text, &tokens[bracket..]) else { return };
            if let (true, [variable, word, alias]) = (bracket == at, &tokens[bracket + 1..bracket + length])
                && variable.kind == TokenKind::Variable
                && word.is_keyword(text, "AS")
                && alias.kind == TokenKind::Variable
            {
                self.renamed.push((variable.span(), format!("COALESCE({})", variable.text(text))));
            }
            at = bracket + length + 1;
        }
    }
}

/// The declarations after the first `;` of an update: each removed from its place, and all added at the start.
fn late_declarations(text: &str, tokens: &[Token]) -> Vec<(Span, String)> {
    let mut braces = 0usize;
    let separator = tokens.iter().find(|token| {
        braces += usize::from(token.is(text, "{"));
        braces -= usize::from(token.is(text, "}") && braces > 0);
        braces == 0 && token.is(text, ";")
    });
    let Some(separator) = separator else { return Vec::new() };
    let declared = sparql::prefixes_declared(text, tokens);
    let used = sparql::prefixes_used(text, tokens);
    let late: Vec<_> = declared.iter().filter(|d| d.span.start > separator.start).collect();
    let unambiguous = late.iter().all(|d| {
        declared.iter().all(|other| other.prefix != d.prefix || other.iri == d.iri)
            && used.iter().all(|(prefix, span)| *prefix != d.prefix || span.start > d.span.start)
    });
    if late.is_empty() || !unambiguous || tokens.iter().any(|token| token.is_keyword(text, "BASE")) {
        return Vec::new();
    }
    let first = late.iter().map(|d| format!("{}\n", &text[d.span.clone()])).collect();
    let gone = late.iter().map(|d| (d.span.clone(), String::new()));
    std::iter::once((0..0, first)).chain(gone).collect()
}

/// The number of tokens before the bracket that closes the first one.
fn closing(text: &str, tokens: &[Token]) -> Option<usize> {
    let mut depth = 0usize;
    tokens.iter().position(|token| {
        depth += usize::from(token.is(text, "("));
        depth -= usize::from(token.is(text, ")") && depth > 0);
        depth == 0
    })
}

/// Where an expression uses the names outside aggregates, which see the rows of the group; `None` if a pattern uses one.
fn uses(text: &str, expression: &[Token], named: &BTreeMap<&str, String>) -> Option<Vec<(Span, String)>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut braces = 0usize;
    while let Some(token) = expression.get(at) {
        braces += usize::from(token.is(text, "{"));
        braces -= usize::from(token.is(text, "}") && braces > 0);
        let aggregates = token.kind == TokenKind::Keyword
            && words::AGGREGATES.iter().any(|k| k.eq_ignore_ascii_case(token.text(text)));
        if aggregates {
            at += 1 + closing(text, &expression[at + 1..]).unwrap_or(0);
        }
        if let Some(meant) = token.variable(text).and_then(|name| named.get(name)) {
            if braces > 0 {
                return None;
            }
            found.push((token.span(), format!("({meant})")));
        }
        at += 1;
    }
    Some(found)
}

/// A part of the text, with pieces of it replaced.
fn replaced(text: &str, span: Span, pieces: &[(Span, String)]) -> String {
    let mut out = String::new();
    let mut from = span.start;
    for (piece, with) in pieces {
        out.push_str(&text[from..piece.start]);
        out.push_str(with);
        from = piece.end;
    }
    out + &text[from..span.end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::significant;

    fn rewritten(text: &str) -> Option<String> {
        Rewriting::of(text, &significant(&sparql::tokenize(text))).apply(text)
    }

    #[test]
    fn an_expression_stands_in_place_of_its_name() {
        let text = "SELECT ?c (COUNT(*) AS ?n) (?n/2 AS ?half) (COALESCE(?half, ?n) AS ?x) { ?s a ?c } GROUP BY ?c";
        let expected = "SELECT ?c (COUNT(*) AS ?n) ((COUNT(*))/2 AS ?half) \
                        (COALESCE(((COUNT(*))/2), (COUNT(*))) AS ?x) { ?s a ?c } GROUP BY ?c";
        assert_eq!(rewritten(text).unwrap(), expected);
        assert!(spargebra::SparqlParser::new().parse_query(text).is_err());
        assert!(spargebra::SparqlParser::new().parse_query(expected).is_ok());
        // In a sub-SELECT too.
        assert!(rewritten("SELECT * { { SELECT (MAX(?o) AS ?m) (?m+1 AS ?n) { ?s ?p ?o } } }").is_some());
    }

    #[test]
    fn what_would_change_its_meaning_stays() {
        for text in [
            "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
            "SELECT (RAND() AS ?r) (?r + ?r AS ?t) (COUNT(*) AS ?n) { ?s ?p ?o }",
            "SELECT (COUNT(*) AS ?n) (SUM(?n) AS ?m) { ?s ?p ?n }",
            "SELECT (COUNT(*) AS ?n) (EXISTS { ?s ?p ?n } AS ?e) { ?s ?p ?o }",
            "SELECT (COUNT(*) AS ?n) (?m AS ?x) (2 AS ?m) { ?s ?p ?o }",
            "SELECT ?x { ?x ?y ?z } GROUP BY ?x (STR(?y) AS ?s) STR(?z) HAVING(COUNT(*) > 1)",
        ] {
            assert_eq!(rewritten(text), None, "{text}");
        }
        // Forty names, each twice as long as the one before.
        let doubling: String = (1..40).map(|i| format!("(CONCAT(?x{}, ?x{}) AS ?x{i})", i - 1, i - 1)).collect();
        let long = rewritten(&format!("SELECT (STR(COUNT(*)) AS ?x0) {doubling} {{}}"));
        assert!(long.is_none_or(|text| text.len() < 20 * LONGEST));
    }

    #[test]
    fn declarations_behind_an_operation_go_before_all() {
        let text =
            "PREFIX a: <e:a> INSERT DATA { a:x a:y 1 } ;\nPREFIX b: <e:b> PREFIX c: <e:c>\nINSERT DATA { b:x a:y c:z }";
        let expected = "PREFIX b: <e:b>\nPREFIX c: <e:c>\n\
                        PREFIX a: <e:a> INSERT DATA { a:x a:y 1 } ;\n \nINSERT DATA { b:x a:y c:z }";
        assert_eq!(rewritten(text).unwrap(), expected);
        assert!(spargebra::SparqlParser::new().parse_update(expected).is_ok());
        for text in [
            "PREFIX a: <e:a> CLEAR ALL ; PREFIX a: <e:other> INSERT DATA { a:x a:y 1 }",
            "INSERT DATA { a:x a:y 1 } ; PREFIX a: <e:a> INSERT DATA { a:x a:y 1 }",
            "BASE <e:> CLEAR ALL ; PREFIX a: <e:a> INSERT DATA { a:x a:y 1 }",
            "INSERT DATA { <e:s> <e:p> 1 ; <e:q> 2 }",
        ] {
            assert_eq!(rewritten(text), None, "{text}");
        }
    }

    #[test]
    fn a_renamed_variable_of_group_by_becomes_an_expression() {
        let text = "SELECT ?y (COUNT(*) AS ?n) { ?s a ?c } GROUP BY STR(?s) (?c AS ?y) ORDER BY (?c)";
        let expected = "SELECT ?y (COUNT(*) AS ?n) { ?s a ?c } GROUP BY STR(?s) (COALESCE(?c) AS ?y) ORDER BY (?c)";
        assert_eq!(rewritten(text).unwrap(), expected);
    }
}
