//! `/sparql`: queries and updates by the SPARQL 1.1 Protocol, §2. Without a query, the answer describes the service.

use super::Shared;
use super::answer::{Question, cites, respond_to};
use super::conditions::Conditions;
use super::pages::{self, Wanted};
use super::problem::Problem;
use super::request::{RequestKey, pairs};
use super::service;
use super::update::{Sent, update};
use super::why;
use super::write::author;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use kgq_syntax::rdf::NamedNode;
use std::future::poll_fn;
use std::pin::Pin;

const METHODS: &str = "GET, HEAD, POST, OPTIONS";

pub async fn handle(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => respond(get(&server, &parts).await),
        Method::POST => respond(post(&server, &parts, body).await),
        Method::OPTIONS => options(METHODS),
        _ => Problem::method(METHODS).into_response(),
    }
}

/// Answers `OPTIONS` with the methods that an address supports.
pub fn options(methods: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, HeaderValue::from_static(methods))]).into_response()
}

pub fn respond(response: Result<Response, Problem>) -> Response {
    response.unwrap_or_else(IntoResponse::into_response)
}

async fn get(server: &Shared, parts: &Parts) -> Result<Response, Problem> {
    let asked = RequestKey::of(parts)?;
    if asked.all("update").next().is_some() {
        return Err(Problem::bad_request("an update is sent by POST"));
    }
    // Whoever opens the endpoint in a browser can enter a query there.
    if asked.path == "/sparql" && pages::wants(&asked) {
        let query = asked.one("query")?.map(str::to_owned);
        let about = why::about(&asked)?;
        return pages::page(server, asked, Wanted::Ask { query, part: false, about }).await;
    }
    of_answer(&asked)?;
    if asked.all("query").next().is_none() {
        return service::describe(server, asked).await;
    }
    question(server, asked).await
}

async fn post(server: &Shared, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let mut asked = RequestKey::of(parts)?;
    match content_type(&parts.headers)?.as_str() {
        "application/x-www-form-urlencoded" => {
            let body = read_body(server, &parts.headers, body).await?;
            asked.values.extend(pairs(&body)?);
        }
        "application/sparql-query" => {
            if asked.all("query").next().is_some() {
                return Err(Problem::bad_request("the query stands in the body and in the address"));
            }
            let body = read_body(server, &parts.headers, body).await?;
            let text = String::from_utf8(body).map_err(|_| Problem::bad_request("the query is not UTF-8"))?;
            asked.values.push(("query".into(), text));
        }
        "application/sparql-update" => {
            let sent = sent(server, parts)?;
            if asked.all("update").next().is_some() {
                return Err(Problem::bad_request("the update stands in the body and in the address"));
            }
            let body = read_body(server, &parts.headers, body).await?;
            let text = String::from_utf8(body).map_err(|_| Problem::bad_request("the update is not UTF-8"))?;
            asked.values.push(("update".into(), text));
            return update(server, asked, sent).await;
        }
        _ => {
            return Err(unsupported("the body has none of the protocol's types".into()).hint(
                "send the query as `application/sparql-query`, or as `query` in `application/x-www-form-urlencoded`",
            ));
        }
    }
    of_answer(&asked)?;
    if asked.all("update").next().is_some() {
        return update(server, asked, sent(server, parts)?).await;
    }
    question(server, asked).await
}

/// Checks the parameters that concern an answer, also for requests that get none.
fn of_answer(asked: &RequestKey) -> Result<(), Problem> {
    why::about(asked)?;
    cites(asked)?;
    graphs(asked, "default-graph-uri")?;
    graphs(asked, "named-graph-uri")?;
    Ok(())
}

/// The graphs that the request names by this parameter.
fn graphs(asked: &RequestKey, name: &str) -> Result<Vec<NamedNode>, Problem> {
    asked.all(name).map(graph_name).collect()
}

/// Collects who sends an update, and takes a place in the queue, if updates are accepted at all.
fn sent(server: &Shared, parts: &Parts) -> Result<Sent, Problem> {
    let author = author(server, parts)?;
    Ok(Sent { author, conditions: Conditions::of(&parts.headers), queued: server.writers.queue()? })
}

/// The media type of a body, without its parameters. A charset other than UTF-8 or its subset US-ASCII is refused.
pub fn content_type(headers: &HeaderMap) -> Result<String, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut fields = content_type.split(';').map(str::trim);
    let media_type = fields.next().unwrap_or_default().to_ascii_lowercase();
    let charset =
        fields.find_map(|field| field.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset")));
    if let Some((_, charset)) = charset
        && !["utf-8", "us-ascii"].contains(&charset.trim_matches('"').to_ascii_lowercase().as_str())
    {
        return Err(unsupported(format!("the body is in {charset}; the protocol has UTF-8")));
    }
    Ok(media_type)
}

fn unsupported(detail: String) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

/// How many bytes of a too long body are read and discarded: a client that is still sending would not see the refusal.
const PASSED_OVER: usize = 16 << 20;

/// Reads the whole body, up to the allowed length.
pub async fn read_body(server: &Shared, headers: &HeaderMap, mut body: Body) -> Result<Vec<u8>, Problem> {
    let codings = headers.get_all(CONTENT_ENCODING).iter();
    if codings.into_iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(unsupported("the body is coded; send it as it is".into())
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    let most = server.settings.longest_body;
    let read = async {
        let (mut bytes, mut length) = (Vec::new(), 0);
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|_| Problem::bad_request("the body broke off"))?;
            let data = frame.data_ref().map(AsRef::as_ref).unwrap_or_default();
            length += data.len();
            if length <= most {
                bytes.extend_from_slice(data);
            } else if length > most.saturating_add(PASSED_OVER) {
                break;
            }
        }
        match length <= most {
            true => Ok(bytes),
            false => Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {most} bytes"))),
        }
    };
    let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to come");
    tokio::time::timeout(server.settings.patience, read).await.map_err(late)?
}

async fn question(server: &Shared, asked: RequestKey) -> Result<Response, Problem> {
    let text = asked.one("query")?.ok_or_else(|| Problem::bad_request("there is no `query`"))?.to_owned();
    let (default, named) = (graphs(&asked, "default-graph-uri")?, graphs(&asked, "named-graph-uri")?);
    let dataset = (!default.is_empty() || !named.is_empty()).then_some((default, named));
    respond_to(server, asked, Question::Text { text, dataset }).await
}

/// Parses an absolute IRI as the name of a graph.
pub fn graph_name(text: &str) -> Result<NamedNode, Problem> {
    NamedNode::new(text)
        .map_err(|_| Problem::bad_request(format!("`{text}` is no absolute IRI, which a graph is named by")))
}
