//! Finds statements by their bound components: which order serves a pattern, and the matching statements themselves.

use super::{Blocks, Index, Permutation, QuadPermutation, Snapshot, TermId};
use kgq_syntax::rdf::{GraphNameRef, Quad, QuadRef, TermRef};
use std::ops::Range;

/// The bound components of a pattern: subject, predicate and object.
pub type Bound = [Option<TermId>; 3];

/// A statement as ids: subject, predicate, object, and the graph, which is unbound for the default graph.
pub type Ids = [TermId; 4];

impl Snapshot {
    /// The default graph's triples that match: an order in which they are contiguous, and their rows.
    pub fn matching_triples(&self, pattern: Bound) -> (Index<'_>, Range<usize>) {
        let (permutation, prefix) = match pattern {
            [Some(s), Some(p), Some(o)] => (Permutation::Spo, vec![s, p, o]),
            [Some(s), Some(p), None] => (Permutation::Spo, vec![s, p]),
            [Some(s), None, Some(o)] => (Permutation::Osp, vec![o, s]),
            [Some(s), None, None] => (Permutation::Spo, vec![s]),
            [None, Some(p), Some(o)] => (Permutation::Pos, vec![p, o]),
            [None, Some(p), None] => (Permutation::Pso, vec![p]),
            [None, None, Some(o)] => (Permutation::Osp, vec![o]),
            [None, None, None] => (Permutation::Spo, vec![]),
        };
        let index = self.triples(permutation);
        (index, index.range(&prefix))
    }

    /// The named graphs' quads that match. Quads that differ only in the graph are next to each other.
    pub fn matching_quads(&self, pattern: Bound) -> (Index<'_>, Range<usize>) {
        let (permutation, prefix) = match pattern {
            [Some(s), Some(p), Some(o)] => (QuadPermutation::Spog, vec![s, p, o]),
            [Some(s), Some(p), None] => (QuadPermutation::Spog, vec![s, p]),
            [Some(s), None, Some(o)] => (QuadPermutation::Ospg, vec![o, s]),
            [Some(s), None, None] => (QuadPermutation::Spog, vec![s]),
            [None, Some(p), Some(o)] => (QuadPermutation::Posg, vec![p, o]),
            [None, Some(p), None] => (QuadPermutation::Psog, vec![p]),
            [None, None, Some(o)] => (QuadPermutation::Ospg, vec![o]),
            [None, None, None] => (QuadPermutation::Spog, vec![]),
        };
        let index = self.quads(permutation);
        (index, index.range(&prefix))
    }

    /// The statements of all graphs with these components, the default graph's first.
    pub fn find<'a>(
        &'a self,
        subject: Option<TermRef<'_>>,
        predicate: Option<TermRef<'_>>,
        object: Option<TermRef<'_>>,
    ) -> impl Iterator<Item = Quad> + use<'a> {
        let mut pattern = Bound::default();
        let mut known = true;
        for (bound, part) in pattern.iter_mut().zip([subject, predicate, object]) {
            if let Some(part) = part {
                *bound = self.id(part);
                known &= bound.is_some();
            }
        }
        let found = known.then(|| [self.matching_triples(pattern), self.matching_quads(pattern)]);
        found.into_iter().flatten().flat_map(move |(index, rows)| self.statements(index, rows))
    }

    /// Whether any graph has a statement with these components.
    pub fn has(&self, pattern: Bound) -> bool {
        !self.matching_triples(pattern).1.is_empty() || !self.matching_quads(pattern).1.is_empty()
    }

    /// Whether this graph has this statement.
    pub fn has_statement(&self, [subject, predicate, object, graph]: Ids) -> bool {
        match graph.is_bound() {
            false => !self.triples(Permutation::Spo).range(&[subject, predicate, object]).is_empty(),
            true => !self.quads(QuadPermutation::Spog).range(&[subject, predicate, object, graph]).is_empty(),
        }
    }

    /// The ids of a statement, if the dataset has it.
    pub fn ids(&self, quad: QuadRef<'_>) -> Option<Ids> {
        let subject = self.id(quad.subject.into())?;
        let graph = match quad.graph_name {
            GraphNameRef::DefaultGraph => TermId::UNBOUND,
            GraphNameRef::NamedNode(node) => self.id(node.into())?,
            GraphNameRef::BlankNode(node) => self.id(node.into())?,
        };
        let ids = [subject, self.id(quad.predicate.into())?, self.id(quad.object)?, graph];
        self.has_statement(ids).then_some(ids)
    }

    /// The statements of all graphs with these components, as ids, the default graph's first.
    pub fn find_ids(&self, pattern: Bound) -> impl Iterator<Item = Ids> + use<'_> {
        let found = [self.matching_triples(pattern), self.matching_quads(pattern)];
        found.into_iter().flat_map(|(index, rows)| index.statements(rows))
    }

    /// The same statements, in the order in which they first stand in the files, where that is known.
    pub fn find_in_order(&self, pattern: Bound) -> Vec<Ids> {
        let mut found: Vec<Ids> = self.find_ids(pattern).collect();
        if found.len() > 1 {
            self.sort_by_origin(&mut found);
        }
        found
    }

    /// Decodes a statement; `None` where a damaged file has a term in a position where it cannot stand.
    pub fn statement(&self, [subject, predicate, object, graph]: Ids) -> Option<Quad> {
        self.quad(subject, predicate, object, graph.is_bound().then_some(graph))
    }

    /// Decodes these rows of an order as statements.
    pub(super) fn statements<'a>(
        &'a self,
        index: Index<'a>,
        rows: Range<usize>,
    ) -> impl Iterator<Item = Quad> + use<'a> {
        index.statements(rows).filter_map(|ids| self.statement(ids))
    }
}

/// So many statements or more are read in blocks: fewer cost less one by one.
const MANY: usize = 16;

impl<'a> Index<'a> {
    /// These rows as statements of ids.
    pub fn statements(self, rows: Range<usize>) -> impl Iterator<Item = Ids> + use<'a> {
        let index = self;
        let mut run = (TermId::UNBOUND, 0..0);
        let depths = if rows.len() < MANY { 0..0 } else { 1..index.width() };
        let mut blocks: Vec<Blocks<'a>> = depths.map(|depth| index.blocks(depth, rows.clone())).collect();
        rows.map(move |row| {
            if !run.1.contains(&row) {
                let key = index.key_at(row);
                run = (key, index.run(key));
            }
            let mut ids = [TermId::UNBOUND; 4];
            for (depth, component) in index.order().iter().enumerate() {
                ids[component.position()] = match depth {
                    0 => run.0,
                    _ => match blocks.get_mut(depth - 1).and_then(|blocks| blocks.id(row)) {
                        Some(id) => id,
                        None => index.id(depth, row),
                    },
                };
            }
            ids
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::{GraphName, Literal, NamedNode, Term};

    #[test]
    fn many_statements_are_those_that_are_read_one_by_one() {
        let node = |name: String| NamedNode::new_unchecked(format!("e:{name}"));
        let quads = (0..1000u32).flat_map(|n| {
            let [s, p, o] = [n % 70, n % 7, n % 300].map(|number| node(number.to_string()));
            [GraphName::DefaultGraph, node(format!("g{}", n % 3)).into()]
                .map(|g| Quad::new(s.clone(), p.clone(), o.clone(), g))
        });
        let snapshot = Snapshot::from_quads(quads).unwrap();
        for permutation in QuadPermutation::ALL {
            let index = snapshot.quads(permutation);
            let each = (0..index.len()).flat_map(|row| index.statements(row..row + 1));
            assert_eq!(
                index.statements(0..index.len()).collect::<Vec<_>>(),
                each.collect::<Vec<_>>(),
                "{permutation:?}"
            );
            let part = 5..index.len() - 130;
            let all: Vec<Ids> = index.statements(0..index.len()).collect();
            assert_eq!(index.statements(part.clone()).collect::<Vec<_>>(), all[part]);
        }
    }

    #[test]
    fn a_statement_is_found_in_its_own_graph_alone() {
        let node = |name: &str| NamedNode::new_unchecked(format!("e:{name}"));
        let quad = |object: &str, graph: GraphName| Quad::new(node("a"), node("p"), node(object), graph);
        let inside = [quad("b", GraphName::DefaultGraph), quad("c", node("g").into())];
        let snapshot = Snapshot::from_quads(inside.clone()).unwrap();
        for quad in &inside {
            let ids = snapshot.ids(quad.as_ref()).unwrap();
            assert_eq!(snapshot.statement(ids).as_ref(), Some(quad));
        }
        let outside = [quad("b", node("g").into()), quad("c", GraphName::DefaultGraph), quad("d", node("h").into())];
        assert!(outside.iter().all(|quad| snapshot.ids(quad.as_ref()).is_none()));
    }

    #[test]
    fn every_pattern_of_bound_places_finds_what_a_walk_finds() {
        let node = |name: &str| NamedNode::new_unchecked(format!("e:{name}"));
        let mut quads = Vec::new();
        for (s, p, o) in [("a", "p", "b"), ("a", "q", "b"), ("b", "p", "a"), ("b", "p", "b")] {
            quads.push(Quad::new(node(s), node(p), node(o), GraphName::DefaultGraph));
            quads.push(Quad::new(node(s), node(p), Literal::from(1), node("g")));
            quads.push(Quad::new(node(s), node(p), node(o), node("h")));
        }
        let snapshot = Snapshot::from_quads(quads.clone()).unwrap();
        let terms = ["a", "b", "p", "q", "absent"].map(|name| Some(Term::from(node(name))));
        let choices: Vec<Option<Term>> = std::iter::once(None).chain(terms).collect();
        for s in &choices {
            for p in &choices {
                for o in &choices {
                    let fits = |wanted: &Option<Term>, term: Term| wanted.as_ref().is_none_or(|w| *w == term);
                    let walked = quads.iter().filter(|q| {
                        fits(s, q.subject.clone().into())
                            && fits(p, q.predicate.clone().into())
                            && fits(o, q.object.clone())
                    });
                    let mut walked: Vec<String> = walked.map(ToString::to_string).collect();
                    let [s, p, o] = [s, p, o].map(|part| part.as_ref().map(Term::as_ref));
                    let mut found: Vec<String> = snapshot.find(s, p, o).map(|q| q.to_string()).collect();
                    walked.sort();
                    walked.dedup();
                    found.sort();
                    assert_eq!(found, walked, "{s:?} {p:?} {o:?}");
                }
            }
        }
    }
}
