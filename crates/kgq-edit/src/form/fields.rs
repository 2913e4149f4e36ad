//! The fields of a thing.

use super::statements::Statements;
use kgq_graph::graph::Graph;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{rdf, rdfs, skos};
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Quad, Term};
use rustc_hash::{FxHashMap, FxHashSet};

const SH: &str = "http://www.w3.org/ns/shacl#";
/// How many properties of other members are offered where no shape says what there should be.
const MOST_OFFERED: usize = 20;

/// A property with what a form says of it.
#[derive(Clone, Debug)]
pub struct Field {
    pub property: NamedNode,
    /// What a shape calls it, in several languages.
    pub names: Vec<Literal>,
    pub descriptions: Vec<Literal>,
    pub datatype: Option<NamedNode>,
    pub class: Option<NamedNode>,
    /// The datatype that most values of the property have in the graph, where no shape says one.
    pub usual: Option<NamedNode>,
    /// Whether values are things.
    pub of_things: bool,
    /// The values there can be, if they are listed.
    pub choices: Vec<Term>,
    pub min: Option<u64>,
    pub max: Option<u64>,
    pub facts: Vec<Fact>,
}

/// A value as it stands.
#[derive(Clone, Debug)]
pub struct Fact {
    pub object: Term,
    /// What it is derived from: citations, or statements.
    pub sources: Vec<NamedNode>,
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
        }
    }

    /// Whether values are texts with a language.
    pub fn has_languages(&self) -> bool {
        let lang = |datatype: &NamedNode| datatype.as_ref() == oxrdf::vocab::rdf::LANG_STRING;
        let tagged = |fact: &Fact| matches!(&fact.object, Term::Literal(literal) if literal.language().is_some());
        [rdfs::LABEL, skos::PREF_LABEL, skos::ALT_LABEL].contains(&self.property.as_ref())
            || self.datatype.as_ref().or(self.usual.as_ref()).is_some_and(lang)
            || self.facts.iter().any(tagged)
    }

    /// Whether one more value may stand beside those there are.
    pub fn takes_more(&self) -> bool {
        self.max.is_none_or(|max| (self.facts.len() as u64) < max)
    }
}

/// The fields of a thing: its labels first, then those of its shapes, then what else is said of it.
///
/// # Errors
/// Those of the graph's files.
pub fn fields(graph: &Graph, thing: &NamedNode) -> Result<Vec<Field>> {
    let facts = Facts(Statements::of(graph.dataset()?.quads()));
    let mut fields = Vec::new();
    let own: Vec<&Quad> = facts.0.about(&thing.clone().into()).to_vec();
    let label =
        [skos::PREF_LABEL, rdfs::LABEL].into_iter().find(|label| own.iter().any(|q| q.predicate.as_ref() == *label));
    fields.push(Field::of(label.unwrap_or(rdfs::LABEL).into_owned()));
    let classes = facts.classes(thing);
    for class in &classes {
        for shape in facts.property_shapes(class) {
            facts.add(&mut fields, &shape);
        }
    }
    if fields.len() == 1 {
        for property in facts.offered(&classes, thing) {
            named(&mut fields, &property);
        }
    }
    for quad in own {
        let field = named(&mut fields, &quad.predicate);
        let fact = Fact { object: quad.object.clone(), sources: facts.sources(quad) };
        if !field.facts.iter().any(|known| known.object == fact.object) {
            field.of_things |= matches!(fact.object, Term::NamedNode(_));
            field.facts.push(fact);
        }
    }
    facts.as_others(&mut fields);
    Ok(fields)
}

/// The field of a property, which is made if there is none.
fn named<'f>(fields: &'f mut Vec<Field>, property: &NamedNode) -> &'f mut Field {
    let at = fields.iter().position(|field| field.property == *property).unwrap_or_else(|| {
        fields.push(Field::of(property.clone()));
        fields.len() - 1
    });
    &mut fields[at]
}

/// What the statements of the graph say that fields are made of.
struct Facts<'g>(Statements<'g>);

impl<'g> Facts<'g> {
    fn objects<'s>(&'s self, subject: &NamedOrBlankNode, property: &'s str) -> impl Iterator<Item = &'g Term> + 's {
        let of = self.0.about(subject).iter();
        of.filter(move |quad| quad.predicate.as_str() == property).map(|quad| &quad.object)
    }

    /// The classes of a thing, with those above them.
    fn classes(&self, thing: &NamedNode) -> Vec<NamedNode> {
        let named = |terms: &mut dyn Iterator<Item = &Term>| -> Vec<NamedNode> {
            terms.filter_map(|term| NamedNode::try_from(term.clone()).ok()).collect()
        };
        let mut classes = named(&mut self.objects(&thing.clone().into(), rdf::TYPE.as_str()));
        let mut next = 0;
        while let Some(class) = classes.get(next).cloned() {
            for above in named(&mut self.objects(&class.into(), rdfs::SUB_CLASS_OF.as_str())) {
                if !classes.contains(&above) {
                    classes.push(above);
                }
            }
            next += 1;
        }
        classes
    }

    /// The property shapes for members of a class.
    fn property_shapes(&self, class: &NamedNode) -> Vec<NamedOrBlankNode> {
        let (target, property) = (format!("{SH}targetClass"), format!("{SH}property"));
        let own = NamedOrBlankNode::from(class.clone());
        let targets = self
            .0
            .all
            .iter()
            .filter(|quad| quad.predicate.as_str() == target && quad.object == Term::NamedNode(class.clone()));
        let shapes = targets.map(|quad| quad.subject.clone()).chain([own]);
        let properties: Vec<&Term> =
            shapes.flat_map(|shape| self.objects(&shape, &property).collect::<Vec<_>>()).collect();
        let nodes = properties.into_iter().filter_map(|term| NamedOrBlankNode::try_from(term.clone()).ok());
        nodes.collect()
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

    /// What other members of the classes have, the most frequent first.
    fn offered(&self, classes: &[NamedNode], thing: &NamedNode) -> Vec<NamedNode> {
        let is_member = |quad: &&Quad| {
            quad.predicate.as_ref() == rdf::TYPE
                && quad.subject != NamedOrBlankNode::from(thing.clone())
                && classes.iter().any(|class| quad.object == Term::NamedNode(class.clone()))
        };
        let members: FxHashSet<&NamedOrBlankNode> =
            self.0.all.iter().filter(is_member).map(|quad| &quad.subject).collect();
        let mut counts: FxHashMap<&NamedNode, usize> = FxHashMap::default();
        for member in members {
            let properties: FxHashSet<&NamedNode> = self.0.about(member).iter().map(|quad| &quad.predicate).collect();
            properties.into_iter().for_each(|property| *counts.entry(property).or_default() += 1);
        }
        let mut counts: Vec<(&NamedNode, usize)> = counts.into_iter().collect();
        counts.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.as_str().cmp(b.as_str())));
        counts.into_iter().take(MOST_OFFERED).map(|(property, _)| property.clone()).collect()
    }

    /// What kind of values properties have, as most statements of the graph have it, where nothing else says so.
    fn as_others(&self, fields: &mut [Field]) {
        let mut open: FxHashMap<NamedNode, FxHashMap<Option<NamedNode>, usize>> = FxHashMap::default();
        let unsaid = |field: &&Field| field.datatype.is_none() && !field.of_things;
        open.extend(fields.iter().filter(unsaid).map(|field| (field.property.clone(), FxHashMap::default())));
        for quad in self.0.all {
            let Some(counts) = open.get_mut(&quad.predicate) else { continue };
            let kind = match &quad.object {
                Term::Literal(literal) => Some(literal.datatype().into_owned()),
                Term::NamedNode(_) => None,
                Term::BlankNode(_) | Term::Triple(_) => continue,
            };
            *counts.entry(kind).or_default() += 1;
        }
        for field in fields {
            let counts = open.remove(&field.property).unwrap_or_default();
            let most = counts.into_iter().max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)));
            match most {
                Some((Some(datatype), _)) => field.usual = Some(datatype),
                Some((None, _)) => field.of_things = field.facts.is_empty(),
                None => {}
            }
        }
    }

    /// What a statement is derived from, as its reifiers say.
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
