//! The header of a canned query: the lines at the top of the file that start with `#+ `; together they are a YAML
//! document.
//!
//! Its keys are a superset of grlc's, so that a query written for grlc is understood; unknown keys are errors.

use indexmap::IndexMap;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::text::did_you_mean;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The content of a header.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Header {
    /// grlc calls it `summary`.
    #[serde(alias = "summary")]
    pub title: Option<LocalizedText>,
    pub description: Option<LocalizedText>,
    /// The question in plain words.
    pub question: Option<LocalizedText>,
    /// One tag, or a list of several.
    #[serde(default, deserialize_with = "tags")]
    pub tags: Vec<String>,
    #[serde(default)]
    pub params: IndexMap<String, Param>,
    /// The meaning of each column of the answer.
    #[serde(default)]
    pub columns: IndexMap<String, LocalizedText>,
    /// The parameter that replaces the number written in LIMIT.
    pub limit: Option<String>,
    /// The parameter that replaces the number written in OFFSET.
    pub offset: Option<String>,
    /// How a publication shows the answer.
    pub view: Option<View>,
    /// A command to try.
    pub example: Option<String>,
    /// For a check: the severity of a row.
    pub severity: Option<DeclaredSeverity>,
    /// For a check: how to fix what it found.
    pub hint: Option<LocalizedText>,
    /// grlc: default values by parameter.
    pub defaults: Option<Enumerate>,
    /// grlc: the values that parameters may have.
    pub enumerate: Option<Enumerate>,
    /// grlc: the endpoint that the query was written for. Here it runs on the project's data.
    pub endpoint: Option<ScalarOrList>,
    // Keys of grlc that mean nothing without its server.
    #[serde(rename = "endpoint_in_url")]
    endpoint_in_url: Option<IgnoredAny>,
    endpoint_method: Option<IgnoredAny>,
    method: Option<IgnoredAny>,
    mime: Option<IgnoredAny>,
    pagination: Option<IgnoredAny>,
    transform: Option<IgnoredAny>,
    #[serde(alias = "license")]
    licence: Option<IgnoredAny>,
}

impl Header {
    /// Returns the keys of this header that are accepted but have no meaning here.
    pub(crate) fn without_meaning(&self) -> Vec<&'static str> {
        let keys = [
            ("endpoint_in_url", &self.endpoint_in_url),
            ("endpoint-method", &self.endpoint_method),
            ("method", &self.method),
            ("mime", &self.mime),
            ("pagination", &self.pagination),
            ("transform", &self.transform),
            ("licence", &self.licence),
        ];
        keys.into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key).collect()
    }
}

fn tags<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    Ok(ScalarOrList::deserialize(deserializer)?.texts())
}

/// grlc's values by parameter: a mapping, or a list of mappings. A name alone would ask grlc's server for the values.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Enumerate {
    Map(IndexMap<String, ScalarOrList>),
    List(Vec<Self>),
    Name(String),
}

impl Enumerate {
    pub fn values(self) -> Vec<(String, ScalarOrList)> {
        match self {
            Self::Map(map) => map.into_iter().collect(),
            Self::List(list) => list.into_iter().flat_map(Self::values).collect(),
            Self::Name(_) => Vec::new(),
        }
    }
}

/// A parameter of a canned query.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Param {
    /// iri, string, langString, number, integer, decimal, date, boolean; a datatype such as xsd:gYear; or a class (CURIE or
    /// IRI) whose members are allowed.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub description: Option<LocalizedText>,
    pub default: Option<ScalarOrList>,
    pub example: Option<ScalarOrList>,
    #[serde(default)]
    pub required: bool,
    /// The opposite of `required`.
    pub optional: Option<bool>,
    /// Whether several values may be given.
    #[serde(default)]
    pub list: bool,
    /// The allowed values; empty if all are.
    #[serde(default)]
    pub values: Vec<String>,
    /// The variables that get the value, if they are not named like the parameter.
    #[serde(skip)]
    pub variables: Vec<Variable>,
}

/// A variable that gets its value from a parameter, with its own type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub kind: Option<String>,
}

impl Param {
    /// Returns the variables of the query that get the value, with their types.
    pub fn variables<'a>(&'a self, name: &'a str) -> Vec<(&'a str, Option<&'a str>)> {
        match &self.variables[..] {
            [] => vec![(name, self.kind.as_deref())],
            variables => variables.iter().map(|v| (v.name.as_str(), v.kind.as_deref())).collect(),
        }
    }
}

/// A single text, or one for each of several languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum LocalizedText {
    One(String),
    Each(IndexMap<String, String>),
}

impl LocalizedText {
    /// Returns the text in a language, else in English, else the first one.
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

/// A YAML scalar: only its text matters.
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
pub enum DeclaredSeverity {
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
    "enumerate",
    "endpoint",
    "type",
    "default",
    "required",
    "optional",
    "list",
    "values",
];

/// Reads the header of a query file. It is empty if the file has none.
pub fn read(source: Source<'_>) -> Result<Header> {
    let mut yaml = String::new();
    // Header line -> line of the file (both from 0) and the column where its YAML starts.
    let mut lines: Vec<(usize, usize)> = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        let trimmed = line.trim_start();
        if let Some(rest) = trimmed.strip_prefix("#+") {
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            yaml.push_str(&quoted(rest));
            yaml.push('\n');
            lines.push((number, line.chars().count() - rest.chars().count()));
        } else if !(trimmed.is_empty() || trimmed.starts_with('#')) {
            break;
        }
    }
    if yaml.trim().is_empty() {
        return Ok(Header::default());
    }
    let mut header: Header = serde_saphyr::from_str(&yaml).map_err(|e| yaml_error(source, &lines, &e))?;
    for param in header.params.values_mut() {
        param.required |= param.optional == Some(false);
    }
    super::grlc::add_parameters(source.text, &mut header);
    Ok(header)
}

/// The keys with texts for people, in which a colon or a YAML indicator has no special meaning.
const TEXTS: [&str; 5] = ["title", "summary", "description", "question", "hint"];

/// A header line, with its plain text quoted if YAML would read more into it than its author meant.
fn quoted(line: &str) -> std::borrow::Cow<'_, str> {
    let Some((key, value)) = line.split_once(": ") else { return line.into() };
    let value = value.trim();
    let plain = !value.starts_with(['"', '\'', '{', '[', '|', '>']);
    let odd =
        value.contains(": ") || value.ends_with(':') || value.starts_with(['@', '`', '%', '*', '&', '!', '-', '?']);
    if TEXTS.contains(&key) && plain && odd {
        return format!("{key}: '{}'", value.replace('\'', "''")).into();
    }
    line.into()
}

fn yaml_error(source: Source<'_>, lines: &[(usize, usize)], error: &serde_saphyr::Error) -> Error {
    let message = error.without_snippet().to_string();
    // The library's own position refers to the extracted YAML; ours refers to the file.
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
