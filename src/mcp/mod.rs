//! `kgq mcp`: the graph for language models, by the Model Context Protocol. A tool is a file; the protocol is rmcp's.
//!
//! Tools read the graph and nothing else: no file, no network. What the data say comes in values, never in descriptions.

mod about;
mod answer;
mod arguments;
mod budget;
mod call;
mod canned;
mod cells;
mod citations;
mod config;
mod describe;
mod face;
mod failure;
mod find;
mod mend;
mod page;
mod prompts;
mod query;
mod reasons;
mod resources;
mod schema;
mod session;
mod tools;
mod why;
mod why_not;

pub use config::{CLIENTS, print as print_config};
pub use face::{CallBudget, Current, Face, serve};
pub use session::Asker;
