//! What the graph says about its sources, and those of their texts that are available.

use super::{Graph, kept};
use crate::audit::{self, Audit, Needed, RowSources, Texts, sha256};
use crate::project;
use kgq_engine::Row;
use kgq_engine::query::Query;
use kgq_engine::why::Item;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Variable};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Graph {
    /// Returns what the graph says about sources, looked up on demand. Check that the graph is [intact] before
    /// reporting any of it.
    ///
    /// [intact]: Graph::intact
    ///
    /// # Errors
    /// Those of the files.
    pub fn audit(&self) -> Result<Audit<'_>> {
        let settings = self.project.as_ref().map(|p| p.manifest.citations.clone()).unwrap_or_default();
        Ok(Audit::new(self.snapshot()?, &settings, self.prefixes()?))
    }

    /// Returns the triples that need a citation: those in the project's data files, or in all files named by hand, that
    /// the audit does not exempt.
    ///
    /// # Errors
    /// Those of finding the project's files.
    pub fn triples_to_cite<'g>(&'g self, audit: &'g Audit<'_>) -> Result<Needed<'g>> {
        let is_data = kept(&self.is_data, || {
            Ok(match &self.project {
                Some(project) => self.whole_files(project)?.map(|file| file.role == project::Role::Data).collect(),
                None if self.options.snapshot.is_some() => Arc::default(),
                None => self.inputs()?.iter().map(|_| true).collect(),
            })
        })?;
        Ok(Needed::new(audit, is_data))
    }

    /// Returns an error for each text of `[sources]` that exists but is not shown because it lies outside of an
    /// untrusted project.
    pub fn hidden_texts(&self) -> Vec<Error> {
        let Some(project) = &self.project else { return Vec::new() };
        let hidden = |path: &&String| {
            let path = project.root.join(path);
            path.is_file() && !project.may_show(&path)
        };
        let hidden = project.manifest.sources.values().filter(hidden);
        let told = |path: &String| {
            Error::policy(format!("the text {path} is not shown: it lies outside of the project's folder"))
                .hint("if you trust whoever wrote the project to name your files, run once with `--trust`")
        };
        hidden.map(told).collect()
    }

    /// Returns the available texts of source documents: those of `[sources]` that exist and may be shown, and the given
    /// files, each assigned to the document whose hash it has.
    pub fn source_texts(&self, audit: &Audit<'_>, files: &[PathBuf]) -> Result<Texts> {
        let mut texts = Texts::default();
        if let Some(project) = &self.project {
            for (document, path) in &project.manifest.sources {
                let path = project.root.join(path);
                if path.is_file() && project.may_show(&path) {
                    texts.insert(&NamedNode::new_unchecked(document), read_source(&path)?);
                }
            }
        }
        let documents: BTreeSet<String> = audit
            .citations()
            .iter()
            .filter_map(|citation| Some(audit.citation(citation).document?.as_str().to_owned()))
            .collect();
        for file in files {
            let text = read_source(file)?;
            let hash = sha256(text.as_bytes());
            let known: Vec<NamedNode> = documents.iter().map(NamedNode::new_unchecked).collect();
            let own = |d: &&NamedNode| audit.document(d).hash.is_some_and(|h| h.eq_ignore_ascii_case(&hash));
            let Some(document) = known.iter().find(own) else {
                return Err(Error::input(format!("{} is the text of no source document of the graph", file.display()))
                    .hint("a document is known by the SHA-256 of its text, which the property named `hash` in `[citations]` of kgq.toml holds"));
            };
            texts.insert(document, text);
        }
        Ok(texts)
    }

    /// Whether the project requires citations.
    pub fn asks_for_citations(&self) -> bool {
        self.project.as_ref().is_some_and(|project| project.manifest.citations.are_required())
    }

    /// Returns the triples that need a citation, or `None` if citations are not expected: if nothing is cited at all, a
    /// missing citation means nothing, unless the project requires them.
    pub(crate) fn citation_rule<'g>(&'g self, audit: &'g Audit<'_>) -> Result<Option<Needed<'g>>> {
        if self.asks_for_citations() || audit.has_citations() {
            self.triples_to_cite(audit).map(Some)
        } else {
            Ok(None)
        }
    }

    /// What each part of an answer rests on.
    pub(crate) fn item_sources(&self, audit: &Audit<'_>, query: &Query, items: &[Item<'_>]) -> Result<Vec<RowSources>> {
        let (rule, options) = (self.citation_rule(audit)?, self.evaluation_options());
        audit::item_sources(audit, self.snapshot()?, query, items, &options, rule)
    }

    /// What each row of an answer rests on.
    pub fn row_sources(
        &self,
        audit: &Audit<'_>,
        query: &Query,
        variables: &[Variable],
        rows: &[Row],
    ) -> Result<Vec<RowSources>> {
        let items: Vec<Item<'_>> = rows.iter().map(|row| Item::Row(variables, row)).collect();
        self.item_sources(audit, query, &items)
    }
}

/// Reads the text of a source document byte for byte, because citations count its characters.
fn read_source(path: &Path) -> Result<String> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|e| Error::io(&name, &e))?;
    String::from_utf8(bytes).map_err(|_| Error::input(format!("{name} is not UTF-8")))
}
