//! Terms of a query that the graph does not have, or not in the place where the query has them.

use super::place::Text;
use super::{Asked, Finding};
use crate::catalog::local_name;
use kgq_engine::query::{Position, used_terms, wanted_terms};
use kgq_snapshot::{Permutation, QuadPermutation, Snapshot, TermId, TermKind};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, Term};
use kgq_syntax::text::{did_you_mean, nearest};

/// How many terms a misspelt one is compared with.
const MOST_COMPARED: usize = 5_000;

pub fn unknown(asked: &Asked<'_>, text: &Text<'_>) -> Vec<Finding> {
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    let wanted = wanted_terms(&asked.query.algebra);
    for used in used_terms(&asked.query.algebra) {
        let Some(finding) = of_term(asked, &used.iri, used.position) else { continue };
        // What a query wants to be absent may well be.
        if finding.error.hints().is_empty() && !wanted.contains(&used) {
            continue;
        }
        let span = text.iri(&used.iri);
        let order = span.as_ref().map_or(usize::MAX, |span| span.start);
        findings.push((order, finding.at(text, span)));
    }
    findings.sort_by_key(|(order, _)| *order);
    findings.into_iter().map(|(_, finding)| finding).collect()
}

fn of_term(asked: &Asked<'_>, iri: &NamedNode, position: Position) -> Option<Finding> {
    let snapshot = asked.snapshot;
    let shown = asked.curie(iri);
    let id = snapshot.id(iri.as_ref().into());
    match position {
        Position::Function => None,
        Position::Property => {
            if iri.as_ref() == rdf::TYPE || id.is_some_and(|id| is_property(snapshot, id)) {
                return None;
            }
            let near = near(asked, iri, &properties(snapshot));
            if id.is_some_and(|id| is_class(snapshot, id)) {
                return Some(
                    Finding::new("class-as-property", format!("{shown} is a class, and stands here as a property"))
                        .hint_if(near.or_else(|| Some(format!("the members of a class are found by `a {shown}`")))),
                );
            }
            Some(Finding::new("unknown-property", format!("no statement has the property {shown}")).hint_if(near))
        }
        Position::Class => {
            if id.is_some_and(|id| is_class(snapshot, id)) {
                return None;
            }
            let near = near(asked, iri, &classes(snapshot));
            if id.is_some_and(|id| is_property(snapshot, id)) {
                return Some(
                    Finding::new("property-as-class", format!("{shown} is a property, and stands here as a class"))
                        .hint_if(near.or_else(|| Some(format!("write `?subject {shown} ?value`")))),
                );
            }
            Some(Finding::new("unknown-class", format!("nothing is a {shown}")).hint_if(near))
        }
        Position::Graph => {
            if id.is_some_and(|id| snapshot.named_graphs().contains(&id)) {
                return None;
            }
            let graphs = snapshot.named_graphs().to_vec();
            let hint = near(asked, iri, &graphs).or_else(|| {
                Some(match graphs.as_slice() {
                    [] => "the dataset has no named graph: leave GRAPH and FROM out".to_owned(),
                    graphs => format!(
                        "the named graphs are {}",
                        graphs.iter().take(5).map(|g| name(asked, *g)).collect::<Vec<_>>().join(", ")
                    ),
                })
            });
            Some(Finding::new("unknown-graph", format!("there is no graph {shown}")).hint_if(hint))
        }
        Position::Node | Position::Value => {
            if id.is_some() || is_datatype(iri) {
                return None;
            }
            let near = near(asked, iri, &neighbours(asked, iri));
            Some(Finding::new("unknown-term", format!("the graph does not have {shown}")).hint_if(near))
        }
    }
}

/// Names of datatypes stand in expressions and need not be in the data.
fn is_datatype(iri: &NamedNode) -> bool {
    iri.as_str().starts_with("http://www.w3.org/2001/XMLSchema#") || iri.as_str().starts_with(rdf_namespace())
}

fn rdf_namespace() -> &'static str {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
}

pub fn is_property(snapshot: &Snapshot, id: TermId) -> bool {
    snapshot.statistics().predicate(id).rows > 0 || snapshot.quad_statistics().predicate(id).rows > 0
}

pub fn is_class(snapshot: &Snapshot, id: TermId) -> bool {
    let Some(rdf_type) = snapshot.id(rdf::TYPE.into()) else { return false };
    !snapshot.triples(Permutation::Pos).range(&[rdf_type, id]).is_empty()
        || !snapshot.quads(QuadPermutation::Posg).range(&[rdf_type, id]).is_empty()
}

fn properties(snapshot: &Snapshot) -> Vec<TermId> {
    let of = [snapshot.statistics(), snapshot.quad_statistics()];
    of.iter().flat_map(|s| s.predicates.iter().map(|p| p.predicate)).take(MOST_COMPARED).collect()
}

fn classes(snapshot: &Snapshot) -> Vec<TermId> {
    let Some(rdf_type) = snapshot.id(rdf::TYPE.into()) else { return Vec::new() };
    let mut found = Vec::new();
    for index in [snapshot.triples(Permutation::Pos), snapshot.quads(QuadPermutation::Posg)] {
        let mut rows = index.run(rdf_type);
        // From one class to the next, however many members it has.
        while !rows.is_empty() && found.len() < MOST_COMPARED {
            let class = index.column(1, rows.start..rows.start + 1)[0];
            found.push(class);
            rows.start = index.seek(1, rows.clone(), TermId::new(class.get().saturating_add(1)));
        }
    }
    found
}

/// The terms of the same namespace, and those that are called so in any other.
fn neighbours(asked: &Asked<'_>, iri: &NamedNode) -> Vec<TermId> {
    let snapshot = asked.snapshot;
    let start = iri.as_str().len() - local_name(iri.as_str()).len();
    let namespace = &iri.as_str()[..start];
    let all = snapshot.kind_range(TermKind::Iri);
    let mut text = Vec::new();
    let (mut low, mut high) = (all.start, all.end);
    while low < high {
        let middle = low + (high - low) / 2;
        snapshot.text(TermId::new(middle), &mut text);
        if text.as_slice() < namespace.as_bytes() { low = middle + 1 } else { high = middle }
    }
    let inside = |id: &TermId| {
        let mut text = Vec::new();
        snapshot.text(*id, &mut text) && text.starts_with(namespace.as_bytes())
    };
    let mut found: Vec<TermId> = (low..all.end).map(TermId::new).take_while(inside).take(MOST_COMPARED).collect();
    if all.len() <= MOST_COMPARED * 20 {
        let local = local_name(iri.as_str()).to_lowercase();
        let mut text = Vec::new();
        found.extend(all.map(TermId::new).filter(|id| {
            snapshot.text(*id, &mut text)
                && std::str::from_utf8(&text).is_ok_and(|t| local_name(t).to_lowercase() == local)
        }));
    }
    found
}

fn name(asked: &Asked<'_>, id: TermId) -> String {
    match asked.snapshot.term(id) {
        Term::NamedNode(node) => asked.curie(&node),
        term => term.to_string(),
    }
}

/// Which of the terms was meant: one with the same local name, else one that is spelt almost so.
fn near(asked: &Asked<'_>, iri: &NamedNode, among: &[TermId]) -> Option<String> {
    let local = local_name(iri.as_str());
    let folded = fold(local);
    let all: Vec<(NamedNode, String)> = among
        .iter()
        .filter_map(|id| match asked.snapshot.term(*id) {
            Term::NamedNode(node) => {
                let shown = asked.curie(&node);
                Some((node, shown))
            }
            _ => None,
        })
        .collect();
    let mut same: Vec<&str> = all
        .iter()
        .filter(|(node, _)| fold(local_name(node.as_str())) == folded && node != iri)
        .map(|(_, shown)| shown.as_str())
        .collect();
    same.sort_unstable();
    same.dedup();
    if !same.is_empty() {
        let names: Vec<String> = same.iter().take(3).map(|n| format!("`{n}`")).collect();
        return Some(format!("did you mean {}?", names.join(" or ")));
    }
    let shown = asked.curie(iri);
    if let Some(hint) = did_you_mean(&shown, all.iter().map(|(_, shown)| shown.as_str())) {
        return Some(hint);
    }
    // A name that is spelt so in another namespace.
    let locals: Vec<&str> = all.iter().map(|(node, _)| local_name(node.as_str())).collect();
    let best = *nearest(local, locals.iter().copied().filter(|l| l.len() > 3), 1).first()?;
    let (_, shown) = all.iter().find(|(node, _)| local_name(node.as_str()) == best)?;
    Some(format!("did you mean `{shown}`?"))
}

/// Names that differ in case, in `-` or `_`, or in a plural's `s` are the same for this purpose.
fn fold(name: &str) -> String {
    let folded: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    folded.strip_suffix('s').map_or(folded.clone(), str::to_owned)
}
