//! Our own executor: plans a query over a snapshot and runs it.

use super::answer::Stream;
use super::depth::depth;
use super::expression;
use super::failures::Failures;
use super::operator::{Context, Node, source::MergedGraphs};
use super::oxigraph::DefaultGraph;
use super::plan::build::Builder;
use super::plan::simplify::{Knowledge, simplify};
use super::plan::translate::{Dataset, Translator};
use super::plan::{Graph, Pattern, Var};
use super::result::{Constructed, Described, Rows, Template};
use super::{Answer, Row, Services, Solutions, Triples};
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Triple, Variable};
use spargebra::Query;
use spargebra::algebra::{GraphPattern, QueryDataset};
use std::sync::Arc;

/// A query that is planned and can be run once.
pub struct Prepared<'s> {
    pub cx: Context<'s>,
    pub plan: Node<'s>,
    form: Form,
    default_graph: Graph,
}

/// What becomes of the solutions.
enum Form {
    Select(Vec<Variable>),
    Ask,
    Construct(Template),
    Describe,
}

/// Evaluates a query.
///
/// # Errors
/// What this executor does not do, by name; the budget's limits, damage to the snapshot: here or from the rows.
pub fn evaluate(
    snapshot: &Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    budget: &Budget,
    services: Option<&Arc<dyn Services>>,
    failures: &Failures,
) -> Result<Answer> {
    let depth = depth(parts(query).1);
    if depth > DEEP {
        return deep(depth, || collect(prepare(snapshot, query, default_graph, budget, services, failures)?.run()?));
    }
    Answer::over(snapshot, |snapshot| prepare(snapshot, query, default_graph, budget, services, failures)?.run())
}

/// A query that nests deeper than this is evaluated whole on a thread with a stack for its depth.
const DEEP: usize = 200;
/// Stack for a level of nesting: planning takes the most.
const BYTES_A_LEVEL: usize = 64 << 10;

/// The whole answer, or where it ends in an error.
fn collect(stream: Stream<'_>) -> Result<Answer> {
    Ok(match stream {
        Stream::Boolean(value) => Answer::Boolean(value),
        Stream::Solutions(variables, rows) => {
            let rows: Vec<Result<Row>> = rows.collect();
            Answer::Solutions(Solutions { variables, rows: Box::new(rows.into_iter()) })
        }
        Stream::Graph(triples) => {
            let triples: Vec<Result<Triple>> = triples.collect();
            Answer::Graph(Triples(Box::new(triples.into_iter())))
        }
    })
}

/// Evaluates on a thread with a larger stack. The stack is address space: only what is used takes memory.
fn deep(depth: usize, evaluate: impl FnOnce() -> Result<Answer> + Send) -> Result<Answer> {
    let stack = depth.saturating_mul(BYTES_A_LEVEL).max(1 << 24);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, evaluate);
        thread
            .map_err(|error| Error::io("a thread for a deeply nested query", &error))?
            .join()
            .unwrap_or_else(|_| Err(Error::bug("the evaluation of a deeply nested query failed")))
    })
}

/// Plans a query.
///
/// # Errors
/// What this executor does not do, by name; the budget's limits.
pub fn prepare<'s>(
    snapshot: &'s Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    budget: &Budget,
    services: Option<&Arc<dyn Services>>,
    failures: &Failures,
) -> Result<Prepared<'s>> {
    budget.check()?;
    let (dataset, pattern) = parts(query);
    let expressions =
        expression::Context::new(snapshot, query.base_iri().cloned(), budget.clone()).counting(failures.clone());
    let default = match default_graph {
        DefaultGraph::Stored => Graph::Default,
        DefaultGraph::Union if snapshot.quad_count() == 0 => Graph::Default,
        DefaultGraph::Union => Graph::Union,
    };
    let dataset = Dataset::new(&expressions.terms, dataset, default)?;
    let default_graph = dataset.default.clone();
    let mut translator = Translator::new(&expressions.terms, dataset, services.is_some());
    let translated = translator.whole(pattern)?;
    let names = output_variables(pattern);
    let (form, vars): (Form, Vec<Var>) = match query {
        Query::Select { .. } => {
            let vars = names.iter().map(|name| translator.var(name)).collect();
            (Form::Select(names), vars)
        }
        Query::Ask { .. } => (Form::Ask, Vec::new()),
        Query::Construct { template, .. } => {
            let template = Template::new(template, &mut translator);
            let vars = template.vars().to_vec();
            (Form::Construct(template), vars)
        }
        Query::Describe { .. } => (Form::Describe, names.iter().map(|name| translator.var(name)).collect()),
    };
    let named_graphs = translator.named_graphs();
    let row_vars = (0..=nesting(&translated)).map(|_| translator.variables.fresh("#row")).collect();
    let variables = translator.variables;
    let translated = simplify(translated, &Knowledge { names: &variables, snapshot, budget });
    budget.check()?;
    let cx = Context {
        expressions,
        named_graphs,
        variables,
        row_vars,
        merged: MergedGraphs::default(),
        services: services.cloned(),
        timed: false,
    };
    let mut builder = Builder::new(&cx);
    let plan = match &form {
        Form::Ask => builder.plan_existence(&translated)?,
        Form::Select(_) | Form::Construct(_) | Form::Describe => builder.plan(&translated, &vars)?,
    };
    Ok(Prepared { cx, plan, form, default_graph })
}

impl<'s> Prepared<'s> {
    /// Whether one solution is enough.
    pub fn asks_only(&self) -> bool {
        matches!(self.form, Form::Ask)
    }

    /// Runs the query.
    ///
    /// # Errors
    /// The budget's limits, damage to the snapshot.
    pub(crate) fn run(self) -> Result<Stream<'s>> {
        let Self { cx, mut plan, form, default_graph } = self;
        Ok(match form {
            Form::Ask => {
                let found = plan.next(&cx)?.is_some();
                cx.snapshot().intact()?;
                Stream::Boolean(found)
            }
            Form::Select(variables) => Stream::Solutions(variables, Box::new(Rows::new(cx, plan))),
            Form::Construct(template) => Stream::Graph(Box::new(Constructed::new(Rows::new(cx, plan), template))),
            Form::Describe => Stream::Graph(Box::new(Described::new(cx, plan, &default_graph)?)),
        })
    }
}

fn parts(query: &Query) -> (Option<&QueryDataset>, &GraphPattern) {
    match query {
        Query::Select { dataset, pattern, .. }
        | Query::Construct { dataset, pattern, .. }
        | Query::Describe { dataset, pattern, .. }
        | Query::Ask { dataset, pattern, .. } => (dataset.as_ref(), pattern),
    }
}

/// The variables of the answer, in order.
fn output_variables(pattern: &GraphPattern) -> Vec<Variable> {
    match pattern {
        GraphPattern::Project { variables, .. } => variables.clone(),
        GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Filter { inner, .. } => output_variables(inner),
        GraphPattern::Values { variables, .. } => variables.clone(),
        // A parsed query always says its variables; one that was made by hand has those in its text's order.
        pattern => {
            let mut variables = Vec::new();
            pattern.on_in_scope_variable(|variable| {
                if !variables.contains(variable) {
                    variables.push(variable.clone());
                }
            });
            variables
        }
    }
}

/// How many inner plans may run inside each other.
fn nesting(pattern: &Pattern) -> usize {
    use super::plan::expression::exists_patterns;
    let of_conditions = |conditions: &[super::plan::Condition]| {
        conditions.iter().flat_map(exists_patterns).map(nesting).max().map_or(0, |depth| depth + 1)
    };
    match pattern {
        Pattern::Empty
        | Pattern::Unit
        | Pattern::Triple(_)
        | Pattern::Closure(_)
        | Pattern::TripleTerm(_)
        | Pattern::Service(_)
        | Pattern::Values { .. } => 0,
        Pattern::Join(operands) | Pattern::Union(operands) => operands.iter().map(nesting).max().unwrap_or(0),
        // An OPTIONAL may be rewritten to a NOT EXISTS, which needs as much.
        Pattern::LeftJoin { left, right, conditions } => {
            nesting(left).max(nesting(right).max(of_conditions(conditions)) + 1)
        }
        Pattern::Minus { left, right } => nesting(left).max(nesting(right)),
        Pattern::Filter { inner, conditions } => nesting(inner).max(of_conditions(conditions)),
        Pattern::Extend { inner, scalar, .. } => {
            nesting(inner).max(scalar.exists.iter().map(|(_, p)| nesting(p) + 1).max().unwrap_or(0))
        }
        Pattern::Group { inner, .. }
        | Pattern::Project { inner, .. }
        | Pattern::Distinct { inner }
        | Pattern::Order { inner, .. }
        | Pattern::Slice { inner, .. } => nesting(inner),
    }
}
