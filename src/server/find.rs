//! `/find?text=`: finds things by their names, in any language.

use super::Shared;
use super::problem::Problem;
use super::reply::Ending;
use super::request::RequestKey;
use super::service::write_json;
use super::sparql::respond;
use super::work::{Job, work};
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use kgq_graph::catalog::{Role, classes_of};
use kgq_graph::graph::Graph;
use kgq_graph::request::find::{self, Among};
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Term};
use serde_json::{Value, json};

/// How many things are returned by default, and at most.
const FEW: usize = 20;
const MOST: usize = 100;
/// How many similar things are suggested if a thing does not exist.
const NEAR: usize = 5;

pub async fn handle(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let found = async {
        let asked = RequestKey::of(&parts)?;
        work(&server, asked, |job, reply| {
            let found = search(job)?;
            write_json(job, &found, reply)
        })
        .await
    };
    respond(found.await)
}

fn search(job: &Job<'_>) -> Result<Value, Ending> {
    let (held, asked) = (job.held, job.asked);
    let text = asked.one("text")?.ok_or_else(|| Problem::bad_request("there is no `text` to look for"))?;
    let most = match asked.one("limit")?.map(str::parse::<usize>) {
        None => FEW,
        Some(Ok(most)) if most <= MOST => most,
        Some(_) => return Err(Problem::bad_request(format!("`limit` is a whole number, at most {MOST}")).into()),
    };
    let language = asked.one("lang")?.map_or_else(|| language(job), str::to_owned);
    let graph = &*held.graph;
    let (among, budget) = (among(graph, asked.one("kind")?)?, &job.options.budget);
    let findings = find::find(graph, find::Request { text, among, most, budget })?;
    let things: Vec<NamedNode> = findings.found.into_iter().map(|found| found.thing).collect();
    asked.tally.count_rows(things.len() as u64);
    Ok(json!({ "found": told(graph, &things, &language)?, "near": findings.are_near }))
}

fn iri(snapshot: &Snapshot, id: TermId) -> Option<NamedNode> {
    match snapshot.term(id) {
        Term::NamedNode(node) => Some(node),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    }
}

fn language(job: &Job<'_>) -> String {
    job.asked.language().unwrap_or_else(|| job.held.graph.language())
}

/// The things that `kind` names: those of a role, or the members of a class.
fn among(graph: &Graph, kind: Option<&str>) -> Result<Among, Ending> {
    let Some(kind) = kind.filter(|kind| !kind.is_empty()) else { return Ok(Among::All) };
    if let Some(role) = Among::role(kind) {
        return Ok(role);
    }
    let class = graph.prefixes()?.expand(kind).or_else(|| NamedNode::new(kind).ok());
    let id = class.and_then(|class| graph.snapshot().ok()?.id(class.as_ref().into()));
    let unknown = || Problem::bad_request("`kind` is class, property, thing, or a class of the graph");
    Ok(Among::MembersOf(id.ok_or_else(unknown)?))
}

/// Describes things for the client: their names in this language, and their classes.
fn told(graph: &Graph, things: &[NamedNode], language: &str) -> Result<Vec<Value>> {
    let (snapshot, index, prefixes) = (graph.snapshot()?, graph.index()?, graph.prefixes()?);
    let ids: Vec<Option<TermId>> = things.iter().map(|thing| snapshot.id(thing.as_ref().into())).collect();
    let of = |id: &Option<TermId>| id.map(|id| classes_of(snapshot, id)).unwrap_or_default();
    let classes: Vec<Vec<NamedNode>> =
        ids.iter().map(|id| of(id).into_iter().filter_map(|class| iri(snapshot, class)).collect()).collect();
    let labels = graph.labels_of(things.iter().chain(classes.iter().flatten()))?;
    let named = |node: &NamedNode| json!({"iri": node.as_str(), "curie": prefixes.shorten(node.as_str()), "label": labels.get(node, language)});
    let told = things.iter().zip(&ids).zip(&classes).map(|((thing, id), classes)| {
        let mut told = named(thing);
        told["kind"] = match id.map_or(Role::Thing, |id| index.role(id)) {
            Role::Class => "class",
            Role::Property => "property",
            Role::Thing => "thing",
        }
        .into();
        told["classes"] = classes.iter().map(named).collect();
        told
    });
    let told = told.collect();
    snapshot.intact()?;
    Ok(told)
}

/// Suggests things for an IRI that does not occur, by the words of its last part.
pub fn near(job: &Job<'_>, iri: &str) -> Result<Vec<Value>> {
    told(&job.held.graph, &near_things(job, iri)?, &language(job))
}

/// The same suggestions, as IRIs.
pub fn near_things(job: &Job<'_>, iri: &str) -> Result<Vec<NamedNode>> {
    let last = iri.rsplit(['#', '/']).find(|part| !part.is_empty()).unwrap_or(iri);
    let text = last.replace(['-', '_', '.'], " ");
    let request = find::Request { text: &text, among: Among::All, most: NEAR, budget: &job.options.budget };
    let findings = find::find(&job.held.graph, request)?;
    Ok(findings.found.into_iter().map(|found| found.thing).collect())
}
