//! What can be asked of a graph besides a query: functions from the graph and a typed request to typed data, for every
//! front end.

pub mod advise;
pub mod build;
pub mod bundle;
pub mod cite;
pub mod cited;
pub mod describe;
pub mod diff;
pub mod document;
pub mod explain;
pub mod export;
pub mod find;
pub mod format;
pub mod history;
pub mod overview;
pub mod replace;
pub mod save;
pub mod test;
pub mod unchanged;
pub mod why;
pub mod why_not;
