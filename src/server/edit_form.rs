//! `/edit?iri=`: a thing corrected by a form. It shows the difference before it saves, and saves what was made of the version it showed.

use super::Shared;
use super::conditions::Conditions;
use super::door::foreign_origin;
use super::login::{foreign_form, sign_in_first};
use super::pages::own_page;
use super::problem::Problem;
use super::reply::Ending;
use super::request::{Asked, pairs};
use super::sessions::Signed;
use super::sparql::{options, read_body, respond};
use super::state::version_of;
use super::tokens::{Holder, Scope};
use super::work::{Job, work};
use super::write::{Desk, Plan, Told, Wish, write};
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use kgq_edit::form::{self, Field, Row, Wrong};
use kgq_edit::{Edit, Settings, Writer};
use kgq_engine::update::Change;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_site::{Correction, Step};
use kgq_syntax::error::{Kind, Result as Outcome};
use kgq_syntax::rdf::NamedNode;
use serde_json::Value;

const METHODS: &str = "GET, HEAD, POST, OPTIONS";
/// The longest answer of the writing half, in bytes.
const LONGEST_REPORT: usize = 1 << 20;

/// A form as it came.
#[derive(Clone)]
struct Sent {
    iri: String,
    version: String,
    message: String,
    rows: Vec<Row>,
    secret: String,
}

pub async fn handle(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => respond(open(&server, &parts).await),
        Method::POST => respond(take(&server, &parts, body).await),
        Method::OPTIONS => options(METHODS),
        _ => Problem::method(METHODS).into_response(),
    }
}

/// Who may write by forms; `None` is who should sign in first.
fn author(parts: &Parts) -> Result<Option<(Holder, Signed)>, Problem> {
    let (Some(holder), Some(signed)) = (parts.extensions.get::<Holder>(), parts.extensions.get::<Signed>()) else {
        return Ok(None);
    };
    match holder.scope {
        Scope::Write => Ok(Some((holder.clone(), signed.clone()))),
        Scope::Read => Err(Problem::forbidden(format!("the token of {} may read only", holder.name))),
    }
}

/// The form as nobody has filled it.
async fn open(server: &Shared, parts: &Parts) -> Result<Response, Problem> {
    let Some((_, signed)) = author(parts)? else { return Ok(sign_in_first(&parts.uri)) };
    let asked = Asked::of(parts)?;
    let iri = asked.one("iri")?.ok_or_else(|| Problem::bad_request("there is no `iri` to correct"))?.to_owned();
    let secret = signed.secret().to_owned();
    work(server, asked, move |job, _| {
        let graph = &job.held.graph;
        let thing = thing(graph, &iri)?;
        let failed = |error| Ending::from(job.server.problem(&error));
        let fields = form::fields(graph, &thing).map_err(failed)?;
        if fields.iter().all(|field| field.facts.is_empty()) {
            return Err(Problem::not_found(format!("the graph says nothing of <{}>", thing.as_str())).into());
        }
        let rows = form::rows(&fields, &languages(graph), graph.prefixes().map_err(failed)?);
        let version = job.held.version.clone();
        let sent = Sent { iri, version, message: String::new(), rows, secret };
        Err(page(job, StatusCode::OK, &thing, &fields, &sent, (&[], &[]), Step::Fill))
    })
    .await
}

fn thing(graph: &Graph, iri: &str) -> Result<NamedNode, Ending> {
    let expanded = graph.prefixes()?.expand(iri);
    let node = expanded.or_else(|| NamedNode::new(iri).ok());
    node.ok_or_else(|| Problem::bad_request(format!("`{iri}` is neither an IRI nor a CURIE")).into())
}

/// The languages in which the project wants its texts.
fn languages(graph: &Graph) -> Vec<String> {
    let asked = graph.project().map(|project| project.manifest.check.languages.clone()).unwrap_or_default();
    if asked.is_empty() { vec![graph.language()] } else { asked }
}

fn page(
    job: &Job<'_>,
    status: StatusCode,
    thing: &NamedNode,
    fields: &[Field],
    sent: &Sent,
    (wrong, refused): (&[Wrong], &[String]),
    step: Step<'_>,
) -> Ending {
    let Sent { version, message, rows, secret, .. } = sent;
    let correction = Correction { thing, fields, rows, wrong, refused, secret, version, message, step };
    own_page(job, status, |held, view| held.pages.edit(&correction, view))
}

/// A form that was filled.
async fn take(server: &Shared, parts: &Parts, body: Body) -> Result<Response, Problem> {
    if let Some(problem) = foreign_origin(server, &parts.headers) {
        return Err(problem);
    }
    let Some((author, signed)) = author(parts)? else { return Ok(sign_in_first(&parts.uri)) };
    let form = pairs(&read_body(server, body).await?)?;
    let field = |name: &str| form.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str());
    if !signed.is_own(field("secret")) {
        return Err(foreign_form());
    }
    let sent = Sent {
        iri: field("iri").to_owned(),
        version: field("version").to_owned(),
        message: field("message").trim().to_owned(),
        rows: rows(&form),
        secret: signed.secret().to_owned(),
    };
    let mut asked = Asked::of(parts)?;
    asked.values.extend(form.iter().filter(|(name, _)| name == "lang" || name == "message").cloned());
    match field("step") {
        "save" => save(server, asked, author, sent).await,
        "fill" => look(server, asked, sent, true).await,
        _ => look(server, asked, sent, false).await,
    }
}

/// The rows of a form, each of which begins with its property.
fn rows(form: &[(String, String)]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (name, value) in form {
        if name == "p" {
            rows.push(Row { property: value.clone(), ..Row::default() });
            continue;
        }
        let Some(row) = rows.last_mut() else { continue };
        match name.as_str() {
            "o" => row.old = value.clone(),
            "v" => row.value = value.clone(),
            "l" => row.language = value.clone(),
            "c" => row.sources = value.clone(),
            _ => {}
        }
    }
    rows
}

/// What a form would change of files that were read; or what is wrong with it.
struct Meant {
    fields: Vec<Field>,
    change: Result<(Change, Edit), Vec<Wrong>>,
}

fn meant(writer: &Writer, thing: &NamedNode, rows: &[Row]) -> Outcome<Meant> {
    let fields = form::fields(&writer.graph, thing)?;
    let change = match form::change(&writer.graph, &writer.files, thing, &fields, rows)? {
        Err(wrong) => return Ok(Meant { fields, change: Err(wrong) }),
        Ok(change) => change,
    };
    let edit = kgq_edit::edit(&writer.graph, &writer.files, &change, &Settings::default())?;
    let uncited = form::uncited(&writer.graph, &edit, &change.added)?;
    let mut wrong: Vec<Wrong> = Vec::new();
    for quad in &uncited {
        let is_of = |row: &Row| row.property == quad.predicate.as_str();
        let is_new = |row: &Row| row.old != quad.object.to_string() && !row.value.trim().is_empty();
        let lacks = |row: &Row| is_of(row) && is_new(row) && row.sources.trim().is_empty();
        let row = rows.iter().position(lacks).or_else(|| rows.iter().position(is_of)).unwrap_or_default();
        wrong.push(Wrong { row, message: "this project asks for a citation: name a source of the graph".into() });
    }
    let change = if wrong.is_empty() { Ok((change, edit)) } else { Err(wrong) };
    Ok(Meant { fields, change })
}

/// Shows the difference that a form makes, or the form once more.
async fn look(server: &Shared, asked: Asked, sent: Sent, again: bool) -> Result<Response, Problem> {
    work(server, asked, move |job, _| {
        let failed = |error| Ending::from(job.server.problem(&error));
        let thing = thing(&job.held.graph, &sent.iri)?;
        if again {
            let fields = form::fields(&job.held.graph, &thing).map_err(failed)?;
            return Err(page(job, StatusCode::OK, &thing, &fields, &sent, (&[], &[]), Step::Fill));
        }
        let options = OpenOptions { budget: job.options.budget.clone(), ..job.held.graph.options().clone() };
        let writer = Graph::open(options).and_then(|graph| Writer::looking(&graph)).map_err(failed)?;
        let refused = |status, reasons: &[String]| match form::fields(&job.held.graph, &thing) {
            Ok(fields) => page(job, status, &thing, &fields, &sent, (&[], reasons), Step::Fill),
            Err(error) => failed(error),
        };
        if version_of(&writer.graph).map_err(failed)? != sent.version {
            let reasons = [CHANGED, OPEN_AGAIN].map(str::to_owned);
            return Err(refused(StatusCode::PRECONDITION_FAILED, &reasons));
        }
        let Meant { fields, change } = match meant(&writer, &thing, &sent.rows) {
            Err(error) if matches!(error.kind(), Kind::Input | Kind::Policy) => {
                let hints = crate::hints::of(&error).map(str::to_owned);
                let reasons: Vec<String> = std::iter::once(error.message().to_owned()).chain(hints).collect();
                return Err(refused(StatusCode::CONFLICT, &reasons));
            }
            meant => meant.map_err(failed)?,
        };
        Err(match change {
            Err(wrong) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                page(job, status, &thing, &fields, &sent, (&wrong, &[]), Step::Fill)
            }
            Ok((_, edit)) => {
                let difference: String = edit.changes.iter().map(kgq_edit::FileChange::diff).collect();
                page(job, StatusCode::OK, &thing, &fields, &sent, (&[], &[]), Step::Look { difference: &difference })
            }
        })
    })
    .await
}

const CHANGED: &str = "the graph has changed since the form was opened";
const OPEN_AGAIN: &str = "open the form again: it then shows what is there now";

/// Saves what a form changes, and says so.
async fn save(server: &Shared, asked: Asked, author: Holder, sent: Sent) -> Result<Response, Problem> {
    let conditions = Conditions::of_version(&sent.version);
    let title = format!("Correct <{}>", sent.iri);
    let wish = Wish { author, conditions, title, queued: server.writers.queue()? };
    let own = sent.clone();
    let written = write(server, asked.clone(), wish, move |desk| plan(desk, &own)).await;
    let written = written.unwrap_or_else(IntoResponse::into_response);
    let status = written.status();
    let body = to_bytes(written.into_body(), LONGEST_REPORT).await.unwrap_or_default();
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    work(server, asked, move |job, _| {
        let failed = |error| Ending::from(job.server.problem(&error));
        let thing = thing(&job.held.graph, &sent.iri)?;
        let fields = form::fields(&job.held.graph, &thing).map_err(failed)?;
        let texts = |name: &str| -> Vec<String> {
            told[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        if status.is_success() {
            let (files, warnings) = (texts("files"), texts("warnings"));
            let step = Step::Saved { files: &files, committed: told["committed"] == true, warnings: &warnings };
            return Err(page(job, status, &thing, &fields, &sent, (&[], &[]), step));
        }
        let mut refused = vec![told["detail"].as_str().unwrap_or_default().to_owned()];
        let findings = told["findings"].as_array().into_iter().flatten();
        refused.extend(findings.filter_map(|finding| finding["message"].as_str()).map(str::to_owned));
        refused.extend(texts("hints"));
        Err(page(job, status, &thing, &fields, &sent, (&[], &refused), Step::Fill))
    })
    .await
}

fn plan(desk: &Desk<'_>, sent: &Sent) -> Result<Plan, Ending> {
    desk.check(true)?;
    let failed = |error| Ending::from(desk.job.server.problem(&error));
    let thing = thing(&desk.writer.graph, &sent.iri)?;
    match meant(desk.writer, &thing, &sent.rows).map_err(failed)?.change {
        Ok((change, _)) => Ok(Plan { change, settings: Settings::default(), reply: Told::Report }),
        Err(wrong) => {
            let message = wrong.first().map_or("", |wrong| wrong.message.as_str()).to_owned();
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message).into())
        }
    }
}
