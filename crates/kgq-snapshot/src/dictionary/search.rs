//! Which literals have a text in their lexical form.

use super::super::front_coding::TableSearcher;
use super::super::text_search::{TextPattern, TextSearch};
use super::{Dictionary, TermId};

/// See [`crate::Snapshot::text_searcher`].
pub struct TextSearcher<'a> {
    first: u32,
    forms: TableSearcher<'a>,
}

impl Dictionary {
    pub(crate) fn text_search(&self, pattern: &TextPattern) -> Option<TextSearch> {
        self.literals.forms.search(pattern)
    }

    pub(crate) fn text_searcher<'a>(&'a self, search: &'a TextSearch) -> TextSearcher<'a> {
        TextSearcher { first: self.literal_start(), forms: self.literals.forms.searcher(search) }
    }
}

impl TextSearcher<'_> {
    /// Whether a literal has the text in its lexical form; of a text in any case, whether it may have it. `None` if only decoding it
    /// tells, or it is no literal.
    #[inline]
    pub fn finds(&mut self, id: TermId) -> Option<bool> {
        self.forms.finds(id.get().checked_sub(self.first)?)
    }
}
