//! The operators that look into the data: index joins, paths, and the components of triple terms.

use super::build::{Builder, Duplicates, Input};
use super::{ClosureAtom, Graph, Slot, TripleAtom, TripleTermAtom, Var, VarSet};
use crate::operator::Node;
use crate::operator::access::{Access, Key, Wish};
use crate::operator::closure::{self, Closure, End, Within};
use crate::operator::probe::{Choice, Keep, Probe};
use crate::operator::triple_term::{Part, TripleTerm};
use kgq_syntax::error::Result;
use std::ops::Range;
use std::sync::Arc;

impl<'s> Builder<'_, 's> {
    /// Looks each row up in the pattern's index.
    #[expect(
        clippy::too_many_arguments,
        reason = "an index join has an input, a pattern and what becomes of its matches"
    )]
    pub(super) fn probe(
        &mut self,
        input: Node<'s>,
        atom: &TripleAtom,
        keep: Keep,
        needed: &VarSet,
        duplicates: Duplicates,
        bounds: Option<(Var, Range<u32>)>,
        next_keys: &[Var],
    ) -> Result<Node<'s>> {
        let column = |var: Var| if input.certain.contains(var) { input.column(var) } else { None };
        let rank = |var: Var| match &bounds {
            Some((bounded, _)) if *bounded == var => 0,
            _ if !needed.contains(var) => 50,
            _ => 1 + next_keys.iter().position(|key| *key == var).unwrap_or(20).min(20) as u8,
        };
        let keys: Vec<Var> = atom.variables().filter(|var| column(*var).is_some()).collect();
        let sorted_key = match (keys.as_slice(), input.sorted.first()) {
            ([key], Some(first)) => key == first,
            _ => false,
        };
        let access = Access::new(
            self.cx,
            atom,
            &Wish { column: &column, rank: &rank, constants_first: sorted_key || keys.is_empty() },
        )?;
        let first_free = access.free.first().map(|(var, depth)| (*var, *depth));
        let bounds = bounds.filter(|(var, _)| first_free == Some((*var, access.prefix.len()))).map(|(_, range)| range);
        let estimate = self.estimator.probe(&input, atom, keep);
        let mut certain = input.certain.clone();
        if keep == Keep::Matched {
            atom.variables().for_each(|var| certain.insert(var));
        }
        let mut sorted = input.sorted.clone();
        if input.vars.is_empty() && keep == Keep::Matched {
            // A scan comes in the order of its components.
            sorted = access.free.iter().map(|(var, _)| *var).collect();
        }
        let settled = self.settled.as_ref().and_then(|(row, settled)| Some((input.column(*row)?, settled.clone())));
        let choice = Choice {
            keep,
            settled,
            weigh: duplicates == Duplicates::Count,
            sorted_key,
            bounds,
            needed: &|var| needed.contains(var),
        };
        let (probe, vars) = Probe::new(input, access, choice);
        let weighted = probe.weighs();
        let certain = certain.intersection(&vars.iter().copied().collect());
        Ok(Node::new(probe, vars).like(certain, sorted, weighted).estimated(estimate))
    }

    pub(super) fn closure(&mut self, input: Input<'s>, atom: &ClosureAtom, needed: &VarSet) -> Result<Node<'s>> {
        let input = self.start(input);
        let end = |slot: Slot| match slot {
            Slot::Term(term) => End::Key(Key::Term(term)),
            Slot::Var(var) => input.column(var).map_or(End::Free, |column| End::Key(Key::Column(column))),
        };
        let (subject, object) = (end(atom.subject), end(atom.object));
        let same = atom.subject == atom.object && subject == End::Free;
        let (within, graph) = match &atom.graph {
            Graph::Each(graph) => match input.column(*graph) {
                Some(column) => (Within::Column(column), None),
                None => (Within::Each, Some(*graph)),
            },
            graph => (Within::One(graph.clone()), None),
        };
        let kept: Vec<usize> = (0..input.vars.len()).filter(|c| needed.contains(input.vars[*c])).collect();
        let mut vars: Vec<Var> = kept.iter().map(|column| input.vars[*column]).collect();
        let fresh = [
            (atom.subject.var(), subject == End::Free),
            (atom.object.var(), object == End::Free && !same),
            (graph, graph.is_some()),
        ];
        let mut certain = input.certain.clone();
        let added = fresh.map(|(var, free)| match var {
            Some(var) if free && needed.contains(var) => {
                vars.push(var);
                certain.insert(var);
                true
            }
            _ => false,
        });
        let (sorted, weighted) = (input.sorted.clone(), input.weighted);
        let estimate = input.estimate * 10.0;
        let plan = closure::Plan {
            subject,
            object,
            same,
            within,
            repeat: atom.repeat,
            path: Arc::clone(&atom.path),
            kept,
            added,
            vars: vars.clone(),
        };
        let certain = certain.intersection(&vars.iter().copied().collect());
        Ok(Node::new(Closure::new(input, plan), vars).like(certain, sorted, weighted).estimated(estimate))
    }

    pub(super) fn triple_term(&mut self, input: Node<'s>, atom: &TripleTermAtom, needed: &VarSet) -> Result<Node<'s>> {
        let Some(column) = input.column(atom.triple) else {
            return Err(kgq_syntax::error::Error::bug("a triple term is taken apart before it is bound"));
        };
        let mut kept: Vec<usize> = (0..input.vars.len()).filter(|c| needed.contains(input.vars[*c])).collect();
        let mut vars: Vec<Var> = kept.iter().map(|column| input.vars[*column]).collect();
        let mut certain = input.certain.clone();
        let mut bound = 0;
        let mut parts = [Part::Binds; 3];
        for (at, slot) in atom.slots.into_iter().enumerate() {
            parts[at] = match slot {
                Slot::Term(term) => Part::Equals(Key::Term(term)),
                Slot::Var(var) => match (input.column(var), atom.slots[..at].iter().position(|s| *s == slot)) {
                    (Some(column), _) if input.certain.contains(var) => Part::Equals(Key::Column(column)),
                    (Some(column), None) => {
                        certain.insert(var);
                        Part::Fills(column)
                    }
                    (_, Some(earlier)) => Part::Repeats(earlier),
                    (None, None) => {
                        if needed.contains(var) {
                            kept.push(input.vars.len() + bound);
                            vars.push(var);
                            certain.insert(var);
                        }
                        bound += 1;
                        Part::Binds
                    }
                },
            };
        }
        let (sorted, weighted, estimate) = (input.sorted.clone(), input.weighted, input.estimate);
        let certain = certain.intersection(&vars.iter().copied().collect());
        let node = Node::new(TripleTerm::new(input, column, parts, kept), vars);
        Ok(node.like(certain, sorted, weighted).estimated(estimate))
    }
}
