//! Exports linked data: a site with a page for every thing, tables of each class, the whole graph as two tables, and
//! Turtle in a fixed order.

pub mod names;
pub mod parquet;
pub mod rebase;
pub mod sorted;
pub mod tables;
pub mod turtle;
