//! A project as it was at a revision of its git repository, in a folder of its own.

use kgq_graph::graph::{Graph, OpenOptions};
use kgq_graph::request::bundle;
use kgq_syntax::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The graph of a revision. Its files are there as long as this is.
pub struct Revision {
    pub graph: Graph,
    /// What the revision is called, and its commit.
    pub name: String,
    _folder: TempDir,
}

impl Revision {
    /// The project of this graph at a revision: a commit, a branch, a tag, or anything that git takes for one.
    ///
    /// # Errors
    /// That there is no git, no repository or no such revision; those of kgq.toml as it was then.
    pub fn open(graph: &Graph, revision: &str) -> Result<Self> {
        let root = &graph.require_project()?.root;
        if revision.starts_with('-') {
            return Err(Error::usage(format!("`{revision}` is no revision")));
        }
        let commit = git(root, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")], None)
            .map_err(|_| Error::input(format!("git knows no revision `{revision}`")))?;
        let inside = git(root, &["rev-parse", "--show-prefix"], None)?;
        let tree = format!("{commit}:{}", inside.trim_end_matches('/'));
        let folder = TempDir::with_prefix("kgq-").map_err(|error| Error::io("a temporary folder", &error))?;
        let index = folder.path().join("index");
        let files = folder.path().join("project");
        git(root, &["read-tree", &tree], Some(&index))
            .map_err(|_| Error::input(format!("the project's folder is not there in `{revision}`")))?;
        let prefix = format!("--prefix={}/", files.display());
        git(root, &["checkout-index", "--all", "--force", &prefix], Some(&index))?;
        let options = OpenOptions { folder: files.clone(), trusted: Vec::new(), ..graph.options().clone() };
        if !files.join(kgq_graph::project::MANIFEST).is_file() {
            return Err(Error::input(format!("the project has no kgq.toml in `{revision}`")));
        }
        let short = commit.get(..10).unwrap_or(&commit);
        let name = if commit.starts_with(revision) { short.to_owned() } else { format!("{revision} ({short})") };
        Ok(Self { graph: Graph::open(options)?, name, _folder: folder })
    }
}

/// The state of the project's repository; `None` where there is none.
pub fn state(graph: &Graph) -> Option<bundle::Revision> {
    let root = &graph.project()?.root;
    let commit = git(root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], None).ok()?;
    let status = git(root, &["status", "--porcelain", "--untracked-files=all", "--", "."], None).ok()?;
    Some(bundle::Revision { commit, changed: !status.is_empty() })
}

/// What git prints, without the end of its line.
fn git(root: &Path, arguments: &[&str], index: Option<&PathBuf>) -> Result<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["-c", "core.fsmonitor=false"]).args(arguments).stdin(Stdio::null());
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    let output = command.output().map_err(|error| Error::io("git", &error))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(Error::input(format!("git: {}", told.lines().next().unwrap_or("it failed"))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}
