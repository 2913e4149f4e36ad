//! What oxjsonld leaves out of a document without a word: statements with an IRI, a blank node's label or a language tag
//! that is not well-formed. Its lenient mode gives them too; the first is refused here, with its place.

use super::json_places::{JsonValue, Spanned};
use super::json_refusals::place;
use super::read::LENIENCY;
use kgq_syntax::Span;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{GraphName, Literal, NamedOrBlankNode, Quad, Term};
use oxiri::Iri;
use oxjsonld::SliceJsonLdParser;
use oxrdf::BlankNode;
use std::fmt::Display;

/// A second pass over a document, in lenient mode, that ends at the first statement that is not well-formed. It stays behind
/// the pass that keeps statements, which finds all other errors.
pub struct Dropped<'t> {
    /// `None` if nothing is refused.
    pub again: Option<SliceJsonLdParser<'t>>,
    pub name: &'t str,
    pub text: &'t [u8],
}

impl Dropped<'_> {
    /// Looks at the next statement; returns whether there was one.
    ///
    /// # Errors
    /// The statement is not well-formed.
    pub fn advance(&mut self) -> Result<bool> {
        let Some(Ok(quad)) = self.again.as_mut().and_then(Iterator::next) else { return Ok(false) };
        if is_of_undefined_key(&quad) {
            return Ok(true);
        }
        refusal(self.name, self.text, &quad).map_or(Ok(true), Err)
    }
}

/// Whether a key gave this predicate that no context turns into an IRI. Such a key makes no statement (JSON-LD 1.1 API
/// §5.1.2, step 13.3), and neither does a blank node as a predicate (§8.1.2).
pub fn is_of_undefined_key(quad: &Quad) -> bool {
    let predicate = quad.predicate.as_str();
    !predicate.contains(':') || predicate.starts_with("_:")
}

/// Returns the error for a statement that is not well-formed.
fn refusal(name: &str, text: &[u8], quad: &Quad) -> Option<Error> {
    let (term, error) = ill_formed(quad)?;
    let at = Spanned::parse(text).ok().and_then(|tree| written(&tree, &term));
    Some(error.at(place(name, text, at.unwrap_or(0..0))))
}

/// The first term of a statement that is not well-formed, as the text may write it.
fn ill_formed(quad: &Quad) -> Option<(String, Error)> {
    let node = |node: &NamedOrBlankNode| match node {
        NamedOrBlankNode::NamedNode(node) => iri(node.as_str()),
        NamedOrBlankNode::BlankNode(node) => label(node),
    };
    node(&quad.subject).or_else(|| iri(quad.predicate.as_str())).or_else(|| object(&quad.object)).or_else(
        || match &quad.graph_name {
            GraphName::NamedNode(graph) => iri(graph.as_str()),
            GraphName::BlankNode(graph) => label(graph),
            GraphName::DefaultGraph => None,
        },
    )
}

fn object(object: &Term) -> Option<(String, Error)> {
    match object {
        Term::NamedNode(object) => iri(object.as_str()),
        Term::BlankNode(object) => label(object),
        Term::Literal(literal) => literal.language().map_or_else(|| iri(literal.datatype().as_str()), language),
        Term::Triple(_) => None,
    }
}

fn iri(iri: &str) -> Option<(String, Error)> {
    // Lenient mode makes IRIs of labels where only an IRI can stand.
    let why: Box<dyn Display> = match iri.starts_with("_:") {
        true => Box::new("it is a blank node"),
        false => Box::new(Iri::parse(iri).err()?),
    };
    Some((iri.to_owned(), Error::input(format!("`{iri}` is no IRI: {why}")).hint(LENIENCY)))
}

fn label(node: &BlankNode) -> Option<(String, Error)> {
    BlankNode::new(node.as_str()).err()?;
    let label = format!("_:{}", node.as_str());
    let error = Error::input(format!("`{label}` is no label of a blank node"));
    Some((label, error.hint("a label has letters, digits, `_`, `-` and `.`")))
}

fn language(tag: &str) -> Option<(String, Error)> {
    Literal::new_language_tagged_literal("", tag).err()?;
    let error = Error::input(format!("`{tag}` is no language tag"));
    let error = error.hint_if(tag.contains('_').then(|| format!("write `{}`", tag.replace('_', "-"))));
    Some((tag.to_owned(), error.hint(LENIENCY)))
}

/// The first string that is a term, or else one that it may have been made from by a prefix, a vocabulary or a base.
fn written(tree: &Spanned, term: &str) -> Option<Span> {
    let mut best: Option<(u8, Span)> = None;
    let mut see = |text: &str, span: &Span| {
        let local = text.rsplit_once(':').map_or(text, |(_, local)| local);
        let likeness = match () {
            () if text == term || text.eq_ignore_ascii_case(term) => 0,
            () if !text.is_empty() && term.ends_with(text) => 1,
            () if !local.is_empty() && term.ends_with(local) => 2,
            () if text.contains(':') && term.starts_with(text) => 3,
            () => return,
        };
        if best.as_ref().is_none_or(|(known, _)| likeness < *known) {
            best = Some((likeness, span.clone()));
        }
    };
    tree.each(&mut |value| match &value.value {
        JsonValue::Scalar(scalar) => scalar.as_text().into_iter().for_each(|text| see(text, &value.span)),
        JsonValue::Object(entries) => entries.iter().for_each(|entry| see(&entry.key, &entry.key_span)),
        JsonValue::Array(_) => {}
    });
    best.map(|(_, span)| span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_found_where_it_is_written_whole_or_in_part() {
        let text = r#"{"@context": {"x": "http://e/"}, "x:a b": [{"@id": "x y"}], "q": "http://e/a b"}"#;
        let tree = Spanned::parse(text.as_bytes()).unwrap();
        let found = |term: &str| written(&tree, term).map(|span| &text[span]);
        assert_eq!(found("http://e/a b"), Some(r#""http://e/a b""#));
        assert_eq!(found("http://f/a b"), Some(r#""x:a b""#));
        assert_eq!(found("http://base/x y"), Some(r#""x y""#));
        assert_eq!(found("http://e/{}"), Some(r#""http://e/""#));
        assert_eq!(found("urn:none"), None);
    }
}
