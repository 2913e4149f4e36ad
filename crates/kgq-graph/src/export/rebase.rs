//! Rewrites the beginning of IRIs, for a graph that moves to its place on the web.

use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{GraphName, Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Triple};

/// The old and the new beginning of IRIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebase {
    pub old: String,
    pub new: String,
}

impl Rebase {
    /// Reads `OLD=NEW`. An IRI can contain `=` itself: the sign before the second scheme is the separator.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("`{text}` is not OLD=NEW, two IRIs"))
                .hint("for example: --rebase http://localhost/=https://data.example.org/")
        };
        for (at, _) in text.match_indices('=') {
            let (old, new) = (&text[..at], &text[at + 1..]);
            if NamedNode::new(old).is_ok() && NamedNode::new(new).is_ok() {
                return Ok(Self { old: old.to_owned(), new: new.to_owned() });
            }
        }
        Err(wrong())
    }

    pub fn iri(&self, iri: &str) -> String {
        match iri.strip_prefix(&self.old) {
            Some(rest) => format!("{}{rest}", self.new),
            None => iri.to_owned(),
        }
    }

    pub fn node(&self, node: &NamedNode) -> NamedNode {
        match node.as_str().strip_prefix(&self.old) {
            // Both beginnings are IRIs, so what can follow one can follow the other.
            Some(rest) => NamedNode::new_unchecked(format!("{}{rest}", self.new)),
            None => node.clone(),
        }
    }

    pub fn term(&self, term: &Term) -> Term {
        match term {
            Term::NamedNode(node) => self.node(node).into(),
            Term::BlankNode(_) => term.clone(),
            Term::Literal(literal) if literal.datatype().as_str().starts_with(&self.old) => {
                Literal::new_typed_literal(literal.value(), self.node(&literal.datatype().into_owned())).into()
            }
            Term::Literal(_) => term.clone(),
            Term::Triple(triple) => self.triple(triple).into(),
        }
    }

    pub fn triple(&self, triple: &Triple) -> Triple {
        Triple::new(self.subject(&triple.subject), self.node(&triple.predicate), self.term(&triple.object))
    }

    pub fn subject(&self, subject: &NamedOrBlankNode) -> NamedOrBlankNode {
        match subject {
            NamedOrBlankNode::NamedNode(node) => self.node(node).into(),
            NamedOrBlankNode::BlankNode(_) => subject.clone(),
        }
    }

    pub fn quad(&self, quad: &Quad) -> Quad {
        let graph = match &quad.graph_name {
            GraphName::NamedNode(node) => self.node(node).into(),
            GraphName::BlankNode(_) | GraphName::DefaultGraph => quad.graph_name.clone(),
        };
        Quad::new(self.subject(&quad.subject), self.node(&quad.predicate), self.term(&quad.object), graph)
    }

    pub fn prefixes(&self, prefixes: &Prefixes) -> Prefixes {
        prefixes.iter().map(|(prefix, namespace)| (prefix.to_owned(), self.iri(namespace))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_so_is_rewritten_triple_terms_and_datatypes_too() {
        let rebase = Rebase::parse("http://a/?x=y&=https://b/").unwrap();
        assert_eq!((rebase.old.as_str(), rebase.new.as_str()), ("http://a/?x=y&", "https://b/"));
        assert!(Rebase::parse("http://a/").is_err());
        let rebase = Rebase::parse("http://a/=https://b/").unwrap();
        let node = |iri: &str| NamedNode::new_unchecked(iri);
        let literal = Literal::new_typed_literal("http://a/", node("http://a/t"));
        let triple = Triple::new(node("http://a/s"), node("http://other/p"), literal);
        assert_eq!(
            rebase.term(&triple.into()).to_string(),
            "<<( <https://b/s> <http://other/p> \"http://a/\"^^<https://b/t> )>>"
        );
    }
}
