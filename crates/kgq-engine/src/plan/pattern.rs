//! The nodes of a logical plan, their parts, and what each says of itself. All of that stands once, here, for all code
//! that walks over patterns, rewrites them or judges them: an operator that is not named elsewhere is treated by it.

use super::aggregate::AggregateFunction;
use super::{Aggregation, ClosureAtom, Condition, Constants, Scalar, Slot, TripleAtom, TripleTermAtom, Var, VarSet};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Variable};
use std::sync::Arc;

/// A SERVICE clause whose endpoint is named (SPARQL 1.1 Federated Query §2).
#[derive(Clone, Debug)]
pub struct ServiceCall {
    pub endpoint: NamedNode,
    /// The clause as a SELECT of all its variables.
    pub query: spargebra::Query,
    /// The variables in scope outside the clause, with their names in the query.
    pub vars: Vec<(Variable, Var)>,
    /// Whether a failure counts as one solution that binds nothing.
    pub silent: bool,
}

#[derive(Clone, Debug)]
pub struct Aggregate {
    pub result: Var,
    pub aggregation: Aggregation,
    /// The variable of the argument, if there is one. An argument that is not a plain variable has been bound to one before.
    pub argument: Option<Var>,
    /// The variables in scope, for COUNT(DISTINCT *).
    pub all: Vec<Var>,
}

#[derive(Clone, Debug)]
pub struct OrderKey {
    pub var: Var,
    pub descending: bool,
}

/// A variable whose value is given when a plan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    pub var: Var,
    /// The index of its value among the given values.
    pub position: usize,
    /// Whether its value is never unbound.
    pub bound: bool,
}

/// A graph pattern (SPARQL 1.1 §18.2). Its constants are terms, as in the query, or the ids that a snapshot has for them.
#[derive(Clone, Debug)]
pub enum Pattern<T = TermId> {
    /// No solution.
    Empty,
    /// One solution, which binds nothing.
    Unit,
    Triple(TripleAtom<T>),
    Closure(ClosureAtom<T>),
    TripleTerm(TripleTermAtom<T>),
    Values {
        vars: Vec<Var>,
        /// `None` is UNDEF.
        rows: Arc<[Vec<Option<T>>]>,
        /// Whether equal rows give one solution, as the terms of an IN do.
        distinct: bool,
    },
    /// One solution, whose values are given when the plan runs.
    Given(Vec<Given>),
    Service(Arc<ServiceCall>),
    Join(Vec<Pattern<T>>),
    Union(Vec<Pattern<T>>),
    LeftJoin {
        left: Box<Pattern<T>>,
        right: Box<Pattern<T>>,
        conditions: Vec<Condition<T>>,
    },
    Minus {
        left: Box<Pattern<T>>,
        right: Box<Pattern<T>>,
    },
    Filter {
        inner: Box<Pattern<T>>,
        conditions: Vec<Condition<T>>,
    },
    Extend {
        inner: Box<Pattern<T>>,
        var: Var,
        scalar: Scalar<T>,
    },
    Group {
        inner: Box<Pattern<T>>,
        keys: Vec<Var>,
        aggregates: Vec<Aggregate>,
    },
    /// Hides all other variables from the outside.
    Project {
        inner: Box<Pattern<T>>,
        vars: Vec<Var>,
    },
    /// Also used for REDUCED.
    Distinct {
        inner: Box<Pattern<T>>,
    },
    Order {
        inner: Box<Pattern<T>>,
        keys: Vec<OrderKey>,
    },
    Slice {
        inner: Box<Pattern<T>>,
        start: u64,
        length: Option<u64>,
    },
}

/// What passes ask of an operator without knowing which it is.
#[derive(Clone, Copy, Debug)]
pub struct Properties<'p> {
    pub bindings: Bindings,
    /// Whether its solutions depend on how many its parts have or in which order they come, so that nothing may be
    /// bound before its parts are evaluated.
    pub counts_rows: bool,
    /// Whether applying its parts to rows from outside gives the same as substituting their values into it, provided
    /// that no part sees bindings that it should not.
    pub takes_rows: bool,
    /// Whether it has a solution exactly if its part has one.
    pub keeps_existence: bool,
    pub bound: Bound<'p>,
}

/// Which of its parts' bindings a solution has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bindings {
    /// Those of all parts.
    All,
    /// Those of one of the parts.
    OneOf,
    /// Those of the first part, and those of the others where they match.
    Optional,
    /// Those of the first part; the others only decide.
    First,
    /// Those of its own variables.
    Listed,
    /// None: its own variables have other values, or a part's value without being its solution.
    Own,
}

/// What bounds the number of its solutions, besides those of its parts.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'p> {
    Nothing,
    Number(u64),
    /// The different values of these variables together.
    Distinct(&'p [Var]),
}

impl Default for Properties<'_> {
    fn default() -> Self {
        Self {
            bindings: Bindings::All,
            counts_rows: false,
            takes_rows: true,
            keeps_existence: false,
            bound: Bound::Nothing,
        }
    }
}

impl<T> Pattern<T> {
    pub fn triple(&self) -> Option<&TripleAtom<T>> {
        match self {
            Self::Triple(atom) => Some(atom),
            _ => None,
        }
    }

    pub fn properties(&self) -> Properties<'_> {
        // An operator over all solutions of its part, which passes them on.
        let modifier = Properties { takes_rows: false, keeps_existence: true, ..Properties::default() };
        match self {
            Self::Empty
            | Self::Unit
            | Self::Triple(_)
            | Self::Closure(_)
            | Self::TripleTerm(_)
            | Self::Values { .. }
            | Self::Given(_)
            | Self::Service(_)
            | Self::Join(_)
            | Self::Filter { .. } => Properties::default(),
            Self::Extend { .. } => Properties { keeps_existence: true, ..Properties::default() },
            Self::Union(_) => Properties { bindings: Bindings::OneOf, ..Properties::default() },
            Self::LeftJoin { .. } => Properties { bindings: Bindings::Optional, ..Properties::default() },
            Self::Minus { .. } => Properties { bindings: Bindings::First, takes_rows: false, ..Properties::default() },
            Self::Group { keys, .. } => {
                Properties { bindings: Bindings::Own, bound: Bound::Distinct(keys), keeps_existence: false, ..modifier }
            }
            Self::Project { .. } => Properties { bindings: Bindings::Listed, ..modifier },
            Self::Distinct { .. } | Self::Order { .. } => modifier,
            Self::Slice { start, length, .. } => Properties {
                counts_rows: true,
                keeps_existence: *start == 0 && *length != Some(0),
                bound: length.map_or(Bound::Nothing, Bound::Number),
                ..modifier
            },
        }
    }

    /// Of its own variables, those that every solution binds, if every solution of its parts binds `inside`.
    pub fn binds_always(&self, inside: &VarSet) -> VarSet {
        match self {
            Self::Service(_) => VarSet::default(),
            Self::Given(given) => given.iter().filter(|given| given.bound).map(|given| given.var).collect(),
            Self::Values { vars, rows, .. } => {
                let is_full = |column: usize| rows.iter().all(|row| row[column].is_some());
                vars.iter().enumerate().filter(|(column, _)| is_full(*column)).map(|(_, var)| *var).collect()
            }
            Self::Extend { scalar, .. } if !scalar.binds_always(inside) => VarSet::default(),
            Self::Project { vars, .. } => vars.iter().copied().filter(|var| inside.contains(*var)).collect(),
            Self::Group { keys, aggregates, .. } => {
                let counts = aggregates.iter().filter(|aggregate| {
                    matches!(aggregate.aggregation.function, AggregateFunction::CountRows | AggregateFunction::Count)
                });
                let keys = keys.iter().copied().filter(|key| inside.contains(*key));
                keys.chain(counts.map(|aggregate| aggregate.result)).collect()
            }
            // A filter makes no variable certain. Most conditions fail on an unbound variable, but not all: BOUND or
            // COALESCE may hold.
            pattern => pattern.own_variables().into_iter().collect(),
        }
    }

    /// Iterates over its direct parts, in order. Patterns of EXISTS are not among them: they belong to conditions and
    /// expressions.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let (many, one, other): (&[Self], _, _) = match self {
            Self::Empty
            | Self::Unit
            | Self::Triple(_)
            | Self::Closure(_)
            | Self::TripleTerm(_)
            | Self::Values { .. }
            | Self::Given(_)
            | Self::Service(_) => (&[], None, None),
            Self::Join(patterns) | Self::Union(patterns) => (patterns, None, None),
            Self::LeftJoin { left, right, .. } | Self::Minus { left, right } => (&[], Some(left), Some(right)),
            Self::Filter { inner, .. }
            | Self::Extend { inner, .. }
            | Self::Group { inner, .. }
            | Self::Project { inner, .. }
            | Self::Distinct { inner }
            | Self::Order { inner, .. }
            | Self::Slice { inner, .. } => (&[], Some(inner), None),
        };
        many.iter().chain(one.map(Box::as_ref)).chain(other.map(Box::as_ref))
    }

    /// Returns the pattern with each direct part replaced by what `map` makes of it.
    #[must_use]
    pub fn map_children(self, mut map: impl FnMut(Self) -> Self) -> Self {
        let mut one = |mut child: Box<Self>| {
            *child = map(std::mem::replace(&mut *child, Self::Empty));
            child
        };
        match self {
            Self::Empty
            | Self::Unit
            | Self::Triple(_)
            | Self::Closure(_)
            | Self::TripleTerm(_)
            | Self::Values { .. }
            | Self::Given(_)
            | Self::Service(_) => self,
            Self::Join(patterns) => Self::Join(patterns.into_iter().map(map).collect()),
            Self::Union(patterns) => Self::Union(patterns.into_iter().map(map).collect()),
            Self::LeftJoin { left, right, conditions } => {
                let left = one(left);
                Self::LeftJoin { left, right: one(right), conditions }
            }
            Self::Minus { left, right } => {
                let left = one(left);
                Self::Minus { left, right: one(right) }
            }
            Self::Filter { inner, conditions } => Self::Filter { inner: one(inner), conditions },
            Self::Extend { inner, var, scalar } => Self::Extend { inner: one(inner), var, scalar },
            Self::Group { inner, keys, aggregates } => Self::Group { inner: one(inner), keys, aggregates },
            Self::Project { inner, vars } => Self::Project { inner: one(inner), vars },
            Self::Distinct { inner } => Self::Distinct { inner: one(inner) },
            Self::Order { inner, keys } => Self::Order { inner: one(inner), keys },
            Self::Slice { inner, start, length } => Self::Slice { inner: one(inner), start, length },
        }
    }

    /// Returns the pattern with each constant mapped by `map`, for example to the id that a snapshot has for it.
    ///
    /// # Errors
    /// Those of `map`: a limit.
    pub fn map_terms<U>(&self, map: &dyn Constants<T, U>) -> Result<Pattern<U>> {
        let inside = |child: &Self| child.map_terms(map).map(Box::new);
        let all = |children: &[Self]| children.iter().map(|child| child.map_terms(map)).collect::<Result<Vec<_>>>();
        let conditions = |conditions: &[Condition<T>]| {
            conditions.iter().map(|condition| condition.map_terms(map)).collect::<Result<Vec<_>>>()
        };
        Ok(match self {
            Self::Empty => Pattern::Empty,
            Self::Unit => Pattern::Unit,
            Self::Triple(atom) => Pattern::Triple(atom.map_terms(map)?),
            Self::Closure(atom) => Pattern::Closure(atom.map_terms(map)?),
            Self::TripleTerm(atom) => Pattern::TripleTerm(atom.map_terms(map)?),
            Self::Values { vars, rows, distinct } => {
                let bound: Vec<&T> = rows.iter().flatten().flatten().collect();
                let mut mapped = map.map_all(&bound)?.into_iter();
                let mut value = |value: &Option<T>| value.as_ref().and_then(|_| mapped.next());
                let rows = rows.iter().map(|row| row.iter().map(&mut value).collect()).collect();
                Pattern::Values { vars: vars.clone(), rows, distinct: *distinct }
            }
            Self::Given(given) => Pattern::Given(given.clone()),
            Self::Service(call) => Pattern::Service(Arc::clone(call)),
            Self::Join(operands) => Pattern::Join(all(operands)?),
            Self::Union(branches) => Pattern::Union(all(branches)?),
            Self::LeftJoin { left, right, conditions: own } => {
                Pattern::LeftJoin { left: inside(left)?, right: inside(right)?, conditions: conditions(own)? }
            }
            Self::Minus { left, right } => Pattern::Minus { left: inside(left)?, right: inside(right)? },
            Self::Filter { inner, conditions: own } => {
                Pattern::Filter { inner: inside(inner)?, conditions: conditions(own)? }
            }
            Self::Extend { inner, var, scalar } => {
                Pattern::Extend { inner: inside(inner)?, var: *var, scalar: scalar.map_terms(map)? }
            }
            Self::Group { inner, keys, aggregates } => {
                Pattern::Group { inner: inside(inner)?, keys: keys.clone(), aggregates: aggregates.clone() }
            }
            Self::Project { inner, vars } => Pattern::Project { inner: inside(inner)?, vars: vars.clone() },
            Self::Distinct { inner } => Pattern::Distinct { inner: inside(inner)? },
            Self::Order { inner, keys } => Pattern::Order { inner: inside(inner)?, keys: keys.clone() },
            Self::Slice { inner, start, length } => {
                Pattern::Slice { inner: inside(inner)?, start: *start, length: *length }
            }
        })
    }

    /// Returns the conditions of this node itself, not of its parts.
    pub fn conditions(&self) -> &[Condition<T>] {
        match self {
            Self::LeftJoin { conditions, .. } | Self::Filter { conditions, .. } => conditions,
            _ => &[],
        }
    }

    /// Returns the expression of this node itself, not of its parts.
    pub fn scalar(&self) -> Option<&Scalar<T>> {
        match self {
            Self::Extend { scalar, .. } => Some(scalar),
            _ => None,
        }
    }

    /// Whether it gives the same solutions each time that it is evaluated, as far as the dataset tells.
    pub fn is_steady(&self) -> bool {
        let mut open = vec![self];
        while let Some(pattern) = open.pop() {
            if matches!(pattern, Self::Service(_)) {
                return false;
            }
            let mut scalars: Vec<&Scalar<T>> = pattern.scalar().into_iter().collect();
            for condition in pattern.conditions() {
                match condition {
                    Condition::Scalar(scalar) => scalars.push(scalar),
                    Condition::Exists { pattern, .. } => open.push(pattern),
                    Condition::NotAmong(..) | Condition::Same(..) => {}
                }
            }
            if scalars.iter().any(|scalar| scalar.is_volatile()) {
                return false;
            }
            open.extend(scalars.into_iter().flat_map(|scalar| scalar.exists.iter().map(|(_, pattern)| pattern)));
            open.extend(pattern.children());
        }
        true
    }

    /// The variables that it names itself: those that it binds, keys and columns.
    pub fn own_variables(&self) -> Vec<Var> {
        match self {
            Self::Triple(atom) => atom.variables().collect(),
            Self::Closure(atom) => {
                atom.subject.var().into_iter().chain(atom.object.var()).chain(atom.graph.var()).collect()
            }
            Self::TripleTerm(atom) => atom.slots.iter().filter_map(Slot::var).chain([atom.triple]).collect(),
            Self::Values { vars, .. } | Self::Project { vars, .. } => vars.clone(),
            Self::Given(given) => given.iter().map(|given| given.var).collect(),
            Self::Service(call) => call.vars.iter().map(|(_, var)| *var).collect(),
            Self::Extend { var, .. } => vec![*var],
            Self::Group { keys, aggregates, .. } => {
                keys.iter().copied().chain(aggregates.iter().map(|aggregate| aggregate.result)).collect()
            }
            Self::Empty
            | Self::Unit
            | Self::Join(_)
            | Self::Union(_)
            | Self::LeftJoin { .. }
            | Self::Minus { .. }
            | Self::Filter { .. }
            | Self::Distinct { .. }
            | Self::Order { .. }
            | Self::Slice { .. } => Vec::new(),
        }
    }
}

/// Joins the patterns; nested joins become one.
pub fn join<T>(patterns: impl IntoIterator<Item = Pattern<T>>) -> Pattern<T> {
    let mut operands = Vec::new();
    for pattern in patterns {
        match pattern {
            Pattern::Unit => (),
            Pattern::Empty => return Pattern::Empty,
            Pattern::Join(more) => operands.extend(more),
            pattern => operands.push(pattern),
        }
    }
    match operands.len() {
        0 => Pattern::Unit,
        1 => operands.remove(0),
        _ => Pattern::Join(operands),
    }
}

pub fn union<T>(mut branches: Vec<Pattern<T>>) -> Pattern<T> {
    match branches.len() {
        0 => Pattern::Empty,
        1 => branches.remove(0),
        _ => Pattern::Union(branches),
    }
}

/// Puts the pattern under the conditions; nested filters become one.
pub fn filter<T>(inner: Pattern<T>, conditions: Vec<Condition<T>>) -> Pattern<T> {
    match inner {
        Pattern::Empty => Pattern::Empty,
        inner if conditions.is_empty() => inner,
        Pattern::Filter { inner, conditions: mut before } => {
            before.extend(conditions);
            Pattern::Filter { inner, conditions: before }
        }
        inner => Pattern::Filter { inner: Box::new(inner), conditions },
    }
}
