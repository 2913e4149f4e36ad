//! Canned queries in Turtle: SHACL's executables (`sh:SPARQLExecutable`, SHACL Advanced Features §8), the form that
//! public query collections use.
//!
//! Shapes hold queries too: in constraints, targets, rules and functions. These are not executables, because they need
//! a node to run on.

mod describe;
mod file;
mod prefixes;

pub(super) use file::TurtleFile;
pub(super) use prefixes::Declarations;

use super::header::{self, Header};
use super::labels::local_name;
use super::queries::CannedQuery;
use kgq_engine::query::Form;
use kgq_syntax::embedded::Embedded;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term};
use kgq_syntax::turtle::triples::Located;
use kgq_syntax::{significant, sparql};

const SH: &str = "http://www.w3.org/ns/shacl#";
/// The vocabulary of a family of public collections. It has what SHACL lacks: DESCRIBE.
const SPEX: &str = "https://purl.expasy.org/sparql-examples/ontology#";

/// The form of the query in a property's value, if the property holds a query.
fn form_of(property: &str) -> Option<Form> {
    match (property.strip_prefix(SH), property.strip_prefix(SPEX)) {
        (Some("select"), _) => Some(Form::Select),
        (Some("construct"), _) => Some(Form::Construct),
        (Some("ask"), _) => Some(Form::Ask),
        (_, Some("describe")) => Some(Form::Describe),
        _ => None,
    }
}

fn holds_query(property: &str) -> bool {
    form_of(property).is_some()
}

/// The form of executables that a class stands for, such as `Select`.
fn form_of_class(class: &str) -> Option<&str> {
    let name = class.strip_prefix(SH).or_else(|| class.strip_prefix(SPEX));
    name.and_then(|name| name.strip_prefix("SPARQL")?.strip_suffix("Executable"))
}

fn is_executable(class: &str) -> bool {
    form_of_class(class).is_some_and(|form| form != "Update")
}

/// Reads the executables of a file, by name, including those that cannot be used.
pub(super) fn read(file: &TurtleFile, declared: &Declarations) -> Vec<(String, Result<CannedQuery>)> {
    let found: Vec<&NamedOrBlankNode> = file.subjects().filter(|subject| is_meant(file, subject)).collect();
    let alone = found.len() == 1;
    found.into_iter().map(|subject| one(file, subject, alone, declared)).collect()
}

/// Returns the executables of a file that are updates, by name, with a message about each.
pub(super) fn updates(file: &TurtleFile) -> Vec<(String, Error)> {
    let is_update = |subject: &&NamedOrBlankNode| {
        file.of(subject).any(|l| {
            let by_type = l.quad.predicate == rdf::TYPE && iri_of(l).and_then(form_of_class) == Some("Update");
            by_type || l.quad.predicate.as_str().strip_prefix(SH) == Some("update")
        })
    };
    let said = |subject: &NamedOrBlankNode| {
        let name = match subject {
            NamedOrBlankNode::NamedNode(iri) => format!("{}{}", file.folder(), local_name(iri.as_str())),
            NamedOrBlankNode::BlankNode(_) => file.key.clone(),
        };
        let error = Error::input(format!("the executable `{name}` is an update, and no canned query"))
            .at(file.place_of(subject))
            .hint("write its text to a file, and run it with `kgq update`, which shows what changes before it writes");
        (name, error)
    };
    file.subjects().filter(is_update).filter(|subject| !file.is_part_of_shape(subject)).map(said).collect()
}

/// Whether a node is an executable: by its type, or, for an IRI without another SHACL type, because it has a query. A
/// part of a shape never is.
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
    refuse_other_form(&query.quad.predicate, source)?;
    let iri = match subject {
        NamedOrBlankNode::NamedNode(iri) => Some(iri.clone()),
        NamedOrBlankNode::BlankNode(_) => None,
    };
    Ok(CannedQuery { name: name.to_owned(), file: file.name.clone(), text, header, iri, embedded: Some(embedded) })
}

/// Refuses a query whose form is not that of its property: its answer is not what a reader of the file expects. A query
/// that does not parse is refused when it is run.
fn refuse_other_form(property: &NamedNode, source: Source<'_>) -> Result<()> {
    let tokens = significant(&sparql::tokenize(source.text));
    let forms = [Form::Select, Form::Construct, Form::Ask, Form::Describe];
    let named = tokens.iter().find_map(|token| {
        let form = forms.into_iter().find(|form| token.is_keyword(source.text, form.keyword()))?;
        Some((form, token.span()))
    });
    match (form_of(property.as_str()), named) {
        (Some(wanted), Some((form, span))) if wanted != form => {
            let property = local_name(property.as_str());
            let (wanted, found) = (wanted.with_article(), form.with_article());
            Err(Error::input(format!("{found} query stands where `{property}` says {wanted} query"))
                .at(source.place(span))
                .hint("put it under the property of its form: sh:select, sh:construct or sh:ask"))
        }
        _ => Ok(()),
    }
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
