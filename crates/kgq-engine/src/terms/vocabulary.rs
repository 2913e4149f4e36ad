//! The terms that a query computes, and how they are identified. Numbers are identified by their bits, so that the text
//! of a number is made only if it is read. Other terms lie as texts in a few large chunks, and the tables have many parts:
//! a query that computed millions of terms frees them at once, and never waits long for a table to grow.

use super::encoding;
use crate::expression::numbers::{self, units};
use crate::expression::value::{Moment, Number, Span, Value};
use hashbrown::HashTable;
use kgq_snapshot::{TermId, TermKind};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, Term, TermRef};
use oxrdf::vocab::xsd;
use oxsdatatypes::{Double, Float};
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// Bytes of a remembered number.
const NUMBER_BYTES: u64 = 2 * (size_of::<(NumberKey, TermId)>() as u64 + 1);
/// Bytes of an entry. A list or table that grows has up to twice the room that it needs.
const ENTRY_BYTES: u64 = 2 * size_of::<Entry>() as u64;
/// Bytes of a remembered text, in addition to its entry.
const TEXT_BYTES: u64 = 2 * (size_of::<Hashed>() as u64 + 1);
/// Most encoded terms fit in so many bytes.
const USUAL_BYTES: usize = 64;
const KEPT_BYTES: u64 = 2 * size_of::<Kept>() as u64;

/// Terms that the snapshot lacks, by id and by term.
#[derive(Debug)]
pub struct Vocabulary {
    /// The id of the first entry.
    first: u32,
    entries: Vec<Entry>,
    texts: Texts,
    kept: Vec<Kept>,
    /// All terms except numbers in their computed form.
    ids: Parts<Hashed>,
    /// Numbers in their computed form, including stored ones, so that they can be found without their texts.
    numbers: Parts<(NumberKey, TermId)>,
    held: Reservation,
}

/// An id, and half of the hash of its encoded term.
type Hashed = (u32, TermId);

/// No entry has an allocation of its own.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Number(NumberKey),
    Text(Place, Decoded),
}

/// What is known of the value of an encoded term.
#[derive(Clone, Copy, Debug)]
enum Decoded {
    Unknown,
    /// It is a number.
    Number,
    /// It is kept, at this place.
    Kept(u32),
}

/// A value that takes time to parse.
#[derive(Clone, Copy, Debug)]
enum Kept {
    Moment(Moment),
    Span(Span),
}

/// A number's type and bits; two keys are equal exactly if the numbers are the same term.
pub type NumberKey = (u8, u64, u64);

/// A term as it is looked for.
#[derive(Debug)]
pub struct Encoded {
    text: String,
    hash: u32,
}

impl Encoded {
    pub fn of(term: TermRef<'_>) -> Self {
        let mut text = String::with_capacity(USUAL_BYTES);
        encoding::encode(term, &mut text);
        let hash = (FxBuildHasher.hash_one(text.as_str()) >> 32) as u32;
        Self { text, hash }
    }
}

impl Vocabulary {
    /// An empty vocabulary, whose first term has this id.
    pub fn new(first: u32) -> Self {
        Self {
            first,
            entries: Vec::new(),
            texts: Texts::default(),
            kept: Vec::new(),
            ids: Parts::default(),
            numbers: Parts::default(),
            held: Reservation::default(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns all terms, in the order of their ids.
    pub fn terms(&self) -> impl Iterator<Item = Term> {
        self.entries.iter().map(|entry| self.decoded(*entry))
    }

    pub fn id_of_number(&self, key: NumberKey) -> Option<TermId> {
        Some(self.numbers.find(hash_of(&key), |(known, _)| *known == key)?.1)
    }

    /// Remembers a number that has no id yet, unless it is stored.
    pub fn add_number(&mut self, key: NumberKey, stored: Option<TermId>, budget: &Budget) -> Result<TermId> {
        self.held.grow(budget, NUMBER_BYTES)?;
        let id = match stored {
            Some(id) => id,
            None => self.push(Entry::Number(key), budget)?,
        };
        self.numbers.insert(hash_of(&key), (key, id), |(key, _)| hash_of(key));
        Ok(id)
    }

    pub fn id(&self, term: &Encoded) -> Option<TermId> {
        let is_it = |(hash, id): &Hashed| *hash == term.hash && self.encoded(*id) == Some(&term.text);
        Some(self.ids.find(spread(term.hash), is_it)?.1)
    }

    /// Remembers a term that has no id yet, with its value if it has one that is not just the text.
    pub fn add(&mut self, term: &Encoded, value: Option<&Value>, budget: &Budget) -> Result<TermId> {
        self.held.grow(budget, TEXT_BYTES)?;
        let place = self.texts.push(&term.text, &mut self.held, budget)?;
        let decoded = match value {
            Some(Value::Number(_)) => Decoded::Number,
            Some(Value::Moment(moment)) => self.keep(Kept::Moment(*moment), budget)?,
            Some(Value::Span(span)) => self.keep(Kept::Span(*span), budget)?,
            _ => Decoded::Unknown,
        };
        let id = self.push(Entry::Text(place, decoded), budget)?;
        self.ids.insert(spread(term.hash), (term.hash, id), |(hash, _)| spread(*hash));
        Ok(id)
    }

    fn keep(&mut self, value: Kept, budget: &Budget) -> Result<Decoded> {
        self.held.grow(budget, KEPT_BYTES)?;
        self.kept.push(value);
        // There are no more values than ids.
        Ok(Decoded::Kept(self.kept.len() as u32 - 1))
    }

    fn push(&mut self, entry: Entry, budget: &Budget) -> Result<TermId> {
        let id = u32::try_from(self.entries.len())
            .ok()
            .and_then(|n| self.first.checked_add(n))
            .map(TermId::new)
            .filter(|id| *id != TermId::UNBOUND)
            .ok_or_else(|| Error::limit("the query computes more different terms than 32 bits can number"))?;
        self.held.grow(budget, ENTRY_BYTES)?;
        self.entries.push(entry);
        Ok(id)
    }

    fn entry(&self, id: TermId) -> Option<Entry> {
        self.entries.get(id.get().checked_sub(self.first)? as usize).copied()
    }

    fn encoded(&self, id: TermId) -> Option<&str> {
        match self.entry(id)? {
            Entry::Number(_) => None,
            Entry::Text(place, _) => Some(self.texts.get(place)),
        }
    }

    fn decoded(&self, entry: Entry) -> Term {
        match entry {
            Entry::Number(key) => Value::Number(number_of(key)).into_term(),
            Entry::Text(place, _) => encoding::decode(self.texts.get(place)).unwrap_or_else(placeholder),
        }
    }

    /// Returns the term of an id; an empty string, if the id was never assigned.
    pub fn term(&self, id: TermId) -> Term {
        self.entry(id).map_or_else(placeholder, |entry| self.decoded(entry))
    }

    pub fn kind(&self, id: TermId) -> TermKind {
        self.encoded(id).map_or(TermKind::Literal, encoding::kind)
    }

    pub fn value(&self, id: TermId) -> Value {
        let kept = match self.entry(id) {
            Some(Entry::Number(key)) => return Value::Number(number_of(key)),
            Some(Entry::Text(_, Decoded::Kept(at))) => self.kept.get(at as usize),
            Some(Entry::Text(_, Decoded::Number | Decoded::Unknown)) | None => None,
        };
        match kept {
            Some(Kept::Moment(moment)) => Value::Moment(*moment),
            Some(Kept::Span(span)) => Value::Span(*span),
            None => Value::of(self.term(id)),
        }
    }

    /// Returns the number that an id was assigned to as a number.
    pub fn number(&self, id: TermId) -> Option<Number> {
        match self.entry(id)? {
            Entry::Number(key) => Some(number_of(key)),
            Entry::Text(_, Decoded::Number) => match self.value(id) {
                Value::Number(number) => Some(number),
                _ => None,
            },
            Entry::Text(_, Decoded::Kept(_) | Decoded::Unknown) => None,
        }
    }
}

/// Texts one after the other, in chunks that grow.
#[derive(Debug, Default)]
struct Texts(Vec<String>);

/// The chunk of a text, and where it lies there.
#[derive(Clone, Copy, Debug)]
struct Place {
    chunk: u32,
    start: u32,
    bytes: u32,
}

const FIRST_CHUNK: usize = 256;
const LARGEST_CHUNK: usize = 1 << 18;

impl Texts {
    fn push(&mut self, text: &str, held: &mut Reservation, budget: &Budget) -> Result<Place> {
        let room = self.0.last().map_or(0, |chunk| chunk.capacity() - chunk.len());
        if room < text.len() || self.0.is_empty() {
            let more = self.0.last().map_or(FIRST_CHUNK, |chunk| (chunk.capacity() * 2).min(LARGEST_CHUNK));
            let capacity = more.max(text.len());
            held.grow(budget, capacity as u64)?;
            self.0.push(String::with_capacity(capacity));
        }
        let number = |n: usize| u32::try_from(n).map_err(|_| Error::limit("a query computes a term of 4 GiB or more"));
        let chunks = self.0.len();
        let Some(chunk) = self.0.last_mut() else { return Err(Error::bug("a list of texts has no chunk")) };
        let place = Place { chunk: number(chunks - 1)?, start: number(chunk.len())?, bytes: number(text.len())? };
        chunk.push_str(text);
        Ok(place)
    }

    fn get(&self, place: Place) -> &str {
        let start = place.start as usize;
        &self.0[place.chunk as usize][start..start + place.bytes as usize]
    }
}

/// A hash table in parts, each of which grows alone and so takes little time for it.
#[derive(Debug)]
struct Parts<T>(Vec<HashTable<T>>);

const PARTS: u64 = 64;

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Parts<T> {
    /// A table uses the highest and the lowest bits of a hash, so its part depends on those in the middle.
    fn part(hash: u64) -> usize {
        (hash >> 32 & (PARTS - 1)) as usize
    }

    fn find(&self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&T> {
        self.0.get(Self::part(hash))?.find(hash, is_it)
    }

    fn insert(&mut self, hash: u64, entry: T, hash_of: impl Fn(&T) -> u64) {
        if self.0.is_empty() {
            self.0.resize_with(PARTS as usize, HashTable::new);
        }
        self.0[Self::part(hash)].insert_unique(hash, entry, hash_of);
    }
}

fn hash_of(key: &NumberKey) -> u64 {
    FxBuildHasher.hash_one(key)
}

/// A hash of 64 bits from the half of one that is kept.
fn spread(hash: u32) -> u64 {
    FxBuildHasher.hash_one(hash)
}

/// The term of an id that was never assigned.
fn placeholder() -> Term {
    Literal::new_simple_literal("").into()
}

/// Returns the number that a term denotes, if it is written in the computed form.
pub fn as_computed(term: &Term) -> Option<(NumberKey, Number)> {
    let Term::Literal(literal) = term else { return None };
    if !matches!(literal.datatype(), xsd::INTEGER | xsd::DECIMAL | xsd::FLOAT | xsd::DOUBLE) {
        return None;
    }
    let Value::Number(number) = Value::of_literal(literal.clone()) else { return None };
    let key = number_key(&number)?;
    (Value::Number(number.clone()).into_term() == *term).then_some((key, number))
}

/// `None` for a number with more bits, and for NaN, which has several bit patterns.
pub fn number_key(number: &Number) -> Option<NumberKey> {
    let (kind, bits) = match number {
        number if number.is_nan() => return None,
        Number::Wide(_) => return None,
        Number::Integer(n) => (INTEGER, i128::from(i64::from(*n))),
        Number::Decimal(n) => (DECIMAL, units(*n)),
        Number::Float(n) => (FLOAT, i128::from(u32::from_be_bytes(n.to_be_bytes()))),
        Number::Double(n) => (DOUBLE, i128::from(u64::from_be_bytes(n.to_be_bytes()))),
    };
    Some((kind, (bits >> 64) as u64, bits as u64))
}

const INTEGER: u8 = 0;
const DECIMAL: u8 = 1;
const FLOAT: u8 = 2;
const DOUBLE: u8 = 3;

/// Returns the number of a key.
fn number_of((kind, high, low): NumberKey) -> Number {
    match kind {
        INTEGER => Number::Integer((low as i64).into()),
        DECIMAL => Number::Decimal(numbers::decimal(i128::from(high as i64) << 64 | i128::from(low))),
        FLOAT => Number::Float(Float::from_be_bytes((low as u32).to_be_bytes())),
        _ => Number::Double(Double::from_be_bytes(low.to_be_bytes())),
    }
}
