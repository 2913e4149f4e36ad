//! Estimates of paths of any length.

use super::{Cardinality, Estimator, WORTH_A_SAMPLE};
use crate::plan::statistics::Count;
use crate::plan::{ClosureAtom, Graph, Path, Repeat, Slot, TripleAtom, Var, VarSet};
use kgq_snapshot::TermId;

/// Assumed number of steps in a path of any length, where no walks tell.
const STEPS_OF_CLOSURE: f64 = 4.0;

impl Estimator<'_> {
    /// Estimates the cost of searching along a path from rows that bind `bound`, and the rows that result.
    pub fn closure(&self, atom: &ClosureAtom, bound: &VarSet, before: &Cardinality) -> (f64, Cardinality) {
        let step = self.steps(atom);
        let [subjects, _, objects, _] = step.distinct.map(|distinct| distinct.max(1.0));
        let known = |slot: Slot| match slot {
            Slot::Term(_) => true,
            Slot::Var(var) => bound.contains(var),
        };
        // A start reaches its neighbours and theirs, but no more nodes than there are.
        let far = if atom.repeat == Repeat::ZeroOrOne { 1.0 } else { STEPS_OF_CLOSURE };
        let neighbours = [step.rows / subjects * far, step.rows / objects * far];
        let [forward, back] = self.walks(atom).unwrap_or(neighbours);
        let (forward, back) = (forward.clamp(1.0, objects), back.clamp(1.0, subjects));
        // A path of length zero leads from every node of the graph to itself.
        let nodes = if atom.is_nullable() { self.nodes(&atom.graph) } else { 0.0 };
        let (rows, searched) = match (known(atom.subject), known(atom.object)) {
            (true, true) => (before.rows * forward / objects, before.rows.min(subjects) * forward),
            (true, false) => (before.rows * forward, before.rows.min(subjects) * forward),
            (false, true) => (before.rows * back, before.rows.min(objects) * back),
            (false, false) => (before.rows * (subjects * forward + nodes), subjects * forward + nodes),
        };
        let mut after = before.with_rows(rows);
        for (slot, distinct) in [(atom.subject, subjects.max(nodes)), (atom.object, objects.max(nodes))] {
            if let Slot::Var(var) = slot {
                after.set(var, distinct.min(rows.max(1.0)));
            }
        }
        (before.rows + searched + rows * 0.1, after)
    }

    /// How many nodes walks along the steps of a closure reach from a node, on average, and how many against them. `None` if it is not known, or
    /// there are few steps.
    pub fn walks(&self, atom: &ClosureAtom) -> Option<[f64; 2]> {
        if atom.repeat == Repeat::ZeroOrOne || self.steps(atom).rows < WORTH_A_SAMPLE {
            return None;
        }
        let known = self.walks.borrow().iter().find(|(of, _)| of == atom).map(|(_, walks)| *walks);
        known.unwrap_or_else(|| {
            let reach = |back, from: Slot| self.statistics.reach(&atom.path, &atom.graph, back, from.term());
            let walks = reach(false, atom.subject).zip(reach(true, atom.object)).map(<[f64; 2]>::from);
            self.walks.borrow_mut().push((atom.clone(), walks));
            walks
        })
    }

    /// The matches of all steps of a closure.
    fn steps(&self, atom: &ClosureAtom) -> Count {
        let mut steps = Count { rows: 0.0, distinct: [0.0; 4] };
        self.steps_of(&atom.path, &atom.graph, false, &mut steps);
        steps
    }

    /// The number of nodes of a graph: of subjects and objects.
    fn nodes(&self, graph: &Graph) -> f64 {
        let mut every = Count { rows: 0.0, distinct: [0.0; 4] };
        self.step_of(None, graph, false, &mut every);
        let [subjects, _, objects, _] = every.distinct;
        (subjects + objects).min(f64::from(self.statistics.terms()))
    }

    /// Adds up the matches of a path's steps.
    fn steps_of(&self, path: &Path, graph: &Graph, back: bool, sum: &mut Count) {
        match path {
            Path::Predicate(predicate) => self.step_of(Some(*predicate), graph, back, sum),
            Path::Not(_) => self.step_of(None, graph, back, sum),
            Path::Reverse(path) => self.steps_of(path, graph, !back, sum),
            Path::Closure(_, path) => self.steps_of(path, graph, back, sum),
            Path::Sequence(paths) | Path::Alternative(paths) => {
                paths.iter().for_each(|path| self.steps_of(path, graph, back, sum));
            }
        }
    }

    /// Adds the matches of one step over the predicate, or over any predicate for `None`.
    fn step_of(&self, predicate: Option<TermId>, graph: &Graph, back: bool, sum: &mut Count) {
        let [subject, object] = Var::ANY_TWO.map(Slot::Var);
        let predicate = predicate.map_or(object, Slot::Term);
        // Any variables will do, even the same one twice: only the constants decide the count.
        let of = self.count(&TripleAtom { slots: [subject, predicate, object], graph: graph.clone() });
        let [from, _, to, _] = of.distinct;
        sum.rows += of.rows;
        sum.distinct[0] += if back { to } else { from };
        sum.distinct[2] += if back { from } else { to };
    }
}
