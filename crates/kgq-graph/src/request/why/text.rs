//! An explanation as text: for a terminal, and as Markdown.

use super::{AnswerPart, Derived, Explained, MOST_WAYS, Stated};
use crate::audit::Reference;
use crate::catalog::Labels;
use crate::render::{cell, markdown_references, reference};
use kgq_engine::query::with_curies;
use kgq_engine::why::Ground;
use kgq_syntax::rdf::{GraphName, Prefixes, Quad, Term};
use kgq_syntax::text::{count, visible, width};
use rustc_hash::FxHashMap;
use std::fmt::Write as _;

/// The number of members of a group that are shown.
const SHOWN: usize = 5;

/// How an explanation is written.
#[derive(Clone, Copy)]
pub struct Style<'a> {
    pub prefixes: &'a Prefixes,
    pub labels: &'a Labels,
    /// The language of the labels.
    pub language: &'a str,
    pub markdown: bool,
    /// Whether the sources are marked with terminal colours.
    pub colour: bool,
    /// The last author of each statement's line, by the statement's number, if known.
    pub authors: &'a FxHashMap<usize, String>,
}

/// Writes the row, what it rests on, and where that comes from.
pub fn text(explained: &Explained, style: Style<'_>) -> String {
    let numbers = explained.statements.iter().enumerate().map(|(number, stated)| (&stated.quad, number)).collect();
    let mut writer = Writer { explained, style, numbers, out: String::new() };
    writer.part();
    writer.out.push_str(&heading("Because", style));
    if explained.grounds.is_empty() {
        writer.line(0, "it rests on no statement: the query alone makes it so");
    }
    writer.grounds(&explained.grounds, 0);
    writer.close();
    writer.out.push_str(&sources(&explained.references, style));
    writer.out
}

/// A statement of an explanation, with its place, author and citations.
pub(crate) fn statement_line(stated: &Stated, number: usize, style: Style<'_>) -> String {
    let mut shown = triple(&stated.quad, style);
    let Stated { place, citations, is_inferred, is_uncited, .. } = stated;
    // Writing to a `String` cannot fail.
    if let Some(place) = place {
        let _ = write!(shown, "  {}:{}", visible(&place.file), place.line);
    }
    if let Some(author) = style.authors.get(&number) {
        let _ = write!(shown, "  {}", visible(author));
    }
    for citation in citations {
        let _ = write!(shown, " [{}]", citation + 1);
    }
    if *is_inferred {
        shown.push_str(" inferred");
    }
    if *is_uncited {
        shown.push_str(" uncited");
    }
    shown
}

/// Returns the statements that this one was inferred from: a line for each, with its depth below it.
pub(crate) fn derivation_lines(stated: &Stated, style: Style<'_>) -> Vec<(usize, String)> {
    let line = |derived: &Derived| {
        let quad = derived.triple.clone().in_graph(GraphName::DefaultGraph);
        let by: Vec<String> = derived.by.iter().map(|(_, value)| code(&cell(value, style.prefixes), style)).collect();
        let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
        let mut shown = format!("inferred{by} from  {}", triple(&quad, style));
        if let Some(place) = &derived.place {
            let _ = write!(shown, "  {}:{}", visible(&place.file), place.line);
        }
        for citation in &derived.citations {
            let _ = write!(shown, " [{}]", citation + 1);
        }
        (derived.depth, shown)
    };
    stated.derivation.iter().map(line).collect()
}

/// The heading above one of several ways to a row.
pub fn way_heading(number: usize, all: usize, style: Style<'_>) -> String {
    let all = if all >= MOST_WAYS { format!("{MOST_WAYS} or more") } else { all.to_string() };
    let (lead, before) = (if style.markdown { "# " } else { "" }, if number == 1 { "" } else { "\n" });
    format!("{before}{lead}way {number} of {all}\n\n")
}

fn triple(quad: &Quad, style: Style<'_>) -> String {
    let part = |term: Term| cell(&term, style.prefixes);
    let (subject, predicate) = (part(quad.subject.clone().into()), part(quad.predicate.clone().into()));
    let mut shown = code(&format!("{subject}  {predicate}  {}", part(quad.object.clone())), style);
    if quad.graph_name != GraphName::DefaultGraph {
        let _ = write!(shown, "  in {}", visible(&quad.graph_name.to_string()));
    }
    shown
}

fn code(text: &str, style: Style<'_>) -> String {
    if style.markdown { format!("`{text}`") } else { text.to_owned() }
}

fn heading(title: &str, style: Style<'_>) -> String {
    if style.markdown {
        return format!("\n## {title}\n\n");
    }
    let (bold, reset) = if style.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    format!("\n{bold}{title}{reset}\n")
}

/// Lists the sources that an explanation refers to by number; empty if there are none.
pub fn sources(references: &[Reference], style: Style<'_>) -> String {
    if references.is_empty() {
        return String::new();
    }
    let mut out = heading("Sources", style);
    if style.markdown {
        return out + &markdown_references(references);
    }
    let mut document = String::new();
    for (number, source) in references.iter().enumerate() {
        let line = source.document_line();
        if line != document {
            let _ = writeln!(out, "{}", visible(&line));
            document = line;
        }
        let text = reference(source, style.colour);
        // The line with the document itself is already written above.
        for (at, line) in text.lines().skip(1).enumerate() {
            let mark = if at == 0 { format!("[{}]", number + 1) } else { String::new() };
            let _ = writeln!(out, "{mark:<5}{}", if at == 0 { line.trim_start() } else { line });
        }
    }
    out
}

struct Writer<'a> {
    explained: &'a Explained,
    style: Style<'a>,
    numbers: FxHashMap<&'a Quad, usize>,
    out: String,
}

impl Writer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let lead = if self.style.markdown { "- " } else { "  " };
        let _ = writeln!(self.out, "{}{lead}{text}", "  ".repeat(depth));
    }

    fn named(&self, term: &Term) -> String {
        let shown = code(&cell(term, self.style.prefixes), self.style);
        let label = match term {
            Term::NamedNode(node) => self.style.labels.get(node, self.style.language),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        };
        label.map_or(shown.clone(), |label| format!("{}  {shown}", visible(label)))
    }

    fn part(&mut self) {
        match &self.explained.part {
            AnswerPart::True => self.line(0, "the answer is true"),
            AnswerPart::Triple(triple) => {
                let shown = code(&cell(&triple.clone().into(), self.style.prefixes), self.style);
                self.line(0, &shown);
            }
            AnswerPart::Row { variables, row } => {
                let widest = variables.iter().map(|variable| width(variable.as_str())).max().unwrap_or(0);
                for (variable, value) in variables.iter().zip(row) {
                    let pad = " ".repeat(widest - width(variable.as_str()));
                    let value = value.as_ref().map_or_else(|| "(unbound)".to_owned(), |value| self.named(value));
                    self.line(0, &format!("{}{pad}  {value}", variable.as_str()));
                }
            }
        }
    }

    fn grounds(&mut self, grounds: &[Ground], depth: usize) {
        for ground in grounds {
            match ground {
                Ground::Statement(quad) => self.statement(quad, depth),
                Ground::Path { from, to, steps } => {
                    let (from, to) = (self.named(from), self.named(to));
                    let length = count(steps.len() as u64, "step", "steps");
                    self.line(depth, &format!("a way from {from} to {to}, {length}"));
                    steps.iter().for_each(|step| self.statement(step, depth + 1));
                }
                Ground::Members(members) => {
                    let all = count(members.len() as u64, "member", "members");
                    let shown = if members.len() > SHOWN { format!("; the first {SHOWN}") } else { String::new() };
                    self.line(depth, &format!("{all} of a group{shown}"));
                    for member in members.iter().take(SHOWN) {
                        self.grounds(member, depth + 1);
                    }
                }
                Ground::Absent { pattern } => {
                    let pattern = self.pattern(pattern);
                    self.line(depth, &format!("nothing matches  {pattern}"));
                }
                Ground::Whole { pattern, statements } => {
                    let (pattern, statements) =
                        (self.pattern(pattern), count(*statements as u64, "statement", "statements"));
                    self.line(depth, &format!("{statements} that may bear on  {pattern}"));
                }
            }
        }
    }

    fn pattern(&self, pattern: &str) -> String {
        let text = with_curies(pattern, self.style.prefixes);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        code(&visible(&text), self.style)
    }

    fn statement(&mut self, quad: &Quad, depth: usize) {
        let shown = match self.numbers.get(quad).copied() {
            Some(number) => statement_line(&self.explained.statements[number], number, self.style),
            None => triple(quad, self.style),
        };
        self.line(depth, &shown);
        let stated = self.numbers.get(quad).map(|number| &self.explained.statements[*number]);
        for (below, line) in stated.map(|stated| derivation_lines(stated, self.style)).unwrap_or_default() {
            self.line(depth + below, &line);
        }
    }

    fn close(&mut self) {
        let statements = count(self.explained.statements.len() as u64, "statement", "statements");
        let _ = writeln!(self.out);
        let _ = if self.explained.is_irredundant {
            writeln!(self.out, "{statements}; without any one of them it would not be there")
        } else {
            writeln!(self.out, "{statements}; it also depends on what is absent, or on all that is counted")
        };
    }
}
