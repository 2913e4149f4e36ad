//! Entailment: everything that follows from the stated triples by the rules and is not stated. The rules are in
//! `rules.rs`: those of RDFS about classes and properties, and some of OWL 2 RL. Not included: identity (`owl:sameAs`,
//! functional properties), datatypes, and trivial conclusions (that everything is a resource, that a class is a
//! subclass of itself).

mod closure;
mod rules;
#[cfg(test)]
mod tests;

use crate::project::InferSettings;
use closure::Closure;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::{Budget, Steps};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{GraphName, Quad, Term, TermRef};
use kgq_syntax::sort::sorted_by_text;
use kgq_syntax::text::thousands;

/// The inferred statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inferred {
    /// All in the default graph, whichever graphs they follow from, in line order.
    pub quads: Vec<Quad>,
    /// The number of statements that each rule inferred. One that several rules infer is counted once.
    pub by_rule: Vec<(&'static str, u64)>,
}

/// Applies the rules until nothing new follows. All graphs are treated as one.
///
/// A statement about a blank node can be a premise but is never a conclusion: outside of its graph, the blank node
/// would denote nothing in particular.
///
/// # Errors
/// More statements follow than the settings allow; those of the budget; damage to the snapshot.
pub fn infer(stated: &Snapshot, settings: &InferSettings, budget: &Budget) -> Result<Inferred> {
    let rules = rules::of(settings.rules);
    let steps = Steps::new(budget);
    let mut closure = Closure::new(stated, &rules, &steps);
    if !closure.close(settings.max_statements)? {
        let most = thousands(settings.max_statements);
        return Err(Error::limit(format!(
            "more than {most} statements follow by the rules of `{}`",
            settings.rules.name()
        ))
        .hint("`max-statements` below `[infer]` in kgq.toml sets how many may; `rules` there can be `none`"));
    }
    let found = closure.concluded().filter_map(|([subject, predicate, object], rule)| match (subject, predicate) {
        (Term::NamedNode(subject), Term::NamedNode(predicate)) if !names_blank(object.as_ref()) => {
            Some((Quad::new(subject, predicate, object, GraphName::DefaultGraph), rule))
        }
        _ => None,
    });
    let found = sorted_by_text(found, |(quad, _)| quad.to_string(), budget)?;
    let mut by_rule: Vec<(&str, u64)> = rules.iter().map(|rule| (rule.name, 0)).collect();
    for (_, rule) in &found {
        by_rule[*rule].1 += 1;
    }
    Ok(Inferred { quads: found.into_iter().map(|(quad, _)| quad).collect(), by_rule })
}

fn names_blank(term: TermRef<'_>) -> bool {
    match term {
        TermRef::BlankNode(_) => true,
        TermRef::Triple(triple) => triple.subject.is_blank_node() || names_blank(triple.object.as_ref()),
        TermRef::NamedNode(_) | TermRef::Literal(_) => false,
    }
}
