//! Terms of a query that the graph does not have, or not in the position where the query uses them.

use super::budget::MOST_DIAGNOSTICS;
use super::names::{Among, UsedNames, fold};
use super::place::QueryText;
use super::{AdviceRequest, Diagnostic};
use crate::catalog::local_name;
use kgq_engine::query::{Position, Query, UsedTerm, needed_terms, used_terms, wanted_terms};
use kgq_snapshot::{Permutation, QuadPermutation, Snapshot, TermId};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Term};

/// A term that the data do not have as the query uses it, and what may have been meant.
pub struct Guess {
    pub diagnostic: Diagnostic,
    pub term: Term,
    /// The likeliest first.
    pub meant: Vec<Term>,
    /// The hint if nothing else was meant.
    pub otherwise: Option<String>,
    /// The condition with the term, if the term is to be changed only there.
    pub only: Option<usize>,
}

impl Guess {
    /// Turns the guess into a diagnostic with what may have been meant, for a query that has rows.
    fn told(self, asked: &AdviceRequest<'_>) -> Diagnostic {
        let names: Vec<String> = self.meant.iter().map(|term| format!("`{}`", asked.shown(term))).collect();
        let hint = (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")));
        self.diagnostic.hint_if(hint.or(self.otherwise))
    }
}

/// Returns the diagnostics on the terms of the query, in text order.
pub fn told(asked: &AdviceRequest<'_>, text: &QueryText<'_>) -> Vec<Diagnostic> {
    let (mut guesses, more) = unknown(asked, used_terms(&asked.query.algebra), text);
    if guesses.is_empty() {
        return Vec::new();
    }
    let wanted = wanted_terms(&asked.query.algebra);
    let is_wanted = |term: &Term| wanted.iter().any(|used| matches!(term, Term::NamedNode(iri) if *iri == used.iri));
    // Terms that the query wants to be absent may well be absent.
    guesses.retain(|guess| !guess.meant.is_empty() || guess.otherwise.is_some() || is_wanted(&guess.term));
    super::with_more(guesses.into_iter().map(|guess| guess.told(asked)).collect(), more)
}

/// Returns the unknown terms because of which these conditions have no solution.
pub fn missing(asked: &AdviceRequest<'_>, conditions: &Query, text: &QueryText<'_>) -> (Vec<Guess>, usize) {
    let needed = needed_terms(&conditions.algebra, &|used| is_unknown(asked.snapshot, &used.iri, used.position));
    unknown(asked, needed, text)
}

/// Returns the unknown ones of these terms, the first in the text, and how many more there are.
pub fn unknown(asked: &AdviceRequest<'_>, used: Vec<UsedTerm>, text: &QueryText<'_>) -> (Vec<Guess>, usize) {
    let mut found: Vec<(usize, UsedTerm, Option<kgq_syntax::Span>)> = used
        .into_iter()
        .filter(|used| is_unknown(asked.snapshot, &used.iri, used.position))
        .map(|used| {
            let span = text.iri(&used.iri, used.position == Position::Graph);
            (span.as_ref().map_or(usize::MAX, |span| span.start), used, span)
        })
        .collect();
    found.sort_by_key(|(at, _, _)| *at);
    let more = found.len().saturating_sub(MOST_DIAGNOSTICS);
    found.truncate(MOST_DIAGNOSTICS);
    let mut names = UsedNames::new(asked);
    let mut guesses: Vec<(UsedTerm, Guess)> = found
        .into_iter()
        .map(|(_, used, span)| {
            let guess = of_term(asked, &used, &mut names);
            (used, Guess { diagnostic: guess.diagnostic.at(text, span), ..guess })
        })
        .collect();
    // Equal names in other namespaces are looked for in one pass for all terms.
    let is_open =
        |(used, guess): &&mut (UsedTerm, Guess)| among(used.position) == Among::Things && guess.meant.is_empty();
    let wanted: Vec<NamedNode> = guesses.iter_mut().filter(is_open).map(|(used, _)| used.iri.clone()).collect();
    let alike = names.called_alike(&wanted.iter().collect::<Vec<_>>());
    for (used, guess) in guesses.iter_mut().filter(is_open) {
        let alike = alike.get(&fold(local_name(used.iri.as_str())));
        guess.meant = alike.into_iter().flatten().cloned().map(Term::from).collect();
    }
    (guesses.into_iter().map(|(_, guess)| guess).collect(), more)
}

fn among(position: Position) -> Among {
    match position {
        Position::Property => Among::Properties,
        Position::Class => Among::Classes,
        Position::Graph => Among::Graphs,
        Position::Node | Position::Value | Position::Function => Among::Things,
    }
}

fn is_unknown(snapshot: &Snapshot, iri: &NamedNode, position: Position) -> bool {
    let id = snapshot.id(iri.as_ref().into());
    match position {
        Position::Function => false,
        Position::Property => iri.as_ref() != rdf::TYPE && !id.is_some_and(|id| is_property(snapshot, id)),
        Position::Class => !id.is_some_and(|id| is_class(snapshot, id)),
        Position::Graph => id.is_none_or(|id| snapshot.named_graphs().binary_search(&id).is_err()),
        Position::Node | Position::Value => id.is_none() && !is_datatype(iri),
    }
}

fn of_term(asked: &AdviceRequest<'_>, used: &UsedTerm, names: &mut UsedNames<'_>) -> Guess {
    let (iri, snapshot) = (&used.iri, asked.snapshot);
    let shown = asked.curie(iri);
    let id = snapshot.id(iri.as_ref().into());
    let meant = names.meant(iri, among(used.position));
    let mut otherwise = None;
    let diagnostic = match used.position {
        Position::Property if id.is_some_and(|id| is_class(snapshot, id)) => {
            otherwise = Some(format!("the members of a class are found by `a {shown}`"));
            Diagnostic::new("class-as-property", format!("{shown} is a class, and stands here as a property"))
        }
        Position::Property => Diagnostic::new("unknown-property", format!("no statement has the property {shown}")),
        Position::Class if id.is_some_and(|id| is_property(snapshot, id)) => {
            otherwise = Some(format!("write `?subject {shown} ?value`"));
            Diagnostic::new("property-as-class", format!("{shown} is a property, and stands here as a class"))
        }
        Position::Class => Diagnostic::new("unknown-class", format!("nothing is a {shown}")),
        Position::Graph => {
            let graphs = snapshot.named_graphs();
            let some: Vec<String> = graphs.iter().take(5).map(|graph| asked.shown(&snapshot.term(*graph))).collect();
            otherwise = Some(match some.as_slice() {
                [] => "the dataset has no named graph".to_owned(),
                some if some.len() < graphs.len() => {
                    format!("the first of {} named graphs are {}", graphs.len(), some.join(", "))
                }
                some => format!("the named graphs are {}", some.join(", ")),
            });
            Diagnostic::new("unknown-graph", format!("there is no graph {shown}"))
        }
        Position::Node | Position::Value | Position::Function => {
            Diagnostic::new("unknown-term", format!("the graph does not have {shown}"))
        }
    };
    let meant = meant.into_iter().map(Term::from).collect();
    Guess { diagnostic, term: iri.clone().into(), meant, otherwise, only: None }
}

/// Datatype names are used in expressions and need not be in the data.
fn is_datatype(iri: &NamedNode) -> bool {
    iri.as_str().starts_with("http://www.w3.org/2001/XMLSchema#")
        || iri.as_str().starts_with("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
}

pub fn is_property(snapshot: &Snapshot, id: TermId) -> bool {
    snapshot.statistics().predicate(id).rows > 0 || snapshot.quad_statistics().predicate(id).rows > 0
}

pub fn is_class(snapshot: &Snapshot, id: TermId) -> bool {
    let Some(rdf_type) = snapshot.id(rdf::TYPE.into()) else { return false };
    !snapshot.triples(Permutation::Pos).range(&[rdf_type, id]).is_empty()
        || !snapshot.quads(QuadPermutation::Posg).range(&[rdf_type, id]).is_empty()
}
