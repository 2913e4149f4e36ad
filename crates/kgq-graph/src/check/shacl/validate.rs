//! Shapes against data: the validation itself (SHACL 1.0 §3.4 and §4).

use super::dataset::{Dataset, Node};
use super::report::{Report, ValidationResult};
use super::shape::{Bound, Constraint, Qualified, Shape, ShapeId, Shapes, Target};
use super::sparql::{self, Component, Evaluator, SparqlConstraint};
use super::vocab as sh;
use kgq_engine::Limits;
use kgq_engine::query::prebind::Prebound;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::literal::{compare, is_well_formed};
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{Literal, NamedNode, Term};
use rustc_hash::FxHashSet;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How deep shapes may lead from node to node. A chain of the data can be as long as it likes, the stack cannot.
const MAX_DEPTH: usize = 100;

/// Checks every target of every shape. `name` writes a term for the messages of shapes that have none of their own.
///
/// Recursive shapes, which the standard leaves open, hold for a node unless something speaks against it. Fails where the
/// standard demands a failure (a query that cannot be evaluated, or that reports `?failure`), beyond `MAX_DEPTH`, and where a
/// constraint in SPARQL passes a limit.
pub fn validate(
    dataset: &Dataset,
    shapes: &Shapes,
    limits: Limits,
    name: &dyn Fn(&Term) -> String,
) -> std::result::Result<Report, Failure> {
    let mut validation = Validation::new(dataset, shapes, limits, name);
    match validation.all() {
        Ok(()) => Ok(Report { results: validation.results }),
        Err(error) => Err(validation.failure(error)),
    }
}

/// Why there is no report: the shape that could not be checked, and for which node.
#[derive(Debug)]
pub struct Failure {
    pub error: Error,
    /// The named shape that was being checked, or the innermost one if none has a name.
    pub shape: Option<Term>,
    pub focus: Option<Box<Term>>,
}

pub(super) struct Validation<'a> {
    pub dataset: &'a Dataset,
    pub shapes: &'a Shapes,
    pub evaluator: Evaluator<'a>,
    /// What is being checked, outermost first; after an error, what was.
    stack: Vec<(ShapeId, Node)>,
    /// The shape whose targets or rules are at work, and the focus node.
    pub outermost: Option<(ShapeId, Option<Node>)>,
    results: Vec<ValidationResult>,
    pub name: &'a dyn Fn(&Term) -> String,
}

/// One constraint of a shape on one focus node.
#[derive(Clone, Copy)]
struct At<'a> {
    shape: &'a Shape,
    focus: Node,
    values: &'a [Node],
}

impl<'a> Validation<'a> {
    pub fn new(dataset: &'a Dataset, shapes: &'a Shapes, limits: Limits, name: &'a dyn Fn(&Term) -> String) -> Self {
        let evaluator = Evaluator::new(dataset, limits);
        Self { dataset, shapes, evaluator, stack: Vec::new(), outermost: None, results: Vec::new(), name }
    }

    fn all(&mut self) -> Result<()> {
        for index in 0..self.shapes.len() {
            let id = ShapeId(index);
            for focus in self.targets(id)? {
                self.shape(id, focus)?;
            }
        }
        Ok(())
    }

    /// The focus nodes of a shape.
    pub fn targets(&mut self, id: ShapeId) -> Result<Vec<Node>> {
        self.outermost = Some((id, None));
        self.focus_nodes(self.shapes.get(id)).map_err(|e| e.prefixed("its target failed: "))
    }

    pub fn failure(&self, error: Error) -> Failure {
        let inner = self.stack.iter().map(|(id, focus)| (*id, Some(*focus)));
        let at: Vec<(ShapeId, Option<Node>)> = self.outermost.into_iter().chain(inner).collect();
        let named = at.iter().rev().find(|(id, _)| self.is_named(*id)).or(at.last());
        let term = |node: Node| self.dataset.term(node).clone();
        Failure {
            error,
            shape: named.map(|(id, _)| term(self.shapes.get(*id).node)),
            focus: named.and_then(|(_, focus)| *focus).map(term).map(Box::new),
        }
    }

    fn is_named(&self, id: ShapeId) -> bool {
        self.dataset.as_iri(self.shapes.get(id).node).is_some()
    }

    fn focus_nodes(&self, shape: &Shape) -> Result<Vec<Node>> {
        let data = &self.dataset.data;
        let mut nodes = Vec::new();
        for target in &shape.targets {
            match target {
                Target::Node(node) => nodes.push(*node),
                Target::Class(class) => nodes.extend(self.dataset.instances(data, *class)),
                Target::SubjectsOf(predicate) => nodes.extend(data.pairs(*predicate).map(|(s, _)| s)),
                Target::ObjectsOf(predicate) => nodes.extend(data.pairs(*predicate).map(|(_, o)| o)),
                Target::Sparql(target) => nodes.extend(target.nodes(self.dataset, &self.evaluator)?),
            }
        }
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    fn shape(&mut self, id: ShapeId, focus: Node) -> Result<()> {
        let shape = self.shapes.get(id);
        if shape.deactivated || self.stack.contains(&(id, focus)) {
            return Ok(());
        }
        if self.stack.len() == MAX_DEPTH {
            return Err(Error::limit(format!("shapes lead more than {MAX_DEPTH} nodes deep from one focus node"))
                .hint("a recursive shape follows a long chain of the data; use a path such as ex:next* instead"));
        }
        self.stack.push((id, focus));
        let values = match &shape.path {
            Some(path) => self.dataset.reached(path, focus),
            None => vec![focus],
        };
        let at = At { shape, focus, values: &values };
        // After an error the stack stays as it is: it tells what failed.
        shape.constraints.iter().try_for_each(|constraint| self.constraint(constraint, at))?;
        self.stack.pop();
        Ok(())
    }

    pub fn conforms(&mut self, id: ShapeId, node: Node) -> Result<bool> {
        let before = self.results.len();
        self.shape(id, node)?;
        let conforms = self.results.len() == before;
        self.results.truncate(before);
        Ok(conforms)
    }

    /// How many of the shapes the node conforms to.
    pub fn count_conforming(&mut self, ids: &[ShapeId], node: Node) -> Result<usize> {
        let mut count = 0;
        for id in ids {
            count += usize::from(self.conforms(*id, node)?);
        }
        Ok(count)
    }

    fn constraint(&mut self, constraint: &'a Constraint, at: At<'_>) -> Result<()> {
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

    /// Why a value by itself does not satisfy a constraint; `None` if it does.
    fn value_fails(&self, constraint: &Constraint, value: Node) -> Option<String> {
        let term = self.dataset.term(value);
        let literal = match term {
            Term::Literal(literal) => Some(literal),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
        };
        let text = match term {
            Term::Literal(literal) => Some(literal.value()),
            Term::NamedNode(iri) => Some(iri.as_str()),
            Term::BlankNode(_) | Term::Triple(_) => None,
        };
        let named = || self.named(value);
        match constraint {
            Constraint::Class(class) => (!self.dataset.is_instance(&self.dataset.data, value, *class))
                .then(|| format!("{} is not an instance of {}", named(), self.named(*class))),
            Constraint::Datatype(datatype) => {
                let wanted = self.dataset.as_iri(*datatype)?.as_ref();
                match literal {
                    Some(literal) if literal.datatype() == wanted => (!is_well_formed(literal))
                        .then(|| format!("{} is not well-formed: it is no {}", named(), self.named(*datatype))),
                    _ => Some(format!("{} is not of datatype {}", named(), self.named(*datatype))),
                }
            }
            Constraint::NodeKind(kind) => (!kind.admits(term)).then(|| format!("{} is not {}", named(), kind.words())),
            Constraint::Bound(bound, limit) => {
                let order = literal.and_then(|literal| compare(literal, limit));
                let (holds, words) = match bound {
                    Bound::MinExclusive => (order == Some(Ordering::Greater), "greater than"),
                    Bound::MinInclusive => (matches!(order, Some(Ordering::Greater | Ordering::Equal)), "at least"),
                    Bound::MaxExclusive => (order == Some(Ordering::Less), "less than"),
                    Bound::MaxInclusive => (matches!(order, Some(Ordering::Less | Ordering::Equal)), "at most"),
                };
                (!holds).then(|| format!("{} is not {words} {}", named(), (self.name)(&limit.clone().into())))
            }
            Constraint::MinLength(least) => (text.is_none_or(|t| (t.chars().count() as u64) < *least))
                .then(|| format!("{} is shorter than {least} characters", named())),
            Constraint::MaxLength(most) => (text.is_none_or(|t| (t.chars().count() as u64) > *most))
                .then(|| format!("{} is longer than {most} characters", named())),
            Constraint::Pattern { regex, text: pattern } => {
                (!text.is_some_and(|t| regex.is_match(t))).then(|| format!("{} does not match `{pattern}`", named()))
            }
            Constraint::LanguageIn(tags) => {
                let language = literal.and_then(Literal::language);
                (!language.is_some_and(|l| tags.iter().any(|range| language_matches(l, range))))
                    .then(|| format!("{} is not in one of the languages {}", named(), tags.join(", ")))
            }
            Constraint::In(among) => (!among.contains(&value)).then(|| {
                let among: Vec<String> = among.iter().map(|n| self.named(*n)).collect();
                format!("{} is not one of {}", named(), among.join(", "))
            }),
            _ => None,
        }
    }

    fn unique_lang(&mut self, constraint: &Constraint, at: At<'_>) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for value in at.values {
            if let Term::Literal(literal) = self.dataset.term(*value)
                && let Some(language) = literal.language()
            {
                *counts.entry(language.to_ascii_lowercase()).or_default() += 1;
            }
        }
        for (language, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
            self.fail(constraint, at, None, format!("has {count} values in the language `{language}`; can have one"));
        }
    }

    fn equals(&mut self, constraint: &Constraint, predicate: Node, at: At<'_>) {
        let others: Vec<Node> = self.dataset.data.objects(at.focus, predicate).collect();
        for value in at.values.iter().filter(|v| !others.contains(v)) {
            let why = format!("{} is not a value of {}", self.named(*value), self.named(predicate));
            self.fail(constraint, at, Some(*value), why);
        }
        for other in others.into_iter().filter(|o| !at.values.contains(o)) {
            let why = format!("{} is a value of {} only", self.named(other), self.named(predicate));
            self.fail(constraint, at, Some(other), why);
        }
    }

    fn ordered(&mut self, constraint: &Constraint, predicate: Node, at: At<'_>, wanted: &[Ordering]) {
        let others: Vec<Node> = self.dataset.data.objects(at.focus, predicate).collect();
        for value in at.values {
            for other in &others {
                let order = match (self.dataset.term(*value), self.dataset.term(*other)) {
                    (Term::Literal(a), Term::Literal(b)) => compare(a, b),
                    _ => None,
                };
                if !order.is_some_and(|order| wanted.contains(&order)) {
                    let words = if wanted.len() > 1 { "is not at most" } else { "is not less than" };
                    let why =
                        format!("{} {words} {}, its {}", self.named(*value), self.named(*other), self.named(predicate));
                    self.fail(constraint, at, Some(*value), why);
                }
            }
        }
    }

    fn logical(
        &mut self,
        constraint: &Constraint,
        ids: &[ShapeId],
        at: At<'_>,
        holds: fn(usize, usize) -> bool,
        words: &str,
    ) -> Result<()> {
        for value in at.values {
            let conforming = self.count_conforming(ids, *value)?;
            if !holds(ids.len(), conforming) {
                let shapes: Vec<String> = ids.iter().map(|id| self.shape_named(*id)).collect();
                self.fail(
                    constraint,
                    at,
                    Some(*value),
                    format!("{} {words} {}", self.named(*value), shapes.join(", ")),
                );
            }
        }
        Ok(())
    }

    fn qualified(&mut self, constraint: &Constraint, qualified: &Qualified, at: At<'_>) -> Result<()> {
        let mut count = 0;
        for value in at.values {
            let counts =
                self.conforms(qualified.shape, *value)? && self.count_conforming(&qualified.siblings, *value)? == 0;
            count += u64::from(counts);
        }
        let words = format!("{count} values conform to {}", self.shape_named(qualified.shape));
        if let Some(least) = qualified.min.filter(|least| count < *least) {
            self.fail_as("QualifiedMinCount", constraint, at, format!("{words}; at least {least} must"));
        }
        if let Some(most) = qualified.max.filter(|most| count > *most) {
            self.fail_as("QualifiedMaxCount", constraint, at, format!("{words}; at most {most} can"));
        }
        Ok(())
    }

    fn closed(&mut self, constraint: &Constraint, allowed: &FxHashSet<Node>, at: At<'_>) {
        for value in at.values {
            for (predicate, object) in self.dataset.data.properties(*value).filter(|(p, _)| !allowed.contains(p)) {
                let why = format!("{} cannot have the property {}", self.named(*value), self.named(predicate));
                let mut result = self.result(constraint, at, Some(self.dataset.term(object).clone()), why);
                result.path = self.dataset.as_iri(predicate).cloned().map(Path::Predicate);
                self.results.push(result);
            }
        }
    }

    fn sparql(&mut self, constraint: &Constraint, sparql: &SparqlConstraint, at: At<'_>) -> Result<()> {
        let values = self.prebound(at);
        let value = at.shape.path.is_none().then(|| self.dataset.term(at.focus).clone());
        for solution in self.asked(&sparql.query, &values, self.path(at.shape).as_ref())? {
            self.solution(constraint, at, &solution, value.clone(), &sparql.messages, &values)?;
        }
        Ok(())
    }

    fn custom(
        &mut self,
        constraint: &Constraint,
        component: &'a Component,
        arguments: &[Option<Node>],
        at: At<'_>,
    ) -> Result<()> {
        let Some(validator) = component.validator(at.shape.path.is_some()) else { return Ok(()) };
        let path = self.path(at.shape);
        let mut values = self.prebound(at);
        values.extend(component.arguments(arguments, self.dataset));
        if validator.query.is_ask() {
            for value in at.values {
                let value = self.dataset.term(*value).clone();
                values.insert("value", value.clone());
                if self.asked(&validator.query, &values, path.as_ref())?.is_empty() {
                    self.solution(constraint, at, &sparql::Solution::new(), Some(value), &validator.messages, &values)?;
                }
            }
        } else {
            let value = at.shape.path.is_none().then(|| self.dataset.term(at.focus).clone());
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
    ) -> Result<Vec<sparql::Solution>> {
        let solutions = self.evaluator.ask(query, values, path);
        solutions.map_err(|e| e.prefixed("a constraint in SPARQL failed: "))
    }

    fn prebound(&self, at: At<'_>) -> BTreeMap<&'a str, Term> {
        let term = |node| self.dataset.term(node).clone();
        BTreeMap::from([
            ("this", term(at.focus)),
            ("shapesGraph", term(self.dataset.shapes_graph)),
            ("currentShape", term(at.shape.node)),
        ])
    }

    /// A solution of a constraint in SPARQL as a result (§5.3.2).
    fn solution(
        &mut self,
        constraint: &Constraint,
        at: At<'_>,
        solution: &sparql::Solution,
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
        self.results.push(result);
        Ok(())
    }

    fn fail(&mut self, constraint: &Constraint, at: At<'_>, value: Option<Node>, why: String) {
        let value = value.map(|node| self.dataset.term(node).clone());
        let result = self.result(constraint, at, value, why);
        self.results.push(result);
    }

    /// For the one constraint that stands for two components.
    fn fail_as(&mut self, component: &str, constraint: &Constraint, at: At<'_>, why: String) {
        let mut result = self.result(constraint, at, None, why);
        result.component = core_component(component);
        self.results.push(result);
    }

    fn result(&self, constraint: &Constraint, at: At<'_>, value: Option<Term>, why: String) -> ValidationResult {
        let (component, source) = match constraint {
            Constraint::Custom { component, .. } => (self.iri(self.shapes.components[*component].iri), None),
            Constraint::Sparql(sparql) => (core_component("SPARQL"), Some(self.dataset.term(sparql.node).clone())),
            _ => (core_component(component_name(constraint)), None),
        };
        let messages = match &at.shape.messages[..] {
            [] => vec![Literal::new_simple_literal(why.as_str())],
            own => own.to_vec(),
        };
        ValidationResult {
            focus: self.dataset.term(at.focus).clone(),
            path: self.path(at.shape),
            value,
            shape: self.dataset.term(at.shape.node).clone(),
            named_shape: self
                .stack
                .iter()
                .rev()
                .find_map(|(id, _)| self.dataset.as_iri(self.shapes.get(*id).node))
                .cloned(),
            component,
            constraint: source,
            severity: at.shape.severity.map_or_else(|| sh::VIOLATION.into_owned(), |s| self.iri(s)),
            messages,
            explanation: why,
        }
    }

    fn iri(&self, node: Node) -> NamedNode {
        self.dataset.as_iri(node).cloned().unwrap_or_else(|| sh::CONSTRAINT_COMPONENT.into_owned())
    }

    fn path(&self, shape: &Shape) -> Option<Path<NamedNode>> {
        shape.path.as_ref().map(|path| path.map(&mut |p| self.iri(*p)))
    }

    fn named(&self, node: Node) -> String {
        (self.name)(self.dataset.term(node))
    }

    /// `2 values of ex:p`.
    fn counted(&self, at: At<'_>) -> String {
        let path = at.shape.path.as_ref().map(|path| path.map(&mut |p| self.named(*p)).to_string());
        let noun = if at.values.len() == 1 { "value" } else { "values" };
        format!("{} {noun} of {}", at.values.len(), path.unwrap_or_default())
    }

    /// A shape by its name, or by its path where it is a blank node.
    fn shape_named(&self, id: ShapeId) -> String {
        let shape = self.shapes.get(id);
        match (self.dataset.as_iri(shape.node), &shape.path) {
            (None, Some(path)) => format!("the shape of {}", path.map(&mut |p| self.named(*p))),
            (None, None) => "an unnamed shape".into(),
            (Some(_), _) => self.named(shape.node),
        }
    }
}

fn core_component(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://www.w3.org/ns/shacl#{name}ConstraintComponent"))
}

/// The component's name without its ending.
fn component_name(constraint: &Constraint) -> &'static str {
    match constraint {
        Constraint::Class(_) => "Class",
        Constraint::Datatype(_) => "Datatype",
        Constraint::NodeKind(_) => "NodeKind",
        Constraint::MinCount(_) => "MinCount",
        Constraint::MaxCount(_) => "MaxCount",
        Constraint::Bound(Bound::MinExclusive, _) => "MinExclusive",
        Constraint::Bound(Bound::MinInclusive, _) => "MinInclusive",
        Constraint::Bound(Bound::MaxExclusive, _) => "MaxExclusive",
        Constraint::Bound(Bound::MaxInclusive, _) => "MaxInclusive",
        Constraint::MinLength(_) => "MinLength",
        Constraint::MaxLength(_) => "MaxLength",
        Constraint::Pattern { .. } => "Pattern",
        Constraint::LanguageIn(_) => "LanguageIn",
        Constraint::UniqueLang => "UniqueLang",
        Constraint::Equals(_) => "Equals",
        Constraint::Disjoint(_) => "Disjoint",
        Constraint::LessThan(_) => "LessThan",
        Constraint::LessThanOrEquals(_) => "LessThanOrEquals",
        Constraint::Not(_) => "Not",
        Constraint::And(_) => "And",
        Constraint::Or(_) => "Or",
        Constraint::Xone(_) => "Xone",
        Constraint::Node(_) => "Node",
        Constraint::Property(_) => "PropertyShape",
        Constraint::QualifiedValueShape(_) => "QualifiedMinCount",
        Constraint::Closed(_) => "Closed",
        Constraint::HasValue(_) => "HasValue",
        Constraint::In(_) => "In",
        Constraint::Sparql(_) => "SPARQL",
        Constraint::Custom { .. } => "Custom",
    }
}

/// The function langMatches of SPARQL (RFC 4647 basic filtering); `range` is in lower case.
fn language_matches(tag: &str, range: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    range == "*" || tag == range || tag.strip_prefix(range).is_some_and(|rest| rest.starts_with('-'))
}
