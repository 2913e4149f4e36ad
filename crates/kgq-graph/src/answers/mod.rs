//! Compares canned queries with their expected answers: `tests/answers/NAME[.case].csv|json|ttl`.
//!
//! It compares and formats; the caller evaluates the queries. Nothing is printed here.

mod case;
mod compare;
mod coverage;
mod expected;
mod run;
mod write;

pub use case::{Case, cases};
pub use compare::{Difference, compare};
pub use coverage::{Coverage, coverage};
pub use expected::{Cell, Expected, ExpectedAnswer};
pub(crate) use run::first_case;
pub use run::{Accepted, Answerer, Compared, run};
pub(crate) use write::ENDINGS;
pub use write::{ending, write};

use kgq_syntax::rdf::{Term, Triple, Variable};

/// The folder of the expected answers, relative to the project's root.
pub const FOLDER: &str = "tests/answers";

/// The whole answer to a query, with what is needed to compare it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Table {
        columns: Vec<Variable>,
        rows: Vec<Vec<Option<Term>>>,
        /// The leading conditions of ORDER BY that are columns: only they fix an order that is visible in the answer.
        ordered_by: Vec<Variable>,
    },
    Boolean(bool),
    Graph(Vec<Triple>),
}
