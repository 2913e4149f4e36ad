//! A literal that the data have in another form: with another language, another datatype, or different case.

use super::MOST_ROWS;
use crate::advice::place::QueryText;
use crate::advice::terms::Guess;
use crate::advice::{AdviceRequest, Diagnostic};
use kgq_engine::query::atoms::{Atom, AtomKind, PatternTerm};
use kgq_snapshot::{Permutation, QuadPermutation, TermId, TermKind};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, Term};
use oxrdf::vocab::xsd;

/// Guesses which literal in the data was meant by a literal of a pattern.
pub fn literal(asked: &AdviceRequest<'_>, atom: &Atom, text: &QueryText<'_>) -> Option<Guess> {
    let AtomKind::Triple { predicate, object: PatternTerm::Term(Term::Literal(wanted)), .. } = &atom.condition else {
        return None;
    };
    let guess = match predicate {
        PatternTerm::Term(Term::NamedNode(property)) => of_property(asked, property, wanted, false),
        PatternTerm::Term(_) | PatternTerm::Variable(_) | PatternTerm::Other => of_anything(asked, wanted),
    }?;
    let span = text.literal(wanted.value()).or_else(|| text.atom(atom));
    Some(Guess { diagnostic: guess.diagnostic.at(text, span), ..guess })
}

/// How similar another literal is to the wanted one, the most similar kind first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Text,
    Number,
    Letters,
}

/// The most similar of the literals examined so far.
#[derive(Default)]
struct Nearest {
    best: Option<(Nearness, Literal)>,
    sample: Option<Literal>,
}

impl Nearest {
    /// Examines one more literal; returns `false` if it is the wanted one itself.
    fn see(&mut self, other: Literal, wanted: &Literal) -> bool {
        if other == *wanted {
            return false;
        }
        let nearness = if other.value() == wanted.value() {
            Nearness::Text
        } else if number(&other).is_some() && number(&other) == number(wanted) {
            Nearness::Number
        } else if other.value().trim().to_lowercase() == wanted.value().trim().to_lowercase() {
            Nearness::Letters
        } else {
            let is_like = |sample: &Literal| sample.language() == wanted.language();
            if self.sample.as_ref().is_none_or(|sample| !is_like(sample) && is_like(&other)) {
                self.sample = Some(other);
            }
            return true;
        };
        if self.best.as_ref().is_none_or(|(old, _)| nearness < *old) {
            self.best = Some((nearness, other));
        }
        true
    }
}

/// What the property has instead of this literal. `by_value`: whether equal values count as the same, as they do in a
/// FILTER.
pub fn of_property(asked: &AdviceRequest<'_>, property: &NamedNode, wanted: &Literal, by_value: bool) -> Option<Guess> {
    let snapshot = asked.snapshot;
    let id = snapshot.id(property.as_ref().into())?;
    let mut nearest = Nearest::default();
    for index in [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)] {
        let mut last: Option<TermId> = None;
        for object in index.blocks(1, index.run(id)).take(MOST_ROWS) {
            if last == Some(object) || snapshot.kind(object) != TermKind::Literal {
                continue;
            }
            last = Some(object);
            let Term::Literal(other) = snapshot.term(object) else { continue };
            let are_values = other.datatype() != xsd::STRING && wanted.datatype() != xsd::STRING;
            let is_equal = by_value && are_values && number(&other).is_some() && number(&other) == number(wanted);
            if is_equal || !nearest.see(other, wanted) {
                return None;
            }
        }
    }
    Some(guess(asked, &asked.curie(property), wanted, nearest))
}

/// What the data have, with any property, instead of a literal that they lack.
fn of_anything(asked: &AdviceRequest<'_>, wanted: &Literal) -> Option<Guess> {
    let snapshot = asked.snapshot;
    if snapshot.id(wanted.into()).is_some() {
        return None;
    }
    let mut nearest = Nearest::default();
    // The same text with another datatype is found however many literals there are.
    for datatype in [xsd::STRING, xsd::INTEGER, xsd::DECIMAL, xsd::DOUBLE, xsd::BOOLEAN, xsd::DATE, xsd::G_YEAR] {
        let other = Literal::new_typed_literal(wanted.value(), datatype);
        if snapshot.id((&other).into()).is_some() {
            nearest.see(other, wanted);
        }
    }
    let literals = snapshot.kind_range(TermKind::Literal).map(TermId::new).take(MOST_ROWS);
    for id in literals.take_while(|_| asked.budget.spend(2)) {
        if let Term::Literal(other) = snapshot.term(id) {
            nearest.see(other, wanted);
        }
    }
    nearest.sample = None;
    nearest.best.as_ref()?;
    Some(guess(asked, "value", wanted, nearest))
}

/// Words the guess; `own` names what has such values.
fn guess(asked: &AdviceRequest<'_>, own: &str, wanted: &Literal, nearest: Nearest) -> Guess {
    let shown = asked.shown(&wanted.clone().into());
    let diagnostic = match &nearest.best {
        Some((Nearness::Letters, _)) => Diagnostic::new("literal-case", format!("no {own} is {shown}")),
        Some((_, other)) if other.language() != wanted.language() => {
            let has = match other.language() {
                Some(language) => format!("the data have it in the language {}", cased(language)),
                None => "the data have it without a language".to_owned(),
            };
            Diagnostic::new("literal-language", format!("no {own} is {shown}: {has}"))
        }
        Some((_, other)) => {
            let datatype = asked.prefixes.display(other.datatype().as_str());
            Diagnostic::new("literal-datatype", format!("no {own} is {shown}: the data have it as {datatype}"))
        }
        None => Diagnostic::new("unknown-literal", format!("no {own} is {shown}")),
    };
    Guess {
        diagnostic,
        term: wanted.clone().into(),
        meant: nearest.best.into_iter().map(|(_, other)| other.into()).collect(),
        otherwise: nearest.sample.map(|sample| format!("one that it has is {}", asked.shown(&sample.into()))),
        only: None,
    }
}

/// Returns the term that a value of this kind could be compared with, if the written one cannot.
pub fn comparable(written: &Term, value: &Term) -> Option<Term> {
    match (written, value) {
        (Term::Literal(written), Term::NamedNode(_)) => Some(NamedNode::new(written.value()).ok()?.into()),
        (Term::NamedNode(written), Term::Literal(value)) => {
            Some(Literal::new_typed_literal(written.as_str(), value.datatype()).into())
        }
        (Term::Literal(written), Term::Literal(value)) => {
            if written.datatype() == value.datatype() || is_number(written.datatype()) && is_number(value.datatype()) {
                return None;
            }
            let text = written.value().trim();
            Some(match value.language() {
                Some(language) => Literal::new_language_tagged_literal(text, language).ok()?.into(),
                None if value.datatype() == xsd::DATE_TIME && text.len() == "2000-01-01".len() => {
                    Literal::new_typed_literal(format!("{text}T00:00:00"), xsd::DATE_TIME).into()
                }
                None => Literal::new_typed_literal(text, value.datatype()).into(),
            })
        }
        _ => None,
    }
}

pub fn is_number(datatype: NamedNodeRef<'_>) -> bool {
    [xsd::INTEGER, xsd::DECIMAL, xsd::DOUBLE, xsd::FLOAT, xsd::INT, xsd::LONG].contains(&datatype)
}

fn number(literal: &Literal) -> Option<f64> {
    literal.value().trim().parse().ok()
}
