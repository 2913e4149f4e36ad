//! Terms as JSON values: things as CURIEs with a label, literals as their text with their type.

use kgq_graph::catalog::Labels;
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{Literal, NamedNode, Prefixes, Term};
use kgq_syntax::text::{codepoint_escape, is_unsafe};
use oxrdf::vocab::xsd;
use serde_json::{Map, Value, json};

/// Longer texts are cut, and the model is told their length.
pub const LONGEST_TEXT: usize = 1_000;

/// The labels of things.
pub struct Names<'a> {
    prefixes: &'a Prefixes,
    labels: Labels,
    language: &'a str,
}

impl<'a> Names<'a> {
    /// Looks up the labels of the things among these terms.
    ///
    /// # Errors
    /// Loading fails, or the snapshot is damaged.
    pub fn of<'t>(graph: &'a Graph, terms: impl IntoIterator<Item = &'t Term>, language: &'a str) -> Result<Self> {
        let mut things = Vec::new();
        terms.into_iter().for_each(|term| collect(term, &mut things));
        let labels = graph.labels_of(things.iter())?;
        Ok(Self { prefixes: graph.prefixes()?, labels, language })
    }

    /// A thing as written in queries, with its label.
    pub fn thing(&self, node: &NamedNode) -> Value {
        let mut thing = Map::new();
        thing.insert("id".into(), self.prefixes.display(node.as_str()).into());
        if let Some(label) = self.labels.get(node, self.language) {
            thing.insert("label".into(), shortened(label).into());
        }
        Value::Object(thing)
    }

    pub fn cell(&self, term: &Term) -> Value {
        match term {
            Term::NamedNode(node) => self.thing(node),
            Term::BlankNode(node) => json!({ "id": node.to_string() }),
            Term::Literal(literal) => self.literal(literal),
            Term::Triple(triple) => json!({ "triple": [
                self.cell(&triple.subject.clone().into()),
                self.thing(&triple.predicate),
                self.cell(&triple.object),
            ]}),
        }
    }

    fn literal(&self, literal: &Literal) -> Value {
        let mut cell = Map::new();
        cell.insert("value".into(), shortened(literal.value()).into());
        if let Some(language) = literal.language() {
            cell.insert("lang".into(), cased(language).into_owned().into());
        } else if literal.datatype() != xsd::STRING {
            cell.insert("type".into(), self.prefixes.display(literal.datatype().as_str()).into());
        }
        let length = literal.value().chars().count();
        if length > LONGEST_TEXT {
            cell.insert("characters".into(), length.into());
        }
        Value::Object(cell)
    }
}

fn collect(term: &Term, things: &mut Vec<NamedNode>) {
    match term {
        Term::NamedNode(node) => things.push(node.clone()),
        Term::Triple(triple) => {
            collect(&triple.subject.clone().into(), things);
            things.push(triple.predicate.clone());
            collect(&triple.object, things);
        }
        Term::BlankNode(_) | Term::Literal(_) => {}
    }
}

/// The text, cut to [`LONGEST_TEXT`] characters.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Escapes every character that could hide or reorder the text around it. Line breaks and tabs stay.
pub fn visible(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(visible_text(text)),
        Value::Array(members) => members.into_iter().map(visible).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (visible_text(name), visible(member))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

pub fn visible_text(text: String) -> String {
    let hidden = |c: char| is_unsafe(c) && c != '\n' && c != '\t';
    if !text.chars().any(hidden) {
        return text;
    }
    text.chars().map(|c| if hidden(c) { codepoint_escape(c) } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_hide_or_reorder_text_are_spelled_out_wherever_they_stand() {
        let value = json!({"a\u{202e}b": ["x\u{1b}[2J", "two\nlines\tok"]});
        assert_eq!(visible(value), json!({"a\\u202Eb": ["x\\u001B[2J", "two\nlines\tok"]}));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let cut = shortened(&"文".repeat(LONGEST_TEXT + 1));
        assert_eq!(cut.chars().count(), LONGEST_TEXT + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(shortened("short"), "short");
    }
}
