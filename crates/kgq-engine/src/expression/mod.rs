//! Expressions (SPARQL 1.1 §17, with RDF 1.2's functions): compiled once for the columns of a batch, evaluated a batch at a time.
//!
//! Conditions work on ids, families and ranks; values are decoded only for functions. An error is an unbound id, as in
//! a solution. EXISTS is unknown here: a variable bound to `true` or `false` takes its place.
//!
//! Where Oxigraph's evaluator (spareval) and the standard differ, this follows the standard: terms keep their lexical
//! forms and datatypes (STR, DATATYPE, MIN, …); booleans are ordered; NaN is not `<=` itself; a time with a zone and
//! one without may be the same; `BNODE("x")` is a new node in every solution; REPLACE reads `$1` and `\` as XPath does,
//! and refuses patterns that match the empty string; integers outside their derived datatype are ill-typed; a cast
//! ignores white space around the text, and a cast to a type derived from `xsd:integer` keeps that type; integers and
//! decimals are exact, whatever their size (`wide`), and a quotient is cut after 18 fractional digits, or below 10⁻⁹
//! after 34 digits in all; GROUP_CONCAT takes the text of IRIs, numbers and strings with a language, where the standard
//! has an error; a term without an order, such as an IRI, is neither `<=` nor `>=` itself.

pub mod arithmetic;
mod by_class;
mod call;
pub mod cast;
#[cfg(test)]
mod class_tests;
mod column;
pub mod compare;
mod compile;
mod dates;
#[cfg(test)]
mod dates_tests;
mod digest;
mod distinct;
mod evaluate;
pub mod extension;
mod node;
pub mod numbers;
#[cfg(test)]
mod numbers_tests;
mod pattern;
mod random;
#[cfg(test)]
mod random_tests;
mod range;
mod stretches;
mod strings;
#[cfg(test)]
mod tests;
mod text_test;
mod texts;
pub mod value;
pub mod wide;
#[cfg(test)]
mod wide_tests;

use crate::batch::Batch;
use crate::failures::Failures;
use crate::plan::{Expression, Var};
use crate::terms::{Terms, Truth};
pub use column::Datum;
use column::{Column, Selection};
use evaluate::Evaluation;
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use node::ExpressionNode;
use numbers::Numbers;
use oxiri::Iri;
use oxsdatatypes::DateTime;
use random::Random;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use value::Value;

/// From this many rows on, the condition is resolved once to ranges of the sorted dictionary instead of being tested row by row.
const ROWS_BEFORE_SEARCH: usize = 512;

/// The most bytes of one string. A query could otherwise double a string until memory is used up.
const LARGEST_STRING: usize = 1 << 28;
/// Bytes of text between two checks of the memory.
const BYTES_BETWEEN_CHECKS: usize = 1 << 18;

/// What all expressions of one query share (XPath's dynamic context): its terms, its clock, its base IRI.
#[derive(Debug)]
pub struct Context<'s> {
    pub terms: Terms<'s>,
    base: Option<Iri<String>>,
    now: OnceLock<DateTime>,
    random: Random,
    next_solution: AtomicU64,
    pub(crate) failures: Failures,
    truth_ids: [OnceLock<TermId>; 2],
}

impl<'s> Context<'s> {
    /// `base` resolves the argument of IRI().
    pub fn new(snapshot: &'s Snapshot, base: Option<Iri<String>>, budget: Budget) -> Self {
        Self {
            terms: Terms::new(snapshot, budget),
            base,
            now: OnceLock::new(),
            random: Random::default(),
            next_solution: AtomicU64::new(0),
            failures: Failures::default(),
            truth_ids: [OnceLock::new(), OnceLock::new()],
        }
    }

    /// The time of the query: the same for each NOW() in it (SPARQL 1.1 §17.4.5.1).
    fn now(&self) -> DateTime {
        *self.now.get_or_init(DateTime::now)
    }

    /// Returns the context with `failures` as the counter of expressions that fail.
    #[must_use]
    pub fn counting(self, failures: Failures) -> Self {
        Self { failures, ..self }
    }

    /// Assigns that many solutions numbers that no other call assigns, and returns the first number.
    pub fn number_solutions(&self, count: usize) -> u64 {
        self.next_solution.fetch_add(count as u64, Ordering::Relaxed)
    }

    /// Returns the id of `true` or `false`.
    ///
    /// # Errors
    /// A limit, as [`Terms::id`].
    pub fn truth_id(&self, value: bool) -> Result<TermId> {
        let known = &self.truth_ids[usize::from(value)];
        if let Some(id) = known.get() {
            return Ok(*id);
        }
        let id = self.terms.id_of_value(Value::Boolean(value))?;
        Ok(*known.get_or_init(|| id))
    }
}

/// An expression that is ready to be evaluated. Threads may share it.
#[derive(Debug)]
pub struct Compiled {
    root: ExpressionNode,
}

/// The values of an expression for some rows, without ids. `None` is an error.
#[derive(Debug)]
pub enum Evaluated {
    Numbers(Numbers),
    Data(Vec<Option<Datum>>),
}

/// The terms for which an expression over one column may be true.
#[derive(Debug)]
pub struct Candidates {
    /// Ranges of stored ids, ascending. No stored id outside them makes the expression true.
    pub ranges: Vec<Range<u32>>,
    /// Whether all ids in the ranges do.
    pub sure: bool,
}

/// Compiles an expression for batches whose columns hold these variables; any other variable is unbound.
///
/// # Errors
/// A limit that a constant part of the expression exceeds.
pub fn compile(expression: &Expression, columns: &[Var], context: &Context<'_>) -> Result<Compiled> {
    Ok(Compiled { root: compile::root(expression, columns, context)? })
}

impl Compiled {
    /// Whether equal rows get equal values. If not, a row that stands for several solutions needs a row for each.
    pub fn is_deterministic(&self) -> bool {
        self.root.is_deterministic()
    }

    /// Returns the terms of a column for which the expression is true, if the dictionary's order tells.
    ///
    /// Finding them may take some look-ups in the dictionary; with `cheap`, it takes none.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn as_ranges(&self, cheap: bool, context: &Context<'_>) -> Result<Option<Candidates>> {
        let (ranges, sure) = match &self.root {
            ExpressionNode::InRanges(ranges, operand) => match **operand {
                ExpressionNode::Variable(_) => ranges.candidates(),
                _ => return Ok(None),
            },
            ExpressionNode::ByClass(test, _) if !cheap => test.stretches(&Evaluation::new(context)?)?.candidates(),
            ExpressionNode::TextTest(test, _) if !cheap => match test.stretches(context) {
                Some(stretches) => stretches.candidates(),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Candidates { ranges, sure }))
    }

    /// Whether it reads texts of terms, which is cheapest in the order of the dictionary.
    pub fn reads_text(&self) -> bool {
        self.root.reads_text()
    }

    /// Returns the column if the expression is STR() of one.
    pub fn as_str_of_column(&self) -> Option<usize> {
        self.root.as_str_of_column()
    }

    /// Returns the expression's value for every row; `None` is an error. Computed values are not given ids. With
    /// `counted` false, failures are not counted, because they were counted before.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn data(&self, batch: &Batch, counted: bool, context: &Context<'_>) -> Result<Vec<Option<Datum>>> {
        let evaluation = Evaluation::new(context)?;
        let evaluate = || evaluation.data(&self.root, &Selection::all(batch, 0));
        if counted { evaluate() } else { evaluation.uncounted(evaluate) }
    }

    /// Does the same, but returns values of one number type as a column of numbers.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn values(&self, batch: &Batch, context: &Context<'_>) -> Result<Evaluated> {
        let evaluation = Evaluation::new(context)?;
        match evaluation.column(&self.root, &Selection::all(batch, 0))? {
            Column::Numbers(numbers) => Ok(Evaluated::Numbers(numbers)),
            column => Ok(Evaluated::Data(evaluation.data_of(column)?)),
        }
    }

    /// Returns the positions of the rows for which the expression is true.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn filter(&self, batch: &Batch, context: &Context<'_>) -> Result<Vec<u32>> {
        let truths = self.truths(batch, context)?;
        Ok((0..).zip(truths).filter(|(_, truth)| *truth == Truth::True).map(|(at, _)| at).collect())
    }

    /// Counts the rows for which the expression is true, in a trial that the query knows nothing of.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn count_passing(&self, batch: &Batch, context: &Context<'_>) -> Result<usize> {
        let evaluation = Evaluation::new(context)?;
        let truths = evaluation.uncounted(|| evaluation.truths(&self.root, &Selection::all(batch, 0)))?;
        Ok(truths.iter().filter(|truth| **truth == Truth::True).count())
    }

    /// Returns the expression's effective boolean value for every row.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn truths(&self, batch: &Batch, context: &Context<'_>) -> Result<Vec<Truth>> {
        let first = context.number_solutions(batch.rows());
        let evaluation = Evaluation::new(context)?;
        evaluation.truths(&self.root, &Selection::all(batch, first))
    }

    /// Does what [`Compiled::evaluate_numbered`] does, for solutions without numbers: tests have no operator that numbers them.
    ///
    /// # Errors
    /// A limit of the query.
    #[cfg(test)]
    pub fn evaluate(&self, batch: &Batch, context: &Context<'_>) -> Result<Vec<TermId>> {
        self.evaluate_numbered(batch, context.number_solutions(batch.rows()), context)
    }

    /// Returns the id of the expression's value for every row; unbound if it is an error. The solutions have been numbered from
    /// `first`: expressions that extend the same solutions get the same blank nodes from `BNODE("x")`.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn evaluate_numbered(&self, batch: &Batch, first: u64, context: &Context<'_>) -> Result<Vec<TermId>> {
        let evaluation = Evaluation::new(context)?;
        evaluation.column(&self.root, &Selection::all(batch, first))?.into_ids(context)
    }
}
