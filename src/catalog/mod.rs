//! What a project holds besides its statements: its canned queries, and the labels of its terms.

mod header;
mod labels;
mod params;
mod queries;

pub use header::{Header, Param, Severity, Text, View};
pub use labels::{Labels, Named};
pub use params::{Kind as ParamKind, Known, Values, parse_term};
pub use queries::{CannedQuery, Catalog};
