//! `kgq serve`: the graph over HTTP. Each route is a file; [`state::Server`] is what all of them share.
//!
//! Only this module is asynchronous, for its connections. Queries run on threads of their own ([`reply`]), whose number is
//! limited ([`admission`]). Nothing here prints: log lines go to the caller who started the server.

mod admission;
mod answer;
mod background;
mod bundle;
mod canned;
mod clients;
mod conditions;
mod connections;
mod door;
mod edit_form;
mod events;
mod find;
mod gone;
mod graph_writing;
mod graphs;
mod health;
mod log;
mod login;
#[cfg(feature = "mcp")]
mod mcp;
mod memory;
mod metrics;
mod negotiate;
mod openapi;
mod origins;
mod pages;
mod problem;
mod rdf;
mod reload;
mod reply;
mod request;
mod routes;
mod service;
mod sessions;
mod shares;
mod sparql;
mod state;
mod things;
#[cfg(feature = "net")]
mod tls;
mod tokens;
mod update;
mod watch;
mod why;
mod work;
mod write;

pub use admission::Capacity;
pub use connections::{Listeners, Signal, serve};
pub use door::Names;
pub use log::{Log, LogFormat};
pub use memory::Memory;
pub use origins::{parse_origin, parse_public};
pub use problem::file_name;
pub use routes::hidden;
pub use shares::Shares;
pub use state::{Server, Settings};
#[cfg(feature = "net")]
pub use tls::Tls;
pub use tokens::Tokens;
pub use write::Writing;

use state::Shared;
