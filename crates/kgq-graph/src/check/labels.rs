//! Labels: missing in a language that the project requires, or the same for two things.

use super::finding::Finding;
use super::report::Report;
use super::subject::{Subject, triple_of};
use super::terms::namespace;
use super::{Check, Explanation};
use crate::project::Role;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{rdfs, skos};
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term};
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

/// What is known of one thing's names.
#[derive(Default)]
struct Names<'s> {
    labels: Vec<(&'s Quad, &'s Literal)>,
    classes: Vec<&'s NamedNode>,
    /// The concept schemes that it is in.
    schemes: Vec<&'s NamedNode>,
    without: FxHashSet<String>,
    /// Declared as class or property in the ontology.
    is_term: bool,
}

impl<'s> Names<'s> {
    /// Where a label is to be of one thing alone: two thesauri, or two vocabularies, may have a term each of one name.
    fn within(&self, thing: &'s NamedNode) -> Vec<&'s str> {
        match self.schemes.is_empty() {
            true if self.is_term => vec![namespace(thing.as_str())],
            true => vec![""],
            false => self.schemes.iter().map(|scheme| scheme.as_str()).collect(),
        }
    }
}

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let no_label = subject.project.manifest.check.no_label.as_deref();
    let no_label = no_label.and_then(|name| subject.expand(name));
    let mut order: Vec<&NamedNode> = Vec::new();
    let mut things: FxHashMap<&NamedNode, Names<'_>> = FxHashMap::default();
    for file in &subject.files {
        for quad in subject.quads_in(file) {
            let NamedOrBlankNode::NamedNode(thing) = &quad.subject else { continue };
            let names = things.entry(thing).or_insert_with(|| {
                order.push(thing);
                Names::default()
            });
            match &quad.object {
                Term::Literal(label) if LABELS.contains(&quad.predicate.as_ref()) => names.labels.push((quad, label)),
                Term::Literal(language) if Some(&quad.predicate) == no_label.as_ref() => {
                    names.without.insert(language.value().to_ascii_lowercase());
                }
                Term::NamedNode(scheme) if SCHEMES.contains(&quad.predicate.as_ref()) => names.schemes.push(scheme),
                Term::NamedNode(class) if quad.predicate == rdf::TYPE => {
                    names.is_term |= file.role == Role::Ontology && is_kind_of_term(class);
                    names.classes.push(class);
                }
                _ => {}
            }
        }
    }
    for thing in &order {
        missing(subject, thing, &things[thing], report);
        preferred_twice(subject, thing, &things[thing], report);
    }
    shared(subject, &order, &things, report);
    Ok(())
}

fn is_kind_of_term(class: &NamedNode) -> bool {
    let local = class.as_str().rsplit(['#', '/']).next().unwrap_or_default();
    matches!(local, "Class" | "Datatype") || local.ends_with("Property")
}

fn missing(subject: &Subject<'_>, thing: &NamedNode, names: &Names<'_>, report: &mut Report) {
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
            Some((label, _)) => subject.place_of(&triple_of(label)),
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

/// Whether a tag is of a language: `zh-Hans` is of `zh`.
fn is_in(tag: &str, language: &str) -> bool {
    let (tag, language) = (tag.to_ascii_lowercase(), language.to_ascii_lowercase());
    tag.strip_prefix(language.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn preferred_twice(subject: &Subject<'_>, thing: &NamedNode, names: &Names<'_>, report: &mut Report) {
    let mut seen: FxHashMap<&str, &Literal> = FxHashMap::default();
    for (quad, label) in &names.labels {
        if quad.predicate != skos::PREF_LABEL {
            continue;
        }
        let language = label.language().unwrap_or_default();
        match seen.get(language) {
            Some(first) if first != label => {
                let name = subject.prefixes.display(thing.as_str());
                let message = format!("{name} has a second preferred label in `{language}`; the first is {first}");
                let finding = Finding::warning("duplicate-label", subject.place_of(&triple_of(quad)), message);
                report.findings.push(finding.about(thing));
            }
            Some(_) => {}
            None => {
                seen.insert(language, label);
            }
        }
    }
}

fn shared<'s>(
    subject: &Subject<'_>,
    order: &[&'s NamedNode],
    things: &FxHashMap<&'s NamedNode, Names<'s>>,
    report: &mut Report,
) {
    let mut seen: FxHashMap<(String, String, &NamedNode, &str), &NamedNode> = FxHashMap::default();
    for thing in order {
        let names = &things[thing];
        let mut told: FxHashSet<&NamedNode> = FxHashSet::default();
        for (quad, label) in &names.labels {
            let text = label.value().trim().to_lowercase();
            let language = label.language().unwrap_or_default().to_ascii_lowercase();
            let within = names.within(thing);
            for (class, within) in names.classes.iter().flat_map(|class| within.iter().map(move |w| (class, *w))) {
                let other = *seen.entry((text.clone(), language.clone(), class, within)).or_insert(thing);
                if other == *thing || !told.insert(other) {
                    continue;
                }
                let (name, other) =
                    (subject.prefixes.display(thing.as_str()), subject.prefixes.display(other.as_str()));
                let message = format!(
                    "{name} has the label {label}, as {other} has; both are of class {}",
                    subject.prefixes.display(class.as_str())
                );
                let finding = Finding::warning("duplicate-label", subject.place_of(&triple_of(quad)), message);
                report.findings.push(finding.about(thing));
            }
        }
    }
}
