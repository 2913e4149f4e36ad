//! Random datasets and queries over all of SPARQL 1.1's operators: our executor against Oxigraph's evaluator.
//!
//! A failure names its seed and the smallest query and dataset that still show it. `KGQ_DIFFERENTIAL=100000` runs that many pairs
//! instead of the few of every test run, from the seed `KGQ_DIFFERENTIAL_SEED`.

mod compare;
mod generate;
mod query;

use compare::{Solutions, difference, shown};
use generate::{Dice, Queries, Terms};
use kgq::engine::limits::Guard;
use kgq::engine::oxigraph::{self, DefaultGraph};
use kgq::engine::{Answer, Limits};
use kgq::snapshot::Snapshot;
use oxrdf::Quad;
use oxttl::TriGParser;
use query::Select;
use spargebra::algebra::GraphPattern;
use spargebra::{Query, SparqlParser};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PREFIXES: &str = "PREFIX : <http://example.com/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n";

/// A dataset and a query over it.
#[derive(Clone)]
struct Case {
    terms: Terms,
    statements: Vec<String>,
    select: Select,
}

impl Case {
    fn random(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let terms = Terms::any(&mut dice);
        let statements = generate::dataset(&mut dice, terms);
        let mut case = Self { terms, statements, select: Select::default() };
        // What SPARQL does not allow, such as a variable bound twice, is made again, and mostly what has no solution.
        loop {
            case.select = Queries::new(&mut dice, terms).query();
            let Some(query) = parse(&case.select) else { continue };
            if case.select.to_string().len() < 80 && !dice.once_in(4) {
                continue;
            }
            if dice.once_in(4) {
                return case;
            }
            let snapshot = Snapshot::from_quads(case.quads()).unwrap_or_else(|e| panic!("{e}"));
            if run(oxigraph_answer, ORACLE_TIME, &snapshot, &query).is_ok_and(|solutions| !solutions.rows.is_empty()) {
                return case;
            }
        }
    }

    fn quads(&self) -> Vec<Quad> {
        let text = format!("{PREFIXES}{}", self.statements.join("\n"));
        TriGParser::new().for_slice(&text).collect::<Result<_, _>>().unwrap_or_else(|e| panic!("{e} in {text}"))
    }

    /// What the executors disagree on; `None` if nothing, or if the oracle took too long.
    fn difference(&self) -> Option<String> {
        let snapshot = Snapshot::from_quads(self.quads()).ok()?;
        let query = parse(&self.select)?;
        let found = run(our_answer, OUR_TIME, &snapshot, &query);
        // Oxigraph's evaluator leaves out duplicates that alternatives in paths make, so it is asked without paths but for closures.
        let mut unlimited = self.select.spelled_out(&answer_variables(&query));
        (unlimited.limit, unlimited.offset) = (None, None);
        // The variables that spelling out adds would count.
        let text = unlimited.to_string();
        if text.contains("DISTINCT *)") && text.contains("?path") {
            return None;
        }
        let expected = run(oxigraph_answer, ORACLE_TIME, &snapshot, &parse(&unlimited)?);
        match (expected, found) {
            (Err(_), _) => None,
            (Ok(_), Err(error)) => Some(format!("an error: {error}")),
            (Ok(expected), Ok(found)) => difference(&self.select, &expected, &found).map(|difference| {
                let rows = |solutions: &Solutions| solutions.rows.iter().map(shown).collect::<Vec<_>>().join("\n  ");
                format!("{difference}\nexpected\n  {}\nfound\n  {}", rows(&expected), rows(&found))
            }),
        }
    }

    /// The smallest case on the way from this one for which the executors still disagree.
    fn shrunk(mut self) -> Self {
        let deadline = Instant::now() + Duration::from_secs(20);
        'smaller: while Instant::now() < deadline {
            let fewer = (0..self.statements.len()).map(|at| {
                let mut case = self.clone();
                case.statements.remove(at);
                case
            });
            let simpler = self.select.smaller().into_iter().map(|select| Self { select, ..self.clone() });
            for case in fewer.chain(simpler) {
                if case.select.to_string().len() <= self.select.to_string().len() && case.difference().is_some() {
                    self = case;
                    continue 'smaller;
                }
            }
            break;
        }
        self
    }
}

fn parse(select: &Select) -> Option<Query> {
    SparqlParser::new().parse_query(&format!("{PREFIXES}{select}")).ok()
}

fn answer_variables(query: &Query) -> Vec<String> {
    let Query::Select { pattern, .. } = query else { return Vec::new() };
    let mut pattern = pattern;
    loop {
        pattern = match pattern {
            GraphPattern::Project { variables, .. } => {
                return variables.iter().map(|v| v.as_str().to_owned()).collect();
            }
            GraphPattern::Distinct { inner } | GraphPattern::Reduced { inner } | GraphPattern::Slice { inner, .. } => {
                inner
            }
            _ => return Vec::new(),
        };
    }
}

type Executor = for<'a> fn(&'a Snapshot, &Query, &Arc<Guard>) -> kgq::error::Result<Answer<'a>>;

fn oxigraph_answer<'a>(snapshot: &'a Snapshot, query: &Query, guard: &Arc<Guard>) -> kgq::error::Result<Answer<'a>> {
    oxigraph::evaluate(snapshot, query, DefaultGraph::Stored, guard)
}

fn our_answer<'a>(snapshot: &'a Snapshot, query: &Query, guard: &Arc<Guard>) -> kgq::error::Result<Answer<'a>> {
    match kgq::engine::kgq::evaluate(snapshot, query, DefaultGraph::Stored, guard)? {
        Ok(answer) => Ok(answer),
        Err(reason) => Err(kgq::error::Error::bug(format!("the executor does not take it: {reason}"))),
    }
}

/// What takes the oracle longer is not compared; what takes ours longer, on a dozen statements, hangs.
const ORACLE_TIME: Duration = Duration::from_secs(3);
const OUR_TIME: Duration = Duration::from_secs(30);

fn run(executor: Executor, time: Duration, snapshot: &Snapshot, query: &Query) -> kgq::error::Result<Solutions> {
    let limits = Limits { time: Some(time), ..Limits::default() };
    let guard = Arc::new(Guard::new(&limits, Arc::default()));
    match executor(snapshot, query, &guard)? {
        Answer::Solutions(solutions) => {
            let variables = solutions.variables;
            // Enough to compare; a query that makes more is a cross product of all it has.
            let rows = solutions.rows.take(20_000).collect::<Result<Vec<_>, _>>()?;
            if rows.len() == 20_000 {
                return Err(kgq::error::Error::limit("too many solutions to compare"));
            }
            Ok(Solutions { variables, rows })
        }
        Answer::Boolean(_) | Answer::Graph(_) => Err(kgq::error::Error::bug("a SELECT has solutions")),
    }
}

/// How many failures one run describes.
const DESCRIBED: usize = 5;

fn compare_seeds(seeds: std::ops::Range<u64>) {
    let mut failures = Vec::new();
    for seed in seeds {
        let case = Case::random(seed);
        if case.difference().is_some() {
            let case = case.shrunk();
            failures.push(format!(
                "seed {seed} ({:?})\n{}\n{}\n{}\n",
                case.terms,
                case.statements.join("\n"),
                case.select,
                case.difference().unwrap_or_default()
            ));
            if failures.len() == DESCRIBED {
                break;
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn both_executors_give_the_same_solutions() {
    let number = |name| std::env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    let first = number("KGQ_DIFFERENTIAL_SEED").unwrap_or(0);
    compare_seeds(first..first + number("KGQ_DIFFERENTIAL").unwrap_or(500));
}
