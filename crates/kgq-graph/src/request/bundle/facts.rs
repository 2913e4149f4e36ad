//! What a bundle says about itself in `bundle.json`: what was asked of which graph, when, and with which program.

use kgq_syntax::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the bundle form that is written and read.
pub const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Facts {
    /// The version of the bundle form.
    pub bundle: u32,
    /// The version of the program.
    pub kgq: String,
    /// When the query was asked (UTC).
    pub time: String,
    pub query: QuestionFacts,
    pub graph: GraphState,
    pub project: Option<Named>,
    pub revision: Option<Revision>,
    /// SHA-256 of each file that the graph is read from.
    pub files: BTreeMap<String, String>,
    /// The properties that the graph uses for citations, as IRIs.
    pub citations: Properties,
    /// One for each row, in row order.
    pub rows: Vec<RowFacts>,
}

/// The question without its text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct QuestionFacts {
    pub name: Option<String>,
    pub title: Option<String>,
    /// The prefixes that the text uses but does not declare.
    pub prefixes: BTreeMap<String, String>,
    pub base: Option<String>,
    pub default_graph: DefaultGraphFact,
    pub parameters: Vec<Parameter>,
    pub limit: Option<usize>,
    pub offset: Option<usize>,
}

/// A variable that gets its value from outside: one term in N-Triples, or any of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Parameter {
    pub variable: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultGraphFact {
    #[default]
    Stored,
    Union,
}

/// The state of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GraphState {
    pub statements: usize,
    /// SHA-256 of its canonical N-Quads.
    pub sha256: String,
    /// The method that made it canonical.
    pub canonical_form: String,
    /// The licence that the graph names.
    pub license: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Named {
    pub name: String,
    pub title: Option<String>,
    pub base: Option<String>,
}

/// The state of the project's repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Revision {
    pub commit: String,
    /// Whether files in the project's folder differ from the commit.
    pub changed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Properties {
    pub anchor: Option<String>,
    pub hash: Option<String>,
    pub sentence: Option<String>,
    pub length: Option<String>,
}

/// What is known about a row's witness besides its statements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RowFacts {
    /// Whether no statement of it can be left out.
    pub irredundant: bool,
    /// Patterns that must continue to match nothing.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub absent: Vec<String>,
}

impl Facts {
    pub fn text(&self) -> Result<String> {
        pretty(self)
    }

    /// # Errors
    /// A text that is not JSON of this form, or has another version of it.
    pub fn read(text: &str) -> Result<Self> {
        let facts: Self = serde_json::from_str(text).map_err(|error| Error::input(format!("bundle.json: {error}")))?;
        match facts.bundle {
            VERSION => Ok(facts),
            other => Err(Error::input(format!("bundle.json: the form {other} is none that this version of kgq reads"))),
        }
    }
}

/// Returns a value as indented JSON.
pub fn pretty(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").map_err(|error| Error::bug(format!("facts are no JSON: {error}")))
}
