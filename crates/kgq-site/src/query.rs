//! The page of a canned query in a folder: its purpose, text, parameters, and answer at the time of the build, with citations.

use super::answer::{Look, answer};
use super::answers::{Later, kind_in_words};
use super::html::{At, Head, page, text};
use super::model::Model;
use super::notes::Notes;
use kgq_engine::query::Form;
use kgq_engine::{Answer, Row, Solutions};
use kgq_graph::audit::RowSources;
use kgq_graph::catalog::{CannedQuery, LocalizedText, ParamKind};
use kgq_graph::export::names::safe_part;
use kgq_graph::export::turtle;
use kgq_graph::render::{CellOptions, ColumnOptions, Format, GraphOptions, RenderOptions, TableOptions, write};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::highlight::{Class, highlight};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term, Triple, Variable};
use maud::{Markup, html};
use rustc_hash::FxHashSet;

/// A canned query with its answer.
pub struct PublishedQuery<'a> {
    pub canned: &'a CannedQuery,
    /// The text, with declarations of all prefixes that it uses.
    pub text: String,
    /// The same text with the parameter values inserted, ready to run.
    pub bound: String,
    pub form: Form,
    /// The IRIs in the query.
    pub names: Vec<NamedNode>,
    pub params: Vec<PublishedParam>,
    pub answer: Later<'a, PublishedAnswer>,
}

/// A parameter of a published query.
pub struct PublishedParam {
    pub name: String,
    pub kind: ParamKind,
    pub description: Option<LocalizedText>,
    pub required: bool,
    pub list: bool,
    /// The values with which the shown answer was computed.
    pub values: Vec<String>,
}

/// An answer from the time when the site was made.
pub enum PublishedAnswer {
    Table {
        variables: Vec<Variable>,
        rows: Vec<Row>,
        sources: Vec<RowSources>,
        /// Whether there are more rows, which were not read.
        more: bool,
    },
    Truth(bool),
    Graph(Vec<Triple>),
    /// There is no answer, for this reason.
    None(NoAnswer),
}

/// Why a query is on the site without an answer.
#[derive(Clone, Debug)]
pub enum NoAnswer {
    /// A required parameter has neither a default nor an example.
    Needs(String),
    /// It queries another server.
    Elsewhere,
    /// It failed, for this reason.
    Failed(Error),
}

impl PublishedAnswer {
    /// Visits the things in the answer, once for each occurrence.
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
    /// The path of its page, without extension.
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

/// The extensions of the files of a query: its page, its text, its answer.
pub fn endings(query: &PublishedQuery<'_>) -> &'static [&'static str] {
    match query.answer.get() {
        PublishedAnswer::Table { .. } => &["html", "rq", "csv", "json", "ttl"],
        PublishedAnswer::Graph(_) => &["html", "rq", "ttl", "jsonld", "csv"],
        PublishedAnswer::Truth(_) => &["html", "rq", "json"],
        PublishedAnswer::None(_) => &["html", "rq"],
    }
}

/// The file of a query with this extension, except the page; `None` if there is no such file.
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
            Some(statements_behind(model, sources)?.into_bytes())
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
        return Ok(turtle::write(&quads, model.source.prefixes, model.budget)?.into_bytes());
    }
    let mut out = Vec::new();
    let format = kgq_syntax::rdf::RdfFormat::JsonLd;
    kgq_graph::render::write_quads(
        &quads,
        format,
        model.source.prefixes,
        GraphOptions::default(),
        model.budget,
        &mut out,
    )?;
    Ok(out)
}

fn table(model: &Model<'_>, variables: &[Variable], rows: &[Row], format: Format) -> Result<Vec<u8>> {
    let solutions = Solutions::new(variables.to_vec(), rows.iter().cloned().map(Ok).collect::<Vec<_>>().into_iter());
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
        columns: ColumnOptions::default(),
        table: TableOptions::default(),
    };
    write(answer, options, &mut out)?;
    Ok(out)
}

/// The source statements of an answer, each with its reifiers and their statements.
fn statements_behind(model: &Model<'_>, sources: &[RowSources]) -> Result<String> {
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
                let mut quad = quad.clone();
                quad.graph_name = oxrdf::GraphName::DefaultGraph;
                quads.push(quad);
            }
        }
    }
    let mut seen = FxHashSet::default();
    quads.retain(|quad| seen.insert(quad.clone()));
    turtle::write(&quads, model.source.prefixes, model.budget)
}

/// A text of a header in all its languages.
pub fn texts(model: &Model<'_>, words: &LocalizedText) -> Markup {
    let mut all = words.all();
    all.sort_by_key(|(language, _)| language.is_some_and(|l| l != model.language));
    html! {
        @for (i, (language, words)) in all.iter().enumerate() {
            span class=[(i > 0).then_some("other")] lang=[language] dir="auto" { (text(words.trim())) }
        }
    }
}

/// The page of a canned query at a path.
pub fn query_page(model: &Model<'_>, query: &PublishedQuery<'_>, path: &str) -> String {
    let at = At { model, path };
    let header = &query.canned.header;
    let mut notes = Notes::default();
    let answer = shown(&at, query, &mut notes);
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

pub fn named(at: &At<'_, '_>, query: &PublishedQuery<'_>) -> Markup {
    let own: Vec<&NamedNode> = query.names.iter().filter(|n| at.model.page(n.as_str()).is_some()).collect();
    html! {
        @if !own.is_empty() {
            section { h2 { (at.say("What it speaks of")) } ul .inline { @for node in own { li { (at.thing(node)) } } } }
        }
    }
}

pub fn parameters(at: &At<'_, '_>, query: &PublishedQuery<'_>) -> Markup {
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

/// The answer at the time of the build, with its downloads.
fn shown(at: &At<'_, '_>, query: &PublishedQuery<'_>, notes: &mut Notes) -> Markup {
    let link = |ending: &str, words: &str| {
        html! { li { a href=(at.href(&at.model.query_file(query, ending))) download { (words) } } }
    };
    let links = match query.answer.get() {
        PublishedAnswer::None(_) => html! {},
        PublishedAnswer::Truth(_) => html! { (link("json", "JSON")) },
        PublishedAnswer::Graph(_) => html! { (link("ttl", "Turtle")) (link("jsonld", "JSON-LD")) (link("csv", "CSV")) },
        PublishedAnswer::Table { .. } => {
            html! { (link("csv", "CSV")) (link("json", "JSON")) (link("ttl", at.say("The statements behind it in Turtle"))) }
        }
    };
    let look = Look { title: query.title(at.model), header: &query.canned.header, why: None };
    html! { section .answer { h2 { (at.say("The answer")) } (answer(at, look, query.answer.get(), &links, notes)) } }
}

/// The text of a query with syntax colours, without its header.
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
