//! Reads RDF files and turns them into an immutable image of the dataset, laid out for fast reading.
//!
//! - [`store`]: inputs, how they are read, and the parsed `Dataset`.
//! - [`Snapshot`]: ids for terms, which are ranks in the sorted dictionary; four permutations of the triples, six of the
//!   named graphs' quads, in packed columns; statistics. It is built in memory, or in parallel from files, saved, and mapped
//!   again in constant time.
//! - [`Cache`]: the snapshots kept for a user's projects and dumps.
//!
//! A snapshot holds the data as it was when the snapshot was built. It plans nothing and evaluates nothing.
//!
//! ```
//! use kgq_snapshot::Snapshot;
//! use kgq_snapshot::store::{Dataset, Input, ReadOptions};
//! use kgq_syntax::rdf::{NamedNode, RdfFormat};
//!
//! let text = "@prefix e: <http://example.org/> . e:ada e:knows e:bob , e:cid .";
//! let file = Input::bytes("people.ttl", text.into(), RdfFormat::Turtle);
//! let data = Dataset::read(&[file], ReadOptions::default())?;
//! let snapshot = Snapshot::from_quads(data.quads().iter().cloned())?;
//! assert_eq!(snapshot.triple_count(), 2);
//! let ada = NamedNode::new_unchecked("http://example.org/ada");
//! assert!(snapshot.id(ada.as_ref().into()).is_some());
//! # Ok::<(), kgq_syntax::error::Error>(())
//! ```

mod blocks;
mod cache;
mod content_key;
mod decoded;
mod dictionary;
mod file;
mod find;
mod front_coding;
mod id;
mod index;
mod interner;
mod load;
mod lookups;
mod map;
mod merged;
mod origins;
mod packed;
mod stars;
mod statistics;
mod storage;
pub mod store;
mod symbols;
mod text_search;
mod units;
mod value;

pub use blocks::Blocks;
pub use cache::{Cache, CacheEntry};
pub use content_key::ContentKey;
pub use dictionary::{Decoder, Numbers, TermClass, TextSearcher, TypeKey};
pub use find::{Bound, Ids};
pub use id::{Component, Permutation, QuadPermutation, TermId};
pub use index::Index;
use load::digest_of_file;
pub use load::{BuildOptions, BuildSummary, Gathered, Gathering, Phase, Progress};
pub use lookups::Lookups;
pub use merged::{Graphs, Merged, MergedOrder};
pub use origins::{FileOrder, Origin};
pub use stars::Star;
pub use statistics::{CharacteristicSet, PredicateStatistics, Statistics};
pub use text_search::{TextPattern, TextSearch};
pub use units::floor;
pub use value::{Family, InlineValue, TermKind, parse_double, parse_float, parse_integer};

use dictionary::Dictionary;
use file::{Reader, Writer};
use index::Offsets;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Contested, Prefixes};
use load::content_key_of;
use merged::Merges;
use origins::Origins;
use oxrdf::{BaseDirection, GraphName, LiteralRef, NamedNodeRef, NamedOrBlankNode, Quad, Term, TermRef};
use packed::Column;
use statistics::StoredStatistics;
use std::ops::Range;
use std::sync::Arc;
use storage::{Bytes, Checked, Limit, Words};

/// An immutable image of a dataset: its terms as ids, its statements as sorted columns of ids.
///
/// The default graph's triples and the named graphs' quads are kept apart: [`Snapshot::triples`] never has a named
/// graph's statement, [`Snapshot::quads`] never one of the default graph. Duplicates within a graph are stored once.
///
/// A saved snapshot is checked as it is read. Reads never fail, so that inner loops need no error branch: where a block of
/// the file is damaged, they return ids that exist but are wrong, and [`Snapshot::intact`] fails from then on. Call it once
/// per batch, before rows leave the engine.
///
/// A clone is another handle to the same image, and costs nothing.
#[derive(Clone, Debug)]
pub struct Snapshot(Arc<Image>);

#[derive(Debug)]
struct Image {
    dictionary: Dictionary,
    triples: Sorted<4>,
    quads: Sorted<6>,
    named_graphs: Words,
    statistics: StoredStatistics,
    quad_statistics: StoredStatistics,
    prefixes: Prefixes,
    contested: Vec<Contested>,
    /// Where each statement stands in the files, if that was kept.
    origins: Option<Origins>,
    /// The mapped file; `None` for a snapshot in memory.
    file: Option<Arc<Checked>>,
    key: ContentKey,
    merges: Merges,
}

/// The sections of a saved snapshot. Only the origins are optional. A section's version increases with every change of its
/// content.
mod section {
    use crate::file::Section;

    /// The dictionary.
    pub(super) const TERMS: Section = Section { name: "terms", version: 2 };
    /// The default graph's statements.
    pub(super) const TRIPLES: Section = Section { name: "triples", version: 2 };
    /// The named graphs' statements.
    pub(super) const QUADS: Section = Section { name: "quads", version: 2 };
    /// The named graphs' names.
    pub(super) const GRAPHS: Section = Section { name: "graphs", version: 1 };
    /// Counts over the triples, and over the quads.
    pub(super) const STATISTICS: Section = Section { name: "statistics", version: 1 };
    /// The prefixes that the documents declare, and those that they declare differently.
    pub(super) const PREFIXES: Section = Section { name: "prefixes", version: 1 };

    /// Where the statements stand in the files; only present where that was kept.
    pub(super) const ORIGINS: Section = Section { name: "origins", version: 1 };

    pub(super) const ALL: [Section; 7] = [TERMS, TRIPLES, QUADS, GRAPHS, STATISTICS, PREFIXES, ORIGINS];
}

/// The version of a saved snapshot as a whole: it changes with the version of the file or of any section.
fn format_version() -> String {
    let sections: u32 = section::ALL.iter().map(|section| section.version).sum();
    format!("{}-{sections}", file::VERSION)
}

/// The same statements, sorted in several orders.
#[derive(Debug)]
struct Sorted<const ORDERS: usize> {
    len: usize,
    /// By subject, predicate, object, graph: orders with the same first component share a table.
    offsets: [Offsets; 4],
    /// For each order, the columns after the first.
    columns: [Vec<Column>; ORDERS],
}

impl Snapshot {
    fn new(image: Image) -> Self {
        Self(Arc::new(image))
    }

    /// Checks that everything read so far was undamaged.
    ///
    /// # Errors
    /// The damage that was found, with the file's name.
    #[inline]
    pub fn intact(&self) -> Result<()> {
        self.0.file.as_ref().map_or(Ok(()), |file| file.intact())
    }

    /// Checks every block of a saved snapshot, whatever its size.
    ///
    /// # Errors
    /// The damage, with the file's name.
    pub fn verify(&self) -> Result<()> {
        self.0.file.as_ref().map_or(Ok(()), |file| file.verify())
    }

    /// Identifies what a saved snapshot was built from; all zeros for one in memory.
    pub fn content_key(&self) -> ContentKey {
        self.0.key
    }

    /// The prefixes that the documents declare; the first declaration of a prefix wins.
    pub fn prefixes(&self) -> &Prefixes {
        &self.0.prefixes
    }

    /// The prefixes that documents declare differently.
    pub fn contested_prefixes(&self) -> &[Contested] {
        &self.0.contested
    }

    fn write(&self, writer: &mut Writer) -> Result<()> {
        writer.section(section::TERMS);
        self.0.dictionary.write(writer)?;
        writer.section(section::TRIPLES);
        self.0.triples.write(writer)?;
        writer.section(section::QUADS);
        self.0.quads.write(writer)?;
        writer.section(section::GRAPHS);
        writer.words(&self.0.named_graphs)?;
        writer.section(section::STATISTICS);
        writer.words(self.0.statistics.words())?;
        writer.words(self.0.quad_statistics.words())?;
        let prefixes: String =
            self.0.prefixes.iter().map(|(prefix, namespace)| format!("{prefix}\n{namespace}\n")).collect();
        writer.section(section::PREFIXES);
        writer.bytes(&Bytes::new(prefixes.into_bytes()))?;
        writer.bytes(&Bytes::new(contested_to_json(&self.0.contested)))?;
        if let Some(origins) = &self.0.origins {
            writer.section(section::ORIGINS);
            origins.write(writer)?;
        }
        Ok(())
    }

    fn read(reader: &mut Reader) -> Result<Self> {
        reader.section(section::TERMS)?;
        let dictionary = Dictionary::read(reader)?;
        reader.section(section::TRIPLES)?;
        let terms = dictionary.len().into();
        let triples = Sorted::read(reader, 3, terms)?;
        reader.section(section::QUADS)?;
        let quads = Sorted::read(reader, 4, terms)?;
        reader.section(section::GRAPHS)?;
        let named_graphs = reader.words()?;
        reader.section(section::STATISTICS)?;
        let (statistics, quad_statistics) = (reader.words()?, reader.words()?);
        reader.section(section::PREFIXES)?;
        let (prefixes, contested) = (read_prefixes(reader)?, read_contested(reader)?);
        let origins = match reader.has(section::ORIGINS) {
            true => {
                reader.section(section::ORIGINS)?;
                Some(Origins::read(reader, triples.len, quads.len)?)
            }
            false => None,
        };
        let snapshot = Self::new(Image {
            dictionary,
            triples,
            quads,
            named_graphs,
            statistics: StoredStatistics::new(statistics),
            quad_statistics: StoredStatistics::new(quad_statistics),
            prefixes,
            contested,
            origins,
            file: Some(reader.file()),
            key: reader.key(),
            merges: Merges::default(),
        });
        reader.limit(snapshot.limits())?;
        Ok(snapshot)
    }

    /// The values that the sections of a file may hold. Checksums alone prove nothing: whoever forges a file can write
    /// matching ones.
    fn limits(&self) -> Vec<Limit> {
        let terms = u64::from(self.term_count());
        let mut limits = self.0.dictionary.limits();
        limits.extend(self.0.triples.limits(terms));
        limits.extend(self.0.quads.limits(terms));
        limits.extend(self.0.named_graphs.limit(terms, true));
        limits.extend(self.0.origins.iter().flat_map(Origins::limits));
        limits
    }

    /// The number of triples in the default graph.
    #[inline]
    pub fn triple_count(&self) -> usize {
        self.0.triples.len
    }

    /// The number of quads in all named graphs together.
    #[inline]
    pub fn quad_count(&self) -> usize {
        self.0.quads.len
    }

    /// The number of distinct terms; ids run from 0 up to, but not including, this number.
    #[inline]
    pub fn term_count(&self) -> u32 {
        self.0.dictionary.len()
    }

    /// The term of an id from this snapshot.
    ///
    /// Any other number, and any damaged entry, gives an empty string literal (see [`Snapshot::intact`]).
    pub fn term(&self, id: TermId) -> Term {
        self.0.dictionary.term(id).unwrap_or_else(Dictionary::placeholder)
    }

    /// Returns a decoder for many ids; for ascending ids it is faster than [`Snapshot::term`].
    pub fn decoder(&self) -> Decoder<'_> {
        self.0.dictionary.decoder()
    }

    /// Prepares looking for a text in literals; `None` if their texts are not in codes: then they are fast to decode.
    pub fn text_search(&self, pattern: &TextPattern) -> Option<TextSearch> {
        self.0.dictionary.text_search(pattern)
    }

    /// Looks for a text that this snapshot prepared; in ascending ids it is fastest.
    pub fn text_searcher<'a>(&'a self, search: &'a TextSearch) -> TextSearcher<'a> {
        self.0.dictionary.text_searcher(search)
    }

    /// The id of a term, if the dataset has it. Language tags must be in lower case, as oxrdf's constructors make them.
    pub fn id(&self, term: TermRef<'_>) -> Option<TermId> {
        self.0.dictionary.id(term)
    }

    /// Puts a term's text into `out`, in UTF-8: a blank node's label, an IRI, or a literal's lexical form. Returns false for
    /// a triple term and leaves `out` unspecified then. Cheaper than [`Snapshot::term`] when `out` is reused.
    pub fn text(&self, id: TermId, out: &mut Vec<u8>) -> bool {
        self.0.dictionary.text(id, out)
    }

    /// A literal's datatype, without reading its lexical form; `None` for other kinds of terms.
    pub fn datatype(&self, id: TermId) -> Option<NamedNodeRef<'_>> {
        Some(self.0.dictionary.type_of(id)?.datatype())
    }

    /// A literal's language tag, in lower case.
    pub fn language(&self, id: TermId) -> Option<&str> {
        self.0.dictionary.type_of(id)?.language()
    }

    /// A literal's base direction.
    pub fn direction(&self, id: TermId) -> Option<BaseDirection> {
        self.0.dictionary.type_of(id)?.direction()
    }

    /// The default graph's triples, sorted in the given order.
    #[inline]
    pub fn triples(&self, permutation: Permutation) -> Index<'_> {
        self.0.triples.triples_index(permutation)
    }
    /// The named graphs' quads, sorted in the given order.
    #[inline]
    pub fn quads(&self, permutation: QuadPermutation) -> Index<'_> {
        self.0.quads.quads_index(permutation)
    }

    /// Every statement in the order of ids: the default graph's first, then those of the named graphs.
    pub fn iter(&self) -> impl Iterator<Item = Quad> + '_ {
        let (triples, quads) = (self.triples(Permutation::Spo), self.quads(QuadPermutation::Spog));
        self.statements(triples, 0..triples.len()).chain(self.statements(quads, 0..quads.len()))
    }

    /// The number of statements in all graphs together.
    pub fn len(&self) -> usize {
        self.triple_count() + self.quad_count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are handles to the same image, so that ids mean the same in both.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Builds a quad; `None` where a damaged file has a term in a position where it cannot stand.
    fn quad(&self, subject: TermId, predicate: TermId, object: TermId, graph: Option<TermId>) -> Option<Quad> {
        let node = |id| match self.term(id) {
            Term::NamedNode(node) => Some(NamedOrBlankNode::from(node)),
            Term::BlankNode(node) => Some(node.into()),
            Term::Literal(_) | Term::Triple(_) => None,
        };
        let Term::NamedNode(predicate) = self.term(predicate) else { return None };
        let graph_name = match graph {
            None => GraphName::DefaultGraph,
            Some(graph) => node(graph)?.into(),
        };
        Some(Quad { subject: node(subject)?, predicate, object: self.term(object), graph_name })
    }

    /// The names of the named graphs that have a statement, sorted.
    #[inline]
    pub fn named_graphs(&self) -> &[TermId] {
        self.0.named_graphs.ids(0..self.0.named_graphs.len())
    }

    /// What kind of term an id stands for.
    #[inline]
    pub fn kind(&self, id: TermId) -> TermKind {
        self.0.dictionary.kind(id)
    }

    /// Whether an id stands for a string, with a language or without.
    #[inline]
    pub fn is_string(&self, id: TermId) -> bool {
        self.0.dictionary.is_string(id)
    }

    /// The ids of all terms of a kind.
    pub fn kind_range(&self, kind: TermKind) -> Range<u32> {
        self.0.dictionary.kind_range(kind)
    }

    /// The ids of the IRIs that begin with this string.
    pub fn iris_beginning_with(&self, beginning: &str) -> Range<u32> {
        let mut text = Vec::new();
        // IRIs are sorted by their text, so a binary search over their ids works.
        let mut first = |range: Range<u32>, is_before: &dyn Fn(&[u8]) -> bool| {
            let (mut low, mut high) = (range.start, range.end);
            while low < high {
                let middle = low + (high - low) / 2;
                text.clear();
                self.text(TermId::new(middle), &mut text);
                if is_before(&text) { low = middle + 1 } else { high = middle }
            }
            low
        };
        let all = self.kind_range(TermKind::Iri);
        let start = first(all.clone(), &|iri| iri < beginning.as_bytes());
        start..first(start..all.end, &|iri| iri.starts_with(beginning.as_bytes()))
    }

    /// The ids of all terms of a family.
    pub fn family_range(&self, family: Family) -> Range<u32> {
        self.0.dictionary.family_range(family)
    }

    /// Ranges of ids whose terms differ only in their text, in order; together they cover all terms.
    pub fn classes(&self) -> Vec<TermClass> {
        self.0.dictionary.classes()
    }

    /// A key that is equal for two terms exactly if they agree in kind, datatype, language and direction, and both or
    /// neither are well-typed.
    pub fn type_key(&self, id: TermId) -> TypeKey {
        self.0.dictionary.type_key(id)
    }

    /// Subject, predicate and object of a triple term; `None` for other kinds.
    pub fn triple_components(&self, id: TermId) -> Option<[TermId; 3]> {
        self.0.dictionary.triple_components(id)
    }

    /// A term's value, read from a table instead of being parsed (except for NaN).
    pub fn value(&self, id: TermId) -> InlineValue {
        self.0.dictionary.value(id)
    }

    /// The terms as a column of numbers. `None` unless all are literals of one numeric type (such as integers, of any
    /// derived datatype), and none is NaN or too wide for that type. The ids need not be from this snapshot.
    pub fn numbers(&self, ids: &[TermId]) -> Option<Numbers> {
        self.0.dictionary.numbers(ids)
    }

    /// The days of the terms in their own time zones, if all are `xsd:date` or `xsd:dateTime`; day 0 is the first of January
    /// of the year 1. The ids need not be from this snapshot.
    pub fn days(&self, ids: &[TermId]) -> Option<Vec<i64>> {
        self.0.dictionary.days(ids)
    }

    /// Whether some literal has this number as its value. Also true where that is not known: for NaN, and for numbers that
    /// are not stored.
    pub fn has_number(&self, number: InlineValue) -> bool {
        self.0.dictionary.has_number(number)
    }

    /// A term's family and its rank within it.
    ///
    /// Within a family other than [`Family::Other`] and [`Family::Triple`], ranks compare as SPARQL's `=` and `<` compare
    /// values; for IRIs and blank nodes this holds for `=` only (their order is that of ORDER BY). The rank is the lowest id
    /// with an equal value, so it can be compared with the bounds of [`Snapshot::equal_range`]. In the other two families,
    /// equal ranks mean the same term, and different ranks mean nothing.
    #[inline]
    pub fn value_rank(&self, id: TermId) -> (Family, u32) {
        self.0.dictionary.value_rank(id)
    }

    /// The family of a literal, and the ids of the stored terms with an equal value. The dataset need not contain the
    /// literal; if no term is equal, the range is empty and lies where one would be. All ids of the family before the range
    /// are less, all after it are greater. `None` for language-tagged strings and for literals of families without an order.
    pub fn equal_range(&self, literal: LiteralRef<'_>) -> Option<(Family, Range<u32>)> {
        self.0.dictionary.equal_range(literal)
    }

    /// Counts over the default graph's triples.
    pub fn statistics(&self) -> &Statistics {
        self.0.statistics.get()
    }

    /// The subjects of the default graph that have a predicate and all of the others, with their statements of that predicate. `None` where
    /// it is not known: too few subjects have them to have been counted.
    pub fn star(&self, predicate: TermId, others: &[TermId]) -> Option<Star> {
        self.0.statistics.star(predicate, others)
    }

    /// Counts over the named graphs' quads: a triple in two graphs counts twice.
    pub fn quad_statistics(&self) -> &Statistics {
        self.0.quad_statistics.get()
    }
}

fn read_prefixes(reader: &mut Reader) -> Result<Prefixes> {
    let bytes = reader.bytes()?;
    let text = String::from_utf8_lossy(bytes.slice(0..bytes.len())).into_owned();
    reader.file().intact()?;
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines.as_chunks::<2>().0.iter().map(|[prefix, namespace]| (*prefix, *namespace)).collect())
}

/// Uses JSON because file names may hold any character.
fn contested_to_json(contested: &[Contested]) -> Vec<u8> {
    let fields = |c: &Contested| serde_json::json!([c.prefix, c.namespace, c.file, c.other, c.other_file]);
    serde_json::Value::from_iter(contested.iter().map(fields)).to_string().into_bytes()
}

fn read_contested(reader: &mut Reader) -> Result<Vec<Contested>> {
    let bytes = reader.bytes()?;
    // Damaged text reads as an empty list; the snapshot reports the damage.
    let read: Vec<[String; 5]> = serde_json::from_slice(bytes.slice(0..bytes.len())).unwrap_or_default();
    let contested = read.into_iter().map(|[prefix, namespace, file, other, other_file]| Contested {
        prefix,
        namespace,
        file,
        other,
        other_file,
    });
    Ok(contested.collect())
}

impl<const ORDERS: usize> Sorted<ORDERS> {
    fn write(&self, writer: &mut Writer) -> Result<()> {
        writer.numbers(&[self.len as u32])?;
        self.offsets.iter().try_for_each(|offsets| offsets.write(writer))?;
        self.columns.iter().flatten().try_for_each(|column| column.write(writer))
    }

    /// Reads statements of `width` components whose ids are all below `terms`.
    fn read(reader: &mut Reader, width: usize, terms: u64) -> Result<Self> {
        let [len] = reader.numbers_of()?;
        let len = len as usize;
        let mut offsets: [Offsets; 4] = Default::default();
        for table in &mut offsets {
            *table = Offsets::read(reader, len, terms)?;
        }
        let mut columns = [const { Vec::new() }; ORDERS];
        for column in &mut columns {
            for _ in 1..width {
                column.push(Column::read(reader, len, terms)?);
            }
        }
        Ok(Self { len, offsets, columns })
    }

    fn limits(&self, terms: u64) -> impl Iterator<Item = Limit> {
        self.offsets.iter().filter_map(move |offsets| offsets.limit(terms))
    }

    #[inline]
    fn index(&self, permutation: usize, order: &'static [Component]) -> Index<'_> {
        Index::new(order, &self.offsets[order[0].position()], &self.columns[permutation], self.len)
    }
}

impl Sorted<6> {
    #[inline]
    fn quads_index(&self, permutation: QuadPermutation) -> Index<'_> {
        const ORDERS: [[Component; 4]; 6] = [
            QuadPermutation::Spog.order(),
            QuadPermutation::Psog.order(),
            QuadPermutation::Posg.order(),
            QuadPermutation::Ospg.order(),
            QuadPermutation::Gspo.order(),
            QuadPermutation::Gpos.order(),
        ];
        static STATIC: [[Component; 4]; 6] = ORDERS;
        self.index(permutation as usize, &STATIC[permutation as usize])
    }
}

impl Sorted<4> {
    #[inline]
    fn triples_index(&self, permutation: Permutation) -> Index<'_> {
        self.index(permutation as usize, permutation.components())
    }
}

#[cfg(test)]
mod saved_tests;
#[cfg(test)]
mod tests;
