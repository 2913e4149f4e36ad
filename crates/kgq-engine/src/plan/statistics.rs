//! What the planner knows about the data. It sees nothing else of them, so tests can make statistics up.

use super::{Graph, Scalar, Slot, TripleAtom, Var};
use crate::batch::Batch;
use crate::expression::{Candidates, compile};
use crate::operator::Context;
use crate::operator::access::{Lookup, Wish};
use kgq_snapshot::{Family, Permutation, Star, TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use std::ops::Range;

/// The matches of a triple pattern by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    pub rows: f64,
    /// The number of distinct ids at subject, predicate, object and graph. Exact in the default graph if only the
    /// predicate is a constant, or nothing is; otherwise estimates.
    pub distinct: [f64; 4],
}

/// The terms that a condition allows for a variable, as ranges of ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Restriction {
    pub ranges: Vec<Range<u32>>,
    /// Whether every term in them satisfies the condition.
    pub sure: bool,
}

/// A range that allows every term: the condition only benefits from the order of the ids.
pub const EVERY_ID: Range<u32> = 0..u32::MAX;

/// What the planner asks about the data.
pub trait Statistics {
    /// Returns the number of distinct terms in the data.
    fn terms(&self) -> u32;

    /// Counts the matches of the pattern with its variables free and different.
    fn count(&self, atom: &TripleAtom) -> Count;

    /// Returns the subjects of the default graph that have a predicate and all of the others; `None` if it is not known how many there are.
    fn star(&self, predicate: TermId, others: &[TermId]) -> Option<Star>;

    /// Whether all objects of the predicate in the default graph equal only themselves: nodes, or plain strings.
    fn objects_are_simple(&self, predicate: &Term) -> bool;

    /// Returns the names of the dataset's named graphs.
    fn named_graphs(&self) -> Vec<Term>;

    fn is_named_graph(&self, name: &Term) -> bool;

    /// Returns the terms that an expression over one variable allows for it, if ranges of ids can express them. With
    /// `search`, the dictionary may be searched for them; the answer is [`EVERY_ID`] if texts are tested, which are
    /// best read in the order of their ids.
    ///
    /// # Errors
    /// A limit that a constant part of the expression exceeds.
    fn restriction(&self, scalar: &Scalar, var: Var, search: bool) -> Result<Option<Restriction>>;
}

/// The statistics of a snapshot. Its indexes know how many rows a pattern has.
impl Statistics for Context<'_> {
    fn terms(&self) -> u32 {
        self.snapshot().term_count()
    }

    fn count(&self, atom: &TripleAtom) -> Count {
        let nothing = Count { rows: 0.0, distinct: [0.0; 4] };
        let wish = Wish { column: &|_| None, rank: &|_| 0, constants_first: true, first_key: None };
        // Where graphs cannot be merged, opening the plan fails too, and tells why.
        let Ok(access) = Lookup::new(atom, &wish).open(self) else { return nothing };
        let prefix: Vec<TermId> = access.prefix.iter().map(|key| key.of(&Batch::unit(0), 0)).collect();
        let rows = access.source.estimate(&prefix) as f64;
        if rows == 0.0 {
            return nothing;
        }
        let all = match &atom.graph {
            Graph::Default | Graph::Union | Graph::Merge(_) => self.snapshot().statistics(),
            Graph::Named(_) | Graph::Each(_) => self.snapshot().quad_statistics(),
        };
        let [s, p, o] = atom.slots;
        let (subjects, objects) = match p {
            Slot::Term(p) => {
                let of = all.predicate(p);
                (of.distinct_subjects as f64, of.distinct_objects as f64)
            }
            Slot::Var(_) => (all.distinct_subjects as f64, all.distinct_objects as f64),
        };
        let graphs = if atom.positions().1 == 4 { self.named_graphs.len() as f64 } else { 1.0 };
        let of = |slot: Slot, distinct: f64| match slot {
            Slot::Term(_) => 1.0,
            Slot::Var(_) => distinct.max(1.0).min(rows),
        };
        let predicates = all.distinct_predicates as f64;
        Count { rows, distinct: [of(s, subjects), of(p, predicates), of(o, objects), graphs.max(1.0).min(rows)] }
    }

    fn star(&self, predicate: TermId, others: &[TermId]) -> Option<Star> {
        self.snapshot().star(predicate, others)
    }

    /// Ids are sorted by family, so the first and the last object of the predicate decide.
    fn objects_are_simple(&self, predicate: &Term) -> bool {
        let snapshot = self.snapshot();
        let Some(predicate) = snapshot.id(predicate.as_ref()) else { return true };
        let index = snapshot.triples(Permutation::Pos);
        let rows = index.run(predicate);
        let Some(last) = rows.end.checked_sub(1).filter(|_| !rows.is_empty()) else { return true };
        let (first, last) = (index.id(1, rows.start), index.id(1, last));
        let strings = snapshot.family_range(Family::String);
        matches!(snapshot.kind(last), TermKind::BlankNode | TermKind::Iri)
            || strings.contains(&first.get()) && strings.contains(&last.get())
    }

    fn named_graphs(&self) -> Vec<Term> {
        self.named_graphs.iter().map(|name| self.terms().term(*name)).collect()
    }

    fn is_named_graph(&self, name: &Term) -> bool {
        let id = self.terms().find(name.as_ref());
        id.is_some_and(|id| self.named_graphs.binary_search(&id).is_ok())
    }

    fn restriction(&self, scalar: &Scalar, var: Var, search: bool) -> Result<Option<Restriction>> {
        let compiled = compile(&scalar.expression, &[var], &self.expressions)?;
        let candidates = compiled.as_ranges(!search, &self.expressions)?;
        Ok(match candidates {
            Some(Candidates { ranges, sure }) => Some(Restriction { ranges, sure }),
            None => {
                let ordered = search && compiled.reads_text();
                ordered.then(|| Restriction { ranges: vec![EVERY_ID], sure: false })
            }
        })
    }
}
