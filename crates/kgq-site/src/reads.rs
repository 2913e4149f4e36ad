//! How a page reads the graph: what it shows is looked up in the snapshot, decoded once for the page, and dropped with it.

use elsa::FrozenMap;
use kgq_snapshot::{Bound, Ids, Snapshot, TermId, TermKind};
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, NamedOrBlankNodeRef, Quad, Term};
use rustc_hash::FxBuildHasher;

/// What was decoded for one page.
#[derive(Default)]
pub struct Decoded {
    /// What is said of a node.
    facts: FrozenMap<TermId, Vec<Quad>, FxBuildHasher>,
    /// The statements whose object a node is.
    incoming: FrozenMap<TermId, Vec<Ids>, FxBuildHasher>,
    statements: FrozenMap<Ids, Box<Quad>, FxBuildHasher>,
    nodes: FrozenMap<TermId, Box<NamedNode>, FxBuildHasher>,
}

/// Up to how many statements that are found together come in the order of the files. More come in the order of their ids: no page shows
/// so many, and looking up where each stands takes time.
pub const MOST_IN_ORDER: usize = 20_000;

/// A snapshot with what was decoded of it.
#[derive(Clone, Copy)]
pub struct Reads<'a> {
    pub snapshot: &'a Snapshot,
    pub decoded: &'a Decoded,
}

impl<'a> Reads<'a> {
    /// What is said of a node, in the order of the files.
    pub fn facts(self, subject: NamedOrBlankNodeRef<'_>) -> &'a [Quad] {
        self.snapshot.id(subject.into()).map_or(&[], |subject| self.facts_of(subject))
    }

    pub fn facts_of(self, subject: TermId) -> &'a [Quad] {
        if let Some(facts) = self.decoded.facts.get(&subject) {
            return facts;
        }
        let found = in_order(self.snapshot, [Some(subject), None, None]);
        let facts = found.into_iter().filter_map(|statement| self.snapshot.statement(statement)).collect();
        self.decoded.facts.insert(subject, facts)
    }

    pub fn facts_of_term(self, term: &Term) -> &'a [Quad] {
        match term {
            Term::NamedNode(node) => self.facts(node.into()),
            Term::BlankNode(node) => self.facts(node.into()),
            Term::Literal(_) | Term::Triple(_) => &[],
        }
    }

    /// The statements whose object a node is, in the order of the files.
    pub fn incoming(self, object: TermId) -> &'a [Ids] {
        let found = self.decoded.incoming.get(&object);
        found.unwrap_or_else(|| {
            self.decoded.incoming.insert(object, in_order(self.snapshot, [None, None, Some(object)]))
        })
    }

    /// One of the snapshot's statements. `None` only where the file is damaged.
    pub fn statement(self, statement: Ids) -> Option<&'a Quad> {
        if let Some(quad) = self.decoded.statements.get(&statement) {
            return Some(quad);
        }
        Some(self.decoded.statements.insert(statement, Box::new(self.snapshot.statement(statement)?)))
    }

    /// The IRI with an id.
    pub fn node(self, id: TermId) -> Option<&'a NamedNode> {
        if let Some(node) = self.decoded.nodes.get(&id) {
            return Some(node);
        }
        Some(self.decoded.nodes.insert(id, Box::new(node_of(self.snapshot, id)?)))
    }

    /// The statement of a thing with a name that a blank node is a part of, such as a class expression that it stands in.
    pub fn around(self, node: TermId) -> Option<Ids> {
        const FARTHEST: usize = 200;
        let mut around = self.incoming(node).first()?;
        for _ in 0..FARTHEST {
            match self.snapshot.kind(around[0]) {
                TermKind::BlankNode => around = self.incoming(around[0]).first()?,
                _ => return Some(*around),
            }
        }
        None
    }
}

/// The id of an IRI.
pub fn id_of(snapshot: &Snapshot, iri: &str) -> Option<TermId> {
    snapshot.id(NamedNodeRef::new_unchecked(iri).into())
}

/// The IRI with an id, if it is one of an IRI.
pub fn node_of(snapshot: &Snapshot, id: TermId) -> Option<NamedNode> {
    match snapshot.term(id) {
        Term::NamedNode(node) => Some(node),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    }
}

/// The IRIs with these ids.
pub fn nodes_of<'s>(snapshot: &'s Snapshot, ids: &'s [TermId]) -> impl Iterator<Item = NamedNode> + use<'s> {
    ids.iter().filter_map(|id| node_of(snapshot, *id))
}

/// The statements with these parts, in the order of the files.
pub fn in_order(snapshot: &Snapshot, pattern: Bound) -> Vec<Ids> {
    let mut found: Vec<Ids> = snapshot.find_ids(pattern).collect();
    sort(snapshot, &mut found);
    found
}

/// Puts statements into the order of the files, unless there are very many.
pub fn sort(snapshot: &Snapshot, statements: &mut [Ids]) {
    if (2..=MOST_IN_ORDER).contains(&statements.len()) {
        snapshot.sort_by_origin(statements);
    }
}
