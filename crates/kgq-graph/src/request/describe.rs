//! Everything about one thing: what the graph says about it, and what refers to it.

use crate::catalog::{ClassWord, Labels, expression, rank};
use crate::graph::Graph;
use kgq_snapshot::{Snapshot, TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::vocabulary::{prov, rdf};
use kgq_syntax::rdf::{BlankNode, GraphName, NamedNode, NamedOrBlankNode, Quad, Term, TermRef, Triple};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// What a graph says about one thing.
pub struct Description {
    pub thing: NamedNode,
    /// Its types first, then its names, then its other properties ordered by IRI.
    pub facts: Vec<PropertyValues>,
    /// The subjects of statements that have it as object, by property.
    pub referring: BTreeMap<NamedNode, Vec<NamedOrBlankNode>>,
    /// The number of statements about it that are reified.
    pub reified: usize,
    /// Statements whose reifier says that they were derived from another statement.
    pub inferred: FxHashSet<Triple>,
    /// Labels of the thing, its properties, and the things that it is connected to.
    pub labels: Labels,
    /// The class expressions among its values, as words and terms.
    pub expressions: FxHashMap<BlankNode, Vec<ClassWord>>,
}

/// A property with its values.
pub struct PropertyValues {
    pub property: NamedNode,
    pub values: Vec<(Term, GraphName)>,
    /// The number of values in other languages that are left out; they are left out only if there are more than a few.
    pub in_other_languages: usize,
}

/// Describes a thing; if `statements`, including what statements about statements say.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn describe(graph: &Graph, thing: &NamedNode, statements: bool) -> Result<Description> {
    let snapshot = graph.snapshot()?;
    let of = TermRef::from(thing.as_ref());
    let said: Vec<Quad> = snapshot.find(Some(of), None, None).collect();
    let referring: Vec<Quad> =
        snapshot.find(None, None, Some(of)).filter(|quad| statements || !by_reifier(quad, snapshot)).collect();
    let expressions = expressions(&said, &referring, snapshot);
    let mut named: FxHashSet<NamedNode> = said.iter().chain(&referring).map(|quad| quad.predicate.clone()).collect();
    named.insert(thing.clone());
    let in_expressions = expressions.values().flatten().filter_map(|piece| match piece {
        ClassWord::Term(term) => Some(term.clone()),
        ClassWord::Word(_) | ClassWord::Open | ClassWord::Close | ClassWord::Comma => None,
    });
    let terms = said.iter().map(|quad| quad.object.clone());
    let terms = terms.chain(referring.iter().map(|quad| quad.subject.clone().into())).chain(in_expressions);
    named.extend(terms.filter_map(|term| match term {
        Term::NamedNode(node) => Some(node),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    }));
    let labels = graph.labels_of(&named)?;
    let facts = facts(&said, &graph.language());
    let reifiers = reifiers(thing, snapshot);
    let inferred = inferred(&reifiers, snapshot);
    let mut by_property: BTreeMap<NamedNode, Vec<NamedOrBlankNode>> = BTreeMap::new();
    for Quad { subject, predicate, .. } in referring {
        by_property.entry(predicate).or_default().push(subject);
    }
    snapshot.intact()?;
    let (thing, reified) = (thing.clone(), reifiers.len());
    Ok(Description { thing, facts, referring: by_property, reified, inferred, labels, expressions })
}

/// Returns the triples with the thing as subject or object and, if `statements`, what is said about their reifiers.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn triples(graph: &Graph, thing: &NamedNode, statements: bool) -> Result<Vec<Triple>> {
    let snapshot = graph.snapshot()?;
    let of = TermRef::from(thing.as_ref());
    let mut quads: Vec<Quad> = snapshot.find(Some(of), None, None).collect();
    quads.extend(snapshot.find(None, None, Some(of)).filter(|quad| statements || !by_reifier(quad, snapshot)));
    if statements {
        for reifier in reifiers(thing, snapshot) {
            quads.extend(snapshot.find(Some(reifier.subject.as_ref().into()), None, None));
        }
    }
    snapshot.intact()?;
    let mut seen = FxHashSet::default();
    Ok(quads.into_iter().map(Triple::from).filter(|triple| seen.insert(triple.clone())).collect())
}

/// Returns the `rdf:reifies` statements whose triple term has the thing as subject or object.
fn reifiers(thing: &NamedNode, snapshot: &Snapshot) -> Vec<Quad> {
    let Some(id) = snapshot.id(thing.as_ref().into()) else { return Vec::new() };
    let triples = snapshot.kind_range(TermKind::Triple).map(TermId::new);
    let touching = triples.filter(|t| snapshot.triple_components(*t).is_some_and(|[s, _, o]| s == id || o == id));
    touching.flat_map(|t| snapshot.find(None, None, Some(snapshot.term(t).as_ref())).collect::<Vec<_>>()).collect()
}

/// Returns the triples whose reifiers were derived from other statements.
fn inferred(reifiers: &[Quad], snapshot: &Snapshot) -> FxHashSet<Triple> {
    let is_statement = |source: &Term| {
        let reifies = Some(rdf::REIFIES.into());
        !matches!(source, Term::Literal(_)) && snapshot.find(Some(source.as_ref()), reifies, None).next().is_some()
    };
    let derived = |reifier: &Quad| {
        let subject = Some(reifier.subject.as_ref().into());
        snapshot.find(subject, Some(prov::WAS_DERIVED_FROM.into()), None).any(|quad| is_statement(&quad.object))
    };
    let triple = |reifier: &Quad| match &reifier.object {
        Term::Triple(triple) if derived(reifier) => Some((**triple).clone()),
        Term::Triple(_) | Term::NamedNode(_) | Term::BlankNode(_) | Term::Literal(_) => None,
    };
    reifiers.iter().filter_map(triple).collect()
}

/// Whether a statement is about another statement: its subject reifies something.
fn by_reifier(quad: &Quad, snapshot: &Snapshot) -> bool {
    snapshot.find(Some(quad.subject.as_ref().into()), Some(rdf::REIFIES.into()), None).next().is_some()
}

fn facts(said: &[Quad], language: &str) -> Vec<PropertyValues> {
    let mut by_property: Vec<(&NamedNode, Vec<&Quad>)> = Vec::new();
    for quad in said {
        match by_property.iter_mut().find(|(property, _)| **property == quad.predicate) {
            Some((_, list)) => list.push(quad),
            None => by_property.push((&quad.predicate, vec![quad])),
        }
    }
    by_property.sort_by_key(|(p, _)| (p.as_ref() != rdf::TYPE, rank(p.as_str()).unwrap_or(u8::MAX)));
    let fact = |(property, quads): (&NamedNode, Vec<&Quad>)| {
        let (shown, in_other_languages) = by_language(&quads, language);
        let values = shown.into_iter().map(|quad| (quad.object.clone(), quad.graph_name.clone())).collect();
        PropertyValues { property: property.clone(), values, in_other_languages }
    };
    by_property.into_iter().map(fact).collect()
}

/// Up to this many values in other languages are shown beside those in the reader's.
const FEW_LANGUAGES: usize = 3;

/// Returns the values to show, and the number of values in other languages that are left out.
fn by_language<'q>(quads: &[&'q Quad], own: &str) -> (Vec<&'q Quad>, usize) {
    let language = |quad: &'q Quad| match &quad.object {
        Term::Literal(literal) => literal.language(),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
    };
    let tags: Vec<&str> = quads.iter().filter_map(|quad| language(quad)).collect();
    if tags.iter().filter(|tag| **tag != own).count() <= FEW_LANGUAGES {
        return (quads.to_vec(), 0);
    }
    let wanted = [own, "en"].into_iter().find(|wanted| tags.contains(wanted)).or(tags.first().copied());
    let shown: Vec<&Quad> =
        quads.iter().filter(|quad| language(quad).is_none_or(|tag| Some(tag) == wanted)).copied().collect();
    let others = quads.len() - shown.len();
    (shown, others)
}

/// The class expressions among the values and the subjects.
fn expressions(said: &[Quad], referring: &[Quad], snapshot: &Snapshot) -> FxHashMap<BlankNode, Vec<ClassWord>> {
    let facts = |node: &BlankNode| {
        let quads = snapshot.find(Some(node.as_ref().into()), None, None);
        quads.map(|quad| (quad.predicate, quad.object)).collect()
    };
    let values = said.iter().filter_map(|quad| match &quad.object {
        Term::BlankNode(node) => Some(node),
        Term::NamedNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    });
    let subjects = referring.iter().filter_map(|quad| match &quad.subject {
        NamedOrBlankNode::BlankNode(node) => Some(node),
        NamedOrBlankNode::NamedNode(_) => None,
    });
    values.chain(subjects).filter_map(|node| Some((node.clone(), expression(node, &facts)?))).collect()
}
