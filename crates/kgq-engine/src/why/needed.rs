//! Finds statements of a witness that cannot be left out, by one query instead of one for each statement.
//!
//! The core of a pattern is what every solution needs: no OPTIONAL, no path, no sub-SELECT, no EXISTS. Each solution of
//! the pattern contains a solution of the core. So if the core has only one solution over the witness, the pattern has
//! none once a statement of that solution is missing.

use super::open::{asked_for, certain};
use super::{Asked, Solution};
use crate::query;
use crate::why::footprint::restricted;
use crate::why::support::KnownValues;
use kgq_snapshot::Snapshot;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Quad, Variable};
use rustc_hash::FxHashSet;
use spargebra::algebra::GraphPattern;

/// Returns statements without which no solution has these values; not all of them, if they cannot be found so easily.
pub fn needed<'q>(
    asked: &Asked<'_>,
    statements: impl Iterator<Item = &'q Quad>,
    values: &Solution,
) -> Result<FxHashSet<Quad>> {
    // An inner projection hides variables; the outermost one shows all that it has.
    let core = match &asked.pattern {
        GraphPattern::Project { inner, .. } => core(inner),
        pattern => core(pattern),
    };
    let mut variables: Vec<Variable> = Vec::new();
    core.on_in_scope_variable(|variable| variables.push(variable.clone()));
    let known = restricted(values, &variables);
    let witness = Snapshot::from_quads(statements.cloned())?;
    let mut support = asked.support(&witness);
    let (opened, pattern) = support.opener.open(&core);
    let mut solutions = asked.asker.solutions(&witness, pattern, KnownValues::Row(&known, &[]), None, Some(2))?;
    let (Some(only), true) = (solutions.pop(), solutions.is_empty()) else { return Ok(FxHashSet::default()) };
    support.collect(&opened, &only, None)?;
    Ok(support.statements.into_iter().collect())
}

fn core(pattern: &GraphPattern) -> GraphPattern {
    let boxed = |inner: &GraphPattern| Box::new(core(inner));
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Values { .. } => pattern.clone(),
        GraphPattern::Join { left, right } => GraphPattern::Join { left: boxed(left), right: boxed(right) },
        GraphPattern::Union { left, right } => GraphPattern::Union { left: boxed(left), right: boxed(right) },
        GraphPattern::Graph { name, inner } => GraphPattern::Graph { name: name.clone(), inner: boxed(inner) },
        GraphPattern::Filter { expr, inner } => {
            let inner = core(inner);
            let bound = certain(&inner);
            let mut is_of_core = asked_for(expr).is_empty();
            query::variables_of_expression(expr, &mut |variable| is_of_core &= bound.contains(variable));
            match is_of_core {
                true => GraphPattern::Filter { expr: expr.clone(), inner: Box::new(inner) },
                false => inner,
            }
        }
        GraphPattern::Extend { inner, .. }
        | GraphPattern::LeftJoin { left: inner, .. }
        | GraphPattern::Minus { left: inner, .. } => core(inner),
        GraphPattern::Project { .. }
        | GraphPattern::Path { .. }
        | GraphPattern::Lateral { .. }
        | GraphPattern::Distinct { .. }
        | GraphPattern::Reduced { .. }
        | GraphPattern::Slice { .. }
        | GraphPattern::OrderBy { .. }
        | GraphPattern::Group { .. }
        | GraphPattern::Service { .. } => GraphPattern::Bgp { patterns: Vec::new() },
    }
}
