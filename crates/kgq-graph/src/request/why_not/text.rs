//! The reason for a missing row, as text: for a terminal, and as Markdown.

use super::{Reason, WhyNot};
use crate::advice::{Lack, Removal, Wanted};
use crate::render::cell;
use crate::request::why::{Style, derivation_lines, sources, statement_line};
use kgq_engine::Row;
use kgq_engine::query::atoms::PatternTerm;
use kgq_engine::query::expected::Expectation;
use kgq_syntax::rdf::{Term, Variable};
use kgq_syntax::text::visible;
use std::fmt::Write as _;

/// Writes what removes the row, and what comes near it.
pub fn text(found: &WhyNot, style: Style<'_>) -> String {
    let mut page = Page { found, style, out: String::new() };
    page.verdict();
    for silence in &found.silences {
        let message = silence.error.message().replace(" [not-stated]", "");
        let line = format!("the graph says so: {message}");
        page.line(0, &visible(&line));
    }
    page.out.push_str(&sources(&found.references, style));
    page.out
}

struct Page<'a> {
    found: &'a WhyNot,
    style: Style<'a>,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let lead = if self.style.markdown { "- " } else { "" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.out, "{}{lead}{text}", "  ".repeat(depth));
    }

    fn code(&self, text: &str) -> String {
        if self.style.markdown { format!("`{text}`") } else { text.to_owned() }
    }

    fn expected(&self) -> String {
        let one = |expectation: &Expectation| {
            let value = match (&expectation.node, &expectation.text) {
                (Some(node), _) => cell(&node.clone().into(), self.style.prefixes),
                (None, Some(text)) => format!("“{}”", visible(text)),
                (None, None) => "no value".to_owned(),
            };
            format!("{} = {value}", expectation.variable.as_str())
        };
        let all: Vec<String> = self.found.expected.iter().map(one).collect();
        if all.is_empty() { "no row".to_owned() } else { format!("no row with {}", all.join(", ")) }
    }

    fn values(&self, columns: &[Variable], row: &Row) -> String {
        let one = |(variable, value): (&Variable, &Option<Term>)| self.value(variable, value.as_ref());
        columns.iter().zip(row).map(one).collect::<Vec<_>>().join(", ")
    }

    fn value(&self, variable: &Variable, value: Option<&Term>) -> String {
        let value = value.map_or_else(|| "unbound".to_owned(), |value| cell(value, self.style.prefixes));
        format!("{} is {value}", variable.as_str())
    }

    fn verdict(&mut self) {
        match &self.found.reason {
            Reason::True => self.line(0, "the answer is true"),
            Reason::There(number) => self.line(0, &format!("the answer has such a row: row {number}")),
            Reason::Cut { number, rows } => {
                let line = format!("{}: LIMIT or OFFSET leaves it out; it is row {number} of {rows}", self.expected());
                self.line(0, &line);
            }
            Reason::Removed(removal) => self.removal(removal),
            Reason::Rejected { columns, row } => {
                let line = format!("{}: HAVING rejects its group", self.expected());
                self.line(0, &line);
                let values = self.values(columns, row);
                self.line(1, &format!("there {values}"));
            }
            Reason::Other { columns, rows } => {
                let line = format!("{}: every condition is met, but what is computed differs", self.expected());
                self.line(0, &line);
                for row in rows {
                    let values = self.values(columns, row);
                    self.line(1, &format!("in a row {values}"));
                }
            }
            Reason::Unknown => {
                let line = format!("{}: every condition by itself lets such a row pass", self.expected());
                self.line(0, &line);
            }
        }
    }

    fn removal(&mut self, removal: &Removal) {
        let expected = self.expected();
        let lead = format!("{expected}: this condition removes it");
        self.line(0, &lead);
        let condition = self.code(&visible(&removal.condition));
        let place =
            removal.place.as_ref().map(|place| format!("{}:{}:{}  ", visible(&place.file), place.line, place.column));
        self.line(1, &format!("{}{condition}", place.unwrap_or_default()));
        match &removal.lack {
            Lack::Statement { wanted, near } => self.statement(wanted, !near.is_empty()),
            Lack::Values(values) if values.is_empty() => {}
            Lack::Values(values) => {
                let values: Vec<String> = values.iter().map(|(v, value)| self.value(v, value.as_ref())).collect();
                self.line(1, &format!("there {}", values.join(", ")));
            }
            Lack::Absence(_) => self.line(1, "it requires that this is not stated:"),
            Lack::Match => self.line(1, "nothing fits it"),
        }
        for (number, stated) in self.found.statements.iter().enumerate() {
            let line = statement_line(stated, number, self.style);
            self.line(2, &line);
            for (below, line) in derivation_lines(stated, self.style) {
                self.line(2 + below, &line);
            }
        }
    }

    fn statement(&mut self, wanted: &Wanted, has_near: bool) {
        let node = |node: &PatternTerm| match node {
            PatternTerm::Term(term) => cell(term, self.style.prefixes),
            PatternTerm::Variable(variable) => variable.to_string(),
            PatternTerm::Other => "[…]".to_owned(),
        };
        let parts = [&wanted.subject, &wanted.predicate, &wanted.object].map(node);
        let shown = self.code(&parts.join("  "));
        self.line(1, &format!("nothing states  {shown}"));
        let is_silent =
            !self.found.statements.iter().any(|stated| {
                wanted.topic().is_some_and(|(s, p)| stated.quad.subject == s && stated.quad.predicate == p)
            });
        if is_silent && wanted.topic().is_some() {
            let topic = self.code(&format!("{}  {}", parts[0], parts[1]));
            self.line(1, &format!("the graph says nothing of  {topic}"));
        }
        if has_near {
            self.line(1, "near to it is");
        }
    }
}
