//! The one door to a graph: a project's files, files named by hand, or a saved snapshot.

mod ask;
mod checks;
mod files;
mod fingerprint;
mod live;
mod load;
mod names;
mod network;
mod origins;
mod sources;

pub use ask::UpdateContext;
pub use files::same_file;
pub use live::{Live, Reloaded, Stamp};
pub use names::{KnownTerms, says_nothing_of};
pub use network::{Fetched, Network};

use crate::catalog::{Catalog, Labels, TermIndex};
use crate::project::{Found, Project, folder_files};
use kgq_engine::{self as engine, Budget, Limits, Plans};
use kgq_snapshot::store::{Contexts, Dataset, Input, Unfinished, together};
use kgq_snapshot::{ContentKey, Progress, Snapshot};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Prefixes, RdfFormat};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// What to load, and how.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The folder to look for a project from.
    pub folder: PathBuf,
    /// Files to load instead of a project's; `-` is standard input, whose bytes are then in `stdin`.
    pub files: Vec<String>,
    /// Where no file is named and there is no project, take the files of RDF in the folder; `files` has their names then.
    pub whole_folder: bool,
    pub stdin: Option<Vec<u8>>,
    pub input_format: Option<RdfFormat>,
    pub base: Option<String>,
    /// Prefixes that are declared by hand: they win over those of the project and its files.
    pub prefixes: Prefixes,
    /// Files that are passed over, by name; of a folder that is taken whole, folders too.
    pub left_out: BTreeSet<String>,
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
    /// What this graph and all that is asked of it may use together; where it is cancelled, everything stops.
    pub budget: Budget,
    /// Who asks other machines, if the program can.
    pub network: Option<Arc<dyn Network>>,
    /// The commit that the files are of, where they were checked out of a repository to be read.
    pub revision: Option<String>,
    /// Where it is noted which files are half-written, for whoever may end the process early.
    pub unfinished: Unfinished,
}

/// A graph with all that belongs to it. It never changes, and any thread may ask it.
///
/// What a question needs is read when it is first asked, and kept, so that a command pays for no more than it uses; [`Graph::load`]
/// reads what all questions need. A clone shares what was read.
#[derive(Clone)]
pub struct Graph {
    options: OpenOptions,
    project: Option<Arc<Project>>,
    files: OnceLock<Arc<Found>>,
    /// What came through pipes, by their names.
    pipes: Arc<Mutex<BTreeMap<String, Input>>>,
    contexts: OnceLock<Contexts>,
    dataset: OnceLock<Arc<Dataset>>,
    snapshot: OnceLock<Snapshot>,
    /// The plans of what was asked of the snapshot.
    plans: OnceLock<Arc<Plans>>,
    /// Whether the files hold much text.
    large: OnceLock<bool>,
    prefixes: OnceLock<Prefixes>,
    /// The same with those that everybody knows.
    well_known: OnceLock<Prefixes>,
    labels: OnceLock<Arc<Labels>>,
    index: OnceLock<Arc<TermIndex>>,
    catalog: OnceLock<Arc<Catalog>>,
    /// Of each file, whether it is one of data.
    is_data: OnceLock<Arc<[bool]>>,
    fingerprint: OnceLock<ContentKey>,
}

/// What the cell holds, made if it is empty. Where two threads make it at once, both get the one that was first.
fn kept<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

impl Graph {
    /// Finds the project, or takes the files named; loads nothing yet.
    ///
    /// # Errors
    /// Those of kgq.toml, and of a folder that is taken whole.
    pub fn open(mut options: OpenOptions) -> Result<Self> {
        if options.whole_folder {
            // Where it is opened again, there may be other files, or a project.
            options.files.clear();
        }
        let project = Self::project_for(&options)?;
        options.whole_folder &= project.is_none() && options.snapshot.is_none();
        if options.whole_folder {
            let found = folder_files(&options.folder)?;
            (options.files, options.left_out) = (found.files, found.passed_over.into_iter().collect());
        }
        Ok(Self::new(project, options))
    }

    /// The project that a graph with these options is of, if it is of one.
    ///
    /// # Errors
    /// Those of kgq.toml.
    pub(crate) fn project_for(options: &OpenOptions) -> Result<Option<Project>> {
        let alone = options.files.is_empty() && options.snapshot.is_none();
        if alone { Project::find(&options.folder) } else { Ok(None) }
    }

    /// The graph of a project that `Graph::project_for` found.
    pub fn new(mut project: Option<Project>, options: OpenOptions) -> Self {
        if let Some(project) = &mut project {
            project.is_trusted = options.trusted.contains(&project.root);
        }
        Self {
            options,
            project: project.map(Arc::new),
            files: OnceLock::new(),
            pipes: Arc::default(),
            contexts: OnceLock::new(),
            dataset: OnceLock::new(),
            snapshot: OnceLock::new(),
            plans: OnceLock::new(),
            large: OnceLock::new(),
            prefixes: OnceLock::new(),
            well_known: OnceLock::new(),
            labels: OnceLock::new(),
            index: OnceLock::new(),
            catalog: OnceLock::new(),
            is_data: OnceLock::new(),
            fingerprint: OnceLock::new(),
        }
    }

    /// Reads what every question needs: the statements, the prefixes and the canned queries.
    ///
    /// # Errors
    /// Those of the files.
    pub fn load(&self) -> Result<()> {
        // No edit of several files is seen half.
        let _reading = self.project.as_ref().map(|project| together::read(&project.root)).transpose()?;
        self.snapshot()?;
        self.prefixes()?;
        self.catalog_if_any().map(drop)
    }

    /// How it was opened.
    pub fn options(&self) -> &OpenOptions {
        &self.options
    }

    /// The same graph with one more prefix, which wins over those of the project and its files.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str, namespace: &str) -> Self {
        let mut graph = self.clone();
        graph.options.prefixes.insert(prefix, namespace);
        (graph.prefixes, graph.well_known) = (OnceLock::new(), OnceLock::new());
        graph.fingerprint = OnceLock::new();
        graph
    }

    /// The same graph, for work that can be stopped by itself: what is asked of it uses this budget.
    #[must_use]
    pub fn with_budget(&self, budget: Budget) -> Self {
        let mut graph = self.clone();
        graph.options.budget = budget;
        graph
    }

    pub fn project(&self) -> Option<&Project> {
        self.project.as_deref()
    }

    /// The project; that there is none is an error that says what to do.
    pub fn require_project(&self) -> Result<&Project> {
        self.project.as_deref().ok_or_else(|| {
            Error::input(format!("there is no kgq.toml in {} or above it", self.options.folder.display()))
                .hint("go to a project's folder or name it with `-C DIR`; `kgq init` makes one of a folder of RDF, `kgq new DIR` a new one")
                .hint("to query files without a project, name them with `-d FILE`")
        })
    }

    /// The language in which things are called by their names: the first that the project asks for, or English.
    pub fn language(&self) -> String {
        let languages = self.project.as_ref().map(|project| &project.manifest.check.languages);
        languages.and_then(|all| all.first()).cloned().unwrap_or_else(|| "en".to_owned())
    }

    /// The base that relative IRIs of queries are resolved against.
    pub fn base(&self) -> Option<&str> {
        self.options.base.as_deref().or_else(|| self.project.as_ref()?.manifest.base.as_deref())
    }
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
