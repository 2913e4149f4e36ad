//! Canonical N-Quads by RDFC-1.0 (RDF Dataset Canonicalization, W3C 2024) with SHA-256, and their hash: isomorphic datasets
//! give the same bytes. The standard does not know RDF 1.2's terms, so they are first mapped to RDF 1.1.
//!
//! Names are searched for among numbers (`coded`, `search`), so that a dataset can be named that is held nowhere as terms.

mod coded;
mod search;

pub use coded::{Coded, CodedQuad, DEFAULT_GRAPH, OTHER};

use super::Quad;
use super::blank::renamed;
use super::rdf11;
use crate::budget::{Budget, Reservation, Steps};
use crate::error::Result;
use crate::sort::{Piece, sort_by, sorted_by_text};
use crate::text::hexadecimal;
use coded::{Table, line};
use oxrdf::BlankNode;
use search::Search;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::ops::Deref;

/// A dataset in canonical form.
#[derive(Debug)]
pub struct Canonical {
    text: String,
    /// The start and the end of each line in the text, in order.
    lines: Vec<(usize, usize)>,
    /// The number of terms that were mapped to RDF 1.1.
    pub mapped: u64,
    _held: Reservation,
}

impl Canonical {
    /// Lines of N-Quads with their line ends, sorted by code point.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(start, end)| &self.text[*start..*end])
    }

    /// The SHA-256 digest of the lines, in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for line in self.lines() {
            hash.update(line);
        }
        hexadecimal(&hash.finalize())
    }
}

/// Canonicalizes a dataset.
///
/// # Errors
/// A dataset whose blank nodes are too similar to be distinguished in reasonable time; the budget's.
pub fn canonicalize(quads: &[Quad], budget: &Budget) -> Result<Canonical> {
    let (steps, mut held) = (Steps::new(budget), Reservation::default());
    let (mapped, _mapped_held) = rdf11::downgrade(quads, budget)?;
    let table = Table::of(mapped.quads.iter().map(Deref::deref), &steps)?;
    let numbers = names_in(&table, budget)?;
    let (mut text, mut lines) = (String::new(), Vec::with_capacity(table.quads().len()));
    // The order is sorted by merging, which takes as much again.
    held.grow(budget, (lines.capacity() * size_of::<(usize, usize)>() * 2) as u64)?;
    let mut counted = 0;
    for quad in table.quads() {
        steps.take()?;
        let start = text.len();
        line(quad, |node, out| push_name(numbers[node as usize], out), |term, out| table.write(term, out), &mut text);
        lines.push((start, text.len()));
        if text.capacity() > counted {
            held.grow(budget, (text.capacity() - counted) as u64)?;
            counted = text.capacity();
        }
    }
    sort_by(&mut lines, Piece::Small, |a, b| text[a.0..a.1].cmp(&text[b.0..b.1]), budget)?;
    Ok(Canonical { text, lines, mapped: mapped.count, _held: held })
}

/// Bytes that are held before they are reserved: reserving each string would cost more than creating it.
const COUNTED_AT_ONCE: u64 = 1 << 16;

/// The quads with their blank nodes named as in the canonical form, in the order of their lines. Terms of RDF 1.2 stay. The
/// reservation must live as long as the quads.
///
/// # Errors
/// As [`canonicalize`].
pub fn relabel(quads: &[Quad], budget: &Budget) -> Result<(Vec<Quad>, Reservation)> {
    let (steps, mut held, mut bytes) = (Steps::new(budget), Reservation::default(), 0);
    let mut renamed_quads = Vec::with_capacity(quads.len());
    {
        let (mapped, _mapped_held) = rdf11::downgrade(quads, budget)?;
        let table = Table::of(mapped.quads.iter().map(Deref::deref), &steps)?;
        let numbers = names_in(&table, budget)?;
        let rename = |node: &BlankNode| table.node(node).map_or_else(|| node.clone(), |at| name(numbers[at as usize]));
        for quad in quads {
            steps.take()?;
            renamed_quads.push(renamed(quad, &rename));
            bytes += rdf11::quad_bytes(quad);
            if bytes > COUNTED_AT_ONCE {
                held.grow(budget, std::mem::take(&mut bytes))?;
            }
        }
    }
    held.grow(budget, bytes)?;
    let mut sorted = sorted_by_text(renamed_quads, Quad::to_string, budget)?;
    sorted.dedup();
    Ok((sorted, held))
}

fn names_in(table: &Table<'_>, budget: &Budget) -> Result<Vec<u32>> {
    let write = |term: u32, out: &mut String| table.write(term, out);
    names(&Coded { quads: table.quads(), nodes: table.nodes(), write: &write }, 0, budget)
}

/// The canonical number of each blank node; of a node that no quad mentions, [`u32::MAX`]. `others` says how many quads without blank
/// nodes the dataset has besides, which allow for more work.
///
/// # Errors
/// As [`canonicalize`].
pub fn names(coded: &Coded<'_>, others: usize, budget: &Budget) -> Result<Vec<u32>> {
    let steps = Steps::new(budget);
    Search::new(coded, others, &steps)?.run()
}

/// The canonical name of a number.
pub fn name(number: u32) -> BlankNode {
    let mut text = String::new();
    push_name(number, &mut text);
    BlankNode::new_unchecked(text)
}

fn push_name(number: u32, out: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = write!(out, "c14n{number}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::Dataset;
    use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
    use oxrdfio::{RdfFormat, RdfParser};

    fn quads(trig: &str) -> Vec<Quad> {
        let prefixed = format!("PREFIX : <http://e/> {trig}");
        RdfParser::from_format(RdfFormat::TriG).for_slice(prefixed.as_bytes()).map(Result::unwrap).collect()
    }

    fn text(trig: &str) -> String {
        canonicalize(&quads(trig), &Budget::default()).unwrap().lines().collect()
    }

    #[test]
    fn blank_nodes_are_told_apart_as_the_standard_does() {
        // The example of §A.1, whose nodes share their first-degree hashes; the expected names depend on its exact IRIs.
        let example = ":p :q _:e0, _:e1 . _:e0 :p _:e2 . _:e1 :p _:e3 . _:e2 :r _:e3 .";
        let expected = "\
<http://e/p> <http://e/q> _:c14n2 .
<http://e/p> <http://e/q> _:c14n3 .
_:c14n0 <http://e/r> _:c14n1 .
_:c14n2 <http://e/p> _:c14n1 .
_:c14n3 <http://e/p> _:c14n0 .
";
        let of_the_standard = text(&format!("PREFIX : <http://example.com/#> {example}"));
        assert_eq!(of_the_standard.replace("http://example.com/#", "http://e/"), expected);
        assert_eq!(text(example), text(":p :q _:x, _:y . _:z :r _:w . _:y :p _:z . _:x :p _:w ."));
    }

    #[test]
    fn oxrdf_agrees_on_random_small_graphs() {
        let mut numbers = fastrand::Rng::with_seed(7);
        let mut random = |below: u64| numbers.u64(..below);
        for _ in 0..300 {
            let size = 1 + random(9);
            let trig: String = (0..size)
                .map(|_| {
                    let (s, o) = (random(4), random(5));
                    let object = if o == 4 { "'v'".to_owned() } else { format!("_:n{o}") };
                    let triple = format!("_:n{s} :p{} {object}", random(2));
                    if random(5) == 0 { format!("_:n{} {{ {triple} }} ", random(4)) } else { format!("{triple} . ") }
                })
                .collect();
            let quads = quads(&trig);
            let mut dataset: Dataset = quads.iter().cloned().collect();
            dataset.canonicalize(CanonicalizationAlgorithm::Rdfc10 {
                hash_algorithm: CanonicalizationHashAlgorithm::Sha256,
            });
            let mut expected: Vec<String> = dataset.iter().map(|quad| format!("{quad} .\n")).collect();
            expected.sort_unstable();
            assert!(canonicalize(&quads, &Budget::default()).unwrap().lines().eq(&expected), "{trig}");
        }
    }

    #[test]
    fn triple_terms_and_directions_take_part() {
        let one =
            text(":r <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies> <<( :s :p _:b )>> . _:b :l 'x'@en--ltr .");
        let same =
            text("_:k :l 'x'@en--ltr . :r <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies> <<( :s :p _:k )>> .");
        assert_eq!(one, same);
        assert!(one.contains("#Statement") && one.contains("i18n"), "{one}");
    }

    #[test]
    fn a_poisoned_graph_ends_in_an_error() {
        // Every node points to every other, so all look alike and every order of them is tried.
        let mut trig = String::new();
        for a in 0..12 {
            for b in (0..12).filter(|b| *b != a) {
                let _ = write!(trig, "_:n{a} :p _:n{b} . ");
            }
        }
        let error = canonicalize(&quads(&trig), &Budget::default()).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Limit);
    }

    #[test]
    fn a_quad_that_differs_changes_the_hash() {
        let hash = |trig: &str| canonicalize(&quads(trig), &Budget::default()).unwrap().hash();
        assert_eq!(hash(":a :p _:x ."), hash(":a :p _:y ."));
        assert_ne!(hash(":a :p _:x ."), hash(":a :p 'x' ."));
        assert_eq!(hash("").len(), 64);
    }
}
