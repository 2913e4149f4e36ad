//! Tests each rule alone, what is never concluded, and random graphs against applying the rules without any index.

use super::{infer, rules};
use crate::project::{Entailment, InferSettings};
use kgq_snapshot::Snapshot;
use kgq_snapshot::store::{Dataset, Input, ReadOptions};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Kind;
use kgq_syntax::rdf::{NamedNode, Prefixes, Quad, RdfFormat};
use std::collections::BTreeSet;

const HEADER: &str = "PREFIX : <http://e/>\nPREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>\n\
    PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\nPREFIX owl: <http://www.w3.org/2002/07/owl#>\n";

fn read(turtle: &str) -> (Snapshot, Prefixes) {
    let input = Input::bytes("test", format!("{HEADER}{turtle}").into_bytes(), RdfFormat::TriG);
    let dataset = Dataset::read(&[input], ReadOptions::default()).unwrap();
    (Snapshot::from_dataset(&dataset, &Budget::default()).unwrap(), dataset.prefixes)
}

/// Returns what follows, one statement per line, and the rules that it follows by.
fn follows(rules: Entailment, turtle: &str) -> (String, Vec<&'static str>) {
    let (quads, prefixes) = read(turtle);
    let inferred = infer(&quads, &InferSettings { rules, ..InferSettings::default() }, &Budget::default()).unwrap();
    let shown = |node: &NamedNode| prefixes.shorten(node.as_str()).unwrap();
    let lines: Vec<String> = inferred
        .quads
        .iter()
        .map(|quad| {
            let subject = NamedNode::new(quad.subject.to_string().trim_matches(['<', '>'])).unwrap();
            let object = crate::render::cell(&quad.object, &prefixes);
            format!("{} {} {object}", shown(&subject), shown(&quad.predicate))
        })
        .collect();
    let used = inferred.by_rule.iter().filter(|(_, count)| *count > 0).map(|(name, _)| *name).collect();
    (lines.join("\n"), used)
}

fn check(rules: Entailment, turtle: &str, by: &[&str], expected: &str) {
    let (lines, used) = follows(rules, turtle);
    assert_eq!((lines.as_str(), used.as_slice()), (expected, by), "{turtle}");
}

#[test]
fn the_subject_of_a_property_is_of_its_domain() {
    check(Entailment::Rdfs, ":p rdfs:domain :C . :x :p :y .", &["rdfs2"], ":x rdf:type :C");
}

#[test]
fn the_object_of_a_property_is_of_its_range_if_it_can_be_a_subject() {
    check(Entailment::Rdfs, ":p rdfs:range :C . :x :p :y, \"text\" .", &["rdfs3"], ":y rdf:type :C");
}

#[test]
fn a_property_below_one_below_a_third_is_below_the_third() {
    check(
        Entailment::Rdfs,
        ":p rdfs:subPropertyOf :q . :q rdfs:subPropertyOf :r .",
        &["rdfs5"],
        ":p rdfs:subPropertyOf :r",
    );
}

#[test]
fn what_a_property_links_the_one_above_it_links() {
    check(Entailment::Rdfs, ":p rdfs:subPropertyOf :q . :x :p \"text\" .", &["rdfs7"], ":x :q text");
}

#[test]
fn a_member_of_a_class_is_one_of_the_class_above() {
    check(Entailment::Rdfs, ":C rdfs:subClassOf :D . :x a :C .", &["rdfs9"], ":x rdf:type :D");
}

#[test]
fn a_class_below_one_below_a_third_is_below_the_third() {
    check(Entailment::Rdfs, ":C rdfs:subClassOf :D . :D rdfs:subClassOf :E .", &["rdfs11"], ":C rdfs:subClassOf :E");
}

#[test]
fn an_inverse_links_the_other_way_in_both_directions() {
    check(Entailment::RdfsPlus, ":p owl:inverseOf :q . :x :p :y .", &["prp-inv1"], ":y :q :x");
    check(Entailment::RdfsPlus, ":p owl:inverseOf :q . :x :q :y, 1 .", &["prp-inv2"], ":y :p :x");
}

#[test]
fn a_symmetric_property_links_both_ways() {
    check(Entailment::RdfsPlus, ":p a owl:SymmetricProperty . :x :p :y .", &["prp-symp"], ":y :p :x");
}

#[test]
fn a_transitive_property_reaches_as_far_as_its_steps_do() {
    let steps = ":p a owl:TransitiveProperty . :a :p :b . :b :p :c . :c :p :d .";
    check(Entailment::RdfsPlus, steps, &["prp-trp"], ":a :p :c\n:a :p :d\n:b :p :d");
}

#[test]
fn equivalent_classes_have_the_same_members() {
    check(
        Entailment::RdfsPlus,
        ":C owl:equivalentClass :D . :x a :C . :y a :D .",
        &["rdfs9", "scm-eqc1", "scm-eqc1"],
        ":C rdfs:subClassOf :D\n:D rdfs:subClassOf :C\n:x rdf:type :D\n:y rdf:type :C",
    );
}

#[test]
fn equivalent_properties_link_the_same() {
    check(
        Entailment::RdfsPlus,
        ":p owl:equivalentProperty :q . :x :p :y .",
        &["rdfs7", "scm-eqp1", "scm-eqp1"],
        ":p rdfs:subPropertyOf :q\n:q rdfs:subPropertyOf :p\n:x :q :y",
    );
}

#[test]
fn without_rules_nothing_follows_and_rdfs_knows_no_owl() {
    let data = ":C rdfs:subClassOf :D . :x a :C . :p a owl:SymmetricProperty . :x :p :y .";
    check(Entailment::None, data, &[], "");
    check(Entailment::Rdfs, data, &["rdfs9"], ":x rdf:type :D");
}

#[test]
fn what_is_stated_in_any_graph_does_not_follow_and_all_graphs_are_premises() {
    check(Entailment::Rdfs, ":C rdfs:subClassOf :D . GRAPH :g { :x a :C . :y a :C, :D }", &["rdfs9"], ":x rdf:type :D");
}

#[test]
fn trivialities_do_not_follow() {
    let data = ":C rdfs:subClassOf :D, owl:Thing . :D rdfs:subClassOf :C, rdfs:Resource . :x a :C . :p rdfs:range rdfs:Resource . :x :p :y .";
    check(Entailment::RdfsPlus, data, &["rdfs9"], ":x rdf:type :D");
}

#[test]
fn a_blank_node_is_a_premise_and_no_conclusion() {
    let data = ":p rdfs:domain :C . [] :p :y . :C rdfs:subClassOf [ a owl:Restriction ] . :x :p :y . \
                _:m rdfs:subClassOf :E . :C rdfs:subClassOf _:m .";
    check(
        Entailment::Rdfs,
        data,
        &["rdfs2", "rdfs9", "rdfs11"],
        ":C rdfs:subClassOf :E\n:x rdf:type :C\n:x rdf:type :E",
    );
}

#[test]
fn more_conclusions_than_allowed_are_an_error_that_says_what_to_do() {
    let chain: String = (0..20).map(|i| format!(":c{i} rdfs:subClassOf :c{} . ", i + 1)).collect();
    let (quads, _) = read(&chain);
    let most =
        |max_statements| infer(&quads, &InferSettings { rules: Entailment::Rdfs, max_statements }, &Budget::default());
    assert_eq!(most(190).unwrap().quads.len(), 190);
    let error = most(189).unwrap_err();
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().contains("max-statements"), "{error}");
}

/// Everything that follows, found by repeatedly trying every rule on every choice of triples.
fn by_brute_force(triples: &BTreeSet<[String; 3]>) -> BTreeSet<[String; 3]> {
    fn extend(
        rule: &rules::Rule,
        next: usize,
        all: &BTreeSet<[String; 3]>,
        binding: &mut Vec<Option<String>>,
        found: &mut Vec<[String; 3]>,
    ) {
        let Some(premise) = rule.premises.get(next) else {
            found.push(rule.conclusion.map(|slot| match slot {
                rules::Slot::Variable(number) => binding[number].clone().unwrap(),
                rules::Slot::Iri(iri) => iri.to_owned(),
            }));
            return;
        };
        for triple in all {
            let before = binding.clone();
            let fits = premise.iter().zip(triple).all(|(slot, term)| match slot {
                rules::Slot::Iri(iri) => iri == term,
                rules::Slot::Variable(number) => binding[*number].get_or_insert_with(|| term.clone()) == term,
            });
            if fits {
                extend(rule, next + 1, all, binding, found);
            }
            *binding = before;
        }
    }
    let mut all = triples.clone();
    loop {
        let mut found = Vec::new();
        for rule in rules::of(Entailment::RdfsPlus) {
            extend(&rule, 0, &all, &mut vec![None; rules::VARIABLES], &mut found);
        }
        found.retain(|[s, p, o]| !(s == o && rules::REFLEXIVE.contains(&p.as_str())));
        let before = all.len();
        all.extend(found);
        if all.len() == before {
            return all.difference(triples).cloned().collect();
        }
    }
}

#[test]
fn random_graphs_have_the_consequences_that_brute_force_finds() {
    let owl = |name: &str| format!("http://www.w3.org/2002/07/owl#{name}");
    let rdfs = |name: &str| format!("http://www.w3.org/2000/01/rdf-schema#{name}");
    let kind = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type".to_owned();
    let own: Vec<String> = (0..5).map(|i| format!("http://e/{i}")).collect();
    let mut predicates = own.clone();
    predicates.extend(["domain", "range", "subClassOf", "subPropertyOf"].map(rdfs));
    predicates.extend(["inverseOf", "equivalentClass", "equivalentProperty"].map(owl));
    predicates.push(kind.clone());
    // A fixed seed, so that the cases are the same every time.
    let mut numbers = fastrand::Rng::with_seed(7);
    let mut below = |most: usize| numbers.usize(..most);
    for case in 0..60 {
        let mut stated: BTreeSet<[String; 3]> = BTreeSet::new();
        for _ in 0..4 + case % 5 {
            let property = predicates[below(predicates.len())].clone();
            stated.insert([own[below(5)].clone(), property, own[below(5)].clone()]);
        }
        let owned = ["SymmetricProperty", "TransitiveProperty"][case % 2];
        stated.insert([own[below(5)].clone(), kind.clone(), owl(owned)]);
        let node = NamedNode::new_unchecked;
        let quads: Vec<Quad> = stated
            .iter()
            .map(|[s, p, o]| Quad::new(node(s), node(p), node(o), kgq_syntax::rdf::GraphName::DefaultGraph))
            .collect();
        let settings = InferSettings { rules: Entailment::RdfsPlus, ..InferSettings::default() };
        let bare = |text: String| text.trim_matches(['<', '>']).to_owned();
        let found: BTreeSet<[String; 3]> = infer(&Snapshot::from_quads(quads).unwrap(), &settings, &Budget::default())
            .unwrap()
            .quads
            .iter()
            .map(|q| [bare(q.subject.to_string()), bare(q.predicate.to_string()), bare(q.object.to_string())])
            .collect();
        assert_eq!(found, by_brute_force(&stated), "case {case}: {stated:#?}");
    }
}
