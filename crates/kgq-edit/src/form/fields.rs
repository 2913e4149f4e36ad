//! The fields of a thing.

use super::nodes::{self, DEEPEST};
use super::statements::Statements;
use kgq_graph::graph::Graph;
use kgq_snapshot::{TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{rdf, rdfs, skos};
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term};
use rustc_hash::{FxHashMap, FxHashSet};

const SH: &str = "http://www.w3.org/ns/shacl#";
/// The number of properties of other members that are offered where no shape lists any.
const MOST_OFFERED: usize = 20;

/// How deep new values can be nested in new values.
const DEEPEST_NEW: usize = 2;

/// A property as a form shows it.
#[derive(Clone, Debug)]
pub struct Field {
    pub property: NamedNode,
    /// Its names in a shape, in several languages.
    pub names: Vec<Literal>,
    pub descriptions: Vec<Literal>,
    pub datatype: Option<NamedNode>,
    pub class: Option<NamedNode>,
    /// The datatype of most values of the property in the graph, if no shape gives one.
    pub usual: Option<NamedNode>,
    /// Whether values are things (IRIs).
    pub of_things: bool,
    /// The allowed values, if a shape lists them.
    pub choices: Vec<Term>,
    pub min: Option<u64>,
    pub max: Option<u64>,
    pub facts: Vec<FieldValue>,
    /// The fields of a new value without a name, if a shape says that values are blank nodes.
    pub nested: Vec<Field>,
    /// Whether a shape says that values are blank nodes.
    of_unnamed: bool,
    /// The shapes that values must conform to.
    shapes: Vec<NamedOrBlankNode>,
}

/// A present value.
#[derive(Clone, Debug)]
pub struct FieldValue {
    pub object: Term,
    /// What it is derived from: citations, or statements.
    pub sources: Vec<NamedNode>,
    /// The contents of a value without a name.
    pub node: Option<NestedValue>,
}

/// A value without a name.
#[derive(Clone, Debug)]
pub struct NestedValue {
    /// The key that tells it from other values.
    pub key: String,
    /// Its fields; empty for a list and for a value that is nested too deep: these are changed in the files.
    pub fields: Vec<Field>,
    pub is_list: bool,
}

impl Field {
    fn of(property: NamedNode) -> Self {
        Self {
            property,
            names: Vec::new(),
            descriptions: Vec::new(),
            datatype: None,
            usual: None,
            class: None,
            of_things: false,
            choices: Vec::new(),
            min: None,
            max: None,
            facts: Vec::new(),
            nested: Vec::new(),
            of_unnamed: false,
            shapes: Vec::new(),
        }
    }

    /// Whether values are texts with a language.
    pub fn has_languages(&self) -> bool {
        let lang = |datatype: &NamedNode| datatype.as_ref() == oxrdf::vocab::rdf::LANG_STRING;
        let tagged = |fact: &FieldValue| matches!(&fact.object, Term::Literal(literal) if literal.language().is_some());
        [rdfs::LABEL, skos::PREF_LABEL, skos::ALT_LABEL].contains(&self.property.as_ref())
            || self.datatype.as_ref().or(self.usual.as_ref()).is_some_and(lang)
            || self.facts.iter().any(tagged)
    }

    /// Whether one more value is allowed.
    pub(crate) fn takes_more(&self) -> bool {
        self.max.is_none_or(|max| (self.facts.len() as u64) < max)
    }
}

/// Returns the fields of a thing: its labels first, then those of its shapes, then its other properties.
///
/// # Errors
/// Those of the graph's files.
pub fn fields(graph: &Graph, thing: &NamedNode) -> Result<Vec<Field>> {
    let statements = Statements::of(graph.snapshot()?);
    let facts = Facts(&statements);
    let thing = NamedOrBlankNode::from(thing.clone());
    let own = facts.0.about(&thing);
    let is_said = |label: &NamedNodeRef<'_>| own.iter().any(|quad| quad.predicate.as_ref() == *label);
    let label = [skos::PREF_LABEL, rdfs::LABEL].into_iter().find(is_said);
    let classes = facts.classes(&thing);
    let mut fields = facts.of_classes(label.unwrap_or(rdfs::LABEL), &classes, Some(&thing));
    facts.fill(&mut fields, &thing, 0);
    facts.as_others(&mut fields);
    graph.intact()?;
    Ok(fields)
}

/// Returns the fields of a new thing of this class.
///
/// # Errors
/// Those of the graph's files.
pub fn fields_of_new(graph: &Graph, class: &NamedNode) -> Result<Vec<Field>> {
    let statements = Statements::of(graph.snapshot()?);
    let facts = Facts(&statements);
    let snapshot = statements.snapshot;
    let members = statements.with_value(rdf::TYPE, class).into_iter().map(|[member, ..]| member);
    let members: Vec<TermId> = members.filter(|member| snapshot.kind(*member) == TermKind::Iri).collect();
    let uses = |label: &NamedNodeRef<'_>| {
        let property = snapshot.id((*label).into());
        let has = |member: &&TermId| property.is_some() && snapshot.has([Some(**member), property, None]);
        members.iter().filter(has).count()
    };
    // `max_by_key` takes the last of equals.
    let label = [skos::PREF_LABEL, rdfs::LABEL].into_iter().max_by_key(uses);
    let classes = facts.with_above(vec![class.clone()]);
    let mut fields = facts.of_classes(label.unwrap_or(rdfs::LABEL), &classes, None);
    fields.retain(|field| field.property.as_ref() != rdf::TYPE);
    facts.as_others(&mut fields);
    graph.intact()?;
    Ok(fields)
}

/// The field of a property; it is added if there is none.
fn named<'f>(fields: &'f mut Vec<Field>, property: &NamedNode) -> &'f mut Field {
    let at = fields.iter().position(|field| field.property == *property).unwrap_or_else(|| {
        fields.push(Field::of(property.clone()));
        fields.len() - 1
    });
    &mut fields[at]
}

/// Calls `take` with each field and the fields of the values within.
fn each(fields: &mut [Field], take: &mut dyn FnMut(&mut Field)) {
    for field in fields {
        take(field);
        each(&mut field.nested, take);
        field.facts.iter_mut().filter_map(|fact| fact.node.as_mut()).for_each(|node| each(&mut node.fields, take));
    }
}

/// The statements of the graph from which fields are made.
struct Facts<'g>(&'g Statements<'g>);

impl<'g> Facts<'g> {
    fn objects<'s>(&'s self, subject: &NamedOrBlankNode, property: &'s str) -> impl Iterator<Item = &'g Term> + 's {
        let of = self.0.about(subject).iter();
        of.filter(move |quad| quad.predicate.as_str() == property).map(|quad| &quad.object)
    }

    /// The fields of members of classes, a label first: those of the shapes, else the properties of other members.
    fn of_classes(
        &self,
        label: NamedNodeRef<'_>,
        classes: &[NamedNode],
        thing: Option<&NamedOrBlankNode>,
    ) -> Vec<Field> {
        let mut fields = vec![Field::of(label.into_owned())];
        let shapes: Vec<NamedOrBlankNode> = classes.iter().flat_map(|class| self.shapes(class)).collect();
        self.add_shapes(&mut fields, &shapes, 0);
        if fields.len() == 1 {
            for property in self.offered(classes, thing) {
                named(&mut fields, &property);
            }
        }
        fields
    }

    /// Fills the fields with the statements about a node.
    fn fill(&self, fields: &mut Vec<Field>, subject: &NamedOrBlankNode, depth: usize) {
        let unnamed = nodes::unnamed(self.0, subject);
        for quad in self.0.about(subject) {
            let field = named(fields, &quad.predicate);
            if field.facts.iter().any(|known| known.object == quad.object) {
                continue;
            }
            let key = unnamed.iter().find(|(_, own, _)| std::ptr::eq(*own, quad));
            let node = key.map(|(key, _, node)| self.node(key, &(*node).clone().into(), &field.shapes, depth + 1));
            field.of_things |= matches!(quad.object, Term::NamedNode(_));
            field.facts.push(FieldValue { object: quad.object.clone(), sources: self.sources(quad), node });
        }
    }

    fn node(&self, key: &str, node: &NamedOrBlankNode, shapes: &[NamedOrBlankNode], depth: usize) -> NestedValue {
        let is_list = self.objects(node, oxrdf::vocab::rdf::FIRST.as_str()).next().is_some();
        let mut fields = Vec::new();
        if depth < DEEPEST && !is_list {
            let of_classes = self.classes(node);
            let of_classes = of_classes.iter().flat_map(|class| self.shapes(class));
            let shapes: Vec<NamedOrBlankNode> = shapes.iter().cloned().chain(of_classes).collect();
            self.add_shapes(&mut fields, &shapes, depth);
            self.fill(&mut fields, node, depth);
        }
        NestedValue { key: key.to_owned(), fields, is_list }
    }

    /// The classes of a thing and their superclasses.
    fn classes(&self, thing: &NamedOrBlankNode) -> Vec<NamedNode> {
        self.with_above(self.named(thing, rdf::TYPE.as_str()))
    }

    fn named(&self, subject: &NamedOrBlankNode, property: &str) -> Vec<NamedNode> {
        self.objects(subject, property).filter_map(|term| NamedNode::try_from(term.clone()).ok()).collect()
    }

    /// Classes and their superclasses.
    fn with_above(&self, mut classes: Vec<NamedNode>) -> Vec<NamedNode> {
        let mut next = 0;
        while let Some(class) = classes.get(next).cloned() {
            for above in self.named(&class.into(), rdfs::SUB_CLASS_OF.as_str()) {
                if !classes.contains(&above) {
                    classes.push(above);
                }
            }
            next += 1;
        }
        classes
    }

    /// The shapes of members of a class.
    fn shapes(&self, class: &NamedNode) -> Vec<NamedOrBlankNode> {
        let target = format!("{SH}targetClass");
        let targets = self.0.with_value(NamedNodeRef::new_unchecked(&target), class).into_iter();
        let shapes = targets.filter_map(|[shape, ..]| NamedOrBlankNode::try_from(self.0.snapshot.term(shape)).ok());
        shapes.chain([class.clone().into()]).collect()
    }

    fn nodes(&self, subject: &NamedOrBlankNode, property: &str) -> Vec<NamedOrBlankNode> {
        let terms = self.objects(subject, property);
        terms.filter_map(|term| NamedOrBlankNode::try_from(term.clone()).ok()).collect()
    }

    /// Adds the fields of shapes, and of the shapes that they include by `sh:node`.
    fn add_shapes(&self, fields: &mut Vec<Field>, shapes: &[NamedOrBlankNode], depth: usize) {
        let (property, node) = (format!("{SH}property"), format!("{SH}node"));
        let mut all = shapes.to_vec();
        let mut next = 0;
        while let Some(shape) = all.get(next).cloned() {
            self.nodes(&shape, &property).iter().for_each(|property| self.add(fields, property));
            for other in self.nodes(&shape, &node) {
                if !all.contains(&other) {
                    all.push(other);
                }
            }
            next += 1;
        }
        for field in fields.iter_mut().filter(|field| depth < DEEPEST_NEW && !field.shapes.is_empty()) {
            let has_names = || {
                let mut of_property = self.0.of_property(&field.property);
                of_property.any(|[_, _, object, _]| self.0.snapshot.kind(object) == TermKind::Iri)
            };
            if field.of_unnamed || (!field.of_things && !has_names()) {
                let (mut nested, shapes) = (Vec::new(), field.shapes.clone());
                self.add_shapes(&mut nested, &shapes, depth + 1);
                field.nested = nested;
            }
        }
    }

    /// Adds what a property shape says to the field of its property.
    fn add(&self, fields: &mut Vec<Field>, shape: &NamedOrBlankNode) {
        let say = |name: &str| self.objects(shape, &format!("{SH}{name}")).cloned().collect::<Vec<Term>>();
        let node = |name: &str| say(name).into_iter().find_map(|term| NamedNode::try_from(term).ok());
        let number = |name: &str| match say(name).first() {
            Some(Term::Literal(literal)) => literal.value().parse().ok(),
            _ => None,
        };
        let texts =
            |name: &str| say(name).into_iter().filter_map(|term| Literal::try_from(term).ok()).collect::<Vec<_>>();
        let Some(path) = node("path") else { return };
        let is_iri = node("nodeKind").is_some_and(|kind| kind.as_str() == format!("{SH}IRI"));
        let choices = say("in").first().map(|list| self.list(list)).unwrap_or_default();
        let field = named(fields, &path);
        field.names.extend(texts("name"));
        field.descriptions.extend(texts("description"));
        field.datatype = field.datatype.take().or_else(|| node("datatype"));
        field.class = field.class.take().or_else(|| node("class"));
        field.of_things |= is_iri || field.class.is_some() || matches!(choices.first(), Some(Term::NamedNode(_)));
        field.of_unnamed |= node("nodeKind").is_some_and(|kind| kind.as_str() == format!("{SH}BlankNode"));
        field.shapes.extend(self.nodes(shape, &format!("{SH}node")));
        field.choices.extend(choices);
        field.min = field.min.max(number("minCount"));
        field.max = [field.max, number("maxCount")].into_iter().flatten().min();
    }

    fn list(&self, head: &Term) -> Vec<Term> {
        let (mut items, mut head) = (Vec::new(), NamedOrBlankNode::try_from(head.clone()).ok());
        let mut seen = FxHashSet::default();
        while let Some(node) = head.filter(|node| seen.insert(node.clone())) {
            items.extend(self.objects(&node, oxrdf::vocab::rdf::FIRST.as_str()).next().cloned());
            let rest = self.objects(&node, oxrdf::vocab::rdf::REST.as_str()).next();
            head = rest.and_then(|rest| NamedOrBlankNode::try_from(rest.clone()).ok());
        }
        items
    }

    /// The properties of other members of the classes, the most frequent first.
    fn offered(&self, classes: &[NamedNode], thing: Option<&NamedOrBlankNode>) -> Vec<NamedNode> {
        let snapshot = self.0.snapshot;
        let own = thing.and_then(|thing| snapshot.id(thing.as_ref().into()));
        let members = classes.iter().flat_map(|class| self.0.with_value(rdf::TYPE, class));
        let members: FxHashSet<TermId> =
            members.map(|[member, ..]| member).filter(|member| Some(*member) != own).collect();
        let mut counts: FxHashMap<TermId, usize> = FxHashMap::default();
        for member in members {
            let about = snapshot.find_ids([Some(member), None, None]);
            let properties: FxHashSet<TermId> = about.map(|[_, property, ..]| property).collect();
            properties.into_iter().for_each(|property| *counts.entry(property).or_default() += 1);
        }
        let named = |(property, count)| Some((NamedNode::try_from(snapshot.term(property)).ok()?, count));
        let mut counts: Vec<(NamedNode, usize)> = counts.into_iter().filter_map(named).collect();
        counts.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.as_str().cmp(b.as_str())));
        counts.into_iter().take(MOST_OFFERED).map(|(property, _)| property).collect()
    }

    /// Guesses the kind of values from most statements with the property, where nothing else tells it.
    fn as_others(&self, fields: &mut [Field]) {
        type Counts<'s> = FxHashMap<Option<NamedNodeRef<'s>>, usize>;
        let mut open: FxHashMap<NamedNode, Counts<'_>> = FxHashMap::default();
        each(fields, &mut |field| {
            if field.datatype.is_none() && !field.of_things {
                open.insert(field.property.clone(), FxHashMap::default());
            }
        });
        let snapshot = self.0.snapshot;
        for (property, counts) in &mut open {
            for [_, _, value, _] in self.0.of_property(property) {
                let kind = match snapshot.kind(value) {
                    TermKind::Literal => snapshot.datatype(value),
                    TermKind::Iri => None,
                    TermKind::BlankNode | TermKind::Triple => continue,
                };
                *counts.entry(kind).or_default() += 1;
            }
        }
        each(fields, &mut |field| {
            if field.datatype.is_some() || field.of_things {
                return;
            }
            let counts = open.get(&field.property).into_iter().flatten();
            match counts.max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a))) {
                Some((Some(datatype), _)) => field.usual = Some((*datatype).into_owned()),
                Some((None, _)) => field.of_things = field.facts.is_empty(),
                None => {}
            }
        });
    }

    /// The sources of a statement, as its reifiers state them.
    fn sources(&self, quad: &Quad) -> Vec<NamedNode> {
        let mut sources: Vec<NamedNode> = Vec::new();
        for reifying in self.0.reifying(quad) {
            for (_, source) in self.0.derivations(&reifying.subject) {
                if !sources.contains(source) {
                    sources.push(source.clone());
                }
            }
        }
        sources
    }
}
