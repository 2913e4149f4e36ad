//! SHACL 1.0: Core, constraints in SPARQL and constraint components in SPARQL. Shapes and data in, a validation report out.
//!
//! It does not infer (`sh:entailment`), does not fetch (`owl:imports` are followed only for prefixes), and knows no project.

mod dataset;
mod parse;
mod report;
mod shape;
mod sparql;
mod validate;
mod vocab;

pub use dataset::{Dataset, Node};
pub use report::{Report, ValidationResult};
pub use shape::{IllFormed, Shapes};
pub use validate::validate;
