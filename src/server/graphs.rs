//! `/graphs`: whole graphs, by the SPARQL 1.1 Graph Store HTTP Protocol. The module `graph_writing` writes them.

use super::Shared;
use super::answer::{Question, answer};
use super::graph_writing::{Target, change};
use super::problem::Problem;
use super::request::RequestKey;
use super::sparql::{graph_name, options, respond};
use super::things::place_of;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use axum::response::{IntoResponse, Response};
use kgq_snapshot::Snapshot;
use kgq_syntax::rdf::NamedNode;

const READING: &str = "GET, HEAD, OPTIONS";
const WRITING: &str = "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS";

/// The methods that graphs support.
pub fn methods(server: &Shared) -> &'static str {
    if server.settings.writing.is_some() { WRITING } else { READING }
}

/// Whether a method changes graphs, and the server accepts changes.
pub fn is_writing(server: &Shared, method: &Method) -> bool {
    server.settings.writing.is_some() && [Method::PUT, Method::POST, Method::PATCH, Method::DELETE].contains(method)
}

pub async fn handle(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => respond(get(&server, &parts).await),
        Method::OPTIONS => options(methods(&server)),
        _ if is_writing(&server, &parts.method) => respond(put(&server, &parts, body).await),
        _ => Problem::method(methods(&server)).into_response(),
    }
}

/// The graph named by the request: `Some(None)` for the default graph, `None` if the request names none.
fn named(asked: &RequestKey) -> Result<Option<Option<NamedNode>>, Problem> {
    match (asked.one("default")?, asked.one("graph")?) {
        (Some(_), None) => Ok(Some(None)),
        (None, Some(name)) => graph_name(name).map(|name| Some(Some(name))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(which()),
    }
}

fn which() -> Problem {
    Problem::bad_request("which graph is meant?").hint("`?graph=IRI` is a named one, `?default` the other")
}

async fn get(server: &Shared, parts: &Parts) -> Result<Response, Problem> {
    let asked = RequestKey::of(parts)?;
    let name = named(&asked)?.ok_or_else(which)?;
    if let Some(name) = name.as_ref().filter(|name| !snapshot_has(server, name)) {
        return Err(Problem::not_found(format!("there is no graph <{}>", name.as_str())));
    }
    answer(server, asked, Question::Graph(name)).await
}

fn snapshot_has(server: &Shared, name: &NamedNode) -> bool {
    server.held().graph.snapshot().is_ok_and(|snapshot| has_graph(snapshot, name))
}

async fn put(server: &Shared, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let target = |asked: &RequestKey| match named(asked)? {
        Some(None) => Ok(Target::Default),
        Some(Some(name)) => Ok(Target::Named(vec![name])),
        None if parts.method == Method::POST => {
            let base = server.held().graph.base().map(place_of).map(str::to_owned);
            let place = base.unwrap_or_else(|| format!("{}/", server.address_for(asked)));
            Ok(Target::New(format!("{place}graphs/")))
        }
        None => Err(which()),
    };
    change(server, parts, body, target).await
}

/// Whether the snapshot has a named graph of this name.
pub fn has_graph(snapshot: &Snapshot, name: &NamedNode) -> bool {
    snapshot.id(name.as_ref().into()).is_some_and(|id| snapshot.named_graphs().contains(&id))
}
