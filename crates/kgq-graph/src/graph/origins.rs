//! Where statements are written: the file, line and column of each.

use super::Graph;
use crate::check::{Places, outline};
use kgq_snapshot::store::Input;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{Quad, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use std::io::Read;

/// The tree of a text takes about so many times its bytes.
const TREE_TO_TEXT: u64 = 16;

impl Graph {
    /// Where these statements are written, in their order; `None` of one from a saved snapshot. One that several files have is told of
    /// the first.
    ///
    /// # Errors
    /// Those of reading the files, and of the budget.
    pub fn places_of(&self, statements: &[Quad], budget: &Budget) -> Result<Vec<Option<Place>>> {
        if self.options.snapshot.is_some() {
            return Ok(vec![None; statements.len()]);
        }
        let wanted: FxHashSet<&Quad> = statements.iter().collect();
        let alike: FxHashSet<Triple> = statements.iter().map(outline).collect();
        let dataset = self.dataset()?;
        let mut file_of: FxHashMap<&Quad, usize> = FxHashMap::default();
        for (quad, file) in dataset.quads_with_origin() {
            if let Some(quad) = wanted.get(quad) {
                file_of.entry(*quad).or_insert(file);
            }
        }
        let inputs = self.inputs()?;
        let mut files: FxHashMap<usize, Places> = FxHashMap::default();
        for file in file_of.values() {
            if let (None, Some(input)) = (files.get(file), inputs.get(*file)) {
                budget.check()?;
                let text = self.text(input)?;
                let _tree = budget.reserve(text.len() as u64 * TREE_TO_TEXT)?;
                let quads =
                    dataset.quads_with_origin().filter(|(quad, own)| own == file && alike.contains(&outline(quad)));
                let quads: Vec<Quad> = quads.map(|(quad, _)| quad.clone()).collect();
                files.insert(*file, Places::new(&input.name, text, Some(input), &quads));
            }
        }
        let place = |quad: &Quad| {
            let file = file_of.get(quad)?;
            let places = files.get(file)?;
            let triple = Triple::from(quad.clone());
            let exact = places.statement(&triple).or_else(|| places.subject(&triple.subject));
            exact.or_else(|| Some(Place::new(&inputs.get(*file)?.name, 1, 1)))
        };
        Ok(statements.iter().map(place).collect())
    }

    fn text(&self, input: &Input) -> Result<String> {
        let mut bytes = Vec::new();
        let read = input.open(self.options.bounds)?.read_to_end(&mut bytes);
        read.map_err(|error| Error::io(&input.name, &error))?;
        String::from_utf8(bytes).map_err(|_| Error::input(format!("{} is not UTF-8", input.name)))
    }
}
