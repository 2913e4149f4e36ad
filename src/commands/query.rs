//! `kgq query`.

use super::ask::{AskArgs, Asking};
use super::output::Output;
use super::watchdog::Watchdog;
use kgq_graph::graph::Graph;
use kgq_snapshot::store::{not_utf8, open_file, other_encoding};
use kgq_syntax::error::{Error, Result, Source};
use std::io::Read;
use std::path::Path;
use std::time::Instant;

/// Answer a SPARQL query: SELECT, ASK, CONSTRUCT or DESCRIBE
///
/// Every prefix of the project and of its files may be used without declaring it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq query 'SELECT ?city ?name { ?city a ou:Region ; rdfs:label ?name FILTER(lang(?name) = \"zh\") }'
  kgq query -d people.ttl -d places.nt.gz 'SELECT * { ?s ?p ?o } LIMIT 10'
  kgq query -f question.rq --format csv --output answer.csv")]
pub struct Args {
    /// The query's text
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    pub text: Option<String>,
    /// Read the query from this file; `-` is standard input
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<String>,
    #[command(flatten)]
    pub ask: AskArgs,
}

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let started = Instant::now();
    let (name, text) = read_text(args.text.as_deref(), args.file.as_deref(), "query")?;
    let source = Source::new(&name, &text);
    if args.ask.explain.show_parsed(source, graph, output)? {
        return Ok(0);
    }
    let watchdog = Watchdog::of_query(graph)?;
    let query = graph.parse(source)?;
    let asking = Asking { source, written: &query, query: &query, started, watchdog };
    args.ask.answer(asking, graph, output)
}

/// An error if the query text looks like a file name: no query is a single word with the ending of a file.
fn file_as_text(text: &str) -> Option<Error> {
    let text = text.trim();
    let path = Path::new(text);
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let named = matches!(ending.as_deref(), Some("rq" | "sparql" | "ru"));
    let one_word = !text.contains(|c: char| c.is_whitespace() || "{}<>?".contains(c));
    (one_word && (named || path.is_file())).then(|| {
        Error::usage(format!("`{text}` is the name of a file, not its text")).hint(format!("read it with `-f {text}`"))
    })
}

/// The most bytes read of a query: a configured limit on its size cannot be higher.
const LONGEST: u64 = 256 << 20;

/// Reads the text from the command line, a file or standard input; returns its name for messages, and the text.
pub fn read_text(text: Option<&str>, file: Option<&str>, what: &str) -> Result<(String, String)> {
    match (text, file) {
        (Some(text), _) => match file_as_text(text) {
            Some(error) => Err(error),
            None => Ok((format!("<{what}>"), text.to_owned())),
        },
        (None, Some("-")) => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().take(LONGEST).read_to_end(&mut bytes);
            read.map_err(|e| Error::io("standard input", &e))?;
            Ok(("<stdin>".into(), utf8("<stdin>", bytes)?))
        }
        (None, Some(file)) => {
            let mut bytes = Vec::new();
            let read = open_file(file, Path::new(file))?.take(LONGEST).read_to_end(&mut bytes);
            read.map_err(|e| Error::io(file, &e))?;
            Ok((file.to_owned(), utf8(file, bytes)?))
        }
        (None, None) => Err(Error::usage(format!("no {what} was given"))
            .hint("write it as an argument, or name its file with `-f FILE` (`-f -` reads standard input)")),
    }
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String> {
    if let Some(encoding) = other_encoding(bytes.get(..4).unwrap_or(&bytes)) {
        return Err(not_utf8(name, encoding));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1;
        Error::input(format!("{name} is not UTF-8: line {line} has byte 0x{:02X}", e.as_bytes().get(at).unwrap_or(&0)))
    })?;
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}
