//! OPTIONALs whose order matters: patterns after an OPTIONAL that use a variable which it may leave unbound.

use super::{Lint, Walk, triples_of};
use crate::query::atoms::in_scope;
use kgq_syntax::rdf::Variable;
use rustc_hash::FxHashSet;
use spargebra::algebra::GraphPattern;
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// What a group binds, from its start to some place in it.
#[derive(Default)]
struct Bound<'a> {
    /// By patterns outside OPTIONALs, and by BIND.
    surely: FxHashSet<Variable>,
    /// In OPTIONALs, in order; some may be bound elsewhere too.
    maybe: Vec<Variable>,
    is_maybe: FxHashSet<Variable>,
    /// The triple patterns in OPTIONALs.
    optional: Vec<&'a TriplePattern>,
}

impl<'a> Bound<'a> {
    fn only_maybe(&self) -> impl Iterator<Item = &Variable> {
        self.maybe.iter().filter(|variable| !self.surely.contains(*variable))
    }

    fn add_maybe(&mut self, variables: Vec<Variable>) {
        for variable in variables {
            if self.is_maybe.insert(variable.clone()) {
                self.maybe.push(variable);
            }
        }
    }

    /// Adds what a group joined to this one binds.
    fn join(&mut self, other: Self) {
        self.surely.extend(other.surely);
        self.add_maybe(other.maybe);
        self.optional.extend(other.optional);
    }
}

impl Walk<'_> {
    pub(super) fn optionals(&mut self, pattern: &GraphPattern) {
        self.bound(pattern);
    }

    /// Collects what a group binds while checking it, so that a group of many OPTIONALs is walked once.
    fn bound<'a>(&mut self, pattern: &'a GraphPattern) -> Bound<'a> {
        if self.is_over() {
            return Bound::default();
        }
        let mut bound = match pattern {
            GraphPattern::Join { left, .. }
            | GraphPattern::LeftJoin { left, .. }
            | GraphPattern::Minus { left, .. } => self.bound(left),
            GraphPattern::Filter { inner, .. }
            | GraphPattern::Extend { inner, .. }
            | GraphPattern::Graph { inner, .. }
            | GraphPattern::OrderBy { inner, .. } => self.bound(inner),
            other => Bound { surely: in_scope(other).into_iter().collect(), ..Bound::default() },
        };
        match pattern {
            GraphPattern::Join { right, .. } => {
                let sure: FxHashSet<Variable> = in_scope(right).into_iter().collect();
                if let Some(variable) = bound.only_maybe().find(|v| sure.contains(v)) {
                    let message = format!(
                        "?{} is bound by an OPTIONAL before this: where that found nothing, this binds it to anything",
                        variable.as_str()
                    );
                    self.found.push(Lint::new(
                        "optional-first",
                        Some(variable),
                        message,
                        Some("put the OPTIONAL after what it depends on"),
                    ));
                }
                // The group that is joined is checked as a group of its own.
                bound.join(Walk { found: Vec::new(), budget: self.budget }.bound(right));
            }
            GraphPattern::LeftJoin { right, .. } => {
                let mine = triples_of(right);
                let second = mine.iter().find_map(|own| {
                    let TermPattern::Variable(variable) = &own.object else { return None };
                    let is_maybe = bound.is_maybe.contains(variable) && !bound.surely.contains(variable);
                    (is_maybe && is_second_source(own, &bound.optional)).then_some(variable)
                });
                if let Some(variable) = second {
                    let message = format!(
                        "?{} is bound by an OPTIONAL before this one, which is looked at only where that found nothing",
                        variable.as_str()
                    );
                    self.found.push(Lint::new(
                        "optional-shadows",
                        Some(variable),
                        message,
                        Some("if both values are wanted, give them two names"),
                    ));
                }
                bound.add_maybe(in_scope(right));
                bound.optional.extend(mine);
            }
            GraphPattern::Extend { variable, .. }
            | GraphPattern::Graph { name: NamedNodePattern::Variable(variable), .. } => {
                bound.surely.insert(variable.clone());
            }
            _ => {}
        }
        bound
    }
}

/// Whether a pattern of an OPTIONAL takes its object, a variable of an earlier OPTIONAL, from another property of the same thing. If it
/// starts from that variable, it looks up what was found; if it uses the same property, it is a deliberate fallback.
fn is_second_source(own: &TriplePattern, before: &[&TriplePattern]) -> bool {
    let mut earlier = before.iter().filter(|t| t.object == own.object && t.subject == own.subject).peekable();
    earlier.peek().is_some() && earlier.all(|t| t.predicate != own.predicate)
}
