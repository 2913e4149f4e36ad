//! The constraints of SHACL Core on one focus node (SHACL 1.0 §4).

use super::dataset::NodeId;
use super::shape::{Bound, Constraint, Qualified, ShapeId};
use super::validate::{At, Validation};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::literal::{compare, is_well_formed};
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{Literal, Term};
use rustc_hash::FxHashSet;
use std::cmp::Ordering;
use std::collections::BTreeMap;

impl Validation<'_> {
    /// Returns why a single value violates a constraint; `None` if it does not.
    pub fn value_fails(&self, constraint: &Constraint, value: NodeId) -> Option<String> {
        let term = self.dataset.term(value);
        let literal = match &term {
            Term::Literal(literal) => Some(literal),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
        };
        let text = match &term {
            Term::Literal(literal) => Some(literal.value()),
            Term::NamedNode(iri) => Some(iri.as_str()),
            Term::BlankNode(_) | Term::Triple(_) => None,
        };
        let named = || self.named(value);
        match constraint {
            Constraint::Class(class) => (!self.dataset.is_instance(&self.dataset.data, value, *class))
                .then(|| format!("{} is not an instance of {}", named(), self.named(*class))),
            Constraint::Datatype(datatype) => {
                let wanted = self.dataset.as_iri(*datatype)?;
                match literal {
                    Some(literal) if literal.datatype() == wanted.as_ref() => (!is_well_formed(literal))
                        .then(|| format!("{} is not well-formed: it is no {}", named(), self.named(*datatype))),
                    _ => Some(format!("{} is not of datatype {}", named(), self.named(*datatype))),
                }
            }
            Constraint::NodeKind(kind) => (!kind.admits(&term)).then(|| format!("{} is not {}", named(), kind.words())),
            Constraint::Bound(bound, limit) => {
                let order = literal.and_then(|literal| compare(literal, limit));
                let (holds, words) = match bound {
                    Bound::MinExclusive => (order == Some(Ordering::Greater), "greater than"),
                    Bound::MinInclusive => (matches!(order, Some(Ordering::Greater | Ordering::Equal)), "at least"),
                    Bound::MaxExclusive => (order == Some(Ordering::Less), "less than"),
                    Bound::MaxInclusive => (matches!(order, Some(Ordering::Less | Ordering::Equal)), "at most"),
                };
                (!holds).then(|| format!("{} is not {words} {}", named(), (self.name)(&limit.clone().into())))
            }
            Constraint::MinLength(least) => (text.is_none_or(|t| (t.chars().count() as u64) < *least))
                .then(|| format!("{} is shorter than {least} characters", named())),
            Constraint::MaxLength(most) => (text.is_none_or(|t| (t.chars().count() as u64) > *most))
                .then(|| format!("{} is longer than {most} characters", named())),
            Constraint::Pattern { regex, text: pattern } => {
                (!text.is_some_and(|t| regex.is_match(t))).then(|| format!("{} does not match `{pattern}`", named()))
            }
            Constraint::LanguageIn(tags) => {
                let language = literal.and_then(Literal::language);
                (!language.is_some_and(|l| tags.iter().any(|range| language_matches(l, range))))
                    .then(|| format!("{} is not in one of the languages {}", named(), tags.join(", ")))
            }
            Constraint::In(among) => (!among.contains(&value)).then(|| {
                let among: Vec<String> = among.iter().map(|n| self.named(*n)).collect();
                format!("{} is not one of {}", named(), among.join(", "))
            }),
            _ => None,
        }
    }

    pub fn unique_lang(&mut self, constraint: &Constraint, at: At<'_>) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for value in at.values {
            if let Term::Literal(literal) = self.dataset.term(*value)
                && let Some(language) = literal.language()
            {
                *counts.entry(language.to_ascii_lowercase()).or_default() += 1;
            }
        }
        for (language, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
            self.fail(constraint, at, None, format!("has {count} values in the language `{language}`; can have one"));
        }
    }

    pub fn equals(&mut self, constraint: &Constraint, predicate: NodeId, at: At<'_>) {
        let others = self.dataset.data.objects(at.focus, predicate);
        for value in at.values.iter().filter(|v| !others.contains(v)) {
            let why = format!("{} is not a value of {}", self.named(*value), self.named(predicate));
            self.fail(constraint, at, Some(*value), why);
        }
        for other in others.into_iter().filter(|o| !at.values.contains(o)) {
            let why = format!("{} is a value of {} only", self.named(other), self.named(predicate));
            self.fail(constraint, at, Some(other), why);
        }
    }

    pub fn ordered(&mut self, constraint: &Constraint, predicate: NodeId, at: At<'_>, wanted: &[Ordering]) {
        let others = self.dataset.data.objects(at.focus, predicate);
        for value in at.values {
            for other in &others {
                let order = match (self.dataset.term(*value), self.dataset.term(*other)) {
                    (Term::Literal(a), Term::Literal(b)) => compare(&a, &b),
                    _ => None,
                };
                if !order.is_some_and(|order| wanted.contains(&order)) {
                    let words = if wanted.len() > 1 { "is not at most" } else { "is not less than" };
                    let why =
                        format!("{} {words} {}, its {}", self.named(*value), self.named(*other), self.named(predicate));
                    self.fail(constraint, at, Some(*value), why);
                }
            }
        }
    }

    pub fn logical(
        &mut self,
        constraint: &Constraint,
        ids: &[ShapeId],
        at: At<'_>,
        holds: fn(usize, usize) -> bool,
        words: &str,
    ) -> Result<()> {
        for value in at.values {
            let conforming = self.count_conforming(ids, *value)?;
            if !holds(ids.len(), conforming) {
                let shapes: Vec<String> = ids.iter().map(|id| self.shape_named(*id)).collect();
                self.fail(
                    constraint,
                    at,
                    Some(*value),
                    format!("{} {words} {}", self.named(*value), shapes.join(", ")),
                );
            }
        }
        Ok(())
    }

    pub fn qualified(&mut self, constraint: &Constraint, qualified: &Qualified, at: At<'_>) -> Result<()> {
        let mut count = 0;
        for value in at.values {
            let counts =
                self.conforms(qualified.shape, *value)? && self.count_conforming(&qualified.siblings, *value)? == 0;
            count += u64::from(counts);
        }
        let words = format!("{count} values conform to {}", self.shape_named(qualified.shape));
        if let Some(least) = qualified.min.filter(|least| count < *least) {
            self.fail_as("QualifiedMinCount", constraint, at, format!("{words}; at least {least} must"));
        }
        if let Some(most) = qualified.max.filter(|most| count > *most) {
            self.fail_as("QualifiedMaxCount", constraint, at, format!("{words}; at most {most} can"));
        }
        Ok(())
    }

    pub fn closed(&mut self, constraint: &Constraint, allowed: &FxHashSet<NodeId>, at: At<'_>) {
        for value in at.values {
            for (predicate, object) in self.dataset.data.properties(*value).filter(|(p, _)| !allowed.contains(p)) {
                let why = format!("{} cannot have the property {}", self.named(*value), self.named(predicate));
                let mut result = self.result(constraint, at, Some(self.dataset.term(object)), why);
                result.path = self.dataset.as_iri(predicate).map(Path::Predicate);
                self.push(result);
            }
        }
    }
}

/// SPARQL's langMatches (RFC 4647 basic filtering); `range` is in lower case.
fn language_matches(tag: &str, range: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    range == "*" || tag == range || tag.strip_prefix(range).is_some_and(|rest| rest.starts_with('-'))
}
