//! Handles a request on its own thread: takes a place, works within the limits, and stops when the client leaves.

use super::Shared;
use super::problem::Problem;
use super::reply::{Delivery, Ending, Leaving, Reply, deliver};
use super::request::RequestKey;
use super::state::Held;
use axum::response::Response;
use kgq_engine::{Budget, EvaluationOptions};
use kgq_graph::project::parse_duration;
use std::sync::Arc;
use std::time::Duration;

/// The context of the work on a request.
pub struct Job<'a> {
    pub server: &'a Shared,
    pub held: &'a Arc<Held>,
    pub asked: &'a RequestKey,
    /// The options for evaluating queries of this request.
    pub options: EvaluationOptions,
}

/// Runs work that may take a while on a thread.
pub async fn work(
    server: &Shared,
    asked: RequestKey,
    write: impl FnOnce(&Job<'_>, &mut Reply) -> Result<(), Ending> + Send + 'static,
) -> Result<Response, Problem> {
    let time = time_limit(server, &asked)?;
    let place = server.admission.enter(&asked.client).await?;
    let budget = server.memory.part(place.memory_of_client());
    let leaving = Leaving(budget.clone());
    let whole = (!asked.takes_pieces).then_some(server.settings.longest_held);
    let longest = server.settings.longest_answer;
    let server = Arc::clone(server);
    let write = move |reply: &mut Reply| {
        let held = server.held();
        let options = options(&server, &held, time, budget);
        write(&Job { server: &server, held: &held, asked: &asked, options }, reply)
    };
    Ok(deliver(Delivery { place, leaving, whole, longest }, write).await)
}

/// The time limit of the answer: the one that the client asks for, at most that of the server.
fn time_limit(server: &Shared, asked: &RequestKey) -> Result<Option<Duration>, Problem> {
    let most = server.settings.limits.time;
    let Some(text) = asked.one("timeout")? else { return Ok(most) };
    let time = parse_duration(text).map_err(|message| Problem::bad_request(format!("`timeout`: {message}")))?;
    Ok([time, most].into_iter().flatten().min())
}

fn options(server: &Shared, held: &Held, time: Option<Duration>, budget: Budget) -> EvaluationOptions {
    let mut options = held.graph.evaluation_options();
    options.limits = server.settings.limits;
    options.limits.time = time;
    options.limits.memory = server.memory.of_one();
    options.budget = budget;
    options
}
