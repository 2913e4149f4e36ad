//! A literal that the data have in another form: in another language, of another datatype, in other case.

use super::MOST_ROWS;
use crate::advice::place::Text;
use crate::advice::{Asked, Finding};
use kgq_engine::query::atoms::{Atom, Condition, Node};
use kgq_snapshot::{Permutation, QuadPermutation, TermKind};
use kgq_syntax::rdf::language::{cased, written};
use kgq_syntax::rdf::{Literal, NamedNode, Term};
use kgq_syntax::text::visible;

/// A literal that the data have in another form.
pub fn literal(asked: &Asked<'_>, atom: &Atom, text: &Text<'_>) -> Option<Finding> {
    let Condition::Triple {
        predicate: Node::Term(Term::NamedNode(property)),
        object: Node::Term(Term::Literal(wanted)),
        ..
    } = &atom.condition
    else {
        return None;
    };
    of_property(asked, property, wanted, false).map(|f| f.at(text, text.literal(wanted.value())))
}

/// What the property has instead of this literal. `by_value`: whether equal values count as the same, as in a FILTER.
pub fn of_property(asked: &Asked<'_>, property: &NamedNode, wanted: &Literal, by_value: bool) -> Option<Finding> {
    let snapshot = asked.snapshot;
    let id = snapshot.id(property.as_ref().into())?;
    let mut best: Option<(u8, Literal)> = None;
    let mut sample: Option<Literal> = None;
    for index in [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)] {
        let rows = index.run(id);
        let mut last = None;
        for object in index.column(1, rows.start..rows.end.min(rows.start + MOST_ROWS)) {
            if last == Some(*object) || snapshot.kind(*object) != TermKind::Literal {
                continue;
            }
            last = Some(*object);
            let Term::Literal(other) = snapshot.term(*object) else { continue };
            if other == *wanted {
                return None;
            }
            let rank = if other.value() == wanted.value() {
                0
            } else if number(&other).is_some() && number(&other) == number(wanted) {
                if by_value
                    && other.datatype() != oxrdf::vocab::xsd::STRING
                    && wanted.datatype() != oxrdf::vocab::xsd::STRING
                {
                    return None;
                }
                1
            } else if other.value().trim().to_lowercase() == wanted.value().trim().to_lowercase() {
                2
            } else {
                sample.get_or_insert(other);
                continue;
            };
            if best.as_ref().is_none_or(|(old, _)| rank < *old) {
                best = Some((rank, other));
            }
        }
    }
    let shown = |l: &Literal| {
        let text = written(&l.clone().into()).to_string();
        match text.split_once("^^<") {
            Some((value, datatype)) => {
                visible(&format!("{value}^^{}", asked.prefixes.display(datatype.trim_end_matches('>')))).into_owned()
            }
            None => visible(&text).into_owned(),
        }
    };
    let own = asked.curie(property);
    Some(match best {
        Some((2, other)) => Finding::new("literal-case", format!("no {own} is {}", shown(wanted)))
            .hint_if(Some(format!("did you mean {}?", shown(&other)))),
        Some((_, other)) if other.language() != wanted.language() => {
            let has = match other.language() {
                Some(language) => format!("the data have it in the language {}", cased(language)),
                None => "the data have it without a language".to_owned(),
            };
            Finding::new("literal-language", format!("no {own} is {}: {has}", shown(wanted)))
                .hint_if(Some(format!("did you mean {}?", shown(&other))))
        }
        Some((_, other)) => Finding::new(
            "literal-datatype",
            format!(
                "no {own} is {}: the data have a {}",
                shown(wanted),
                asked.prefixes.display(other.datatype().as_str())
            ),
        )
        .hint_if(Some(format!("did you mean {}?", shown(&other)))),
        None => Finding::new("unknown-literal", format!("no {own} is {}", shown(wanted)))
            .hint_if(sample.map(|s| format!("one that it has is {}", shown(&s)))),
    })
}

fn number(literal: &Literal) -> Option<f64> {
    literal.value().trim().parse().ok()
}
