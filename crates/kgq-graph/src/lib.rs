//! A knowledge graph kept as files in a folder, and all that can be asked of it.
//!
//! - [`survey`]: a look at a folder that has no kgq.toml yet, and the one that fits.
//! - [`graph`]: the one door, [`Graph`](graph::Graph): of a project, of files named by hand, or of a saved snapshot; and the one that is
//!   current, [`Live`](graph::Live).
//! - [`project`]: `kgq.toml`, its globs and the files that they find.
//! - [`catalog`]: canned queries with their headers and parameters, labels, names for completion.
//! - [`audit`]: the statements behind a row, their citations, the cited text.
//! - [`render`]: an answer → bytes, a file a format.
//! - [`advice`]: what usually is a mistake in a query, and why an answer is empty.
//! - [`check`], [`answers`], [`mod@format`]: findings, SHACL, expected answers, one way to write Turtle.
//! - [`request`]: what can be asked beside a query: describe, cite, explain, find, export, an overview.
//! - [`infer`], [`export`]: what follows by rules; Turtle in one order, tables, IRIs moved.
//!
//! It knows no command line, asks no terminal, and prints nothing: output goes to a writer that is passed in.
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
