//! The triples along a property path: the shortest way from one node to another.

use super::sources::Audit;
use kgq_engine::query::PathExpression;
use kgq_syntax::rdf::{NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// How many nodes a search visits before it gives up.
const MOST_NODES: usize = 100_000;

/// The triples of a shortest way along the path; `None` if there is none, or it was not found within bounds.
pub fn trace(audit: &Audit<'_>, from: &Term, path: &PathExpression, to: &Term) -> Option<Vec<Triple>> {
    let mut budget = MOST_NODES;
    reach(audit, from, path, &mut budget)?.remove(to)
}

/// Every node that the path reaches, with a shortest way; `None` when the budget is spent.
fn reach(
    audit: &Audit<'_>,
    from: &Term,
    path: &PathExpression,
    budget: &mut usize,
) -> Option<FxHashMap<Term, Vec<Triple>>> {
    let mut found: FxHashMap<Term, Vec<Triple>> = FxHashMap::default();
    let mut add = |node: Term, way: Vec<Triple>| {
        let shorter = found.get(&node).is_none_or(|known| way.len() < known.len());
        if shorter {
            found.insert(node, way);
        }
    };
    match path {
        PathExpression::Property(property) => {
            for quad in audit.outgoing(from).iter().filter(|q| q.predicate == *property) {
                add(quad.object.clone(), vec![triple(quad)]);
            }
        }
        PathExpression::NotIn(properties) => {
            for quad in audit.outgoing(from).iter().filter(|q| !properties.contains(&q.predicate)) {
                add(quad.object.clone(), vec![triple(quad)]);
            }
        }
        PathExpression::Reverse(inner) => match inner.as_ref() {
            PathExpression::Property(property) => {
                for quad in audit.incoming(from).iter().filter(|q| q.predicate == *property) {
                    add(subject(quad), vec![triple(quad)]);
                }
            }
            PathExpression::NotIn(properties) => {
                for quad in audit.incoming(from).iter().filter(|q| !properties.contains(&q.predicate)) {
                    add(subject(quad), vec![triple(quad)]);
                }
            }
            // ^(a/b) is ^b/^a; the others turn each of their parts.
            inner => return reach(audit, from, &reversed(inner), budget),
        },
        PathExpression::Sequence(first, second) => {
            for (middle, way) in reach(audit, from, first, budget)? {
                for (end, rest) in reach(audit, &middle, second, budget)? {
                    add(end, [way.as_slice(), rest.as_slice()].concat());
                }
            }
        }
        PathExpression::Alternative(first, second) => {
            for (end, way) in reach(audit, from, first, budget)? {
                add(end, way);
            }
            for (end, way) in reach(audit, from, second, budget)? {
                add(end, way);
            }
        }
        PathExpression::ZeroOrOne(inner) => {
            add(from.clone(), Vec::new());
            for (end, way) in reach(audit, from, inner, budget)? {
                add(end, way);
            }
        }
        PathExpression::ZeroOrMore(inner) => {
            add(from.clone(), Vec::new());
            return closure(audit, from, inner, found, budget);
        }
        PathExpression::OneOrMore(inner) => return closure(audit, from, inner, found, budget),
    }
    Some(found)
}

/// Breadth first, so that the first way to a node has the fewest steps.
fn closure(
    audit: &Audit<'_>,
    from: &Term,
    step: &PathExpression,
    mut found: FxHashMap<Term, Vec<Triple>>,
    budget: &mut usize,
) -> Option<FxHashMap<Term, Vec<Triple>>> {
    let mut open = VecDeque::from([(from.clone(), Vec::new())]);
    while let Some((node, way)) = open.pop_front() {
        *budget = budget.checked_sub(1)?;
        let mut next: Vec<_> = reach(audit, &node, step, budget)?.into_iter().collect();
        // Of equally short ways the same one in every run.
        next.sort_by_cached_key(|(end, _)| end.to_string());
        for (end, last) in next {
            if !found.contains_key(&end) {
                let longer = [way.as_slice(), last.as_slice()].concat();
                found.insert(end.clone(), longer.clone());
                open.push_back((end, longer));
            }
        }
    }
    Some(found)
}

fn reversed(path: &PathExpression) -> PathExpression {
    let turn = |p: &PathExpression| Box::new(PathExpression::Reverse(Box::new(p.clone())));
    match path {
        PathExpression::Property(_) | PathExpression::NotIn(_) => PathExpression::Reverse(Box::new(path.clone())),
        PathExpression::Reverse(inner) => (**inner).clone(),
        PathExpression::Sequence(a, b) => PathExpression::Sequence(turn(b), turn(a)),
        PathExpression::Alternative(a, b) => PathExpression::Alternative(turn(a), turn(b)),
        PathExpression::ZeroOrMore(p) => PathExpression::ZeroOrMore(turn(p)),
        PathExpression::OneOrMore(p) => PathExpression::OneOrMore(turn(p)),
        PathExpression::ZeroOrOne(p) => PathExpression::ZeroOrOne(turn(p)),
    }
}

fn triple(quad: &Quad) -> Triple {
    Triple { subject: quad.subject.clone(), predicate: quad.predicate.clone(), object: quad.object.clone() }
}

fn subject(quad: &Quad) -> Term {
    match &quad.subject {
        NamedOrBlankNode::NamedNode(node) => node.clone().into(),
        NamedOrBlankNode::BlankNode(node) => node.clone().into(),
    }
}
