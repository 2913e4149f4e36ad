//! The blank nodes of statements, including those in triple terms: to find them, and to rename them.

use super::{BlankNode, GraphName, NamedOrBlankNode, Quad, Term, Triple};

/// Visits the blank nodes of a quad: in its subject, its object and its graph name. A node that occurs twice is visited
/// twice.
pub fn each_node<'q>(quad: &'q Quad, visit: &mut dyn FnMut(&'q BlankNode)) {
    each_node_between(&quad.subject, &quad.object, visit);
    if let GraphName::BlankNode(node) = &quad.graph_name {
        visit(node);
    }
}

/// The blank nodes of a quad, as [`each_node`] visits them.
pub fn nodes_of(quad: &Quad) -> Vec<BlankNode> {
    let mut nodes = Vec::new();
    each_node(quad, &mut |node| nodes.push(node.clone()));
    nodes
}

/// Visits the blank nodes in a subject and an object.
pub fn each_node_between<'q>(
    mut subject: &'q NamedOrBlankNode,
    mut object: &'q Term,
    visit: &mut dyn FnMut(&'q BlankNode),
) {
    loop {
        if let NamedOrBlankNode::BlankNode(node) = subject {
            visit(node);
        }
        match object {
            Term::BlankNode(node) => return visit(node),
            Term::Triple(triple) => (subject, object) = (&triple.subject, &triple.object),
            Term::NamedNode(_) | Term::Literal(_) => return,
        }
    }
}

/// The quad with its blank nodes renamed.
pub fn renamed(quad: &Quad, name: &dyn Fn(&BlankNode) -> BlankNode) -> Quad {
    let graph = match &quad.graph_name {
        GraphName::BlankNode(node) => name(node).into(),
        GraphName::NamedNode(_) | GraphName::DefaultGraph => quad.graph_name.clone(),
    };
    let subject = renamed_subject(&quad.subject, name);
    Quad::new(subject, quad.predicate.clone(), renamed_term(&quad.object, name), graph)
}

/// The subject, renamed if it is a blank node.
fn renamed_subject(subject: &NamedOrBlankNode, name: &dyn Fn(&BlankNode) -> BlankNode) -> NamedOrBlankNode {
    match subject {
        NamedOrBlankNode::BlankNode(node) => name(node).into(),
        NamedOrBlankNode::NamedNode(_) => subject.clone(),
    }
}

/// The term with its blank nodes renamed.
pub fn renamed_term(term: &Term, name: &dyn Fn(&BlankNode) -> BlankNode) -> Term {
    match term {
        Term::BlankNode(node) => name(node).into(),
        Term::Triple(triple) => {
            let subject = renamed_subject(&triple.subject, name);
            Triple::new(subject, triple.predicate.clone(), renamed_term(&triple.object, name)).into()
        }
        Term::NamedNode(_) | Term::Literal(_) => term.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::NamedNode;

    #[test]
    fn nodes_are_found_and_renamed_wherever_they_stand() {
        let node = BlankNode::new_unchecked;
        let p = NamedNode::new_unchecked("http://e/p");
        let inner = Triple::new(node("b"), p.clone(), node("c"));
        let quad = Quad::new(node("a"), p, Triple::new(node("a"), inner.predicate.clone(), inner), node("g"));
        let names = |quad: &Quad| nodes_of(quad).iter().map(BlankNode::as_str).collect::<String>();
        assert_eq!(names(&quad), "aabcg");
        let twice = renamed(&quad, &|node| BlankNode::new_unchecked(node.as_str().repeat(2)));
        assert_eq!(names(&twice), "aaaabbccgg");
    }
}
