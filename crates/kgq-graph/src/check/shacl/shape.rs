//! Shapes as data: the content of a shapes graph, checked once while it is read.

use super::dataset::NodeId;
use super::expression::NodeExpression;
use super::function::Functions;
use super::rule::Rule;
use super::sparql::{Component, SparqlConstraint};
use super::target::SparqlTarget;
use super::values::ValuePath;
use kgq_syntax::error::Place;
use kgq_syntax::rdf::{Literal, Term};
use regex::Regex;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The shapes of a shapes graph (SHACL 1.0 §2).
#[derive(Default)]
pub struct Shapes {
    pub(super) shapes: Vec<Shape>,
    pub(super) components: Vec<Component>,
    pub(super) functions: Arc<Functions>,
    /// Parts of the shapes graph that look like shapes but are not; validation ignores them.
    pub ill_formed: Vec<IllFormed>,
    /// Parts that are well-formed but not run, such as those in JavaScript; validation ignores them too.
    pub not_run: Vec<IllFormed>,
}

impl Shapes {
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    pub(super) fn get(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0]
    }
}

/// A fault in a shapes graph, or a part of it that is not run: the shape, constraint or list, with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IllFormed {
    pub node: Term,
    pub message: String,
    pub hints: Vec<String>,
    /// The place in the text of a query, if it is in one.
    pub place: Option<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ShapeId(pub(super) usize);

/// A node shape, or a property shape if it has a path.
pub(super) struct Shape {
    pub node: NodeId,
    pub path: Option<ValuePath>,
    pub targets: Vec<Target>,
    pub constraints: Vec<Constraint>,
    pub rules: Vec<Rule>,
    pub severity: Option<NodeId>,
    pub messages: Vec<Literal>,
    pub deactivated: bool,
}

pub(super) enum Target {
    Node(NodeId),
    Class(NodeId),
    SubjectsOf(NodeId),
    ObjectsOf(NodeId),
    Sparql(Box<SparqlTarget>),
}

/// A constraint of SHACL Core (§4), in the order of the standard, or one in SPARQL (§5, §6).
pub(super) enum Constraint {
    Class(NodeId),
    Datatype(NodeId),
    NodeKind(NodeKind),
    MinCount(u64),
    MaxCount(u64),
    Bound(Bound, Literal),
    MinLength(u64),
    MaxLength(u64),
    Pattern {
        regex: Regex,
        text: String,
    },
    LanguageIn(Vec<String>),
    UniqueLang,
    Equals(NodeId),
    Disjoint(NodeId),
    LessThan(NodeId),
    LessThanOrEquals(NodeId),
    Not(ShapeId),
    And(Vec<ShapeId>),
    Or(Vec<ShapeId>),
    Xone(Vec<ShapeId>),
    Node(ShapeId),
    Property(ShapeId),
    QualifiedValueShape(Qualified),
    /// The allowed predicates.
    Closed(FxHashSet<NodeId>),
    HasValue(NodeId),
    In(Vec<NodeId>),
    Sparql(Box<SparqlConstraint>),
    Expression(Box<ExpressionConstraint>),
    Custom {
        component: usize,
        /// The value of each parameter of the component.
        arguments: Vec<Option<NodeId>>,
    },
}

impl Constraint {
    /// Whether it depends on nodes conforming to other shapes.
    pub fn leads_on(&self) -> bool {
        self.negates() || matches!(self, Self::And(_) | Self::Or(_) | Self::Node(_) | Self::Property(_))
    }

    /// Whether it may fail because a node conforms to another shape.
    pub fn negates(&self) -> bool {
        matches!(self, Self::Not(_) | Self::Xone(_) | Self::QualifiedValueShape(_) | Self::Expression(_))
    }
}

/// A node expression that must be true for each value (Advanced Features §6).
pub(super) struct ExpressionConstraint {
    pub node: NodeId,
    pub expression: NodeExpression,
    pub messages: Vec<Literal>,
}

pub(super) struct Qualified {
    pub shape: ShapeId,
    /// The shapes that a counted value must not conform to as well.
    pub siblings: Vec<ShapeId>,
    pub min: Option<u64>,
    pub max: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    MinExclusive,
    MinInclusive,
    MaxExclusive,
    MaxInclusive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    Iri,
    BlankNode,
    Literal,
    BlankNodeOrIri,
    BlankNodeOrLiteral,
    IriOrLiteral,
}

impl NodeKind {
    /// Whether a term is of this kind. SHACL 1.0 has no kind for triple terms.
    pub fn admits(self, term: &Term) -> bool {
        match term {
            Term::NamedNode(_) => matches!(self, Self::Iri | Self::BlankNodeOrIri | Self::IriOrLiteral),
            Term::BlankNode(_) => matches!(self, Self::BlankNode | Self::BlankNodeOrIri | Self::BlankNodeOrLiteral),
            Term::Literal(_) => matches!(self, Self::Literal | Self::BlankNodeOrLiteral | Self::IriOrLiteral),
            Term::Triple(_) => false,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Iri => "an IRI",
            Self::BlankNode => "a blank node",
            Self::Literal => "a literal",
            Self::BlankNodeOrIri => "a blank node or an IRI",
            Self::BlankNodeOrLiteral => "a blank node or a literal",
            Self::IriOrLiteral => "an IRI or a literal",
        }
    }
}
