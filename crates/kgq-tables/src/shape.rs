//! The shape of a term is all but its text: an IRI, a blank node, a triple, or a literal of a datatype or language. Terms of one
//! shape differ only in their texts, so a column of one shape needs no more than texts or values.

use kgq_snapshot::{Snapshot, TermId, TermKind};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{BaseDirection, Term};
use oxrdf::vocab::rdf;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    Iri,
    BlankNode,
    Triple,
    /// A literal without a language, with its datatype.
    Typed(String),
    Tagged(String, Option<BaseDirection>),
}

impl Shape {
    pub fn of(term: &Term) -> Self {
        match term {
            Term::NamedNode(_) => Self::Iri,
            Term::BlankNode(_) => Self::BlankNode,
            Term::Triple(_) => Self::Triple,
            Term::Literal(literal) => match literal.language() {
                Some(language) => Self::Tagged(language.to_owned(), literal.direction()),
                None => Self::Typed(literal.datatype().as_str().to_owned()),
            },
        }
    }

    /// The shape of a stored term; its text is not read.
    pub fn of_id(snapshot: &Snapshot, id: TermId) -> Self {
        match snapshot.kind(id) {
            TermKind::Iri => Self::Iri,
            TermKind::BlankNode => Self::BlankNode,
            TermKind::Triple => Self::Triple,
            TermKind::Literal => match snapshot.language(id) {
                Some(language) => Self::Tagged(language.to_owned(), snapshot.direction(id)),
                None => {
                    Self::Typed(snapshot.datatype(id).map_or_else(String::new, |datatype| datatype.as_str().to_owned()))
                }
            },
        }
    }

    /// The bytes of a row besides its text.
    pub fn bytes(&self) -> usize {
        self.datatype().map_or(0, str::len) + self.language().map_or(0, |language| language.len())
    }

    /// Whether the term has this shape.
    pub fn fits(&self, term: &Term) -> bool {
        match (self, term) {
            (Self::Iri, Term::NamedNode(_))
            | (Self::BlankNode, Term::BlankNode(_))
            | (Self::Triple, Term::Triple(_)) => true,
            (Self::Typed(datatype), Term::Literal(literal)) => {
                literal.language().is_none() && literal.datatype().as_str() == datatype
            }
            (Self::Tagged(language, direction), Term::Literal(literal)) => {
                literal.language() == Some(language) && literal.direction() == *direction
            }
            _ => false,
        }
    }

    /// The kind of term, named as in SPARQL's JSON results except for `iri`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Iri => "iri",
            Self::BlankNode => "bnode",
            Self::Triple => "triple",
            Self::Typed(_) | Self::Tagged(..) => "literal",
        }
    }

    pub fn datatype(&self) -> Option<&str> {
        match self {
            Self::Typed(datatype) => Some(datatype),
            Self::Tagged(_, None) => Some(rdf::LANG_STRING.as_str()),
            Self::Tagged(_, Some(_)) => Some(rdf::DIR_LANG_STRING.as_str()),
            Self::Iri | Self::BlankNode | Self::Triple => None,
        }
    }

    /// The language tag in canonical case, with the direction as in Turtle.
    pub fn language(&self) -> Option<String> {
        match self {
            Self::Tagged(language, None) => Some(cased(language).into_owned()),
            Self::Tagged(language, Some(direction)) => Some(format!("{}--{direction}", cased(language))),
            _ => None,
        }
    }
}
