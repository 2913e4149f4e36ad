//! Constraints that evaluate a query or a node expression on one focus node (SHACL 1.0 §5.3 and §6.3, Advanced Features
//! §6).

use super::dataset::NodeId;
use super::evaluator::Solution;
use super::shape::{Constraint, ExpressionConstraint};
use super::sparql::{self, Component, SparqlConstraint};
use super::validate::{At, Validation};
use kgq_engine::query::prebind::Prebound;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{Literal, NamedNode, Term};
use std::collections::BTreeMap;

impl<'a> Validation<'a> {
    pub fn sparql(&mut self, constraint: &Constraint, sparql: &SparqlConstraint, at: At<'_>) -> Result<()> {
        let values = self.prebound(at);
        let value = at.shape.path.is_none().then(|| self.dataset.term(at.focus));
        for solution in self.asked(&sparql.query, &values, self.path(at.shape).as_ref())? {
            self.solution(constraint, at, &solution, value.clone(), &sparql.messages, &values)?;
        }
        Ok(())
    }

    pub fn expression(&mut self, constraint: &Constraint, expression: &ExpressionConstraint, at: At<'_>) -> Result<()> {
        for value in at.values {
            let holds = self.is_true(&expression.expression, *value);
            if holds.map_err(|e| e.prefixed("a constraint of sh:expression failed: "))? {
                continue;
            }
            let why = format!("sh:expression does not give true for {}", self.named(*value));
            let mut result = self.result(constraint, at, Some(self.dataset.term(*value)), why);
            if !expression.messages.is_empty() {
                result.messages.clone_from(&expression.messages);
            }
            self.push(result);
        }
        Ok(())
    }

    pub fn custom(
        &mut self,
        constraint: &Constraint,
        component: &'a Component,
        arguments: &[Option<NodeId>],
        at: At<'_>,
    ) -> Result<()> {
        let Some(validator) = component.validator(at.shape.path.is_some()) else { return Ok(()) };
        let path = self.path(at.shape);
        let mut values = self.prebound(at);
        values.extend(component.arguments(arguments, self.dataset));
        if validator.query.is_ask() {
            for value in at.values {
                let value = self.dataset.term(*value);
                values.insert("value", value.clone());
                if self.asked(&validator.query, &values, path.as_ref())?.is_empty() {
                    self.solution(constraint, at, &Solution::new(), Some(value), &validator.messages, &values)?;
                }
            }
        } else {
            let value = at.shape.path.is_none().then(|| self.dataset.term(at.focus));
            for solution in self.asked(&validator.query, &values, path.as_ref())? {
                self.solution(constraint, at, &solution, value.clone(), &validator.messages, &values)?;
            }
        }
        Ok(())
    }

    fn asked(
        &self,
        query: &Prebound,
        values: &BTreeMap<&str, Term>,
        path: Option<&Path<NamedNode>>,
    ) -> Result<Vec<Solution>> {
        let solutions = self.evaluator.ask(query, values, path);
        solutions.map_err(|e| e.prefixed("a constraint in SPARQL failed: "))
    }

    fn prebound(&self, at: At<'_>) -> BTreeMap<&'a str, Term> {
        let term = |node| self.dataset.term(node);
        BTreeMap::from([
            ("this", term(at.focus)),
            ("shapesGraph", term(self.dataset.shapes_graph)),
            ("currentShape", term(at.shape.node)),
        ])
    }

    /// Turns a solution of a SPARQL constraint into a result (§5.3.2).
    fn solution(
        &mut self,
        constraint: &Constraint,
        at: At<'_>,
        solution: &Solution,
        value: Option<Term>,
        messages: &[Literal],
        prebound: &BTreeMap<&str, Term>,
    ) -> Result<()> {
        if solution.get("failure").is_some_and(|f| *f == Literal::from(true).into()) {
            return Err(Error::input("a constraint in SPARQL reports ?failure"));
        }
        let value = solution.get("value").cloned().or(value);
        let written = |name: &str| {
            let term = solution
                .get(name)
                .or_else(|| prebound.get(name))
                .or((name == "value").then_some(value.as_ref()).flatten());
            term.map(|term| match term {
                Term::Literal(literal) => literal.value().to_owned(),
                other => (self.name)(other),
            })
        };
        let own: Vec<Literal> = match solution.get("message") {
            Some(Term::Literal(message)) => vec![message.clone()],
            _ => messages.iter().map(|m| sparql::fill(m, written)).collect(),
        };
        let subject = value.as_ref().map_or_else(|| self.named(at.focus), |v| (self.name)(v));
        let mut result =
            self.result(constraint, at, value, format!("{subject} does not satisfy the constraint in SPARQL"));
        if let Some(Term::NamedNode(path)) = solution.get("path") {
            result.path = Some(Path::Predicate(path.clone()));
        }
        if !own.is_empty() {
            result.messages = own;
        }
        self.push(result);
        Ok(())
    }
}
