//! SPARQL constraints (SHACL 1.0 §5) and SPARQL constraint components (§6): reading them from a shapes graph.

use super::dataset::{NodeId, ValidationData};
use super::reader::{Reader, short};
use super::shape::Constraint;
use super::vocab as sh;
use kgq_engine::query::Form;
use kgq_engine::query::prebind::{PrebindContext, Prebound};
use kgq_syntax::error::Source;
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, Prefixes, Term, Variable};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// A value of `sh:sparql`.
pub(crate) struct SparqlConstraint {
    pub node: NodeId,
    pub query: Prebound,
    pub messages: Vec<Literal>,
}

/// A constraint component with a validator in SPARQL.
pub(crate) struct Component {
    pub iri: NodeId,
    pub parameters: Vec<Parameter>,
    /// Whether there is a validator in JavaScript.
    javascript: bool,
    for_nodes: Option<Validator>,
    for_properties: Option<Validator>,
    for_both: Option<Validator>,
}

pub(crate) struct Parameter {
    pub predicate: NodeId,
    pub name: String,
    pub optional: bool,
}

pub(crate) struct Validator {
    pub query: Prebound,
    pub messages: Vec<Literal>,
}

impl Component {
    /// Returns the validator for property shapes or for node shapes (§6.3): the specific one, else the one for both.
    pub fn validator(&self, has_path: bool) -> Option<&Validator> {
        if has_path { &self.for_properties } else { &self.for_nodes }.as_ref().or(self.for_both.as_ref())
    }

    /// Returns the values of the parameters by name; an optional parameter may have none.
    pub fn arguments<'a>(&'a self, values: &[Option<NodeId>], dataset: &ValidationData) -> BTreeMap<&'a str, Term> {
        let pairs = self.parameters.iter().zip(values);
        pairs.filter_map(|(p, value)| Some((p.name.as_str(), dataset.term((*value)?)))).collect()
    }
}

/// The remark on a component without a SPARQL validator for a shape that uses it.
fn only_javascript(component: &str) -> String {
    format!("the constraint {component} has a validator in JavaScript only, and is not run")
}

/// Names that a parameter cannot have, because these variables are bound otherwise (§6.2.1).
pub(super) const RESERVED: [&str; 6] = ["this", "shapesGraph", "currentShape", "path", "PATH", "value"];
/// Variables that every constraint may use.
pub(super) const OPTIONAL: [&str; 2] = ["shapesGraph", "currentShape"];

pub(super) fn read_components(reader: &mut Reader<'_>) -> Vec<Component> {
    let mut components = Vec::new();
    for iri in reader.instances(sh::CONSTRAINT_COMPONENT) {
        let parameters: Option<Vec<Parameter>> =
            reader.objects(iri, sh::PARAMETER).into_iter().map(|p| parameter(reader, iri, p)).collect();
        let kinds = [sh::NODE_VALIDATOR, sh::PROPERTY_VALIDATOR, sh::VALIDATOR];
        let javascript = kinds.into_iter().flat_map(|kind| reader.objects(iri, kind)).any(|v| reader.is_javascript(v));
        let Some(mut parameters) = parameters else { continue };
        parameters.sort_by_key(|p| p.predicate);
        if !parameters.iter().any(|p| !p.optional) {
            reader.fault(iri, "a constraint component needs a parameter that is not optional");
            continue;
        }
        let for_nodes = validator(reader, iri, sh::NODE_VALIDATOR, &parameters);
        let for_properties = validator(reader, iri, sh::PROPERTY_VALIDATOR, &parameters);
        let for_both = validator(reader, iri, sh::VALIDATOR, &parameters);
        components.push(Component { iri, parameters, javascript, for_nodes, for_properties, for_both });
    }
    components
}

pub(super) fn parameter(reader: &mut Reader<'_>, component: NodeId, node: NodeId) -> Option<Parameter> {
    let predicate = reader.one(node, sh::PATH).filter(|path| reader.dataset.is_iri(*path));
    let Some(predicate) = predicate else {
        reader.fault(component, "a parameter needs an IRI as its sh:path");
        return None;
    };
    let optional = reader.boolean(node, sh::OPTIONAL);
    let iri = reader.dataset.as_iri(predicate).map(NamedNode::into_string).unwrap_or_default();
    let name = iri.rsplit(['#', '/', ':']).next().unwrap_or_default().to_owned();
    if Variable::new(name.as_str()).is_err() || RESERVED.contains(&name.as_str()) {
        reader.fault(component, format!("the parameter `{name}` cannot be a variable of that name"));
        return None;
    }
    Some(Parameter { predicate, name, optional })
}

fn validator(
    reader: &mut Reader<'_>,
    component: NodeId,
    kind: NamedNodeRef<'_>,
    parameters: &[Parameter],
) -> Option<Validator> {
    // A JavaScript validator may exist beside the SPARQL one.
    let mut validators = reader.objects(component, kind);
    validators.retain(|validator| !reader.is_javascript(*validator));
    if validators.len() > 1 {
        reader.fault(component, format!("{} has several values in SPARQL", short(kind)));
    }
    let node = *validators.first()?;
    // A validator for both kinds of shapes checks each value node; for one kind only, the standard leaves open which
    // form is meant.
    let (property, form) = match [sh::SELECT, sh::ASK].map(|property| !reader.objects(node, property).is_empty()) {
        [_, true] if kind == sh::VALIDATOR => (sh::ASK, Form::Ask),
        [true, _] if kind != sh::VALIDATOR => (sh::SELECT, Form::Select),
        [false, true] => (sh::ASK, Form::Ask),
        [true, _] => {
            let words = "sh:validator needs sh:ask; a sh:select belongs to sh:nodeValidator or sh:propertyValidator";
            reader.fault(node, words);
            return None;
        }
        [false, false] => {
            reader.fault(node, "a validator needs sh:ask or sh:select");
            return None;
        }
    };
    let mut optional: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).chain(OPTIONAL).collect();
    if form == Form::Ask {
        optional.push("value");
    }
    let parse =
        |source: Source<'_>, known: PrebindContext<'_>| Prebound::parse(source, known, form, &["this"], &optional);
    let query = reader.query(node, node, property, &parse)?;
    Some(Validator { query, messages: reader.messages(node) })
}

/// Returns the prefixes declared by the values of `sh:prefixes` and by what those import (§5.2.2).
pub(super) fn prefixes(reader: &mut Reader<'_>, node: NodeId) -> Prefixes {
    let imports = NamedNodeRef::new_unchecked("http://www.w3.org/2002/07/owl#imports");
    let mut ontologies = reader.objects(node, sh::PREFIXES);
    let mut seen: FxHashSet<NodeId> = ontologies.iter().copied().collect();
    let mut at = 0;
    let mut found = Prefixes::default();
    while let Some(ontology) = ontologies.get(at).copied() {
        at += 1;
        ontologies.extend(reader.objects(ontology, imports).into_iter().filter(|o| seen.insert(*o)));
        for declaration in reader.objects(ontology, sh::DECLARE) {
            let (prefix, namespace) = (reader.text(declaration, sh::PREFIX), reader.text(declaration, sh::NAMESPACE));
            let (Some(prefix), Some(namespace)) = (prefix, namespace) else {
                reader.fault(ontology, "a declaration of a prefix needs sh:prefix and sh:namespace");
                continue;
            };
            if found.get(&prefix).is_some_and(|other| other != namespace) {
                reader.fault(node, format!("the prefix `{prefix}` is declared with two namespaces"));
            }
            found.insert(prefix, namespace);
        }
    }
    found
}

/// Reads the SPARQL constraints of one shape: its own, then those of the components whose parameters it has.
pub(super) fn read_constraints(
    reader: &mut Reader<'_>,
    shape: NodeId,
    has_path: bool,
    components: &[Component],
    found: &mut Vec<Constraint>,
) {
    for node in reader.objects(shape, sh::SPARQL) {
        if reader.boolean(node, sh::DEACTIVATED) {
            continue;
        }
        if reader.objects(node, sh::SELECT).is_empty() {
            reader.fault(node, "a constraint in SPARQL needs sh:select");
            continue;
        }
        let parse = |source: Source<'_>, known: PrebindContext<'_>| {
            Prebound::parse(source, known, Form::Select, &["this"], &OPTIONAL)
        };
        let Some(query) = reader.query(node, node, sh::SELECT, &parse) else { continue };
        found.push(Constraint::Sparql(Box::new(SparqlConstraint { node, query, messages: reader.messages(node) })));
    }
    for (index, component) in components.iter().enumerate() {
        let mut values: Vec<Vec<NodeId>> = Vec::with_capacity(component.parameters.len());
        for parameter in &component.parameters {
            values.push(reader.dataset.shapes.objects(shape, parameter.predicate));
        }
        if component.parameters.iter().zip(&values).any(|(p, v)| !p.optional && v.is_empty()) {
            continue;
        }
        if component.validator(has_path).is_none() {
            if component.javascript {
                let message = only_javascript(&reader.written(component.iri));
                reader.not_run(shape, message);
            }
            continue;
        }
        // A single parameter with several values makes several constraints; several parameters make one (§6.2.3).
        if let ([_], [values]) = (&component.parameters[..], &values[..]) {
            let one = |value: &NodeId| Constraint::Custom { component: index, arguments: vec![Some(*value)] };
            found.extend(values.iter().map(one));
        } else if values.iter().any(|v| v.len() > 1) {
            reader.fault(shape, "a parameter of a component with several parameters can have only one value");
        } else {
            let arguments = values.iter().map(|v| v.first().copied()).collect();
            found.push(Constraint::Custom { component: index, arguments });
        }
    }
}

/// Replaces `{?name}` and `{$name}` in a message by values (§5.3.2); a name without a value is kept as it is.
pub(super) fn fill(template: &Literal, value: impl Fn(&str) -> Option<String>) -> Literal {
    let mut text = String::new();
    let mut rest = template.value();
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        text.push_str(before);
        let name = from.find('}').map(|close| &from[1..close]);
        let variable = name.and_then(|n| n.strip_prefix(['?', '$']));
        match (name, variable.and_then(&value)) {
            (Some(name), Some(value)) => {
                text.push_str(&value);
                rest = &from[name.len() + 2..];
            }
            _ => {
                text.push('{');
                rest = &from[1..];
            }
        }
    }
    text.push_str(rest);
    match template.language() {
        Some(language) => Literal::new_language_tagged_literal_unchecked(text, language),
        None => Literal::new_simple_literal(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_the_values_that_there_are() {
        let template = Literal::new_simple_literal("{?a} is not {$b}, {?c} {x} {");
        let value = |name: &str| (name != "c").then(|| name.to_uppercase());
        assert_eq!(fill(&template, value).value(), "A is not B, {?c} {x} {");
    }
}
