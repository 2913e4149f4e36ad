//! The plans that are made, as text, from made-up statistics: no data are opened.

use super::*;
use crate::explain::text;
use crate::plan::expression::OrderTest;
use crate::plan::physical::Labels;
use crate::plan::simplify::{Knowledge, simplify};
use crate::plan::statistics::{Count, Restriction, Selectivity};
use crate::plan::translate::{Around, Translator};
use crate::plan::{Expression, Graph, Path, Scalar, Slot, TripleAtom};
use kgq_snapshot::{PredicateStatistics, Star};
use kgq_syntax::rdf::Term;
use spargebra::{Query, SparqlParser};
use std::cell::RefCell;

/// Statements, distinct subjects and distinct objects of each predicate. Terms are assumed to be spread evenly.
struct MadeUp<'t> {
    predicates: &'t [(&'t str, [f64; 3])],
    /// Predicates, and how many subjects have exactly these.
    sets: &'t [(&'t [&'t str], u64)],
    /// How many of 64 matches of a predicate pass any condition, and how far walks along it lead.
    samples: &'t [(&'t str, f64)],
    /// The terms of the query, by their ids.
    terms: RefCell<Vec<Term>>,
}

impl MadeUp<'_> {
    fn sample(&self, predicate: TermId) -> Option<f64> {
        let name = self.name(predicate);
        self.samples.iter().find(|(known, _)| name == format!(":{known}")).map(|(_, sample)| *sample)
    }

    fn id(&self, term: &Term) -> TermId {
        let mut terms = self.terms.borrow_mut();
        let at = terms.iter().position(|known| known == term).unwrap_or_else(|| {
            terms.push(term.clone());
            terms.len() - 1
        });
        TermId::new(at as u32)
    }

    fn name(&self, id: TermId) -> String {
        self.terms.borrow()[id.index()].to_string().replace("<http://e/", ":").replace('>', "")
    }
}

impl Statistics for MadeUp<'_> {
    fn terms(&self) -> u32 {
        1000
    }

    fn count(&self, atom: &TripleAtom) -> Count {
        let [s, p, o] = atom.slots;
        let [rows, subjects, objects] = match p {
            Slot::Term(p) => {
                let known = self.predicates.iter().find(|(known, _)| self.name(p) == format!(":{known}"));
                known.map_or([0.0; 3], |(_, counts)| *counts)
            }
            Slot::Var(_) => self.predicates.iter().fold([0.0; 3], |sum, (_, of)| [0, 1, 2].map(|i| sum[i] + of[i])),
        };
        let part = |slot: Slot, distinct: f64| if slot.var().is_some() { 1.0 } else { distinct.max(1.0) };
        let rows = rows / part(s, subjects) / part(o, objects);
        let of = |slot: Slot, distinct: f64| if slot.var().is_some() { distinct.min(rows) } else { 1.0 };
        Count { rows, distinct: [of(s, subjects), of(p, self.predicates.len() as f64), of(o, objects), 1.0] }
    }

    fn predicates(&self) -> Vec<PredicateStatistics> {
        Vec::new()
    }

    fn star(&self, predicate: TermId, others: &[TermId]) -> Option<Star> {
        let name = |id: TermId| self.name(id).trim_start_matches(':').to_owned();
        let sets = self.sets.iter().filter(|(predicates, _)| {
            std::iter::once(&predicate).chain(others).all(|id| predicates.contains(&name(*id).as_str()))
        });
        let subjects = sets.map(|(_, subjects)| subjects).sum();
        let (_, [rows, all, _]) = self.predicates.iter().find(|(known, _)| *known == name(predicate))?;
        (!self.sets.is_empty()).then_some(Star { subjects, rows: (subjects as f64 * rows / all) as u64 })
    }

    fn count_within(&self, _: &TripleAtom, _: Var, _: &[std::ops::Range<u32>]) -> Option<f64> {
        None
    }

    fn sample(&self, _: &Scalar, atoms: &[TripleAtom]) -> Result<Option<Selectivity>> {
        let Some(Slot::Term(predicate)) = atoms.first().map(|atom| atom.slots[1]) else { return Ok(None) };
        Ok(self.sample(predicate).map(|passed| Selectivity { passed, of: 64.0, is_sample: true }))
    }

    fn reach(&self, path: &Path, _: &Graph, _: bool, _: Option<TermId>) -> Option<f64> {
        if let Path::Predicate(predicate) = path { self.sample(*predicate) } else { None }
    }

    fn objects_are_simple(&self, _: &Term) -> bool {
        true
    }

    fn named_graphs(&self) -> Vec<Term> {
        Vec::new()
    }

    fn is_named_graph(&self, _: &Term) -> bool {
        false
    }

    /// Every comparison allows the ids from 100 to 500.
    fn restriction(&self, scalar: &Scalar, _: Var, _: bool) -> Result<Option<Restriction>> {
        let compares = matches!(scalar.expression, Expression::Order(OrderTest::Greater, _));
        Ok(compares.then(|| Restriction { ranges: std::iter::once(100..500).collect(), sure: true }))
    }
}

/// The plan as text, with the estimates of each node.
fn plan(predicates: &[(&str, [f64; 3])], query: &str) -> String {
    plan_of(&MadeUp { predicates, sets: &[], samples: &[], terms: RefCell::default() }, query)
}

/// The same, where more is known of the data.
fn plan_of(made_up: &MadeUp<'_>, query: &str) -> String {
    let budget = &Budget::default();
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    let (Query::Select { pattern, .. } | Query::Ask { pattern, .. }) = &query else { panic!("{query}") };
    let around = Around { statistics: made_up, restricted: false, answers_services: false, budget };
    let mut translator = Translator::new(around, Graph::Default);
    let translated = translator.pattern(pattern).unwrap();
    let mut names = Vec::new();
    pattern.on_in_scope_variable(|variable| names.push(variable.clone()));
    let vars: Vec<Var> = names.iter().map(|name| translator.var(name)).collect();
    let mut variables = translator.variables;
    let logical = simplify(translated, &Knowledge { statistics: made_up, budget, outer: VarSet::default() });
    let bound = logical.map_terms(&|term: &Term| Ok(made_up.id(term))).unwrap();
    let mut planner = Planner::new(made_up, budget, &mut variables);
    let plan = match &query {
        Query::Ask { .. } => planner.plan_existence(&bound).unwrap(),
        _ => planner.plan(&bound, &vars).unwrap(),
    };
    text(&plan, &Labels { variables: &variables, term: &|id| made_up.name(id) }, None)
}

/// Checks the operators of a plan, one a line with its inputs below it. Leaves of one empty solution are left out.
#[track_caller]
fn check(predicates: &[(&str, [f64; 3])], query: &str, expected: &str) {
    check_operators(&plan(predicates, query), query, expected);
}

#[track_caller]
fn check_operators(plan: &str, query: &str, expected: &str) {
    let operators = plan.lines().map(|line| line.split("  [").next().unwrap_or_default());
    let operators: Vec<&str> = operators.filter(|line| !line.ends_with("one empty solution")).collect();
    assert_eq!(operators.join("\n"), expected.trim(), "{query}\n{plan}");
}

const PEOPLE: &[(&str, [f64; 3])] =
    &[("follows", [90_000.0, 900.0, 900.0]), ("name", [1000.0, 1000.0, 900.0]), ("type", [1000.0, 1000.0, 3.0])];

#[test]
fn patterns_sorted_by_one_variable_are_merged() {
    check(
        PEOPLE,
        "SELECT ?n ?t ?x { ?x :name ?n . ?x :type ?t }",
        "
project ?n ?t ?x
  index join PSO :type ?x → ?t, merging
    scan PSO :name → ?x ?n",
    );
}

#[test]
fn of_patterns_around_a_subject_the_one_that_few_of_the_others_subjects_have_comes_first() {
    let predicates = &[("a", [1000.0; 3]), ("b", [1200.0; 3]), ("c", [5000.0; 3])];
    let query = "SELECT ?x ?a ?b ?c { ?x :a ?a . ?x :b ?b . ?x :c ?c }";
    check(
        predicates,
        query,
        "
index join PSO :c ?x → ?c, merging
  index join PSO :b ?x → ?b, merging
    scan PSO :a → ?x ?a",
    );
    let sets: &[(&[&str], u64)] = &[(&["a", "b"], 990), (&["a", "b", "c"], 10), (&["b"], 200), (&["c"], 4990)];
    check_operators(
        &plan_of(&MadeUp { predicates, sets, samples: &[], terms: RefCell::default() }, query),
        query,
        "
project ?x ?a ?b ?c
  index join PSO :b ?x → ?b, merging
    index join PSO :c ?x → ?c, merging
      scan PSO :a → ?x ?a",
    );
}

#[test]
fn a_join_starts_from_the_pattern_of_which_few_matches_pass_a_condition() {
    let predicates = &[("a", [2000.0; 3]), ("b", [5000.0; 3])];
    let query = "SELECT ?x ?a ?b { ?x :a ?a . ?x :b ?b FILTER(CONTAINS(?b, \"c\")) }";
    let plan = |samples| plan_of(&MadeUp { predicates, sets: &[], samples, terms: RefCell::default() }, query);
    let (unknown, few, most) = (plan(&[]), plan(&[("b", 2.0)]), plan(&[("b", 60.0)]));
    assert!(unknown.contains("scan PSO :a"), "{unknown}");
    assert!(most.contains("scan PSO :a"), "{most}");
    assert!(few.contains("scan PSO :b") && few.contains("filter CONTAINS(?b, \"c\")  [expected 156,"), "{few}");
}

#[test]
fn a_long_list_of_iris_is_joined_and_one_with_other_terms_is_tested() {
    let list = (0..1000).map(|at| format!(":n{at}, ")).collect::<String>();
    let of = |last: &str| plan(PEOPLE, &format!("SELECT ?x ?n {{ ?x :name ?n FILTER(?x IN ({list}{last})) }}"));
    let (iris, others) = (of(":n0"), of("1"));
    assert!(iris.contains("1000 rows of values") && !iris.contains("filter"), "{iris}");
    assert!(others.contains("filter"), "{}", others.lines().next().unwrap_or_default());
}

#[test]
fn a_condition_is_tested_inside_a_sub_select_where_its_rows_or_groups_have_what_it_reads() {
    let scans = |query: &str| {
        let plan = plan(PEOPLE, query);
        let lines: Vec<&str> =
            plan.lines().map(|line| line.trim_start().split("  [").next().unwrap_or_default()).collect();
        let at = |what: &str| lines.iter().position(|line| line.starts_with(what));
        (at("filter"), at("distinct").or(at("group")).or(at("limit")))
    };
    let inside = [
        "SELECT * { { SELECT DISTINCT ?n ?t { ?x :name ?n . ?x :type ?t } } FILTER(CONTAINS(?n, \"c\")) }",
        "SELECT * { { SELECT ?n (COUNT(*) AS ?c) { ?x :name ?n . ?x :type ?t } GROUP BY ?n } FILTER(CONTAINS(?n, \"c\")) }",
        "SELECT * { ?y :name ?m { SELECT DISTINCT ?n ?t { ?x :name ?n . ?x :type ?t } } FILTER(CONTAINS(?n, \"c\")) }",
    ];
    for query in inside {
        let (filter, around) = scans(query);
        assert!(around.is_some() && filter > around, "{}", plan(PEOPLE, query));
    }
    let outside = [
        "SELECT * { { SELECT ?n (COUNT(*) AS ?c) { ?x :name ?n . ?x :type ?t } GROUP BY ?n } FILTER(?c > 1) }",
        "SELECT * { { SELECT ?n ?t { ?x :name ?n . ?x :type ?t } LIMIT 3 } FILTER(CONTAINS(?n, \"c\")) }",
    ];
    for query in outside {
        let (filter, around) = scans(query);
        assert!(filter.is_some() && filter < around, "{}", plan(PEOPLE, query));
    }
}

#[test]
fn a_path_is_expected_to_reach_what_walks_along_it_reach() {
    let predicates = &[("a", [2000.0, 2000.0, 100.0])];
    let of = |samples| {
        let made_up = MadeUp { predicates, sets: &[], samples, terms: RefCell::default() };
        plan_of(&made_up, "SELECT ?y { :x :a+ ?y }")
    };
    let (unknown, far) = (of(&[]), of(&[("a", 70.0)]));
    assert!(unknown.contains("[expected 4.0,") && far.contains("[expected 70,"), "{unknown}{far}");
}

#[test]
fn a_star_that_is_only_counted_is_divided_where_its_patterns_have_many_rows() {
    let query = "SELECT (COUNT(*) AS ?c) { ?x :a ?a . ?x :b ?b }";
    let star = "counting merge join of 2 patterns on ?x";
    for (rows, is_divided) in [(1000.0, false), (900_000.0, true)] {
        let plan = plan(&[("a", [rows; 3]), ("b", [rows; 3])], query);
        assert!(plan.contains(star), "{plan}");
        assert_eq!(plan.contains("parts side by side"), is_divided, "{plan}");
    }
}

#[test]
fn the_same_query_is_planned_from_the_other_end_where_the_other_pattern_is_smaller() {
    let query = "SELECT ?x ?n { ?x :follows ?y . ?y :name ?n }";
    check(
        PEOPLE,
        query,
        "
project ?x ?n
  index join POS :follows ?y → ?x, merging
    scan PSO :name → ?y ?n",
    );
    let few_follow = &[("follows", [10.0, 10.0, 10.0]), ("name", [1000.0, 1000.0, 900.0])];
    check(
        few_follow,
        query,
        "
index join PSO :name ?y → ?n, merging
  scan POS :follows → ?y ?x",
    );
}

#[test]
fn rows_sorted_by_two_keys_are_merged_with_the_order_that_has_both() {
    check(
        PEOPLE,
        "SELECT ?x ?y { ?x :follows ?y . ?y :follows ?x }",
        "
parts side by side
  repeat by weight
    index join POS :follows ?x ?y, merging
      scan PSO :follows → ?x ?y",
    );
}

#[test]
fn a_nullable_path_between_any_nodes_waits_for_what_binds_its_start() {
    check(
        PEOPLE,
        "SELECT DISTINCT ?z { ?x :type ?y . ?y :follows* ?z }",
        "
distinct
  path (*) from all subjects at once → ?z
    distinct
      scan POS :type → ?y ?x, by runs",
    );
}

#[test]
fn each_node_shows_its_estimated_rows_and_cost() {
    let expected = "\
index join PSO :name ?y → ?n, merging  [expected 100, cost 121]
  scan SPO :a :follows → ?y  [expected 100, cost 11]
    one empty solution  [expected 1.0, cost 0.0]
";
    assert_eq!(plan(PEOPLE, "SELECT ?y ?n { :a :follows ?y . ?y :name ?n }"), expected);
}

#[test]
fn a_counted_star_needs_no_rows() {
    check(PEOPLE, "ASK { ?x :name ?n . ?x :type ?t }", "counting merge join of 2 patterns on ?x");
    check(
        PEOPLE,
        "SELECT ?x { ?x :name ?n OPTIONAL { ?x :type ?t } }",
        "
repeat by weight
  counting merge join of 2 patterns on ?x, 1 optional",
    );
}

#[test]
fn exists_is_a_semi_join() {
    check(
        PEOPLE,
        "SELECT ?x { ?x :name ?n FILTER EXISTS { ?x :follows ?y } }",
        "
repeat by weight
  index semi-join PSO :follows ?x → ?y, merging
    scan PSO :name → ?x ?n, by runs",
    );
    check(
        PEOPLE,
        "SELECT ?x { ?x :name ?n FILTER NOT EXISTS { ?x :follows ?y . ?y :type ?t } }",
        "
repeat by weight
  hash anti-join on ?x
    scan PSO :name → ?x ?n, by runs
    index join POS :follows ?y → ?x, merging
      distinct
        scan PSO :type → ?y ?t, by runs",
    );
}

#[test]
fn exists_that_sees_inside_a_sub_select_is_planned_once_for_all_values() {
    check(
        PEOPLE,
        "SELECT ?x { ?x :name ?n FILTER EXISTS { SELECT ?x { ?x :follows ?y } LIMIT 1 OFFSET 1 } }",
        "
repeat by weight
  exists, for each different ?x
    scan PSO :name → ?x ?n, by runs
    limit 1 after 1
      repeat by weight
        index join SPO ?x :follows → ?y, counted
          given ?x",
    );
}

#[test]
fn few_rows_look_an_optional_up_and_many_join_it_by_hash() {
    let optional = "OPTIONAL { ?x :name ?n . ?x :type ?t }";
    check(
        PEOPLE,
        &format!("SELECT ?x ?n {{ ?x :follows :a {optional} }}"),
        "
repeat by weight
  optional, row by row → ?x ?n
    scan POS :follows :a → ?x
    index join PSO :type ?x → ?t, counted, merging
      index join PSO :name ?x → ?n, merging
        rows from outside",
    );
    check(
        PEOPLE,
        &format!("SELECT ?x ?n {{ ?x :follows ?y {optional} }}"),
        "
parts side by side
  repeat by weight
    optional hash join on ?x
      scan PSO :follows → ?x ?y, by runs
      index join PSO :type ?x → ?t, counted, merging
        scan PSO :name → ?x ?n",
    );
}

#[test]
fn an_optional_whose_unmatched_rows_no_condition_keeps_is_a_join() {
    check(
        PEOPLE,
        "SELECT ?x { ?x :follows ?y OPTIONAL { ?x :name ?n } FILTER(BOUND(?n)) }",
        "
repeat by weight
  counting merge join of 2 patterns on ?x",
    );
    for (condition, is_optional) in [
        ("?n = 'a'", false),
        ("!(?n = 'a')", false),
        ("STRLEN(STR(?n)) > 3 && ?t != 1", false),
        ("BOUND(?n) || ?n = 'a'", false),
        ("!(!BOUND(?n) || ?t = 1)", false),
        ("IF(?t = 1, ?n, ?n = 'a')", false),
        ("?n IN ('a', 'b')", false),
        ("COALESCE(?n, ?n + 1)", false),
        ("?n = 'a' || ?t = 1", true),
        ("!(?n = 'a' && ?t = 1)", true),
        ("BOUND(?n) = true", true),
        ("IF(?t = 1, ?n, true)", true),
        ("IF(BOUND(?n), ?n, ?t) = 1", true),
        ("COALESCE(?n, ?t)", true),
        ("?t IN (?n, 'a')", true),
        ("EXISTS { ?x :follows ?n }", true),
    ] {
        let plan = plan(PEOPLE, &format!("SELECT * {{ ?x :type ?t OPTIONAL {{ ?x :name ?n }} FILTER({condition}) }}"));
        assert_eq!(plan.contains("optional"), is_optional, "{condition}: {plan}");
    }
}

#[test]
fn optionals_inside_what_a_condition_reads_are_joins_too() {
    for (pattern, optionals) in [
        ("?x :type ?t OPTIONAL { ?x :name ?n } OPTIONAL { ?x :follows ?y } FILTER(?n > 3)", 1),
        ("?x :type ?t OPTIONAL { ?x :follows ?y OPTIONAL { ?y :name ?n } } FILTER(BOUND(?y))", 1),
        ("?x :type ?t OPTIONAL { ?x :name ?n } ?x :follows ?y FILTER(BOUND(?n))", 0),
        ("?x :type ?t OPTIONAL { ?x :name ?n } ?y :name ?n FILTER(BOUND(?n))", 1),
        ("?x :type ?t OPTIONAL { ?x :name ?n } OPTIONAL { ?x :follows ?n } FILTER(BOUND(?n))", 2),
        ("?x :type ?t OPTIONAL { ?x :name ?n } BIND(1 AS ?one) MINUS { ?x :follows :a } FILTER(?n > 3)", 0),
    ] {
        let plan = plan(PEOPLE, &format!("SELECT * {{ {pattern} }}"));
        assert_eq!(plan.matches("optional").count(), optionals, "{pattern}: {plan}");
    }
}

#[test]
fn a_limit_is_pushed_into_the_order() {
    check(
        PEOPLE,
        "SELECT ?n { ?x :name ?n } ORDER BY DESC(?n) LIMIT 3 OFFSET 2",
        "
limit 3 after 2
  repeat by weight
    order by DESC(?n), first 5
      scan POS :name → ?n ?x, by runs",
    );
}

#[test]
fn an_equality_of_terms_that_equal_themselves_only_is_a_join() {
    check(
        PEOPLE,
        "SELECT ?x ?y { ?x :name ?n . ?y :name ?m FILTER(?n = ?m) } LIMIT 3",
        "
limit 3
  index join POS :name ?n → ?y, merging
    scan POS :name → ?n ?x",
    );
}

#[test]
fn a_cycle_is_a_multiway_join() {
    check(
        PEOPLE,
        "SELECT ?x ?y ?z { ?x :follows ?y . ?y :follows ?z . ?z :follows ?x }",
        "
parts side by side
  project ?x ?y ?z
    multiway join (:follows ?y ∩ :follows ?x) → ?z
      scan POS :follows → ?y ?x",
    );
}

#[test]
fn a_comparison_is_a_range_of_the_scan() {
    check(
        PEOPLE,
        "SELECT ?x ?n { ?x :name ?n FILTER(?n > 3) }",
        "
project ?x ?n
  filter (?n > \"3\"^^<http://www.w3.org/2001/XMLSchema#integer>)
    scan POS :name → ?n ?x, in a range",
    );
}

#[test]
fn union_minus_values_and_paths_have_their_operators() {
    check(
        PEOPLE,
        "SELECT ?x ?n { ?x :name ?n { ?x :type ?t } UNION { ?x :follows ?t } } LIMIT 3",
        "
limit 3
  repeat by weight
    union → ?x ?n
      scan PSO :name → ?x ?n
      index join PSO :type ?x → ?t, counted, merging
        rows from outside
      index join PSO :follows ?x → ?t, counted, merging
        rows from outside",
    );
    check(
        PEOPLE,
        "SELECT ?x { ?x :name ?n MINUS { ?x :type ?t . ?x :follows ?t } }",
        "
repeat by weight
  minus on ?x
    scan PSO :name → ?x ?n, by runs
    index join PSO :follows ?x ?t, merging
      scan PSO :type → ?x ?t",
    );
    check(
        PEOPLE,
        "SELECT ?x ?n { VALUES ?x { :a :b } ?x :name ?n }",
        "
index join SPO ?x :name → ?n
  2 rows of values",
    );
    check(PEOPLE, "SELECT ?x { ?x :follows+ :a }", "path (+) from the object → ?x");
}

#[test]
fn a_group_is_assumed_to_have_two_rows_and_its_scan_is_divided() {
    let plan = plan(PEOPLE, "SELECT ?x (COUNT(*) AS ?c) { ?x :follows ?y } GROUP BY ?x");
    assert!(plan.contains("group by ?x → "), "{plan}");
    assert!(plan.contains("parts side by side  [expected 90000, cost 27001]"), "{plan}");
    assert!(plan.contains("scan PSO :follows → ?x ?y, by runs  [expected 90000, cost 9001]"), "{plan}");
}

#[test]
fn expressions_are_shown_as_they_are_computed() {
    let integer = |n: u32| format!("\"{n}\"^^<http://www.w3.org/2001/XMLSchema#integer>");
    let [one, two] = [1, 2].map(integer);
    for (asked, shown) in [
        ("(?n + 1) * 2 = ?n", format!("(((?n + {one}) * {two}) = ?n)")),
        ("?n = 1 || BOUND(?n) || !(?n IN (1, 2))", format!("((?n = {one}) || BOUND(?n) || !(?n IN ({one}, {two})))")),
        ("IF(?n >= 1 && ?n != 2, -?n, COALESCE(?x, 1))", {
            format!("IF(((?n >= {one}) && !(?n = {two})), -?n, COALESCE(?x, {one}))")
        }),
        ("sameTerm(?n, ?x) = CONTAINS(STR(?n), \"a\")", "(sameTerm(?n, ?x) = CONTAINS(STR(?n), \"a\"))".to_owned()),
    ] {
        let plan = plan(PEOPLE, &format!("SELECT ?x {{ ?x :name ?n FILTER({asked}) }}"));
        assert!(plan.contains(&format!("filter {shown} ")), "{asked}: {plan}");
    }
}

#[test]
fn a_term_that_is_the_only_value_of_a_variable_stands_in_the_pattern() {
    check(
        PEOPLE,
        "SELECT ?x { ?x :type :t . ?x ?p ?y VALUES ?p { :follows } }",
        "
repeat by weight
  counting merge join of 2 patterns on ?x",
    );
    let selected = plan(PEOPLE, "SELECT ?x ?p { ?x :type :t . ?x ?p ?y VALUES ?p { :follows } }");
    assert!(selected.contains("1 rows of values"), "{selected}");
}

#[test]
fn a_pattern_that_most_rows_are_looked_up_in_is_read_by_its_constants_first() {
    let people = &[("follows", [90_000.0, 900.0, 900.0]), ("name", [2000.0, 1000.0, 900.0])];
    check(
        people,
        "SELECT ?x ?n { ?y :follows ?x . ?x :follows ?z . ?z :name ?n }",
        "
repeat by weight
  index join PSO :name ?z → ?n
    index join PSO :follows ?x → ?z, merging
      count equal ?x
        scan POS :follows → ?x ?y, by runs",
    );
}
