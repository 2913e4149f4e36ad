//! Where spargebra's grammar is not the standard's: what it takes and should refuse, and what it refuses and should take.

use super::{Kind, Token, words};
use crate::error::{Error, Result, Source};
use crate::rdf::iri::without_dots;
use std::borrow::Cow;

/// The text as spargebra reads it, every byte at its place or on its line. `tokens` are those that a parser sees.
///
/// - `TRUE` and `False` are keywords like all others (SPARQL 1.1 §19.8), but it knows them in lower case only.
/// - A base keeps its dots until its relative IRIs are resolved; ours loses them before.
/// - It takes no space in `CONCAT (`, and no comment between `[` and `]`, or `(` and `)`.
pub fn as_read<'a>(text: &'a str, tokens: &[Token]) -> Cow<'a, str> {
    let mut out = Cow::Borrowed(text);
    let mut previous: Option<&Token> = None;
    for token in tokens {
        let word = token.text(text);
        if (token.is_keyword(text, "TRUE") || token.is_keyword(text, "FALSE"))
            && word.bytes().any(|b| b.is_ascii_uppercase())
        {
            out.to_mut().replace_range(token.span(), &word.to_ascii_lowercase());
        }
        if token.kind == Kind::Iri && previous.is_some_and(|before| before.is_keyword(text, "BASE")) {
            // As long as it was, so that places stay.
            let base = format!("<{}>", without_dots(word.trim_matches(['<', '>'])));
            let blank = " ".repeat(word.len().saturating_sub(base.len()));
            out.to_mut().replace_range(token.span(), &(base + &blank));
        }
        if let Some(before) = previous.replace(token).filter(|before| before.end < token.start) {
            let gap = &text[before.end..token.start];
            let called = ["CONCAT", "COALESCE", "BNODE"].iter().any(|k| before.is_keyword(text, k));
            if called && word == "(" {
                let moved = format!("{gap}{}", before.text(text));
                out.to_mut().replace_range(before.start..token.start, &moved);
            } else if matches!((before.text(text), word), ("[", "]") | ("(", ")")) && gap.contains('#') {
                let blank: String = gap.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
                out.to_mut().replace_range(before.end..token.start, &blank);
            }
        }
    }
    out
}

/// Refuses what spargebra takes against the grammar of SPARQL 1.2. `tokens` are those that a parser sees.
pub fn check(source: Source<'_>, tokens: &[Token]) -> Result<()> {
    triple_terms(source, tokens)?;
    nested_aggregates(source, tokens)
}

/// In an expression, the subject of a triple term is an IRI or a variable (§19.8, `ExprTripleTermSubject`).
fn triple_terms(source: Source<'_>, tokens: &[Token]) -> Result<()> {
    let text = source.text;
    // For each open bracket, whether an expression is inside it: what `BIND (` opens, and all within.
    let mut open: Vec<bool> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let inside = open.last() == Some(&true);
        match token.text(text) {
            "(" => open.push(inside || (i > 0 && tokens[i - 1].kind == Kind::Keyword)),
            "<<(" => open.push(inside),
            "{" => open.push(false),
            ")" | ")>>" | "}" => {
                open.pop();
            }
            _ => {}
        }
        let Some(subject) = tokens.get(i + 1) else { break };
        let value = matches!(subject.kind, Kind::String(_) | Kind::Integer | Kind::Decimal | Kind::Double)
            || subject.is_keyword(text, "TRUE")
            || subject.is_keyword(text, "FALSE")
            || subject.is(text, "<<(");
        if inside && token.is(text, "<<(") && value {
            return Err(Error::input("in an expression, the subject of a triple term is an IRI or a variable")
                .at(source.place(subject.span())));
        }
    }
    Ok(())
}

/// An aggregate is of a group's solutions, so it cannot be computed of another aggregate (§18.2.4.1), unless a sub-SELECT is
/// between them.
fn nested_aggregates(source: Source<'_>, tokens: &[Token]) -> Result<()> {
    let text = source.text;
    let mut open: Vec<bool> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let aggregate = |token: &Token| {
            token.kind == Kind::Keyword && words::AGGREGATES.iter().any(|k| k.eq_ignore_ascii_case(token.text(text)))
        };
        let called = tokens.get(i + 1).is_some_and(|next| next.is(text, "("));
        match token.text(text) {
            "(" => {
                let inside = open.last() == Some(&true);
                open.push(inside || (i > 0 && aggregate(&tokens[i - 1])));
            }
            "{" => open.push(false),
            ")" | "}" => {
                open.pop();
            }
            _ if called && aggregate(token) && open.last() == Some(&true) => {
                return Err(Error::input("an aggregate cannot be inside another aggregate")
                    .at(source.place(token.span()))
                    .hint("compute the inner one in a sub-SELECT"));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{significant, sparql};

    fn message(text: &str) -> Option<String> {
        check(Source::new("q", text), &significant(&sparql::tokenize(text))).err().map(|e| e.message().to_owned())
    }

    #[test]
    fn booleans_in_any_case_are_read_and_strings_are_left_alone() {
        let text = "ASK { BIND(TRUE AS ?x) FILTER(False || 'TRUE' = ?TRUE) }";
        let read = as_read(text, &sparql::tokenize(text));
        assert_eq!(read, "ASK { BIND(true AS ?x) FILTER(false || 'TRUE' = ?TRUE) }");
    }

    #[test]
    fn what_the_parser_does_not_take_is_written_as_it_does() {
        let text = "SELECT (CONCAT # é\n ('a', BNODE ()) AS ?x) { ?s ?p [ # é [\n ], ( # c\n) . ?t ?q [] }";
        let adapted = as_read(text, &significant(&sparql::tokenize(text)));
        assert_eq!(adapted, "SELECT ( # é\n CONCAT('a',  BNODE()) AS ?x) { ?s ?p [       \n ], (    \n) . ?t ?q [] }");
        assert_eq!(adapted.len(), text.len());
        assert!(spargebra::SparqlParser::new().parse_query(text).is_err());
        assert!(spargebra::SparqlParser::new().parse_query(&adapted).is_ok());
    }

    #[test]
    fn an_aggregate_of_an_aggregate_is_refused_but_not_across_a_sub_select() {
        assert!(message("SELECT (COUNT(SUM(?x)) AS ?n) {}").is_some());
        assert!(message("SELECT (MAX(1 + (MIN(?x))) AS ?n) {}").is_some());
        assert!(message("SELECT (SUM(?n) + COUNT(*) AS ?m) { { SELECT (COUNT(*) AS ?n) {} } }").is_none());
    }

    #[test]
    fn a_triple_term_of_an_expression_has_no_literal_or_triple_term_for_a_subject() {
        assert!(message("ASK { BIND(<<( 'a' ?p ?o )>> AS ?t) }").is_some());
        assert!(message("ASK { FILTER(?t = <<( <<( ?s ?p ?o )>> ?p ?o )>>) }").is_some());
        assert!(message("ASK { BIND(<<( ?s ?p <<( ?s ?p 'a' )>> )>> AS ?t) }").is_none());
        assert!(message("ASK { ?r ?q <<( <<( ?s ?p ?o )>> ?p ?o )>> }").is_none());
    }
}
