//! Labels that are missing in a language that the project requires, or that two things share.

use super::finding::Finding;
use super::report::Report;
use super::subject::{SourceFile, Subject};
use super::terms::namespace;
use super::{Check, Explanation};
use crate::project::Role;
use kgq_snapshot::{Ids, TermId, TermKind};
use kgq_syntax::error::{Place, Result};
use kgq_syntax::rdf::vocabulary::{rdfs, skos};
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, Term};
use oxrdf::vocab::rdf;
use rustc_hash::{FxHashMap, FxHashSet};

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "missing-label",
            finds: "a thing, class or property that has a label, but none in a language of `languages` in [check] of kgq.toml; \
                    or a class or property of the project's own without any",
            why: "readers of that language see an IRI, and cannot find the thing by its name",
            mend: "add the label with its language tag; where no name is published, say so with the property that `no-label` \
                   in [check] names",
        },
        Explanation {
            code: "duplicate-label",
            finds: "two things of one class with the same label in the same language, of concepts within one scheme, of \
                    classes and properties within one namespace; two preferred labels of one thing in one language",
            why: "most often one thing was entered twice, and counts are too high; a search by the label cannot tell them apart",
            mend: "merge the things, or make the labels differ",
        },
    ],
    run,
    needs_all_files: true,
};

const SCHEMES: [NamedNodeRef<'static>; 2] = [skos::IN_SCHEME, skos::TOP_CONCEPT_OF];
const LABELS: [NamedNodeRef<'static>; 2] = [rdfs::LABEL, skos::PREF_LABEL];

/// What is known about the names of one thing.
#[derive(Default)]
struct Names {
    labels: Vec<(Ids, Literal)>,
    classes: Vec<NamedNode>,
    /// The concept schemes that it belongs to.
    schemes: Vec<NamedNode>,
    without: FxHashSet<String>,
    /// Whether the ontology declares it as class or property.
    is_term: bool,
}

impl Names {
    /// The scopes in which its label must be unique: two thesauri, or two vocabularies, may each have a term with the
    /// same name.
    fn within<'n>(&'n self, thing: &'n NamedNode) -> Vec<&'n str> {
        match self.schemes.is_empty() {
            true if self.is_term => vec![namespace(thing.as_str())],
            true => vec![""],
            false => self.schemes.iter().map(NamedNode::as_str).collect(),
        }
    }
}

/// The ids of the properties and classes that this check depends on.
struct Words {
    labels: Vec<TermId>,
    schemes: Vec<TermId>,
    kind: Option<TermId>,
    no_label: Option<TermId>,
    kinds_of_terms: FxHashSet<TermId>,
}

impl Words {
    fn of(subject: &Subject<'_>) -> Self {
        let no_label = subject.project.manifest.check.no_label.as_deref();
        let no_label = no_label.and_then(|name| subject.expand(name));
        let kind = subject.id(rdf::TYPE);
        let classes: FxHashSet<TermId> = kind
            .into_iter()
            .flat_map(|kind| subject.snapshot().find_ids([None, Some(kind), None]))
            .map(|[_, _, class, _]| class)
            .collect();
        let is_kind_of_term = |class: &TermId| subject.iri(*class).is_some_and(|class| is_kind_of_term(&class));
        Self {
            labels: LABELS.iter().filter_map(|property| subject.id(*property)).collect(),
            schemes: SCHEMES.iter().filter_map(|property| subject.id(*property)).collect(),
            kind,
            no_label: no_label.and_then(|property| subject.id(property.as_ref())),
            kinds_of_terms: classes.into_iter().filter(is_kind_of_term).collect(),
        }
    }

    /// Whether a statement in a file declares a class or property.
    fn declares(&self, file: &SourceFile, [_, predicate, object, _]: Ids) -> bool {
        file.role == Role::Ontology && Some(predicate) == self.kind && self.kinds_of_terms.contains(&object)
    }
}

/// The things that have labels or should have them, in file order.
fn things(subject: &Subject<'_>) -> Vec<(NamedNode, Names)> {
    let words = Words::of(subject);
    let snapshot = subject.snapshot();
    let named: FxHashSet<TermId> = subject
        .each()
        .filter(|(file, statement)| {
            let [_, predicate, object, _] = *statement;
            let is_label = words.labels.contains(&predicate) && snapshot.kind(object) == TermKind::Literal;
            is_label || words.declares(file, *statement)
        })
        .map(|(_, [thing, ..])| thing)
        .collect();
    let mut things: Vec<(NamedNode, Names)> = Vec::new();
    let mut number: FxHashMap<TermId, usize> = FxHashMap::default();
    for (file, statement) in subject.each() {
        let [thing, predicate, object, _] = statement;
        if !named.contains(&thing) {
            continue;
        }
        let number = match number.get(&thing) {
            Some(number) => *number,
            None => {
                let Some(iri) = subject.iri(thing) else { continue };
                number.insert(thing, things.len());
                things.push((iri, Names::default()));
                things.len() - 1
            }
        };
        let names = &mut things[number].1;
        let is_kind = Some(predicate) == words.kind;
        let tells = is_kind
            || Some(predicate) == words.no_label
            || words.labels.contains(&predicate)
            || words.schemes.contains(&predicate);
        if !tells {
            continue;
        }
        match subject.term(object) {
            Term::Literal(label) if words.labels.contains(&predicate) => names.labels.push((statement, label)),
            Term::Literal(language) if Some(predicate) == words.no_label => {
                names.without.insert(language.value().to_ascii_lowercase());
            }
            Term::NamedNode(scheme) if words.schemes.contains(&predicate) => names.schemes.push(scheme),
            Term::NamedNode(class) if is_kind => {
                names.is_term |= words.declares(file, statement);
                names.classes.push(class);
            }
            _ => {}
        }
    }
    things
}

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let things = things(subject);
    for (thing, names) in &things {
        missing(subject, thing, names, report);
        preferred_twice(subject, thing, names, report);
    }
    shared(subject, &things, report);
    Ok(())
}

/// Where a label is written.
fn place(subject: &Subject<'_>, label: Ids) -> Place {
    subject.triple(label).map_or_else(|| subject.place_in_manifest(""), |statement| subject.place_of(&statement))
}

fn is_kind_of_term(class: &NamedNode) -> bool {
    let local = class.as_str().rsplit(['#', '/']).next().unwrap_or_default();
    matches!(local, "Class" | "Datatype") || local.ends_with("Property")
}

fn missing(subject: &Subject<'_>, thing: &NamedNode, names: &Names, report: &mut Report) {
    let own = |base: &str| thing.as_str().starts_with(base);
    let must_be_named = names.is_term && subject.project.manifest.base.as_deref().is_none_or(own);
    if names.labels.is_empty() && !must_be_named {
        return;
    }
    for language in &subject.project.manifest.check.languages {
        let has = names.labels.iter().any(|(_, label)| label.language().is_some_and(|tag| is_in(tag, language)));
        if has || names.without.contains(&language.to_ascii_lowercase()) {
            continue;
        }
        let name = subject.prefixes.display(thing.as_str());
        let place = match names.labels.first() {
            Some((label, _)) => place(subject, *label),
            None => subject.place_of_subject(&thing.clone().into()),
        };
        let message = format!("{name} has no label in `{language}`");
        let finding = Finding::error("missing-label", place, message)
            .about(thing)
            .hint(format!("add rdfs:label \"…\"@{language}"));
        let no_label = subject.project.manifest.check.no_label.as_ref();
        let or = no_label.map(|property| format!("where none is published, {property} \"{language}\" says so"));
        report.findings.push(finding.hint_if(or));
    }
}

/// Whether a language tag belongs to a language: `zh-Hans` belongs to `zh`.
fn is_in(tag: &str, language: &str) -> bool {
    let (tag, language) = (tag.to_ascii_lowercase(), language.to_ascii_lowercase());
    tag.strip_prefix(language.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn preferred_twice(subject: &Subject<'_>, thing: &NamedNode, names: &Names, report: &mut Report) {
    let mut seen: FxHashMap<&str, &Literal> = FxHashMap::default();
    let preferred = subject.id(skos::PREF_LABEL);
    for (statement, label) in &names.labels {
        if Some(statement[1]) != preferred {
            continue;
        }
        let language = label.language().unwrap_or_default();
        match seen.get(language) {
            Some(first) if **first != *label => {
                let name = subject.prefixes.display(thing.as_str());
                let message = format!("{name} has a second preferred label in `{language}`; the first is {first}");
                let finding = Finding::warning("duplicate-label", place(subject, *statement), message);
                report.findings.push(finding.about(thing));
            }
            Some(_) => {}
            None => {
                seen.insert(language, label);
            }
        }
    }
}

fn shared(subject: &Subject<'_>, things: &[(NamedNode, Names)], report: &mut Report) {
    let mut seen: FxHashMap<(String, String, &NamedNode, &str), &NamedNode> = FxHashMap::default();
    for (thing, names) in things {
        let mut told: FxHashSet<&NamedNode> = FxHashSet::default();
        for (statement, label) in &names.labels {
            let text = label.value().trim().to_lowercase();
            let language = label.language().unwrap_or_default().to_ascii_lowercase();
            let within = names.within(thing);
            for (class, within) in names.classes.iter().flat_map(|class| within.iter().map(move |w| (class, *w))) {
                let other = *seen.entry((text.clone(), language.clone(), class, within)).or_insert(thing);
                if other == thing || !told.insert(other) {
                    continue;
                }
                let (name, other) =
                    (subject.prefixes.display(thing.as_str()), subject.prefixes.display(other.as_str()));
                let message = format!(
                    "{name} has the label {label}, as {other} has; both are of class {}",
                    subject.prefixes.display(class.as_str())
                );
                let finding = Finding::warning("duplicate-label", place(subject, *statement), message);
                report.findings.push(finding.about(thing));
            }
        }
    }
}
