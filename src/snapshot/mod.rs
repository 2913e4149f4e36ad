//! The read-optimised image of a dataset.
