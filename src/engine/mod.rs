//! From a query to its answer.

pub mod aggregate;
mod answer;
pub mod batch;
pub mod expression;
pub mod limits;
pub mod order;
pub mod oxigraph;
pub mod terms;

pub use answer::{Answer, Limits, Row, Solutions, Triples};
