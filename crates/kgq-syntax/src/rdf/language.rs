//! Language tags. Inside the program they are in lower case, as RDF compares them (RDF 1.1 Concepts §3.3); where a person or
//! another program reads them, they have the case of RFC 5646 (§2.1.1). N-Triples and N-Quads keep the lower case, as their
//! canonical form requires (RDFC-1.0 too).

use oxrdf::{Literal, Term};
use std::borrow::Cow;

/// The tag with its conventional case: `en-GB`, `zh-Hant-TW`, `en-x-private`.
pub fn cased(tag: &str) -> Cow<'_, str> {
    if !tag.contains('-') && !tag.bytes().any(|b| b.is_ascii_uppercase()) {
        return Cow::Borrowed(tag);
    }
    let mut after_singleton = false;
    let mut parts = Vec::new();
    for (at, part) in tag.split('-').enumerate() {
        let mut part = part.to_ascii_lowercase();
        if at > 0 && !after_singleton {
            match part.len() {
                2 => part.make_ascii_uppercase(),
                4 => {
                    if let Some(first) = part.get_mut(..1) {
                        first.make_ascii_uppercase();
                    }
                }
                _ => {}
            }
        }
        // Everything after the start of an extension or private use is in lower case.
        after_singleton |= part.len() == 1;
        parts.push(part);
    }
    Cow::Owned(parts.join("-"))
}

/// The text of a term for CSV and columns: an IRI or a lexical form. A blank node or a triple is written as in N-Triples,
/// except for the case of language tags.
pub fn text(term: &Term) -> Cow<'_, str> {
    match term {
        Term::NamedNode(node) => node.as_str().into(),
        Term::Literal(literal) => literal.value().into(),
        Term::BlankNode(_) | Term::Triple(_) => written(term).to_string().into(),
    }
}

/// The term with its language tags in their conventional case.
pub fn written(term: &Term) -> Cow<'_, Term> {
    match term {
        Term::Literal(literal) => match literal.language().map(|tag| (tag, cased(tag))) {
            Some((tag, written)) if *tag != *written => {
                let (text, tag) = (literal.value(), written.into_owned());
                Cow::Owned(match literal.direction() {
                    Some(direction) => {
                        Literal::new_directional_language_tagged_literal_unchecked(text, tag, direction).into()
                    }
                    None => Literal::new_language_tagged_literal_unchecked(text, tag).into(),
                })
            }
            _ => Cow::Borrowed(term),
        },
        Term::Triple(triple) => match written(&triple.object) {
            Cow::Borrowed(_) => Cow::Borrowed(term),
            Cow::Owned(object) => {
                let mut triple = triple.clone();
                triple.object = object;
                Cow::Owned(Term::Triple(triple))
            }
        },
        Term::NamedNode(_) | Term::BlankNode(_) => Cow::Borrowed(term),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_as_rfc_5646_recommends() {
        for (tag, expected) in [
            ("en", "en"),
            ("en-gb", "en-GB"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("EN-us", "en-US"),
            ("sgn-be-fr", "sgn-BE-FR"),
            ("es-419", "es-419"),
            ("sl-rozaj-biske", "sl-rozaj-biske"),
            ("en-ca-x-ca", "en-CA-x-ca"),
            ("x-whatever-latn", "x-whatever-latn"),
            ("de-de-u-co-phonebk", "de-DE-u-co-phonebk"),
            ("", ""),
            ("-", "-"),
        ] {
            assert_eq!(cased(tag), expected);
        }
    }

    #[test]
    fn terms_inside_triple_terms_are_written_alike() {
        let triple = |tag: &str| {
            let object = Literal::new_language_tagged_literal_unchecked("colour", tag);
            let (s, p) = (oxrdf::NamedNode::new_unchecked("e:s"), oxrdf::NamedNode::new_unchecked("e:p"));
            Term::from(oxrdf::Triple::new(s, p, object))
        };
        assert_eq!(*written(&triple("en-gb")), triple("en-GB"));
        assert!(matches!(written(&triple("en")), Cow::Borrowed(_)));
    }
}
