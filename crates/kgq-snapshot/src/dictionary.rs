//! The sorted terms: from an id to its term and value, and from a term to its id.

mod classes;
mod columns;
mod search;

pub use classes::{TermClass, TypeKey};
pub use columns::Numbers;
pub use search::TextSearcher;

use super::TermId;
use super::file::{Reader, Writer};
use super::front_coding::{StringTable, StringTableBuilder, TableReader};
use super::storage::{Limit, Words};
use super::value::{
    Family, InlineValue, LANGUAGE, LITERAL_FAMILIES, LiteralType, OTHER, STRING, Stored, TermKind, WITH_VALUES,
    compare_stored, family_of,
};
use kgq_syntax::error::Result;
use oxrdf::{
    BlankNode, BlankNodeRef, Literal, LiteralRef, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, TermRef, Triple,
    TripleRef,
};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

/// Words per entry in the side table of values: a 128-bit payload, the literal's type, the zone.
pub(super) const RECORD: usize = 6;

/// The sorted terms of a dataset.
///
/// Ids number the blank nodes in order of appearance, then IRIs, then literals by family, then triple terms by depth.
#[derive(Debug)]
pub(super) struct Dictionary {
    blanks: StringTable,
    /// The blank nodes sorted by label.
    blank_order: Words,
    iris: StringTable,
    literals: Literals,
    /// Three ids for each triple term.
    triples: Words,
    /// The number of triple terms that nest at most one deep, at most two deep, and so on.
    depths: Vec<u32>,
}

/// The literals, sorted by family.
#[derive(Debug)]
pub(super) struct Literals {
    /// The lexical forms.
    pub(super) forms: StringTable,
    /// Where each family starts, and where the last ends.
    pub(super) families: [u32; LITERAL_FAMILIES + 1],
    /// A record for each literal whose family has values.
    pub(super) values: Words,
    /// For each of these literals, the first one with an equal value, as an offset from the first literal.
    pub(super) ranks: Words,
    /// The types, sorted by their stored form.
    pub(super) types: Vec<LiteralType>,
    /// Pairs of a literal and a type. Literals without records have the type of the last pair at or before them.
    pub(super) type_runs: Words,
}

impl Dictionary {
    pub(super) fn new(
        blanks: StringTable,
        blank_order: Words,
        iris: StringTable,
        literals: Literals,
        triples: Words,
        depths: Vec<u32>,
    ) -> Self {
        Self { blanks, blank_order, iris, literals, triples, depths }
    }

    pub(super) fn len(&self) -> u32 {
        self.triple_start() + self.triple_count()
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<()> {
        self.blanks.write(writer)?;
        writer.words(&self.blank_order)?;
        self.iris.write(writer)?;
        self.literals.forms.write(writer)?;
        writer.numbers(&self.literals.families)?;
        writer.words(&self.literals.values)?;
        writer.words(&self.literals.ranks)?;
        let mut types = StringTableBuilder::default();
        self.literals.types.iter().try_for_each(|t| types.push(t.text().as_bytes()))?;
        types.finish().write(writer)?;
        writer.words(&self.literals.type_runs)?;
        writer.words(&self.triples)?;
        writer.numbers(&self.depths)
    }

    pub(super) fn read(reader: &mut Reader) -> Result<Self> {
        let blanks = StringTable::read(reader)?;
        let blank_order = reader.words_of(blanks.len() as usize)?;
        let iris = StringTable::read(reader)?;
        let forms = StringTable::read(reader)?;
        let families: [u32; LITERAL_FAMILIES + 1] = reader.numbers_of()?;
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
        let total = [blanks.len(), iris.len(), forms.len(), depths.last().copied().unwrap_or(0)];
        let sound = families.is_sorted()
            && families[0] == 0
            && families[LITERAL_FAMILIES] == forms.len()
            && depths.is_sorted()
            && triples.len() == total[3] as usize * 3
            && total.iter().try_fold(0u32, |sum, n| sum.checked_add(*n)).is_some();
        if !sound {
            return Err(reader.damaged());
        }
        let literals = Literals { forms, families, values, ranks, types, type_runs };
        Ok(Self { blanks, blank_order, iris, literals, triples, depths })
    }

    /// The values that the tables of a file may hold.
    pub(super) fn limits(&self) -> Vec<Limit> {
        let literals = u64::from(self.literals.forms.len());
        let limits = [
            self.blank_order.limit(u64::from(self.blanks.len()), false),
            self.literals.ranks.limit(literals, false),
            self.triples.limit(u64::from(self.len()), false),
        ];
        limits.into_iter().flatten().collect()
    }

    fn iri_start(&self) -> u32 {
        self.blanks.len()
    }

    fn literal_start(&self) -> u32 {
        self.iri_start() + self.iris.len()
    }

    fn triple_start(&self) -> u32 {
        self.literal_start() + self.literals.forms.len()
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

    /// Whether it is a string, with a language or without: their families stand side by side.
    #[inline]
    pub(super) fn is_string(&self, id: TermId) -> bool {
        let strings = self.literals.families[STRING]..self.literals.families[LANGUAGE + 1];
        id.get().checked_sub(self.literal_start()).is_some_and(|literal| strings.contains(&literal))
    }

    /// The family of a literal, as an index.
    #[inline]
    fn family_index(&self, literal: u32) -> usize {
        self.literals.families[1..LITERAL_FAMILIES].iter().take_while(|start| **start <= literal).count()
    }

    /// The ids of a family's literals.
    pub(super) fn family_range(&self, family: Family) -> Range<u32> {
        let literals = |index: usize| {
            self.literal_start() + self.literals.families[index]
                ..self.literal_start() + self.literals.families[index + 1]
        };
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

    #[inline]
    fn record(&self, literal: u32) -> (Stored, u32) {
        let at = literal as usize * RECORD;
        let words = self.literals.values.slice(at..at + RECORD).first_chunk::<RECORD>().copied().unwrap_or_default();
        let payload = words[..4].iter().rev().fold(0u128, |sum, w| sum << 32 | u128::from(*w));
        (Stored { payload: payload as i128, zone: words[5] as u16 }, words[4])
    }

    fn has_value(&self, literal: u32) -> bool {
        literal < self.literals.families[WITH_VALUES]
    }

    fn type_index(&self, literal: u32) -> u32 {
        if self.has_value(literal) { self.record(literal).1 } else { self.type_run(literal).1 }
    }

    /// The literals without values that have the type of this one and stand next to it, and the type.
    fn type_run(&self, literal: u32) -> (Range<u32>, u32) {
        let starts = &self.literals.type_runs;
        let runs = starts.len() / 2;
        let (mut low, mut high) = (0, runs);
        while low < high {
            let middle = usize::midpoint(low, high);
            if starts.get(middle * 2) <= literal { low = middle + 1 } else { high = middle }
        }
        let (start, index) = if low == 0 { (0, 0) } else { (starts.get(low * 2 - 2), starts.get(low * 2 - 1)) };
        (start..if low < runs { starts.get(low * 2) } else { u32::MAX }, index)
    }

    fn literal_type(&self, literal: u32) -> Option<&LiteralType> {
        self.literals.types.get(self.type_index(literal) as usize)
    }

    /// The literals of one type in a family without values; such a family is sorted by type.
    fn run_of(&self, family: usize, literal_type: u32) -> Range<u32> {
        let whole = self.literals.families[family]..self.literals.families[family + 1];
        let runs = self.literals.type_runs.len() / 2;
        let key = |run: u32| {
            let at = run as usize * 2;
            (self.literals.type_runs.get(at), self.literals.type_runs.get(at + 1))
        };
        let first = partition_point(0..runs as u32, |run| key(run).0 < whole.start);
        let end = partition_point(first..runs as u32, |run| key(run).0 < whole.end);
        let run = partition_point(first..end, |run| key(run).1 < literal_type);
        if run == end || key(run).1 != literal_type {
            return whole.start..whole.start;
        }
        let next = if run + 1 < end { key(run + 1).0 } else { whole.end };
        key(run).0..next.max(key(run).0)
    }

    pub(super) fn value(&self, id: TermId) -> InlineValue {
        match self.kind(id) {
            TermKind::BlankNode => InlineValue::BlankNode,
            TermKind::Iri => InlineValue::Iri,
            TermKind::Triple => InlineValue::Triple,
            TermKind::Literal => {
                let literal = id.get() - self.literal_start();
                if self.has_value(literal) {
                    let (stored, literal_type) = self.record(literal);
                    return self
                        .literals
                        .types
                        .get(literal_type as usize)
                        .map_or(InlineValue::Other, |t| t.value(stored));
                }
                match self.family_index(literal) {
                    STRING => InlineValue::String,
                    LANGUAGE => InlineValue::LanguageString,
                    _ => {
                        let Some(literal_type) = self.literal_type(literal) else { return InlineValue::Other };
                        let mut lexical = Vec::new();
                        self.literals.forms.get(literal, &mut lexical);
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
                    let rank = self.literal_start().saturating_add(self.literals.ranks.get(literal as usize));
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

    /// The family of a literal, and the ids of the terms whose value equals it; if there are none, an empty range where they
    /// would be. `None` for a literal whose family has no order.
    pub(super) fn equal_range(&self, literal: LiteralRef<'_>) -> Option<(Family, Range<u32>)> {
        let mut text = String::new();
        LiteralType::write(literal, &mut text);
        let literal_type = LiteralType::parse(&text)?;
        let (family, stored) = literal_type.classify(literal.value());
        let offset = self.literal_start();
        if family < WITH_VALUES {
            let range = self.equal_values(family, stored, literal.value());
            return Some((family_of(family, 0), offset + range.start..offset + range.end));
        }
        if family != STRING {
            return None;
        }
        let range = self.literals.families[STRING]..self.literals.families[STRING + 1];
        let mut lexical = Vec::new();
        let at = partition_point(range, |i| {
            self.literals.forms.get(i, &mut lexical);
            lexical.as_slice() < literal.value().as_bytes()
        });
        let found = at < self.literals.families[STRING + 1] && {
            self.literals.forms.get(at, &mut lexical);
            lexical == literal.value().as_bytes()
        };
        Some((Family::String, offset + at..offset + at + u32::from(found)))
    }

    /// The literals of a family whose value equals `stored`, the value of `lexical`.
    fn equal_values(&self, family: usize, stored: Stored, lexical: &str) -> Range<u32> {
        let whole = self.literals.families[family]..self.literals.families[family + 1];
        let compare = |i: u32| {
            let text = || {
                let mut text = Vec::new();
                self.literals.forms.get(i, &mut text);
                Cow::from(text)
            };
            compare_stored(family, (self.record(i).0, text), (stored, || Cow::from(lexical.as_bytes())))
        };
        let start = partition_point(whole.clone(), |i| compare(i) == Ordering::Less);
        let end = partition_point(start..whole.end, |i| compare(i) == Ordering::Equal);
        start..end
    }

    pub(super) fn triple_components(&self, id: TermId) -> Option<[TermId; 3]> {
        let at = id.get().checked_sub(self.triple_start())? as usize;
        if id.get() >= self.len() {
            return None;
        }
        let components = std::array::from_fn(|i| TermId::new(self.triples.get(at * 3 + i)));
        // A triple term stands after its components. Checking this also rules out cycles in a damaged file.
        components.iter().all(|c| *c < id).then_some(components)
    }

    /// The term of an id; `None` if there is no such id, or its entry is damaged.
    pub(super) fn term(&self, id: TermId) -> Option<Term> {
        self.decoder().term(id)
    }

    pub(super) fn decoder(&self) -> Decoder<'_> {
        Decoder {
            dictionary: self,
            blanks: self.blanks.reader(),
            iris: self.iris.reader(),
            literals: self.literals.forms.reader(),
            run: (0..0, 0),
        }
    }

    /// A literal's datatype, tag and direction, without its lexical form.
    pub(super) fn type_of(&self, id: TermId) -> Option<&LiteralType> {
        matches!(self.kind(id), TermKind::Literal).then(|| self.literal_type(id.get() - self.literal_start()))?
    }

    /// Puts the text of a term (a label, an IRI or a lexical form) into `out`. Returns false for terms without a text.
    pub(super) fn text(&self, id: TermId, out: &mut Vec<u8>) -> bool {
        match self.kind(id) {
            TermKind::BlankNode => self.blanks.get(id.get(), out),
            TermKind::Iri => self.iris.get(id.get() - self.iri_start(), out),
            TermKind::Literal => self.literals.forms.get(id.get() - self.literal_start(), out),
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
        let type_index = self.literals.types.binary_search_by(|t| t.text().cmp(&text)).ok()? as u32;
        let (family, stored) = self.literals.types[type_index as usize].classify(literal.value());
        let lexical = literal.value().as_bytes();
        let found = if family >= WITH_VALUES {
            self.literals.forms.find(self.run_of(family, type_index), lexical)?
        } else {
            // Equal values sort by lexical form, then by type.
            let equal = self.equal_values(family, stored, literal.value());
            let mut text = Vec::new();
            let at = partition_point(equal.clone(), |i| {
                self.literals.forms.get(i, &mut text);
                (text.as_slice(), self.record(i).1) < (lexical, type_index)
            });
            let here = at < equal.end && self.literals.forms.get(at, &mut text) && text == lexical;
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

    /// The literal returned for a damaged entry, so that readers need no second path; the snapshot reports the damage.
    pub(super) fn placeholder() -> Term {
        Literal::new_simple_literal("").into()
    }
}

/// Decodes the terms of ids; ascending ids are faster than single look-ups.
pub struct Decoder<'a> {
    dictionary: &'a Dictionary,
    blanks: TableReader<'a>,
    iris: TableReader<'a>,
    literals: TableReader<'a>,
    /// The literals of one type around the last one that has no value, and their type.
    run: (Range<u32>, u32),
}

impl Decoder<'_> {
    fn literal_type(&mut self, literal: u32) -> Option<&LiteralType> {
        if self.dictionary.has_value(literal) {
            return self.dictionary.literal_type(literal);
        }
        if !self.run.0.contains(&literal) {
            self.run = self.dictionary.type_run(literal);
        }
        self.dictionary.literals.types.get(self.run.1 as usize)
    }

    /// The text of an id's term; `None` where [`super::Snapshot::text`] returns false.
    pub fn text(&mut self, id: TermId) -> Option<&[u8]> {
        let dictionary = self.dictionary;
        match dictionary.kind(id) {
            TermKind::BlankNode => self.blanks.get(id.get()),
            TermKind::Iri => self.iris.get(id.get() - dictionary.iri_start()),
            TermKind::Literal => self.literals.get(id.get() - dictionary.literal_start()),
            TermKind::Triple => None,
        }
    }

    /// The term of an id; `None` if there is no such id, or its entry is damaged.
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
                Some(self.literal_type(literal)?.literal(lexical).into())
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
