//! Validates data against shapes outside the checks of a project: decides which files are data and which are shapes.

use super::Options;
use super::finding::{Finding, Severity};
use super::shacl::ValidationData;
use super::shapes::{Validated, validated};
use super::subject::Subject;
use crate::project::{Project, Role};
use kgq_snapshot::store::Input;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNodeRef, NamedOrBlankNode, Prefixes, Quad, Term, Triple};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

const IMPORTS: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/2002/07/owl#imports");

/// The outcome of a validation, and the prefixes to write its terms with.
pub struct Validation {
    pub validated: Validated,
    pub prefixes: Prefixes,
    /// The statements of the shapes graph about the unnamed shapes and constraints in the report.
    pub unnamed: Vec<Triple>,
}

/// Validates data against shapes. Without shapes files, the shapes are taken from the data, and everything is one
/// graph.
///
/// # Errors
/// Those of all files that cannot be read, together.
pub(crate) fn validate_files(
    project: &Project,
    data: Vec<Input>,
    shapes: Vec<Input>,
    options: Options,
) -> Result<Validation> {
    let separate = !shapes.is_empty();
    let with = |role, inputs: Vec<Input>| inputs.into_iter().map(move |input| (role, input));
    let inputs = with(Role::Data, data).chain(with(Role::Ontology, shapes)).collect();
    let subject = Subject::of_inputs(project, inputs, options)?;
    if let Some(error) = Error::all(subject.files.iter().filter_map(|file| file.error.clone())) {
        return Err(error);
    }
    let (snapshot, budget) = (subject.snapshot(), &subject.options.validation);
    let of = |role| subject.written_of(role);
    let dataset = if separate {
        ValidationData::of_snapshot(snapshot, of(Role::Data), of(Role::Ontology), budget)?
    } else {
        ValidationData::of_one_snapshot(snapshot, of(Role::Data), budget)?
    };
    let mut validated = validated(&subject, dataset)?;
    if validated.shapes > 0 {
        let role = if separate { Role::Ontology } else { Role::Data };
        validated.faults.extend(missing_imports(&subject, role));
    }
    let unnamed = unnamed(&subject, &validated);
    Ok(Validation { validated, prefixes: subject.prefixes, unnamed })
}

/// The statements about the blank nodes of a report's shapes and constraints, and about the blank nodes that these
/// refer to in turn.
fn unnamed(subject: &Subject<'_>, validated: &Validated) -> Vec<Triple> {
    let results = validated.report.iter().flat_map(|report| &report.results);
    let mut nodes: Vec<Term> =
        results.flat_map(|r| [Some(&r.shape), r.constraint.as_ref()]).flatten().cloned().collect();
    let mut seen = FxHashSet::default();
    let mut triples = Vec::new();
    while let Some(node) = nodes.pop() {
        if let Term::BlankNode(blank) = &node
            && seen.insert(blank.clone())
        {
            for quad in subject.quads_about(&blank.clone().into()) {
                nodes.push(quad.object.clone());
                triples.push(quad.into());
            }
        }
    }
    triples
}

/// Imports of the shapes graph that no available file describes: nothing is fetched.
fn missing_imports(subject: &Subject<'_>, role: Role) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let missing = |quad: &Quad| match &quad.object {
        Term::NamedNode(imported) => !subject.is_described(&NamedOrBlankNode::from(imported.clone())),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => false,
    };
    let imports = subject.quads_of(role).filter(|quad| quad.predicate == IMPORTS).filter(missing);
    let mut found = Vec::new();
    for quad in imports.filter(|quad| seen.insert(quad.object.to_string())) {
        let message = format!("{} is imported, and is not at hand: nothing is fetched", quad.object);
        let finding = Finding::new(Severity::Warning, "not-imported", subject.place_of(&quad.clone().into()), message);
        found.push(finding.hint("if it has shapes, name its file with `--shapes`; if it has classes, as data"));
    }
    found
}
