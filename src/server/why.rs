//! `why=N` of a query: explains the row of this number, as JSON-LD in PROV-O: the statements that the query matched for
//! it, where each is written, and what it is cited from. `why-not=COLUMN=VALUE`: explains why the answer has no such row.

use super::Shared;
use super::answer::{Question, parse};
use super::negotiate::{self, Chosen};
use super::problem::{Problem, file_name};
use super::request::RequestKey;
use super::service::write_as;
use super::work::work;
use axum::response::Response;
use kgq_graph::request::why::{document, explain_within, part_within};
use kgq_graph::request::why_not::{self, Request, expectation, why_not_within};
use kgq_syntax::error::{Error, Source};

/// The last row that can be asked about, because all rows before it have to be computed.
pub const LAST: usize = 1_000_000;

/// The number of the row that the request asks about, if any.
fn row(asked: &RequestKey) -> Result<Option<usize>, Problem> {
    let number = |text: &str| match text.parse() {
        Ok(number) if (1..=LAST).contains(&number) => Ok(number),
        _ => Err(Problem::bad_request(format!("`why` is the number of a row, from 1 to {LAST}"))),
    };
    asked.one("why")?.map(number).transpose()
}

/// A request for an explanation of an answer instead of the answer.
pub enum About {
    /// Why this row is there.
    Row(usize),
    /// Why there is no row with these values in these columns; without any, why the answer is empty.
    Missing(Vec<(String, String)>),
}

impl About {
    /// The same question, as the pages take it.
    pub fn in_page(&self) -> kgq_site::About<'_> {
        match self {
            Self::Row(row) => kgq_site::About::Row(*row),
            Self::Missing(expected) => kgq_site::About::Missing(expected),
        }
    }
}

/// The explanation that the request asks for, if any.
pub fn about(asked: &RequestKey) -> Result<Option<About>, Problem> {
    let missing = missing(asked)?;
    match (row(asked)?, missing) {
        (Some(_), Some(_)) => {
            Err(Problem::bad_request("`why` asks of a row, and `why-not` of a missing one: ask for one of them"))
        }
        (row, missing) => Ok(row.map(About::Row).or(missing.map(About::Missing))),
    }
}

/// The columns and values of `why-not`, each written as COLUMN=VALUE; forms send the column, and the value as
/// `why-not-value`.
fn missing(asked: &RequestKey) -> Result<Option<Vec<(String, String)>>, Problem> {
    let written: Vec<&str> = asked.all("why-not").collect();
    if written.is_empty() {
        return Ok(None);
    }
    let of_form = asked.one("why-not-value")?;
    let read = |text: &&str| match (text.split_once('='), of_form) {
        (Some((column, value)), _) => Ok((column.to_owned(), value.to_owned())),
        (None, Some(value)) => Ok(((*text).to_owned(), value.trim().to_owned())),
        (None, None) => Err(Problem::bad_request("`why-not` is written COLUMN=VALUE, or is empty where the answer is")),
    };
    written.iter().filter(|text| !text.is_empty()).map(read).collect::<Result<_, _>>().map(Some)
}

/// Explains a row or its absence.
pub async fn tell(server: &Shared, asked: RequestKey, question: Question, about: About) -> Result<Response, Problem> {
    negotiate::json_alone(asked.one("format")?)?;
    match about {
        About::Row(row) => why(server, asked, question, row).await,
        About::Missing(expected) => why_no(server, asked, question, expected).await,
    }
}

async fn why_no(
    server: &Shared,
    asked: RequestKey,
    question: Question,
    expected: Vec<(String, String)>,
) -> Result<Response, Problem> {
    work(server, asked, move |job, reply| {
        let (graph, failed) = (&job.held.graph, |error: Error| job.server.problem(&error));
        let query = parse(job, &question)?;
        let text = match &question {
            Question::Text { text, .. } => text.as_str(),
            Question::Canned { name, .. } => {
                graph.catalog().and_then(|catalog| catalog.get(name)).map_err(failed)?.source().text
            }
            Question::Graph(_) => "",
        };
        let source = Source::new("query", text);
        let expected = expected.iter().map(|(column, value)| expectation(graph, column, value));
        let expected = expected.collect::<Result<_, _>>().map_err(failed)?;
        let audit = graph.audit().map_err(failed)?;
        let texts = graph.source_texts(&audit, &[]).map_err(failed)?;
        let asking = Request { source, query: &query, expected };
        let mut found = why_not_within(graph, asking, &audit, &texts, &job.options).map_err(failed)?;
        for place in found.statements.iter_mut().filter_map(|stated| stated.place.as_mut()) {
            place.file = file_name(&place.file).to_owned();
        }
        graph.intact().map_err(failed)?;
        write_as(job, &Chosen::json(), &why_not::document(&found), reply)
    })
    .await
}

/// Explains a row.
async fn why(server: &Shared, asked: RequestKey, question: Question, row: usize) -> Result<Response, Problem> {
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
