//! SHACL: validates all statements of the project against every shape in its files.

use super::finding::{Finding, Severity};
use super::idle::{idle_targets, unknown_terms};
use super::report::Report;
use super::shacl::{
    self, IllFormed, Shapes, Texts, ValidationData, ValidationFailure, ValidationResult, infer, validate,
};
use super::subject::{Subject, as_node};
use super::{Check, Explanation};
use crate::project::MANIFEST;
use kgq_syntax::budget::{Exceeded, Work};
use kgq_syntax::error::{Error, Kind, Place, Result};
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple};
use serde_json::{Value, json};
use std::io::Write;

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "shape-<constraint>",
            finds: "a node that does not conform to a SHACL shape of the project; the code ends in the kind of constraint, such as \
                    shape-min-count, shape-class, shape-datatype or shape-sparql. Shapes are found in all files; their data are all \
                    statements of the project, in whatever graph, with what the rules of the shapes (sh:rule) add to them. \
                    sh:severity decides between error, warning and note",
            why: "the shape says what the project promises of its data; queries are written with that in mind",
            mend: "correct the statement; or, if the shape promises too much, the shape that the hint names",
        },
        Explanation {
            code: "ill-formed-shape",
            finds: "a shape, or a constraint of one, that SHACL does not allow: it is passed over, the rest is checked",
            why: "what the shape was to promise is not checked, and nobody would notice",
            mend: "correct it as the message says; see https://www.w3.org/TR/shacl/",
        },
        Explanation {
            code: "shape-not-run",
            finds: "a constraint, target, rule or function of a shape that SHACL allows and this program does not run, such as one \
                    written in JavaScript: it is passed over, the rest is checked",
            why: "what it was to promise is not checked here",
            mend: "say the same in SPARQL, beside it if other programs need it as it is",
        },
        Explanation {
            code: "validation-failed",
            finds: "a constraint, target or rule in SPARQL that stopped with an error or passed a limit, or shapes that nest \
                    without end",
            why: "no result of any shape is known",
            mend: "mend the query; or raise the limit that the hint names",
        },
        Explanation {
            code: "unknown-shacl-term",
            finds: "a term of SHACL's namespace that SHACL 1.0 does not define and this program does not know, such as sh:minCont",
            why: "what the shape was to promise by it is not checked: the data conform, whatever they say",
            mend: "correct the name",
        },
        Explanation {
            code: "shape-reaches-nothing",
            finds: "a shape whose target is a class without members, or a property without statements, where the data have one \
                    with a similar name; and every such shape, if no shape of the project reaches a node",
            why: "the shape checks nothing, and the data conform to it whatever they say",
            mend: "correct the name of the class or property",
        },
    ],
    run,
    needs_all_files: true,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    // Without any term of the SHACL vocabulary there are no shapes, and nothing need be held for them.
    if subject.snapshot().iris_beginning_with(shacl::known::SH).is_empty() {
        return Ok(());
    }
    let statements = subject.written().iter().copied();
    let dataset = ValidationData::of_one_snapshot(subject.snapshot(), statements, &subject.options.validation)?;
    let validated = validated(subject, dataset)?;
    report.findings.extend(validated.faults.into_iter().chain(validated.findings));
    Ok(())
}

/// The outcome of a validation.
pub struct Validated {
    /// `None` if a constraint, target or rule failed: the standard then allows no report.
    pub report: Option<shacl::Report>,
    /// One for each result of the report, in the same order.
    pub findings: Vec<Finding>,
    /// Parts of the shapes that are ill-formed or not run.
    pub faults: Vec<Finding>,
    /// Why there is no report.
    pub failure: Option<Error>,
    pub shapes: usize,
    /// The number of statements that rules added.
    pub inferred: usize,
}

impl Validated {
    /// Writes each result with focus, path, value and shape, for programs.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_json(&self, out: &mut dyn Write) -> Result<()> {
        let result = |finding: &Finding| {
            let mut value = finding.to_json();
            if let (Value::Object(object), Some(result)) = (&mut value, &finding.result) {
                object.insert("severity".into(), result.severity.as_str().into());
                object.insert("messages".into(), result.messages.iter().map(Literal::value).collect());
            }
            value
        };
        let report = json!({
            "conforms": self.report.as_ref().map(shacl::Report::conforms),
            "results": self.findings.iter().map(result).collect::<Vec<_>>(),
            "faults": self.faults.iter().map(Finding::to_json).collect::<Vec<_>>(),
        });
        let written = serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from);
        written.and_then(|()| writeln!(out)).map_err(|e| Error::io("the output", &e))
    }
}

/// # Errors
/// Those of the budget of the whole validation. A limit exceeded by a single query of a shape is a finding.
pub(super) fn validated(subject: &Subject<'_>, mut dataset: ValidationData) -> Result<Validated> {
    let written = |statement: &Triple| subject.string_of(statement);
    let shapes = Shapes::parse(&dataset, Texts { bounds: subject.options.bounds, written: &written });
    let fault = |code, severity, fault: &IllFormed| {
        let message = format!("{}: {}", subject.name(&fault.node), fault.message);
        let place = fault.place.clone().unwrap_or_else(|| subject.place_of_node(&fault.node));
        Finding { hints: fault.hints.clone(), ..Finding::new(severity, code, place, message) }
    };
    let ill_formed = shapes.ill_formed.iter().map(|f| fault("ill-formed-shape", Severity::Error, f));
    let not_run = shapes.not_run.iter().map(|f| fault("shape-not-run", Severity::Warning, f));
    let faults: Vec<Finding> = ill_formed.chain(not_run).chain(unknown_terms(subject)).collect();
    let mut validated =
        Validated { report: None, findings: Vec::new(), faults, failure: None, shapes: shapes.len(), inferred: 0 };
    let name = |term: &Term| subject.name(term);
    let limits = subject.options.evaluation.limits;
    let checked = infer(&mut dataset, &shapes, limits, &name).and_then(|inferred| {
        validated.inferred = inferred;
        validate(&dataset, &shapes, limits, &name)
    });
    match checked {
        Ok(report) => {
            validated.faults.extend(idle_targets(subject, &report));
            validated.findings = report.results.iter().map(|result| finding(subject, result)).collect();
            validated.report = Some(report);
        }
        Err(failure) if ends_validation(&failure.error) => return Err(failure.error),
        Err(failure) => {
            validated.faults.push(failed(subject, &failure));
            validated.failure = Some(failure.error);
        }
    }
    Ok(validated)
}

fn ends_validation(error: &Error) -> bool {
    matches!(error.limit_passed(), Some(Exceeded::Time(Work::Validation) | Exceeded::Memory(Work::Validation)))
        || error.kind() == Kind::Interrupted
}

/// Reports why validation stopped, at the place of the shape where it stopped.
fn failed(subject: &Subject<'_>, failure: &ValidationFailure) -> Finding {
    let mut finding = Finding::from_error("validation-failed", MANIFEST, &failure.error);
    if let Some(shape) = &failure.shape {
        let focus = failure.focus.as_ref().map(|focus| format!(" for {}", subject.name(focus)));
        let at = format!("{}{}: ", subject.name(shape), focus.unwrap_or_default());
        finding.message.insert_str(0, &at);
        finding.place = subject.place_of_node(shape);
    }
    finding
}

fn finding(subject: &Subject<'_>, result: &ValidationResult) -> Finding {
    let severity = match result.severity.as_str().rsplit('#').next() {
        Some("Warning") => Severity::Warning,
        Some("Info") => Severity::Note,
        // A severity defined by the project counts as an error.
        _ => Severity::Error,
    };
    let own = message(&result.messages).filter(|text| *text != result.explanation);
    let said = own.unwrap_or(&result.explanation);
    let text = format!("{}: {said}", subject.name(&result.focus));
    let finding = Finding::new(severity, code(&result.component), place(subject, result), text);
    let finding = match as_node(&result.focus) {
        Some(focus) => finding.about_node(&focus),
        None => finding,
    };
    let finding = finding.hint_if(own.is_some().then_some(result.explanation.as_str()));
    let shape = subject.place_of_node(&result.shape);
    let named = match &result.named_shape {
        Some(named) => format!("{} at ", subject.name(&named.clone().into())),
        None => String::new(),
    };
    let mut finding = finding.hint(format!("the shape is {named}{shape}"));
    finding.result = Some(Box::new(result.clone()));
    finding
}

/// The message in English or without a language, else the first.
fn message(messages: &[Literal]) -> Option<&str> {
    let english = |m: &&Literal| m.language().is_none_or(|tag| tag == "en" || tag.starts_with("en-"));
    messages.iter().find(english).or_else(|| messages.first()).map(Literal::value)
}

/// `shape-min-count` for `sh:MinCountConstraintComponent`.
fn code(component: &NamedNode) -> String {
    let name = component.as_str().rsplit(['#', '/']).next().unwrap_or_default();
    let name = name.strip_suffix("ConstraintComponent").unwrap_or(name);
    let mut code = String::from("shape");
    let mut after_capital = false;
    for c in name.chars() {
        if c.is_uppercase() && !after_capital {
            code.push('-');
        }
        after_capital = c.is_uppercase();
        code.extend(c.to_lowercase());
    }
    code
}

/// The place of the faulty statement, as precisely as the result says.
fn place(subject: &Subject<'_>, result: &ValidationResult) -> Place {
    let focus = as_node(&result.focus);
    let statement = match (&focus, &result.path, &result.value) {
        (Some(focus), Some(Path::Predicate(p)), Some(value)) => find(subject, focus, Some(p), Some(value)),
        // No value is more at fault than another: the last is taken as the one too many.
        (Some(focus), Some(Path::Predicate(p)), None) => last(subject, focus, p),
        (Some(_), Some(Path::Inverse(inner)), Some(value)) => match (&**inner, as_node(value)) {
            (Path::Predicate(p), Some(value)) => find(subject, &value, Some(p), Some(&result.focus)),
            _ => None,
        },
        (Some(focus), _, Some(value)) if *value != result.focus => find(subject, focus, None, Some(value)),
        _ => None,
    };
    match (statement, focus) {
        (Some(statement), _) => subject.place_of(&statement),
        (None, Some(focus)) if subject.is_described(&focus) => subject.place_of_subject(&focus),
        _ => subject.place_of_node(&result.focus),
    }
}

fn find(
    subject: &Subject<'_>,
    node: &NamedOrBlankNode,
    predicate: Option<&NamedNode>,
    object: Option<&Term>,
) -> Option<Triple> {
    let mut quads = subject.quads_about(node);
    let found = quads.find(|q| predicate.is_none_or(|p| q.predicate == *p) && object.is_none_or(|o| q.object == *o));
    found.map(Triple::from)
}

fn last(subject: &Subject<'_>, node: &NamedOrBlankNode, predicate: &NamedNode) -> Option<Triple> {
    subject.quads_about(node).filter(|q| q.predicate == *predicate).last().map(Triple::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_components_name_in_small_letters() {
        for (component, expected) in [
            ("http://www.w3.org/ns/shacl#MinCountConstraintComponent", "shape-min-count"),
            ("http://www.w3.org/ns/shacl#SPARQLConstraintComponent", "shape-sparql"),
            ("http://www.w3.org/ns/shacl#OrConstraintComponent", "shape-or"),
        ] {
            assert_eq!(code(&NamedNode::new_unchecked(component)), expected);
        }
    }
}
