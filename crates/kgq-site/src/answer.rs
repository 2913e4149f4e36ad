//! Shows an answer on a page: as the drawing that the query header asks for, as a table with sources, and with downloads.

use super::draw;
use super::html::{At, is_date, is_number, text};
use super::notes::Notes;
use super::point::{Point, parse_point};
use super::query::{NoAnswer, PublishedAnswer};
use kgq_engine::Row;
use kgq_graph::audit::RowSources;
use kgq_graph::catalog::{Header, View};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple, Variable};
use kgq_syntax::text::thousands;
use maud::{Markup, html};

/// The maximum number of rows on a page; the downloads have all.
pub const MOST_ROWS: usize = 1000;

/// How to show an answer: its title, the header of its query, and the address that explains a row, if there is one.
#[derive(Clone, Copy)]
pub struct Look<'q> {
    pub title: &'q str,
    pub header: &'q Header,
    pub why: Option<&'q dyn Fn(usize) -> String>,
}

/// The answer in words, drawings and a table, with links to the downloads.
pub fn answer(
    at: &At<'_, '_>,
    look: Look<'_>,
    answer: &PublishedAnswer,
    downloads: &Markup,
    notes: &mut Notes,
) -> Markup {
    html! {
            @match answer {
                PublishedAnswer::None(NoAnswer::Needs(name)) => p .muted { (text(&at.fill("It needs a value for `{}`, and its header gives no example.", name))) },
                PublishedAnswer::None(NoAnswer::Elsewhere) => p .muted { (at.say("It asks another server, so it has no answer here.")) },
                PublishedAnswer::None(NoAnswer::Failed(why)) => p .muted { (text(&at.fill("It could not be answered here: {}", why.message()))) },
                PublishedAnswer::Truth(value) => {
                    p .truth { @if *value { (at.say("Yes")) } @else { (at.say("No")) } @if let (Some(why), true) = (look.why, *value) { " " a .why rel="nofollow" href=(why(1)) { (at.say("why")) } } }
                    ul .links { (downloads) }
                }
                PublishedAnswer::Graph(triples) => {
                    (graph_answer(at, look, triples))
                    ul .links { (downloads) }
                }
                PublishedAnswer::Table { variables, rows, sources, more } => {
                    @if let Some(drawn) = chart(at, look, variables, rows, sources) { (drawn) }
                    (answer_table(at, look, (variables, rows, sources), *more, notes))
                    ul .links { (downloads) }
                }
            }
    }
}

fn graph_answer(at: &At<'_, '_>, look: Look<'_>, triples: &[Triple]) -> Markup {
    let edges = edges(triples.iter());
    let drawn = (look.header.view == Some(View::Graph)).then(|| draw::layers(at, look.title, &edges)).flatten();
    html! {
        @if let Some(drawn) = drawn { (drawn) }
        details open[triples.len() <= 30] {
            summary { (at.count(triples.len() as u64, "statement", "statements")) }
            div .scroll tabindex="0" role="group" aria-label=(at.say("The statements")) {
                table {
                    thead { tr { th scope="col" { (at.say("subject")) } th scope="col" { (at.say("predicate")) } th scope="col" { (at.say("object")) } } }
                    tbody {
                        @for triple in triples.iter().take(MOST_ROWS) {
                            tr { td { (at.subject(&triple.subject)) } td { (at.property(&triple.predicate)) } td { (at.term(&triple.object)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The triples between named things, without types.
fn edges<'t>(triples: impl Iterator<Item = &'t Triple>) -> Vec<(&'t NamedNode, &'t NamedNode, &'t NamedNode)> {
    let mut edges: Vec<(&NamedNode, &NamedNode, &NamedNode)> = Vec::new();
    for triple in triples.filter(|t| t.predicate.as_ref() != rdf::TYPE) {
        if let (NamedOrBlankNode::NamedNode(from), Term::NamedNode(to)) = (&triple.subject, &triple.object) {
            let edge = (from, &triple.predicate, to);
            if !edges.contains(&edge) {
                edges.push(edge);
            }
        }
    }
    edges
}

type TableParts<'t> = (&'t [Variable], &'t [Row], &'t [RowSources]);

fn answer_table(
    at: &At<'_, '_>,
    look: Look<'_>,
    (variables, rows, sources): TableParts<'_>,
    unread: bool,
    notes: &mut Notes,
) -> Markup {
    let language = at.model.language;
    let cited = sources.iter().any(|s| !s.citations.is_empty());
    let more = rows.len().saturating_sub(MOST_ROWS);
    html! {
        p .muted { @if unread { (at.say("The first ")) } (at.count(rows.len() as u64, "row", "rows")) @if unread { (at.say(" of more; the downloads hold all")) } @if rows.is_empty() { (at.say(": nothing in the graph answers it")) } }
        @if !rows.is_empty() {
            div .scroll tabindex="0" role="group" aria-label=(at.say("The answer as a table")) {
                table .answer {
                    thead { tr {
                        @for (column, variable) in variables.iter().enumerate() {
                            @let mut values = rows.iter().filter_map(|row| row.get(column)?.as_ref()).peekable();
                            @let numbers = values.peek().is_some() && values.all(|t| matches!(t, Term::Literal(l) if is_number(l)));
                            @let about = look.header.columns.get(variable.as_str()).map(|t| t.in_language(language).trim());
                            th scope="col" .number[numbers] { (text(variable.as_str())) @if let Some(about) = about { span .about { (text(about)) } } }
                        }
                        @if cited { th scope="col" { (at.say("source")) } }
                        @if look.why.is_some() { th scope="col" { (at.say("why")) } }
                    } }
                    tbody {
                        @for (i, row) in rows.iter().enumerate().take(MOST_ROWS) {
                            tr {
                                @for value in row {
                                    @match value {
                                        Some(term) => td .number[matches!(term, Term::Literal(l) if is_number(l))] { (at.term(term)) },
                                        None => td .unbound {},
                                    }
                                }
                                @if cited { td .marks { (row_marks(at, sources.get(i), notes)) } }
                                @if let Some(why) = look.why { td { a .why rel="nofollow" href=(why(i + 1)) aria-label=(at.fill("Why row {}", i + 1)) { (at.say("why")) } } }
                            }
                        }
                    }
                }
            }
            @if more > 0 { p .muted { (at.say("and ")) (thousands(more as u64)) (at.say(" more rows in the downloads")) } }
        }
    }
}

/// The maximum number of sources shown for a row; a row that aggregates many statements has them all as sources.
const MOST_MARKS: usize = 8;

fn row_marks(at: &At<'_, '_>, sources: Option<&RowSources>, notes: &mut Notes) -> Markup {
    let Some(sources) = sources else { return html! {} };
    let marks: Vec<usize> = sources.citations.iter().take(MOST_MARKS).map(|c| notes.cite_citation(at, c)).collect();
    let inferred = sources.statements.iter().any(|s| !s.grounds.is_empty());
    html! {
        (notes.marks(at, &marks, inferred))
        @if sources.citations.len() > MOST_MARKS { " " span .muted { (at.say("and ")) (sources.citations.len() - MOST_MARKS) (at.say(" more")) } }
    }
}

/// The chart that the header asks for, if the answer has the columns that it needs.
fn chart(
    at: &At<'_, '_>,
    look: Look<'_>,
    variables: &[Variable],
    rows: &[Row],
    sources: &[RowSources],
) -> Option<Markup> {
    let literal = |row: &Row, column: usize| match row.get(column) {
        Some(Some(Term::Literal(literal))) => Some(literal.clone()),
        _ => None,
    };
    let column = |fits: &dyn Fn(&Term) -> bool| {
        (0..variables.len()).find(|c| {
            let mut bound = rows.iter().filter_map(|row| row.get(*c)?.as_ref()).peekable();
            bound.peek().is_some() && bound.all(fits)
        })
    };
    let words = |except: usize| {
        let plain = |t: &Term| matches!(t, Term::Literal(l) if !is_number(l) && !is_date(l) && parse_point(l.value()).is_none());
        column(&plain).or_else(|| column(&|t| matches!(t, Term::NamedNode(_)))).filter(|c| *c != except)
    };
    let label = |row: &Row, column: usize| row.get(column).and_then(|t| t.as_ref()).map_or(html! {}, |t| at.term(t));
    let thing = |row: &Row| {
        row.iter().flatten().find_map(|t| match t {
            Term::NamedNode(node) => Some(node.clone()),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        })
    };
    match look.header.view? {
        View::Table => None,
        View::Bar => {
            let value = column(&|t| matches!(t, Term::Literal(l) if is_number(l)))?;
            let names = words(value)?;
            let bars: Vec<(Markup, f64, String)> = rows
                .iter()
                .filter_map(|row| {
                    let number: Literal = literal(row, value)?;
                    Some((label(row, names), number.value().parse().ok()?, number.value().to_owned()))
                })
                .take(200)
                .collect();
            Some(draw::bars(&bars))
        }
        View::Timeline => {
            let date = column(&|t| matches!(t, Term::Literal(l) if draw::moment(l).is_some()))?;
            let names = words(date)?;
            let moments = rows
                .iter()
                .filter_map(|row| {
                    let date = literal(row, date)?;
                    let what = match thing(row) {
                        Some(node) => match row.get(names) {
                            Some(Some(Term::Literal(words))) => at.link(&node, &text(words.value())),
                            _ => at.thing(&node),
                        },
                        None => label(row, names),
                    };
                    Some(draw::Moment { at: draw::moment(&date)?, written: date.value().to_owned(), what, own: true })
                })
                .take(300)
                .collect();
            Some(draw::timeline(at, moments))
        }
        View::Map => {
            let points: Vec<(NamedNode, String, Point)> = rows
                .iter()
                .filter_map(|row| {
                    let node = thing(row)?;
                    let written = row.iter().flatten().find_map(|t| match t {
                        Term::Literal(l) => parse_point(l.value()),
                        Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
                    });
                    let point = written.or_else(|| at.model.places.get(node.as_str()).map(|(_, point)| *point))?;
                    let label = at.model.label(&node);
                    Some((node, label, point))
                })
                .take(2000)
                .collect();
            let spots: Vec<draw::Spot<'_>> = points
                .iter()
                .map(|(node, label, point)| draw::Spot { node, label: label.clone(), point: *point, own: false })
                .collect();
            draw::map(at, &spots)
        }
        View::Graph => {
            let edges = edges(sources.iter().flat_map(|s| &s.triples));
            draw::layers(at, look.title, &edges)
        }
    }
}
