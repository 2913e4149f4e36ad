//! The operators of GROUP BY and its aggregates.

use super::{Duplicates, Planner, WORTH_DIVIDING};
use crate::operator::group::{self, Argument, First};
use crate::operator::known;
use crate::plan::aggregate::AggregateFunction;
use crate::plan::estimate::{Cardinality, Estimator};
use crate::plan::physical::{Basis, PhysicalPlan};
use crate::plan::{
    Aggregate, Aggregation, Expression, Graph, OrderKey, Pattern, Scalar, Slot, TripleAtom, Var, VarSet, scope,
};
use kgq_snapshot::PredicateStatistics;
use kgq_syntax::error::{Error, Result};

impl Planner<'_> {
    pub(super) fn group(
        &mut self,
        inner: &Pattern,
        keys: &[Var],
        aggregates: &[Aggregate],
        needed: &VarSet,
    ) -> Result<PhysicalPlan> {
        let aggregates: Vec<&Aggregate> = aggregates.iter().filter(|a| needed.contains(a.result)).collect();
        // Patterns below have groups of their own.
        let first_groups = self.first_groups.take();
        let known = self.known_count(inner, keys, &aggregates);
        if let Some(known) = known.or_else(|| self.known_groups(inner, keys, &aggregates)) {
            return Ok(known);
        }
        let certain = scope::certain(inner);
        let (inner, computed) = computed_arguments(inner, keys, &aggregates);
        let mut inner_needed: VarSet = keys.iter().copied().collect();
        let mut duplicates = Duplicates::Ignore;
        let mut planned = Vec::new();
        let mut counted = VarSet::default();
        for aggregate in aggregates {
            let mut aggregation = aggregate.aggregation.clone();
            aggregation.distinct &= !is_distinct_in_groups(inner, keys, aggregate.argument);
            let (reads, counts) = reads(&aggregation);
            // COUNT of a variable that every solution binds is COUNT(*), which needs no column.
            let counts_all = reads == Reads::Bound && aggregate.argument.is_some_and(|var| certain.contains(var));
            if counts_all && counts {
                aggregation = Aggregation::COUNT_ROWS;
            }
            let argument = if counts_all && counts { None } else { aggregate.argument };
            match argument.map(|var| (var, computed.iter().find(|(known, _)| *known == var))) {
                Some((_, Some((_, scalar)))) => inner_needed.extend(&scalar.variables),
                Some((var, None)) => inner_needed.insert(var),
                None => {}
            }
            let all = if aggregation.needs_rows() { aggregate.all.clone() } else { Vec::new() };
            all.iter().for_each(|var| inner_needed.insert(*var));
            if counts {
                duplicates = Duplicates::Count;
            }
            if reads == Reads::Bound || aggregation.function == AggregateFunction::CountRows {
                counted.insert(aggregate.result);
            }
            planned.push((aggregation, argument, all, aggregate.result));
        }
        let node = self.wanting(None, |b| {
            let node = b.apply(None, inner, &inner_needed, duplicates)?;
            Ok::<_, Error>(b.side_by_side(node))
        })?;
        let key_columns: Vec<usize> = keys.iter().filter_map(|key| node.column(*key)).collect();
        let mut vars: Vec<Var> = key_columns.iter().map(|column| node.vars[*column]).collect();
        let mut bound: VarSet = vars.iter().copied().filter(|var| node.certain.contains(*var)).collect();
        let results: Vec<Var> = planned.iter().map(|(_, _, _, result)| *result).collect();
        let argument = |var: Var| match computed.iter().find(|(known, _)| *known == var) {
            Some((_, scalar)) => Argument::Computed(Scalar::clone(scalar)),
            None => node.column(var).map_or(Argument::Unbound, Argument::Column),
        };
        let aggregates = planned
            .into_iter()
            .map(|(aggregation, var, all, _)| group::Aggregate {
                aggregation,
                argument: var.map(argument),
                all: all.iter().filter_map(|var| node.column(*var)).collect(),
            })
            .collect();
        let first = first_groups.and_then(|wanted| {
            let of = results.iter().position(|result| *result == wanted.by)?;
            Some(First { of, descending: wanted.descending, most: wanted.most })
        });
        bound.extend(&counted);
        vars.extend(&results);
        // Tests `keys`, not their columns: with GROUP BY there is no group without rows, even if no key has a column.
        let single = keys.is_empty();
        let (rows, basis) = if single { (1.0, Basis::Query) } else { self.groups(inner, keys, node.rows) };
        // What is computed for many rows is computed in parallel, where no other part of the plan runs beside.
        let divides = !computed.is_empty() && node.rows >= WORTH_DIVIDING && self.is_outermost();
        let group = group::Plan { input: node, keys: key_columns, single, aggregates, results, first, divides };
        Ok(PhysicalPlan::new(group, vars).like(bound, Vec::new(), false).expecting(rows, basis))
    }

    /// Estimates how many groups so many rows of the pattern have.
    fn groups(&self, inner: &Pattern, keys: &[Var], rows: f64) -> (f64, Basis) {
        let known = if Estimator::is_worth_a_sample(rows) {
            let (_, of) = self.estimator.cost(inner, &VarSet::default(), &Cardinality::one());
            of.combinations(keys)
        } else {
            None
        };
        match known {
            Some(groups) => (groups.min(rows), Basis::Distinct),
            None => ((rows / 2.0).max(1.0), Basis::Guess("a group is taken to have two rows")),
        }
    }

    /// Plans COUNT(DISTINCT ?x) over the subjects or objects of a triple pattern, if the statistics have counted them.
    fn known_count(&self, inner: &Pattern, keys: &[Var], aggregates: &[&Aggregate]) -> Option<PhysicalPlan> {
        let (Pattern::Triple(atom), [], [aggregate]) = (inner, keys, aggregates) else { return None };
        let Aggregation { function, distinct } = &aggregate.aggregation;
        let counts = *distinct && *function == AggregateFunction::Count;
        let (Some(counted), true) = (aggregate.argument.filter(|_| counts), self.outer.is_empty()) else {
            return None;
        };
        let [subject, predicate, object] = atom.slots;
        let distinct = subject != predicate && subject != object && predicate != object;
        let [Slot::Var(subject), _, Slot::Var(object)] = atom.slots else { return None };
        if !distinct || atom.graph != Graph::Default {
            return None;
        }
        let [subjects, _, objects, _] = self.estimator.count(atom).distinct;
        let count = match counted {
            var if var == subject => subjects,
            var if var == object => objects,
            _ => return None,
        };
        let known = known::Plan { key: None, rows: 1, counts: [vec![count as u64]].into() };
        let bound = [aggregate.result].into_iter().collect();
        Some(
            PhysicalPlan::new(known, vec![aggregate.result])
                .like(bound, Vec::new(), false)
                .expecting(1.0, Basis::Query),
        )
    }

    /// Plans counts over all statements of the default graph by their predicates, if the statistics have counted them.
    fn known_groups(&self, inner: &Pattern, keys: &[Var], aggregates: &[&Aggregate]) -> Option<PhysicalPlan> {
        let Pattern::Triple(TripleAtom { slots, graph: Graph::Default }) = inner else { return None };
        let [Slot::Var(subject), Slot::Var(predicate), Slot::Var(object)] = *slots else { return None };
        let different = subject != predicate && subject != object && predicate != object;
        if !different || keys != [predicate] || !self.outer.is_empty() {
            return None;
        }
        let predicates = self.statistics.predicates();
        let column = |aggregate: &&Aggregate| {
            let Aggregation { function, distinct } = &aggregate.aggregation;
            let of: fn(&PredicateStatistics) -> u64 = match (function, aggregate.argument) {
                (AggregateFunction::CountRows, None) if !distinct => |of| of.rows,
                (AggregateFunction::Count, Some(var)) if !distinct && slots.contains(&Slot::Var(var)) => |of| of.rows,
                (AggregateFunction::Count, Some(var)) if var == subject => |of| of.distinct_subjects,
                (AggregateFunction::Count, Some(var)) if var == object => |of| of.distinct_objects,
                (AggregateFunction::Count, Some(var)) if var == predicate => |_| 1,
                _ => return None,
            };
            Some(predicates.iter().map(of).collect::<Vec<u64>>())
        };
        let counts: Vec<Vec<u64>> = aggregates.iter().map(column).collect::<Option<_>>()?;
        let rows = predicates.len();
        let key = Some(predicates.iter().map(|of| of.predicate).collect());
        let vars: Vec<Var> = keys.iter().copied().chain(aggregates.iter().map(|a| a.result)).collect();
        let bound = vars.iter().copied().collect();
        let plan = PhysicalPlan::new(known::Plan { key, rows, counts: counts.into() }, vars);
        Some(plan.like(bound, keys.to_vec(), false).expecting(rows as f64, Basis::Query))
    }
}

/// Whether the argument has each value once in a group: the keys are all other variables of a triple pattern.
fn is_distinct_in_groups(pattern: &Pattern, keys: &[Var], argument: Option<Var>) -> bool {
    match (pattern, argument) {
        (Pattern::Triple(atom), Some(argument)) => {
            let mut vars = atom.variables();
            atom.variables().any(|var| var == argument) && vars.all(|var| var == argument || keys.contains(&var))
        }
        _ => false,
    }
}

/// Which groups are wanted: the first ones in the order of an aggregate.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstGroups {
    pub by: Var,
    pub descending: bool,
    pub most: usize,
}

impl FirstGroups {
    /// Derives this from a pattern that is sorted by these keys and cut to `limit` solutions, if it is a grouping whose
    /// variables are at most renamed.
    pub(super) fn of(mut pattern: &Pattern, keys: &[OrderKey], limit: Option<u64>) -> Option<Self> {
        let most = usize::try_from(limit?).ok()?;
        let OrderKey { var: mut by, descending } = *keys.first()?;
        loop {
            pattern = match pattern {
                Pattern::Extend { inner, var, scalar } => {
                    if *var == by {
                        let Expression::Variable(renamed) = scalar.expression else { return None };
                        by = renamed;
                    }
                    inner
                }
                Pattern::Project { inner, vars } if vars.contains(&by) => inner,
                Pattern::Group { aggregates, .. } => {
                    let is_aggregate = aggregates.iter().any(|aggregate| aggregate.result == by);
                    return is_aggregate.then_some(Self { by, descending, most });
                }
                _ => return None,
            };
        }
    }
}

/// Splits off the outermost BINDs of the grouped pattern that only aggregates read. The aggregates evaluate them, and
/// their values get no ids.
fn computed_arguments<'p>(
    inner: &'p Pattern,
    keys: &[Var],
    aggregates: &[&Aggregate],
) -> (&'p Pattern, Vec<(Var, &'p Scalar)>) {
    let (mut inner, mut computed): (_, Vec<(Var, &Scalar)>) = (inner, Vec::new());
    while let Pattern::Extend { inner: below, var, scalar } = inner {
        let mut reading = aggregates.iter().filter(|aggregate| aggregate.argument == Some(*var)).peekable();
        let is_argument = reading.peek().is_some() && reading.all(|aggregate| aggregate.aggregation.takes_data());
        let is_seen = keys.contains(var)
            || aggregates.iter().any(|aggregate| aggregate.aggregation.needs_rows() && aggregate.all.contains(var))
            || computed.iter().any(|(_, scalar)| scalar.variables.contains(*var));
        if is_seen || !is_argument || scalar.is_volatile() || !scalar.exists.is_empty() {
            break;
        }
        computed.push((*var, scalar));
        inner = below;
    }
    (inner, computed)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// Only whether the argument is bound.
    Bound,
    Value,
}

/// Returns what an aggregate reads of its argument, and whether equal solutions count more than once.
fn reads(aggregation: &Aggregation) -> (Reads, bool) {
    match aggregation.function {
        AggregateFunction::CountRows => (Reads::Value, !aggregation.distinct),
        AggregateFunction::Count => (Reads::Bound, !aggregation.distinct),
        AggregateFunction::Min | AggregateFunction::Max | AggregateFunction::Sample => (Reads::Value, false),
        AggregateFunction::Sum | AggregateFunction::Average | AggregateFunction::Concatenate { .. } => {
            (Reads::Value, !aggregation.distinct)
        }
    }
}
