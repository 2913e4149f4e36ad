//! Builds a snapshot in memory from statements that are already parsed.

use super::merge::Labels;
use super::run::Run;
use super::{QUADS, STATEMENTS_BETWEEN_CHECKS, TO_SORT_A_QUAD, TO_SORT_A_TRIPLE, TRIPLES};
use super::{merge, places, sort_in_memory, too_many_statements};
use crate::interner::Interner;
use crate::origins::Origins;
use crate::storage::Words;
use crate::store::Dataset;
use crate::{ContentKey, Snapshot};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Declared, Quad};

impl Snapshot {
    /// Builds a snapshot of these quads in memory.
    ///
    /// # Errors
    /// A limit, if there are more distinct terms or more statements than 32 bits can number.
    pub fn from_quads(quads: impl IntoIterator<Item = Quad>) -> Result<Self> {
        Self::from_quads_within(quads, &Budget::default())
    }

    /// Like [`Snapshot::from_quads`], within a budget.
    ///
    /// # Errors
    /// As for [`Snapshot::from_quads`], and the budget's.
    pub fn from_quads_within(quads: impl IntoIterator<Item = Quad>, budget: &Budget) -> Result<Self> {
        let quads = quads.into_iter().map(|quad| (0, quad));
        Self::of(quads, Declared::default(), ContentKey::default(), None, budget)
    }

    /// Like [`Snapshot::from_quads_within`], and records the order of the quads.
    ///
    /// # Errors
    /// As for [`Snapshot::from_quads_within`].
    pub fn from_quads_in_order(quads: &[Quad], budget: &Budget) -> Result<Self> {
        Self::from_walk_in_order(quads.iter().cloned(), quads.len(), budget)
    }

    /// The same of quads that are nowhere held; `most` says how many come at most.
    ///
    /// # Errors
    /// As for [`Snapshot::from_quads_within`].
    pub fn from_walk_in_order(quads: impl IntoIterator<Item = Quad>, most: usize, budget: &Budget) -> Result<Self> {
        let end = u32::try_from(most).map_err(|_| too_many_statements())?;
        let quads = (0..u32::MAX).zip(quads);
        Self::of(quads, Declared::default(), ContentKey::default(), Some([vec![0, end], vec![0]]), budget)
    }

    /// Builds a snapshot of a parsed dataset in memory, including its prefixes and where its statements stand in its files.
    ///
    /// # Errors
    /// As for [`Snapshot::from_quads_within`].
    pub fn from_dataset(dataset: &Dataset, budget: &Budget) -> Result<Self> {
        // The statements of each file are consecutive.
        let mut starts = vec![0; dataset.files.len() + 1];
        for (_, file) in dataset.quads_with_origin() {
            if let Some(next) = starts.get_mut(file + 1) {
                *next += 1;
            }
        }
        for file in 1..starts.len() {
            starts[file] += starts[file - 1];
        }
        let are_lines = vec![0; dataset.files.len()];
        let files = (!are_lines.is_empty()).then_some([starts, are_lines]);
        let quads = (0..u32::MAX).zip(dataset.quads().iter().cloned());
        let mut declared = Declared::default();
        (declared.prefixes, declared.contested) = (dataset.prefixes.clone(), dataset.contested.clone());
        Self::of(quads, declared, ContentKey::default(), files, budget)
    }

    /// Builds from statements with their places. The places count only if `files` gives where each file begins, and whether
    /// its places are lines.
    pub(super) fn of(
        quads: impl IntoIterator<Item = (u32, Quad)>,
        declared: Declared,
        key: ContentKey,
        files: Option<[Vec<u32>; 2]>,
        budget: &Budget,
    ) -> Result<Self> {
        let (mut interner, mut held) = (Interner::default(), Reservation::default());
        interner.begin(0, files.is_some());
        for (number, (place, quad)) in quads.into_iter().enumerate() {
            interner.place = place;
            if number.is_multiple_of(STATEMENTS_BETWEEN_CHECKS) {
                budget.check()?;
                held.resize(budget, interner.size() as u64)?;
            }
            interner.quad_in(quad.as_ref(), None)?;
        }
        held.resize(budget, interner.size() as u64)?;
        let mut runs = vec![Run::sort(interner, None, budget)?];
        let (dictionary, maps) = merge::merge(&mut runs, Labels::Keep, budget)?;
        let places = places::take(&mut runs, 1)?.map(|(_, places)| places);
        let (triple_places, quad_places) = places.unzip();
        let run = runs.pop().expect("there is one run");
        let bytes = run.triples.len() as u64 * TO_SORT_A_TRIPLE + run.quads.len() as u64 * TO_SORT_A_QUAD;
        let _held = budget.reserve(bytes)?;
        let (triples, triple_places) = sort_in_memory(vec![run.triples], triple_places, &maps, &TRIPLES, budget)?;
        let (quads, quad_places) = sort_in_memory(vec![run.quads], quad_places, &maps, &QUADS, budget)?;
        let origins = files.zip(triple_places).zip(quad_places).map(|((files, triples), quads)| {
            let [starts, are_lines] = files.map(Words::new);
            Origins { starts, are_lines, triples, quads }
        });
        Self::assemble(dictionary, triples, quads, (declared, key), origins, budget)
    }
}
