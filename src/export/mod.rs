//! Linked data out: a site with a page for every thing, tables of each class, Turtle in the same order every time.

pub mod rebase;
pub mod site;
pub mod tables;
pub mod turtle;
