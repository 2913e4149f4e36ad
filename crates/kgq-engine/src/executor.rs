//! Our own executor: plans a query over a snapshot and runs it.

use super::answer::Stream;
use super::construct::{Constructed, Template};
use super::depth::depth;
use super::expression;
use super::failures::Failures;
use super::operator::collected::collect;
use super::operator::measure::Measures;
use super::operator::shared::SharedParts;
use super::operator::spill::Temporary;
use super::operator::{Context, Node, Opening, source::MergedGraphs};
use super::oxigraph::DefaultGraph;
use super::plan::physical::PhysicalPlan;
use super::plan::planner::Planner;
use super::plan::simplify::{Knowledge, simplify};
use super::plan::translate::{Around, Translator};
use super::plan::{Graph, Var, VarSet, Variables};
use super::plans::{PlanKey, Plans};
use super::result::{Described, Rows};
use super::terms::Terms;
use super::{Answer, Services};
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Term, Variable};
use spargebra::Query;
use spargebra::algebra::{GraphPattern, QueryDataset};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// A query that is planned over a snapshot. It can be kept, and run any number of times by any thread.
pub struct Prepared {
    snapshot: Snapshot,
    query: Query,
    default_graph: DefaultGraph,
    planned: Arc<Planned>,
}

/// The plan of a query, and what a run needs besides.
pub(crate) struct Planned {
    pub plan: PhysicalPlan,
    pub variables: Arc<Variables>,
    named_graphs: Arc<[TermId]>,
    default_graph: Graph,
    form: Form,
    /// The terms of the plan that the snapshot lacks, in the order of their ids; filled if the plan is kept.
    terms: Vec<Term>,
    /// Whether the plan depends on the value of NOW().
    reads_clock: bool,
}

/// What the solutions are turned into.
enum Form {
    Select(Vec<Variable>),
    Ask,
    Construct(Template),
    Describe,
}

/// What a run may use, and where it counts failures.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub budget: &'a Budget,
    pub services: Option<&'a Arc<dyn Services>>,
    pub failures: &'a Failures,
    /// The folder for temporary files; `None` is the system's.
    pub temporary: Option<&'a Path>,
}

/// Evaluates a query.
///
/// # Errors
/// Features that this executor lacks, by name; the budget's limits and damage to the snapshot, here or from the rows.
pub fn evaluate(snapshot: &Snapshot, query: &Query, default_graph: DefaultGraph, run: Run<'_>) -> Result<Answer> {
    over(snapshot, query, |snapshot, when| {
        let (cx, planned) = plan(snapshot, query, default_graph, run)?;
        planned.start(cx, when)
    })
}

/// Evaluates a query as [`evaluate`] does, but reuses a kept plan if there is one.
///
/// # Errors
/// As [`evaluate`].
pub(crate) fn evaluate_again(
    snapshot: &Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    run: Run<'_>,
    plans: &Plans,
) -> Result<Answer> {
    if !keeps(plans, snapshot, query) {
        return evaluate(snapshot, query, default_graph, run);
    }
    Answer::over(snapshot, |snapshot| {
        let (cx, planned) = planned_again(snapshot, query, default_graph, run, plans)?;
        planned.start(cx, When::Asked)
    })
}

/// A query with the plan that it has among those that were kept.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn prepare_again(
    snapshot: &Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    run: Run<'_>,
    plans: &Plans,
) -> Result<Prepared> {
    if !keeps(plans, snapshot, query) {
        return prepare(snapshot, query, default_graph, run);
    }
    let (_, planned) = planned_again(snapshot, query, default_graph, run, plans)?;
    Ok(Prepared { snapshot: snapshot.clone(), query: query.clone(), default_graph, planned })
}

/// Whether plans of the query are kept. What nests deep is not compared with others: that would take a stack of its own.
fn keeps(plans: &Plans, snapshot: &Snapshot, query: &Query) -> bool {
    plans.are_of(snapshot) && !nests_deep(query)
}

/// The plan that is kept for a query, or a new one, which is kept from then on; with the context of a run.
fn planned_again<'s>(
    snapshot: &'s Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    run: Run<'_>,
    plans: &Plans,
) -> Result<(Context<'s>, Arc<Planned>)> {
    let asked = PlanKey { query, default_graph, answers_services: run.services.is_some() };
    run.budget.check()?;
    if let Some(planned) = plans.get(asked) {
        return Ok((planned.context(snapshot, query, run)?, planned));
    }
    let (cx, mut planned) = plan(snapshot, query, default_graph, run)?;
    planned.terms = cx.terms().computed_terms();
    let planned = Arc::new(planned);
    // What was ordered while time ran out is ordered by no costs.
    run.budget.check()?;
    plans.keep(asked, &planned);
    Ok((cx, planned))
}

/// When the operators of a plan run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// As rows are asked for.
    Asked,
    /// At once.
    Ahead,
}

/// The answer of a query's stream, whose operators run at once where the query nests deep.
fn over(
    snapshot: &Snapshot,
    query: &Query,
    start: impl for<'s> FnOnce(&'s Snapshot, When) -> Result<Stream<'s>> + Send,
) -> Result<Answer> {
    let depth = depth(parts(query).1);
    if depth > DEEP {
        deep(depth, move || Answer::over(snapshot, |snapshot| start(snapshot, When::Ahead)))
    } else {
        Answer::over(snapshot, |snapshot| start(snapshot, When::Asked))
    }
}

/// Whether walking over the query recursively may need more stack than a thread has.
pub(crate) fn nests_deep(query: &Query) -> bool {
    depth(parts(query).1) > DEEP
}

/// The operators of a query that nests deeper than this run at once, on a thread with a stack for its depth.
const DEEP: usize = 64;
/// Bytes of stack for a level of nesting; planning takes the most.
const BYTES_A_LEVEL: usize = 64 << 10;

/// Evaluates on a thread with a larger stack. The stack is only address space: memory is taken as it is used.
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

/// Plans a query, to be run later.
///
/// # Errors
/// Features that this executor lacks, by name; the budget's limits.
pub fn prepare(snapshot: &Snapshot, query: &Query, default_graph: DefaultGraph, run: Run<'_>) -> Result<Prepared> {
    let (cx, mut planned) = plan(snapshot, query, default_graph, run)?;
    planned.terms = cx.terms().computed_terms();
    Ok(Prepared { snapshot: snapshot.clone(), query: query.clone(), default_graph, planned: Arc::new(planned) })
}

/// Plans a query, and returns the plan with the context that it was planned in.
pub(crate) fn plan<'s>(
    snapshot: &'s Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    run: Run<'_>,
) -> Result<(Context<'s>, Planned)> {
    let budget = run.budget;
    budget.check()?;
    let (dataset_of_query, pattern) = parts(query);
    let expressions = expression::Context::new(snapshot, query.base_iri().cloned(), budget.clone());
    let default = match default_graph {
        DefaultGraph::Stored => Graph::Default,
        DefaultGraph::Union if snapshot.quad_count() == 0 => Graph::Default,
        DefaultGraph::Union => Graph::Union,
    };
    let (default, named) = dataset(&expressions.terms, dataset_of_query, default)?;
    let restricted = named.is_some();
    let named_graphs = named.unwrap_or_else(|| snapshot.named_graphs().into());
    let mut cx = Context {
        expressions,
        named_graphs: Arc::clone(&named_graphs),
        variables: Arc::default(),
        merged: MergedGraphs::default(),
        shared: SharedParts::default(),
        services: run.services.cloned(),
        temporary: Temporary::new(run.temporary),
        measures: None,
    };
    let around = Around { statistics: &cx, restricted, answers_services: run.services.is_some(), budget };
    let mut translator = Translator::new(around, default.clone());
    let logical = translator.pattern(pattern)?;
    let names = output_variables(pattern);
    let (form, vars): (Form, Vec<Var>) = match query {
        Query::Select { .. } => {
            let vars = names.iter().map(|name| translator.var(name)).collect();
            (Form::Select(names), vars)
        }
        Query::Ask { .. } => (Form::Ask, Vec::new()),
        Query::Construct { template, .. } => {
            let template = Template::new(template, pattern, &mut translator);
            let vars = template.vars().to_vec();
            (Form::Construct(template), vars)
        }
        Query::Describe { .. } => (Form::Describe, names.iter().map(|name| translator.var(name)).collect()),
    };
    let mut variables = translator.variables;
    let logical = simplify(logical, &Knowledge { statistics: &cx, budget, outer: VarSet::default() });
    budget.check()?;
    let (bound, default_graph) = (logical.map_terms(cx.terms())?, default.map_terms(cx.terms())?);
    let mut planner = Planner::new(&cx, budget, &mut variables);
    let plan = match &form {
        Form::Ask => planner.plan_existence(&bound)?,
        Form::Select(_) | Form::Construct(_) | Form::Describe => planner.plan(&bound, &vars)?,
    };
    let reads_clock = planner.reads_clock();
    cx.variables = Arc::new(variables);
    // Failures are counted only from here on. What fails in planning fails again in the run, and is thus counted once,
    // with or without a kept plan.
    cx.expressions.failures = run.failures.clone();
    let variables = Arc::clone(&cx.variables);
    Ok((cx, Planned { plan, variables, named_graphs, default_graph, form, terms: Vec::new(), reads_clock }))
}

impl Planned {
    /// Whether the plan depends on the time when it was made.
    pub fn reads_clock(&self) -> bool {
        self.reads_clock
    }

    /// Returns its approximate bytes, without the expressions and names of the query.
    pub fn bytes(&self) -> usize {
        let terms: usize = self.terms.iter().map(|term| size_of::<Term>() + term.to_string().len()).sum();
        self.plan.bytes() + terms
    }

    /// Makes the context for a run of the plan.
    fn context<'s>(&self, snapshot: &'s Snapshot, query: &Query, run: Run<'_>) -> Result<Context<'s>> {
        let expressions = expression::Context::new(snapshot, query.base_iri().cloned(), run.budget.clone());
        for term in &self.terms {
            expressions.terms.id_of(term)?;
        }
        Ok(Context {
            expressions: expressions.counting(run.failures.clone()),
            named_graphs: Arc::clone(&self.named_graphs),
            variables: Arc::clone(&self.variables),
            merged: MergedGraphs::default(),
            shared: SharedParts::default(),
            services: run.services.cloned(),
            temporary: Temporary::new(run.temporary),
            measures: None,
        })
    }

    /// Starts a run.
    fn start<'s>(&self, cx: Context<'s>, when: When) -> Result<Stream<'s>> {
        let mut plan: Node<'s> = Opening::new(&cx).node(&self.plan)?;
        if when == When::Ahead && !matches!(self.form, Form::Ask) {
            plan = collect(plan, &cx)?;
        }
        Ok(match &self.form {
            Form::Ask => {
                let found = plan.next(&cx)?.is_some();
                cx.snapshot().intact()?;
                Stream::Boolean(found)
            }
            Form::Select(variables) => Stream::Solutions(variables.clone(), Box::new(Rows::new(cx, plan))),
            Form::Construct(template) => {
                Stream::Graph(Box::new(Constructed::new(Rows::new(cx, plan), template.clone())?))
            }
            Form::Describe => Stream::Graph(Box::new(Described::new(cx, plan, &self.default_graph)?)),
        })
    }
}

impl Prepared {
    /// Runs the query: what tests compare with other plans of it.
    ///
    /// # Errors
    /// As [`evaluate`].
    #[cfg(test)]
    pub fn evaluate(&self, run: Run<'_>) -> Result<Answer> {
        over(&self.snapshot, &self.query, |snapshot, when| {
            let (cx, replanned) = self.context(snapshot, run)?;
            replanned.as_ref().unwrap_or(&self.planned).start(cx, when)
        })
    }

    /// Makes the context of a run, with a new plan if the old one depends on the time.
    fn context<'s>(&self, snapshot: &'s Snapshot, run: Run<'_>) -> Result<(Context<'s>, Option<Planned>)> {
        if self.planned.reads_clock {
            let (cx, planned) = plan(snapshot, &self.query, self.default_graph, run)?;
            return Ok((cx, Some(planned)));
        }
        Ok((self.planned.context(snapshot, &self.query, run)?, None))
    }

    /// Returns the plan as text.
    ///
    /// # Errors
    /// The budget's limits.
    pub fn explain(&self, run: Run<'_>) -> Result<String> {
        let cx = self.planned.context(&self.snapshot, &self.query, run)?;
        Ok(super::explain::tree(&self.planned.plan, &cx))
    }

    /// Runs the plan to its end, drops its rows, and returns the plan as text with the counts.
    ///
    /// # Errors
    /// The budget's limits.
    pub fn analyze(&self, run: Run<'_>) -> Result<String> {
        let (mut cx, replanned) = self.context(&self.snapshot, run)?;
        let planned = replanned.as_ref().unwrap_or(&self.planned);
        cx.measures = Some(Measures::default());
        let mut node = Opening::new(&cx).node(&planned.plan)?;
        while node.next(&cx)?.is_some() {
            // One solution is enough.
            if matches!(planned.form, Form::Ask) {
                break;
            }
        }
        self.snapshot.intact()?;
        Ok(super::explain::tree(&planned.plan, &cx))
    }
}

/// The named graphs that a query allows, in order; `None` for all.
type Restricted = Option<Arc<[TermId]>>;

/// Returns the default graph, and the ids of the named graphs in order if the query restricts them (SPARQL 1.1 §13).
///
/// # Errors
/// The limit on memory.
fn dataset(terms: &Terms<'_>, asked: Option<&QueryDataset>, default: Graph<Term>) -> Result<(Graph<Term>, Restricted)> {
    let Some(asked) = asked else { return Ok((default, None)) };
    let graphs: BTreeSet<&NamedNode> = asked.default.iter().collect();
    let default = match graphs.into_iter().collect::<Vec<_>>().as_slice() {
        [graph] => Graph::Named(Term::from((*graph).clone())),
        graphs => Graph::Merge(graphs.iter().map(|graph| Some(Term::from((*graph).clone()))).collect()),
    };
    // WITH names the default graph of an update, and does not restrict the named graphs.
    let Some(named) = &asked.named else { return Ok((default, None)) };
    let ids: BTreeSet<TermId> = named.iter().map(|name| terms.id(name.clone().into())).collect::<Result<_>>()?;
    Ok((default, Some(ids.into_iter().collect())))
}

fn parts(query: &Query) -> (Option<&QueryDataset>, &GraphPattern) {
    match query {
        Query::Select { dataset, pattern, .. }
        | Query::Construct { dataset, pattern, .. }
        | Query::Describe { dataset, pattern, .. }
        | Query::Ask { dataset, pattern, .. } => (dataset.as_ref(), pattern),
    }
}

/// Returns the variables of the answer, in order.
pub(crate) fn output_variables(pattern: &GraphPattern) -> Vec<Variable> {
    match pattern {
        GraphPattern::Project { variables, .. } => variables.clone(),
        GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Filter { inner, .. } => output_variables(inner),
        GraphPattern::Values { variables, .. } => variables.clone(),
        // A parsed query always names its variables; a query made by hand has them in the order of its pattern.
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
