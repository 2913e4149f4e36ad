//! What a project holds besides its statements: its canned queries, and the labels of its terms.

mod header;
mod index;
mod labels;
mod params;
mod queries;

pub use header::{Header, Param, ScalarOrList, Severity, Text, View};
pub use index::{Role, TermIndex, classes_of, is_ideograph, labels_of};
pub use labels::{Labels, NAMING, Named, local_name, rank};
pub use params::{Kind as ParamKind, Known, Values, parse_term};
pub use queries::{CannedQuery, Catalog};
