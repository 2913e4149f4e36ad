//! Compares two datasets up to the names of blank nodes.

use kgq_syntax::rdf::Quad;
use oxrdf::Dataset;
use oxrdf::dataset::CanonicalizationAlgorithm;

pub fn isomorphic(left: &[Quad], right: &[Quad]) -> Result<(), String> {
    let canonical = |quads: &[Quad]| {
        let mut dataset: Dataset = quads.iter().cloned().collect();
        dataset.canonicalize(CanonicalizationAlgorithm::Unstable);
        let mut lines: Vec<String> = dataset.iter().map(|q| q.to_string()).collect();
        lines.sort();
        lines
    };
    let (left, right) = (canonical(left), canonical(right));
    let only = |these: &[String], those: &[String]| {
        these.iter().filter(|line| !those.contains(line)).take(5).cloned().collect::<Vec<_>>().join("\n  ")
    };
    if left == right {
        return Ok(());
    }
    Err(format!("differs; got\n  {}\nfor\n  {}", only(&left, &right), only(&right, &left)))
}
