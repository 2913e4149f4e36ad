//! SHACL shapes for readers: the groups and order of facts on a page, and the constraints of a shape in words.

use super::html::At;
use super::model::Index;
use super::reads::Reads;
use super::vocabulary::*;
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Quad, Term};
use maud::{Markup, html};
use rustc_hash::FxHashMap;

/// The groups of facts, and the group of each property.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The groups in order.
    pub groups: Vec<NamedNode>,
    /// Slots by class and property.
    of: FxHashMap<(String, String), Slot>,
    /// Slots by property, for any class.
    any: FxHashMap<String, Slot>,
}

/// The position of a property's facts: the number of their group, and the order within it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    pub group: usize,
    pub order: f64,
}

impl Layout {
    pub fn of(index: &Index<'_>, reads: Reads<'_>) -> Self {
        let mut layout = Self::default();
        let stated = |name: &str| -> Vec<&Quad> {
            let property = index.id(&sh(name));
            let found = property.map(|property| reads.snapshot.find_in_order([None, Some(property), None]));
            found.into_iter().flatten().filter_map(|statement| reads.statement(statement)).collect()
        };
        let mut groups: Vec<(f64, &NamedNode)> = Vec::new();
        for quad in stated("group") {
            if let Term::NamedNode(group) = &quad.object
                && !groups.iter().any(|(_, g)| *g == group)
            {
                groups.push((number(reads, group, "order").unwrap_or(f64::MAX), group));
            }
        }
        let mut shapes: FxHashMap<&NamedOrBlankNode, Vec<&str>> = FxHashMap::default();
        for quad in stated("targetClass") {
            if let Term::NamedNode(class) = &quad.object {
                shapes.entry(&quad.subject).or_default().push(class.as_str());
            }
        }
        for quad in stated("property") {
            if let NamedOrBlankNode::NamedNode(node) = &quad.subject
                && index.is_class(node)
            {
                let classes = shapes.entry(&quad.subject).or_default();
                if !classes.contains(&node.as_str()) {
                    classes.push(node.as_str());
                }
            }
        }
        groups.sort_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| x.as_str().cmp(y.as_str())));
        layout.groups = groups.into_iter().map(|(_, group)| group.clone()).collect();
        let property = sh("property");
        let mut shapes: Vec<_> = shapes.into_iter().collect();
        shapes.sort_by_cached_key(|(shape, _)| shape.to_string());
        for (shape, classes) in shapes {
            for quad in reads.facts(shape.as_ref()).iter().filter(|q| q.predicate.as_str() == property) {
                let Some((path, slot)) = layout.slot_of(reads, &quad.object) else { continue };
                for class in &classes {
                    layout.of.entry(((*class).to_owned(), path.clone())).or_insert(slot);
                }
                layout.any.entry(path).or_insert(slot);
            }
        }
        layout
    }

    /// The property of a property shape, and where its facts stand.
    fn slot_of(&self, reads: Reads<'_>, shape: &Term) -> Option<(String, Slot)> {
        let facts = reads.facts_of_term(shape);
        let find = |name: &str| {
            let iri = sh(name);
            facts.iter().find(|q| q.predicate.as_str() == iri).map(|q| &q.object)
        };
        let (Some(Term::NamedNode(path)), Some(Term::NamedNode(group))) = (find("path"), find("group")) else {
            return None;
        };
        let order = match find("order") {
            Some(Term::Literal(literal)) => literal.value().parse().unwrap_or(f64::MAX),
            _ => f64::MAX,
        };
        let group = self.groups.iter().position(|g| g == group)?;
        Some((path.as_str().to_owned(), Slot { group, order }))
    }

    /// The slot of a property on the page of a thing of these classes, given nearest first.
    pub fn slot(&self, classes: &[&str], property: &str) -> Option<Slot> {
        let of_class = classes.iter().find_map(|class| self.of.get(&((*class).to_owned(), property.to_owned())));
        of_class.or_else(|| self.any.get(property)).copied()
    }
}

fn number(reads: Reads<'_>, subject: &NamedNode, name: &str) -> Option<f64> {
    let iri = sh(name);
    reads.facts(subject.into()).iter().find(|q| q.predicate.as_str() == iri).and_then(|q| match &q.object {
        Term::Literal(literal) => literal.value().parse().ok(),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
    })
}

/// The property shapes that target a class, in words, without those of its superclasses.
pub fn shapes_of(at: &At<'_, '_>, class: &NamedNode) -> Vec<Markup> {
    let model = at.model;
    let property = sh("property");
    let targeting = model.statements_with(&sh("targetClass"), Some(class.into()));
    let mut shapes: Vec<&NamedOrBlankNode> = targeting.into_iter().map(|q| &q.subject).collect();
    let own = NamedOrBlankNode::from(class.clone());
    if model.facts(own.as_ref()).iter().any(|q| q.predicate.as_str() == property) {
        shapes.push(&own);
    }
    let mut rules = Vec::new();
    for shape in shapes {
        for quad in model.facts(shape.as_ref()) {
            let name = quad.predicate.as_str();
            if name == property {
                rules.extend(property_rule(at, &quad.object));
            } else if name == sh("sparql")
                && let Some(message) = message(at, &quad.object)
            {
                rules.push(html! { (at.say("Never: ")) (message) });
            }
        }
    }
    rules
}

fn message(at: &At<'_, '_>, shape: &Term) -> Option<Markup> {
    let iri = sh("message");
    let mut messages: Vec<&Literal> = at
        .model
        .facts_of_term(shape)
        .iter()
        .filter(|q| q.predicate.as_str() == iri)
        .filter_map(|q| match &q.object {
            Term::Literal(literal) => Some(literal),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
        })
        .collect();
    messages.sort_by_key(|l| l.language() != Some(at.model.language));
    messages.first().map(|l| at.literal(l))
}

/// The constraint of a property shape, in words.
fn property_rule(at: &At<'_, '_>, shape: &Term) -> Option<Markup> {
    let facts = at.model.facts_of_term(shape);
    let find = |name: &str| {
        let iri = sh(name);
        facts.iter().find(|q| q.predicate.as_str() == iri).map(|q| &q.object)
    };
    let count = |name: &str| match find(name) {
        Some(Term::Literal(literal)) => literal.value().parse::<u64>().ok(),
        _ => None,
    };
    let path = find("path")?;
    let how_many = match (count("minCount").unwrap_or(0), count("maxCount")) {
        (0, None) => at.say("any number").to_owned(),
        (0, Some(1)) => at.say("one at most").to_owned(),
        (0, Some(most)) => at.fill("{} at most", most),
        (1, Some(1)) => at.say("exactly one").to_owned(),
        (1, None) => at.say("at least one").to_owned(),
        (least, None) => at.fill("at least {}", least),
        (least, Some(most)) if least == most => at.fill("exactly {}", least),
        (least, Some(most)) => at.fill("{} of them", format_args!("{least}–{most}")),
    };
    let mut asks: Vec<Markup> = Vec::new();
    for (name, words) in
        [("class", "each a"), ("datatype", "each of datatype"), ("hasValue", "one of them"), ("node", "each fitting")]
    {
        if let Some(value) = find(name) {
            asks.push(html! { (at.say(words)) " " (at.term(value)) });
        }
    }
    for (name, before, after) in [
        ("minInclusive", "not less than", ""),
        ("maxInclusive", "not more than", ""),
        ("minExclusive", "more than", ""),
        ("maxExclusive", "less than", ""),
        ("minLength", "of at least", " characters"),
        ("maxLength", "of at most", " characters"),
        ("pattern", "matching", ""),
        ("in", "one of", ""),
        ("languageIn", "in the languages", ""),
    ] {
        if let Some(value) = find(name) {
            asks.push(html! { (at.say(before)) " " (at.term(value)) (at.say(after)) });
        }
    }
    if let Some(Term::NamedNode(kind)) = find("nodeKind") {
        asks.push(html! { (at.say(node_kind(kind.as_str()))) });
    }
    if matches!(find("uniqueLang"), Some(Term::Literal(l)) if matches!(l.value(), "true" | "1")) {
        asks.push(html! { (at.say("one for each language")) });
    }
    Some(html! {
        span .path { (path_words(at, path, 0)) } ": " (how_many)
        @for ask in &asks { ", " (ask) }
        @if let Some(message) = message(at, shape) { ". " span .muted { (message) } }
    })
}

fn node_kind(iri: &str) -> &'static str {
    match iri.strip_prefix(SH) {
        Some("IRI") => "each a thing with an IRI",
        Some("Literal") => "each a literal",
        Some("BlankNode") => "each a node without a name",
        Some("BlankNodeOrIRI") => "each a thing",
        Some("IRIOrLiteral") => "each a thing with an IRI or a literal",
        Some("BlankNodeOrLiteral") => "each a node without a name or a literal",
        _ => "of a kind of node",
    }
}

fn path_words(at: &At<'_, '_>, path: &Term, depth: usize) -> Markup {
    if let Term::NamedNode(node) = path {
        return at.property(node);
    }
    if depth > 4 {
        return html! { "…" };
    }
    for quad in at.model.facts_of_term(path) {
        let (before, after) = match quad.predicate.as_str().strip_prefix(SH) {
            Some("inversePath") => ("is what", "points to"),
            Some("zeroOrMorePath") => ("", "in any number of steps"),
            Some("oneOrMorePath") => ("", "in one step or more"),
            Some("zeroOrOnePath") => ("", "in one step at most"),
            _ => continue,
        };
        return html! { (at.say(before)) " " (path_words(at, &quad.object, depth + 1)) " " (at.say(after)) };
    }
    html! { span .muted { (at.say("a longer path")) } }
}
