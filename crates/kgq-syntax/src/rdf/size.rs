//! Roughly the bytes that terms and statements take, to be reserved for those that are kept.

use super::{GraphName, NamedOrBlankNode, Quad, Term, Triple};

/// The bytes of a term with its text.
pub fn of_term(term: &Term) -> u64 {
    let text = match term {
        Term::NamedNode(node) => node.as_str().len(),
        Term::BlankNode(node) => node.as_str().len(),
        Term::Literal(literal) => literal.value().len() + literal.datatype().as_str().len(),
        Term::Triple(triple) => return size_of::<Term>() as u64 + of_triple(triple),
    };
    (size_of::<Term>() + text) as u64
}

/// The bytes of a triple with the texts of its terms.
pub fn of_triple(triple: &Triple) -> u64 {
    let text = of_node(&triple.subject) + triple.predicate.as_str().len();
    // `of_term` already counts the object itself.
    (size_of::<Triple>() - size_of::<Term>() + text) as u64 + of_term(&triple.object)
}

/// The bytes of a statement with the texts of its terms.
pub fn of_quad(quad: &Quad) -> u64 {
    let graph = match &quad.graph_name {
        GraphName::NamedNode(node) => node.as_str().len(),
        GraphName::BlankNode(node) => node.as_str().len(),
        GraphName::DefaultGraph => 0,
    };
    let text = of_node(&quad.subject) + quad.predicate.as_str().len() + graph;
    (size_of::<Quad>() - size_of::<Term>() + text) as u64 + of_term(&quad.object)
}

fn of_node(node: &NamedOrBlankNode) -> usize {
    match node {
        NamedOrBlankNode::NamedNode(node) => node.as_str().len(),
        NamedOrBlankNode::BlankNode(node) => node.as_str().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdf::{Literal, NamedNode};

    #[test]
    fn what_is_held_grows_with_the_texts() {
        let triple = |text: &str| Triple {
            subject: NamedNode::new_unchecked("http://e/s").into(),
            predicate: NamedNode::new_unchecked("http://e/p"),
            object: Literal::new_simple_literal(text).into(),
        };
        let (short, long) = (triple(""), triple(&"x".repeat(1000)));
        assert_eq!(of_triple(&long), of_triple(&short) + 1000);
        assert_eq!(of_term(&long.clone().into()), of_triple(&long) + size_of::<Term>() as u64);
        assert_eq!(
            of_quad(&long.clone().in_graph(GraphName::DefaultGraph)),
            of_quad(&short.in_graph(GraphName::DefaultGraph)) + 1000
        );
    }
}
