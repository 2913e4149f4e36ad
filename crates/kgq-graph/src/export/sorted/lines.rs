//! Canonical N-Quads: the statements in RDF 1.1, written as they are read.

use super::Sorted;
use crate::render::output_error;
use kgq_syntax::budget::{Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Quad;
use kgq_syntax::rdf::rdf11::{Mapped, downgrade, is_of_rdf_12};
use kgq_syntax::sort::sorted_texts;
use std::io::Write;

impl Sorted<'_> {
    /// Writes the lines of the canonical form. Returns the number of terms that were mapped to RDF 1.1.
    ///
    /// # Errors
    /// The budget's; damage to the snapshot; an output that cannot be written.
    pub fn write_canonical(&self, out: &mut dyn Write) -> Result<u64> {
        let (which, steps) = (self.all(), Steps::new(self.budget));
        let mut mapped = self.names.mapped;
        let mut described = self.names.described.chunk_by(|a, b| a.subject == b.subject).peekable();
        let (subjects, _held) = self.subjects(which)?;
        for subject in subjects {
            steps.take()?;
            let Some(node) = self.node(subject) else { continue };
            let text = node.to_string();
            // Nodes that stand for triple terms are no subjects of the snapshot.
            while let Some(before) = described.next_if(|next| next[0].subject.to_string() < text) {
                self.write_lines(before, out)?;
            }
            let statements = self.statements(which, subject).filter(|ids| !self.names.is_described(*ids));
            let (mut group, _held) = self.decoded(which, statements)?;
            if group.iter().any(is_of_rdf_12) {
                let (plain, _) = downgrade(&group, self.budget)?;
                mapped += plain.count;
                group = plain.quads.into_iter().map(Mapped::into_owned).collect();
            }
            if let Some(own) = described.next_if(|next| next[0].subject == node) {
                group.extend_from_slice(own);
            }
            self.snapshot.intact()?;
            self.write_lines(&group, out)?;
        }
        described.try_for_each(|rest| self.write_lines(rest, out))?;
        Ok(mapped)
    }

    /// Writes the lines of one subject, each once.
    fn write_lines(&self, quads: &[Quad], out: &mut dyn Write) -> Result<()> {
        let (mut lines, mut held, steps) = (Vec::new(), Reservation::default(), Steps::new(self.budget));
        for quad in quads {
            steps.take()?;
            let line = format!("{quad} .\n");
            held.grow(self.budget, (line.capacity() + size_of::<String>()) as u64)?;
            lines.push(line);
        }
        let mut lines = sorted_texts(lines, self.budget)?;
        lines.dedup();
        lines.iter().try_for_each(|line| out.write_all(line.as_bytes())).map_err(|e| output_error(&e))
    }
}
