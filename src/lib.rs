//! `kgq` answers SPARQL over a folder of RDF files, and can say where every answer comes from.
//!
//! The rooms and their layers are described in `ARCHITECTURE.md`.

pub mod check;
pub mod engine;
pub mod error;
pub mod query;
pub mod rdf;
pub mod snapshot;
pub mod syntax;
pub mod text;
