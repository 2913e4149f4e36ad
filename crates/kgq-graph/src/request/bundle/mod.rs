//! An answer in one file that can be checked without the graph: query, answer, the statements of each row's witness, what the graph says
//! of their sources, and the state of the graph. It is an RO-Crate 1.2 in a canonical archive.
//!
//! Everything in it that follows from the rest is made again when it is verified, and must be the same. Without a signature that shows
//! that nothing was changed by accident, not who made it.

mod archive;
mod citation;
mod crate_metadata;
mod facts;
mod files;
mod make;
mod sources;
mod stored;
mod time;
mod verify;

pub use citation::CitationStyle;
pub use facts::Revision;
pub use make::{Occasion, Question, make, make_within};
pub use time::timestamp;
pub use verify::{Finding, Outcome, Standing, compare, is_plain_signature, unpack, verify};

use facts::Facts;
use kgq_syntax::rdf::Quad;
use sources::Quotes;
use stored::Stored;

/// What a bundle is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    facts: Facts,
    /// The text of the query.
    query: String,
    answer: Stored,
    /// Of each row, the statements that make it so.
    witnesses: Vec<Vec<Quad>>,
    /// What the graph says of the sources of these statements.
    provenance: Vec<Quad>,
    quotes: Quotes,
    /// A signature of the checksums.
    signature: Option<String>,
}

impl Bundle {
    /// How many rows the answer has.
    pub fn rows(&self) -> usize {
        self.answer.parts()
    }

    /// How many statements its witnesses have, each counted once.
    pub fn statements(&self) -> usize {
        self.witnesses.iter().flatten().collect::<rustc_hash::FxHashSet<_>>().len()
    }

    /// The signature of the checksums, if there is one.
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// With a signature of what [`Bundle::checksums`] gives.
    pub fn sign(&mut self, signature: String) {
        self.signature = Some(signature);
    }
}
