//! SPARQL 1.1 Update: applies operations to the statements of a snapshot, one after the other. WHERE is answered like a query.
//! Statements are deleted and inserted by their terms as they are written. Either all operations take effect or none.

mod looked_for;
mod state;
mod template;

use super::{Answer, EvaluationOptions, evaluate};
use crate::query::{Operation, OperationForm, Query, Transfer, TransferKind, Update};
use kgq_snapshot::Snapshot;
use kgq_snapshot::store::Relabel;
use kgq_syntax::budget::{Limits, Steps};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{BlankNode, GraphName, Quad, Term};
pub use looked_for::{LookedFor, looked_for};
use spargebra::GraphUpdateOperation;
use spargebra::algebra::{GraphPattern, GraphTarget, QueryDataset};
use spargebra::term::{self, GroundQuad, GroundQuadPattern, GroundTerm, GroundTriple, QuadPattern};
use state::State;
pub use state::{Change, Graphs};
use template::Templates;

/// Runs an update on the statements of a snapshot, which stays as it is.
///
/// # Errors
/// An operation that fails, at its place in `source`; the limits of a WHERE; damage to the snapshot.
pub fn update(snapshot: &Snapshot, source: Source<'_>, update: &Update, options: &EvaluationOptions) -> Result<Change> {
    // All operations share one budget. The bound on rows applies only to answers.
    let options = EvaluationOptions { limits: Limits::default(), budget: options.budget_of_query(), ..options.clone() };
    let steps = Steps::new(&options.budget);
    let mut run = Run { state: State::new(snapshot), base: update.base.as_deref(), options: &options, steps };
    for operation in &update.operations {
        options.budget.check()?;
        run.operation(operation).map_err(|error| match error.place() {
            None => error.at(source.place(operation.span.clone())),
            Some(_) => error,
        })?;
    }
    let mut change = run.state.into_change();
    name_new_nodes(snapshot, &mut change.added);
    snapshot.intact()?;
    Ok(change)
}

struct Run<'a, 'r> {
    state: State<'a>,
    base: Option<&'r str>,
    options: &'r EvaluationOptions,
    steps: Steps,
}

impl Run<'_, '_> {
    fn operation(&mut self, operation: &Operation) -> Result<()> {
        match &operation.form {
            OperationForm::Transfer(transfer) => self.transfer(transfer),
            OperationForm::Plain(GraphUpdateOperation::InsertData { data }) => self.insert_data(data),
            OperationForm::Plain(GraphUpdateOperation::DeleteData { data }) => {
                for (number, quad) in data.iter().enumerate() {
                    self.look_and_count(number)?;
                    self.state.remove(&ground(quad));
                }
                Ok(())
            }
            OperationForm::Plain(GraphUpdateOperation::DeleteInsert { delete, insert, using, pattern }) => {
                self.modify(delete, insert, using.as_ref(), pattern)
            }
            // The program refuses LOAD beforehand; SILENT turns its failure into success (SPARQL 1.1 Update §3.1.4).
            OperationForm::Plain(GraphUpdateOperation::Load { silent, source, .. }) if !silent => {
                Err(Error::policy(format!("LOAD {source} is refused: kgq makes no network request")))
            }
            OperationForm::Plain(GraphUpdateOperation::Load { .. }) => Ok(()),
            OperationForm::Plain(GraphUpdateOperation::Create { silent, graph }) => {
                if !self.state.create(graph) && !silent {
                    return Err(Error::input(format!("there is a graph {graph} already"))
                        .hint("`CREATE SILENT` leaves it as it is"));
                }
                Ok(())
            }
            OperationForm::Plain(GraphUpdateOperation::Clear { silent, graph }) => {
                self.clear(graph, *silent, "CLEAR", false)
            }
            OperationForm::Plain(GraphUpdateOperation::Drop { silent, graph }) => {
                self.clear(graph, *silent, "DROP", true)
            }
        }
    }

    /// Blank node labels in the data are local to the operation and denote new nodes (SPARQL 1.1 Update §3.1.1).
    fn insert_data(&mut self, data: &[term::Quad]) -> Result<()> {
        let mut fresh = Relabel::fresh();
        for (number, quad) in data.iter().enumerate() {
            self.look_and_count(number)?;
            let term::Quad { subject, predicate, object, graph_name } = quad.clone();
            let mut quad = Quad { subject, predicate, object, graph_name: graph(&graph_name) };
            fresh.quad(&mut quad);
            self.state.insert(quad);
        }
        Ok(())
    }

    /// Checks the budget from time to time.
    fn look(&self, number: usize) -> Result<()> {
        if number.is_multiple_of(ROWS_BETWEEN_CHECKS) { self.options.budget.check() } else { Ok(()) }
    }

    /// The same while statements change, and counts them.
    fn look_and_count(&mut self, number: usize) -> Result<()> {
        self.look(number)?;
        if number.is_multiple_of(ROWS_BETWEEN_CHECKS) { self.state.count(&self.options.budget) } else { Ok(()) }
    }

    fn clear(&mut self, target: &GraphTarget, silent: bool, word: &str, drop: bool) -> Result<()> {
        let graphs = match target {
            GraphTarget::NamedNode(graph) => {
                let graph = GraphName::NamedNode(graph.clone());
                if !self.state.exists(&graph) {
                    return if silent { Ok(()) } else { Err(missing(&graph, word)) };
                }
                Graphs::One(graph)
            }
            GraphTarget::DefaultGraph => Graphs::One(GraphName::DefaultGraph),
            GraphTarget::NamedGraphs => Graphs::Named,
            GraphTarget::AllGraphs => Graphs::All,
        };
        self.state.clear(&graphs, drop, &self.steps)
    }

    fn transfer(&mut self, transfer: &Transfer) -> Result<()> {
        let Transfer { kind, silent, from, to } = transfer;
        if !self.state.exists(from) {
            let word = match kind {
                TransferKind::Copy => "COPY",
                TransferKind::Move => "MOVE",
                TransferKind::Add => "ADD",
            };
            return if *silent { Ok(()) } else { Err(missing(from, word)) };
        }
        let mut moved = self.state.of_graph(from, &self.steps)?;
        moved.iter_mut().for_each(|quad| quad.graph_name.clone_from(to));
        if *kind != TransferKind::Add {
            self.state.clear(&Graphs::One(to.clone()), true, &self.steps)?;
        }
        self.state.exist(to);
        for (number, quad) in moved.into_iter().enumerate() {
            self.look_and_count(number)?;
            self.state.insert(quad);
        }
        if *kind == TransferKind::Move {
            self.state.clear(&Graphs::One(from.clone()), true, &self.steps)?;
        }
        Ok(())
    }

    /// All solutions are found before anything changes, and all deletions come before the insertions (SPARQL 1.1 Update §3.1.3).
    fn modify(
        &mut self,
        delete: &[GroundQuadPattern],
        insert: &[QuadPattern],
        using: Option<&QueryDataset>,
        pattern: &GraphPattern,
    ) -> Result<()> {
        let mut templates = Templates::new(delete, insert);
        let inner = Box::new(pattern.clone());
        let algebra = spargebra::Query::Select {
            dataset: using.cloned(),
            pattern: GraphPattern::Project { inner, variables: templates.variables().to_vec() },
            base_iri: self.base.and_then(|base| oxiri::Iri::parse(base.to_owned()).ok()),
        };
        let snapshot = self.state.snapshot(&self.options.budget)?;
        match evaluate(snapshot, &Query { algebra }, self.options)? {
            Answer::Solutions(solutions) => {
                for (number, row) in solutions.rows.enumerate() {
                    self.look(number)?;
                    templates.fill(&row?);
                }
            }
            Answer::Boolean(_) | Answer::Graph(_) => return Err(Error::bug("a SELECT has no solutions")),
        }
        let (deleted, inserted) = templates.into_statements();
        for (number, quad) in deleted.iter().enumerate() {
            self.look_and_count(number)?;
            self.state.remove(quad);
        }
        for (number, quad) in inserted.into_iter().enumerate() {
            self.look_and_count(number)?;
            self.state.insert(quad);
        }
        Ok(())
    }
}

/// Statements between two checks of the clock.
const ROWS_BETWEEN_CHECKS: usize = 4096;

fn missing(graph: &GraphName, word: &str) -> Error {
    Error::input(format!("there is no graph {graph}"))
        .hint(format!("a graph exists while it has a statement; `{word} SILENT` ignores a missing one"))
}

fn ground(quad: &GroundQuad) -> Quad {
    Quad {
        subject: quad.subject.clone().into(),
        predicate: quad.predicate.clone(),
        object: ground_term(&quad.object),
        graph_name: graph(&quad.graph_name),
    }
}

fn graph(name: &term::GraphName) -> GraphName {
    match name {
        term::GraphName::NamedNode(node) => node.clone().into(),
        term::GraphName::DefaultGraph => GraphName::DefaultGraph,
    }
}

fn ground_term(term: &GroundTerm) -> Term {
    match term {
        GroundTerm::NamedNode(node) => node.clone().into(),
        GroundTerm::Literal(literal) => literal.clone().into(),
        GroundTerm::Triple(triple) => {
            let GroundTriple { subject, predicate, object } = triple.as_ref();
            let (subject, object) = (subject.clone().into(), ground_term(object));
            kgq_syntax::rdf::Triple { subject, predicate: predicate.clone(), object }.into()
        }
    }
}

/// Sorts new statements and names the blank nodes that the snapshot lacks in that order, so that the same update produces the same
/// file.
pub fn name_new_nodes(snapshot: &Snapshot, added: &mut [Quad]) {
    if added.iter().all(|quad| kgq_syntax::rdf::blank::nodes_of(quad).is_empty()) {
        added.sort_by_cached_key(Quad::to_string);
        return;
    }
    let is_known = |node: &BlankNode| snapshot.id(node.as_ref().into()).is_some();
    let key = |quad: &Quad| {
        let mut key = quad.to_string();
        for node in kgq_syntax::rdf::blank::nodes_of(quad) {
            if !is_known(&node) {
                key = key.replace(&node.to_string(), "_:");
            }
        }
        key
    };
    added.sort_by_cached_key(key);
    let mut relabel = Relabel::of_update(is_known);
    for quad in added {
        relabel.quad(quad);
    }
}

#[cfg(test)]
mod tests;
