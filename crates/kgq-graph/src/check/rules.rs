//! The project's own rules: queries in `queries/checks/` for which every row is a finding.

use super::finding::{Finding, Severity};
use super::report::Report;
use super::subject::{Subject, as_node};
use super::{Check, Explanation};
use crate::catalog::{CannedQuery, DeclaredSeverity};
use kgq_engine::query::parse_query;
use kgq_engine::{Answer, Row, Solutions, evaluate};
use kgq_syntax::error::{Place, Result};
use kgq_syntax::rdf::{NamedOrBlankNode, Term, Triple};

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "rule:<name>",
            finds: "a row of the project's own rule queries/checks/NAME.rq; its header says what it finds, how bad a row is \
                    (`severity: error` or `warning`) and how to mend it (`hint`)",
            why: "the project made the rule",
            mend: "see the hint and the file. A row is placed by its columns `subject`, `predicate` and `object`, or by the first \
                   column that holds a thing; a column `message` holds what is said",
        },
        Explanation {
            code: "rule-failed",
            finds: "a rule that is no SELECT or ASK query, or that stopped with an error",
            why: "what the rule forbids is not looked for",
            mend: "mend the query",
        },
    ],
    run,
    needs_all_files: true,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let rules: Vec<&CannedQuery> = subject.catalog.queries.iter().filter(|q| q.is_check()).collect();
    if rules.is_empty() {
        return Ok(());
    }
    for rule in rules {
        if let Err(error) = run_rule(subject, rule, report) {
            report.findings.push(Finding::from_error("rule-failed", &rule.file, &error));
        }
    }
    Ok(())
}

fn run_rule(subject: &Subject<'_>, rule: &CannedQuery, report: &mut Report) -> Result<()> {
    // Queries that do not parse are reported by `queries.rs`.
    let Ok(query) = parse_query(rule.source(), subject.parse_context()) else { return Ok(()) };
    match evaluate(subject.snapshot(), &query, &subject.options.evaluation)? {
        Answer::Solutions(Solutions { variables, rows }) => {
            let names: Vec<&str> = variables.iter().map(|v| v.as_str()).collect();
            for row in rows {
                report.findings.push(finding(subject, rule, &names, &row?));
            }
        }
        Answer::Boolean(true) => report.findings.push(finding(subject, rule, &[], &Vec::new())),
        Answer::Boolean(false) => {}
        Answer::Graph(_) => {
            let place = rule.source().place(0..0);
            let message = "a rule must be a SELECT, of which every row is a finding, or an ASK, of which true is one";
            report.findings.push(Finding::error("rule-failed", place, message));
        }
    }
    Ok(())
}

fn finding(subject: &Subject<'_>, rule: &CannedQuery, names: &[&str], row: &Row) -> Finding {
    let column = |name: &str| names.iter().position(|n| *n == name).and_then(|i| row[i].as_ref());
    let severity = match rule.header.severity {
        Some(DeclaredSeverity::Warning) => Severity::Warning,
        Some(DeclaredSeverity::Error) | None => Severity::Error,
    };
    let about = row.iter().flatten().find(|term| as_node(term).is_some());
    let said = match column("message") {
        Some(Term::Literal(message)) => message.value().to_owned(),
        _ => {
            let values = names.iter().zip(row).filter_map(|(n, v)| Some(format!("{n} {}", subject.name(v.as_ref()?))));
            format!("{} ({})", rule.title("en"), values.collect::<Vec<_>>().join(", ")).replace(" ()", "")
        }
    };
    let text = match (about, column("message")) {
        (Some(about), Some(_)) => format!("{} {said}", subject.name(about)),
        _ => said,
    };
    let place = place(subject, rule, [column("subject"), column("predicate"), column("object")], about);
    let code = format!("rule:{}", rule.name.trim_start_matches("checks/"));
    let hint = rule.header.hint.as_ref().map(|hint| hint.in_language("en"));
    let finding = Finding::new(severity, code, place, text);
    let finding = match about.and_then(as_node) {
        Some(node) => finding.about_node(&node),
        None => finding,
    };
    finding.hint_if(hint).hint(format!("the rule is {}", rule.file))
}

fn place(subject: &Subject<'_>, rule: &CannedQuery, statement: [Option<&Term>; 3], about: Option<&Term>) -> Place {
    if let [Some(s), Some(Term::NamedNode(p)), Some(o)] = statement
        && let Some(s) = as_node(s)
    {
        return subject.place_of(&Triple::new(s, p.clone(), o.clone()));
    }
    match about.and_then(as_node) {
        Some(node) => place_of_node(subject, &node),
        None => rule.source().place(0..0),
    }
}

/// A reifier gets the place of the statement that it reifies, which is more helpful than that of the first statement
/// about it.
fn place_of_node(subject: &Subject<'_>, node: &NamedOrBlankNode) -> Place {
    let reified = subject.quads_about(node).find_map(|quad| match quad.object {
        Term::Triple(statement) if quad.predicate == kgq_syntax::rdf::vocabulary::rdf::REIFIES => Some(statement),
        _ => None,
    });
    match reified {
        Some(statement) => subject.place_of(&statement),
        None => subject.place_of_node(&node.clone().into()),
    }
}
