//! From a query to its answer.

mod answer;
pub mod batch;
pub mod expression;
pub mod limits;
pub mod oxigraph;
pub mod terms;

pub use answer::{Answer, Limits, Row, Solutions, Triples};
