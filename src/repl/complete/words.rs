//! Completions from the language and from the text itself: keywords, functions, prefixes, variables.

use super::Offers;
use kgq_syntax::cursor::Expected;
use kgq_syntax::sparql::tokenize;
use kgq_syntax::text::visible;
use kgq_syntax::words::{AGGREGATES, FUNCTIONS, KEYWORDS, WELL_KNOWN_PREFIXES};

impl Offers<'_> {
    /// Offers the other variables of the text, each once, in order.
    pub(super) fn variables(&mut self, text: &str) {
        let bare = self.typed.trim_start_matches(['?', '$']);
        let mut seen: Vec<String> = Vec::new();
        for token in tokenize(text) {
            if token.start == self.span.start {
                continue;
            }
            if let Some(name) = token.variable(text)
                && name.starts_with(bare)
                && !seen.iter().any(|s| s == name)
            {
                seen.push(name.to_owned());
            }
        }
        for name in seen {
            self.add(format!("?{name}"), "variable");
        }
    }

    pub(super) fn keywords(&mut self, expected: &Expected) {
        let words: &[&str] = match expected {
            Expected::Query => &["SELECT", "ASK", "CONSTRUCT", "DESCRIBE", "PREFIX", "BASE"],
            Expected::Projection => &["DISTINCT", "REDUCED", "WHERE", "FROM", "ASC", "DESC", "LIMIT"],
            Expected::Subject | Expected::Separator => {
                &["FILTER", "OPTIONAL", "BIND", "VALUES", "MINUS", "UNION", "GRAPH", "FILTER NOT EXISTS", "SELECT"]
            }
            Expected::Verb { .. } => &["a"],
            Expected::Expression => &["EXISTS", "NOT EXISTS", "IN", "NOT IN", "DISTINCT", "AS", "true", "false"],
            Expected::Modifier => &["ORDER BY", "LIMIT", "OFFSET", "GROUP BY", "HAVING", "VALUES"],
            Expected::Graph if self.typed.is_empty() => &[],
            Expected::Graph => &["NAMED"],
            Expected::Nothing | Expected::Prefix | Expected::Object { .. } | Expected::Number => &[],
        };
        // Every word begins with an empty text; then only these keywords are offered, no aggregates and no functions.
        for word in words.iter().filter(|word| self.starts(word)).copied().collect::<Vec<_>>() {
            let known = word.split(' ').all(|w| KEYWORDS.iter().any(|k| k.eq_ignore_ascii_case(w)));
            debug_assert!(known, "{word}");
            self.add(word, "");
        }
        if matches!(expected, Expected::Expression | Expected::Projection) && !self.typed.is_empty() {
            for name in AGGREGATES.iter().filter(|name| self.starts(name)).copied().collect::<Vec<_>>() {
                self.add(format!("{name}("), format!("{name}(expression): aggregate"));
            }
            let functions: Vec<_> = FUNCTIONS.iter().filter(|(name, _)| self.starts(name)).copied().collect();
            for (name, arguments) in functions {
                self.add(format!("{name}("), format!("{name}({arguments})"));
            }
        }
    }

    pub(super) fn prefixes(&mut self, expected: &Expected) {
        if *expected == Expected::Prefix {
            let declared = self.state.prefixes.iter().chain(WELL_KNOWN_PREFIXES.iter().copied());
            let found: Vec<(String, String)> = declared
                .filter(|(prefix, _)| self.starts(prefix))
                .map(|(prefix, iri)| (format!("{prefix}: <{iri}>"), visible(iri).into_owned()))
                .collect();
            found.into_iter().for_each(|(value, about)| self.add(value, about));
            return;
        }
        let term = matches!(
            expected,
            Expected::Subject
                | Expected::Verb { .. }
                | Expected::Object { .. }
                | Expected::Expression
                | Expected::Graph
        );
        if term && !self.typed.is_empty() {
            let known = self.state.prefixes.iter().filter(|(prefix, _)| self.starts(prefix));
            let found: Vec<(String, String)> =
                known.map(|(prefix, iri)| (format!("{prefix}:"), visible(iri).into_owned())).collect();
            found.into_iter().for_each(|(value, about)| self.add(value, about));
        }
    }
}
