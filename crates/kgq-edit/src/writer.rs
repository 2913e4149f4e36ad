//! The exclusive writer of a project, from reading its files to writing them.

use crate::Edit;
use crate::files::Files;
use kgq_graph::graph::Graph;
use kgq_snapshot::store::together::{self, Finished, Replacement, Writing};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};

/// A project that no other process reads or writes in the meantime.
pub struct Writer {
    pub graph: Graph,
    pub files: Files,
    /// What an interrupted earlier edit had left unfinished, and was finished now.
    pub finished: Finished,
    writing: Option<Writing>,
}

impl Writer {
    /// Waits until no other process reads or writes, then reads the project's files. `waits` is told who holds the project.
    ///
    /// # Errors
    /// A graph that is no project; those of the files; an earlier edit that cannot be finished.
    pub fn open(graph: &Graph, waits: &dyn Fn(&str)) -> Result<Self> {
        let root = project_of(graph)?;
        let (writing, finished) = together::write(&root, waits)?;
        Ok(Self { finished, writing: Some(writing), ..Self::looking(graph)? })
    }

    /// Like [`Writer::open`], for a caller that cannot block: waits no longer than the budget allows.
    ///
    /// # Errors
    /// As [`Writer::open`]; that the budget is used up.
    pub fn open_within(graph: &Graph, budget: &Budget) -> Result<Self> {
        let root = project_of(graph)?;
        let (writing, finished) = together::write_within(&root, budget)?;
        Ok(Self { finished, writing: Some(writing), ..Self::looking(graph)? })
    }

    /// Reads the files without a lock. Nothing can be written then.
    ///
    /// # Errors
    /// As [`Writer::open`].
    pub fn looking(graph: &Graph) -> Result<Self> {
        project_of(graph)?;
        // The given graph may have been read from older files.
        let graph = Graph::open(graph.options().clone())?;
        let files = Files::read(&graph)?;
        Ok(Self { graph, files, finished: Finished::new(), writing: None })
    }

    /// Whether a file of the edit has changed since it was read.
    pub fn is_outdated(&self, edit: &Edit) -> bool {
        edit.changes.iter().any(|change| std::fs::read(&change.path).ok() != change.before)
    }

    /// Writes all files of the edit, or none.
    ///
    /// # Errors
    /// A file that changed since it was read, or cannot be written.
    pub fn write(&self, edit: &Edit) -> Result<()> {
        let Some(writing) = &self.writing else {
            return Err(Error::bug("an edit of a project that was only looked at"));
        };
        let replacement = |change: &crate::FileChange| Replacement {
            name: change.name.clone(),
            before: change.before.clone(),
            after: Some(change.after.clone()),
        };
        let files: Vec<Replacement> = edit.changes.iter().map(replacement).collect();
        if files.is_empty() {
            return Ok(());
        }
        writing.replace(&files, &self.graph.options().unfinished)
    }
}

/// Returns the folder of a project that may be edited.
///
/// # Errors
/// The graph is not an editable project; the error says what to do instead.
pub fn project_of(graph: &Graph) -> Result<std::path::PathBuf> {
    let options = graph.options();
    if options.snapshot.is_some() {
        return Err(Error::policy("a snapshot is not edited: it is made from files")
            .hint("edit these, and make it anew with `kgq build`"));
    }
    if !options.files.is_empty() {
        return Err(Error::policy("files named by hand are not edited: only a project's are")
            .hint("`kgq init` makes their folder a project")
            .hint("`kgq update --output FILE` writes the changed graph to a file of its own"));
    }
    if options.unreify {
        return Err(Error::usage("`--unreify` reads other statements than the files have: they are not edited"));
    }
    Ok(graph.require_project()?.root.clone())
}
