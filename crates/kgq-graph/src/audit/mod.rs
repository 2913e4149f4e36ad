//! Why an answer holds: the statements behind a row, and the sources of a statement.
//!
//! A statement is a triple with a reifier (RDF 1.2). With `prov:wasDerivedFrom` the reifier says what it rests on:
//! citations, or, for an inference, other statements. A citation names a source document and a place in it with the Web
//! Annotation vocabulary (`oa:hasSource`, `oa:hasSelector` with `oa:start` and `oa:end` in code points). Properties
//! that no standard has (for a hash, a sentence's number, an anchor other than `oa:exact`) are named in kgq.toml under
//! `[citations]`.

mod provenance;
mod reads;
mod reference;
mod rows;
mod sentences;
mod sources;
mod text;
mod verify;

pub use reference::{CitedText, Reference, Texts};
pub(crate) use rows::item_sources;
pub use rows::{Needed, RowSources, row_sources};
pub use sentences::{Sentence, sentences};
pub use sources::{Audit, Citation, Document, Span, Statement};
pub use text::{Marked, mark, sha256, sha256_of, span_of};
pub(crate) use verify::verify_document;
pub use verify::{Failure, verify};
