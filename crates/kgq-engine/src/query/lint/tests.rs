//! Each usual mistake, and what is not a mistake.

use super::*;

fn codes(text: &str) -> Vec<&'static str> {
    let algebra = spargebra::SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(text).unwrap();
    lint(&Query { algebra }).iter().map(|lint| lint.code).collect()
}

#[test]
fn each_usual_mistake_has_its_code() {
    for (text, expected) in [
        ("SELECT * { ?a :p ?b . ?c :q ?d }", "cross-product"),
        ("SELECT ?x ?nmae { ?x :p ?name }", "never-bound"),
        ("SELECT * { ?x :p ?n OPTIONAL { ?x :q ?m { ?m :r ?o FILTER(?n > 1) } } }", "out-of-scope"),
        ("SELECT ?x (COUNT(*) AS ?n) { ?x :p ?y } GROUP BY ?x HAVING(?n > 1)", "having-alias"),
        ("SELECT * { ?x :p ?y OPTIONAL { ?y :q ?z } ?z :r ?w }", "optional-first"),
        ("SELECT * { ?x :p ?y OPTIONAL { ?x :q ?z } OPTIONAL { ?x :r ?z } }", "optional-shadows"),
        ("SELECT * { ?x :p ?y OPTIONAL { ?x :q ?z } OPTIONAL { ?x :r ?z } } ORDER BY ?y", "optional-shadows"),
        ("SELECT ?x { ?x :p ?t FILTER(?t != :a) }", "not-equal"),
        ("SELECT ?x { ?x :p ?t FILTER(LANG(?t) = 'en-GB') }", "language-case"),
        ("SELECT ?x { ?x :p ?t FILTER(LANG(?t) NOT IN ('en', 'zh-Hant')) }", "language-case"),
        ("SELECT * { ?x :p+ ?y }", "unbounded-path"),
        ("SELECT ?x { ?x :p ?y BIND(?y + 1 AS ?z) }", "used-once"),
        ("SELECT ?x { ?x :p ?name } ORDER BY ?nmae", "never-bound"),
        ("SELECT ?x { ?x :p ?name } ORDER BY DESC(LCASE(?nmae))", "never-bound"),
        ("SELECT (COUNT(*) AS ?n) { ?x :p ?name } GROUP BY ?nmae", "never-bound"),
        ("SELECT (COUNT(?nmae) AS ?n) { ?x :p ?name }", "never-bound"),
        ("SELECT ?x { ?x :p ?name FILTER(?nmae > 1) }", "out-of-scope"),
        ("SELECT ?x { ?x :p ?y } GROUP BY ?x HAVING(COUNT(?yy) > 1)", "never-bound"),
        ("CONSTRUCT { ?x a :C ; :n ?nmae } { ?x :p ?name }", "never-bound"),
    ] {
        assert_eq!(codes(text), [expected], "{text}");
        assert!(CODES.iter().any(|(code, _)| *code == expected), "{expected}");
    }
}

#[test]
fn what_is_right_has_none() {
    for text in [
        "SELECT * { ?a :p ?b . ?b :q ?d }",
        "SELECT ?x { ?x :p ?y }",
        "SELECT ?x (COUNT(*) AS ?n) { ?x :p ?y } GROUP BY ?x ORDER BY DESC(?n) STR(?x)",
        "SELECT (STR(?y) AS ?n) { ?x :p ?y } ORDER BY ?n",
        "SELECT ?l (COUNT(*) AS ?n) { ?x :p ?y } GROUP BY (LCASE(?y) AS ?l)",
        "SELECT * { ?a :p ?b . ?c :q ?d FILTER(?b = ?d) }",
        "SELECT * { ?a :p [ :q ?c ] . VALUES ?z { 1 } }",
        "SELECT (COUNT(*) AS ?n) ?x { ?x :p ?y } GROUP BY ?x HAVING(COUNT(*) > 1)",
        "SELECT * { ?x :p ?y FILTER NOT EXISTS { ?x :q ?z FILTER(?z > ?y) } }",
        "SELECT * { ?x a :C ; :p+ ?y }",
        "SELECT * { { ?x :p ?y } UNION { ?x :q ?z } ?x a :C }",
        "SELECT * { ?x :p/:q ?y }",
        "SELECT * { GRAPH ?g { ?a :p ?b . ?c :q ?b } BIND(?b AS ?z) }",
        "SELECT * { ?x :p+ ?x } ORDER BY ?x",
        "SELECT * { ?a :p ?b . ?c :q ?d . ?b :r ?c . ?d :s ?e }",
        "SELECT * { VALUES ?v { 1 2 } ?a :p ?b . ?b :t/:u ?v . ?b :q/:r ?d FILTER(?d > 1) }",
        "SELECT * { ?y :n ?z OPTIONAL { ?y :n ?x } OPTIONAL { ?x :l ?l } }",
        "SELECT * { ?y :n ?z OPTIONAL { ?y :n ?x } OPTIONAL { ?x :l ?l } } ORDER BY ?y",
        "SELECT * { ?y :n ?z OPTIONAL { ?y :n ?x } OPTIONAL { ?w :knows ?x ; :l ?l } }",
        "SELECT * { ?y :n ?z OPTIONAL { ?y :l ?l FILTER(LANG(?l) = 'en') } OPTIONAL { ?y :l ?l } }",
    ] {
        assert_eq!(codes(text), [""; 0], "{text}");
    }
}
