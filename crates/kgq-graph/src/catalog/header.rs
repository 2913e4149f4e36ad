//! The header of a canned query: lines that start with `#+ ` at the top of the file, together a YAML document.
//!
//! Its keys are a superset of grlc's, so that a query written for grlc is understood; unknown keys are errors.

use indexmap::IndexMap;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::text::did_you_mean;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a header says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Header {
    /// grlc calls it `summary`.
    #[serde(alias = "summary")]
    pub title: Option<Text>,
    pub description: Option<Text>,
    /// The question in a person's words.
    pub question: Option<Text>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub params: IndexMap<String, Param>,
    /// What each column of the answer holds.
    #[serde(default)]
    pub columns: IndexMap<String, Text>,
    /// The parameter that replaces the number written in LIMIT.
    pub limit: Option<String>,
    /// The parameter that replaces the number written in OFFSET.
    pub offset: Option<String>,
    /// How a publication shows the answer.
    pub view: Option<View>,
    /// A command to try.
    pub example: Option<String>,
    /// Of a check: how bad a row is.
    pub severity: Option<Severity>,
    /// Of a check: how to mend what it found.
    pub hint: Option<Text>,
    /// grlc: values by parameter; read as defaults.
    #[serde(default)]
    pub defaults: Vec<IndexMap<String, Scalar>>,
    // grlc's keys that have no meaning without its server.
    #[serde(default, rename = "endpoint")]
    _endpoint: Option<IgnoredAny>,
    #[serde(default, rename = "endpoint_in_url")]
    _endpoint_in_url: Option<IgnoredAny>,
    #[serde(default, rename = "endpoint-method")]
    _endpoint_method: Option<IgnoredAny>,
    #[serde(default, rename = "method")]
    _method: Option<IgnoredAny>,
    #[serde(default, rename = "pagination")]
    _pagination: Option<IgnoredAny>,
    #[serde(default, rename = "enumerate")]
    _enumerate: Option<IgnoredAny>,
    #[serde(default, rename = "transform")]
    _transform: Option<IgnoredAny>,
    #[serde(default, rename = "licence", alias = "license")]
    _licence: Option<IgnoredAny>,
}

/// A parameter of a canned query.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Param {
    /// iri, string, langString, integer, decimal, date, boolean, or a class (CURIE or IRI) whose members are allowed.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub description: Option<Text>,
    pub default: Option<ScalarOrList>,
    pub example: Option<ScalarOrList>,
    #[serde(default)]
    pub required: bool,
    /// Whether several values may be given.
    #[serde(default)]
    pub list: bool,
}

/// A text, or one in each of several languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Text {
    One(String),
    Each(IndexMap<String, String>),
}

impl Text {
    /// The text in a language, else in English, else the first there is.
    pub fn in_language(&self, language: &str) -> &str {
        match self {
            Self::One(text) => text,
            Self::Each(map) => {
                let text = map.get(language).or_else(|| map.get("en")).or_else(|| map.values().next());
                text.map_or("", String::as_str)
            }
        }
    }

    /// Every text with its language, if it has one.
    pub fn all(&self) -> Vec<(Option<&str>, &str)> {
        match self {
            Self::One(text) => vec![(None, text)],
            Self::Each(map) => map.iter().map(|(language, text)| (Some(language.as_str()), text.as_str())).collect(),
        }
    }
}

/// A value as YAML writes it: the text of it is what counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum ScalarOrList {
    One(Scalar),
    List(Vec<Scalar>),
}

impl ScalarOrList {
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value.to_string()],
            Self::List(values) => values.iter().map(Scalar::to_string).collect(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    Table,
    Bar,
    Timeline,
    Graph,
    Map,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Error,
    Warning,
}

const KEYS: &[&str] = &[
    "title",
    "summary",
    "description",
    "question",
    "tags",
    "params",
    "columns",
    "limit",
    "offset",
    "view",
    "example",
    "severity",
    "hint",
    "defaults",
    "type",
    "default",
    "required",
    "list",
];

/// Reads the header of a query's file. A file without one has an empty header.
pub fn read(source: Source<'_>) -> Result<Header> {
    let mut yaml = String::new();
    // Header line -> line of the file (both from 0) and the column at which its YAML starts.
    let mut lines: Vec<(usize, usize)> = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        let trimmed = line.trim_start();
        if let Some(rest) = trimmed.strip_prefix("#+") {
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            yaml.push_str(rest);
            yaml.push('\n');
            lines.push((number, line.chars().count() - rest.chars().count()));
        } else if !(trimmed.is_empty() || trimmed.starts_with('#')) {
            break;
        }
    }
    if yaml.trim().is_empty() {
        return Ok(Header::default());
    }
    serde_saphyr::from_str(&yaml).map_err(|e| yaml_error(source, &lines, &e))
}

fn yaml_error(source: Source<'_>, lines: &[(usize, usize)], error: &serde_saphyr::Error) -> Error {
    let message = error.without_snippet().to_string();
    // The library's own position is one in the extracted YAML; ours is one in the file.
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()).map(str::to_owned);
    let words = match &unknown {
        Some(key) => format!("the header has an unknown key `{key}`"),
        None => format!("the header is not right: {}", message.split(", expected one of").next().unwrap_or(&message)),
    };
    let mut out = Error::input(words);
    let location = error.location();
    let line = location.and_then(|l| usize::try_from(l.line()).ok()).unwrap_or(1).max(1);
    let column = location.and_then(|l| usize::try_from(l.column()).ok()).unwrap_or(1).max(1);
    if let Some((file_line, indent)) = lines.get(line - 1).or(lines.last()) {
        let start: usize = source.text.split_inclusive('\n').take(*file_line).map(str::len).sum();
        let rest = source.text.get(start..).unwrap_or_default();
        let at = rest.char_indices().nth(indent + column - 1).map_or(start, |(at, _)| start + at);
        let width = unknown.as_ref().map_or(1, String::len);
        out = out.at(source.place(at..at + width));
    }
    out.hint_if(unknown.and_then(|key| did_you_mean(&key, KEYS.iter().copied())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_with_language_maps_and_parameters_in_order() {
        let text = "#+ title: {en: Tasks, zh: 任务}\n#+ params:\n#+   b: {type: string}\n#+   a:\n#+     type: integer\n#+     default: 3\nSELECT * {}";
        let header = read(Source::new("q.rq", text)).unwrap();
        assert_eq!(header.title.unwrap().in_language("zh"), "任务");
        assert_eq!(header.params.keys().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(header.params["a"].default.as_ref().unwrap().texts(), ["3"]);
    }

    #[test]
    fn an_unknown_key_is_an_error_at_its_line_in_the_file() {
        let text = "# a comment\n#+ title: x\n#+ parms:\n#+   a: {type: string}\nSELECT * {}";
        let error = read(Source::new("q.rq", text)).unwrap_err().to_string();
        assert!(error.starts_with("q.rq:3:4: the header has an unknown key `parms`"), "{error}");
        assert!(error.contains("did you mean `params`?"), "{error}");
    }
}
