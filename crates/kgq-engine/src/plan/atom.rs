//! The patterns that read the data: triple patterns, closures of paths, triple terms. Their constants are terms or ids.

use super::Var;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use std::sync::Arc;

/// Maps constants to another representation, such as their ids.
pub trait Constants<T, U> {
    /// # Errors
    /// That there is no such representation, or a limit.
    fn map(&self, constant: &T) -> Result<U>;

    /// Maps many at once.
    ///
    /// # Errors
    /// Those of [`Self::map`].
    fn map_all(&self, constants: &[&T]) -> Result<Vec<U>> {
        constants.iter().map(|constant| self.map(constant)).collect()
    }
}

impl<T, U, F: Fn(&T) -> Result<U>> Constants<T, U> for F {
    fn map(&self, constant: &T) -> Result<U> {
        self(constant)
    }
}

/// A position of a triple pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot<T = TermId> {
    Var(Var),
    Term(T),
}

impl<T> Slot<T> {
    pub fn var(&self) -> Option<Var> {
        match self {
            Self::Var(var) => Some(*var),
            Self::Term(_) => None,
        }
    }

    pub fn term(self) -> Option<T> {
        match self {
            Self::Var(_) => None,
            Self::Term(term) => Some(term),
        }
    }

    fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<Slot<U>> {
        Ok(match self {
            Self::Var(var) => Slot::Var(*var),
            Self::Term(term) => Slot::Term(map.map(term)?),
        })
    }
}

fn slots<T, U>([s, p, o]: &[Slot<T>; 3], map: &dyn Constants<T, U>) -> Result<[Slot<U>; 3]> {
    Ok([s.map_terms(map)?, p.map_terms(map)?, o.map_terms(map)?])
}

/// The graph that a triple pattern is matched in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Graph<T = TermId> {
    /// The dataset's default graph, and nothing else.
    Default,
    Named(T),
    /// Every named graph in turn, bound to the variable.
    Each(Var),
    /// The merge of several graphs, without duplicates (SPARQL 1.1 §13.2.1); `None` is the default graph.
    Merge(Arc<[Option<T>]>),
    /// The merge of all graphs.
    Union,
}

impl<T> Graph<T> {
    /// Returns the variable that is bound to the graph's name.
    pub fn var(&self) -> Option<Var> {
        match self {
            Self::Each(var) => Some(*var),
            Self::Default | Self::Named(_) | Self::Merge(_) | Self::Union => None,
        }
    }

    /// Returns the graph with each constant mapped by `map`.
    ///
    /// # Errors
    /// Those of `map`.
    pub fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<Graph<U>> {
        Ok(match self {
            Self::Default => Graph::Default,
            Self::Named(name) => Graph::Named(map.map(name)?),
            Self::Each(var) => Graph::Each(*var),
            Self::Merge(graphs) => {
                let name = |name: &Option<T>| name.as_ref().map(|name| map.map(name)).transpose();
                Graph::Merge(graphs.iter().map(name).collect::<Result<_>>()?)
            }
            Self::Union => Graph::Union,
        })
    }
}

/// A triple pattern in a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct TripleAtom<T = TermId> {
    /// Subject, predicate, object.
    pub slots: [Slot<T>; 3],
    pub graph: Graph<T>,
}

impl TripleAtom {
    /// Subject, predicate, object and, where the graph is a variable or a constant name, the graph.
    pub fn positions(&self) -> ([Slot; 4], usize) {
        let [s, p, o] = self.slots;
        match self.graph {
            Graph::Default | Graph::Merge(_) | Graph::Union => ([s, p, o, o], 3),
            Graph::Named(graph) => ([s, p, o, Slot::Term(graph)], 4),
            Graph::Each(graph) => ([s, p, o, Slot::Var(graph)], 4),
        }
    }
}

impl<T> TripleAtom<T> {
    pub fn variables(&self) -> impl Iterator<Item = Var> {
        self.slots.iter().filter_map(Slot::var).chain(self.graph.var())
    }

    pub(super) fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<TripleAtom<U>> {
        Ok(TripleAtom { slots: slots(&self.slots, map)?, graph: self.graph.map_terms(map)? })
    }
}

/// How often a closure repeats its path (SPARQL 1.1 §9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    ZeroOrOne,
    ZeroOrMore,
    OneOrMore,
}

/// A property path inside a closure. Only the pairs matter there, not how often each is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path<T = TermId> {
    Predicate(T),
    Reverse(Box<Path<T>>),
    Sequence(Vec<Path<T>>),
    Alternative(Vec<Path<T>>),
    Closure(Repeat, Box<Path<T>>),
    /// A negated property set: any predicate but these.
    Not(Vec<T>),
}

/// `subject path+ object` and the like. Other paths are patterns: a sequence is a join, an alternative a union.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosureAtom<T = TermId> {
    pub subject: Slot<T>,
    pub repeat: Repeat,
    pub path: Arc<Path<T>>,
    pub object: Slot<T>,
    pub graph: Graph<T>,
}

/// Binds the three slots to the components of the triple term `triple` (RDF 1.2). `triple` must be bound before: the
/// term is taken apart, never searched for.
#[derive(Clone, Debug)]
pub struct TripleTermAtom<T = TermId> {
    pub triple: Var,
    pub slots: [Slot<T>; 3],
}

impl<T> Path<T> {
    /// Whether the path has a match of length zero.
    pub(crate) fn is_nullable(&self) -> bool {
        match self {
            Self::Predicate(_) | Self::Not(_) => false,
            Self::Reverse(path) | Self::Closure(Repeat::OneOrMore, path) => path.is_nullable(),
            Self::Sequence(paths) => paths.iter().all(Self::is_nullable),
            Self::Alternative(paths) => paths.iter().any(Self::is_nullable),
            Self::Closure(Repeat::ZeroOrOne | Repeat::ZeroOrMore, _) => true,
        }
    }

    pub(crate) fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<Path<U>> {
        let inside = |path: &Self| path.map_terms(map).map(Box::new);
        let all = |paths: &[Self]| paths.iter().map(|path| path.map_terms(map)).collect::<Result<Vec<_>>>();
        Ok(match self {
            Self::Predicate(term) => Path::Predicate(map.map(term)?),
            Self::Reverse(path) => Path::Reverse(inside(path)?),
            Self::Sequence(paths) => Path::Sequence(all(paths)?),
            Self::Alternative(paths) => Path::Alternative(all(paths)?),
            Self::Closure(repeat, path) => Path::Closure(*repeat, inside(path)?),
            Self::Not(terms) => Path::Not(terms.iter().map(|term| map.map(term)).collect::<Result<_>>()?),
        })
    }
}

impl<T> ClosureAtom<T> {
    /// Whether it has matches of length zero.
    pub fn is_nullable(&self) -> bool {
        self.repeat != Repeat::OneOrMore || self.path.is_nullable()
    }

    pub(super) fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<ClosureAtom<U>> {
        Ok(ClosureAtom {
            subject: self.subject.map_terms(map)?,
            repeat: self.repeat,
            path: Arc::new(self.path.map_terms(map)?),
            object: self.object.map_terms(map)?,
            graph: self.graph.map_terms(map)?,
        })
    }
}

impl<T> TripleTermAtom<T> {
    pub(super) fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<TripleTermAtom<U>> {
        Ok(TripleTermAtom { triple: self.triple, slots: slots(&self.slots, map)? })
    }
}
