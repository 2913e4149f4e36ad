//! RDF files in, datasets out: reading inputs, the parsed dataset, and Oxigraph's store for updates.
//!
//! Queries are not answered here; that is the engine's work.

mod blank;
mod dataset;
mod input;
mod read;
mod star;
mod update;

pub use dataset::{Dataset, FileReport};
pub use input::{Content, Input, not_utf8, open_file, other_encoding};
pub use read::{Parsed, Progress as ReadProgress, ReadOptions, read, read_all, read_each};
pub use update::{Change, load_into_store, update};
