//! The statements along a property path: a shortest way from one node to another, as the path's automaton is walked everywhere.

use super::data::Data;
use crate::path::{Automaton, Neighbours, Step, WayStep, way};
use crate::plan::translate::closure_path;
use kgq_snapshot::{Ids, Snapshot, TermId};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Quad, Term};
use spargebra::algebra::PropertyPathExpression;

/// The most nodes that a search visits before it gives up.
const MOST_NODES: usize = 200_000;

/// The statements of a shortest way along the path; `None` if there is none, or it was not found within bounds.
///
/// # Errors
/// Damage to the snapshot, the budget's limits.
pub fn statements_along(
    data: &Data<'_>,
    [from, to]: [&Term; 2],
    path: &PropertyPathExpression,
    budget: &Budget,
) -> Result<Option<Vec<Quad>>> {
    let snapshot = data.snapshot;
    // No statement has a term that the data lack, and no way but that of no step leads from it.
    let id = |term: &Term| Ok(snapshot.id(term.as_ref()).unwrap_or(TermId::UNBOUND));
    let ends = [id(from)?, id(to)?];
    if from != to && ends.iter().any(|end| end.is_unbound()) {
        return Ok(None);
    }
    let automaton = Automaton::new(&closure_path(path).map_terms(&id)?);
    let walk = ReasonWalk { snapshot, graphs: data.graphs.ids(snapshot), budget };
    let found = way(&automaton, &walk, ends, MOST_NODES);
    snapshot.intact()?;
    let Some(steps) = found? else { return Ok(None) };
    let statements = steps.into_iter().map(|WayStep { from, step, to }| {
        let found = walk.matching(step, from, Some(to)).next();
        found.and_then(|ids| snapshot.statement(ids))
    });
    let statements = statements.collect();
    snapshot.intact()?;
    Ok(statements)
}

/// The statements that are looked into, as a walk sees them.
struct ReasonWalk<'a> {
    snapshot: &'a Snapshot,
    /// Their graphs; `None` for all.
    graphs: Option<Vec<TermId>>,
    budget: &'a Budget,
}

impl ReasonWalk<'_> {
    /// The statements with which a step leads from a node, to one node or any.
    fn matching(&self, step: &Step, from: TermId, to: Option<TermId>) -> impl Iterator<Item = Ids> {
        let (predicate, back, not): (_, _, &[TermId]) = match step {
            Step::Predicate { predicate, back } => (Some(*predicate), *back, &[]),
            Step::Not { predicates, back } => (None, *back, predicates),
        };
        let pattern = if back { [to, predicate, Some(from)] } else { [Some(from), predicate, to] };
        let among = |graph: &TermId| self.graphs.as_ref().is_none_or(|graphs| graphs.contains(graph));
        let found = self.snapshot.find_ids(pattern);
        found.filter(move |[_, predicate, _, graph]| !not.contains(predicate) && among(graph))
    }
}

impl Neighbours<TermId> for ReasonWalk<'_> {
    fn follow(&self, step: &Step, node: TermId, next: &mut Vec<TermId>) -> Result<()> {
        let (Step::Predicate { back, .. } | Step::Not { back, .. }) = step;
        next.extend(
            self.matching(step, node, None).map(|[subject, _, object, _]| if *back { subject } else { object }),
        );
        // Of equally short ways the same one in every run, however the statements are stored.
        next.sort_unstable();
        next.dedup();
        Ok(())
    }

    fn numbers(&self) -> usize {
        self.snapshot.term_count() as usize
    }

    fn budget(&self) -> &Budget {
        self.budget
    }
}
