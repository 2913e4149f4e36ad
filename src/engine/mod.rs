//! From a query to its answer.

mod answer;

pub use answer::{Answer, Limits, Row, Solutions, Triples};
