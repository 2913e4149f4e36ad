//! Oxigraph's evaluator over a snapshot: complete, the oracle in tests, and what answers a query that our executor does not take.
//!
//! Known to differ from the standard: spareval rebuilds a triple term in a pattern from its parts' values, so one that holds a
//! literal in a form other than the canonical (`01`) is taken for its canonical form.
//!
//! It decides which graphs a query sees (FROM, FROM NAMED, the union of all) itself: spareval would repeat a triple that
//! two merged graphs share.

use super::limits::Guard;
use super::{Answer, Services, Solutions, Triples};
use crate::error::{Error, Kind, Result};
use crate::rdf::{NamedNode, Term, Variable};
use crate::snapshot::{Index, Permutation, QuadPermutation, Snapshot, TermId, TermKind, Value};
use oxiri::Iri;
use sparesults::QuerySolution;
use spareval::{
    CancellationToken, DefaultServiceHandler, ExpressionTerm, InternalQuad, QueryDatasetSpecification,
    QueryEvaluationError, QueryEvaluator, QueryResults, QuerySolutionIter, QueryableDataset,
};
use spargebra::Query;
use spargebra::algebra::GraphPattern;
use std::cell::RefCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the default graph of a query without FROM is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultGraph {
    /// The dataset's default graph, and nothing else.
    #[default]
    Stored,
    /// All graphs, merged: a triple that several have is there once.
    Union,
}

/// Evaluates a query.
///
/// The guard's deadline and cancellation stop it; its memory is not counted, as Oxigraph does not say what it holds.
///
/// # Errors
/// What Oxigraph refuses (an unknown function, SERVICE), the guard's limits, damage to the snapshot: here or from the rows.
pub fn evaluate<'a>(
    snapshot: &'a Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    guard: &Arc<Guard>,
) -> Result<Answer<'a>> {
    evaluate_with_services(snapshot, query, default_graph, guard, None)
}

/// Evaluates a query whose SERVICE clauses someone answers; without anyone they are refused.
///
/// # Errors
/// Those of [`evaluate`], and those of the services unless the query says SILENT.
pub fn evaluate_with_services<'a>(
    snapshot: &'a Snapshot,
    query: &Query,
    default_graph: DefaultGraph,
    guard: &Arc<Guard>,
    services: Option<&Arc<dyn Services>>,
) -> Result<Answer<'a>> {
    snapshot.intact()?;
    guard.check()?;
    let token = CancellationToken::new();
    let watch = Watch::start(guard, &token);
    let run = Run { guard: Arc::clone(guard), stop: Arc::clone(&watch.stop) };
    let mut evaluator = QueryEvaluator::new().with_cancellation_token(token);
    if let Some(services) = services {
        evaluator = evaluator.with_default_service_handler(Ask(Arc::clone(services)));
    }
    let mut prepared = evaluator.prepare(query);
    *prepared.dataset_mut() = QueryDatasetSpecification::new();
    let dataset = View::new(snapshot, query, default_graph, Arc::clone(guard));
    Ok(match run.step(|| prepared.execute(dataset))?.map_err(|e| error(e, guard))? {
        QueryResults::Boolean(value) => {
            snapshot.intact()?;
            Answer::Boolean(value)
        }
        QueryResults::Solutions(solutions) => {
            let variables = solutions.variables().to_vec();
            let rows = Running { snapshot, results: Some(solutions), run, _watch: watch };
            let rows = rows.map(|solution| Ok(solution?.values().to_vec()));
            Answer::Solutions(Solutions { variables, rows: Box::new(rows) })
        }
        QueryResults::Graph(triples) => {
            Answer::Graph(Triples(Box::new(Running { snapshot, results: Some(triples), run, _watch: watch })))
        }
    })
}

/// Hands a SERVICE clause on as a SELECT query.
struct Ask(Arc<dyn Services>);

impl DefaultServiceHandler for Ask {
    type Error = QueryEvaluationError;

    fn handle(
        &self,
        service: &NamedNode,
        pattern: &GraphPattern,
        base_iri: Option<&Iri<String>>,
    ) -> Result<QuerySolutionIter<'static>, QueryEvaluationError> {
        let query = Query::Select { dataset: None, pattern: pattern.clone(), base_iri: base_iri.cloned() };
        let (variables, rows) =
            self.0.select(service, &query).map_err(|error| QueryEvaluationError::Service(Box::new(error)))?;
        let variables: Arc<[Variable]> = variables.into();
        let names = Arc::clone(&variables);
        let rows = rows.into_iter().map(move |row| Ok(QuerySolution::from((Arc::clone(&names), row))));
        Ok(QuerySolutionIter::new(variables, rows))
    }
}

/// Results on their way.
struct Running<'a, I> {
    snapshot: &'a Snapshot,
    /// `None` once an error ended them.
    results: Option<I>,
    run: Run,
    _watch: Watch,
}

impl<T, I: Iterator<Item = Result<T, QueryEvaluationError>>> Iterator for Running<'_, I> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let results = self.results.as_mut()?;
        let result = match self.run.step(|| results.next()) {
            Ok(result) => result?.map_err(|e| error(e, &self.run.guard)),
            Err(stopped) => Err(stopped),
        };
        let result = result.and_then(|value| self.snapshot.intact().map(|()| value));
        if result.is_err() {
            self.results = None;
        }
        Some(result)
    }
}

/// Runs the evaluator so that it can be stopped where it does not look at its cancellation token.
///
/// A cross product in memory never asks whether it should go on, but copies a term for each row. So a copy unwinds the stack when
/// the query has to stop, and this is where the unwinding ends.
struct Run {
    guard: Arc<Guard>,
    stop: Arc<AtomicBool>,
}

thread_local! {
    /// Set while an evaluator runs on this thread: whether it has to stop.
    static STOP: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// What the stack is unwound with.
struct Stopped;

impl Run {
    fn step<T>(&self, evaluate: impl FnOnce() -> T) -> Result<T> {
        let outer = STOP.replace(Some(Arc::clone(&self.stop)));
        // The evaluator's state is dropped, not used again, when this fails.
        let result = catch_unwind(AssertUnwindSafe(evaluate));
        STOP.set(outer);
        result.map_err(|payload| {
            if payload.is::<Stopped>() {
                error(QueryEvaluationError::Cancelled, &self.guard)
            } else {
                Error::bug("Oxigraph's evaluator failed on this query")
            }
        })
    }
}

fn stop_if_asked() {
    STOP.with_borrow(|stop| {
        if stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            // Without a message: this is no failure.
            resume_unwind(Box::new(Stopped));
        }
    });
}

/// An evaluation error in our words. A limit that was reached shows as a cancellation, so the guard is asked first.
fn error(error: QueryEvaluationError, guard: &Guard) -> Error {
    if let Err(limit) = guard.check() {
        return limit;
    }
    match error {
        QueryEvaluationError::Dataset(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::bug(error.to_string()),
        },
        QueryEvaluationError::Service(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::policy(format!("SERVICE is not allowed: {error}")),
        },
        QueryEvaluationError::UnboundService
        | QueryEvaluationError::InvalidServiceName(_)
        | QueryEvaluationError::UnsupportedService(_) => {
            Error::policy(format!("SERVICE is not allowed: {error}")).hint("load the data into the project instead")
        }
        QueryEvaluationError::Cancelled => Error::new(Kind::Interrupted, "the query was interrupted"),
        error => Error::input(error.to_string()),
    }
}

/// Cancels a query that does not look at its guard, such as a cross product, when the guard says stop.
struct Watch {
    done: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// How often the guard is asked.
    const INTERVAL: Duration = Duration::from_millis(20);

    fn start(guard: &Arc<Guard>, token: &CancellationToken) -> Self {
        let (done, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (guard, token, over, halt) = (Arc::clone(guard), token.clone(), Arc::clone(&done), Arc::clone(&stop));
        let watch = move || {
            while !over.load(Ordering::Relaxed) {
                if guard.check().is_err() {
                    token.cancel();
                    halt.store(true, Ordering::Relaxed);
                    return;
                }
                std::thread::park_timeout(Self::INTERVAL);
            }
        };
        // Without the thread a limit is noticed only when the dataset is read.
        let thread = std::thread::Builder::new().name("query watch".into()).spawn(watch).ok();
        Self { done, stop, thread }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
        }
    }
}

/// The dataset of one query.
struct View<'a> {
    snapshot: &'a Snapshot,
    default: Sources,
    /// The named graphs that FROM NAMED lists; `None` for all.
    named: Option<Arc<[EvaluatedTerm]>>,
    guard: Arc<Guard>,
}

/// The graphs that make up a query's default graph.
#[derive(Clone)]
struct Sources {
    stored_default: bool,
    named: NamedSources,
}

#[derive(Clone)]
enum NamedSources {
    All,
    /// Sorted.
    These(Arc<[TermId]>),
}

/// A term of the snapshot, or one that the query made. A made one is not in the snapshot, so equality is that of terms.
#[derive(Debug, PartialEq, Eq, Hash)]
enum EvaluatedTerm {
    Stored(TermId),
    Made(Arc<Term>),
}

impl Clone for EvaluatedTerm {
    fn clone(&self) -> Self {
        stop_if_asked();
        match self {
            Self::Stored(id) => Self::Stored(*id),
            Self::Made(term) => Self::Made(Arc::clone(term)),
        }
    }
}

impl<'a> View<'a> {
    fn new(snapshot: &'a Snapshot, query: &Query, default_graph: DefaultGraph, guard: Arc<Guard>) -> Self {
        let stored = |graphs: &[NamedNode]| -> Arc<[TermId]> {
            let mut ids: Vec<TermId> = graphs.iter().filter_map(|g| snapshot.id(g.as_ref().into())).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.into()
        };
        let all = |stored_default| Sources { stored_default, named: NamedSources::All };
        let (default, named) = match (query.dataset(), default_graph) {
            (None, DefaultGraph::Stored) => {
                (Sources { stored_default: true, named: NamedSources::These(Arc::new([])) }, None)
            }
            (None, DefaultGraph::Union) => (all(true), None),
            (Some(dataset), _) => {
                let default = Sources { stored_default: false, named: NamedSources::These(stored(&dataset.default)) };
                (default, Some(dataset.named.clone().unwrap_or_default()))
            }
        };
        let mut view = Self { snapshot, default, named: None, guard };
        view.named = named.map(|names| {
            let mut seen = Vec::new();
            for name in names {
                let name = view.evaluated(name.into());
                if !seen.contains(&name) {
                    seen.push(name);
                }
            }
            seen.into()
        });
        view
    }

    fn evaluated(&self, term: Term) -> EvaluatedTerm {
        match self.snapshot.id(term.as_ref()) {
            Some(id) => EvaluatedTerm::Stored(id),
            None => EvaluatedTerm::Made(Arc::new(term)),
        }
    }

    fn term(&self, term: EvaluatedTerm) -> Term {
        match term {
            EvaluatedTerm::Stored(id) => self.snapshot.term(id),
            EvaluatedTerm::Made(term) => Arc::unwrap_or_clone(term),
        }
    }

    fn rows(&self, index: Index<'a>, prefix: &[TermId]) -> Rows<'a> {
        Rows {
            index,
            rows: index.range(prefix),
            key: None,
            columns: [&[]; 3],
            at: 0,
            snapshot: self.snapshot,
            guard: Arc::clone(&self.guard),
        }
    }

    /// The triples of the stored default graph that match.
    fn stored_default(&self, pattern: Pattern) -> Rows<'a> {
        let (permutation, prefix) = match pattern {
            [Some(s), Some(p), Some(o)] => (Permutation::Spo, vec![s, p, o]),
            [Some(s), Some(p), None] => (Permutation::Spo, vec![s, p]),
            [Some(s), None, Some(o)] => (Permutation::Sop, vec![s, o]),
            [Some(s), None, None] => (Permutation::Spo, vec![s]),
            [None, Some(p), Some(o)] => (Permutation::Pos, vec![p, o]),
            [None, Some(p), None] => (Permutation::Pso, vec![p]),
            [None, None, Some(o)] => (Permutation::Osp, vec![o]),
            [None, None, None] => (Permutation::Spo, vec![]),
        };
        self.rows(self.snapshot.triples(permutation), &prefix)
    }

    /// The quads of all named graphs that match: the same triple in several graphs in a row.
    fn all_named(&self, pattern: Pattern) -> Rows<'a> {
        let (permutation, prefix) = match pattern {
            [Some(s), Some(p), Some(o)] => (QuadPermutation::Spog, vec![s, p, o]),
            [Some(s), Some(p), None] => (QuadPermutation::Spog, vec![s, p]),
            [Some(s), None, Some(o)] => (QuadPermutation::Sopg, vec![s, o]),
            [Some(s), None, None] => (QuadPermutation::Spog, vec![s]),
            [None, Some(p), Some(o)] => (QuadPermutation::Posg, vec![p, o]),
            [None, Some(p), None] => (QuadPermutation::Psog, vec![p]),
            [None, None, Some(o)] => (QuadPermutation::Ospg, vec![o]),
            [None, None, None] => (QuadPermutation::Spog, vec![]),
        };
        self.rows(self.snapshot.quads(permutation), &prefix)
    }

    /// The quads of one named graph that match.
    fn one_named(&self, pattern: Pattern, graph: TermId) -> Found<'a> {
        let (permutation, prefix) = match pattern {
            [Some(s), Some(p), Some(o)] => (QuadPermutation::Gspo, vec![graph, s, p, o]),
            [Some(s), Some(p), None] => (QuadPermutation::Gspo, vec![graph, s, p]),
            [Some(s), None, None] => (QuadPermutation::Gspo, vec![graph, s]),
            [None, None, None] => (QuadPermutation::Gspo, vec![graph]),
            [None, Some(p), Some(o)] => (QuadPermutation::Gpos, vec![graph, p, o]),
            [None, Some(p), None] => (QuadPermutation::Gpos, vec![graph, p]),
            // No order starts with the graph and the object.
            [_, None, Some(_)] => {
                let of_graph = move |quad: &Result<Quad>| quad.as_ref().map_or(true, |q| q[3] == graph);
                return Box::new(self.all_named(pattern).filter(of_graph));
            }
        };
        Box::new(self.rows(self.snapshot.quads(permutation), &prefix))
    }

    /// The triples of the query's default graph that match, each once.
    fn default_graph(&self, pattern: Pattern) -> Found<'a> {
        let Sources { stored_default, named } = self.default.clone();
        let stored = stored_default.then(|| self.stored_default(pattern)).into_iter().flatten();
        let named: Found<'a> = match named {
            NamedSources::These(graphs) if graphs.is_empty() => return Box::new(stored),
            NamedSources::These(graphs) if graphs.len() == 1 => self.one_named(pattern, graphs[0]),
            NamedSources::These(graphs) => Box::new(
                self.all_named(pattern)
                    .filter(move |quad| quad.as_ref().map_or(true, |q| graphs.binary_search(&q[3]).is_ok())),
            ),
            NamedSources::All => Box::new(self.all_named(pattern)),
        };
        let spo = self.snapshot.triples(Permutation::Spo);
        let mut last = None;
        Box::new(stored.chain(named.filter(move |quad| {
            let Ok([s, p, o, _]) = *quad else { return true };
            // The graph sorts last, so repetitions follow each other.
            let repeated = last == Some([s, p, o]) || (stored_default && !spo.range(&[s, p, o]).is_empty());
            last = Some([s, p, o]);
            !repeated
        })))
    }
}

/// What is bound of subject, predicate and object.
type Pattern = [Option<TermId>; 3];
/// Subject, predicate, object, and the graph, which is unbound for the stored default graph.
type Quad = [TermId; 4];
type Found<'a> = Box<dyn Iterator<Item = Result<Quad>> + 'a>;

/// The rows of a range of an index as quads.
struct Rows<'a> {
    index: Index<'a>,
    rows: Range<usize>,
    /// The first column's id that the current row has, and where its run ends.
    key: Option<(TermId, usize)>,
    /// The other columns of the rows that are being read.
    columns: [&'a [TermId]; 3],
    at: usize,
    snapshot: &'a Snapshot,
    guard: Arc<Guard>,
}

impl Rows<'_> {
    /// Rows read at once: between two, the guard is asked.
    const CHUNK: usize = 1024;
}

impl Iterator for Rows<'_> {
    type Item = Result<Quad>;

    fn next(&mut self) -> Option<Result<Quad>> {
        let order = self.index.order();
        if self.at == self.columns[0].len() {
            if self.rows.is_empty() {
                return None;
            }
            let chunk = self.rows.start..self.rows.end.min(self.rows.start + Self::CHUNK);
            for depth in 1..order.len() {
                self.columns[depth - 1] = self.index.column(depth, chunk.clone());
            }
            self.at = 0;
            if let Err(error) = self.guard.check().and_then(|()| self.snapshot.intact()) {
                self.rows = 0..0;
                self.columns = [&[]; 3];
                return Some(Err(error));
            }
        }
        let row = self.rows.start;
        let key = match self.key {
            Some((key, end)) if row < end => key,
            _ => {
                let key = self.index.key_at(row);
                self.key = Some((key, self.index.run(key).end));
                key
            }
        };
        let mut quad = [TermId::UNBOUND; 4];
        quad[order[0].position()] = key;
        for (component, column) in order[1..].iter().zip(&self.columns) {
            quad[component.position()] = column[self.at];
        }
        self.rows.start += 1;
        self.at += 1;
        Some(Ok(quad))
    }
}

impl<'a> QueryableDataset<'a> for View<'a> {
    type InternalTerm = EvaluatedTerm;
    type Error = Error;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&EvaluatedTerm>,
        predicate: Option<&EvaluatedTerm>,
        object: Option<&EvaluatedTerm>,
        graph_name: Option<Option<&EvaluatedTerm>>,
    ) -> impl Iterator<Item = Result<InternalQuad<EvaluatedTerm>>> + use<'a> {
        let mut pattern = [None; 3];
        let mut possible = true;
        for (bound, term) in pattern.iter_mut().zip([subject, predicate, object]) {
            match term {
                Some(EvaluatedTerm::Stored(id)) => *bound = Some(*id),
                // No statement has a term that the dataset does not have.
                Some(EvaluatedTerm::Made(_)) => possible = false,
                None => {}
            }
        }
        let found: Found<'a> = match graph_name {
            _ if !possible => Box::new(std::iter::empty()),
            Some(None) => self.default_graph(pattern),
            Some(Some(EvaluatedTerm::Made(_))) => Box::new(std::iter::empty()),
            Some(Some(graph)) if self.named.as_ref().is_some_and(|named| !named.contains(graph)) => {
                Box::new(std::iter::empty())
            }
            Some(Some(EvaluatedTerm::Stored(graph))) => self.one_named(pattern, *graph),
            None => match &self.named {
                None => Box::new(self.all_named(pattern)),
                Some(named) => {
                    let named = Arc::clone(named);
                    Box::new(self.all_named(pattern).filter(move |quad| {
                        quad.as_ref().map_or(true, |q| named.contains(&EvaluatedTerm::Stored(q[3])))
                    }))
                }
            },
        };
        let in_default = matches!(graph_name, Some(None));
        found.map(move |quad| {
            let [subject, predicate, object, graph] = quad?;
            Ok(InternalQuad {
                subject: EvaluatedTerm::Stored(subject),
                predicate: EvaluatedTerm::Stored(predicate),
                object: EvaluatedTerm::Stored(object),
                graph_name: (!in_default).then_some(EvaluatedTerm::Stored(graph)),
            })
        })
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<EvaluatedTerm>> + use<'a> {
        let names: Vec<EvaluatedTerm> = match &self.named {
            Some(named) => named.to_vec(),
            None => self.snapshot.named_graphs().iter().map(|id| EvaluatedTerm::Stored(*id)).collect(),
        };
        names.into_iter().map(Ok)
    }

    fn contains_internal_graph_name(&self, graph_name: &EvaluatedTerm) -> Result<bool> {
        Ok(match (&self.named, graph_name) {
            (Some(named), graph) => named.contains(graph),
            (None, EvaluatedTerm::Stored(id)) => self.snapshot.named_graphs().binary_search(id).is_ok(),
            (None, EvaluatedTerm::Made(_)) => false,
        })
    }

    fn internalize_term(&self, term: Term) -> Result<EvaluatedTerm> {
        Ok(self.evaluated(term))
    }

    fn externalize_term(&self, term: EvaluatedTerm) -> Result<Term> {
        Ok(self.term(term))
    }

    fn externalize_expression_term(&self, term: EvaluatedTerm) -> Result<ExpressionTerm> {
        let EvaluatedTerm::Stored(id) = term else { return Ok(self.term(term).into()) };
        if self.snapshot.kind(id) != TermKind::Literal {
            return Ok(self.snapshot.term(id).into());
        }
        Ok(match self.snapshot.value(id) {
            Value::Boolean(value) => ExpressionTerm::BooleanLiteral(value.into()),
            Value::Integer(value) => ExpressionTerm::IntegerLiteral(value),
            Value::Decimal(value) => ExpressionTerm::DecimalLiteral(value),
            Value::Float(value) => ExpressionTerm::FloatLiteral(value),
            Value::Double(value) => ExpressionTerm::DoubleLiteral(value),
            Value::DateTime(value) => ExpressionTerm::DateTimeLiteral(value),
            Value::Date(_)
            | Value::String
            | Value::LanguageString
            | Value::Other
            | Value::BlankNode
            | Value::Iri
            | Value::Triple => self.snapshot.term(id).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Limits;
    use oxrdfio::{RdfFormat, RdfParser};
    use spargebra::SparqlParser;

    fn snapshot(trig: &str) -> Snapshot {
        let prefixed = format!("PREFIX : <http://e/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> {trig}");
        let quads = RdfParser::from_format(RdfFormat::TriG).for_slice(prefixed.as_bytes());
        Snapshot::from_quads(quads.map(Result::unwrap)).unwrap()
    }

    /// The solutions as sorted lines of terms, or `true`, `false`, or sorted triples.
    fn answer(snapshot: &Snapshot, query: &str, default_graph: DefaultGraph) -> Vec<String> {
        let query = SparqlParser::new()
            .with_prefix("", "http://e/")
            .unwrap()
            .with_prefix("xsd", "http://www.w3.org/2001/XMLSchema#")
            .unwrap()
            .parse_query(query)
            .unwrap();
        let guard = Arc::new(Guard::new(&Limits::default(), Arc::default()));
        let mut lines: Vec<String> = match evaluate(snapshot, &query, default_graph, &guard).unwrap() {
            Answer::Boolean(value) => vec![value.to_string()],
            Answer::Graph(triples) => triples.0.map(|triple| triple.unwrap().to_string()).collect(),
            Answer::Solutions(solutions) => solutions
                .rows
                .map(|row| {
                    let row = row.unwrap();
                    let cells = row.iter().map(|cell| cell.as_ref().map_or("-".into(), ToString::to_string));
                    cells.collect::<Vec<String>>().join(" ").replace("http://e/", ":")
                })
                .collect(),
        };
        lines.sort();
        lines
    }

    fn check(trig: &str, query: &str, expected: &[&str]) {
        assert_eq!(answer(&snapshot(trig), query, DefaultGraph::Stored), expected, "{query}");
    }

    #[test]
    fn lexical_forms_are_kept() {
        check(
            r#":s :p 01, 1, "1"^^xsd:decimal ."#,
            "SELECT ?o { ?s ?p ?o FILTER(?o = 1) }",
            &[
                "\"01\"^^<http://www.w3.org/2001/XMLSchema#integer>",
                "\"1\"^^<http://www.w3.org/2001/XMLSchema#decimal>",
                "\"1\"^^<http://www.w3.org/2001/XMLSchema#integer>",
            ],
        );
        check(":s :p 01, 1 .", "SELECT ?s { ?s :p 01 }", &["<:s>"]);
        check(":s :p 1 .", "SELECT ?s { ?s :p 01 }", &[]);
    }

    #[test]
    fn every_pattern_of_bound_places_is_matched() {
        let data = ":a :p :b, :c . :b :p :c . :b :q :a . :g { :a :p :b . :c :q :b } :h { :a :p :b }";
        let snapshot = snapshot(data);
        for mask in 0..8 {
            let place =
                |bit: u32, bound: &str, free: &str| if mask & bit == 0 { free.into() } else { String::from(bound) };
            let pattern = format!("{} {} {}", place(1, ":a", "?s"), place(2, ":p", "?p"), place(4, ":b", "?o"));
            for graph in ["", "GRAPH :g", "GRAPH ?g"] {
                let selective = format!("SELECT (COUNT(*) AS ?n) {{ {graph} {{ {pattern} }} }}");
                let mut broad = String::from("?s ?p ?o ");
                if mask & 1 != 0 {
                    broad.push_str("FILTER(?s = :a) ");
                }
                if mask & 2 != 0 {
                    broad.push_str("FILTER(?p = :p) ");
                }
                if mask & 4 != 0 {
                    broad.push_str("FILTER(?o = :b) ");
                }
                let broad = format!("SELECT (COUNT(*) AS ?n) {{ {graph} {{ {broad} }} }}");
                for default_graph in [DefaultGraph::Stored, DefaultGraph::Union] {
                    let (a, b) =
                        (answer(&snapshot, &selective, default_graph), answer(&snapshot, &broad, default_graph));
                    assert_eq!(a, b, "{selective}");
                }
            }
        }
    }

    #[test]
    fn the_default_graph_is_strictly_the_default_graph() {
        let data = ":a :p 1 . :g { :b :p 1 . :a :p 1 } _:h { :c :p 1 }";
        check(data, "SELECT ?s { ?s :p 1 }", &["<:a>"]);
        check(data, "SELECT ?s { GRAPH :g { ?s :p 1 } }", &["<:a>", "<:b>"]);
        check(data, "SELECT ?s { GRAPH ?g { ?s :p 1 } }", &["<:a>", "<:b>", "<:c>"]);
        check(data, "SELECT ?s { GRAPH :absent { ?s :p 1 } }", &[]);
        check(data, "ASK { GRAPH :g {} }", &["true"]);
        check(data, "ASK { GRAPH :absent {} }", &["false"]);
    }

    #[test]
    fn the_union_of_all_graphs_has_a_triple_once() {
        let data = snapshot(":a :p 1 . :g { :b :p 1 . :a :p 1 } :h { :b :p 1 }");
        assert_eq!(answer(&data, "SELECT ?s { ?s :p 1 }", DefaultGraph::Union), ["<:a>", "<:b>"]);
    }

    #[test]
    fn from_merges_graphs_and_hides_the_others() {
        let data = ":a :p 1 . :g { :b :p 1 } :h { :b :p 1 . :c :p 1 } :i { :d :p 1 }";
        check(data, "SELECT ?s FROM :g FROM :h { ?s :p 1 }", &["<:b>", "<:c>"]);
        check(data, "SELECT ?s FROM :g { ?s :p 1 }", &["<:b>"]);
        check(data, "SELECT ?s FROM :absent { ?s :p 1 }", &[]);
        check(data, "SELECT ?s FROM :g { GRAPH ?g { ?s :p 1 } }", &[]);
        check(data, "SELECT ?s FROM NAMED :g { ?s :p 1 }", &[]);
        check(data, "SELECT ?g ?s FROM NAMED :g FROM NAMED :i { GRAPH ?g { ?s :p 1 } }", &["<:g> <:b>", "<:i> <:d>"]);
        check(data, "SELECT ?s FROM NAMED :g { GRAPH :h { ?s :p 1 } }", &[]);
    }

    #[test]
    fn triple_terms_are_matched_and_taken_apart() {
        let data = ":r <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies> <<( :a :p 1 )>> .";
        check(data, "SELECT ?r { ?r ?p <<( :a :p 1 )>> }", &["<:r>"]);
        check(data, "SELECT ?r { ?r ?p <<( :a :p 2 )>> }", &[]);
        check(data, "SELECT ?s { ?r ?p ?t BIND(SUBJECT(?t) AS ?s) }", &["<:a>"]);
    }

    #[test]
    fn a_computed_term_joins_with_a_stored_one() {
        check(":a :p 3 . :b :q 2 .", "SELECT ?s { :b :q ?n BIND(?n + 1 AS ?m) ?s :p ?m }", &["<:a>"]);
        check(
            ":b :q 2 .",
            "SELECT (?n + 5 AS ?m) { :b :q ?n }",
            &["\"7\"^^<http://www.w3.org/2001/XMLSchema#integer>"],
        );
    }

    #[test]
    fn a_cross_product_stops_when_its_time_is_up() {
        let data = snapshot(&(0..200).map(|i| format!(":s{i} :p {i} . ")).collect::<String>());
        let query = "SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?t ?h . ?i ?u ?j }";
        let query = SparqlParser::new().parse_query(query).unwrap();
        let limits = Limits { time: Some(Duration::from_millis(100)), ..Limits::default() };
        let guard = Arc::new(Guard::new(&limits, Arc::default()));
        let start = std::time::Instant::now();
        let result = evaluate(&data, &query, DefaultGraph::Stored, &guard);
        let error = match result {
            Ok(Answer::Solutions(mut solutions)) => solutions.rows.next().unwrap().unwrap_err(),
            Ok(_) => panic!("a SELECT has solutions"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), Kind::Limit);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn service_is_refused() {
        let query = SparqlParser::new().parse_query("SELECT * { SERVICE <http://e/> { ?s ?p ?o } }").unwrap();
        let guard = Arc::new(Guard::new(&Limits::default(), Arc::default()));
        let data = snapshot("");
        let error = match evaluate(&data, &query, DefaultGraph::Stored, &guard) {
            Ok(Answer::Solutions(mut solutions)) => solutions.rows.next().unwrap().unwrap_err(),
            Ok(_) => panic!("a SELECT has solutions"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), Kind::Policy);
    }
}
