//! The operators of counted stars: triple patterns around one variable whose other variables nobody reads are merged, and counted.

use super::build::{Builder, Duplicates};
use super::estimate::Rows;
use super::{Graph, Pattern, TripleAtom, Var, VarSet, scope};
use crate::batch::Batch;
use crate::operator::Node;
use crate::operator::access::{Access, Key, Wish};
use crate::operator::run_merge::{RunMerge, Stream};
use kgq_syntax::error::Result;
use std::ops::Range;

impl<'s> Builder<'_, 's> {
    /// Of the operands those that make a star with the one at `first`, which are two or more, and its centre. `read` are the variables that
    /// are read outside the operands.
    pub(super) fn star(&self, operands: &[Pattern], first: usize, read: &VarSet) -> Option<(Var, Vec<usize>)> {
        if !self.outer.is_empty() {
            return None;
        }
        let mentioned: Vec<VarSet> = operands.iter().map(scope::mentioned).collect();
        let is_ray = |at: usize, centre: Var| match &operands[at] {
            Pattern::Triple(atom) => is_ray(atom, centre, |var| {
                read.contains(var)
                    || mentioned.iter().enumerate().any(|(other, vars)| other != at && vars.contains(var))
            }),
            _ => false,
        };
        let Pattern::Triple(atom) = &operands[first] else { return None };
        atom.variables()
            .filter(|centre| is_ray(first, *centre))
            .map(|centre| (centre, (0..operands.len()).filter(|at| is_ray(*at, centre)).collect::<Vec<_>>()))
            .filter(|(_, rays)| rays.len() > 1)
            .max_by_key(|(_, rays)| rays.len())
    }

    /// The star's common centres, each with the number of solutions around it. `None` if an order for that is missing.
    pub(super) fn run_merge(
        &mut self,
        centre: Var,
        atoms: &[(&TripleAtom, bool)],
        bounds: Option<Range<u32>>,
        listed: bool,
        duplicates: Duplicates,
    ) -> Result<Option<Node<'s>>> {
        let mut streams = Vec::new();
        let mut rows = Rows::one();
        let mut bound = VarSet::default();
        let wish = Wish { column: &|_| None, rank: &|var| if var == centre { 0 } else { 50 }, constants_first: true };
        for (atom, optional) in atoms {
            let access = Access::new(self.cx, atom, &wish)?;
            let depth = access.prefix.len();
            let known = access.prefix.iter().all(|key| matches!(key, Key::Term(_)));
            if !known || depth == 0 || access.free.first() != Some(&(centre, depth)) || !access.checks.is_empty() {
                return Ok(None);
            }
            let index = access.source.index();
            let mut own = access.range(index, &Batch::unit(0), 0);
            if let Some(bounds) = &bounds {
                own.start = index.seek(depth, own.clone(), kgq_snapshot::TermId::new(bounds.start));
                own.end = index.seek(depth, own.clone(), kgq_snapshot::TermId::new(bounds.end));
            }
            if !optional {
                rows = self.estimator.join(&rows, &bound, atom, &|var| var == centre);
                bound.insert(centre);
            }
            streams.push(Stream { source: access.source.clone(), rows: own, depth, optional: *optional });
        }
        let weigh = duplicates == Duplicates::Count;
        let vars = if listed { vec![centre] } else { Vec::new() };
        let certain = vars.iter().copied().collect();
        let merge = RunMerge::new(streams, centre, listed, weigh);
        Ok(Some(Node::new(merge, vars.clone()).like(certain, vars, weigh).estimated(if listed {
            rows.rows
        } else {
            1.0
        })))
    }

    /// `left OPTIONAL { right }` as a counted star, if it is one: triple patterns, some of them in an OPTIONAL each.
    pub(super) fn counted_star(&mut self, [left, right]: [&Pattern; 2], needed: &VarSet) -> Result<Option<Node<'s>>> {
        let Pattern::Triple(atom) = right else { return Ok(None) };
        let mut atoms = vec![(atom, true)];
        let mut rest = left;
        while let Pattern::LeftJoin { left, right, conditions } = rest {
            let (Pattern::Triple(atom), true) = (right.as_ref(), conditions.is_empty()) else { return Ok(None) };
            atoms.push((atom, true));
            rest = left;
        }
        let required = match rest {
            Pattern::Triple(_) => std::slice::from_ref(rest),
            Pattern::Join(operands) => operands.as_slice(),
            _ => return Ok(None),
        };
        for operand in required {
            let Pattern::Triple(atom) = operand else { return Ok(None) };
            atoms.push((atom, false));
        }
        let Some((last, _)) = atoms.last() else { return Ok(None) };
        let centre = last.variables().find(|centre| {
            atoms.iter().enumerate().all(|(at, (atom, _))| {
                is_ray(atom, *centre, |var| {
                    needed.contains(var)
                        || atoms
                            .iter()
                            .enumerate()
                            .any(|(other, (a, _))| other != at && a.variables().any(|v| v == var))
                })
            })
        });
        match centre {
            Some(centre) if self.outer.is_empty() && atoms.iter().any(|(_, optional)| !optional) => {
                self.run_merge(centre, &atoms, None, needed.contains(centre), Duplicates::Count)
            }
            _ => Ok(None),
        }
    }
}

/// Whether the pattern has the centre once, in the merge of its graphs, and no other variable of it is `read` elsewhere.
fn is_ray(atom: &TripleAtom, centre: Var, read: impl Fn(Var) -> bool) -> bool {
    let vars: Vec<Var> = atom.variables().collect();
    let distinct = vars.iter().enumerate().all(|(at, var)| !vars[..at].contains(var));
    matches!(atom.graph, Graph::Default | Graph::Merge(_) | Graph::Union)
        && distinct
        && vars.contains(&centre)
        && vars.iter().all(|var| *var == centre || !read(*var))
}
