//! SHACL: every shape of the project's files against all its statements.

use super::finding::{Finding, Report, Severity};
use super::shacl::{Dataset, Shapes, ValidationResult, validate};
use super::subject::{Subject, as_node, triple_of};
use super::{Check, Explanation};
use crate::project::MANIFEST;
use kgq_syntax::error::{Place, Result};
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple};

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "shape-<constraint>",
            finds: "a node that does not conform to a SHACL shape of the project; the code ends in the kind of constraint, such as \
                    shape-min-count, shape-class, shape-datatype or shape-sparql. Shapes are found in all files; their data are all \
                    statements of the project, in whatever graph. sh:severity decides between error, warning and note",
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
            code: "validation-failed",
            finds: "a constraint in SPARQL that stopped with an error or passed a limit, or shapes that nest without end",
            why: "no result of any shape is known",
            mend: "mend the query; or raise the limit that the hint names",
        },
    ],
    run,
    needs_all_files: true,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let dataset = Dataset::of_one_graph(subject.quads.iter().map(triple_of));
    let shapes = Shapes::parse(&dataset);
    for fault in &shapes.ill_formed {
        let place = subject.place_of_node(&fault.node);
        let message = format!("{}: {}", subject.name(&fault.node), fault.message);
        report.findings.push(Finding::error("ill-formed-shape", place, message));
    }
    if shapes.is_empty() {
        return Ok(());
    }
    let name = |term: &Term| subject.name(term);
    match validate(&dataset, &shapes, subject.options.evaluation.limits, &name) {
        Ok(found) => report.findings.extend(found.results.iter().map(|result| finding(subject, result))),
        Err(error) => report.findings.push(Finding::from_error("validation-failed", MANIFEST, &error)),
    }
    Ok(())
}

fn finding(subject: &Subject<'_>, result: &ValidationResult) -> Finding {
    let severity = match result.severity.as_str().rsplit('#').next() {
        Some("Warning") => Severity::Warning,
        Some("Info") => Severity::Note,
        // A severity of the project's own is taken seriously.
        _ => Severity::Error,
    };
    let own = message(&result.messages).filter(|text| *text != result.explanation);
    let said = own.unwrap_or(&result.explanation);
    let text = format!("{}: {said}", subject.name(&result.focus));
    let finding = Finding::new(severity, code(&result.component), place(subject, result), text);
    let finding = finding.hint_if(own.is_some().then_some(result.explanation.as_str()));
    let shape = subject.place_of_node(&result.shape);
    let named = match &result.shape {
        Term::NamedNode(_) => format!("{} at ", subject.name(&result.shape)),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => String::new(),
    };
    finding.hint(format!("the shape is {named}{shape}"))
}

/// The message in English or without language, else the first.
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

/// The statement that is at fault, as near as the result says.
fn place(subject: &Subject<'_>, result: &ValidationResult) -> Place {
    let focus = as_node(&result.focus);
    let statement = match (&focus, &result.path, &result.value) {
        (Some(focus), Some(Path::Predicate(p)), Some(value)) => find(subject, focus, Some(p), Some(value)),
        // Nothing is wrong with one value more than with another: the last is the one too many.
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
    found.map(triple_of)
}

fn last(subject: &Subject<'_>, node: &NamedOrBlankNode, predicate: &NamedNode) -> Option<Triple> {
    subject.quads_about(node).filter(|q| q.predicate == *predicate).last().map(triple_of)
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
