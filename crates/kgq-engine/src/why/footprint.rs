//! All statements that a pattern could read: those that match one of its triple patterns or a step of its paths. The
//! pattern's answers depend on no others.

use super::Solution;
use super::data::{Data, Graphs};
use super::open::asked_for;
use kgq_snapshot::Snapshot;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Quad, Term, Variable};
use rustc_hash::FxHashSet;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression, PropertyPathExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// Collects the statements that a pattern could read if these variables have these values.
///
/// # Errors
/// Damage to the snapshot.
pub fn footprint(
    snapshot: &Snapshot,
    graphs: &Graphs,
    pattern: &GraphPattern,
    bound: &Solution,
    found: &mut dyn FnMut(Quad),
) -> Result<()> {
    let data = Data { snapshot, graphs: graphs.clone() };
    let below = |pattern: &GraphPattern, bound: &Solution, found: &mut dyn FnMut(Quad)| {
        footprint(snapshot, graphs, pattern, bound, found)
    };
    match pattern {
        GraphPattern::Bgp { patterns } => {
            for triple in patterns {
                of_triple(&data, triple, bound)?.into_iter().for_each(&mut *found);
            }
        }
        GraphPattern::Path { subject, path, object } => {
            // If neither end is known, a path of length zero holds for every node.
            let any_node = may_be_empty(path) && value(subject, bound).is_none() && value(object, bound).is_none();
            match steps(path) {
                Some(properties) if !any_node => {
                    for property in properties {
                        data.matching(None, Some(property), None)?.into_iter().for_each(&mut *found);
                    }
                }
                _ => data.matching(None, None, None)?.into_iter().for_each(found),
            }
        }
        GraphPattern::Join { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right }
        | GraphPattern::Lateral { left, right } => {
            below(left, bound, found)?;
            below(right, bound, found)?;
        }
        GraphPattern::LeftJoin { left, right, expression } => {
            below(left, bound, found)?;
            below(right, bound, found)?;
            if let Some(expression) = expression {
                of_expression(snapshot, graphs, expression, bound, found)?;
            }
        }
        GraphPattern::Filter { expr, inner } => {
            below(inner, bound, found)?;
            of_expression(snapshot, graphs, expr, bound, found)?;
        }
        GraphPattern::Extend { inner, expression, .. } => {
            below(inner, bound, found)?;
            of_expression(snapshot, graphs, expression, bound, found)?;
        }
        GraphPattern::OrderBy { inner, expression } => {
            below(inner, bound, found)?;
            for OrderExpression::Asc(key) | OrderExpression::Desc(key) in expression {
                of_expression(snapshot, graphs, key, bound, found)?;
            }
        }
        // A variable that the projection hides is a different one from a variable of the same name outside.
        GraphPattern::Project { inner, variables } => below(inner, &restricted(bound, variables), found)?,
        GraphPattern::Group { inner, variables, aggregates } => {
            let bound = restricted(bound, variables);
            below(inner, &bound, found)?;
            for (_, aggregate) in aggregates {
                if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                    of_expression(snapshot, graphs, expr, &bound, found)?;
                }
            }
        }
        GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
            // Which rows a slice keeps depends on all of them.
            let all = Solution::default();
            below(inner, if matches!(pattern, GraphPattern::Slice { .. }) { &all } else { bound }, found)?;
        }
        GraphPattern::Graph { name, inner } => {
            let name: Option<Term> = match name {
                NamedNodePattern::NamedNode(node) => Some(node.clone().into()),
                NamedNodePattern::Variable(variable) => bound.get(variable).cloned(),
            };
            let names = match name {
                Some(name) => vec![name],
                None => snapshot.named_graphs().iter().map(|id| snapshot.term(*id)).collect(),
            };
            for name in names {
                let graphs = Graphs::named(&name);
                let mut some = false;
                footprint(snapshot, &graphs, inner, bound, &mut |quad| {
                    some = true;
                    found(quad);
                })?;
                // That a graph of this name exists is read too.
                if !some {
                    Data { snapshot, graphs }.any()?.into_iter().for_each(&mut *found);
                }
            }
        }
        GraphPattern::Values { .. } | GraphPattern::Service { .. } => {}
    }
    Ok(())
}

/// Restricts a solution to these variables.
pub fn restricted<'v>(solution: &Solution, to: impl IntoIterator<Item = &'v Variable>) -> Solution {
    to.into_iter().filter_map(|variable| Some((variable.clone(), solution.get(variable)?.clone()))).collect()
}

fn of_expression(
    snapshot: &Snapshot,
    graphs: &Graphs,
    expression: &Expression,
    bound: &Solution,
    found: &mut dyn FnMut(Quad),
) -> Result<()> {
    asked_for(expression).into_iter().try_for_each(|pattern| footprint(snapshot, graphs, pattern, bound, found))
}

fn of_triple(data: &Data<'_>, triple: &TriplePattern, bound: &Solution) -> Result<Vec<Quad>> {
    let predicate: Option<NamedNode> = match &triple.predicate {
        NamedNodePattern::NamedNode(node) => Some(node.clone()),
        NamedNodePattern::Variable(variable) => match bound.get(variable) {
            Some(Term::NamedNode(node)) => Some(node.clone()),
            Some(Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_)) => return Ok(Vec::new()),
            None => None,
        },
    };
    data.matching(value(&triple.subject, bound).as_ref(), predicate.as_ref(), value(&triple.object, bound).as_ref())
}

/// Returns the term at a position of a pattern; `None` if it can be one of several.
fn value(term: &TermPattern, bound: &Solution) -> Option<Term> {
    match term {
        TermPattern::NamedNode(node) => Some(node.clone().into()),
        TermPattern::Literal(literal) => Some(literal.clone().into()),
        TermPattern::Variable(variable) => bound.get(variable).cloned(),
        TermPattern::BlankNode(_) | TermPattern::Triple(_) => None,
    }
}

/// Returns the properties of a path's steps; `None` if a step can have any property.
fn steps(path: &PropertyPathExpression) -> Option<FxHashSet<&NamedNode>> {
    match path {
        PropertyPathExpression::NamedNode(node) => Some([node].into_iter().collect()),
        PropertyPathExpression::Reverse(inner)
        | PropertyPathExpression::ZeroOrMore(inner)
        | PropertyPathExpression::OneOrMore(inner)
        | PropertyPathExpression::ZeroOrOne(inner) => steps(inner),
        PropertyPathExpression::Sequence(first, second) | PropertyPathExpression::Alternative(first, second) => {
            let mut all = steps(first)?;
            all.extend(steps(second)?);
            Some(all)
        }
        PropertyPathExpression::NegatedPropertySet(_) => None,
    }
}

/// Whether the path has a match of length zero.
pub fn may_be_empty(path: &PropertyPathExpression) -> bool {
    match path {
        PropertyPathExpression::ZeroOrMore(_) | PropertyPathExpression::ZeroOrOne(_) => true,
        PropertyPathExpression::NamedNode(_) | PropertyPathExpression::NegatedPropertySet(_) => false,
        PropertyPathExpression::Reverse(inner) | PropertyPathExpression::OneOrMore(inner) => may_be_empty(inner),
        PropertyPathExpression::Sequence(first, second) => may_be_empty(first) && may_be_empty(second),
        PropertyPathExpression::Alternative(first, second) => may_be_empty(first) || may_be_empty(second),
    }
}
