//! The statements of a snapshot as forms read them: about a node, of a class, reifying a triple, mentioning a node. They are looked up
//! by ids; what a form asks for is decoded once and kept with it, in the order of the files.

use elsa::FrozenMap;
use kgq_snapshot::{Ids, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::rdf::vocabulary::{prov, rdf};
use kgq_syntax::rdf::{BlankNode, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::OnceCell;

pub struct Statements<'g> {
    pub snapshot: &'g Snapshot,
    about: FrozenMap<TermId, Vec<Quad>>,
    /// The `rdf:reifies` statements of each triple.
    reifying: FrozenMap<TermId, Vec<Quad>>,
    /// For each blank node, the triple terms that it is in; made when first needed.
    within: OnceCell<FxHashMap<TermId, Vec<TermId>>>,
}

impl<'g> Statements<'g> {
    pub fn of(snapshot: &'g Snapshot) -> Self {
        Self { snapshot, about: FrozenMap::new(), reifying: FrozenMap::new(), within: OnceCell::new() }
    }

    /// The statements about a node.
    pub fn about(&self, node: &NamedOrBlankNode) -> &[Quad] {
        let Some(id) = self.snapshot.id(node.as_ref().into()) else { return &[] };
        match self.about.get(&id) {
            Some(known) => known,
            None => self.about.insert(id, self.decoded(self.snapshot.find_in_order([Some(id), None, None]))),
        }
    }

    /// The `rdf:reifies` statements for the triple of this statement.
    pub fn reifying(&self, statement: &Quad) -> &[Quad] {
        let triple = Term::from(Triple::from(statement.clone()));
        let ids = (self.snapshot.id(rdf::REIFIES.into()), self.snapshot.id(triple.as_ref()));
        let (Some(reifies), Some(triple)) = ids else { return &[] };
        match self.reifying.get(&triple) {
            Some(known) => known,
            None => {
                let found = self.snapshot.find_in_order([None, Some(reifies), Some(triple)]);
                self.reifying.insert(triple, self.decoded(found))
            }
        }
    }

    /// The statements that derive a node from a named thing, each with that thing.
    pub fn derivations(&self, node: &NamedOrBlankNode) -> impl Iterator<Item = (&Quad, &NamedNode)> {
        self.about(node).iter().filter_map(|quad| match &quad.object {
            Term::NamedNode(source) if quad.predicate.as_ref() == prov::WAS_DERIVED_FROM => Some((quad, source)),
            _ => None,
        })
    }

    /// The statements of a property with this value, in the order of the files.
    pub fn with_value(&self, property: NamedNodeRef<'_>, value: &NamedNode) -> Vec<Ids> {
        let ids = (self.snapshot.id(property.into()), self.snapshot.id(value.as_ref().into()));
        let (Some(property), Some(value)) = ids else { return Vec::new() };
        self.snapshot.find_in_order([None, Some(property), Some(value)])
    }

    /// All statements of a property, in no particular order.
    pub fn of_property(&self, property: &NamedNode) -> impl Iterator<Item = Ids> {
        let id = self.snapshot.id(property.as_ref().into());
        id.into_iter().flat_map(|id| self.snapshot.find_ids([None, Some(id), None]))
    }

    /// The statements that mention a blank node in another place than their subject, in no particular order.
    pub fn mentioning(&self, node: &BlankNode) -> Vec<Quad> {
        let Some(id) = self.snapshot.id(node.as_ref().into()) else { return Vec::new() };
        let triples = self.within.get_or_init(|| within(self.snapshot)).get(&id).into_iter().flatten().copied();
        let objects = std::iter::once(id).chain(triples);
        let mut found: Vec<Ids> =
            objects.flat_map(|object| self.snapshot.find_ids([None, None, Some(object)])).collect();
        let quads = self.snapshot.quads(QuadPermutation::Gspo);
        found.extend(quads.statements(quads.run(id)));
        found.retain(|[subject, ..]| *subject != id);
        self.decoded(found)
    }

    /// Those of the quads that there are, in the order of the files.
    pub fn in_order<'q>(&self, quads: impl IntoIterator<Item = &'q Quad>) -> Vec<Quad> {
        let ids: FxHashSet<Ids> = quads.into_iter().filter_map(|quad| self.snapshot.ids(quad.as_ref())).collect();
        let mut ids: Vec<Ids> = ids.into_iter().collect();
        self.snapshot.sort_by_origin(&mut ids);
        self.decoded(ids)
    }

    fn decoded(&self, found: Vec<Ids>) -> Vec<Quad> {
        found.into_iter().filter_map(|ids| self.snapshot.statement(ids)).collect()
    }
}

/// For each blank node, the triple terms that it is in, however deep.
fn within(snapshot: &Snapshot) -> FxHashMap<TermId, Vec<TermId>> {
    let mut within: FxHashMap<TermId, Vec<TermId>> = FxHashMap::default();
    for triple in snapshot.kind_range(TermKind::Triple).map(TermId::new) {
        let mut inner = Some(triple);
        while let Some([subject, _, object]) = inner.and_then(|inner| snapshot.triple_components(inner)) {
            for part in [subject, object] {
                if snapshot.kind(part) == TermKind::BlankNode {
                    within.entry(part).or_default().push(triple);
                }
            }
            inner = Some(object);
        }
    }
    within
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_snapshot::store::{Dataset, Input, ReadOptions};
    use kgq_syntax::budget::Budget;
    use kgq_syntax::rdf::RdfFormat;

    #[test]
    fn statements_are_found_by_what_they_are_about_and_by_what_they_mention() {
        let text = "PREFIX : <http://e/> :z :p _:n . _:n :p 1 ; :q _:n . :a :r << :a :p << :s :q _:n >> >> .
            :g { _:n :p :z } _:n { :z :p 1 } :a :p 2 .
            PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> :r rdf:reifies <<( :z :p 1 )>> .";
        let file = Input::bytes("g.trig", text.into(), RdfFormat::TriG);
        let dataset = Dataset::read(&[file], ReadOptions::default()).unwrap();
        let snapshot = Snapshot::from_dataset(&dataset, &Budget::default()).unwrap();
        let statements = Statements::of(&snapshot);
        let short = |quad: &Quad| quad.to_string().replace("http://e/", "");
        let node = |name: &str| NamedNode::new_unchecked(format!("http://e/{name}"));
        let blank = dataset.quads().iter().find_map(|quad| BlankNode::try_from(quad.object.clone()).ok()).unwrap();
        for about in [NamedOrBlankNode::from(blank.clone()), node("z").into(), node("none").into()] {
            let expected: Vec<Quad> = dataset.quads().iter().filter(|quad| quad.subject == about).cloned().collect();
            assert_eq!(statements.about(&about), expected);
        }
        let mut mentioning: Vec<String> = statements.mentioning(&blank).iter().map(short).collect();
        let mentions = |quad: &&Quad| {
            let is_in = kgq_syntax::rdf::blank::nodes_of(quad).contains(&blank);
            is_in && quad.subject != NamedOrBlankNode::from(blank.clone())
        };
        let mut expected: Vec<String> = dataset.quads().iter().filter(mentions).map(short).collect();
        mentioning.sort();
        expected.sort();
        assert!(expected.len() >= 3, "{expected:?}");
        assert_eq!(mentioning, expected);
        let one = Quad::new(
            node("z"),
            node("p"),
            kgq_syntax::rdf::Literal::from(1),
            kgq_syntax::rdf::GraphName::DefaultGraph,
        );
        assert_eq!(
            statements.reifying(&one).iter().map(|quad| quad.subject.to_string()).collect::<Vec<_>>(),
            ["<http://e/r>"]
        );
        let all: Vec<&Quad> = dataset.quads().iter().rev().collect();
        assert_eq!(statements.in_order(all), dataset.quads());
    }
}
