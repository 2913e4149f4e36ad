//! Makes a canned query self-contained: all prefixes declared and parameter values inserted, so that any tool can run it.
//! For its own answers kgq binds the values in the algebra; this text is for the reader.

use kgq_engine::query::{Binding, BoundTo};
use kgq_syntax::rdf::{Prefixes, Term};
use kgq_syntax::{Token, TokenKind, sparql};

/// Declares the prefixes that a query uses without declaring them.
pub fn declare(text: &str, prefixes: &Prefixes) -> String {
    let prologue = sparql::prologue(text, |prefix| prefixes.get(prefix));
    if prologue.is_empty() {
        return text.to_owned();
    }
    let start = sparql::tokenize(text).into_iter().find(|t| !t.is_trivia()).map_or(0, |t| t.start);
    format!("{}{prologue}{}", &text[..start], &text[start..])
}

/// Inserts values for variables: in place of the variable, or, if the answer contains the variable or it may have several
/// values, as VALUES in the first group.
pub fn bind(text: &str, bindings: &[Binding]) -> String {
    let tokens = sparql::tokenize(text);
    let Some(group) = first_group(text, &tokens) else { return text.to_owned() };
    let last = tokens.iter().rev().find(|t| t.is(text, "}")).map_or(text.len(), |t| t.end);
    let mut out = String::with_capacity(text.len() + 64);
    let mut values = String::new();
    let mut written: Vec<(&str, String)> = Vec::new();
    for binding in bindings {
        let name = binding.variable.as_str();
        let of_variable = |t: &&Token| t.variable(text) == Some(name);
        let named_outside = tokens.iter().filter(of_variable).any(|t| t.start < group || t.start > last);
        let assigned = tokens.windows(2).any(|w| w[0].is_keyword(text, "AS") && w[1].variable(text) == Some(name));
        match &binding.value {
            BoundTo::One(term) if !named_outside && !assigned => written.push((name, sparql_term(term))),
            BoundTo::One(term) => values.push_str(&format!("\n  VALUES ?{name} {{ {} }}", sparql_term(term))),
            BoundTo::AnyOf(terms) => {
                let terms: Vec<String> = terms.iter().map(sparql_term).collect();
                values.push_str(&format!("\n  VALUES ?{name} {{ {} }}", terms.join(" ")));
            }
        }
    }
    for token in &tokens {
        let own = token.text(text);
        match token.variable(text).and_then(|name| written.iter().find(|(n, _)| *n == name)) {
            Some((_, term)) => out.push_str(term),
            None => out.push_str(own),
        }
        if token.end == group {
            out.push_str(&values);
        }
    }
    out
}

/// The position after the brace that opens the pattern, skipping the template of a CONSTRUCT.
fn first_group(text: &str, tokens: &[Token]) -> Option<usize> {
    let from = tokens.iter().position(|t| t.is_keyword(text, "WHERE")).unwrap_or(0);
    tokens.get(from..)?.iter().find(|t| t.is(text, "{")).map(|t| t.end)
}

fn sparql_term(term: &Term) -> String {
    term.to_string()
}

/// Replaces the base `old` of IRIs by `new`.
pub fn rebase(text: &str, old: &str, new: &str) -> String {
    let start = format!("<{old}");
    let tokens = sparql::tokenize(text);
    let pieces = tokens.iter().map(|token| match (token.kind, token.text(text).strip_prefix(&start)) {
        (TokenKind::Iri, Some(rest)) => format!("<{new}{rest}"),
        _ => token.text(text).to_owned(),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::{NamedNode, Variable};

    fn binding(name: &str, value: BoundTo) -> Binding {
        Binding { variable: Variable::new_unchecked(name), value }
    }

    #[test]
    fn a_value_stands_where_its_variable_stood_unless_the_answer_names_it() {
        let node = Term::from(NamedNode::new_unchecked("http://e/a"));
        let text = "SELECT ?s ?p WHERE { ?s ?p $o . FILTER(?o != 1) }";
        let bound = bind(text, &[binding("o", BoundTo::One(node.clone()))]);
        assert_eq!(bound, "SELECT ?s ?p WHERE { ?s ?p <http://e/a> . FILTER(<http://e/a> != 1) }");
        let bound = bind(text, &[binding("p", BoundTo::One(node.clone()))]);
        assert_eq!(bound, "SELECT ?s ?p WHERE {\n  VALUES ?p { <http://e/a> } ?s ?p $o . FILTER(?o != 1) }");
        let bound = bind("CONSTRUCT { ?s a ?o } WHERE { ?s a ?o }", &[binding("o", BoundTo::AnyOf(vec![node]))]);
        assert_eq!(bound, "CONSTRUCT { ?s a ?o } WHERE {\n  VALUES ?o { <http://e/a> } ?s a ?o }");
    }

    #[test]
    fn prefixes_are_declared_behind_the_header_and_iris_rebased_but_strings_are_not() {
        let prefixes = Prefixes::from_iter([("e", "http://e/")]);
        assert_eq!(
            declare("#+ title: x\nASK { e:a a e:b }", &prefixes),
            "#+ title: x\nPREFIX e: <http://e/>\nASK { e:a a e:b }"
        );
        assert_eq!(
            rebase("ASK { <http://e/a> ?p \"<http://e/a>\" }", "http://e/", "http://n/"),
            "ASK { <http://n/a> ?p \"<http://e/a>\" }"
        );
    }
}
