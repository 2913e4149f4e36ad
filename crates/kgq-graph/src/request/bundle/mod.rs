//! An answer in one file that can be checked without the graph: query, answer, the witness statements of each row, what
//! the graph says about their sources, and the state of the graph. It is an RO-Crate 1.2 in a canonical archive.
//!
//! Verification makes everything again that follows from the rest, and it must be the same. Without a signature, this
//! shows that nothing was changed by accident, but not who made the bundle.

mod archive;
mod canonical;
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
pub use verify::{Claim, ClaimTruth, Standing, compare, is_plain_signature, unpack, verify};

use facts::Facts;
use kgq_syntax::rdf::Quad;
use sources::Quotes;
use stored::Stored;

/// An answer with all that is needed to check it.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    facts: Facts,
    /// The text of the query.
    query: String,
    answer: Stored,
    /// For each row, the statements that it follows from.
    witnesses: Vec<Vec<Quad>>,
    /// What the graph says about the sources of these statements.
    provenance: Vec<Quad>,
    quotes: Quotes,
    /// A signature of the checksums.
    signature: Option<String>,
}

impl Bundle {
    /// Returns the number of rows of the answer.
    pub fn rows(&self) -> usize {
        self.answer.parts()
    }

    /// Returns the number of distinct statements in its witnesses.
    pub fn statements(&self) -> usize {
        self.witnesses.iter().flatten().collect::<rustc_hash::FxHashSet<_>>().len()
    }

    /// The signature of the checksums, if there is one.
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// Adds a signature of the text that [`Bundle::checksums`] returns.
    pub fn sign(&mut self, signature: String) {
        self.signature = Some(signature);
    }
}
