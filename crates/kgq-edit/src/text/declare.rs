//! Prefixes: which a text has for new facts, and where it declares one more. What has no other place is put at the text's end.

use super::Editor;
use crate::files::{Kept, Style};
use kgq_syntax::rdf::Prefixes;
use kgq_syntax::turtle::tree::{DirectiveKind, Item};
use std::collections::{BTreeMap, BTreeSet};

/// The prefixes that can be used anywhere below the first declarations: those with one meaning.
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

/// Whether a prefix is new to the text, and would change nothing that stands there.
pub(super) fn may_declare(kept: &Kept, prefix: &str, namespace: &str) -> bool {
    kept.style == Style::Blocks
        && kept.prefixes.get(prefix).is_none()
        && !kept.text.contains(&format!("<{namespace}"))
        && kept.prefixes.iter().all(|(_, other)| other != namespace)
}

impl Editor<'_, '_> {
    /// Declares the prefixes that the text took, and puts at its end what has no other place.
    pub(super) fn declare(&mut self) {
        let declarations: String = self
            .words
            .needed
            .iter()
            .map(|(prefix, namespace)| format!("@prefix {prefix}: <{namespace}> .\n"))
            .collect();
        self.declare_all(&declarations);
        let behind = self.after.remove(&None).unwrap_or_default();
        let text = &self.kept.text;
        if !behind.is_empty() {
            // Of the line breaks before it, the text may have one already, and an empty text needs none.
            let behind = match () {
                () if text.trim().is_empty() => behind.trim_start_matches('\n'),
                () if text.ends_with('\n') => &behind[1..],
                () => &behind,
            };
            self.splices.insert(text.len(), format!("{behind}\n"));
        }
    }

    fn declare_all(&mut self, declarations: &str) {
        if declarations.is_empty() {
            return;
        }
        let directives = self.kept.document.items.iter().map_while(|item| match item {
            Item::Directive(directive) => Some(directive.span.end),
            Item::Statement(_) | Item::Graph(_) => None,
        });
        match directives.last() {
            Some(end) => {
                let at = self.lines.behind_comment(end);
                self.splices.insert(at, format!("\n{}", declarations.trim_end()));
            }
            None => {
                let at = self.header();
                self.splices.insert(at, format!("{declarations}\n"));
            }
        }
    }

    /// Behind the comments about the whole file, which a blank line parts from what follows.
    fn header(&self) -> usize {
        let text = &self.kept.text;
        let lead = text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum::<usize>();
        let blank =
            text[lead..].split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum::<usize>();
        if lead > 0 && blank > 0 { lead + blank } else { 0 }
    }
}
