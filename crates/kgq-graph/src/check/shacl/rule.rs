//! Rules (SHACL Advanced Features §8) and the node expressions (§5) of their heads: what they say.

use super::dataset::Node;
use super::parse::Reader;
use super::shape::ShapeId;
use super::sparql::{OPTIONAL, prefixes};
use super::vocab as sh;
use kgq_engine::query::prebind::Prebound;
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{NamedNodeRef, Term};
use oxrdf::vocab::rdf;

/// A rule of a shape: what it adds to the data for each focus node that conforms to the conditions.
pub(crate) struct Rule {
    pub order: f64,
    pub conditions: Vec<ShapeId>,
    pub head: Head,
}

pub(crate) enum Head {
    Triple { subject: NodeExpression, predicate: NodeExpression, object: NodeExpression },
    Construct(Prebound),
}

/// What gives nodes for a focus node.
pub(crate) enum NodeExpression {
    This,
    Constant(Node),
    Path { path: Path<Node>, from: Box<Self> },
    Filter { shape: ShapeId, nodes: Box<Self> },
    Intersection(Vec<Self>),
    Union(Vec<Self>),
}

/// The deepest nesting of node expressions that is read.
const MAX_DEPTH: usize = 64;

pub(super) fn read_rules(reader: &mut Reader<'_>, shape: Node) -> Vec<Rule> {
    let mut rules = Vec::new();
    for node in reader.objects(shape, sh::RULE) {
        if reader.boolean(node, sh::DEACTIVATED) {
            continue;
        }
        let order = order(reader, node);
        let conditions = reader.objects(node, sh::CONDITION).into_iter().map(|c| reader.shape_id(c)).collect();
        if let Some(head) = head(reader, shape, node) {
            rules.push(Rule { order, conditions, head });
        }
    }
    rules
}

fn order(reader: &mut Reader<'_>, node: Node) -> f64 {
    let Some(value) = reader.one(node, sh::ORDER) else { return 0.0 };
    let order = reader.literal(value).and_then(|l| l.value().trim().parse::<f64>().ok()).filter(|o| o.is_finite());
    order.unwrap_or_else(|| {
        reader.fault(node, "sh:order needs a number");
        0.0
    })
}

fn head(reader: &mut Reader<'_>, shape: Node, node: Node) -> Option<Head> {
    if reader.is_javascript(node) {
        reader.not_run(shape, "a rule written in JavaScript is not run");
        return None;
    }
    if let Some(text) = reader.text(node, sh::CONSTRUCT) {
        let prefixes = prefixes(reader, node);
        return match Prebound::parse_construct(&text, &prefixes, &OPTIONAL) {
            Ok(query) => Some(Head::Construct(query)),
            Err(why) => {
                reader.fault(shape, format!("the query of a rule cannot be used: {why}"));
                None
            }
        };
    }
    let mut part = |predicate| {
        let value = reader.one(node, predicate)?;
        expression(reader, shape, value, 0)
    };
    match (part(sh::SUBJECT), part(sh::PREDICATE), part(sh::OBJECT)) {
        (Some(subject), Some(predicate), Some(object)) => Some(Head::Triple { subject, predicate, object }),
        _ => {
            let parts = [sh::SUBJECT, sh::PREDICATE, sh::OBJECT];
            if parts.into_iter().any(|part| reader.objects(node, part).is_empty()) {
                reader.fault(shape, "a rule needs sh:construct, or sh:subject, sh:predicate and sh:object");
            }
            None
        }
    }
}

/// A node expression; `None`, with the reason noted, where it is ill-formed or of a kind that is not run.
fn expression(reader: &mut Reader<'_>, shape: Node, node: Node, depth: usize) -> Option<NodeExpression> {
    if depth > MAX_DEPTH {
        reader.fault(shape, "a node expression runs in a circle, or is nested too deeply");
        return None;
    }
    if reader.dataset.iri(sh::THIS) == Some(node) {
        return Some(NodeExpression::This);
    }
    if !matches!(reader.dataset.term(node), Term::BlankNode(_)) {
        return Some(NodeExpression::Constant(node));
    }
    if let Some(path) = reader.one(node, sh::PATH) {
        let path = reader.path(shape, path, 0)?;
        let from = Box::new(nodes(reader, shape, node, depth)?);
        return Some(NodeExpression::Path { path, from });
    }
    if let Some(filter) = reader.one(node, sh::FILTER_SHAPE) {
        let id = reader.shape_id(filter);
        let nodes = Box::new(nodes(reader, shape, node, depth)?);
        return Some(NodeExpression::Filter { shape: id, nodes });
    }
    type Make = fn(Vec<NodeExpression>) -> NodeExpression;
    let several: [(_, Make); 2] =
        [(sh::INTERSECTION, NodeExpression::Intersection), (sh::UNION, NodeExpression::Union)];
    for (predicate, make) in several {
        if let Some(list) = reader.one(node, predicate) {
            let members = reader.list(shape, predicate, list)?;
            let members: Option<_> = members.into_iter().map(|m| expression(reader, shape, m, depth + 1)).collect();
            return members.map(make);
        }
    }
    let what =
        reader.dataset.shapes.properties(node).map(|(p, _)| reader.written(p)).find(|p| *p != rdf::TYPE.to_string());
    let what = what.unwrap_or_else(|| "a blank node of which nothing is said".into());
    reader.not_run(shape, format!("a rule with the node expression {what} is not run"));
    None
}

/// The nodes that an expression begins with: those of `sh:nodes`, else the focus node.
fn nodes(reader: &mut Reader<'_>, shape: Node, node: Node, depth: usize) -> Option<NodeExpression> {
    match reader.one(node, sh::NODES) {
        Some(nodes) => expression(reader, shape, nodes, depth + 1),
        None => Some(NodeExpression::This),
    }
}

/// Names the functions that the shapes graph declares: queries that call one get no value of it.
pub(super) fn name_functions(reader: &mut Reader<'_>) {
    let kinds: [(NamedNodeRef<'_>, &str); 2] = [(sh::SPARQL_FUNCTION, "SPARQL"), (sh::JS_FUNCTION, "JavaScript")];
    for (class, language) in kinds {
        for function in reader.instances(class) {
            reader.not_run(function, format!("a function in {language} is not run: calls of it have no value"));
        }
    }
}
