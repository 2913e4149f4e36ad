//! The operators of counted stars: triple patterns around one variable are merged and counted if nobody reads their
//! other variables.

use super::{Duplicates, Planner};
use crate::operator::access::{Lookup, Wish};
use crate::operator::run_merge::{self, Ray};
use crate::plan::estimate::Cardinality;
use crate::plan::physical::{Basis, PhysicalPlan};
use crate::plan::{Graph, Pattern, TripleAtom, Var, VarSet, scope};
use std::ops::Range;

impl Planner<'_> {
    /// Returns the centre of a star that contains the operand at `first`, and the two or more operands that form it.
    /// `read` are the variables that are read outside the operands.
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

    /// Plans the common centres of the star, each with the number of solutions around it. Returns `None` if no stored
    /// permutation fits.
    pub(super) fn run_merge(
        &self,
        centre: Var,
        atoms: &[(&TripleAtom, bool)],
        bounds: Option<Range<u32>>,
        listed: bool,
        duplicates: Duplicates,
    ) -> Option<PhysicalPlan> {
        let mut rays = Vec::new();
        let mut rows = Cardinality::one();
        let mut bound = VarSet::default();
        let wish = Wish {
            column: &|_| None,
            rank: &|var| if var == centre { 0 } else { 50 },
            constants_first: true,
            first_key: None,
        };
        for (atom, optional) in atoms {
            let lookup = Lookup::new(atom, &wish);
            let depth = lookup.prefix.len();
            if depth == 0 || lookup.free.first() != Some(&(centre, depth)) || !lookup.checks.is_empty() {
                return None;
            }
            if !optional {
                rows = self.estimator.join(&rows, &bound, atom, &|var| var == centre);
                bound.insert(centre);
            }
            rays.push((self.estimator.count(atom).rows, Ray { lookup, optional: *optional }));
        }
        rays.sort_by(|(a, one), (b, other)| one.optional.cmp(&other.optional).then(a.total_cmp(b)));
        let weigh = duplicates == Duplicates::Count;
        let vars = if listed { vec![centre] } else { Vec::new() };
        let certain = vars.iter().copied().collect();
        let read = if listed || weigh { rays.iter().map(|(rows, _)| rows).sum() } else { 0.0 };
        let rays = rays.into_iter().map(|(_, ray)| ray).collect();
        let (rows, basis) = if listed { (rows.rows, Basis::Distinct) } else { (1.0, Basis::Query) };
        let merge = run_merge::Plan { rays, var: centre, listed, weigh, bounds, read };
        Some(PhysicalPlan::new(merge, vars.clone()).like(certain, vars, weigh).expecting(rows, basis))
    }

    /// Plans `left OPTIONAL { right }` as a counted star, if it is one: triple patterns, some of them each in an OPTIONAL.
    pub(super) fn counted_star(&self, [left, right]: [&Pattern; 2], needed: &VarSet) -> Option<PhysicalPlan> {
        let Pattern::Triple(atom) = right else { return None };
        let mut atoms = vec![(atom, true)];
        let mut rest = left;
        while let Pattern::LeftJoin { left, right, conditions } = rest {
            let (Pattern::Triple(atom), true) = (right.as_ref(), conditions.is_empty()) else { return None };
            atoms.push((atom, true));
            rest = left;
        }
        let required = match rest {
            Pattern::Triple(_) => std::slice::from_ref(rest),
            Pattern::Join(operands) => operands.as_slice(),
            _ => return None,
        };
        for operand in required {
            let Pattern::Triple(atom) = operand else { return None };
            atoms.push((atom, false));
        }
        let (last, _) = atoms.last()?;
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
            _ => None,
        }
    }
}

/// Whether the pattern contains the centre and no variable twice, is matched in the default graph or a merge, and has
/// no other variable that is `read` elsewhere.
fn is_ray(atom: &TripleAtom, centre: Var, read: impl Fn(Var) -> bool) -> bool {
    let vars: Vec<Var> = atom.variables().collect();
    let distinct = vars.iter().enumerate().all(|(at, var)| !vars[..at].contains(var));
    matches!(atom.graph, Graph::Default | Graph::Merge(_) | Graph::Union)
        && distinct
        && vars.contains(&centre)
        && vars.iter().all(|var| *var == centre || !read(*var))
}
