//! Checks out a project at a revision of its git repository, into a folder of its own.

use super::Output;
use crate::git;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_graph::project::MANIFEST;
use kgq_graph::request::bundle;
use kgq_snapshot::Cache;
use kgq_syntax::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// The graph of a revision. Its files exist as long as this value.
pub struct Revision {
    pub graph: Graph,
    /// The revision's name, and its commit.
    pub name: String,
    /// The temporary folder of the files; `None` if they are kept in the cache.
    _folder: Option<TempDir>,
}

/// The number of trees kept in the cache, and for how long each is kept at least: another process may be reading it.
const KEPT: usize = 16;
const WHILE_READ: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks out the files of a tree: to the cache under its hash, or to a temporary folder if there is no trustworthy cache.
fn checked_out(graph: &Graph, root: &Path, tree: &str) -> Result<(PathBuf, Option<TempDir>)> {
    let hash =
        git(root, &["rev-parse", "--verify", "--quiet", tree], None).map_err(|_| Error::input("it is not there"))?;
    let cache = graph.options().cache.as_ref().filter(|folder| Cache::new(*folder).distrust().is_none());
    let kept = cache.map(|folder| folder.join("revisions"));
    if let Some(kept) = kept.filter(|kept| make_private(kept).is_ok()) {
        let own = kept.join(&hash);
        if !own.is_dir() {
            let unfinished =
                TempDir::with_prefix_in(".kgq-", &kept).map_err(|error| Error::io(kept.display(), &error))?;
            check_out(root, &hash, unfinished.path())?;
            // Another process may have checked out the same files first.
            if std::fs::rename(unfinished.path().join("project"), &own).is_err() && !own.is_dir() {
                return Err(Error::bug(format!("{} cannot be made", own.display())));
            }
        }
        let _ = std::fs::File::open(&own).and_then(|folder| folder.set_modified(SystemTime::now()));
        forget_old(&kept);
        return Ok((own, None));
    }
    let folder = TempDir::with_prefix("kgq-").map_err(|error| Error::io("a temporary folder", &error))?;
    check_out(root, &hash, folder.path())?;
    Ok((folder.path().join("project"), Some(folder)))
}

/// Writes the files of a tree to the folder `project` in `folder`.
fn check_out(root: &Path, tree: &str, folder: &Path) -> Result<()> {
    let (index, files) = (folder.join("index"), folder.join("project"));
    std::fs::create_dir(&files).map_err(|error| Error::io(files.display(), &error))?;
    git(root, &["read-tree", tree], Some(&index))?;
    git(root, &["checkout-index", "--all", "--force", &format!("--prefix={}/", files.display())], Some(&index))
        .map(drop)
}

/// Creates the folder, accessible to its user alone.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Removes all revisions from the cache.
///
/// # Errors
/// A folder that cannot be removed.
pub fn forget(cache: &Path) -> Result<()> {
    let kept = cache.join("revisions");
    match std::fs::remove_dir_all(&kept) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(kept.display(), &error)),
        _ => Ok(()),
    }
}

/// Removes the trees that were not used for longest. A failure is ignored; the next call tries again.
fn forget_old(kept: &Path) {
    let entries = std::fs::read_dir(kept).into_iter().flatten().flatten();
    let mut trees: Vec<(SystemTime, PathBuf)> =
        entries.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    trees.sort_by(|one, other| other.cmp(one));
    for (used, tree) in trees.into_iter().skip(KEPT) {
        if used.elapsed().is_ok_and(|since| since > WHILE_READ) {
            let _ = std::fs::remove_dir_all(tree);
        }
    }
}

impl Revision {
    /// Opens the project of this graph at a revision: a commit, a branch, a tag, or anything that git accepts as one. If the
    /// revision has no kgq.toml, the present one says how its files are read, and a note says so.
    ///
    /// # Errors
    /// No git, no repository or no such revision; those of kgq.toml at that revision.
    pub fn open(graph: &Graph, revision: &str, output: &mut Output) -> Result<Self> {
        let project = graph.require_project()?;
        let root = &project.root;
        if revision.starts_with('-') {
            return Err(Error::usage(format!("`{revision}` is no revision")));
        }
        let commit = git(root, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")], None)
            .map_err(|_| unknown(root, revision))?;
        let inside = git(root, &["rev-parse", "--show-prefix"], None)?;
        let tree = format!("{commit}:{}", inside.trim_end_matches('/'));
        let (files, folder) = checked_out(graph, root, &tree)
            .map_err(|error| error.prefixed(&format!("the project's folder in `{revision}`: ")))?;
        let options = OpenOptions {
            folder: files.clone(),
            trusted: Vec::new(),
            revision: Some(commit.clone()),
            ..graph.options().clone()
        };
        let short = commit.get(..10).unwrap_or(&commit);
        let name = if commit.starts_with(revision) { short.to_owned() } else { format!("{revision} ({short})") };
        let graph = match files.join(MANIFEST).is_file() {
            true => Graph::open(options)?,
            false => {
                output.note(&format!("there is no {MANIFEST} in `{revision}`: its files are read with today's"));
                Graph::new(Some(project.over(&files)?), options)
            }
        };
        Ok(Self { graph, name, _folder: folder })
    }
}

/// The reason why git finds no commit for a revision.
fn unknown(root: &Path, revision: &str) -> Error {
    if !root.ancestors().any(|folder| folder.join(".git").exists()) {
        return Error::input(format!("there is no revision `{revision}`: the project is in no git repository"))
            .hint("`git init` makes one of its folder");
    }
    // If git itself does not work, that is the error.
    match git(root, &["rev-parse", "--git-dir"], None) {
        Ok(_) => {
            let two = revision.split_once("..").filter(|(old, _)| !old.is_empty()).map(|(old, new)| {
                let new = Some(new.trim_start_matches('.')).filter(|new| !new.is_empty()).unwrap_or("HEAD");
                format!("two revisions are named one behind the other: `kgq diff {old} {new}`")
            });
            Error::input(format!("git knows no revision `{revision}`")).hint_if(two)
        }
        Err(error) => error,
    }
}

/// The state of the project's repository, or the commit that the files were checked out from; `None` if there is neither.
pub fn state(graph: &Graph) -> Option<bundle::Revision> {
    if let Some(commit) = &graph.options().revision {
        return Some(bundle::Revision { commit: commit.clone(), changed: false });
    }
    let root = &graph.project()?.root;
    // An enclosing repository that does not contain the project does not count.
    git(root, &["ls-files", "--error-unmatch", "--", MANIFEST], None).ok()?;
    let commit = git(root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], None).ok()?;
    let status = git(root, &["status", "--porcelain", "--untracked-files=all", "--", "."], None).ok()?;
    Some(bundle::Revision { commit, changed: !status.is_empty() })
}

/// Runs git and returns its output; `index` replaces the repository's index.
fn git(root: &Path, arguments: &[&str], index: Option<&PathBuf>) -> Result<String> {
    let mut command = git::command(root);
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    git::output(command.args(arguments))
}
