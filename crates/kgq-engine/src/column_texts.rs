//! The texts of a column of ids. Each distinct text is decoded once, in the order of the dictionary.

use super::terms::Terms;
use kgq_snapshot::{TermId, TermKind};
use kgq_syntax::rdf::language::text as text_of;
use std::ops::Range;

/// The texts of rows, in the form of [`kgq_syntax::rdf::language::text`].
#[derive(Debug, Default)]
pub struct ColumnTexts {
    all: String,
    /// The place of each row's text; `None` if its variable is unbound.
    places: Vec<Option<Range<usize>>>,
    order: Vec<u64>,
}

impl ColumnTexts {
    /// Reads the texts of a column, replacing the previous ones. If the distinct texts have more than about `most`
    /// bytes, it returns false, and none of the texts may be used.
    pub fn read(&mut self, column: &[TermId], terms: &Terms<'_>, most: usize) -> bool {
        self.all.clear();
        self.places.clear();
        self.places.resize(column.len(), None);
        self.order.clear();
        self.order.extend(column.iter().enumerate().map(|(row, id)| u64::from(id.get()) << 32 | row as u64));
        if !self.order.is_sorted() {
            self.order.sort_unstable();
        }
        let mut decoder = terms.snapshot().decoder();
        let mut last: Option<(TermId, usize)> = None;
        for entry in &self.order {
            let (id, row) = (TermId::new((entry >> 32) as u32), *entry as u32 as usize);
            if id.is_unbound() {
                break;
            }
            match last {
                Some((before, at)) if before == id => self.places[row] = self.places[at].clone(),
                _ => {
                    let start = self.all.len();
                    match decoder.text(id).filter(|_| terms.is_stored(id)) {
                        Some(text) => {
                            if terms.snapshot().kind(id) == TermKind::BlankNode {
                                self.all.push_str("_:");
                            }
                            // Bytes that are not UTF-8 mean damage, which the snapshot reports.
                            self.all.push_str(std::str::from_utf8(text).unwrap_or_default());
                        }
                        None => self.all.push_str(&text_of(&terms.term(id))),
                    }
                    self.places[row] = Some(start..self.all.len());
                }
            }
            if self.all.len() > most {
                return false;
            }
            last = Some((id, row));
        }
        true
    }

    /// Returns the text of a row; `None` if its variable is unbound.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.places.get(row)?.clone().map(|place| &self.all[place])
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.places.iter().map(|place| place.clone().map(|place| &self.all[place]))
    }

    /// Returns the total bytes of the texts of all rows.
    pub fn bytes(&self) -> usize {
        self.places.iter().flatten().map(Range::len).sum()
    }
}
