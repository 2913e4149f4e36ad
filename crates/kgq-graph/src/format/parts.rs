//! The parts of a text: within a part, each prefix has one meaning and relative IRIs have one base, so that it can be
//! reordered.
//!
//! Most files are a single part. A file made by concatenation, which redeclares its prefixes with other meanings, has
//! several. Statements never move between parts, and each part declares the prefixes that it uses.

use super::model::{Declared, Laid};
use super::{layout, print};
use kgq_syntax::turtle::tree::*;
use kgq_syntax::turtle::triples::unescape;
use kgq_syntax::{Span, TokenKind};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A part that drops an unused declaration may then be compatible with its neighbour, so the steps are repeated; two
/// rounds are usual.
const MAX_ROUNDS: usize = 8;

/// The meaning of a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub iri: String,
    /// The number of the base that a relative IRI depends on.
    base: Option<usize>,
    /// The index of the declaration among the document's items.
    item: usize,
}

impl Meaning {
    fn is_same(&self, other: &Self) -> bool {
        self.iri == other.iri && self.base == other.base
    }
}

/// Prefixes without their colons, and their meanings.
pub(super) type Prefixes = BTreeMap<String, Meaning>;

#[derive(Default)]
struct Part {
    items: Range<usize>,
    /// The number of the base in force at its end.
    base: usize,
    /// Whether it has more than declarations.
    speaks: bool,
    declared: Prefixes,
    /// The prefixes that its names use, including those declared before it.
    used: Prefixes,
}

impl Part {
    /// Whether the two cannot be a single part.
    fn clashes(&self, next: &Self) -> bool {
        let depends_on_base = self.speaks || self.declared.values().any(|meaning| meaning.base.is_some());
        let rebased = self.base != next.base && depends_on_base;
        let differs = |(prefix, meaning): (&String, &Meaning)| {
            let mut here = self.declared.get(prefix).into_iter().chain(self.used.get(prefix));
            here.any(|other| !other.is_same(meaning))
        };
        rebased || next.declared.iter().any(differs)
    }

    fn join(&mut self, next: Self) {
        self.items.end = next.items.end;
        self.base = next.base;
        self.speaks |= next.speaks;
        self.declared.extend(next.declared);
        self.used.extend(next.used);
    }
}

/// Formats the document.
pub(super) fn format(text: &str, document: &Document) -> String {
    let said = said(text, document);
    let mut parts = joined(runs(text, document, &said));
    if parts.is_empty() {
        // The document has only comments.
        parts.push(Part::default());
    }
    let mut texts = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let before: Vec<Prefixes> = parts.iter().map(|part| part.declared.clone()).collect();
        texts = written(text, document, &said, &mut parts);
        if parts.len() == 1 || parts.iter().zip(&before).all(|(part, before)| part.declared == *before) {
            break;
        }
        parts = joined(parts);
    }
    texts.retain(|text| !text.is_empty());
    texts.join("\n")
}

/// What an item declares for those after it.
struct Said {
    /// The number of the base in force; a relative base gets a new number wherever it is declared.
    base: usize,
    prefix: Option<(String, Meaning)>,
}

fn said(text: &str, document: &Document) -> Vec<Said> {
    let mut base = 0;
    let mut base_iri = None;
    let one = |(item, content): (usize, &Item)| {
        let Item::Directive(directive) = content else { return Said { base, prefix: None } };
        let prefix = match &directive.kind {
            DirectiveKind::Prefix { prefix, iri } => {
                let iri = iri_of(text, iri);
                let base = (!has_scheme(&iri)).then_some(base);
                Some((name_of(text, prefix), Meaning { iri, base, item }))
            }
            DirectiveKind::Base { iri } => {
                let iri = Some(iri_of(text, iri)).filter(|iri| has_scheme(iri));
                base += usize::from(iri.is_none() || iri != base_iri);
                base_iri = iri;
                None
            }
            DirectiveKind::Version { .. } => None,
        };
        Said { base, prefix }
    };
    document.items.iter().enumerate().map(one).collect()
}

/// The smallest parts: declarations with what follows them. Two consecutive declarations that clash are separated too.
fn runs(text: &str, document: &Document, said: &[Said]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (at, (item, said)) in document.items.iter().zip(said).enumerate() {
        let one = Part {
            items: at..at + 1,
            base: said.base,
            speaks: !matches!(item, Item::Directive(_)),
            declared: said.prefix.clone().into_iter().collect(),
            used: Prefixes::new(),
        };
        match parts.last_mut() {
            Some(last) if one.speaks || !last.speaks && !last.clashes(&one) => last.join(one),
            _ => parts.push(one),
        }
    }
    let mut in_force = Prefixes::new();
    for part in &mut parts {
        in_force.extend(part.declared.clone());
        part.used = names(text, document, &part.items, &in_force);
    }
    parts
}

/// The prefixes of the names in some items.
fn names(text: &str, document: &Document, items: &Range<usize>, in_force: &Prefixes) -> Prefixes {
    let [first, last] = [items.start, items.end - 1].map(|item| document.items[item].span());
    let from = document.tokens.partition_point(|token| token.start < first.start);
    let tokens = document.tokens[from..].iter().take_while(|token| token.start < last.end);
    let names = tokens.filter(|token| token.kind == TokenKind::PrefixedName);
    let prefixes: BTreeSet<&str> = names.filter_map(|name| name.text(text).split(':').next()).collect();
    let known = |prefix: &str| in_force.get(prefix).map(|meaning| (prefix.to_owned(), meaning.clone()));
    prefixes.into_iter().filter_map(known).collect()
}

/// Joins neighbours that do not clash.
fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(last) if !last.clashes(&part) => last.join(part),
            _ => joined.push(part),
        }
    }
    joined
}

/// Writes each part, leaving it with only the declarations that it needs.
fn written(text: &str, document: &Document, said: &[Said], parts: &mut [Part]) -> Vec<String> {
    let mut in_force = Prefixes::new();
    let mut declared_in: BTreeMap<String, usize> = BTreeMap::new();
    let mut laid: Vec<Laid> = Vec::with_capacity(parts.len());
    let mut start = 0;
    for number in 0..parts.len() {
        let part = &mut parts[number];
        for (prefix, meaning) in std::mem::take(&mut part.declared) {
            declared_in.insert(prefix.clone(), number);
            in_force.insert(prefix, meaning);
        }
        let span = start..end(text, document, part);
        start = span.end;
        let (one, used) = layout::layout(text, document, part.items.clone(), span, &in_force);
        laid.push(one);
        let meanings = used.into_iter().filter_map(|prefix| in_force.get(&prefix).map(|m| (prefix, m.clone())));
        part.used = meanings.collect();
        let base = part.base;
        for (prefix, meaning) in part.used.clone() {
            // A meaning that depends on an earlier base cannot be declared here again, so it stays where it was.
            let movable = meaning.base.is_none_or(|needed| needed == base);
            let place = if movable { number } else { declared_in.get(&prefix).copied().unwrap_or(number) };
            parts[place].declared.insert(prefix, meaning);
        }
    }
    let texts = laid.into_iter().zip(parts.iter()).map(|(mut one, part)| {
        declare(&mut one, &part.declared, text, document, said);
        print::print(one)
    });
    texts.collect()
}

/// Keeps the declarations that are needed, and adds those that are in another part.
fn declare(laid: &mut Laid, needed: &Prefixes, text: &str, document: &Document, said: &[Said]) {
    let is_needed = |declared: &Declared| match &said[declared.item].prefix {
        Some((prefix, meaning)) => needed.get(prefix).is_some_and(|needed| needed.is_same(meaning)),
        None => true,
    };
    let (kept, dropped): (Vec<Declared>, Vec<Declared>) =
        std::mem::take(&mut laid.declared).into_iter().partition(is_needed);
    // Comments on a dropped declaration are kept.
    let orphans = dropped.into_iter().map(|d| d.leading.into_iter().chain(d.trailing).collect::<Vec<_>>());
    laid.header.extend(orphans.filter(|comments| !comments.is_empty()));
    let here: BTreeSet<&str> = kept.iter().filter_map(|declared| declared.prefix.as_deref()).collect();
    let elsewhere = needed.iter().filter(|(prefix, _)| !here.contains(prefix.as_str()));
    let repeated: Vec<Declared> = elsewhere
        .filter_map(|(_, meaning)| match &document.items[meaning.item] {
            Item::Directive(directive) => Some(Declared::new(text, directive, meaning.item)),
            Item::Statement(_) | Item::Graph(_) => None,
        })
        .collect();
    laid.declared = kept;
    laid.declared.extend(repeated);
}

/// Where a part ends: after its last item and a comment on the same line.
fn end(text: &str, document: &Document, part: &Part) -> usize {
    let Some(next) = document.items.get(part.items.end) else { return text.len() };
    let from = part.items.end.checked_sub(1).map_or(0, |last| document.items[last].span().end);
    let between = &text[from..next.span().start];
    from + between.find(['\n', '\r']).unwrap_or(between.len())
}

pub(super) fn name_of(text: &str, prefix: &Span) -> String {
    text[prefix.clone()].trim_end_matches(':').to_owned()
}

pub(super) fn iri_of(text: &str, iri: &Span) -> String {
    unescape(text[iri.clone()].trim_matches(['<', '>']))
}

/// Whether an IRI is absolute.
pub(super) fn has_scheme(iri: &str) -> bool {
    let scheme = iri.split_once(':').map_or("", |(scheme, _)| scheme);
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(rest)
}
