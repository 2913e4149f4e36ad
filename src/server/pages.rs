//! HTML pages for people: the site of the graph, at the same addresses as its data, for clients that prefer HTML.

use super::Shared;
use super::background::answer_all;
use super::find::near_things;
use super::negotiate::{self, Coding};
use super::openapi::description;
use super::problem::Problem;
use super::reply::{Ending, Reply, coded, unless_known};
use super::request::{RequestKey, pairs};
use super::sparql::{options as methods, read_body, respond};
use super::state::Held;
use super::things::candidates;
use super::why::{About, about};
use super::work::{Job, work};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use kgq_site::{Audience, Missing, Page};
use kgq_syntax::error::{Error, Kind, Result as Outcome};
use kgq_syntax::text::hexadecimal;
use serde_json::Value;
use sha2::{Digest, Sha256};

const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// Which page a client wants.
pub enum Wanted {
    /// The page at a path, with the path as it stands in the address.
    Path(String),
    /// The page of any IRI.
    About(String),
    /// A canned query with its form, run with these values.
    Query { name: String, values: Vec<(String, String)>, about: Option<About> },
    /// The query page, with the answer if there is a query; with `part`, only the answer.
    Ask { query: Option<String>, part: bool, about: Option<About> },
    /// The documentation of this server's addresses, for programmers.
    Docs,
}

/// Whether the client prefers a page to data: HTML is its first choice, or as good as the types that it lists after it.
pub fn wants(asked: &RequestKey) -> bool {
    let by_name = asked.all("format").next().is_some();
    !by_name && asked.accept.as_deref().is_some_and(negotiate::likes_html)
}

/// Whether a path is that of a file of the site, such as a script, by its extension.
pub fn is_file(path: &str) -> bool {
    const ENDINGS: [&str; 12] = ["html", "css", "js", "svg", "ttl", "jsonld", "nt", "nq", "trig", "txt", "xml", "rq"];
    path.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// `/ask`: the query page; the query is in the address or in the submitted form.
pub async fn ask(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let answered = async {
        let mut asked = RequestKey::of(&parts)?;
        if parts.method == Method::POST {
            asked.values.extend(pairs(&read_body(&server, &parts.headers, body).await?)?);
        }
        let query = asked.one("query")?.map(str::to_owned).filter(|query| !query.trim().is_empty());
        let part = asked.one("part")?.is_some();
        let about = about(&asked)?;
        page(&server, asked, Wanted::Ask { query, part, about }).await
    };
    match parts.method {
        Method::GET | Method::HEAD | Method::POST => respond(answered.await),
        Method::OPTIONS => methods(METHODS),
        _ => Problem::method(METHODS).into_response(),
    }
}

/// `/docs`: documents what this server answers.
pub async fn docs(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    respond(async { page(&server, RequestKey::of(&parts)?, Wanted::Docs).await }.await)
}

/// Makes a page on its own thread, within the limits of a query.
pub async fn page(server: &Shared, asked: RequestKey, wanted: Wanted) -> Result<Response, Problem> {
    work(server, asked, move |job, reply| write(job, &wanted, reply)).await
}

/// Writes the file of the site at this path, and returns whether there is one.
pub fn write_file(job: &Job<'_>, path: &str, reply: &mut Reply) -> Result<bool, Ending> {
    let Some(page) = made(job, &Wanted::Path(path.to_owned()))? else { return Ok(false) };
    send(job, &page, reply)?;
    Ok(true)
}

fn write(job: &Job<'_>, wanted: &Wanted, reply: &mut Reply) -> Result<(), Ending> {
    if let Wanted::Ask { query: Some(query), .. } = wanted {
        // The query is recorded once per request.
        let _ = job.asked.tally.query.set(query.clone());
    }
    if let Some(page) = made(job, wanted)? {
        return send(job, &page, reply);
    }
    missing(job, wanted, reply)
}

/// Writes a page that says that nothing is there, and what may have been meant.
fn missing(job: &Job<'_>, wanted: &Wanted, reply: &mut Reply) -> Result<(), Ending> {
    let named = match wanted {
        Wanted::Path(path) => candidates(job.held.graph.base(), path)?,
        Wanted::About(_) | Wanted::Query { .. } | Wanted::Ask { .. } | Wanted::Docs => Vec::new(),
    };
    let (why, status) = match job.held.knew(&named) {
        true => (Missing::Gone, StatusCode::GONE),
        false => (Missing::Unknown, StatusCode::NOT_FOUND),
    };
    let near = match (wanted, named.first()) {
        (_, Some(thing)) => near_things(job, thing.as_str())?,
        (Wanted::About(iri), None) => near_things(job, iri)?,
        (_, None) => Vec::new(),
    };
    let broken = broken(job);
    let path = job.asked.path.trim_start_matches('/');
    let page = viewed(job, broken.as_deref(), |held, view| held.pages.missing(path, why, &near, view));
    let page = page.map_err(|error| job.server.problem(&error))?;
    head(job, &page, Coding::Identity, reply);
    Err(Ending::Other(status, Box::new(std::mem::take(reply.headers())), page.body))
}

/// Makes a page for this client only, with this status; it is not cached.
pub fn own_page(job: &Job<'_>, status: StatusCode, make: impl FnOnce(&Held, &Audience<'_>) -> Outcome<Page>) -> Ending {
    let broken = broken(job);
    let page = match viewed(job, broken.as_deref(), make) {
        Ok(page) => page,
        Err(error) => return job.server.problem(&error).into(),
    };
    let mut headers = HeaderMap::new();
    describe(&page, &mut headers);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ending::Other(status, Box::new(headers), page.body)
}

fn made(job: &Job<'_>, wanted: &Wanted) -> Result<Option<Page>, Ending> {
    let broken = broken(job);
    let described = matches!(wanted, Wanted::Docs).then(|| description(job)).transpose()?;
    let made = viewed(job, broken.as_deref(), |held, view| match wanted {
        Wanted::Path(path) => held.pages.page(path, view),
        Wanted::About(iri) => held.pages.about(iri, view),
        Wanted::Query { name, values, about } => {
            held.pages.query(name, values, about.as_ref().map(About::in_page), &job.options, view)
        }
        Wanted::Ask { query, part, about } => {
            let about = about.as_ref().map(About::in_page);
            let question = kgq_site::Question { query: query.as_deref(), part: *part, about };
            held.pages.ask(&question, &job.options, view).map(Some)
        }
        Wanted::Docs => held.pages.docs(described.as_ref().unwrap_or(&Value::Null), view).map(Some),
    });
    let made = made.map_err(|error| job.server.problem(&error))?;
    if made.as_ref().is_some_and(|page| page.language.is_some()) {
        answer_all(job.server, job.held);
    }
    Ok(made)
}

/// Views the pages in the language that the reader chose; else in the one that the client likes best of those the site has, where `de`
/// serves who asks for `de-AT`; else in that of the graph.
fn viewed<T>(job: &Job<'_>, broken: Option<&str>, look: impl FnOnce(&Held, &Audience<'_>) -> Outcome<T>) -> Outcome<T> {
    let (held, asked) = (job.held, job.asked);
    let chosen = asked.all("lang").next().filter(|tag| is_tag(tag)).map(str::to_ascii_lowercase);
    let own = || -> Outcome<String> {
        let known = held.pages.languages(&job.options.budget)?;
        let liked = asked.languages().into_iter().flat_map(|tag| {
            let tag = tag.to_ascii_lowercase();
            let primary = tag.split('-').next().unwrap_or_default().to_owned();
            [tag, primary]
        });
        let known = liked.into_iter().find(|tag| known.iter().any(|known| known == tag));
        Ok(known.unwrap_or_else(|| held.graph.language()))
    };
    let language = chosen.clone().map_or_else(own, Ok)?;
    let budget = &job.options.budget;
    let editable = job.server.settings.writing.is_some();
    look(held, &Audience { language: &language, chosen: chosen.is_some(), broken, editable, budget })
}

/// Whether a text is safe to repeat in a page as a language tag.
fn is_tag(text: &str) -> bool {
    (1..=35).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Why the current files cannot be read, without anything that is not public.
fn broken(job: &Job<'_>) -> Option<String> {
    let error: Error = job.server.live.broken()?;
    Some(match (error.kind(), error.place()) {
        // The system's message may contain a path of this machine.
        (Kind::Io | Kind::Bug, _) => "the server's log says why".to_owned(),
        (_, Some(place)) => format!("{place}: {}", error.message()),
        (_, None) => error.message().to_owned(),
    })
}

fn send(job: &Job<'_>, page: &Page, reply: &mut Reply) -> Result<(), Ending> {
    let coding = negotiate::coding(job.asked.accept_encoding.as_deref());
    head(job, page, coding, reply);
    unless_known(reply.headers(), job.asked.if_none_match.as_deref())?;
    coded(reply, coding, |out| Ok(out.write_all(&page.body).map_err(|error| Error::io("the answer", &error))?))
}

fn head(job: &Job<'_>, page: &Page, coding: Coding, reply: &mut Reply) {
    // A page depends on more than the graph, so its tag is computed from its bytes.
    let digest = Sha256::new().chain_update(coding.name()).chain_update(&page.body).finalize();
    let tag = hexadecimal(&digest[..16]);
    let headers = reply.headers();
    describe(page, headers);
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding, Accept-Language"));
    headers.insert(CACHE_CONTROL, job.server.settings.caching());
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}-{tag}\"", job.held.version)) {
        headers.insert(ETAG, tag);
    }
}

/// Sets the headers that say what a page is, and what it may load and run.
fn describe(page: &Page, headers: &mut HeaderMap) {
    let policy = page.policy.map(|policy| format!("{policy}; frame-ancestors 'none'"));
    let values: [(HeaderName, Option<String>); 3] = [
        (CONTENT_TYPE, Some(page.media_type.to_owned())),
        (CONTENT_LANGUAGE, page.language.clone()),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    for (name, value) in values {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
}
