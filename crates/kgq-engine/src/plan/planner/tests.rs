//! Which plan is made, as text, from statistics that are made up: no data are opened.

use super::*;
use crate::explain::text;
use crate::plan::physical::Labels;
use crate::plan::simplify::{Knowledge, simplify};
use crate::plan::statistics::{Count, Restriction};
use crate::plan::translate::{Dataset, Translator};
use crate::plan::{Graph, Scalar, Slot, TripleAtom};
use crate::terms::Terms;
use kgq_snapshot::Snapshot;
use spargebra::{Query, SparqlParser};

/// Statements, distinct subjects and distinct objects of each predicate. Terms are taken to be spread evenly.
struct MadeUp<'t> {
    terms: &'t Terms<'t>,
    predicates: &'t [(&'t str, [f64; 3])],
}

impl Statistics for MadeUp<'_> {
    fn terms(&self) -> u32 {
        1000
    }

    fn count(&self, atom: &TripleAtom) -> Count {
        let [s, p, o] = atom.slots;
        let [rows, subjects, objects] = match p {
            Slot::Term(p) => {
                let name = self.terms.term(p).to_string();
                let known = self.predicates.iter().find(|(known, _)| name == format!("<http://e/{known}>"));
                known.map_or([0.0; 3], |(_, counts)| *counts)
            }
            Slot::Var(_) => self.predicates.iter().fold([0.0; 3], |sum, (_, of)| [0, 1, 2].map(|i| sum[i] + of[i])),
        };
        let part = |slot: Slot, distinct: f64| if slot.var().is_some() { 1.0 } else { distinct.max(1.0) };
        let rows = rows / part(s, subjects) / part(o, objects);
        let of = |slot: Slot, distinct: f64| if slot.var().is_some() { distinct.min(rows) } else { 1.0 };
        Count { rows, distinct: [of(s, subjects), of(p, self.predicates.len() as f64), of(o, objects), 1.0] }
    }

    fn objects_are_simple(&self, _: TermId) -> bool {
        true
    }

    /// Every comparison allows the ids from 100 to 500.
    fn restriction(&self, scalar: &Scalar, _: Var, _: &Variables) -> Result<Option<Restriction>> {
        let compares = scalar.expression.to_string().contains('>');
        Ok(compares.then(|| Restriction { ranges: [100..500].into(), sure: true }))
    }
}

/// The plan as text, with what is expected of each node.
fn plan(predicates: &[(&str, [f64; 3])], query: &str) -> String {
    let snapshot = Snapshot::from_quads([]).unwrap();
    let budget = Budget::default();
    let terms = Terms::new(&snapshot, budget.clone());
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    let mut translator = Translator::new(&terms, Dataset::new(&terms, None, Graph::Default).unwrap(), false);
    let (Query::Select { pattern, .. } | Query::Ask { pattern, .. }) = &query else { panic!("{query}") };
    let translated = translator.whole(pattern).unwrap();
    let mut vars = Vec::new();
    if let spargebra::algebra::GraphPattern::Project { variables, .. } = pattern {
        vars = variables.iter().map(|variable| translator.var(variable)).collect();
    }
    let mut variables = translator.variables;
    let statistics = MadeUp { terms: &terms, predicates };
    let translated = simplify(translated, &Knowledge { names: &variables, statistics: &statistics, budget: &budget });
    let mut planner = Planner::new(&statistics, &budget, &mut variables);
    let plan = match &query {
        Query::Ask { .. } => planner.plan_existence(&translated).unwrap(),
        _ => planner.plan(&translated, &vars).unwrap(),
    };
    let term = |id: TermId| terms.term(id).to_string().replace("<http://e/", ":").replace('>', "");
    text(&plan, &Labels { variables: &variables, term: &term }, None)
}

/// Checks the operators of a plan.
#[track_caller]
fn check(predicates: &[(&str, [f64; 3])], query: &str, expected: &str) {
    let plan = plan(predicates, query);
    let operators: Vec<&str> = plan.lines().map(|line| line.split("  [").next().unwrap_or_default()).collect();
    assert_eq!(operators.join("\n"), expected.trim(), "{query}\n{plan}");
}

const PEOPLE: &[(&str, [f64; 3])] =
    &[("follows", [90_000.0, 900.0, 900.0]), ("name", [1000.0, 1000.0, 900.0]), ("type", [1000.0, 1000.0, 3.0])];

#[test]
fn a() {
    for q in [
        "SELECT * { ?x :name ?n . ?x :type ?t }",
        "SELECT * { :a :follows ?y . ?y :name ?n }",
        "SELECT * { ?x :name ?n { SELECT ?x (COUNT(*) AS ?c) { ?x :follows ?y } GROUP BY ?x } }",
        "SELECT (COUNT(*) AS ?c) { ?x :name ?n . ?x :type ?t }",
        "SELECT ?x { ?x :name ?n FILTER EXISTS { ?x :follows ?y } }",
        "SELECT ?x { ?x :name ?n FILTER NOT EXISTS { ?x :follows ?y . ?y :type ?t } }",
        "SELECT ?x ?n { ?x :follows :a OPTIONAL { ?x :name ?n . ?x :type ?t } }",
        "SELECT ?x ?n { ?x :follows ?y OPTIONAL { ?x :name ?n . ?x :type ?t } }",
        "SELECT ?n { ?x :name ?n } ORDER BY DESC(?n) LIMIT 3 OFFSET 2",
        "SELECT ?n { ?x :name ?n { ?x :type ?t } UNION { ?x :follows ?t } } LIMIT 3",
        "SELECT ?x ?y ?z { ?x :follows ?y . ?y :follows ?z . ?z :follows ?x }",
        "SELECT ?x { ?x :name ?n FILTER EXISTS { SELECT ?x { ?x :follows ?y } LIMIT 1 OFFSET 1 } }",
        "SELECT ?x { ?x :name ?n FILTER(?n > 3) }",
        "SELECT ?x { ?x :name ?n MINUS { ?x :type ?t . ?x :follows ?t } }",
        "SELECT ?x { VALUES ?x { :a :b } ?x :name ?n }",
        "SELECT DISTINCT ?t { ?x :type ?t . ?x :follows ?y }",
        "SELECT ?x ?b { ?x :follows ?y BIND(EXISTS { ?y :type ?x } AS ?b) }",
        "ASK { ?x :name ?n . ?y :type ?t FILTER(?n = ?t) }",
        "SELECT ?x { ?x :follows+ :a }",
    ] {
        println!("{q}\n{}", plan(PEOPLE, q));
    }
}
