//! What changed between two graphs: statements, and the rows of canned queries.

mod apart;
mod statements;

use crate::answers::Outcome;
use crate::catalog::{CannedQuery, Values};
use crate::graph::Graph;
use apart::apart;
use kgq_engine::query::Query;
use kgq_engine::why::{Item, why};
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedOrBlankNode, Quad, Term, Variable};
use rustc_hash::FxHashMap;
use statements::Changed;
use std::collections::BTreeMap;

/// The differences from one graph to another.
pub struct Difference {
    /// By subject, in term order.
    pub subjects: Vec<SubjectChange>,
    /// Queries whose answers differ, and those that could not be evaluated on both graphs.
    pub queries: Vec<QueryChange>,
    /// The number of canned queries evaluated on both graphs.
    pub asked: usize,
    /// Canned queries left out because one of their parameters has no value.
    pub left_out: Vec<String>,
}

/// The statements about a subject that only one of the graphs has. Blank nodes are matched by what is said about them;
/// the names shown here are those of neither graph.
pub struct SubjectChange {
    pub subject: NamedOrBlankNode,
    pub removed: Vec<Quad>,
    pub added: Vec<Quad>,
}

/// How the answers to a canned query differ.
pub struct QueryChange {
    pub name: String,
    /// Whether the text of the query changed; the newer text was evaluated on both graphs.
    pub text_changed: bool,
    pub columns: Vec<Variable>,
    pub lost: Vec<RowChange>,
    pub gained: Vec<RowChange>,
    /// Why it could not be evaluated on both graphs.
    pub failure: Option<Error>,
}

/// A row that only one of the answers has.
pub struct RowChange {
    pub row: Vec<Option<Term>>,
    /// The changed statements that it rests on.
    pub because: Vec<Quad>,
}

/// The largest number of rows of each query that are traced to the statements behind them.
const TRACED: usize = 50;

impl Difference {
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.queries.is_empty()
    }
}

/// Compares two graphs, the older first.
///
/// # Errors
/// Those of loading; blank nodes that are too many to tell apart.
pub fn diff(old: &Graph, new: &Graph) -> Result<Difference> {
    let (removed, added) = changed(old, new)?;
    let mut subjects: BTreeMap<String, SubjectChange> = BTreeMap::new();
    let mut change = |quad: &Quad, is_new: bool| {
        let change = subjects.entry(quad.subject.to_string()).or_insert_with(|| SubjectChange {
            subject: quad.subject.clone(),
            removed: Vec::new(),
            added: Vec::new(),
        });
        if is_new { change.added.push(quad.clone()) } else { change.removed.push(quad.clone()) }
    };
    removed.shown.iter().for_each(|quad| change(quad, false));
    added.shown.iter().for_each(|quad| change(quad, true));
    let mut difference =
        Difference { subjects: subjects.into_values().collect(), queries: Vec::new(), asked: 0, left_out: Vec::new() };
    let Some(catalog) = new.catalog_if_any()? else { return Ok(difference) };
    for canned in catalog.queries.iter().filter(|query| !query.is_check() && query.endpoint().is_none()) {
        if canned.header.params.values().any(|param| param.required && param.default.is_none()) {
            difference.left_out.push(canned.name.clone());
            continue;
        }
        difference.asked += 1;
        if let Some(change) = query_change(canned, (old, &removed.by_own), (new, &added.by_own)) {
            difference.queries.push(change);
        }
    }
    Ok(difference)
}

/// The statements that only the old graph has, and those that only the new one has.
fn changed(old: &Graph, new: &Graph) -> Result<(Changed, Changed)> {
    let budget = new.budget_of(Work::Export);
    let (before, after) = (old.snapshot()?, new.snapshot()?);
    let (only_before, only_after) = (apart(before, after, &budget)?, apart(after, before, &budget)?);
    old.intact()?;
    new.intact()?;
    statements::changed(&only_before.quads, &only_after.quads, &budget)
}

/// A graph, and its statements that the other graph lacks: as they are in this graph, each with the form that is shown.
type Own<'g> = (&'g Graph, &'g FxHashMap<Quad, Quad>);

fn query_change(canned: &CannedQuery, old: Own<'_>, new: Own<'_>) -> Option<QueryChange> {
    let text_changed = match old.0.catalog_if_any() {
        Ok(Some(catalog)) => catalog.get(&canned.name).map_or(true, |before| before.text != canned.text),
        Ok(None) | Err(_) => true,
    };
    let mut change = QueryChange {
        name: canned.name.clone(),
        text_changed,
        columns: Vec::new(),
        lost: Vec::new(),
        gained: Vec::new(),
        failure: None,
    };
    match answers(canned, old.0).and_then(|before| Ok((before, answers(canned, new.0)?))) {
        Err(error) => change.failure = Some(error),
        Ok(((old_query, columns, before), (new_query, _, after))) => {
            change.columns = columns;
            change.lost = traced(only(&before, &after), &change.columns, &old_query, old);
            change.gained = traced(only(&after, &before), &change.columns, &new_query, new);
        }
    }
    let differs = change.failure.is_some() || !change.lost.is_empty() || !change.gained.is_empty();
    differs.then_some(change)
}

type Rows = Vec<Vec<Option<Term>>>;

/// Evaluates a canned query on a graph: the query, its columns and rows. A truth value is a row of one column, a triple
/// a row of three.
fn answers(canned: &CannedQuery, graph: &Graph) -> Result<(Query, Vec<Variable>, Rows)> {
    let values = Values::default();
    let query = graph.parse_canned(canned, &values)?;
    let named = |names: &[&str]| names.iter().map(|name| Variable::new_unchecked(*name)).collect();
    let (columns, rows) = match graph.outcome(canned, &values)? {
        Outcome::Table { columns, rows, .. } => (columns, rows),
        Outcome::Boolean(value) => (named(&["answer"]), vec![vec![Some(kgq_syntax::rdf::Literal::from(value).into())]]),
        Outcome::Graph(triples) => {
            let row =
                |t: kgq_syntax::rdf::Triple| vec![Some(t.subject.into()), Some(t.predicate.into()), Some(t.object)];
            (named(&["subject", "predicate", "object"]), triples.into_iter().map(row).collect())
        }
    };
    Ok((query, columns, rows))
}

/// Returns the rows that only one answer has, each as often as it occurs more there. Names of blank nodes are ignored.
fn only(these: &Rows, those: &Rows) -> Rows {
    let key = |row: &Vec<Option<Term>>| -> Vec<Option<Term>> {
        let anonymous = |term: &Option<Term>| match term {
            Some(Term::BlankNode(_)) => Some(Term::BlankNode(kgq_syntax::rdf::BlankNode::new_unchecked("any"))),
            term => term.clone(),
        };
        row.iter().map(anonymous).collect()
    };
    let mut counts: rustc_hash::FxHashMap<Vec<Option<Term>>, usize> = rustc_hash::FxHashMap::default();
    those.iter().for_each(|row| *counts.entry(key(row)).or_default() += 1);
    let is_extra = |row: &&Vec<Option<Term>>| match counts.get_mut(&key(row)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    these.iter().filter(is_extra).cloned().collect()
}

/// Attaches to each row the changed statements that it rests on.
fn traced(rows: Rows, columns: &[Variable], query: &Query, (graph, changed): Own<'_>) -> Vec<RowChange> {
    let because = |row: &Vec<Option<Term>>| -> Vec<Quad> {
        let Ok(snapshot) = graph.snapshot() else { return Vec::new() };
        // A row that cannot be explained is reported without a reason.
        let found = why(snapshot, query, Item::Row(columns, row), &graph.evaluation_options());
        let statements = found.ok().flatten().map(|found| found.statements).unwrap_or_default();
        statements.iter().filter_map(|quad| changed.get(quad)).cloned().collect()
    };
    let change = |(at, row): (usize, Vec<Option<Term>>)| RowChange {
        because: if at < TRACED { because(&row) } else { Vec::new() },
        row,
    };
    rows.into_iter().enumerate().map(change).collect()
}
