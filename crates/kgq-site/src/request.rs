//! Publishes the site of a graph on request: gathers the content from the graph and writes all of it.

use super::answers::published;
use super::folder::{Maker, resume};
use super::model::Source;
use super::query::{NoAnswer, PublishedAnswer, PublishedQuery};
use super::rebased::rebase_query;
use super::{Report, Writing, write};
use kgq_graph::audit::Audit;
use kgq_graph::catalog::Labels;
use kgq_graph::export::rebase::Rebase;
use kgq_graph::graph::Graph;
use kgq_graph::request::history::{LineTimes, last_changes};
use kgq_snapshot::Snapshot;
use kgq_snapshot::store::Unfinished;
use kgq_syntax::budget::{Budget, Work};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Prefixes;
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::Arc;

/// A request to publish a site.
pub struct Request<'a> {
    /// A folder that is empty, new, or made by an earlier run.
    pub output: &'a Path,
    /// The language of titles; by default that of the graph.
    pub language: Option<&'a str>,
    /// Whether a missing page, a missing answer or an unreadable file is an error.
    pub strict: bool,
    /// A new base for the graph's own IRIs.
    pub rebase: Option<&'a Rebase>,
    /// The address at which the pages will be, if not at the base.
    pub base_url: Option<&'a str>,
    /// The address of a SPARQL endpoint over the same data, if there is one.
    pub endpoint: Option<&'a str>,
    /// Files of the query page: a path below `assets/` and its bytes.
    pub assets: Vec<(String, Vec<u8>)>,
    /// When the lines of a file below a project's root were committed, if known.
    pub line_times: &'a dyn Fn(&Path, &Path) -> Option<LineTimes>,
    /// The list of files to remove if the process ends before they are complete.
    pub unfinished: &'a Unfinished,
}

/// The progress of publishing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage<'a> {
    Reading { file: &'a str, quads: u64 },
    History,
    Answering { query: &'a str, number: usize, of: usize },
    Conclusions,
    Dumps,
    Files { done: u64, of: u64 },
}

/// A site that was written.
pub struct Published {
    pub report: Report,
    pub left_out: LeftOut,
    /// The prefixes of the IRIs on the site.
    pub prefixes: Prefixes,
}

/// What could not be published, with the reasons.
#[derive(Debug, Default)]
pub struct LeftOut {
    pub files: Vec<Error>,
    pub queries: Vec<Error>,
    /// Reasons why queries on the site have no answer.
    pub answers: Vec<Error>,
}

/// Publishes the site of a graph. If it exceeds the graph's limits on time and memory, it stops, and an older site remains.
///
/// # Errors
/// The graph has no base, kgq did not make the folder, a limit is exceeded, or `strict` is set and something would be left out.
pub fn publish(graph: &Graph, request: Request<'_>, told: &(dyn Fn(Stage<'_>) + Sync)) -> Result<Published> {
    let base = graph.base().ok_or_else(|| {
        Error::usage("it is not known which IRIs are the graph's own, to have pages")
            .hint("set `base` in kgq.toml, or say `--base IRI`")
    })?;
    // Check the folder before the work, which may take long.
    resume(request.output, Maker::Publish)?;
    let budget = graph.budget_of(Work::Export);
    let mut left_out = LeftOut::default();
    let reading = |file: &str, quads| told(Stage::Reading { file, quads });
    let whole;
    let graph = if request.strict {
        graph
    } else {
        (whole, left_out.files) = graph.leaving_out_broken(Some(&reading))?;
        &whole
    };
    graph.snapshot()?;
    told(Stage::History);
    let changed = match graph.project() {
        Some(project) => last_changes(project, base, &|file| (request.line_times)(&project.root, file)),
        None => FxHashMap::default(),
    };
    let audit = Arc::new(graph.audit()?);
    let queries = canned_queries(graph, &audit, &mut left_out, &budget, told)?;
    if let Some(error) =
        Error::all(left_out.queries.iter().chain(&left_out.answers).cloned()).filter(|_| request.strict)
    {
        return Err(error);
    }
    told(Stage::Conclusions);
    let inferred = {
        let quads = graph.infer(graph.entailment(), &budget)?.quads;
        Snapshot::from_quads_in_order(&quads, &budget)?
    };
    let mut shown = Shown {
        base: base.to_owned(),
        prefixes: graph.prefixes()?.clone(),
        snapshot: graph.snapshot()?.clone(),
        inferred,
        queries,
        changed,
        audit: Some(audit),
    };
    if let Some(rebase) = request.rebase {
        shown = shown.rebased(rebase, &budget)?;
    }
    let (report, prefixes) = shown.write(graph, request, &budget, told)?;
    Ok(Published { report, left_out, prefixes })
}

/// The canned queries with their answers. Failures to read or answer a query are collected in `left_out`.
fn canned_queries<'a>(
    graph: &'a Graph,
    audit: &Arc<Audit<'a>>,
    left_out: &mut LeftOut,
    budget: &Budget,
    told: &dyn Fn(Stage<'_>),
) -> Result<Vec<PublishedQuery<'a>>> {
    let mut queries = Vec::new();
    if graph.project().is_none() {
        return Ok(queries);
    }
    let catalog = graph.catalog()?;
    left_out.queries = catalog.broken.iter().map(|(_, error)| error.clone()).collect();
    for (number, canned) in (1..).zip(&catalog.queries) {
        budget.check()?;
        told(Stage::Answering { query: &canned.name, number, of: catalog.queries.len() });
        match published(graph, audit, canned) {
            Ok(query) => {
                if let PublishedAnswer::None(NoAnswer::Failed(why)) = query.answer.get() {
                    left_out.answers.push(why.clone());
                }
                queries.push(query);
            }
            Err(error) => left_out.queries.push(error),
        }
    }
    Ok(queries)
}

/// The content of the graph for the site, with the IRIs that it has there.
struct Shown<'a> {
    base: String,
    prefixes: Prefixes,
    snapshot: Snapshot,
    inferred: Snapshot,
    queries: Vec<PublishedQuery<'a>>,
    changed: FxHashMap<String, String>,
    /// The audit of the graph, if its IRIs stay the same.
    audit: Option<Arc<Audit<'a>>>,
}

impl Shown<'_> {
    fn rebased(mut self, rebase: &Rebase, budget: &Budget) -> Result<Self> {
        self.queries.iter_mut().for_each(|query| rebase_query(query, rebase));
        let rebased = |snapshot: &Snapshot| {
            let order = snapshot.file_order(budget)?;
            let all = snapshot.in_file_order(&order).filter_map(|statement| snapshot.statement(statement));
            Snapshot::from_walk_in_order(all.map(|quad| rebase.quad(&quad)), snapshot.len(), budget)
        };
        let (snapshot, inferred) = (rebased(&self.snapshot)?, rebased(&self.inferred)?);
        self.snapshot.intact()?;
        Ok(Self {
            base: rebase.iri(&self.base),
            prefixes: rebase.prefixes(&self.prefixes),
            snapshot,
            inferred,
            queries: self.queries,
            changed: self.changed.into_iter().map(|(iri, day)| (rebase.iri(&iri), day)).collect(),
            audit: None,
        })
    }

    fn write(
        self,
        graph: &Graph,
        request: Request<'_>,
        budget: &Budget,
        told: &(dyn Fn(Stage<'_>) + Sync),
    ) -> Result<(Report, Prefixes)> {
        let manifest = graph.project().map(|project| &project.manifest);
        let citations = manifest.map(|manifest| manifest.citations.clone()).unwrap_or_default();
        let name = manifest.map_or("graph", |manifest| manifest.name.as_str());
        let labels = Labels::in_order(&self.snapshot, budget)?;
        let audit = match self.audit {
            Some(audit) => audit,
            None => Arc::new(Audit::new(&self.snapshot, &citations, &self.prefixes)),
        };
        let source = Source {
            name,
            title: manifest.and_then(|manifest| manifest.title.as_deref()).unwrap_or(name),
            base: &self.base,
            snapshot: &self.snapshot,
            inferred: Some(&self.inferred),
            entailment: graph.entailment(),
            prefixes: &self.prefixes,
            labels: &labels,
            audit,
            queries: self.queries,
            changed: self.changed,
            base_url: request.base_url,
            endpoint: request.endpoint,
            assets: request.assets,
            served: false,
        };
        told(Stage::Dumps);
        let language = request.language.map_or_else(|| graph.language(), str::to_owned);
        let writing = Writing {
            output: request.output,
            language: &language,
            strict: request.strict,
            unfinished: request.unfinished,
            budget,
            progress: &|done, of| told(Stage::Files { done, of }),
        };
        let report = write(source, &writing)?;
        Ok((report, self.prefixes))
    }
}
