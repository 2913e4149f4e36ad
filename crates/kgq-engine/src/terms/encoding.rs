//! Terms as texts, so that many of them can lie in one allocation.
//!
//! The first character tells the kind of a term. Its parts follow; before each but the last stand its length in bytes and
//! a colon.

use kgq_snapshot::TermKind;
use kgq_syntax::rdf::{
    BaseDirection, BlankNode, Literal, LiteralRef, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, TermRef, Triple,
};
use oxrdf::vocab::xsd;
use std::fmt::Write as _;

const IRI: char = '<';
const BLANK: char = '_';
/// The lexical form follows.
const STRING: char = '"';
/// The datatype and the lexical form follow.
const TYPED: char = '^';
/// The language tag and the lexical form follow, as with a base direction.
const TAGGED: char = '@';
const LEFT_TO_RIGHT: char = 'l';
const RIGHT_TO_LEFT: char = 'r';
/// Subject, predicate and object follow, each encoded.
const TRIPLE: char = 't';

/// Appends a term.
pub fn encode(term: TermRef<'_>, out: &mut String) {
    match term {
        TermRef::NamedNode(iri) => encode_iri(iri, out),
        TermRef::BlankNode(node) => {
            out.push(BLANK);
            out.push_str(node.as_str());
        }
        TermRef::Literal(literal) => encode_literal(literal, out),
        TermRef::Triple(triple) => {
            let (mut subject, mut predicate) = (String::new(), String::new());
            encode(triple.subject.as_ref().into(), &mut subject);
            encode_iri(triple.predicate.as_ref(), &mut predicate);
            out.push(TRIPLE);
            encode_part(&subject, out);
            encode_part(&predicate, out);
            encode(triple.object.as_ref(), out);
        }
    }
}

fn encode_iri(iri: NamedNodeRef<'_>, out: &mut String) {
    out.push(IRI);
    out.push_str(iri.as_str());
}

fn encode_literal(literal: LiteralRef<'_>, out: &mut String) {
    let kind = match literal.direction() {
        Some(BaseDirection::Ltr) => LEFT_TO_RIGHT,
        Some(BaseDirection::Rtl) => RIGHT_TO_LEFT,
        None => TAGGED,
    };
    match (literal.language(), literal.datatype()) {
        (Some(tag), _) => {
            out.push(kind);
            encode_part(tag, out);
        }
        (None, xsd::STRING) => out.push(STRING),
        (None, datatype) => {
            out.push(TYPED);
            encode_part(datatype.as_str(), out);
        }
    }
    out.push_str(literal.value());
}

fn encode_part(part: &str, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{}:", part.len());
    out.push_str(part);
}

/// Returns the term of an encoded text; `None` if it is not one.
pub fn decode(text: &str) -> Option<Term> {
    let (kind, rest) = split_kind(text)?;
    Some(match kind {
        IRI => NamedNode::new_unchecked(rest).into(),
        BLANK => BlankNode::new_unchecked(rest).into(),
        STRING => Literal::new_simple_literal(rest).into(),
        TYPED => {
            let (datatype, value) = split_part(rest)?;
            Literal::new_typed_literal(value, NamedNode::new_unchecked(datatype)).into()
        }
        TAGGED => {
            let (tag, value) = split_part(rest)?;
            Literal::new_language_tagged_literal_unchecked(value, tag).into()
        }
        LEFT_TO_RIGHT => directed(rest, BaseDirection::Ltr)?.into(),
        RIGHT_TO_LEFT => directed(rest, BaseDirection::Rtl)?.into(),
        TRIPLE => {
            let (subject, rest) = split_part(rest)?;
            let (predicate, object) = split_part(rest)?;
            let subject = NamedOrBlankNode::try_from(decode(subject)?).ok()?;
            let predicate = NamedNode::try_from(decode(predicate)?).ok()?;
            Triple::new(subject, predicate, decode(object)?).into()
        }
        _ => return None,
    })
}

fn directed(text: &str, direction: BaseDirection) -> Option<Literal> {
    let (tag, value) = split_part(text)?;
    Some(Literal::new_directional_language_tagged_literal_unchecked(value, tag, direction))
}

fn split_kind(text: &str) -> Option<(char, &str)> {
    let mut characters = text.chars();
    Some((characters.next()?, characters.as_str()))
}

fn split_part(text: &str) -> Option<(&str, &str)> {
    let (bytes, rest) = text.split_once(':')?;
    rest.split_at_checked(bytes.parse().ok()?)
}

/// Returns the kind of an encoded term.
pub fn kind(text: &str) -> TermKind {
    match split_kind(text) {
        Some((IRI, _)) => TermKind::Iri,
        Some((BLANK, _)) => TermKind::BlankNode,
        Some((TRIPLE, _)) => TermKind::Triple,
        _ => TermKind::Literal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_of_any_kind_is_decoded_as_it_was_and_no_two_are_encoded_alike() {
        let iri = NamedNode::new_unchecked("http://e/1:2");
        let quoted = Triple::new(BlankNode::new_unchecked("b"), iri.clone(), Literal::from("4:text"));
        let terms: [Term; 12] = [
            iri.clone().into(),
            BlankNode::new_unchecked("http://e/1:2").into(),
            Literal::new_simple_literal("http://e/1:2").into(),
            Literal::new_simple_literal("").into(),
            Literal::new_typed_literal("1:é", iri.clone()).into(),
            Literal::new_typed_literal("", iri.clone()).into(),
            Literal::from(12).into(),
            Literal::new_language_tagged_literal_unchecked("à:b", "fr").into(),
            Literal::new_directional_language_tagged_literal_unchecked("à:b", "fr", BaseDirection::Ltr).into(),
            Literal::new_directional_language_tagged_literal_unchecked("à:b", "fr", BaseDirection::Rtl).into(),
            quoted.clone().into(),
            Triple::new(iri.clone(), iri, quoted).into(),
        ];
        let encoded = terms.each_ref().map(|term| {
            let mut text = String::new();
            encode(term.as_ref(), &mut text);
            text
        });
        for (at, text) in encoded.iter().enumerate() {
            assert_eq!(decode(text).as_ref(), Some(&terms[at]));
            assert!(!encoded[..at].contains(text), "{text}");
        }
        assert_eq!(
            encoded.map(|text| kind(&text)),
            terms.map(|term| match term {
                Term::NamedNode(_) => TermKind::Iri,
                Term::BlankNode(_) => TermKind::BlankNode,
                Term::Literal(_) => TermKind::Literal,
                Term::Triple(_) => TermKind::Triple,
            })
        );
    }

    #[test]
    fn what_no_term_is_encoded_as_has_none() {
        for text in ["", "x", "^", "^3:ab", "@1:é", "t1:<"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
