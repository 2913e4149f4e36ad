//! `/events`: tells pages when the graph is replaced, as server-sent events (HTML, §9.2).

use super::Shared;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often something is sent in any case, so that nobody in between ends the connection.
const BEAT: Duration = Duration::from_secs(15);

pub async fn events(State(server): State<Shared>) -> Response {
    let (sender, receiver) = mpsc::channel(4);
    let (mut replaced, mut stopping) = (server.replaced.subscribe(), server.stopping.subscribe());
    tokio::spawn(async move {
        let mut text = Bytes::from_static(b"retry: 2000\n\n");
        while sender.send(text).await.is_ok() {
            text = tokio::select! {
                changed = replaced.changed() => match changed {
                    Ok(()) => Bytes::from(format!("event: graph\ndata: {}\n\n", *replaced.borrow_and_update())),
                    Err(_) => break,
                },
                () = tokio::time::sleep(BEAT) => Bytes::from_static(b":\n\n"),
                _ = stopping.changed() => break,
                () = sender.closed() => break,
            };
        }
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (headers, Body::new(Events(receiver))).into_response()
}

struct Events(mpsc::Receiver<Bytes>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|text| text.map(|text| Ok(Frame::data(text))))
    }
}
