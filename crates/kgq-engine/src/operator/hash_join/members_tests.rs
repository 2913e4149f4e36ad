//! Semi- and anti-joins on one column: a set of ids gives what a table gives, also where some terms are computed.

use crate::tests::agree;

/// Nodes with a value each, of which some have a kind.
fn data(nodes: u32) -> String {
    let kind = |n: u32| if n.is_multiple_of(3) { format!(" ; :kind :k{}", n % 5) } else { String::new() };
    (0..nodes).map(|n| format!(":n{n} :value {}{} . ", n * 7 % 101, kind(n))).collect()
}

/// Sub-SELECTs are joined by hash.
const FEW: &str = "SELECT DISTINCT ?x { ?x :kind ?k . ?y :kind ?k FILTER(?k != :k1) }";

#[test]
fn minus_and_exists_of_one_column_are_decided_by_a_set_of_ids() {
    for query in [
        format!("SELECT * {{ ?x :value ?v MINUS {{ {FEW} }} }}"),
        format!("SELECT * {{ ?x :value ?v FILTER NOT EXISTS {{ {FEW} }} }}"),
        format!("SELECT * {{ ?x :value ?v FILTER EXISTS {{ {FEW} }} }}"),
        format!("SELECT DISTINCT ?x {{ ?x :value ?v {{ {FEW} }} }}"),
        format!("SELECT * {{ VALUES ?x {{ :n1 :n3 :n9 :none 7 }} MINUS {{ {FEW} }} }}"),
    ] {
        agree(&data(400), &query);
    }
}

#[test]
fn computed_terms_on_either_side_are_found_or_missed_as_others_are() {
    let text = "BIND(CONCAT(\"x\", STR(?v)) AS ?t)";
    let computed = format!("SELECT DISTINCT ?t {{ ?y :value ?v FILTER(?v > 50) {text} }}");
    let mixed = format!(
        "SELECT DISTINCT ?t {{ {{ ?y :kind ?k BIND(?y AS ?t) }} UNION {{ ?y :value ?v {text} FILTER(?v < 30) }} }}"
    );
    for right in [computed, mixed] {
        for left in [
            format!("?x :value ?v {text}"),
            "?t :value ?v".into(),
            format!("{{ ?x :value ?v {text} }} UNION {{ ?t :value ?v }}"),
        ] {
            for kind in ["MINUS", "FILTER EXISTS", "FILTER NOT EXISTS"] {
                agree(&data(200), &format!("SELECT ?t {{ {{ SELECT ?t {{ {left} }} }} {kind} {{ {right} }} }}"));
            }
        }
    }
}
