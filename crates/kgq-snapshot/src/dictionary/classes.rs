//! Ranges of ids whose terms differ only in their text: a test of kind, datatype or language has the same result for all of
//! them.

use super::super::TermId;
use super::super::value::{Family, LANGUAGE, LITERAL_FAMILIES, STRING, TermKind, family_of};
use super::Dictionary;
use std::ops::Range;

/// Terms of one family with consecutive ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermClass {
    pub ids: Range<u32>,
    pub family: Family,
    /// Whether all have the same datatype, or the same language tag and direction, and are sorted by their text.
    pub uniform: bool,
}

/// Distinguishes the types of literals and the kinds of other terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeKey {
    kind: TermKind,
    literal_type: u32,
    /// False for ill-typed literals.
    has_value: bool,
}

impl Dictionary {
    /// All classes, in the order of their ids; none is empty.
    pub(in super::super) fn classes(&self) -> Vec<TermClass> {
        let mut classes = Vec::new();
        let mut push = |ids: Range<u32>, family, uniform| {
            if !ids.is_empty() {
                classes.push(TermClass { ids, family, uniform });
            }
        };
        push(self.kind_range(TermKind::BlankNode), Family::BlankNode, false);
        push(self.kind_range(TermKind::Iri), Family::Iri, true);
        let start = self.literal_start();
        for index in 0..LITERAL_FAMILIES {
            let whole = self.literals.families[index]..self.literals.families[index + 1];
            if index < STRING {
                push(start + whole.start..start + whole.end, family_of(index, 0), false);
                continue;
            }
            for (run, literal_type) in self.runs_in(whole) {
                let family = if index == LANGUAGE { Family::Language(literal_type) } else { family_of(index, 0) };
                push(start + run.start..start + run.end, family, true);
            }
        }
        push(self.kind_range(TermKind::Triple), Family::Triple, false);
        classes
    }

    /// The runs of literals of the same type in this range, which has no values; each run with its type.
    fn runs_in(&self, whole: Range<u32>) -> Vec<(Range<u32>, u32)> {
        let count = self.literals.type_runs.len() / 2;
        let mut runs: Vec<(Range<u32>, u32)> = Vec::new();
        for run in 0..count {
            let (at, literal_type) = (self.literals.type_runs.get(run * 2), self.literals.type_runs.get(run * 2 + 1));
            if !whole.contains(&at) {
                continue;
            }
            if let Some((last, _)) = runs.last_mut() {
                last.end = at.max(last.start);
            }
            runs.push((at..whole.end, literal_type));
        }
        // A sound table has a run at the start of each family. A damaged one may lack it; the damage is reported at the end
        // of the batch.
        if let Some((first, _)) = runs.first_mut() {
            first.start = whole.start;
        }
        runs
    }

    pub(in super::super) fn type_key(&self, id: TermId) -> TypeKey {
        let kind = self.kind(id);
        if kind != TermKind::Literal {
            return TypeKey { kind, literal_type: 0, has_value: false };
        }
        let literal = id.get() - self.literal_start();
        TypeKey { kind, literal_type: self.type_index(literal), has_value: self.has_value(literal) }
    }
}
