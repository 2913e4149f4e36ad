//! `format=bundle` of a query: a file with the answer and its proof, as `kgq bundle` writes it.

use super::Shared;
use super::answer::{Question, attachment};
use super::problem::Problem;
use super::request::RequestKey;
use super::work::{Job, work};
use crate::commands::revision_state;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use kgq_engine::Limits;
use kgq_graph::catalog::Values;
use kgq_graph::request::bundle::{self, Occasion, make_within, timestamp};
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result as Outcome, Source};
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// The media type of a bundle.
pub const MEDIA_TYPE: &str = "application/zip";

/// Whether the request asks for a bundle.
pub fn wanted(asked: &RequestKey) -> Result<bool, Problem> {
    Ok(asked.one("format")?.is_some_and(|format| ["bundle", MEDIA_TYPE].contains(&format)))
}

/// Makes a bundle of the answer. Bundles are not cached, because each contains the time at which it was made.
pub async fn bundle(server: &Shared, asked: RequestKey, question: Question) -> Result<Response, Problem> {
    work(server, asked, move |job, reply| {
        let bytes = made(job, &question).map_err(|error| job.server.problem(&error))?;
        let headers = reply.headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_DISPOSITION, attachment(question.name(), "zip"));
        reply.write_all(&bytes).map_err(|error| Error::io("the answer", &error))?;
        Ok(())
    })
    .await
}

fn made(job: &Job<'_>, question: &Question) -> Outcome<Vec<u8>> {
    let graph = &job.held.graph;
    let question = match question {
        Question::Text { text, dataset: None } => {
            // An error in the query is reported as for any query.
            graph.parse(Source::new("query", text))?;
            bundle::Question::written(text.clone())
        }
        Question::Text { dataset: Some(_), .. } | Question::Graph(_) => {
            return Err(Error::usage("a bundle is made of a query to the whole graph")
                .hint("name the graphs in the query, by FROM and FROM NAMED"));
        }
        Question::Canned { name, values } => {
            let canned = graph.catalog()?.get(name)?;
            bundle::Question::canned(canned, &Values::from_pairs(values.iter().cloned()), graph)?
        }
    };
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let occasion = Occasion { time: timestamp(time), revision: revision_state(graph) };
    let limits = Limits { rows: None, ..job.options.limits };
    let budget = job.options.budget.child(Work::Export, limits);
    make_within(graph, &question, occasion, &[], &job.options, &budget)?.archive()
}
