//! From a query to its answer.

mod answer;
pub mod batch;
pub mod limits;

pub use answer::{Answer, Limits, Row, Solutions, Triples};
