//! Describes the service: a SPARQL 1.1 Service Description, with the VoID counts of the dataset.

use super::Shared;
use super::answer::{Tag, head};
use super::negotiate::{self, Coding};
use super::problem::Problem;
use super::reply::{Ending, Reply, coded, unless_known};
use super::request::RequestKey;
use super::state::Held;
use super::work::{Job, work};
use axum::response::Response;
use kgq_engine::query::Form;
use kgq_engine::{Answer, Triples};
use kgq_graph::render::{self, CellOptions, ColumnOptions, Format, GraphOptions, RenderOptions, TableOptions};
use kgq_snapshot::Snapshot;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, RdfFormat, Term, Triple};
use serde_json::Value;

const SD: &str = "http://www.w3.org/ns/sparql-service-description#";
const VOID: &str = "http://rdfs.org/ns/void#";
const FORMATS: &str = "http://www.w3.org/ns/formats/";

/// The W3C name of a format, if it has one.
fn w3c_name(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::Json => "SPARQL_Results_JSON",
        Format::Xml => "SPARQL_Results_XML",
        Format::Csv => "SPARQL_Results_CSV",
        Format::Tsv => "SPARQL_Results_TSV",
        Format::Rdf(RdfFormat::Turtle) => "Turtle",
        Format::Rdf(RdfFormat::TriG) => "TriG",
        Format::Rdf(RdfFormat::NTriples) => "N-Triples",
        Format::Rdf(RdfFormat::NQuads) => "N-Quads",
        Format::Rdf(RdfFormat::RdfXml) => "RDF_XML",
        Format::Rdf(RdfFormat::JsonLd) => "JSON-LD",
        _ => return None,
    })
}

/// Answers with the description of the service at this address.
pub async fn describe(server: &Shared, asked: RequestKey) -> Result<Response, Problem> {
    let endpoint = format!("{}{}", server.address_for(&asked), asked.path);
    work(server, asked, move |job, reply| {
        let triples = description(job.held, &endpoint, job.server.settings.writing.is_some())?;
        write_triples(job, triples, reply)
    })
    .await
}

/// Writes triples in the format that the client accepts.
pub fn write_triples(job: &Job<'_>, triples: Vec<Triple>, reply: &mut Reply) -> Result<(), Ending> {
    let Job { server, held, asked, .. } = job;
    let chosen = negotiate::format(Form::Construct, asked.one("format")?, asked.accept.as_deref())?;
    let coding = negotiate::coding(asked.accept_encoding.as_deref());
    head(server, &chosen, Some(tag(job, &chosen.media_type, coding)), reply);
    unless_known(reply.headers(), asked.if_none_match.as_deref())?;
    asked.tally.count_rows(triples.len() as u64);
    let answer = Answer::Graph(Triples(Box::new(triples.into_iter().map(Ok))));
    let mut prefixes = held.graph.prefixes()?.clone();
    for (prefix, namespace) in [("sd", SD), ("void", VOID), ("formats", FORMATS)] {
        prefixes.insert_if_absent(prefix, namespace);
    }
    let budget = job.options.budget_of_query();
    let stream = chosen.media_type == Format::ARROW_STREAM;
    let options = RenderOptions {
        format: chosen.format,
        prefixes: &prefixes,
        width: None,
        colour: false,
        graph: GraphOptions::default(),
        table: TableOptions::default(),
        cells: CellOptions::default(),
        columns: ColumnOptions { terms: false, stream, budget: Some(&budget) },
    };
    coded(reply, coding, |out| Ok(render::write(answer, options, out).map(drop)?))
}

/// The tag of an answer that depends only on the graph, the address, and the languages that the client prefers.
fn tag(job: &Job<'_>, media_type: &str, coding: Coding) -> Tag {
    let Job { held, asked, .. } = job;
    let mut tag = Tag::of(held, media_type, coding);
    [asked.host.as_deref().unwrap_or_default(), &asked.path].into_iter().for_each(|text| tag.add(text));
    asked.values.iter().flat_map(|(name, value)| [name, value]).for_each(|text| tag.add(text));
    tag.add(asked.accept_language.as_deref().unwrap_or_default());
    tag
}

/// Writes a JSON value.
pub fn write_json(job: &Job<'_>, value: &Value, reply: &mut Reply) -> Result<(), Ending> {
    write_as(job, &negotiate::Chosen::json(), value, reply)
}

/// Writes a JSON value with this media type.
pub fn write_as(job: &Job<'_>, chosen: &negotiate::Chosen, value: &Value, reply: &mut Reply) -> Result<(), Ending> {
    let coding = negotiate::coding(job.asked.accept_encoding.as_deref());
    head(job.server, chosen, Some(tag(job, &chosen.media_type, coding)), reply);
    unless_known(reply.headers(), job.asked.if_none_match.as_deref())?;
    coded(reply, coding, |out| writeln!(out, "{value}").map_err(|error| Error::io("the answer", &error).into()))
}

/// The triples of the description, and the number of blank nodes in it.
#[derive(Default)]
struct Description {
    triples: Vec<Triple>,
    blank: usize,
}

impl Description {
    fn add(&mut self, subject: &NamedOrBlankNode, property: &str, object: impl Into<Term>) {
        self.triples.push(Triple::new(subject.clone(), NamedNode::new_unchecked(property), object));
    }

    fn node(&mut self, class: &str) -> NamedOrBlankNode {
        self.blank += 1;
        let node = NamedOrBlankNode::from(BlankNode::new_unchecked(format!("d{}", self.blank)));
        self.add(&node, rdf::TYPE.as_str(), iri(class));
        node
    }

    /// Adds the formats of answers; formats without a W3C name are described by their media types.
    fn formats(&mut self, service: &NamedOrBlankNode) {
        let graphs = Format::of(Form::Construct).filter(|format| matches!(format, Format::Rdf(_)));
        for format in Format::of(Form::Select).chain(graphs) {
            let Some(name) = w3c_name(format) else {
                for media_type in negotiate::called(format) {
                    let node = self.node(&format!("{FORMATS}Format"));
                    self.add(&node, &format!("{FORMATS}media_type"), Literal::new_simple_literal(*media_type));
                    self.add(service, &format!("{SD}resultFormat"), node);
                }
                continue;
            };
            self.add(service, &format!("{SD}resultFormat"), iri(&format!("{FORMATS}{name}")));
        }
    }

    /// Adds the VoID counts of a graph, taken from the statistics of the snapshot.
    fn count(&mut self, node: &NamedOrBlankNode, statistics: &kgq_snapshot::Statistics) {
        let counts = [
            ("triples", statistics.rows),
            ("distinctSubjects", statistics.distinct_subjects),
            ("properties", statistics.distinct_predicates),
            ("distinctObjects", statistics.distinct_objects),
        ];
        for (property, number) in counts {
            self.add(node, &format!("{VOID}{property}"), Literal::from(number));
        }
    }
}

fn iri(text: &str) -> NamedNode {
    NamedNode::new_unchecked(text)
}

fn description(held: &Held, endpoint: &str, takes_updates: bool) -> Result<Vec<Triple>> {
    let snapshot = held.graph.snapshot()?;
    let mut said = Description::default();
    let service = said.node(&format!("{SD}Service"));
    said.add(&service, &format!("{SD}endpoint"), iri(endpoint));
    let update = takes_updates.then_some("SPARQL11Update");
    for language in ["SPARQL10Query", "SPARQL11Query"].into_iter().chain(update) {
        said.add(&service, &format!("{SD}supportedLanguage"), iri(&format!("{SD}{language}")));
    }
    said.formats(&service);
    let options = held.graph.evaluation_options();
    if options.default_graph == kgq_engine::DefaultGraph::Union {
        said.add(&service, &format!("{SD}feature"), iri(&format!("{SD}UnionDefaultGraph")));
    }
    let dataset = said.node(&format!("{SD}Dataset"));
    said.add(&service, &format!("{SD}defaultDataset"), dataset.clone());
    if let Some(title) = held.graph.project().and_then(|project| project.manifest.title.clone()) {
        said.add(&dataset, "http://purl.org/dc/terms/title", Literal::new_simple_literal(title));
    }
    let default = said.node(&format!("{SD}Graph"));
    said.add(&default, rdf::TYPE.as_str(), iri(&format!("{VOID}Dataset")));
    said.add(&dataset, &format!("{SD}defaultGraph"), default.clone());
    said.count(&default, snapshot.statistics());
    for name in named_graphs(snapshot) {
        let graph = said.node(&format!("{SD}NamedGraph"));
        said.add(&dataset, &format!("{SD}namedGraph"), graph.clone());
        said.add(&graph, &format!("{SD}name"), name);
    }
    snapshot.intact()?;
    // Keep the triples of a subject together.
    said.triples.sort_by_cached_key(|triple| triple.subject.to_string());
    Ok(said.triples)
}

/// The maximum number of named graphs listed.
const LISTED: usize = 1_000;

/// The first named graphs whose names are IRIs.
fn named_graphs(snapshot: &Snapshot) -> impl Iterator<Item = NamedNode> + '_ {
    let names = snapshot.named_graphs().iter().filter_map(|id| match snapshot.term(*id) {
        Term::NamedNode(name) => Some(name),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    });
    names.take(LISTED)
}
