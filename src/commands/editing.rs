//! What all commands that edit the project's files share: the lock, the diff, the checks, the writing, the commit.

use super::descriptors::raise_limit;
use super::output::Output;
use super::terminal::Content;
use crate::edits::{self, Commit, Outcome, Requirements};
use kgq_edit::guard::Verdict;
use kgq_edit::{Edit, Settings, Writer};
use kgq_graph::graph::Graph;
use kgq_snapshot::store::together::{self, Writing};
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::text::{count, visible};
use std::cell::RefCell;
use std::path::Path;

#[derive(Debug, clap::Args)]
pub struct EditArgs {
    /// Refuse what would add a finding of `kgq check` or fail a case of `kgq test` (exit code 1)
    #[arg(long)]
    pub check: bool,
    /// Make a git commit of the files that change, and of no other
    #[arg(long, requires = "message")]
    pub commit: bool,
    /// The message of the commit
    #[arg(long, short, value_name = "TEXT", requires = "commit")]
    pub message: Option<String>,
    /// Write files anew that are not kept line by line: RDF/XML, JSON-LD, compressed ones; their comments are lost
    #[arg(long)]
    pub rewrite: bool,
}

/// What the commands take that change names and places in all files of the project.
#[derive(Debug, clap::Args)]
pub struct RefactorArgs {
    /// Show the difference of the files, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub edit: EditArgs,
}

impl RefactorArgs {
    /// Opens the project to edit.
    pub fn open(&self, graph: &Graph, output: &mut Output) -> Result<Writer> {
        open(graph, self.dry_run, output)
    }

    /// The settings of the edit.
    pub fn settings(&self) -> Settings {
        Settings { rewrite: self.edit.rewrite, ..Settings::default() }
    }

    /// Shows the edit, or writes it. Returns the exit code.
    pub fn carry_out(&self, writer: &Writer, edit: &Edit, output: &mut Output) -> Result<u8> {
        self.edit.carry_out(writer, edit, self.dry_run, output)
    }
}

/// Opens the project to edit; with `only_shown`, without a lock.
pub fn open(graph: &Graph, only_shown: bool, output: &mut Output) -> Result<Writer> {
    if only_shown {
        return Writer::looking(graph);
    }
    let writer = waited(output, |waits| Writer::open(graph, waits))?;
    tell_finished(&writer.finished, output);
    Ok(writer)
}

/// Keeps everyone else away from a folder whose files are replaced.
pub fn lock(root: &Path, output: &mut Output) -> Result<Writing> {
    let (writing, finished) = waited(output, |waits| together::write(root, waits))?;
    tell_finished(&finished, output);
    Ok(writing)
}

/// Takes a lock, and notes for whom it had to wait. All files of an edit stay open until each of them is written beside its place,
/// so many may be open.
fn waited<T>(output: &mut Output, take: impl FnOnce(&dyn Fn(&str)) -> Result<T>) -> Result<T> {
    raise_limit();
    let waiting = RefCell::new(None);
    let taken = take(&|who| *waiting.borrow_mut() = Some(who.to_owned()))?;
    if let Some(who) = waiting.into_inner() {
        output.note(&format!("waited for {} to finish with the project", visible(&who)));
    }
    Ok(taken)
}

/// Notes which files of an interrupted earlier edit were finished.
pub fn tell_finished(finished: &[String], output: &mut Output) {
    if !finished.is_empty() {
        output.note(&format!("finished an edit that was interrupted: {}", visible(&finished.join(", "))));
    }
}

impl EditArgs {
    /// Shows the edit, or writes it. Returns the exit code.
    pub fn carry_out(&self, writer: &Writer, edit: &Edit, only_shown: bool, output: &mut Output) -> Result<u8> {
        edit.warnings.iter().for_each(|warning| output.warn(warning));
        if only_shown {
            return self.show(writer, edit, output);
        }
        let commit = self.message.as_deref().map(|message| Commit { message, author: None });
        match edits::carry_out(writer, edit, &Requirements { check: self.check, commit })? {
            Outcome::Refused(verdict) => refused(&verdict, output),
            Outcome::Written(committed) => {
                for change in &edit.changes {
                    output.line(&visible(&change.name))?;
                }
                committed.transpose()?;
                output.note(&format!("{} changed", count(edit.changes.len() as u64, "file", "files")));
                Ok(0)
            }
        }
    }

    /// Shows what would change, after the checks if they are requested.
    fn show(&self, writer: &Writer, edit: &Edit, output: &mut Output) -> Result<u8> {
        if let Some(verdict) = edits::objection(writer, edit, self.check)? {
            return refused(&verdict, output);
        }
        let diff: String = edit.changes.iter().map(kgq_edit::FileChange::diff).collect();
        let shown = output.out.write_as(Content::LaidOut, |out| out.write_all(diff.as_bytes()));
        shown.map_err(|e| Error::io("the output", &e))?;
        output.note(&format!("{} would change", count(edit.changes.len() as u64, "file", "files")));
        Ok(0)
    }
}

/// Prints what the edit would make worse. Returns the exit code.
fn refused(verdict: &Verdict, output: &mut Output) -> Result<u8> {
    let colour = output.colour;
    for finding in &verdict.report.findings {
        let written = output.out.write_as(Content::LaidOut, |mut out| finding.write_text(colour, &mut out));
        written.map_err(|e| Error::io("the output", &e))?;
    }
    for (name, why) in &verdict.failed {
        output.line(&format!("failed {}: {}", visible(name), visible(why)))?;
    }
    let findings = verdict.report.findings.len() as u64;
    let failed = count(verdict.failed.len() as u64, "answer", "answers");
    output.note(&format!(
        "refused: {} more, and {failed} would fail; nothing is written",
        count(findings, "finding", "findings")
    ));
    Ok(Kind::Check.exit_code())
}

/// Resolves a CURIE or an IRI; a prefix with its colon alone stands for its namespace.
pub fn iri(graph: &Graph, text: &str) -> Result<String> {
    let name = text.trim_matches(['<', '>']);
    let prefixes = graph.prefixes()?;
    let known = name.split_once(':').and_then(|(prefix, local)| Some(format!("{}{local}", prefixes.get(prefix)?)));
    let iri = match known {
        Some(iri) => iri,
        None if name.contains("://") || name.starts_with("urn:") => name.to_owned(),
        None => {
            let Some((prefix, _)) = name.split_once(':') else {
                return Err(Error::input(format!("`{text}` is no IRI and no CURIE")));
            };
            return Err(Error::input(format!("`{text}` is no IRI, and no prefix `{prefix}:` is known"))
                .hint_if(kgq_syntax::text::did_you_mean(prefix, prefixes.names())));
        }
    };
    NamedNode::new(&iri).map(NamedNode::into_string).map_err(|e| Error::input(format!("`{text}` is no IRI: {e}")))
}
