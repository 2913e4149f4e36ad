//! Parsing of queries and updates. A project's prefixes need no declaration, and positions stay those of the user's text.

use crate::error::{Error, Result, Source};
use crate::rdf::Prefixes;
use crate::syntax::bounds::{Bounds, check_query};
use crate::syntax::diagnose;
use spargebra::{SparqlParser, SparqlSyntaxError};

/// What a text is parsed with besides itself.
#[derive(Clone, Copy, Debug)]
pub struct ParseContext<'a> {
    /// Prefixes that need no declaration; one in the text wins.
    pub prefixes: &'a Prefixes,
    /// What relative IRIs are resolved against, unless the text has a BASE.
    pub base: Option<&'a str>,
    /// What a text may be, checked before the parser sees it.
    pub bounds: Bounds,
}

/// What form of answer a query has (SPARQL 1.1 §16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Select,
    Ask,
    Construct,
    Describe,
}

/// A parsed query.
#[derive(Clone, Debug)]
pub struct Query {
    pub algebra: spargebra::Query,
}

impl Query {
    pub fn form(&self) -> Form {
        match self.algebra {
            spargebra::Query::Select { .. } => Form::Select,
            spargebra::Query::Ask { .. } => Form::Ask,
            spargebra::Query::Construct { .. } => Form::Construct,
            spargebra::Query::Describe { .. } => Form::Describe,
        }
    }

    /// The algebra as an S-expression (the notation of Apache Jena's SSE).
    pub fn to_sse(&self) -> String {
        self.algebra.to_sse()
    }
}

/// A parsed update.
#[derive(Clone, Debug)]
pub struct Update {
    pub algebra: spargebra::Update,
}

/// Parses a query.
pub fn parse_query(source: Source<'_>, context: ParseContext<'_>) -> Result<Query> {
    check_query(source, &context.bounds)?;
    let algebra =
        parser(context)?.parse_query(source.text).map_err(|e| diagnose(source, &e, context, diagnose::query))?;
    Ok(Query { algebra })
}

/// Parses an update.
pub fn parse_update(source: Source<'_>, context: ParseContext<'_>) -> Result<Update> {
    check_query(source, &context.bounds)?;
    let algebra =
        parser(context)?.parse_update(source.text).map_err(|e| diagnose(source, &e, context, diagnose::update))?;
    Ok(Update { algebra })
}

fn parser(context: ParseContext<'_>) -> Result<SparqlParser> {
    let mut parser = SparqlParser::new();
    if let Some(base) = context.base {
        parser = parser.with_base_iri(base).map_err(|e| Error::input(format!("the base is no IRI: {e}")))?;
    }
    for (prefix, namespace) in context.prefixes.iter() {
        // A namespace that is no IRI can come from a file that was read leniently; a query that uses it will say so.
        if let Ok(with) = parser.clone().with_prefix(prefix, namespace) {
            parser = with;
        }
    }
    Ok(parser)
}

/// What the diagnosis of a refused text knows beside it.
fn diagnose(
    source: Source<'_>,
    refusal: &SparqlSyntaxError,
    context: ParseContext<'_>,
    say: impl Fn(Source<'_>, &str, diagnose::Known<'_>) -> Error,
) -> Error {
    let prefixes: Vec<(&str, &str)> = context.prefixes.iter().collect();
    say(source, &refusal.to_string(), diagnose::Known { prefixes: &prefixes, base: context.base.is_some() })
}
