//! Prefixes: which ones a text has for new facts, and where it declares another. Text without a place of its own goes to the end.

use super::Editor;
use crate::files::{Kept, Style};
use crate::splice::{Lines, Splices};
use crate::words::Words;
use kgq_syntax::rdf::Prefixes;
use kgq_syntax::rdf::iri::escaped;
use kgq_syntax::turtle::tree::{DirectiveKind, Item};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// The prefixes that are usable anywhere below the first declarations: those that are declared once.
pub(super) fn usable_prefixes(kept: &Kept) -> Prefixes {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let start = kept.document.items.iter().find(|item| !matches!(item, Item::Directive(_)));
    let start = start.map_or(kept.text.len(), |item| item.span().start);
    let mut early = BTreeSet::new();
    for item in &kept.document.items {
        if let Item::Directive(directive) = item
            && let DirectiveKind::Prefix { prefix, .. } = &directive.kind
        {
            let name = kept.text[prefix.clone()].trim_end_matches(':');
            *times.entry(name).or_default() += 1;
            if directive.span.start < start {
                early.insert(name);
            }
        }
    }
    let one = |prefix: &&str| times.get(prefix) == Some(&1) && early.contains(prefix);
    kept.prefixes.iter().filter(|(prefix, _)| one(prefix)).collect()
}

/// Whether a prefix can be declared in the text without changing what is written there.
pub fn may_declare(kept: &Kept, prefix: &str, namespace: &str) -> bool {
    kept.style == Style::Blocks
        && kept.prefixes.get(prefix).is_none()
        && !kept.text.contains(&format!("<{namespace}"))
        && kept.prefixes.iter().all(|(_, other)| other != namespace)
}

impl Editor<'_, '_> {
    /// Declares the adopted prefixes, and puts at the end of the text what has no place of its own.
    pub(super) fn declare(&mut self) {
        declaration(self.kept, &self.words.needed, &mut self.splices);
        let behind = self.after.remove(&None).unwrap_or_default();
        let text = &self.kept.text;
        if !behind.is_empty() {
            // The text may already end with one of the line breaks that precede the addition; an empty text needs none.
            let behind = match () {
                () if text.trim().is_empty() => behind.trim_start_matches('\n'),
                () if text.ends_with('\n') => &behind[1..],
                () => &behind,
            };
            self.splices.insert(text.len(), format!("{behind}\n"));
        }
    }
}

/// Declares prefixes in a text: after its other declarations, or below its opening comments.
pub fn declaration(kept: &Kept, needed: &BTreeMap<String, String>, splices: &mut Splices) {
    if needed.is_empty() {
        return;
    }
    let lines: Vec<String> =
        needed.iter().map(|(prefix, namespace)| format!("@prefix {prefix}: <{}> .", escaped(namespace))).collect();
    let directives = kept.document.items.iter().map_while(|item| match item {
        Item::Directive(directive) => Some(directive.span.end),
        Item::Statement(_) | Item::Graph(_) => None,
    });
    match directives.last() {
        Some(end) => {
            let at = Lines { text: &kept.text, tokens: &kept.document.tokens }.behind_comment(end);
            splices.insert(at, format!("\n{}", lines.join("\n")));
        }
        None => splices.insert(header(&kept.text), format!("{}\n\n", lines.join("\n"))),
    }
}

/// Returns a writer of terms for a text.
pub fn new_words<'a>(kept: &Kept, more: &'a Prefixes, may_declare: &'a dyn Fn(&str, &str) -> bool) -> Words<'a> {
    Words {
        own: usable_prefixes(kept),
        more,
        may_declare,
        needed: BTreeMap::new(),
        labels: FxHashMap::default(),
        has_long_strings: !kept.text.contains("\r\n"),
    }
}

/// The position after the opening comments, if a blank line separates them from the rest.
fn header(text: &str) -> usize {
    let lead = text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum::<usize>();
    let blank =
        text[lead..].split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum::<usize>();
    if lead > 0 && blank > 0 { lead + blank } else { 0 }
}
