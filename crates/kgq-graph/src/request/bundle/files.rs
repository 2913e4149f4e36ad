//! Writes a bundle as the files of its archive, and reads it back. Files that follow from others are made again, never
//! read.

use super::archive::{self, Entry};
use super::citation::CitationStyle;
use super::facts::Facts;
use super::stored::{self, Stored};
use super::{Bundle, crate_metadata, sources};
use crate::audit::sha256;
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Quad;

/// The file of the checksums and the file of their signature: the two files that the checksums do not cover.
pub const CHECKSUMS: &str = "checksums.txt";
pub const SIGNATURE: &str = "checksums.txt.sig";

impl Bundle {
    /// The bytes of the archive.
    ///
    /// # Errors
    /// A bundle larger than an archive can be.
    pub fn archive(&self) -> Result<Vec<u8>> {
        archive::write(self.entries()?)
    }

    /// Returns the text that is signed: a hash of every file.
    ///
    /// # Errors
    /// None that can be foreseen.
    pub fn checksums(&self) -> Result<String> {
        let entries = self.entries()?;
        let checksums = entries.iter().find(|entry| entry.name == CHECKSUMS);
        let bytes = checksums.map(|entry| entry.bytes.clone()).unwrap_or_default();
        String::from_utf8(bytes).map_err(|_| Error::bug("checksums are no text"))
    }

    pub(super) fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = vec![
            Entry::new("query.rq", self.query.as_str()),
            Entry::new("bundle.json", self.facts.text()?),
            Entry::new(self.answer.file(), self.answer.text()),
            Entry::new("provenance.nq", stored::lines(&self.provenance)),
            Entry::new("sources.json", self.sources()?),
            Entry::new("citation.txt", self.citation(CitationStyle::Text)?),
            Entry::new("citation.bib", self.citation(CitationStyle::Bibtex)?),
            Entry::new("citation.json", self.citation(CitationStyle::CslJson)?),
        ];
        entries.extend(self.answer.csv()?.map(|csv| Entry::new("answer.csv", csv)));
        let witnesses = self.witnesses.iter().enumerate();
        entries.extend(witnesses.map(|(at, quads)| Entry::new(witness_file(at), stored::lines(quads))));
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let metadata = crate_metadata::text(self, &entries)?;
        entries.push(Entry::new(crate_metadata::FILE, metadata));
        let checksums = checksums(&entries);
        entries.push(Entry::new(CHECKSUMS, checksums));
        entries.extend(self.signature.as_ref().map(|signature| Entry::new(SIGNATURE, signature.as_str())));
        Ok(entries)
    }

    fn sources(&self) -> Result<String> {
        let statements = self.statements_and_provenance()?;
        let audit = sources::audit(&statements, &self.facts.citations);
        let citations = sources::citations(&audit, self.witnesses.iter().flatten());
        sources::text(&audit, &citations, &self.quotes)
    }

    /// All statements of the graph that the bundle holds.
    pub(super) fn statements_and_provenance(&self) -> Result<Snapshot> {
        let all: Vec<Quad> = self.provenance.iter().chain(self.witnesses.iter().flatten()).cloned().collect();
        Snapshot::from_quads_in_order(&all, &Budget::default())
    }

    /// # Errors
    /// Files that do not form a bundle.
    pub(super) fn read(entries: &[Entry]) -> Result<Self> {
        let text = |name: &str| -> Result<Option<&str>> {
            let Some(entry) = entries.iter().find(|entry| entry.name == name) else { return Ok(None) };
            std::str::from_utf8(&entry.bytes).map(Some).map_err(|_| Error::input(format!("{name} is not UTF-8")))
        };
        let needed = |name: &str| text(name)?.ok_or_else(|| Error::input(format!("there is no {name} in it")));
        let facts = Facts::read(needed("bundle.json")?)?;
        let forms = [stored::TABLE, stored::BOOLEAN, stored::GRAPH];
        let form = forms.into_iter().find(|form| entries.iter().any(|entry| entry.name == *form));
        let form = form.ok_or_else(|| Error::input("there is no answer in it"))?;
        let answer = Stored::read(form, needed(form)?)?;
        if facts.rows.len() != answer.parts() {
            return Err(Error::input("bundle.json tells of more or fewer rows than the answer has"));
        }
        let witness = |at: usize| -> Result<Vec<Quad>> {
            let file = witness_file(at);
            stored::quads(&file, needed(&file)?)
        };
        Ok(Self {
            query: needed("query.rq")?.to_owned(),
            witnesses: (0..answer.parts()).map(witness).collect::<Result<_>>()?,
            provenance: stored::quads("provenance.nq", needed("provenance.nq")?)?,
            quotes: sources::read(needed("sources.json")?)?,
            signature: text(SIGNATURE)?.map(str::to_owned),
            facts,
            answer,
        })
    }
}

fn witness_file(at: usize) -> String {
    format!("witnesses/{:05}.nq", at + 1)
}

/// One line for each file, in the form that `sha256sum` writes and checks.
pub fn checksums(entries: &[Entry]) -> String {
    let named = entries.iter().filter(|entry| ![CHECKSUMS, SIGNATURE].contains(&entry.name.as_str()));
    let mut lines: Vec<(&str, String)> = named.map(|entry| (entry.name.as_str(), sha256(&entry.bytes))).collect();
    lines.sort_unstable();
    lines.into_iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect()
}
