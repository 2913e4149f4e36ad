//! The answers of queries: solutions, a truth value or triples, as streams that can end in an error.

use super::result::Rows;
use super::rows::SolutionRows;
use kgq_snapshot::Snapshot;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Term, Triple, Variable};
use self_cell::self_cell;

/// The answer to a query (SPARQL 1.1 §16).
///
/// It holds the snapshot that it reads, so it can be kept and passed to another thread. Rows are computed on demand:
/// dropping the answer stops the work.
pub enum Answer {
    Solutions(Solutions),
    Boolean(bool),
    Graph(Triples),
}

/// One solution: a value for each of the answer's variables, in their order; `None` where unbound.
pub type Row = Vec<Option<Term>>;

/// The solutions of a SELECT, in order.
pub struct Solutions {
    pub variables: Vec<Variable>,
    pub rows: SolutionRows,
}

impl Solutions {
    pub fn new(variables: Vec<Variable>, rows: impl Iterator<Item = Result<Row>> + Send + 'static) -> Self {
        Self { variables, rows: SolutionRows::new(rows) }
    }
}

/// The triples of a CONSTRUCT or DESCRIBE.
pub struct Triples(pub Box<dyn Iterator<Item = Result<Triple>> + Send>);

type Items<'s, T> = Box<dyn Iterator<Item = Result<T>> + Send + 's>;

/// An answer that borrows the snapshot.
pub(crate) enum Stream<'s> {
    Solutions(Vec<Variable>, Box<Rows<'s>>),
    Boolean(bool),
    Graph(Items<'s, Triple>),
}

self_cell! {
    /// A stream together with the snapshot that it reads.
    pub(crate) struct Held {
        owner: Snapshot,
        #[not_covariant]
        dependent: Stream,
    }
}

impl Answer {
    /// Returns the answer that `evaluate` makes over the snapshot.
    ///
    /// # Errors
    /// Those of `evaluate`.
    pub(crate) fn over(
        snapshot: &Snapshot,
        evaluate: impl for<'s> FnOnce(&'s Snapshot) -> Result<Stream<'s>>,
    ) -> Result<Self> {
        let mut held = Held::try_new(snapshot.clone(), evaluate)?;
        let mut variables = Vec::new();
        let form = held.with_dependent_mut(|_, stream| match stream {
            Stream::Solutions(names, _) => {
                variables = std::mem::take(names);
                Form::Solutions
            }
            Stream::Boolean(value) => Form::Boolean(*value),
            Stream::Graph(_) => Form::Graph,
        });
        Ok(match form {
            Form::Solutions => Self::Solutions(Solutions { variables, rows: SolutionRows::of_ids(held) }),
            Form::Boolean(value) => Self::Boolean(value),
            Form::Graph => Self::Graph(Triples(Box::new(HeldTriples(held)))),
        })
    }
}

enum Form {
    Solutions,
    Boolean(bool),
    Graph,
}

/// The triples of a stream of triples.
struct HeldTriples(Held);

impl Iterator for HeldTriples {
    type Item = Result<Triple>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.with_dependent_mut(|_, stream| match stream {
            Stream::Graph(triples) => triples.next(),
            Stream::Solutions(..) | Stream::Boolean(_) => None,
        })
    }
}
