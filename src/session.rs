//! One door to a loaded dataset: a project's files or files named by hand; loaded once, when first asked for.

use crate::answers::Outcome;
use crate::audit::{self, Audit, RowSources, Texts, sha256};
use crate::catalog::{CannedQuery, Catalog, Known, Labels, Values};
use crate::check;
use crate::engine::{self, Answer, EvaluationOptions, Limits};
use crate::error::{Error, Kind, Result, Source};
use crate::project::{self, Project, ProjectFile};
use crate::query::{self, ParseContext, Query};
use crate::rdf::vocabulary::{rdf, rdfs};
use crate::rdf::{NamedNode, NamedOrBlankNode, Prefixes, RdfFormat, Term, Triple, Variable, vocabulary};
use crate::snapshot::{BuildOptions, Cache, Snapshot};
use crate::store::{Change, Dataset, Input, ReadOptions};
use crate::syntax::bounds::Bounds;
use rustc_hash::FxHashSet;
use std::cell::OnceCell;
use std::collections::BTreeSet;
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
    /// Read `rdf:Statement` descriptions as reifiers.
    pub unreify: bool,
    pub executor: engine::Executor,
    /// A saved snapshot to answer from, instead of files.
    pub snapshot: Option<PathBuf>,
    /// Where snapshots of large projects are kept, if they are.
    pub cache: Option<PathBuf>,
    pub limits: Limits,
    pub bounds: Bounds,
}

/// A dataset with all that belongs to it.
pub struct Session {
    pub options: SessionOptions,
    project: Option<Project>,
    dataset: OnceCell<Dataset>,
    snapshot: OnceCell<Arc<Snapshot>>,
    prefixes: OnceCell<Prefixes>,
    labels: OnceCell<Labels>,
    catalog: OnceCell<Catalog>,
}

impl Session {
    /// Finds the project, or takes the files named; loads nothing yet.
    pub fn open(options: SessionOptions) -> Result<Self> {
        let alone = options.files.is_empty() && options.snapshot.is_none();
        let project = if alone { Project::find(&options.folder)? } else { None };
        Ok(Self {
            options,
            project,
            dataset: OnceCell::new(),
            snapshot: OnceCell::new(),
            prefixes: OnceCell::new(),
            labels: OnceCell::new(),
            catalog: OnceCell::new(),
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

    /// What is loaded: the files named by hand, or the project's.
    pub fn inputs(&self) -> Result<Vec<Input>> {
        if !self.options.files.is_empty() {
            return self.options.files.iter().map(|name| self.named_input(name)).collect();
        }
        let project = self.require_project()?;
        project.files()?.iter().map(|file| self.project_input(project, file)).collect()
    }

    fn named_input(&self, name: &str) -> Result<Input> {
        let input = if name == "-" {
            let format = self.options.input_format.ok_or_else(|| {
                Error::usage("standard input has no name that tells its format")
                    .hint(format!("say it with `--input-format`: {}", RdfFormat::list(false)))
            })?;
            Input::bytes("<stdin>", self.options.stdin.clone().unwrap_or_default(), format)
        } else {
            Input::file(name, Path::new(name), self.options.input_format)?
        };
        Ok(input.with_base(self.options.base.clone()))
    }

    fn project_input(&self, project: &Project, file: &ProjectFile) -> Result<Input> {
        let input = Input::file(&file.name, &file.path, None)?;
        let base = self.options.base.clone().or_else(|| project.manifest.base.clone());
        Ok(input.with_base(base).with_graph(file.graph.clone()))
    }

    /// The cache, if the snapshot comes from it: for a project that takes long to read, and is not read already.
    fn cache(&self) -> Option<Cache> {
        /// Below, in bytes, reading is as fast as opening.
        const SMALL: u64 = 4 << 20;
        if self.project.is_none() || self.options.unreify || self.dataset.get().is_some() {
            return None;
        }
        let folder = self.options.cache.as_ref()?;
        let size: u64 = self.inputs().ok()?.iter().map(Input::stored_size).sum();
        (size >= SMALL).then(|| Cache::new(folder))
    }

    /// How snapshots are built of what this session loads.
    pub fn build_options(&self) -> BuildOptions<'static> {
        BuildOptions {
            lenient: self.options.lenient,
            bounds: self.options.bounds,
            memory: self.options.limits.memory,
            ..BuildOptions::default()
        }
    }

    /// The parsed dataset.
    pub fn dataset(&self) -> Result<&Dataset> {
        if self.dataset.get().is_none() && self.options.snapshot.is_some() {
            let snapshot = self.snapshot()?;
            let mut dataset = Dataset::from_quads(snapshot.iter());
            snapshot.intact()?;
            dataset.prefixes = snapshot.prefixes().clone();
            let _ = self.dataset.set(dataset);
        }
        if self.dataset.get().is_none() {
            let options = ReadOptions { lenient: self.options.lenient, bounds: self.options.bounds, progress: None };
            let mut dataset = Dataset::read(&self.inputs()?, options)?;
            if self.options.unreify {
                dataset = dataset.map_quads(crate::rdf::rdf11::upgrade);
            }
            // Set only here, and the cell was empty.
            let _ = self.dataset.set(dataset);
        }
        self.dataset.get().ok_or_else(|| Error::bug("the dataset was not kept"))
    }

    /// The dataset made to be read by the engine.
    pub fn snapshot(&self) -> Result<&Snapshot> {
        if self.snapshot.get().is_none() {
            let snapshot = match (&self.options.snapshot, self.cache()) {
                (Some(path), _) => Snapshot::open(path)?,
                (None, Some(cache)) => cache.snapshot(&self.inputs()?, &self.build_options())?,
                (None, None) => Snapshot::from_quads(self.dataset()?.quads().iter().cloned())?,
            };
            let _ = self.snapshot.set(Arc::new(snapshot));
        }
        self.snapshot.get().map(AsRef::as_ref).ok_or_else(|| Error::bug("the snapshot was not kept"))
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
            let declared = if self.options.snapshot.is_some() || self.cache().is_some() {
                self.snapshot()?.prefixes()
            } else {
                &self.dataset()?.prefixes
            };
            for (prefix, namespace) in declared.iter() {
                prefixes.insert_if_absent(prefix, namespace);
            }
            for prefix in ["rdf", "rdfs", "xsd", "owl"] {
                if let Some(namespace) = vocabulary::well_known(prefix) {
                    prefixes.insert_if_absent(prefix, namespace);
                }
            }
            let _ = self.prefixes.set(prefixes);
        }
        self.prefixes.get().ok_or_else(|| Error::bug("the prefixes were not kept"))
    }

    pub fn labels(&self) -> Result<&Labels> {
        if self.labels.get().is_none() {
            let _ = self.labels.set(Labels::of(self.dataset()?.quads()));
        }
        self.labels.get().ok_or_else(|| Error::bug("the labels were not kept"))
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
        Ok(ParseContext { prefixes: self.prefixes()?, base: self.base(), bounds: self.options.bounds })
    }

    /// Parses a query; one that would need the network is refused.
    pub fn parse(&self, source: Source<'_>) -> Result<Query> {
        let query = query::parse_query(source, self.parse_context()?)?;
        query::refuse_network(source, &query.algebra)?;
        Ok(query)
    }

    /// Parses a canned query and binds the values of its parameters.
    pub fn parse_canned(&self, canned: &CannedQuery, values: &Values) -> Result<Query> {
        let mut query = self.parse(canned.source())?;
        canned.apply(&mut query, values, &self.known()?)?;
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
    pub fn evaluate(&self, query: &Query) -> Result<Answer<'_>> {
        engine::evaluate(self.snapshot()?, query, &self.evaluation_options())
    }

    /// What the dataset says of sources.
    pub fn audit(&self) -> Result<Audit<'_>> {
        let settings = self.project.as_ref().map(|p| p.manifest.citations.clone()).unwrap_or_default();
        Ok(Audit::new(self.dataset()?.quads(), &settings, self.prefixes()?))
    }

    /// The triples that need a citation: those of the project's data files, or of all files named by hand, that the
    /// audit does not exempt.
    pub fn triples_to_cite(&self, audit: &Audit<'_>) -> Result<FxHashSet<Triple>> {
        let data: Vec<bool> = match &self.project {
            Some(project) => project.files()?.iter().map(|file| file.role == project::Role::Data).collect(),
            None => vec![true; self.dataset()?.files.len()],
        };
        let quads = self.dataset()?.quads_with_origin().filter(|(_, file)| data.get(*file).copied().unwrap_or(false));
        Ok(quads.map(|(quad, _)| Triple::from(quad.clone())).filter(|triple| !audit.is_exempt(triple)).collect())
    }

    /// The texts of source documents that are at hand: those of `[sources]` that exist, and the files given, each for the
    /// document whose hash it has.
    pub fn source_texts(&self, audit: &Audit<'_>, files: &[PathBuf]) -> Result<Texts> {
        let mut texts = Texts::default();
        if let Some(project) = &self.project {
            for (document, path) in &project.manifest.sources {
                let path = project.root.join(path);
                if path.is_file() {
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
        // Where nothing at all is cited, that a statement is not says nothing.
        let needed = if audit.has_citations() { self.triples_to_cite(audit)? } else { FxHashSet::default() };
        let options = self.evaluation_options();
        let needs = |triple: &Triple| needed.contains(triple);
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

    /// Runs every check on the project.
    pub fn check(&self) -> Result<check::Report> {
        check::check(self.require_project()?)
    }

    /// Declares a prefix for the rest of the session; it wins over those of the project and its files.
    pub fn declare_prefix(&mut self, prefix: &str, namespace: &str) -> Result<()> {
        self.prefixes()?;
        if let Some(prefixes) = self.prefixes.get_mut() {
            prefixes.insert(prefix, namespace);
        }
        Ok(())
    }

    /// Runs an update on the dataset; the session's own stays as it is.
    pub fn update(&self, source: Source<'_>) -> Result<(Dataset, Change)> {
        let update = query::parse_update(source, self.parse_context()?)?;
        query::refuse_network_in_update(source, &update.algebra)?;
        crate::store::update(self.dataset()?, update.algebra)
    }

    /// What the values of parameters are checked against.
    pub fn known(&self) -> Result<KnownTerms<'_>> {
        Ok(KnownTerms { dataset: self.dataset()?, prefixes: self.prefixes()?, labels: self.labels()? })
    }

    /// The thing that the user means by a CURIE, an IRI or a label in any language.
    pub fn resolve(&self, word: &str) -> Result<NamedNode> {
        let known = self.known()?;
        let node = crate::catalog::parse_term(word, &known)?;
        if known.contains(&node) {
            return Ok(node);
        }
        let near: Vec<String> = known
            .dataset
            .quads()
            .iter()
            .filter_map(|q| match &q.subject {
                NamedOrBlankNode::NamedNode(n) => Some(known.prefixes.display(n.as_str())),
                NamedOrBlankNode::BlankNode(_) => None,
            })
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let shown = known.prefixes.display(node.as_str());
        Err(Error::new(Kind::Input, format!("the graph says nothing of {shown}"))
            .hint_if(crate::text::did_you_mean(&shown, near.iter().map(String::as_str))))
    }
}

/// The text of a source document, byte for byte: citations count its characters.
fn read_source(path: &Path) -> Result<String> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|e| Error::io(&name, &e))?;
    String::from_utf8(bytes).map_err(|_| Error::input(format!("{name} is not UTF-8")))
}

/// The dataset's terms, for reading what a user typed.
pub struct KnownTerms<'a> {
    dataset: &'a Dataset,
    prefixes: &'a Prefixes,
    labels: &'a Labels,
}

impl Known for KnownTerms<'_> {
    fn prefixes(&self) -> &Prefixes {
        self.prefixes
    }

    fn labels(&self) -> &Labels {
        self.labels
    }

    fn contains(&self, term: &NamedNode) -> bool {
        let subject = NamedOrBlankNode::from(term.clone());
        let object = Term::from(term.clone());
        self.dataset.quads().iter().any(|q| q.subject == subject || q.object == object || q.predicate == *term)
    }

    fn members(&self, class: &NamedNode) -> Vec<NamedNode> {
        let quads = self.dataset.quads();
        let mut classes = BTreeSet::from([Term::from(class.clone()).to_string()]);
        loop {
            let before = classes.len();
            for quad in quads {
                if quad.predicate.as_ref() == rdfs::SUB_CLASS_OF && classes.contains(&quad.object.to_string()) {
                    classes.insert(quad.subject.to_string());
                }
            }
            if classes.len() == before {
                break;
            }
        }
        let members: BTreeSet<String> = quads
            .iter()
            .filter(|q| q.predicate.as_ref() == rdf::TYPE && classes.contains(&q.object.to_string()))
            .filter_map(|q| match &q.subject {
                NamedOrBlankNode::NamedNode(node) => Some(node.as_str().to_owned()),
                NamedOrBlankNode::BlankNode(_) => None,
            })
            .collect();
        members.into_iter().map(NamedNode::new_unchecked).collect()
    }
}
