//! What is said of a query beside its rows: what usually is a mistake, and why there are none.

use super::call::Call;
use super::failure;
use kgq_engine::Failures;
use kgq_engine::query::Query;
use kgq_graph::advice::{Allowance, Asked, Finding, failed};
use kgq_syntax::error::{Error, Result, Source};
use serde_json::Value;

/// What the answer turned out to be.
#[derive(Clone, Copy)]
pub struct Turned {
    pub is_empty: bool,
    /// Of ASK.
    pub truth: Option<bool>,
}

/// Warnings, and reasons for nothing.
#[derive(Default)]
pub struct Reasons {
    pub warnings: Vec<Value>,
    pub reasons: Vec<Value>,
    /// What the reasons are as errors, for a change of the text.
    pub errors: Vec<Error>,
}

pub fn reasons(
    call: &Call<'_>,
    source: Source<'_>,
    query: &Query,
    turned: Turned,
    failures: &Failures,
) -> Result<Reasons> {
    let (snapshot, prefixes) = (call.graph.snapshot()?, call.graph.prefixes()?);
    let options = call.evaluation(&Failures::default());
    let clock = || call.spent();
    let is_stopped = || call.work.is_cancelled();
    let budget = Allowance::new(&clock, Some(call.budget.time), &is_stopped);
    let asked = Asked { source, query, snapshot, prefixes, options: &options, budget: &budget };
    let warnings = asked.mistakes().into_iter().chain(failed(failures)).map(told).collect();
    let mut found = Reasons { warnings, ..Reasons::default() };
    let silences = call.graph.project().map(|project| &project.manifest.silences);
    let nothing = turned.is_empty || turned.truth == Some(false);
    let mut why = match silences {
        Some(silences) if nothing => asked.not_stated(silences),
        Some(_) | None => Vec::new(),
    };
    if why.is_empty() && turned.is_empty && turned.truth.is_none() {
        why = asked.why_empty();
    } else if why.is_empty() && turned.truth != Some(true) {
        found.warnings.extend(asked.unknown_terms().into_iter().map(told));
    }
    found.errors = why.iter().map(|finding| finding.error.clone()).collect();
    found.reasons = why.into_iter().map(told).collect();
    call.graph.intact()?;
    Ok(found)
}

fn told(finding: Finding) -> Value {
    Value::Object(failure::one(&finding.error))
}
