//! `kgq queries`.

use super::output::Output;
use kgq_graph::catalog::CannedQuery;
use kgq_graph::session::Session;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::{visible, width};

/// List the project's canned queries, with titles and parameters
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
}

pub fn run(args: &Args, session: &mut Session, output: &mut Output) -> Result<u8> {
    let catalog = session.catalog()?;
    let wanted = args.filter.as_deref().unwrap_or_default().to_lowercase();
    let matching = |query: &&CannedQuery| (args.all || !query.is_check()) && query.holds(&wanted);
    let found: Vec<&CannedQuery> = catalog.queries.iter().filter(matching).collect();
    let longest = found.iter().map(|q| width(&q.name)).max().unwrap_or(0);
    for query in &found {
        let params: Vec<&str> = query.header.params.keys().map(String::as_str).collect();
        let params = if params.is_empty() { String::new() } else { format!("  [{}]", params.join(" ")) };
        let pad = " ".repeat(longest - width(&query.name));
        let elsewhere = query.endpoint().map(|e| format!("  (for {e})")).unwrap_or_default();
        output.line(&format!(
            "{}{pad}  {}{params}{elsewhere}",
            visible(&query.name),
            visible(query.title(&args.language))
        ))?;
    }
    if found.is_empty() && catalog.broken.is_empty() {
        output.note(&match &args.filter {
            Some(filter) => format!("no canned query is called something like `{filter}`"),
            None => "the project has no canned queries: put them in queries/ as .rq files".into(),
        });
    }
    match Error::all(catalog.broken.iter().map(|(_, error)| error.clone())) {
        Some(error) => Err(error),
        None => Ok(0),
    }
}
