//! `[mcp]` in kgq.toml: what language models are given of the graph, and how much at once.

use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct McpSettings {
    /// The canned queries that are tools of their own, by name; without it all are, if there are not too many.
    pub tools: Option<Vec<String>>,
    /// How many rows an answer has, if the model asks for no number.
    pub rows: Option<usize>,
    /// About how many tokens an answer may be.
    pub tokens: Option<usize>,
    /// How long a call may take, such as `20s`.
    pub timeout: Option<String>,
    /// About how many tokens all answers to one client may be, until it has asked nothing for half an hour.
    pub session_tokens: Option<usize>,
    /// How many rows all answers to one client may have.
    pub session_rows: Option<usize>,
    /// How long all calls of one client may take, such as `10m`.
    pub session_timeout: Option<String>,
    /// In which things are called by their names, if a call names none.
    pub language: Option<String>,
    /// What the model is told of the graph before it asks.
    pub introduction: Option<String>,
    #[serde(default)]
    pub text: McpText,
}

/// What stands in an answer as text, beside the same as structured content.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum McpText {
    /// The whole answer, as many clients show a model the text alone.
    #[default]
    Full,
    /// A few words, for clients that read the structured content.
    Short,
}
