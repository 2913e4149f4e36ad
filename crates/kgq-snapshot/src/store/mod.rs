//! RDF files in, datasets out: reads inputs, holds the parsed dataset, and fills Oxigraph's store for counting in `kgq
//! load`.
//!
//! This does not answer queries or updates; that is the engine's work.

mod blank;
mod characters;
mod compress;
mod dataset;
mod index_maps;
mod input;
mod json;
mod json_dropped;
mod json_places;
mod json_refusals;
mod json_tree;
mod jsonld;
mod oxigraph;
mod packed;
mod rdfxml;
mod read;
mod sniff;
mod star;
pub mod together;
mod type_maps;
mod version;
mod whole_file;

pub use blank::Relabel;
pub use compress::compressed;
pub use dataset::{Dataset, FileReport};
pub use input::{Content, Input, is_pipe, mark_length, not_utf8, open_file, other_encoding};
pub use json_places::{JsonNode, JsonObject, JsonStatement, UndefinedKey, json_ld_statements, undefined_keys};
pub use jsonld::{Contexts, read_context};
pub use oxigraph::load_into_store;
pub use rdfxml::{Position, Settings as RdfXmlSettings, StatementPositions, read_rdf_xml};
pub use read::{Parsed, Progress as ReadProgress, ReadOptions, read, read_all, read_each};
pub use sniff::{SNIFFED, Seems, sniff};
pub(crate) use version::announcement;
pub(crate) use whole_file::remove_abandoned;
pub use whole_file::{Staging, Unfinished, WholeFile};
