//! Reads shapes from a shapes graph. Ill-formed parts (SHACL 1.0, appendix A and the "syntax rules" of each section)
//! and parts that cannot be run are listed; the rest remains valid.

use super::dataset::{NodeId, ValidationData};
use super::expression::expression;
use super::function;
use super::reader::{Reader, Texts, short};
use super::rule::{self, Rule};
use super::shape::{Bound, Constraint, ExpressionConstraint, NodeKind, Qualified, Shape, ShapeId, Shapes, Target};
use super::sparql::{self, Component};
use super::target;
use super::values::ValuePath;
use super::vocab as sh;
use kgq_syntax::rdf::NamedNodeRef;
use kgq_syntax::rdf::path::Path;
use kgq_syntax::xpath_regex::compile;
use oxrdf::vocab::{rdf, rdfs};
use rustc_hash::FxHashSet;
use std::sync::Arc;

impl Shapes {
    /// Reads the shapes of the dataset's shapes graph. This never fails as a whole: see `ill_formed`.
    pub fn parse(dataset: &ValidationData, texts: Texts<'_>) -> Self {
        let mut reader = Reader::new(dataset, texts);
        // First, because any query can call a function.
        reader.functions = function::read_signatures(&mut reader);
        let functions = Arc::new(function::read_functions(&mut reader));
        let components = sparql::read_components(&mut reader);
        for root in reader.roots(&components) {
            reader.shape_id(root);
        }
        let mut shapes = Vec::new();
        // Reading a shape queues the shapes that it refers to, so that nesting costs no stack.
        while let Some(node) = reader.queue.get(shapes.len()) {
            shapes.push(reader.shape(*node, &components));
        }
        reader.check_references(&shapes);
        let (ill_formed, not_run) = reader.remarks();
        Self { shapes, components, functions, ill_formed, not_run }
    }
}

/// The deepest nesting of paths that is read.
const MAX_PATH_DEPTH: usize = 64;
/// The most paths read within one: a path may be used in many places, and they are read as a tree.
const MAX_PATHS: usize = 10_000;

const VALUE_PARAMETERS: [NamedNodeRef<'static>; 30] = [
    sh::CLASS,
    sh::DATATYPE,
    sh::NODE_KIND,
    sh::MIN_COUNT,
    sh::MAX_COUNT,
    sh::MIN_EXCLUSIVE,
    sh::MIN_INCLUSIVE,
    sh::MAX_EXCLUSIVE,
    sh::MAX_INCLUSIVE,
    sh::MIN_LENGTH,
    sh::MAX_LENGTH,
    sh::PATTERN,
    sh::LANGUAGE_IN,
    sh::UNIQUE_LANG,
    sh::EQUALS,
    sh::DISJOINT,
    sh::LESS_THAN,
    sh::LESS_THAN_OR_EQUALS,
    sh::NOT,
    sh::AND,
    sh::OR,
    sh::XONE,
    sh::NODE,
    sh::PROPERTY,
    sh::QUALIFIED_VALUE_SHAPE,
    sh::CLOSED,
    sh::HAS_VALUE,
    sh::IN,
    sh::SPARQL,
    sh::EXPRESSION,
];

impl Reader<'_> {
    fn roots(&self, components: &[Component]) -> Vec<NodeId> {
        let mut roots = self.instances(sh::NODE_SHAPE);
        roots.extend(self.instances(sh::PROPERTY_SHAPE));
        for target in
            [sh::TARGET_NODE, sh::TARGET_CLASS, sh::TARGET_SUBJECTS_OF, sh::TARGET_OBJECTS_OF, sh::TARGET, sh::RULE]
        {
            roots.extend(self.subjects_of(target));
        }
        // A class that has a constraint parameter is a shape even if it is not declared as one.
        let parameters: FxHashSet<NodeId> = VALUE_PARAMETERS
            .iter()
            .filter_map(|p| self.dataset.iri(*p))
            .chain(components.iter().flat_map(|c| c.parameters.iter().map(|p| p.predicate)))
            .collect();
        let constrained = |class: &NodeId| self.dataset.shapes.properties(*class).any(|(p, _)| parameters.contains(&p));
        roots.extend(self.classes().into_iter().filter(constrained));
        roots.sort_unstable();
        roots.dedup();
        roots
    }

    /// The classes in the shapes graph. OWL classes count even if nothing says that `owl:Class` is a class.
    fn classes(&self) -> Vec<NodeId> {
        let mut classes = self.instances(rdfs::CLASS);
        classes.extend(self.instances(NamedNodeRef::new_unchecked("http://www.w3.org/2002/07/owl#Class")));
        classes
    }

    fn shape(&mut self, node: NodeId, components: &[Component]) -> Shape {
        let mut deactivated = self.boolean(node, sh::DEACTIVATED);
        let path = self.one(node, sh::PATH).map(|path| self.path(node, path, 0));
        // Without its path a property shape would mean something else.
        deactivated |= matches!(path, Some(None));
        let path = path.flatten().map(ValuePath::new);
        let severities = self.iris(node, sh::SEVERITY);
        if severities.len() > 1 {
            self.fault(node, "sh:severity can have only one value");
        }
        let constraints = self.constraints(node, path.is_some(), components);
        let rules: Vec<Rule> = rule::read_rules(self, node);
        Shape {
            node,
            path,
            targets: self.targets(node),
            constraints,
            rules,
            severity: severities.first().copied(),
            messages: self.messages(node),
            deactivated,
        }
    }

    fn targets(&mut self, node: NodeId) -> Vec<Target> {
        let mut targets = Vec::new();
        targets.extend(self.objects(node, sh::TARGET_NODE).into_iter().map(Target::Node));
        targets.extend(self.iris(node, sh::TARGET_CLASS).into_iter().map(Target::Class));
        targets.extend(self.iris(node, sh::TARGET_SUBJECTS_OF).into_iter().map(Target::SubjectsOf));
        targets.extend(self.iris(node, sh::TARGET_OBJECTS_OF).into_iter().map(Target::ObjectsOf));
        let is_class = |class| self.dataset.is_instance(&self.dataset.shapes, node, class);
        let classes = [rdfs::CLASS, NamedNodeRef::new_unchecked("http://www.w3.org/2002/07/owl#Class")];
        if self.dataset.is_iri(node) && classes.into_iter().filter_map(|c| self.dataset.iri(c)).any(is_class) {
            targets.push(Target::Class(node));
        }
        targets.extend(target::read_targets(self, node).into_iter().map(|t| Target::Sparql(Box::new(t))));
        targets
    }

    pub fn path(&mut self, shape: NodeId, path: NodeId, depth: usize) -> Option<Path<NodeId>> {
        if depth > MAX_PATH_DEPTH {
            self.fault(shape, "the path of the shape runs in a circle, or is nested too deeply");
            return None;
        }
        self.paths_read = if depth == 0 { 1 } else { self.paths_read + 1 };
        if self.paths_read > MAX_PATHS {
            self.fault(shape, format!("the path of the shape has more than {MAX_PATHS} parts"));
            return None;
        }
        if self.dataset.is_iri(path) {
            return Some(Path::Predicate(path));
        }
        if !self.objects(path, rdf::FIRST).is_empty() {
            let steps = self.paths(shape, sh::PATH, path, depth)?;
            return Some(Path::Sequence(steps));
        }
        if let Some(list) = self.one(path, sh::ALTERNATIVE_PATH) {
            let branches = self.paths(shape, sh::ALTERNATIVE_PATH, list, depth)?;
            return Some(Path::Alternative(branches));
        }
        type Wrap = fn(Box<Path<NodeId>>) -> Path<NodeId>;
        let operators: [(_, Wrap); 4] = [
            (sh::INVERSE_PATH, Path::Inverse),
            (sh::ZERO_OR_MORE_PATH, Path::ZeroOrMore),
            (sh::ONE_OR_MORE_PATH, Path::OneOrMore),
            (sh::ZERO_OR_ONE_PATH, Path::ZeroOrOne),
        ];
        for (predicate, wrap) in operators {
            if let Some(inner) = self.one(path, predicate) {
                return self.path(shape, inner, depth + 1).map(|inner| wrap(Box::new(inner)));
            }
        }
        self.fault(shape, "sh:path needs an IRI, a list or one of SHACL's path operators");
        None
    }

    fn paths(
        &mut self,
        shape: NodeId,
        what: NamedNodeRef<'_>,
        list: NodeId,
        depth: usize,
    ) -> Option<Vec<Path<NodeId>>> {
        let members = self.list(shape, what, list)?;
        if members.len() < 2 {
            self.fault(shape, format!("the list of {} needs two members", short(what)));
            return None;
        }
        members.into_iter().map(|member| self.path(shape, member, depth + 1)).collect()
    }

    fn constraints(&mut self, node: NodeId, has_path: bool, components: &[Component]) -> Vec<Constraint> {
        let mut found = Vec::new();
        if !has_path {
            self.reject_on_node_shapes(node);
        }
        self.value_constraints(node, &mut found);
        self.pair_constraints(node, &mut found);
        self.logical_constraints(node, &mut found);
        if has_path {
            found.extend(self.count(node, sh::MIN_COUNT).map(Constraint::MinCount));
            found.extend(self.count(node, sh::MAX_COUNT).map(Constraint::MaxCount));
            self.qualified_constraints(node, &mut found);
        }
        if self.boolean(node, sh::CLOSED) {
            let allowed = self.allowed_predicates(node);
            found.push(Constraint::Closed(allowed));
        }
        found.extend(self.objects(node, sh::HAS_VALUE).into_iter().map(Constraint::HasValue));
        for list in self.objects(node, sh::IN) {
            found.extend(self.list(node, sh::IN, list).map(Constraint::In));
        }
        sparql::read_constraints(self, node, has_path, components, &mut found);
        if !self.objects(node, sh::JS).is_empty() {
            self.not_run(node, "a constraint of sh:js, which is JavaScript, is not run");
        }
        for value in self.objects(node, sh::EXPRESSION) {
            if self.boolean(value, sh::DEACTIVATED) {
                continue;
            }
            if let Some(expression) = expression(self, node, value) {
                let messages = self.messages(value);
                let constraint = ExpressionConstraint { node: value, expression, messages };
                found.push(Constraint::Expression(Box::new(constraint)));
            }
        }
        found
    }

    fn reject_on_node_shapes(&mut self, node: NodeId) {
        let only_with_path = [
            sh::MIN_COUNT,
            sh::MAX_COUNT,
            sh::UNIQUE_LANG,
            sh::LESS_THAN,
            sh::LESS_THAN_OR_EQUALS,
            sh::QUALIFIED_VALUE_SHAPE,
        ];
        for parameter in only_with_path {
            if !self.objects(node, parameter).is_empty() {
                self.fault(node, format!("{} needs a property shape, with sh:path", short(parameter)));
            }
        }
    }

    fn value_constraints(&mut self, node: NodeId, found: &mut Vec<Constraint>) {
        found.extend(self.iris(node, sh::CLASS).into_iter().map(Constraint::Class));
        if self.one(node, sh::DATATYPE).is_some() {
            found.extend(self.iris(node, sh::DATATYPE).into_iter().map(Constraint::Datatype));
        }
        if let Some(kind) = self.one(node, sh::NODE_KIND) {
            match self.node_kind(kind) {
                Some(kind) => found.push(Constraint::NodeKind(kind)),
                None => self.fault(node, "sh:nodeKind needs one of SHACL's six kinds, such as sh:IRI"),
            }
        }
        for (parameter, bound) in [
            (sh::MIN_EXCLUSIVE, Bound::MinExclusive),
            (sh::MIN_INCLUSIVE, Bound::MinInclusive),
            (sh::MAX_EXCLUSIVE, Bound::MaxExclusive),
            (sh::MAX_INCLUSIVE, Bound::MaxInclusive),
        ] {
            if let Some(value) = self.one(node, parameter) {
                match self.literal(value) {
                    Some(literal) => found.push(Constraint::Bound(bound, literal)),
                    None => self.fault(node, format!("{} needs a literal", short(parameter))),
                }
            }
        }
        found.extend(self.count(node, sh::MIN_LENGTH).map(Constraint::MinLength));
        found.extend(self.count(node, sh::MAX_LENGTH).map(Constraint::MaxLength));
        let flags = self.text(node, sh::FLAGS).unwrap_or_default();
        for pattern in self.objects(node, sh::PATTERN) {
            let Some(text) = self.literal(pattern).map(|l| l.value().to_owned()) else {
                self.fault(node, "sh:pattern needs a string");
                continue;
            };
            match compile(&text, &flags) {
                Ok(regex) => found.push(Constraint::Pattern { regex, text }),
                Err(fault) => self.fault(node, format!("sh:pattern `{text}`: {}", fault.message)),
            }
        }
        if let Some(head) = self.one(node, sh::LANGUAGE_IN)
            && let Some(tags) = self.list(node, sh::LANGUAGE_IN, head)
        {
            let tags = tags.into_iter().filter_map(|t| self.literal(t)).map(|l| l.value().to_ascii_lowercase());
            found.push(Constraint::LanguageIn(tags.collect()));
        }
    }

    fn node_kind(&self, kind: NodeId) -> Option<NodeKind> {
        let kinds = [
            (sh::IRI, NodeKind::Iri),
            (sh::BLANK_NODE, NodeKind::BlankNode),
            (sh::LITERAL, NodeKind::Literal),
            (sh::BLANK_NODE_OR_IRI, NodeKind::BlankNodeOrIri),
            (sh::BLANK_NODE_OR_LITERAL, NodeKind::BlankNodeOrLiteral),
            (sh::IRI_OR_LITERAL, NodeKind::IriOrLiteral),
        ];
        let iri = self.dataset.as_iri(kind)?;
        kinds.into_iter().find(|(name, _)| *name == iri.as_ref()).map(|(_, kind)| kind)
    }

    fn pair_constraints(&mut self, node: NodeId, found: &mut Vec<Constraint>) {
        if self.boolean(node, sh::UNIQUE_LANG) {
            found.push(Constraint::UniqueLang);
        }
        found.extend(self.iris(node, sh::EQUALS).into_iter().map(Constraint::Equals));
        found.extend(self.iris(node, sh::DISJOINT).into_iter().map(Constraint::Disjoint));
        found.extend(self.iris(node, sh::LESS_THAN).into_iter().map(Constraint::LessThan));
        found.extend(self.iris(node, sh::LESS_THAN_OR_EQUALS).into_iter().map(Constraint::LessThanOrEquals));
    }

    fn logical_constraints(&mut self, node: NodeId, found: &mut Vec<Constraint>) {
        for (parameter, one) in [
            (sh::NOT, Constraint::Not as fn(ShapeId) -> Constraint),
            (sh::NODE, Constraint::Node),
            (sh::PROPERTY, Constraint::Property),
        ] {
            for shape in self.objects(node, parameter) {
                if self.literal(shape).is_some() {
                    self.fault(node, format!("{} needs a shape, not a literal", short(parameter)));
                } else {
                    found.push(one(self.shape_id(shape)));
                }
            }
        }
        for (parameter, several) in [
            (sh::AND, Constraint::And as fn(Vec<ShapeId>) -> Constraint),
            (sh::OR, Constraint::Or),
            (sh::XONE, Constraint::Xone),
        ] {
            for head in self.objects(node, parameter) {
                if let Some(members) = self.list(node, parameter, head) {
                    found.push(several(self.shape_ids(members)));
                }
            }
        }
    }

    fn qualified_constraints(&mut self, node: NodeId, found: &mut Vec<Constraint>) {
        let shapes = self.objects(node, sh::QUALIFIED_VALUE_SHAPE);
        if shapes.is_empty() {
            return;
        }
        let (min, max) = (self.count(node, sh::QUALIFIED_MIN_COUNT), self.count(node, sh::QUALIFIED_MAX_COUNT));
        if min.is_none() && max.is_none() {
            self.fault(node, "sh:qualifiedValueShape needs sh:qualifiedMinCount or sh:qualifiedMaxCount");
        }
        let disjoint = self.boolean(node, sh::QUALIFIED_VALUE_SHAPES_DISJOINT);
        for shape in shapes {
            let siblings = if disjoint { self.siblings(node, shape) } else { Vec::new() };
            let siblings = self.shape_ids(siblings);
            found.push(Constraint::QualifiedValueShape(Qualified { shape: self.shape_id(shape), siblings, min, max }));
        }
    }

    /// The other qualified value shapes of the shapes that have this one as a property (§4.7.3, "sibling shapes").
    fn siblings(&self, node: NodeId, shape: NodeId) -> Vec<NodeId> {
        let property = self.dataset.iri(sh::PROPERTY);
        let parents = property.into_iter().flat_map(|p| self.dataset.shapes.subjects(p, node));
        let mut siblings: Vec<NodeId> = parents
            .flat_map(|parent| self.objects(parent, sh::PROPERTY))
            .flat_map(|property| self.objects(property, sh::QUALIFIED_VALUE_SHAPE))
            .filter(|sibling| *sibling != shape)
            .collect();
        siblings.sort_unstable();
        siblings.dedup();
        siblings
    }

    fn allowed_predicates(&mut self, node: NodeId) -> FxHashSet<NodeId> {
        let properties = self.objects(node, sh::PROPERTY);
        let mut allowed: FxHashSet<NodeId> = properties
            .into_iter()
            .flat_map(|property| self.objects(property, sh::PATH))
            .filter(|path| self.dataset.is_iri(*path))
            .collect();
        if let Some(head) = self.one(node, sh::IGNORED_PROPERTIES) {
            allowed.extend(self.list(node, sh::IGNORED_PROPERTIES, head).unwrap_or_default());
        }
        allowed
    }

    /// Checks what can be decided only when all shapes are read.
    fn check_references(&mut self, shapes: &[Shape]) {
        for shape in shapes {
            for constraint in &shape.constraints {
                match constraint {
                    Constraint::Property(id) if shapes[id.0].path.is_none() && !shapes[id.0].deactivated => {
                        self.fault(shapes[id.0].node, "a value of sh:property needs sh:path");
                    }
                    Constraint::Node(id) if shapes[id.0].path.is_some() => {
                        self.fault(shape.node, "sh:node needs a node shape, without sh:path; use sh:property");
                    }
                    _ => {}
                }
            }
        }
    }
}
