//! A run: the statements that one thread has read, with their distinct terms sorted.

use super::spool::{Spool, Spooled, take, take_array, take_number};
use super::strings;
use crate::front_coding::shared_prefix;
use crate::interner::{self, Interner, Keys, Stretch};
use crate::value::{LiteralType, Stored, WITH_VALUES, compare_stored};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};
use std::cmp::Ordering;
use std::path::Path;

/// Sorted terms, and statements as numbers of terms. Numbers run through blank nodes, IRIs, literals and triple terms.
pub(super) struct Run {
    /// The counts of blank nodes, IRIs, literals and triple terms.
    pub(super) counts: [u32; 4],
    /// Sorted; literals refer to their type by its position here.
    pub(super) types: Vec<LiteralType>,
    blanks: Spool,
    iris: Spool,
    literals: Spool,
    /// By depth, then in order of appearance.
    pub(super) triple_terms: Vec<TripleTerm>,
    pub(super) triples: RunStatements<3>,
    pub(super) quads: RunStatements<4>,
    pub(super) places: Option<RunPlaces>,
}

/// The places of a run's statements.
pub(super) struct RunPlaces {
    pub(super) triples: RunStatements<1>,
    pub(super) quads: RunStatements<1>,
    pub(super) stretches: Vec<Stretch>,
}

pub(super) struct TripleTerm {
    pub(super) depth: u32,
    pub(super) components: [u32; 3],
}

/// Statements of a run.
pub(super) enum RunStatements<const WIDTH: usize> {
    Memory(Vec<[u32; WIDTH]>),
    Spooled(usize, Spool),
}

impl<const WIDTH: usize> RunStatements<WIDTH> {
    fn new(rows: Vec<[u32; WIDTH]>, folder: Option<&Path>) -> Result<Self> {
        if folder.is_none() || rows.is_empty() {
            return Ok(Self::Memory(rows));
        }
        let mut spool = Spool::new(folder)?;
        for row in &rows {
            row.iter().try_for_each(|word| spool.put(&word.to_ne_bytes()))?;
        }
        Ok(Self::Spooled(rows.len(), spool))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Memory(rows) => rows.len(),
            Self::Spooled(len, _) => *len,
        }
    }

    /// Calls the function with each row.
    pub(super) fn each(self, mut f: impl FnMut([u32; WIDTH]) -> Result<()>) -> Result<()> {
        let mut rows = self.read()?;
        while let Some(row) = rows.next()? {
            f(row)?;
        }
        Ok(())
    }

    /// The rows, one after the other.
    pub(super) fn read(self) -> Result<RowsToRead<WIDTH>> {
        Ok(match self {
            Self::Memory(rows) => RowsToRead::Memory(rows.into_iter()),
            Self::Spooled(len, spool) => RowsToRead::Spooled(len, spool.read()?),
        })
    }
}

/// A reader for the statements of a run.
pub(super) enum RowsToRead<const WIDTH: usize> {
    Memory(std::vec::IntoIter<[u32; WIDTH]>),
    Spooled(usize, Spooled),
}

impl<const WIDTH: usize> RowsToRead<WIDTH> {
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<[u32; WIDTH]>> {
        match self {
            Self::Memory(rows) => Ok(rows.next()),
            Self::Spooled(0, _) => Ok(None),
            Self::Spooled(left, from) => {
                *left -= 1;
                let mut row = [0; WIDTH];
                for word in &mut row {
                    *word = u32::from_ne_bytes(take_array(from)?);
                }
                Ok(Some(row))
            }
        }
    }
}

impl Run {
    /// Sorts the terms that a thread has interned; the result is in memory, or in files in a folder.
    pub(super) fn sort(interner: Interner, folder: Option<&Path>, budget: &Budget) -> Result<Self> {
        budget.check()?;
        let Interner { types, terms, blanks, mut triples, mut quads, places: stand, .. } = interner;
        let (types, type_positions) = sort_types(&types);
        let (mut iris, mut literals, mut triple_terms) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..terms.len() as u32 {
            match terms.get(number)[0] {
                interner::BLANK => {}
                interner::IRI => iris.push(number),
                interner::LITERAL => literals.push(number),
                _ => triple_terms.push(number),
            }
        }
        let counts = [blanks.len(), iris.len(), literals.len(), triple_terms.len()].map(|n| n as u32);
        // For each term, by order of appearance, its number in this run.
        let mut places = vec![0u32; terms.len()];
        let mut next = 0;
        let mut place = |number: u32| {
            places[number as usize] = next;
            next += 1;
        };

        let blanks = write_blanks(blanks, &terms, &mut place, folder, budget)?;
        strings::sort(&mut iris, |n| &terms.get(n)[1..], budget)?;
        let iris = write_iris(&iris, &terms, &mut place, folder, budget)?;
        let literals = write_literals(&literals, &terms, (&types, &type_positions), &mut place, folder, budget)?;
        // A triple term is met after its components, so within a depth the order of appearance suffices.
        triple_terms.sort_by_key(|number| triple_term(terms.get(*number)).depth);
        triple_terms.iter().for_each(|number| place(*number));
        let triple_terms = triple_terms
            .into_iter()
            .map(|number| {
                let term = triple_term(terms.get(number));
                TripleTerm { components: term.components.map(|c| places[c as usize]), ..term }
            })
            .collect();
        drop(terms);
        triples.iter_mut().flatten().for_each(|term| *term = places[*term as usize]);
        quads.iter_mut().flatten().for_each(|term| *term = places[*term as usize]);
        let (triples, quads) = (RunStatements::new(triples, folder)?, RunStatements::new(quads, folder)?);
        let places = stand.map(|stand| -> Result<RunPlaces> {
            let rows = |column: Vec<u32>| RunStatements::new(column.into_iter().map(|place| [place]).collect(), folder);
            Ok(RunPlaces { triples: rows(stand.triples)?, quads: rows(stand.quads)?, stretches: stand.stretches })
        });
        let places = places.transpose()?;
        Ok(Self { counts, types, blanks, iris, literals, triple_terms, triples, quads, places })
    }

    /// Takes the sorted terms out, for reading.
    pub(super) fn read_terms(&mut self) -> Result<RunTerms> {
        let take = |spool: &mut Spool| std::mem::replace(spool, Spool::Memory(Vec::new())).read();
        Ok(RunTerms {
            blanks: take(&mut self.blanks)?,
            iris: take(&mut self.iris)?,
            literals: take(&mut self.literals)?,
        })
    }
}

pub(super) struct RunTerms {
    pub(super) blanks: Spooled,
    pub(super) iris: Spooled,
    pub(super) literals: Spooled,
}

fn triple_term(key: &[u8]) -> TripleTerm {
    let word = |i: usize| {
        u32::from_le_bytes(key[1 + i * 4..5 + i * 4].try_into().expect("a triple term's key holds four words"))
    };
    TripleTerm { depth: word(0), components: [word(1), word(2), word(3)] }
}

fn sort_types(types: &Keys) -> (Vec<LiteralType>, Vec<u32>) {
    let mut order: Vec<u32> = (0..types.len() as u32).collect();
    order.sort_unstable_by_key(|n| types.get(*n));
    let mut positions = vec![0; order.len()];
    let sorted = order
        .iter()
        .enumerate()
        .map(|(at, number)| {
            positions[*number as usize] = at as u32;
            let text = String::from_utf8_lossy(types.get(*number));
            LiteralType::parse(&text).expect("the interner holds types as `LiteralType` writes them")
        })
        .collect();
    (sorted, positions)
}

fn write_blanks(
    mut blanks: Vec<(u32, u64)>,
    terms: &Keys,
    place: &mut impl FnMut(u32),
    folder: Option<&Path>,
    budget: &Budget,
) -> Result<Spool> {
    sort_by(&mut blanks, Piece::Small, |(a, _), (b, _)| terms.get(*a).cmp(terms.get(*b)), budget)?;
    let mut spool = Spool::new(folder)?;
    for (number, position) in blanks {
        let key = &terms.get(number)[1..];
        spool.put(&position.to_le_bytes())?;
        spool.put_number(key.len() as u64)?;
        spool.put(key)?;
        place(number);
    }
    Ok(spool)
}

fn write_iris(
    iris: &[u32],
    terms: &Keys,
    place: &mut impl FnMut(u32),
    folder: Option<&Path>,
    budget: &Budget,
) -> Result<Spool> {
    let mut spool = Spool::new(folder)?;
    let mut last: &[u8] = &[];
    for (at, number) in iris.iter().enumerate() {
        if at.is_multiple_of(TERMS_BETWEEN_CHECKS) {
            budget.check()?;
        }
        let iri = &terms.get(*number)[1..];
        put_string(&mut spool, last, iri)?;
        last = iri;
        place(*number);
    }
    Ok(spool)
}

/// Terms between two checks of the budget.
const TERMS_BETWEEN_CHECKS: usize = 1 << 16;

#[inline]
fn put_string(spool: &mut Spool, last: &[u8], string: &[u8]) -> Result<()> {
    let shared = shared_prefix(last, string);
    spool.put_number(shared as u64)?;
    spool.put_number((string.len() - shared) as u64)?;
    spool.put(&string[shared..])
}

/// Replaces the previous string by the next one.
#[inline]
pub(super) fn take_string(from: &mut Spooled, string: &mut Vec<u8>) -> Result<()> {
    let shared = take_number(from)? as usize;
    let length = take_number(from)? as usize;
    string.resize(shared + length, 0);
    take(from, &mut string[shared..])
}

#[derive(Clone, Copy)]
struct WithValue {
    number: u32,
    family: u8,
    literal_type: u32,
    stored: Stored,
}

fn write_literals(
    numbers: &[u32],
    terms: &Keys,
    (types, type_positions): (&[LiteralType], &[u32]),
    place: &mut impl FnMut(u32),
    folder: Option<&Path>,
    budget: &Budget,
) -> Result<Spool> {
    let lexical = |number: u32| &terms.get(number)[5..];
    let mut with_values: Vec<WithValue> = Vec::new();
    // Family, type and number, for the literals that are sorted by type and text.
    let mut others: Vec<(u8, u32, u32)> = Vec::new();
    for (at, number) in numbers.iter().enumerate() {
        if at.is_multiple_of(TERMS_BETWEEN_CHECKS) {
            budget.check()?;
        }
        let code = u32::from_le_bytes(
            terms.get(*number)[1..5].try_into().expect("a literal's key holds its type in four bytes"),
        );
        let literal_type = type_positions[code as usize];
        let text = std::str::from_utf8(lexical(*number)).expect("only text is interned");
        let (family, stored) = types[literal_type as usize].classify(text);
        if family < WITH_VALUES {
            with_values.push(WithValue { number: *number, family: family as u8, literal_type, stored });
        } else {
            others.push((family as u8, literal_type, *number));
        }
    }
    let compare = |a: &WithValue, b: &WithValue| {
        a.family
            .cmp(&b.family)
            .then_with(|| {
                let (a_value, b_value) = ((a.stored, || lexical(a.number)), (b.stored, || lexical(b.number)));
                compare_stored(a.family.into(), a_value, b_value)
            })
            .then_with(|| lexical(a.number).cmp(lexical(b.number)))
            .then_with(|| a.literal_type.cmp(&b.literal_type))
    };
    sort_by(&mut with_values, Piece::Small, compare, budget)?;
    let mut spool = Spool::new(folder)?;
    let mut last: &[u8] = &[];
    for (at, literal) in with_values.iter().enumerate() {
        if at.is_multiple_of(TERMS_BETWEEN_CHECKS) {
            budget.check()?;
        }
        spool.put(&[literal.family])?;
        spool.put_number(literal.literal_type.into())?;
        spool.put(&literal.stored.payload.to_le_bytes())?;
        spool.put(&literal.stored.zone.to_le_bytes())?;
        put_string(&mut spool, last, lexical(literal.number))?;
        last = lexical(literal.number);
        place(literal.number);
    }
    sort_by(&mut others, Piece::Large, |a, b| (a.0, a.1).cmp(&(b.0, b.1)), budget)?;
    for group in others.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let mut sorted: Vec<u32> = group.iter().map(|(_, _, number)| *number).collect();
        strings::sort(&mut sorted, lexical, budget)?;
        for (at, number) in sorted.into_iter().enumerate() {
            if at.is_multiple_of(TERMS_BETWEEN_CHECKS) {
                budget.check()?;
            }
            spool.put(&[group[0].0])?;
            spool.put_number(group[0].1.into())?;
            put_string(&mut spool, last, lexical(number))?;
            last = lexical(number);
            place(number);
        }
    }
    Ok(spool)
}

/// A literal in the form that a run stores.
#[derive(Default)]
pub(super) struct RunLiteral {
    pub(super) family: usize,
    pub(super) literal_type: u32,
    pub(super) stored: Stored,
    pub(super) lexical: Vec<u8>,
}

impl RunLiteral {
    /// Replaces the previous literal by the next one.
    pub(super) fn take(&mut self, from: &mut Spooled) -> Result<()> {
        let [family] = take_array(from)?;
        self.family = family.into();
        self.literal_type = take_number(from)? as u32;
        if self.family < WITH_VALUES {
            self.stored.payload = i128::from_le_bytes(take_array(from)?);
            self.stored.zone = u16::from_le_bytes(take_array(from)?);
        }
        take_string(from, &mut self.lexical)
    }

    /// Compares the values of two literals of the same family, which must be one with values.
    pub(super) fn compare_value(&self, other: &Self) -> Ordering {
        compare_stored(self.family, (self.stored, || &self.lexical), (other.stored, || &other.lexical))
    }

    /// The order of literals' ids; both must number the types alike.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.family.cmp(&other.family).then_with(|| {
            if self.family < WITH_VALUES {
                self.compare_value(other)
                    .then_with(|| self.lexical.cmp(&other.lexical))
                    .then_with(|| self.literal_type.cmp(&other.literal_type))
            } else {
                self.literal_type.cmp(&other.literal_type).then_with(|| self.lexical.cmp(&other.lexical))
            }
        })
    }
}
