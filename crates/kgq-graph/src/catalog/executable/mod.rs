//! Canned queries in Turtle: SHACL's executables (`sh:SPARQLExecutable`, SHACL Advanced Features §8), as public collections of
//! queries keep them.
//!
//! Shapes hold queries too, of constraints, targets, rules and functions. These are no executables: they need a node to run on.

mod describe;
mod file;
mod prefixes;

pub(super) use file::TurtleFile;
pub(super) use prefixes::Declarations;

use super::header::{self, Header};
use super::labels::local_name;
use super::queries::CannedQuery;
use kgq_syntax::embedded::Embedded;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term};
use kgq_syntax::sparql;
use kgq_syntax::turtle::triples::Located;

const SH: &str = "http://www.w3.org/ns/shacl#";
/// The vocabulary of a family of public collections, which has what SHACL lacks: DESCRIBE.
const SPEX: &str = "https://purl.expasy.org/sparql-examples/ontology#";

/// Whether a property has a query for its value.
fn holds_query(property: &str) -> bool {
    matches!(property.strip_prefix(SH), Some("select" | "construct" | "ask"))
        || property.strip_prefix(SPEX) == Some("describe")
}

/// Whether a class is one of executables.
fn is_executable(class: &str) -> bool {
    let name = class.strip_prefix(SH).or_else(|| class.strip_prefix(SPEX));
    name.and_then(|name| name.strip_prefix("SPARQL")?.strip_suffix("Executable")).is_some_and(|form| form != "Update")
}

/// The executables of a file, by name, and those that cannot be used.
pub(super) fn read(file: &TurtleFile, declared: &Declarations) -> Vec<(String, Result<CannedQuery>)> {
    let found: Vec<&NamedOrBlankNode> = file.subjects().filter(|subject| is_meant(file, subject)).collect();
    let alone = found.len() == 1;
    found.into_iter().map(|subject| one(file, subject, alone, declared)).collect()
}

/// Whether a node is an executable: by its type, or by its query where it has a name and nothing says that it is another thing.
fn is_meant(file: &TurtleFile, subject: &NamedOrBlankNode) -> bool {
    let types: Vec<&str> = file.of(subject).filter(|l| l.quad.predicate == rdf::TYPE).filter_map(iri_of).collect();
    if types.iter().any(|class| is_executable(class)) {
        return !file.is_part_of_shape(subject);
    }
    subject.is_named_node()
        && file.of(subject).any(|l| holds_query(l.quad.predicate.as_str()))
        && !types.iter().any(|class| class.starts_with(SH))
        && !file.is_part_of_shape(subject)
}

fn one(
    file: &TurtleFile,
    subject: &NamedOrBlankNode,
    alone: bool,
    declared: &Declarations,
) -> (String, Result<CannedQuery>) {
    let name = match subject {
        NamedOrBlankNode::NamedNode(iri) if !alone && !local_name(iri.as_str()).is_empty() => {
            format!("{}{}", file.folder(), local_name(iri.as_str()))
        }
        _ => file.key.clone(),
    };
    if subject.is_blank_node() && !alone {
        let error = Error::input("an executable among others in a file needs an IRI, whose last part is its name");
        return (name, Err(error.at(file.place_of(subject))));
    }
    let query = canned(file, subject, &name, declared);
    (name, query)
}

fn canned(file: &TurtleFile, subject: &NamedOrBlankNode, name: &str, declared: &Declarations) -> Result<CannedQuery> {
    let mut queries = file.of(subject).filter(|l| holds_query(l.quad.predicate.as_str()));
    let Some(query) = queries.next() else {
        return Err(Error::input(format!("the executable `{name}` has no query"))
            .at(file.place_of(subject))
            .hint("give it sh:select, sh:construct or sh:ask, with the text of the query"));
    };
    if let Some(second) = queries.next() {
        return Err(Error::input(format!("the executable `{name}` has two queries, and can have only one"))
            .at(file.place(second.predicate.start..second.object.start)));
    }
    let Some((text, embedded)) = Embedded::in_turtle(&file.text, query.object.clone()) else {
        let property = local_name(query.quad.predicate.as_str());
        return Err(Error::input(format!("`{property}` of `{name}` needs a string, the text of the query"))
            .at(file.place(query.object.clone())));
    };
    let prologue = sparql::prologue(&text, |prefix| declared.namespace(file, subject, prefix));
    let embedded = if prologue.is_empty() { embedded } else { embedded.after(prologue.len()) };
    let text = prologue + &text;
    let source = Source::within(&file.name, &text, Some(&embedded));
    let mut header: Header = header::read(source)?;
    describe::describe(file, subject, &mut header);
    let iri = match subject {
        NamedOrBlankNode::NamedNode(iri) => Some(iri.clone()),
        NamedOrBlankNode::BlankNode(_) => None,
    };
    Ok(CannedQuery { name: name.to_owned(), file: file.name.clone(), text, header, iri, embedded: Some(embedded) })
}

fn iri_of(located: &Located) -> Option<&str> {
    match &located.quad.object {
        Term::NamedNode(iri) => Some(iri.as_str()),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    }
}

fn as_subject(term: &Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(iri) => Some(NamedNode::clone(iri).into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}
