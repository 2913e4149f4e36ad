//! The input of a check: every file of a project, read separately so that a broken one hides nothing in the others,
//! with the places of its statements. Statements are ids in one snapshot; a check looks up the terms that it reports.

use super::Options;
use super::imports::Imports;
use super::places::{NumberedPlaces, Places};
use super::shacl::WrittenText;
use crate::catalog::Catalog;
use crate::project::{FoundFiles, FoundQueries, MANIFEST, Project, ProjectFile, Role};
use kgq_engine::query::ParseContext;
use kgq_snapshot::store::{Content, Input, ReadOptions};
use kgq_snapshot::{Bound, Gathered, Gathering, Ids, Snapshot, TermId};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Kind, Place, Result};
use kgq_syntax::rdf::vocabulary::well_known;
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, NamedOrBlankNode, Prefixes, Quad, Term, TermRef, Triple};
use rustc_hash::FxHashMap;
use std::cell::{OnceCell, RefCell};
use std::cmp::Ordering;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

pub struct Subject<'p> {
    pub project: &'p Project,
    pub options: Options,
    pub files: Vec<SourceFile>,
    /// Files that kgq.toml names but that do not exist, and then globs that find nothing.
    pub missing: Vec<Error>,
    pub remarks: Vec<Error>,
    /// A remark on RDF files of the folder that no list takes.
    pub unloaded: Option<Error>,
    pub catalog: Catalog,
    pub imports: Imports,
    /// Those of `kgq.toml`, then those of the files.
    pub prefixes: Prefixes,
    /// The statements of all readable files, one file after the other.
    statements: Gathered,
    /// The first statement with a term as its object, for each term asked about.
    mentions: RefCell<FxHashMap<TermId, Option<Ids>>>,
}

/// An RDF file of the project, as far as it could be read.
pub struct SourceFile {
    pub name: String,
    pub role: Role,
    /// The range of its statements among all statements; empty if the file is broken.
    range: Range<usize>,
    pub prefixes: Prefixes,
    pub error: Option<Error>,
    input: Option<Input>,
    places: OnceCell<Places>,
    /// For a large file.
    numbered: OnceCell<Option<NumberedPlaces>>,
    /// The first number of each statement that an earlier file has too, and of each of their subjects, by their ids.
    repeated: OnceCell<FxHashMap<Bound, usize>>,
}

impl<'p> Subject<'p> {
    /// Reads the project's files. Fails only if the project itself cannot be read.
    pub fn read(project: &'p Project, found: (FoundFiles, &FoundQueries), options: Options) -> Result<Self> {
        let base = &project.manifest.base;
        let contexts = project.contexts()?;
        let named = |file: ProjectFile| {
            let input = file.input();
            let input =
                input.map(|input| input.with_base(base.clone()).with_graph(file.graph).with_contexts(contexts.clone()));
            (file.name, file.role, input)
        };
        let (mut found, queries) = found;
        found.remarks.extend(queries.remarks.iter().cloned());
        found.unloaded = project.remark_on_unloaded(&found.files);
        let inputs = std::mem::take(&mut found.files).into_iter().map(named).collect();
        Self::of_files(project, inputs, found, Catalog::read(project, queries)?, options)
    }

    /// Reads these documents, regardless of the project's files.
    pub fn of_inputs(project: &'p Project, inputs: Vec<(Role, Input)>, options: Options) -> Result<Self> {
        let files = inputs.into_iter().map(|(role, input)| (input.name.clone(), role, Ok(input))).collect();
        Self::of_files(project, files, FoundFiles::default(), Catalog::default(), options)
    }

    fn of_files(
        project: &'p Project,
        inputs: Vec<(String, Role, Result<Input>)>,
        found: FoundFiles,
        catalog: Catalog,
        options: Options,
    ) -> Result<Self> {
        let mut prefixes = project.prefixes();
        let mut files = Vec::new();
        let mut gathering = Gathering::default();
        for (name, role, input) in inputs {
            let mut file = SourceFile::read(name, role, input, &mut gathering, &options)?;
            // A file is not broken if a limit stopped reading it.
            if let Some(stopped) = file.error.take_if(|error| is_stopped(error)) {
                return Err(stopped);
            }
            for (prefix, namespace) in file.prefixes.iter() {
                prefixes.insert_if_absent(prefix, namespace);
            }
            files.push(file);
        }
        for prefix in ["rdf", "rdfs", "xsd", "owl"] {
            if let Some(namespace) = well_known(prefix) {
                prefixes.insert_if_absent(prefix, namespace);
            }
        }
        let statements = gathering.finish(&options.budget)?;
        for (number, file) in files.iter_mut().enumerate() {
            file.range = statements.of_file(number);
        }
        let paths: Vec<&Path> = files.iter().filter_map(SourceFile::path).collect();
        let imports = Imports::read(project, &paths, &statements.snapshot, &options);
        Ok(Self {
            project,
            options,
            files,
            missing: found.missing,
            remarks: found.remarks,
            unloaded: found.unloaded,
            catalog,
            imports,
            prefixes,
            statements,
            mentions: RefCell::default(),
        })
    }

    /// Returns the context for parsing the project's queries.
    pub fn parse_context(&self) -> ParseContext<'_> {
        ParseContext {
            prefixes: &self.prefixes,
            base: self.project.manifest.base.as_deref(),
            bounds: self.options.bounds,
        }
    }

    /// Whether every file could be read. If not, a term that seems undeclared may be declared in the unreadable file.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.files.iter().all(|file| file.error.is_none())
    }

    /// Returns the distinct statements.
    pub fn snapshot(&self) -> &Snapshot {
        &self.statements.snapshot
    }

    /// Returns all statements as written, including repeated ones.
    pub fn written(&self) -> &[Ids] {
        self.statements.statements()
    }

    /// Returns the statements of a file.
    pub fn written_in(&self, file: &SourceFile) -> &[Ids] {
        self.written().get(file.range.clone()).unwrap_or_default()
    }

    /// Iterates over all statements with their files.
    pub fn each(&self) -> impl Iterator<Item = (&SourceFile, Ids)> {
        self.files.iter().flat_map(|file| self.written_in(file).iter().map(move |ids| (file, *ids)))
    }

    /// The statements as quads.
    pub fn quads<'s>(&'s self, ids: &'s [Ids]) -> impl Iterator<Item = Quad> + 's {
        ids.iter().filter_map(|ids| self.snapshot().statement(*ids))
    }

    pub fn triple(&self, [subject, predicate, object, _]: Ids) -> Option<Triple> {
        let ids = [subject, predicate, object, TermId::UNBOUND];
        self.snapshot().statement(ids).map(Triple::from)
    }

    pub fn term(&self, id: TermId) -> Term {
        self.snapshot().term(id)
    }

    /// Returns the IRI of an id; `None` for other terms.
    pub fn iri(&self, id: TermId) -> Option<NamedNode> {
        match self.snapshot().term(id) {
            Term::NamedNode(iri) => Some(iri),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        }
    }

    pub fn id<'t>(&self, term: impl Into<TermRef<'t>>) -> Option<TermId> {
        self.snapshot().id(term.into())
    }

    /// Returns the distinct statements with this predicate, and with this object if given, in file order.
    pub fn with(&self, predicate: NamedNodeRef<'_>, object: Option<NamedNodeRef<'_>>) -> Vec<Ids> {
        let Some(predicate) = self.id(predicate) else { return Vec::new() };
        let object = match object.map(|object| self.id(object)) {
            Some(None) => return Vec::new(),
            Some(object) => object,
            None => None,
        };
        self.snapshot().find_in_order([None, Some(predicate), object])
    }

    /// Returns the quads with this node as subject.
    pub fn quads_about(&self, node: &NamedOrBlankNode) -> impl Iterator<Item = Quad> + '_ {
        let about = self.id(node.as_ref()).map(|id| self.snapshot().find_in_order([Some(id), None, None]));
        about.into_iter().flatten().filter_map(|ids| self.snapshot().statement(ids))
    }

    /// Returns the statements in the files with this role.
    pub fn written_of(&self, role: Role) -> impl Iterator<Item = Ids> + Clone + '_ {
        let files = self.files.iter().filter(move |file| file.role == role);
        files.flat_map(|file| self.written_in(file).iter().copied())
    }

    /// Returns the same statements as quads.
    pub fn quads_of(&self, role: Role) -> impl Iterator<Item = Quad> + '_ {
        self.written_of(role).filter_map(|ids| self.snapshot().statement(ids))
    }

    pub fn is_described(&self, node: &NamedOrBlankNode) -> bool {
        self.id(node.as_ref()).is_some_and(|id| self.has_statements(id))
    }

    /// Whether any statement has the term as subject.
    pub fn has_statements(&self, subject: TermId) -> bool {
        self.snapshot().has([Some(subject), None, None])
    }

    /// Whether an IRI occurs in a statement: as subject, predicate, object or graph, or inside a triple term.
    pub fn occurs(&self, iri: &NamedNode) -> bool {
        self.id(iri.as_ref()).is_some()
    }

    /// The files that contribute a statement about a subject that no earlier file has, in file order.
    fn files_about(&self, node: &NamedOrBlankNode) -> Vec<usize> {
        let Some(id) = self.id(node.as_ref()) else { return Vec::new() };
        let all = self.snapshot().find_ids([Some(id), None, None]);
        let mut files: Vec<usize> = all.filter_map(|ids| Some(self.snapshot().origin(ids)?.file)).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The places of a file's statements, computed when first needed.
    fn places<'a>(&self, file: &'a SourceFile) -> &'a Places {
        file.places.get_or_init(|| {
            let quads: Vec<Quad> = self.quads(self.written_in(file)).collect();
            Places::new(&file.name, file.text(self.options.bounds), file.input.as_ref(), &quads)
        })
    }

    /// Where a statement is written in a file, if it is there.
    fn exact_place(&self, file: &SourceFile, statement: &Triple) -> Option<Place> {
        self.find(
            file,
            self.ids_of(statement),
            |places, number| places.statement(number, statement, &self.reader_of(file)),
            |places| places.statement(statement),
        )
    }

    /// Where a node is first a subject in a file.
    fn subject_place(&self, file: &SourceFile, node: &NamedOrBlankNode) -> Option<Place> {
        let by_number = |places: &NumberedPlaces, number: usize| {
            let first = self.triple(*self.written_in(file).get(number)?)?;
            places.subject(number, &first, &self.reader_of(file))
        };
        let parts = self.id(node.as_ref()).map(|id| [Some(id), None, None]);
        self.find(file, parts, by_number, |places| places.subject(node))
    }

    /// Looks up the first statement of a file that matches: by its number if the file is large, and in the places of all its
    /// statements if it is not, or if the file does not say there what was read.
    fn find<T>(
        &self,
        file: &SourceFile,
        parts: Option<Bound>,
        by_number: impl FnOnce(&NumberedPlaces, usize) -> Option<T>,
        in_all: impl FnOnce(&Places) -> Option<T>,
    ) -> Option<T> {
        if let Some(numbered) = file.numbered(self.options.bounds) {
            let number = self.number_in(file, parts?)?;
            if let Some(found) = by_number(numbered, number) {
                return Some(found);
            }
        }
        in_all(self.places(file))
    }

    /// Gives the statements of a file by their numbers.
    fn reader_of<'a>(&'a self, file: &'a SourceFile) -> impl Fn(Range<usize>) -> Vec<Quad> + 'a {
        |numbers| self.quads(self.written_in(file).get(numbers).unwrap_or_default()).collect()
    }

    /// The number of the first statement in a file that matches this pattern: of one that is in no earlier file, if there is
    /// such a statement.
    fn number_in(&self, file: &SourceFile, parts: Bound) -> Option<usize> {
        let (mut own, mut is_in_earlier): (Option<usize>, _) = (None, false);
        for origin in self.snapshot().find_ids(parts).filter_map(|ids| self.snapshot().origin(ids)) {
            let first = self.files.get(origin.file)?;
            let position = origin.position as usize;
            match first.range.start.cmp(&file.range.start) {
                Ordering::Equal => own = Some(own.map_or(position, |own| own.min(position))),
                Ordering::Less => is_in_earlier = true,
                Ordering::Greater => {}
            }
        }
        own.or_else(|| if is_in_earlier { self.repeated(file).get(&parts).copied() } else { None })
    }

    /// The statements of a file that are in an earlier one, and their subjects. They are found once, because a check may ask for
    /// each of them.
    fn repeated<'a>(&self, file: &'a SourceFile) -> &'a FxHashMap<Bound, usize> {
        file.repeated.get_or_init(|| {
            let mut first = FxHashMap::default();
            for (number, ids) in self.written_in(file).iter().enumerate() {
                let origin = self.snapshot().origin(*ids).and_then(|origin| self.files.get(origin.file));
                if origin.is_some_and(|earlier| earlier.range.start < file.range.start) {
                    let [subject, predicate, object] = [ids[0], ids[1], ids[2]].map(Some);
                    first.entry([subject, predicate, object]).or_insert(number);
                    first.entry([subject, None, None]).or_insert(number);
                }
            }
            first
        })
    }

    fn ids_of(&self, statement: &Triple) -> Option<Bound> {
        let Triple { subject, predicate, object } = statement;
        let ids = [self.id(subject.as_ref()), self.id(predicate.as_ref()), self.id(object.as_ref())];
        ids.iter().all(Option::is_some).then_some(ids)
    }

    /// Returns where a statement is written; failing that, the place of its subject; failing that, the manifest.
    pub fn place_of(&self, statement: &Triple) -> Place {
        let files = self.files_about(&statement.subject);
        let exact = files.iter().find_map(|f| self.exact_place(&self.files[*f], statement));
        exact.unwrap_or_else(|| self.place_of_subject(&statement.subject))
    }

    /// Returns the string that is a statement's object, as part of its file.
    pub fn string_of(&self, statement: &Triple) -> Option<WrittenText> {
        self.files_about(&statement.subject).into_iter().find_map(|f| {
            let file = &self.files[f];
            let (text, embedded) = self.find(
                file,
                self.ids_of(statement),
                |places, number| places.string(number, statement, &self.reader_of(file)),
                |places| places.string(statement),
            )?;
            Some(WrittenText { file: file.name.clone(), text, embedded })
        })
    }

    /// Returns where a statement is written in a file that has it.
    pub fn place_in(&self, file: &SourceFile, statement: Ids) -> Place {
        let place = self.triple(statement).and_then(|statement| {
            let exact = self.exact_place(file, &statement);
            exact.or_else(|| self.subject_place(file, &statement.subject))
        });
        place.unwrap_or_else(|| Place::new(&file.name, 1, 1))
    }

    /// Where a node is first the subject of a statement.
    pub fn place_of_subject(&self, node: &NamedOrBlankNode) -> Place {
        let files = self.files_about(node);
        let place = files.iter().find_map(|f| self.subject_place(&self.files[*f], node));
        place
            .or_else(|| files.first().map(|f| Place::new(&self.files[*f].name, 1, 1)))
            .unwrap_or_else(|| Place::new(MANIFEST, 1, 1))
    }

    /// The first statement with the term as its object, and its file.
    fn first_mention(&self, term: &Term) -> Option<(&SourceFile, Ids)> {
        let id = self.id(term.as_ref())?;
        let snapshot = self.snapshot();
        let first = || snapshot.find_ids([None, None, Some(id)]).min_by_key(|ids| snapshot.origin(*ids));
        let ids = (*self.mentions.borrow_mut().entry(id).or_insert_with(first))?;
        Some((&self.files[snapshot.origin(ids)?.file], ids))
    }

    /// Where a node is described, or else first mentioned.
    pub fn place_of_node(&self, node: &Term) -> Place {
        let described = as_node(node).filter(|node| self.is_described(node)).map(|node| self.place_of_subject(&node));
        described
            .or_else(|| self.first_mention(node).map(|(file, statement)| self.place_in(file, statement)))
            .unwrap_or_else(|| Place::new(MANIFEST, 1, 1))
    }

    /// Returns where `kgq.toml` has this text; its first line if it does not have it.
    pub fn place_in_manifest(&self, text: &str) -> Place {
        self.project.place_in_manifest(text)
    }

    /// The IRI that a setting of `kgq.toml` names, as CURIE or in full.
    pub fn expand(&self, name: &str) -> Option<NamedNode> {
        let full = || NamedNode::new(name).ok().filter(|_| name.contains("://"));
        self.prefixes.expand(name).or_else(full)
    }

    /// Formats a term in the form familiar from the project's files.
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

/// Whether reading was stopped by the user, or by a limit that the user can raise.
fn is_stopped(error: &Error) -> bool {
    error.limit_passed().is_some() || error.kind() == Kind::Interrupted
}

impl SourceFile {
    fn read(
        name: String,
        role: Role,
        input: Result<Input>,
        gathering: &mut Gathering,
        options: &Options,
    ) -> Result<Self> {
        let budget = Some(&options.budget);
        let read_options = ReadOptions { lenient: options.lenient, bounds: options.bounds, budget, progress: None };
        let (prefixes, error) = match &input {
            Ok(input) => match gathering.read(input, read_options) {
                Ok(prefixes) => (prefixes, None),
                Err(error) => (Prefixes::default(), Some(error)),
            },
            Err(error) => {
                gathering.pass_over()?;
                (Prefixes::default(), Some(error.clone()))
            }
        };
        let (places, numbered, repeated) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Ok(Self { name, role, range: 0..0, prefixes, error, input: input.ok(), places, numbered, repeated })
    }

    /// The places of its statements by number, if it is a large file.
    fn numbered(&self, bounds: Bounds) -> Option<&NumberedPlaces> {
        let find = || NumberedPlaces::of(self.input.as_ref()?, self.range.len(), bounds);
        self.numbered.get_or_init(find).as_ref()
    }

    /// The path of the file, if it is one.
    fn path(&self) -> Option<&Path> {
        match &self.input.as_ref()?.content {
            Content::File(path) => Some(path),
            Content::Bytes(_) => None,
        }
    }

    /// What was read as this file, if it could be opened.
    pub fn input(&self) -> Option<&Input> {
        self.input.as_ref()
    }

    fn text(&self, bounds: Bounds) -> String {
        self.input.as_ref().and_then(|input| text_of(input, bounds)).unwrap_or_default()
    }
}

/// Reads a document again, if it can be, as text.
pub fn text_of(input: &Input, bounds: Bounds) -> Option<String> {
    let mut bytes = Vec::new();
    input.open(bounds).ok()?.read_to_end(&mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}

pub fn as_node(term: &Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(node) => Some(node.clone().into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}
