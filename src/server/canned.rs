//! `/query/NAME?param=value`: the canned queries of the project, each at its own address.

use super::Shared;
use super::answer::{Question, respond_to};
use super::pages::{self, Wanted};
use super::problem::Problem;
use super::request::{RequestKey, pairs};
use super::service::write_json;
use super::sparql::{options, read_body, respond};
use super::why;
use super::work::work;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{Method, Request};
use axum::response::{IntoResponse, Response};
use kgq_graph::catalog::{CannedQuery, Catalog};
use kgq_graph::graph::Graph;
use kgq_site::{parameter_in_address, parameter_of_address};
use kgq_syntax::error::Kind;
use kgq_syntax::text::did_you_mean;
use serde_json::{Value, json};

const METHODS: &str = "GET, HEAD, POST, OPTIONS";

pub async fn handle(State(server): State<Shared>, Path(name): Path<String>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => respond(run(&server, name, &parts, None).await),
        Method::POST => respond(run(&server, name, &parts, Some(body)).await),
        Method::OPTIONS => options(METHODS),
        _ => Problem::method(METHODS).into_response(),
    }
}

async fn run(server: &Shared, name: String, parts: &Parts, body: Option<Body>) -> Result<Response, Problem> {
    let mut asked = RequestKey::of(parts)?;
    if let Some(body) = body {
        asked.values.extend(pairs(&read_body(server, &parts.headers, body).await?)?);
    }
    if !pages::wants(&asked) {
        find(&server.held().graph, &name)?;
    }
    let of_query = |(name, value): &(String, String)| Some((parameter_of_address(name)?.to_owned(), value.clone()));
    let values = asked.values.iter().filter_map(of_query).collect();
    if pages::wants(&asked) {
        let about = why::about(&asked)?;
        return pages::page(server, asked, Wanted::Query { name, values, about }).await;
    }
    respond_to(server, asked, Question::Canned { name, values }).await
}

/// Returns the canned queries if the graph belongs to a project.
pub fn catalog(graph: &Graph) -> Result<Option<&Catalog>, Problem> {
    Ok(graph.catalog_if_any()?)
}

/// Checks that a canned query has this name; otherwise answers 404 with similar names.
fn find(graph: &Graph, name: &str) -> Result<(), Problem> {
    let known = catalog(graph)?;
    let names = known.iter().flat_map(|catalog| &catalog.queries).map(|query| query.name.as_str());
    match known.map(|catalog| catalog.get(name)) {
        Some(Ok(_)) => Ok(()),
        // A query of this name exists but cannot be read: report why.
        Some(Err(error)) if error.place().is_some() || error.kind() != Kind::Input => Err(error.into()),
        Some(Err(_)) | None => {
            let problem = Problem::not_found(format!("there is no canned query `{name}`"));
            let near = did_you_mean(name, names).unwrap_or_else(|| "/query lists those there are".into());
            Err(problem.hint(near))
        }
    }
}

/// Lists all canned queries with their parameters.
pub async fn list(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let listed = async {
        let asked = RequestKey::of(&parts)?;
        if pages::wants(&asked) {
            return pages::page(&server, asked, Wanted::Path("queries".into())).await;
        }
        work(&server, asked, move |job, reply| {
            let language = job.asked.language().unwrap_or_else(|| job.held.graph.language());
            let queries = catalog(&job.held.graph)?.into_iter().flat_map(|catalog| &catalog.queries);
            let queries: Vec<Value> = queries.map(|query| described(query, &language)).collect();
            write_json(job, &json!({ "queries": queries }), reply)
        })
        .await
    };
    respond(listed.await)
}

fn described(query: &CannedQuery, language: &str) -> Value {
    let params = query.header.params.iter().map(|(name, param)| {
        json!({
            "name": name,
            "field": parameter_in_address(name),
            "type": param.kind,
            "description": param.description.as_ref().map(|text| text.in_language(language)),
            "required": param.required && param.default.is_none(),
            "list": param.list,
            "values": param.values,
        })
    });
    json!({
        "name": query.name,
        "title": query.title(language),
        "description": query.header.description.as_ref().map(|text| text.in_language(language)),
        "tags": query.header.tags,
        "parameters": params.collect::<Vec<_>>(),
        "address": format!("/query/{}", query.name),
    })
}
