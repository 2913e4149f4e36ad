//! Queries and updates: texts are parsed with what the graph declares, and evaluated.

use super::load::well_known;
use super::{Graph, kept};
use crate::answers::Outcome;
use crate::catalog::{CannedQuery, Values};
use crate::project;
use kgq_engine::query::{self, ParseContext, Query};
use kgq_engine::update::Change;
use kgq_engine::{self as engine, Answer, EvaluationOptions, Failures, Limits, Plans};
use kgq_snapshot::Snapshot;
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{Contested, NamedNode, Prefixes};
use kgq_syntax::significant;
use kgq_syntax::sparql;
use kgq_syntax::words::WELL_KNOWN_PREFIXES;
use std::sync::Arc;

/// What a request says about its update besides the text (SPARQL 1.1 Protocol, §2.2).
#[derive(Clone, Debug, Default)]
pub struct UpdateContext {
    /// The base for relative IRIs if the graph has no base of its own.
    pub base: Option<String>,
    /// The graphs that all patterns match against: as default graph, and as named graphs.
    pub dataset: Option<(Vec<NamedNode>, Vec<NamedNode>)>,
}

impl Graph {
    pub fn parse_context(&self) -> Result<ParseContext<'_>> {
        Ok(ParseContext { prefixes: self.query_prefixes()?, base: self.base(), bounds: self.options.bounds })
    }

    /// The prefixes that a query need not declare. A project defines its own; for files without a project the widely
    /// known prefixes are added.
    pub(crate) fn query_prefixes(&self) -> Result<&Prefixes> {
        if self.project.is_some() {
            return self.prefixes();
        }
        kept(&self.well_known, || {
            let mut prefixes = self.prefixes()?.clone();
            for (prefix, namespace) in WELL_KNOWN_PREFIXES {
                prefixes.insert_if_absent(prefix, namespace);
            }
            Ok(prefixes)
        })
    }

    /// Returns the prefixes, with their namespaces, that a query uses although nothing declares them: they are assumed
    /// to have their well-known meaning.
    pub fn assumed_prefixes<'a>(&'a self, text: &'a str) -> Result<Vec<(&'a str, &'a str)>> {
        let (declared, usable) = (self.prefixes()?, self.query_prefixes()?);
        let undeclared = sparql::undeclared_prefixes(text, &significant(&sparql::tokenize(text)));
        let assumed = undeclared.into_iter().filter(|prefix| declared.get(prefix).is_none());
        Ok(assumed.filter_map(|prefix| Some((prefix, usable.get(prefix)?))).collect())
    }

    /// Warns of each prefix that the query takes from files that disagree about it.
    pub fn remarks_on_prefixes(&self, source: Source<'_>) -> Result<Vec<Error>> {
        let tokens = significant(&sparql::tokenize(source.text));
        let undeclared = sparql::undeclared_prefixes(source.text, &tokens);
        let used = sparql::prefixes_used(source.text, &tokens);
        let contested = self.contested_prefixes()?.into_iter();
        let asked = contested.filter(|contested| undeclared.contains(&contested.prefix.as_str()));
        let remark = |contested: &Contested| {
            let Contested { prefix, namespace, file, other, other_file } = contested;
            let remark = Error::input(format!(
                "`{prefix}:` is taken for <{namespace}>, as in {file}; in {other_file} it stands for <{other}>"
            ))
            .hint(format!(
                "declare the one that is meant: `PREFIX {prefix}: <…>` in the query, or below `[prefixes]` in kgq.toml"
            ));
            match used.iter().find(|(used, _)| used == prefix) {
                Some((_, span)) => remark.at(source.place(span.clone())),
                None => remark,
            }
        };
        Ok(asked.map(remark).collect())
    }

    /// Parses a query; one that needs the network is refused unless a host is named that may be asked.
    pub fn parse(&self, source: Source<'_>) -> Result<Query> {
        self.parse_in(source, self.parse_context()?)
    }

    /// Parses a query; relative IRIs are resolved against `base` if the graph has no base of its own.
    pub fn parse_at(&self, source: Source<'_>, base: &str) -> Result<Query> {
        let context = self.parse_context()?;
        self.parse_in(source, ParseContext { base: context.base.or(Some(base)), ..context })
    }

    fn parse_in(&self, source: Source<'_>, context: ParseContext<'_>) -> Result<Query> {
        let query = match self.plans() {
            Some(plans) => plans.parse(source, context)?,
            None => query::parse_query(source, context)?,
        };
        if self.services().is_none() {
            query::refuse_network(source, &query.algebra).map_err(|error| self.told_of_network(error))?;
        }
        query::functions::refuse_unknown(source, &query.algebra, self.prefixes()?)?;
        Ok(query)
    }

    /// Parses a query that will not be run: it may use what would need the network or another engine. The data are read
    /// only if a prefix is declared nowhere else.
    pub fn parse_only(&self, source: Source<'_>) -> Result<(Query, Prefixes)> {
        let mut prefixes = self.project.as_ref().map(|project| project.prefixes()).unwrap_or_default();
        well_known(&mut prefixes);
        let missing = sparql::undeclared_prefixes(source.text, &sparql::tokenize(source.text));
        let has_data = self.project.is_some() || self.options.snapshot.is_some() || !self.options.files.is_empty();
        if has_data && missing.iter().any(|prefix| prefixes.get(prefix).is_none()) {
            prefixes = self.prefixes()?.clone();
        }
        let context = ParseContext { prefixes: &prefixes, base: self.base(), bounds: self.options.bounds };
        let query = query::parse_query(source, context)?;
        Ok((query, prefixes))
    }

    /// Parses a canned query and binds the values of its parameters.
    pub fn parse_canned(&self, canned: &CannedQuery, values: &Values) -> Result<Query> {
        let mut query = self.parse(canned.source())?;
        let applied = canned.apply(&mut query, values, &self.known()?);
        self.intact()?;
        applied?;
        Ok(query)
    }

    /// The plans of earlier queries, once there is a snapshot that they belong to.
    fn plans(&self) -> Option<&Arc<Plans>> {
        let snapshot = self.snapshot.get()?;
        Some(self.plans.get_or_init(|| Arc::new(Plans::of(snapshot.clone()))))
    }

    /// Returns the options that this graph's queries are evaluated with. Whoever holds the options can stop the queries
    /// run with them.
    pub fn evaluation_options(&self) -> EvaluationOptions {
        let default_graph = match self.project.as_ref().map(|p| p.manifest.default_graph) {
            Some(project::DefaultGraphSetting::Union) => engine::DefaultGraph::Union,
            Some(project::DefaultGraphSetting::Default) | None => engine::DefaultGraph::Stored,
        };
        let executor = self.options.executor;
        let budget = self.options.budget.child(Work::Query, Limits::default());
        let (limits, services) = (self.options.limits, self.services());
        let plans = self.plans().cloned();
        EvaluationOptions { executor, default_graph, limits, budget, services, plans, ..Default::default() }
    }

    /// Evaluates a query. The answer holds the snapshot, so it can outlive this graph.
    pub fn evaluate(&self, query: &Query) -> Result<Answer> {
        self.evaluate_counting(query, &Failures::default())
    }

    /// Evaluates a query; expressions that fail are counted while the answer is read.
    pub fn evaluate_counting(&self, query: &Query, failures: &Failures) -> Result<Answer> {
        let options = EvaluationOptions { failures: failures.clone(), ..self.evaluation_options() };
        engine::evaluate(self.snapshot()?, query, &options)
    }

    /// Returns the whole answer to a canned query, in the form that expected answers are compared with.
    pub fn outcome(&self, canned: &CannedQuery, values: &Values) -> Result<Outcome> {
        let query = self.parse_canned(canned, values)?;
        Ok(match self.evaluate(&query)? {
            Answer::Boolean(value) => Outcome::Boolean(value),
            Answer::Graph(triples) => Outcome::Graph(triples.0.collect::<Result<_>>()?),
            Answer::Solutions(solutions) => Outcome::Table {
                columns: solutions.variables,
                rows: solutions.rows.collect::<Result<_>>()?,
                ordered_by: query::order_columns(&query),
            },
        })
    }

    /// Returns what an update changes in the statements; the graph itself stays as it is.
    pub fn update(&self, source: Source<'_>) -> Result<Change> {
        let update = self.parse_update(source, &UpdateContext::default())?;
        engine::update::update(self.snapshot()?, source, &update, &self.evaluation_options())
    }

    /// Returns what an update changes in other statements, as if they were the graph's.
    pub fn update_of(&self, statements: &Snapshot, source: Source<'_>, context: &UpdateContext) -> Result<Change> {
        let update = self.parse_update(source, context)?;
        engine::update::update(statements, source, &update, &self.evaluation_options())
    }

    /// Parses an update; one that needs the network is refused.
    pub(crate) fn parse_update(&self, source: Source<'_>, context: &UpdateContext) -> Result<query::Update> {
        let own = self.parse_context()?;
        let mut update =
            query::parse_update(source, ParseContext { base: own.base.or(context.base.as_deref()), ..own })?;
        if let Some((default, named)) = &context.dataset {
            update.set_dataset(source, default, named)?;
        }
        query::refuse_network_in_update(source, &update)?;
        query::functions::refuse_unknown_in_update(source, &update, self.prefixes()?)?;
        Ok(update)
    }
}
