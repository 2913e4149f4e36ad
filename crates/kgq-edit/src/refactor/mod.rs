//! Changes the whole project at once: ontology, data, queries, shapes, expected answers and kgq.toml, with comments and headers.

mod mentions;
mod moving;
mod remove;
mod rename;
mod turtle;

pub use moving::move_to;
pub use remove::{Removal, removal};
pub use rename::{Renaming, keep_old, rename};

use crate::Edit;
use crate::edit::FileChange;
use kgq_syntax::rdf::Prefixes;
use mentions::Mentions;
use std::borrow::Cow;

/// A renaming as an edit carries it out.
#[derive(Clone, Debug)]
pub struct Renamed {
    pub renaming: Renaming,
    /// The prefixes of CURIEs before the renaming.
    pub prefixes: Prefixes,
}

impl Edit {
    /// Returns a text with the names that they have after the edit.
    pub fn renamed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.renaming {
            Some(Renamed { renaming, prefixes }) => Mentions { renaming, prefixes }.rename(text).into(),
            None => text.into(),
        }
    }

    /// Combines two edits, applied one after the other, into one.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        for change in next.changes {
            match self.changes.iter_mut().find(|own| own.name == change.name) {
                Some(own) => own.after = change.after,
                None => self.changes.push(change),
            }
        }
        self.changes.retain(|FileChange { before, after, .. }| before.as_ref() != Some(after));
        self.warnings.extend(next.warnings);
        self.renaming = self.renaming.or(next.renaming);
        self
    }
}
