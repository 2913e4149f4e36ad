//! `kgq run`.

use super::ask::{AskArgs, Asking};
use super::output::Output;
use super::watchdog::Watchdog;
use crate::cli::complete;
use clap_complete::ArgValueCandidates;
use kgq_graph::catalog::{CannedQuery, Catalog, ParamKind, ParameterContext, Values, named_all};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::text::visible;
use std::fmt::Write as _;
use std::time::Instant;

/// Run a canned query of the project, with values for its parameters
///
/// `kgq run NAME --help` shows a query's question, its parameters with their types and defaults, and an example.
///
/// A query's header, lines that begin with #+, is YAML. Its `params` hold a name and then: `type` (iri, string, langString, number,
/// integer, decimal, date, boolean; a datatype such as xsd:gYear; or a class, whose members are allowed), `description`, `default`,
/// `example`, `required` or `optional`, `list` (several values) and `values` (those allowed). The query has the value wherever it
/// says $NAME. Queries written for grlc run as they are: ?_NAME is a required parameter, ?__NAME an optional one, with the endings
/// _iri, _number, _integer, _literal, _PREFIX_DATATYPE or a language such as _en; `defaults` and `enumerate` hold; `endpoint` is
/// not asked.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// The query's name, as `kgq queries` lists it
    #[arg(value_name = "QUERY", add = ArgValueCandidates::new(complete::queries))]
    pub name: Option<String>,
    /// Values for parameters: a CURIE, IRI or label for a thing; a list's members separated by commas
    #[arg(value_name = "NAME=VALUE")]
    pub values: Vec<String>,
    #[command(flatten)]
    pub ask: AskArgs,
    /// Show what the query asks and which parameters it takes
    #[arg(long, short)]
    pub help: bool,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let Some(name) = &args.name else {
        if args.help {
            return output.line(&super::help_of("run")).map(|()| 0);
        }
        return Err(nameless(graph.catalog()?));
    };
    let canned = graph.catalog()?.get(name)?;
    if args.help {
        let text = help(canned, graph)?;
        return output.page(&text).map(|()| 0);
    }
    let started = Instant::now();
    let values = Values::parse(&args.values)?;
    let source = canned.source();
    if args.ask.explain.show_parsed(source, graph, output)? {
        return Ok(0);
    }
    let watchdog = Watchdog::of_query(graph)?;
    let (written, query) = (graph.parse(source)?, graph.parse_canned(canned, &values)?);
    let asking = Asking { source, written: &written, query: &query, started, watchdog };
    args.ask.answer(asking, graph, output)
}

/// The error that no query is named, with some of the existing ones.
fn nameless(catalog: &Catalog) -> Error {
    const SHOWN: usize = 3;
    let questions: Vec<&CannedQuery> = catalog.queries.iter().filter(|query| !query.is_check()).collect();
    let shown: Vec<String> = questions.iter().take(SHOWN).map(|query| format!("`kgq run {}`", query.name)).collect();
    let error = Error::usage("the name of a canned query is missing");
    match questions.len() {
        0 => error.hint("the project has none: `kgq queries --help` says where they are looked for"),
        1..=SHOWN => error.hint(format!("there is {}: `kgq queries` says more", shown.join(", "))),
        all => error.hint(format!("for example {}; `kgq queries` lists all {all}", shown.join(", "))),
    }
}

/// The help text of a canned query: what it asks, and how to run it.
pub fn help(canned: &CannedQuery, graph: &Graph) -> Result<String> {
    let known = graph.known()?;
    let header = &canned.header;
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let title = canned.title("en");
    let _ = writeln!(out, "{} — {}", canned.name, one_line(title));
    for text in [&header.question, &header.description].into_iter().flatten() {
        for (language, text) in text.all().into_iter().filter(|(_, text)| *text != title) {
            let _ = match language {
                Some(language) => writeln!(out, "  {language}: {}", text.trim()),
                None => writeln!(out, "  {}", text.trim()),
            };
        }
    }
    let _ = writeln!(out, "\nUsage: kgq run {} [NAME=VALUE…]", canned.name);
    if !header.params.is_empty() {
        let _ = writeln!(out, "\nParameters:");
    }
    for (name, param) in &header.params {
        let kind = canned.kind(name, param, &known)?;
        let offers = match &kind {
            ParamKind::MemberOf(class) => offered(&known.members(class), &known)?,
            _ => None,
        };
        let kind = match kind {
            ParamKind::MemberOf(class) => format!("a {}", known.prefixes().display(class.as_str())),
            ParamKind::Iri => "an IRI, CURIE or label".into(),
            ParamKind::String => "string".into(),
            ParamKind::LangString => "text@language".into(),
            ParamKind::Language(tag) => format!("text in the language {tag}"),
            ParamKind::Number => "number".into(),
            ParamKind::Datatype(datatype) => known.prefixes().display(datatype.as_str()),
            ParamKind::Integer => "integer".into(),
            ParamKind::Decimal => "decimal".into(),
            ParamKind::Date => "date (YYYY-MM-DD)".into(),
            ParamKind::Boolean => "true or false".into(),
        };
        let list = if param.list { ", one or several separated by commas" } else { "" };
        let default = match (&param.default, param.required) {
            (Some(default), _) => format!("; default {}", default.texts().join(",")),
            (None, true) => "; required".into(),
            (None, false) => "; optional".into(),
        };
        let _ = writeln!(out, "  {name}  {kind}{list}{default}");
        if !param.values.is_empty() {
            let _ = writeln!(out, "      one of: {}", param.values.join(", "));
        }
        if let Some(description) = &param.description {
            let _ = writeln!(out, "      {}", description.in_language("en").trim());
        }
        if let Some(offers) = offers {
            let _ = writeln!(out, "      by CURIE or any label: {offers}");
        }
    }
    if !header.columns.is_empty() {
        let _ = writeln!(out, "\nColumns:");
    }
    for (name, text) in &header.columns {
        let _ = writeln!(out, "  {name}  {}", text.in_language("en").trim());
    }
    let _ = writeln!(out, "\nExample:\n  {}", example(canned));
    let _ = writeln!(out, "\nFile: {}", canned.file);
    if let Some(iri) = &canned.iri {
        let _ = writeln!(out, "IRI: <{}>", iri.as_str());
    }
    Ok(out.lines().map(|line| format!("{}\n", visible(line))).collect())
}

/// A text on one line: every run of white space becomes a space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The number of values listed for a parameter.
const OFFERED: usize = 6;

/// The values of a parameter with their labels: all if they are few, else the first ones; `None` if there are none.
fn offered(members: &[NamedNode], known: &dyn ParameterContext) -> Result<Option<String>> {
    let shown = named_all(members.iter().take(OFFERED), known)?;
    let more = members.len().saturating_sub(OFFERED);
    Ok(match (shown.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(shown.join(", ")),
        (false, more) => Some(format!("{} and {more} more", shown.join(", "))),
    })
}

/// A command that runs the query: the header's own, else one made of its examples.
pub fn example(canned: &CannedQuery) -> String {
    if let Some(example) = &canned.header.example {
        return example.trim().to_owned();
    }
    let mut command = format!("kgq run {}", canned.name);
    for (name, param) in &canned.header.params {
        if let Some(example) = param.example.as_ref().or(param.default.as_ref()) {
            let value = example.texts().join(",");
            let plain = value.chars().all(|c| c.is_alphanumeric() || "-_:./,".contains(c));
            let value = if plain { value } else { format!("'{}'", value.replace('\'', r"'\''")) };
            let _ = write!(command, " {name}={value}");
        }
    }
    command
}
