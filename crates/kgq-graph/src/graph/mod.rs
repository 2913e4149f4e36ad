//! The single entry point to a graph: a project's files, files named by hand, or a saved snapshot.

mod ask;
mod checks;
mod files;
mod fingerprint;
mod kept;
mod live;
mod load;
mod names;
mod network;
mod origins;
mod sources;

pub use ask::UpdateContext;
pub(crate) use files::same_file;
pub use kept::Kept;
pub use live::{Live, Reloaded, Stamp};
pub use names::{KnownTerms, says_nothing_of};
pub use network::{Fetched, Network};

use crate::catalog::{Catalog, Labels, TermIndex};
use crate::project::{FoundFiles, FoundQueries, Project, folder_files};
use kept::kept;
use kgq_engine::{self as engine, Budget, Limits, Plans};
use kgq_snapshot::store::{Contexts, Input, Unfinished, together};
use kgq_snapshot::{ContentKey, Progress, Snapshot};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Prefixes, RdfFormat};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// What to load, and how.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The folder from which the project is looked for.
    pub folder: PathBuf,
    /// Files to load instead of a project's; `-` is standard input, whose bytes are then in `stdin`.
    pub files: Vec<String>,
    /// If no file is named and there is no project, load the RDF files in the folder; `files` then has their names.
    pub whole_folder: bool,
    pub stdin: Option<Vec<u8>>,
    pub input_format: Option<RdfFormat>,
    pub base: Option<String>,
    /// Prefixes declared by hand: they take precedence over those of the project and its files.
    pub prefixes: Prefixes,
    /// Names of files to leave out; with `whole_folder` also of folders.
    pub left_out: BTreeSet<String>,
    pub lenient: bool,
    /// The documents that stand for remote JSON-LD contexts.
    pub contexts: Contexts,
    /// Read `rdf:Statement` descriptions as reifiers.
    pub unreify: bool,
    pub executor: engine::Executor,
    /// Folders of projects that the user trusts to name files outside of them.
    pub trusted: Vec<PathBuf>,
    /// A saved snapshot to load instead of files.
    pub snapshot: Option<PathBuf>,
    /// Where snapshots of large inputs are cached, if they are.
    pub cache: Option<PathBuf>,
    pub watcher: Option<Watcher>,
    pub limits: Limits,
    /// The time and memory limits named on the command line: they also bound a whole export, which has no default limits.
    pub asked_limits: Limits,
    pub bounds: Bounds,
    /// The budget of this graph and everything that is asked of it; cancelling it stops everything.
    pub budget: Budget,
    /// What sends requests to other machines, if the program can.
    pub network: Option<Arc<dyn Network>>,
    /// The commit that the files belong to, if they were checked out of a repository to be read.
    pub revision: Option<String>,
    /// Records which files are only partly written, for code that may end the process early.
    pub unfinished: Unfinished,
}

/// A graph with all that belongs to it. It never changes, and can be used from any thread.
///
/// Data are read when first needed, and kept, so that a command pays only for what it uses; [`Graph::load`] reads what
/// all queries need. A clone shares what was already read.
#[derive(Clone)]
pub struct Graph {
    options: OpenOptions,
    project: Option<Arc<Project>>,
    files: OnceLock<Arc<FoundFiles>>,
    queries: OnceLock<Arc<FoundQueries>>,
    /// Input that came through pipes, by name.
    pipes: Arc<Mutex<BTreeMap<String, Input>>>,
    contexts: OnceLock<Contexts>,
    snapshot: OnceLock<Snapshot>,
    /// The plans of the queries evaluated on the snapshot.
    plans: OnceLock<Arc<Plans>>,
    /// Whether the files hold so much text that the graph counts as large.
    large: OnceLock<bool>,
    prefixes: OnceLock<Prefixes>,
    /// The same with the well-known prefixes.
    well_known: OnceLock<Prefixes>,
    /// What is kept beside the snapshot counts here, in all clones.
    keeping: Budget,
    labels: Kept<Labels>,
    index: Kept<TermIndex>,
    catalog: OnceLock<Arc<Catalog>>,
    /// For each file, whether it has the role of data.
    is_data: OnceLock<Arc<[bool]>>,
    fingerprint: OnceLock<ContentKey>,
}

impl Graph {
    /// Finds the project, or takes the files named by hand; loads nothing yet.
    ///
    /// # Errors
    /// Those of kgq.toml, and of a folder that is read whole.
    pub fn open(mut options: OpenOptions) -> Result<Self> {
        if options.whole_folder {
            // When it is opened again, there may be other files, or a project.
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

    /// Finds the project that a graph with these options belongs to, if any.
    ///
    /// # Errors
    /// Those of kgq.toml.
    pub(crate) fn project_for(options: &OpenOptions) -> Result<Option<Project>> {
        let alone = options.files.is_empty() && options.snapshot.is_none();
        if alone { Project::find(&options.folder) } else { Ok(None) }
    }

    /// Makes the graph of a project that `Graph::project_for` found.
    pub fn new(mut project: Option<Project>, options: OpenOptions) -> Self {
        if let Some(project) = &mut project {
            project.is_trusted = options.trusted.contains(&project.root);
        }
        let limits = Limits { memory: options.limits.memory, ..Limits::default() };
        Self {
            keeping: options.budget.child(Work::Keeping, limits),
            options,
            project: project.map(Arc::new),
            files: OnceLock::new(),
            queries: OnceLock::new(),
            pipes: Arc::default(),
            contexts: OnceLock::new(),
            snapshot: OnceLock::new(),
            plans: OnceLock::new(),
            large: OnceLock::new(),
            prefixes: OnceLock::new(),
            well_known: OnceLock::new(),
            labels: Kept::default(),
            index: Kept::default(),
            catalog: OnceLock::new(),
            is_data: OnceLock::new(),
            fingerprint: OnceLock::new(),
        }
    }

    /// Reads what every query needs: the statements, the prefixes and the canned queries.
    ///
    /// # Errors
    /// Those of the files.
    pub fn load(&self) -> Result<()> {
        // An edit of several files must not be seen half done.
        let _reading = self.project.as_ref().map(|project| together::read(&project.root)).transpose()?;
        self.snapshot()?;
        self.prefixes()?;
        self.catalog_if_any().map(drop)
    }

    /// Returns the options that it was opened with.
    pub fn options(&self) -> &OpenOptions {
        &self.options
    }

    /// Returns the same graph with one more prefix, which takes precedence over those of the project and its files.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str, namespace: &str) -> Self {
        let mut graph = self.clone();
        graph.options.prefixes.insert(prefix, namespace);
        (graph.prefixes, graph.well_known) = (OnceLock::new(), OnceLock::new());
        graph.fingerprint = OnceLock::new();
        graph
    }

    /// Returns the same graph for work that can be stopped on its own: everything asked of it uses this budget.
    #[must_use]
    pub fn with_budget(&self, budget: Budget) -> Self {
        let mut graph = self.clone();
        graph.options.budget = budget;
        graph
    }

    pub fn project(&self) -> Option<&Project> {
        self.project.as_deref()
    }

    /// Returns the project; without one, an error that says what to do.
    pub fn require_project(&self) -> Result<&Project> {
        self.project.as_deref().ok_or_else(|| {
            Error::input(format!("there is no kgq.toml in {} or above it", self.options.folder.display()))
                .hint("go to a project's folder or name it with `-C DIR`; `kgq init` makes one of a folder of RDF, `kgq new DIR` a new one")
                .hint("to query files without a project, name them with `-d FILE`")
        })
    }

    /// Returns the language of labels: the first that the project asks for, or English.
    pub fn language(&self) -> String {
        let languages = self.project.as_ref().map(|project| &project.manifest.check.languages);
        languages.and_then(|all| all.first()).cloned().unwrap_or_else(|| "en".to_owned())
    }

    /// Returns the base for relative IRIs in queries.
    pub fn base(&self) -> Option<&str> {
        self.options.base.as_deref().or_else(|| self.project.as_ref()?.manifest.base.as_deref())
    }
}

/// What is reported while a snapshot is built because a query needs it.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    Progress(Progress),
    Over,
    /// The snapshot is now in the cache.
    Kept,
    /// The cache folder is not used, for this reason.
    CacheDistrusted(&'a Path, &'static str),
}

/// Receives the news.
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
