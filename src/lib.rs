//! `kgq` answers SPARQL over a folder of RDF files, and can say where every answer comes from.
//!
//! The rooms and their layers are described in `ARCHITECTURE.md`.

pub mod advice;
pub mod answers;
pub mod audit;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod commands;
pub mod engine;
pub mod error;
pub mod export;
pub mod format;
pub mod infer;
pub mod project;
pub mod query;
pub mod rdf;
pub mod render;
pub mod repl;
pub mod session;
pub mod snapshot;
pub mod store;
pub mod syntax;
pub mod text;
