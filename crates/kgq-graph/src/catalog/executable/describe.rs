//! What the statements about an executable say about it: the same as the header of a query in a file of its own.

use super::{SH, TurtleFile, as_subject};
use crate::catalog::header::{Header, LocalizedText, Param, Scalar, ScalarOrList};
use crate::catalog::labels::local_name;
use indexmap::IndexMap;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Literal, NamedNodeRef, NamedOrBlankNode, Term};

const TITLES: [&str; 4] = [
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://purl.org/dc/terms/title",
    "https://schema.org/name",
    "http://schema.org/name",
];
const DESCRIPTIONS: [&str; 4] = [
    "http://www.w3.org/2000/01/rdf-schema#comment",
    "http://purl.org/dc/terms/description",
    "https://schema.org/description",
    "http://schema.org/description",
];
const KEYWORDS: [&str; 3] =
    ["https://schema.org/keywords", "http://schema.org/keywords", "http://www.w3.org/ns/dcat#keyword"];
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";
const TARGETS: [&str; 2] = ["https://schema.org/target", "http://schema.org/target"];

/// Adds what the header does not say itself.
pub(super) fn describe(file: &TurtleFile, subject: &NamedOrBlankNode, header: &mut Header) {
    let (title, comment) = (texts(file, subject, &TITLES), texts(file, subject, &DESCRIPTIONS));
    // Without a title, the comment is taken as the question.
    if title.is_none() && header.title.is_none() {
        header.question = header.question.take().or(comment);
    } else {
        header.description = header.description.take().or(comment);
    }
    header.title = header.title.take().or(title);
    let keywords = KEYWORDS.iter().flat_map(|property| file.values(subject, property)).filter_map(written);
    let keywords = keywords.flat_map(|words| words.split(',').map(str::trim)).filter(|word| !word.is_empty());
    for word in keywords {
        if !header.tags.iter().any(|tag| tag == word) {
            header.tags.push(word.to_owned());
        }
    }
    let targets: Vec<Scalar> = TARGETS
        .iter()
        .flat_map(|property| file.values(subject, property))
        .filter_map(written)
        .map(|target| Scalar::Text(target.to_owned()))
        .collect();
    if header.endpoint.is_none() && !targets.is_empty() {
        header.endpoint = Some(ScalarOrList::List(targets));
    }
    let parameter = format!("{SH}parameter");
    for parameter in file.values(subject, &parameter).filter_map(as_subject) {
        if let Some((name, param)) = param(file, &parameter) {
            header.params.entry(name).or_insert(param);
        }
    }
}

/// Reads a `sh:parameter`, named by its path, as SHACL's functions and constraint components name theirs.
fn param(file: &TurtleFile, node: &NamedOrBlankNode) -> Option<(String, Param)> {
    let value = |name: &str| {
        let property = format!("{SH}{name}");
        file.values(node, &property).next().cloned()
    };
    let string = |name: &str| value(name).and_then(|term| Some(written(&term)?.to_owned()));
    let name = local_name(&string("path")?).to_owned();
    let is_iri = string("nodeKind").is_some_and(|kind| kind == format!("{SH}IRI"));
    let named = |iri: String| match iri.strip_prefix(XSD) {
        Some(datatype) => format!("xsd:{datatype}"),
        None => format!("<{iri}>"),
    };
    let kind = string("class").or_else(|| string("datatype")).map(named);
    let default = string("defaultValue").map(|value| ScalarOrList::One(Scalar::Text(value)));
    let optional = string("optional").is_some_and(|value| matches!(value.as_str(), "true" | "1"));
    let description = texts(file, node, &[&format!("{SH}description"), DESCRIPTIONS[0]]);
    let param = Param {
        kind: kind.or_else(|| is_iri.then(|| "iri".to_owned())),
        required: !optional && default.is_none(),
        description: description.or_else(|| texts(file, node, &[&format!("{SH}name"), TITLES[0]])),
        values: value("in").map(|list| members(file, &list)).unwrap_or_default(),
        default,
        ..Param::default()
    };
    Some((name, param))
}

/// The members of an RDF list, up to where it breaks off.
fn members(file: &TurtleFile, list: &Term) -> Vec<String> {
    const FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";
    const REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";
    let mut found = Vec::new();
    let mut at = as_subject(list);
    // A circular list ends when as many members were read as the file has statements.
    while let Some(node) = at.take().filter(|_| found.len() < file.statements().len()) {
        found.extend(file.values(&node, FIRST).next().and_then(written).map(str::to_owned));
        at = file.values(&node, REST).next().and_then(as_subject).filter(|rest| Term::from(rest.clone()) != rdf_nil());
    }
    found
}

fn rdf_nil() -> Term {
    rdf::NIL.into_owned().into()
}

/// The texts, by language, of the first of these properties that has any.
fn texts(file: &TurtleFile, subject: &NamedOrBlankNode, properties: &[&str]) -> Option<LocalizedText> {
    let mut by_language: IndexMap<String, String> = IndexMap::new();
    let property = properties.iter().find(|property| file.values(subject, property).next().is_some())?;
    for literal in file.values(subject, property).filter_map(as_literal) {
        let text = by_language.entry(literal.language().unwrap_or_default().to_owned()).or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&plain(literal));
    }
    match by_language.shift_remove("") {
        Some(text) if by_language.is_empty() => Some(LocalizedText::One(text)),
        // `und` stands for an undetermined language (ISO 639-2).
        Some(text) => {
            by_language.insert("und".to_owned(), text);
            Some(LocalizedText::Each(by_language))
        }
        None => (!by_language.is_empty()).then_some(LocalizedText::Each(by_language)),
    }
}

fn as_literal(term: &Term) -> Option<&Literal> {
    match term {
        Term::Literal(literal) => Some(literal),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

/// The text of a literal or an IRI.
fn written(term: &Term) -> Option<&str> {
    match term {
        Term::Literal(literal) => Some(literal.value()),
        Term::NamedNode(iri) => Some(iri.as_str()),
        Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

const HTML: NamedNodeRef<'static> = NamedNodeRef::new_unchecked("http://www.w3.org/1999/02/22-rdf-syntax-ns#HTML");

/// The words of a literal; for HTML, the text between the tags.
fn plain(literal: &Literal) -> String {
    if literal.datatype() != HTML {
        return literal.value().trim().to_owned();
    }
    let mut words = String::new();
    let mut rest = literal.value();
    while let Some(open) = rest.find('<') {
        words.push_str(&rest[..open]);
        let tag = &rest[open..];
        let is_tag = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tag.find('>').filter(|_| is_tag) {
            Some(close) => rest = &tag[close + 1..],
            None => {
                words.push('<');
                rest = &tag[1..];
            }
        }
    }
    words.push_str(rest);
    let words = quick_xml::escape::unescape(&words).map(std::borrow::Cow::into_owned).unwrap_or(words);
    words.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_html_the_words_are_kept() {
        let html = |text: &str| plain(&Literal::new_typed_literal(text, HTML));
        assert_eq!(html("The <a href=\"x\">name</a> &amp; <em>more</em>, 1 < 2 <"), "The name & more, 1 < 2 <");
        assert_eq!(plain(&Literal::new_simple_literal("a <b> c ")), "a <b> c");
    }
}
