//! Linked data out: a site with a page for every thing, and dumps in the same order every time.

pub mod rebase;
pub mod site;
pub mod turtle;
