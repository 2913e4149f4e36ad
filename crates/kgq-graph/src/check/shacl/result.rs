//! Turns what a constraint finds into a result of the report (SHACL 1.0 §3.6), and words it.

use super::dataset::NodeId;
use super::report::ValidationResult;
use super::shape::{Bound, Constraint, Shape, ShapeId};
use super::validate::{At, Validation};
use super::vocab as sh;
use kgq_syntax::rdf::path::Path;
use kgq_syntax::rdf::{Literal, NamedNode, Term};

impl Validation<'_> {
    pub fn fail(&mut self, constraint: &Constraint, at: At<'_>, value: Option<NodeId>, why: String) {
        let value = value.map(|node| self.dataset.term(node));
        let result = self.result(constraint, at, value, why);
        self.push(result);
    }

    /// Reports a violation under another component, for the constraint that stands for two components.
    pub fn fail_as(&mut self, component: &str, constraint: &Constraint, at: At<'_>, why: String) {
        let mut result = self.result(constraint, at, None, why);
        result.component = core_component(component);
        self.push(result);
    }

    pub fn result(&self, constraint: &Constraint, at: At<'_>, value: Option<Term>, why: String) -> ValidationResult {
        let (component, source) = match constraint {
            Constraint::Custom { component, .. } => (self.iri(self.shapes.components[*component].iri), None),
            Constraint::Sparql(sparql) => (core_component("SPARQL"), Some(self.dataset.term(sparql.node))),
            Constraint::Expression(expression) => {
                (core_component("Expression"), Some(self.dataset.term(expression.node)))
            }
            _ => (core_component(component_name(constraint)), None),
        };
        let messages = match &at.shape.messages[..] {
            [] => vec![Literal::new_simple_literal(why.as_str())],
            own => own.to_vec(),
        };
        ValidationResult {
            focus: self.dataset.term(at.focus),
            path: self.path(at.shape),
            value,
            shape: self.dataset.term(at.shape.node),
            named_shape: self.stack.iter().rev().find_map(|(id, _)| self.dataset.as_iri(self.shapes.get(*id).node)),
            component,
            constraint: source,
            severity: at.shape.severity.map_or_else(|| sh::VIOLATION.into_owned(), |s| self.iri(s)),
            messages,
            explanation: why,
        }
    }

    pub fn iri(&self, node: NodeId) -> NamedNode {
        self.dataset.as_iri(node).unwrap_or_else(|| sh::CONSTRAINT_COMPONENT.into_owned())
    }

    pub fn path(&self, shape: &Shape) -> Option<Path<NamedNode>> {
        shape.path.as_ref().map(|path| path.written.map(&mut |p| self.iri(*p)))
    }

    pub fn named(&self, node: NodeId) -> String {
        (self.name)(&self.dataset.term(node))
    }

    /// Returns text such as `2 values of ex:p`.
    pub fn counted(&self, at: At<'_>) -> String {
        let path = at.shape.path.as_ref().map(|path| path.written.map(&mut |p| self.named(*p)).to_string());
        let noun = if at.values.len() == 1 { "value" } else { "values" };
        format!("{} {noun} of {}", at.values.len(), path.unwrap_or_default())
    }

    /// Names a shape, or describes it by its path if it is a blank node.
    pub fn shape_named(&self, id: ShapeId) -> String {
        let shape = self.shapes.get(id);
        match (self.dataset.as_iri(shape.node), &shape.path) {
            (None, Some(path)) => format!("the shape of {}", path.written.map(&mut |p| self.named(*p))),
            (None, None) => "an unnamed shape".into(),
            (Some(_), _) => self.named(shape.node),
        }
    }
}

fn core_component(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("http://www.w3.org/ns/shacl#{name}ConstraintComponent"))
}

/// The name of the component without `ConstraintComponent`.
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
        Constraint::Expression(_) => "Expression",
        Constraint::Custom { .. } => "Custom",
    }
}
