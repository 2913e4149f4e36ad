//! Treats what OWL and RDFS say about a property as a constraint: a functional property has one value, and objects are
//! in its range.
//!
//! Strictly, neither is a fault (two values denote the same thing, and being an object makes it a member of the range),
//! so these checks run only if `[check.severity]` of kgq.toml asks for them.

use super::finding::{Finding, Severity};
use super::report::Report;
use super::settings::asks_for;
use super::subject::Subject;
use super::{Check, Explanation};
use kgq_snapshot::{TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::rdfs;
use kgq_syntax::rdf::{NamedNode, NamedNodeRef};
use oxrdf::vocab::rdf;
use rustc_hash::{FxHashMap, FxHashSet};

const FUNCTIONAL: &str = "functional-twice";
const RANGE: &str = "outside-range";

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: FUNCTIONAL,
            finds: "a second value of an owl:FunctionalProperty. Checked only if kgq.toml sets its severity: \
                    `functional-twice = \"warning\"` below [check.severity]",
            why: "a reasoner concludes that both values are one thing; most often one of them is wrong",
            mend: "remove the wrong value, or do not call the property functional",
        },
        Explanation {
            code: RANGE,
            finds: "an object that is of a class, but not of the rdfs:range of its property or a class below it; or a literal of \
                    another datatype. Checked only if kgq.toml sets its severity: `outside-range = \"warning\"` below [check.severity]",
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

fn functional(subject: &Subject<'_>, report: &mut Report) {
    let class = NamedNodeRef::new_unchecked(FUNCTIONAL_PROPERTY);
    let properties: FxHashSet<TermId> =
        subject.with(rdf::TYPE, Some(class)).into_iter().map(|[property, ..]| property).collect();
    let mut first: FxHashMap<(TermId, TermId), TermId> = FxHashMap::default();
    for (file, statement) in subject.each() {
        let [node, predicate, object, _] = statement;
        if !properties.contains(&predicate) {
            continue;
        }
        let known = *first.entry((node, predicate)).or_insert(object);
        let Some(property) = subject.iri(predicate).filter(|_| known != object) else { continue };
        let message = format!(
            "{} has a second {}, which is functional; the first is {}",
            subject.name(&subject.term(node)),
            subject.prefixes.display(property.as_str()),
            subject.name(&subject.term(known))
        );
        let place = subject.place_in(file, statement);
        report.findings.push(Finding::new(Severity::Warning, FUNCTIONAL, place, message).about(&property));
    }
}

fn ranges(subject: &Subject<'_>, report: &mut Report) {
    let mut ranges: FxHashMap<TermId, Vec<(TermId, NamedNode)>> = FxHashMap::default();
    for [property, _, range, _] in subject.with(NamedNodeRef::new_unchecked(RDFS_RANGE), None) {
        if let (Some(_), Some(iri)) = (subject.iri(property), subject.iri(range)) {
            ranges.entry(property).or_default().push((range, iri));
        }
    }
    let (kind, wider) = (subject.id(rdf::TYPE), subject.id(rdfs::SUB_CLASS_OF));
    for (file, statement) in subject.each() {
        let [_, predicate, object, _] = statement;
        for (id, range) in ranges.get(&predicate).into_iter().flatten() {
            let outside = match subject.snapshot().kind(object) {
                TermKind::Literal => is_datatype(range) && subject.snapshot().datatype(object) != Some(range.as_ref()),
                TermKind::Iri | TermKind::BlankNode => {
                    kind.is_some_and(|kind| is_outside(subject, object, (*id, range), (kind, wider)))
                }
                TermKind::Triple => false,
            };
            let Some(property) = subject.iri(predicate).filter(|_| outside) else { continue };
            let message = format!(
                "{} is no {}, which is the range of {}",
                subject.name(&subject.term(object)),
                subject.prefixes.display(range.as_str()),
                subject.prefixes.display(property.as_str())
            );
            let place = subject.place_in(file, statement);
            report.findings.push(Finding::new(Severity::Warning, RANGE, place, message).about(&property));
        }
    }
}

/// Whether a node has classes, none of which is the range or one of its subclasses.
fn is_outside(
    subject: &Subject<'_>,
    node: TermId,
    (range, iri): (TermId, &NamedNode),
    (kind, wider): (TermId, Option<TermId>),
) -> bool {
    const EVERYTHING: [&str; 2] =
        ["http://www.w3.org/2002/07/owl#Thing", "http://www.w3.org/2000/01/rdf-schema#Resource"];
    let is_class = |id: &TermId| subject.snapshot().kind(*id) == TermKind::Iri;
    let said = |node: TermId, predicate: TermId| {
        subject.snapshot().find_ids([Some(node), Some(predicate), None]).map(|[_, _, class, _]| class).filter(is_class)
    };
    let mut open: Vec<TermId> = said(node, kind).collect();
    if open.is_empty() || EVERYTHING.contains(&iri.as_str()) {
        return false;
    }
    let mut seen: FxHashSet<TermId> = open.iter().copied().collect();
    while let Some(class) = open.pop() {
        if class == range {
            return false;
        }
        open.extend(wider.into_iter().flat_map(|wider| said(class, wider)).filter(|class| seen.insert(*class)));
    }
    true
}

fn is_datatype(range: &NamedNode) -> bool {
    range.as_str().starts_with("http://www.w3.org/2001/XMLSchema#")
}
