//! Ids of terms, and the orders in which statements are sorted.

/// What the engine joins, groups and compares: a term's position among the sorted terms of its snapshot, or, above the
/// snapshot's last term, a position in the vocabulary of one answer.
///
/// Equal ids mean the same term (SPARQL 1.1 §17.4.1.8, `sameTerm`). A snapshot's ids follow the order of
/// [`TermKind`](super::TermKind); within IRIs, the order of code points; within literals, family and value (see
/// [`Family`](super::Family)).
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermId(u32);

impl TermId {
    /// No term: what an unbound variable holds in a column of ids. Never the id of a stored term.
    pub const UNBOUND: Self = Self(u32::MAX);

    #[inline]
    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    #[inline]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The id as an index into a table with one entry per term.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    #[inline]
    pub const fn is_unbound(self) -> bool {
        self.0 == u32::MAX
    }

    #[inline]
    pub const fn is_bound(self) -> bool {
        self.0 != u32::MAX
    }
}

/// A component of a quad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    Subject,
    Predicate,
    Object,
    Graph,
}

use Component::{Graph, Object, Predicate, Subject};

/// An order of the default graph's triples. For every choice of bound components, one of these orders has them in front. The
/// orders by subject and object, and by object and predicate, are not stored: another order serves the same patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permutation {
    Spo,
    Pso,
    Pos,
    Osp,
}

impl Permutation {
    pub const ALL: [Self; 4] = [Self::Spo, Self::Pso, Self::Pos, Self::Osp];

    /// The components in the order of sorting.
    pub const fn order(self) -> [Component; 3] {
        match self {
            Self::Spo => [Subject, Predicate, Object],
            Self::Pso => [Predicate, Subject, Object],
            Self::Pos => [Predicate, Object, Subject],
            Self::Osp => [Object, Subject, Predicate],
        }
    }

    /// The same, to be kept.
    pub(super) const fn components(self) -> &'static [Component] {
        match self {
            Self::Spo => const { &Self::Spo.order() },
            Self::Pso => const { &Self::Pso.order() },
            Self::Pos => const { &Self::Pos.order() },
            Self::Osp => const { &Self::Osp.order() },
        }
    }

    /// The order of quads that sorts by the same components, and then by the graph.
    pub(crate) const fn with_graph_last(self) -> QuadPermutation {
        match self {
            Self::Spo => QuadPermutation::Spog,
            Self::Pso => QuadPermutation::Psog,
            Self::Pos => QuadPermutation::Posg,
            Self::Osp => QuadPermutation::Ospg,
        }
    }

    /// The permutation that sorts by these components, in this order; `None` if they are not the three of a triple.
    pub fn of(order: [Component; 3]) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.order() == order)
    }
}

/// An order of the named graphs' quads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuadPermutation {
    Spog,
    Psog,
    Posg,
    Ospg,
    Gspo,
    Gpos,
}

impl QuadPermutation {
    pub const ALL: [Self; 6] = [Self::Spog, Self::Psog, Self::Posg, Self::Ospg, Self::Gspo, Self::Gpos];

    /// The components in the order of sorting.
    pub const fn order(self) -> [Component; 4] {
        match self {
            Self::Spog => [Subject, Predicate, Object, Graph],
            Self::Psog => [Predicate, Subject, Object, Graph],
            Self::Posg => [Predicate, Object, Subject, Graph],
            Self::Ospg => [Object, Subject, Predicate, Graph],
            Self::Gspo => [Graph, Subject, Predicate, Object],
            Self::Gpos => [Graph, Predicate, Object, Subject],
        }
    }

    /// The permutation that sorts by these components, in this order; `None` if there is none.
    pub fn of(order: [Component; 4]) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.order() == order)
    }
}

impl Component {
    /// The position in a quad as written: subject, predicate, object, graph.
    #[inline]
    pub const fn position(self) -> usize {
        self as usize
    }
}
