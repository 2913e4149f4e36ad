//! `/graphs`: graphs as a whole, by the SPARQL 1.1 Graph Store HTTP Protocol, as far as it reads.

use super::Shared;
use super::answer::{Question, answer};
use super::problem::Problem;
use super::request::Asked;
use super::sparql::{options, respond};
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use axum::response::{IntoResponse, Response};
use kgq_snapshot::Snapshot;
use kgq_syntax::rdf::NamedNode;

const METHODS: &str = "GET, HEAD, OPTIONS";

pub async fn handle(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => respond(get(&server, &parts).await),
        Method::OPTIONS => options(METHODS),
        _ => Problem::method(METHODS).into_response(),
    }
}

async fn get(server: &Shared, parts: &Parts) -> Result<Response, Problem> {
    let asked = Asked::of(parts)?;
    let name = match (asked.one("default")?, asked.one("graph")?) {
        (Some(_), None) => None,
        (None, Some(name)) => {
            let name = NamedNode::new(name)
                .map_err(|_| Problem::bad_request(format!("`{name}` is no absolute IRI, which a graph is named by")))?;
            if !has_graph(server.held().graph.snapshot()?, &name) {
                return Err(Problem::not_found(format!("there is no graph <{}>", name.as_str())));
            }
            Some(name)
        }
        (None, None) | (Some(_), Some(_)) => {
            return Err(
                Problem::bad_request("which graph is meant?").hint("`?graph=IRI` is a named one, `?default` the other")
            );
        }
    };
    answer(server, asked, Question::Graph(name)).await
}

/// Whether the snapshot has a graph of that name.
pub fn has_graph(snapshot: &Snapshot, name: &NamedNode) -> bool {
    snapshot.id(name.as_ref().into()).is_some_and(|id| snapshot.named_graphs().contains(&id))
}
