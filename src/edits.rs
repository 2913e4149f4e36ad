//! Carries out edits of the project's files for all callers: judges, writes and commits them.

use crate::git;
use kgq_edit::guard::Verdict;
use kgq_edit::{Edit, Writer};
use kgq_syntax::error::Result;
use std::path::Path;

/// The checks that an edit must pass, and what to do besides writing it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Requirements<'a> {
    /// Refuse an edit that adds a finding or makes an expected answer fail.
    pub check: bool,
    pub commit: Option<Commit<'a>>,
}

/// A git commit of exactly the changed files.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    pub message: &'a str,
    /// Its author, if not the one configured in git.
    pub author: Option<&'a str>,
}

/// The outcome of an edit.
pub enum Outcome {
    /// Nothing was written, because this would become worse.
    Refused(Verdict),
    /// The files were written. If a commit was wanted, also whether it succeeded.
    Written(Option<Result<()>>),
}

/// Judges, writes and commits an edit.
///
/// # Errors
/// No commit can be made in this folder, or the checks or writing fail. Nothing is written then.
pub fn carry_out(writer: &Writer, edit: &Edit, terms: &Requirements<'_>) -> Result<Outcome> {
    let root = &writer.graph.require_project()?.root;
    if terms.commit.is_some() {
        can_commit(root)?;
    }
    if let Some(verdict) = objection(writer, edit, terms.check)? {
        return Ok(Outcome::Refused(verdict));
    }
    writer.write(edit)?;
    let commit = terms.commit.filter(|_| !edit.changes.is_empty());
    Ok(Outcome::Written(commit.map(|wanted| commit_files(root, edit, &wanted))))
}

/// What an edit would make worse, if it is to be checked.
///
/// # Errors
/// The checks fail to run.
pub fn objection(writer: &Writer, edit: &Edit, check: bool) -> Result<Option<Verdict>> {
    if !check {
        return Ok(None);
    }
    Verdict::of(&writer.graph, edit).map(|verdict| Some(verdict).filter(|verdict| !verdict.is_clean()))
}

/// Checks that commits can be made in this folder.
///
/// # Errors
/// The folder is in no git working tree, or git does not know who commits.
pub fn can_commit(root: &Path) -> Result<()> {
    let questions: [&[&str]; 2] = [&["rev-parse", "--is-inside-work-tree"], &["var", "GIT_COMMITTER_IDENT"]];
    for question in questions {
        git::output(git::command(root).args(question)).map_err(|error| error.hint("nothing is written"))?;
    }
    Ok(())
}

fn commit_files(root: &Path, edit: &Edit, wanted: &Commit<'_>) -> Result<()> {
    let names: Vec<&str> = edit.changes.iter().map(|change| change.name.as_str()).collect();
    let added = git::output(git::command(root).args(["add", "--"]).args(&names));
    let author = wanted.author.map(|name| format!("--author={name} <{}>", if name.contains('@') { name } else { "" }));
    let commit = |_| {
        let mut command = git::command(root);
        command.args(["commit", "--quiet", "--only", "-m", wanted.message]).args(author);
        git::output(command.arg("--").args(&names))
    };
    added.and_then(commit).map(drop).map_err(|error| error.hint("the files are changed; only the commit is not made"))
}
