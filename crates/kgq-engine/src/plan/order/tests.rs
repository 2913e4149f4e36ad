//! The greedy order beside the cheapest of all orders.

use super::*;
use crate::Failures;
use crate::executor::{Run, plan};
use crate::oxigraph::DefaultGraph;
use crate::plan::Graph;
use crate::plan::translate::{Around, Translator};
use crate::tests::snapshot;
use kgq_syntax::budget::Budget;
use rustc_hash::FxHashMap;
use spargebra::{Query, SparqlParser};
use std::fmt::Write;

impl Search<'_, '_> {
    /// The cost of the cheapest of all orders: for each set of operands, the cheapest order of those is extended.
    fn cheapest_of_all(&self, start: &Taken) -> f64 {
        let count = self.operands.len();
        let mut cheapest: FxHashMap<usize, Taken> = [(0, start.clone())].into_iter().collect();
        for _ in 0..count {
            let mut larger: FxHashMap<usize, Taken> = FxHashMap::default();
            for (set, taken) in cheapest {
                let open: Vec<usize> = (0..count).filter(|at| set >> at & 1 == 0).collect();
                let is_connected = |at: &usize| self.operands[*at].vars.intersects(&taken.bound);
                let any = !open.iter().any(is_connected);
                for at in open.iter().copied().filter(|at| any || is_connected(at)) {
                    let mut after = taken.clone();
                    self.take(&mut after, at);
                    let with = set | 1 << at;
                    if larger.get(&with).is_none_or(|known| after.cost < known.cost) {
                        larger.insert(with, after);
                    }
                }
            }
            cheapest = larger;
        }
        cheapest.into_values().map(|taken| taken.cost).fold(f64::INFINITY, f64::min)
    }
}

/// Eight predicates from 100 to 12,800 statements between 2,000 nodes, of which some have many.
fn skewed(random: &mut fastrand::Rng) -> String {
    let mut data = String::new();
    for predicate in 0..8 {
        for _ in 0..100 << predicate {
            let mut node = || (random.f64().powi(3) * 2000.0) as u32;
            let (subject, object) = (node(), node());
            let _ = write!(data, ":n{subject} :p{predicate} :n{object} . ");
        }
    }
    data
}

/// The cost of about a millisecond.
const COSTS_LITTLE: f64 = 10_000.0;

/// A connected join of some patterns: each but the first has a variable of one before.
fn join(random: &mut fastrand::Rng) -> String {
    let mut patterns = String::new();
    let mut vars = 1;
    for _ in 0..random.u32(3..8) {
        let known = random.u32(0..vars);
        let other = if vars > 2 && random.u32(0..5) == 0 { random.u32(0..vars) } else { vars };
        vars = vars.max(other + 1);
        let (a, b) = if random.bool() { (known, other) } else { (other, known) };
        let object = if random.u32(0..6) == 0 { format!(":n{}", random.u32(0..2000)) } else { format!("?v{b}") };
        let _ = write!(patterns, "?v{a} :p{} {object} . ", random.u32(0..8));
    }
    format!("SELECT * {{ {patterns} }}")
}

#[test]
fn the_greedy_order_costs_about_as_much_as_the_cheapest_of_all() {
    let random = &mut fastrand::Rng::with_seed(14);
    let snapshot = snapshot(&skewed(random));
    let (budget, failures) = (Budget::default(), Failures::default());
    let run = Run { budget: &budget, services: None, failures: &failures, temporary: None };
    let (mut joins, mut equal) = (0, 0);
    while joins < 1000 {
        let text = join(random);
        let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(&text).unwrap();
        let (cx, _) = plan(&snapshot, &query, DefaultGraph::Stored, run).unwrap();
        let around = Around { statistics: &cx, restricted: false, answers_services: false, budget: &budget };
        let Query::Select { pattern, .. } = &query else { unreachable!() };
        let logical = Translator::new(around, Graph::Default).pattern(pattern).unwrap();
        let Pattern::Project { inner, .. } = logical.map_terms(cx.terms()).unwrap() else { panic!("{text}") };
        let Pattern::Join(operands) = *inner else { continue };
        let estimator = Estimator::new(&cx, &budget);
        let search = Search::of(&estimator, &operands, &[], &|_| true);
        let start = search.start(&VarSet::default(), &Cardinality::one());
        let (greedy, all) = (search.run(&start).cost, search.cheapest_of_all(&start));
        assert!(greedy <= all * 2.0 || greedy < COSTS_LITTLE, "{text} costs {greedy}, and could cost {all}");
        joins += 1;
        equal += usize::from(greedy <= all * 1.01);
    }
    assert!(equal * 10 >= joins * 9, "{equal} of {joins} cost as little as the cheapest of all");
}
