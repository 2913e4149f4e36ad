//! Parses queries; the parser of updates shares this code. A project's prefixes need no declaration, and positions
//! remain those of the user's text.

use super::functions;
use crate::executor::output_variables;
use kgq_syntax::bounds::{Bounds, tokens_within};
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::iri::without_dots;
use kgq_syntax::rdf::{NamedNode, Prefixes, Variable};
use kgq_syntax::rewrite::Rewriting;
use kgq_syntax::{Token, diagnose, significant, sparql, strict};
use spargebra::algebra::{GraphPattern, QueryDataset};
use spargebra::{SparqlParser, SparqlSyntaxError};

/// What parsing needs in addition to the text.
#[derive(Clone, Copy, Debug)]
pub struct ParseContext<'a> {
    /// Prefixes that need no declaration; a declaration in the text takes precedence.
    pub prefixes: &'a Prefixes,
    /// The base of relative IRIs, unless the text has a BASE.
    pub base: Option<&'a str>,
    /// Bounds of a text, checked before it is parsed.
    pub bounds: Bounds,
}

/// The form of a query's answer (SPARQL 1.1 §16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Select,
    Ask,
    Construct,
    Describe,
}

impl Form {
    /// Returns the form with its article, for messages.
    pub fn with_article(self) -> &'static str {
        match self {
            Self::Select => "a SELECT",
            Self::Ask => "an ASK",
            Self::Construct => "a CONSTRUCT",
            Self::Describe => "a DESCRIBE",
        }
    }

    /// Returns the keyword with which a query of this form begins.
    pub fn keyword(self) -> &'static str {
        self.with_article().rsplit(' ').next().unwrap_or_default()
    }
}

/// A parsed query.
#[derive(Clone, Debug)]
pub struct Query {
    pub algebra: spargebra::Query,
}

impl Query {
    /// Returns the columns of its answer: the variables of a SELECT, the parts of the triples of a CONSTRUCT or DESCRIBE.
    pub fn columns(&self) -> Vec<Variable> {
        match &self.algebra {
            spargebra::Query::Select { pattern, .. } => output_variables(pattern),
            spargebra::Query::Ask { .. } => Vec::new(),
            spargebra::Query::Construct { .. } | spargebra::Query::Describe { .. } => {
                ["subject", "predicate", "object"].map(Variable::new_unchecked).to_vec()
            }
        }
    }

    pub fn form(&self) -> Form {
        match self.algebra {
            spargebra::Query::Select { .. } => Form::Select,
            spargebra::Query::Ask { .. } => Form::Ask,
            spargebra::Query::Construct { .. } => Form::Construct,
            spargebra::Query::Describe { .. } => Form::Describe,
        }
    }

    /// Sets the dataset of the query to these graphs, overriding that of its text (SPARQL 1.1 Protocol, §2.1.4).
    pub fn set_dataset(&mut self, default: Vec<NamedNode>, named: Vec<NamedNode>) {
        let (spargebra::Query::Select { dataset, .. }
        | spargebra::Query::Construct { dataset, .. }
        | spargebra::Query::Describe { dataset, .. }
        | spargebra::Query::Ask { dataset, .. }) = &mut self.algebra;
        *dataset = Some(QueryDataset { default, named: Some(named) });
    }

    /// Returns the algebra as an S-expression (the notation of Apache Jena's SSE).
    pub fn to_sse(&self) -> String {
        self.algebra.to_sse()
    }
}

/// Parses a query.
pub fn parse_query(source: Source<'_>, context: ParseContext<'_>) -> Result<Query> {
    let tokens = tokens_within(source, &context.bounds)?;
    let mut algebra = parse(source, &tokens, context, SparqlParser::parse_query, diagnose::query)?;
    strict::check(source, &tokens)?;
    order_columns(source.text, &tokens, &mut algebra);
    functions::lower(&mut algebra);
    Ok(Query { algebra })
}

/// Puts the columns of `SELECT *` into the order in which the text names them; spargebra sorts them by name.
fn order_columns(text: &str, tokens: &[Token], query: &mut spargebra::Query) {
    let mut after_select = tokens.iter().skip_while(|t| !t.is_keyword(text, "SELECT")).skip(1);
    let star = after_select.find(|t| !t.is_keyword(text, "DISTINCT") && !t.is_keyword(text, "REDUCED"));
    let (true, spargebra::Query::Select { pattern, .. }) = (star.is_some_and(|t| t.is(text, "*")), query) else {
        return;
    };
    let mut inner = pattern;
    let variables = loop {
        match inner {
            GraphPattern::Slice { inner: next, .. }
            | GraphPattern::Distinct { inner: next }
            | GraphPattern::Reduced { inner: next } => inner = next,
            GraphPattern::Project { variables, .. } => break variables,
            _ => return,
        }
    };
    let named: Vec<&str> = tokens.iter().filter_map(|t| t.variable(text)).collect();
    variables.sort_by_key(|v| named.iter().position(|name| *name == v.as_str()));
}

/// Parses a text as it is, or rewritten if spargebra needs another form.
pub(super) fn parse<T>(
    source: Source<'_>,
    tokens: &[Token],
    context: ParseContext<'_>,
    parse: impl Fn(SparqlParser, &str) -> std::result::Result<T, SparqlSyntaxError>,
    say: impl Fn(Source<'_>, &str, diagnose::Known<'_>) -> Error,
) -> Result<T> {
    let parser = parser(source.text, tokens, context)?;
    let read = |text: &str, tokens: &[Token]| {
        let as_read = strict::as_read(text, tokens);
        parse(parser.clone(), &as_read.text).map_err(|refusal| as_read.as_written(&refusal.to_string()))
    };
    let parsed = read(source.text, tokens);
    let rewriting = Rewriting::of(source.text, tokens);
    if (parsed.is_err() || rewriting.is_needed())
        && let Some(text) = rewriting.apply(source.text)
        && let Ok(parsed) = read(&text, &significant(&sparql::tokenize(&text)))
    {
        return Ok(parsed);
    }
    parsed.map_err(|refusal| diagnose(source, &refusal, context, say))
}

fn parser(text: &str, tokens: &[Token], context: ParseContext<'_>) -> Result<SparqlParser> {
    let mut parser = SparqlParser::new();
    if let Some(base) = context.base {
        parser =
            parser.with_base_iri(without_dots(base)).map_err(|e| Error::input(format!("the base is no IRI: {e}")))?;
    }
    let wanted = sparql::undeclared_prefixes(text, tokens);
    for (prefix, namespace) in context.prefixes.iter().filter(|(prefix, _)| wanted.contains(prefix)) {
        // An invalid namespace can come from a file that was read leniently; a query that uses it will report it.
        if let Ok(with) = parser.clone().with_prefix(prefix, namespace) {
            parser = with;
        }
    }
    Ok(parser)
}

/// Diagnoses a refused text, with the prefixes and the base of its context.
fn diagnose(
    source: Source<'_>,
    refusal: &str,
    context: ParseContext<'_>,
    say: impl Fn(Source<'_>, &str, diagnose::Known<'_>) -> Error,
) -> Error {
    let prefixes: Vec<(&str, &str)> = context.prefixes.iter().collect();
    say(source, refusal, diagnose::Known { prefixes: &prefixes, base: context.base.is_some() })
}
