//! Linked data out: a site with a page for every thing, tables of each class, Turtle in the same order every time.

pub mod names;
pub mod rebase;
pub mod tables;
pub mod turtle;
