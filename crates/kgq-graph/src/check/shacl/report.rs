//! The results of a validation, as data and as the RDF graph of the standard (SHACL 1.0 §3.6).

use super::vocab as sh;
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Term, Triple};
use oxrdf::vocab::rdf;

/// A validation report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Ordered by shape as in the shapes graph, then by focus node as in the data.
    pub results: Vec<ValidationResult>,
    /// The number of focus nodes that targets gave; a node counts for each shape.
    pub focus_nodes: usize,
    /// The targets of shapes that gave none.
    pub idle: Vec<Idle>,
}

/// A target that the data have nothing for, of a shape without any focus node.
#[derive(Clone, Debug)]
pub struct Idle {
    pub shape: Term,
    /// `sh:targetClass`, `sh:targetSubjectsOf`, `sh:targetObjectsOf` or `sh:target`.
    pub target: NamedNode,
    /// The class or property.
    pub value: Option<NamedNode>,
}

/// A constraint that a focus node violates.
#[derive(Clone, Debug)]
pub struct ValidationResult {
    pub focus: Term,
    pub path: Option<Path<NamedNode>>,
    pub value: Option<Term>,
    pub shape: Term,
    /// The shape itself, or the nearest named shape that led to it.
    pub named_shape: Option<NamedNode>,
    pub component: NamedNode,
    /// The SPARQL constraint, if it is one.
    pub constraint: Option<Term>,
    pub severity: NamedNode,
    /// The messages of the shape or constraint; without any, the explanation.
    pub messages: Vec<Literal>,
    /// What is violated, in words, whether or not the shape has messages.
    pub explanation: String,
}

impl Report {
    pub fn conforms(&self) -> bool {
        self.results.is_empty()
    }

    /// Returns the report as a graph that is the same in every run. Blank nodes of the data and of the shapes keep
    /// their identifiers.
    pub fn to_triples(&self) -> Vec<Triple> {
        let mut triples = Vec::new();
        let report = BlankNode::new_unchecked("report");
        let mut labels = Labels { given: 0 };
        triples.push(Triple::new(report.clone(), rdf::TYPE, sh::VALIDATION_REPORT));
        triples.push(Triple::new(report.clone(), sh::CONFORMS, Literal::from(self.conforms())));
        for (number, result) in self.results.iter().enumerate() {
            let node = BlankNode::new_unchecked(format!("result{number}"));
            triples.push(Triple::new(report.clone(), sh::RESULT, node.clone()));
            result.write(&node, &mut labels, &mut triples);
        }
        triples
    }
}

/// Labels the blank nodes of paths.
struct Labels {
    given: usize,
}

impl Labels {
    fn next(&mut self) -> BlankNode {
        self.given += 1;
        BlankNode::new_unchecked(format!("path{}", self.given))
    }
}

impl ValidationResult {
    fn write(&self, node: &BlankNode, labels: &mut Labels, triples: &mut Vec<Triple>) {
        let mut add = |predicate, object: Term| triples.push(Triple::new(node.clone(), predicate, object));
        add(rdf::TYPE, sh::VALIDATION_RESULT.into_owned().into());
        add(sh::FOCUS_NODE, self.focus.clone());
        add(sh::RESULT_SEVERITY, self.severity.clone().into());
        add(sh::SOURCE_SHAPE, self.shape.clone());
        add(sh::SOURCE_CONSTRAINT_COMPONENT, self.component.clone().into());
        if let Some(constraint) = &self.constraint {
            add(sh::SOURCE_CONSTRAINT, constraint.clone());
        }
        if let Some(value) = &self.value {
            add(sh::VALUE, value.clone());
        }
        for message in &self.messages {
            add(sh::RESULT_MESSAGE, message.clone().into());
        }
        if let Some(path) = &self.path {
            let path = write_path(path, labels, triples);
            triples.push(Triple::new(node.clone(), sh::RESULT_PATH, path));
        }
    }
}

fn write_path(path: &Path<NamedNode>, labels: &mut Labels, triples: &mut Vec<Triple>) -> Term {
    let (predicate, object) = match path {
        Path::Predicate(iri) => return iri.clone().into(),
        Path::Sequence(steps) => return write_list(steps, labels, triples).into(),
        Path::Alternative(branches) => (sh::ALTERNATIVE_PATH, write_list(branches, labels, triples).into()),
        Path::Inverse(inner) => (sh::INVERSE_PATH, write_path(inner, labels, triples)),
        Path::ZeroOrMore(inner) => (sh::ZERO_OR_MORE_PATH, write_path(inner, labels, triples)),
        Path::OneOrMore(inner) => (sh::ONE_OR_MORE_PATH, write_path(inner, labels, triples)),
        Path::ZeroOrOne(inner) => (sh::ZERO_OR_ONE_PATH, write_path(inner, labels, triples)),
    };
    let node = labels.next();
    triples.push(Triple::new(node.clone(), predicate, object));
    node.into()
}

fn write_list(members: &[Path<NamedNode>], labels: &mut Labels, triples: &mut Vec<Triple>) -> NamedOrBlankNode {
    let mut rest: NamedOrBlankNode = rdf::NIL.into_owned().into();
    for member in members.iter().rev() {
        let member = write_path(member, labels, triples);
        let cell = labels.next();
        triples.push(Triple::new(cell.clone(), rdf::FIRST, member));
        triples.push(Triple::new(cell.clone(), rdf::REST, rest));
        rest = cell.into();
    }
    rest
}
