//! From terms to ids: binds the logical plan to the snapshot that the query is asked of.

use super::{ClosureAtom, Condition, Graph, Path, Pattern, Scalar, Slot, TripleAtom, TripleTermAtom};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use std::sync::Arc;

/// Gives a term its id.
pub type Ids<'a> = dyn Fn(&Term) -> Result<TermId> + 'a;

/// The pattern with ids.
///
/// # Errors
/// Those of `ids`: a limit.
pub fn pattern(pattern: &Pattern<Term>, ids: &Ids<'_>) -> Result<Pattern> {
    let inside = |child: &Pattern<Term>| self::pattern(child, ids).map(Box::new);
    let all =
        |children: &[Pattern<Term>]| children.iter().map(|child| self::pattern(child, ids)).collect::<Result<Vec<_>>>();
    Ok(match pattern {
        Pattern::Empty => Pattern::Empty,
        Pattern::Unit => Pattern::Unit,
        Pattern::Triple(atom) => {
            Pattern::Triple(TripleAtom { slots: slots(&atom.slots, ids)?, graph: graph(&atom.graph, ids)? })
        }
        Pattern::Closure(atom) => Pattern::Closure(ClosureAtom {
            subject: slot(&atom.subject, ids)?,
            repeat: atom.repeat,
            path: Arc::new(path(&atom.path, ids)?),
            object: slot(&atom.object, ids)?,
            graph: graph(&atom.graph, ids)?,
        }),
        Pattern::TripleTerm(atom) => {
            Pattern::TripleTerm(TripleTermAtom { triple: atom.triple, slots: slots(&atom.slots, ids)? })
        }
        Pattern::Values { vars, rows } => {
            let row =
                |row: &Vec<Option<Term>>| row.iter().map(|value| optional(value, ids)).collect::<Result<Vec<_>>>();
            Pattern::Values { vars: vars.clone(), rows: rows.iter().map(row).collect::<Result<_>>()? }
        }
        Pattern::Given(given) => Pattern::Given(given.clone()),
        Pattern::Service(call) => Pattern::Service(Arc::clone(call)),
        Pattern::Join(operands) => Pattern::Join(all(operands)?),
        Pattern::Union(branches) => Pattern::Union(all(branches)?),
        Pattern::LeftJoin { left, right, conditions } => Pattern::LeftJoin {
            left: inside(left)?,
            right: inside(right)?,
            conditions: self::conditions(conditions, ids)?,
        },
        Pattern::Minus { left, right } => Pattern::Minus { left: inside(left)?, right: inside(right)? },
        Pattern::Filter { inner, conditions } => {
            Pattern::Filter { inner: inside(inner)?, conditions: self::conditions(conditions, ids)? }
        }
        Pattern::Extend { inner, var, scalar } => {
            Pattern::Extend { inner: inside(inner)?, var: *var, scalar: self::scalar(scalar, ids)? }
        }
        Pattern::Group { inner, keys, aggregates } => {
            Pattern::Group { inner: inside(inner)?, keys: keys.clone(), aggregates: aggregates.clone() }
        }
        Pattern::Project { inner, vars } => Pattern::Project { inner: inside(inner)?, vars: vars.clone() },
        Pattern::Distinct { inner } => Pattern::Distinct { inner: inside(inner)? },
        Pattern::Order { inner, keys } => Pattern::Order { inner: inside(inner)?, keys: keys.clone() },
        Pattern::Slice { inner, start, length } => {
            Pattern::Slice { inner: inside(inner)?, start: *start, length: *length }
        }
    })
}

/// The graph with ids.
///
/// # Errors
/// Those of `ids`: a limit.
pub fn graph(graph: &Graph<Term>, ids: &Ids<'_>) -> Result<Graph> {
    Ok(match graph {
        Graph::Default => Graph::Default,
        Graph::Named(name) => Graph::Named(ids(name)?),
        Graph::Each(var) => Graph::Each(*var),
        Graph::Merge(graphs) => {
            let mut graphs = graphs.iter().map(|graph| optional(graph, ids)).collect::<Result<Vec<_>>>()?;
            // Sorted, as the snapshot keeps merges by their graphs.
            graphs.sort_unstable();
            Graph::Merge(graphs.into())
        }
        Graph::Union => Graph::Union,
    })
}

fn optional(term: &Option<Term>, ids: &Ids<'_>) -> Result<Option<TermId>> {
    term.as_ref().map(ids).transpose()
}

fn slot(slot: &Slot<Term>, ids: &Ids<'_>) -> Result<Slot> {
    Ok(match slot {
        Slot::Var(var) => Slot::Var(*var),
        Slot::Term(term) => Slot::Term(ids(term)?),
    })
}

fn slots([s, p, o]: &[Slot<Term>; 3], ids: &Ids<'_>) -> Result<[Slot; 3]> {
    Ok([slot(s, ids)?, slot(p, ids)?, slot(o, ids)?])
}

fn path(path: &Path<Term>, ids: &Ids<'_>) -> Result<Path> {
    let inside = |path: &Path<Term>| self::path(path, ids).map(Box::new);
    let all = |paths: &[Path<Term>]| paths.iter().map(|path| self::path(path, ids)).collect::<Result<Vec<_>>>();
    Ok(match path {
        Path::Predicate(term) => Path::Predicate(ids(term)?),
        Path::Reverse(path) => Path::Reverse(inside(path)?),
        Path::Sequence(paths) => Path::Sequence(all(paths)?),
        Path::Alternative(paths) => Path::Alternative(all(paths)?),
        Path::Closure(repeat, path) => Path::Closure(*repeat, inside(path)?),
        Path::Not(terms) => Path::Not(terms.iter().map(ids).collect::<Result<_>>()?),
    })
}

fn conditions(conditions: &[Condition<Term>], ids: &Ids<'_>) -> Result<Vec<Condition>> {
    let condition = |condition: &Condition<Term>| {
        Ok(match condition {
            Condition::Scalar(scalar) => Condition::Scalar(self::scalar(scalar, ids)?),
            Condition::Exists { pattern, negated } => {
                Condition::Exists { pattern: self::pattern(pattern, ids)?, negated: *negated }
            }
            Condition::NotAmong(var, terms) => Condition::NotAmong(*var, terms.iter().map(ids).collect::<Result<_>>()?),
            Condition::Same(a, b) => Condition::Same(*a, *b),
        })
    };
    conditions.iter().map(condition).collect()
}

fn scalar(scalar: &Scalar<Term>, ids: &Ids<'_>) -> Result<Scalar> {
    let exists = scalar.exists.iter().map(|(var, pattern)| Ok((*var, self::pattern(pattern, ids)?)));
    Ok(Scalar {
        expression: scalar.expression.clone(),
        variables: scalar.variables.clone(),
        exists: exists.collect::<Result<_>>()?,
    })
}
