//! The tool `about`: describes the graph in a few hundred tokens.

use super::arguments::check;
use super::budget::fitting;
use super::call::{Call, settings};
use super::cells::{Names, shortened};
use super::find::iri;
use super::tools::Outcome;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdfs;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term};
use rmcp::model::Tool;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many classes are listed.
const CLASSES: usize = 8;
/// How many labels are read for their languages.
const LABELS: usize = 10_000;
/// How many of the things declared unstated are listed.
const SILENCES: usize = 4;
/// The approximate size of each list, in tokens.
const TOKENS: usize = 150;

pub fn tool() -> Tool {
    super::tools::tool(
        "about",
        "About this graph",
        "What the graph is of: its title, its counts, its largest classes, its languages, what is known not to be stated, and how to \
         ask it. Call this first.",
        &json!({}),
        &[],
        &json!({ "title": {"type": "string"}, "statements": {"type": "integer"}, "how": {"type": "string"} }),
    )
}

pub fn call(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["lang"])?;
    let graph = call.graph;
    let (snapshot, index) = (graph.snapshot()?, graph.index_within(&call.work)?);
    let title = graph.project().map(|p| p.manifest.title.clone().unwrap_or_else(|| p.manifest.name.clone()));
    let mut told = json!({
        "title": title.unwrap_or_else(|| "a graph".into()),
        "statements": snapshot.len(),
        "origin": graph.origin()?,
    });
    if let Some(introduction) = settings(graph).introduction {
        told["introduction"] = shortened(&introduction).into();
    }
    let classes: Vec<(NamedNode, u64)> = some_classes(call)?;
    told["classes"] = counted(call, &classes)?.into();
    told["class_count"] = index.classes().len().into();
    told["property_count"] = index.properties().len().into();
    let languages = languages(call)?;
    if !languages.is_empty() {
        told["label_languages"] = languages.into();
    }
    if let Some(catalog) = graph.catalog_if_any()? {
        told["canned_queries"] = catalog.queries.iter().filter(|query| !query.is_check()).count().into();
    }
    silences(call, &mut told)?;
    if let Some(broken) = call.broken {
        told["stale"] =
            format!("the files changed and cannot be read; this is the graph before: {}", broken.message()).into();
    }
    told["how"] =
        "find names, then describe a thing or ask by SPARQL; schema has classes and properties. Answers name their \
                   citations: quote them."
            .into();
    Ok(told)
}

fn some_classes(call: &Call<'_>) -> Result<Vec<(NamedNode, u64)>> {
    let (snapshot, index) = (call.graph.snapshot()?, call.graph.index_within(&call.work)?);
    let named = |(id, count): &(TermId, u64)| Some((iri(snapshot, *id)?, *count));
    let classes = index.classes().iter().filter_map(named).take(CLASSES).collect();
    snapshot.intact()?;
    Ok(classes)
}

/// Things with their counts, as many as fit.
fn counted(call: &Call<'_>, things: &[(NamedNode, u64)]) -> Result<Vec<Value>> {
    let terms: Vec<Term> = things.iter().map(|(thing, _)| thing.clone().into()).collect();
    let names = Names::of(call.graph, &terms, &call.language)?;
    let told = things.iter().map(|(thing, count)| {
        let mut told = names.thing(thing);
        told["members"] = (*count).into();
        told
    });
    Ok(fitting(told.collect(), TOKENS).0)
}

/// The languages of the labels.
fn languages(call: &Call<'_>) -> Result<Vec<String>> {
    let snapshot = call.graph.snapshot()?;
    let labels = snapshot.find(None, Some(rdfs::LABEL.into()), None).take(LABELS);
    let languages: BTreeSet<String> = labels
        .filter_map(|quad| match quad.object {
            Term::Literal(literal) => literal.language().map(str::to_owned),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
        })
        .collect();
    snapshot.intact()?;
    Ok(languages.into_iter().take(20).collect())
}

/// What the graph declares to be not stated.
fn silences(call: &Call<'_>, told: &mut Value) -> Result<()> {
    let graph = call.graph;
    let property = graph.project().and_then(|project| project.manifest.silences.of.as_deref());
    let Some(property) = property.and_then(|name| graph.prefixes().ok()?.expand(name)) else { return Ok(()) };
    let snapshot = graph.snapshot()?;
    let subjects = snapshot.find(None, Some(property.as_ref().into()), None);
    let silences: BTreeSet<String> = subjects
        .filter_map(|quad| match quad.subject {
            NamedOrBlankNode::NamedNode(node) => Some(node.into_string()),
            NamedOrBlankNode::BlankNode(_) => None,
        })
        .collect();
    snapshot.intact()?;
    if silences.is_empty() {
        return Ok(());
    }
    let terms: Vec<Term> =
        silences.iter().take(SILENCES).map(|silence| NamedNode::new_unchecked(silence.as_str()).into()).collect();
    let names = Names::of(graph, &terms, &call.language)?;
    let (some, _) = fitting(terms.iter().map(|term| names.cell(term)).collect(), TOKENS);
    told["not_stated"] = json!({ "count": silences.len(), "some": some });
    Ok(())
}
