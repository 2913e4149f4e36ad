//! SPARQL targets (SHACL Advanced Features §3): of one shape, or of a target type with parameters.

use super::dataset::{NodeId, ValidationData};
use super::evaluator::Evaluator;
use super::reader::Reader;
use super::sparql::parameter;
use super::vocab as sh;
use kgq_engine::query::prebind::{PrebindContext, Prebound};
use kgq_syntax::error::{Result, Source};
use kgq_syntax::rdf::{NamedNodeRef, Term};
use oxrdf::vocab::rdf;
use std::collections::BTreeMap;

/// A query that selects the focus nodes of a shape as `?this`.
pub(crate) struct SparqlTarget {
    query: Prebound,
    /// The values of its type's parameters, by name.
    arguments: BTreeMap<String, Term>,
}

impl SparqlTarget {
    pub fn nodes(&self, dataset: &ValidationData, evaluator: &Evaluator) -> Result<Vec<NodeId>> {
        let arguments = self.arguments.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let solutions = evaluator.ask(&self.query, &arguments, None)?;
        let selected = solutions.iter().filter_map(|solution| solution.get("this"));
        Ok(selected.map(|term| dataset.any_node(term)).collect())
    }
}

pub(super) fn read_targets(reader: &mut Reader<'_>, shape: NodeId) -> Vec<SparqlTarget> {
    let mut targets = Vec::new();
    for target in reader.objects(shape, sh::TARGET) {
        if reader.is_javascript(target) {
            reader.not_run(shape, "a target written in JavaScript is not run");
            continue;
        }
        if let Some(target) = read_target(reader, shape, target) {
            targets.push(target);
        }
    }
    targets
}

fn read_target(reader: &mut Reader<'_>, shape: NodeId, target: NodeId) -> Option<SparqlTarget> {
    let types = reader.instances(sh::SPARQL_TARGET_TYPE);
    let kind = reader.objects(target, rdf::TYPE).into_iter().find(|class| types.contains(class));
    // The query belongs to the target type, or else to the target itself.
    let (holder, arguments) = match kind {
        Some(kind) => (kind, arguments(reader, shape, kind, target)?),
        None => (target, BTreeMap::new()),
    };
    if reader.objects(holder, sh::SELECT).is_empty() {
        if reader.objects(holder, sh::ASK).is_empty() {
            reader.fault(shape, "a target needs sh:select, or a type that is a sh:SPARQLTargetType with sh:select");
        } else {
            reader.not_run(shape, "a target of sh:ask is not run; sh:select can say the same");
        }
        return None;
    }
    let names: Vec<&str> = arguments.keys().map(String::as_str).collect();
    let parse = |source: Source<'_>, known: PrebindContext<'_>| Prebound::parse_target(source, known, &names);
    let query = reader.query(shape, holder, sh::SELECT, &parse)?;
    Some(SparqlTarget { query, arguments })
}

/// The values that a target gives to the parameters of its type and of that type's superclasses.
fn arguments(reader: &mut Reader<'_>, shape: NodeId, kind: NodeId, target: NodeId) -> Option<BTreeMap<String, Term>> {
    let mut arguments = BTreeMap::new();
    for kind in reader.superclasses(kind) {
        for node in reader.objects(kind, sh::PARAMETER) {
            let parameter = parameter(reader, kind, node)?;
            let predicate = reader.dataset.as_iri(parameter.predicate)?;
            let values = reader.objects(target, NamedNodeRef::from(&predicate));
            match values[..] {
                [] if parameter.optional => {}
                [value] => {
                    arguments.insert(parameter.name, reader.dataset.term(value));
                }
                _ => {
                    let found = values.len();
                    reader.fault(
                        shape,
                        format!("the parameter {predicate} of a target has {found} values; it needs one"),
                    );
                    return None;
                }
            }
        }
    }
    Some(arguments)
}
