//! The metadata of a bundle as an RO-Crate 1.2 (`ro-crate-metadata.json`).

use super::Bundle;
use super::archive::Entry;
use super::facts::pretty;
use crate::audit::sha256;
use kgq_syntax::error::Result;
use serde_json::{Value, json};

pub const FILE: &str = "ro-crate-metadata.json";

/// Returns the metadata text for a bundle with these files.
pub fn text(bundle: &Bundle, files: &[Entry]) -> Result<String> {
    let parts: Vec<Value> = files.iter().map(|file| json!({ "@id": file.name })).collect();
    let facts = &bundle.facts;
    let mut license = json!("The graph names no licence.");
    if let Some(iri) = &facts.graph.license {
        license = json!({ "@id": iri });
    }
    let mut entities = vec![
        json!({
            "@id": FILE,
            "@type": "CreativeWork",
            "conformsTo": { "@id": "https://w3id.org/ro/crate/1.2" },
            "about": { "@id": "./" },
        }),
        json!({
            "@id": "./",
            "@type": "Dataset",
            "name": bundle.title(),
            "description": format!("An answer of “{}”, with the statements that each row rests on and their sources.", bundle.graph_title()),
            "datePublished": facts.time,
            "license": license,
            "identifier": bundle.answer_id(),
            "hasPart": parts,
            "mainEntity": { "@id": bundle.answer.file() },
            "mentions": { "@id": "#asking" },
        }),
        json!({
            "@id": "#asking",
            "@type": "CreateAction",
            "name": bundle.title(),
            "endTime": facts.time,
            "instrument": { "@id": "#kgq" },
            "object": [{ "@id": "query.rq" }, { "@id": "#graph" }],
            "result": { "@id": bundle.answer.file() },
        }),
        json!({ "@id": "#kgq", "@type": "SoftwareApplication", "name": "kgq", "version": facts.kgq }),
        json!({
            "@id": "#graph",
            "@type": "Dataset",
            "name": bundle.graph_title(),
            "description": format!("The graph that was asked: {} statements.", facts.graph.statements),
            "identifier": bundle.graph_id(),
            "version": bundle.version(),
            "license": license,
            "url": facts.project.as_ref().and_then(|project| project.base.as_deref()),
        }),
    ];
    if let Some(iri) = &facts.graph.license {
        entities.push(json!({ "@id": iri, "@type": "CreativeWork", "name": iri }));
    }
    entities.extend(files.iter().map(|file| described(bundle, file)));
    pretty(&json!({ "@context": "https://w3id.org/ro/crate/1.2/context", "@graph": entities }))
}

fn described(bundle: &Bundle, file: &Entry) -> Value {
    let (name, format) = match file.name.as_str() {
        "query.rq" => ("The query", "application/sparql-query"),
        "bundle.json" => ("What was asked of which graph, when, and by which program", "application/json"),
        "sources.json" => ("The sources of the statements, with quoted words", "application/json"),
        "provenance.nq" => ("What the graph says of the sources", "application/n-quads"),
        "citation.txt" => ("How to cite the answer", "text/plain"),
        "citation.bib" => ("How to cite the answer, for BibTeX", "application/x-bibtex"),
        "citation.json" => ("How to cite the answer, for CSL", "application/vnd.citationstyles.csl+json"),
        "answer.csv" => ("The answer, for people", "text/csv"),
        name if name == bundle.answer.file() => ("The answer in its canonical form", answer_type(name)),
        _ => ("The statements that a row rests on", "application/n-quads"),
    };
    let kind = if file.name == "query.rq" { json!(["File", "SoftwareSourceCode"]) } else { json!("File") };
    let mut entity = json!({
        "@id": file.name,
        "@type": kind,
        "name": name,
        "encodingFormat": format,
        "contentSize": file.bytes.len().to_string(),
        "sha256": sha256(&file.bytes),
    });
    if file.name == "query.rq" {
        entity["identifier"] = json!(bundle.query_id());
        entity["programmingLanguage"] = json!("SPARQL");
    }
    entity
}

fn answer_type(file: &str) -> &'static str {
    match file {
        super::stored::TABLE => "text/tab-separated-values",
        super::stored::GRAPH => "application/n-triples",
        _ => "text/plain",
    }
}
