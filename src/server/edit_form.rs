//! `/edit?iri=` edits a thing by a form; `/edit?class=` creates one. The form shows the difference before it saves, and
//! saves only if the graph still has the version that the difference was made from.

use super::Shared;
use super::conditions::Conditions;
use super::door::foreign_origin;
use super::login::{foreign_form, sign_in_first};
use super::pages::{own_page, wants};
use super::problem::Problem;
use super::reply::Ending;
use super::request::{RequestKey, pairs};
use super::sessions::Signed;
use super::sparql::{options, read_body};
use super::state::version_of;
use super::tokens::Holder;
use super::work::{Job, work};
use super::write::{Desk, Done, Plan, Told, Wish, conflict, may_write, opened, unreadable, write_and_tell};
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use kgq_edit::form::{self, Field, Row, Wrong};
use kgq_edit::{Edit, Settings, Writer};
use kgq_engine::update::Change;
use kgq_graph::graph::Graph;
use kgq_site::{Correction, Edited, Step};
use kgq_syntax::error::Result as Outcome;
use kgq_syntax::rdf::NamedNode;

const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// A submitted form.
#[derive(Clone)]
struct Sent {
    /// The IRI of the thing. It is empty for a new thing that is to be named after its label.
    iri: String,
    /// The class of a new thing.
    class: String,
    version: String,
    message: String,
    rows: Vec<Row>,
    secret: String,
}

pub async fn handle(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let answered = match parts.method {
        Method::GET | Method::HEAD => open(&server, &parts).await,
        Method::POST => take(&server, &parts, body).await,
        Method::OPTIONS => return options(METHODS),
        _ => Err(Problem::method(METHODS)),
    };
    match answered {
        Ok(response) => response,
        Err(problem) => in_words(&server, &parts, problem).await,
    }
}

/// Explains as a page why there is no form, if a browser asked for a page.
async fn in_words(server: &Shared, parts: &Parts, problem: Problem) -> Response {
    // If there is no capacity for a form, there is none for a page either.
    if problem.status() == StatusCode::TOO_MANY_REQUESTS {
        return problem.into_response();
    }
    let Ok(asked) = RequestKey::of(parts) else { return problem.into_response() };
    let told = problem.clone();
    let page = work(server, asked, move |job, _| Err(without_form(job, told.into()))).await;
    page.unwrap_or_else(|_| problem.into_response())
}

/// Does the same inside a job.
fn without_form(job: &Job<'_>, ending: Ending) -> Ending {
    let Ending::Failed(problem) = ending else { return ending };
    if !wants(job.asked) {
        return problem.into();
    }
    let reasons = problem.sentences();
    match own_page(job, problem.status(), |held, view| held.pages.refused(&reasons, view)) {
        Ending::Other(status, mut headers, body) => {
            headers.extend(problem.headers().clone());
            Ending::Other(status, headers, body)
        }
        _ => problem.into(),
    }
}

/// Returns who may write by forms, or `None` if the user has to sign in first.
fn author(parts: &Parts) -> Result<Option<(Holder, Signed)>, Problem> {
    let (Some(holder), Some(signed)) = (parts.extensions.get::<Holder>(), parts.extensions.get::<Signed>()) else {
        return Ok(None);
    };
    Ok(Some((may_write(holder)?.clone(), signed.clone())))
}

/// Shows the form before anything was entered.
async fn open(server: &Shared, parts: &Parts) -> Result<Response, Problem> {
    let Some((_, signed)) = author(parts)? else {
        let here = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        return Ok(sign_in_first(here));
    };
    let asked = RequestKey::of(parts)?;
    let (iri, class) = (asked.one("iri")?.map(str::to_owned), asked.one("class")?.map(str::to_owned));
    if iri.is_none() && class.is_none() {
        return Err(Problem::bad_request("there is no `iri` to correct, and no `class` of a thing to make"));
    }
    let secret = signed.secret().to_owned();
    let opened = move |job: &Job<'_>| {
        let graph = &job.held.graph;
        let failed = |error| Ending::from(job.server.problem(&error));
        let (iri, class) = (iri.unwrap_or_default(), class.unwrap_or_default());
        let version = job.held.version.clone();
        let (message, rows) = (String::new(), Vec::new());
        let mut sent = Sent { iri, class, version, message, rows, secret };
        let form = Form::of(graph, &sent)?;
        if form.fields.iter().all(|field| field.facts.is_empty()) && !form.is_new() {
            return Err(Problem::not_found(format!("the graph says nothing of <{}>", form.node.as_str())).into());
        }
        if form.is_new() && !is_known(graph, &form.node).map_err(failed)? {
            return Err(Problem::not_found(format!("the graph knows no class <{}>", form.node.as_str())).into());
        }
        sent.rows = form::rows(&form.fields, &languages(graph), graph.prefixes().map_err(failed)?);
        Ok(page(job, StatusCode::OK, &form, &sent, (&[], &[]), Step::Fill))
    };
    work(server, asked, move |job, _| Err(opened(job).unwrap_or_else(|ending| without_form(job, ending)))).await
}

fn thing(graph: &Graph, iri: &str) -> Result<NamedNode, Ending> {
    let expanded = graph.prefixes()?.expand(iri);
    let node = expanded.or_else(|| NamedNode::new(iri).ok());
    node.ok_or_else(|| Problem::bad_request(format!("`{iri}` is neither an IRI nor a CURIE")).into())
}

/// The subject of a form, with its fields.
struct Form {
    /// The thing, or the class of a new thing.
    node: NamedNode,
    fields: Vec<Field>,
    /// The name chosen for a new thing, as far as it is known; `None` if the thing exists.
    new: Option<String>,
}

impl Form {
    fn of(graph: &Graph, sent: &Sent) -> Result<Self, Ending> {
        if sent.class.is_empty() {
            let node = thing(graph, &sent.iri)?;
            return Ok(Self { fields: form::fields(graph, &node)?, node, new: None });
        }
        let node = thing(graph, &sent.class)?;
        Ok(Self { fields: form::fields_of_new(graph, &node)?, node, new: Some(sent.iri.clone()) })
    }

    fn is_new(&self) -> bool {
        self.new.is_some()
    }

    /// The class of a new thing.
    fn class(&self) -> Option<&NamedNode> {
        Some(&self.node).filter(|_| self.is_new())
    }

    /// Returns the thing that the rows describe. A new thing must not exist yet.
    fn thing(&self, graph: &Graph, sent: &Sent) -> Result<NamedNode, Ending> {
        if !self.is_new() {
            return Ok(self.node.clone());
        }
        let named = match sent.iri.trim() {
            "" => form::proposed(graph, &self.node, &sent.rows)?,
            iri => Some(thing(graph, iri)?),
        };
        let unnamed = || {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "there is no label to make a name of")
                .hint("fill in a label, or say the name: an IRI or a CURIE")
        };
        let named = named.ok_or_else(unnamed)?;
        if says_something_of(graph, &named)? {
            let taken = format!("there is {} already", graph.prefixes()?.display(named.as_str()));
            return Err(Problem::new(StatusCode::CONFLICT, taken)
                .hint("correct it, if it is the same; else give this one another name")
                .into());
        }
        Ok(named)
    }
}

fn says_something_of(graph: &Graph, thing: &NamedNode) -> Outcome<bool> {
    let snapshot = graph.snapshot()?;
    let found = snapshot.id(thing.as_ref().into()).is_some_and(|id| snapshot.has([Some(id), None, None]));
    graph.intact()?;
    Ok(found)
}

/// Whether a statement has the class as its subject, or as its object: for a member, a subclass, a shape.
fn is_known(graph: &Graph, class: &NamedNode) -> Outcome<bool> {
    let snapshot = graph.snapshot()?;
    let is_object = snapshot.id(class.as_ref().into()).is_some_and(|id| snapshot.has([None, None, Some(id)]));
    Ok(says_something_of(graph, class)? || is_object)
}

/// The languages in which the project requires its texts.
fn languages(graph: &Graph) -> Vec<String> {
    let asked = graph.project().map(|project| project.manifest.check.languages.clone()).unwrap_or_default();
    if asked.is_empty() { vec![graph.language()] } else { asked }
}

fn page(
    job: &Job<'_>,
    status: StatusCode,
    form: &Form,
    sent: &Sent,
    (wrong, refused): (&[Wrong], &[String]),
    step: Step<'_>,
) -> Ending {
    let Sent { version, message, rows, secret, .. } = sent;
    let Form { node, fields, new } = form;
    let about = match new {
        None => Edited::Thing(node),
        Some(iri) => Edited::New { class: node, iri },
    };
    let correction = Correction { about, fields, rows, wrong, refused, secret, version, message, step };
    own_page(job, status, |held, view| held.pages.edit(&correction, view))
}

/// Handles a submitted form.
async fn take(server: &Shared, parts: &Parts, body: Body) -> Result<Response, Problem> {
    if let Some(problem) = foreign_origin(server, &parts.headers) {
        return Err(problem);
    }
    let form = pairs(&read_body(server, &parts.headers, body).await?)?;
    let field = |name: &str| form.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str());
    let Some((author, signed)) = author(parts)? else {
        let key = if field("class").is_empty() { "iri" } else { "class" };
        let value: String = form_urlencoded::byte_serialize(field(key).as_bytes()).collect();
        return Ok(sign_in_first(&format!("/edit?{key}={value}")));
    };
    if !signed.is_own(field("secret")) {
        return Err(foreign_form());
    }
    let sent = Sent {
        iri: field("iri").trim().to_owned(),
        class: field("class").to_owned(),
        version: field("version").to_owned(),
        message: field("message").trim().to_owned(),
        rows: rows(&form),
        secret: signed.secret().to_owned(),
    };
    let mut asked = RequestKey::of(parts)?;
    asked.values.extend(form.iter().filter(|(name, _)| name == "lang" || name == "message").cloned());
    let own = sent.clone();
    let answered = match field("step") {
        "save" => save(server, asked.clone(), author, own).await,
        "fill" => work(server, asked.clone(), move |job, _| Err(told(job, &own, fill(job, &own)))).await,
        _ => work(server, asked.clone(), move |job, _| Err(told(job, &own, look(job, &own)))).await,
    };
    let Err(problem) = answered else { return answered };
    // Nothing was changed: show what was entered once more.
    let why = problem.clone();
    let again = work(server, asked, move |job, _| Err(told(job, &sent, Err(why.into())))).await;
    again.map_err(|_| problem)
}

/// Returns the page of a form; if that failed, the form once more with the reasons.
fn told(job: &Job<'_>, sent: &Sent, page: Result<Ending, Ending>) -> Ending {
    match page {
        Ok(page) => page,
        Err(Ending::Failed(problem)) => {
            again(job, sent, &problem).unwrap_or_else(|_| without_form(job, problem.into()))
        }
        Err(ending) => ending,
    }
}

/// Shows the form as it was submitted, with what is wrong.
fn again(job: &Job<'_>, sent: &Sent, problem: &Problem) -> Result<Ending, Ending> {
    let form = Form::of(&job.held.graph, sent)?;
    match page(job, problem.status(), &form, sent, (&[], &problem.sentences()), Step::Fill) {
        Ending::Other(status, mut headers, body) => {
            headers.extend(problem.headers().clone());
            Ok(Ending::Other(status, headers, body))
        }
        ending => Err(ending),
    }
}

/// Splits the fields of a form into rows. Each row begins with its property.
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
            "n" => row.within = value.clone(),
            "c" => row.sources = value.clone(),
            "d" => row.document = value.clone(),
            "w" => row.words = value.clone(),
            _ => {}
        }
    }
    rows
}

/// The change that a form makes to the files as they were read, or what is wrong with the form.
type Meant = Result<(Change, Edit), Vec<Wrong>>;

fn meant(writer: &Writer, form: &Form, thing: &NamedNode, rows: &[Row]) -> Outcome<Meant> {
    let change = form::change(&writer.graph, &writer.files, thing, form.class(), &form.fields, rows)?;
    let change = match change {
        Err(wrong) => return Ok(Err(wrong)),
        Ok(change) => change,
    };
    let edit = kgq_edit::edit(&writer.graph, &writer.files, &change, &Settings::default())?;
    writer.graph.options().budget.check()?;
    let uncited = form::uncited(&writer.graph, &edit, &change.added)?;
    let mut wrong: Vec<Wrong> = Vec::new();
    for quad in &uncited {
        let is_of = |row: &Row| row.property == quad.predicate.as_str();
        let is_new = |row: &Row| row.old != quad.object.to_string() && !row.value.trim().is_empty();
        let lacks = |row: &Row| is_of(row) && is_new(row) && row.sources.trim().is_empty();
        let row = rows.iter().position(lacks).or_else(|| rows.iter().position(is_of)).unwrap_or_default();
        let message = "this project asks for a citation: name one of the graph, or make a new one".into();
        wrong.push(Wrong { row, message });
    }
    Ok(if wrong.is_empty() { Ok((change, edit)) } else { Err(wrong) })
}

/// Shows the form as it was submitted, to be filled in further.
fn fill(job: &Job<'_>, sent: &Sent) -> Result<Ending, Ending> {
    let form = Form::of(&job.held.graph, sent)?;
    Ok(page(job, StatusCode::OK, &form, sent, (&[], &[]), Step::Fill))
}

/// Shows the difference that a form makes.
fn look(job: &Job<'_>, sent: &Sent) -> Result<Ending, Ending> {
    let (graph, _) = opened(job)?;
    let writer = Writer::looking(&graph).map_err(|error| unreadable(job, &error))?;
    if version_of(&writer.graph).map_err(|error| job.server.problem(&error))? != sent.version {
        return Err(outdated().into());
    }
    let mut form = Form::of(&writer.graph, sent)?;
    let thing = form.thing(&writer.graph, sent)?;
    let meant = meant(&writer, &form, &thing, &sent.rows).map_err(|error| conflict(job, &error))?;
    Ok(match meant {
        Err(wrong) => page(job, StatusCode::UNPROCESSABLE_ENTITY, &form, sent, (&wrong, &[]), Step::Fill),
        Ok((_, edit)) => {
            // Fix the name now, so that exactly what was shown is saved.
            form.new = form.new.map(|_| thing.as_str().to_owned());
            let difference: String = edit.changes.iter().map(kgq_edit::FileChange::diff).collect();
            page(job, StatusCode::OK, &form, sent, (&[], &[]), Step::Look { difference: &difference })
        }
    })
}

fn outdated() -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "the graph has changed since the form was opened")
        .hint("open the form again: it then shows what is there now")
}

/// Saves the change of a form, and reports it.
async fn save(server: &Shared, asked: RequestKey, author: Holder, sent: Sent) -> Result<Response, Problem> {
    let conditions = Conditions::of_version(&sent.version);
    let wish = Wish { author, conditions, queued: server.writers.queue()? };
    let own = sent.clone();
    let tell =
        move |job: &Job<'_>, made: Result<Done, Ending>| told(job, &sent, made.map(|done| saved(job, &sent, &done)));
    write_and_tell(server, asked, wish, move |desk| plan(desk, &own), tell).await
}

fn saved(job: &Job<'_>, sent: &Sent, done: &Done) -> Ending {
    let form = match thing(&job.held.graph, &sent.iri) {
        Ok(node) => Ok(Form { node, fields: Vec::new(), new: None }),
        Err(_) => Form::of(&job.held.graph, sent),
    };
    let Ok(form) = form else { return done.answer() };
    let files: Vec<String> = done.files().map(str::to_owned).collect();
    let step = Step::Saved { files: &files, committed: done.committed == Some(true), warnings: &done.warnings };
    match page(job, StatusCode::OK, &form, sent, (&[], &[]), step) {
        // The change is saved even if the page cannot be made.
        Ending::Failed(_) => done.answer(),
        page => page,
    }
}

fn plan(desk: &Desk<'_>, sent: &Sent) -> Result<Plan, Ending> {
    desk.check(true).map_err(|ending| match ending {
        Ending::Failed(problem) if problem.status() == StatusCode::PRECONDITION_FAILED => outdated().into(),
        ending => ending,
    })?;
    let graph = &desk.writer.graph;
    let form = Form::of(graph, sent)?;
    let thing = form.thing(graph, sent)?;
    match meant(desk.writer, &form, &thing, &sent.rows).map_err(|error| conflict(desk.job, &error))? {
        Ok((change, _)) => {
            let title = if form.is_new() { format!("Add {thing}") } else { format!("Correct {thing}") };
            Ok(Plan { title, change, settings: Settings::default(), reply: Told::Report, advice: None })
        }
        Err(wrong) => {
            let message = wrong.first().map_or("", |wrong| wrong.message.as_str()).to_owned();
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message).into())
        }
    }
}
