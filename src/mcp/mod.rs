//! `kgq mcp`: the graph for language models, by the Model Context Protocol. Each tool is a file; rmcp implements the protocol.
//!
//! Tools read only the graph: no file, no network. Data appears in values, never in descriptions.

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
