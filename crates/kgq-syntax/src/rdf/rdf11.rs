//! Maps RDF 1.2 to RDF 1.1 and back: reifiers become `rdf:Statement`, other triple terms become nodes of `rdf:TripleTerm`,
//! and base direction becomes a datatype of the i18n namespace.

use super::vocabulary::rdf;
use super::{
    BaseDirection, BlankNode, GraphName, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, Triple,
};
use crate::budget::{Budget, Reservation, Steps};
use crate::error::Result;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Borrow;
use std::cell::Cell;
use std::ops::Deref;

const I18N: &str = "https://www.w3.org/ns/i18n#";
/// What the names of nodes that stand for triple terms begin with.
const LABEL: &str = "tt";
const TRIPLE_TERM: NamedNodeRef<'_> =
    NamedNodeRef::new_unchecked("http://www.w3.org/1999/02/22-rdf-syntax-ns#TripleTerm");
const TT_SUBJECT: NamedNodeRef<'_> =
    NamedNodeRef::new_unchecked("http://www.w3.org/1999/02/22-rdf-syntax-ns#ttSubject");
const TT_PREDICATE: NamedNodeRef<'_> =
    NamedNodeRef::new_unchecked("http://www.w3.org/1999/02/22-rdf-syntax-ns#ttPredicate");
const TT_OBJECT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/1999/02/22-rdf-syntax-ns#ttObject");

/// A dataset mapped to RDF 1.1.
#[derive(Clone, Debug, Default)]
pub struct Downgraded<'q> {
    pub quads: Vec<Mapped<'q>>,
    /// The number of mapped terms: reifiers, other triple terms, and literals with a base direction.
    pub count: u64,
}

/// A quad of RDF 1.1. It takes as much as a pointer and a tag: a [`Cow`](std::borrow::Cow) would have room for a whole quad.
#[derive(Clone, Debug)]
pub enum Mapped<'q> {
    /// RDF 1.1 has it too.
    Given(&'q Quad),
    Made(Box<Quad>),
}

impl Mapped<'_> {
    pub fn into_owned(self) -> Quad {
        match self {
            Self::Given(quad) => quad.clone(),
            Self::Made(quad) => *quad,
        }
    }
}

impl Deref for Mapped<'_> {
    type Target = Quad;

    fn deref(&self) -> &Quad {
        match self {
            Self::Given(quad) => quad,
            Self::Made(quad) => quad,
        }
    }
}

/// Maps a dataset to RDF 1.1. The reservation holds the result's memory.
///
/// # Errors
/// The budget's.
pub fn downgrade<'q>(quads: &'q [Quad], budget: &Budget) -> Result<(Downgraded<'q>, Reservation)> {
    let steps = Steps::new(budget);
    let mut held = budget.reserve((quads.len() * size_of::<Mapped<'_>>()) as u64)?;
    let taken = contested_labels(quads.iter().map(|quad| steps.take().map(|()| quad)))?;
    let mut mapping = Mapping { taken, ..Mapping::default() };
    let (mut out, mut bytes) = (Vec::with_capacity(quads.len()), 0);
    for quad in quads {
        steps.take()?;
        if !is_of_rdf_12(quad) {
            out.push(Mapped::Given(quad));
            continue;
        }
        let mapped = mapping.add(quad);
        bytes += mapped.iter().map(quad_bytes).sum::<u64>();
        // Growing the reservation for each quad would cost more than what is counted.
        if bytes > 1 << 16 {
            held.grow(budget, std::mem::take(&mut bytes))?;
        }
        out.extend(mapped.into_iter().map(|quad| Mapped::Made(Box::new(quad))));
    }
    held.grow(budget, bytes)?;
    Ok((Downgraded { quads: out, count: mapping.count }, held))
}

/// Whether a quad has what RDF 1.1 has not: a triple term, or a literal with a base direction.
pub fn is_of_rdf_12(quad: &Quad) -> bool {
    match &quad.object {
        Term::Triple(_) => true,
        Term::Literal(literal) => literal.direction().is_some(),
        Term::NamedNode(_) | Term::BlankNode(_) => false,
    }
}

/// The names of a dataset's blank nodes that the mapping could give to others.
///
/// # Errors
/// Those of the quads.
pub fn contested_labels<Q: Borrow<Quad>>(quads: impl Iterator<Item = Result<Q>>) -> Result<FxHashSet<BlankNode>> {
    let mut taken = FxHashSet::default();
    for quad in quads {
        let quad = quad?;
        let Quad { subject, object, .. } = quad.borrow();
        let nodes = [
            if let NamedOrBlankNode::BlankNode(node) = subject { Some(node) } else { None },
            if let Term::BlankNode(node) = object { Some(node) } else { None },
        ];
        taken.extend(nodes.into_iter().flatten().filter(|node| node.as_str().starts_with(LABEL)).cloned());
    }
    Ok(taken)
}

/// The same as [`downgrade`] for quads that are nowhere held: what was mapped is held alone. `taken` are the dataset's
/// [`contested_labels`]; `count` is set to how many terms were mapped so far.
pub fn downgraded<'q>(
    quads: impl Iterator<Item = Result<Quad>> + 'q,
    taken: FxHashSet<BlankNode>,
    count: &'q Cell<u64>,
    budget: &'q Budget,
) -> impl Iterator<Item = Result<Quad>> + 'q {
    let (mut mapping, mut held) = (Mapping { taken, ..Mapping::default() }, Reservation::default());
    count.set(0);
    quads.flat_map(move |quad| {
        let mapped = quad.and_then(|quad| {
            if !is_of_rdf_12(&quad) {
                return Ok(vec![quad]);
            }
            let mapped = mapping.add(&quad);
            if mapping.count > count.replace(mapping.count) {
                held.grow(budget, quad_bytes(&quad))?;
            }
            Ok(mapped)
        });
        match mapped {
            Ok(quads) => quads.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    })
}

/// Roughly the bytes that a quad takes.
pub fn quad_bytes(quad: &Quad) -> u64 {
    let node = |node: &NamedOrBlankNode| match node {
        NamedOrBlankNode::NamedNode(node) => node.as_str().len(),
        NamedOrBlankNode::BlankNode(node) => node.as_str().len(),
    };
    let mut texts = node(&quad.subject) + quad.predicate.as_str().len();
    let mut object = &quad.object;
    while let Term::Triple(triple) = object {
        texts += size_of::<Triple>() + node(&triple.subject) + triple.predicate.as_str().len();
        object = &triple.object;
    }
    texts += match object {
        Term::NamedNode(node) => node.as_str().len(),
        Term::BlankNode(node) => node.as_str().len(),
        Term::Literal(literal) => literal.value().len() + literal.datatype().as_str().len(),
        Term::Triple(_) => 0,
    };
    texts += match &quad.graph_name {
        GraphName::NamedNode(node) => node.as_str().len(),
        GraphName::BlankNode(_) | GraphName::DefaultGraph => 0,
    };
    (size_of::<Quad>() + texts) as u64
}

#[derive(Default)]
struct Mapping {
    /// What the quad that is added is mapped to.
    out: Vec<Quad>,
    /// The number of mapped terms.
    count: u64,
    terms: FxHashMap<(Triple, GraphName), BlankNode>,
    taken: FxHashSet<BlankNode>,
    /// The reifiers of which the first triple is described.
    described: FxHashSet<(NamedOrBlankNode, GraphName)>,
}

impl Mapping {
    /// Returns the quads that stand for one.
    fn add(&mut self, quad: &Quad) -> Vec<Quad> {
        match &quad.object {
            Term::Triple(triple)
                if quad.predicate.as_ref() == rdf::REIFIES
                    // The triples of a reifier of two could not be told apart.
                    && self.described.insert((quad.subject.clone(), quad.graph_name.clone())) =>
            {
                self.count += 1;
                let node = quad.subject.clone();
                let parts = [rdf::STATEMENT, rdf::SUBJECT, rdf::PREDICATE, rdf::OBJECT];
                self.describe(node, triple, &quad.graph_name, parts);
            }
            _ => {
                let object = self.term(&quad.object, &quad.graph_name);
                let (s, p, g) = (quad.subject.clone(), quad.predicate.clone(), quad.graph_name.clone());
                self.out.push(Quad::new(s, p, object, g));
            }
        }
        std::mem::take(&mut self.out)
    }

    fn describe(
        &mut self,
        node: NamedOrBlankNode,
        triple: &Triple,
        graph: &GraphName,
        [class, subject, predicate, object]: [NamedNodeRef<'_>; 4],
    ) {
        let value = self.term(&triple.object, graph);
        for (property, term) in [
            (rdf::TYPE, Term::from(class.into_owned())),
            (subject, triple.subject.clone().into()),
            (predicate, triple.predicate.clone().into()),
            (object, value),
        ] {
            self.out.push(Quad::new(node.clone(), property, term, graph.clone()));
        }
    }

    fn term(&mut self, term: &Term, graph: &GraphName) -> Term {
        match term {
            Term::NamedNode(_) | Term::BlankNode(_) => term.clone(),
            Term::Literal(literal) => match (literal.language(), literal.direction()) {
                (Some(language), Some(direction)) => {
                    self.count += 1;
                    let datatype = NamedNode::new_unchecked(format!("{I18N}{language}_{direction}"));
                    Literal::new_typed_literal(literal.value(), datatype).into()
                }
                _ => term.clone(),
            },
            Term::Triple(triple) => {
                let key = ((**triple).clone(), graph.clone());
                if let Some(node) = self.terms.get(&key) {
                    return node.clone().into();
                }
                self.count += 1;
                let mut number = self.terms.len();
                let node = loop {
                    let node = BlankNode::new_unchecked(format!("{LABEL}{number}"));
                    if self.taken.insert(node.clone()) {
                        break node;
                    }
                    number += 1;
                };
                self.terms.insert(key, node.clone());
                let parts = [TRIPLE_TERM, TT_SUBJECT, TT_PREDICATE, TT_OBJECT];
                self.describe(node.clone().into(), triple, graph, parts);
                node.into()
            }
        }
    }
}

/// Reads the mapping back: each complete `rdf:Statement` or `rdf:TripleTerm` becomes a reifier or a triple term again, and
/// each literal of an i18n datatype gets its base direction. Incomplete descriptions stay as they are.
pub fn upgrade(quads: Vec<Quad>) -> Vec<Quad> {
    let statements = Described::collect(&quads, [rdf::STATEMENT, rdf::SUBJECT, rdf::PREDICATE, rdf::OBJECT]);
    let terms = Described::collect(&quads, [TRIPLE_TERM, TT_SUBJECT, TT_PREDICATE, TT_OBJECT]);
    let term = |term: &Term, graph: &GraphName| terms.term(term, graph, 0);
    let mut out = Vec::with_capacity(quads.len());
    for quad in &quads {
        if terms.is_part(quad) {
            continue;
        }
        if statements.is_part(quad) {
            if quad.predicate.as_ref() == rdf::TYPE
                && let Some((s, p, o)) = statements.whole(&quad.subject, &quad.graph_name)
            {
                let triple = Triple::new(s, p, term(&o, &quad.graph_name));
                out.push(Quad::new(quad.subject.clone(), rdf::REIFIES, triple, quad.graph_name.clone()));
            }
            continue;
        }
        let object = term(&quad.object, &quad.graph_name);
        out.push(Quad::new(quad.subject.clone(), quad.predicate.clone(), object, quad.graph_name.clone()));
    }
    out
}

type Parts = (Vec<Term>, Vec<Term>, Vec<Term>);

/// Nodes that describe a triple by four properties.
struct Described {
    properties: [NamedNode; 4],
    nodes: FxHashMap<(NamedOrBlankNode, GraphName), Parts>,
}

/// The deepest nesting of triple terms; deeper ones (or cyclic ones, which no downgrade writes) stay nodes.
const DEEPEST: usize = 128;

impl Described {
    fn collect(quads: &[Quad], [class, subject, predicate, object]: [NamedNodeRef<'_>; 4]) -> Self {
        let class_term = Term::from(class.into_owned());
        let mut nodes: FxHashMap<_, Parts> = quads
            .iter()
            .filter(|q| q.predicate.as_ref() == rdf::TYPE && q.object == class_term)
            .map(|q| ((q.subject.clone(), q.graph_name.clone()), Parts::default()))
            .collect();
        for quad in quads {
            let key = (quad.subject.clone(), quad.graph_name.clone());
            let Some(parts) = nodes.get_mut(&key) else { continue };
            let predicate_of = quad.predicate.as_ref();
            if predicate_of == subject {
                parts.0.push(quad.object.clone());
            } else if predicate_of == predicate {
                parts.1.push(quad.object.clone());
            } else if predicate_of == object {
                parts.2.push(quad.object.clone());
            }
        }
        nodes.retain(|_, parts| {
            matches!(
                (parts.0.as_slice(), parts.1.as_slice(), parts.2.as_slice()),
                ([Term::NamedNode(_) | Term::BlankNode(_)], [Term::NamedNode(_)], [_])
            )
        });
        let properties = [class, subject, predicate, object].map(NamedNodeRef::into_owned);
        Self { properties, nodes }
    }

    /// Whether the quad is one of the four that describe a complete triple.
    fn is_part(&self, quad: &Quad) -> bool {
        let [class, subject, predicate, object] = &self.properties;
        let part = [subject, predicate, object].contains(&&quad.predicate)
            || (quad.predicate.as_ref() == rdf::TYPE && quad.object == Term::from(class.clone()));
        part && self.nodes.contains_key(&(quad.subject.clone(), quad.graph_name.clone()))
    }

    fn whole(&self, node: &NamedOrBlankNode, graph: &GraphName) -> Option<(NamedOrBlankNode, NamedNode, Term)> {
        let (s, p, o) = self.nodes.get(&(node.clone(), graph.clone()))?;
        let subject = match s.first()? {
            Term::NamedNode(node) => node.clone().into(),
            Term::BlankNode(node) => node.clone().into(),
            Term::Literal(_) | Term::Triple(_) => return None,
        };
        let Term::NamedNode(predicate) = p.first()? else { return None };
        Some((subject, predicate.clone(), o.first()?.clone()))
    }

    fn term(&self, term: &Term, graph: &GraphName, depth: usize) -> Term {
        match term {
            Term::BlankNode(node) if depth < DEEPEST => match self.whole(&node.clone().into(), graph) {
                Some((s, p, o)) => Triple::new(s, p, self.term(&o, graph, depth + 1)).into(),
                None => term.clone(),
            },
            Term::Literal(literal) => with_direction(literal).into(),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => term.clone(),
        }
    }
}

fn with_direction(literal: &Literal) -> Literal {
    let parts = literal.datatype().as_str().strip_prefix(I18N).and_then(|name| name.rsplit_once('_'));
    let direction = match parts {
        Some((_, "ltr")) => BaseDirection::Ltr,
        Some((_, "rtl")) => BaseDirection::Rtl,
        _ => return literal.clone(),
    };
    let language = parts.map_or("", |(language, _)| language);
    Literal::new_directional_language_tagged_literal(literal.value(), language, direction)
        .unwrap_or_else(|_| literal.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("http://e/{name}"))
    }

    #[test]
    fn reifiers_triple_terms_and_directions_survive_both_ways() {
        let inner = Triple::new(node("a"), node("p"), Literal::new_simple_literal("v"));
        let outer = Triple::new(node("b"), node("q"), inner.clone());
        let rtl = Literal::new_directional_language_tagged_literal("שלום", "he", BaseDirection::Rtl).unwrap();
        let quads = vec![
            Quad::new(node("r"), rdf::REIFIES, outer.clone(), GraphName::DefaultGraph),
            Quad::new(node("x"), node("says"), inner, node("g")),
            Quad::new(node("x"), node("label"), rtl, GraphName::DefaultGraph),
        ];
        let (down, _) = downgrade(&quads, &Budget::default()).unwrap();
        assert_eq!(down.count, 4);
        assert!(down.quads.iter().all(|q| !matches!(q.object, Term::Triple(_))));
        assert_eq!(upgrade(down.quads.into_iter().map(Mapped::into_owned).collect()), quads);
    }
}
