//! What a project holds besides its statements: its canned queries, the labels of its terms, and an index of both for completion.

mod executable;
mod grlc;
mod header;
mod index;
mod labels;
mod lookup;
mod names;
mod params;
mod queries;
mod words;

pub use header::{DeclaredSeverity, Header, LocalizedText, Param, ScalarOrList, View};
pub use index::{Role, TermIndex, classes_of, labels_of};
pub use labels::{Labels, local_name, naming, rank};
pub use names::{NameMatches, is_ideograph};
pub(crate) use params::parse_term;
pub use params::{ParamKind, ParameterContext, Values, named_all};
pub use queries::{CannedQuery, Catalog};
pub use words::{ClassWord, expression, sentence, words_of};
