//! Reads rules (SHACL Advanced Features §7) and `sh:values`.

use super::dataset::NodeId;
use super::expression::{NodeExpression, expression};
use super::reader::Reader;
use super::shape::ShapeId;
use super::sparql::OPTIONAL;
use super::vocab as sh;
use kgq_engine::query::prebind::{PrebindContext, Prebound};
use kgq_syntax::error::Source;

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

pub(super) fn read_rules(reader: &mut Reader<'_>, shape: NodeId) -> Vec<Rule> {
    let mut rules = Vec::new();
    for node in reader.objects(shape, sh::RULE) {
        if reader.boolean(node, sh::DEACTIVATED) {
            continue;
        }
        let order = reader.order(node);
        let conditions = reader.objects(node, sh::CONDITION).into_iter().map(|c| reader.shape_id(c)).collect();
        if let Some(head) = head(reader, shape, node) {
            rules.push(Rule { order, conditions, head });
        }
    }
    for property in reader.objects(shape, sh::PROPERTY) {
        read_values(reader, property, &mut rules);
    }
    rules
}

/// Reads `sh:values` of a property shape: the focus nodes of the surrounding shape have the values of a node expression
/// for the property.
fn read_values(reader: &mut Reader<'_>, property: NodeId, rules: &mut Vec<Rule>) {
    let values = reader.objects(property, sh::VALUES);
    if values.is_empty() || reader.boolean(property, sh::DEACTIVATED) {
        return;
    }
    let predicate = reader.one(property, sh::PATH).filter(|path| reader.dataset.is_iri(*path));
    let Some(predicate) = predicate else {
        reader.fault(property, "sh:values needs an IRI as the sh:path beside it");
        return;
    };
    for value in values {
        if let Some(object) = expression(reader, property, value) {
            let (subject, predicate) = (NodeExpression::This, NodeExpression::Constant(predicate));
            rules.push(Rule { order: 0.0, conditions: Vec::new(), head: Head::Triple { subject, predicate, object } });
        }
    }
}

fn head(reader: &mut Reader<'_>, shape: NodeId, node: NodeId) -> Option<Head> {
    if reader.is_javascript(node) {
        reader.not_run(shape, "a rule written in JavaScript is not run");
        return None;
    }
    if !reader.objects(node, sh::CONSTRUCT).is_empty() {
        let parse = |source: Source<'_>, known: PrebindContext<'_>| Prebound::parse_construct(source, known, &OPTIONAL);
        return reader.query(shape, node, sh::CONSTRUCT, &parse).map(Head::Construct);
    }
    let mut part = |predicate| {
        let value = reader.one(node, predicate)?;
        expression(reader, shape, value)
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
