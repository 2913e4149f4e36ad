//! Things that statements point to but no file describes: one finding for each thing, with the number of statements.

use super::finding::Finding;
use super::report::Report;
use super::subject::{SourceFile, Subject};
use super::terms::{kind_of_object, namespace};
use super::{Check, Explanation};
use kgq_snapshot::{Ids, TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::near::NearNames;
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::text::count;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    codes: &[Explanation {
        code: "broken-link",
        finds: "a thing of the project that statements point to, but that no file describes: one below the `base` of kgq.toml \
                or, where there is no `base`, one whose name is nearly that of a thing described",
        why: "the link leads nowhere: joins over it give fewer rows without a word",
        mend: "correct the name, or describe the thing; a thing that was renamed or removed must be so in every file",
    }],
    run,
    needs_all_files: true,
};

/// Properties that point to documents and versions, which need no description.
const OF_DOCUMENTS: &[&str] = &[
    "http://www.w3.org/2002/07/owl#imports",
    "http://www.w3.org/2002/07/owl#versionIRI",
    "http://www.w3.org/2002/07/owl#priorVersion",
    "http://www.w3.org/2002/07/owl#backwardCompatibleWith",
    "http://www.w3.org/2002/07/owl#incompatibleWith",
    "http://www.w3.org/2000/01/rdf-schema#isDefinedBy",
    "http://www.w3.org/2000/01/rdf-schema#seeAlso",
];

/// A thing without a description: the first statement that points to it, the number of such statements, and the number
/// of their files.
struct Broken<'s> {
    first: (&'s SourceFile, Ids),
    statements: u64,
    files: u64,
    last_file: &'s str,
}

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let mut broken: FxHashMap<TermId, Broken<'_>> = FxHashMap::default();
    let mut order: Vec<TermId> = Vec::new();
    let mut pointing = Pointing { subject, properties: FxHashMap::default() };
    let graphs = subject.snapshot().named_graphs();
    for (file, statement) in subject.each() {
        let [_, predicate, object, _] = statement;
        let Some(target) = pointing.target(predicate, object) else { continue };
        if subject.has_statements(target) || graphs.binary_search(&target).is_ok() {
            continue;
        }
        let found = broken.entry(target).or_insert_with(|| {
            order.push(target);
            Broken { first: (file, statement), statements: 0, files: 0, last_file: "" }
        });
        found.statements += 1;
        found.files += u64::from(found.last_file != file.name);
        found.last_file = &file.name;
    }
    let base = subject.project.manifest.base.as_deref();
    let targets: Vec<(TermId, NamedNode)> =
        order.into_iter().filter_map(|target| Some((target, subject.iri(target)?))).collect();
    let described = described(subject, targets.iter().map(|(_, target)| target));
    let mut siblings = Siblings { described: &described, indexed: FxHashMap::default() };
    for (id, target) in &targets {
        if base.is_some_and(|base| !target.as_str().starts_with(base)) || subject.imports.may_declare(target.as_ref()) {
            continue;
        }
        let near = siblings.near(target.as_str());
        if base.is_none() && near.is_none() {
            continue;
        }
        let Broken { first: (file, statement), statements, files, .. } = &broken[id];
        let message = format!("{} is described nowhere", subject.prefixes.display(target.as_str()));
        let more = match (statements, files) {
            (1, _) => String::new(),
            (statements, 1) => format!(" ({} point to it)", count(*statements, "statement", "statements")),
            (statements, files) => format!(" ({statements} statements in {files} files point to it)"),
        };
        let hint = near.map(|iri| format!("did you mean `{}`?", subject.prefixes.display(&iri)));
        let finding = Finding::error("broken-link", subject.place_in(file, *statement), message);
        report.findings.push(finding.about(target).more(more).hint_if(hint));
    }
    Ok(())
}

/// Decides which properties point to things. Classes and properties are left to `terms.rs`.
struct Pointing<'s> {
    subject: &'s Subject<'s>,
    properties: FxHashMap<TermId, bool>,
}

impl Pointing<'_> {
    /// The thing that an object refers to: the object itself, or the object of the statement if it is a triple term.
    fn target(&mut self, predicate: TermId, object: TermId) -> Option<TermId> {
        let subject = self.subject;
        let points = || {
            let to_things = |predicate: NamedNode| {
                kind_of_object(&predicate).is_none() && !OF_DOCUMENTS.contains(&predicate.as_str())
            };
            subject.iri(predicate).is_some_and(to_things)
        };
        if !*self.properties.entry(predicate).or_insert_with(points) {
            return None;
        }
        match subject.snapshot().kind(object) {
            TermKind::Iri => Some(object),
            TermKind::Triple => {
                let [_, predicate, object] = subject.snapshot().triple_components(object)?;
                self.target(predicate, object)
            }
            TermKind::BlankNode | TermKind::Literal => None,
        }
    }
}

/// The local names of things described in the namespaces of these IRIs.
fn described<'t>(subject: &Subject<'_>, targets: impl Iterator<Item = &'t NamedNode>) -> BTreeMap<String, Vec<String>> {
    let mut described: BTreeMap<String, Vec<String>> =
        targets.map(|iri| (namespace(iri.as_str()).to_owned(), Vec::new())).collect();
    for (namespace, names) in &mut described {
        for id in subject.snapshot().iris_beginning_with(namespace).map(TermId::new) {
            let Some(iri) = subject.iri(id).filter(|_| subject.has_statements(id)) else { continue };
            if super::terms::namespace(iri.as_str()) == namespace {
                names.push(iri.as_str()[namespace.len()..].to_owned());
            }
        }
    }
    described
}

/// The described things by namespace; each namespace is indexed when first needed.
struct Siblings<'s> {
    described: &'s BTreeMap<String, Vec<String>>,
    indexed: FxHashMap<&'s str, NearNames<'s>>,
}

impl<'s> Siblings<'s> {
    /// A described thing in the same namespace whose name is so similar that it must be the one meant.
    fn near(&mut self, iri: &str) -> Option<String> {
        /// Short names resemble each other without being misspelt.
        const FEWEST_LETTERS: usize = 5;
        let local = &iri[namespace(iri).len()..];
        if local.chars().filter(|c| c.is_alphabetic()).count() < FEWEST_LETTERS {
            return None;
        }
        let (namespace, names) = self.described.get_key_value(namespace(iri))?;
        let index = self.indexed.entry(namespace).or_insert_with(|| NearNames::new(names.iter().map(String::as_str)));
        index.nearest(local, 1).first().map(|near| format!("{namespace}{near}"))
    }
}
