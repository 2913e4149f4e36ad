//! The read-optimised image of a dataset.

mod term_id;

pub use term_id::TermId;
