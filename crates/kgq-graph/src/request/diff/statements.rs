//! The statements in which two sets differ, ignoring the names of blank nodes.
//!
//! Blank nodes that are linked with each other form a part. Isomorphic parts are the same (RDFC-1.0), so that a change
//! in one place renames nothing in another. The blank nodes of differing parts are paired by how much is said about
//! both.

use kgq_syntax::budget::{Budget, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::blank::{each_node, renamed};
use kgq_syntax::rdf::canonical::canonicalize;
use kgq_syntax::rdf::{BlankNode, Quad};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// The statements that only one of two sets has.
#[derive(Debug, Default)]
pub struct Changed {
    /// With blank nodes named the same way for both sets, in term order.
    pub shown: Vec<Quad>,
    /// The statements as they are in their own set, each with the form that is shown.
    pub by_own: FxHashMap<Quad, Quad>,
}

/// Returns the statements that only the old set has, and those that only the new one has.
///
/// # Errors
/// Blank nodes that are too alike to tell apart; an exceeded budget.
pub fn changed(old: &[Quad], new: &[Quad], budget: &Budget) -> Result<(Changed, Changed)> {
    let steps = Steps::new(budget);
    let ((old, old_parts), (new, new_parts)) = (split(old, &steps)?, split(new, &steps)?);
    let mut left: [Vec<&Quad>; 2] = [old.difference(&new).copied().collect(), new.difference(&old).copied().collect()];
    let (old_parts, new_parts) = different(old_parts, new_parts, budget)?;
    let names = pairs(&old_parts, &new_parts, &steps)?;
    left[0].extend(old_parts);
    left[1].extend(new_parts);
    let [old, new] = left;
    let shown = |quads: &[&Quad], names: &Names<'_>| -> FxHashMap<Quad, Quad> {
        let name = |node: &BlankNode| {
            names.get(node).map_or_else(|| node.clone(), |n| BlankNode::new_unchecked(format!("b{n}")))
        };
        quads.iter().map(|quad| ((*quad).clone(), renamed(quad, &name))).collect()
    };
    let (old, new) = (shown(&old, &names[0]), shown(&new, &names[1]));
    Ok((only(&old, &new), only(&new, &old)))
}

fn only(these: &FxHashMap<Quad, Quad>, those: &FxHashMap<Quad, Quad>) -> Changed {
    let those: FxHashSet<&Quad> = those.values().collect();
    let by_own: FxHashMap<Quad, Quad> = these
        .iter()
        .filter(|(_, shown)| !those.contains(shown))
        .map(|(own, shown)| (own.clone(), shown.clone()))
        .collect();
    let mut shown: Vec<Quad> = by_own.values().cloned().collect();
    shown.sort_by_cached_key(ToString::to_string);
    shown.dedup();
    Changed { shown, by_own }
}

type Ground<'q> = FxHashSet<&'q Quad>;
type Part<'q> = Vec<&'q Quad>;

/// Splits quads into those without blank nodes, and parts of the rest that share no blank node.
fn split<'q>(quads: &'q [Quad], steps: &Steps) -> Result<(Ground<'q>, Vec<Part<'q>>)> {
    let (mut ground, mut with_nodes) = (Ground::default(), FxHashSet::default());
    let mut sets = Sets::default();
    for quad in quads {
        steps.take()?;
        let mut first = None;
        each_node(quad, &mut |node| {
            let number = sets.number(node);
            match first {
                None => first = Some(number),
                Some(first) => sets.join(first, number),
            }
        });
        match first {
            None => _ = ground.insert(quad),
            Some(_) => _ = with_nodes.insert(quad),
        }
    }
    let mut parts: FxHashMap<usize, Part<'q>> = FxHashMap::default();
    for quad in with_nodes {
        steps.take()?;
        let mut of = 0;
        each_node(quad, &mut |node| of = sets.number(node));
        parts.entry(sets.root(of)).or_default().push(quad);
    }
    Ok((ground, parts.into_values().collect()))
}

/// Disjoint sets of blank nodes (union-find).
#[derive(Default)]
struct Sets<'q> {
    numbers: FxHashMap<&'q BlankNode, usize>,
    parents: Vec<usize>,
}

impl<'q> Sets<'q> {
    fn number(&mut self, node: &'q BlankNode) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(node).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }
}

/// The quads of the parts that have no equal on the other side.
fn different<'q>(old: Vec<Part<'q>>, new: Vec<Part<'q>>, budget: &Budget) -> Result<(Part<'q>, Part<'q>)> {
    let keyed = |parts: Vec<Part<'q>>| -> Result<BTreeMap<String, Vec<Part<'q>>>> {
        let mut keyed: BTreeMap<String, Vec<Part<'q>>> = BTreeMap::new();
        for part in parts {
            let quads: Vec<Quad> = part.iter().map(|quad| (*quad).clone()).collect();
            keyed.entry(canonicalize(&quads, budget)?.hash()).or_default().push(part);
        }
        Ok(keyed)
    };
    let (mut old, mut new) = (keyed(old)?, keyed(new)?);
    for (key, parts) in &mut old {
        if let Some(same) = new.get_mut(key) {
            let both = parts.len().min(same.len());
            parts.truncate(parts.len() - both);
            same.truncate(same.len() - both);
        }
    }
    let flat = |keyed: BTreeMap<String, Vec<Part<'q>>>| keyed.into_values().flatten().flatten().collect();
    Ok((flat(old), flat(new)))
}

/// Numbers given to blank nodes.
type Names<'q> = FxHashMap<&'q BlankNode, usize>;

/// A statement that holds of more blank nodes than this says too little about each to pair them by it.
const MOST_ALIKE: usize = 64;

/// Numbers the blank nodes of both sides: two get the same number if most of what is said about them is the same.
fn pairs<'q>(old: &[&'q Quad], new: &[&'q Quad], steps: &Steps) -> Result<[Names<'q>; 2]> {
    let mut names = [Names::default(), Names::default()];
    let mut next = 0;
    // A known pair tells its neighbours apart, so this is repeated until nothing new is found.
    loop {
        let sides = [outlines(old, &names[0], steps)?, outlines(new, &names[1], steps)?];
        let found = best_pairs(&sides, steps)?;
        if found.is_empty() {
            break;
        }
        for (one, other) in found {
            names[0].insert(one, next);
            names[1].insert(other, next);
            next += 1;
        }
    }
    for (quads, names) in [old, new].into_iter().zip(&mut names) {
        for quad in quads {
            each_node(quad, &mut |node| {
                names.entry(node).or_insert_with(|| {
                    next += 1;
                    next - 1
                });
            });
        }
    }
    Ok(names)
}

/// For each blank node without a number, ordered by what is said about it: its statements. In them it is called `own`,
/// nodes with a number have that number, and all others are alike.
fn outlines<'q>(quads: &[&'q Quad], names: &Names<'q>, steps: &Steps) -> Result<Said<'q>> {
    let mut of: FxHashMap<&BlankNode, Vec<Quad>> = FxHashMap::default();
    for quad in quads {
        steps.take()?;
        each_node(quad, &mut |own| {
            if !names.contains_key(own) {
                let name = |node: &BlankNode| match names.get(node) {
                    _ if node == own => BlankNode::new_unchecked("own"),
                    Some(number) => BlankNode::new_unchecked(format!("b{number}")),
                    None => BlankNode::new_unchecked("any"),
                };
                of.entry(own).or_default().push(renamed(quad, &name));
            }
        });
    }
    let mut of: Vec<(&BlankNode, Vec<Quad>)> = of.into_iter().collect();
    of.iter_mut().for_each(|(_, said)| said.sort_by_cached_key(ToString::to_string));
    of.sort_by_cached_key(|(node, said)| {
        (said.iter().map(ToString::to_string).collect::<String>(), node.as_str().to_owned())
    });
    Ok(of)
}

type Said<'q> = Vec<(&'q BlankNode, Vec<Quad>)>;

/// Pairs the nodes that have most in common; each node is in at most one pair. Statements that many nodes of a side
/// share do not count.
fn best_pairs<'q>(sides: &[Said<'q>; 2], steps: &Steps) -> Result<Vec<(&'q BlankNode, &'q BlankNode)>> {
    let [old, new] = sides;
    let saying = [saying(old), saying(new)];
    let tells = |statement: &&Quad| {
        saying.iter().all(|saying| saying.get(*statement).is_none_or(|nodes| nodes.len() <= MOST_ALIKE))
    };
    let telling = sides.each_ref().map(|side| -> Vec<usize> {
        side.iter().map(|(_, said)| said.iter().filter(|statement| tells(statement)).count()).collect()
    });
    let mut alike: Vec<(f64, usize, usize)> = Vec::new();
    for (number, (_, said)) in old.iter().enumerate() {
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for other in said.iter().filter(tells).filter_map(|statement| saying[1].get(statement)).flatten() {
            steps.take()?;
            *common.entry(*other).or_default() += 1;
        }
        for (other, common) in common {
            let share = common as f64 / telling[0][number].max(telling[1][other]) as f64;
            if share >= 0.5 {
                alike.push((share, number, other));
            }
        }
    }
    alike.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
    let (mut old_taken, mut new_taken) = (FxHashSet::default(), FxHashSet::default());
    let free = alike.into_iter().filter(|(_, one, other)| {
        let is_free = !old_taken.contains(one) && !new_taken.contains(other);
        is_free && old_taken.insert(*one) && new_taken.insert(*other)
    });
    Ok(free.map(|(_, one, other)| (old[one].0, new[other].0)).collect())
}

/// For each statement, the nodes that it is said about.
fn saying<'s>(said: &'s Said<'_>) -> FxHashMap<&'s Quad, Vec<usize>> {
    let mut saying: FxHashMap<&Quad, Vec<usize>> = FxHashMap::default();
    for (number, (_, said)) in said.iter().enumerate() {
        said.iter().for_each(|statement| saying.entry(statement).or_default().push(number));
    }
    saying
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_snapshot::store::{Input, ReadOptions, read};
    use kgq_syntax::rdf::RdfFormat;

    fn quads(text: &str) -> Vec<Quad> {
        let text = format!("PREFIX : <http://e/> {text}");
        let input = Input::bytes("t", text.into(), RdfFormat::TriG);
        read(&input, 0, ReadOptions::default()).unwrap().quads
    }

    /// The lines of a difference, as `diff` writes them.
    fn lines(old: &str, new: &str) -> Vec<String> {
        let (old, new) = (quads(old), quads(new));
        let (removed, added) = changed(&old, &new, &Budget::default()).unwrap();
        assert!(removed.by_own.keys().all(|quad| old.contains(quad)));
        assert!(added.by_own.keys().all(|quad| new.contains(quad)));
        let short = |sign: &str, quad: &Quad| format!("{sign} {quad}").replace("http://e/", "");
        removed.shown.iter().map(|q| short("-", q)).chain(added.shown.iter().map(|q| short("+", q))).collect()
    }

    #[test]
    fn names_of_blank_nodes_are_no_difference() {
        let graph = ":a :p [ :q 1 ], [ :q 2 ; :r ( 1 2 ) ] . << :a :p 1 >> :by [ :q 3 ] .";
        let same = "_:x :q 2 . :a :p _:x . << :a :p 1 >> :by _:y . _:x :r ( 1 2 ) . _:y :q 3 . :a :p [ :q 1 ] .";
        assert!(lines(graph, same).is_empty());
    }

    #[test]
    fn a_change_at_one_blank_node_is_no_change_at_others() {
        let others: String = (0..40).map(|n| format!(":o{n} :p [ :q {n} ; :r [ :s {n} ] ] . ")).collect();
        let old = format!("{others} :a :p [ :q 'one' ; :r 'two' ] .");
        let new = format!(":b :p [ :new true ] . :a :p [ :q 'one' ; :r 'three' ] . {others}");
        assert_eq!(
            lines(&old, &new),
            [
                "- _:b0 <r> \"two\"",
                "+ <b> <p> _:b1",
                "+ _:b0 <r> \"three\"",
                "+ _:b1 <new> \"true\"^^<http://www.w3.org/2001/XMLSchema#boolean>",
            ]
        );
    }

    #[test]
    fn an_item_of_a_list_that_changes_is_two_lines() {
        let changed = lines(":a :p ( :x :y :z ) .", ":a :p ( :x :Y :z ) .");
        assert_eq!(changed.len(), 2, "{changed:?}");
        assert!(changed[0].ends_with("<y>") && changed[1].ends_with("<Y>"), "{changed:?}");
        // In a long list most nodes are found at once, by their items.
        let items = |changed: &str| {
            (0..600).map(|n| if n == 300 { changed.into() } else { format!(":i{n} ") }).collect::<String>()
        };
        let list = |changed: &str| format!(":a :p ( {} ) .", items(changed));
        assert_eq!(lines(&list(":x "), &list(":y ")).len(), 2);
    }

    #[test]
    fn one_of_two_alike_that_goes_is_told() {
        assert_eq!(lines(":a :p [ :q 1 ], [ :q 1 ] .", ":a :p [ :q 1 ] .").len(), 2);
        assert!(lines(":a :p [ :q 1 ], [ :q 1 ] .", ":a :p [ :q 1 ], [ :q 1 ] .").is_empty());
    }
}
