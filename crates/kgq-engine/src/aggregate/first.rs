//! Finds the first groups in the order of an aggregate by their values, before the values get terms.

use super::{Accumulator, Function};
use crate::expression::Context;
use crate::expression::value::Number;
use crate::order::Plain;
use crate::terms::Terms;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;

impl Accumulator {
    /// Returns the keys by which the groups' values sort, with unbound values first; `None` unless all others are
    /// numbers of one plain kind.
    fn sort_keys(&self, terms: &Terms<'_>) -> Option<Vec<Option<Plain>>> {
        let count = |count: &u64| i64::try_from(*count).ok().map(Plain::of_integer);
        let of_number = |number: Option<Number>| match number {
            None => Some(None),
            Some(number) => Plain::of(&number).map(Some),
        };
        let keys: Vec<Option<Plain>> = match &self.function {
            Function::CountRows(counts) | Function::Count(counts) => counts.iter().map(count).collect(),
            Function::Sum(totals) => totals.iter().map(|total| of_number(total.sum())).collect::<Option<_>>()?,
            Function::Average(totals) => {
                totals.iter().map(|total| of_number(total.average())).collect::<Option<_>>()?
            }
            Function::Best(_, best) => {
                let of = |best: &Option<TermId>| match best.filter(|best| *best != TermId::UNBOUND) {
                    None => Some(None),
                    Some(id) => Plain::of(&terms.number(id)?).map(Some),
                };
                best.iter().map(of).collect::<Option<_>>()?
            }
            Function::Sample(_) | Function::Concatenate { .. } => return None,
        };
        Plain::are_alike(keys.iter().flatten()).then_some(keys)
    }

    /// Returns, in ascending order, the groups that are among the first `most` in the order of their values, or equal
    /// to the last of these. Returns `None` for all groups, and if the values have no plain order.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn first(
        &mut self,
        group_count: usize,
        most: usize,
        descending: bool,
        context: &Context<'_>,
    ) -> Result<Option<Vec<u32>>> {
        self.resize(group_count, context)?;
        if most == 0 || group_count <= most {
            return Ok(None);
        }
        let _held = context.terms.budget().reserve((group_count * 2 * size_of::<Option<Plain>>()) as u64)?;
        let Some(keys) = self.sort_keys(&context.terms) else { return Ok(None) };
        let order = |a: &Option<Plain>, b: &Option<Plain>| if descending { b.cmp(a) } else { a.cmp(b) };
        let last = *keys.clone().select_nth_unstable_by(most - 1, order).1;
        let is_kept = |at: &u32| order(&keys[*at as usize], &last).is_le();
        Ok(Some((0..group_count as u32).filter(is_kept).collect()))
    }

    /// Keeps only these groups, given in ascending order.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn keep(&mut self, group_count: usize, kept: &[u32], context: &Context<'_>) -> Result<()> {
        self.resize(group_count, context)?;
        fn pick<T: Clone>(all: &mut Vec<T>, kept: &[u32]) {
            *all = kept.iter().map(|at| all[*at as usize].clone()).collect();
        }
        match &mut self.function {
            Function::CountRows(counts) | Function::Count(counts) => pick(counts, kept),
            Function::Sum(totals) | Function::Average(totals) => pick(totals, kept),
            Function::Best(_, best) => pick(best, kept),
            Function::Sample(samples) => pick(samples, kept),
            Function::Concatenate { groups, .. } => pick(groups, kept),
        }
        Ok(())
    }
}
