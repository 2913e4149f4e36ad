//! Mistakes of scope, which the grammar allows: wrong projections, groupings, repeated bindings, and labels shared between
//! groups.

use super::walk::Walk;
use crate::fault::Fault;
use crate::{Span, Token};

type Name<'a> = (&'a str, Span);

/// A SELECT, and the names in its clauses.
#[derive(Default)]
pub(super) struct Select<'a> {
    pub star: Option<Span>,
    /// Projected without an expression.
    pub variables: Vec<Name<'a>>,
    /// After `AS`.
    pub aliases: Vec<Name<'a>>,
    /// Used in projected expressions outside aggregates.
    pub used: Vec<Name<'a>>,
    pub grouped: Option<Vec<&'a str>>,
    pub aggregates: bool,
    /// The tokens of its pattern: the first, and the one after the last.
    pub pattern: (usize, usize),
}

#[derive(Default)]
pub(super) struct Scopes<'a> {
    stack: Vec<Select<'a>>,
    done: Vec<Select<'a>>,
    outside: Select<'a>,
    collecting: Option<Vec<Name<'a>>>,
    /// The number of aggregates around the current token.
    pub aggregate_depth: usize,
    /// `BIND(… AS ?name)`, with the index of the token at which its group begins.
    pub binds: Vec<(&'a str, Span, usize)>,
    /// Blank node labels, with the number of their basic graph pattern.
    pub labels: Vec<(&'a str, Span, usize)>,
    pub pattern_number: usize,
}

impl<'a> Scopes<'a> {
    pub fn begin(&mut self, select: Select<'a>) {
        self.stack.push(select);
    }

    pub fn end(&mut self) {
        self.done.extend(self.stack.pop());
    }

    /// The innermost SELECT; names outside any SELECT are kept separately.
    pub fn select(&mut self) -> &mut Select<'a> {
        self.stack.last_mut().unwrap_or(&mut self.outside)
    }

    pub fn collect(&mut self) {
        self.collecting = Some(Vec::new());
    }

    pub fn collected(&mut self) -> Vec<Name<'a>> {
        self.collecting.take().unwrap_or_default()
    }

    pub fn note(&mut self, name: &'a str, span: Span) {
        if self.aggregate_depth == 0
            && let Some(names) = &mut self.collecting
        {
            names.push((name, span));
        }
    }
}

impl Walk<'_> {
    /// The first mistake of scope in the text.
    pub fn scope_fault(&self) -> Option<Fault> {
        let mut faults: Vec<Fault> = self.scopes.done.iter().flat_map(|s| self.select_faults(s)).collect();
        faults.extend(self.bind_faults());
        faults.extend(self.label_faults());
        faults.into_iter().min_by_key(|f| f.span.start)
    }

    fn select_faults(&self, select: &Select<'_>) -> Vec<Fault> {
        let mut faults: Vec<Fault> = Vec::new();
        let grouped = select.grouped.is_some() || select.aggregates;
        if let (Some(star), true) = (&select.star, grouped) {
            faults.push(
                Fault::new(star.clone(), "`SELECT *` cannot stand with GROUP BY or an aggregate")
                    .hint("name the grouped variables and the aggregates"),
            );
        }
        if grouped {
            let keys = select.grouped.as_deref().unwrap_or_default();
            for (name, span) in select.variables.iter().chain(&select.used) {
                if !keys.contains(name) {
                    let mut all: Vec<String> = keys.iter().map(|k| format!("?{k}")).collect();
                    all.push(format!("?{name}"));
                    faults.push(
                        Fault::new(span.clone(), format!("`?{name}` is neither grouped nor inside an aggregate")).hint(
                            format!(
                                "add it to `GROUP BY {}`, or take one value: `(SAMPLE(?{name}) AS ?one)`",
                                all.join(" ")
                            ),
                        ),
                    );
                }
            }
        }
        let (start, end) = select.pattern;
        let in_pattern = |name: &str| {
            self.tokens.get(start..end).is_some_and(|ts| ts.iter().any(|t| t.variable(self.text) == Some(name)))
        };
        let mut seen: Vec<&str> = Vec::new();
        for (name, span) in select.variables.iter().chain(&select.aliases) {
            if seen.contains(name) {
                faults.push(
                    Fault::new(span.clone(), format!("`?{name}` is projected twice"))
                        .hint("remove one, or give it another name"),
                );
            }
            seen.push(name);
        }
        for (name, span) in &select.aliases {
            let visible = if grouped { select.grouped.iter().flatten().any(|k| k == name) } else { in_pattern(name) };
            if visible {
                faults.push(
                    Fault::new(span.clone(), format!("`?{name}` already has a value from the pattern"))
                        .hint("give the expression another name"),
                );
            }
        }
        faults
    }

    fn bind_faults(&self) -> Vec<Fault> {
        let twice = |(name, span, group): &(&str, Span, usize)| {
            let first = self.bound_before(name, *group, span.start)?;
            let line = self.text[..first.start].matches('\n').count() + 1;
            Some(
                Fault::new(
                    span.clone(),
                    format!("BIND cannot set `?{name}`, which is used before in this group (line {line})"),
                )
                .hint("bind it before its first use, or give it another name"),
            )
        };
        self.scopes.binds.iter().filter_map(twice).collect()
    }

    /// The first use of a variable between a token and a position, outside FILTERs.
    fn bound_before(&self, name: &str, from: usize, until: usize) -> Option<Token> {
        let mut at = from;
        while let Some(token) = self.tokens.get(at).filter(|t| t.start < until) {
            if token.variable(self.text) == Some(name) {
                return Some(*token);
            }
            at += 1;
            if !token.is_keyword(self.text, "FILTER") {
                continue;
            }
            let mut depth = 0usize;
            while let Some(token) = self.tokens.get(at).filter(|t| t.start < until) {
                at += 1;
                depth += usize::from(token.is(self.text, "(") || token.is(self.text, "{"));
                if token.is(self.text, ")") || token.is(self.text, "}") {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
        None
    }

    fn label_faults(&self) -> Vec<Fault> {
        let labels = &self.scopes.labels;
        labels
            .iter()
            .filter(|(name, span, number)| {
                labels.iter().any(|(other, place, n)| other == name && n != number && place.start < span.start)
            })
            .map(|(name, span, _)| {
                Fault::new(span.clone(), format!("the blank node `{name}` is used in two groups"))
                    .hint(format!("use a variable: `?{}`", name.trim_start_matches("_:")))
            })
            .collect()
    }
}
