//! SPARQL updates by the SPARQL 1.1 Protocol, §2.2: they change the files of the project.

use super::Shared;
use super::conditions::Conditions;
use super::problem::Problem;
use super::request::RequestKey;
use super::sparql::graph_name;
use super::tokens::Holder;
use super::write::{Advice, Plan, Queued, Told, Wish, write};
use axum::response::Response;
use kgq_edit::{Settings, update_within};
use kgq_graph::advice::Diagnostic;
use kgq_graph::graph::UpdateContext;
use kgq_graph::request::unchanged::why_unchanged;
use kgq_syntax::error::Source;

/// An update received by the protocol.
pub struct Sent {
    pub author: Holder,
    pub conditions: Conditions,
    pub queued: Queued,
}

/// Executes the `update` of a request.
pub async fn update(server: &Shared, asked: RequestKey, sent: Sent) -> Result<Response, Problem> {
    let text = asked.one("update")?.ok_or_else(|| Problem::bad_request("there is no `update`"))?.to_owned();
    if asked.all("query").next().is_some() {
        return Err(Problem::bad_request("there is a `query` and an `update`: send one of them"));
    }
    let graphs = |name| asked.all(name).map(graph_name).collect::<Result<Vec<_>, _>>();
    let (default, named) = (graphs("using-graph-uri")?, graphs("using-named-graph-uri")?);
    let dataset = (!default.is_empty() || !named.is_empty()).then_some((default, named));
    let base = Some(format!("{}{}", server.address_for(&asked), asked.path));
    // The query is recorded once per request.
    let _ = asked.tally.query.set(text.clone());
    let Sent { author, conditions, queued } = sent;
    let wish = Wish { author, conditions, queued };
    write(server, asked, wish, move |desk| {
        desk.check(true)?;
        let (writer, context) = (desk.writer, UpdateContext { base, dataset });
        let change = update_within(&writer.graph, &writer.files, Source::new("update", &text), &context);
        let change = change.map_err(|error| desk.job.server.problem(&error))?;
        // Advice looks at the statements before the change, so they are read while the files are as they were.
        writer.graph.snapshot().map_err(|error| desk.job.server.problem(&error))?;
        let title = "Change the graph by SPARQL Update".to_owned();
        let settings = Settings::of_update(&text, false);
        let before = writer.graph.clone();
        let advice: Advice = Box::new(move |change| {
            let found = why_unchanged(&before, Source::new("update", &text), &context, change)?;
            let text_of = |diagnostic: Diagnostic| Problem::from(diagnostic.error).field("text").to_owned();
            Ok(found.into_iter().map(text_of).collect())
        });
        Ok(Plan { title, change, settings, reply: Told::Report, advice: Some(advice) })
    })
    .await
}
