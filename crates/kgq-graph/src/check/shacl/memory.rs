//! Remembers which nodes conform to which shapes. Otherwise shapes that share shapes, and recursive shapes over data
//! with many paths, would be checked once for each path.
//!
//! A check that meets itself assumes that the node conforms. What is found meanwhile rests on this assumption until the
//! outer check ends: if the node conforms, the assumption was right; if not, everything that rests on it is forgotten.
//! A node that fails although the assumption was in its favour fails anyway, unless a negation lies between.

use super::dataset::NodeId;
use super::shape::ShapeId;
use super::validate::MAX_DEPTH;
use rustc_hash::FxHashMap;

type Key = (ShapeId, NodeId);

/// The results known so far.
#[derive(Default)]
pub(super) struct Memory {
    /// Results of checks that rest on no assumption.
    settled: FxHashMap<Key, bool>,
    /// Checks that rest on a check still running, in the order in which they ended.
    open: Vec<Key>,
    resting: FxHashMap<Key, (bool, Grounds)>,
}

/// The running checks that a result rests on, as a set of positions in the stack; those with a negation between are
/// kept separately.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Grounds {
    plain: u128,
    negated: u128,
}

const _: () = assert!(MAX_DEPTH <= 128);

impl Grounds {
    pub const NONE: Self = Self { plain: 0, negated: 0 };

    pub fn on(at: usize) -> Self {
        Self { plain: 1 << at, negated: 0 }
    }

    pub fn and(self, other: Self) -> Self {
        Self { plain: self.plain | other.plain, negated: self.negated | other.negated }
    }

    /// The grounds of a result that is true where this one is false.
    pub fn behind_negation(self) -> Self {
        Self { plain: 0, negated: self.plain | self.negated }
    }

    fn has(self, at: usize) -> bool {
        (self.plain | self.negated) & 1 << at != 0
    }

    fn without(self, at: usize) -> Self {
        Self { plain: self.plain & !(1 << at), negated: self.negated & !(1 << at) }
    }

    /// Replaces a check by what it rests on itself.
    fn resolved(self, at: usize, own: Self) -> Self {
        let plain = if self.plain & 1 << at == 0 { Self::NONE } else { own };
        let negated = if self.negated & 1 << at == 0 { Self::NONE } else { own.behind_negation() };
        self.without(at).and(plain).and(negated)
    }
}

impl Memory {
    pub fn get(&self, key: Key) -> Option<(bool, Grounds)> {
        let settled = self.settled.get(&key).map(|conforms| (*conforms, Grounds::NONE));
        settled.or_else(|| self.resting.get(&key).copied())
    }

    /// Marks the start of a check: [`Self::end`] needs the returned position.
    pub fn begin(&self) -> usize {
        self.open.len()
    }

    /// Ends the check at a position in the stack, and returns the grounds for an outer check that uses its result. The
    /// result is kept if it is `worth` it.
    pub fn end(&mut self, key: Key, at: usize, begun: usize, conforms: bool, grounds: Grounds, worth: bool) -> Grounds {
        let own = grounds.without(at);
        // A failing check does not depend on assumptions in its favour.
        let own = if conforms { own } else { Grounds { plain: 0, ..own } };
        for key in self.open.split_off(begun.min(self.open.len())) {
            let Some((inner, rests)) = self.resting.remove(&key) else { continue };
            if conforms || !rests.has(at) {
                self.keep(key, inner, rests.resolved(at, own));
            }
        }
        if worth {
            self.keep(key, conforms, own);
        }
        own
    }

    fn keep(&mut self, key: Key, conforms: bool, grounds: Grounds) {
        if grounds == Grounds::NONE {
            self.settled.insert(key, conforms);
        } else if !self.settled.contains_key(&key) && self.resting.insert(key, (conforms, grounds)).is_none() {
            self.open.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::one_graph;
    use super::super::{Shapes, validate::Validation};
    use kgq_engine::Limits;
    use std::fmt::Write as _;

    /// Returns how many checks of a node against a shape the graph takes, and how many results there are.
    fn cost(graph: &str) -> (usize, usize) {
        let text = format!("@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <http://e/> .\n{graph}");
        let dataset = one_graph(oxttl::TurtleParser::new().for_slice(text.as_bytes()).map(|t| t.unwrap()));
        let shapes = Shapes::parse(&dataset, super::super::tests::texts());
        assert_eq!(shapes.ill_formed, []);
        let name = |term: &kgq_syntax::rdf::Term| term.to_string();
        let mut validation = Validation::new(&dataset, &shapes, Limits::default(), &name);
        validation.all().unwrap();
        (validation.checked, validation.results.len())
    }

    /// A chain of shapes in which each refers twice to the next, and the last requires a class.
    fn twice(depth: usize, kind: &str) -> String {
        let mut graph = String::from(":S0 a sh:NodeShape ; sh:targetNode :a, :b . :a a :C . ");
        for i in 0..depth {
            write!(graph, ":S{i} {} . ", kind.replace("NEXT", &format!(":S{}", i + 1))).unwrap();
        }
        graph + &format!(":S{depth} a sh:NodeShape ; sh:class :C .")
    }

    #[test]
    fn shapes_that_have_others_twice_cost_what_they_are_and_not_their_ways() {
        for kind in [
            "sh:and ( NEXT NEXT )",
            "sh:or ( NEXT [ sh:and ( NEXT ) ] )",
            "sh:node NEXT ; sh:and ( NEXT )",
            "sh:not [ sh:not NEXT ] ; sh:node NEXT",
            "sh:xone ( NEXT [ sh:not NEXT ; sh:node NEXT ] )",
        ] {
            let (checked, results) = cost(&twice(40, kind));
            assert!(checked < 1_000, "{kind}: {checked} checks");
            assert!(results > 0, "{kind}: :b is no instance of :C");
            assert_eq!(cost(&twice(4, kind)).1, results, "{kind}");
        }
    }

    #[test]
    fn a_recursive_shape_over_a_dense_graph_costs_its_statements_and_not_its_ways() {
        let people = |bad: &str| {
            let mut graph = String::from(
                ":S a sh:NodeShape ; sh:targetSubjectsOf :knows ; sh:property [ sh:path :knows ; sh:node :S ] ;
                 sh:property [ sh:path :bad ; sh:maxCount 0 ] .",
            );
            for (a, b) in (0..40).flat_map(|a| (0..40).map(move |b| (a, b))) {
                write!(graph, ":n{a} :knows :n{b} . ").unwrap();
            }
            graph + bad
        };
        let (checked, results) = cost(&people(""));
        assert!(checked < 40 * 40 * 8, "{checked} checks");
        assert_eq!(results, 0);
        // Everyone knows the node that fails, so each node fails through every node that it knows; the failing node also
        // fails by itself.
        let (checked, results) = cost(&people(":n7 :bad 1 ."));
        assert!(checked < 40 * 40 * 200, "{checked} checks");
        assert!(results > 40, "{results}");
    }

    #[test]
    fn what_was_taken_for_granted_and_is_wrong_is_forgotten() {
        // :b conforms only while :a is assumed to, and :a fails.
        let graph = ":S a sh:NodeShape ; sh:targetNode :a, :b, :c ; sh:property [ sh:path :next ; sh:node :S ] ;
                     sh:property [ sh:path :bad ; sh:maxCount 0 ] .
                     :a :next :b ; :bad 1 . :b :next :a . :c :next :b .";
        assert_eq!(cost(graph).1, 3, "each once");
    }
}
