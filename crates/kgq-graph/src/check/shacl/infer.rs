//! Applies rules to the data before validation (SHACL Advanced Features §8).
//!
//! Rules with the same `sh:order` see the same data; what they add is visible to rules with a higher order. All rules
//! are repeated until nothing new is added. New blank nodes and the statements about them are added once for each rule
//! and focus node, so that this ends.

use super::dataset::{NodeId, ValidationData};
use super::rule::{Head, Rule};
use super::shape::{ShapeId, Shapes};
use super::validate::{Validation, ValidationFailure};
use kgq_engine::Limits;
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{BlankNode, NamedOrBlankNode, Term, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// The most rounds in which all rules are applied: rules that count upwards would never end.
const MAX_ROUNDS: usize = 200;

/// Adds what the rules of the shapes conclude to the data. Returns the number of new statements.
///
/// # Errors
/// Those of queries, and of rules that do not end within the limits.
pub fn infer(
    dataset: &mut ValidationData,
    shapes: &Shapes,
    limits: Limits,
    name: &dyn Fn(&Term) -> String,
) -> std::result::Result<usize, ValidationFailure> {
    // If the time ran out while reading the shapes, some may be missing.
    dataset.budget().check().map_err(|error| ValidationFailure { error, shape: None, focus: None })?;
    let mut rules: Vec<(ShapeId, usize, &Rule)> = Vec::new();
    for (index, shape) in shapes.shapes.iter().enumerate().filter(|(_, shape)| !shape.deactivated) {
        rules.extend(shape.rules.iter().enumerate().map(|(number, rule)| (ShapeId(index), number, rule)));
    }
    rules.sort_by(|a, b| a.2.order.total_cmp(&b.2.order));
    let budget = dataset.budget().child(Work::Query, limits);
    let mut applied = FxHashSet::default();
    let mut named = NewNodes::default();
    let (mut all, mut last) = (0, None);
    for _ in 0..MAX_ROUNDS {
        let before = all;
        for group in rules.chunk_by(|a, b| a.2.order.total_cmp(&b.2.order).is_eq()) {
            let mut found = Vec::new();
            let mut round = Validation::new(dataset, shapes, limits, name);
            for (shape, number, rule) in group {
                let before = found.len();
                let done = budget.check().and_then(|()| round.apply(*shape, *number, rule, &mut applied, &mut found));
                done.map_err(|error| round.failure(error))?;
                last = if found.len() > before { Some(*shape) } else { last };
            }
            let found = named.label(found, dataset);
            all += dataset.add(found).map_err(|error| ValidationFailure { error, shape: None, focus: None })?;
        }
        if all == before {
            return Ok(all);
        }
    }
    let error = Error::limit(format!("the rules of the shapes still find new statements after {MAX_ROUNDS} rounds"))
        .hint("a rule must not go on from its own results for ever");
    let shape = last.map(|id| dataset.term(shapes.get(id).node));
    Err(ValidationFailure { error, shape, focus: None })
}

impl Validation<'_> {
    /// Returns what a rule adds, with the data unchanged meanwhile.
    fn apply(
        &mut self,
        id: ShapeId,
        number: usize,
        rule: &Rule,
        applied: &mut FxHashSet<(usize, usize, NodeId)>,
        found: &mut Vec<Triple>,
    ) -> Result<()> {
        for focus in self.targets(id)? {
            self.outermost = Some((id, Some(focus)));
            if self.count_conforming(&rule.conditions, focus)? < rule.conditions.len() {
                continue;
            }
            let first = applied.insert((id.0, number, focus));
            let shape = self.shapes.get(id).node;
            let triples = self.triples(&rule.head, focus, shape).map_err(|e| e.prefixed("a rule failed: "))?;
            found.extend(triples.into_iter().filter(|triple| {
                !self.dataset.contains(triple) && (first || !has_new_blank_node(self.dataset, triple))
            }));
        }
        Ok(())
    }

    fn triples(&mut self, head: &Head, focus: NodeId, shape: NodeId) -> Result<Vec<Triple>> {
        match head {
            Head::Construct(query) => {
                let dataset = self.dataset;
                let values = BTreeMap::from([
                    ("this", dataset.term(focus)),
                    ("shapesGraph", dataset.term(dataset.shapes_graph)),
                    ("currentShape", dataset.term(shape)),
                ]);
                self.evaluator.construct(query, &values)
            }
            Head::Triple { subject, predicate, object } => {
                let (subjects, predicates) = (self.nodes(subject, focus)?, self.nodes(predicate, focus)?);
                let objects = self.nodes(object, focus)?;
                let mut triples = Vec::new();
                for s in &subjects {
                    let subject: NamedOrBlankNode = match self.dataset.term(*s) {
                        Term::NamedNode(iri) => iri.into(),
                        Term::BlankNode(node) => node.into(),
                        Term::Literal(_) | Term::Triple(_) => continue,
                    };
                    for p in &predicates {
                        let Some(predicate) = self.dataset.as_iri(*p) else { continue };
                        let object = |o: &NodeId| self.dataset.term(*o);
                        triples
                            .extend(objects.iter().map(|o| Triple::new(subject.clone(), predicate.clone(), object(o))));
                    }
                }
                Ok(triples)
            }
        }
    }
}

fn has_new_blank_node(dataset: &ValidationData, triple: &Triple) -> bool {
    let new = |term: Term| matches!(term, Term::BlankNode(_)) && dataset.node(&term).is_none();
    new(triple.subject.clone().into()) || new(triple.object.clone())
}

/// Labels for the blank nodes that rules make; they are the same in every run.
#[derive(Default)]
struct NewNodes {
    labels: FxHashMap<BlankNode, BlankNode>,
}

impl NewNodes {
    fn label(&mut self, triples: Vec<Triple>, dataset: &ValidationData) -> Vec<Triple> {
        let mut relabelled = triples;
        for triple in &mut relabelled {
            if let NamedOrBlankNode::BlankNode(node) = &mut triple.subject {
                self.one(node, dataset);
            }
            if let Term::BlankNode(node) = &mut triple.object {
                self.one(node, dataset);
            }
        }
        relabelled
    }

    fn one(&mut self, node: &mut BlankNode, dataset: &ValidationData) {
        if dataset.node(&node.clone().into()).is_none() {
            let number = self.labels.len();
            let label = self.labels.entry(node.clone());
            *node = label.or_insert_with(|| BlankNode::new_unchecked(format!("rule{number}"))).clone();
        }
    }
}
