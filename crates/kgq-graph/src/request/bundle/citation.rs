//! How an answer is cited, in three forms to paste. Follows the recommendations of the Research Data Alliance on citing
//! data that changes (2015): the question and the answer have identifiers, with the state of the data and the time.

use super::Bundle;
use super::facts::pretty;
use crate::audit::sha256;
use kgq_syntax::error::Result;
use kgq_syntax::text::count;
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CitationStyle {
    Text,
    Bibtex,
    CslJson,
}

impl Bundle {
    /// The identifier of the question: a hash of its text and of everything that it is read with.
    pub(super) fn query_id(&self) -> String {
        let asked = &self.facts.query;
        let parameters = serde_json::to_string(&(&asked.parameters, asked.limit, asked.offset)).unwrap_or_default();
        let beside = serde_json::to_string(&(&asked.prefixes, &asked.base, asked.default_graph)).unwrap_or_default();
        format!("sha256:{}", sha256(format!("{}\n{parameters}\n{beside}\n", self.query).as_bytes()))
    }

    /// The identifier of the answer: a hash of its canonical text.
    pub(super) fn answer_id(&self) -> String {
        format!("sha256:{}", sha256(self.answer.text().as_bytes()))
    }

    pub(super) fn graph_id(&self) -> String {
        format!("sha256:{}", self.facts.graph.sha256)
    }

    /// The title of the answer.
    pub(super) fn title(&self) -> String {
        let asked = &self.facts.query;
        asked.title.clone().or_else(|| asked.name.clone()).unwrap_or_else(|| "Answer to a SPARQL query".to_owned())
    }

    /// The title of the graph.
    pub(super) fn graph_title(&self) -> String {
        let project = self.facts.project.as_ref();
        let title = project.map(|project| project.title.clone().unwrap_or_else(|| project.name.clone()));
        title.unwrap_or_else(|| "A knowledge graph".to_owned())
    }

    /// The version of the graph's files, if they are in a repository.
    pub(super) fn version(&self) -> Option<String> {
        let revision = self.facts.revision.as_ref()?;
        Some(if revision.changed { format!("{} with changes", revision.commit) } else { revision.commit.clone() })
    }

    fn size(&self) -> String {
        match &self.answer {
            super::Stored::Boolean(value) => format!("the answer is {value}"),
            super::Stored::Table { rows, .. } => count(rows.len() as u64, "row", "rows"),
            super::Stored::Graph(triples) => count(triples.len() as u64, "triple", "triples"),
        }
    }

    fn day(&self) -> &str {
        self.facts.time.get(..10).unwrap_or_default()
    }

    /// Returns the citation as text to paste.
    ///
    /// # Errors
    /// None that can be foreseen.
    pub fn citation(&self, style: CitationStyle) -> Result<String> {
        Ok(match style {
            CitationStyle::Text => self.as_text(),
            CitationStyle::Bibtex => self.as_bibtex(),
            CitationStyle::CslJson => self.as_csl()?,
        })
    }

    fn as_text(&self) -> String {
        let version = self.version().map(|version| format!(", revision {version}")).unwrap_or_default();
        let base = self.facts.project.as_ref().and_then(|project| project.base.as_deref());
        let place = base.map(|base| format!(" <{base}>")).unwrap_or_default();
        format!(
            "“{}” ({}). {}{version}.{place} Asked on {} with kgq {}. Graph {}, query {}, answer {}.\n",
            self.title(),
            self.size(),
            self.graph_title(),
            self.facts.time,
            self.facts.kgq,
            self.graph_id(),
            self.query_id(),
            self.answer_id(),
        )
    }

    fn note(&self) -> String {
        format!(
            "Answer of {} to query {} over graph {}, asked {} with kgq {}; answer {}",
            self.size(),
            self.query_id(),
            self.graph_id(),
            self.facts.time,
            self.facts.kgq,
            self.answer_id()
        )
    }

    fn as_bibtex(&self) -> String {
        let year = self.facts.time.get(..4).unwrap_or_default();
        let key = self.facts.project.as_ref().map_or("graph", |project| project.name.as_str());
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        let answer = self.answer_id();
        let short = answer.get(7..15).unwrap_or_default();
        let mut fields = vec![
            ("title", self.title()),
            ("author", format!("{{{}}}", bibtex(&self.graph_title()))),
            ("year", year.to_owned()),
            ("urldate", self.day().to_owned()),
            ("note", self.note()),
        ];
        fields.extend(self.version().map(|version| ("version", version)));
        fields.extend(self.facts.project.as_ref().and_then(|project| project.base.clone()).map(|base| ("url", base)));
        let line = |(name, value): (&str, String)| {
            let value = if matches!(name, "url" | "author") { value } else { bibtex(&value) };
            format!("  {name} = {{{value}}},\n")
        };
        format!("@misc{{{key}{year}{short},\n{}}}\n", fields.into_iter().map(line).collect::<String>())
    }

    fn as_csl(&self) -> Result<String> {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
        let date = [0..4, 5..7, 8..10].map(|part| number(self.facts.time.get(part)));
        pretty(&json!([{
            "id": self.answer_id(),
            "type": "dataset",
            "title": self.title(),
            "container-title": self.graph_title(),
            "author": [{ "literal": self.graph_title() }],
            "version": self.version(),
            "URL": self.facts.project.as_ref().and_then(|project| project.base.as_deref()),
            "issued": { "date-parts": [date] },
            "accessed": { "date-parts": [date] },
            "note": self.note(),
        }]))
    }
}

/// Escapes a text for BibTeX.
fn bibtex(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{c}"),
        '\\' => "\\textbackslash{}".to_owned(),
        '~' => "\\textasciitilde{}".to_owned(),
        '^' => "\\textasciicircum{}".to_owned(),
        c if c.is_control() => " ".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}
