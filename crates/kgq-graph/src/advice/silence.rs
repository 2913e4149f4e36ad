//! Silences: what the graph says its sources do not state, as the reason for an empty answer.

use super::{AdviceRequest, Diagnostic, QueryText};
use crate::project::SilenceSettings;
use kgq_engine::query::atoms::{AtomKind, atoms};
use kgq_engine::query::{Position, used_terms};
use kgq_syntax::rdf::vocabulary::{rdf, rdfs};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term};
use std::collections::BTreeSet;

/// The most silences that are reported.
const SHOWN: usize = 3;

/// Returns the silences about a property that the query asks for, concerning a thing that it names or a class of such
/// things.
pub fn silences(asked: &AdviceRequest<'_>, settings: &SilenceSettings, text: &QueryText<'_>) -> Vec<Diagnostic> {
    let node = |name: &Option<String>| name.as_ref().and_then(|name| asked.prefixes.expand(name));
    let (Some(of), Some(property)) = (node(&settings.of), node(&settings.property)) else { return Vec::new() };
    let wanted = Wanted::of(asked);
    // Each with the property that the query asks for.
    let mut found: Vec<(NamedNode, &NamedNode)> = Vec::new();
    for sought in &wanted.properties {
        for silence in subjects(asked, &property, sought) {
            let things = objects(asked, &silence, &of);
            if things.iter().any(|thing| wanted.is_about(asked, thing)) && !found.iter().any(|(own, _)| *own == silence)
            {
                found.push((silence, sought));
            }
        }
    }
    found.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
    let more = found.len().saturating_sub(SHOWN);
    let source = node(&settings.source);
    let tell = |(silence, sought): &(NamedNode, &NamedNode)| {
        let labels = labels(asked, silence);
        let what = if labels.is_empty() { asked.curie(silence) } else { labels };
        let sources = source.iter().flat_map(|source| objects(asked, silence, source));
        let sources: Vec<String> = sources.map(|source| asked.curie(&source)).collect();
        let place = if sources.is_empty() { String::new() } else { format!(" in {}", sources.join(", ")) };
        Diagnostic::new("not-stated", format!("not stated{place}: {what}"))
            .at(text, text.iri(sought, false))
            .hint_if(Some(format!("`kgq describe {}` shows the silence", asked.curie(silence))))
    };
    let mut told: Vec<Diagnostic> = found.iter().take(SHOWN).map(tell).collect();
    if more > 0
        && let Some(last) = told.pop()
    {
        told.push(last.hint_if(Some(format!("and {more} more"))));
    }
    told
}

/// What a query looks for.
struct Wanted {
    properties: BTreeSet<NamedNode>,
    /// The things and classes that it names.
    things: BTreeSet<NamedNode>,
}

impl Wanted {
    fn of(asked: &AdviceRequest<'_>) -> Self {
        let taken = atoms(asked.query);
        let mut wanted = Self { properties: BTreeSet::new(), things: BTreeSet::new() };
        for (at, atom) in taken.atoms.iter().enumerate() {
            // Optional conditions, filters and MINUS do not say what is looked for.
            if matches!(atom.condition, AtomKind::Filter | AtomKind::Minus | AtomKind::Optional) {
                continue;
            }
            for term in used_terms(&taken.ask(&[at]).algebra) {
                match term.position {
                    Position::Property => wanted.properties.insert(term.iri),
                    Position::Class | Position::Node | Position::Value => wanted.things.insert(term.iri),
                    Position::Graph | Position::Function => false,
                };
            }
        }
        wanted
    }

    /// Whether the query names this thing or a member of it, or names nothing at all that it could be about.
    fn is_about(&self, asked: &AdviceRequest<'_>, thing: &NamedNode) -> bool {
        let is_class = asked.snapshot.find(None, Some(rdf::TYPE.into()), Some(thing.as_ref().into())).next().is_some();
        self.things.contains(thing)
            || (is_class && (self.things.is_empty() || self.things.iter().any(|own| is_member(asked, own, thing))))
    }
}

fn is_member(asked: &AdviceRequest<'_>, thing: &NamedNode, class: &NamedNode) -> bool {
    objects(asked, thing, &rdf::TYPE.into_owned()).contains(class)
}

fn subjects(asked: &AdviceRequest<'_>, property: &NamedNode, object: &NamedNode) -> Vec<NamedNode> {
    let found = asked.snapshot.find(None, Some(property.as_ref().into()), Some(object.as_ref().into()));
    found
        .filter_map(|quad| match quad.subject {
            NamedOrBlankNode::NamedNode(node) => Some(node),
            NamedOrBlankNode::BlankNode(_) => None,
        })
        .collect()
}

fn objects(asked: &AdviceRequest<'_>, subject: &NamedNode, property: &NamedNode) -> Vec<NamedNode> {
    let found = asked.snapshot.find(Some(subject.as_ref().into()), Some(property.as_ref().into()), None);
    found
        .filter_map(|quad| match quad.object {
            Term::NamedNode(node) => Some(node),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        })
        .collect()
}

/// The labels of a silence in all languages.
fn labels(asked: &AdviceRequest<'_>, silence: &NamedNode) -> String {
    let found = asked.snapshot.find(Some(silence.as_ref().into()), Some(rdfs::LABEL.into()), None);
    let texts = found.filter_map(|quad| match quad.object {
        Term::Literal(label) => Some(label.value().to_owned()),
        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
    });
    texts.collect::<Vec<_>>().join(" · ")
}
