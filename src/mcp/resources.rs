//! Resources: the ontology, each canned query, and the sentences of each source. They are made from the loaded graph; the
//! address of a resource never names a file.

use super::cells::visible_text;
use super::citations::Citations;
use kgq_graph::audit::{sentences, span_of};
use kgq_graph::catalog::CannedQuery;
use kgq_graph::export;
use kgq_graph::graph::Graph;
use kgq_graph::project::Role;
use kgq_snapshot::Ids;
use kgq_syntax::budget::Work;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Quad};
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use std::collections::BTreeSet;

const ONTOLOGY: &str = "kgq://ontology";
const QUERY: &str = "kgq://query/";
const SOURCE: &str = "kgq://source/";

const TURTLE: &str = "text/turtle";
const SPARQL: &str = "application/sparql-query";
const PLAIN: &str = "text/plain";

pub fn list(graph: &Graph) -> Result<Vec<Resource>> {
    let mut resources = Vec::new();
    if graph.project().is_some() {
        let ontology = Resource::new(ONTOLOGY, "ontology");
        resources.push(ontology.with_title("The classes and properties").with_mime_type(TURTLE));
    }
    for query in queries(graph)? {
        let title = visible_text(query.title(&graph.language()).to_owned());
        let one = Resource::new(format!("{QUERY}{}", query.name), query.name.clone());
        resources.push(one.with_title(title).with_mime_type(SPARQL));
    }
    // The name of a source is data, so it appears only in the address, not in the listing.
    for (number, source) in sources(graph)?.iter().enumerate() {
        let one = Resource::new(format!("{SOURCE}{}", source.as_str()), format!("source-{}", number + 1));
        resources.push(one.with_title(format!("Sentences of source {}", number + 1)).with_mime_type(PLAIN));
    }
    Ok(resources)
}

pub fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new(format!("{QUERY}{{+name}}"), "query").with_title("A canned query").with_mime_type(SPARQL),
        ResourceTemplate::new(format!("{SOURCE}{{+iri}}"), "source")
            .with_title("The sentences of a source document")
            .with_mime_type(PLAIN),
    ]
}

/// Returns the resource at an address, if there is one.
pub fn read(graph: &Graph, uri: &str) -> Result<Option<ReadResourceResult>> {
    let found = if uri == ONTOLOGY {
        ontology(graph)?.map(|text| (text, TURTLE))
    } else if let Some(name) = uri.strip_prefix(QUERY) {
        queries(graph)?.into_iter().find(|query| query.name == name).map(|query| (query.text.clone(), SPARQL))
    } else if let Some(iri) = uri.strip_prefix(SOURCE) {
        sentences_of(graph, iri)?.map(|text| (text, PLAIN))
    } else {
        None
    };
    Ok(found.map(|(text, kind)| {
        ReadResourceResult::new(vec![ResourceContents::text(visible_text(text), uri).with_mime_type(kind)])
    }))
}

/// The statements of the project's ontology, as Turtle.
fn ontology(graph: &Graph) -> Result<Option<String>> {
    let Some(project) = graph.project() else { return Ok(None) };
    let snapshot = graph.snapshot()?;
    let files: BTreeSet<String> =
        project.files()?.into_iter().filter(|file| file.role == Role::Ontology).map(|file| file.name).collect();
    let is_ontology: Vec<bool> = graph.inputs()?.iter().map(|input| files.contains(&input.name)).collect();
    let is_own = |ids: &Ids| {
        let origin = snapshot.origin(*ids);
        origin.is_some_and(|origin| is_ontology.get(origin.file).copied().unwrap_or(false))
    };
    let mut own: Vec<Ids> = snapshot.find_ids([None; 3]).filter(is_own).collect();
    snapshot.sort_by_origin(&mut own);
    let quads: Vec<Quad> = own.into_iter().filter_map(|ids| snapshot.statement(ids)).collect();
    snapshot.intact()?;
    Ok(Some(export::turtle::write(&quads, graph.prefixes()?, &graph.budget_of(Work::Export))?))
}

fn queries(graph: &Graph) -> Result<Vec<&CannedQuery>> {
    Ok(graph.catalog_if_any()?.into_iter().flat_map(|catalog| &catalog.queries).collect())
}

/// The cited documents that have sentences.
fn sources(graph: &Graph) -> Result<Vec<NamedNode>> {
    let Some(citations) = Citations::of(graph)? else { return Ok(Vec::new()) };
    let audit = citations.audit();
    let all: BTreeSet<String> = audit
        .citations()
        .iter()
        .filter_map(|citation| audit.citation(citation).document.map(NamedNode::into_string))
        .collect();
    let documents = all.into_iter().map(NamedNode::new_unchecked);
    Ok(documents.filter(|document| !sentences(audit, document).is_empty()).collect())
}

/// Each sentence with its number, and its text if that is available.
fn sentences_of(graph: &Graph, iri: &str) -> Result<Option<String>> {
    let (Some(citations), Ok(document)) = (Citations::of(graph)?, NamedNode::new(iri)) else { return Ok(None) };
    let found = sentences(citations.audit(), &document);
    if found.is_empty() {
        return Ok(None);
    }
    let text = citations.texts().get(&document);
    let line = |sentence: &kgq_graph::audit::Sentence| {
        let words = sentence.span.zip(text).and_then(|(span, text)| text.get(span_of(text, span)?));
        format!("{}\t{}\n", sentence.number, words.unwrap_or("(its text is not at hand)").replace('\n', " "))
    };
    Ok(Some(found.iter().map(line).collect()))
}
