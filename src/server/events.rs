//! `/events`: tells pages when the graph is replaced, and when its files are broken or mended, as server-sent events (HTML, §9.2).

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
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// The interval of keep-alive messages, so that no proxy closes an idle connection.
const BEAT: Duration = Duration::from_secs(15);

/// What happened to the graph.
#[derive(Clone, Debug)]
pub enum News {
    /// The graph was replaced; the count is since the start.
    Graph(u64),
    /// The files cannot be read, for this reason.
    Broken(String),
    Mended,
}

impl News {
    fn text(&self) -> Bytes {
        let (event, data) = match self {
            Self::Graph(times) => ("graph", times.to_string()),
            Self::Broken(reason) => ("broken", reason.replace(['\r', '\n'], " ")),
            Self::Mended => ("mended", String::new()),
        };
        Bytes::from(format!("event: {event}\ndata: {data}\n\n"))
    }
}

pub async fn events(State(server): State<Shared>) -> Response {
    let (sender, receiver) = mpsc::channel(4);
    let (mut news, mut stopping) = (server.news.subscribe(), server.stopping.subscribe());
    tokio::spawn(async move {
        let mut text = Bytes::from_static(b"retry: 2000\n\n");
        while sender.send(text).await.is_ok() {
            text = tokio::select! {
                told = news.recv() => match told {
                    Ok(news) => news.text(),
                    // A client that missed some events gets the next one.
                    Err(RecvError::Lagged(_)) => Bytes::from_static(b":\n\n"),
                    Err(RecvError::Closed) => break,
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
