//! What a query answers: solutions, a truth value or triples, as streams that can end in an error.

use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Term, Triple, Variable};

/// The answer to a query (SPARQL 1.1 §16).
pub enum Answer<'a> {
    Solutions(Solutions<'a>),
    Boolean(bool),
    Graph(Triples<'a>),
}

/// One solution: a value for each of the answer's variables, in their order; `None` where unbound.
pub type Row = Vec<Option<Term>>;

/// The solutions of a SELECT, in order.
pub struct Solutions<'a> {
    pub variables: Vec<Variable>,
    pub rows: Box<dyn Iterator<Item = Result<Row>> + 'a>,
}

/// The triples of a CONSTRUCT or DESCRIBE.
pub struct Triples<'a>(pub Box<dyn Iterator<Item = Result<Triple>> + 'a>);

/// How an answer may be limited. `None` is without limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub time: Option<std::time::Duration>,
    /// Bytes that one query may hold.
    pub memory: Option<u64>,
    pub rows: Option<u64>,
}
