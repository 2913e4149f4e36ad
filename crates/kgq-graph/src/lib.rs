//! A knowledge graph kept as files in a folder, and everything that can be asked of it.
//!
//! - [`survey`]: examines a folder that has no kgq.toml yet, and drafts one for it.
//! - [`graph`]: the single entry point, [`Graph`](graph::Graph): a project, files named by hand, or a saved snapshot; and
//!   [`Live`](graph::Live), which holds the current graph while its files change.
//! - [`project`]: `kgq.toml`, its globs and the files that they find.
//! - [`catalog`]: canned queries with their headers and parameters, labels, names for completion.
//! - [`audit`]: the statements behind a row, their citations, and the cited text.
//! - [`render`]: writes answers as bytes, with one source file for each format.
//! - [`advice`]: likely mistakes in a query, and why an answer is empty.
//! - [`check`], [`answers`], [`mod@format`]: findings, SHACL, expected answers, and a uniform layout for Turtle.
//! - [`request`]: what can be asked besides a query: describe, cite, explain, find, export, format, test, an overview.
//! - [`infer`], [`export`]: inference by rules; Turtle in a fixed order, tables, and moved IRIs.
//!
//! This crate knows no command line or terminal and prints nothing: output goes to a writer that the caller passes in.
//!
//! ```
//! use kgq_engine::Answer;
//! use kgq_graph::graph::{Graph, OpenOptions};
//! use kgq_syntax::error::Source;
//!
//! let folder = tempfile::tempdir().unwrap();
//! std::fs::write(folder.path().join("kgq.toml"), "name = \"people\"\ndata = [\"*.ttl\"]\n[prefixes]\ne = \"http://e/\"\n").unwrap();
//! std::fs::write(folder.path().join("people.ttl"), "<http://e/ada> <http://e/knows> <http://e/bob> .").unwrap();
//!
//! let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() })?;
//! let query = graph.parse(Source::new("q.rq", "ASK { e:ada e:knows e:bob }"))?;
//! assert!(matches!(graph.evaluate(&query)?, Answer::Boolean(true)));
//! # Ok::<(), kgq_syntax::error::Error>(())
//! ```

pub mod advice;
pub mod answers;
pub mod audit;
pub mod catalog;
pub mod check;
pub mod export;
pub mod format;
pub mod graph;
pub mod infer;
pub mod project;
pub mod render;
pub mod request;

pub mod survey;
