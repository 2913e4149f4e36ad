//! The search for canonical names. Variables and steps are named as in the standard (§4.4 to §4.8).

use super::coded::{Coded, CodedQuad, DEFAULT_GRAPH, OTHER, Position, blank_nodes, line};
use super::{hexadecimal, push_name};
use crate::budget::{Reservation, Steps};
use crate::error::{Error, Result};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The work allowed for a dataset, and for each of its quads. Work counts the quads inspected for a blank node, and the
/// members of the permutations tried. Honest data need a few steps per quad; a poisoned graph with a few dozen nodes would
/// take practically forever.
const MOST_WORK: u64 = 200_000;
const WORK_FOR_A_QUAD: u64 = 50;
/// How far the search may go from one blank node; it is recursive.
const DEEPEST: usize = 4_000;

/// No name was given yet.
const NONE: u32 = u32::MAX;

type Hash = [u8; 32];

fn sha256(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// Issues temporary identifiers in order (§4.3). What was issued last can be taken back: the standard copies issuers, which would take
/// the square of the length of a chain of similar nodes.
#[derive(Default)]
struct Issuer {
    issued: FxHashMap<u32, u32>,
    order: Vec<u32>,
}

impl Issuer {
    fn issue(&mut self, node: u32) -> u32 {
        let next = self.order.len() as u32;
        let number = *self.issued.entry(node).or_insert(next);
        if number == next {
            self.order.push(node);
        }
        number
    }

    /// Takes back all but the first `count` identifiers, and returns the nodes that had them.
    fn take_back(&mut self, count: usize) -> Vec<u32> {
        let nodes = self.order.split_off(count);
        for node in &nodes {
            self.issued.remove(node);
        }
        nodes
    }
}

fn push_temporary(number: u32, out: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = write!(out, "b{number}");
}

/// The canonicalization state (§4.2).
pub(super) struct Search<'a> {
    coded: &'a Coded<'a>,
    /// How many quads without blank nodes the dataset has besides.
    others: usize,
    /// The quads that mention each blank node: where its part of `mentions` starts.
    starts: Vec<usize>,
    mentions: Vec<u32>,
    first_degree: Vec<Hash>,
    /// The canonical number of each blank node.
    canonical: Vec<u32>,
    next: u32,
    work: u64,
    steps: &'a Steps,
    held: Reservation,
}

impl<'a> Search<'a> {
    pub(super) fn new(coded: &'a Coded<'a>, others: usize, steps: &'a Steps) -> Result<Self> {
        const BYTES_OF_A_NODE: u64 = (size_of::<Hash>() + size_of::<usize>() + 2 * size_of::<u32>()) as u64;
        let mut held = steps.budget().reserve(u64::from(coded.nodes) * BYTES_OF_A_NODE)?;
        let mut starts = vec![0; coded.nodes as usize + 1];
        for quad in coded.quads {
            steps.take()?;
            each_once(quad, |node| starts[node as usize + 1] += 1);
        }
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        let count = starts.last().copied().unwrap_or_default();
        held.grow(steps.budget(), (count * size_of::<u32>()) as u64)?;
        let mut mentions = vec![0; count];
        let mut ends = starts.clone();
        for (number, quad) in coded.quads.iter().enumerate() {
            steps.take()?;
            each_once(quad, |node| {
                let end = &mut ends[node as usize];
                mentions[*end] = number as u32;
                *end += 1;
            });
        }
        let (first_degree, canonical) = (Vec::new(), vec![NONE; coded.nodes as usize]);
        Ok(Self { coded, others, starts, mentions, first_degree, canonical, next: 0, work: 0, steps, held })
    }

    /// Returns the canonical number of each blank node.
    pub(super) fn run(mut self) -> Result<Vec<u32>> {
        self.first_degree =
            (0..self.coded.nodes).map(|node| self.hash_first_degree(node)).collect::<Result<Vec<_>>>()?;
        let mut by_hash: Vec<u32> = (0..self.coded.nodes).filter(|node| !self.quads_of(*node).is_empty()).collect();
        by_hash.sort_unstable_by_key(|node| (self.first_degree[*node as usize], *node));
        let is_alike = |a: &u32, b: &u32| self.first_degree[*a as usize] == self.first_degree[*b as usize];
        let mut alike: Vec<Vec<u32>> = Vec::new();
        let mut alone = Vec::new();
        for nodes in by_hash.chunk_by(is_alike) {
            match nodes {
                [node] => alone.push(*node),
                _ => alike.push(nodes.to_vec()),
            }
        }
        alone.into_iter().for_each(|node| self.issue(node));
        for nodes in alike {
            let mut results: Vec<(Hash, Issuer)> = Vec::new();
            for node in nodes {
                if self.canonical[node as usize] != NONE {
                    continue;
                }
                let mut issuer = Issuer::default();
                issuer.issue(node);
                results.push((self.hash_n_degree(node, &mut issuer, 0)?, issuer));
            }
            results.sort_by_key(|(hash, _)| *hash);
            for (_, issuer) in results {
                issuer.order.into_iter().for_each(|node| self.issue(node));
            }
        }
        self.held.resize(self.steps.budget(), 0)?;
        Ok(self.canonical)
    }

    fn quads_of(&self, node: u32) -> &[u32] {
        &self.mentions[self.starts[node as usize]..self.starts[node as usize + 1]]
    }

    fn issue(&mut self, node: u32) {
        let number = &mut self.canonical[node as usize];
        if *number == NONE {
            *number = self.next;
            self.next += 1;
        }
    }

    /// §4.6: hashes what a node's quads say about it, with all other blank nodes treated alike.
    fn hash_first_degree(&self, node: u32) -> Result<Hash> {
        let quads = self.quads_of(node);
        let mut lines: Vec<String> = Vec::with_capacity(quads.len());
        for quad in quads {
            self.steps.take()?;
            let mut text = String::new();
            let name = |other: u32, out: &mut String| out.push(if other == node { 'a' } else { 'z' });
            line(&self.coded.quads[*quad as usize], name, self.coded.write, &mut text);
            lines.push(text);
        }
        lines.sort_unstable();
        Ok(sha256(&lines.concat()))
    }

    /// §4.7.
    fn hash_related(&self, related: u32, predicate: u32, issuer: &Issuer, position: Position) -> Hash {
        let mut input = String::from(match position {
            Position::Subject => "s",
            Position::Object => "o",
            Position::Graph => "g",
        });
        if !matches!(position, Position::Graph) {
            (self.coded.write)(predicate, &mut input);
        }
        match (self.canonical[related as usize], issuer.issued.get(&related)) {
            (NONE, None) => input.push_str(&hexadecimal(&self.first_degree[related as usize])),
            (NONE, Some(number)) => {
                input.push_str("_:");
                push_temporary(*number, &mut input);
            }
            (number, _) => {
                input.push_str("_:");
                push_name(number, &mut input);
            }
        }
        sha256(&input)
    }

    /// §4.8: distinguishes nodes by their neighbours, trying every order of neighbours that look alike. The issuer then has the
    /// identifiers of the chosen orders.
    fn hash_n_degree(&mut self, node: u32, issuer: &mut Issuer, depth: usize) -> Result<Hash> {
        if depth > DEEPEST {
            return Err(too_much_alike());
        }
        self.spend(self.quads_of(node).len())?;
        let mut hn: BTreeMap<Hash, Vec<u32>> = BTreeMap::new();
        for number in self.quads_of(node) {
            let quad: &CodedQuad = &self.coded.quads[*number as usize];
            for (related, position) in blank_nodes(quad).filter(|(related, _)| *related != node) {
                hn.entry(self.hash_related(related, quad[1], issuer, position)).or_default().push(related);
            }
        }
        let mut data_to_hash = String::new();
        for (related_hash, mut nodes) in hn {
            data_to_hash.push_str(&hexadecimal(&related_hash));
            nodes.sort_unstable();
            let before = issuer.order.len();
            let mut chosen: Option<(String, Vec<u32>)> = None;
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
        nodes: &[u32],
        issuer: &mut Issuer,
        chosen: Option<&String>,
        depth: usize,
    ) -> Result<Option<String>> {
        let behind = |path: &String| chosen.is_some_and(|chosen| path.len() >= chosen.len() && path > chosen);
        let mut path = String::new();
        let mut recursion_list = Vec::new();
        for related in nodes {
            path.push_str("_:");
            match self.canonical[*related as usize] {
                NONE => {
                    if !issuer.issued.contains_key(related) {
                        recursion_list.push(*related);
                    }
                    push_temporary(issuer.issue(*related), &mut path);
                }
                number => push_name(number, &mut path),
            }
            if behind(&path) {
                return Ok(None);
            }
        }
        for related in recursion_list {
            let hash = self.hash_n_degree(related, issuer, depth + 1)?;
            path.push_str("_:");
            push_temporary(issuer.issue(related), &mut path);
            let _ = write!(path, "<{}>", hexadecimal(&hash));
            if behind(&path) {
                return Ok(None);
            }
        }
        Ok(Some(path))
    }

    fn spend(&mut self, work: usize) -> Result<()> {
        self.work += work as u64;
        (0..work).try_for_each(|_| self.steps.take())?;
        let quads = (self.coded.quads.len() + self.others) as u64;
        if self.work > MOST_WORK + WORK_FOR_A_QUAD * quads { Err(too_much_alike()) } else { Ok(()) }
    }
}

/// Visits each blank node of a quad once.
fn each_once([subject, _, object, graph]: &CodedQuad, mut visit: impl FnMut(u32)) {
    let is_blank = |code: u32| code & OTHER == 0;
    if is_blank(*subject) {
        visit(*subject);
    }
    if is_blank(*object) && object != subject {
        visit(*object);
    }
    if *graph != DEFAULT_GRAPH && is_blank(*graph) && graph != subject && graph != object {
        visit(*graph);
    }
}

fn too_much_alike() -> Error {
    Error::limit("the blank nodes of this dataset are too much alike to be told apart in reasonable time")
        .hint("give some of them names; canonicalization has a limit of work against graphs made to take forever")
}

/// The next permutation of these numbers in lexicographic order; `false` after the last one.
fn next_permutation(numbers: &mut [u32]) -> bool {
    let Some(at) = numbers.windows(2).rposition(|pair| pair[0] < pair[1]) else { return false };
    let with = numbers.iter().rposition(|n| *n > numbers[at]).unwrap_or(at);
    numbers.swap(at, with);
    numbers[at + 1..].reverse();
    true
}
