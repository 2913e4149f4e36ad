//! SHACL 1.0: Core, SPARQL constraints and SPARQL constraint components; of the Advanced Features, SPARQL targets,
//! functions, node expressions and rules. It takes shapes and data, and returns a validation report.
//!
//! It does not infer (`sh:entailment`), fetches nothing (`owl:imports` are followed only for prefixes), and knows no
//! project.

mod core;
mod dataset;
mod dictionary;
mod evaluate;
mod evaluator;
mod expression;
mod function;
mod infer;
pub mod known;
mod memory;
mod parse;
mod query;
mod reader;
mod report;
mod result;
mod rule;
mod shape;
mod sparql;
mod target;
mod triples;
mod validate;
mod values;
mod view;
mod vocab;

pub use dataset::{NodeId, ValidationData};
pub use infer::infer;
pub use reader::{Texts, WrittenText};
pub use report::{Idle, Report, ValidationResult};
pub use shape::{IllFormed, Shapes};
pub use validate::{ValidationFailure, validate};

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_engine::{Budget, Limits};
    use kgq_snapshot::Snapshot;
    use kgq_syntax::bounds::Bounds;
    use kgq_syntax::rdf::{GraphName, Quad, Triple};

    /// For queries that are not in a file.
    pub(super) fn texts() -> Texts<'static> {
        Texts { bounds: Bounds::default(), written: &|_| None }
    }

    /// Triples in their order as one graph that holds both the data and the shapes.
    pub(super) fn one_graph(triples: impl IntoIterator<Item = Triple>) -> ValidationData {
        let quads: Vec<Quad> = triples.into_iter().map(|triple| triple.in_graph(GraphName::DefaultGraph)).collect();
        let budget = Budget::default();
        let snapshot = Snapshot::from_quads_in_order(&quads, &budget).unwrap();
        let order = snapshot.file_order(&budget).unwrap();
        ValidationData::of_one_snapshot(&snapshot, snapshot.in_file_order(&order), &budget).unwrap()
    }

    const PREFIXES: &str = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <http://e/> .\n";

    fn report(graph: &str) -> Result<Report, ValidationFailure> {
        let text = format!("{PREFIXES}{graph}");
        let triples = oxttl::TurtleParser::new().for_slice(text.as_bytes()).map(|t| t.unwrap());
        let dataset = one_graph(triples);
        let shapes = Shapes::parse(&dataset, texts());
        assert_eq!(shapes.ill_formed, []);
        validate(&dataset, &shapes, Limits::default(), &|term| term.to_string())
    }

    /// The focus node and first message of each result.
    fn found(graph: &str) -> Vec<(String, String)> {
        let line = |r: ValidationResult| (r.focus.to_string(), r.messages[0].value().to_owned());
        report(graph).unwrap().results.into_iter().map(line).collect()
    }

    #[test]
    fn a_query_sees_the_very_blank_node_that_is_in_focus() {
        let results = found(
            r#":S a sh:NodeShape ; sh:targetSubjectsOf :p ; sh:sparql [ sh:message "{?this} {?value}" ; sh:select """
                 SELECT $this ?value { $this <http://e/p> ?value . FILTER (isBlank($this) && $this = ?value) }""" ] .
               _:loop :p _:loop . _:other :p _:loop . :iri :p :iri ."#,
        );
        assert_eq!(results.len(), 1);
        assert_eq!(results[0].0, "_:loop");
        assert_eq!(results[0].1, "_:loop _:loop");
    }

    #[test]
    fn a_recursive_shape_holds_unless_something_speaks_against_it() {
        let shape = ":S a sh:NodeShape ; sh:targetNode :a ; sh:property [ sh:path :next ; sh:node :S ] ;
                     sh:property [ sh:path :bad ; sh:maxCount 0 ] .";
        assert_eq!(found(&format!("{shape} :a :next :b . :b :next :a .")), []);
        assert_eq!(found(&format!("{shape} :a :next :b . :b :next :a ; :bad 1 .")).len(), 1);
    }

    #[test]
    fn a_chain_too_long_for_the_stack_is_an_error_and_no_crash() {
        let mut graph =
            String::from(":S a sh:NodeShape ; sh:targetNode :n0 ; sh:property [ sh:path :next ; sh:node :S ] .");
        for i in 0..10_000 {
            graph.push_str(&format!(":n{i} :next :n{} .", i + 1));
        }
        assert!(report(&graph).unwrap_err().error.to_string().contains("nodes deep"));
    }

    #[test]
    fn shapes_nested_in_one_another_cost_no_stack_to_read() {
        let mut graph = String::from(":S0 a sh:NodeShape .");
        for i in 0..20_000 {
            graph.push_str(&format!(":S{i} sh:not :S{} .", i + 1));
        }
        assert_eq!(found(&graph), []);
    }

    #[test]
    fn annotations_of_results_are_named() {
        let text = format!(
            "{PREFIXES} :S a sh:NodeShape ; sh:sparql [ sh:select \"SELECT $this {{}}\" ;
             sh:resultAnnotation [ sh:annotationProperty :time ] ] ."
        );
        let triples = oxttl::TurtleParser::new().for_slice(text.as_bytes()).map(|t| t.unwrap());
        let shapes = Shapes::parse(&one_graph(triples), texts());
        assert_eq!(shapes.ill_formed, []);
        assert!(shapes.not_run[0].message.starts_with("sh:resultAnnotation"), "{:?}", shapes.not_run);
    }

    #[test]
    fn a_path_that_stands_twice_in_each_of_many_is_refused() {
        let mut text =
            format!("{PREFIXES} :S a sh:NodeShape ; sh:property [ sh:path _:p0 ] . _:p60 sh:inversePath :p .");
        for i in 0..60 {
            text.push_str(&format!("_:p{i} sh:alternativePath ( _:p{0} _:p{0} ) .", i + 1));
        }
        let triples = oxttl::TurtleParser::new().for_slice(text.as_bytes()).map(|t| t.unwrap());
        let shapes = Shapes::parse(&one_graph(triples), texts());
        assert!(shapes.ill_formed[0].message.contains("more than 10000 parts"), "{:?}", shapes.ill_formed);
    }

    #[test]
    fn a_triple_term_is_of_no_node_kind_and_equal_to_itself() {
        let graph = ":S a sh:NodeShape ; sh:targetSubjectsOf :says ;
              sh:property [ sh:path :says ; sh:hasValue <<( :a :b :c )>> ; sh:nodeKind sh:IRI ] .
            :x :says <<( :a :b :c )>> .";
        let results = found(graph);
        assert_eq!(results.len(), 1);
        assert!(results[0].1.contains("is not an IRI"), "{}", results[0].1);
    }

    #[test]
    fn what_is_ill_formed_is_listed_and_the_rest_still_holds() {
        let text = format!(
            "{PREFIXES} :S a sh:NodeShape ; sh:targetNode :a ; sh:pattern \"(\" ; sh:nodeKind sh:Literal, sh:IRI ;
             sh:in ( :b ) ; sh:property [ sh:path [ sh:inversePath :p, :q ] ] ."
        );
        let dataset = one_graph(oxttl::TurtleParser::new().for_slice(text.as_bytes()).map(|t| t.unwrap()));
        let shapes = Shapes::parse(&dataset, texts());
        assert_eq!(shapes.ill_formed.len(), 3, "{:?}", shapes.ill_formed);
        let report = validate(&dataset, &shapes, Limits::default(), &|term| term.to_string()).unwrap();
        assert!(report.results.iter().any(|r| r.component.as_str().ends_with("#InConstraintComponent")));
    }
}
