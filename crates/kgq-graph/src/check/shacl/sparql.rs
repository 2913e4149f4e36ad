//! Constraints in SPARQL (SHACL 1.0 §5) and constraint components in SPARQL (§6): what they say, and how they are asked.

use super::dataset::{Dataset, Node, resolved};
use super::parse::{Reader, short};
use super::shape::Constraint;
use super::vocab as sh;
use kgq_engine::Limits;
use kgq_engine::expression::extension;
use kgq_engine::limits::Guard;
use kgq_engine::oxigraph::bounded;
use kgq_engine::query::prebind::{self, Prebound};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, Term, Triple, Variable};
use rustc_hash::FxHashSet;
use spareval::{QueryEvaluationError, QueryEvaluator, QueryResults};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value of `sh:sparql`.
pub(crate) struct SparqlConstraint {
    pub node: Node,
    pub query: Prebound,
    pub messages: Vec<Literal>,
}

/// A constraint component with a validator in SPARQL.
pub(crate) struct Component {
    pub iri: Node,
    pub parameters: Vec<Parameter>,
    /// Whether there is a validator in JavaScript.
    javascript: bool,
    for_nodes: Option<Validator>,
    for_properties: Option<Validator>,
    for_both: Option<Validator>,
}

pub(crate) struct Parameter {
    pub predicate: Node,
    pub name: String,
    pub optional: bool,
}

pub(crate) struct Validator {
    pub query: Prebound,
    pub messages: Vec<Literal>,
}

impl Component {
    /// The validator for property shapes or for node shapes (§6.3): its own, else the one for both.
    pub fn validator(&self, has_path: bool) -> Option<&Validator> {
        if has_path { &self.for_properties } else { &self.for_nodes }.as_ref().or(self.for_both.as_ref())
    }

    /// The values of the parameters by their names; an optional one may have none.
    pub fn arguments<'a>(&'a self, values: &[Option<Node>], dataset: &Dataset) -> BTreeMap<&'a str, Term> {
        let pairs = self.parameters.iter().zip(values);
        pairs.filter_map(|(p, value)| Some((p.name.as_str(), dataset.term((*value)?).clone()))).collect()
    }
}

/// What is said of a component that has no validator in SPARQL for a shape that uses it.
fn only_javascript(component: &str) -> String {
    format!("the constraint {component} has a validator in JavaScript only, and is not run")
}

/// Variables that a parameter cannot be called, since they are bound otherwise (§6.2.1).
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

pub(super) fn parameter(reader: &mut Reader<'_>, component: Node, node: Node) -> Option<Parameter> {
    let predicate = reader.one(node, sh::PATH).filter(|path| reader.dataset.as_iri(*path).is_some());
    let Some(predicate) = predicate else {
        reader.fault(component, "a parameter needs an IRI as its sh:path");
        return None;
    };
    let optional = reader.boolean(node, sh::OPTIONAL);
    let iri = reader.dataset.as_iri(predicate).map_or("", NamedNode::as_str);
    let name = iri.rsplit(['#', '/', ':']).next().unwrap_or_default().to_owned();
    if Variable::new(name.as_str()).is_err() || RESERVED.contains(&name.as_str()) {
        reader.fault(component, format!("the parameter `{name}` cannot be a variable of that name"));
        return None;
    }
    Some(Parameter { predicate, name, optional })
}

fn validator(
    reader: &mut Reader<'_>,
    component: Node,
    kind: NamedNodeRef<'_>,
    parameters: &[Parameter],
) -> Option<Validator> {
    // One in JavaScript may stand beside the one in SPARQL.
    let mut validators = reader.objects(component, kind);
    validators.retain(|validator| !reader.is_javascript(*validator));
    if validators.len() > 1 {
        reader.fault(component, format!("{} has several values in SPARQL", short(kind)));
    }
    let node = *validators.first()?;
    let wants_ask = kind == sh::VALIDATOR;
    let text = if wants_ask { reader.text(node, sh::ASK) } else { None }.or_else(|| reader.text(node, sh::SELECT));
    let Some(text) = text.or_else(|| reader.text(node, sh::ASK)) else {
        reader.fault(node, "a validator needs sh:ask or sh:select");
        return None;
    };
    let mut optional: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).chain(OPTIONAL).collect();
    if wants_ask {
        optional.push("value");
    }
    let query = query(reader, node, &text, &optional)?;
    if wants_ask && !query.is_ask() {
        reader.fault(
            node,
            "sh:validator needs an ASK query; a SELECT belongs to sh:nodeValidator or sh:propertyValidator",
        );
        return None;
    }
    Some(Validator { query, messages: reader.messages(node) })
}

fn query(reader: &mut Reader<'_>, node: Node, text: &str, optional: &[&str]) -> Option<Prebound> {
    let prefixes = prefixes(reader, node);
    match Prebound::parse(text, &prefixes, &["this"], optional) {
        Ok(query) => Some(query),
        Err(why) => {
            reader.fault(node, format!("the query cannot be used: {why}"));
            None
        }
    }
}

/// The prefixes that the values of `sh:prefixes`, and what those import, declare (§5.2.2).
pub(super) fn prefixes(reader: &mut Reader<'_>, node: Node) -> Vec<(String, String)> {
    let imports = NamedNodeRef::new_unchecked("http://www.w3.org/2002/07/owl#imports");
    let mut ontologies = reader.objects(node, sh::PREFIXES);
    let mut seen: FxHashSet<Node> = ontologies.iter().copied().collect();
    let mut at = 0;
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    while let Some(ontology) = ontologies.get(at).copied() {
        at += 1;
        ontologies.extend(reader.objects(ontology, imports).into_iter().filter(|o| seen.insert(*o)));
        for declaration in reader.objects(ontology, sh::DECLARE) {
            let (prefix, namespace) = (reader.text(declaration, sh::PREFIX), reader.text(declaration, sh::NAMESPACE));
            let (Some(prefix), Some(namespace)) = (prefix, namespace) else {
                reader.fault(ontology, "a declaration of a prefix needs sh:prefix and sh:namespace");
                continue;
            };
            if found.get(&prefix).is_some_and(|other| *other != namespace) {
                reader.fault(node, format!("the prefix `{prefix}` is declared with two namespaces"));
            }
            found.insert(prefix, namespace);
        }
    }
    found.into_iter().collect()
}

/// The constraints in SPARQL of one shape: its own, then those of the components whose parameters it has.
pub(super) fn read_constraints(
    reader: &mut Reader<'_>,
    shape: Node,
    has_path: bool,
    components: &[Component],
    found: &mut Vec<Constraint>,
) {
    for node in reader.objects(shape, sh::SPARQL) {
        if reader.boolean(node, sh::DEACTIVATED) {
            continue;
        }
        let Some(text) = reader.text(node, sh::SELECT) else {
            reader.fault(node, "a constraint in SPARQL needs sh:select");
            continue;
        };
        let Some(query) = query(reader, node, &text, &OPTIONAL) else { continue };
        if query.is_ask() {
            reader.fault(node, "sh:select needs a SELECT query");
            continue;
        }
        found.push(Constraint::Sparql(Box::new(SparqlConstraint { node, query, messages: reader.messages(node) })));
    }
    for (index, component) in components.iter().enumerate() {
        let mut values: Vec<Vec<Node>> = Vec::with_capacity(component.parameters.len());
        for parameter in &component.parameters {
            let predicate = reader.dataset.as_iri(parameter.predicate).map(NamedNode::as_ref);
            values.push(predicate.map(|p| reader.objects(shape, p)).unwrap_or_default());
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
        // One parameter with several values is several constraints; several parameters are one (§6.2.3).
        if let ([_], [values]) = (&component.parameters[..], &values[..]) {
            let one = |value: &Node| Constraint::Custom { component: index, arguments: vec![Some(*value)] };
            found.extend(values.iter().map(one));
        } else if values.iter().any(|v| v.len() > 1) {
            reader.fault(shape, "a parameter of a component with several parameters can have only one value");
        } else {
            let arguments = values.iter().map(|v| v.first().copied()).collect();
            found.push(Constraint::Custom { component: index, arguments });
        }
    }
}

/// The values of one solution, by the names of the variables.
pub(super) type Solution = BTreeMap<String, Term>;

/// Asks queries of a dataset.
pub(super) struct Evaluator<'d> {
    dataset: &'d Dataset,
    evaluator: QueryEvaluator,
    /// Of each query by itself.
    limits: Limits,
}

impl<'d> Evaluator<'d> {
    pub fn new(dataset: &'d Dataset, limits: Limits) -> Self {
        let mut evaluator = QueryEvaluator::new()
            .with_custom_function(prebind::blank_node_function(), prebind::call_blank_node_function);
        for (name, extension) in extension::all() {
            evaluator = evaluator.with_custom_function(name, move |arguments| extension.call(arguments));
        }
        Self { dataset, evaluator, limits }
    }

    /// The triples of a CONSTRUCT, as terms of the dataset where they are.
    pub fn construct(&self, query: &Prebound, values: &BTreeMap<&str, Term>) -> Result<Vec<Triple>> {
        let triples = self.run(query, values, None, |results| match results {
            QueryResults::Graph(triples) => triples.collect(),
            QueryResults::Solutions(_) | QueryResults::Boolean(_) => Ok(Vec::new()),
        })?;
        Ok(triples.into_iter().filter_map(resolved).collect())
    }

    /// The solutions of a SELECT, or for an ASK that is true one without values.
    pub fn ask(
        &self,
        query: &Prebound,
        values: &BTreeMap<&str, Term>,
        path: Option<&Path<NamedNode>>,
    ) -> Result<Vec<Solution>> {
        self.run(query, values, path, |results| match results {
            QueryResults::Solutions(solutions) => {
                let named = |(v, t): (&Variable, &Term)| (v.as_str().to_owned(), t.clone());
                solutions.map(|s| Ok(s?.iter().map(named).collect())).collect()
            }
            QueryResults::Boolean(true) => Ok(vec![Solution::new()]),
            QueryResults::Boolean(false) | QueryResults::Graph(_) => Ok(Vec::new()),
        })
    }

    fn run<T>(
        &self,
        query: &Prebound,
        values: &BTreeMap<&str, Term>,
        path: Option<&Path<NamedNode>>,
        read: impl FnOnce(QueryResults<'_>) -> Result<T, QueryEvaluationError>,
    ) -> Result<T> {
        let query = query.bind(values, path);
        let guard = Arc::new(Guard::new(&self.limits, Arc::default()));
        bounded(&guard, |token| {
            let evaluator = self.evaluator.clone().with_cancellation_token(token);
            read(evaluator.prepare(&query).execute(self.dataset)?)
        })
    }
}

/// A message with `{?name}` and `{$name}` replaced by values (§5.3.2); a name without a value stays as it is.
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
