//! Maps addresses to handlers, and wraps all of them in the layers that every request passes.

#[cfg(feature = "mcp")]
use super::mcp;
use super::state::{Server, Settings};
use super::things::place_of;
use super::{
    Shared, canned, door, edit_form, events, find, graphs, health, login, openapi, pages, sparql, things, watch,
};
use axum::Router;
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK, LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use kgq_graph::request::document;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::NamedNode;
use std::sync::Arc;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// Headers that clients of the Model Context Protocol send.
const OF_MCP: [HeaderName; 3] = [
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
];

/// Paths that the server uses itself: no thing of the graph is reachable there, nor below `query/`.
pub(super) const OWN: [&str; 16] = [
    "sparql",
    "graphs",
    "query",
    "ask",
    "find",
    "about",
    "openapi.json",
    "docs",
    "events",
    "healthz",
    "readyz",
    "metrics",
    "mcp",
    "login",
    "logout",
    "edit",
];

/// Whether the server, with these settings, uses one of its own paths.
fn has(settings: &Settings, path: &str) -> bool {
    match path {
        "metrics" => settings.tells_metrics,
        "login" | "logout" => settings.tokens.are_any(),
        "edit" => settings.writing.is_some(),
        "mcp" => cfg!(feature = "mcp"),
        _ => true,
    }
}

/// At most `most` things whose addresses the server uses itself; they are reachable only by `/about?iri=`.
///
/// # Errors
/// The files of the graph cannot be read.
pub fn hidden(server: &Server, most: usize) -> Result<Vec<NamedNode>> {
    let held = server.held();
    let graph = &held.graph;
    let Some(place) = graph.base().map(place_of) else { return Ok(Vec::new()) };
    let mut hidden = Vec::new();
    for path in OWN.into_iter().filter(|path| has(&server.settings, path)) {
        let own = NamedNode::new(format!("{place}{path}")).ok();
        let own = own.filter(|own| graph.snapshot().is_ok_and(|snapshot| snapshot.id(own.as_ref().into()).is_some()));
        hidden.extend(own);
    }
    hidden.extend(document::beginning_with(graph, &format!("{place}query/"), most)?);
    hidden.truncate(most);
    Ok(hidden)
}

pub fn router(server: &Shared) -> Router {
    let mut router = Router::new()
        .route("/sparql", any(sparql::handle))
        .route("/sparql/", any(sparql::handle))
        .route("/graphs", any(graphs::handle))
        .route("/query", get(canned::list))
        .route("/query/{*name}", any(canned::handle))
        .route("/ask", any(pages::ask))
        .route("/find", get(find::handle))
        .route("/about", get(things::about))
        .route("/openapi.json", get(openapi::describe))
        .route("/docs", get(pages::docs))
        .route("/events", get(events::events))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz));
    if has(&server.settings, "metrics") {
        router = router.route("/metrics", get(health::metrics));
    }
    if has(&server.settings, "login") {
        router = router.route("/login", any(login::login)).route("/logout", any(login::logout));
    }
    if has(&server.settings, "edit") {
        router = router.route("/edit", any(edit_form::handle));
    }
    #[cfg(feature = "mcp")]
    {
        let service = axum::Extension(mcp::service(server));
        router = router.route("/mcp", any(mcp::handle).layer(service));
    }
    let mut router = router.fallback(things::dereference).layer(from_fn_with_state(Arc::clone(server), door::admit));
    if let Some(cors) = cors(&server.settings.origins, server.settings.writing.is_some()) {
        router = router.layer(cors);
    }
    router
        .layer(from_fn_with_state(Arc::clone(server), door::pass))
        .layer(from_fn_with_state(Arc::clone(server), watch::watch))
        .with_state(Arc::clone(server))
}

/// The routes of the separate address for metrics.
pub fn metrics(server: &Shared) -> Router {
    Router::new().route("/metrics", get(health::metrics)).with_state(Arc::clone(server))
}

/// Allows pages of the named origins to send requests. By default none may: any page could otherwise read a private graph.
fn cors(origins: &[String], with_writing: bool) -> Option<CorsLayer> {
    let allowed = match origins {
        [] => return None,
        origins if origins.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        origins => AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok())),
    };
    let writing = [Method::PUT, Method::PATCH, Method::DELETE].into_iter().filter(|_| with_writing);
    let methods: Vec<Method> = [Method::GET, Method::HEAD, Method::POST].into_iter().chain(writing).collect();
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(methods)
        .allow_headers(AllowHeaders::list(
            [ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH].into_iter().chain(OF_MCP),
        ))
        .expose_headers([ETAG, LINK, LOCATION, RETRY_AFTER]);
    Some(layer)
}
