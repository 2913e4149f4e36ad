//! Counts what one file holds while reading it: only the counts are kept.

use super::copies::Near;
use crate::catalog::rank;
use crate::check::namespace;
use crate::project::says_rdf;
use kgq_snapshot::store::{Input, ReadOptions, read_each};
use kgq_syntax::error::Error;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// After this many statements, enough is known about a file.
const ENOUGH: u64 = 300_000;

/// The purpose of a file.
#[derive(Clone, Debug)]
pub enum Holds {
    /// Classes, properties, shapes.
    Ontology,
    Data,
    /// The same content as the named file, in another format.
    Copy(String),
    /// It is no RDF, for this reason.
    Nothing(String),
    /// Its name says that it is RDF, and it cannot be read.
    Broken(Error),
}

impl Holds {
    /// Returns the reason why it is no RDF.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Nothing(reason) => Some(reason),
            _ => None,
        }
    }

    /// Returns why it cannot be read.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Broken(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the file with the same content.
    pub fn original(&self) -> Option<&str> {
        match self {
            Self::Copy(of) => Some(of),
            _ => None,
        }
    }
}

/// The counts of a file.
#[derive(Clone, Debug)]
pub struct Looked {
    pub name: String,
    pub holds: Holds,
    pub counts: Counts,
    /// Another file with nearly the same content in another format.
    pub near: Option<Near>,
}

#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub statements: u64,
    pub in_named_graphs: u64,
    /// Whether only the start was read.
    pub cut: bool,
    pub prefixes: Prefixes,
    /// The number of subjects in each namespace.
    pub subjects: FxHashMap<String, u64>,
    /// The number of terms, in any position, in each namespace.
    pub terms: FxHashMap<String, u64>,
    pub ontologies: Vec<NamedNode>,
    /// The title of the first ontology that has one.
    pub title: Option<String>,
    pub imports: Vec<String>,
    /// The number of things with a label, and for each language the number with a label in it.
    pub labelled: u64,
    pub languages: FxHashMap<String, u64>,
    /// Subjects that are classes, properties or shapes, and other subjects.
    schema: u64,
    things: u64,
}

/// Examines the files on all processors.
pub fn at_all(folder: &Path, names: &[String], options: ReadOptions<'_>) -> Vec<Looked> {
    on_all(names, |name| at(folder, name, options))
}

/// Applies `find` to each item on all processors; results are in the order of the items.
pub(super) fn on_all<T: Sync, R: Send>(items: &[T], find: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let (next, slots) = (AtomicUsize::new(0), items.iter().map(|_| Mutex::new(None)).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(item), Some(slot)) = (items.get(number), slots.get(number)) else { break };
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(find(item));
                }
            });
        }
    });
    slots.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

fn at(folder: &Path, name: &str, options: ReadOptions<'_>) -> Looked {
    let mut counting = Counting::default();
    let read = read(folder, name, options, &mut counting);
    let counts = counting.done();
    let holds = match read {
        Err(error) if !counts.cut && says_rdf(name) => Holds::Broken(error),
        Err(error) if !counts.cut => Holds::Nothing(reason(&error)),
        _ if counts.statements == 0 => Holds::Nothing("it holds no statement".into()),
        _ if counts.is_ontology(name) => Holds::Ontology,
        _ => Holds::Data,
    };
    Looked { name: name.to_owned(), holds, counts, near: None }
}

fn read(folder: &Path, name: &str, options: ReadOptions<'_>, counting: &mut Counting) -> Result<(), Error> {
    let input = Input::file(name, &folder.join(name), None)?;
    let text = input.open(options.bounds)?;
    let prefixes = read_each(&input, text, options, &mut |quad| {
        counting.count(&quad);
        if counting.counts.statements < ENOUGH {
            return Ok(());
        }
        counting.counts.cut = true;
        Err(Error::input("enough was read"))
    })?;
    counting.counts.prefixes = prefixes;
    Ok(())
}

fn reason(error: &Error) -> String {
    let place = error.place().map(|place| format!(" (line {})", place.line)).unwrap_or_default();
    format!("{}{place}", error.message())
}

/// The counts, and what has to be remembered of subjects while counting.
#[derive(Default)]
struct Counting {
    counts: Counts,
    kinds: FxHashMap<NamedNode, bool>,
    subject: Option<NamedOrBlankNode>,
    labelled: FxHashMap<NamedNode, FxHashSet<String>>,
    titles: Vec<(NamedNode, u8, String)>,
}

impl Counting {
    fn count(&mut self, quad: &Quad) {
        let counts = &mut self.counts;
        counts.statements += 1;
        counts.in_named_graphs += u64::from(quad.graph_name != GraphName::DefaultGraph);
        let mut term = |node: &NamedNode| *counts.terms.entry(namespace(node.as_str()).to_owned()).or_default() += 1;
        term(&quad.predicate);
        if let Term::NamedNode(object) = &quad.object {
            term(object);
        }
        let NamedOrBlankNode::NamedNode(subject) = &quad.subject else { return };
        term(subject);
        if self.subject.as_ref() != Some(&quad.subject) {
            // A subject that appears again later is counted again; this costs less than remembering all of them.
            *counts.subjects.entry(namespace(subject.as_str()).to_owned()).or_default() += 1;
            self.subject = Some(quad.subject.clone());
        }
        match (&quad.predicate, &quad.object) {
            (predicate, Term::NamedNode(class)) if predicate.as_ref() == rdf::TYPE => self.typed(subject, class),
            (predicate, Term::NamedNode(import)) if predicate.as_str() == IMPORTS => {
                counts.imports.push(import.as_str().to_owned());
            }
            (predicate, Term::Literal(literal)) => {
                if let Some(rank) = rank(predicate.as_str()).or(is_title(predicate.as_str()).then_some(0)) {
                    let other = literal.language().is_some_and(|language| !language.starts_with("en"));
                    self.titles.push((subject.clone(), 2 * rank + u8::from(other), literal.value().to_owned()));
                    let languages = self.labelled.entry(subject.clone()).or_default();
                    languages.extend(literal.language().map(str::to_owned));
                }
            }
            _ => {}
        }
    }

    fn typed(&mut self, subject: &NamedNode, class: &NamedNode) {
        if class.as_str() == ONTOLOGY {
            self.counts.ontologies.push(subject.clone());
            return;
        }
        *self.kinds.entry(subject.clone()).or_default() |= SCHEMA.contains(&class.as_str());
    }

    fn done(self) -> Counts {
        let mut counts = self.counts;
        counts.schema = self.kinds.values().filter(|is_schema| **is_schema).count() as u64;
        counts.things = self.kinds.len() as u64 - counts.schema;
        counts.labelled = self.labelled.len() as u64;
        for language in self.labelled.into_values().flatten() {
            *counts.languages.entry(language).or_default() += 1;
        }
        let titles = self.titles.into_iter().filter(|(subject, ..)| counts.ontologies.first() == Some(subject));
        counts.title = titles.min_by_key(|(_, rank, _)| *rank).map(|(_, _, title)| title);
        counts
    }
}

impl Counts {
    /// Whether most things it describes are classes, properties or shapes, or it is only an ontology's header.
    fn is_ontology(&self, name: &str) -> bool {
        let by_folder = name.split('/').rev().skip(1).any(|folder| {
            let folder = folder.to_lowercase();
            ["ontolog", "vocab", "schema", "shapes"].iter().any(|word| folder.contains(word))
        });
        (self.schema > 0 && (by_folder || self.schema >= self.things))
            || (!self.ontologies.is_empty() && self.things <= 1)
    }
}

const IMPORTS: &str = "http://www.w3.org/2002/07/owl#imports";
const ONTOLOGY: &str = "http://www.w3.org/2002/07/owl#Ontology";

/// The classes of an ontology's subjects.
const SCHEMA: &[&str] = &[
    "http://www.w3.org/2000/01/rdf-schema#Class",
    "http://www.w3.org/2000/01/rdf-schema#Datatype",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#Property",
    "http://www.w3.org/2002/07/owl#Class",
    "http://www.w3.org/2002/07/owl#ObjectProperty",
    "http://www.w3.org/2002/07/owl#DatatypeProperty",
    "http://www.w3.org/2002/07/owl#AnnotationProperty",
    "http://www.w3.org/ns/shacl#NodeShape",
    "http://www.w3.org/ns/shacl#PropertyShape",
    "http://www.w3.org/ns/shacl#ConstraintComponent",
    "http://www.w3.org/ns/shacl#SPARQLFunction",
];

fn is_title(predicate: &str) -> bool {
    predicate == "http://purl.org/dc/elements/1.1/title"
}
