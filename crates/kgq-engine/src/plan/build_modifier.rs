//! The operators of BIND, DISTINCT, ORDER BY and LIMIT.

use super::build::{Builder, Duplicates};
use super::{OrderKey, Pattern, Scalar, Var, VarSet, scope};
use crate::expression::compile;
use crate::operator::distinct::Distinct;
use crate::operator::expand::Expand;
use crate::operator::extend::Extend;
use crate::operator::order::Order;
use crate::operator::project::Project;
use crate::operator::slice::Slice;
use crate::operator::{Node, schema};
use kgq_syntax::error::Result;

impl<'s> Builder<'_, 's> {
    pub(super) fn extend(&mut self, input: Node<'s>, var: Var, scalar: &Scalar, needed: &VarSet) -> Result<Node<'s>> {
        let input = self.mark_exists(input, scalar)?;
        let compiled = compile(&scalar.expression, &schema(&input.vars, &self.cx.variables), &self.cx.expressions)?;
        let mut kept: Vec<usize> = (0..input.vars.len())
            .filter(|column| needed.contains(input.vars[*column]) && input.vars[*column] != var)
            .collect();
        let mut vars: Vec<Var> = kept.iter().map(|column| input.vars[*column]).collect();
        kept.push(input.vars.len());
        vars.push(var);
        let mut certain = input.certain.clone();
        if scope::binds_always(scalar, &certain) {
            certain.insert(var);
        }
        let (sorted, weighted, estimate) = (input.sorted.clone(), input.weighted, input.estimate);
        let text = format!("{} := {}", self.cx.variables.name(var), scalar.expression);
        let certain = certain.intersection(&vars.iter().copied().collect());
        Ok(Node::new(Extend::new(input, compiled, text, kept), vars)
            .like(certain, sorted, weighted)
            .estimated(estimate))
    }

    pub(super) fn distinct(&mut self, inner: &Pattern, vars: Vec<Var>) -> Result<Node<'s>> {
        let needed = vars.iter().copied().collect();
        let node = self.apply(None, inner, &needed, Duplicates::Ignore)?;
        let present: Vec<Var> = vars.into_iter().filter(|var| node.column(*var).is_some()).collect();
        let node = self.side_by_side(Project::to(node, present));
        let (vars, certain, sorted, estimate) =
            (node.vars.clone(), node.certain.clone(), node.sorted.clone(), node.estimate);
        Ok(Node::new(Distinct::new(node), vars).like(certain, sorted, false).estimated(estimate))
    }

    pub(super) fn order(
        &mut self,
        inner: &Pattern,
        keys: &[OrderKey],
        needed: &VarSet,
        limit: Option<u64>,
    ) -> Result<Node<'s>> {
        let mut inner_needed = needed.clone();
        keys.iter().for_each(|key| inner_needed.insert(key.var));
        let node = self.wanting(None, |b| {
            let node = b.apply(None, inner, &inner_needed, Duplicates::Count)?;
            Ok::<_, kgq_syntax::error::Error>(b.side_by_side(node))
        })?;
        let columns = keys.iter().filter_map(|key| Some((node.column(key.var)?, key.descending))).collect();
        let (vars, certain, weighted, estimate) =
            (node.vars.clone(), node.certain.clone(), node.weighted, node.estimate);
        Ok(Node::new(Order::new(node, columns, limit), vars).like(certain, Vec::new(), weighted).estimated(estimate))
    }

    pub(super) fn slice(
        &mut self,
        inner: &Pattern,
        start: u64,
        length: Option<u64>,
        needed: &VarSet,
    ) -> Result<Node<'s>> {
        let most = length.map(|length| start.saturating_add(length));
        let mut below = inner;
        while let Pattern::Project { inner, .. } = below {
            below = inner;
        }
        let node = match below {
            Pattern::Order { inner, keys } => self.order(inner, keys, needed, most)?,
            _ => {
                let wanted = most.map(|most| self.goal.map_or(most as f64, |goal| goal.min(most as f64))).or(self.goal);
                self.wanting(wanted, |b| b.apply(None, inner, needed, Duplicates::Count))?
            }
        };
        let node = Expand::where_weighted(node);
        let (vars, certain) = (node.vars.clone(), node.certain.clone());
        let estimate = most.map_or(node.estimate, |most| node.estimate.min(most as f64));
        Ok(Node::new(Slice::new(node, start, length), vars).like(certain, Vec::new(), false).estimated(estimate))
    }
}
