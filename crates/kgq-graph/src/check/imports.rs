//! What `owl:imports` brings in: the available files, whose terms count as declared, and the ontologies that are
//! unavailable.
//!
//! An import is available if a file of the project describes it, or if `[imports]` of kgq.toml or a catalogue names its
//! file.

use super::catalogue::{self, Catalogue};
use super::finding::{Finding, Severity};
use super::places::Places;
use super::report::Report;
use super::subject::{SourceFile, Subject};
use super::terms::namespace;
use super::{Check, Explanation, Options};
use crate::project::{MANIFEST, Project};
use kgq_snapshot::store::{Input, ReadOptions, read};
use kgq_snapshot::{Ids, Snapshot};
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, Triple};
use kgq_syntax::text::count;
use oxrdf::vocab::rdf;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "import-not-at-hand",
            finds: "an ontology that owl:imports names, and that is neither in a file of the project, nor in one that [imports] of \
                    kgq.toml or a catalog-v001.xml names",
            why: "terms of it cannot be told from misspelt ones, so those of its namespace are not checked",
            mend: "keep a copy in the project and name it: `\"IRI\" = \"imports/FILE.ttl\"` below [imports] in kgq.toml",
        },
        Explanation {
            code: "import-setting",
            finds: "a file that [imports] of kgq.toml names, and that cannot be read",
            why: "its terms are not known, so that they count as declared nowhere",
            mend: "correct the name, or mend the file as the message says",
        },
    ],
    run,
    needs_all_files: false,
};

const IMPORTS: &str = "http://www.w3.org/2002/07/owl#imports";
const ONTOLOGY: &str = "http://www.w3.org/2002/07/owl#Ontology";
const VERSION_IRI: &str = "http://www.w3.org/2002/07/owl#versionIRI";

/// What the project's files import.
#[derive(Debug, Default)]
pub struct Imports {
    /// Terms that the imported files describe but the project does not.
    declared: FxHashSet<NamedNode>,
    /// Imports that are unavailable, each with the imported file that imports it, unless that is a file of the project.
    absent: BTreeMap<String, Option<PathBuf>>,
    /// Files of `[imports]` that could not be read.
    failed: Vec<Error>,
    /// The terms that each unavailable import may declare, by the import's IRI.
    excused: RefCell<BTreeMap<String, BTreeSet<String>>>,
}

impl Imports {
    /// Follows the imports of the project's files, and the imports of those.
    pub fn read(project: &Project, files: &[&Path], statements: &Snapshot, options: &Options) -> Self {
        let mut imports = Self::default();
        let quads = &of_ontologies(statements);
        let mut open: Vec<(String, Option<PathBuf>)> = imported(quads).into_iter().map(|iri| (iri, None)).collect();
        if open.is_empty() {
            return imports;
        }
        let mut at_hand: FxHashSet<String> = ontologies(quads);
        let loaded: FxHashMap<PathBuf, ()> = files.iter().map(|file| (real(file), ())).collect();
        let catalogue = catalogue(project, files);
        while let Some((iri, importer)) = open.pop() {
            if !at_hand.insert(iri.clone()) || imports.absent.contains_key(&iri) {
                continue;
            }
            let named = project.manifest.imports.get(&iri);
            let path = named.map(|path| project.root.join(path)).or_else(|| catalogue.file(&iri));
            let path = path.filter(|path| path.is_file() && project.may_show(path));
            let Some(path) = path else {
                if let Some(named) = named {
                    imports.failed.push(setting_failed(project, named, "there is no such file in the project"));
                }
                at_hand.remove(&iri);
                imports.absent.insert(iri, importer);
                continue;
            };
            if loaded.contains_key(&real(&path)) {
                continue;
            }
            match quads_of(project, &path, options) {
                Ok(quads) => {
                    open.extend(imported(&quads).into_iter().map(|iri| (iri, Some(path.clone()))));
                    at_hand.extend(ontologies(&quads));
                    imports.declared.extend(quads.into_iter().filter_map(|quad| match quad.subject {
                        NamedOrBlankNode::NamedNode(iri) => Some(iri),
                        NamedOrBlankNode::BlankNode(_) => None,
                    }));
                }
                Err(error) => {
                    if let Some(named) = named {
                        imports.failed.push(setting_failed(project, named, error.message()));
                    }
                    at_hand.remove(&iri);
                    imports.absent.insert(iri, importer);
                }
            }
        }
        // Another file may have turned out to be the ontology under a different IRI.
        imports.absent.retain(|iri, _| !at_hand.contains(iri));
        imports
    }

    /// Returns the terms that imported files describe.
    pub fn declared(&self) -> impl Iterator<Item = NamedNodeRef<'_>> {
        self.declared.iter().map(NamedNode::as_ref)
    }

    /// Whether an unavailable import may declare the term; if so, the term is recorded for that import.
    pub fn may_declare(&self, term: NamedNodeRef<'_>) -> bool {
        let covers = |import: &&String| covers(import, term.as_str());
        let Some(import) = self.absent.keys().find(covers) else { return false };
        self.excused.borrow_mut().entry(import.clone()).or_default().insert(term.as_str().to_owned());
        true
    }
}

/// Whether an ontology with this IRI may define a term: one of the two IRIs lies below the other, or the ontology's
/// name is the vocabulary's followed by something, as `prov-o` follows `prov#`.
fn covers(import: &str, term: &str) -> bool {
    let stem = import.trim_end_matches(['#', '/']);
    let stem = [".owl", ".ttl", ".rdf", ".obo"].iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem);
    let vocabulary = namespace(term);
    let longer = import.strip_prefix(vocabulary.trim_end_matches(['#', '/']));
    import.starts_with(vocabulary)
        || longer.is_some_and(|rest| rest.starts_with('-'))
        || term.strip_prefix(stem).is_some_and(|rest| rest.starts_with(['#', '/']))
}

/// The statements of a graph about imports and ontologies.
fn of_ontologies(statements: &Snapshot) -> Vec<Quad> {
    let [imports, ontology, version] = [IMPORTS, ONTOLOGY, VERSION_IRI].map(NamedNodeRef::new_unchecked);
    let with = |predicate: NamedNodeRef<'static>, object: Option<NamedNodeRef<'static>>| {
        statements.find(None, Some(predicate.into()), object.map(Into::into))
    };
    with(imports, None).chain(with(rdf::TYPE, Some(ontology))).chain(with(version, None)).collect()
}

fn imported(quads: &[Quad]) -> Vec<String> {
    let objects =
        quads.iter().filter(|quad| quad.predicate.as_str() == IMPORTS).filter_map(|quad| match &quad.object {
            Term::NamedNode(iri) => Some(iri.as_str().to_owned()),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        });
    let mut found: Vec<String> = objects.collect();
    found.sort();
    found.dedup();
    found
}

/// The IRIs, including version IRIs, of the ontologies that files describe.
fn ontologies(quads: &[Quad]) -> FxHashSet<String> {
    let iri = |quad: &Quad| match (&quad.subject, &quad.object) {
        (NamedOrBlankNode::NamedNode(s), Term::NamedNode(class))
            if quad.predicate == rdf::TYPE && class.as_str() == ONTOLOGY =>
        {
            Some(s.as_str().to_owned())
        }
        (_, Term::NamedNode(version)) if quad.predicate.as_str() == VERSION_IRI => Some(version.as_str().to_owned()),
        _ => None,
    };
    quads.iter().filter_map(iri).collect()
}

/// Reads the catalogues in the folders of the project's files and in the folders above them.
fn catalogue(project: &Project, files: &[&Path]) -> Catalogue {
    let mut folders: BTreeSet<&Path> = BTreeSet::from([project.root.as_path()]);
    for file in files {
        let above = file.ancestors().skip(1).take_while(|folder| folder.starts_with(&project.root));
        folders.extend(above);
    }
    let mut catalogue = Catalogue::default();
    // The nearest catalogue takes precedence: the deepest is read first.
    for folder in folders.into_iter().rev() {
        catalogue.read(&folder.join(catalogue::NAME), &|path| project.may_show(path));
    }
    catalogue
}

fn input_of(project: &Project, path: &Path) -> Result<Input> {
    Ok(Input::file(&project.display_path(path), path, None)?
        .with_base(project.manifest.base.clone())
        .with_contexts(project.contexts()?))
}

fn quads_of(project: &Project, path: &Path, options: &Options) -> Result<Vec<Quad>> {
    let input = input_of(project, path)?;
    // Blank nodes of imports cannot clash with others: only IRIs are taken from imported files.
    let read_options =
        ReadOptions { lenient: true, bounds: options.bounds, budget: Some(&options.budget), progress: None };
    Ok(read(&input, 0, read_options)?.quads)
}

/// Where an imported file imports this IRI.
fn place_in_import(subject: &Subject<'_>, path: &Path, iri: &str) -> Option<Place> {
    let input = input_of(subject.project, path).ok()?;
    let quads = quads_of(subject.project, path, &subject.options).ok()?;
    let imports = |quad: &&Quad| {
        quad.predicate.as_str() == IMPORTS && matches!(&quad.object, Term::NamedNode(object) if object.as_str() == iri)
    };
    let statement = Triple::from(quads.iter().find(imports)?.clone());
    let mut text = String::new();
    input.open(subject.options.bounds).ok()?.read_to_string(&mut text).ok()?;
    let places = Places::new(&input.name, text, Some(&input), &quads);
    let place = places.statement(&statement).or_else(|| places.subject(&statement.subject));
    Some(place.unwrap_or_else(|| Place::new(&input.name, 1, 1)))
}

fn setting_failed(project: &Project, named: &str, why: &str) -> Error {
    let place = project.place_in_manifest(named);
    Error::input(format!("[imports] names `{named}`, which is not read: {why}")).at(place)
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let imports = &subject.imports;
    report.findings.extend(imports.failed.iter().map(|e| Finding::from_error("import-setting", MANIFEST, e)));
    let mut told: FxHashMap<String, (&SourceFile, Ids, u64)> = FxHashMap::default();
    if let Some(property) = subject.id(NamedNodeRef::new_unchecked(IMPORTS)) {
        for (file, statement) in subject.each().filter(|(_, [_, predicate, ..])| *predicate == property) {
            if let Some(iri) = subject.iri(statement[2]) {
                told.entry(iri.into_string()).or_insert((file, statement, 0)).2 += 1;
            }
        }
    }
    let excused = imports.excused.borrow();
    for (iri, importer) in &imports.absent {
        let place = told.get(iri).map(|(file, statement, _)| subject.place_in(file, *statement));
        let place = place.or_else(|| place_in_import(subject, importer.as_deref()?, iri));
        let place = place.unwrap_or_else(|| Place::new(MANIFEST, 1, 1));
        let times = told.get(iri).map_or(0, |(_, _, times)| *times);
        let terms = excused.get(iri).map_or(0, |terms| terms.len() as u64);
        let mut more = String::new();
        if times > 1 {
            more.push_str(&format!(" (imported {times} times)"));
        }
        if terms > 0 {
            more.push_str(&format!(
                ", so {} not checked",
                count(terms, "term that it may declare is", "terms that it may declare are")
            ));
        }
        let finding =
            Finding::new(Severity::Note, "import-not-at-hand", place, format!("<{iri}> is imported, but not at hand"));
        report.findings.push(finding.about(&NamedNode::new_unchecked(iri)).more(more));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_covers_the_terms_below_it_and_beside_it() {
        for (import, term, expected) in [
            ("http://purl.obolibrary.org/obo/go/imports/ro_import.owl", "http://purl.obolibrary.org/obo/RO_1", true),
            ("http://www.w3.org/2004/02/skos/core", "http://www.w3.org/2004/02/skos/core#Concept", true),
            ("http://f.example/FND/Relations/", "http://f.example/FND/Relations/has", true),
            ("http://f.example/FND/Relations/", "http://f.example/FND/Parties/has", false),
            ("http://o.example/other.ttl", "http://o.example/own#Thing", false),
            ("http://o.example/v.ttl", "http://o.example/v#Thing", true),
            ("http://www.w3.org/ns/prov-o", "http://www.w3.org/ns/prov#Plan", true),
            ("http://www.w3.org/ns/provenance", "http://www.w3.org/ns/prov#Plan", false),
        ] {
            assert_eq!(covers(import, term), expected, "{import} {term}");
        }
    }
}
