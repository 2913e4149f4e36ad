//! The page of a canned query: what it asks, its text, its parameters, and its answer as of this build with citations, drawn where the
//! header asks for it.

use super::answers::{Later, kind_in_words};
use super::draw;
use super::html::{At, Head, is_number, page, text};
use super::model::{Model, parse_point};
use super::notes::Notes;
use kgq_engine::query::Form;
use kgq_engine::{Answer, Row, Solutions};
use kgq_graph::audit::RowSources;
use kgq_graph::catalog::{CannedQuery, ParamKind, Text, View};
use kgq_graph::export::names::safe_part;
use kgq_graph::render::{CellOptions, Format, GraphOptions, RenderOptions, TableOptions, write};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::highlight::{Class, highlight};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple, Variable};
use kgq_syntax::text::thousands;
use maud::{Markup, html};
use rustc_hash::FxHashSet;

/// The most rows that a page shows; the downloads hold all.
const MOST_ROWS: usize = 1000;

/// A canned query with its answer.
pub struct PublishedQuery<'a> {
    pub canned: &'a CannedQuery,
    /// Its text, with every prefix declared that it uses.
    pub text: String,
    /// The same with the values of its parameters in place, to be asked as it is.
    pub bound: String,
    pub form: Form,
    /// The IRIs that it names.
    pub names: Vec<NamedNode>,
    pub params: Vec<PublishedParam>,
    pub answer: Later<'a, PublishedAnswer>,
}

/// A parameter of a published query.
pub struct PublishedParam {
    pub name: String,
    pub kind: ParamKind,
    pub description: Option<Text>,
    pub required: bool,
    pub list: bool,
    /// The values that the answer shown was asked with.
    pub values: Vec<String>,
}

/// An answer as it was when the site was made.
pub enum PublishedAnswer {
    Table {
        variables: Vec<Variable>,
        rows: Vec<Row>,
        sources: Vec<RowSources>,
    },
    Truth(bool),
    Graph(Vec<Triple>),
    /// Why there is none.
    None(NoAnswer),
}

/// Why a query stands on the site without an answer.
#[derive(Clone, Debug)]
pub enum NoAnswer {
    /// A required parameter has neither a default nor an example.
    Needs(String),
    /// It asks another server.
    Elsewhere,
    /// It could not be answered, with the reason.
    Failed(Error),
}

impl PublishedAnswer {
    /// The things that the answer holds, once for each place.
    pub fn each_node<'t>(&'t self, visit: &mut dyn FnMut(&'t NamedNode)) {
        let mut visit_term = |term: &'t Term| {
            if let Term::NamedNode(node) = term {
                visit(node);
            }
        };
        match self {
            Self::Table { rows, .. } => rows.iter().flatten().flatten().for_each(visit_term),
            Self::Graph(triples) => {
                triples.iter().for_each(|triple| visit_term(&triple.object));
                for triple in triples {
                    if let NamedOrBlankNode::NamedNode(node) = &triple.subject {
                        visit(node);
                    }
                }
            }
            Self::Truth(_) | Self::None(_) => {}
        }
    }
}

impl PublishedQuery<'_> {
    /// Where its page stands, without ending.
    pub fn stem(&self) -> String {
        let name = &self.canned.name;
        let parts: Vec<&str> = name.split('/').collect();
        let safe: Vec<(String, bool)> =
            parts.iter().enumerate().map(|(i, part)| safe_part(part, i + 1 == parts.len())).collect();
        let exact = safe.iter().all(|(_, same)| *same) && *name == name.to_lowercase();
        let joined = safe.into_iter().map(|(part, _)| part).collect::<Vec<_>>().join("/");
        if exact {
            format!("query/{joined}")
        } else {
            format!("query/{joined}-{}", &super::folder::hex(name.as_bytes())[..8])
        }
    }

    pub fn iri(&self, model: &Model<'_>) -> String {
        format!("{}{}", model.source.base, self.stem())
    }

    pub fn title(&self, model: &Model<'_>) -> &str {
        self.canned.title(model.language)
    }
}

/// The endings of the files of a query: of its page, its text, its answer.
pub fn endings(query: &PublishedQuery<'_>) -> &'static [&'static str] {
    match query.answer.get() {
        PublishedAnswer::Table { .. } => &["html", "rq", "csv", "json", "ttl"],
        PublishedAnswer::Graph(_) => &["html", "rq", "ttl", "jsonld", "csv"],
        PublishedAnswer::Truth(_) => &["html", "rq", "json"],
        PublishedAnswer::None(_) => &["html", "rq"],
    }
}

/// The file of a query with this ending, unless it is the page; `None` if it has none such.
pub fn file(model: &Model<'_>, query: &PublishedQuery<'_>, ending: &str) -> Result<Option<Vec<u8>>> {
    if ending == "rq" {
        return Ok(Some(query.text.clone().into_bytes()));
    }
    if !endings(query).contains(&ending) {
        return Ok(None);
    }
    let format = Format::ALL.iter().copied().find(|format| format.ending() == ending);
    Ok(match (query.answer.get(), format) {
        (PublishedAnswer::Table { sources, .. }, _) if ending == "ttl" => {
            Some(statements_behind(model, sources).into_bytes())
        }
        (PublishedAnswer::Table { variables, rows, .. }, Some(format)) => Some(table(model, variables, rows, format)?),
        (PublishedAnswer::Graph(triples), Some(Format::Csv)) => {
            let variables = ["subject", "predicate", "object"].map(Variable::new_unchecked).to_vec();
            let rows: Vec<Row> = triples
                .iter()
                .map(|t| vec![Some(t.subject.clone().into()), Some(t.predicate.clone().into()), Some(t.object.clone())])
                .collect();
            Some(table(model, &variables, &rows, Format::Csv)?)
        }
        (PublishedAnswer::Graph(triples), _) => Some(graph_file(model, triples, ending)?),
        (PublishedAnswer::Truth(value), Some(format)) => Some(rendered(model, Answer::Boolean(*value), format)?),
        (PublishedAnswer::Table { .. } | PublishedAnswer::Truth(_) | PublishedAnswer::None(_), _) => None,
    })
}

fn graph_file(model: &Model<'_>, triples: &[Triple], ending: &str) -> Result<Vec<u8>> {
    let quads: Vec<_> = triples.iter().map(|t| t.clone().in_graph(oxrdf::GraphName::DefaultGraph)).collect();
    if ending == "ttl" {
        return Ok(kgq_graph::export::turtle::write(&quads, model.source.prefixes).into_bytes());
    }
    let mut out = Vec::new();
    let format = kgq_syntax::rdf::RdfFormat::JsonLd;
    kgq_graph::render::write_quads(&quads, format, model.source.prefixes, GraphOptions::default(), &mut out)?;
    Ok(out)
}

fn table(model: &Model<'_>, variables: &[Variable], rows: &[Row], format: Format) -> Result<Vec<u8>> {
    let solutions = Solutions {
        variables: variables.to_vec(),
        rows: Box::new(rows.iter().cloned().map(Ok).collect::<Vec<_>>().into_iter()),
    };
    rendered(model, Answer::Solutions(solutions), format)
}

fn rendered(model: &Model<'_>, answer: Answer, format: Format) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let options = RenderOptions {
        format,
        prefixes: model.source.prefixes,
        width: None,
        colour: false,
        graph: GraphOptions::default(),
        cells: CellOptions::default(),
        table: TableOptions::default(),
    };
    write(answer, options, &mut out)?;
    Ok(out)
}

/// The statements that an answer rests on, each with its reifiers and what these say.
fn statements_behind(model: &Model<'_>, sources: &[RowSources]) -> String {
    let mut wanted: Vec<&Triple> = Vec::new();
    let mut seen: FxHashSet<&Triple> = FxHashSet::default();
    for triple in sources.iter().flat_map(|s| &s.triples) {
        if seen.insert(triple) {
            wanted.push(triple);
        }
    }
    let mut quads = Vec::new();
    for triple in wanted {
        quads.push(triple.clone().in_graph(oxrdf::GraphName::DefaultGraph));
        for statement in model.source.audit.statements(triple) {
            for quad in model.facts(statement.reifier.as_ref()) {
                let mut quad = (*quad).clone();
                quad.graph_name = oxrdf::GraphName::DefaultGraph;
                quads.push(quad);
            }
        }
    }
    let mut seen = FxHashSet::default();
    quads.retain(|quad| seen.insert(quad.clone()));
    kgq_graph::export::turtle::write(&quads, model.source.prefixes)
}

/// A text of a header in every language it has.
pub fn texts(model: &Model<'_>, words: &Text) -> Markup {
    let mut all = words.all();
    all.sort_by_key(|(language, _)| language.is_some_and(|l| l != model.language));
    html! {
        @for (i, (language, words)) in all.iter().enumerate() {
            span class=[(i > 0).then_some("other")] lang=[language] dir="auto" { (text(words.trim())) }
        }
    }
}

/// The page of a canned query, as it stands at a path.
pub fn query_page(model: &Model<'_>, query: &PublishedQuery<'_>, path: &str) -> String {
    let at = At { model, path };
    let header = &query.canned.header;
    let mut notes = Notes::default();
    let answer = answer(&at, query, &mut notes);
    let asks = !model.source.assets.is_empty();
    let body = html! {
        article .query {
            p .kind { a href=(at.href("queries.html")) { (at.say("Question")) } @if query.canned.is_check() { (at.say(" · a rule: whatever it finds is a mistake")) } @if !header.tags.is_empty() { " · " (text(&header.tags.join(", "))) } }
            h1 { @match &header.title { Some(title) => (texts(model, title)), None => (text(query.title(model))) } }
            @if let Some(question) = &header.question { p .summary { (texts(model, question)) } }
            @if let Some(description) = &header.description { p .description { (texts(model, description)) } }
            (answer)
            (parameters(&at, query))
            section {
                h2 { (at.say("The query")) }
                (sparql(model, &query.text))
                ul .links {
                    li { a href=(at.href(&model.query_file(query, "rq"))) { "SPARQL" } }
                    @if asks { li { a href=(format!("{}#{}", at.href("ask.html"), query.canned.name)) { (at.say("Ask it here, changed as you like")) } } }
                    li { code { @match &header.example { Some(example) => (text(example)), None => { "kgq run " (text(&query.canned.name)) } } } }
                }
            }
            (named(&at, query))
            (notes.render(&at))
        }
    };
    let description = header.question.as_ref().map(|q| q.in_language(model.language).trim().to_owned());
    let head = Head { title: query.title(model).to_owned(), description, section: "queries", ..Head::default() };
    page(&at, head, body)
}

fn named(at: &At<'_, '_>, query: &PublishedQuery<'_>) -> Markup {
    let own: Vec<&NamedNode> = query.names.iter().filter(|n| at.model.page(n.as_str()).is_some()).collect();
    html! {
        @if !own.is_empty() {
            section { h2 { (at.say("What it speaks of")) } ul .inline { @for node in own { li { (at.thing(node)) } } } }
        }
    }
}

fn parameters(at: &At<'_, '_>, query: &PublishedQuery<'_>) -> Markup {
    html! {
        @if !query.params.is_empty() {
            section {
                h2 { (at.say("Parameters")) }
                dl .params {
                    @for param in &query.params {
                        div .fact {
                            dt { code { (text(&param.name)) } }
                            dd {
                                @match kind_in_words(&param.kind) { (_, Some(class)) => { (at.say("a ")) (at.thing(class)) }, (words, None) => (at.say(words)) }
                                @if param.list { (at.say(", one or several")) }
                                @if param.required { (at.say(", required")) }
                                @if let Some(description) = &param.description { ". " (texts(at.model, description)) }
                                @if param.values.is_empty() { " " span .muted { (at.say("Not set in the answer shown.")) } }
                                @else { " " span .muted { (at.say("Here: ")) } (text(&param.values.join(", "))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn answer(at: &At<'_, '_>, query: &PublishedQuery<'_>, notes: &mut Notes) -> Markup {
    let link = |ending: &str, words: &str| {
        html! { li { a href=(at.href(&at.model.query_file(query, ending))) download { (words) } } }
    };
    html! {
        section .answer {
            h2 { (at.say("The answer")) }
            @match query.answer.get() {
                PublishedAnswer::None(NoAnswer::Needs(name)) => p .muted { (text(&at.fill("It needs a value for `{}`, and its header gives no example.", name))) },
                PublishedAnswer::None(NoAnswer::Elsewhere) => p .muted { (at.say("It asks another server, so it has no answer here.")) },
                PublishedAnswer::None(NoAnswer::Failed(why)) => p .muted { (text(&at.fill("It could not be answered here: {}", why.message()))) },
                PublishedAnswer::Truth(value) => {
                    p .truth { @if *value { (at.say("Yes")) } @else { (at.say("No")) } }
                    ul .links { (link("json", "JSON")) }
                }
                PublishedAnswer::Graph(triples) => {
                    (graph_answer(at, query, triples))
                    ul .links { (link("ttl", "Turtle")) (link("jsonld", "JSON-LD")) (link("csv", "CSV")) }
                }
                PublishedAnswer::Table { variables, rows, sources } => {
                    @if let Some(drawn) = chart(at, query, variables, rows, sources) { (drawn) }
                    (answer_table(at, query, (variables, rows, sources), notes))
                    ul .links { (link("csv", "CSV")) (link("json", "JSON")) (link("ttl", at.say("The statements behind it in Turtle"))) }
                }
            }
        }
    }
}

fn graph_answer(at: &At<'_, '_>, query: &PublishedQuery<'_>, triples: &[Triple]) -> Markup {
    let edges = edges(triples.iter());
    let drawn = (query.canned.header.view == Some(View::Graph))
        .then(|| draw::layers(at, query.title(at.model), &edges))
        .flatten();
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

/// The triples between things with names, types left out.
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
    query: &PublishedQuery<'_>,
    (variables, rows, sources): TableParts<'_>,
    notes: &mut Notes,
) -> Markup {
    let language = at.model.language;
    let cited = sources.iter().any(|s| !s.citations.is_empty());
    let more = rows.len().saturating_sub(MOST_ROWS);
    html! {
        p .muted { (at.count(rows.len() as u64, "row", "rows")) @if rows.is_empty() { (at.say(": nothing in the graph answers it")) } }
        @if !rows.is_empty() {
            div .scroll tabindex="0" role="group" aria-label=(at.say("The answer as a table")) {
                table .answer {
                    thead { tr {
                        @for (column, variable) in variables.iter().enumerate() {
                            @let mut values = rows.iter().filter_map(|row| row.get(column)?.as_ref()).peekable();
                            @let numbers = values.peek().is_some() && values.all(|t| matches!(t, Term::Literal(l) if is_number(l)));
                            @let about = query.canned.header.columns.get(variable.as_str()).map(|t| t.in_language(language).trim());
                            th scope="col" .number[numbers] { (text(variable.as_str())) @if let Some(about) = about { span .about { (text(about)) } } }
                        }
                        @if cited { th scope="col" { (at.say("source")) } }
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
                            }
                        }
                    }
                }
            }
            @if more > 0 { p .muted { (at.say("and ")) (thousands(more as u64)) (at.say(" more rows in the downloads")) } }
        }
    }
}

/// The most sources that a row names; one that counts many statements rests on all of them.
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

/// The chart that the header asks for, where the answer has what it needs.
fn chart(
    at: &At<'_, '_>,
    query: &PublishedQuery<'_>,
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
        let plain = |t: &Term| matches!(t, Term::Literal(l) if !is_number(l) && !super::html::is_date(l) && parse_point(l.value()).is_none());
        column(&plain).or_else(|| column(&|t| matches!(t, Term::NamedNode(_)))).filter(|c| *c != except)
    };
    let label = |row: &Row, column: usize| row.get(column).and_then(|t| t.as_ref()).map_or(html! {}, |t| at.term(t));
    let thing = |row: &Row| {
        row.iter().flatten().find_map(|t| match t {
            Term::NamedNode(node) => Some(node.clone()),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        })
    };
    match query.canned.header.view? {
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
            let points: Vec<(NamedNode, String, super::model::Point)> = rows
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
            draw::layers(at, query.title(at.model), &edges)
        }
    }
}

/// A query's text in colours, its header left out.
pub fn sparql(model: &Model<'_>, text: &str) -> Markup {
    let body: String = text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("#+")).collect();
    let body = body.trim();
    let known = |prefix: &str| model.source.prefixes.get(prefix).is_some();
    html! {
        pre .sparql tabindex="0" role="group" aria-label="SPARQL" {
            code {
                @for (span, class) in highlight(body, None, &known) {
                    @let piece = super::html::text(body.get(span).unwrap_or_default());
                    @match class_name(class) { Some(name) => span .(name) { (piece) }, None => (piece) }
                }
            }
        }
    }
}

fn class_name(class: Class) -> Option<&'static str> {
    match class {
        Class::Plain
        | Class::Bracket
        | Class::MatchedBracket
        | Class::WrongBracket
        | Class::Operator
        | Class::Local => None,
        Class::Keyword => Some("k"),
        Class::Function => Some("f"),
        Class::Variable => Some("v"),
        Class::Prefix | Class::UnknownPrefix => Some("p"),
        Class::Iri | Class::BlankNode => Some("i"),
        Class::String | Class::Tag => Some("s"),
        Class::Number => Some("n"),
        Class::Comment => Some("c"),
        Class::Error => None,
    }
}
