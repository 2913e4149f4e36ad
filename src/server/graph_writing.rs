//! Changes whole graphs by the SPARQL 1.1 Graph Store HTTP Protocol, §5: PUT, POST, PATCH and DELETE.

use super::Shared;
use super::conditions::Conditions;
use super::problem::Problem;
use super::rdf::{SentRdf, statements, texts};
use super::reply::Ending;
use super::request::RequestKey;
use super::sparql::{content_type, read_body};
use super::write::{Desk, Plan, Told, Wish, author, write};
use axum::body::Body;
use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use kgq_edit::{Settings, graphs};
use kgq_engine::update::Change;
use kgq_graph::graph::UpdateContext;
use kgq_syntax::error::{Error, Source};
use kgq_syntax::rdf::{GraphName, NamedNode};
use kgq_syntax::text::hexadecimal;
use sha2::{Digest, Sha256};

/// The graph that a request writes to.
pub enum Target {
    Default,
    /// A named graph, with all names that the address can stand for.
    Named(Vec<NamedNode>),
    /// A graph without a name yet, to be created below this address.
    New(String),
}

impl Target {
    /// Returns the name of the graph, and whether the graph exists.
    fn find(&self, desk: &Desk<'_>, texts: &[SentRdf]) -> Result<(GraphName, bool), Ending> {
        let exists = |name: &GraphName| graphs::exists(&desk.writer.files, name);
        match self {
            Self::Default => Ok((GraphName::DefaultGraph, true)),
            Self::Named(names) => {
                let all: Vec<GraphName> = names.iter().cloned().map(GraphName::from).collect();
                let known = all.iter().find(|name| exists(name)).cloned();
                let there = known.is_some();
                let name = known.or_else(|| all.into_iter().next());
                Ok((name.ok_or_else(|| Problem::bad_request("the address is no name of a graph"))?, there))
            }
            Self::New(place) => {
                for number in 0_u64.. {
                    let mut hash = Sha256::new().chain_update(number.to_le_bytes());
                    texts.iter().for_each(|text| hash.update(text.bytes()));
                    let short = hexadecimal(&hash.finalize()[..8]);
                    let name = NamedNode::new(format!("{place}{short}"));
                    let name = name.map_err(|_| Problem::bad_request("no graph can be named below this address"))?;
                    let name = GraphName::NamedNode(name);
                    if !exists(&name) {
                        return Ok((name, false));
                    }
                }
                Err(Error::bug("all names are taken").into())
            }
        }
    }
}

/// Changes a graph as a request says. Permission is checked first, so that nobody else learns which graphs exist.
pub async fn change(
    server: &Shared,
    parts: &Parts,
    body: Body,
    target: impl FnOnce(&RequestKey) -> Result<Target, Problem>,
) -> Result<Response, Problem> {
    let author = author(server, parts)?;
    let asked = RequestKey::of(parts)?;
    let target = target(&asked)?;
    let conditions = Conditions::of(&parts.headers);
    let method = parts.method.clone();
    let wish = Wish { author, conditions, queued: server.writers.queue()? };
    let body = read_body(server, &parts.headers, body).await?;
    let address = format!("{}{}", server.address_for(&asked), asked.path);
    match method {
        Method::DELETE => write(server, asked, wish, move |desk| remove(desk, &target)).await,
        Method::PATCH => {
            if content_type(&parts.headers)? != "application/sparql-update" {
                let accepted = HeaderValue::from_static("application/sparql-update");
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a patch of a graph is a SPARQL Update")
                    .header(HeaderName::from_static("accept-patch"), accepted));
            }
            let text = String::from_utf8(body).map_err(|_| Problem::bad_request("the update is not UTF-8"))?;
            let _ = asked.tally.query.set(text.clone());
            write(server, asked, wish, move |desk| patch(desk, &target, &text, address)).await
        }
        _ => {
            let texts = texts(&parts.headers, body).await?;
            let is_whole = method == Method::PUT;
            write(server, asked, wish, move |desk| store(desk, &target, texts, &address, is_whole)).await
        }
    }
}

/// PUT replaces a graph, POST adds to it.
fn store(desk: &Desk<'_>, target: &Target, texts: Vec<SentRdf>, address: &str, is_whole: bool) -> Result<Plan, Ending> {
    let (name, is_there) = target.find(desk, &texts)?;
    desk.check(is_there)?;
    let graph = &desk.writer.graph;
    let base = match &name {
        GraphName::NamedNode(name) => name.as_str(),
        _ => graph.base().unwrap_or(address),
    };
    let (quads, prefixes) = statements(graph, texts, Some(base)).map_err(|error| desk.job.server.problem(&error))?;
    let is_empty = quads.is_empty();
    let files = &desk.writer.files;
    let change = match is_whole {
        true => graphs::replace(graph, files, &name, quads),
        false => graphs::extend(graph, files, &name, quads),
    };
    let change = change.map_err(|error| desk.job.server.problem(&error))?;
    let made = (!is_there && !is_empty).then_some(&name);
    let title = match (made, is_whole) {
        (Some(_), _) => format!("Make {}", called(&name)),
        (None, true) => format!("Replace {}", called(&name)),
        (None, false) => format!("Add to {}", called(&name)),
    };
    let reply = match made {
        Some(GraphName::NamedNode(name)) => Told::Status(StatusCode::CREATED, location(name)),
        // A graph without statements is not kept, so no address of it is returned.
        _ => Told::Status(StatusCode::NO_CONTENT, None),
    };
    Ok(Plan { title, change, settings: Settings { prefixes, ..Settings::default() }, reply, advice: None })
}

/// The name of a graph in a commit message.
fn called(name: &GraphName) -> String {
    match name {
        GraphName::DefaultGraph => "the default graph".to_owned(),
        name => format!("the graph {name}"),
    }
}

/// The address of a graph that was created.
fn location(name: &NamedNode) -> Option<HeaderValue> {
    let ascii = percent_encoding::utf8_percent_encode(name.as_str(), percent_encoding::CONTROLS).to_string();
    HeaderValue::from_str(&ascii).ok()
}

fn remove(desk: &Desk<'_>, target: &Target) -> Result<Plan, Ending> {
    let name = existing(desk, target)?;
    let change = graphs::remove(&desk.writer.files, &name);
    Ok(done(format!("Remove {}", called(&name)), change, Settings::default()))
}

fn patch(desk: &Desk<'_>, target: &Target, text: &str, address: String) -> Result<Plan, Ending> {
    let name = existing(desk, target)?;
    let context = UpdateContext { base: Some(address), dataset: None };
    let (graph, files) = (&desk.writer.graph, &desk.writer.files);
    let change = graphs::patch(graph, files, &name, Source::new("update", text), &context);
    let change = change.map_err(|error| desk.job.server.problem(&error))?;
    let elsewhere = "the update writes to another graph than that of the address";
    let change = change.ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, elsewhere)
            .hint("it sees this graph as its default graph; one of several graphs goes to `/sparql`")
    })?;
    Ok(done(format!("Change {}", called(&name)), change, Settings::of_update(text, false)))
}

fn done(title: String, change: Change, settings: Settings) -> Plan {
    Plan { title, change, settings, reply: Told::Status(StatusCode::NO_CONTENT, None), advice: None }
}

/// Returns the graph of a request that requires it to exist.
fn existing(desk: &Desk<'_>, target: &Target) -> Result<GraphName, Ending> {
    let (name, is_there) = target.find(desk, &[])?;
    desk.check(is_there)?;
    if is_there { Ok(name) } else { Err(Problem::not_found(format!("there is no graph {name}")).into()) }
}
