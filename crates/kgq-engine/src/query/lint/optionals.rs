//! OPTIONALs whose order matters: patterns after an OPTIONAL that use a variable which it may leave unbound.

use super::{Lint, Walk, conjuncts, triples_of};
use crate::query::atoms::in_scope;
use kgq_syntax::rdf::Variable;
use spargebra::algebra::GraphPattern;
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

impl Walk {
    pub(super) fn optionals(&mut self, pattern: &GraphPattern) {
        match pattern {
            GraphPattern::Join { left, right } => {
                self.optionals(left);
                let (maybe, sure) = (only_optional(left), in_scope(right));
                if let Some(variable) = maybe.iter().find(|v| sure.contains(v)) {
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
            }
            GraphPattern::LeftJoin { left, right, .. } => {
                self.optionals(left);
                let maybe = only_optional(left);
                if let Some(variable) = maybe.iter().find(|v| is_second_source(v, left, right)) {
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
            }
            GraphPattern::Filter { inner, .. }
            | GraphPattern::Extend { inner, .. }
            | GraphPattern::Graph { inner, .. }
            | GraphPattern::OrderBy { inner, .. }
            | GraphPattern::Minus { left: inner, .. } => self.optionals(inner),
            _ => {}
        }
    }
}

/// Whether an OPTIONAL takes a variable of an earlier OPTIONAL from another property of the same thing. If it starts
/// from that variable, it looks up what was found; if it uses the same property, it is a deliberate fallback.
fn is_second_source(variable: &Variable, left: &GraphPattern, right: &GraphPattern) -> bool {
    let mut before = Vec::new();
    optional_triples(left, &mut before);
    let is_value = |triple: &&TriplePattern| matches!(&triple.object, TermPattern::Variable(v) if v == variable);
    let mine = triples_of(right);
    mine.into_iter().filter(is_value).any(|own| {
        let earlier: Vec<_> = before.iter().filter(|t| is_value(t) && t.subject == own.subject).collect();
        !earlier.is_empty() && earlier.iter().all(|t| t.predicate != own.predicate)
    })
}

/// Collects the triple patterns in the OPTIONALs of a group.
fn optional_triples<'a>(pattern: &'a GraphPattern, into: &mut Vec<&'a TriplePattern>) {
    match pattern {
        GraphPattern::LeftJoin { left, right, .. } => {
            optional_triples(left, into);
            into.extend(triples_of(right));
        }
        GraphPattern::Join { left, right } => {
            optional_triples(left, into);
            optional_triples(right, into);
        }
        GraphPattern::Minus { left: inner, .. }
        | GraphPattern::Filter { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Graph { inner, .. } => optional_triples(inner, into),
        _ => {}
    }
}

/// Returns the variables that a group binds only in an OPTIONAL.
fn only_optional(pattern: &GraphPattern) -> Vec<Variable> {
    let mut all = Vec::new();
    conjuncts(pattern, &mut all);
    let mut computed = Vec::new();
    binds(pattern, &mut computed);
    let sure: Vec<Variable> = all.iter().flat_map(|p| in_scope(p)).chain(computed).collect();
    in_scope(pattern).into_iter().filter(|v| !sure.contains(v)).collect()
}

/// Collects the variables that BIND makes outside OPTIONALs.
fn binds(pattern: &GraphPattern, into: &mut Vec<Variable>) {
    match pattern {
        GraphPattern::Extend { inner, variable, .. } => {
            into.push(variable.clone());
            binds(inner, into);
        }
        GraphPattern::Join { left, right } => {
            binds(left, into);
            binds(right, into);
        }
        GraphPattern::LeftJoin { left: inner, .. }
        | GraphPattern::Minus { left: inner, .. }
        | GraphPattern::Filter { inner, .. } => binds(inner, into),
        GraphPattern::Graph { name, inner } => {
            if let NamedNodePattern::Variable(v) = name {
                into.push(v.clone());
            }
            binds(inner, into);
        }
        _ => {}
    }
}
