//! Pages and data of things: every IRI below the base of the graph at the same path of this server, any IRI at `/about?iri=`.

use super::Shared;
use super::answer::{Question, answer};
use super::find::near;
use super::graph_writing::{Target, change};
use super::graphs::{has_graph, is_writing, methods};
use super::pages::{self, Wanted};
use super::problem::Problem;
use super::reply::{Ending, Reply};
use super::request::{RequestKey, decoded};
use super::service::write_triples;
use super::sparql::{options, respond};
use super::work::{Job, work};
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use kgq_graph::request::{describe, document};
use kgq_syntax::error::Result as Outcome;
use kgq_syntax::rdf::{NamedNode, Triple};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The maximum number of things described for one document.
const MOST_THINGS: usize = 1_000;

/// Returns the thing, the document of things, or the named graph at a path.
pub async fn dereference(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => respond(at_path(&server, &parts).await),
        Method::OPTIONS => options(methods(&server)),
        _ if is_writing(&server, &parts.method) => respond(write(&server, &parts, body).await),
        _ => Problem::method(methods(&server)).into_response(),
    }
}

/// Changes the named graph at a path.
async fn write(server: &Shared, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let target = |_: &RequestKey| {
        let named = candidates(server.held().graph.base(), parts.uri.path().trim_start_matches('/'))?;
        if named.is_empty() {
            let problem = Problem::bad_request("this address is the name of no graph");
            return Err(problem.hint("`/graphs?graph=IRI` is the one of that name"));
        }
        Ok(Target::Named(named))
    };
    change(server, parts, body, target).await
}

async fn at_path(server: &Shared, parts: &Parts) -> Result<Response, Problem> {
    let asked = RequestKey::of(parts)?;
    let path = parts.uri.path().trim_start_matches('/').to_owned();
    if path.is_empty() || pages::wants(&asked) {
        return pages::page(server, asked, Wanted::Path(path)).await;
    }
    let held = server.held();
    let named = candidates(held.graph.base(), &path)?;
    let snapshot = held.graph.snapshot()?;
    if let Some(graph) = named.iter().find(|name| has_graph(snapshot, name)) {
        let question = Question::Graph(Some(graph.clone()));
        drop(held);
        return answer(server, asked, question).await;
    }
    work(server, asked, move |job, reply| {
        if pages::is_file(&path) && pages::write_file(job, &path, reply)? {
            return Ok(());
        }
        if named.iter().all(|thing| matches!(said_of(job, thing).as_deref(), Ok([]))) && job.held.knew(&named) {
            let iri = named.first().map_or(path.as_str(), |node| node.as_str());
            return Err(Problem::new(StatusCode::GONE, format!("what was said of <{iri}> was removed")).into());
        }
        tell(job, &named, reply)
    })
    .await
}

/// The directory of a base: whatever follows its last slash does not count.
pub fn place_of(base: &str) -> &str {
    &base[..base.rfind('/').map_or(base.len(), |at| at + 1)]
}

/// The IRIs that a path can denote: as it was sent, and with its escapes decoded.
pub fn candidates(base: Option<&str>, path: &str) -> Result<Vec<NamedNode>, Problem> {
    let Some(base) = base else { return Ok(Vec::new()) };
    let place = place_of(base);
    let paths = [path.to_owned(), decoded(path)?];
    let mut named: Vec<NamedNode> =
        paths.iter().filter_map(|path| NamedNode::new(format!("{place}{path}")).ok()).collect();
    named.dedup();
    Ok(named)
}

/// Returns any thing, by its IRI or CURIE.
pub async fn about(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let told = async {
        let asked = RequestKey::of(&parts)?;
        let text = asked.one("iri")?.ok_or_else(|| Problem::bad_request("there is no `iri` to tell about"))?.to_owned();
        if pages::wants(&asked) {
            let graph = Arc::clone(&server.held().graph);
            let iri = graph.prefixes()?.expand(&text).map_or(text, |node| node.into_string());
            return pages::page(&server, asked, Wanted::About(iri)).await;
        }
        work(&server, asked, move |job, reply| {
            let node = job.held.graph.prefixes()?.expand(&text).or_else(|| NamedNode::new(&text).ok());
            let node = node.ok_or_else(|| Problem::bad_request(format!("`{text}` is neither an IRI nor a CURIE")))?;
            tell(job, &[node], reply)
        })
        .await
    };
    respond(told.await)
}

fn tell(job: &Job<'_>, named: &[NamedNode], reply: &mut Reply) -> Result<(), Ending> {
    for node in named {
        let triples = said_of(job, node)?;
        if !triples.is_empty() {
            return write_triples(job, triples, reply);
        }
    }
    let iri = named.first().map_or(job.asked.path.as_str(), |node| node.as_str());
    Err(Problem::not_found(format!("the graph says nothing of <{iri}>")).with("near", near(job, iri)?).into())
}

/// The description of a thing, and of the things whose IRIs extend its IRI by a fragment: a document is described with its things.
fn said_of(job: &Job<'_>, node: &NamedNode) -> Outcome<Vec<Triple>> {
    let graph = &job.held.graph;
    let mut triples = describe::triples(graph, node, false)?;
    for thing in document::things(graph, node, MOST_THINGS)? {
        triples.extend(describe::triples(graph, &thing, false)?);
    }
    let mut seen = FxHashSet::default();
    triples.retain(|triple| seen.insert(triple.clone()));
    Ok(triples)
}
