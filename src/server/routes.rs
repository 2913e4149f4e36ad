//! Which address is answered by what, and what all requests pass on their way.

use super::{Shared, canned, door, events, find, graphs, health, openapi, pages, sparql, things, watch};
use axum::Router;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK, RETRY_AFTER};
use axum::http::{HeaderValue, Method};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use std::sync::Arc;
use tower_http::cors::{AllowOrigin, CorsLayer};

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
        .route("/events", get(events::events))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz));
    if server.settings.tells_metrics {
        router = router.route("/metrics", get(health::metrics));
    }
    let mut router = router.fallback(things::dereference).layer(from_fn_with_state(Arc::clone(server), door::admit));
    if let Some(cors) = cors(&server.settings.origins) {
        router = router.layer(cors);
    }
    router
        .layer(from_fn_with_state(Arc::clone(server), door::pass))
        .layer(from_fn_with_state(Arc::clone(server), watch::watch))
        .with_state(Arc::clone(server))
}

/// What is told at the address for metrics alone.
pub fn metrics(server: &Shared) -> Router {
    Router::new().route("/metrics", get(health::metrics)).with_state(Arc::clone(server))
}

/// Which pages of others may ask; none, unless they are named: any page could read a private graph otherwise.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let allowed = match origins {
        [] => return None,
        origins if origins.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        origins => AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok())),
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH])
        .expose_headers([ETAG, LINK, RETRY_AFTER]);
    Some(layer)
}
