//! Where statements are written: file, line and column.

use super::Graph;
use crate::check::{Places, TREE_TO_TEXT, outline, places_in_turtle};
use kgq_snapshot::store::Input;
use kgq_snapshot::{Ids, Origin, Snapshot, TermId};
use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{GraphName, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

/// Estimated bytes of memory per statement held as ids in a set, and then in a list.
const ALIKE_BYTES: u64 = 64;

impl Graph {
    /// Returns where these statements are written, in their order; `None` for statements from a saved snapshot. A
    /// statement in several files has its place in the first. In files with one statement per line only the lines in
    /// question are parsed; other files are parsed whole.
    ///
    /// # Errors
    /// Those of reading the files, and of the budget.
    pub(crate) fn places_of(&self, statements: &[Quad], budget: &Budget) -> Result<Vec<Option<Place>>> {
        let snapshot = self.snapshot()?;
        if !snapshot.has_origins() {
            return Ok(vec![None; statements.len()]);
        }
        let origins: Vec<Option<Origin>> =
            statements.iter().map(|quad| snapshot.origin(ids_of(quad, snapshot)?)).collect();
        let inputs = self.inputs()?;
        let mut places: Vec<Option<Place>> = vec![None; statements.len()];
        // Indices of the statements in each file.
        let mut by_file: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, origin) in origins.iter().enumerate() {
            if let Some(origin) = origin {
                by_file.entry(origin.file).or_default().push(number);
            }
        }
        for (file, numbers) in by_file {
            let Some(input) = inputs.get(file) else { continue };
            budget.check()?;
            let lines = numbers.iter().filter_map(|number| origins[*number]?.line);
            let lines = self.lines(input, lines.collect(), budget)?;
            let mut elsewhere = Vec::new();
            for number in numbers {
                let line = origins[number].and_then(|origin| Some((origin.line?, lines.get(&origin.line?)?)));
                places[number] = line.and_then(|(line, text)| in_line(input, line, text, &statements[number]));
                if places[number].is_none() {
                    elsewhere.push(number);
                }
            }
            if !elsewhere.is_empty() {
                let own: Vec<&Quad> = elsewhere.iter().map(|number| &statements[*number]).collect();
                for (number, place) in elsewhere.iter().zip(self.places_in(file, input, &own, budget)?) {
                    places[*number] = Some(place);
                }
            }
        }
        snapshot.intact()?;
        Ok(places)
    }

    /// Finds where statements are written in a file whose lines do not tell. Turtle is read piece by piece, and text is
    /// held only where a statement is not written as such. Other formats are parsed whole.
    fn places_in(&self, file: usize, input: &Input, statements: &[&Quad], budget: &Budget) -> Result<Vec<Place>> {
        let alike = alike(file, statements, self.snapshot()?, budget)?;
        let found = places_in_turtle(input, input.open(self.options.bounds)?, &alike, budget)?;
        // The places keep their room until the end.
        let (is_read_whole, (found, _room)) = (found.is_none(), found.unwrap_or_default());
        let triples: Vec<Triple> = statements.iter().map(|quad| Triple::from((*quad).clone())).collect();
        if triples.iter().all(|triple| found.contains_key(triple)) {
            return Ok(triples.iter().filter_map(|triple| found.get(triple).cloned()).collect());
        }
        let text = self.text(input)?;
        let _held = budget.reserve(text.len() as u64 * if is_read_whole { TREE_TO_TEXT } else { 1 })?;
        let places = Places::new(&input.name, text, Some(input).filter(|_| is_read_whole), &alike);
        let place = |triple: &Triple| {
            let exact = found.get(triple).cloned().or_else(|| places.statement(triple));
            let place = exact.or_else(|| places.subject(&triple.subject));
            place.unwrap_or_else(|| Place::new(&input.name, 1, 1))
        };
        Ok(triples.iter().map(place).collect())
    }

    /// Reads these lines of a file, numbered from 1.
    fn lines(&self, input: &Input, wanted: FxHashSet<usize>, budget: &Budget) -> Result<FxHashMap<usize, String>> {
        let mut found = FxHashMap::default();
        let Some(last) = wanted.iter().max() else { return Ok(found) };
        let mut reader = BufReader::with_capacity(1 << 16, input.open(self.options.bounds)?);
        let (mut line, steps) = (Vec::new(), Steps::new(budget));
        for number in 1..=*last {
            steps.take()?;
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(|error| Error::io(&input.name, &error))?;
            if wanted.contains(&number) {
                found.insert(number, String::from_utf8_lossy(&line).into_owned());
            }
        }
        Ok(found)
    }

    fn text(&self, input: &Input) -> Result<String> {
        let mut bytes = Vec::new();
        let read = input.open(self.options.bounds)?.read_to_end(&mut bytes);
        read.map_err(|error| Error::io(&input.name, &error))?;
        String::from_utf8(bytes).map_err(|_| Error::input(format!("{} is not UTF-8", input.name)))
    }
}

/// Finds a statement in its line; `None` if the line does not hold all of it.
fn in_line(input: &Input, line: usize, text: &str, quad: &Quad) -> Option<Place> {
    let places = Places::new(&input.name, text.to_owned(), Some(input), std::slice::from_ref(quad));
    let place = places.statement(&Triple::from(quad.clone()))?;
    Some(Place { line, ..place })
}

/// The statements of a file that equal one of these up to the names of blank nodes, in file order: only their order
/// tells which is which.
fn alike(file: usize, statements: &[&Quad], snapshot: &Snapshot, budget: &Budget) -> Result<Vec<Quad>> {
    let outlines: FxHashSet<Triple> = statements.iter().map(|quad| outline(quad)).collect();
    let pattern = |quad: &&Quad| {
        let subject = match &quad.subject {
            NamedOrBlankNode::NamedNode(node) => snapshot.id(node.as_ref().into()),
            NamedOrBlankNode::BlankNode(_) => None,
        };
        let object = match &quad.object {
            Term::NamedNode(_) | Term::Literal(_) => snapshot.id(quad.object.as_ref()),
            Term::BlankNode(_) | Term::Triple(_) => None,
        };
        [subject, snapshot.id(quad.predicate.as_ref().into()), object]
    };
    // Many statements may have the same pattern: each pattern is looked for once.
    let patterns: FxHashSet<[Option<TermId>; 3]> = statements.iter().map(pattern).collect();
    let (mut found, mut held): (FxHashSet<Ids>, _) = (FxHashSet::default(), Reservation::default());
    let steps = Steps::new(budget);
    for pattern in patterns {
        for ids in snapshot.find_ids(pattern) {
            steps.take()?;
            let is_like = |ids| snapshot.statement(ids).is_some_and(|quad| outlines.contains(&outline(&quad)));
            if snapshot.origin(ids).is_some_and(|origin| origin.file == file) && is_like(ids) && found.insert(ids) {
                held.grow(budget, ALIKE_BYTES)?;
            }
        }
    }
    let mut found: Vec<Ids> = found.into_iter().collect();
    snapshot.sort_by_origin(&mut found);
    Ok(found.into_iter().filter_map(|ids| snapshot.statement(ids)).collect())
}

/// The ids of a statement, if the snapshot has all its terms.
fn ids_of(quad: &Quad, snapshot: &Snapshot) -> Option<Ids> {
    let graph = match &quad.graph_name {
        GraphName::DefaultGraph => TermId::UNBOUND,
        GraphName::NamedNode(node) => snapshot.id(node.as_ref().into())?,
        GraphName::BlankNode(node) => snapshot.id(node.as_ref().into())?,
    };
    let subject = snapshot.id(quad.subject.as_ref().into())?;
    Some([subject, snapshot.id(quad.predicate.as_ref().into())?, snapshot.id(quad.object.as_ref())?, graph])
}
