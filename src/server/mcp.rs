//! `/mcp`: the graph for language models, by the Model Context Protocol over HTTP. The tools are those of `kgq mcp`; rmcp
//! implements the protocol, without sessions. This file decides who may come, and how many at once.

use super::Shared;
use super::door::foreign_origin;
use super::problem::Problem;
use super::request::client;
use super::sparql::read_body;
use crate::mcp::{Asker, Current, Face};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;

pub type Service = StreamableHttpService<Face, NeverSessionManager>;

/// Builds the service that speaks the protocol for a server.
pub fn service(server: &Shared) -> Service {
    let (holder, sharer) = (Arc::clone(server), Arc::clone(server));
    let current: Current = Arc::new(move || (Arc::clone(&holder.held().graph), holder.live.broken()));
    let face = Face::new(
        current,
        server.settings.capacity.running,
        Arc::new(move |asker| sharer.memory.part(asker.memory.as_ref())),
    );
    // Hosts and origins are checked earlier; each answer is a single message, which fits JSON.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(server.settings.longest_body);
    Service::new(move || Ok(face.clone()), Arc::default(), config)
}

pub async fn handle(
    State(server): State<Shared>,
    Extension(service): Extension<Service>,
    request: Request<Body>,
) -> Response {
    answer(&server, service, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(server: &Shared, service: Service, request: Request<Body>) -> Result<Response, Problem> {
    if let Some(problem) = foreign_origin(server, request.headers()) {
        return Err(problem);
    }
    let (mut parts, body) = request.into_parts();
    let body = read_body(server, &parts.headers, body).await?;
    let client = client(&parts);
    // Holds the place until the answer is complete; if the client leaves, this future and the place are dropped.
    let place = server.admission.enter(&client).await?;
    parts.extensions.insert(Asker { name: format!("{client:?}"), memory: place.memory_of_client().cloned() });
    let response = service.handle(Request::from_parts(parts, Body::from(body))).await;
    Ok(response.map(Body::new))
}
