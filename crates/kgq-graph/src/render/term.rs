//! A term as people read it in a cell.

use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{NamedOrBlankNode, Prefixes, Term};
use kgq_syntax::text::visible;
use oxrdf::vocab::xsd;

/// Returns the text of a term: a CURIE for an IRI if a prefix fits; a literal's text with its language, or with its
/// datatype if that adds information. The text is safe for a terminal.
pub fn cell(term: &Term, prefixes: &Prefixes) -> String {
    let text = match term {
        Term::NamedNode(node) => prefixes.display(node.as_str()),
        Term::BlankNode(node) => node.to_string(),
        Term::Literal(literal) => {
            let value = literal.value();
            match (literal.language(), literal.direction()) {
                (Some(language), Some(direction)) => format!("{value}@{}--{direction}", cased(language)),
                (Some(language), None) => format!("{value}@{}", cased(language)),
                (None, _) if speaks_for_itself(literal.datatype()) => value.to_owned(),
                (None, _) => format!("{value}^^{}", prefixes.display(literal.datatype().as_str())),
            }
        }
        Term::Triple(triple) => {
            let subject = match &triple.subject {
                NamedOrBlankNode::NamedNode(node) => prefixes.display(node.as_str()),
                NamedOrBlankNode::BlankNode(node) => node.to_string(),
            };
            let predicate = prefixes.display(triple.predicate.as_str());
            return format!("<<( {subject} {predicate} {} )>>", cell(&triple.object, prefixes));
        }
    };
    visible(&text).into_owned()
}

/// Whether a value's text shows its type, so that the datatype would only be noise.
fn speaks_for_itself(datatype: oxrdf::NamedNodeRef<'_>) -> bool {
    [
        xsd::STRING,
        xsd::INTEGER,
        xsd::DECIMAL,
        xsd::DOUBLE,
        xsd::FLOAT,
        xsd::BOOLEAN,
        xsd::DATE,
        xsd::DATE_TIME,
        xsd::G_YEAR,
        xsd::G_YEAR_MONTH,
    ]
    .contains(&datatype)
}

/// Whether a term is a number, which a table aligns to the right.
pub fn is_number(term: &Term) -> bool {
    let Term::Literal(literal) = term else { return false };
    [xsd::INTEGER, xsd::DECIMAL, xsd::DOUBLE, xsd::FLOAT, xsd::INT, xsd::LONG, xsd::NON_NEGATIVE_INTEGER]
        .contains(&literal.datatype())
}
