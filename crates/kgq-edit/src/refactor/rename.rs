//! Gives a term, or all terms of a namespace, another IRI in every file of the project.

use super::Renamed;
use super::mentions::Mentions;
use super::turtle;
use crate::Edit;
use crate::edit::{FileChange, Settings, compare, edit, stored};
use crate::files::{File, Files, formatted_as_before, refusal};
use kgq_engine::update::Change;
use kgq_graph::graph::Graph;
use kgq_graph::project::MANIFEST;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{GraphName, Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Triple};
use kgq_syntax::sparql;
use oxrdf::vocab::xsd;
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};

/// The old IRI and the new one; for a namespace, the beginnings of IRIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    pub old: String,
    pub new: String,
    pub is_namespace: bool,
}

impl Renaming {
    /// The new form of an IRI; `None` if it does not change.
    pub fn iri(&self, iri: &str) -> Option<String> {
        let rest = iri.strip_prefix(self.old.as_str())?;
        (self.is_namespace || rest.is_empty()).then(|| format!("{}{rest}", self.new))
    }

    /// The prefixes as they are after the renaming.
    pub fn prefixes(&self, prefixes: &Prefixes) -> Prefixes {
        let moved =
            |namespace: &str| self.iri(namespace).filter(|_| self.is_namespace).unwrap_or_else(|| namespace.to_owned());
        prefixes.iter().map(|(prefix, namespace)| (prefix.to_owned(), moved(namespace))).collect()
    }

    fn node(&self, node: NamedNode) -> NamedNode {
        self.iri(node.as_str()).map_or(node, NamedNode::new_unchecked)
    }

    fn subject(&self, subject: NamedOrBlankNode) -> NamedOrBlankNode {
        match subject {
            NamedOrBlankNode::NamedNode(node) => self.node(node).into(),
            NamedOrBlankNode::BlankNode(_) => subject,
        }
    }

    fn term(&self, term: Term) -> Term {
        match term {
            Term::NamedNode(node) => self.node(node).into(),
            Term::Triple(triple) => {
                let Triple { subject, predicate, object } = *triple;
                Triple { subject: self.subject(subject), predicate: self.node(predicate), object: self.term(object) }
                    .into()
            }
            Term::Literal(literal) if self.iri(literal.datatype().as_str()).is_some() => {
                Literal::new_typed_literal(literal.value(), self.node(literal.datatype().into_owned())).into()
            }
            Term::BlankNode(_) | Term::Literal(_) => term,
        }
    }

    /// Renames the terms of a statement, and the names in its literal if that is a query or an `xsd:anyURI`.
    fn quad(&self, quad: Quad, mentions: &Mentions<'_>) -> Quad {
        let is_text = turtle::holds_names(quad.predicate.as_str());
        let object = match self.term(quad.object) {
            Term::Literal(literal) if is_text || literal.datatype() == xsd::ANY_URI => {
                let value = mentions.rename(literal.value());
                if literal.language().is_some() {
                    literal
                } else {
                    Literal::new_typed_literal(value, literal.datatype().into_owned())
                }
                .into()
            }
            object => object,
        };
        let graph_name = match quad.graph_name {
            GraphName::NamedNode(node) => self.node(node).into(),
            graph => graph,
        };
        Quad { subject: self.subject(quad.subject), predicate: self.node(quad.predicate), object, graph_name }
    }
}

/// Renames in every file of the project. An IRI that is in use already is refused, unless `joins`: then both become one.
///
/// # Errors
/// A name that occurs nowhere; a new name that is in use; a file that cannot be edited line by line.
pub fn rename(graph: &Graph, files: &Files, renaming: &Renaming, joins: bool, settings: &Settings) -> Result<Edit> {
    if !joins {
        refuse_taken(files, renaming)?;
    }
    let prefixes = graph.prefixes()?;
    let renamed = Renamed { renaming: renaming.clone(), prefixes: prefixes.clone() };
    let mut edit = Edit { renaming: Some(renamed), ..Edit::default() };
    for file in &files.all {
        if let Some(after) = rdf(graph, file, renaming, prefixes, settings)? {
            let (name, path, before) = (file.name.clone(), file.path.clone(), file.stored.clone());
            edit.changes.push(FileChange { name, path, before, after });
        }
    }
    for (name, path) in other_files(graph, files)? {
        let bytes = std::fs::read(&path).map_err(|e| Error::io(&name, &e))?;
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        let after = other(&name, text, renaming, prefixes)?;
        if after != text {
            edit.changes.push(FileChange { name, path, after: after.into_bytes(), before: Some(bytes) });
        }
    }
    if edit.changes.is_empty() {
        return Err(match NamedNode::new(&renaming.old) {
            Ok(old) if !renaming.is_namespace => files.says_nothing_of(graph, &old)?,
            _ => Error::input(format!("nothing in the project is called <{}>", renaming.old)),
        });
    }
    Ok(edit)
}

fn refuse_taken(files: &Files, renaming: &Renaming) -> Result<()> {
    let subjects: FxHashSet<&str> = files.subjects().map(NamedNode::as_str).collect();
    let mut taken: Vec<String> =
        subjects.iter().filter_map(|iri| renaming.iri(iri)).filter(|iri| subjects.contains(iri.as_str())).collect();
    taken.sort();
    match taken.first() {
        Some(iri) => {
            Err(Error::input(format!("there is a <{iri}> already")).hint("`kgq merge OLD NEW` makes one thing of two"))
        }
        None => Ok(()),
    }
}

/// The new bytes of an RDF file; `None` if they do not change.
fn rdf(
    graph: &Graph,
    file: &File,
    renaming: &Renaming,
    prefixes: &Prefixes,
    settings: &Settings,
) -> Result<Option<Vec<u8>>> {
    let mentions = Mentions { renaming, prefixes };
    let Some(kept) = file.kept.as_ref().filter(|_| file.is_kept_by_line() || settings.rewrite) else {
        let quads: Vec<Quad> = file.quads().map(|quad| renaming.quad(quad.clone(), &mentions)).collect();
        if file.quads().eq(&quads) {
            return Ok(None);
        }
        if !settings.rewrite {
            return Err(refusal(file));
        }
        return crate::edit::anew(file, &quads, prefixes).map(Some);
    };
    let text = turtle::rename(kept, renaming, prefixes);
    if text == kept.text {
        return Ok(None);
    }
    let text = formatted_as_before(graph, file, kept, text)?;
    let default = file.default_graph();
    let own = |mut quad: Quad| {
        if quad.graph_name == default {
            quad.graph_name = GraphName::DefaultGraph;
        }
        renaming.quad(quad, &mentions)
    };
    compare(graph, file, &text, file.quads().cloned().map(own).collect())?;
    stored(file, text.as_bytes()).map(Some)
}

/// The project's files that are not loaded: queries, expected answers, kgq.toml.
fn other_files(graph: &Graph, files: &Files) -> Result<Vec<(String, PathBuf)>> {
    let project = graph.require_project()?;
    let mut others = vec![(MANIFEST.to_owned(), project.root.join(MANIFEST))];
    let queries = graph.query_files()?.map(|path| (project.display_path(path), path.to_owned()));
    others.extend(queries.filter(|(name, _)| files.all.iter().all(|file| file.name != *name)));
    let mut answers = Vec::new();
    below(&project.root.join(kgq_graph::answers::FOLDER), &mut answers);
    answers.sort();
    others.extend(answers.into_iter().map(|path| (project.display_path(&path), path)));
    Ok(others)
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !is_hidden => below(&entry.path(), found),
            Ok(kind) if kind.is_file() && !is_hidden => found.push(entry.path()),
            _ => {}
        }
    }
}

fn other(name: &str, text: &str, renaming: &Renaming, prefixes: &Prefixes) -> Result<String> {
    let mentions = Mentions { renaming, prefixes };
    Ok(match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("rq" | "sparql" | "ru") => query(text, renaming, prefixes),
        Some("ttl") => {
            let known = kgq_syntax::diagnose::Known { prefixes: &[], base: true };
            let dialect = kgq_syntax::turtle::tree::Dialect::Turtle;
            let document = kgq_syntax::turtle::parse(Source::new(name, text), dialect, known)?;
            turtle::rename_text(text, &document.tokens, renaming, prefixes)
        }
        _ => mentions.rename(text),
    })
}

/// Renames in a query: declarations, names, comments and header.
fn query(text: &str, renaming: &Renaming, prefixes: &Prefixes) -> String {
    let tokens = sparql::tokenize(text);
    let mut before = prefixes.clone();
    for declared in sparql::prefixes_declared(text, &tokens) {
        before.insert(declared.prefix, declared.iri);
    }
    let used = sparql::prefixes_used(text, &tokens).into_iter().map(|(prefix, _)| prefix);
    let own = used.filter_map(|prefix| Some((prefix, before.get(prefix)?))).collect();
    turtle::rename_in_query(text, &tokens, renaming, &before, own)
}

/// Adds statements that the old name is deprecated and which name replaces it, beside those about the new name.
///
/// # Errors
/// Those of an edit.
pub fn keep_old(graph: &Graph, renamed: Edit, renaming: &Renaming, settings: &Settings) -> Result<Edit> {
    let after = graph.edited(renamed.changes.iter().map(|change| (change.name.clone(), change.after.clone())))?;
    let files = Files::read(&after)?;
    let node = |iri: &str| NamedNode::new_unchecked(iri);
    let (old, new) = (node(&renaming.old), node(&renaming.new));
    let stands = |quad: &&Quad| quad.subject == NamedOrBlankNode::from(new.clone());
    let graph_name =
        files.all.iter().flat_map(File::quads).find(stands).map_or(GraphName::DefaultGraph, |q| q.graph_name.clone());
    let quad = |predicate: &str, object: Term| Quad::new(old.clone(), node(predicate), object, graph_name.clone());
    let added = vec![
        quad("http://www.w3.org/2002/07/owl#deprecated", Literal::from(true).into()),
        quad("http://purl.org/dc/terms/isReplacedBy", new.clone().into()),
    ];
    let settings = Settings { beside: vec![(old.into(), new.into())], ..settings.clone() };
    let kept = edit(&after, &files, &Change { added, removed: Vec::new() }, &settings)?;
    Ok(renamed.then(kept))
}
