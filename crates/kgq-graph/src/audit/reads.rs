//! How an audit reads a snapshot: the statements about a node, in file order.

use kgq_snapshot::{Ids, Snapshot, TermId};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNodeRef, NamedOrBlankNode, Quad, Term, TermRef, Triple};
use rustc_hash::FxHashMap;

/// The statements of a snapshot, looked up by pattern.
pub(super) struct Reads<'a> {
    snapshot: &'a Snapshot,
    /// The ids of frequently used properties; `None` for one that the snapshot does not have.
    properties: FxHashMap<String, Option<TermId>>,
    reifies: Option<TermId>,
}

impl<'a> Reads<'a> {
    pub(super) fn new<'p>(snapshot: &'a Snapshot, properties: impl Iterator<Item = NamedNodeRef<'p>>) -> Self {
        let known = properties.map(|property| (property.as_str().to_owned(), snapshot.id(property.into())));
        Self { snapshot, properties: known.collect(), reifies: snapshot.id(rdf::REIFIES.into()) }
    }

    pub(super) fn id(&self, term: TermRef<'_>) -> Option<TermId> {
        self.snapshot.id(term)
    }

    pub(super) fn node(&self, node: &NamedOrBlankNode) -> Option<TermId> {
        self.snapshot.id(node.as_ref().into())
    }

    fn property(&self, property: NamedNodeRef<'_>) -> Option<TermId> {
        let known = self.properties.get(property.as_str()).copied();
        known.unwrap_or_else(|| self.snapshot.id(property.into()))
    }

    pub(super) fn term(&self, id: TermId) -> Term {
        self.snapshot.term(id)
    }

    /// Returns a term in subject position; `None` if a damaged file has something else there.
    pub(super) fn subject(&self, id: TermId) -> Option<NamedOrBlankNode> {
        as_subject(&self.snapshot.term(id))
    }

    pub(super) fn quad(&self, statement: Ids) -> Option<Quad> {
        self.snapshot.statement(statement)
    }

    /// The values of a property.
    pub(super) fn objects(&self, subject: TermId, property: NamedNodeRef<'_>) -> impl Iterator<Item = TermId> + use<> {
        let found = self.property(property).map(|property| [Some(subject), Some(property), None]);
        let found = found.map(|pattern| self.snapshot.find_in_order(pattern)).unwrap_or_default();
        found.into_iter().map(|[_, _, object, _]| object)
    }

    /// Returns the subjects that have this value.
    pub(super) fn subjects(&self, property: NamedNodeRef<'_>, object: TermId) -> impl Iterator<Item = TermId> + use<> {
        let found = self.property(property).map(|property| [None, Some(property), Some(object)]);
        let found = found.map(|pattern| self.snapshot.find_in_order(pattern)).unwrap_or_default();
        found.into_iter().map(|[subject, ..]| subject)
    }

    /// Returns all statements with a property.
    pub(super) fn all(&self, property: NamedNodeRef<'_>) -> Vec<Ids> {
        let pattern = self.property(property).map(|property| [None, Some(property), None]);
        pattern.map(|pattern| self.snapshot.find_in_order(pattern)).unwrap_or_default()
    }

    /// Like [`Self::all`], in no particular order and without collecting them.
    pub(super) fn each(&self, property: NamedNodeRef<'_>) -> impl Iterator<Item = Ids> {
        let pattern = self.property(property).map(|property| [None, Some(property), None]);
        pattern.into_iter().flat_map(|pattern| self.snapshot.find_ids(pattern))
    }

    /// Returns the statements about a node.
    pub(super) fn outgoing(&self, node: TermId) -> Vec<Quad> {
        let found = self.snapshot.find_in_order([Some(node), None, None]);
        found.into_iter().filter_map(|statement| self.quad(statement)).collect()
    }

    /// Whether a node has a value for the property.
    pub(super) fn has(&self, subject: TermId, property: NamedNodeRef<'_>) -> bool {
        self.property(property).is_some_and(|property| self.snapshot.has([Some(subject), Some(property), None]))
    }

    /// Whether a node is a value of the property.
    pub(super) fn is_value(&self, object: TermId, property: NamedNodeRef<'_>) -> bool {
        self.property(property).is_some_and(|property| self.snapshot.has([None, Some(property), Some(object)]))
    }

    /// Whether the triple is stated, in any graph.
    pub(super) fn holds(&self, triple: &Triple) -> bool {
        let [Some(subject), Some(predicate), Some(object)] = self.ids(triple) else { return false };
        self.snapshot.has([Some(subject), Some(predicate), Some(object)])
    }

    /// The triple's statements, one for each graph that has it.
    pub(super) fn of_triple(&self, triple: &Triple) -> impl Iterator<Item = Ids> + use<'a> {
        let ids = self.ids(triple);
        let known = ids.iter().all(Option::is_some).then_some(ids);
        let snapshot = self.snapshot;
        known.into_iter().flat_map(|pattern| snapshot.find_ids(pattern))
    }

    /// Returns the first file that has a statement.
    pub(super) fn file(&self, statement: Ids) -> Option<usize> {
        self.snapshot.origin(statement).map(|origin| origin.file)
    }

    fn ids(&self, triple: &Triple) -> [Option<TermId>; 3] {
        [self.node(&triple.subject), self.property(triple.predicate.as_ref()), self.id(triple.object.as_ref())]
    }

    /// Returns the triple that a reifier reifies, the first if there are several.
    pub(super) fn reified(&self, reifier: TermId) -> Option<TermId> {
        let pattern = [Some(reifier), Some(self.reifies?), None];
        let is_triple = |id: &TermId| self.snapshot.triple_components(*id).is_some();
        // Most nodes reify nothing: this avoids collecting a list for them.
        self.snapshot.has(pattern).then_some(())?;
        self.snapshot.find_in_order(pattern).into_iter().map(|[_, _, object, _]| object).find(is_triple)
    }

    pub(super) fn triple(&self, id: TermId) -> Option<Triple> {
        match self.snapshot.term(id) {
            Term::Triple(triple) => Some(*triple),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Literal(_) => None,
        }
    }
}

pub(super) fn as_subject(term: &Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(node) => Some(node.clone().into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}

/// The text of a literal.
pub(super) fn literal(term: &Term) -> Option<&str> {
    match term {
        Term::Literal(literal) => Some(literal.value()),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
    }
}
