//! Turns changes of a graph into changes of its files, as a careful person would have made them.
//!
//! A removed statement leaves its line. A new one goes to the file and the place where its subject stands, else to where members
//! of its class stand, else to the file that kgq.toml names below `[edit]`. It is written as the formatter would, with the
//! prefixes of the file, or with one of the project's if the file has none. Comments and all else stay: a comment on a removed
//! line gets a line of its own. A file that was formatted stays formatted.
//!
//! - `files` reads the project's files: text and tree of those that are edited line by line, the statements of the others.
//! - `tree` holds a text's facts with their places; `fates` decides what happens to each when statements are removed.
//! - `assign` finds the file of a new statement; `pending` and `words` write it.
//! - `text` edits one text by `splice`s; [`edit`] edits all, and compares the result with the requested change.
//!
//! What can no longer be written in its place (a list without one of its members, a reifier without its statement) is written
//! anew after the block in which it stood. Only a [`Writer`] writes files: all of them or none. [`refactor`] also changes
//! queries, expected answers and comments; [`graphs`] says what changes when a graph is replaced as a whole; [`guard`] says
//! beforehand what the project's checks would find.
//!
//! ```
//! use kgq_edit::{Files, Settings, edit, update};
//! use kgq_graph::graph::{Graph, OpenOptions};
//! use kgq_syntax::error::Source;
//!
//! let folder = tempfile::tempdir().unwrap();
//! std::fs::write(folder.path().join("kgq.toml"), "name = \"people\"\ndata = [\"*.ttl\"]\n").unwrap();
//! let text = "@prefix e: <http://e/> .\n\ne:ada\n    e:knows e:bob ; # since 1833\n    e:name \"Ada\" ;\n.\n";
//! std::fs::write(folder.path().join("people.ttl"), text).unwrap();
//!
//! let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() })?;
//! let files = Files::read(&graph)?;
//! let text = "PREFIX e: <http://e/> DELETE DATA { e:ada e:knows e:bob } ; INSERT DATA { e:ada e:born 1815 }";
//! let change = update(&graph, &files, Source::new("u.ru", text))?;
//! let edit = edit(&graph, &files, &change, &Settings::default())?;
//! let after = String::from_utf8_lossy(&edit.changes[0].after);
//! assert!(after.ends_with("e:ada\n    e:born 1815 ;\n    # since 1833\n    e:name \"Ada\" ;\n.\n"), "{after}");
//! # Ok::<(), kgq_syntax::error::Error>(())
//! ```

mod assign;
mod edit;
mod fates;
mod files;
pub mod form;
pub mod graphs;
pub mod guard;
mod pending;
pub mod refactor;
mod splice;
mod text;
mod tree;
mod words;
mod writer;

pub use edit::{Edit, FileChange, Settings, edit, update, update_within};
pub use files::Files;
pub use writer::{Writer, project_of};
