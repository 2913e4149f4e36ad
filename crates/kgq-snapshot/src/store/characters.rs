//! Characters that are allowed in Turtle names but not in IRIs: Turtle's grammar accepts more than RFC 3987. An IRI with
//! such a character could be written as N-Quads, but not read back.

use kgq_syntax::TokenKind;
use kgq_syntax::error::{Error, Place, Source};
use kgq_syntax::rdf::{GraphName, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term};
use kgq_syntax::turtle::tokenize;

/// An IRI of this statement that is invalid because of such a character.
pub fn misfit(quad: &Quad) -> Option<String> {
    let graph = match &quad.graph_name {
        GraphName::NamedNode(graph) => of_iri(graph.as_ref()),
        GraphName::BlankNode(_) | GraphName::DefaultGraph => None,
    };
    graph.or_else(|| of_triple(&quad.subject, &quad.predicate, &quad.object))
}

fn of_triple(subject: &NamedOrBlankNode, predicate: &NamedNode, object: &Term) -> Option<String> {
    let subject = match subject {
        NamedOrBlankNode::NamedNode(node) => of_iri(node.as_ref()),
        NamedOrBlankNode::BlankNode(_) => None,
    };
    subject.or_else(|| of_iri(predicate.as_ref())).or_else(|| match object {
        Term::NamedNode(node) => of_iri(node.as_ref()),
        Term::Literal(literal) => of_iri(literal.datatype()),
        Term::Triple(triple) => of_triple(&triple.subject, &triple.predicate, &triple.object),
        Term::BlankNode(_) => None,
    })
}

/// The first byte of the characters in question, which start at U+FFF0.
const FIRST: u8 = 0xEF;

fn of_iri(iri: NamedNodeRef<'_>) -> Option<String> {
    let iri = iri.as_str();
    (iri.bytes().any(|byte| byte >= FIRST) && NamedNode::new(iri).is_err()).then(|| iri.to_owned())
}

/// The error for such an IRI; if the text is available, at the name that produces it.
pub fn refusal(name: &str, iri: &str, text: Option<&str>) -> Error {
    let wrong = iri.chars().find(|c| NamedNode::new(format!("x:{c}")).is_err());
    let Some(wrong) = wrong else {
        return Error::input(format!("<{iri}> is no IRI")).at(Place::new(name, 1, 1));
    };
    let code = u32::from(wrong);
    let error = Error::input(format!("this name makes an IRI with U+{code:04X}, a character that no IRI may have"))
        .hint("write it in the name as `%` with the hexadecimal digits of its bytes, or take it away");
    let named = text.and_then(|text| {
        let tokens = tokenize(text);
        let token =
            tokens.iter().find(|token| token.kind == TokenKind::PrefixedName && token.text(text).contains(wrong))?;
        let at = token.start + token.text(text).find(wrong)?;
        Some(Source::new(name, text).place(at..at + wrong.len_utf8()))
    });
    error.at(named.unwrap_or_else(|| Place::new(name, 1, 1)))
}
