//! Changes of the project's files by clients: who may make them, their order, and the checks that each must pass. The
//! answer is sent when the files are safe on disk and the served graph has the change.

use super::Shared;
use super::admission::Capacity;
use super::conditions::Conditions;
use super::door::foreign_origin;
use super::problem::Problem;
use super::reply::Ending;
use super::request::RequestKey;
use super::sessions::Signed;
use super::state::{Held, version_of};
use super::tokens::{Holder, Scope};
use super::work::{Job, work};
use crate::edits::{self, Commit, Outcome, Requirements};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use kgq_edit::guard::Verdict;
use kgq_edit::{Edit, Settings, Writer};
use kgq_engine::Limits;
use kgq_engine::update::Change;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_syntax::budget::{Budget, Work};
use kgq_syntax::error::{Error, Kind};
use kgq_syntax::text::{count, visible};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How changes are checked and recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writing {
    /// Refuse a change that adds a finding or makes an expected answer fail.
    pub check: bool,
    /// Commit each change.
    pub commit: bool,
}

/// The maximum size of a commit message, in bytes.
const LONGEST_MESSAGE: usize = 10_000;
/// How many changes may wait: each holds its text in memory.
const WAITING: usize = 64;

/// Serializes the changes: one is made at a time, the others wait.
pub struct Writers {
    turn: Arc<Mutex<()>>,
    room: Arc<Semaphore>,
    wait: Duration,
}

/// A change that waits or is being made, until it is dropped.
pub struct Queued {
    _room: OwnedSemaphorePermit,
    turn: Arc<Mutex<()>>,
    wait: Duration,
}

/// The turn to write, held until it is dropped.
pub struct Turn {
    _room: OwnedSemaphorePermit,
    _turn: OwnedMutexGuard<()>,
}

impl Writers {
    pub fn new(capacity: Capacity) -> Self {
        let room = Arc::new(Semaphore::new(WAITING.min(capacity.queue.saturating_add(1))));
        Self { turn: Arc::default(), room, wait: capacity.wait }
    }

    /// Takes a place in the queue; call this before reading the text of a change.
    pub fn queue(&self) -> Result<Queued, Problem> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Problem::busy(1))?;
        Ok(Queued { _room: room, turn: Arc::clone(&self.turn), wait: self.wait })
    }
}

impl Queued {
    async fn turn(self) -> Result<Turn, Problem> {
        let turn = timeout(self.wait, self.turn.lock_owned()).await;
        let turn = turn.map_err(|_| Problem::busy(self.wait.as_secs().clamp(1, 10)))?;
        Ok(Turn { _room: self._room, _turn: turn })
    }
}

/// Returns the author of a change.
///
/// # Errors
/// The server accepts no changes, or none from this page or with this token.
pub fn author(server: &Shared, parts: &Parts) -> Result<Holder, Problem> {
    if server.settings.writing.is_none() {
        return Err(read_only());
    }
    if let Some(problem) = foreign_origin(server, &parts.headers) {
        return Err(problem);
    }
    let is_signed = parts.extensions.get::<Signed>().is_some();
    match parts.extensions.get::<Holder>() {
        // A user who writes from a browser must say which version they have seen.
        Some(holder) if holder.scope == Scope::Write && is_signed && Conditions::of(&parts.headers).is_empty() => {
            Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "the request does not say which version it changes")
                .hint("send the `ETag` of what was read as `If-Match`"))
        }
        Some(holder) => may_write(holder).cloned(),
        None => Err(Problem::new(StatusCode::UNAUTHORIZED, "writing needs a token")
            .hint("send it as `Authorization: Bearer TOKEN`")
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
    }
}

/// Returns the holder of a token if the token permits writing.
///
/// # Errors
/// The token does not permit it.
pub fn may_write(holder: &Holder) -> Result<&Holder, Problem> {
    match holder.scope {
        Scope::Write => Ok(holder),
        Scope::Read => Err(Problem::forbidden(format!("the token of {} may read only", visible(&holder.name)))),
    }
}

fn read_only() -> Problem {
    Problem::forbidden("the server takes no updates: the graph is what its files say")
        .hint("who runs it can let holders of a token change them, by starting it as writable")
}

/// A requested change, before it is planned.
pub struct Wish {
    pub author: Holder,
    pub conditions: Conditions,
    pub queued: Queued,
}

/// The project while a change is planned: nobody else reads or writes its files meanwhile.
pub struct Desk<'a> {
    pub job: &'a Job<'a>,
    pub writer: &'a Writer,
    conditions: &'a Conditions,
}

/// A planned change.
pub struct Plan {
    /// The commit message if the client gives none.
    pub title: String,
    pub change: Change,
    pub settings: Settings,
    pub reply: Told,
    /// What is said of the change beside it. It is sought once others may write again.
    pub advice: Option<Advice>,
}

/// Looks for what to say of a change.
pub type Advice = Box<dyn FnOnce(&Change) -> kgq_syntax::error::Result<Vec<String>> + Send>;

/// How success is reported to the client.
pub enum Told {
    /// Report the change, as JSON.
    Report,
    /// Send only a status, and the address of what was created.
    Status(StatusCode, Option<HeaderValue>),
}

impl Desk<'_> {
    /// Checks the conditions of the request, given whether the target of the write exists.
    ///
    /// # Errors
    /// The conditions do not hold, or the files cannot be read.
    pub fn check(&self, is_there: bool) -> Result<(), Ending> {
        if self.conditions.is_empty() {
            return Ok(());
        }
        let version = version_of(&self.writer.graph).map_err(|error| self.job.server.problem(&error))?;
        Ok(self.conditions.check(&version, is_there)?)
    }
}

/// Makes a change when its turn comes, and answers with a report.
pub async fn write(
    server: &Shared,
    asked: RequestKey,
    wish: Wish,
    plan: impl FnOnce(&Desk<'_>) -> Result<Plan, Ending> + Send + 'static,
) -> Result<Response, Problem> {
    write_and_tell(server, asked, wish, plan, |_, made| match made {
        Ok(done) => done.answer(),
        Err(ending) => ending,
    })
    .await
}

/// Makes a change when its turn comes, and reports it from the graph that it made, or why it was not made from the one that is
/// served then.
pub async fn write_and_tell(
    server: &Shared,
    asked: RequestKey,
    wish: Wish,
    plan: impl FnOnce(&Desk<'_>) -> Result<Plan, Ending> + Send + 'static,
    tell: impl FnOnce(&Job<'_>, Result<Done, Ending>) -> Ending + Send + 'static,
) -> Result<Response, Problem> {
    let message = message(&asked)?;
    let Wish { author, conditions, queued } = wish;
    let turn = queued.turn().await?;
    work(server, asked, move |job, _| {
        let author = Author { holder: &author, message: message.as_deref(), conditions };
        let made = made(job, turn, &author, plan).map(|done| done.advised(job));
        let held = made.as_ref().map_or_else(|_| job.server.held(), |done| Arc::clone(&done.held));
        Err(tell(&Job { server: job.server, held: &held, asked: job.asked, options: job.options.clone() }, made))
    })
    .await
}

/// The author of a change, its message, and its conditions.
struct Author<'a> {
    holder: &'a Holder,
    message: Option<&'a str>,
    conditions: Conditions,
}

/// Makes a change. The turn ends when the served graph has it.
fn made(
    job: &Job<'_>,
    _turn: Turn,
    author: &Author<'_>,
    plan: impl FnOnce(&Desk<'_>) -> Result<Plan, Ending>,
) -> Result<Done, Ending> {
    let (graph, budget) = opened(job)?;
    let writer = Writer::open_within(&graph, &budget).map_err(|error| unreadable(job, &error))?;
    if !writer.finished.is_empty() {
        let files = visible(&writer.finished.join(", ")).into_owned();
        job.server.log.say(&format!("finished an edit that was interrupted: {files}"));
    }
    let done = plan(&Desk { job, writer: &writer, conditions: &author.conditions })
        .and_then(|plan| carry_out(job, &writer, &budget, plan, author));
    drop(writer);
    let mut done = done?;
    // Even without changes, another program's unfinished edit may just have been completed, or somebody may have written before.
    let read =
        if done.edit.changes.is_empty() { job.server.refresh().map(drop) } else { job.server.reload().map(drop) };
    match read {
        Err(error) if done.edit.changes.is_empty() => return Err(job.server.problem(&error).into()),
        Err(error) => {
            job.server.log.say(&error.render(false));
            done.warnings
                .push("the files are changed; only the server cannot read them again, its log says why".into());
        }
        Ok(()) => {}
    }
    // The turn is not over, so the graph has no later change.
    done.held = job.server.held();
    Ok(done)
}

/// The commit message, if the client gives one.
fn message(asked: &RequestKey) -> Result<Option<String>, Problem> {
    let message = asked.one("message")?.map(str::trim).filter(|message| !message.is_empty());
    match message {
        Some(message) if message.len() > LONGEST_MESSAGE => {
            Err(Problem::bad_request(format!("the message is longer than {LONGEST_MESSAGE} bytes")))
        }
        message => Ok(message.map(|message| message.replace('\0', ""))),
    }
}

/// Opens the project with its current files, to change or view it within the limits of the request.
pub fn opened(job: &Job<'_>) -> Result<(Graph, Budget), Ending> {
    let limits = Limits { time: job.options.limits.time, ..Limits::default() };
    let budget = job.options.budget.child(Work::Edit, limits);
    let options = OpenOptions { budget: budget.clone(), ..job.held.graph.options().clone() };
    let graph = Graph::open(options).map_err(|error| unreadable(job, &error))?;
    Ok((graph, budget))
}

/// Reports that the current files cannot be read, which is not the client's fault.
pub fn unreadable(job: &Job<'_>, error: &Error) -> Ending {
    let problem = job.server.problem(error);
    let problem = match error.kind() {
        Kind::Input => problem
            .with_status(StatusCode::CONFLICT)
            .with("detail", format!("the files cannot be read as they are now: {}", error.message())),
        _ => problem,
    };
    problem.into()
}

/// A change that was made.
pub struct Done {
    change: Change,
    edit: Edit,
    told: Told,
    /// Whether it was committed; `None` if no commit was wanted.
    pub committed: Option<bool>,
    pub warnings: Vec<String>,
    advice: Option<Advice>,
    /// The served graph when the turn to write ended.
    held: Arc<Held>,
}

fn carry_out(job: &Job<'_>, writer: &Writer, budget: &Budget, plan: Plan, author: &Author<'_>) -> Result<Done, Ending> {
    let server = job.server;
    let edit = kgq_edit::edit(&writer.graph, &writer.files, &plan.change, &plan.settings);
    let edit = edit.map_err(|error| conflict(job, &error))?;
    budget.check().map_err(|error| server.problem(&error))?;
    let Writing { check, commit } = server.settings.writing.unwrap_or(Writing { check: true, commit: false });
    let message = author.message.unwrap_or(&plan.title);
    let commit = commit.then_some(Commit { message, author: Some(&author.holder.name) });
    let outcome = edits::carry_out(writer, &edit, &Requirements { check, commit });
    let outcome = outcome.map_err(|error| match writer.is_outdated(&edit) && error.kind() == Kind::Io {
        true => Problem::new(StatusCode::CONFLICT, "a file was changed while it was edited: nothing is written")
            .hint("send the change again"),
        false => unwritten(job, &error),
    })?;
    let committed = match outcome {
        Outcome::Refused(verdict) => return Err(refused(&verdict).into()),
        Outcome::Written(committed) => committed,
    };
    let mut warnings: Vec<String> =
        edit.warnings.iter().map(|warning| Problem::from(warning.clone()).field("text").to_owned()).collect();
    if let Some(Err(error)) = &committed {
        server.log.say(&error.render(false));
        warnings.push("the files are changed; only the commit is not made".into());
    }
    server.log.say(&format!(
        "{} changed {}: {} added, {} removed",
        visible(&author.holder.name),
        count(edit.changes.len() as u64, "file", "files"),
        plan.change.added.len(),
        plan.change.removed.len()
    ));
    let (committed, Plan { change, reply: told, advice, .. }) = (committed.map(|made| made.is_ok()), plan);
    Ok(Done { change, edit, told, committed, warnings, advice, held: Arc::clone(job.held) })
}

impl Done {
    /// The names of the changed files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.edit.changes.iter().map(|change| change.name.as_str())
    }

    /// Adds the advice on the change. The change is made, so that a failure of the advice is none of the change.
    fn advised(mut self, job: &Job<'_>) -> Self {
        match self.advice.take().map(|advice| advice(&self.change)) {
            None => {}
            Some(Ok(remarks)) => self.warnings.extend(remarks),
            Some(Err(error)) => job.server.log.say(&error.render(false)),
        }
        self
    }

    /// Whether the client has to be told more than the bare success.
    fn needs_words(&self) -> bool {
        self.committed == Some(false) || !self.warnings.is_empty()
    }

    /// The answer to the client.
    pub fn answer(&self) -> Ending {
        let mut headers = HeaderMap::new();
        let status = match &self.told {
            Told::Status(status, address) => {
                headers.extend(address.clone().map(|address| (axum::http::header::LOCATION, address)));
                if !self.needs_words() {
                    return Ending::Other(*status, Box::new(headers), Vec::new());
                }
                // The answer has content now, so it cannot be 204.
                if *status == StatusCode::NO_CONTENT { StatusCode::OK } else { *status }
            }
            Told::Report => StatusCode::OK,
        };
        let version = &self.held.version;
        let report = json!({
            "added": self.change.added.len(),
            "removed": self.change.removed.len(),
            "files": self.files().collect::<Vec<_>>(),
            "committed": self.committed,
            "warnings": self.warnings,
            "version": version,
        });
        headers.insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(axum::http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers
            .extend(HeaderValue::from_str(&format!("\"{version}\"")).ok().map(|tag| (axum::http::header::ETAG, tag)));
        Ending::Other(status, Box::new(headers), format!("{report}\n").into_bytes())
    }
}

/// Reports a change that is valid but that the files cannot take. The log has the hints that are not for clients.
pub fn conflict(job: &Job<'_>, error: &Error) -> Problem {
    let problem = job.server.problem(error);
    if !matches!(error.kind(), Kind::Input | Kind::Usage | Kind::Policy | Kind::Check) {
        return problem;
    }
    let problem = problem.with_status(StatusCode::CONFLICT);
    match crate::hints::kept_back(error).next() {
        None => problem,
        Some(hint) => {
            job.server.log.say(&error.render(false));
            problem.hint(match hint.contains("[edit]") {
                true => "who runs the server can name a file for it in kgq.toml; the log says how",
                false => "the server's log says what who runs it can do",
            })
        }
    }
}

/// Reports that nothing could be written, which is not the client's fault.
fn unwritten(job: &Job<'_>, error: &Error) -> Problem {
    match error.kind() {
        Kind::Io => {
            job.server.log.say(&error.render(false));
            let detail = "the files cannot be changed, and nothing is written; the server's log says why";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
        }
        _ => job.server.problem(error),
    }
}

/// Reports what the change would make worse.
fn refused(verdict: &Verdict) -> Problem {
    let findings: Vec<Value> = verdict.report.findings.iter().map(kgq_graph::check::Finding::to_json).collect();
    let failed: Vec<Value> = verdict.failed.iter().map(|(name, why)| json!({"answer": name, "why": why})).collect();
    let detail = format!(
        "the change would add {} and let {} fail; nothing is written",
        count(findings.len() as u64, "finding", "findings"),
        count(failed.len() as u64, "answer", "answers")
    );
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).with("findings", findings).with("failed", failed)
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
