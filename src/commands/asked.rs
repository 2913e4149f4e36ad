//! The query that a command explains: a canned one with values for its parameters, or a text.

use super::query::read_text;
use crate::cli::complete;
use clap_complete::ArgValueCandidates;
use kgq_engine::query::Query;
use kgq_graph::catalog::{CannedQuery, Values};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result, Source};

/// Which query.
#[derive(Clone, Debug, clap::Args)]
pub struct AskedArgs {
    /// A canned query's name, or a query's text
    #[arg(value_name = "QUERY", required_unless_present = "file", add = ArgValueCandidates::new(complete::queries))]
    pub query: Option<String>,
    /// Values for parameters of a canned query
    #[arg(value_name = "NAME=VALUE")]
    pub values: Vec<String>,
    /// Read the query from this file; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["query", "values"])]
    pub file: Option<String>,
}

/// The query that the arguments name.
pub enum Asked<'g> {
    Canned(&'g CannedQuery, Values),
    Written { name: String, text: String },
}

/// Whether this is a query's text and no name: it has a variable or a group, or begins with a keyword, as `DESCRIBE :ada`
/// does.
fn is_text(query: &str) -> bool {
    let first = query.split_once(char::is_whitespace).map(|(first, _)| first);
    let begins = |word: &&str| {
        ["SELECT", "ASK", "CONSTRUCT", "DESCRIBE", "PREFIX", "BASE"].iter().any(|k| k.eq_ignore_ascii_case(word))
    };
    query.contains(['{', '?']) || first.as_ref().is_some_and(begins)
}

impl AskedArgs {
    /// # Errors
    /// A name that no query has; values for a query without parameters.
    pub fn read<'g>(&self, graph: &'g Graph) -> Result<Asked<'g>> {
        if let Some(name) = &self.query
            && graph.project().is_some()
            && !is_text(name)
        {
            return Ok(Asked::Canned(graph.catalog()?.get(name)?, Values::parse(&self.values)?));
        }
        if !self.values.is_empty() {
            return Err(Error::usage("only canned queries have parameters"));
        }
        let (name, text) = read_text(self.query.as_deref(), self.file.as_deref(), "query")?;
        Ok(Asked::Written { name, text })
    }

    /// Returns the query with its parameters bound.
    ///
    /// # Errors
    /// As [`AskedArgs::read`]; a query that does not parse.
    pub fn query(&self, graph: &Graph) -> Result<Query> {
        match self.read(graph)? {
            Asked::Canned(canned, values) => graph.parse_canned(canned, &values),
            Asked::Written { name, text } => graph.parse(Source::new(&name, &text)),
        }
    }
}
