//! Reads files one after the other into one snapshot, so that a broken file does not hide the others; keeps their statements
//! as written, including repetitions.

use super::merge::{self, Labels};
use super::places;
use super::{
    QUADS, Run, TO_SORT_A_PLACE, TO_SORT_A_QUAD, TO_SORT_A_TRIPLE, TRIPLES, renumber, sort, too_many_statements,
};
use crate::interner::Interner;
use crate::origins::Origins;
use crate::storage::Words;
use crate::store::{Input, ReadOptions, read_each};
use crate::{ContentKey, Ids, Snapshot, TermId};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Declared, Prefixes};
use std::ops::Range;

/// Files being read.
#[derive(Default)]
pub struct Gathering {
    interner: Interner,
    held: Reservation,
    /// For each file, the number of its first statement.
    starts: Vec<u32>,
}

/// The result of reading the files.
#[derive(Debug)]
pub struct Gathered {
    /// Each statement once, with the place where it first stands.
    pub snapshot: Snapshot,
    statements: Vec<Ids>,
    starts: Vec<u32>,
    _held: Reservation,
}

/// Statements between two checks of the budget.
const STATEMENTS_BETWEEN_CHECKS: usize = 1 << 14;

impl Gathering {
    /// Reads the next file. If it is broken, none of its statements is kept.
    ///
    /// # Errors
    /// The first error in the file; a failure to read; the budget's.
    pub fn read(&mut self, input: &Input, options: ReadOptions<'_>) -> Result<Prefixes> {
        let file = self.starts.len() as u32;
        self.pass_over()?;
        let Self { interner, held, .. } = self;
        interner.begin(file, true);
        let (triples, quads) = (interner.triples.len(), interner.quads.len());
        let read = input.open(options.bounds).and_then(|text| {
            read_each(input, text, options, &mut |quad| {
                interner.place = u32::try_from(interner.statements()).map_err(|_| too_many_statements())?;
                interner.quad_in(quad.as_ref(), None)?;
                match options.budget.filter(|_| interner.statements().is_multiple_of(STATEMENTS_BETWEEN_CHECKS)) {
                    Some(budget) => held.resize(budget, interner.size() as u64),
                    None => Ok(()),
                }
            })
        });
        if read.is_err() {
            interner.truncate(triples, quads);
        }
        read
    }

    /// Counts a file without reading it.
    ///
    /// # Errors
    /// When there are more statements than can be numbered.
    pub fn pass_over(&mut self) -> Result<()> {
        self.starts.push(u32::try_from(self.interner.statements()).map_err(|_| too_many_statements())?);
        Ok(())
    }

    /// Makes the snapshot.
    ///
    /// # Errors
    /// A limit, if there are more distinct terms than 32 bits can number; the budget's.
    pub fn finish(self, budget: &Budget) -> Result<Gathered> {
        let Self { mut interner, mut held, mut starts } = self;
        interner.begin(0, true);
        let total = interner.statements();
        starts.push(u32::try_from(total).map_err(|_| too_many_statements())?);
        held.resize(budget, interner.size() as u64)?;
        let kept = budget.reserve((total * size_of::<Ids>()) as u64)?;
        let mut runs = vec![Run::sort(interner, None, budget)?];
        let (dictionary, maps) = merge::merge(&mut runs, Labels::Number, budget)?;
        // These places already count across all files.
        let places = places::as_they_are(&mut runs)?;
        let run = runs.pop().expect("there is one run");
        let bytes = run.triples.len() as u64 * (TO_SORT_A_TRIPLE + TO_SORT_A_PLACE)
            + run.quads.len() as u64 * (TO_SORT_A_QUAD + TO_SORT_A_PLACE);
        let _sorting = budget.reserve(bytes)?;
        let triples = renumber(vec![run.triples], &maps, budget)?;
        let quads = renumber(vec![run.quads], &maps, budget)?;
        let [triple_places, quad_places] = places;
        let mut statements = vec![[TermId::UNBOUND; 4]; total];
        for ([s, p, o], place) in triples.iter().zip(&triple_places) {
            statements[*place as usize] = [*s, *p, *o, u32::MAX].map(TermId::new);
        }
        for (ids, place) in quads.iter().zip(&quad_places) {
            statements[*place as usize] = ids.map(TermId::new);
        }
        let (triples, triple_places) = sort::in_memory(triples, Some(triple_places), &TRIPLES, budget)?;
        let (quads, quad_places) = sort::in_memory(quads, Some(quad_places), &QUADS, budget)?;
        let are_lines = Words::new(vec![0; starts.len() - 1]);
        let origins = triple_places.zip(quad_places).filter(|_| are_lines.len() > 0);
        let origins =
            origins.map(|(triples, quads)| Origins { starts: Words::new(starts.clone()), are_lines, triples, quads });
        let declared = (Declared::default(), ContentKey::default());
        let snapshot = Snapshot::assemble(dictionary, triples, quads, declared, origins, budget)?;
        Ok(Gathered { snapshot, statements, starts, _held: kept })
    }
}

impl Gathered {
    /// All statements of all files, as written.
    pub fn statements(&self) -> &[Ids] {
        &self.statements
    }

    /// The range of a file's statements among [`Gathered::statements`].
    pub fn of_file(&self, file: usize) -> Range<usize> {
        let start = |file: usize| self.starts.get(file).map_or(self.statements.len(), |start| *start as usize);
        start(file)..start(file + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::read;
    use kgq_syntax::rdf::RdfFormat;

    #[test]
    fn a_broken_file_leaves_nothing_and_hides_nothing() {
        let file = |name: &str, text: &str| Input::bytes(name, text.as_bytes().to_vec(), RdfFormat::TriG);
        let files = [
            file("a", "PREFIX : <http://e/> :s :p _:x . _:x :p 1 . :s :p _:x ."),
            file("b", "PREFIX : <http://e/> :lost :p 1 . nonsense"),
            file("c", "PREFIX : <http://e/> :g { _:x :p :s . :s :p 1 } :s :p 1 . :g { :s :p 1 }"),
        ];
        let mut gathering = Gathering::default();
        let options = ReadOptions::default();
        let whole: Vec<bool> = files.iter().map(|file| gathering.read(file, options).is_ok()).collect();
        assert_eq!(whole, [true, false, true]);
        let gathered = gathering.finish(&Budget::default()).unwrap();
        for (number, file) in files.iter().enumerate() {
            let own = &gathered.statements()[gathered.of_file(number)];
            let found: Vec<_> = own.iter().map(|ids| gathered.snapshot.statement(*ids).unwrap()).collect();
            let expected = read(file, number, options).map(|parsed| parsed.quads).unwrap_or_default();
            assert_eq!(found, expected);
        }
        assert_eq!((gathered.statements().len(), gathered.snapshot.len()), (7, 5));
        let first = |ids: &Ids| gathered.snapshot.origin(*ids).unwrap();
        let origins: Vec<_> = gathered.statements().iter().map(first).map(|o| (o.file, o.position)).collect();
        assert_eq!(origins, [(0, 0), (0, 1), (0, 0), (2, 0), (2, 1), (2, 2), (2, 1)]);
    }

    #[test]
    fn no_files_make_an_empty_snapshot() {
        let gathered = Gathering::default().finish(&Budget::default()).unwrap();
        assert!(gathered.snapshot.is_empty() && gathered.of_file(0).is_empty());
    }
}
