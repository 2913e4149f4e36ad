//! Shapes that say nothing although they were meant to: terms of SHACL's namespace that nobody defines, and targets that the
//! data do not have.

use super::finding::{Finding, Severity};
use super::shacl::{Idle, Report, known};
use super::subject::Subject;
use kgq_snapshot::TermId;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Triple};
use kgq_syntax::text::did_you_mean;
use std::collections::BTreeSet;

/// Terms that the vocabulary does not have. The vocabulary's own file, which may be newer, defines what it says.
pub(super) fn unknown_terms(subject: &Subject<'_>) -> Vec<Finding> {
    let terms = subject.snapshot().iris_beginning_with(known::SH).map(TermId::new);
    let mut found = Vec::new();
    for id in terms.filter(|id| !subject.has_statements(*id)) {
        let Some(iri) = subject.iri(id) else { continue };
        let name = iri.as_str().strip_prefix(known::SH).unwrap_or_default();
        if name.is_empty() || known::is_known(name) {
            continue;
        }
        let said: Option<Triple> = subject.with(iri.as_ref(), None).first().and_then(|ids| subject.triple(*ids));
        let place = match said {
            Some(said) => subject.place_of(&said),
            None => subject.place_of_node(&iri.clone().into()),
        };
        let message = format!("kgq knows no term sh:{name} of SHACL: what a shape says by it is not checked");
        let finding = Finding::new(Severity::Warning, "unknown-shacl-term", place, message);
        found.push(finding.hint_if(known::near(name)));
    }
    found
}

/// The targets of shapes that reached no node. Where other shapes reached some, only those that a name of the data may have
/// been meant by: shapes may be for more than one set of data has.
pub(super) fn idle_targets(subject: &Subject<'_>, report: &Report) -> Vec<Finding> {
    let (mut classes, mut properties) = (None, None);
    let mut found = Vec::new();
    for Idle { shape, target, value } in &report.idle {
        let names = match target.as_str().ends_with("Class") {
            true => classes.get_or_insert_with(|| names(subject, true)),
            false => properties.get_or_insert_with(|| names(subject, false)),
        };
        let near = value.as_ref().and_then(|value| {
            let name = subject.prefixes.display(value.as_str());
            did_you_mean(&name, names.iter().map(String::as_str).filter(|known| *known != name))
        });
        if near.is_none() && report.focus_nodes > 0 {
            continue;
        }
        let target = target.as_str().rsplit('#').next().unwrap_or_default();
        let what = value.as_ref().map_or(String::new(), |v| format!(" {}", subject.prefixes.display(v.as_str())));
        let message = format!("{} reaches no node: the data have none for sh:{target}{what}", subject.name(shape));
        let severity = if near.is_some() { Severity::Warning } else { Severity::Note };
        let finding = Finding::new(severity, "shape-reaches-nothing", subject.place_of_node(shape), message);
        found.push(finding.hint_if(near));
    }
    found
}

/// The names of the classes that things have, or of the properties in use.
fn names(subject: &Subject<'_>, of_classes: bool) -> BTreeSet<String> {
    let rdf_type = subject.id(rdf::TYPE);
    let id = |[_, predicate, object, _]: [TermId; 4]| match of_classes {
        true => (Some(predicate) == rdf_type).then_some(object),
        false => Some(predicate),
    };
    let ids: BTreeSet<TermId> = subject.written().iter().filter_map(|ids| id(*ids)).collect();
    let is_shacl = |iri: &NamedNode| iri.as_str().starts_with(known::SH);
    let iris = ids.iter().filter_map(|id| subject.iri(*id)).filter(|iri| !is_shacl(iri));
    iris.map(|iri| subject.prefixes.display(iri.as_str())).collect()
}
