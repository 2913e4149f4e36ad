//! Reads node expressions (SHACL Advanced Features §5), which return nodes for a focus node. Kinds that the note lacks
//! work as in its authors' own tools.

use super::dataset::NodeId;
use super::reader::{Reader, short};
use super::shape::ShapeId;
use super::sparql::OPTIONAL;
use super::values::ValuePath;
use super::vocab as sh;
use kgq_engine::query::Form;
use kgq_engine::query::prebind::{PrebindContext, Prebound};
use kgq_syntax::error::Source;
use kgq_syntax::rdf::{NamedNodeRef, Term};
use oxrdf::vocab::rdf;
use std::cmp::Ordering;

pub(crate) enum NodeExpression {
    This,
    Constant(NodeId),
    Path {
        path: ValuePath,
        from: Box<Self>,
    },
    Filter {
        shape: ShapeId,
        nodes: Box<Self>,
    },
    Intersection(Vec<Self>),
    Union(Vec<Self>),
    Minus {
        nodes: Box<Self>,
        without: Box<Self>,
    },
    Distinct(Box<Self>),
    /// Whether there is any node.
    Exists(Box<Self>),
    If {
        condition: Box<Self>,
        then: Option<Box<Self>>,
        otherwise: Option<Box<Self>>,
    },
    Count(Box<Self>),
    /// The least or the greatest node.
    Extreme(Ordering, Box<Self>),
    Sum(Box<Self>),
    Concatenation {
        nodes: Box<Self>,
        separator: String,
    },
    Limit(Box<Self>, usize),
    Offset(Box<Self>, usize),
    Ordered {
        nodes: Box<Self>,
        by: Box<Self>,
        descending: bool,
    },
    /// A function, called with all combinations of its arguments' nodes.
    Call {
        query: Box<Prebound>,
        arguments: Vec<Self>,
    },
    /// The column of a SELECT, or the answer of an ASK, for the focus node.
    Query(Box<Prebound>),
}

/// The deepest nesting of node expressions that is read.
const MAX_DEPTH: usize = 64;
/// The most node expressions read within one: an expression may be used in many places, and they are read as a tree.
const MAX_EXPRESSIONS: usize = 10_000;

/// Reads a node expression; `None`, with a remark on the reason, if it is ill-formed or of a kind that is not run.
pub(super) fn expression(reader: &mut Reader<'_>, shape: NodeId, node: NodeId) -> Option<NodeExpression> {
    let mut reading = Reading { reader, shape, left: MAX_EXPRESSIONS };
    reading.expression(node, 0)
}

struct Reading<'r, 'd> {
    reader: &'r mut Reader<'d>,
    /// The shape that findings are about.
    shape: NodeId,
    /// The number of expressions that may still be read.
    left: usize,
}

type Wrap = fn(Box<NodeExpression>) -> NodeExpression;
type Combine = fn(Vec<NodeExpression>) -> NodeExpression;

/// Expressions whose key has an expression as its value.
const OF_ONE: [(NamedNodeRef<'_>, Wrap); 6] = [
    (sh::DISTINCT, NodeExpression::Distinct),
    (sh::EXISTS, NodeExpression::Exists),
    (sh::COUNT, NodeExpression::Count),
    (sh::MIN, |nodes| NodeExpression::Extreme(Ordering::Less, nodes)),
    (sh::MAX, |nodes| NodeExpression::Extreme(Ordering::Greater, nodes)),
    (sh::SUM, NodeExpression::Sum),
];

/// Expressions whose key has a list of expressions as its value.
const OF_SEVERAL: [(NamedNodeRef<'_>, Combine); 2] =
    [(sh::INTERSECTION, NodeExpression::Intersection), (sh::UNION, NodeExpression::Union)];

impl Reading<'_, '_> {
    fn expression(&mut self, node: NodeId, depth: usize) -> Option<NodeExpression> {
        if depth > MAX_DEPTH {
            return self.fault("a node expression runs in a circle, or is nested too deeply");
        }
        if self.left == 0 {
            // Reported once, not for each expression left out.
            return None;
        }
        self.left -= 1;
        if self.left == 0 {
            return self.fault(format!("a node expression has more than {MAX_EXPRESSIONS} parts"));
        }
        if self.reader.dataset.iri(sh::THIS) == Some(node) {
            return Some(NodeExpression::This);
        }
        if !matches!(self.reader.dataset.term(node), Term::BlankNode(_)) {
            return Some(NodeExpression::Constant(node));
        }
        self.keyed(node, depth)
    }

    /// Reads an expression recognised by one of its properties.
    fn keyed(&mut self, node: NodeId, depth: usize) -> Option<NodeExpression> {
        for (key, wrap) in OF_ONE {
            if let Some(value) = self.reader.one(node, key) {
                return Some(wrap(Box::new(self.expression(value, depth + 1)?)));
            }
        }
        for (key, combine) in OF_SEVERAL {
            if let Some(list) = self.reader.one(node, key) {
                return self.members(key, list, depth).map(combine);
            }
        }
        if let Some(path) = self.reader.one(node, sh::PATH) {
            let path = ValuePath::new(self.reader.path(self.shape, path, 0)?);
            return Some(NodeExpression::Path { path, from: self.nodes(node, depth)? });
        }
        if let Some(filter) = self.reader.one(node, sh::FILTER_SHAPE) {
            let shape = self.reader.shape_id(filter);
            return Some(NodeExpression::Filter { shape, nodes: self.nodes(node, depth)? });
        }
        if let Some(without) = self.reader.one(node, sh::MINUS) {
            let without = Box::new(self.expression(without, depth + 1)?);
            return Some(NodeExpression::Minus { nodes: self.nodes(node, depth)?, without });
        }
        if let Some(condition) = self.reader.one(node, sh::IF) {
            let condition = Box::new(self.expression(condition, depth + 1)?);
            let (then, otherwise) = (self.part(node, sh::THEN, depth)?, self.part(node, sh::ELSE, depth)?);
            return Some(NodeExpression::If { condition, then, otherwise });
        }
        if let Some(nodes) = self.reader.one(node, sh::GROUP_CONCAT) {
            let separator = self.reader.text(node, sh::SEPARATOR).unwrap_or_default();
            return Some(NodeExpression::Concatenation {
                nodes: Box::new(self.expression(nodes, depth + 1)?),
                separator,
            });
        }
        self.sequence(node, depth)
    }

    /// Reads an expression that depends on the order of nodes, or else one with a query or a function.
    fn sequence(&mut self, node: NodeId, depth: usize) -> Option<NodeExpression> {
        for (key, wrap) in [
            (sh::LIMIT, NodeExpression::Limit as fn(Box<NodeExpression>, usize) -> NodeExpression),
            (sh::OFFSET, NodeExpression::Offset),
        ] {
            if !self.reader.objects(node, key).is_empty() {
                let number = self.reader.count(node, key)?;
                return Some(wrap(self.nodes(node, depth)?, usize::try_from(number).unwrap_or(usize::MAX)));
            }
        }
        if let Some(by) = self.reader.one(node, sh::ORDER_BY) {
            let by = Box::new(self.expression(by, depth + 1)?);
            let descending = self.reader.boolean(node, sh::DESC);
            return Some(NodeExpression::Ordered { nodes: self.nodes(node, depth)?, by, descending });
        }
        for (property, form) in [(sh::SELECT, Form::Select), (sh::ASK, Form::Ask)] {
            if !self.reader.objects(node, property).is_empty() {
                return self.query(node, property, form);
            }
        }
        self.call(node, depth)
    }

    fn query(&mut self, node: NodeId, property: NamedNodeRef<'_>, form: Form) -> Option<NodeExpression> {
        if !self.reader.objects(node, sh::NODES).is_empty() {
            let message = format!("a node expression with {} and sh:nodes is not run", short(property));
            self.reader.not_run(self.shape, message);
            return None;
        }
        let parse = |source: Source<'_>, known: PrebindContext<'_>| {
            Prebound::parse_function(source, known, form, &["this"], &OPTIONAL)
        };
        let query = self.reader.query(self.shape, node, property, &parse)?;
        Some(NodeExpression::Query(Box::new(query)))
    }

    /// A function expression has one triple besides its type: the function, and the list of its arguments (§5.4).
    fn call(&mut self, node: NodeId, depth: usize) -> Option<NodeExpression> {
        let dataset = self.reader.dataset;
        let (rdf_type, nil) = (dataset.iri(rdf::TYPE), dataset.iri(rdf::NIL));
        let mut said = dataset.shapes.properties(node).filter(|(p, _)| Some(*p) != rdf_type);
        let Some((function, list)) = said.next() else {
            return self.fault("a node expression is a blank node of which nothing is said");
        };
        let is_list = Some(list) == nil || !self.reader.objects(list, rdf::FIRST).is_empty();
        if !is_list || said.next().is_some() {
            let written = self.reader.written(function);
            self.reader.not_run(self.shape, format!("a node expression with {written} is not known, and is not run"));
            return None;
        }
        let name = &dataset.as_iri(function)?;
        let arguments = self.members(name.as_ref(), list, depth)?;
        match self.reader.function_call(name, arguments.len()) {
            Ok(query) if self.reader.calls_javascript(self.shape, &query) => None,
            Ok(query) => Some(NodeExpression::Call { query: Box::new(query), arguments }),
            Err(why) => {
                let hint = why.hints().first().map(|hint| format!("; {hint}")).unwrap_or_default();
                self.fault(format!("a node expression calls no function: {}{hint}", why.message()))
            }
        }
    }

    fn members(&mut self, key: NamedNodeRef<'_>, list: NodeId, depth: usize) -> Option<Vec<NodeExpression>> {
        let members = self.reader.list(self.shape, key, list)?;
        members.into_iter().map(|member| self.expression(member, depth + 1)).collect()
    }

    /// The nodes that an expression starts from: those of `sh:nodes`, else the focus node.
    fn nodes(&mut self, node: NodeId, depth: usize) -> Option<Box<NodeExpression>> {
        match self.part(node, sh::NODES, depth)? {
            Some(nodes) => Some(nodes),
            None => Some(Box::new(NodeExpression::This)),
        }
    }

    /// Reads a part that may be absent; `None` if it is faulty.
    #[expect(clippy::option_option, reason = "a part can be absent, or faulty")]
    fn part(&mut self, node: NodeId, key: NamedNodeRef<'_>, depth: usize) -> Option<Option<Box<NodeExpression>>> {
        match self.reader.one(node, key) {
            Some(part) => Some(Some(Box::new(self.expression(part, depth + 1)?))),
            None => Some(None),
        }
    }

    fn fault(&mut self, message: impl Into<String>) -> Option<NodeExpression> {
        self.reader.fault(self.shape, message);
        None
    }
}
