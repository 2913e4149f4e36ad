//! Remarks on a query besides its rows: likely mistakes, and why there are no rows.

use super::call::Call;
use super::failure;
use kgq_engine::query::Query;
use kgq_engine::{Failures, Limits};
use kgq_graph::advice::{Diagnostic, failed};
use kgq_graph::request::advise::{Advised, Remarks, Turned, mistakes, remarks};
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result, Source};
use serde_json::Value;

/// Warnings, and reasons for an empty answer.
#[derive(Default)]
pub struct Reasons {
    pub warnings: Vec<Value>,
    pub reasons: Vec<Value>,
    /// The reasons as errors, from which a corrected query can be made.
    pub errors: Vec<Error>,
}

pub fn reasons(
    call: &Call<'_>,
    source: Source<'_>,
    query: &Query,
    turned: Turned,
    failures: &Failures,
) -> Result<Reasons> {
    let options = call.evaluation(&Failures::default());
    let time = Some(call.budget.time.saturating_sub(call.spent()));
    let budget = call.work.child(Work::Query, Limits { time, ..Limits::default() });
    let advised = Advised { source, query, options: &options, budget: &budget };
    let mistakes = mistakes(call.graph, advised)?;
    let Remarks { warnings, reasons } = remarks(call.graph, advised, turned)?;
    let warnings = mistakes.into_iter().chain(failed(failures)).chain(warnings);
    let mut found = Reasons { warnings: warnings.map(told).collect(), ..Reasons::default() };
    found.errors = reasons.iter().map(|diagnostic| diagnostic.error.clone()).collect();
    found.reasons = reasons.into_iter().map(told).collect();
    Ok(found)
}

fn told(diagnostic: Diagnostic) -> Value {
    Value::Object(failure::one(&diagnostic.error))
}
