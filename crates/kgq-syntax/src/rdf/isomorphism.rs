//! Whether two datasets differ only in the labels of their blank nodes (RDF 1.2 Concepts, "graph isomorphism").
//!
//! Blank nodes are told apart by colours, which are refined by what is said of each node until no colour splits. Nodes that
//! keep one colour are tried with each other. Blank nodes that no statement connects are compared apart, so that many
//! small structures that look alike cost no more than others.

use super::blank::{each_node, nodes_of, renamed};
use super::{BlankNode, Quad};
use crate::budget::{Budget, Reservation, Steps};
use crate::error::{Error, Result};
use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How often the colour of a node is computed at most, besides [`WORK_FOR_A_QUAD`] for each quad. Colours tell nodes of honest data
/// apart in a few rounds; made-up data could need more rounds than there is time.
const MOST_WORK: u64 = 50_000_000;
const WORK_FOR_A_QUAD: u64 = 1_000;
/// Roughly the bytes held for a quad and its blank nodes.
const BYTES_OF_A_QUAD: u64 = 250;

/// Returns whether the two differ only in the labels of their blank nodes. A quad that occurs twice counts once.
///
/// # Errors
/// Datasets whose blank nodes are too similar to be matched in reasonable time; the budget's.
pub fn are_isomorphic(one: &[Quad], other: &[Quad], budget: &Budget) -> Result<bool> {
    let steps = Steps::new(budget);
    let mut held = Reservation::default();
    held.grow(budget, (one.len() + other.len()) as u64 * BYTES_OF_A_QUAD)?;
    let set = |quads: &[Quad]| quads.iter().cloned().collect::<FxHashSet<Quad>>();
    let (one, other) = (set(one), set(other));
    if one.len() != other.len() {
        return Ok(false);
    }
    let only = |own: &FxHashSet<Quad>, rest: &FxHashSet<Quad>| {
        own.iter().filter(|quad| !rest.contains(*quad) || !nodes_of(quad).is_empty()).cloned().collect::<Vec<_>>()
    };
    let (one_only, other_only) = (only(&one, &other), only(&other, &one));
    if one_only.len() != other_only.len() || one_only.iter().chain(&other_only).any(|quad| nodes_of(quad).is_empty()) {
        return Ok(false);
    }
    if one == other {
        return Ok(true);
    }
    let work = MOST_WORK + WORK_FOR_A_QUAD * one_only.len() as u64;
    let mut matching = Matching { steps: &steps, work };
    let (one, other) = (matching.structures(&one_only)?, matching.structures(&other_only)?);
    matching.are_alike(one, other)
}

/// What is said of blank nodes that statements connect with each other.
struct Structure<'q> {
    quads: Vec<&'q Quad>,
    nodes: Vec<&'q BlankNode>,
    /// What each quad says besides its blank nodes, as a hash; and the numbers of its nodes, in the order of [`each_node`].
    said: Vec<(u64, Vec<usize>)>,
    quads_of: Vec<Vec<usize>>,
    /// As far as refining alone tells the nodes apart.
    colours: Vec<u64>,
}

impl<'q> Structure<'q> {
    fn new(quads: Vec<&'q Quad>) -> Self {
        let mut numbers: FxHashMap<&BlankNode, usize> = FxHashMap::default();
        let (mut nodes, mut said, mut quads_of) = (Vec::new(), Vec::new(), Vec::<Vec<usize>>::new());
        let any = BlankNode::new_unchecked("any");
        for (at, quad) in quads.iter().enumerate() {
            let mut own = Vec::new();
            each_node(quad, &mut |node| {
                let number = *numbers.entry(node).or_insert_with(|| {
                    nodes.push(node);
                    quads_of.push(Vec::new());
                    nodes.len() - 1
                });
                if quads_of[number].last() != Some(&at) {
                    quads_of[number].push(at);
                }
                own.push(number);
            });
            said.push((hash(&renamed(quad, &|_| any.clone())), own));
        }
        let colours = vec![0; nodes.len()];
        Self { quads, nodes, said, quads_of, colours }
    }

    /// Whether nothing that is said of the node mentions another node that shares its colour with a third.
    fn stands_alone(&self, node: usize, shared: &FxHashMap<u64, usize>, colours: &[u64]) -> bool {
        let others = self.quads_of[node].iter().flat_map(|quad| &self.said[*quad].1).filter(|other| **other != node);
        others.into_iter().all(|other| shared.get(&colours[*other]) == Some(&1))
    }

    /// Whether the nodes of one colour in both are the same ones, where each colour is that of one node.
    fn is_same_by(&self, own: &[u64], other: &Structure<'_>, others: &[u64]) -> bool {
        let by_colour: FxHashMap<u64, &BlankNode> = others.iter().copied().zip(other.nodes.iter().copied()).collect();
        let names: FxHashMap<&BlankNode, &BlankNode> =
            self.nodes.iter().zip(own).filter_map(|(node, colour)| Some((*node, *by_colour.get(colour)?))).collect();
        let known: FxHashSet<&Quad> = other.quads.iter().copied().collect();
        let rename = |node: &BlankNode| names.get(node).map_or_else(|| node.clone(), |name| (*name).clone());
        self.quads.iter().all(|quad| known.contains(&renamed(quad, &rename)))
    }
}

struct Matching<'s> {
    steps: &'s Steps,
    /// What is left of the work allowed.
    work: u64,
}

impl Matching<'_> {
    fn spend(&mut self, nodes: usize) -> Result<()> {
        self.work = self.work.checked_sub(nodes as u64).ok_or_else(|| {
            Error::limit(
                "the blank nodes are too much alike: whether two graphs are the same cannot be told in reasonable time",
            )
            .hint("give some of them names")
        })?;
        (0..nodes).try_for_each(|_| self.steps.take())
    }

    /// Splits quads with blank nodes into structures that share none, with refined colours.
    fn structures<'q>(&mut self, quads: &'q [Quad]) -> Result<Vec<Structure<'q>>> {
        let whole = Structure::new(quads.iter().collect());
        let mut parts: Vec<Vec<&Quad>> = Vec::new();
        let mut is_seen = vec![false; whole.quads.len()];
        for first in 0..whole.quads.len() {
            let (mut waiting, mut part) = (vec![first], Vec::new());
            while let Some(quad) = waiting.pop() {
                if std::mem::replace(&mut is_seen[quad], true) {
                    continue;
                }
                self.steps.take()?;
                part.push(whole.quads[quad]);
                let next = whole.said[quad].1.iter().flat_map(|node| &whole.quads_of[*node]);
                waiting.extend(next.copied().filter(|next| !is_seen[*next]));
            }
            if !part.is_empty() {
                parts.push(part);
            }
        }
        let refined = |part| {
            let mut structure = Structure::new(part);
            let mut colours = std::mem::take(&mut structure.colours);
            self.refine(&structure, &mut colours)?;
            structure.colours = colours;
            Ok(structure)
        };
        parts.into_iter().map(refined).collect()
    }

    /// Gives nodes of which different things are said different colours, until no more differ.
    fn refine(&mut self, structure: &Structure<'_>, colours: &mut Vec<u64>) -> Result<()> {
        let mut different = count(colours);
        loop {
            self.spend(colours.len())?;
            let refined: Vec<u64> = (0..colours.len())
                .map(|node| {
                    let quads = structure.quads_of[node].iter().map(|quad| {
                        let (said, nodes) = &structure.said[*quad];
                        let mut hasher = DefaultHasher::new();
                        said.hash(&mut hasher);
                        for other in nodes {
                            (*other != node).then_some(colours[*other]).hash(&mut hasher);
                        }
                        hasher.finish()
                    });
                    // The order of statements says nothing.
                    hash(&(colours[node], quads.fold(0, u64::wrapping_add)))
                })
                .collect();
            let now = count(&refined);
            *colours = refined;
            if now <= different {
                return Ok(());
            }
            different = now;
        }
    }

    /// Whether each structure has one in the other dataset that is the same.
    fn are_alike(&mut self, one: Vec<Structure<'_>>, other: Vec<Structure<'_>>) -> Result<bool> {
        if one.len() != other.len() {
            return Ok(false);
        }
        // Structures that are the same are counted once each; they are few of one hash.
        let mut kinds: FxHashMap<u64, Vec<(Structure<'_>, i64)>> = FxHashMap::default();
        for (structure, step) in one.into_iter().map(|part| (part, 1)).chain(other.into_iter().map(|part| (part, -1))) {
            let same_hash = kinds.entry(signature(&structure.colours)).or_default();
            let mut found = None;
            for (at, (kind, _)) in same_hash.iter().enumerate() {
                if self.is_same(&structure, kind)? {
                    found = Some(at);
                    break;
                }
            }
            match found {
                Some(at) => same_hash[at].1 += step,
                None if step > 0 => same_hash.push((structure, step)),
                None => return Ok(false),
            }
        }
        Ok(kinds.into_values().flatten().all(|(_, count)| count == 0))
    }

    fn is_same(&mut self, one: &Structure<'_>, other: &Structure<'_>) -> Result<bool> {
        if one.quads.len() != other.quads.len() {
            return Ok(false);
        }
        // Colours that remain to be tried; the last are the furthest refined.
        let mut trials = vec![(one.colours.clone(), other.colours.clone())];
        let mut held = Reservation::default();
        while let Some((mut own, mut others)) = trials.pop() {
            if signature(&own) != signature(&others) {
                continue;
            }
            let shared = how_many(&own);
            let lone = |structure: &Structure<'_>, colours: &[u64]| {
                let is_lone = |node: &usize| {
                    shared.get(&colours[*node]).is_some_and(|many| *many > 1)
                        && structure.stands_alone(*node, &shared, colours)
                };
                (0..colours.len()).filter(is_lone).collect::<Vec<_>>()
            };
            // Any of those can stand for any other of its colour, so they are numbered.
            let (lone_own, lone_others) = (lone(one, &own), lone(other, &others));
            number(&mut own, &lone_own);
            number(&mut others, &lone_others);
            let shared = how_many(&own);
            let Some((_, colour)) = shared.iter().filter(|(_, many)| **many > 1).map(|(c, many)| (*many, *c)).min()
            else {
                if one.is_same_by(&own, other, &others) {
                    return Ok(true);
                }
                continue;
            };
            let Some(first) = own.iter().position(|c| *c == colour) else { continue };
            own[first] = hash(&(colour, "chosen"));
            self.refine(one, &mut own)?;
            let candidates: Vec<usize> = (0..others.len()).filter(|node| others[*node] == colour).collect();
            held.resize(self.steps.budget(), ((trials.len() + 1) * own.len() * 16) as u64)?;
            for candidate in candidates.into_iter().rev() {
                let mut tried = others.clone();
                tried[candidate] = hash(&(colour, "chosen"));
                self.refine(other, &mut tried)?;
                if signature(&tried) == signature(&own) {
                    trials.push((own.clone(), tried));
                }
            }
        }
        Ok(false)
    }
}

/// Gives each of these nodes a colour of its own, by its colour and how many of it came before.
fn number(colours: &mut [u64], nodes: &[usize]) {
    let mut before: FxHashMap<u64, u64> = FxHashMap::default();
    for node in nodes {
        let number = before.entry(colours[*node]).or_default();
        *number += 1;
        colours[*node] = hash(&(colours[*node], *number));
    }
}

fn how_many(colours: &[u64]) -> FxHashMap<u64, usize> {
    let mut many: FxHashMap<u64, usize> = FxHashMap::default();
    for colour in colours {
        *many.entry(*colour).or_default() += 1;
    }
    many
}

fn count(colours: &[u64]) -> usize {
    colours.iter().collect::<FxHashSet<_>>().len()
}

/// A hash of the colours that does not depend on the order of nodes.
fn signature(colours: &[u64]) -> u64 {
    hash(&(colours.len(), colours.iter().fold(0, |sum: u64, colour| sum.wrapping_add(hash(colour)))))
}

/// Colours are added up, so they must not depend on each other as those of a simpler hash do.
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::dataset::CanonicalizationAlgorithm;
    use oxrdfio::{RdfFormat, RdfParser};

    fn quads(trig: &str) -> Vec<Quad> {
        RdfParser::from_format(RdfFormat::TriG).for_slice(trig.as_bytes()).map(Result::unwrap).collect()
    }

    fn are_same(one: &str, other: &str) -> bool {
        are_isomorphic(&quads(one), &quads(other), &Budget::default()).unwrap()
    }

    #[test]
    fn labels_do_not_matter_and_all_else_does() {
        assert!(are_same("_:a <p:p> _:b . _:b <p:q> 1 .", "_:x <p:q> 1 . _:y <p:p> _:x ."));
        assert!(!are_same("_:a <p:p> _:b . _:b <p:q> 1 .", "_:x <p:q> 1 . _:y <p:p> _:y ."));
        assert!(!are_same("_:a <p:p> _:b , _:a .", "_:a <p:p> _:b ."));
        assert!(!are_same("<s:s> <p:p> 1 . _:a <p:p> 1 .", "<s:s> <p:p> 2 . _:a <p:p> 1 ."));
        assert!(!are_same("<s:s> <p:p> 1 .", "_:s <p:p> 1 ."));
        assert!(are_same("_:g { _:a <p:p> 1 }", "_:h { _:b <p:p> 1 }"));
        assert!(!are_same("_:g { _:g <p:p> 1 }", "_:h { _:b <p:p> 1 }"));
        assert!(are_same("<s:s> <p:p> <<( _:a <p:p> 1 )>> .", "<s:s> <p:p> <<( _:b <p:p> 1 )>> ."));
        assert!(!are_same("<s:s> <p:p> <<( _:a <p:p> _:a )>> .", "<s:s> <p:p> <<( _:b <p:p> _:c )>> ."));
        assert!(are_same("_:a <p:p> 1 . _:a <p:p> 1 .", "_:b <p:p> 1 ."));
    }

    /// The nodes of each pair mention the same things, in other places.
    #[test]
    fn places_in_statements_tell_nodes_apart() {
        for n in 0..40 {
            let graph = |a: &str, b: &str| {
                format!(
                    "_:h <p:e> _:{a} , _:{b} . _:{a} <p:f{n}> <x:1> ; <p:t{n}> <x:2> . _:{b} <p:f{n}> <x:2> ; <p:t{n}> <x:1> . \
                     _:{a}x <p:f{n}> _:y ; <p:t{n}> _:z . _:{b}x <p:f{n}> _:z ; <p:t{n}> _:y . _:y <p:n> 1 . _:z <p:n> 2 ."
                )
            };
            assert!(are_same(&graph("a", "b"), &graph("b", "a")), "{n}");
            assert!(are_same(&graph("a", "b"), &graph("q7", "c")), "{n}");
        }
    }

    /// Two rings of three and one of six look alike from every node.
    #[test]
    fn what_colours_do_not_tell_apart_is_tried() {
        let ring = |nodes: &[&str]| {
            let pairs = nodes.iter().zip(nodes.iter().cycle().skip(1));
            pairs
                .map(|(a, b)| format!("_:{a} <p:p> _:{b} . _:{b} <p:p> _:{a} . <s:s> <p:in> _:{a} . "))
                .collect::<String>()
        };
        let joined = |text: String| format!("{text} _:hub <p:has> _:a , _:b , _:c , _:d , _:e , _:f .");
        let six = joined(ring(&["a", "b", "c", "d", "e", "f"]));
        let threes = joined(ring(&["a", "b", "c"]) + &ring(&["d", "e", "f"]));
        assert!(!are_same(&six, &threes));
        assert!(are_same(&six, &joined(ring(&["f", "a", "d", "c", "b", "e"]))));
        assert!(are_same(&threes, &joined(ring(&["a", "e", "c"]) + &ring(&["d", "b", "f"]))));
    }

    #[test]
    fn many_alike_are_matched_without_trying_all_orders() {
        let clique = |of: &str| {
            let pairs = (0..12).flat_map(|a| (0..12).filter(move |b| a != *b).map(move |b| (a, b)));
            pairs.map(|(a, b)| format!("_:{of}{a} <p:p> _:{of}{b} . ")).collect::<String>()
        };
        assert!(are_same(&clique("a"), &clique("z")));
        let star = |of: &str| (0..2_000).map(|leaf| format!("_:{of} <p:p> _:{of}{leaf} . ")).collect::<String>();
        assert!(are_same(&star("a"), &star("z")));
        let pairs = |of: &str| (0..2_000).map(|n| format!("_:{of}{n} <p:p> _:{of}x{n} . ")).collect::<String>();
        assert!(are_same(&pairs("a"), &pairs("z")));
        let list = |of: &str| format!("<s:{of}> <p:p> ( {} ) .", "0 ".repeat(600));
        assert!(are_same(&list("s"), &list("s")));
        assert!(!are_same(&list("s"), &list("s").replace(" ) .", " 0 ) .")));
    }

    #[test]
    fn work_is_bounded() {
        let (one, other) = (quads("_:a <p:p> _:b . _:b <p:p> _:a ."), quads("_:c <p:p> _:d . _:d <p:p> _:c ."));
        let (budget, mut done) = (Budget::default(), false);
        let steps = Steps::new(&budget);
        for work in 0..20 {
            let mut matching = Matching { steps: &steps, work };
            let both = matching.structures(&one).and_then(|one| Ok((one, matching.structures(&other)?)));
            match both.and_then(|(one, other)| matching.are_alike(one, other)) {
                Ok(is_same) => done = is_same,
                Err(error) => assert!(!done && error.to_string().contains("too much alike"), "{work}: {error}"),
            }
        }
        assert!(done);
    }

    #[test]
    fn random_datasets_are_the_same_where_their_canonical_forms_are() {
        let mut dice = fastrand::Rng::with_seed(1);
        let mut roll = |most: u64| dice.u64(0..most);
        let mut same = 0;
        for _ in 0..3_000 {
            let (nodes, count) = (1 + roll(5), 1 + roll(7));
            let made: Vec<(u64, u64, u64)> = (0..count).map(|_| (roll(nodes), roll(2), roll(nodes))).collect();
            let moved = roll(2);
            let text = |of: &str, by: u64| {
                let line = |(s, p, o): &(u64, u64, u64)| {
                    format!("_:{of}{} <p:{p}> _:{of}{} . ", (s + by) % nodes, (o + by * (1 + moved)) % nodes)
                };
                made.iter().map(line).collect::<String>()
            };
            let (one, other) = (quads(&text("a", 0)), quads(&text("z", 1)));
            let canonical = |quads: &[Quad]| {
                let mut dataset: oxrdf::Dataset = quads.iter().cloned().collect();
                dataset.canonicalize(CanonicalizationAlgorithm::Unstable);
                dataset
            };
            let expected = canonical(&one) == canonical(&other);
            same += usize::from(expected);
            assert_eq!(are_isomorphic(&one, &other, &Budget::default()).unwrap(), expected, "{one:?}\n{other:?}");
        }
        assert!((300..2_700).contains(&same), "{same}");
    }
}
