//! Why an answer lacks an expected row: the condition that removes it, what would have let it pass, and what the graph
//! says is not stated.

mod json;
mod text;

pub use json::document;
pub use text::text;

use super::why::{Stated, stated};
use crate::advice::{AdviceRequest, Allowance, Diagnostic, Lack, Removal};
use crate::audit::{Audit, Reference, Texts};
use crate::graph::Graph;
use kgq_engine::query::expected::{Expectation, without_having, without_slice};
use kgq_engine::query::{Binding, BoundTo, Query, bind};
use kgq_engine::{Answer, EvaluationOptions, Row};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{NamedNode, Quad, Term, Variable};

/// A query, and the row that its answer is expected to have.
pub struct Request<'a> {
    pub source: Source<'a>,
    /// With the values of its parameters bound.
    pub query: &'a Query,
    pub expected: Vec<Expectation>,
}

/// Why there is no such row.
pub struct WhyNot {
    pub expected: Vec<Expectation>,
    pub reason: Reason,
    /// What the graph says is not stated.
    pub silences: Vec<Diagnostic>,
    /// The statements that the reason names, with their places and citations.
    pub statements: Vec<Stated>,
    pub references: Vec<Reference>,
}

pub enum Reason {
    /// The answer has such a row: the number of the first.
    There(usize),
    /// The ASK is true.
    True,
    /// LIMIT and OFFSET leave it out: its number among all rows, and the number of all rows.
    Cut { number: usize, rows: usize },
    /// A condition removes it.
    Removed(Box<Removal>),
    /// HAVING rejects its group, which has these values.
    Rejected { columns: Vec<Variable>, row: Row },
    /// Computed values differ from the expected ones; these rows come nearest.
    Other { columns: Vec<Variable>, rows: Vec<Row> },
    /// The reason could not be found.
    Unknown,
}

/// The number of nearest rows that are shown.
const SHOWN: usize = 3;

/// Reads what a user typed as expected in a column: a CURIE, IRI, label or text; an empty text expects no value.
///
/// # Errors
/// A name that cannot be a column's.
pub fn expectation(graph: &Graph, name: &str, value: &str) -> Result<Expectation> {
    let name = name.trim_start_matches(['?', '$']);
    let variable = Variable::new(name).map_err(|_| Error::usage(format!("`{name}` is no name of a column")))?;
    if value.is_empty() {
        return Ok(Expectation { variable, node: None, text: None });
    }
    let known = graph.known()?;
    let node = crate::catalog::parse_term(value, &known).ok();
    graph.intact()?;
    Ok(Expectation { variable, node, text: Some(value.to_owned()) })
}

/// Finds the reason why the row is missing.
///
/// # Errors
/// Those of evaluation; no such column in the answer; nothing expected of an answer that has rows.
pub fn why_not(graph: &Graph, request: Request<'_>, audit: &Audit<'_>, texts: &Texts) -> Result<WhyNot> {
    why_not_within(graph, request, audit, texts, &graph.evaluation_options())
}

/// Like [`why_not`], but evaluated with these options.
///
/// # Errors
/// As [`why_not`].
pub fn why_not_within(
    graph: &Graph,
    request: Request<'_>,
    audit: &Audit<'_>,
    texts: &Texts,
    options: &EvaluationOptions,
) -> Result<WhyNot> {
    let Request { source, query, expected } = request;
    let asking = Asking { graph, source, query, options };
    let reason = asking.reason(&expected)?;
    let silences = match reason {
        Reason::There(_) | Reason::True | Reason::Cut { .. } => Vec::new(),
        _ => asking.silences(&expected)?,
    };
    let quads: Vec<Quad> = match &reason {
        Reason::Removed(removal) => match &removal.lack {
            Lack::Statement { near: quads, .. } | Lack::Absence(quads) => quads.clone(),
            Lack::Values(_) | Lack::Match => Vec::new(),
        },
        _ => Vec::new(),
    };
    let (statements, references) = stated(graph, quads, audit, texts, &options.budget_of_query())?;
    Ok(WhyNot { expected, reason, silences, statements, references })
}

/// A query whose answer lacks a row.
struct Asking<'a> {
    graph: &'a Graph,
    source: Source<'a>,
    query: &'a Query,
    options: &'a EvaluationOptions,
}

impl Asking<'_> {
    fn reason(&self, expected: &[Expectation]) -> Result<Reason> {
        match self.evaluate(self.query)? {
            Answer::Boolean(true) => return Ok(Reason::True),
            Answer::Boolean(false) => {}
            Answer::Graph(mut triples) => {
                if triples.0.next().transpose()?.is_some() {
                    return Err(Error::usage(
                        "why-not asks of rows, of an ASK that is false, and of graphs without a triple",
                    ));
                }
            }
            Answer::Solutions(mut solutions) => {
                check_columns(&solutions.variables, expected)?;
                let mut found = 0;
                while let Some(row) = solutions.rows.next().transpose()? {
                    found += 1;
                    if expected.is_empty() {
                        return Err(Error::usage("the answer has rows: say what the missing one has, as COLUMN=VALUE"));
                    }
                    if fits(&solutions.variables, &row, expected) {
                        return Ok(Reason::There(found));
                    }
                }
                if let Some(cut) = self.cut(expected)? {
                    return Ok(cut);
                }
            }
        }
        if let Some(removal) = self.ask(self.query, |asked| asked.removal(expected))?? {
            return Ok(Reason::Removed(Box::new(removal)));
        }
        self.after_all(expected)
    }

    /// Checks whether LIMIT or OFFSET leave the row out.
    fn cut(&self, expected: &[Expectation]) -> Result<Option<Reason>> {
        let Some(whole) = without_slice(self.query) else { return Ok(None) };
        let Answer::Solutions(mut solutions) = self.evaluate(&whole)? else { return Ok(None) };
        let (mut rows, mut number) = (0, None);
        while let Some(row) = solutions.rows.next().transpose()? {
            rows += 1;
            if number.is_none() && fits(&solutions.variables, &row, expected) {
                number = Some(rows);
            }
        }
        Ok(number.map(|number| Reason::Cut { number, rows }))
    }

    /// For a row that every condition lets pass: HAVING rejects it, or a value computed from a group differs.
    fn after_all(&self, expected: &[Expectation]) -> Result<Reason> {
        if let Some(grouped) = without_having(self.query)
            && let Answer::Solutions(mut solutions) = self.evaluate(&grouped)?
        {
            while let Some(row) = solutions.rows.next().transpose()? {
                if fits(&solutions.variables, &row, expected) {
                    return Ok(Reason::Rejected { columns: solutions.variables, row });
                }
            }
        }
        let whole = without_slice(self.query).unwrap_or_else(|| self.query.clone());
        let Answer::Solutions(mut solutions) = self.evaluate(&whole)? else { return Ok(Reason::Unknown) };
        let columns = solutions.variables.clone();
        // The rows that meet most of the expectations.
        let (mut best, mut rows) = (0, Vec::new());
        while let Some(row) = solutions.rows.next().transpose()? {
            let value =
                |variable: &Variable| columns.iter().position(|c| c == variable).and_then(|at| row.get(at)?.as_ref());
            let met = expected.iter().filter(|expectation| expectation.accepts(value(&expectation.variable))).count();
            if met > best {
                (best, rows) = (met, Vec::new());
            }
            if met == best && met > 0 && rows.len() < SHOWN {
                rows.push(row);
            }
        }
        Ok(if rows.is_empty() { Reason::Unknown } else { Reason::Other { columns, rows } })
    }

    /// Returns what the graph says is not stated, for the query with the expected things in place.
    fn silences(&self, expected: &[Expectation]) -> Result<Vec<Diagnostic>> {
        let Some(project) = self.graph.project() else { return Ok(Vec::new()) };
        let mut query = self.query.clone();
        let node = |expectation: &Expectation| -> Option<Binding> {
            let node: NamedNode = expectation.node.clone()?;
            Some(Binding { variable: expectation.variable.clone(), value: BoundTo::One(Term::from(node)) })
        };
        bind(&mut query, &expected.iter().filter_map(node).collect::<Vec<_>>());
        self.ask(&query, |asked| asked.not_stated(&project.manifest.silences))
    }

    fn evaluate(&self, query: &Query) -> Result<Answer> {
        kgq_engine::evaluate(self.graph.snapshot()?, query, self.options)
    }

    fn ask<T>(&self, query: &Query, question: impl FnOnce(&AdviceRequest<'_>) -> T) -> Result<T> {
        let Self { graph, source, options, .. } = *self;
        let budget = Allowance::new(&options.budget_of_query());
        let (snapshot, prefixes) = (graph.snapshot()?, graph.query_prefixes()?);
        let told = question(&AdviceRequest { source, query, snapshot, prefixes, options, budget: &budget });
        graph.intact()?;
        Ok(told)
    }
}

fn check_columns(columns: &[Variable], expected: &[Expectation]) -> Result<()> {
    let Some(strange) = expected.iter().find(|expectation| !columns.contains(&expectation.variable)) else {
        return Ok(());
    };
    let names: Vec<&str> = columns.iter().map(Variable::as_str).collect();
    let error = Error::usage(format!("the answer has no column `{}`", strange.variable.as_str()));
    Err(error.hint(format!("it has {}", names.join(", "))))
}

fn fits(columns: &[Variable], row: &Row, expected: &[Expectation]) -> bool {
    let value = |variable: &Variable| columns.iter().position(|c| c == variable).and_then(|at| row.get(at)?.as_ref());
    expected.iter().all(|expectation| expectation.accepts(value(&expectation.variable)))
}
