//! Follows each request from its arrival to the last byte of its answer, for the counters and the line in the log.

use super::Shared;
use super::request::Tally;
use super::routes::OWN;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{Method, Request};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use kgq_syntax::text::{hexadecimal, visible};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::{Instant, SystemTime};

pub async fn watch(State(server): State<Shared>, mut request: Request<Body>, next: Next) -> Response {
    let tally = Arc::new(Tally::default());
    request.extensions_mut().insert(Arc::clone(&tally));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut visit =
        Visit { server, tally, method, path, status: 0, bytes: 0, started: Instant::now(), end: Some(End::Left) };
    let response = next.run(request).await;
    visit.status = response.status().as_u16();
    if visit.method == Method::HEAD {
        visit.end = Some(End::Whole);
    }
    response.map(|body| Body::new(Watched { body, visit }))
}

/// How the transfer of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// The server broke it off.
    Cut,
    /// The client left before the end.
    Left,
}

/// A request in progress; dropping it ends it.
struct Visit {
    server: Shared,
    tally: Arc<Tally>,
    method: Method,
    path: String,
    /// The status of the answer; 0 before there is one.
    status: u16,
    bytes: u64,
    started: Instant,
    end: Option<End>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        let rows = self.tally.rows.load(Ordering::Relaxed);
        let route = route(&self.path);
        self.server.metrics.count(route, self.status, elapsed, rows, self.bytes);
        let mut fields = Map::new();
        if let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            fields.insert("time".into(), now.as_secs().into());
        }
        fields.insert("method".into(), self.method.as_str().into());
        fields.insert("path".into(), visible(&self.path).into());
        fields.insert("status".into(), self.status.into());
        fields.insert("ms".into(), u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).into());
        fields.insert("rows".into(), rows.into());
        fields.insert("bytes".into(), self.bytes.into());
        match self.end {
            Some(End::Cut) => drop(fields.insert("end".into(), "cut".into())),
            Some(End::Left) => drop(fields.insert("end".into(), "client left".into())),
            Some(End::Whole) | None => {}
        }
        if let Some(query) = self.tally.query.get() {
            let hash = hexadecimal(&Sha256::digest(query)[..6]);
            fields.insert("query".into(), Value::String(hash));
            if self.server.log.with_queries {
                fields.insert("text".into(), query.as_str().into());
            }
        }
        self.server.log.request(&fields);
    }
}

/// The route to which a path belongs, from a small fixed set, so that the metrics stay few.
fn route(path: &str) -> &'static str {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    OWN.iter().chain(&[""]).find(|route| **route == first).copied().unwrap_or("page")
}

/// A body that counts its bytes.
struct Watched {
    body: Body,
    visit: Visit,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                self.visit.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                if self.body.is_end_stream() {
                    self.visit.end = Some(End::Whole);
                }
            }
            Some(Err(_)) => self.visit.end = Some(End::Cut),
            None => self.visit.end = Some(End::Whole),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Nobody polls an empty body, so it counts as sent.
        if self.visit.end == Some(End::Left) && self.body.is_end_stream() {
            self.visit.end = Some(End::Whole);
        }
    }
}
