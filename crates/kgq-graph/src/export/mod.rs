//! Linked data out: a site with a page for every thing, tables of each class, the whole graph as two tables, Turtle in the same order every time.

pub mod names;
pub mod parquet;
pub mod rebase;
pub mod sorted;
pub mod tables;
pub mod turtle;
