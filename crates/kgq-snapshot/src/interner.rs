//! Numbers the terms while a snapshot is built: each distinct term gets a number in order of appearance.

use super::value::LiteralType;
use hashbrown::HashTable;
use kgq_syntax::error::{Error, Result};
use oxrdf::{BlankNodeRef, GraphNameRef, LiteralRef, NamedNodeRef, NamedOrBlankNodeRef, QuadRef, TermRef, TripleRef};
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// The deepest nesting of triple terms. RDF sets no limit, but recursion does.
pub(super) const DEEPEST: usize = 200;

/// The first byte of a term's key. For a blank node, the number of its file (four bytes) and its label follow.
pub(super) const BLANK: u8 = b'_';
pub(super) const IRI: u8 = b'<';
/// Followed by the type's number in four bytes and the lexical form.
pub(super) const LITERAL: u8 = b'"';
/// Followed by the depth of nesting and the numbers of the three components, four bytes each.
pub(super) const TRIPLE: u8 = b't';

/// Statements as numbers of their terms, and the distinct terms in order of appearance.
#[derive(Default)]
pub(super) struct Interner {
    pub(super) types: Keys,
    pub(super) terms: Keys,
    /// The numbers of the blank nodes, each with the position where it first appeared.
    pub(super) blanks: Vec<(u32, u64)>,
    pub(super) triples: Vec<[u32; 3]>,
    pub(super) quads: Vec<[u32; 4]>,
    /// The file being read: blank nodes of different files are different.
    pub(super) file: u32,
    /// The place of the next statement in the file, where places are kept.
    pub(super) place: u32,
    /// The places of the statements.
    pub(super) places: Option<StatementPlaces>,
    /// Counts the terms met, so that blank nodes can be put in order of appearance.
    pub(super) position: u64,
    scratch: Vec<u8>,
    type_scratch: String,
}

/// For each triple and each quad, its place in its file.
#[derive(Default)]
pub(super) struct StatementPlaces {
    pub(super) triples: Vec<u32>,
    pub(super) quads: Vec<u32>,
    pub(super) stretches: Vec<Stretch>,
}

/// Consecutive statements from one file.
pub(super) struct Stretch {
    pub(super) file: u32,
    /// The numbers of the first of its triples, and of its quads.
    pub(super) triple: usize,
    pub(super) quad: usize,
    /// Greater than all places of these statements.
    pub(super) end: u32,
}

impl Interner {
    /// Starts the next file.
    pub(super) fn begin(&mut self, file: u32, keeps_places: bool) {
        self.file = file;
        if keeps_places {
            let (triple, quad) = (self.triples.len(), self.quads.len());
            self.places.get_or_insert_default().stretches.push(Stretch { file, triple, quad, end: 0 });
        }
    }

    /// Adds a statement; if it names no graph, to the one with this number.
    pub(super) fn quad_in(&mut self, quad: QuadRef<'_>, default: Option<u32>) -> Result<()> {
        let triple = [self.subject(quad.subject)?, self.iri(quad.predicate)?, self.term(quad.object)?];
        let graph = self.graph(quad.graph_name)?.or(default);
        self.statement(triple, graph);
        Ok(())
    }

    /// The number of a graph's name; `None` for the default graph.
    pub(super) fn graph(&mut self, graph: GraphNameRef<'_>) -> Result<Option<u32>> {
        Ok(match graph {
            GraphNameRef::DefaultGraph => None,
            GraphNameRef::NamedNode(node) => Some(self.iri(node)?),
            GraphNameRef::BlankNode(node) => Some(self.blank_node(node)?),
        })
    }

    #[inline]
    pub(super) fn statement(&mut self, triple: [u32; 3], graph: Option<u32>) {
        match graph {
            None => self.triples.push(triple),
            Some(graph) => self.quads.push([triple[0], triple[1], triple[2], graph]),
        }
        if let Some(places) = &mut self.places {
            let column = if graph.is_none() { &mut places.triples } else { &mut places.quads };
            column.push(self.place);
            if let Some(stretch) = places.stretches.last_mut() {
                stretch.end = stretch.end.max(self.place.saturating_add(1));
            }
        }
    }

    /// Removes all statements beyond these numbers of triples and quads; their terms stay.
    pub(super) fn truncate(&mut self, triples: usize, quads: usize) {
        self.triples.truncate(triples);
        self.quads.truncate(quads);
        if let Some(places) = &mut self.places {
            places.triples.truncate(triples);
            places.quads.truncate(quads);
        }
    }

    pub(super) fn statements(&self) -> usize {
        self.triples.len() + self.quads.len()
    }

    /// The bytes held, roughly.
    pub(super) fn size(&self) -> usize {
        let places = if self.places.is_some() { self.statements() * 4 } else { 0 };
        let statements = self.triples.len() * 12 + self.quads.len() * 16;
        self.terms.size() + self.types.size() + self.blanks.len() * 16 + statements + places
    }

    fn term(&mut self, term: TermRef<'_>) -> Result<u32> {
        match term {
            TermRef::NamedNode(node) => self.iri(node),
            TermRef::BlankNode(node) => self.blank_node(node),
            TermRef::Literal(literal) => self.literal(literal),
            TermRef::Triple(triple) => Ok(self.triple(triple.as_ref(), 0)?.0),
        }
    }

    fn subject(&mut self, subject: NamedOrBlankNodeRef<'_>) -> Result<u32> {
        match subject {
            NamedOrBlankNodeRef::NamedNode(node) => self.iri(node),
            NamedOrBlankNodeRef::BlankNode(node) => self.blank_node(node),
        }
    }

    fn iri(&mut self, node: NamedNodeRef<'_>) -> Result<u32> {
        self.scratch.clear();
        self.scratch.push(IRI);
        self.scratch.extend_from_slice(node.as_str().as_bytes());
        self.terms.intern(&self.scratch)
    }

    fn blank_node(&mut self, node: BlankNodeRef<'_>) -> Result<u32> {
        self.blank_label(node.as_str().as_bytes())
    }

    /// The number of a blank node of the current file.
    pub(super) fn blank_label(&mut self, label: &[u8]) -> Result<u32> {
        self.scratch.clear();
        self.scratch.push(BLANK);
        self.scratch.extend_from_slice(&self.file.to_be_bytes());
        self.scratch.extend_from_slice(label);
        let known = self.terms.len();
        let number = self.terms.intern(&self.scratch)?;
        if self.terms.len() > known {
            self.blanks.push((number, self.position));
            self.position += 1;
        }
        Ok(number)
    }

    fn literal(&mut self, literal: LiteralRef<'_>) -> Result<u32> {
        self.type_scratch.clear();
        LiteralType::write(literal, &mut self.type_scratch);
        let literal_type = self.types.intern(self.type_scratch.as_bytes())?;
        self.lexical_form(literal_type, literal.value().as_bytes())
    }

    /// The number of a literal; its type was interned before.
    pub(super) fn lexical_form(&mut self, literal_type: u32, lexical: &[u8]) -> Result<u32> {
        self.scratch.clear();
        self.scratch.push(LITERAL);
        self.scratch.extend_from_slice(&literal_type.to_le_bytes());
        self.scratch.extend_from_slice(lexical);
        self.terms.intern(&self.scratch)
    }

    /// The number of a triple term, and its depth of nesting.
    fn triple(&mut self, triple: TripleRef<'_>, outer: usize) -> Result<(u32, u32)> {
        if outer >= DEEPEST {
            return Err(Error::limit(format!("a triple term is nested more than {DEEPEST} deep")));
        }
        let subject = self.subject(triple.subject)?;
        let predicate = self.iri(triple.predicate)?;
        let (object, depth) = match triple.object {
            TermRef::Triple(inner) => self.triple(inner.as_ref(), outer + 1)?,
            object => (self.term(object)?, 0),
        };
        let depth = depth + 1;
        self.scratch.clear();
        self.scratch.push(TRIPLE);
        for word in [depth, subject, predicate, object] {
            self.scratch.extend_from_slice(&word.to_le_bytes());
        }
        Ok((self.terms.intern(&self.scratch)?, depth))
    }
}

/// Distinct byte strings, numbered in order of appearance.
#[derive(Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    /// Where each string ends.
    ends: Vec<u64>,
    table: HashTable<Slot>,
}

/// A string's number and half of its hash; comparing hashes avoids most comparisons of different strings.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    number: u32,
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &[u8] {
        key(&self.bytes, &self.ends, number)
    }

    fn size(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 8 + self.table.capacity() * 10
    }

    /// The number of a string, if it is known.
    #[inline]
    pub(super) fn find(&self, string: &[u8]) -> Option<u32> {
        let hash = hash(string);
        self.table
            .find(hash, |slot| slot.hash == hash as u32 && key(&self.bytes, &self.ends, slot.number) == string)
            .map(|slot| slot.number)
    }

    pub(super) fn intern(&mut self, string: &[u8]) -> Result<u32> {
        let hash = hash(string);
        let (bytes, ends) = (&self.bytes, &self.ends);
        if let Some(slot) =
            self.table.find(hash, |slot| slot.hash == hash as u32 && key(bytes, ends, slot.number) == string)
        {
            return Ok(slot.number);
        }
        // The largest number is not an id: it stands for unbound.
        let number = u32::try_from(self.ends.len()).ok().filter(|n| *n < u32::MAX).ok_or_else(too_many_terms)?;
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len() as u64);
        let (bytes, ends) = (&self.bytes, &self.ends);
        let slot = Slot { hash: hash as u32, number };
        self.table.insert_unique(hash, slot, |slot| self::hash(key(bytes, ends, slot.number)));
        Ok(number)
    }
}

pub(super) fn too_many_terms() -> Error {
    Error::limit("the dataset has more than 4,294,967,295 distinct terms, which a snapshot cannot number")
}

#[inline]
fn key<'a>(bytes: &'a [u8], ends: &[u64], number: u32) -> &'a [u8] {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &bytes[start as usize..ends[number] as usize]
}

#[inline]
fn hash(string: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(string);
    hasher.finish()
}
