//! What OWL and RDFS say of a property, taken as a promise: one value where it is functional, objects of its range.
//!
//! By the letter both are no faults (two values are the same thing, and an object is of the range by being one), so they are
//! looked for only where `[check.severity]` of kgq.toml asks for them.

use super::finding::{Finding, Severity};
use super::report::Report;
use super::settings::asks_for;
use super::subject::{SourceFile, Subject, as_node, triple_of};
use super::{Check, Explanation};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdfs;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, Term};
use oxrdf::vocab::rdf;
use rustc_hash::{FxHashMap, FxHashSet};

const FUNCTIONAL: &str = "functional-twice";
const RANGE: &str = "outside-range";

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: FUNCTIONAL,
            finds: "a second value of an owl:FunctionalProperty. Looked for only if kgq.toml says how bad it is: \
                    `functional-twice = \"warning\"` below [check.severity]",
            why: "a reasoner concludes that both values are one thing; most often one of them is wrong",
            mend: "remove the wrong value, or do not call the property functional",
        },
        Explanation {
            code: RANGE,
            finds: "an object that is of a class, but not of the rdfs:range of its property or a class below it; or a literal of \
                    another datatype. Looked for only if kgq.toml says how bad it is: `outside-range = \"warning\"` below [check.severity]",
            why: "a reasoner concludes that the object is of the range too; most often the link goes to a wrong thing",
            mend: "correct the object, or widen the range",
        },
    ],
    run,
    needs_all_files: true,
};

const RDFS_RANGE: &str = "http://www.w3.org/2000/01/rdf-schema#range";
const FUNCTIONAL_PROPERTY: &str = "http://www.w3.org/2002/07/owl#FunctionalProperty";

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    if asks_for(subject, FUNCTIONAL) {
        functional(subject, report);
    }
    if asks_for(subject, RANGE) {
        ranges(subject, report);
    }
    Ok(())
}

fn statements<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (&'s SourceFile, &'s Quad)> {
    subject.files.iter().flat_map(|file| subject.quads_in(file).iter().map(move |quad| (file, quad)))
}

fn functional(subject: &Subject<'_>, report: &mut Report) {
    let declares = |quad: &&Quad| quad.predicate == rdf::TYPE && is_named(&quad.object, FUNCTIONAL_PROPERTY);
    let properties: FxHashSet<&str> = subject.quads.iter().filter(declares).filter_map(|q| iri(&q.subject)).collect();
    let mut first: FxHashMap<(&NamedOrBlankNode, &NamedNode), &Term> = FxHashMap::default();
    for (file, quad) in statements(subject) {
        if !properties.contains(quad.predicate.as_str()) {
            continue;
        }
        let known = *first.entry((&quad.subject, &quad.predicate)).or_insert(&quad.object);
        if *known != quad.object {
            let message = format!(
                "{} has a second {}, which is functional; the first is {}",
                subject.name_of(&quad.subject),
                subject.prefixes.display(quad.predicate.as_str()),
                subject.name(known)
            );
            let place = subject.place_in(file, &triple_of(quad));
            report.findings.push(Finding::new(Severity::Warning, FUNCTIONAL, place, message).about(&quad.predicate));
        }
    }
}

fn ranges(subject: &Subject<'_>, report: &mut Report) {
    let mut ranges: FxHashMap<&str, Vec<&NamedNode>> = FxHashMap::default();
    let mut wider: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let mut classes: FxHashMap<&NamedOrBlankNode, Vec<&str>> = FxHashMap::default();
    for quad in &subject.quads {
        let Term::NamedNode(object) = &quad.object else { continue };
        if quad.predicate == rdf::TYPE {
            classes.entry(&quad.subject).or_default().push(object.as_str());
        } else if let Some(term) = iri(&quad.subject) {
            if quad.predicate.as_str() == RDFS_RANGE {
                ranges.entry(term).or_default().push(object);
            } else if quad.predicate == rdfs::SUB_CLASS_OF {
                wider.entry(term).or_default().push(object.as_str());
            }
        }
    }
    for (file, quad) in statements(subject) {
        for range in ranges.get(quad.predicate.as_str()).into_iter().flatten() {
            let outside = match &quad.object {
                Term::Literal(literal) => is_datatype(range) && literal.datatype() != range.as_ref(),
                Term::NamedNode(_) | Term::BlankNode(_) => {
                    let known = as_node(&quad.object).and_then(|node| classes.get(&node));
                    is_outside(known, range, &wider)
                }
                Term::Triple(_) => false,
            };
            if outside {
                let message = format!(
                    "{} is no {}, which is the range of {}",
                    subject.name(&quad.object),
                    subject.prefixes.display(range.as_str()),
                    subject.prefixes.display(quad.predicate.as_str())
                );
                let place = subject.place_in(file, &triple_of(quad));
                report.findings.push(Finding::new(Severity::Warning, RANGE, place, message).about(&quad.predicate));
            }
        }
    }
}

/// Whether a node has classes, and none of them is the range or below it.
fn is_outside(classes: Option<&Vec<&str>>, range: &NamedNode, wider: &FxHashMap<&str, Vec<&str>>) -> bool {
    const EVERYTHING: [&str; 2] =
        ["http://www.w3.org/2002/07/owl#Thing", "http://www.w3.org/2000/01/rdf-schema#Resource"];
    let Some(classes) = classes else { return false };
    if EVERYTHING.contains(&range.as_str()) {
        return false;
    }
    let mut seen: FxHashSet<&str> = classes.iter().copied().collect();
    let mut open = classes.clone();
    while let Some(class) = open.pop() {
        if class == range.as_str() {
            return false;
        }
        open.extend(wider.get(class).into_iter().flatten().copied().filter(|class| seen.insert(class)));
    }
    true
}

fn is_datatype(range: &NamedNode) -> bool {
    range.as_str().starts_with("http://www.w3.org/2001/XMLSchema#")
}

fn is_named(term: &Term, iri: &str) -> bool {
    matches!(term, Term::NamedNode(node) if node.as_str() == iri)
}

fn iri(node: &NamedOrBlankNode) -> Option<&str> {
    match node {
        NamedOrBlankNode::NamedNode(iri) => Some(iri.as_str()),
        NamedOrBlankNode::BlankNode(_) => None,
    }
}
