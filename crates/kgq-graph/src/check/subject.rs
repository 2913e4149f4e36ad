//! What is checked: every file of a project, read by itself so that a broken one hides nothing of the others, with the places
//! of its statements.

use super::Options;
use super::imports::Imports;
use super::places::Places;
use super::shacl::WrittenText;
use crate::catalog::Catalog;
use crate::project::{Found, MANIFEST, Project, ProjectFile, Role};
use kgq_engine::query::ParseContext;
use kgq_snapshot::store::{Content, Input, Parsed, ReadOptions, read};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Kind, Place, Result};
use kgq_syntax::rdf::vocabulary::well_known;
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::OnceCell;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

pub struct Subject<'p> {
    pub project: &'p Project,
    pub options: Options,
    pub files: Vec<SourceFile>,
    /// Files that kgq.toml names and that are not there, and its globs that find nothing.
    pub missing: Vec<Error>,
    pub remarks: Vec<Error>,
    /// Of all files that could be read, one after the other.
    pub quads: Vec<Quad>,
    pub catalog: Catalog,
    pub imports: Imports,
    /// Those of `kgq.toml`, then those of the files.
    pub prefixes: Prefixes,
    /// The files that have statements of a subject, in their order.
    by_subject: FxHashMap<NamedOrBlankNode, Vec<usize>>,
    /// The number of the first quad that has a term as its object; made when first asked for.
    mentions: OnceCell<FxHashMap<Term, usize>>,
}

/// An RDF file of the project, as far as it could be read.
pub struct SourceFile {
    pub name: String,
    pub role: Role,
    /// Its quads among all; none if the file is broken.
    range: Range<usize>,
    pub prefixes: Prefixes,
    pub error: Option<Error>,
    input: Option<Input>,
    places: OnceCell<Places>,
}

impl<'p> Subject<'p> {
    /// Reads the project's files. Fails only where the project itself cannot be read.
    pub fn read(project: &'p Project, options: Options) -> Result<Self> {
        let base = &project.manifest.base;
        let contexts = project.contexts()?;
        let named = |file: ProjectFile| {
            let input = file.input();
            let input =
                input.map(|input| input.with_base(base.clone()).with_graph(file.graph).with_contexts(contexts.clone()));
            (file.name, file.role, input)
        };
        let mut found = project.find_files()?;
        found.remarks.extend(project.remarks_on_queries()?);
        let inputs = std::mem::take(&mut found.files).into_iter().map(named).collect();
        Self::of_files(project, inputs, found, Catalog::read(project)?, options)
    }

    /// Reads these documents, whatever files the project has.
    pub fn of_inputs(project: &'p Project, inputs: Vec<(Role, Input)>, options: Options) -> Result<Self> {
        let files = inputs.into_iter().map(|(role, input)| (input.name.clone(), role, Ok(input))).collect();
        Self::of_files(project, files, Found::default(), Catalog::default(), options)
    }

    fn of_files(
        project: &'p Project,
        inputs: Vec<(String, Role, Result<Input>)>,
        found: Found,
        catalog: Catalog,
        options: Options,
    ) -> Result<Self> {
        let mut prefixes = project.prefixes();
        let mut files = Vec::new();
        let mut all: Vec<Quad> = Vec::new();
        let mut by_subject: FxHashMap<NamedOrBlankNode, Vec<usize>> = FxHashMap::default();
        for (number, (name, role, input)) in inputs.into_iter().enumerate() {
            let (mut file, quads) = SourceFile::read(name, role, input, number, &options);
            // A file is not broken because a limit ends its reading.
            if let Some(stopped) = file.error.take_if(|error| is_stopped(error)) {
                return Err(stopped);
            }
            file.range = all.len()..all.len() + quads.len();
            for (prefix, namespace) in file.prefixes.iter() {
                prefixes.insert_if_absent(prefix, namespace);
            }
            for quad in &quads {
                let files = by_subject.entry(quad.subject.clone()).or_default();
                if files.last() != Some(&number) {
                    files.push(number);
                }
            }
            files.push(file);
            all.extend(quads);
        }
        for prefix in ["rdf", "rdfs", "xsd", "owl"] {
            if let Some(namespace) = well_known(prefix) {
                prefixes.insert_if_absent(prefix, namespace);
            }
        }
        let paths: Vec<&Path> = files.iter().filter_map(SourceFile::path).collect();
        let imports = Imports::read(project, &paths, &all, &options);
        Ok(Self {
            project,
            options,
            files,
            missing: found.missing,
            remarks: found.remarks,
            quads: all,
            catalog,
            imports,
            prefixes,
            by_subject,
            mentions: OnceCell::new(),
        })
    }

    /// How the project's queries are parsed.
    pub fn parse_context(&self) -> ParseContext<'_> {
        ParseContext {
            prefixes: &self.prefixes,
            base: self.project.manifest.base.as_deref(),
            bounds: self.options.bounds,
        }
    }

    /// Whether every file could be read. Where one could not, what it would have declared cannot be missed.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.files.iter().all(|file| file.error.is_none())
    }

    /// The places of a file's statements, found when first asked for.
    fn places<'a>(&self, file: &'a SourceFile) -> &'a Places {
        file.places.get_or_init(|| {
            Places::new(&file.name, file.text(self.options.bounds), file.input.as_ref(), self.quads_in(file))
        })
    }

    pub fn quads_in(&self, file: &SourceFile) -> &[Quad] {
        &self.quads[file.range.clone()]
    }

    /// The quads that have the node as their subject.
    pub fn quads_about<'s>(&'s self, node: &NamedOrBlankNode) -> impl Iterator<Item = &'s Quad> {
        let files = self.by_subject.get(node).map_or(&[][..], Vec::as_slice);
        files.iter().flat_map(|f| self.quads_in(&self.files[*f])).filter(move |quad| quad.subject == *node)
    }

    /// The quads of the files of one role.
    pub fn quads_of(&self, role: Role) -> impl Iterator<Item = &Quad> {
        self.files.iter().filter(move |file| file.role == role).flat_map(|file| self.quads_in(file))
    }

    pub fn is_described(&self, node: &NamedOrBlankNode) -> bool {
        self.by_subject.contains_key(node)
    }

    pub fn described(&self) -> impl Iterator<Item = &NamedNode> {
        self.by_subject.keys().filter_map(|node| match node {
            NamedOrBlankNode::NamedNode(iri) => Some(iri),
            NamedOrBlankNode::BlankNode(_) => None,
        })
    }

    /// Every IRI that occurs in a statement: as subject, predicate, object or graph, or inside a triple term.
    pub fn occurring(&self) -> FxHashSet<&NamedNode> {
        let mut found = FxHashSet::default();
        for quad in &self.quads {
            see_node(&quad.subject, &mut found);
            found.insert(&quad.predicate);
            see_term(&quad.object, &mut found);
            if let GraphName::NamedNode(graph) = &quad.graph_name {
                found.insert(graph);
            }
        }
        found
    }

    /// Where a statement stands; where it stands nowhere, its subject; and the manifest where that does not either.
    pub fn place_of(&self, statement: &Triple) -> Place {
        let files = self.by_subject.get(&statement.subject).map_or(&[][..], Vec::as_slice);
        let exact = files.iter().find_map(|f| self.places(&self.files[*f]).statement(statement));
        exact.unwrap_or_else(|| self.place_of_subject(&statement.subject))
    }

    /// The string that is a statement's object, as a part of its file.
    pub fn string_of(&self, statement: &Triple) -> Option<WrittenText> {
        let files = self.by_subject.get(&statement.subject)?;
        files.iter().find_map(|f| {
            let file = &self.files[*f];
            let (text, embedded) = self.places(file).string(statement)?;
            Some(WrittenText { file: file.name.clone(), text, embedded })
        })
    }

    /// Where a statement stands in a file that has it.
    pub fn place_in(&self, file: &SourceFile, statement: &Triple) -> Place {
        let places = self.places(file);
        let exact = places.statement(statement).or_else(|| places.subject(&statement.subject));
        exact.unwrap_or_else(|| Place::new(&file.name, 1, 1))
    }

    /// Where a node is first the subject of a statement.
    pub fn place_of_subject(&self, node: &NamedOrBlankNode) -> Place {
        let files = self.by_subject.get(node).map_or(&[][..], Vec::as_slice);
        let place = files.iter().find_map(|f| self.places(&self.files[*f]).subject(node));
        place
            .or_else(|| files.first().map(|f| Place::new(&self.files[*f].name, 1, 1)))
            .unwrap_or_else(|| Place::new(MANIFEST, 1, 1))
    }

    /// The first statement that has the term as its object.
    fn first_mention(&self, term: &Term) -> Option<(&SourceFile, &Quad)> {
        let mentions = self.mentions.get_or_init(|| {
            let mut first = FxHashMap::default();
            for (number, quad) in self.quads.iter().enumerate() {
                first.entry(quad.object.clone()).or_insert(number);
            }
            first
        });
        let number = *mentions.get(term)?;
        let file = self.files.iter().find(|file| file.range.contains(&number))?;
        Some((file, &self.quads[number]))
    }

    /// Where a node is described, or else first mentioned.
    pub fn place_of_node(&self, node: &Term) -> Place {
        let described = as_node(node).filter(|node| self.is_described(node)).map(|node| self.place_of_subject(&node));
        described
            .or_else(|| {
                let (file, quad) = self.first_mention(node)?;
                Some(self.place_in(file, &triple_of(quad)))
            })
            .unwrap_or_else(|| Place::new(MANIFEST, 1, 1))
    }

    /// Where `kgq.toml` says this; its first line, where it does not.
    pub fn place_in_manifest(&self, text: &str) -> Place {
        self.project.place_in_manifest(text)
    }

    /// The IRI that a setting of `kgq.toml` names, as CURIE or in full.
    pub fn expand(&self, name: &str) -> Option<NamedNode> {
        let full = || NamedNode::new(name).ok().filter(|_| name.contains("://"));
        self.prefixes.expand(name).or_else(full)
    }

    /// A term as a reader of the project's files knows it.
    pub fn name(&self, term: &Term) -> String {
        match term {
            Term::NamedNode(iri) => self.prefixes.display(iri.as_str()),
            Term::Literal(literal) => match literal.datatype() {
                datatype if literal.language().is_none() && datatype != oxrdf::vocab::xsd::STRING => {
                    format!("\"{}\"^^{}", literal.value(), self.prefixes.display(datatype.as_str()))
                }
                _ => literal.to_string(),
            },
            Term::BlankNode(_) => "a blank node".into(),
            Term::Triple(triple) => format!(
                "<<( {} {} {} )>>",
                self.name(&triple.subject.clone().into()),
                self.prefixes.display(triple.predicate.as_str()),
                self.name(&triple.object)
            ),
        }
    }

    pub fn name_of(&self, node: &NamedOrBlankNode) -> String {
        self.name(&node.clone().into())
    }
}

/// Whether reading was ended by whoever asked for it, or by a limit that they can move.
fn is_stopped(error: &Error) -> bool {
    error.limit_passed().is_some() || error.kind() == Kind::Interrupted
}

impl SourceFile {
    fn read(name: String, role: Role, input: Result<Input>, number: usize, options: &Options) -> (Self, Vec<Quad>) {
        let budget = Some(&options.budget);
        let read_options = ReadOptions { lenient: options.lenient, bounds: options.bounds, budget, progress: None };
        let parsed = input.as_ref().map_err(Clone::clone).and_then(|input| read(input, number, read_options));
        let (Parsed { quads, prefixes }, error) = match parsed {
            Ok(parsed) => (parsed, None),
            Err(error) => (Parsed::default(), Some(error)),
        };
        let places = OnceCell::new();
        let file = Self { name, role, range: 0..0, prefixes, error, input: input.ok(), places };
        (file, quads)
    }

    /// Where the file lies, if it is one.
    fn path(&self) -> Option<&Path> {
        match &self.input.as_ref()?.content {
            Content::File(path) => Some(path),
            Content::Bytes(_) => None,
        }
    }

    fn text(&self, bounds: Bounds) -> String {
        let mut bytes = Vec::new();
        let read = self.input.as_ref().and_then(|input| input.open(bounds).ok()?.read_to_end(&mut bytes).ok());
        read.and_then(|_| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

pub fn as_node(term: &Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(node) => Some(node.clone().into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}

pub fn triple_of(quad: &Quad) -> Triple {
    Triple::new(quad.subject.clone(), quad.predicate.clone(), quad.object.clone())
}

fn see_node<'q>(node: &'q NamedOrBlankNode, found: &mut FxHashSet<&'q NamedNode>) {
    if let NamedOrBlankNode::NamedNode(iri) = node {
        found.insert(iri);
    }
}

fn see_term<'q>(term: &'q Term, found: &mut FxHashSet<&'q NamedNode>) {
    match term {
        Term::NamedNode(iri) => {
            found.insert(iri);
        }
        Term::Triple(triple) => {
            see_node(&triple.subject, found);
            found.insert(&triple.predicate);
            see_term(&triple.object, found);
        }
        Term::BlankNode(_) | Term::Literal(_) => {}
    }
}
