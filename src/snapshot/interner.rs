//! Terms as they are met while a snapshot is built: each distinct one gets a number in order of appearance.

use crate::error::{Error, Result};
use hashbrown::HashTable;
use oxrdf::{BlankNodeRef, LiteralRef, NamedNodeRef, NamedOrBlankNodeRef, TermRef, TripleRef};
use rustc_hash::FxHasher;
use std::hash::Hasher;

use super::value::LiteralType;

/// How deep triple terms may nest. RDF sets no limit, recursion does.
pub(super) const DEEPEST: usize = 200;

/// The first byte of a term's key.
pub(super) const BLANK: u8 = b'_';
pub(super) const IRI: u8 = b'<';
/// Followed by the type's number in four bytes and the lexical form.
pub(super) const LITERAL: u8 = b'"';
/// Followed by the depth of nesting and the numbers of the three components, four bytes each.
pub(super) const TRIPLE: u8 = b't';

/// Distinct terms, numbered in order of appearance.
#[derive(Default)]
pub(super) struct Interner {
    pub(super) types: Keys,
    pub(super) terms: Keys,
    scratch: Vec<u8>,
    type_scratch: String,
}

impl Interner {
    pub(super) fn term(&mut self, term: TermRef<'_>) -> Result<u32> {
        match term {
            TermRef::NamedNode(node) => self.iri(node),
            TermRef::BlankNode(node) => self.blank_node(node),
            TermRef::Literal(literal) => self.literal(literal),
            TermRef::Triple(triple) => Ok(self.triple(triple.as_ref(), 0)?.0),
        }
    }

    pub(super) fn subject(&mut self, subject: NamedOrBlankNodeRef<'_>) -> Result<u32> {
        match subject {
            NamedOrBlankNodeRef::NamedNode(node) => self.iri(node),
            NamedOrBlankNodeRef::BlankNode(node) => self.blank_node(node),
        }
    }

    pub(super) fn iri(&mut self, node: NamedNodeRef<'_>) -> Result<u32> {
        self.tagged(IRI, node.as_str().as_bytes())
    }

    fn blank_node(&mut self, node: BlankNodeRef<'_>) -> Result<u32> {
        self.tagged(BLANK, node.as_str().as_bytes())
    }

    fn tagged(&mut self, tag: u8, text: &[u8]) -> Result<u32> {
        self.scratch.clear();
        self.scratch.push(tag);
        self.scratch.extend_from_slice(text);
        self.terms.intern(&self.scratch)
    }

    fn literal(&mut self, literal: LiteralRef<'_>) -> Result<u32> {
        self.type_scratch.clear();
        LiteralType::write(literal, &mut self.type_scratch);
        let literal_type = self.types.intern(self.type_scratch.as_bytes())?;
        self.scratch.clear();
        self.scratch.push(LITERAL);
        self.scratch.extend_from_slice(&literal_type.to_le_bytes());
        self.scratch.extend_from_slice(literal.value().as_bytes());
        self.terms.intern(&self.scratch)
    }

    /// The triple term's number and how deep it nests.
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
    ends: Vec<u64>,
    table: HashTable<u32>,
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &[u8] {
        key(&self.bytes, &self.ends, number)
    }

    pub(super) fn intern(&mut self, string: &[u8]) -> Result<u32> {
        let hash = hash(string);
        if let Some(number) = self.table.find(hash, |n| key(&self.bytes, &self.ends, *n) == string) {
            return Ok(*number);
        }
        // The largest number is no id: it stands for unbound.
        let number = u32::try_from(self.ends.len()).ok().filter(|n| *n < u32::MAX).ok_or_else(|| {
            Error::limit("the dataset has more than 4,294,967,295 distinct terms, which a snapshot cannot number")
        })?;
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len() as u64);
        let (bytes, ends) = (&self.bytes, &self.ends);
        self.table.insert_unique(hash, number, |n| self::hash(key(bytes, ends, *n)));
        Ok(number)
    }
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
