//! What Python gets besides rows, as JSON that the Python half reads: tables with labels and citations, reasons, descriptions.

use super::answer::Asked;
use kgq_edit::FileChange;
use kgq_engine::{Answer, EvaluationOptions, Row};
use kgq_graph::audit::{CitedText, Reference, Texts};
use kgq_graph::catalog::{CannedQuery, Labels};
use kgq_graph::graph::Graph;
use kgq_graph::render::term_json;
use kgq_graph::request::cite::{CitationState, Wanted, cited};
use kgq_graph::request::cited::AnswerRows;
use kgq_graph::request::describe::describe;
use kgq_graph::request::why::{self, AnswerPart, Stated, Style};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

/// The IRIs among terms, including those in triple terms.
fn things<'t>(terms: impl IntoIterator<Item = &'t Term>) -> Vec<NamedNode> {
    let mut found = Vec::new();
    let mut left: Vec<Term> = terms.into_iter().cloned().collect();
    while let Some(term) = left.pop() {
        match term {
            Term::NamedNode(node) => found.push(node),
            Term::Triple(triple) => left.extend(parts(&triple)),
            Term::BlankNode(_) | Term::Literal(_) => {}
        }
    }
    found
}

fn parts(triple: &Triple) -> [Term; 3] {
    [triple.subject.clone().into(), triple.predicate.clone().into(), triple.object.clone()]
}

/// Writes terms with their labels.
struct Named<'a> {
    graph: &'a Graph,
    labels: Labels,
    language: String,
}

impl<'a> Named<'a> {
    fn of<'t>(graph: &'a Graph, terms: impl IntoIterator<Item = &'t Term>) -> Result<Self> {
        Ok(Self { graph, labels: graph.labels_of(&things(terms))?, language: graph.language() })
    }

    fn term(&self, term: &Term) -> Result<Value> {
        let mut told = term_json(term);
        if let Term::NamedNode(node) = term {
            told["short"] = self.graph.prefixes()?.display(node.as_str()).into();
            told["label"] = self.labels.get(node, &self.language).into();
        }
        Ok(told)
    }

    fn triple(&self, triple: &Triple) -> Result<Value> {
        parts(triple).iter().map(|part| self.term(part)).collect::<Result<Vec<_>>>().map(Value::from)
    }
}

/// A citation for a reader: document, place and words.
fn reference(reference: &Reference) -> Value {
    let (citation, document) = (&reference.citation, &reference.document);
    let (words, holds) = match &reference.place {
        CitedText::Verified(marked) => {
            (Some(format!("{}{}{}", marked.before, marked.anchor, marked.after)), Some(true))
        }
        CitedText::Differs(_) => (None, Some(false)),
        CitedText::NotAtHand => (None, None),
    };
    json!({
        "iri": citation.iri.as_str(),
        "document": document.as_ref().map(|document| document.iri.as_str()),
        "title": reference.document_line(),
        "place": reference.place_line(),
        "sentences": citation.sentences,
        "start": citation.span.map(|span| span.start),
        "end": citation.span.map(|span| span.end),
        "anchor": citation.anchor,
        "words": words,
        "holds": holds,
    })
}

/// The first rows of an answer, with the labels of its things and the citations of each row.
pub fn table(asked: &Asked, answer: Answer, most: usize, options: &EvaluationOptions) -> Result<String> {
    let found = AnswerRows::first(answer, most)?;
    let named = Named::of(&asked.graph, found.rows.iter().flatten().flatten())?;
    let cells = |row: &Row| {
        let cell = |term: &Option<Term>| term.as_ref().map_or(Ok(Value::Null), |term| named.term(term));
        row.iter().map(cell).collect::<Result<Vec<_>>>()
    };
    let columns: Vec<String> = found.variables.iter().map(|variable| variable.as_str().to_owned()).collect();
    let rows = found.rows.iter().map(cells).collect::<Result<Vec<_>>>()?;
    let more = found.is_cut;
    let (cites, references) = citations(asked, found, options)?;
    Ok(json!({ "columns": columns, "rows": rows, "more": more, "cites": cites, "references": references }).to_string())
}

/// For each row the numbers of its citations, from 1; and the citations themselves.
fn citations(asked: &Asked, found: AnswerRows, options: &EvaluationOptions) -> Result<(Vec<Vec<usize>>, Vec<Value>)> {
    let graph = &asked.graph;
    // A saved snapshot does not record where its statements come from.
    if graph.options().snapshot.is_some() {
        return Ok(Default::default());
    }
    let audit = graph.audit()?;
    if !audit.has_citations() {
        return Ok(Default::default());
    }
    let texts = graph.source_texts(&audit, &[])?;
    let cited = found.cited(graph, &asked.query, &audit, &texts, options)?;
    let cites = cited.sources.iter().map(|sources| cited.numbers(sources)).collect();
    Ok((cites, cited.references.iter().map(reference).collect()))
}

/// Explains why an answer has the row of this number.
pub fn why(asked: &Asked, row: usize, options: &EvaluationOptions) -> Result<String> {
    let graph = &asked.graph;
    let part = why::part_within(graph, &asked.query, row, options)?;
    let audit = graph.audit()?;
    let texts = graph.source_texts(&audit, &[])?;
    let explained = why::explain_within(graph, &asked.query, part, &audit, &texts, options)?;
    let mut terms: Vec<Term> = match &explained.part {
        AnswerPart::True => Vec::new(),
        AnswerPart::Row { row, .. } => row.iter().flatten().cloned().collect(),
        AnswerPart::Triple(triple) => parts(triple).to_vec(),
    };
    terms.extend(explained.statements.iter().flat_map(|stated| parts(&stated.quad.clone().into())));
    let named = Named::of(graph, &terms)?;
    let style = Style {
        prefixes: graph.prefixes()?,
        labels: &named.labels,
        language: &named.language,
        markdown: false,
        colour: false,
        authors: &FxHashMap::default(),
    };
    let statement = |stated: &Stated| {
        Ok(json!({
            "triple": named.triple(&stated.quad.clone().into())?,
            "file": stated.place.as_ref().map(|place| &place.file),
            "line": stated.place.as_ref().map(|place| place.line),
            "citations": stated.citations,
            "inferred": stated.is_inferred,
            "uncited": stated.is_uncited,
        }))
    };
    Ok(json!({
        "text": why::text(&explained, style),
        "markdown": why::text(&explained, Style { markdown: true, ..style }),
        "statements": explained.statements.iter().map(statement).collect::<Result<Vec<_>>>()?,
        "references": explained.references.iter().map(reference).collect::<Vec<_>>(),
        "minimal": explained.is_irredundant,
        "prov": why::document(&explained),
    })
    .to_string())
}

/// The statements that match, with their sources.
pub fn cite(graph: &Graph, terms: &[String]) -> Result<String> {
    let audit = graph.audit()?;
    let texts: Texts = graph.source_texts(&audit, &[])?;
    let wanted = Wanted::read(terms, graph)?;
    let found = cited(graph, &audit, &wanted)?;
    let all: Vec<Term> = found.iter().flat_map(|cited| parts(&cited.triple)).collect();
    let named = Named::of(graph, &all)?;
    let told = found.iter().map(|cited| {
        let (state, references) = match &cited.state {
            CitationState::By(statements) => {
                let citations = statements.iter().flat_map(|statement| audit.all_citations(statement));
                let told = citations.map(|iri| reference(&Reference::new(&iri, &audit, &texts)));
                ("cited", told.collect())
            }
            CitationState::Missing => ("missing", Vec::new()),
            CitationState::Exempt => ("exempt", Vec::new()),
        };
        Ok(json!({ "triple": named.triple(&cited.triple)?, "state": state, "references": references }))
    });
    Ok(Value::from(told.collect::<Result<Vec<_>>>()?).to_string())
}

/// All about one thing.
pub fn description(graph: &Graph, word: &str) -> Result<String> {
    let described = describe(graph, &graph.resolve(word)?, false)?;
    let language = graph.language();
    let named = Named { graph, labels: described.labels, language };
    let subject = NamedOrBlankNode::from(described.thing.clone());
    let facts = described.facts.iter().map(|fact| {
        let value = |value: &Term| {
            let triple = Triple::new(subject.clone(), fact.property.clone(), value.clone());
            Ok(json!({ "value": named.term(value)?, "inferred": described.inferred.contains(&triple) }))
        };
        let values = fact.values.iter().map(|(term, _)| value(term)).collect::<Result<Vec<_>>>()?;
        Ok(json!({
            "property": named.term(&fact.property.clone().into())?,
            "values": values,
            "in_other_languages": fact.in_other_languages,
        }))
    });
    let referring = described.referring.iter().map(|(property, subjects)| {
        let things = subjects.iter().map(|subject| named.term(&subject.clone().into())).collect::<Result<Vec<_>>>()?;
        Ok(json!({ "property": named.term(&property.clone().into())?, "things": things }))
    });
    Ok(json!({
        "thing": named.term(&described.thing.clone().into())?,
        "facts": facts.collect::<Result<Vec<_>>>()?,
        "referring": referring.collect::<Result<Vec<_>>>()?,
    })
    .to_string())
}

/// What an update changes: statements, and files if there are any.
pub fn change(graph: &Graph, removed: &[Quad], added: &[Quad], files: &[FileChange]) -> Result<String> {
    let all: Vec<Term> = removed.iter().chain(added).flat_map(|quad| parts(&quad.clone().into())).collect();
    let named = Named::of(graph, &all)?;
    let told = |quads: &[Quad]| quads.iter().map(|quad| named.triple(&quad.clone().into())).collect::<Result<Vec<_>>>();
    let files = files.iter().map(|change| json!({ "file": change.name, "difference": change.diff() }));
    Ok(json!({ "removed": told(removed)?, "added": told(added)?, "files": files.collect::<Vec<_>>() }).to_string())
}

/// The entry of a canned query in the list of all.
pub fn canned(query: &CannedQuery, language: &str) -> Value {
    let parameter = |(name, parameter): (&String, &kgq_graph::catalog::Param)| {
        let default = parameter.default.as_ref().map(|default| default.texts());
        json!({
            "name": name,
            "type": parameter.kind,
            "required": parameter.required && default.is_none(),
            "default": default,
        })
    };
    let description = query.header.question.as_ref().or(query.header.description.as_ref());
    json!({
        "name": query.name,
        "title": query.title(language),
        "description": description.map(|text| text.in_language(language)),
        "parameters": query.header.params.iter().map(parameter).collect::<Vec<_>>(),
    })
}
