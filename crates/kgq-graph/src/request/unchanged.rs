//! Why an update changed nothing, or less than it names: what its patterns do not find, and which of the statements that it
//! deletes are not there.

use super::advise::{Advised, Turned, remarks};
use crate::advice::{Diagnostic, is_bare};
use crate::graph::{Graph, UpdateContext};
use kgq_engine::Limits;
use kgq_engine::update::{Change, LookedFor, looked_for};
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Result, Source};
use kgq_syntax::rdf::{GraphName, Literal, Quad, Term};
use kgq_syntax::text::{count, visible};
use oxrdf::vocab::xsd;

/// The most statements of DELETE DATA that are told one by one.
const MOST: usize = 3;
/// The most of its parts of which reasons are searched for.
const MOST_LOOKED: usize = 10;
/// The most values that are shown of a property.
const MOST_VALUES: usize = 5;

/// Returns why an update with this outcome did not change what it names. The graph is the one before the update, so that
/// this is known only of updates that changed nothing, and of a single DELETE DATA.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn why_unchanged(
    graph: &Graph,
    source: Source<'_>,
    context: &UpdateContext,
    change: &Change,
) -> Result<Vec<Diagnostic>> {
    let update = graph.parse_update(source, context)?;
    let mut looked = looked_for(&update);
    if !change.added.is_empty() || !change.removed.is_empty() {
        if update.operations.len() > 1 {
            return Ok(Vec::new());
        }
        looked.retain(|looked| looked.statement.is_some());
    }
    // Nothing is read where all that is named was found.
    if looked.len() <= change.removed.len() {
        return Ok(Vec::new());
    }
    let snapshot = graph.snapshot()?;
    looked.retain(|looked| looked.statement.as_ref().is_none_or(|quad| snapshot.ids(quad.as_ref()).is_none()));
    let options = graph.evaluation_options();
    let budget = options.budget.child(Work::Query, Limits { time: options.limits.time, ..Limits::default() });
    let (mut found, mut told) = (Vec::new(), 0);
    // A WHERE that found something gives no reason, and leaves the place to the next.
    for LookedFor { span, statement, query } in looked.iter().take(MOST_LOOKED) {
        if found.len() >= MOST {
            break;
        }
        told += usize::from(statement.is_some());
        // The keyword is enough: the message names the statement.
        let place = source.place(span.start..(span.start + "DELETE".len()).min(span.end));
        if let Some(own) = statement.as_ref().and_then(|quad| instead(graph, snapshot, quad)) {
            found.push(Diagnostic { error: own.error.at(place), ..own });
            continue;
        }
        let advised = Advised { source, query, options: &options, budget: &budget };
        let reasons = remarks(graph, advised, Turned::Empty)?.reasons;
        match statement {
            Some(quad) if reasons.is_empty() => {
                let message = format!("the graph does not have {}", shown(graph, quad));
                let own = Diagnostic::new("not-there", message);
                found.push(Diagnostic { error: own.error.at(place), ..own });
            }
            _ => found.extend(reasons),
        }
    }
    let more = looked.iter().filter(|looked| looked.statement.is_some()).count() - told;
    if more > 0
        && let Some(last) = found.last_mut()
    {
        let more = count(more as u64, "other", "others");
        last.error = last.error.clone().hint(format!("and {more} that the graph does not have"));
    }
    Ok(found)
}

/// What the graph has in place of a statement that is not there: the same in another graph, or other values.
fn instead(graph: &Graph, snapshot: &Snapshot, quad: &Quad) -> Option<Diagnostic> {
    let prefixes = graph.prefixes().ok()?;
    let [s, p] = [snapshot.id(quad.subject.as_ref().into())?, snapshot.id(quad.predicate.as_ref().into())?];
    let there = |o| snapshot.find_ids([Some(s), Some(p), o]).filter_map(|ids| snapshot.statement(ids));
    let called = |name: &GraphName| match name {
        GraphName::NamedNode(name) => format!("the graph {}", prefixes.display(name.as_str())),
        GraphName::BlankNode(_) => "a graph without a name".to_owned(),
        GraphName::DefaultGraph => "the default graph".to_owned(),
    };
    let statement = shown(graph, quad);
    if let Some(other) = snapshot.id(quad.object.as_ref()).and_then(|o| there(Some(o)).next()) {
        let (own, other) = (called(&quad.graph_name), called(&other.graph_name));
        return Some(Diagnostic::new("not-there", format!("{own} does not have {statement}: it stands in {other}")));
    }
    let mut values: Vec<String> = Vec::new();
    for value in there(None).map(|quad| term(graph, &quad.object)) {
        // One value may stand in several graphs.
        if !values.contains(&value) {
            values.push(value);
        }
        if values.len() > MOST_VALUES {
            break;
        }
    }
    let more = if values.len() > MOST_VALUES { ", …" } else { "" };
    values.truncate(MOST_VALUES);
    let subject =
        format!("{} {}", term(graph, &quad.subject.clone().into()), prefixes.display(quad.predicate.as_str()));
    (!values.is_empty()).then(|| {
        let message = format!("the graph does not have {statement}: of {subject} it has {}{more}", values.join(", "));
        Diagnostic::new("not-there", message)
    })
}

fn shown(graph: &Graph, quad: &Quad) -> String {
    let Quad { subject, predicate, object, .. } = quad;
    let parts = [subject.clone().into(), predicate.clone().into(), object.clone()];
    parts.iter().map(|part| term(graph, part)).collect::<Vec<_>>().join(" ")
}

/// A term as a query writes it: a text is quoted, so that it is told from a number.
fn term(graph: &Graph, term: &Term) -> String {
    match (term, graph.prefixes()) {
        (Term::NamedNode(iri), Ok(prefixes)) => prefixes.display(iri.as_str()),
        (Term::Literal(literal), Ok(prefixes)) if !is_bare(literal) && literal.language().is_none() => {
            let value = Literal::new_simple_literal(literal.value()).to_string();
            match literal.datatype() {
                xsd::STRING => visible(&value).into_owned(),
                datatype => visible(&format!("{value}^^{}", prefixes.display(datatype.as_str()))).into_owned(),
            }
        }
        (Term::Literal(literal), _) if is_bare(literal) => literal.value().to_owned(),
        (term, _) => visible(&term.to_string()).into_owned(),
    }
}
