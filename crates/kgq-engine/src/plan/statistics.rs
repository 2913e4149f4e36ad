//! What the planner knows about the data. It sees nothing else of them, so tests can make statistics up.

use super::walks::{self, spread};
use super::{Graph, Path, Scalar, Slot, TripleAtom, Var, VarSet};
use crate::batch::Batch;
use crate::expression::{Candidates, compile};
use crate::operator::Context;
use crate::operator::access::{Lookup, Wish};
use crate::operator::source::Source;
use kgq_snapshot::{Family, Permutation, PredicateStatistics, Star, TermId, TermKind};
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

/// How many of some rows pass a condition, or at most do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selectivity {
    pub passed: f64,
    pub of: f64,
    /// Whether those rows are a sample of what there is.
    pub is_sample: bool,
}

impl Selectivity {
    /// The part that passes. Of a sample in which nothing passed, half a row is assumed to.
    pub fn part(self) -> f64 {
        let least = if self.is_sample { 0.5 } else { 0.0 };
        (self.passed.max(least) / self.of.max(1.0)).min(1.0)
    }
}

/// A range that allows every term: the condition only benefits from the order of the ids.
pub const EVERY_ID: Range<u32> = 0..u32::MAX;

/// What the planner asks about the data.
pub trait Statistics {
    /// Returns the number of distinct terms in the data.
    fn terms(&self) -> u32;

    /// Counts the matches of the pattern with its variables free and different.
    fn count(&self, atom: &TripleAtom) -> Count;

    /// Returns what is counted of each predicate of the default graph, in the order of their ids.
    fn predicates(&self) -> Vec<PredicateStatistics>;

    /// Returns the subjects of the default graph that have a predicate and all of the others; `None` if it is not known how many there are.
    fn star(&self, predicate: TermId, others: &[TermId]) -> Option<Star>;

    /// Whether all objects of the predicate in the default graph equal only themselves: nodes, or plain strings.
    fn objects_are_simple(&self, predicate: &Term) -> bool;

    /// Returns the names of the dataset's named graphs.
    fn named_graphs(&self) -> Vec<Term>;

    fn is_named_graph(&self, name: &Term) -> bool;

    /// Counts the matches of the pattern whose term for the variable is in one of the ranges of ids; `None` if that takes more than a few look-ups.
    fn count_within(&self, atom: &TripleAtom, var: Var, ranges: &[Range<u32>]) -> Option<f64>;

    /// Tries a condition on the variables of patterns on some of their matches, as if those of one had nothing to do with those of another. `None`
    /// if they cannot be had at once.
    ///
    /// # Errors
    /// A limit that evaluating the condition exceeds.
    fn sample(&self, scalar: &Scalar, atoms: &[TripleAtom]) -> Result<Option<Selectivity>>;

    /// Returns how many nodes walks along the path, repeated, reach: from the given node or, on average, from a node where it begins; from object to
    /// subject with `back`. `None` if it is not known.
    fn reach(&self, path: &Path, graph: &Graph, back: bool, from: Option<TermId>) -> Option<f64>;

    /// Returns the terms that an expression over one variable allows for it, if ranges of ids can express them. With
    /// `search`, the dictionary may be searched for them; the answer is [`EVERY_ID`] if texts are tested, which are
    /// best read in the order of their ids.
    ///
    /// # Errors
    /// A limit that a constant part of the expression exceeds.
    fn restriction(&self, scalar: &Scalar, var: Var, search: bool) -> Result<Option<Restriction>>;
}

/// So many matches of a pattern are tried.
const ROWS_TRIED: usize = 64;
/// Even: a multiple of it plus one, counted around, goes to each of that many matches once.
const ORDER_STEP: usize = 36;
/// More ranges of ids are not counted in the index, but tried.
const MOST_RANGES_COUNTED: usize = 16;

/// The matches of a pattern, where the index has them in one run, and no variable occurs twice.
struct MatchRun<'s> {
    source: Source<'s>,
    rows: Range<usize>,
    /// The variables, with their depth in the index.
    free: Vec<(Var, usize)>,
}

impl<'s> MatchRun<'s> {
    /// Opens them in the order in which variables of a smaller rank come first. Graphs are not merged for that.
    fn open(cx: &Context<'s>, atom: &TripleAtom, rank: impl Fn(Var) -> u8) -> Option<Self> {
        if matches!(atom.graph, Graph::Union | Graph::Merge(_)) {
            return None;
        }
        let wish = Wish { column: &|_| None, rank: &rank, constants_first: true, first_key: None };
        let lookup = Lookup::new(atom, &wish);
        if !lookup.checks.is_empty() {
            return None;
        }
        let source = lookup.open(cx).ok()?.source;
        let prefix: Vec<TermId> = lookup.prefix.iter().map(|key| key.of(&Batch::unit(0), 0)).collect();
        let rows = source.index().range(&prefix);
        Some(Self { source, rows, free: lookup.free })
    }
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

    fn predicates(&self) -> Vec<PredicateStatistics> {
        self.snapshot().statistics().predicates.clone()
    }

    fn star(&self, predicate: TermId, others: &[TermId]) -> Option<Star> {
        self.snapshot().star(predicate, others)
    }

    fn count_within(&self, atom: &TripleAtom, var: Var, ranges: &[Range<u32>]) -> Option<f64> {
        let matches = MatchRun::open(self, atom, |other| u8::from(other != var))?;
        let (_, depth) = *matches.free.first()?;
        if ranges.len() > MOST_RANGES_COUNTED {
            return None;
        }
        let index = matches.source.index();
        let before = |id: u32| match depth {
            0 => index.keys_in(id..u32::MAX).next().map_or(index.len(), |(_, run)| run.start),
            depth => index.seek(depth, matches.rows.clone(), TermId::new(id)),
        };
        let within = |range: &Range<u32>| before(range.end).saturating_sub(before(range.start));
        Some(ranges.iter().map(within).sum::<usize>() as f64)
    }

    fn sample(&self, scalar: &Scalar, atoms: &[TripleAtom]) -> Result<Option<Selectivity>> {
        let (mut vars, mut columns) = (Vec::new(), Vec::new());
        let mut is_sample = atoms.len() > 1;
        for (number, atom) in atoms.iter().enumerate() {
            let known: VarSet = vars.iter().copied().collect();
            let is_read = |var: Var| scalar.variables.contains(var) && !known.contains(var);
            // Sorted by what is tested, the sample has all of its range; but the first column cannot be read at any row in no time.
            let has_constant = atom.slots.iter().any(|slot| slot.var().is_none());
            let Some(matches) = MatchRun::open(self, atom, |var| u8::from(is_read(var) != has_constant)) else {
                return Ok(None);
            };
            let tried: Vec<usize> = spread(&matches.rows, ROWS_TRIED).collect();
            is_sample |= tried.len() < matches.rows.len();
            let count = if atoms.len() > 1 { ROWS_TRIED } else { tried.len() };
            for (var, depth) in matches.free.iter().copied().filter(|(var, _)| is_read(*var)) {
                if depth == 0 || tried.is_empty() {
                    return Ok(None);
                }
                vars.push(var);
                // Matches of different patterns are tried in different orders: any may stand beside any other.
                let row = |at: usize| tried[at * (number * ORDER_STEP + 1) % tried.len()];
                columns.push((0..count).map(|at| matches.source.index().id(depth, row(at))).collect());
            }
        }
        let Some(rows) = columns.first().map(Vec::len) else { return Ok(None) };
        let batch = Batch::new(columns, rows);
        let passed = compile(&scalar.expression, &vars, &self.expressions)?.count_passing(&batch, &self.expressions)?;
        Ok(Some(Selectivity { passed: passed as f64, of: rows as f64, is_sample }))
    }

    fn reach(&self, path: &Path, graph: &Graph, back: bool, from: Option<TermId>) -> Option<f64> {
        if matches!(graph, Graph::Default) { walks::reach(self.snapshot(), path, back, from) } else { None }
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
