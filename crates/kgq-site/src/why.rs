//! Explains on a server's page, beside the answer, why the answer has a row, in a drawing and in words, or why it lacks one.

use super::address::{parameter_in_address, query_string};
use super::draw::{self, Drawn, Origin};
use super::form::failure;
use super::html::{At, text};
use super::label::shorten;
use super::notes::Notes;
use super::query::PublishedAnswer;
use kgq_engine::query::Query;
use kgq_engine::why::Ground;
use kgq_engine::{EvaluationOptions, Row};
use kgq_graph::advice::Lack;
use kgq_graph::audit::{Reference, Texts};
use kgq_graph::graph::Graph;
use kgq_graph::request::why::{AnswerPart, Explained, Stated, explain_within, part_within};
use kgq_graph::request::why_not::{Reason, Request, WhyNot, expectation, why_not_within};
use kgq_syntax::error::{Kind, Place, Result, Source};
use kgq_syntax::rdf::{Term, Triple, Variable};
use maud::{Markup, html};

/// A question about an answer.
#[derive(Clone, Copy, Debug)]
pub enum About<'q> {
    /// Why the row of this number is there.
    Row(usize),
    /// Why there is no row with these values in these columns.
    Missing(&'q [(String, String)]),
}

/// A query whose answer is to be explained.
pub struct Doubted<'q> {
    pub graph: &'q Graph,
    pub source: Source<'q>,
    pub query: &'q Query,
    pub options: &'q EvaluationOptions,
}

impl Doubted<'_> {
    /// The explanation.
    ///
    /// # Errors
    /// The files of the graph cannot be read, or a limit is exceeded. The page says so if there is no explanation.
    pub fn told(&self, at: &At<'_, '_>, about: About<'_>, notes: &mut Notes) -> Result<Markup> {
        let told = match about {
            About::Row(number) => self.row(at, number, notes),
            About::Missing(expected) => self.missing(at, expected, notes),
        };
        match told {
            Err(error) if !matches!(error.kind(), Kind::Input | Kind::Policy | Kind::Usage) => Err(error),
            Err(error) => Ok(failure(at, &error)),
            Ok(told) => Ok(told),
        }
    }

    fn row(&self, at: &At<'_, '_>, number: usize, notes: &mut Notes) -> Result<Markup> {
        let part = part_within(self.graph, self.query, number, self.options)?;
        let audit = &at.model.source.audit;
        let explained = explain_within(self.graph, self.query, part, audit, &Texts::default(), self.options)?;
        Ok(html! {
            section .why #why {
                h3 { (text(&at.fill("Why row {}", number))) }
                (explanation(at, &explained, number, notes))
            }
        })
    }

    fn missing(&self, at: &At<'_, '_>, expected: &[(String, String)], notes: &mut Notes) -> Result<Markup> {
        let expected = expected.iter().map(|(column, value)| expectation(self.graph, column, value));
        let audit = &at.model.source.audit;
        let request = Request { source: self.source, query: self.query, expected: expected.collect::<Result<_>>()? };
        let found = why_not_within(self.graph, request, audit, &Texts::default(), self.options)?;
        Ok(html! {
            section .why #why {
                h3 { (at.say("Why there is no such row")) }
                (reason(at, &found, notes))
            }
        })
    }
}

fn explanation(at: &At<'_, '_>, explained: &Explained, number: usize, notes: &mut Notes) -> Markup {
    let listed: Vec<Markup> = explained
        .statements
        .iter()
        .enumerate()
        .map(|(at_number, stated)| statement(at, stated, at_number, notes))
        .collect();
    let drawn = drawing(at, explained, number, notes);
    let (mut absent, mut whole) = (Vec::new(), 0);
    left_open(&explained.grounds, &mut absent, &mut whole);
    html! {
        (cells(at, &explained.part))
        @if let Some(drawn) = drawn { (drawn) }
        @if explained.statements.is_empty() { p .muted { (at.say("It rests on no statement: the query alone makes it so.")) } }
        @else {
            p { (at.count(explained.statements.len() as u64, "statement makes it so", "statements make it so")) "." @if explained.is_irredundant { " " (at.say("None of them can be left out.")) } }
            ol .statements { @for line in &listed { (line) } }
        }
        @if whole > 0 { p .muted { (at.say("A part of the query is not taken apart: all the statements that it reads count.")) } }
        @if !absent.is_empty() {
            p { (at.say("And of this there is nothing:")) }
            ul { @for pattern in &absent { li { code { (text(pattern)) } } } }
        }
    }
}

/// Collects patterns that must stay absent, and counts grounds that are not broken down.
fn left_open(grounds: &[Ground], absent: &mut Vec<String>, whole: &mut usize) {
    for ground in grounds {
        match ground {
            Ground::Absent { pattern } => {
                let pattern = pattern.split_whitespace().collect::<Vec<_>>().join(" ");
                if !absent.contains(&pattern) {
                    absent.push(pattern);
                }
            }
            Ground::Members(members) => members.iter().for_each(|member| left_open(member, absent, whole)),
            Ground::Whole { .. } => *whole += 1,
            Ground::Statement(_) | Ground::Path { .. } => {}
        }
    }
}

/// The values of the explained row, or the explained triple.
fn cells(at: &At<'_, '_>, part: &AnswerPart) -> Markup {
    match part {
        AnswerPart::True => html! { p .truth { (at.say("Yes")) } },
        AnswerPart::Triple(triple) => html! { p { (at.triple(triple, 0)) } },
        AnswerPart::Row { variables, row } => values(at, variables, row),
    }
}

fn values(at: &At<'_, '_>, variables: &[Variable], row: &Row) -> Markup {
    html! {
        dl .values {
            @for (variable, term) in variables.iter().zip(row) {
                @if let Some(term) = term { div { dt { (text(variable.as_str())) } dd { (at.term(term)) } } }
            }
        }
    }
}

/// A file name that can be shown to others: it hides where on this machine the file is.
fn file(place: &Place) -> &str {
    let name: &str = &place.file;
    if name.starts_with('/') || name.contains('\\') { name.rsplit(['/', '\\']).next().unwrap_or(name) } else { name }
}

fn where_written(place: Option<&Place>) -> Markup {
    html! { @if let Some(place) = place { " " span .muted.place { (text(file(place))) ":" (place.line) } } }
}

/// A statement with its place, its sources and its premises.
fn statement(at: &At<'_, '_>, stated: &Stated, number: usize, notes: &mut Notes) -> Markup {
    let triple = Triple::from(stated.quad.clone());
    html! {
        li #{"statement-" (number + 1)} {
            (at.triple(&triple, 0)) (notes.cite(at, &triple)) (where_written(stated.place.as_ref()))
            @if !stated.derivation.is_empty() {
                ul {
                    @for derived in &stated.derivation {
                        li { (at.say("inferred from ")) (at.triple(&derived.triple, 0)) (notes.cite(at, &derived.triple)) (where_written(derived.place.as_ref())) }
                    }
                }
            }
        }
    }
}

/// The maximum number of characters of a source's name in the drawing.
const SOURCE_NAME: usize = 40;

fn drawing(at: &At<'_, '_>, explained: &Explained, number: usize, notes: &mut Notes) -> Option<Markup> {
    let words = |triple: &Triple| {
        let parts =
            [at.plain(&triple.subject.clone().into()), at.model.label(&triple.predicate), at.plain(&triple.object)];
        parts.map(|part| shorten(&part, SOURCE_NAME)).join(" · ")
    };
    let mut drawn = Vec::new();
    for (place, stated) in explained.statements.iter().enumerate() {
        let href = Some(format!("#statement-{}", place + 1));
        drawn.push(Drawn {
            label: words(&stated.quad.clone().into()),
            href: href.clone(),
            depth: 0,
            is_inferred: stated.is_inferred,
            // An inferred statement has its sources on its premises.
            sources: if stated.derivation.is_empty() { stated.citations.clone() } else { Vec::new() },
        });
        drawn.extend(stated.derivation.iter().map(|derived| Drawn {
            label: words(&derived.triple),
            href: href.clone(),
            depth: derived.depth,
            is_inferred: false,
            sources: derived.citations.clone(),
        }));
    }
    let sources: Vec<Origin> = explained
        .references
        .iter()
        .enumerate()
        .map(|(number, reference)| Origin {
            number,
            label: origin(at, reference),
            href: format!("#note-{}", notes.cite_citation(at, &reference.citation.iri)),
        })
        .collect();
    let row = match &explained.part {
        AnswerPart::True => at.say("Yes").to_owned(),
        AnswerPart::Triple(_) | AnswerPart::Row { .. } => at.fill("row {}", number),
    };
    draw::grounds(at, &row, &drawn, &sources)
}

/// A short name for a source: its sentences and the cited words, else the document.
fn origin(at: &At<'_, '_>, reference: &Reference) -> String {
    let citation = &reference.citation;
    let sentences = match citation.sentences.as_slice() {
        [] => None,
        [one] => Some(at.fill("sentence {}", one)),
        several => Some(at.fill("sentences {}", several.join(", "))),
    };
    let document = || {
        reference.document.as_ref().map_or_else(|| at.model.label(&citation.iri), |known| at.model.label(&known.iri))
    };
    let words = citation.anchor.as_ref().map(|anchor| format!(" · {anchor}")).unwrap_or_default();
    shorten(&format!("{}{words}", sentences.unwrap_or_else(document)), SOURCE_NAME)
}

fn reason(at: &At<'_, '_>, found: &WhyNot, notes: &mut Notes) -> Markup {
    let near: Vec<Markup> =
        found.statements.iter().enumerate().map(|(number, stated)| statement(at, stated, number, notes)).collect();
    let (lead, named) = lead(at, found);
    html! {
        @if !found.expected.is_empty() {
            p .muted { (at.say("A row is missing that has ")) @for (number, expected) in found.expected.iter().enumerate() { @if number > 0 { ", " } code { (text(expected.variable.as_str())) } " = " @match (&expected.node, &expected.text) { (Some(node), _) => (at.thing(node)), (None, Some(words)) => { bdi { (text(words)) } }, (None, None) => (at.say("no value")) } } }
        }
        p { (lead) }
        @match &found.reason {
            Reason::Removed(removal) => { pre tabindex="0" { (text(&removal.condition)) } @if let Lack::Values(values) = &removal.lack { (bound(at, values)) } }
            Reason::Rejected { columns, row } => (values(at, columns, row)),
            Reason::Other { columns, rows } => @for row in rows { (values(at, columns, row)) },
            Reason::There(_) | Reason::True | Reason::Cut { .. } | Reason::Unknown => {}
        }
        @if !near.is_empty() { p { (named) } ol .statements { @for line in &near { (line) } } }
        @if !found.silences.is_empty() {
            p { (at.say("What the sources do not state:")) }
            ul { @for silence in &found.silences { li { (text(silence.error.message())) } } }
        }
    }
}

/// The first sentence, and the introduction of the statements that follow.
fn lead(at: &At<'_, '_>, found: &WhyNot) -> (String, &'static str) {
    let near = at.say("The nearest statements:");
    let lead = match &found.reason {
        Reason::There(row) => at.fill("The answer has such a row: row {}.", row),
        Reason::True => at.say("The answer is yes.").to_owned(),
        Reason::Cut { number, .. } => {
            at.fill("LIMIT or OFFSET leaves it out: it is row {} of the whole answer.", number)
        }
        Reason::Rejected { .. } => at.say("HAVING rejects its group, which has these values:").to_owned(),
        Reason::Other { .. } => at.say("What is computed has other values in the rows that come nearest:").to_owned(),
        Reason::Unknown => at.say("The reason was not found.").to_owned(),
        Reason::Removed(removal) => match &removal.lack {
            Lack::Absence(_) => {
                return (
                    at.say("This condition removes it, as what must be absent is there:").to_owned(),
                    at.say("It is there by:"),
                );
            }
            Lack::Statement { .. } => at.say("Nothing in the graph fits this condition:").to_owned(),
            Lack::Values(_) => at.say("This condition removes it, with these values:").to_owned(),
            Lack::Match => at.say("Nothing fits this condition:").to_owned(),
        },
    };
    (lead, near)
}

fn bound(at: &At<'_, '_>, bound: &[(Variable, Option<Term>)]) -> Markup {
    let (variables, row): (Vec<Variable>, Row) = bound.iter().cloned().unzip();
    values(at, &variables, &row)
}

/// The form that asks about a missing row, and a link if the answer is empty. `fields` are the parameters of the query.
pub fn missing_form(at: &At<'_, '_>, page: &str, fields: &[(String, String)], found: &PublishedAnswer) -> Markup {
    let asked = query_string(fields);
    let nothing = || {
        let parts: Vec<&str> = [asked.as_str(), "why-not="].into_iter().filter(|part| !part.is_empty()).collect();
        html! { p .links { a href=(format!("{}#why", at.href(&format!("{page}?{}", parts.join("&"))))) { (at.say("Why is there nothing?")) } } }
    };
    let columns = match found {
        PublishedAnswer::Truth(true) | PublishedAnswer::None(_) => return html! {},
        PublishedAnswer::Truth(false) => return nothing(),
        PublishedAnswer::Graph(triples) => {
            return if triples.is_empty() {
                nothing()
            } else {
                html! {}
            };
        }
        PublishedAnswer::Table { variables, .. } => variables,
    };
    let is_empty = matches!(found, PublishedAnswer::Table { rows, .. } if rows.is_empty());
    let action = at.href(page);
    html! {
        @if is_empty { (nothing()) }
        form .missing method="get" action=(format!("{}#why", action.split('?').next().unwrap_or_default())) {
            @if at.model.chosen { input type="hidden" name="lang" value=(at.model.language); }
            @for (name, value) in fields { input type="hidden" name=(parameter_in_address(name)) value=(value); }
            label for="missing-column" { (at.say("A row is missing that has ")) }
            select #missing-column name="why-not" { @for column in columns { option value=(column.as_str()) { (text(column.as_str())) } } }
            label .unseen for="missing-value" { (at.say("Value")) }
            input #missing-value name="why-not-value" type="text" autocomplete="off" spellcheck="false" data-complete="names";
            button type="submit" { (at.say("Why not?")) }
        }
    }
}
