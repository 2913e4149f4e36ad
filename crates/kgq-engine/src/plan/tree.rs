//! What a pattern is made of: its parts are named here once, for all that walk over patterns or rewrite them.

use super::{Condition, Pattern, Scalar, Slot, Var};

impl<T> Pattern<T> {
    /// The patterns that it is made of, in order. Those of EXISTS belong to its conditions and expressions.
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

    /// The same with other patterns in the places of those that it is made of.
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

    /// The conditions that stand in it, not in its parts.
    pub fn conditions(&self) -> &[Condition<T>] {
        match self {
            Self::LeftJoin { conditions, .. } | Self::Filter { conditions, .. } => conditions,
            _ => &[],
        }
    }

    /// The expression that stands in it, not in its parts.
    pub fn scalar(&self) -> Option<&Scalar<T>> {
        match self {
            Self::Extend { scalar, .. } => Some(scalar),
            _ => None,
        }
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

/// The join of the patterns, flat.
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

/// The pattern under the conditions, flat.
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
