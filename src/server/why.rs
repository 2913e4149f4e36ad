//! `why=N` of a query: what makes the row of that number, as JSON-LD in the words of PROV-O: the statements that the query found for it,
//! where each is written, and what it is cited from.

use super::Shared;
use super::answer::{Question, parse};
use super::negotiate::Chosen;
use super::problem::{Problem, file_name};
use super::request::Asked;
use super::service::write_as;
use super::work::work;
use axum::response::Response;
use kgq_graph::request::why::{document, explain_within, part_within};
use kgq_syntax::error::Error;

/// The last row that can be asked about: all before it are made first.
pub const LAST: usize = 1_000_000;

/// The number of the row that is asked about, if one is.
pub fn row(asked: &Asked) -> Result<Option<usize>, Problem> {
    let number = |text: &str| match text.parse() {
        Ok(number) if (1..=LAST).contains(&number) => Ok(number),
        _ => Err(Problem::bad_request(format!("`why` is the number of a row, from 1 to {LAST}"))),
    };
    asked.one("why")?.map(number).transpose()
}

/// Tells what makes a row.
pub async fn why(server: &Shared, asked: Asked, question: Question, row: usize) -> Result<Response, Problem> {
    work(server, asked, move |job, reply| {
        let (graph, failed) = (&job.held.graph, |error: Error| job.server.problem(&error));
        let query = parse(job, &question)?;
        let part = part_within(graph, &query, row, &job.options).map_err(failed)?;
        let audit = graph.audit().map_err(failed)?;
        let texts = graph.source_texts(&audit, &[]).map_err(failed)?;
        let explained = explain_within(graph, &query, part, &audit, &texts, &job.options);
        let mut explained = explained.map_err(failed)?;
        for place in explained.statements.iter_mut().filter_map(|stated| stated.place.as_mut()) {
            place.file = file_name(&place.file).to_owned();
        }
        graph.intact().map_err(failed)?;
        write_as(job, &Chosen::json_ld(), &document(&explained), reply)
    })
    .await
}
