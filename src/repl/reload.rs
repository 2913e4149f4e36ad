//! Reports in the session that the files changed and were loaded again.

use super::Shell;
use super::shared::ProjectState;
use kgq_graph::graph::Reloaded;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{count, thousands};
use std::sync::Arc;

impl Shell<'_> {
    /// Continues with the graph that was loaded, if one was. If the files cannot be read, the session keeps its graph, and
    /// the error says so.
    pub(super) fn reloaded(&mut self, reloaded: Result<Option<Reloaded>>) -> Result<()> {
        let Reloaded { before, after, files } = match reloaded {
            Ok(None) => return Ok(()),
            Ok(Some(reloaded)) => reloaded,
            Err(error) => {
                let kind = error.kind();
                let kept = Error::new(kind, "the files have changed and cannot be loaded; the graph stays as it was");
                return Err(Error::all([kept, error]).unwrap_or_else(|| Error::bug("an error was lost")));
            }
        };
        self.shared.set(ProjectState::of(&after)?);
        let (before, now) = (before.statement_count()?, after.statement_count()?);
        self.graph = Arc::clone(&after);
        let change = match now as i64 - before as i64 {
            0 => format!("{} as before", count(now as u64, "statement", "statements")),
            n => format!("{} ({n:+})", thousands(now as u64)),
        };
        self.output.note(&format!("reloaded, {} changed: {change}", count(files as u64, "file", "files")));
        Ok(())
    }
}
