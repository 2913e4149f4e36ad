//! From a query to its answer.

mod answer;
pub mod batch;

pub use answer::{Answer, Limits, Row, Solutions, Triples};
