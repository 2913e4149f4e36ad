//! Reports whether the server is alive, whether it answers from the current files, and its counters.

use super::Shared;
use super::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

const PLAIN: &str = "text/plain; charset=utf-8";

fn text(status: StatusCode, media_type: &'static str, text: String) -> Response {
    (status, [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")], text).into_response()
}

/// Reports that the server is alive.
pub async fn healthz() -> Response {
    text(StatusCode::OK, PLAIN, "ok\n".into())
}

/// Reports whether the server answers from the current files. If these cannot be read, it answers from the last readable
/// ones and stays ready: otherwise one broken file would take all copies of a server out of use.
pub async fn readyz(State(server): State<Shared>) -> Response {
    let state = match server.live.broken() {
        None => json!({"ready": true, "current": true}),
        Some(error) => json!({"ready": true, "current": false, "broken": Problem::from(error).into_value()}),
    };
    text(StatusCode::OK, "application/json", format!("{state}\n"))
}

pub async fn metrics(State(server): State<Shared>) -> Response {
    text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", server.metrics.text(&server))
}
