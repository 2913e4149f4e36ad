//! Edits the facts of one block: removes some, edits inside others, and adds new ones.

use super::Editor;
use crate::fates::Fate;
use crate::tree::{Predicate, Site, SiteForm, Statement};
use kgq_syntax::Span;
use rustc_hash::FxHashMap;

impl Editor<'_, '_> {
    pub(super) fn statement(
        &mut self,
        number: usize,
        statement: &Statement,
        additions: &mut FxHashMap<usize, Vec<String>>,
    ) {
        let new = additions.remove(&statement.subject.end).unwrap_or_default();
        let behind = self.after.remove(&Some(number));
        let fate = self.fates.statements[number];
        if let (Some(block), true) = (statement.block, behind.is_some() || !new.is_empty()) {
            self.filled.insert(block);
        }
        if fate == Fate::Anew || (fate == Fate::Goes && new.is_empty()) {
            let (span, mut kept) = self.lines.without_block(&statement.span);
            if let Some(behind) = behind {
                // The new block takes the place of the removed one.
                kept = format!("{kept}{}\n", behind.trim_start_matches('\n'));
                if span.end > statement.span.end && self.kept.text[..span.end].ends_with("\n\n") {
                    kept.push('\n');
                }
            }
            self.splices.replace(span, kept);
            return;
        }
        if let Some(behind) = behind {
            let at = self.lines.behind_comment(statement.span.end);
            self.splices.insert(at, behind);
        }
        let fates = self.fates.facts[number].clone();
        if fate == Fate::Loses
            && let Some(brackets) = &statement.brackets
        {
            self.inner(brackets, additions);
        }
        self.predicates(&statement.site, &fates, new, statement.subject.end, additions);
    }

    /// Edits the facts of a site: removes some, edits inside others, and adds new ones after the last that stays.
    fn predicates(
        &mut self,
        site: &Site,
        fates: &[Vec<Fate>],
        new: Vec<String>,
        open: usize,
        additions: &mut FxHashMap<usize, Vec<String>>,
    ) {
        let mut last: Option<&Predicate> = None;
        for (predicate, fates) in site.predicates.iter().zip(fates) {
            for (fact, fate) in predicate.facts.iter().zip(fates) {
                if !fate.is_gone() {
                    for inner in &fact.sites {
                        self.inner(inner, additions);
                    }
                }
            }
            if fates.iter().all(|fate| fate.is_gone()) {
                let (span, kept) = self.lines.without(&(predicate.verb.start..predicate.end));
                self.splices.replace(span, kept);
                continue;
            }
            last = Some(predicate);
            self.objects(predicate, fates);
        }
        if new.is_empty() {
            return;
        }
        let end = match last {
            Some(last) => {
                if !last.is_closed {
                    self.splices.insert(last.end, " ;");
                }
                last.end
            }
            None => open,
        };
        let indent = "    ".repeat(self.depth(site));
        let text: String = new.iter().map(|fact| format!("\n{indent}{fact} ;")).collect();
        let at = self.lines.behind_comment(end);
        // After that, only the closing dot or bracket follows on the line.
        self.splices.insert(at, text);
    }

    /// Removes some objects of a predicate, with the commas that they leave.
    fn objects(&mut self, predicate: &Predicate, fates: &[Fate]) {
        let Some(last) = fates.iter().rposition(|fate| !fate.is_gone()) else { return };
        for (number, (fact, _)) in predicate.facts.iter().zip(fates).enumerate().filter(|(_, (_, fate))| fate.is_gone())
        {
            let span = if number < last {
                fact.span.start..self.comma(fact.span.end, predicate.facts[number + 1].span.start).end
            } else {
                self.comma(predicate.facts[number - 1].span.end, fact.span.start).start..fact.span.end
            };
            let (span, kept) = self.lines.without(&span);
            self.splices.replace(span, kept);
        }
    }

    fn comma(&self, from: usize, to: usize) -> Span {
        let tokens = &self.kept.document.tokens;
        let first = tokens.partition_point(|token| token.start < from);
        let found = tokens[first..].iter().take_while(|t| t.start < to).find(|t| t.is(&self.kept.text, ","));
        found.map_or(from..to, |token| token.span())
    }

    /// Edits a site nested in a fact that stays.
    fn inner(&mut self, site: &Site, additions: &mut FxHashMap<usize, Vec<String>>) {
        let fates: Vec<Vec<Fate>> =
            site.predicates.iter().map(|p| p.facts.iter().map(|fact| self.fates.fact(fact)).collect()).collect();
        let all_gone = fates.iter().flatten().all(|fate| fate.is_gone());
        match &site.form {
            SiteForm::Statement => {}
            SiteForm::Brackets(span) => {
                let new = additions.remove(&(span.start + 1)).unwrap_or_default();
                self.predicates(site, &fates, new, span.start + 1, additions);
            }
            SiteForm::Annotation(span, is_named) => {
                let new = additions.remove(&(span.start + 1)).unwrap_or_default();
                if all_gone && new.is_empty() {
                    self.without_annotation(span, *is_named);
                } else {
                    self.predicates(site, &fates, new, span.start + 2, additions);
                }
            }
            SiteForm::Reifier(span) => {
                if let Some(new) = additions.remove(&(span.start + 1)) {
                    let indent = "    ".repeat(self.depth(site));
                    let text = match new.as_slice() {
                        [fact] if !fact.contains('\n') => format!(" {{| {fact} |}}"),
                        facts => {
                            let facts: String = facts.iter().map(|fact| format!("\n{indent}{fact} ;")).collect();
                            format!(" {{|{facts}\n{}|}}", &indent[4..])
                        }
                    };
                    self.splices.insert(span.end, text);
                }
            }
        }
    }

    fn without_annotation(&mut self, span: &Span, is_named: bool) {
        let comments = self.lines.comments(span);
        let indent = "    ".repeat(self.lines.depth(span.start));
        let mut text = String::from(if is_named { "" } else { "~" });
        for comment in &comments {
            text.push_str(&format!(" {comment}\n{indent}"));
        }
        let before = self.kept.text[..span.start].trim_end_matches(' ').len();
        let start = if is_named { before } else { span.start };
        self.splices.replace(start..span.end, text);
    }
}
