//! Streams an answer: a thread writes it, the connection reads it, and only a few pieces are buffered in between.
//!
//! The first piece is held back until it is full, or until rows have arrived for a while. Until then a failure becomes an
//! error response with its own status; after that the connection is cut, so that nobody mistakes a part for the whole. If
//! the reader leaves, the work stops.

use super::admission::Admitted;
use super::negotiate::Coding;
use super::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use kgq_engine::Budget;
use kgq_syntax::text::thousands;
use std::fmt;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// The size of a piece, in bytes.
const PIECE: usize = 64 << 10;
/// How long an unfilled piece is held back.
const PAUSE: Duration = Duration::from_millis(200);
/// How many pieces may wait for the reader.
const AHEAD: usize = 4;

/// Why no complete answer with status 200 is sent.
#[derive(Debug)]
pub enum Ending {
    Failed(Problem),
    /// The client already has this answer.
    NotModified(Box<HeaderMap>),
    /// An answer with another status than 200.
    Other(StatusCode, Box<HeaderMap>, Vec<u8>),
}

impl<T: Into<Problem>> From<T> for Ending {
    fn from(problem: T) -> Self {
        Self::Failed(problem.into())
    }
}

impl IntoResponse for Ending {
    fn into_response(self) -> Response {
        match self {
            Self::Failed(problem) => problem.into_response(),
            Self::NotModified(headers) => (StatusCode::NOT_MODIFIED, *headers).into_response(),
            Self::Other(status, headers, body) => (status, *headers, body).into_response(),
        }
    }
}

/// Cancels the work when dropped: the client has left, or the answer is complete.
#[derive(Debug, Default)]
pub struct Leaving(pub Budget);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The error that breaks off an incomplete answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer could not be finished")
    }
}

impl std::error::Error for Cut {}

/// The first message from the thread to the connection.
enum First {
    Whole(HeaderMap, Vec<u8>),
    Begun(HeaderMap),
    Ended(Ending),
}

/// The writer into which a thread writes an answer.
pub struct Reply {
    headers: HeaderMap,
    piece: Vec<u8>,
    /// When the first byte of the piece was written.
    since: Option<Instant>,
    first: Option<oneshot::Sender<First>>,
    /// A `None` message marks the end of a complete answer.
    sender: mpsc::Sender<Option<Bytes>>,
    place: Admitted,
    /// The size limit in bytes of an answer that must be complete before it is sent; `None` if it can be streamed.
    whole: Option<usize>,
    /// The size limit in bytes of any answer.
    longest: Option<u64>,
    written: u64,
    too_long: Option<TooLong>,
}

/// Which size limit an answer exceeds.
#[derive(Clone, Copy, Debug)]
enum TooLong {
    /// Too long to be buffered whole.
    ToHold,
    /// Longer than this many bytes, the limit of every answer.
    ToSend(u64),
}

impl Reply {
    pub fn headers(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// Sends the current piece.
    fn send(&mut self) -> io::Result<()> {
        if let Some(first) = self.first.take() {
            let headers = std::mem::take(&mut self.headers);
            first.send(First::Begun(headers)).map_err(|_| gone())?;
        }
        self.since = None;
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.hand_over(Some(piece))
    }

    fn hand_over(&mut self, piece: Option<Bytes>) -> io::Result<()> {
        match self.sender.try_send(piece) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(gone()),
            Err(TrySendError::Full(piece)) => {
                let sender = &self.sender;
                self.place.lend(|| sender.blocking_send(piece)).map_err(|_| gone())
            }
        }
    }

    /// Reports how the work ended. It is no failure if nobody listens any more.
    fn end(mut self, result: Result<(), Ending>) {
        match (result, self.first.take()) {
            (Ok(()), Some(first)) => drop(first.send(First::Whole(self.headers, self.piece))),
            (Ok(()), None) => {
                let last = if self.piece.is_empty() { Ok(()) } else { self.send() };
                drop(last.and_then(|()| self.hand_over(None)));
            }
            (Err(ending), Some(first)) => {
                let ending = self.too_long.map_or(ending, |how| how.problem().into());
                drop(first.send(First::Ended(ending)));
            }
            // The stream stops without the end mark.
            (Err(_), None) => {}
        }
    }
}

impl TooLong {
    fn problem(self) -> Problem {
        match self {
            Self::ToHold => Problem::limit("bytes", "the answer is too long to be held for a client of HTTP/1.0")
                .hint("ask by HTTP/1.1, which has a sign for an answer that could not be finished"),
            Self::ToSend(most) => {
                Problem::limit("bytes", format!("the answer is longer than {} bytes", thousands(most)))
                    .hint("ask for less at once, as with LIMIT and OFFSET, or for a shorter format such as CSV")
            }
        }
    }
}

fn gone() -> io::Error {
    io::Error::from(io::ErrorKind::BrokenPipe)
}

impl Write for Reply {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written += bytes.len() as u64;
        if let Some(most) = self.longest.filter(|most| self.written > *most) {
            self.too_long = Some(TooLong::ToSend(most));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.piece.extend_from_slice(bytes);
        match self.whole {
            Some(most) if self.piece.len() > most => {
                self.too_long = Some(TooLong::ToHold);
                Err(io::ErrorKind::FileTooLarge.into())
            }
            Some(_) => Ok(bytes.len()),
            None => {
                let since = *self.since.get_or_insert_with(Instant::now);
                if self.piece.len() >= PIECE || since.elapsed() >= PAUSE {
                    self.send()?;
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes through a content coding.
pub fn coded<T>(
    reply: &mut Reply,
    coding: Coding,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Ending>,
) -> Result<T, Ending> {
    let lost = |_: io::Error| Ending::Failed(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the client has left"));
    if coding != Coding::Identity {
        reply.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    match coding {
        Coding::Identity => write(reply),
        Coding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(reply, flate2::Compression::fast());
            let value = write(&mut encoder)?;
            encoder.finish().map_err(lost)?;
            Ok(value)
        }
        Coding::Zstd => {
            let mut encoder = zstd::Encoder::new(reply, 1).map_err(lost)?;
            let value = write(&mut encoder)?;
            encoder.finish().map_err(lost)?;
            Ok(value)
        }
    }
}

/// How an answer is delivered.
pub struct Delivery {
    pub place: Admitted,
    pub leaving: Leaving,
    /// The size limit in bytes of an answer that must be complete before it is sent; `None` if it can be streamed.
    pub whole: Option<usize>,
    /// The size limit in bytes of any answer.
    pub longest: Option<u64>,
}

/// Starts a thread that writes an answer, and streams the answer to the client.
pub async fn deliver(
    delivery: Delivery,
    write: impl FnOnce(&mut Reply) -> Result<(), Ending> + Send + 'static,
) -> Response {
    let Delivery { place, leaving, whole, longest } = delivery;
    let (first, told) = oneshot::channel();
    let (sender, receiver) = mpsc::channel(AHEAD);
    let work = move || {
        let (headers, piece, first) = (HeaderMap::new(), Vec::new(), Some(first));
        let (since, written, too_long) = (None, 0, None);
        let mut reply = Reply { headers, piece, since, first, sender, place, whole, longest, written, too_long };
        let result = write(&mut reply);
        reply.end(result);
    };
    tokio::task::spawn_blocking(work);
    match told.await {
        Ok(First::Whole(headers, bytes)) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().extend(headers);
            response
        }
        Ok(First::Begun(headers)) => {
            let mut response = Response::new(Body::new(Pieces { receiver, _leaving: leaving, is_over: false }));
            response.headers_mut().extend(headers);
            response.headers_mut().remove(CONTENT_LENGTH);
            response
        }
        Ok(First::Ended(ending)) => ending.into_response(),
        // The thread panicked, and the panic was reported on standard error.
        Err(_) => {
            let detail = "this is a mistake in kgq itself; the server's log says more";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
        }
    }
}

/// The stream of an answer's pieces.
struct Pieces {
    receiver: mpsc::Receiver<Option<Bytes>>,
    _leaving: Leaving,
    is_over: bool,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let received = ready!(self.receiver.poll_recv(context));
        self.is_over = !matches!(received, Some(Some(_)));
        Poll::Ready(match received {
            Some(Some(piece)) => Some(Ok(Frame::data(piece))),
            Some(None) => None,
            // The thread stopped before the end, for whatever reason.
            None => Some(Err(Cut)),
        })
    }
}

/// Ends with 304 if the client names the tag of this answer as known.
pub fn unless_known(headers: &HeaderMap, known: Option<&str>) -> Result<(), Ending> {
    let Some(tag) = headers.get(ETAG).and_then(|tag| tag.to_str().ok()) else { return Ok(()) };
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let matches =
        known.is_some_and(|known| known.split(',').any(|known| known.trim() == "*" || plain(known) == plain(tag)));
    if matches { Err(Ending::NotModified(Box::new(headers.clone()))) } else { Ok(()) }
}
