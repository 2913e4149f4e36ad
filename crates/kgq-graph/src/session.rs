//! One door to a loaded dataset: a project's files or files named by hand; loaded once, when first asked for.

use crate::answers::Outcome;
use crate::audit::{self, Audit, RowSources, Texts, sha256};
use crate::catalog::{CannedQuery, Catalog, Known, Labels, Values, label_that_is_a_thing, naming};
use crate::check;
use crate::infer::{self, Inferred};
use crate::project::{self, Entailment, Found, InferSettings, Project, ProjectFile};
use kgq_engine::query::{self, ParseContext, Query};
use kgq_engine::update::Change;
use kgq_engine::{self as engine, Answer, EvaluationOptions, Limits};
use kgq_snapshot::store::{Contexts, Dataset, Input, ReadOptions, ReadProgress, is_pipe, open_file};
use kgq_snapshot::{BuildOptions, Cache, Permutation, Progress, Snapshot};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Kind, Result, Source};
use kgq_syntax::rdf::vocabulary::{rdf, rdfs};
use kgq_syntax::rdf::{
    Contested, NamedNode, NamedNodeRef, NamedOrBlankNode, Prefixes, Quad, RdfFormat, Term, TermRef, Triple, Variable,
    vocabulary,
};
use kgq_syntax::significant;
use kgq_syntax::sparql;
use kgq_syntax::text::{count, visible};
use kgq_syntax::words::WELL_KNOWN_PREFIXES;
use rustc_hash::FxHashSet;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to load, and how.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// The folder to look for a project from.
    pub folder: PathBuf,
    /// Files to load instead of a project's; `-` is standard input, whose bytes are then in `stdin`.
    pub files: Vec<String>,
    pub stdin: Option<Vec<u8>>,
    pub input_format: Option<RdfFormat>,
    pub base: Option<String>,
    pub lenient: bool,
    /// What stands for remote contexts of JSON-LD.
    pub contexts: Contexts,
    /// Read `rdf:Statement` descriptions as reifiers.
    pub unreify: bool,
    pub executor: engine::Executor,
    /// The projects' folders that the user trusts to name files outside of them.
    pub trusted: Vec<PathBuf>,
    /// A saved snapshot to answer from, instead of files.
    pub snapshot: Option<PathBuf>,
    /// Where snapshots of what is large are kept, if they are.
    pub cache: Option<PathBuf>,
    pub watcher: Option<Watcher>,
    pub limits: Limits,
    /// Those of time and memory that the command line names: they bound a whole export too, for which there is no default.
    pub asked_limits: Limits,
    pub bounds: Bounds,
}

/// A dataset with all that belongs to it.
pub struct Session {
    pub options: SessionOptions,
    project: Option<Project>,
    files: OnceCell<Found>,
    /// What came through pipes, by their names.
    pipes: RefCell<BTreeMap<String, Input>>,
    contexts: OnceCell<Contexts>,
    /// Files that are passed over because they cannot be read, by name.
    broken: BTreeSet<String>,
    dataset: OnceCell<Dataset>,
    snapshot: OnceCell<Arc<Snapshot>>,
    /// Whether the files hold much text.
    large: OnceCell<bool>,
    prefixes: OnceCell<Prefixes>,
    /// The same with those that everybody knows.
    well_known: OnceCell<Prefixes>,
    labels: OnceCell<Labels>,
    catalog: OnceCell<Catalog>,
    to_cite: OnceCell<FxHashSet<Triple>>,
}

impl Session {
    /// Finds the project, or takes the files named; loads nothing yet.
    pub fn open(options: SessionOptions) -> Result<Self> {
        let alone = options.files.is_empty() && options.snapshot.is_none();
        let mut project = if alone { Project::find(&options.folder)? } else { None };
        if let Some(project) = &mut project {
            project.is_trusted = options.trusted.contains(&project.root);
        }
        Ok(Self {
            options,
            project,
            files: OnceCell::new(),
            pipes: RefCell::default(),
            contexts: OnceCell::new(),
            broken: BTreeSet::new(),
            dataset: OnceCell::new(),
            snapshot: OnceCell::new(),
            large: OnceCell::new(),
            prefixes: OnceCell::new(),
            well_known: OnceCell::new(),
            labels: OnceCell::new(),
            catalog: OnceCell::new(),
            to_cite: OnceCell::new(),
        })
    }

    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    /// The project; that there is none is an error that says what to do.
    pub fn require_project(&self) -> Result<&Project> {
        self.project.as_ref().ok_or_else(|| {
            Error::input(format!("there is no kgq.toml in {} or above it", self.options.folder.display()))
                .hint("go to a project's folder or name it with `-C DIR`; `kgq new DIR` makes one")
                .hint("to query files without a project, name them with `-d FILE`")
        })
    }

    /// Refuses a path for output that is, under whatever name, a file that is read: one of the project, or one named by hand.
    ///
    /// # Errors
    /// That it is one.
    pub fn refuse_own_file(&self, path: &Path) -> Result<()> {
        self.refuse_file_of(path, &[])
    }

    /// The same of a command that reads these files too.
    pub fn refuse_file_of(&self, path: &Path, read: &[String]) -> Result<()> {
        let same = |own: &PathBuf| same_file(own, path);
        let by_hand = self.options.files.iter().chain(read).map(PathBuf::from).chain(self.options.snapshot.clone());
        let whose = if by_hand.into_iter().any(|own| same(&own)) {
            "is read by this command"
        } else if self.project.as_ref().is_some_and(|project| project_files(project).iter().any(same)) {
            "is a file of the project"
        } else {
            return Ok(());
        };
        Err(Error::policy(format!("{} {whose}: kgq does not overwrite it", path.display()))
            .hint("give `--output` another name"))
    }

    /// What is loaded: the files named by hand, or the project's.
    pub fn inputs(&self) -> Result<Vec<Input>> {
        if !self.options.files.is_empty() {
            let whole = self.options.files.iter().filter(|name| !self.broken.contains(*name));
            return whole.map(|name| self.named_input(name)).collect();
        }
        let project = self.require_project()?;
        let whole = self.whole_files(project)?;
        whole.map(|file| self.project_input(project, file)).collect()
    }

    /// Reads all, and where that fails finds the files that cannot be read: they are passed over from then on, and their errors
    /// returned. That not one can be read is an error.
    pub fn leave_out_broken(&mut self, progress: Option<&ReadProgress<'_>>) -> Result<Vec<Error>> {
        if self.options.snapshot.is_some() || self.read(progress).is_ok() {
            return Ok(Vec::new());
        }
        let files: Vec<(String, Result<Input>)> = match self.options.files.as_slice() {
            [] => {
                let project = self.require_project()?;
                let input = |file: &ProjectFile| (file.name.clone(), self.project_input(project, file));
                self.project_files(project)?.iter().map(input).collect()
            }
            names => names.iter().map(|name| (name.clone(), self.named_input(name))).collect(),
        };
        let options = ReadOptions { lenient: self.options.lenient, bounds: self.options.bounds, progress: None };
        let all = files.len();
        let mut errors = Vec::new();
        for (name, input) in files {
            if let Err(error) = input.and_then(|input| Dataset::read(&[input], options).map(drop)) {
                self.broken.insert(name);
                errors.push(error);
            }
        }
        if errors.len() == all {
            self.broken.clear();
            return Err(Error::all(errors).unwrap_or_else(|| Error::input("there is no file to read")));
        }
        Ok(errors)
    }

    /// The project's files; one that is named and not there is an error.
    fn project_files(&self, project: &Project) -> Result<&[ProjectFile]> {
        let found = self.files(project)?;
        Error::all(found.missing.iter().cloned()).map_or(Ok(&found.files), Err)
    }

    /// Those of them that are not passed over.
    fn whole_files(&self, project: &Project) -> Result<impl Iterator<Item = &ProjectFile>> {
        Ok(self.project_files(project)?.iter().filter(|file| !self.broken.contains(&file.name)))
    }

    /// What the project's globs find, looked for once.
    fn files(&self, project: &Project) -> Result<&Found> {
        if self.files.get().is_none() {
            let _ = self.files.set(project.find_files()?);
        }
        self.files.get().ok_or_else(|| Error::bug("the list of files was not kept"))
    }

    /// What is odd about kgq.toml and yet no error: globs that find nothing.
    pub fn remarks(&self) -> Result<Vec<Error>> {
        let Some(project) = &self.project else { return Ok(Vec::new()) };
        let mut remarks = self.files(project)?.remarks.clone();
        remarks.extend(project.remarks_on_queries()?);
        Ok(remarks)
    }

    fn named_input(&self, name: &str) -> Result<Input> {
        let input = if name == "-" {
            let bytes = self.options.stdin.clone().unwrap_or_default();
            match self.options.input_format {
                Some(format) => Input::bytes("<stdin>", bytes, format),
                None => Input::sniffed("<stdin>", bytes, self.options.bounds)?,
            }
        } else if is_pipe(Path::new(name)) {
            self.piped_input(name)?
        } else {
            Input::file(name, Path::new(name), self.options.input_format)?
        };
        Ok(input.with_base(self.options.base.clone()).with_contexts(self.contexts()?))
    }

    /// What stands for remote contexts of JSON-LD: what the command line names, then the project.
    pub fn contexts(&self) -> Result<Contexts> {
        if self.contexts.get().is_none() {
            let own = self.project.as_ref().map(Project::contexts).transpose()?.unwrap_or_default();
            let both = own.iter().chain(self.options.contexts.iter());
            let both = both.map(|(address, document)| (address.to_owned(), document.to_owned()));
            let _ = self.contexts.set(Contexts::new(both));
        }
        Ok(self.contexts.get().cloned().unwrap_or_default())
    }

    /// A pipe, which is read once and kept.
    fn piped_input(&self, name: &str) -> Result<Input> {
        let mut pipes = self.pipes.borrow_mut();
        if let Some(input) = pipes.get(name) {
            return Ok(input.clone());
        }
        let mut bytes = Vec::new();
        let read = open_file(name, Path::new(name))?.read_to_end(&mut bytes);
        read.map_err(|e| Error::io(name, &e))?;
        let input = match self.options.input_format.or_else(|| RdfFormat::from_path(name)) {
            Some(format) => Input::bytes(name, bytes, format),
            None => Input::sniffed(name, bytes, self.options.bounds)?,
        };
        pipes.insert(name.to_owned(), input.clone());
        Ok(input)
    }

    fn project_input(&self, project: &Project, file: &ProjectFile) -> Result<Input> {
        let input = Input::file(&file.name, &file.path, None)?;
        let base = self.options.base.clone().or_else(|| project.manifest.base.clone());
        Ok(input.with_base(base).with_graph(file.graph.clone()).with_contexts(self.contexts()?))
    }

    /// Whether there is so much to read that questions are answered without holding the parsed statements.
    fn is_large(&self) -> bool {
        /// Below, in bytes, reading is as fast as opening a snapshot.
        const SMALL: u64 = 4 << 20;
        if self.dataset.get().is_some() {
            return false;
        }
        self.options.snapshot.is_some()
            || *self.large.get_or_init(|| {
                self.inputs().is_ok_and(|inputs| {
                    inputs.iter().map(Input::stored_size).sum::<u64>() >= SMALL
                        || inputs.iter().any(|input| input.has_text_of(SMALL))
                })
            })
    }

    /// How snapshots are built of what this session loads.
    pub fn build_options(&self) -> BuildOptions<'static> {
        BuildOptions {
            lenient: self.options.lenient,
            unreify: self.options.unreify,
            bounds: self.options.bounds,
            memory: self.options.limits.memory,
            ..BuildOptions::default()
        }
    }

    /// The parsed dataset.
    pub fn dataset(&self) -> Result<&Dataset> {
        self.read(None)
    }

    /// The parsed dataset; tells how far it is where it still has to be read.
    pub fn read(&self, progress: Option<&ReadProgress<'_>>) -> Result<&Dataset> {
        if self.dataset.get().is_none() && self.options.snapshot.is_some() {
            let snapshot = self.snapshot()?;
            let mut dataset = Dataset::from_quads(snapshot.iter());
            snapshot.intact()?;
            dataset.prefixes = snapshot.prefixes().clone();
            dataset.contested = snapshot.contested_prefixes().to_vec();
            let _ = self.dataset.set(dataset);
        }
        if self.dataset.get().is_none() {
            let options = ReadOptions { lenient: self.options.lenient, bounds: self.options.bounds, progress };
            let mut dataset = Dataset::read(&self.inputs()?, options)?;
            if self.options.unreify {
                dataset = dataset.map_quads(kgq_syntax::rdf::rdf11::upgrade);
            }
            // Set only here, and the cell was empty.
            let _ = self.dataset.set(dataset);
        }
        self.dataset.get().ok_or_else(|| Error::bug("the dataset was not kept"))
    }

    /// The dataset made to be read by the engine.
    pub fn snapshot(&self) -> Result<&Snapshot> {
        if self.snapshot.get().is_none() {
            let snapshot = match &self.options.snapshot {
                Some(path) => Snapshot::open(path)?,
                None if self.is_large() => self.snapshot_of_files()?,
                None => Snapshot::from_quads(self.dataset()?.quads().iter().cloned())?,
            };
            let _ = self.snapshot.set(Arc::new(snapshot));
        }
        self.snapshot.get().map(AsRef::as_ref).ok_or_else(|| Error::bug("the snapshot was not kept"))
    }

    /// Whether what was read of the snapshot is sound, where there is one: to be asked before anything that was concluded from it is
    /// told.
    pub fn intact(&self) -> Result<()> {
        self.snapshot.get().map_or(Ok(()), |snapshot| snapshot.intact())
    }

    /// A snapshot made from the files at once: from the cache, if there is one.
    fn snapshot_of_files(&self) -> Result<Snapshot> {
        let inputs = self.inputs()?;
        let watcher = self.options.watcher.clone().unwrap_or_default();
        let progress = |progress: Progress| (watcher.0)(News::Progress(progress));
        let options = BuildOptions { progress: Some(&progress), ..self.build_options() };
        let snapshot = match self.options.cache.as_ref().map(Cache::new) {
            Some(cache) => {
                if let Some(reason) = cache.distrust() {
                    (watcher.0)(News::CacheDistrusted(cache.folder(), reason));
                }
                cache.snapshot_with_news(&inputs, &options)
            }
            None => Snapshot::load(&inputs, &options).map(|(snapshot, _)| (snapshot, false)),
        };
        (watcher.0)(News::Over);
        let (snapshot, kept) = snapshot?;
        if kept {
            (watcher.0)(News::Kept);
        }
        Ok(snapshot)
    }

    /// How many statements are loaded.
    pub fn statement_count(&self) -> Result<usize> {
        Ok(if self.is_large() { self.snapshot()?.len() } else { self.dataset()?.len() })
    }

    /// Where the statements come from, in words: `9 files`, or the path of a snapshot.
    pub fn origin(&self) -> Result<String> {
        Ok(match &self.options.snapshot {
            Some(path) => visible(&path.display().to_string()).into_owned(),
            None => count(self.inputs()?.len() as u64, "file", "files"),
        })
    }

    /// The snapshot, for a thread that may outlive a reload.
    pub fn shared_snapshot(&self) -> Result<Arc<Snapshot>> {
        self.snapshot()?;
        self.snapshot.get().cloned().ok_or_else(|| Error::bug("the snapshot was not kept"))
    }

    /// The prefixes of the project, then of its files, then those that everybody knows.
    pub fn prefixes(&self) -> Result<&Prefixes> {
        if self.prefixes.get().is_none() {
            let mut prefixes = self.project.as_ref().map(Project::prefixes).unwrap_or_default();
            // A snapshot keeps its prefixes where its statements need not be read.
            let declared = if self.is_large() { self.snapshot()?.prefixes() } else { &self.dataset()?.prefixes };
            for (prefix, namespace) in declared.iter() {
                prefixes.insert_if_absent(prefix, namespace);
            }
            well_known(&mut prefixes);
            let _ = self.prefixes.set(prefixes);
        }
        self.prefixes.get().ok_or_else(|| Error::bug("the prefixes were not kept"))
    }

    /// The prefixes that files declare as different namespaces, where the project's kgq.toml does not decide.
    pub fn contested_prefixes(&self) -> Result<Vec<&Contested>> {
        let contested =
            if self.is_large() { self.snapshot()?.contested_prefixes() } else { &self.dataset()?.contested };
        let decided = self.project.as_ref().map(Project::prefixes).unwrap_or_default();
        Ok(contested.iter().filter(|contested| decided.get(&contested.prefix).is_none()).collect())
    }

    /// What all things are called.
    pub fn labels(&self) -> Result<&Labels> {
        let snapshot = self.snapshot()?;
        let labels = self.labels.get_or_init(|| all_labels(snapshot));
        snapshot.intact()?;
        Ok(labels)
    }

    /// What these things are called, without a look at any other.
    pub fn labels_of<'a>(&self, things: impl IntoIterator<Item = &'a NamedNode>) -> Result<Labels> {
        let snapshot = self.snapshot()?;
        let of = |thing: TermRef<'_>| snapshot.find(Some(thing), None, None);
        let mut quads: Vec<Quad> = things.into_iter().flat_map(|thing| of(thing.as_ref().into())).collect();
        let labels: Vec<_> = quads.iter().filter_map(label_that_is_a_thing).collect();
        quads.extend(labels.iter().flat_map(|label| of(label.as_ref().into())));
        let labels = Labels::of(quads);
        snapshot.intact()?;
        Ok(labels)
    }

    /// The language in which things are called by their names: the first that the project asks for, or English.
    pub fn language(&self) -> String {
        let languages = self.project.as_ref().map(|project| &project.manifest.check.languages);
        languages.and_then(|all| all.first()).cloned().unwrap_or_else(|| "en".to_owned())
    }

    /// The project's canned queries.
    pub fn catalog(&self) -> Result<&Catalog> {
        if self.catalog.get().is_none() {
            let _ = self.catalog.set(Catalog::read(self.require_project()?)?);
        }
        self.catalog.get().ok_or_else(|| Error::bug("the catalogue was not kept"))
    }

    /// The canned queries, if there is a project that could have some.
    pub fn catalog_if_any(&self) -> Result<Option<&Catalog>> {
        self.project.as_ref().map(|_| self.catalog()).transpose()
    }

    /// The base that relative IRIs of queries are resolved against.
    pub fn base(&self) -> Option<&str> {
        self.options.base.as_deref().or_else(|| self.project.as_ref()?.manifest.base.as_deref())
    }

    pub fn parse_context(&self) -> Result<ParseContext<'_>> {
        Ok(ParseContext { prefixes: self.query_prefixes()?, base: self.base(), bounds: self.options.bounds })
    }

    /// The prefixes that a query need not declare. A project says its own; files by themselves are also asked with those that everybody
    /// knows.
    fn query_prefixes(&self) -> Result<&Prefixes> {
        if self.project.is_some() {
            return self.prefixes();
        }
        let mut prefixes = self.prefixes()?.clone();
        Ok(self.well_known.get_or_init(|| {
            for (prefix, namespace) in WELL_KNOWN_PREFIXES {
                prefixes.insert_if_absent(prefix, namespace);
            }
            prefixes
        }))
    }

    /// The prefixes, with their namespaces, that a query uses and nothing declares: they are taken for what everybody means by them.
    pub fn assumed_prefixes<'a>(&'a self, text: &'a str) -> Result<Vec<(&'a str, &'a str)>> {
        let (declared, usable) = (self.prefixes()?, self.query_prefixes()?);
        let undeclared = sparql::undeclared_prefixes(text, &significant(&sparql::tokenize(text)));
        let assumed = undeclared.into_iter().filter(|prefix| declared.get(prefix).is_none());
        Ok(assumed.filter_map(|prefix| Some((prefix, usable.get(prefix)?))).collect())
    }

    /// A warning of each prefix that the query takes from files that disagree on it.
    pub fn remarks_on_prefixes(&self, source: Source<'_>) -> Result<Vec<Error>> {
        let tokens = significant(&sparql::tokenize(source.text));
        let undeclared = sparql::undeclared_prefixes(source.text, &tokens);
        let used = sparql::prefixes_used(source.text, &tokens);
        let contested = self.contested_prefixes()?.into_iter();
        let asked = contested.filter(|contested| undeclared.contains(&contested.prefix.as_str()));
        let remark = |contested: &Contested| {
            let Contested { prefix, namespace, file, other, other_file } = contested;
            let remark = Error::input(format!(
                "`{prefix}:` is taken for <{namespace}>, as in {file}; in {other_file} it stands for <{other}>"
            ))
            .hint(format!(
                "declare the one that is meant: `PREFIX {prefix}: <…>` in the query, or below `[prefixes]` in kgq.toml"
            ));
            match used.iter().find(|(used, _)| used == prefix) {
                Some((_, span)) => remark.at(source.place(span.clone())),
                None => remark,
            }
        };
        Ok(asked.map(remark).collect())
    }

    /// Parses a query; one that would need the network is refused.
    pub fn parse(&self, source: Source<'_>) -> Result<Query> {
        let query = query::parse_query(source, self.parse_context()?)?;
        query::refuse_network(source, &query.algebra)?;
        query::functions::refuse_unknown(source, &query.algebra, self.prefixes()?)?;
        Ok(query)
    }

    /// Parses a query that will not be run: what would need the network or another engine may stand in it. The data are read only
    /// where a prefix is declared nowhere else.
    pub fn parse_only(&self, source: Source<'_>) -> Result<(Query, Prefixes)> {
        let mut prefixes = self.project.as_ref().map(Project::prefixes).unwrap_or_default();
        well_known(&mut prefixes);
        let missing = sparql::undeclared_prefixes(source.text, &sparql::tokenize(source.text));
        let has_data = self.project.is_some() || self.options.snapshot.is_some() || !self.options.files.is_empty();
        if has_data && missing.iter().any(|prefix| prefixes.get(prefix).is_none()) {
            prefixes = self.prefixes()?.clone();
        }
        let context = ParseContext { prefixes: &prefixes, base: self.base(), bounds: self.options.bounds };
        let query = query::parse_query(source, context)?;
        Ok((query, prefixes))
    }

    /// Parses a canned query and binds the values of its parameters.
    pub fn parse_canned(&self, canned: &CannedQuery, values: &Values) -> Result<Query> {
        let mut query = self.parse(canned.source())?;
        let applied = canned.apply(&mut query, values, &self.known()?);
        self.intact()?;
        applied?;
        Ok(query)
    }

    /// How this session's queries are answered.
    pub fn evaluation_options(&self) -> EvaluationOptions {
        let default_graph = match self.project.as_ref().map(|p| p.manifest.default_graph) {
            Some(project::DefaultGraph::Union) => engine::DefaultGraph::Union,
            Some(project::DefaultGraph::Default) | None => engine::DefaultGraph::Stored,
        };
        let executor = self.options.executor;
        EvaluationOptions { executor, default_graph, limits: self.options.limits, ..Default::default() }
    }

    /// Answers a query.
    pub fn evaluate(&self, query: &Query) -> Result<Answer> {
        engine::evaluate(self.snapshot()?, query, &self.evaluation_options())
    }

    /// What the dataset says of sources.
    pub fn audit(&self) -> Result<Audit<'_>> {
        let settings = self.project.as_ref().map(|p| p.manifest.citations.clone()).unwrap_or_default();
        Ok(Audit::new(self.dataset()?.quads(), &settings, self.prefixes()?))
    }

    /// The triples that need a citation: those of the project's data files, or of all files named by hand, that the
    /// audit does not exempt.
    pub fn triples_to_cite(&self, audit: &Audit<'_>) -> Result<&FxHashSet<Triple>> {
        if let Some(known) = self.to_cite.get() {
            return Ok(known);
        }
        let data: Vec<bool> = match &self.project {
            Some(project) => self.whole_files(project)?.map(|file| file.role == project::Role::Data).collect(),
            None => vec![true; self.dataset()?.files.len()],
        };
        let quads = self.dataset()?.quads_with_origin().filter(|(_, file)| data.get(*file).copied().unwrap_or(false));
        let found =
            quads.map(|(quad, _)| Triple::from(quad.clone())).filter(|triple| !audit.is_exempt(triple)).collect();
        Ok(self.to_cite.get_or_init(|| found))
    }

    /// Texts of `[sources]` that are there but not shown, as they lie outside of a project that is not trusted.
    pub fn hidden_texts(&self) -> Vec<Error> {
        let Some(project) = &self.project else { return Vec::new() };
        let hidden = |path: &&String| {
            let path = project.root.join(path);
            path.is_file() && !project.may_show(&path)
        };
        let hidden = project.manifest.sources.values().filter(hidden);
        let told = |path: &String| {
            Error::policy(format!("the text {path} is not shown: it lies outside of the project's folder"))
                .hint("if you trust whoever wrote the project to name your files, run once with `--trust`")
        };
        hidden.map(told).collect()
    }

    /// The texts of source documents that are at hand: those of `[sources]` that exist and may be shown, and the files given, each for the
    /// document whose hash it has.
    pub fn source_texts(&self, audit: &Audit<'_>, files: &[PathBuf]) -> Result<Texts> {
        let mut texts = Texts::default();
        if let Some(project) = &self.project {
            for (document, path) in &project.manifest.sources {
                let path = project.root.join(path);
                if path.is_file() && project.may_show(&path) {
                    texts.insert(&NamedNode::new_unchecked(document), read_source(&path)?);
                }
            }
        }
        let documents: BTreeSet<String> = audit
            .citations()
            .iter()
            .filter_map(|citation| Some(audit.citation(citation).document?.as_str().to_owned()))
            .collect();
        for file in files {
            let text = read_source(file)?;
            let hash = sha256(text.as_bytes());
            let known: Vec<NamedNode> = documents.iter().map(NamedNode::new_unchecked).collect();
            let own = |d: &&NamedNode| audit.document(d).hash.is_some_and(|h| h.eq_ignore_ascii_case(&hash));
            let Some(document) = known.iter().find(own) else {
                return Err(Error::input(format!("{} is the text of no source document of the graph", file.display()))
                    .hint("a document is known by the SHA-256 of its text, which the property named `hash` in `[citations]` of kgq.toml holds"));
            };
            texts.insert(document, text);
        }
        Ok(texts)
    }

    /// What each row of an answer rests on.
    pub fn row_sources(
        &self,
        audit: &Audit<'_>,
        query: &Query,
        variables: &[Variable],
        rows: &[engine::Row],
    ) -> Result<Vec<RowSources>> {
        // Where nothing at all is cited, that a statement is not says nothing, unless the project asks for citations.
        let required = self.project.as_ref().is_some_and(|project| project.manifest.citations.are_required());
        let needed = if required || audit.has_citations() { Some(self.triples_to_cite(audit)?) } else { None };
        let options = self.evaluation_options();
        let needs = |triple: &Triple| needed.is_some_and(|needed| needed.contains(triple));
        audit::row_sources(audit, self.snapshot()?, query, variables, rows, &options, &needs)
    }

    /// The whole answer to a canned query, as expected answers are compared with.
    pub fn outcome(&self, canned: &CannedQuery, values: &Values) -> Result<Outcome> {
        let query = self.parse_canned(canned, values)?;
        Ok(match self.evaluate(&query)? {
            Answer::Boolean(value) => Outcome::Boolean(value),
            Answer::Graph(triples) => Outcome::Graph(triples.0.collect::<Result<_>>()?),
            Answer::Solutions(solutions) => Outcome::Table {
                columns: solutions.variables,
                rows: solutions.rows.collect::<Result<_>>()?,
                ordered_by: query::order_columns(&query),
            },
        })
    }

    /// How statements follow from the stated ones, as the project says.
    pub fn entailment(&self) -> Entailment {
        self.project.as_ref().map(|p| p.manifest.infer.rules).unwrap_or_default()
    }

    /// What follows from the dataset by these rules, and is not stated.
    pub fn infer(&self, rules: Entailment) -> Result<Inferred> {
        let settings = self.project.as_ref().map(|p| p.manifest.infer).unwrap_or_default();
        infer::infer(self.dataset()?.quads(), &InferSettings { rules, ..settings })
    }

    /// Runs every check on the project, or on the files named by hand.
    pub fn check(&self) -> Result<check::Report> {
        if self.options.files.is_empty() {
            return check::check(self.require_project()?, self.check_options());
        }
        let project = Project::without_manifest(&self.options.folder, self.options.base.clone());
        check::check_files(&project, self.inputs()?, self.check_options())
    }

    fn check_options(&self) -> check::Options {
        check::Options {
            lenient: self.options.lenient,
            bounds: self.options.bounds,
            evaluation: self.evaluation_options(),
        }
    }

    /// Validates these files, or else what this session loads, against the shapes of the other files; without those, against
    /// the shapes among the data; where there are none, against those of the project.
    pub fn validate(&self, data: &[String], shapes: &[String]) -> Result<check::Validation> {
        let named = |names: &[String]| names.iter().map(|name| self.named_input(name)).collect::<Result<Vec<Input>>>();
        let inputs = if data.is_empty() { self.inputs()? } else { named(data)? };
        let shapes = named(shapes)?;
        let separate = !shapes.is_empty();
        let project = match &self.project {
            Some(project) => project.clone(),
            None => Project::without_manifest(&self.options.folder, self.options.base.clone()),
        };
        let validate = |shapes| check::validate_files(&project, inputs.clone(), shapes, self.check_options());
        let found = validate(shapes)?;
        if found.validated.shapes > 0 || separate || data.is_empty() || self.project.is_none() {
            return Ok(found);
        }
        let own = project.files()?;
        validate(own.iter().map(|file| self.project_input(&project, file)).collect::<Result<_>>()?)
    }

    /// Declares a prefix for the rest of the session; it wins over those of the project and its files.
    pub fn declare_prefix(&mut self, prefix: &str, namespace: &str) -> Result<()> {
        self.prefixes()?;
        if let Some(prefixes) = self.prefixes.get_mut() {
            prefixes.insert(prefix, namespace);
        }
        self.well_known = OnceCell::new();
        Ok(())
    }

    /// Runs an update on the dataset; the session's own stays as it is.
    pub fn update(&self, source: Source<'_>) -> Result<Change> {
        let dataset = self.dataset()?;
        let update = query::parse_update(source, self.parse_context()?)?;
        query::refuse_network_in_update(source, &update)?;
        query::functions::refuse_unknown_in_update(source, &update, self.prefixes()?)?;
        let snapshot = || self.snapshot();
        engine::update::update(dataset.quads(), &snapshot, source, &update, &self.evaluation_options())
    }

    /// What the values of parameters are checked against.
    pub fn known(&self) -> Result<KnownTerms<'_>> {
        Ok(KnownTerms { snapshot: self.snapshot()?, prefixes: self.prefixes()?, labels: &self.labels })
    }

    /// The thing that the user means by a CURIE, an IRI or a label in any language.
    pub fn resolve(&self, word: &str) -> Result<NamedNode> {
        let known = self.known()?;
        let node = crate::catalog::parse_term(word, &known);
        self.intact()?;
        let node = node?;
        if known.contains(&node) {
            return Ok(node);
        }
        let snapshot = known.snapshot;
        let index = snapshot.triples(Permutation::Spo);
        let subjects = index.keys().filter_map(|(subject, _)| match snapshot.term(subject) {
            Term::NamedNode(node) => Some(known.prefixes.display(node.as_str())),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        });
        let near: Vec<String> = subjects.collect();
        snapshot.intact()?;
        let shown = known.prefixes.display(node.as_str());
        Err(Error::new(Kind::Input, format!("the graph says nothing of {shown}"))
            .hint_if(kgq_syntax::text::did_you_mean(&shown, near.iter().map(String::as_str))))
    }
}

/// Adds the prefixes that everybody knows.
fn well_known(prefixes: &mut Prefixes) {
    for prefix in ["rdf", "rdfs", "xsd", "owl"] {
        if let Some(namespace) = vocabulary::well_known(prefix) {
            prefixes.insert_if_absent(prefix, namespace);
        }
    }
}

/// What is the same for all names of a file that is there: by symbolic links, by hard links, by other ways to its folder.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok().filter(|path| path.is_file())
}

/// Whether both are names of one file that is there.
pub fn same_file(one: &Path, other: &Path) -> bool {
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// The files that belong to a project, those that cannot be found left out.
fn project_files(project: &Project) -> Vec<PathBuf> {
    let mut files = vec![project.root.join(project::MANIFEST)];
    files.extend(project.find_files().into_iter().flat_map(|found| found.files).map(|file| file.path));
    files.extend(project.query_files().into_iter().flatten().map(|(_, path)| path));
    files.extend(project.manifest.sources.values().map(|path| project.root.join(path)));
    files
}

/// The text of a source document, byte for byte: citations count its characters.
fn read_source(path: &Path) -> Result<String> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|e| Error::io(&name, &e))?;
    String::from_utf8(bytes).map_err(|_| Error::input(format!("{name} is not UTF-8")))
}

/// What is told while a snapshot is made because a question needs it.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    Progress(Progress),
    Over,
    /// It is in the cache from now on.
    Kept,
    /// The folder of the cache is not used, for this reason.
    CacheDistrusted(&'a Path, &'static str),
}

/// Is told them.
#[derive(Clone)]
pub struct Watcher(pub Arc<dyn Fn(News<'_>) + Send + Sync>);

impl Default for Watcher {
    fn default() -> Self {
        Self(Arc::new(|_| ()))
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

/// The dataset's terms, for reading what a user typed.
pub struct KnownTerms<'a> {
    snapshot: &'a Snapshot,
    prefixes: &'a Prefixes,
    labels: &'a OnceCell<Labels>,
}

impl Known for KnownTerms<'_> {
    fn prefixes(&self) -> &Prefixes {
        self.prefixes
    }

    fn labels(&self) -> &Labels {
        self.labels.get_or_init(|| all_labels(self.snapshot))
    }

    fn contains(&self, term: &NamedNode) -> bool {
        let Some(id) = self.snapshot.id(term.as_ref().into()) else { return false };
        let places = [[Some(id), None, None], [None, Some(id), None], [None, None, Some(id)]];
        places.into_iter().any(|place| {
            !self.snapshot.matching_triples(place).1.is_empty() || !self.snapshot.matching_quads(place).1.is_empty()
        })
    }

    fn members(&self, class: &NamedNode) -> Vec<NamedNode> {
        let subjects = |property: NamedNodeRef<'_>, object: &NamedNode| -> Vec<NamedNode> {
            let found = self.snapshot.find(None, Some(property.into()), Some(object.as_ref().into()));
            found
                .filter_map(|quad| match quad.subject {
                    NamedOrBlankNode::NamedNode(node) => Some(node),
                    NamedOrBlankNode::BlankNode(_) => None,
                })
                .collect()
        };
        let (mut classes, mut members) = (BTreeSet::from([class.as_str().to_owned()]), BTreeSet::new());
        let mut open = vec![class.clone()];
        while let Some(class) = open.pop() {
            members.extend(subjects(rdf::TYPE, &class).into_iter().map(NamedNode::into_string));
            for below in subjects(rdfs::SUB_CLASS_OF, &class) {
                if classes.insert(below.as_str().to_owned()) {
                    open.push(below);
                }
            }
        }
        members.into_iter().map(NamedNode::new_unchecked).collect()
    }
}

fn all_labels(snapshot: &Snapshot) -> Labels {
    Labels::of(naming().flat_map(|property| snapshot.find(None, Some(property.into()), None)))
}
