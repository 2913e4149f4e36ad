//! Findings about a project: one source file for each check, and one list of all checks.
//!
//! Checks read the project's files themselves, so that they work even if loading would fail. Nothing is printed here.

mod baseline;
mod catalogue;
mod citations;
mod explain;
mod files;
mod finding;
mod idle;
mod imports;
mod keys;
mod labels;
mod links;
mod literals;
mod owl;
mod places;
mod queries;
mod report;
mod rules;
mod sarif;
mod settings;
pub mod shacl;
mod shapes;
mod subject;
mod terms;
mod validation;

pub use baseline::Baseline;
pub(crate) use catalogue::NAME as CATALOGUE;
pub use explain::{Explanation, explain};
pub use finding::{Finding, Severity};
pub(crate) use keys::findings as undefined_keys;
pub(crate) use places::{Places, TREE_TO_TEXT, outline, places_in_turtle};
pub use report::{CitationCounts, Counts, Report, ReportFormat};
pub use shapes::Validated;
pub use terms::namespace;
pub use validation::Validation;
pub(crate) use validation::validate_files;

use crate::project::{FoundFiles, FoundQueries, Project, Role};
use kgq_engine::{Budget, EvaluationOptions};
use kgq_snapshot::store::Input;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::Result;
use subject::Subject;

/// A check: the codes of its findings, and the function that finds them.
pub struct Check {
    pub codes: &'static [Explanation],
    run: fn(&Subject<'_>, &mut Report) -> Result<()>,
    /// Whether it needs every file: it would report as missing what an unreadable file declares.
    needs_all_files: bool,
}

/// All checks, in the order in which they run. To add one, write a source file here, or a query in `queries/checks/`.
pub(crate) const CHECKS: &[Check] = &[
    files::CHECK,
    keys::CHECK,
    terms::CHECK,
    links::CHECK,
    literals::CHECK,
    owl::CHECK,
    labels::CHECK,
    shapes::CHECK,
    queries::CHECK,
    citations::CHECK,
    rules::CHECK,
    // Last, because the other checks record with each import the terms that it may declare.
    imports::CHECK,
    settings::CHECK,
];

/// How files are read and queries evaluated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub lenient: bool,
    pub bounds: Bounds,
    /// The budget for reading the files.
    pub budget: Budget,
    /// The budget for validating all shapes.
    pub validation: Budget,
    /// Its limits apply to each query by itself.
    pub evaluation: EvaluationOptions,
}

/// Runs every check on a project, of which these files were found.
pub(crate) fn check(project: &Project, found: (FoundFiles, &FoundQueries), options: Options) -> Result<Report> {
    run(&Subject::read(project, found, options)?)
}

/// Runs every check on these documents, regardless of the project's files. What any of them describes counts as
/// declared.
pub(crate) fn check_files(project: &Project, inputs: Vec<Input>, options: Options) -> Result<Report> {
    let inputs = inputs.into_iter().map(|input| (Role::Ontology, input)).collect();
    run(&Subject::of_inputs(project, inputs, options)?)
}

fn run(subject: &Subject<'_>) -> Result<Report> {
    let mut report = Report::default();
    let whole = subject.is_whole();
    for check in CHECKS {
        if whole || !check.needs_all_files {
            (check.run)(subject, &mut report)?;
        } else {
            report.waiting.extend(check.codes.iter().map(|explanation| explanation.code));
        }
    }
    settings::apply(subject, &mut report)?;
    report.counts.files = subject.files.len();
    report.counts.written = subject.written().len();
    report.counts.statements = subject.snapshot().len();
    report.sort();
    Ok(report)
}
