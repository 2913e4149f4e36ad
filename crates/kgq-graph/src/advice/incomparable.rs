//! Values that a comparison in a FILTER can neither take nor reject, as they are of another type: their rows are left out.

use super::place::QueryText;
use super::{AdviceRequest, Diagnostic};
use kgq_engine::query::atoms::{AtomKind, PatternTerm, atoms};
use kgq_syntax::rdf::{Literal, NamedNode, Term, Variable};
use kgq_syntax::text::{count, thousands};
use oxrdf::vocab::xsd;

/// The most statements of a property that are looked at.
const MOST_ROWS: usize = 20_000;

/// Returns a diagnostic for each comparison of a property's value with a literal, by `<` and the like, where the property also
/// has values of a type that does not compare with it.
pub(super) fn incomparable(asked: &AdviceRequest<'_>, text: &QueryText<'_>) -> Vec<Diagnostic> {
    let taken = atoms(asked.query);
    let property_of = |variable: &Variable| {
        taken.atoms.iter().find_map(|atom| match &atom.condition {
            AtomKind::Triple {
                predicate: PatternTerm::Term(Term::NamedNode(property)),
                object: PatternTerm::Variable(object),
                ..
            } if object == variable => Some(property),
            _ => None,
        })
    };
    let mut found = Vec::new();
    for atom in taken.atoms.iter().filter(|atom| atom.condition == AtomKind::Filter) {
        for (variable, term) in atom.orderings() {
            let Term::Literal(bound) = &term else { continue };
            let Some(property) = property_of(&variable) else { continue };
            let others = asked.budget.compare(|| of_other_types(asked, property, bound));
            if let Some(others) = others {
                found.push(others.diagnostic(asked, &variable, property, bound).at(text, text.atom(atom)));
            }
        }
    }
    found
}

/// The values of a property that do not compare with a literal.
struct Others {
    count: u64,
    /// Of how many values that were looked at.
    of: u64,
    example: Literal,
}

impl Others {
    fn diagnostic(
        &self,
        asked: &AdviceRequest<'_>,
        variable: &Variable,
        property: &NamedNode,
        bound: &Literal,
    ) -> Diagnostic {
        let values = count(self.of, "value", "values");
        let is = if self.count == 1 { "is" } else { "are" };
        let (property, example) = (asked.curie(property), asked.shown(&self.example.clone().into()));
        let bound = asked.shown(&bound.clone().into());
        let message = format!(
            "{variable} compares with {bound}, and {} of {values} of {property} {is} of another type, such as {example}: \
             rows with them are left out",
            thousands(self.count)
        );
        let hint =
            format!("`DATATYPE({variable})` gives the type; a cast, such as `xsd:integer({variable})`, another one");
        Diagnostic::new("incomparable", message).hint_if(Some(hint))
    }
}

fn of_other_types(asked: &AdviceRequest<'_>, property: &NamedNode, bound: &Literal) -> Option<Others> {
    let wanted = Compared::of(bound)?;
    let id = asked.snapshot.id(property.as_ref().into())?;
    let mut found: Option<Others> = None;
    let (mut of, mut others) = (0, 0);
    for ids in asked.snapshot.find_ids([None, Some(id), None]).take(MOST_ROWS) {
        // Nothing is concluded from values that there was no time to look at.
        if !asked.budget.spend(1) {
            return None;
        }
        let Term::Literal(value) = asked.snapshot.term(ids[2]) else { continue };
        of += 1;
        if Compared::of(&value).is_some_and(|own| own != wanted) {
            others += 1;
            found.get_or_insert(Others { count: 0, of: 0, example: value });
        }
    }
    found.map(|found| Others { count: others, of, ..found })
}

/// The types whose values compare with one another.
#[derive(PartialEq, Eq)]
enum Compared {
    Numbers,
    Moments,
    Dates,
    Texts(Option<String>),
    Booleans,
}

impl Compared {
    /// `None` for other types, of which some compare.
    fn of(literal: &Literal) -> Option<Self> {
        if let Some(language) = literal.language() {
            return Some(Self::Texts(Some(language.to_owned())));
        }
        Some(match literal.datatype() {
            xsd::STRING => Self::Texts(None),
            xsd::BOOLEAN => Self::Booleans,
            xsd::DATE => Self::Dates,
            xsd::DATE_TIME | xsd::DATE_TIME_STAMP => Self::Moments,
            xsd::INTEGER | xsd::DECIMAL | xsd::DOUBLE | xsd::FLOAT | xsd::INT | xsd::LONG | xsd::SHORT | xsd::BYTE => {
                Self::Numbers
            }
            xsd::NON_NEGATIVE_INTEGER | xsd::POSITIVE_INTEGER | xsd::NON_POSITIVE_INTEGER | xsd::NEGATIVE_INTEGER => {
                Self::Numbers
            }
            xsd::UNSIGNED_INT | xsd::UNSIGNED_LONG | xsd::UNSIGNED_SHORT | xsd::UNSIGNED_BYTE => Self::Numbers,
            _ => return None,
        })
    }
}
