//! Evaluates node expressions: the nodes that they return for a focus node.

use super::dataset::NodeId;
use super::expression::NodeExpression;
use super::validate::Validation;
use kgq_engine::query::prebind::{Prebound, argument};
use kgq_engine::{Value, sort_key};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, Term};
use rustc_hash::FxHashSet;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

/// The most nodes that one expression may return: combinations of arguments, and paths from node to node, multiply.
const MAX_NODES: usize = 1_000_000;

impl Validation<'_> {
    /// Returns the nodes of an expression in order. A path from several nodes keeps duplicates, because a sum needs
    /// each of them.
    pub fn nodes(&mut self, expression: &NodeExpression, focus: NodeId) -> Result<Vec<NodeId>> {
        Ok(match expression {
            NodeExpression::This => vec![focus],
            NodeExpression::Constant(node) => vec![*node],
            NodeExpression::Path { path, from } => {
                let mut nodes = Vec::new();
                for node in self.nodes(from, focus)? {
                    nodes.extend(path.reached(self.dataset, node)?);
                    bounded(nodes.len())?;
                }
                nodes
            }
            NodeExpression::Filter { shape, nodes } => {
                let mut kept = Vec::new();
                for node in self.nodes(nodes, focus)? {
                    if self.conforms(*shape, node)? {
                        kept.push(node);
                    }
                }
                kept
            }
            NodeExpression::Union(members) => {
                let mut nodes = Vec::new();
                for member in members {
                    nodes.extend(self.nodes(member, focus)?);
                    bounded(nodes.len())?;
                }
                distinct(nodes)
            }
            NodeExpression::Intersection(members) => {
                let Some((first, others)) = members.split_first() else { return Ok(Vec::new()) };
                let mut nodes = distinct(self.nodes(first, focus)?);
                for other in others {
                    let among: FxHashSet<NodeId> = self.nodes(other, focus)?.into_iter().collect();
                    nodes.retain(|node| among.contains(node));
                }
                nodes
            }
            NodeExpression::Minus { nodes, without } => {
                let without: FxHashSet<NodeId> = self.nodes(without, focus)?.into_iter().collect();
                self.nodes(nodes, focus)?.into_iter().filter(|node| !without.contains(node)).collect()
            }
            NodeExpression::Distinct(nodes) => distinct(self.nodes(nodes, focus)?),
            NodeExpression::Exists(nodes) => {
                let exists = !self.nodes(nodes, focus)?.is_empty();
                vec![self.boolean(exists)]
            }
            NodeExpression::If { condition, then, otherwise } => {
                let branch = if self.is_true(condition, focus)? { then } else { otherwise };
                branch.as_ref().map_or(Ok(Vec::new()), |branch| self.nodes(branch, focus))?
            }
            NodeExpression::Limit(nodes, limit) => {
                let mut nodes = self.nodes(nodes, focus)?;
                nodes.truncate(*limit);
                nodes
            }
            NodeExpression::Offset(nodes, offset) => self.nodes(nodes, focus)?.into_iter().skip(*offset).collect(),
            NodeExpression::Ordered { nodes, by, descending } => self.ordered_by(nodes, by, *descending, focus)?,
            NodeExpression::Count(_)
            | NodeExpression::Extreme(..)
            | NodeExpression::Sum(_)
            | NodeExpression::Concatenation { .. } => self.aggregate(expression, focus)?.into_iter().collect(),
            NodeExpression::Call { query, arguments } => self.call(query, arguments, focus)?,
            NodeExpression::Query(query) => {
                let terms = self.evaluator.terms(query, &BTreeMap::from([("this", self.dataset.term(focus))]))?;
                terms.iter().map(|term| self.dataset.any_node(term)).collect()
            }
        })
    }

    /// Whether an expression returns `true`, and nothing else.
    pub fn is_true(&mut self, expression: &NodeExpression, focus: NodeId) -> Result<bool> {
        let truth = self.boolean(true);
        let nodes = self.nodes(expression, focus)?;
        Ok(!nodes.is_empty() && nodes.iter().all(|node| *node == truth))
    }

    fn boolean(&self, value: bool) -> NodeId {
        self.dataset.any_node(&Literal::from(value).into())
    }

    /// Reduces many nodes to one; `None` if there is no such node.
    fn aggregate(&mut self, expression: &NodeExpression, focus: NodeId) -> Result<Option<NodeId>> {
        Ok(match expression {
            NodeExpression::Count(nodes) => {
                let count = self.nodes(nodes, focus)?.len();
                Some(self.dataset.any_node(&Literal::from(count as u64).into()))
            }
            NodeExpression::Extreme(wanted, nodes) => {
                let key = |node: &NodeId| sort_key(Some(&self.dataset.term(*node)));
                let nodes = self.nodes(nodes, focus)?;
                match wanted {
                    Ordering::Greater => nodes.into_iter().max_by_key(key),
                    Ordering::Less | Ordering::Equal => nodes.into_iter().min_by_key(key),
                }
            }
            NodeExpression::Sum(nodes) => {
                let mut sum = Some(Value::integer(0));
                for node in self.nodes(nodes, focus)? {
                    let value = Value::of(self.dataset.term(node));
                    sum = sum.and_then(|sum| sum.plus(&value));
                }
                sum.map(|sum| self.dataset.any_node(&sum.into_term()))
            }
            NodeExpression::Concatenation { nodes, separator } => {
                let texts: Vec<String> =
                    self.nodes(nodes, focus)?.into_iter().map(|node| text(self.dataset.term(node))).collect();
                Some(self.dataset.any_node(&Literal::new_simple_literal(texts.join(separator)).into()))
            }
            _ => None,
        })
    }

    fn ordered_by(
        &mut self,
        nodes: &NodeExpression,
        by: &NodeExpression,
        descending: bool,
        focus: NodeId,
    ) -> Result<Vec<NodeId>> {
        let mut keyed = Vec::new();
        for node in self.nodes(nodes, focus)? {
            let by = self.nodes(by, node)?.first().copied();
            keyed.push((sort_key(by.map(|by| self.dataset.term(by)).as_ref()), node));
        }
        let mut positions: Vec<usize> = (0..keyed.len()).collect();
        if descending {
            positions.sort_by_key(|at| Reverse(&keyed[*at].0));
        } else {
            positions.sort_by_key(|at| &keyed[*at].0);
        }
        Ok(positions.into_iter().map(|at| keyed[at].1).collect())
    }

    /// Returns the distinct values of a function for all combinations of the arguments' nodes.
    fn call(&mut self, query: &Prebound, arguments: &[NodeExpression], focus: NodeId) -> Result<Vec<NodeId>> {
        let mut combinations: Vec<Vec<NodeId>> = vec![Vec::new()];
        for argument in arguments {
            let nodes = self.nodes(argument, focus)?;
            bounded(combinations.len().saturating_mul(nodes.len()))?;
            combinations =
                combinations.iter().flat_map(|before| nodes.iter().map(|node| with(before, *node))).collect();
        }
        let names: Vec<String> = (0..arguments.len()).map(argument).collect();
        let mut found = Vec::new();
        for combination in combinations {
            let terms = combination.into_iter().map(|node| self.dataset.term(node));
            let values = names.iter().map(String::as_str).zip(terms).collect();
            let terms = self.evaluator.terms(query, &values)?;
            found.extend(terms.iter().map(|term| self.dataset.any_node(term)));
        }
        Ok(distinct(found))
    }
}

fn with(before: &[NodeId], node: NodeId) -> Vec<NodeId> {
    let mut all = before.to_vec();
    all.push(node);
    all
}

fn bounded(nodes: usize) -> Result<()> {
    if nodes > MAX_NODES {
        return Err(Error::limit(format!("a node expression gives more than {MAX_NODES} nodes")));
    }
    Ok(())
}

fn distinct(nodes: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
    let mut seen = FxHashSet::default();
    nodes.into_iter().filter(|node| seen.insert(*node)).collect()
}

/// The text of a term as STR returns it; empty for a term without one.
fn text(term: Term) -> String {
    match term {
        Term::Literal(literal) => literal.destruct().0,
        Term::NamedNode(iri) => iri.into_string(),
        Term::BlankNode(_) | Term::Triple(_) => String::new(),
    }
}
