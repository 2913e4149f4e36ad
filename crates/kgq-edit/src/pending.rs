//! Statements still to be written, as facts of Turtle: a node that is used once stands in brackets where it is used, a list in
//! parentheses, a reifier at the statement that it reifies.

use crate::words::{RDF_NIL, Words};
use kgq_graph::format::{natural, rank};
use kgq_syntax::rdf::blank::nodes_of;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, GraphName, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use kgq_syntax::text::width;
use rustc_hash::{FxHashMap, FxHashSet};

const INDENT: &str = "    ";
/// The widest list that is written on one line, as in the formatter.
const WIDTH: usize = 80;
const FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";
const REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";

/// A subject in a graph.
pub type SubjectKey = (NamedOrBlankNode, GraphName);

/// The statements to be written to one file.
pub struct Pending {
    facts: FxHashMap<SubjectKey, Vec<(NamedNode, Term)>>,
    /// Subjects in the order in which they came.
    pub subjects: Vec<SubjectKey>,
    /// How often a blank node is an object; a use that rules out brackets counts as two.
    uses: FxHashMap<BlankNode, u32>,
    /// Where a blank node is the object.
    used_by: FxHashMap<BlankNode, SubjectKey>,
    /// Reifiers that are written at a statement.
    hosted: FxHashMap<Quad, Vec<NamedOrBlankNode>>,
    annotates: FxHashSet<SubjectKey>,
}

impl Pending {
    pub fn of(quads: &[Quad]) -> Self {
        let mut pending = Self {
            facts: FxHashMap::default(),
            subjects: Vec::new(),
            uses: FxHashMap::default(),
            used_by: FxHashMap::default(),
            hosted: FxHashMap::default(),
            annotates: FxHashSet::default(),
        };
        for quad in quads {
            let key = (quad.subject.clone(), quad.graph_name.clone());
            if !pending.facts.contains_key(&key) {
                pending.subjects.push(key.clone());
            }
            match &quad.object {
                Term::BlankNode(node) => {
                    *pending.uses.entry(node.clone()).or_default() += 1;
                    pending.used_by.insert(node.clone(), key.clone());
                }
                Term::Triple(_) => {
                    let mut inner = quad.clone();
                    inner.subject = NamedNode::new_unchecked("").into();
                    for node in nodes_of(&inner) {
                        *pending.uses.entry(node).or_default() += 2;
                    }
                }
                Term::NamedNode(_) | Term::Literal(_) => {}
            }
            if let GraphName::BlankNode(node) = &quad.graph_name {
                *pending.uses.entry(node.clone()).or_default() += 2;
            }
            pending.facts.entry(key).or_default().push((quad.predicate.clone(), quad.object.clone()));
        }
        pending
    }

    /// Puts reifiers at the statements that they reify: those that are written too, and those for which `stands` returns true. A
    /// reifier for which `placed` returns true has its place already.
    pub fn host(&mut self, stands: &dyn Fn(&Quad) -> bool, placed: &dyn Fn(&SubjectKey) -> bool) {
        for key in self.subjects.clone() {
            let reified: Vec<Triple> = self.reified(&key);
            let [triple] = reified.as_slice() else { continue };
            let host =
                Quad::new(triple.subject.clone(), triple.predicate.clone(), triple.object.clone(), key.1.clone());
            let own = (triple.subject.clone(), key.1.clone());
            let in_itself = triple.subject == key.0 || !self.reified(&own).is_empty();
            let written = self
                .facts
                .get(&own)
                .is_some_and(|facts| facts.iter().any(|(p, o)| *p == triple.predicate && *o == triple.object));
            if !in_itself && !placed(&key) && (written || stands(&host)) {
                // The triple term is not written, so the nodes in it need no label because of it.
                let inner = Quad { graph_name: GraphName::DefaultGraph, ..host.clone() };
                for node in nodes_of(&inner) {
                    let uses = self.uses.get(&node).copied().unwrap_or_default();
                    if uses > 2 {
                        self.uses.insert(node, uses - 2)
                    } else {
                        self.uses.remove(&node)
                    };
                }
                self.hosted.entry(host).or_default().push(key.0.clone());
                self.annotates.insert(key);
            }
        }
    }

    fn reified(&self, key: &SubjectKey) -> Vec<Triple> {
        let facts = self.facts.get(key).into_iter().flatten();
        let reified = facts.filter(|(predicate, _)| predicate.as_ref() == rdf::REIFIES);
        reified
            .filter_map(
                |(_, object)| if let Term::Triple(triple) = object { Some(triple.as_ref().clone()) } else { None },
            )
            .collect()
    }

    /// The blank nodes that need a new label; the others stand in brackets. `named` tells which have a label, or a place of their
    /// own.
    pub fn nodes_to_name(&self, named: &dyn Fn(&BlankNode) -> bool) -> Vec<BlankNode> {
        let mut graphs: FxHashMap<&BlankNode, &GraphName> = FxHashMap::default();
        let mut asked = Vec::new();
        let mut shared = FxHashSet::default();
        for key in &self.subjects {
            let objects = self.facts.get(key).into_iter().flatten().flat_map(|(_, object)| match object {
                Term::BlankNode(node) => Some(node),
                Term::Triple(_) | Term::NamedNode(_) | Term::Literal(_) => None,
            });
            let subject = match &key.0 {
                NamedOrBlankNode::BlankNode(node) => Some(node),
                NamedOrBlankNode::NamedNode(_) => None,
            };
            for node in subject.into_iter().chain(objects) {
                asked.push(node);
                if *graphs.entry(node).or_insert(&key.1) != &key.1 {
                    shared.insert(node);
                }
            }
        }
        let inner = self.uses.keys().filter(|node| self.uses[*node] > 1);
        let mut seen = FxHashSet::default();
        let asked = asked.into_iter().chain(inner).filter(|node| seen.insert(*node) && !named(node));
        let must = |node: &&BlankNode| {
            let uses = self.uses.get(*node).copied().unwrap_or(0);
            let annotates = graphs
                .get(*node)
                .is_some_and(|graph| self.annotates.contains(&((*node).clone().into(), (*graph).clone())));
            uses > 1 || shared.contains(*node) || (annotates && uses > 0) || self.goes_round(node)
        };
        let mut names: Vec<BlankNode> = asked.filter(must).cloned().collect();
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        names
    }

    /// Whether a node is nested in itself.
    fn goes_round(&self, node: &BlankNode) -> bool {
        let mut at = node;
        for _ in 0..=self.used_by.len() {
            match self.used_by.get(at) {
                Some((NamedOrBlankNode::BlankNode(above), _)) if above == node => return true,
                Some((NamedOrBlankNode::BlankNode(above), _)) => at = above,
                _ => return false,
            }
        }
        // It leads into a circle.
        true
    }

    /// Whether a subject is written where it is used, or at the statement that it is about.
    pub fn is_elsewhere(&self, key: &SubjectKey, words: &Words<'_>) -> bool {
        let nested = matches!(&key.0, NamedOrBlankNode::BlankNode(node)
            if self.uses.contains_key(node) && !words.labels.contains_key(node));
        nested || self.annotates.contains(key)
    }

    /// The facts about a subject, with their predicates and objects, in the formatter's order.
    pub fn facts(&self, key: &SubjectKey, words: &mut Words<'_>, depth: usize) -> Vec<(Quad, String)> {
        let facts = self.facts.get(key).cloned().unwrap_or_default();
        let mut written: Vec<(usize, Quad, String)> = facts
            .into_iter()
            .filter(|(p, o)| !(self.annotates.contains(key) && p.as_ref() == rdf::REIFIES && o.is_triple()))
            .map(|(predicate, object)| {
                let quad = Quad::new(key.0.clone(), predicate, object, key.1.clone());
                let verb = words.verb(&quad.predicate);
                let object = self.object(&quad.object, &key.1, words, depth);
                let text = format!("{verb} {object}{}", self.annotations(&quad, words, depth, false));
                (rank(quad.predicate.as_str()), quad, text)
            })
            .collect();
        written.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| natural(&a.2, &b.2)));
        written.into_iter().map(|(_, quad, text)| (quad, text)).collect()
    }

    fn object(&self, object: &Term, graph: &GraphName, words: &mut Words<'_>, depth: usize) -> String {
        let Term::BlankNode(node) = object else { return words.term(object) };
        if words.labels.contains_key(node) {
            return words.label(node);
        }
        if let Some(members) = self.list(node, graph) {
            return self.members(&members, graph, words, depth);
        }
        let facts = self.facts(&(node.clone().into(), graph.clone()), words, depth + 1);
        nested("[", facts, "]", depth)
    }

    fn list(&self, node: &BlankNode, graph: &GraphName) -> Option<Vec<Term>> {
        let mut members = Vec::new();
        let mut at = node.clone();
        for _ in 0..=self.facts.len() {
            let facts = self.facts.get(&(at.clone().into(), graph.clone()))?;
            let value = |name: &str| facts.iter().find(|(p, _)| p.as_str() == name).map(|(_, object)| object);
            let (2, Some(first), Some(rest)) = (facts.len(), value(FIRST), value(REST)) else { return None };
            members.push(first.clone());
            match rest {
                Term::NamedNode(nil) if nil.as_str() == RDF_NIL => return Some(members),
                Term::BlankNode(next) if self.uses.get(next) == Some(&1) => at = next.clone(),
                _ => return None,
            }
        }
        None
    }

    fn members(&self, members: &[Term], graph: &GraphName, words: &mut Words<'_>, depth: usize) -> String {
        let texts: Vec<String> = members.iter().map(|member| self.object(member, graph, words, depth + 1)).collect();
        let line = format!("( {} )", texts.join(" "));
        if width(&line) <= WIDTH && !line.contains('\n') {
            return line;
        }
        let indent = INDENT.repeat(depth + 1);
        let lines: String = texts.iter().map(|text| format!("\n{indent}{text}")).collect();
        format!("({lines}\n{})", INDENT.repeat(depth))
    }

    /// Returns the annotations of a statement. With `takes_block`, a reifier stands before them to which a first block would
    /// belong.
    pub fn annotations(&self, quad: &Quad, words: &mut Words<'_>, depth: usize, mut takes_block: bool) -> String {
        let mut out = String::new();
        for reifier in self.hosted.get(quad).into_iter().flatten() {
            let facts = self.facts(&(reifier.clone(), quad.graph_name.clone()), words, depth + 1);
            let is_named = match reifier {
                NamedOrBlankNode::NamedNode(_) => true,
                NamedOrBlankNode::BlankNode(node) => words.labels.contains_key(node),
            };
            if is_named {
                out.push_str(&format!(" ~ {}", words.subject(reifier)));
            } else if facts.is_empty() || takes_block {
                out.push_str(" ~");
            }
            takes_block = facts.is_empty();
            if !takes_block {
                out.push(' ');
                out.push_str(&nested("{|", facts, "|}", depth));
            }
        }
        out
    }

    /// The statements whose annotations are to be written, some of which stand in the file already.
    pub fn hosts(&self) -> impl Iterator<Item = &Quad> {
        self.hosted.keys()
    }
}

fn nested(open: &str, facts: Vec<(Quad, String)>, close: &str, depth: usize) -> String {
    match facts.as_slice() {
        [] => format!("{open}{close}"),
        [(_, fact)] if !fact.contains('\n') => format!("{open} {fact} {close}"),
        facts => {
            let indent = INDENT.repeat(depth + 1);
            let lines: String = facts.iter().map(|(_, fact)| format!("\n{indent}{fact} ;")).collect();
            format!("{open}{lines}\n{}{close}", INDENT.repeat(depth))
        }
    }
}
