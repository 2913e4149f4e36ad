//! Things that statements point to and no file describes: once for each thing, with how often.

use super::finding::Finding;
use super::report::Report;
use super::subject::{SourceFile, Subject, triple_of};
use super::terms::{kind_of_object, namespace};
use super::{Check, Explanation};
use kgq_syntax::error::Result;
use kgq_syntax::near::NearNames;
use kgq_syntax::rdf::{GraphName, NamedNode, Quad, Term};
use kgq_syntax::text::count;
use rustc_hash::{FxHashMap, FxHashSet};

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

/// Properties that point to documents and versions, of which nothing need be said.
const OF_DOCUMENTS: &[&str] = &[
    "http://www.w3.org/2002/07/owl#imports",
    "http://www.w3.org/2002/07/owl#versionIRI",
    "http://www.w3.org/2002/07/owl#priorVersion",
    "http://www.w3.org/2002/07/owl#backwardCompatibleWith",
    "http://www.w3.org/2002/07/owl#incompatibleWith",
    "http://www.w3.org/2000/01/rdf-schema#isDefinedBy",
    "http://www.w3.org/2000/01/rdf-schema#seeAlso",
];

/// A thing that is described nowhere: the first statement that points to it, how many do, and in how many files.
struct Broken<'s> {
    first: (&'s SourceFile, &'s Quad),
    statements: u64,
    files: u64,
    last_file: &'s str,
}

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let graphs: FxHashSet<&NamedNode> = subject
        .quads
        .iter()
        .filter_map(|quad| match &quad.graph_name {
            GraphName::NamedNode(graph) => Some(graph),
            GraphName::BlankNode(_) | GraphName::DefaultGraph => None,
        })
        .collect();
    let mut broken: FxHashMap<&NamedNode, Broken<'_>> = FxHashMap::default();
    let mut order: Vec<&NamedNode> = Vec::new();
    for file in &subject.files {
        for quad in subject.quads_in(file) {
            if let Some(target) = target(&quad.predicate, &quad.object) {
                if subject.is_described(&target.clone().into()) || graphs.contains(target) {
                    continue;
                }
                let found = broken.entry(target).or_insert_with(|| {
                    order.push(target);
                    Broken { first: (file, quad), statements: 0, files: 0, last_file: "" }
                });
                found.statements += 1;
                found.files += u64::from(found.last_file != file.name);
                found.last_file = &file.name;
            }
        }
    }
    let base = subject.project.manifest.base.as_deref();
    let mut siblings = Siblings::of(subject);
    for target in order {
        if base.is_some_and(|base| !target.as_str().starts_with(base)) || subject.imports.may_declare(target.as_ref()) {
            continue;
        }
        let near = siblings.near(target.as_str());
        if base.is_none() && near.is_none() {
            continue;
        }
        let Broken { first: (file, quad), statements, files, .. } = &broken[target];
        let message = format!("{} is described nowhere", subject.prefixes.display(target.as_str()));
        let more = match (statements, files) {
            (1, _) => String::new(),
            (statements, 1) => format!(" ({} point to it)", count(*statements, "statement", "statements")),
            (statements, files) => format!(" ({statements} statements in {files} files point to it)"),
        };
        let hint = near.map(|iri| format!("did you mean `{}`?", subject.prefixes.display(&iri)));
        let finding = Finding::error("broken-link", subject.place_in(file, &triple_of(quad)), message);
        report.findings.push(finding.about(target).more(more).hint_if(hint));
    }
    Ok(())
}

/// The thing that an object names: itself, or the object of the statement that it is. Classes and properties are `terms.rs`'s.
fn target<'q>(predicate: &NamedNode, object: &'q Term) -> Option<&'q NamedNode> {
    if kind_of_object(predicate).is_some() || OF_DOCUMENTS.contains(&predicate.as_str()) {
        return None;
    }
    match object {
        Term::NamedNode(iri) => Some(iri),
        Term::Triple(triple) => target(&triple.predicate, &triple.object),
        Term::BlankNode(_) | Term::Literal(_) => None,
    }
}

/// The described things by their namespaces, each indexed when first asked for.
struct Siblings<'s> {
    described: FxHashMap<&'s str, Vec<&'s str>>,
    indexed: FxHashMap<&'s str, NearNames<'s>>,
}

impl<'s> Siblings<'s> {
    fn of(subject: &'s Subject<'_>) -> Self {
        let mut described: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for iri in subject.described() {
            let (namespace, local) = iri.as_str().split_at(namespace(iri.as_str()).len());
            described.entry(namespace).or_default().push(local);
        }
        Self { described, indexed: FxHashMap::default() }
    }

    /// A described thing of the same namespace whose name is so near that it must have been meant.
    fn near(&mut self, iri: &str) -> Option<String> {
        /// Short names are near to each other without being misspellings.
        const FEWEST_LETTERS: usize = 5;
        let local = &iri[namespace(iri).len()..];
        if local.chars().filter(|c| c.is_alphabetic()).count() < FEWEST_LETTERS {
            return None;
        }
        let (namespace, names) = self.described.get_key_value(namespace(iri))?;
        let index = self.indexed.entry(namespace).or_insert_with(|| NearNames::new(names.iter().copied()));
        index.nearest(local, 1).first().map(|near| format!("{namespace}{near}"))
    }
}
