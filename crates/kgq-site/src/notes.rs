//! The footnotes of a page: the source of each statement, numbered in the order of appearance.

use super::html::{At, stop, text};
use super::label::shorten;
use kgq_graph::audit::Statement;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term, Triple};
use maud::{Markup, html};
use rustc_hash::{FxHashMap, FxHashSet};

/// To how many characters a document's title is cut after its first note.
const SHORT_TITLE: usize = 40;

/// The maximum number of premises that are spelled out for an inference.
const MOST_GROUNDS: usize = 12;

/// The subject of a footnote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// A citation, whichever statement it supports.
    Citation(NamedNode),
    /// A statement that needs more explanation than its citations.
    Statement(NamedOrBlankNode),
}

/// The footnotes of one page.
#[derive(Default)]
pub struct Notes {
    numbers: FxHashMap<Key, usize>,
    notes: Vec<(Markup, bool)>,
    /// The documents that a note has already named in full.
    named: FxHashSet<NamedNode>,
}

impl Notes {
    /// The marks after a statement: one number per source.
    pub fn cite(&mut self, at: &At<'_, '_>, triple: &Triple) -> Markup {
        let mut marks: Vec<usize> = Vec::new();
        let mut inferred = false;
        for statement in at.model.source.audit.statements(triple) {
            inferred |= !statement.grounds.is_empty();
            for number in self.numbers_of(at, &statement) {
                if !marks.contains(&number) {
                    marks.push(number);
                }
            }
        }
        self.marks(at, &marks, inferred)
    }

    /// The mark of a citation alone.
    pub fn cite_citation(&mut self, at: &At<'_, '_>, citation: &NamedNode) -> usize {
        self.number(Key::Citation(citation.clone()), |named| (citation_words(at, citation, named), false))
    }

    pub fn marks(&self, at: &At<'_, '_>, marks: &[usize], inferred: bool) -> Markup {
        html! {
            @if !marks.is_empty() {
                sup .notes {
                    @for (i, number) in marks.iter().enumerate() {
                        @if i > 0 { " " }
                        a href=(format!("#note-{number}")) role="doc-noteref" aria-label=(at.fill("Source {}", number)) { (number) }
                    }
                }
            }
            @if inferred { " " span .inferred title=(at.say("No source prints this: it follows from other statements")) { (at.say("inferred")) } }
        }
    }

    fn numbers_of(&mut self, at: &At<'_, '_>, statement: &Statement) -> Vec<usize> {
        let remarks = at.model.source.audit.remarks(&statement.reifier);
        if statement.grounds.is_empty() && remarks.is_empty() {
            return statement.citations.iter().map(|citation| self.cite_citation(at, citation)).collect();
        }
        let key = Key::Statement(statement.reifier.clone());
        let inferred = !statement.grounds.is_empty();
        vec![self.number(key, |named| (statement_words(at, statement, &remarks, named), inferred))]
    }

    fn number(&mut self, key: Key, words: impl FnOnce(&mut FxHashSet<NamedNode>) -> (Markup, bool)) -> usize {
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let words = words(&mut self.named);
        self.notes.push(words);
        let number = self.notes.len();
        self.numbers.insert(key, number);
        number
    }

    pub fn render(&self, at: &At<'_, '_>) -> Markup {
        html! {
            @if !self.notes.is_empty() {
                section .sources aria-labelledby="sources" {
                    h2 #sources { (at.say("Sources of the statements")) }
                    ol {
                        @for (i, (words, inferred)) in self.notes.iter().enumerate() {
                            li #{"note-" (i + 1)} class=[(*inferred).then_some("inference")] { (words) }
                        }
                    }
                }
            }
        }
    }
}

/// A citation in words: the document, its publisher and date, and the place in it. A long title is cut after its first
/// appearance in full.
fn citation_words(at: &At<'_, '_>, iri: &NamedNode, named: &mut FxHashSet<NamedNode>) -> Markup {
    let citation = at.model.source.audit.citation(iri);
    let document = citation.document.as_ref().map(|iri| at.model.source.audit.document(iri));
    let Some(document) = document else { return at.thing(iri) };
    let mut title = document.title.clone().unwrap_or_else(|| at.model.label(&document.iri));
    if !named.insert(document.iri.clone()) {
        title = shorten(&title, SHORT_TITLE);
    }
    let mut place = Vec::new();
    match citation.sentences.as_slice() {
        [] => {}
        [one] => place.push(at.fill("sentence {}", one)),
        several => place.push(at.fill("sentences {}", several.join(", "))),
    }
    if let Some(span) = citation.span {
        place.push(at.fill("characters {}", format_args!("{}–{}", span.start, span.end)));
    }
    html! {
        cite { (at.link(&document.iri, &text(&title))) }
        @if let Some(publisher) = &document.publisher { ", " bdi { (text(publisher)) } }
        @if let Some(date) = &document.date { ", " time datetime=(text(date)) { (text(date)) } }
        @if place.is_empty() { (stop(document.date.as_ref().or(document.publisher.as_ref()).unwrap_or(&title))) span .muted { (at.say("The document as a whole")) } } @else { ": " (place.join(", ")) }
        @if let Some(anchor) = &citation.anchor { " — " q { (text(anchor)) } }
        " " (at.link(iri, at.say("citation")))
    }
}

/// A statement in words: its premises, and all remarks about it.
fn statement_words(
    at: &At<'_, '_>,
    statement: &Statement,
    remarks: &[(NamedNode, Term)],
    named: &mut FxHashSet<NamedNode>,
) -> Markup {
    let kinds: Vec<&NamedNode> = remarks
        .iter()
        .filter(|(property, _)| property.as_ref() == rdf::TYPE)
        .filter_map(|(_, kind)| match kind {
            Term::NamedNode(node) => Some(node),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        })
        .collect();
    let more = statement.grounds.len().saturating_sub(MOST_GROUNDS);
    html! {
        @for kind in &kinds { (at.thing(kind)) (stop(&at.model.label(kind))) }
        @for (property, value) in remarks.iter().filter(|(p, _)| p.as_ref() != rdf::TYPE) {
            span .remark { (at.property(property)) ": " (at.term(value)) } (stop(&at.plain(value)))
        }
        @for (i, citation) in statement.citations.iter().enumerate() {
            @if i > 0 { "; " }
            (citation_words(at, citation, named))
        }
        @if !statement.grounds.is_empty() {
            (at.say("It follows from:"))
            ul {
                @for ground in statement.grounds.iter().take(MOST_GROUNDS) { li { (at.subject(ground)) } }
                @if more > 0 { li { (at.say("and ")) (more) (at.say(" more")) } }
            }
        }
        @if let NamedOrBlankNode::NamedNode(node) = &statement.reifier { " " (at.link(node, at.say("statement"))) }
    }
}
