//! What is kept of queries that are asked again: their algebra, by text, and their plans, by algebra.
//!
//! Two parses of a text differ in the names that the parser makes up, so a plan is found again only for a query that
//! was parsed here. The number and the size of the entries are bounded; the least recently used entry goes first.

use super::executor::{Planned, nests_deep};
use super::oxigraph::DefaultGraph;
use super::query::{ParseContext, Query, parse_query};
use kgq_snapshot::Snapshot;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Result, Source};
use kgq_syntax::{significant, sparql};
use rustc_hash::FxHasher;
use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most texts, and the most plans, that are kept.
const MOST_KEPT: usize = 128;
/// The most bytes that are kept of each.
const MOST_BYTES: usize = 8 << 20;
/// Longer queries are not kept.
const LONGEST: usize = 1 << 16;
/// Bytes of algebra, or of a plan's expressions, for a byte of a query's text.
const BYTES_A_BYTE: usize = 16;

/// The plans of queries over one snapshot. Threads share them.
pub struct Plans {
    snapshot: Snapshot,
    texts: Mutex<Recent<Text, Query>>,
    plans: Mutex<Recent<Kept, Arc<Planned>>>,
    made: AtomicU64,
}

/// What a query is parsed from.
#[derive(PartialEq, Eq, Hash)]
struct Text {
    text: String,
    base: Option<String>,
    /// The prefixes that the text uses and does not declare.
    prefixes: Vec<(String, String)>,
    bounds: Bounds,
}

/// What a plan is made for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlanKey<'q> {
    pub query: &'q spargebra::Query,
    pub default_graph: DefaultGraph,
    pub answers_services: bool,
}

/// The same, with an owned query.
struct Kept {
    query: spargebra::Query,
    default_graph: DefaultGraph,
    answers_services: bool,
}

impl Kept {
    fn asked(&self) -> PlanKey<'_> {
        let Self { query, default_graph, answers_services } = self;
        PlanKey { query, default_graph: *default_graph, answers_services: *answers_services }
    }
}

impl Plans {
    pub fn of(snapshot: Snapshot) -> Self {
        Self { snapshot, texts: Mutex::default(), plans: Mutex::default(), made: AtomicU64::new(0) }
    }

    /// Returns how many plans were made.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Returns how many plans are kept.
    pub fn kept(&self) -> usize {
        locked(&self.plans).entries.len()
    }

    /// Parses a query, or returns the earlier result for the same text.
    ///
    /// # Errors
    /// Those of [`parse_query`].
    pub fn parse(&self, source: Source<'_>, context: ParseContext<'_>) -> Result<Query> {
        if source.text.len() > LONGEST {
            return parse_query(source, context);
        }
        let undeclared = sparql::undeclared_prefixes(source.text, &significant(&sparql::tokenize(source.text)));
        let namespace = |prefix: &str| Some((prefix.to_owned(), context.prefixes.get(prefix)?.to_owned()));
        let text = Text {
            text: source.text.to_owned(),
            base: context.base.map(str::to_owned),
            prefixes: undeclared.into_iter().filter_map(namespace).collect(),
            bounds: context.bounds,
        };
        let hash = hash(&text);
        if let Some(query) = locked(&self.texts).get(hash, |known| *known == text) {
            return Ok(query);
        }
        let query = parse_query(source, context)?;
        if nests_deep(&query.algebra) {
            return Ok(query);
        }
        // The algebra writes short names out in full.
        if let Some(length) = length(&query.algebra) {
            let bytes = (source.text.len() + length) * BYTES_A_BYTE;
            locked(&self.texts).keep(hash, text, query.clone(), bytes);
        }
        Ok(query)
    }

    /// Whether the plans are for this snapshot.
    pub(crate) fn are_of(&self, snapshot: &Snapshot) -> bool {
        self.snapshot.is_same(snapshot)
    }

    pub(crate) fn get(&self, asked: PlanKey<'_>) -> Option<Arc<Planned>> {
        let hash = hash(&asked);
        locked(&self.plans).get(hash, |known| known.asked() == asked)
    }

    /// Counts a new plan, and keeps it unless it is large.
    pub(crate) fn keep(&self, asked: PlanKey<'_>, planned: &Arc<Planned>) {
        self.made.fetch_add(1, Ordering::Relaxed);
        if planned.reads_clock() {
            return;
        }
        let Some(length) = length(asked.query) else { return };
        let bytes = planned.bytes() + length * BYTES_A_BYTE;
        let PlanKey { query, default_graph, answers_services } = asked;
        let kept = Kept { query: query.clone(), default_graph, answers_services };
        locked(&self.plans).keep(hash(&asked), kept, Arc::clone(planned), bytes);
    }
}

impl fmt::Debug for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plans").field("made", &self.made()).field("kept", &self.kept()).finish_non_exhaustive()
    }
}

/// The entries are consistent whenever the lock is free, even after a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the length of a query's text; `None` if it is too long to be kept.
fn length(query: &spargebra::Query) -> Option<usize> {
    struct Counter(usize);
    impl fmt::Write for Counter {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            if self.0 > LONGEST { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut counter = Counter(0);
    write!(counter, "{query}").ok().map(|()| counter.0)
}

/// The most recently used entries.
struct Recent<K, V> {
    entries: Vec<Entry<K, V>>,
    bytes: usize,
    /// The number of requests so far.
    now: u64,
}

struct Entry<K, V> {
    hash: u64,
    key: K,
    value: V,
    bytes: usize,
    used: u64,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), bytes: 0, now: 0 }
    }
}

impl<K, V: Clone> Recent<K, V> {
    fn get(&mut self, hash: u64, is: impl Fn(&K) -> bool) -> Option<V> {
        self.now += 1;
        let entry = self.entries.iter_mut().find(|entry| entry.hash == hash && is(&entry.key))?;
        entry.used = self.now;
        Some(entry.value.clone())
    }

    /// If another thread has kept an entry under the same hash meanwhile, that one stays.
    fn keep(&mut self, hash: u64, key: K, value: V, bytes: usize) {
        let known = self.entries.iter().any(|entry| entry.hash == hash);
        if known || bytes > MOST_BYTES {
            return;
        }
        while self.entries.len() >= MOST_KEPT || self.bytes + bytes > MOST_BYTES {
            let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.used);
            let Some((at, _)) = oldest else { break };
            self.bytes -= self.entries.swap_remove(at).bytes;
        }
        self.bytes += bytes;
        self.entries.push(Entry { hash, key, value, bytes, used: self.now });
    }
}

fn hash(key: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, EvaluationOptions, Limits, evaluate, explain};
    use kgq_syntax::rdf::{GraphName, NamedNode, Prefixes, Quad};

    /// A chain of this many nodes.
    fn chain(length: usize) -> Snapshot {
        let node = |n: usize| NamedNode::new_unchecked(format!("http://e/{n}"));
        let next = NamedNode::new_unchecked("http://e/next");
        let quads = (0..length).map(|n| Quad::new(node(n), next.clone(), node(n + 1), GraphName::DefaultGraph));
        Snapshot::from_quads(quads).unwrap()
    }

    fn rows(plans: &Arc<Plans>, snapshot: &Snapshot, text: &str, limits: Limits) -> Result<Vec<String>> {
        let mut prefixes = Prefixes::default();
        prefixes.insert("", "http://e/");
        let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
        let query = plans.parse(Source::new("q.rq", text), context)?;
        let options = EvaluationOptions { plans: Some(Arc::clone(plans)), limits, ..EvaluationOptions::default() };
        let Answer::Solutions(solutions) = evaluate(snapshot, &query, &options)? else { panic!("{text}") };
        solutions.rows.map(|row| row.map(|row| format!("{row:?}"))).collect()
    }

    #[test]
    fn what_is_asked_again_is_not_planned_again() {
        let snapshot = chain(10);
        // The parser makes up names for the middle of a path, for blank nodes and for aggregates.
        for (text, count) in [
            ("SELECT ?a ?c { ?a :next/:next ?c } ORDER BY ?a", 9),
            ("SELECT (COUNT(*) AS ?n) ?a { ?a :next [] } GROUP BY ?a HAVING (COUNT(*) > 0)", 10),
            ("SELECT ?a (CONCAT(STR(?a), \"!\") AS ?t) { VALUES ?a { :1 \"none\" } }", 2),
        ] {
            let plans = Arc::new(Plans::of(snapshot.clone()));
            let first = rows(&plans, &snapshot, text, Limits::default()).unwrap();
            assert_eq!(first.len(), count, "{text}");
            assert_eq!(rows(&plans, &snapshot, text, Limits::default()).unwrap(), first, "{text}");
            assert_eq!((plans.made(), plans.kept()), (1, 1), "{text}");
            // A kept plan runs with the limits of the caller.
            let one = Limits { rows: Some(1), ..Limits::default() };
            assert!(rows(&plans, &snapshot, text, one).is_err(), "{text}");
            rows(&plans, &snapshot, &format!("{text} LIMIT 1"), one).unwrap();
            assert_eq!(plans.made(), 2, "{text}");
        }
    }

    #[test]
    fn what_is_explained_is_the_plan_that_is_kept_and_is_planned_once() {
        let snapshot = chain(10);
        let text = "SELECT ?a ?c { ?a :next/:next ?c . FILTER(?c != :3) } ORDER BY ?a";
        let mut prefixes = Prefixes::default();
        prefixes.insert("", "http://e/");
        let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
        let tree = |plans: &Arc<Plans>, run: bool| {
            let query = plans.parse(Source::new("q.rq", text), context).unwrap();
            let options = EvaluationOptions { plans: Some(Arc::clone(plans)), ..EvaluationOptions::default() };
            explain(&snapshot, &query, &options, run).unwrap()
        };
        let asked_first = Arc::new(Plans::of(snapshot.clone()));
        let answer = rows(&asked_first, &snapshot, text, Limits::default()).unwrap();
        let explained_first = Arc::new(Plans::of(snapshot.clone()));
        let plan = tree(&explained_first, false);
        assert_eq!(tree(&asked_first, false), plan);
        assert!(tree(&asked_first, true).lines().count() >= plan.lines().count());
        assert_eq!(asked_first.made(), 1);
        assert_eq!(rows(&explained_first, &snapshot, text, Limits::default()).unwrap(), answer);
        assert_eq!(explained_first.made(), 1);
    }

    #[test]
    fn plans_of_one_snapshot_are_not_used_for_another() {
        let (snapshot, other) = (chain(3), chain(5));
        let plans = Arc::new(Plans::of(snapshot.clone()));
        let text = "SELECT ?a { ?a :next+ :3 }";
        for _ in 0..2 {
            assert_eq!(rows(&plans, &snapshot, text, Limits::default()).unwrap().len(), 3);
            assert_eq!(rows(&plans, &other, text, Limits::default()).unwrap().len(), 3);
            assert_eq!(rows(&plans, &other, "SELECT ?a { ?a :next :5 }", Limits::default()).unwrap().len(), 1);
        }
        assert_eq!((plans.made(), plans.kept()), (1, 1));
    }

    #[test]
    fn a_plan_that_depends_on_the_time_is_made_anew() {
        let at = NamedNode::new_unchecked("http://e/at");
        let datatype = NamedNode::new_unchecked("http://www.w3.org/2001/XMLSchema#dateTime");
        let quads = (0..2000).map(|n| {
            let time = format!("2001-01-01T{:02}:{:02}:00Z", n / 60 % 24, n % 60);
            let time = kgq_syntax::rdf::Literal::new_typed_literal(time, datatype.clone());
            Quad::new(NamedNode::new_unchecked(format!("http://e/{n}")), at.clone(), time, GraphName::DefaultGraph)
        });
        let snapshot = Snapshot::from_quads(quads).unwrap();
        let plans = Arc::new(Plans::of(snapshot.clone()));
        let text = "SELECT ?a { ?a :at ?t FILTER(?t < NOW()) }";
        for _ in 0..2 {
            assert_eq!(rows(&plans, &snapshot, text, Limits::default()).unwrap().len(), 2000);
        }
        assert_eq!((plans.made(), plans.kept()), (2, 0));
    }

    #[test]
    fn few_plans_and_few_bytes_are_kept() {
        let snapshot = chain(3);
        let plans = Arc::new(Plans::of(snapshot.clone()));
        let ask = |text: &str| rows(&plans, &snapshot, text, Limits::default()).unwrap().len();
        for n in 0..2 * MOST_KEPT {
            ask(&format!("SELECT ?a {{ ?a :next :{n} }}"));
            // Entries in use stay.
            ask("SELECT ?a { ?a :next ?b }");
        }
        assert_eq!((plans.made(), plans.kept()), (2 * MOST_KEPT as u64 + 1, MOST_KEPT));
        let many: String = (0..LONGEST / 4).map(|n| format!(":{n} ")).collect();
        assert_eq!(ask(&format!("SELECT ?a {{ VALUES ?a {{ {many} }} ?a :next ?b }}")), 3);
        assert_eq!(plans.kept(), MOST_KEPT);
        assert!(locked(&plans.plans).bytes <= MOST_BYTES && locked(&plans.texts).bytes <= MOST_BYTES);
    }

    #[test]
    fn short_names_of_a_long_namespace_are_counted_as_long_as_they_are() {
        let snapshot = chain(1);
        let plans = Arc::new(Plans::of(snapshot));
        let text = format!(
            "PREFIX p: <http://e/{}> SELECT * {{ VALUES ?x {{ {} }} }}",
            "x".repeat(10_000),
            "p:a ".repeat(100)
        );
        let prefixes = Prefixes::default();
        let context = ParseContext { prefixes: &prefixes, base: None, bounds: Bounds::default() };
        plans.parse(Source::new("q.rq", &text), context).unwrap();
        assert!(locked(&plans.texts).entries.is_empty());
    }
}
