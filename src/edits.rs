//! An edit of the project's files carried out, whoever asks for it: judged, written, and committed.

use crate::git;
use kgq_edit::guard::Verdict;
use kgq_edit::{Edit, Writer};
use kgq_syntax::error::Result;
use std::path::Path;

/// What an edit must pass, and what is done beside it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Requirements<'a> {
    /// Refuse what would add a finding or fail an expected answer.
    pub check: bool,
    pub commit: Option<Commit<'a>>,
}

/// A git commit of exactly the files that change.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    pub message: &'a str,
    /// Its author, where that is another than the one whom git knows.
    pub author: Option<&'a str>,
}

/// How it went.
pub enum Outcome {
    /// Nothing is written: this would be worse.
    Refused(Verdict),
    /// The files are what they should be; whether the commit was made, where one was wanted.
    Written(Option<Result<()>>),
}

/// Judges, writes and commits an edit.
///
/// # Errors
/// A folder in which no commit can be made; those of the checks and of writing. Nothing is written then.
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

/// What would be worse after an edit, where that is to be looked at.
///
/// # Errors
/// Those of the checks.
pub fn objection(writer: &Writer, edit: &Edit, check: bool) -> Result<Option<Verdict>> {
    if !check {
        return Ok(None);
    }
    Verdict::of(&writer.graph, edit).map(|verdict| Some(verdict).filter(|verdict| !verdict.is_clean()))
}

/// Whether commits can be made in this folder.
///
/// # Errors
/// That it is in no working tree of git; that git does not know who commits.
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
