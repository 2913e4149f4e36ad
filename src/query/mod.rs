//! From query text to algebra.

pub mod prebind;
