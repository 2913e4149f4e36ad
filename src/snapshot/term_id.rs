//! The number of a term. It says nothing about the term: the dictionary does.

/// A term's position among the sorted terms of its snapshot; above the snapshot's last term, a position in the
/// vocabulary of one answer. Equal ids are the same term (SPARQL 1.1 §17.4.1.8, `sameTerm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct TermId(u32);

impl TermId {
    /// Stands for "no term" in a column of bindings. No term has it.
    pub const UNBOUND: Self = Self(u32::MAX);

    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    pub const fn get(self) -> u32 {
        self.0
    }

    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub const fn is_bound(self) -> bool {
        self.0 != u32::MAX
    }
}
