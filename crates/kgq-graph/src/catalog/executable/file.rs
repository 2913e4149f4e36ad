//! A Turtle file among the canned queries: its statements by subject, with their places.

use super::SH;
use crate::catalog::labels::local_name;
use crate::project::Project;
use kgq_snapshot::store::{Input, ReadOptions, read};
use kgq_syntax::Span;
use kgq_syntax::diagnose::Known;
use kgq_syntax::error::{Error, Place, Result, Source};
use kgq_syntax::rdf::{NamedOrBlankNode, Prefixes, RdfFormat, Term};
use kgq_syntax::turtle::{self, tree::Dialect, triples::Located};
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::Path;
use std::sync::Arc;

pub(in crate::catalog) struct TurtleFile {
    /// As the user would write it.
    pub name: String,
    /// The name of its query if it holds only one.
    pub key: String,
    pub text: Arc<str>,
    /// The prefixes that it declares itself.
    pub prefixes: Prefixes,
    statements: Vec<Located>,
    /// The indices of each subject's statements.
    by_subject: FxHashMap<NamedOrBlankNode, Vec<usize>>,
    /// In text order.
    subjects: Vec<NamedOrBlankNode>,
    /// Values of the SHACL properties that tie a query to a shape.
    parts_of_shapes: FxHashSet<Term>,
}

/// SHACL properties whose values hold a query that is not run on its own.
const TIES: [&str; 7] =
    ["sparql", "target", "rule", "validator", "nodeValidator", "propertyValidator", "resultAnnotation"];

impl TurtleFile {
    pub fn read(name: &str, key: &str, path: &Path, project: &Project) -> Result<Self> {
        let base = project.manifest.base.as_deref();
        let bytes = project.bytes(path).map_err(|e| Error::io(name, &e))?;
        let input = Input::bytes(name, bytes.clone(), RdfFormat::Turtle).with_base(base.map(str::to_owned));
        // This parser decides what is valid; the tree gives the places.
        let prefixes = read(&input, 0, ReadOptions::default())?.prefixes;
        let text = String::from_utf8(bytes)
            .map_err(|e| Error::input(format!("{name} is not UTF-8 (byte {})", e.utf8_error().valid_up_to())))?;
        let known = Known { base: base.is_some(), ..Known::default() };
        let document = turtle::parse(Source::new(name, &text), Dialect::Turtle, known)?;
        let statements: Vec<Located> = turtle::triples::triples(&text, &document, base).collect();
        Ok(Self::new(name, key, text, prefixes, statements))
    }

    fn new(name: &str, key: &str, text: String, prefixes: Prefixes, statements: Vec<Located>) -> Self {
        let mut by_subject: FxHashMap<NamedOrBlankNode, Vec<usize>> = FxHashMap::default();
        let (mut subjects, mut parts_of_shapes) = (Vec::new(), FxHashSet::default());
        for (number, Located { quad, .. }) in statements.iter().enumerate() {
            let known = by_subject.entry(quad.subject.clone()).or_insert_with(|| {
                subjects.push(quad.subject.clone());
                Vec::new()
            });
            known.push(number);
            if quad.predicate.as_str().strip_prefix(SH).is_some_and(|name| TIES.contains(&name)) {
                parts_of_shapes.insert(quad.object.clone());
            }
        }
        Self {
            name: name.to_owned(),
            key: key.to_owned(),
            text: text.into(),
            prefixes,
            statements,
            by_subject,
            subjects,
            parts_of_shapes,
        }
    }

    /// Returns the statements of a subject, in text order.
    pub fn of(&self, subject: &NamedOrBlankNode) -> impl Iterator<Item = &Located> {
        self.by_subject.get(subject).into_iter().flatten().filter_map(|number| self.statements.get(*number))
    }

    /// Returns the values of the property with this IRI.
    pub fn values<'a>(&'a self, subject: &NamedOrBlankNode, property: &'a str) -> impl Iterator<Item = &'a Term> {
        self.of(subject).filter(move |l| l.quad.predicate.as_str() == property).map(|l| &l.quad.object)
    }

    pub fn statements(&self) -> &[Located] {
        &self.statements
    }

    pub fn subjects(&self) -> impl Iterator<Item = &NamedOrBlankNode> {
        self.subjects.iter()
    }

    pub fn is_part_of_shape(&self, subject: &NamedOrBlankNode) -> bool {
        self.parts_of_shapes.contains(&Term::from(subject.clone()))
    }

    /// Returns the folder part of its queries' names, with a final `/` unless it is empty.
    pub fn folder(&self) -> &str {
        self.key.strip_suffix(local_name(&self.key)).unwrap_or_default()
    }

    pub fn place(&self, span: Span) -> Place {
        Source::new(&self.name, &self.text).place(span)
    }

    /// Returns where a subject first appears.
    pub fn place_of(&self, subject: &NamedOrBlankNode) -> Place {
        let span = self.of(subject).map(|l| l.subject.clone()).min_by_key(|span| span.start);
        self.place(span.unwrap_or(0..0))
    }
}
