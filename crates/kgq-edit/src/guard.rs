//! Finds what an edit would break: new findings of the project's checks, and expected answers that would no longer hold. Nothing
//! is written for it: the checks run on the project as it would be, with its queries, expected answers and kgq.toml.

use crate::Edit;
use kgq_graph::answers;
use kgq_graph::check::{Finding, Report};
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use rustc_hash::{FxHashMap, FxHashSet};

/// What an edit would make worse.
pub struct Verdict {
    /// The report of the edited project, reduced to the new findings.
    pub report: Report,
    /// The names of expected answers that would fail, each with the first line of the reason.
    pub failed: Vec<(String, String)>,
}

impl Verdict {
    /// Compares the project as it is with what it would be.
    ///
    /// # Errors
    /// Those of the checks themselves.
    pub fn of(graph: &Graph, edit: &Edit) -> Result<Self> {
        let changed = graph.edited(edit.changes.iter().map(|change| (change.name.clone(), change.after.clone())))?;
        let before = graph.check()?.findings;
        let mut report = changed.check()?;
        leave_known(&before, edit, &mut report.findings);
        let known: FxHashSet<String> = failures(graph)?.into_iter().map(|(name, _)| name).collect();
        let failed = failures(&changed)?.into_iter().filter(|(name, _)| !known.contains(name)).collect();
        Ok(Self { report, failed })
    }

    pub fn is_clean(&self) -> bool {
        self.report.findings.is_empty() && self.failed.is_empty()
    }
}

/// Removes findings that existed before, wherever they stood and under whatever name: a fault that moves with its statement is
/// not new.
fn leave_known(before: &[Finding], edit: &Edit, findings: &mut Vec<Finding>) {
    let mut known: FxHashMap<(String, String), usize> = FxHashMap::default();
    for finding in before {
        let key = (finding.code.clone().into_owned(), edit.renamed(&finding.message).into_owned());
        *known.entry(key).or_default() += 1;
    }
    findings.retain(|finding| match known.get_mut(&(finding.code.clone().into_owned(), finding.message.clone())) {
        Some(times) if *times > 0 => {
            *times -= 1;
            false
        }
        _ => true,
    });
}

/// The expected answers that do not hold.
fn failures(graph: &Graph) -> Result<Vec<(String, String)>> {
    let mut answer = |query: &_, values: &_| graph.outcome(query, values);
    let (project, catalog, prefixes) = (graph.require_project()?, graph.catalog()?, graph.prefixes()?);
    let (tested, _) = answers::run(project, catalog, prefixes, None, &mut answer, &graph.loading_budget())?;
    let failed = tested.into_iter().filter_map(|case| Some((case.name, case.failure?)));
    Ok(failed.map(|(name, why)| (name, why.into_iter().next().unwrap_or_default())).collect())
}
