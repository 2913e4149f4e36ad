//! Validates data against shapes (SHACL 1.0 §3.4 and §4).

use super::dataset::{NodeId, ValidationData};
use super::evaluator::Evaluator;
use super::memory::{Grounds, Memory};
use super::report::{Idle, Report, ValidationResult};
use super::shape::{Constraint, Shape, ShapeId, Shapes, Target};
use super::vocab as sh;
use kgq_engine::Limits;
use kgq_syntax::budget::Reservation;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Term;
use std::cmp::Ordering;

/// The deepest chain of shapes from node to node: chains in the data can be of any length, but the stack cannot.
pub(super) const MAX_DEPTH: usize = 100;

/// Checks every target of every shape. `name` formats a term for the messages of shapes that have none of their own.
///
/// The standard leaves recursive shapes open; here a node conforms unless something contradicts it. Validation fails
/// where the standard demands a failure (a query that cannot be evaluated, or that reports `?failure`), beyond
/// `MAX_DEPTH`, and if a SPARQL constraint exceeds a limit.
pub fn validate(
    dataset: &ValidationData,
    shapes: &Shapes,
    limits: Limits,
    name: &dyn Fn(&Term) -> String,
) -> std::result::Result<Report, ValidationFailure> {
    let mut validation = Validation::new(dataset, shapes, limits, name);
    match validation.all() {
        Ok(()) => {
            let Validation { results, focus_nodes, idle, .. } = validation;
            Ok(Report { results, focus_nodes, idle })
        }
        Err(error) => Err(validation.failure(error)),
    }
}

/// Why there is no report: the shape that could not be checked, and the node.
#[derive(Debug)]
pub struct ValidationFailure {
    pub error: Error,
    /// The named shape being checked, or the innermost one if none has a name.
    pub shape: Option<Term>,
    pub focus: Option<Box<Term>>,
}

pub(super) struct Validation<'a> {
    pub dataset: &'a ValidationData,
    pub shapes: &'a Shapes,
    pub evaluator: Evaluator,
    /// The checks in progress, outermost first; after an error, those that were in progress.
    pub stack: Vec<(ShapeId, NodeId)>,
    /// The shape whose targets or rules are being processed, and the focus node.
    pub outermost: Option<(ShapeId, Option<NodeId>)>,
    pub results: Vec<ValidationResult>,
    focus_nodes: usize,
    idle: Vec<Idle>,
    /// The number of results found, including those not kept.
    found: usize,
    /// Whether only the existence of results matters.
    quiet: bool,
    memory: Memory,
    /// What the current check rests on so far.
    grounds: Grounds,
    #[cfg(test)]
    pub checked: usize,
    held: Reservation,
    pub name: &'a dyn Fn(&Term) -> String,
}

/// One constraint of a shape on one focus node.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub shape: &'a Shape,
    pub focus: NodeId,
    pub values: &'a [NodeId],
}

impl<'a> Validation<'a> {
    pub fn new(
        dataset: &'a ValidationData,
        shapes: &'a Shapes,
        limits: Limits,
        name: &'a dyn Fn(&Term) -> String,
    ) -> Self {
        let evaluator = Evaluator::new(dataset, &shapes.functions, limits);
        Self {
            dataset,
            shapes,
            evaluator,
            stack: Vec::new(),
            outermost: None,
            results: Vec::new(),
            focus_nodes: 0,
            idle: Vec::new(),
            found: 0,
            quiet: false,
            memory: Memory::default(),
            grounds: Grounds::NONE,
            #[cfg(test)]
            checked: 0,
            held: Reservation::default(),
            name,
        }
    }

    pub fn all(&mut self) -> Result<()> {
        for index in 0..self.shapes.len() {
            let id = ShapeId(index);
            let nodes = self.targets(id)?;
            let shape = self.shapes.get(id);
            if !shape.deactivated {
                self.focus_nodes += nodes.len();
                if nodes.is_empty() {
                    self.note_idle(shape);
                }
            }
            for focus in nodes {
                self.shape(id, focus)?;
            }
        }
        Ok(())
    }

    /// Notes the targets of a shape that has no focus node. A class that is a shape itself often has no members yet.
    fn note_idle(&mut self, shape: &Shape) {
        for target in &shape.targets {
            let (target, value) = match target {
                Target::Class(class) if *class != shape.node => (sh::TARGET_CLASS, Some(*class)),
                Target::SubjectsOf(predicate) => (sh::TARGET_SUBJECTS_OF, Some(*predicate)),
                Target::ObjectsOf(predicate) => (sh::TARGET_OBJECTS_OF, Some(*predicate)),
                Target::Sparql(_) => (sh::TARGET, None),
                Target::Class(_) | Target::Node(_) => continue,
            };
            let value = value.and_then(|node| match self.dataset.term(node) {
                Term::NamedNode(iri) => Some(iri),
                Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
            });
            self.idle.push(Idle { shape: self.dataset.term(shape.node), target: target.into_owned(), value });
        }
    }

    /// The focus nodes of a shape.
    pub fn targets(&mut self, id: ShapeId) -> Result<Vec<NodeId>> {
        self.outermost = Some((id, None));
        self.focus_nodes(self.shapes.get(id)).map_err(|e| e.prefixed("its target failed: "))
    }

    pub fn failure(&self, error: Error) -> ValidationFailure {
        let inner = self.stack.iter().map(|(id, focus)| (*id, Some(*focus)));
        let at: Vec<(ShapeId, Option<NodeId>)> = self.outermost.into_iter().chain(inner).collect();
        let named = at.iter().rev().find(|(id, _)| self.is_named(*id)).or(at.last());
        let term = |node: NodeId| self.dataset.term(node);
        ValidationFailure {
            error,
            shape: named.map(|(id, _)| term(self.shapes.get(*id).node)),
            focus: named.and_then(|(_, focus)| *focus).map(term).map(Box::new),
        }
    }

    fn is_named(&self, id: ShapeId) -> bool {
        self.dataset.is_iri(self.shapes.get(id).node)
    }

    fn focus_nodes(&self, shape: &Shape) -> Result<Vec<NodeId>> {
        let data = &self.dataset.data;
        let mut nodes = Vec::new();
        for target in &shape.targets {
            match target {
                Target::Node(node) => nodes.push(*node),
                Target::Class(class) => nodes.extend(self.dataset.instances(data, *class)?),
                Target::SubjectsOf(predicate) => nodes.extend(data.pairs(*predicate).map(|(s, _)| s)),
                Target::ObjectsOf(predicate) => nodes.extend(data.pairs(*predicate).map(|(_, o)| o)),
                Target::Sparql(target) => nodes.extend(target.nodes(self.dataset, &self.evaluator)?),
            }
        }
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    pub fn shape(&mut self, id: ShapeId, focus: NodeId) -> Result<()> {
        self.dataset.budget().check()?;
        let shape = self.shapes.get(id);
        if shape.deactivated {
            return Ok(());
        }
        if let Some(at) = self.stack.iter().position(|check| *check == (id, focus)) {
            self.grounds = self.grounds.and(Grounds::on(at));
            return Ok(());
        }
        match self.memory.get((id, focus)) {
            Some((conforms, grounds)) if conforms || self.quiet => {
                self.grounds = self.grounds.and(grounds);
                self.found += usize::from(!conforms);
                Ok(())
            }
            _ => self.check(id, shape, focus),
        }
    }

    fn check(&mut self, id: ShapeId, shape: &'a Shape, focus: NodeId) -> Result<()> {
        if self.stack.len() == MAX_DEPTH {
            return Err(Error::limit(format!("shapes lead more than {MAX_DEPTH} nodes deep from one focus node"))
                .hint("a recursive shape follows a long chain of the data; use a path such as ex:next* instead"));
        }
        #[cfg(test)]
        {
            self.checked += 1;
        }
        let place = self.stack.len();
        self.stack.push((id, focus));
        let (begun, before) = (self.memory.begin(), self.found);
        let outer = std::mem::replace(&mut self.grounds, Grounds::NONE);
        let values = match &shape.path {
            Some(path) => path.reached(self.dataset, focus)?,
            None => vec![focus],
        };
        let at = At { shape, focus, values: &values };
        // After an error the stack is left as it is: it shows what failed.
        shape.constraints.iter().try_for_each(|constraint| self.constraint(constraint, at))?;
        let bytes = self.results.capacity() * size_of::<ValidationResult>();
        self.held.resize(self.dataset.budget(), bytes as u64)?;
        self.stack.pop();
        let conforms = self.found == before;
        // A check that needs no other shape is as fast to repeat as to look up.
        let leads_on = shape.constraints.iter().any(Constraint::leads_on);
        let own = self.memory.end((id, focus), place, begun, conforms, self.grounds, leads_on);
        self.grounds = outer.and(own);
        Ok(())
    }

    /// Keeps a result, if results are wanted.
    pub fn push(&mut self, result: ValidationResult) {
        self.found += 1;
        if !self.quiet {
            self.results.push(result);
        }
    }

    pub fn conforms(&mut self, id: ShapeId, node: NodeId) -> Result<bool> {
        let before = self.found;
        let outer = std::mem::replace(&mut self.quiet, true);
        self.shape(id, node)?;
        self.quiet = outer;
        let found = std::mem::replace(&mut self.found, before);
        Ok(found == before)
    }

    /// Returns the number of these shapes that the node conforms to.
    pub fn count_conforming(&mut self, ids: &[ShapeId], node: NodeId) -> Result<usize> {
        let mut count = 0;
        for id in ids {
            count += usize::from(self.conforms(*id, node)?);
        }
        Ok(count)
    }

    fn constraint(&mut self, constraint: &'a Constraint, at: At<'_>) -> Result<()> {
        if !constraint.negates() {
            return self.one(constraint, at);
        }
        let outer = std::mem::replace(&mut self.grounds, Grounds::NONE);
        self.one(constraint, at)?;
        self.grounds = outer.and(self.grounds.behind_negation());
        Ok(())
    }

    fn one(&mut self, constraint: &'a Constraint, at: At<'_>) -> Result<()> {
        match constraint {
            Constraint::MinCount(least) if (at.values.len() as u64) < *least => {
                self.fail(constraint, at, None, format!("has {}; needs at least {least}", self.counted(at)));
            }
            Constraint::MaxCount(most) if (at.values.len() as u64) > *most => {
                self.fail(constraint, at, None, format!("has {}; can have at most {most}", self.counted(at)));
            }
            Constraint::MinCount(_) | Constraint::MaxCount(_) => {}
            Constraint::UniqueLang => self.unique_lang(constraint, at),
            Constraint::Equals(predicate) => self.equals(constraint, *predicate, at),
            Constraint::Disjoint(predicate) => {
                for value in at.values.iter().filter(|v| self.dataset.data.contains([at.focus, *predicate, **v])) {
                    let why = format!("{} is also a value of {}", self.named(*value), self.named(*predicate));
                    self.fail(constraint, at, Some(*value), why);
                }
            }
            Constraint::LessThan(predicate) => self.ordered(constraint, *predicate, at, &[Ordering::Less]),
            Constraint::LessThanOrEquals(predicate) => {
                self.ordered(constraint, *predicate, at, &[Ordering::Less, Ordering::Equal]);
            }
            Constraint::Not(id) => {
                self.logical(constraint, &[*id], at, |_, conforming| conforming == 0, "must not conform to")?
            }
            Constraint::And(ids) => {
                self.logical(constraint, ids, at, |all, n| n == all, "does not conform to each of")?
            }
            Constraint::Or(ids) => self.logical(constraint, ids, at, |_, n| n > 0, "does not conform to any of")?,
            Constraint::Xone(ids) => {
                self.logical(constraint, ids, at, |_, n| n == 1, "does not conform to exactly one of")?
            }
            Constraint::Node(id) => self.logical(constraint, &[*id], at, |_, n| n == 1, "does not conform to")?,
            Constraint::Property(id) => at.values.iter().try_for_each(|value| self.shape(*id, *value))?,
            Constraint::QualifiedValueShape(qualified) => self.qualified(constraint, qualified, at)?,
            Constraint::Closed(allowed) => self.closed(constraint, allowed, at),
            Constraint::HasValue(value) => {
                if !at.values.contains(value) {
                    self.fail(constraint, at, None, format!("does not have the value {}", self.named(*value)));
                }
            }
            Constraint::Sparql(sparql) => self.sparql(constraint, sparql, at)?,
            Constraint::Expression(expression) => self.expression(constraint, expression, at)?,
            Constraint::Custom { component, arguments } => {
                self.custom(constraint, &self.shapes.components[*component], arguments, at)?;
            }
            Constraint::Class(_)
            | Constraint::Datatype(_)
            | Constraint::NodeKind(_)
            | Constraint::Bound(..)
            | Constraint::MinLength(_)
            | Constraint::MaxLength(_)
            | Constraint::Pattern { .. }
            | Constraint::LanguageIn(_)
            | Constraint::In(_) => {
                for value in at.values {
                    if let Some(why) = self.value_fails(constraint, *value) {
                        self.fail(constraint, at, Some(*value), why);
                    }
                }
            }
        }
        Ok(())
    }
}
