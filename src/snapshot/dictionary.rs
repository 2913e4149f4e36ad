//! The sorted terms: from an id to its term and value, and back.

use super::TermId;
use super::file::{Reader, Writer};
use super::front_coding::{StringTable, StringTableBuilder, TableReader};
use super::interner::{self, Interner};
use super::storage::Words;
use super::value::{
    Family, LANGUAGE, LITERAL_FAMILIES, LiteralType, OTHER, STRING, Stored, TermKind, Value, WITH_VALUES,
    compare_stored, family_of,
};
use crate::error::Result;
use oxrdf::{
    BlankNode, BlankNodeRef, Literal, LiteralRef, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, TermRef, Triple,
    TripleRef,
};
use std::cmp::Ordering;
use std::ops::Range;

/// Words of an entry in the side table of values: a 128-bit payload, the literal's type, the zone.
const RECORD: usize = 6;

/// The sorted terms of a dataset.
///
/// Ids run through blank nodes in order of appearance, IRIs, literals by family, and triple terms by depth.
#[derive(Debug)]
pub(super) struct Dictionary {
    blanks: StringTable,
    /// The blank nodes sorted by label.
    blank_order: Words,
    iris: StringTable,
    /// The lexical forms of the literals.
    literals: StringTable,
    /// Where each family of literals starts among them, and where the last ends.
    families: [u32; LITERAL_FAMILIES + 1],
    /// A record for each literal of the families that have values.
    values: Words,
    /// For those literals, the first with an equal value: its distance from the first literal.
    ranks: Words,
    /// The types, sorted by their stored form.
    types: Vec<LiteralType>,
    /// Pairs of a literal and a type: from this literal on, as far as there are no records, all have this type.
    type_runs: Words,
    /// Three ids for each triple term.
    triples: Words,
    /// How many triple terms nest at most one deep, at most two, and so on.
    depths: Vec<u32>,
}

impl Dictionary {
    pub(super) fn len(&self) -> u32 {
        self.triple_start() + self.triple_count()
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<()> {
        self.blanks.write(writer)?;
        writer.words(&self.blank_order)?;
        self.iris.write(writer)?;
        self.literals.write(writer)?;
        writer.numbers(&self.families)?;
        writer.words(&self.values)?;
        writer.words(&self.ranks)?;
        let mut types = StringTableBuilder::default();
        self.types.iter().for_each(|t| types.push(t.text().as_bytes()));
        types.finish().write(writer)?;
        writer.words(&self.type_runs)?;
        writer.words(&self.triples)?;
        writer.numbers(&self.depths)
    }

    pub(super) fn read(reader: &mut Reader) -> Result<Self> {
        let blanks = StringTable::read(reader)?;
        let blank_order = reader.words_of(blanks.len() as usize)?;
        let iris = StringTable::read(reader)?;
        let literals = StringTable::read(reader)?;
        let families: [u32; LITERAL_FAMILIES + 1] = reader.array()?;
        let with_values = families[WITH_VALUES] as usize;
        let values = reader.words_of(with_values * RECORD)?;
        let ranks = reader.words_of(with_values)?;
        let stored_types = StringTable::read(reader)?;
        let mut text = Vec::new();
        let types: Option<Vec<LiteralType>> = (0..stored_types.len())
            .map(|i| {
                let found = stored_types.get(i, &mut text);
                LiteralType::parse(std::str::from_utf8(&text).ok().filter(|_| found)?)
            })
            .collect();
        let types = types.ok_or_else(|| reader.damaged())?;
        let type_runs = reader.words()?;
        let triples = reader.words()?;
        let depths = reader.numbers()?;
        let total = [blanks.len(), iris.len(), literals.len(), depths.last().copied().unwrap_or(0)];
        let sound = families.is_sorted()
            && families[0] == 0
            && families[LITERAL_FAMILIES] == literals.len()
            && depths.is_sorted()
            && triples.len() == total[3] as usize * 3
            && total.iter().try_fold(0u32, |sum, n| sum.checked_add(*n)).is_some();
        if !sound {
            return Err(reader.damaged());
        }
        Ok(Self { blanks, blank_order, iris, literals, families, values, ranks, types, type_runs, triples, depths })
    }

    fn iri_start(&self) -> u32 {
        self.blanks.len()
    }

    fn literal_start(&self) -> u32 {
        self.iri_start() + self.iris.len()
    }

    fn triple_start(&self) -> u32 {
        self.literal_start() + self.literals.len()
    }

    fn triple_count(&self) -> u32 {
        self.depths.last().copied().unwrap_or(0)
    }

    pub(super) fn kind_range(&self, kind: TermKind) -> Range<u32> {
        match kind {
            TermKind::BlankNode => 0..self.iri_start(),
            TermKind::Iri => self.iri_start()..self.literal_start(),
            TermKind::Literal => self.literal_start()..self.triple_start(),
            TermKind::Triple => self.triple_start()..self.len(),
        }
    }

    #[inline]
    pub(super) fn kind(&self, id: TermId) -> TermKind {
        let id = id.get();
        if id < self.iri_start() {
            TermKind::BlankNode
        } else if id < self.literal_start() {
            TermKind::Iri
        } else if id < self.triple_start() {
            TermKind::Literal
        } else {
            TermKind::Triple
        }
    }

    /// The family of a literal, as an index.
    #[inline]
    fn family_index(&self, literal: u32) -> usize {
        self.families[1..LITERAL_FAMILIES].iter().take_while(|start| **start <= literal).count()
    }

    /// The ids of a family's literals.
    pub(super) fn family_range(&self, family: Family) -> Range<u32> {
        let literals =
            |index: usize| self.literal_start() + self.families[index]..self.literal_start() + self.families[index + 1];
        match family {
            Family::BlankNode => self.kind_range(TermKind::BlankNode),
            Family::Iri => self.kind_range(TermKind::Iri),
            Family::Triple => self.kind_range(TermKind::Triple),
            Family::Boolean => literals(0),
            Family::Number => literals(1),
            Family::Float => literals(2),
            Family::Double => literals(3),
            Family::ZonedDateTime => literals(4),
            Family::LocalDateTime => literals(5),
            Family::ZonedDate => literals(6),
            Family::LocalDate => literals(7),
            Family::String => literals(STRING),
            Family::Other => literals(OTHER),
            Family::Language(literal_type) => {
                let range = self.run_of(LANGUAGE, literal_type);
                self.literal_start() + range.start..self.literal_start() + range.end
            }
        }
    }

    fn record(&self, literal: u32) -> (Stored, u32) {
        let at = literal as usize * RECORD;
        let words: [u32; RECORD] = std::array::from_fn(|i| self.values.get(at + i));
        let payload = words[..4].iter().rev().fold(0u128, |sum, w| sum << 32 | u128::from(*w));
        (Stored { payload: payload as i128, zone: words[5] as u16 }, words[4])
    }

    fn has_value(&self, literal: u32) -> bool {
        literal < self.families[WITH_VALUES]
    }

    fn type_index(&self, literal: u32) -> u32 {
        if self.has_value(literal) {
            return self.record(literal).1;
        }
        let runs = self.type_runs.len() / 2;
        let (mut low, mut high) = (0, runs);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.type_runs.get(middle * 2) <= literal { low = middle + 1 } else { high = middle }
        }
        if low == 0 { 0 } else { self.type_runs.get(low * 2 - 1) }
    }

    fn literal_type(&self, literal: u32) -> Option<&LiteralType> {
        self.types.get(self.type_index(literal) as usize)
    }

    /// The literals of a type within a family that has no values, which sorts by type.
    fn run_of(&self, family: usize, literal_type: u32) -> Range<u32> {
        let whole = self.families[family]..self.families[family + 1];
        let runs = self.type_runs.len() / 2;
        let start_of = |run: usize| if run < runs { self.type_runs.get(run * 2) } else { whole.end };
        let first =
            (0..runs).find(|run| whole.contains(&start_of(*run)) && self.type_runs.get(run * 2 + 1) == literal_type);
        match first {
            Some(run) => start_of(run)..start_of(run + 1).min(whole.end),
            None => whole.start..whole.start,
        }
    }

    pub(super) fn value(&self, id: TermId) -> Value {
        match self.kind(id) {
            TermKind::BlankNode => Value::BlankNode,
            TermKind::Iri => Value::Iri,
            TermKind::Triple => Value::Triple,
            TermKind::Literal => {
                let literal = id.get() - self.literal_start();
                if self.has_value(literal) {
                    let (stored, literal_type) = self.record(literal);
                    return self.types.get(literal_type as usize).map_or(Value::Other, |t| t.value(stored));
                }
                match self.family_index(literal) {
                    STRING => Value::String,
                    LANGUAGE => Value::LanguageString,
                    _ => {
                        let Some(literal_type) = self.literal_type(literal) else { return Value::Other };
                        let mut lexical = Vec::new();
                        self.literals.get(literal, &mut lexical);
                        literal_type.value_of_other(&String::from_utf8_lossy(&lexical))
                    }
                }
            }
        }
    }

    pub(super) fn value_rank(&self, id: TermId) -> (Family, u32) {
        match self.kind(id) {
            TermKind::BlankNode => (Family::BlankNode, id.get()),
            TermKind::Iri => (Family::Iri, id.get()),
            TermKind::Triple => (Family::Triple, id.get()),
            TermKind::Literal => {
                let literal = id.get() - self.literal_start();
                if self.has_value(literal) {
                    let rank = self.literal_start().saturating_add(self.ranks.get(literal as usize));
                    return (family_of(self.family_index(literal), 0), rank);
                }
                let family = match self.family_index(literal) {
                    LANGUAGE => Family::Language(self.type_index(literal)),
                    family => family_of(family, 0),
                };
                (family, id.get())
            }
        }
    }

    /// The ids of the terms whose value equals a literal's, and its family; where there are none, the empty range where they
    /// would be. `None` for a literal whose family has no order.
    pub(super) fn equal_range(&self, literal: LiteralRef<'_>) -> Option<(Family, Range<u32>)> {
        let mut text = String::new();
        LiteralType::write(literal, &mut text);
        let literal_type = LiteralType::parse(&text)?;
        let (family, stored) = literal_type.classify(literal.value());
        let offset = self.literal_start();
        if family < WITH_VALUES {
            let range = self.equal_values(family, stored);
            return Some((family_of(family, 0), offset + range.start..offset + range.end));
        }
        if family != STRING {
            return None;
        }
        let range = self.families[STRING]..self.families[STRING + 1];
        let mut lexical = Vec::new();
        let at = partition_point(range, |i| {
            self.literals.get(i, &mut lexical);
            lexical.as_slice() < literal.value().as_bytes()
        });
        let found = at < self.families[STRING + 1] && {
            self.literals.get(at, &mut lexical);
            lexical == literal.value().as_bytes()
        };
        Some((Family::String, offset + at..offset + at + u32::from(found)))
    }

    /// The literals of a family whose value equals this one.
    fn equal_values(&self, family: usize, stored: Stored) -> Range<u32> {
        let whole = self.families[family]..self.families[family + 1];
        let start =
            partition_point(whole.clone(), |i| compare_stored(family, self.record(i).0, stored) == Ordering::Less);
        let end =
            partition_point(start..whole.end, |i| compare_stored(family, self.record(i).0, stored) == Ordering::Equal);
        start..end
    }

    pub(super) fn triple_components(&self, id: TermId) -> Option<[TermId; 3]> {
        let at = id.get().checked_sub(self.triple_start())? as usize;
        if id.get() >= self.len() {
            return None;
        }
        let components = std::array::from_fn(|i| TermId::new(self.triples.get(at * 3 + i)));
        // A triple term stands after its components: what holds of a sound file also rules out cycles in a damaged one.
        components.iter().all(|c| *c < id).then_some(components)
    }

    /// The term of an id; `None` for an id that is none, or whose entry is damaged.
    pub(super) fn term(&self, id: TermId) -> Option<Term> {
        self.decoder().term(id)
    }

    pub(super) fn decoder(&self) -> Decoder<'_> {
        Decoder {
            dictionary: self,
            blanks: self.blanks.reader(),
            iris: self.iris.reader(),
            literals: self.literals.reader(),
        }
    }

    /// A literal's datatype, tag and direction without its lexical form.
    pub(super) fn type_of(&self, id: TermId) -> Option<&LiteralType> {
        matches!(self.kind(id), TermKind::Literal).then(|| self.literal_type(id.get() - self.literal_start()))?
    }

    /// Puts the text of a term that has one (a label, an IRI, a lexical form) into `out`. False for others.
    pub(super) fn text(&self, id: TermId, out: &mut Vec<u8>) -> bool {
        match self.kind(id) {
            TermKind::BlankNode => self.blanks.get(id.get(), out),
            TermKind::Iri => self.iris.get(id.get() - self.iri_start(), out),
            TermKind::Literal => self.literals.get(id.get() - self.literal_start(), out),
            TermKind::Triple => false,
        }
    }

    pub(super) fn id(&self, term: TermRef<'_>) -> Option<TermId> {
        let id = match term {
            TermRef::BlankNode(node) => self.blank_id(node)?,
            TermRef::NamedNode(node) => self.iri_id(node)?,
            TermRef::Literal(literal) => self.literal_id(literal)?,
            TermRef::Triple(triple) => self.triple_id(triple.as_ref())?.0,
        };
        Some(TermId::new(id))
    }

    fn blank_id(&self, node: BlankNodeRef<'_>) -> Option<u32> {
        let label = node.as_str().as_bytes();
        let mut text = Vec::new();
        let at = partition_point(0..self.blanks.len(), |i| {
            self.blanks.get(self.blank_order.get(i as usize), &mut text);
            text.as_slice() < label
        });
        let id = (at < self.blanks.len()).then(|| self.blank_order.get(at as usize))?;
        (self.blanks.get(id, &mut text) && text == label).then_some(id)
    }

    fn iri_id(&self, node: NamedNodeRef<'_>) -> Option<u32> {
        Some(self.iri_start() + self.iris.find(0..self.iris.len(), node.as_str().as_bytes())?)
    }

    fn literal_id(&self, literal: LiteralRef<'_>) -> Option<u32> {
        let mut text = String::new();
        LiteralType::write(literal, &mut text);
        let type_index = self.types.binary_search_by(|t| t.text().cmp(&text)).ok()? as u32;
        let (family, stored) = self.types[type_index as usize].classify(literal.value());
        let lexical = literal.value().as_bytes();
        let found = if family >= WITH_VALUES {
            self.literals.find(self.run_of(family, type_index), lexical)?
        } else {
            // Equal values sort by lexical form, then by type.
            let equal = self.equal_values(family, stored);
            let mut text = Vec::new();
            let at = partition_point(equal.clone(), |i| {
                self.literals.get(i, &mut text);
                (text.as_slice(), self.record(i).1) < (lexical, type_index)
            });
            let here = at < equal.end && self.literals.get(at, &mut text) && text == lexical;
            (here && self.record(at).1 == type_index).then_some(at)?
        };
        Some(self.literal_start() + found)
    }

    /// The id of a triple term and its depth.
    fn triple_id(&self, triple: TripleRef<'_>) -> Option<(u32, usize)> {
        let subject = self.id(triple.subject.into())?.get();
        let predicate = self.iri_id(triple.predicate)?;
        let (object, depth) = match triple.object {
            TermRef::Triple(inner) => self.triple_id(inner.as_ref())?,
            object => (self.id(object)?.get(), 0),
        };
        let start = if depth == 0 { 0 } else { *self.depths.get(depth - 1)? };
        let end = *self.depths.get(depth)?;
        let key = |i: u32| -> [u32; 3] { std::array::from_fn(|c| self.triples.get(i as usize * 3 + c)) };
        let target = [subject, predicate, object];
        let at = partition_point(start..end, |i| key(i) < target);
        (at < end && key(at) == target).then(|| (self.triple_start() + at, depth + 1))
    }

    /// A literal that stands for a damaged entry, so that readers need no second path; the snapshot reports the damage.
    pub(super) fn placeholder() -> Term {
        Literal::new_simple_literal("").into()
    }
}

/// Gives the terms of ids; of ascending ones faster than one by one.
pub struct Decoder<'a> {
    dictionary: &'a Dictionary,
    blanks: TableReader<'a>,
    iris: TableReader<'a>,
    literals: TableReader<'a>,
}

impl Decoder<'_> {
    /// The term of an id; `None` for an id that is none, or whose entry is damaged.
    pub fn term(&mut self, id: TermId) -> Option<Term> {
        fn text(bytes: Option<&[u8]>) -> Option<String> {
            std::str::from_utf8(bytes?).ok().map(str::to_owned)
        }
        let dictionary = self.dictionary;
        match dictionary.kind(id) {
            TermKind::BlankNode => Some(BlankNode::new_unchecked(text(self.blanks.get(id.get()))?).into()),
            TermKind::Iri => {
                let iri = text(self.iris.get(id.get() - dictionary.iri_start()))?;
                Some(NamedNode::new_unchecked(iri).into())
            }
            TermKind::Literal => {
                let literal = id.get() - dictionary.literal_start();
                let lexical = text(self.literals.get(literal))?;
                Some(dictionary.literal_type(literal)?.literal(lexical).into())
            }
            TermKind::Triple => {
                let [subject, predicate, object] = dictionary.triple_components(id)?;
                let subject = match self.term(subject)? {
                    Term::NamedNode(node) => NamedOrBlankNode::from(node),
                    Term::BlankNode(node) => node.into(),
                    Term::Literal(_) | Term::Triple(_) => return None,
                };
                let Term::NamedNode(predicate) = self.term(predicate)? else { return None };
                Some(Triple { subject, predicate, object: self.term(object)? }.into())
            }
        }
    }
}

fn partition_point(range: Range<u32>, mut before: impl FnMut(u32) -> bool) -> u32 {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Sorts interned terms: the dictionary, and for each term's number of appearance its id.
pub(super) fn sort(interner: &Interner) -> Result<(Dictionary, Vec<u32>)> {
    let terms = &interner.terms;
    let mut ids = vec![0; terms.len()];
    let (mut blanks, mut iris, mut literals, mut triples) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..terms.len() as u32 {
        match terms.get(number)[0] {
            interner::BLANK => blanks.push(number),
            interner::IRI => iris.push(number),
            interner::LITERAL => literals.push(number),
            _ => triples.push(number),
        }
    }
    let mut next = 0;
    let mut place = |number: u32| {
        ids[number as usize] = next;
        next += 1;
    };

    let mut table = StringTableBuilder::default();
    for number in &blanks {
        table.push(&terms.get(*number)[1..]);
        place(*number);
    }
    let mut blank_order: Vec<u32> = (0..blanks.len() as u32).collect();
    blank_order.sort_unstable_by_key(|i| &terms.get(blanks[*i as usize])[1..]);
    let blanks = table.finish();

    iris.sort_unstable_by_key(|n| &terms.get(*n)[1..]);
    let mut table = StringTableBuilder::default();
    for number in &iris {
        table.push(&terms.get(*number)[1..]);
        place(*number);
    }
    let iris = table.finish();

    let sorted_types = sort_types(interner);
    let mut entries: Vec<LiteralEntry<'_>> =
        literals.iter().map(|number| LiteralEntry::new(*number, &terms.get(*number)[1..], &sorted_types)).collect();
    entries.sort_unstable_by(LiteralEntry::compare);
    let mut table = StringTableBuilder::default();
    let mut families = [0; LITERAL_FAMILIES + 1];
    let (mut values, mut ranks, mut type_runs) = (Vec::new(), Vec::new(), Vec::<u32>::new());
    for (at, entry) in entries.iter().enumerate() {
        table.push(entry.lexical);
        place(entry.number);
        families[entry.family + 1] += 1;
        if entry.family < WITH_VALUES {
            let equals_last = at > 0
                && entries[at - 1].family == entry.family
                && compare_stored(entry.family, entries[at - 1].stored, entry.stored) == Ordering::Equal;
            ranks.push(if equals_last { ranks[at - 1] } else { at as u32 });
            let payload = entry.stored.payload as u128;
            values.extend([payload, payload >> 32, payload >> 64, payload >> 96].map(|w| w as u32));
            values.extend([entry.literal_type, u32::from(entry.stored.zone)]);
        } else if at == 0
            || entries[at - 1].family != entry.family
            || entries[at - 1].literal_type != entry.literal_type
        {
            type_runs.extend([at as u32, entry.literal_type]);
        }
    }
    for family in 0..LITERAL_FAMILIES {
        families[family + 1] += families[family];
    }
    let literals = table.finish();
    let (words, depths) = sort_triples(interner, &triples, &mut ids, next);
    let dictionary = Dictionary {
        blanks,
        blank_order: Words::new(blank_order),
        iris,
        literals,
        families,
        values: Words::new(values),
        ranks: Words::new(ranks),
        types: sorted_types.types,
        type_runs: Words::new(type_runs),
        triples: Words::new(words),
        depths,
    };
    Ok((dictionary, ids))
}

struct SortedTypes {
    types: Vec<LiteralType>,
    /// For each type's number of appearance, its position among the sorted.
    position: Vec<u32>,
}

fn sort_types(interner: &Interner) -> SortedTypes {
    let mut order: Vec<u32> = (0..interner.types.len() as u32).collect();
    order.sort_unstable_by_key(|n| interner.types.get(*n));
    let mut position = vec![0; order.len()];
    let types = order
        .iter()
        .enumerate()
        .map(|(at, number)| {
            position[*number as usize] = at as u32;
            let text = String::from_utf8_lossy(interner.types.get(*number));
            LiteralType::parse(&text).expect("the interner holds types as `LiteralType` writes them")
        })
        .collect();
    SortedTypes { types, position }
}

struct LiteralEntry<'a> {
    number: u32,
    family: usize,
    stored: Stored,
    literal_type: u32,
    lexical: &'a [u8],
}

impl<'a> LiteralEntry<'a> {
    fn new(number: u32, key: &'a [u8], types: &SortedTypes) -> Self {
        let (code, lexical) = key.split_at(4);
        let code = u32::from_le_bytes(code.try_into().expect("a literal's key starts with four bytes"));
        let literal_type = types.position[code as usize];
        let text = std::str::from_utf8(lexical).expect("the interner was given text");
        let (family, stored) = types.types[literal_type as usize].classify(text);
        Self { number, family, stored, literal_type, lexical }
    }

    /// Families with values sort by value, lexical form and type; the others by type and lexical form.
    fn compare(&self, other: &Self) -> Ordering {
        self.family.cmp(&other.family).then_with(|| {
            if self.family < WITH_VALUES {
                compare_stored(self.family, self.stored, other.stored)
                    .then_with(|| self.lexical.cmp(other.lexical))
                    .then_with(|| self.literal_type.cmp(&other.literal_type))
            } else {
                self.literal_type.cmp(&other.literal_type).then_with(|| self.lexical.cmp(other.lexical))
            }
        })
    }
}

/// Sorts the triple terms by depth, so that each stands after its components, then by these; fills in their ids.
fn sort_triples(interner: &Interner, numbers: &[u32], ids: &mut [u32], first: u32) -> (Vec<u32>, Vec<u32>) {
    let words_of = |number: u32| -> [u32; 4] {
        let key = &interner.terms.get(number)[1..];
        std::array::from_fn(|i| {
            u32::from_le_bytes(key[i * 4..i * 4 + 4].try_into().expect("a triple's key holds four words"))
        })
    };
    let mut by_depth: Vec<Vec<u32>> = Vec::new();
    for number in numbers {
        let depth = words_of(*number)[0] as usize;
        by_depth.resize_with(by_depth.len().max(depth), Vec::new);
        by_depth[depth - 1].push(*number);
    }
    let (mut words, mut depths) = (Vec::with_capacity(numbers.len() * 3), Vec::new());
    let mut next = first;
    for level in by_depth {
        let mut sorted: Vec<([u32; 3], u32)> = level
            .into_iter()
            .map(|number| {
                let [_, subject, predicate, object] = words_of(number);
                ([subject, predicate, object].map(|c| ids[c as usize]), number)
            })
            .collect();
        sorted.sort_unstable();
        for (components, number) in sorted {
            words.extend(components);
            ids[number as usize] = next;
            next += 1;
        }
        depths.push(next - first);
    }
    (words, depths)
}
