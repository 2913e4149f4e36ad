//! Changes of the whole project at once: ontology, data, queries, shapes, expected answers and kgq.toml, comments and headers too.

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
    /// What CURIEs stand for before it.
    pub prefixes: Prefixes,
}

impl Edit {
    /// A text with names as they are after the edit.
    pub fn renamed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.renaming {
            Some(Renamed { renaming, prefixes }) => Mentions { renaming, prefixes }.rename(text).into(),
            None => text.into(),
        }
    }

    /// Both, one after the other, as one.
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
