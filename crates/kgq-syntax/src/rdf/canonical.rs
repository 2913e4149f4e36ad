//! Canonical N-Quads by RDFC-1.0 (RDF Dataset Canonicalization, W3C 2024) with SHA-256, and their hash: isomorphic datasets
//! give the same bytes. The standard does not know RDF 1.2's terms, so they are first mapped to RDF 1.1.
//!
//! Variables and steps are named as in the standard (§4.4 to §4.8).

use super::blank::renamed;
use super::rdf11;
use super::{GraphName, NamedOrBlankNode, Quad, Term};
use crate::budget::{Budget, Reservation, Steps};
use crate::error::{Error, Result};
use crate::sort::{sorted_by_text, sorted_texts};
use oxrdf::BlankNode;
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A dataset in canonical form.
#[derive(Debug)]
pub struct Canonical {
    /// Lines of N-Quads with their line ends, sorted by code point.
    pub lines: Vec<String>,
    /// The number of terms that were mapped to RDF 1.1.
    pub mapped: u64,
    _held: Reservation,
}

impl Canonical {
    /// The SHA-256 digest of the lines, in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for line in &self.lines {
            hash.update(line);
        }
        hexadecimal(&hash.finalize())
    }
}

/// The work allowed for a dataset, and for each of its quads. Work counts the quads inspected for a blank node, and the
/// members of the permutations tried. Honest data need a few steps per quad; a poisoned graph with a few dozen nodes would
/// take practically forever.
const MOST_WORK: u64 = 200_000;
const WORK_FOR_A_QUAD: u64 = 50;
/// How far the search may go from one blank node; it is recursive.
const DEEPEST: usize = 4_000;

/// Canonicalizes a dataset.
///
/// # Errors
/// A dataset whose blank nodes are too similar to be distinguished in reasonable time; the budget's.
pub fn canonicalize(quads: &[Quad], budget: &Budget) -> Result<Canonical> {
    let (steps, mut held, mut bytes) = (Steps::new(budget), Reservation::default(), 0);
    let (set, mapped, _set_held) = as_set(quads, &steps)?;
    let names = Search::new(&set, &steps)?.run()?;
    let mut lines: Vec<String> = Vec::with_capacity(set.len());
    for quad in &set {
        steps.take()?;
        let line = line(quad, |node| names.get(node).map_or_else(|| node.as_str().to_owned(), Clone::clone));
        bytes += (size_of::<String>() + line.capacity()) as u64;
        if bytes > COUNTED_AT_ONCE {
            held.grow(budget, std::mem::take(&mut bytes))?;
        }
        lines.push(line);
    }
    held.grow(budget, bytes)?;
    let mut lines = sorted_texts(lines, budget)?;
    lines.dedup();
    Ok(Canonical { lines, mapped, _held: held })
}

/// Bytes that are held before they are reserved: reserving each string would cost more than creating it.
const COUNTED_AT_ONCE: u64 = 1 << 16;

/// The dataset in RDF 1.1, each quad once; and the number of its terms that were mapped.
fn as_set(quads: &[Quad], steps: &Steps) -> Result<(Vec<Quad>, u64, Reservation)> {
    let (mapped, mut held) = rdf11::downgrade(quads, steps.budget())?;
    held.grow(steps.budget(), (mapped.quads.len() * size_of::<(usize, bool)>()) as u64)?;
    let mut seen: FxHashSet<&Quad> = FxHashSet::default();
    let mut is_first = Vec::with_capacity(mapped.quads.len());
    for quad in &mapped.quads {
        steps.take()?;
        is_first.push(seen.insert(quad));
    }
    let set = mapped.quads.into_iter().zip(is_first).filter_map(|(quad, is_first)| is_first.then_some(quad));
    Ok((set.collect(), mapped.count, held))
}

/// The quads with their blank nodes named as in the canonical form, in the order of their lines. Terms of RDF 1.2 stay. The
/// reservation must live as long as the quads.
///
/// # Errors
/// As [`canonicalize`].
pub fn relabel(quads: &[Quad], budget: &Budget) -> Result<(Vec<Quad>, Reservation)> {
    relabel_among(quads, 0, budget)
}

/// The same of those quads of a dataset that tell its blank nodes apart; `others` says how many it has besides, which allow for more work.
///
/// # Errors
/// As [`canonicalize`].
pub fn relabel_among(quads: &[Quad], others: usize, budget: &Budget) -> Result<(Vec<Quad>, Reservation)> {
    let (steps, mut held, mut bytes) = (Steps::new(budget), Reservation::default(), 0);
    let mut renamed_quads = Vec::with_capacity(quads.len());
    {
        let (set, _, _set_held) = as_set(quads, &steps)?;
        let names = Search { others, ..Search::new(&set, &steps)? }.run()?;
        let rename = |node: &BlankNode| names.get(node).map_or_else(|| node.clone(), BlankNode::new_unchecked);
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

/// The quad as a line of N-Quads, with its blank nodes renamed.
fn line(quad: &Quad, name: impl Fn(&BlankNode) -> String) -> String {
    let mut out = String::new();
    let node = |node: &BlankNode| format!("_:{}", name(node));
    // Writing to a `String` cannot fail.
    let _ = match &quad.subject {
        NamedOrBlankNode::NamedNode(n) => write!(out, "{n}"),
        NamedOrBlankNode::BlankNode(n) => write!(out, "{}", node(n)),
    };
    let _ = write!(out, " {} ", quad.predicate);
    let _ = match &quad.object {
        Term::BlankNode(n) => write!(out, "{}", node(n)),
        term => write!(out, "{term}"),
    };
    let _ = match &quad.graph_name {
        GraphName::DefaultGraph => Ok(()),
        GraphName::NamedNode(n) => write!(out, " {n}"),
        GraphName::BlankNode(n) => write!(out, " {}", node(n)),
    };
    out.push_str(" .\n");
    out
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn sha256(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// The position of a blank node in a quad.
#[derive(Clone, Copy)]
enum Position {
    Subject,
    Object,
    Graph,
}

/// Issues identifiers in order (§4.3). What was issued last can be taken back: the standard copies issuers, which would take the
/// square of the length of a chain of similar nodes.
struct Issuer {
    prefix: &'static str,
    /// The place of each node in `order`.
    issued: FxHashMap<usize, usize>,
    order: Vec<usize>,
}

impl Issuer {
    fn new(prefix: &'static str) -> Self {
        Self { prefix, issued: FxHashMap::default(), order: Vec::new() }
    }

    fn issue(&mut self, node: usize) -> String {
        let number = *self.issued.entry(node).or_insert_with(|| {
            self.order.push(node);
            self.order.len() - 1
        });
        self.named(number)
    }

    fn name(&self, node: usize) -> Option<String> {
        self.issued.get(&node).map(|number| self.named(*number))
    }

    fn named(&self, number: usize) -> String {
        format!("{}{number}", self.prefix)
    }

    /// Takes back all but the first `count` identifiers, and returns the nodes that had them.
    fn take_back(&mut self, count: usize) -> Vec<usize> {
        let nodes = self.order.split_off(count);
        for node in &nodes {
            self.issued.remove(node);
        }
        nodes
    }
}

/// The canonicalization state (§4.2); blank nodes are numbered here.
struct Search<'a> {
    quads: &'a [Quad],
    /// How many quads without blank nodes the dataset has besides.
    others: usize,
    nodes: Vec<&'a BlankNode>,
    numbers: FxHashMap<&'a BlankNode, usize>,
    /// The quads that mention each blank node.
    quads_of: Vec<Vec<usize>>,
    first_degree: Vec<String>,
    canonical: Issuer,
    work: u64,
    steps: &'a Steps,
    held: Reservation,
}

impl<'a> Search<'a> {
    /// Roughly the bytes held for a blank node: its hash, its number, its names.
    const BYTES_OF_A_NODE: u64 = 250;

    fn new(quads: &'a [Quad], steps: &'a Steps) -> Result<Self> {
        let mut search = Self {
            quads,
            others: 0,
            nodes: Vec::new(),
            numbers: FxHashMap::default(),
            quads_of: Vec::new(),
            first_degree: Vec::new(),
            canonical: Issuer::new("c14n"),
            work: 0,
            steps,
            held: Reservation::default(),
        };
        for (number, quad) in quads.iter().enumerate() {
            steps.take()?;
            for (node, _) in blank_nodes(quad) {
                let next = search.nodes.len();
                let node_number = *search.numbers.entry(node).or_insert(next);
                if node_number == next {
                    search.nodes.push(node);
                    search.quads_of.push(Vec::new());
                }
                let of = &mut search.quads_of[node_number];
                if of.last() != Some(&number) {
                    of.push(number);
                }
            }
        }
        search.held.grow(steps.budget(), search.nodes.len() as u64 * Self::BYTES_OF_A_NODE)?;
        Ok(search)
    }

    fn run(mut self) -> Result<FxHashMap<&'a BlankNode, String>> {
        self.first_degree =
            (0..self.nodes.len()).map(|node| self.hash_first_degree(node)).collect::<Result<Vec<_>>>()?;
        let mut by_hash: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (node, hash) in self.first_degree.iter().enumerate() {
            by_hash.entry(hash).or_default().push(node);
        }
        let mut alike: Vec<Vec<usize>> = Vec::new();
        for nodes in by_hash.into_values() {
            match nodes.as_slice() {
                [node] => {
                    self.canonical.issue(*node);
                }
                _ => alike.push(nodes),
            }
        }
        for nodes in alike {
            let mut results: Vec<(String, Issuer)> = Vec::new();
            for node in nodes {
                if self.canonical.issued.contains_key(&node) {
                    continue;
                }
                let mut issuer = Issuer::new("b");
                issuer.issue(node);
                results.push((self.hash_n_degree(node, &mut issuer, 0)?, issuer));
            }
            results.sort_by(|(left, _), (right, _)| left.cmp(right));
            for (_, issuer) in results {
                for node in issuer.order {
                    self.canonical.issue(node);
                }
            }
        }
        let Self { nodes, canonical, .. } = self;
        let named = |(number, node): (usize, &usize)| (nodes[*node], canonical.named(number));
        Ok(canonical.order.iter().enumerate().map(named).collect())
    }

    /// §4.6: hashes what a node's quads say about it, with all other blank nodes treated alike.
    fn hash_first_degree(&self, node: usize) -> Result<String> {
        let own = self.nodes[node];
        let mut lines: Vec<String> = Vec::with_capacity(self.quads_of[node].len());
        for quad in &self.quads_of[node] {
            self.steps.take()?;
            lines.push(line(&self.quads[*quad], |other| if other == own { "a".into() } else { "z".into() }));
        }
        lines.sort_unstable();
        Ok(sha256(&lines.concat()))
    }

    /// §4.7.
    fn hash_related(&self, related: usize, quad: &Quad, issuer: &Issuer, position: Position) -> String {
        let mut input = match position {
            Position::Subject => format!("s{}", quad.predicate),
            Position::Object => format!("o{}", quad.predicate),
            Position::Graph => "g".to_owned(),
        };
        match self.canonical.name(related).or_else(|| issuer.name(related)) {
            Some(name) => {
                input.push_str("_:");
                input.push_str(&name);
            }
            None => input.push_str(&self.first_degree[related]),
        }
        sha256(&input)
    }

    /// §4.8: distinguishes nodes by their neighbours, trying every order of neighbours that look alike. The issuer then has the
    /// identifiers of the chosen orders.
    fn hash_n_degree(&mut self, node: usize, issuer: &mut Issuer, depth: usize) -> Result<String> {
        if depth > DEEPEST {
            return Err(too_much_alike());
        }
        self.spend(self.quads_of[node].len())?;
        let mut hn: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let quads: &'a [Quad] = self.quads;
        for quad in self.quads_of[node].iter().map(|number| &quads[*number]) {
            for (other, position) in blank_nodes(quad) {
                let related = self.numbers[other];
                if related != node {
                    hn.entry(self.hash_related(related, quad, issuer, position)).or_default().push(related);
                }
            }
        }
        let mut data_to_hash = String::new();
        for (related_hash, mut nodes) in hn {
            data_to_hash.push_str(&related_hash);
            nodes.sort_unstable();
            let before = issuer.order.len();
            let mut chosen: Option<(String, Vec<usize>)> = None;
            loop {
                self.spend(nodes.len())?;
                let path = self.path(&nodes, issuer, chosen.as_ref().map(|(path, _)| path), depth)?;
                let issued = issuer.take_back(before);
                if let Some(path) = path
                    && chosen.as_ref().is_none_or(|(chosen, _)| path < *chosen)
                {
                    chosen = Some((path, issued));
                }
                if !next_permutation(&mut nodes) {
                    break;
                }
            }
            if let Some((path, issued)) = chosen {
                data_to_hash.push_str(&path);
                for node in issued {
                    issuer.issue(node);
                }
            }
        }
        Ok(sha256(&data_to_hash))
    }

    /// The path for one order of similar neighbours; `None` as soon as it must sort after the chosen path.
    fn path(
        &mut self,
        nodes: &[usize],
        issuer: &mut Issuer,
        chosen: Option<&String>,
        depth: usize,
    ) -> Result<Option<String>> {
        let behind = |path: &String| chosen.is_some_and(|chosen| path.len() >= chosen.len() && path > chosen);
        let mut path = String::new();
        let mut recursion_list = Vec::new();
        for related in nodes {
            path.push_str("_:");
            if let Some(name) = self.canonical.name(*related) {
                path.push_str(&name);
            } else {
                if !issuer.issued.contains_key(related) {
                    recursion_list.push(*related);
                }
                path.push_str(&issuer.issue(*related));
            }
            if behind(&path) {
                return Ok(None);
            }
        }
        for related in recursion_list {
            let hash = self.hash_n_degree(related, issuer, depth + 1)?;
            path.push_str("_:");
            path.push_str(&issuer.issue(related));
            let _ = write!(path, "<{hash}>");
            if behind(&path) {
                return Ok(None);
            }
        }
        Ok(Some(path))
    }

    fn spend(&mut self, work: usize) -> Result<()> {
        self.work += work as u64;
        (0..work).try_for_each(|_| self.steps.take())?;
        let quads = (self.quads.len() + self.others) as u64;
        if self.work > MOST_WORK + WORK_FOR_A_QUAD * quads { Err(too_much_alike()) } else { Ok(()) }
    }
}

fn too_much_alike() -> Error {
    Error::limit("the blank nodes of this dataset are too much alike to be told apart in reasonable time")
        .hint("give some of them names; canonicalization has a limit of work against graphs made to take forever")
}

/// The blank nodes of an RDF 1.1 quad, with their positions.
fn blank_nodes(quad: &Quad) -> impl Iterator<Item = (&BlankNode, Position)> {
    let subject = match &quad.subject {
        NamedOrBlankNode::BlankNode(node) => Some((node, Position::Subject)),
        NamedOrBlankNode::NamedNode(_) => None,
    };
    let object = match &quad.object {
        Term::BlankNode(node) => Some((node, Position::Object)),
        Term::NamedNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    };
    let graph = match &quad.graph_name {
        GraphName::BlankNode(node) => Some((node, Position::Graph)),
        GraphName::NamedNode(_) | GraphName::DefaultGraph => None,
    };
    subject.into_iter().chain(object).chain(graph)
}

/// The next permutation of these numbers in lexicographic order; `false` after the last one.
fn next_permutation(numbers: &mut [usize]) -> bool {
    let Some(at) = numbers.windows(2).rposition(|pair| pair[0] < pair[1]) else { return false };
    let with = numbers.iter().rposition(|n| *n > numbers[at]).unwrap_or(at);
    numbers.swap(at, with);
    numbers[at + 1..].reverse();
    true
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
        canonicalize(&quads(trig), &Budget::default()).unwrap().lines.concat()
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
            assert_eq!(canonicalize(&quads, &Budget::default()).unwrap().lines, expected, "{trig}");
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
