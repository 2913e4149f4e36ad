//! The physical plan: a tree of data that says which operators run, on which columns, and how many rows are expected.
//!
//! The planner makes it, `--explain` prints it, and operators are opened from it any number of times. Its constants are
//! ids, so it belongs to one snapshot. It holds no state of a run.

use super::statistics::Selectivity;
use super::{Var, VarSet, Variables};
use crate::operator::feed::FeedId;
use crate::operator::shared::SharedId;
use crate::operator::{Opening, Operator};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use std::fmt;

/// The cost of a row that an operator reads sequentially; a look-up in an index costs 1.
const ROW: f64 = 0.1;

/// Approximate bytes of a node with the data of its operator.
const NODE_BYTES: usize = 512;

/// What a node does: the data of one operator, defined in the operator's file.
pub trait Operation: fmt::Debug + Send + Sync {
    fn inputs(&self) -> Vec<&PhysicalPlan>;

    /// The first of them, as many as are opened once in a run.
    fn inputs_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        Vec::new()
    }

    /// The plans that it opens anew for each binding.
    fn reopened_mut(&mut self) -> Vec<&mut PhysicalPlan> {
        Vec::new()
    }

    /// Whether its row holds the values that a plan is opened for.
    fn is_given(&self) -> bool {
        false
    }

    /// Which of its inputs it collects into a table, and the name under which a run keeps the table for all openings.
    fn table_mut(&mut self) -> Option<(usize, &mut Option<SharedId>)> {
        None
    }

    /// The feed by which it puts rows into its inputs.
    fn feeds(&self) -> Option<FeedId> {
        None
    }

    /// The feed that its own rows come by, or on which they depend.
    fn fed_by(&self) -> Option<FeedId> {
        None
    }

    /// Whether its rows are kept for several places of the plan.
    fn is_shared(&self) -> bool {
        false
    }

    /// What it does, in a few words.
    fn describe(&self, labels: &Labels<'_>) -> String;

    /// Opens an operator that runs it.
    ///
    /// # Errors
    /// The budget's limits; a bug of the planner.
    fn open<'s>(&self, opening: &Opening<'_, 's>) -> Result<Box<dyn Operator<'s> + 's>>;

    /// Whether the operator can return a part of its rows, so that several parts can run in parallel.
    fn divides(&self) -> bool {
        false
    }

    /// About how many rows of the data it counts without passing them on.
    fn rows_counted(&self) -> f64 {
        0.0
    }

    /// The variable of which it reads a range of ids only.
    fn in_range_of(&self) -> Option<Var> {
        None
    }

    /// Whether it returns one row that binds nothing.
    fn is_unit(&self) -> bool {
        false
    }

    /// Returns the bytes of its own rows, if it holds any.
    fn bytes_of_rows(&self) -> usize {
        0
    }

    /// Returns the cost per row of its inputs; a look-up in an index costs 1.
    fn cost_a_row(&self) -> f64 {
        ROW
    }
}

/// A node of a plan.
#[derive(Debug)]
pub struct PhysicalPlan {
    pub operation: Box<dyn Operation>,
    /// The variable of each column.
    pub vars: Vec<Var>,
    /// The variables that are never unbound.
    pub certain: VarSet,
    /// Rows come sorted by the ids of these variables, most significant first.
    pub sorted: Vec<Var>,
    /// Whether rows may stand for several solutions: whether batches carry multiplicities.
    pub weighted: bool,
    /// The estimated cardinality.
    pub rows: f64,
    /// Where that estimate comes from.
    pub basis: Basis,
    /// The estimated cost of this node and those below it; a look-up in an index costs 1.
    pub cost: f64,
}

/// What an estimate was made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Basis {
    /// The estimate of the input.
    Input,
    /// The matches of a triple pattern by itself: the number of statements, and of distinct subjects, predicates,
    /// objects and graphs among them.
    Counted { rows: f64, distinct: [f64; 4] },
    /// How many matches of a triple pattern pass a condition.
    Passed(Selectivity),
    /// How many nodes walks along a path reach on average, and how many against it.
    Walks([f64; 2]),
    /// The distinct ids of the patterns joined so far.
    Distinct,
    /// The estimates of the two sides.
    Sides,
    /// A number that the query itself states.
    Query,
    /// Nothing is known: a guess, with its reason.
    Guess(&'static str),
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input => f.write_str("the estimate of its input"),
            Self::Counted { rows, distinct: [s, p, o, g] } => {
                write!(f, "{rows} statements of the pattern, with {s} subjects, {p} predicates, {o} objects")?;
                if *g > 1.0 { write!(f, ", {g} graphs") } else { Ok(()) }
            }
            Self::Passed(Selectivity { passed, of, is_sample }) => {
                let what = if *is_sample { "matches tried pass" } else { "matches may pass" };
                write!(f, "the condition: {passed} of {of} {what}")
            }
            Self::Walks([forward, back]) => {
                write!(f, "walks along the path, which reach {forward} nodes on average, and {back} against it")
            }
            Self::Distinct => f.write_str("the distinct terms of the patterns joined so far"),
            Self::Sides => f.write_str("the estimates of its two sides"),
            Self::Query => f.write_str("a number in the query"),
            Self::Guess(what) => write!(f, "no statistics: {what}"),
        }
    }
}

impl PhysicalPlan {
    pub fn new(operation: impl Operation + 'static, vars: Vec<Var>) -> Self {
        let inputs = operation.inputs();
        let cost = inputs.iter().fold(0.0, |sum, input| sum + input.cost + input.rows * operation.cost_a_row());
        Self {
            operation: Box::new(operation),
            vars,
            certain: VarSet::default(),
            sorted: Vec::new(),
            weighted: false,
            rows: 1.0,
            basis: Basis::Query,
            cost,
        }
    }

    /// Sets which variables its rows bind, how they are sorted and whether they carry multiplicities. A variable
    /// without a column is not bound, and ends the sort order.
    #[must_use]
    pub fn like(mut self, certain: VarSet, sorted: Vec<Var>, weighted: bool) -> Self {
        self.certain = certain.intersection(&self.var_set());
        self.sorted = sorted;
        self.sorted.truncate(self.sorted.iter().take_while(|v| self.vars.contains(v)).count());
        self.weighted = weighted;
        self
    }

    /// Sets how many rows are expected, and why.
    #[must_use]
    pub fn expecting(mut self, rows: f64, basis: Basis) -> Self {
        self.rows = rows;
        self.basis = basis;
        self.cost += rows * ROW;
        self
    }

    /// Returns the approximate bytes of this node and those below it, without the constants and expressions of the query.
    pub fn bytes(&self) -> usize {
        let mut bytes = 0;
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            bytes += NODE_BYTES + node.vars.len() * size_of::<Var>() + node.operation.bytes_of_rows();
            open.extend(node.operation.inputs());
        }
        bytes
    }

    pub fn column(&self, var: Var) -> Option<usize> {
        self.vars.iter().position(|v| *v == var)
    }

    pub fn var_set(&self) -> VarSet {
        self.vars.iter().copied().collect()
    }

    /// Returns the columns whose variables are needed, and those variables.
    pub fn kept(&self, needed: impl Fn(Var) -> bool) -> (Vec<usize>, Vec<Var>) {
        self.vars.iter().enumerate().filter(|(_, var)| needed(**var)).map(|(column, var)| (column, *var)).unzip()
    }
}

/// The names of variables and ids, for output.
pub struct Labels<'a> {
    pub variables: &'a Variables,
    pub term: &'a dyn Fn(TermId) -> String,
}

impl Labels<'_> {
    pub fn names(&self, vars: &[Var]) -> String {
        vars.iter().map(|var| self.name(*var)).collect::<Vec<_>>().join(" ")
    }

    pub fn name(&self, var: Var) -> String {
        self.variables.name(var).to_string()
    }

    pub fn term(&self, id: TermId) -> String {
        (self.term)(id)
    }
}
