//! `[mcp]` in kgq.toml: what language models can read of the graph, and how much at once.

use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct McpSettings {
    /// The canned queries that become tools of their own, by name; without it all of them, if there are not too many.
    pub tools: Option<Vec<String>>,
    /// The number of rows in an answer if the model does not ask for a number.
    pub rows: Option<usize>,
    /// The approximate size limit of an answer, in tokens.
    pub tokens: Option<usize>,
    /// How long a call may take, such as `20s`.
    pub timeout: Option<String>,
    /// The approximate limit in tokens on all answers to one client. It starts anew after the client has asked nothing
    /// for half an hour.
    pub session_tokens: Option<usize>,
    /// The limit on the rows of all answers to one client.
    pub session_rows: Option<usize>,
    /// The time limit for all calls of one client, such as `10m`.
    pub session_timeout: Option<String>,
    /// The language of labels if a call names none.
    pub language: Option<String>,
    /// What the model is told about the graph before it asks.
    pub introduction: Option<String>,
    #[serde(default)]
    pub text: McpText,
}

/// What an answer contains as text, beside the structured content with the same facts.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum McpText {
    /// The whole answer, because many clients show a model only the text.
    #[default]
    Full,
    /// A few words, for clients that read the structured content.
    Short,
}
