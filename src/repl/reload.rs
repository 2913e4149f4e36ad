//! Noticing that the project's files have changed, and loading them anew.

use super::Shell;
use super::shared::State;
use kgq_graph::session::Session;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{count, thousands};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files of a session with their times and sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl Stamp {
    /// What cannot be listed now counts as gone: loading will say why.
    pub fn of(session: &Session) -> Self {
        let mut paths: Vec<PathBuf> = Vec::new();
        match session.project() {
            Some(project) => {
                paths.push(project.root.join("kgq.toml"));
                paths.extend(project.files().unwrap_or_default().into_iter().map(|f| f.path));
                paths.extend(project.query_files().unwrap_or_default().into_iter().map(|(_, path)| path));
            }
            None => paths.extend(session.options.files.iter().filter(|f| *f != "-").map(PathBuf::from)),
        }
        paths.sort();
        let stamp = |path: &Path| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.modified().ok()?, meta.len()))
        };
        Self(
            paths
                .into_iter()
                .map(|path| {
                    let s = stamp(&path);
                    (path, s)
                })
                .collect(),
        )
    }

    fn differing(&self, other: &Self) -> usize {
        let changed = self.0.iter().filter(|file| !other.0.contains(file)).count();
        let gone = other.0.iter().filter(|(path, _)| !self.0.iter().any(|(p, _)| p == path)).count();
        changed + gone
    }
}

impl Shell<'_> {
    /// Loads the files anew. If they cannot be read, the graph stays what it was, and the error says so.
    pub(super) fn reload(&mut self, stamp: Stamp) -> Result<()> {
        let changed = stamp.differing(&self.stamp);
        // Not again for the same files, whether it works or not.
        self.stamp = stamp;
        let before = self.session.statement_count()?;
        let options = self.session.options.clone();
        let session = Session::open(options).and_then(|session| {
            session.catalog_if_any()?;
            Ok((State::of(&session)?, session))
        });
        let (state, session) = match session {
            Ok(loaded) => loaded,
            Err(error) => {
                self.outdated = true;
                let kind = error.kind();
                let kept = Error::new(kind, "the files have changed and cannot be loaded; the graph stays as it was");
                return Err(Error::all([kept, error]).unwrap_or_else(|| Error::bug("an error was lost")));
            }
        };
        let after = session.statement_count()?;
        self.outdated = false;
        *self.session = session;
        self.shared.set(state);
        self.stamp = Stamp::of(self.session);
        let change = match after as i64 - before as i64 {
            0 => format!("{} as before", count(after as u64, "statement", "statements")),
            n => format!("{} ({n:+})", thousands(after as u64)),
        };
        self.output.note(&format!("reloaded, {} changed: {change}", count(changed as u64, "file", "files")));
        Ok(())
    }
}
