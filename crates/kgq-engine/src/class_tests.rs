//! Queries of kinds that once touched far more data than needed: checks the answers, and how many rows the operators return.

use crate::Failures;
use crate::executor::{Run, prepare};
use crate::oxigraph::DefaultGraph;
use crate::tests::{agree, agree_in_order, ours_over, parsed, snapshot};
use kgq_syntax::budget::Budget;
use spargebra::SparqlParser;

/// Products with labels in three languages, a date, and a small predicate on every hundredth.
fn catalogue() -> String {
    (0..1200)
        .map(|n| {
            let mut text =
                format!(":p{n} :label \"thing {n}\"@{} ; :group :g{} . ", ["en", "de", "en-gb"][n % 3], n % 7);
            if n % 100 == 0 {
                text.push_str(&format!(":p{n} :rare \"{n}\" . "));
            }
            text
        })
        .collect()
}

/// Runs a query over the data, and returns its plan with the counts.
fn analyzed(data: &str, query: &str) -> String {
    let snapshot = snapshot(data);
    let query = SparqlParser::new().with_prefix("", "http://e/").unwrap().parse_query(query).unwrap();
    let run = Run { budget: &Budget::default(), services: None, failures: &Failures::default(), temporary: None };
    prepare(&snapshot, &query, DefaultGraph::Stored, run).unwrap().analyze(run).unwrap()
}

/// Returns the most rows that any operator of the plan returned.
fn most_rows(plan: &str) -> usize {
    let rows = plan.lines().filter_map(|line| line.split("got ").nth(1)?.split(' ').next()?.parse().ok());
    rows.max().unwrap_or_else(|| panic!("nothing was counted in\n{plan}"))
}

#[test]
fn a_language_a_kind_and_a_start_of_texts_are_ranges_of_a_scan() {
    let data = catalogue();
    for (query, most) in [
        ("SELECT ?s { ?s :label ?o FILTER(LANG(?o) = \"de\") }", 400),
        ("SELECT ?s { ?s :label ?o FILTER(LANGMATCHES(LANG(?o), \"en-gb\")) }", 400),
        ("SELECT * { ?s ?p ?o FILTER(isBlank(?s)) }", 0),
        ("SELECT ?s { ?s :rare ?o . ?s :label ?l FILTER(STRSTARTS(STR(?s), \"http://e/p11\")) }", 111),
    ] {
        agree(&data, query);
        let plan = analyzed(&data, query);
        assert!(most_rows(&plan) <= most, "{query}\n{plan}");
    }
}

#[test]
fn a_small_pattern_in_exists_is_where_the_join_starts() {
    let data = catalogue();
    for query in [
        "SELECT ?s ?l { ?s :label ?l FILTER EXISTS { ?s :rare ?r } }",
        "SELECT ?s ?l { ?s :label ?l . ?s :group ?g FILTER EXISTS { ?s :rare ?r } }",
        "SELECT (COUNT(*) AS ?n) { ?s :label ?l FILTER EXISTS { ?s :rare \"100\" } }",
    ] {
        agree(&data, query);
        let plan = analyzed(&data, query);
        assert!(most_rows(&plan) <= 12, "{query}\n{plan}");
    }
    // A variable that nothing else has, two shared variables, or a negation: the rows are tested one by one.
    for query in [
        "SELECT ?s ?l { ?s :label ?l FILTER NOT EXISTS { ?s :rare ?r } }",
        "SELECT ?s ?l { ?s :label ?l FILTER EXISTS { ?x :rare ?r } }",
        "SELECT ?s ?l { ?s :label ?l OPTIONAL { ?s :none ?r } FILTER EXISTS { ?s :rare ?r } }",
    ] {
        agree(&data, query);
    }
}

#[test]
fn a_small_optional_is_counted_by_what_it_has_more_than_once() {
    let data = format!(
        "{} :p7 :rare \"7\" . :p100 :rare \"x\", \"y\" ; :label \"two\" . :q :rare \"a\", \"b\" .",
        catalogue()
    );
    for query in [
        "SELECT (COUNT(*) AS ?n) { ?s :label ?l OPTIONAL { ?s :rare ?r } }",
        "SELECT (COUNT(?r) AS ?n) { ?s :label ?l OPTIONAL { ?s :rare ?r } }",
        "SELECT (COUNT(*) AS ?n) { ?s ?p ?l OPTIONAL { ?s :rare ?r } }",
        "SELECT (COUNT(*) AS ?n) { ?s :label ?l OPTIONAL { ?s :rare ?r } OPTIONAL { ?s :group ?g } }",
    ] {
        agree(&data, query);
    }
}

#[test]
fn texts_are_found_in_the_order_of_the_dictionary_as_in_any() {
    let data: String = (0..12_000)
        .map(|n| format!(":s{} :text \"t{}é{}\"@{} . ", n % 7000, n * 7919 % 12_007, n % 3, ["en", "de"][n % 2]))
        .collect();
    let data = format!("{data} :s1 :text 12, <http://e/t12>, \"t12\", _:b .");
    let texts = [
        "FILTER(CONTAINS(?o, \"99é\"))",
        "FILTER(CONTAINS(STR(?o), \"t12\"))",
        "FILTER(STRENDS(STR(?o), \"99é1\"))",
        "FILTER(REGEX(STR(?o), \"9+é[12]$\") && ?s != :s4)",
        "FILTER(STRSTARTS(STR(?o), \"t11\"))",
        "FILTER(STRLEN(UCASE(STR(?o))) < 4)",
        "FILTER(STRBEFORE(?o, \"é\") = \"t77\"@en)",
    ];
    for test in texts {
        agree(&data, &format!("SELECT ?s ?o {{ ?s :text ?o {test} }}"));
    }
    for function in
        ["STRLEN(STR(?o))", "STRLEN(UCASE(?o))", "STRLEN(CONCAT(STR(?o), \"é\"))", "STRLEN(STRAFTER(?o, \"é\"))"]
    {
        agree(&data, &format!("SELECT (COUNT(?n) AS ?c) (MAX(?n) AS ?m) {{ ?s :text ?o BIND({function} AS ?n) }}"));
    }
}

#[test]
fn distinct_terms_of_a_predicate_are_counted_without_reading_it() {
    let data = catalogue();
    for query in [
        "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s :group ?o }",
        "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s :label ?o }",
        "SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }",
        "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s :absent ?o }",
    ] {
        agree(&data, query);
        let plan = analyzed(&data, query);
        assert!(most_rows(&plan) <= 1, "{query}\n{plan}");
    }
    for query in [
        "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o }",
        "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s :group ?s }",
        "SELECT ?o (COUNT(DISTINCT ?s) AS ?n) { ?s :group ?o } GROUP BY ?o",
        "SELECT (COUNT(DISTINCT ?s) AS ?n) (COUNT(?s) AS ?m) { ?s :group ?o }",
        "SELECT (COUNT(DISTINCT ?s) AS ?n) { GRAPH ?g { ?s :group ?o } }",
    ] {
        agree(&data, query);
    }
}

#[test]
fn long_lists_of_terms_are_looked_up_in_order() {
    let data = catalogue();
    let nodes: String = (0..90).rev().map(|n| format!(":p{} ", n * 13)).collect();
    let commas = nodes.trim().replace(' ', ", ");
    for query in [
        format!("SELECT ?s ?o {{ VALUES ?s {{ {nodes} :absent :p0 }} ?s :group ?o }}"),
        format!("SELECT ?s ?o {{ ?s :group ?o FILTER(?s IN ({commas}, :absent)) }}"),
        format!("SELECT ?s ?o {{ ?s :group ?o FILTER(?s NOT IN ({commas})) }}"),
        "SELECT ?s { ?s :label ?o FILTER(?o >= \"a\"@en && ?o < \"thing 2\"@en) }".to_owned(),
    ] {
        agree(&data, &query);
    }
}

#[test]
fn joins_on_what_may_be_unbound_and_on_equal_expressions_are_by_hash() {
    let data: String = (0..60)
        .map(|n| {
            let next = if n % 3 == 0 { String::new() } else { format!(":n{n} :next :n{} . ", n - 1) };
            format!("{next} :n{n} :code \"c{n}\", \"{n}\"^^xsd:int ; :key \"{n}\" ; :value {n} ; :name \"C{n}\" ; :on \"20{:02}-01-01\"^^xsd:date . ", n % 50)
        })
        .collect();
    for query in [
        "SELECT * { ?a :key ?k BIND(CONCAT(\"c\", ?k) AS ?s) ?b :code ?s }",
        "SELECT * { ?y :code ?v OPTIONAL { ?y :next ?x } OPTIONAL { ?x :code ?c } FILTER(STRLEN(?v) > 2) }",
        "SELECT * { ?y :next ?x BIND(IF(?x = :n3, 1/0, ?x) AS ?k) ?k :code ?t }",
        "SELECT * { { SELECT ?x (SAMPLE(?y) AS ?s) { ?x :next ?y } GROUP BY ?x } ?s :code ?c }",
        "SELECT * { { ?a :key ?k OPTIONAL { ?a :next ?x OPTIONAL { ?x :next ?y } } } { ?b :key ?m OPTIONAL { ?b :next ?x } OPTIONAL { ?b :next ?y } } FILTER(?k < ?m) }",
        "SELECT * { ?a :key ?k OPTIONAL { ?a :next ?x } MINUS { ?b :key ?m OPTIONAL { ?b :next ?x } FILTER(?m > \"4\") } }",
        "SELECT * { ?a :name ?l . ?b :code ?m FILTER(LCASE(STR(?l)) = ?m) }",
        "SELECT * { ?a :value ?v . ?b :value ?w FILTER(?w = ?v + 1) }",
        "SELECT * { ?a :value ?v . ?b :value ?w FILTER(?w - 1 = ?v && ?b != :n7 && ?v < 30) }",
        "SELECT * { ?a :value ?v . ?b :code ?w FILTER(?w = ?v * 1.0) }",
        "SELECT * { ?a :value ?v FILTER EXISTS { ?b :value ?w FILTER(?w = ?v + 1) } }",
        "SELECT * { ?a :value ?v FILTER NOT EXISTS { ?b :value ?w FILTER(?w = ?v + 1 && ?w > 5) } }",
        "SELECT * { ?a :value ?v OPTIONAL { ?b :value ?w FILTER(?w = ?v + 2) } }",
        "SELECT * { ?a :on ?d . ?b :key ?k FILTER(?d = <http://www.w3.org/2001/XMLSchema#date>(CONCAT(\"20\", ?k, \"-01-01\"))) }",
        "SELECT (COUNT(*) AS ?n) { ?a :value ?v . ?b :value ?w . ?c :value ?u FILTER(?w = ?v + 1) FILTER(?u = ?w * 2) }",
        "SELECT (COUNT(DISTINCT *) AS ?n) { ?a :value ?v . ?b :value ?w FILTER(?w = ?v + 1) }",
    ] {
        agree(&data, query);
    }
    // Each thing has two codes. It is looked up, not compared with all others; an unbound key is compatible with all of them.
    for (query, most) in [
        ("SELECT * { ?a :key ?k BIND(CONCAT(\"c\", ?k) AS ?s) ?b :code ?s }", 120),
        ("SELECT * { ?y :code ?v OPTIONAL { ?y :next ?x } OPTIONAL { ?x :code ?c } FILTER(STRLEN(?v) > 2) }", 1988),
        ("SELECT * { ?y :next ?x BIND(IF(?x = :n3, 1/0, ?x) AS ?k) ?k :code ?t }", 240),
        ("SELECT * { { SELECT ?x (SAMPLE(?y) AS ?s) { ?x :next ?y } GROUP BY ?x } ?s :code ?c }", 120),
    ] {
        let plan = analyzed(&data, query);
        assert!(most_rows(&plan) <= most, "{query}\n{plan}");
    }
    let plan = analyzed(&data, "SELECT * { ?a :value ?v . ?b :value ?w FILTER(?w = ?v + 1) }");
    assert!(most_rows(&plan) <= 60 && plan.contains("hash join on"), "{plan}");
}

#[test]
fn equal_values_of_other_forms_are_joined_too() {
    let data = r#":a :for "P1Y"^^xsd:duration ; :at "2026-01-01T00:00:00Z"^^xsd:dateTime ; :yes true .
        :b :long "P12M"^^xsd:duration ; :then "2026-01-01T01:00:00+01:00"^^xsd:dateTime ; :also "1"^^xsd:boolean ;
           :text "2026-01-01T02:00:00+02:00" , "P0Y12M" .
        :a :daily "10:00:00Z"^^xsd:time , "11:00:00"^^xsd:time ; :in "2026Z"^^xsd:gYear ; :day "--05-01+00:00"^^xsd:gMonthDay .
        :b :daily2 "11:00:00+01:00"^^xsd:time , "10:00:00.0Z"^^xsd:time , "11:00:00.00"^^xsd:time ;
           :in2 "2026+00:00"^^xsd:gYear , "2026"^^xsd:gYear ; :day2 "--05-01Z"^^xsd:gMonthDay ; :texts "11:00:00.0" ."#;
    for query in [
        "SELECT * { ?a :daily ?x . ?b :daily2 ?y FILTER(?x = ?y) }",
        "SELECT * { ?a :in ?x . ?b :in2 ?y FILTER(?x = ?y) }",
        "SELECT * { ?a :day ?x . ?b :day2 ?y FILTER(?x = ?y) }",
        "SELECT * { ?a :daily ?x . ?b :texts ?y FILTER(?x = <http://www.w3.org/2001/XMLSchema#time>(?y)) }",
        "SELECT * { ?a :for ?x . ?b :long ?y FILTER(?x = ?y) }",
        "SELECT * { ?a :at ?x . ?b :then ?y FILTER(?x = ?y) }",
        "SELECT * { ?a :yes ?x . ?b :also ?y FILTER(?x = ?y) }",
        "SELECT * { ?a :at ?x . ?b :text ?y FILTER(?x = <http://www.w3.org/2001/XMLSchema#dateTime>(?y)) }",
        "SELECT * { ?a :for ?x . ?b :text ?y FILTER(STRDT(?y, <http://www.w3.org/2001/XMLSchema#duration>) = ?x) }",
    ] {
        agree(data, query);
    }
}

#[test]
fn a_path_in_each_of_many_graphs_follows_the_statements_of_that_graph() {
    let data: String = (0..300).map(|n| format!(":g{n} {{ :s{n} :q :m{n} ; :p {n} . :m{n} :q :t . }} ")).collect();
    for (query, most) in [
        ("SELECT * { GRAPH ?g { ?s :q+ ?t } }", 900),
        ("SELECT * { GRAPH ?g { ?s :p ?v ; :q/:q* ?t } }", 900),
        ("SELECT * { GRAPH :g7 { ?s :q* ?t } }", 10),
    ] {
        agree(&data, query);
        let plan = analyzed(&data, query);
        assert!(most_rows(&plan) <= most, "{query}\n{plan}");
    }
}

#[test]
fn what_only_an_order_reads_is_computed_by_it_and_gets_no_terms() {
    let data = catalogue();
    for (query, order) in [
        ("SELECT ?s { ?s :label ?o } ORDER BY STR(?o) ?s", "order by STR(?o) ?s"),
        ("SELECT ?s { ?s :label ?o } ORDER BY DESC(STR(?o)) ?s LIMIT 5", "order by DESC(STR(?o)) ?s, first 5"),
        (
            "SELECT ?s { ?s :label ?o BIND(LCASE(STR(?o)) AS ?k) } ORDER BY ?k ?s LIMIT 5",
            "order by LCASE(STR(?o)) ?s, first 5",
        ),
        (
            "SELECT ?s { ?s :group ?o } ORDER BY LCASE(STR(?o)) ?s LIMIT 40 OFFSET 30",
            "order by LCASE(STR(?o)) ?s, first 70",
        ),
    ] {
        agree_in_order(&data, query);
        let plan = analyzed(&data, query);
        assert!(plan.contains(order) && !plan.contains("bind"), "{query}\n{plan}");
    }
    // A key that is visible outside, or that changes from row to row, is bound before.
    for query in [
        "SELECT ?k { ?s :label ?o BIND(STR(?o) AS ?k) } ORDER BY ?k LIMIT 5",
        "SELECT ?s { ?s :label ?o BIND(RAND() AS ?k) } ORDER BY ?k LIMIT 5",
    ] {
        let plan = analyzed(&data, query);
        assert!(plan.contains("order by ?k, first 5") && plan.contains("bind ?k"), "{query}\n{plan}");
    }
}

#[test]
fn functions_of_whole_columns_of_texts_are_those_of_one_row() {
    let values = [
        "\"Äpfel b\"",
        "\"apple bb\"",
        "\"\"",
        "\"ab\"@en",
        "\"AB b\"@de-ch",
        "12",
        "-0",
        "1.50",
        "2e0",
        ":iri",
        "_:b",
        "\"x\"^^xsd:integer",
        "true",
        "\"0.1\"^^xsd:float",
        "\"-0.0\"^^xsd:decimal",
        "12345678901234567890",
    ];
    let data = |values: &str| format!(":a :p {values} ; :q 1 .");
    // Each is loaded once: that takes longer than a query over it.
    let whole = snapshot(&data(&values.join(", ")));
    let alone = values.map(|value| snapshot(&data(value)));
    for of in ["?o", "?k", "?none"] {
        for function in [
            "UCASE(STR(#))",
            "LCASE(STR(#))",
            "STRLEN(STR(#))",
            "SUBSTR(STR(#), 2, 3)",
            "SUBSTR(STR(#), 2)",
            "SUBSTR(STR(#), ?n)",
            "STRBEFORE(STR(#), \"b\")",
            "STRAFTER(STR(#), \"b\")",
            "STRAFTER(STR(#), \"b\"@en)",
            "CONCAT(\"<\", STR(#), \"-\", UCASE(STR(#)), \">\")",
            "CONCAT(STR(#), \"a\"@en)",
            "ENCODE_FOR_URI(STR(#))",
            "MD5(STR(#))",
            "SHA256(STR(#))",
            "REPLACE(STR(#), \"b+\", \"+\")",
            "REPLACE(STR(#), \"(b)(b)?\", \"$2.$1\")",
            "REPLACE(STR(#), \"B\", \"+\", \"i\")",
            "REPLACE(STR(#), \"b*\", \"+\")",
            "CONTAINS(UCASE(STR(#)), \"B\")",
            "STRSTARTS(LCASE(STR(#)), \"a\")",
            "STRENDS(LCASE(STR(#)), \"b\")",
            "IF(STR(#), 1, 2)",
            "STR(#) = \"ab\"",
            "STRLEN(CONCAT(STR(#), STR(#)))",
            "xsd:double(STR(#))",
            "xsd:decimal(STR(#))",
            "xsd:integer(STR(#))",
            "xsd:float(STR(#))",
            "xsd:boolean(STR(#))",
            "LANG(#)",
            "DATATYPE(#)",
        ] {
            let function = function.replace('#', of);
            let xsd = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>";
            let pattern = "?s :p ?o . ?s :q ?n BIND(CONCAT(STR(?o), \"b\") AS ?k)";
            for query in [
                format!("{xsd} SELECT ?o ({function} AS ?f) {{ {pattern} }}"),
                format!("{xsd} SELECT ?o {{ {pattern} FILTER({function}) }}"),
                format!(
                    "{xsd} SELECT ?o (SUM({function}) AS ?f) (COUNT({function}) AS ?n) {{ {pattern} }} GROUP BY ?o"
                ),
            ] {
                let parsed = parsed(&query);
                let rows = |snapshot| ours_over(snapshot, &parsed, DefaultGraph::Stored);
                // A column of one row is not evaluated as a column of texts.
                let mut one_by_one: Vec<String> = alone.iter().flat_map(rows).collect();
                one_by_one.sort();
                assert_eq!(rows(&whole), one_by_one, "{query}");
            }
        }
    }
}

#[test]
fn groups_by_predicate_and_distinct_values_of_a_group_are_known() {
    let data = format!("{} :p7 :rare :p7 . :p8 :group :g0, :g1 . :named {{ :p7 :rare \"8\" ; :other 9 }}", catalogue());
    for (query, known) in [
        (
            "SELECT ?p (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?k) (COUNT(DISTINCT ?o) AS ?l) { ?s ?p ?o } GROUP BY ?p",
            true,
        ),
        (
            "SELECT ?p (COUNT(?o) AS ?n) (COUNT(DISTINCT ?p) AS ?k) { ?s ?p ?o } GROUP BY ?p HAVING(COUNT(?s) > 20)",
            true,
        ),
        ("SELECT ?p { ?s ?p ?o } GROUP BY ?p", true),
        // Two terms are equal, another graph, another key, another aggregate.
        ("SELECT ?p (COUNT(DISTINCT ?s) AS ?k) { ?s ?p ?s } GROUP BY ?p", false),
        ("SELECT ?p (COUNT(DISTINCT ?s) AS ?k) { GRAPH :named { ?s ?p ?o } } GROUP BY ?p", false),
        ("SELECT ?p (COUNT(DISTINCT ?s) AS ?k) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?p", false),
        ("SELECT ?s (COUNT(DISTINCT ?p) AS ?k) { ?s ?p ?o } GROUP BY ?s", false),
        ("SELECT ?p (COUNT(DISTINCT *) AS ?k) { ?s ?p ?o } GROUP BY ?p", false),
        ("SELECT ?p (COUNT(DISTINCT ?s) AS ?k) (MIN(?s) AS ?m) { ?s ?p ?o } GROUP BY ?p", false),
        // The keys and the argument are all variables, or not.
        ("SELECT ?g (COUNT(DISTINCT ?s) AS ?k) { ?s :group ?g } GROUP BY ?g", false),
        ("SELECT ?g (COUNT(DISTINCT ?s) AS ?k) { GRAPH ?g { ?s :rare ?o } } GROUP BY ?g ?o", false),
        ("SELECT ?s (SUM(DISTINCT ?o) AS ?k) { GRAPH ?g { ?s :other ?o } } GROUP BY ?s", false),
        ("SELECT ?g (COUNT(DISTINCT ?s) AS ?k) { ?s :group ?g ; :label ?l } GROUP BY ?g", false),
    ] {
        agree(&data, query);
        assert_eq!(analyzed(&data, query).contains("groups, as the statistics have counted"), known, "{query}");
    }
    agree("", "SELECT ?p (COUNT(DISTINCT ?s) AS ?k) { ?s ?p ?o } GROUP BY ?p");
    let first = "SELECT ?p (COUNT(DISTINCT ?s) AS ?k) { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?k) ?p LIMIT 2";
    agree_in_order(&data, first);
}

#[test]
fn what_only_an_aggregate_reads_is_computed_by_it() {
    let data = catalogue();
    for (query, bound) in [
        ("SELECT (SUM(STRLEN(STR(?o))) AS ?n) (COUNT(?s) AS ?k) { ?s :label ?o }", false),
        ("SELECT ?g (AVG(STRLEN(?o) * 2) AS ?n) { ?s :label ?o ; :group ?g } GROUP BY ?g", false),
        ("SELECT (COUNT(xsd:integer(STR(?o))) AS ?n) { ?s :rare ?o }", false),
        // These need terms.
        ("SELECT (SUM(DISTINCT STRLEN(STR(?o))) AS ?n) { ?s :label ?o }", true),
        ("SELECT (MAX(STRLEN(STR(?o))) AS ?n) { ?s :label ?o }", true),
        ("SELECT ?k (SUM(?k) AS ?n) { ?s :label ?o BIND(STRLEN(?o) AS ?k) } GROUP BY ?k", true),
        ("SELECT (COUNT(DISTINCT *) AS ?d) (SUM(?k) AS ?n) { ?s :rare ?o BIND(STRLEN(?o) AS ?k) }", true),
    ] {
        let query = format!("PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> {query}");
        agree(&data, &query);
        let plan = analyzed(&data, &query);
        let binds = |line: &str| line.trim_start().starts_with("bind") && line.contains('(');
        assert_eq!(plan.lines().any(binds), bound, "{query}\n{plan}");
    }
}

#[test]
fn what_an_aggregate_computes_of_many_rows_is_computed_side_by_side() {
    let data: String = (0..24_000).map(|n| format!(":s{n} :text \"text {n}\" ; :group :g{} . ", n * n % 11)).collect();
    for query in [
        "SELECT (SUM(STRLEN(SUBSTR(?o, 6, 3))) AS ?n) { ?s :text ?o }",
        "SELECT (SUM(STRLEN(UCASE(?o))) AS ?n) (COUNT(STRDT(?o, :t)) AS ?k) { ?s :text ?o }",
        "SELECT ?g (AVG(STRLEN(?o) + 1.5) AS ?n) (COUNT(*) AS ?k) { ?s :text ?o ; :group ?g } GROUP BY ?g",
    ] {
        agree(&data, query);
        assert!(analyzed(&data, query).contains("computed side by side"), "{query}");
    }
    // Nothing is computed, or few rows are.
    for query in [
        "SELECT ?g (COUNT(?s) AS ?n) { ?s :group ?g } GROUP BY ?g",
        "SELECT (SUM(STRLEN(?o)) AS ?n) { ?s :text ?o ; :group :g5 }",
    ] {
        agree(&data, query);
        assert!(!analyzed(&data, query).contains("computed side by side"), "{query}");
    }
}

#[test]
fn only_the_groups_that_a_limit_keeps_get_terms() {
    let data = catalogue();
    for (query, most) in [
        ("SELECT ?s (AVG(STRLEN(?o)) AS ?n) { ?s :label ?o } GROUP BY ?s ORDER BY DESC(?n) ?s LIMIT 2", 200),
        ("SELECT ?s (COUNT(*) AS ?n) { ?s :label ?o } GROUP BY ?s ORDER BY DESC(COUNT(*)) ?s LIMIT 5", 1200),
        ("SELECT ?s (SUM(STRLEN(?o)) AS ?n) { ?s :label ?o } GROUP BY ?s ORDER BY ?n ?s LIMIT 5 OFFSET 3", 10),
        ("SELECT ?g (MIN(?o) AS ?n) { ?s :label ?o ; :group ?g } GROUP BY ?g ORDER BY ?n ?g LIMIT 2", 7),
    ] {
        agree_in_order(&data, query);
        let plan = analyzed(&data, query);
        let group = plan.lines().find(|line| line.contains("group by")).unwrap();
        assert!(most_rows(group) <= most, "{query}\n{plan}");
    }
    // Operators between the groups and the order decide which groups there are.
    for query in [
        "SELECT ?g (COUNT(*) AS ?n) { ?s :label ?o ; :group ?g } GROUP BY ?g HAVING(COUNT(*) < 172) ORDER BY DESC(?n) ?g LIMIT 2",
        "SELECT ?s ?n { { SELECT ?s (COUNT(*) AS ?n) { ?s :label ?o } GROUP BY ?s } ?s :rare ?r } ORDER BY ?n ?s LIMIT 3",
        "SELECT DISTINCT ?n { { SELECT ?g (COUNT(*) AS ?n) { ?s :group ?g } GROUP BY ?g } } ORDER BY ?n LIMIT 2",
        "SELECT (?n + 1 AS ?k) { { SELECT ?g (COUNT(*) AS ?n) { ?s :group ?g } GROUP BY ?g } } ORDER BY ?k LIMIT 2",
    ] {
        agree_in_order(&data, query);
    }
}

#[test]
fn texts_of_terms_are_compared_as_oxigraph_does() {
    let numbers: String = (0..300).map(|n| format!(":n{n} :value {n}, \"{n}\", \"{n}\"@en . ")).collect();
    let data = format!("{numbers} :a :value :n7, _:b, \"n\", 7.5, \"7\"^^:type, \"7\"@en--ltr .");
    for condition in
        ["= \"7\"", "!= \"7\"", "< \"17\"", "<= \"http://e/n3\"", "> \"http://e/n3\"", ">= \"é\"", "= \"\""]
    {
        agree(&data, &format!("SELECT ?x {{ ?s :value ?x FILTER(STR(?x) {condition}) }}"));
        agree(&data, &format!("SELECT ?s ?x {{ ?s :value ?x . ?s :value ?y FILTER(STR(?y) {condition}) }}"));
        agree(&data, &format!("SELECT * {{ ?x :value ?y OPTIONAL {{ ?s :value ?x FILTER(STR(?x) {condition}) }} }}"));
    }
}
