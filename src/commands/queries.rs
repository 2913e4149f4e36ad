//! `kgq queries`.

use super::output::Output;
use super::run::{example, one_line};
use kgq_graph::catalog::{CannedQuery, LocalizedText, Param};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{visible, width};
use serde_json::{Value, json};

/// List the project's canned queries, with titles and parameters
///
/// They are the files that `queries` in kgq.toml names: by default queries/**/*.rq, and .ttl for files in Turtle with SHACL's
/// executables (sh:SPARQLSelectExecutable and its like). Each thing there with sh:select, sh:construct or sh:ask is a query; a query of
/// a shape is none. It has the prefixes of sh:prefixes; rdfs:label and rdfs:comment are its title and description,
/// schema:keywords its tags, schema:target the endpoint that it is for, and each sh:parameter a parameter. It is called as its
/// file, or, if the file has several, by the last part of its IRI.
///
/// A header, the lines of an .rq file that begin with #+, is YAML with these keys: title (grlc: summary), question and description,
/// each a text or one in each language ({en: …, de: …}); tags; params, limit and offset (see `kgq run --help`); columns, what
/// each column of the answer holds; view (table, bar, timeline, graph, map), how a publication shows the answer; example, a
/// command to try; of a check, severity (error, warning) and hint; grlc's defaults, enumerate and endpoint, which is not asked.
/// grlc's endpoint_in_url, endpoint-method, method, mime, pagination, transform and licence have no meaning here; `kgq check`
/// names them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those whose name, tags, or title, question or description in any language contain this
    pub filter: Option<String>,
    /// The language of titles
    #[arg(long, default_value = "en", value_name = "TAG")]
    pub language: String,
    /// List the project's checks too
    #[arg(long)]
    pub all: bool,
    /// How they are listed
    #[arg(long, value_enum, default_value_t = ListFormat::Text, value_name = "FORMAT")]
    pub format: ListFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ListFormat {
    /// For people
    Text,
    /// All that is known, texts in all their languages (`und` where none is said)
    Json,
}

/// The width of the column of names; longer names do not shift the titles of the others.
const WIDEST_NAME: usize = 48;

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let catalog = graph.catalog()?;
    let wanted = args.filter.as_deref().unwrap_or_default().to_lowercase();
    let matching = |query: &&CannedQuery| (args.all || !query.is_check()) && query.holds(&wanted);
    let found: Vec<&CannedQuery> = catalog.queries.iter().filter(matching).collect();
    match args.format {
        ListFormat::Text => list(&found, args, output)?,
        ListFormat::Json => {
            let lines: Vec<String> = found.iter().map(|query| to_json(query).to_string()).collect();
            output.line(&format!("[{}]", lines.join(",\n ")))?;
        }
    }
    if found.is_empty() && catalog.broken.is_empty() {
        output.note(&match &args.filter {
            Some(filter) => format!("no canned query is called something like `{filter}`"),
            None => "the project has no canned queries: put them in queries/ as .rq files".into(),
        });
    }
    if !output.quiet {
        catalog.passed_over.iter().for_each(|(_, why)| output.warn(&why.clone().as_warning()));
    }
    match Error::all(catalog.broken.iter().map(|(_, error)| error.clone())) {
        Some(error) => Err(error),
        None => Ok(0),
    }
}

fn list(found: &[&CannedQuery], args: &Args, output: &mut Output) -> Result<()> {
    let longest = found.iter().map(|q| width(&q.name)).filter(|width| *width <= WIDEST_NAME).max().unwrap_or(0);
    for query in found {
        let params: Vec<&str> = query.header.params.keys().map(String::as_str).collect();
        let params = if params.is_empty() { String::new() } else { format!("  [{}]", params.join(" ")) };
        let pad = " ".repeat(longest.saturating_sub(width(&query.name)));
        let elsewhere = query.endpoint().map(|e| format!("  (for {e})")).unwrap_or_default();
        let title = one_line(query.title(&args.language));
        output.line(&format!("{}{pad}  {}{params}{elsewhere}", visible(&query.name), visible(&title)))?;
    }
    Ok(())
}

fn to_json(query: &CannedQuery) -> Value {
    let header = &query.header;
    let params: Vec<Value> = header.params.iter().map(|(name, param)| param_to_json(name, param)).collect();
    json!({
        "name": query.name,
        "file": query.file,
        "iri": query.iri.as_ref().map(|iri| iri.as_str()),
        "check": query.is_check(),
        "title": by_language(header.title.as_ref()),
        "question": by_language(header.question.as_ref()),
        "description": by_language(header.description.as_ref()),
        "tags": header.tags,
        "endpoint": query.endpoint(),
        "params": params,
        "columns": header.columns.iter().map(|(name, text)| (name.clone(), by_language(Some(text)))).collect::<serde_json::Map<_, _>>(),
        "example": example(query),
    })
}

fn param_to_json(name: &str, param: &Param) -> Value {
    let kind = param.variables(name).first().and_then(|(_, kind)| *kind).unwrap_or("string").to_owned();
    json!({
        "name": name,
        "type": kind,
        "required": param.required,
        "list": param.list,
        "default": param.default.as_ref().map(|value| value.texts()),
        "values": param.values,
        "example": param.example.as_ref().map(|value| value.texts()),
        "description": by_language(param.description.as_ref()),
    })
}

fn by_language(text: Option<&LocalizedText>) -> Value {
    let texts = text.map(LocalizedText::all).unwrap_or_default();
    let texts = texts.into_iter().map(|(language, text)| (language.unwrap_or("und").to_owned(), text.trim().into()));
    Value::Object(texts.collect())
}
