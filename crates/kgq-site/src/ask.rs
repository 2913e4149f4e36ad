//! The query page of a server: a form for the query, then the answer with the sources of its rows, why it is empty, what is
//! wrong with the query and where, and the plan. It works without scripts; a script can request the part below the form alone.

use super::address::escape;
use super::answer::{Look, MOST_ROWS, answer};
use super::answers;
use super::form::{downloads, failure};
use super::html::{At, Head, page, text};
use super::model::Model;
use super::notes::Notes;
use super::pages::Question;
use super::query::PublishedAnswer;
use super::why::{About, Doubted, missing_form};
use kgq_engine::query::Query;
use kgq_engine::{EvaluationOptions, Limits};
use kgq_graph::catalog::Header;
use kgq_graph::graph::Graph;
use kgq_graph::request::advise::{self, Advised, Remarks, Turned};
use kgq_graph::request::explain::explain;
use kgq_syntax::budget::Work;
use kgq_syntax::error::{Error, Kind, Result, Source};
use kgq_syntax::text::visible;
use maud::{Markup, html};

use std::time::Instant;

/// The initial text of the form.
const FIRST: &str = "SELECT * WHERE {\n  ?s ?p ?o\n}\nLIMIT 20\n";

/// The name of the query text in messages.
const NAME: &str = "query";

/// Makes the page, or only the part with the answer.
///
/// # Errors
/// The files of the graph cannot be read, or a limit is exceeded.
pub fn ask_page(
    model: &Model<'_>,
    graph: &Graph,
    question: &Question<'_>,
    options: &EvaluationOptions,
) -> Result<String> {
    let at = At { model, path: "ask" };
    let answered = match question.query {
        Some(query) => answered(&at, graph, query, question.about, options)?,
        None => html! {},
    };
    if question.part {
        return Ok(answered.into_string());
    }
    let asked = model.source.queries.iter().filter(|query| !query.canned.is_check());
    let text = question.query.unwrap_or(FIRST);
    let body = html! {
        article .ask {
            h1 { (at.say("Ask")) }
            form .asking method="get" action=(at.href("ask")) {
                @if model.chosen { input type="hidden" name="lang" value=(model.language); }
                div .row #starts {
                    label for="canned" { (at.say("Start from")) }
                    select #canned {
                        option value="" { (at.say("a query of your own")) }
                        @for query in asked { option value=(query.bound.trim()) { (super::html::text(query.title(model))) } }
                    }
                }
                label .unseen for="query" { (at.say("The query in SPARQL")) }
                textarea #query name="query" rows="12" spellcheck="false" autocomplete="off" autocapitalize="off" aria-describedby="keys" { (text) }
                div .row {
                    button #run type="submit" { (at.say("Ask")) }
                    button #stop type="button" hidden { (at.say("Stop")) }
                    span #state role="status" {}
                }
                p #keys .muted { (at.say("Prefixes of the graph need no declaration. Ctrl+Enter asks; Ctrl+Space completes names, typed in any language.")) }
            }
            div #result tabindex="-1" { (answered) }
            details #history hidden { summary { (at.say("Asked before")) } ol {} }
        }
    };
    let query = question.query.map_or_else(String::new, |query| format!("query={}", escape(query)));
    Ok(page(&at, Head { title: at.say("Ask").into(), section: "query", query, ..Head::default() }, body))
}

fn answered(
    at: &At<'_, '_>,
    graph: &Graph,
    query: &str,
    about: Option<About<'_>>,
    options: &EvaluationOptions,
) -> Result<Markup> {
    let started = Instant::now();
    let source = Source::new(NAME, query);
    let parsed = match graph.parse(source) {
        Ok(parsed) => parsed,
        Err(error) if error.kind() == Kind::Io => return Err(error),
        Err(error) => return Ok(wrong(at, &error)),
    };
    let found = match answers::answer(graph, &at.model.source.audit, &parsed, options, Some(MOST_ROWS)) {
        Ok(found) => found,
        // The server decides how to report exceeded limits and unreadable files.
        Err(error) if !matches!(error.kind(), Kind::Input | Kind::Policy) => return Err(error),
        Err(error) => return Ok(failure(at, &error)),
    };
    let mut notes = Notes::default();
    let address = |format: &str| at.href(&format!("sparql?query={}&format={format}", escape(query)));
    let downloads = html! {
        (downloads(at, parsed.form(), &found, &address))
        li { a href=(at.href(&format!("ask.html?query={}", escape(query)))) rel="bookmark" { (at.say("Link to this answer")) } }
    };
    let why = |row: usize| format!("{}#why", at.href(&format!("ask.html?query={}&why={row}", escape(query))));
    let look = Look { title: at.say("The answer"), header: &Header::default(), why: Some(&why) };
    let doubted = Doubted { graph, source, query: &parsed, options };
    let told = about.map(|about| doubted.told(at, about, &mut notes)).transpose()?.unwrap_or_default();
    let shown = answer(at, look, &found, &downloads, &mut notes);
    let missing = missing_form(at, "ask.html", &[("query".to_owned(), query.to_owned())], &found);
    let asked = Answered { graph, source, query: &parsed, options, started };
    let plan = explain(graph, query, &parsed, false)?;
    Ok(html! {
        section .answer { h2 { (at.say("The answer")) } (asked.remarks(at, &found)?) (told) (shown) (missing) }
        (notes.render(at))
        details .plan { summary { (at.say("How it is answered")) } pre tabindex="0" role="group" aria-label=(at.say("The plan")) { (safe(&plan.plan)) } }
    })
}

/// Shows an error in the text, with its place in attributes for scripts.
fn wrong(at: &At<'_, '_>, error: &Error) -> Markup {
    let place = error.place().map(|place| (place.line, place.column));
    html! {
        section .failure data-line=[place.map(|(line, _)| line)] data-column=[place.map(|(_, column)| column)] {
            h2 { (at.say("The query has a mistake")) }
            pre .wrong role="alert" tabindex="0" { (safe(&error.render(false))) }
        }
    }
}

fn safe(words: &str) -> String {
    words.lines().map(|line| visible(line).into_owned() + "\n").collect()
}

/// A query with its answer.
struct Answered<'q> {
    graph: &'q Graph,
    source: Source<'q>,
    query: &'q Query,
    options: &'q EvaluationOptions,
    started: Instant,
}

impl Answered<'_> {
    /// Remarks on likely mistakes, and on why the answer is empty.
    fn remarks(&self, at: &At<'_, '_>, found: &PublishedAnswer) -> Result<Markup> {
        let turned = match found {
            PublishedAnswer::Table { rows, .. } => Turned::of(rows.len() as u64, None),
            PublishedAnswer::Graph(triples) => Turned::of(triples.len() as u64, None),
            PublishedAnswer::Truth(truth) => Turned::Truth(*truth),
            PublishedAnswer::None(_) => Turned::Full,
        };
        let time = self.options.limits.time.map(|time| time.saturating_sub(self.started.elapsed()));
        let budget = self.options.budget.child(Work::Query, Limits { time, ..Limits::default() });
        let advised = Advised { source: self.source, query: self.query, options: self.options, budget: &budget };
        let mistakes = advise::mistakes(self.graph, advised)?;
        let Remarks { warnings, reasons } = advise::remarks(self.graph, advised, turned)?;
        let of_prefixes = self.graph.remarks_on_prefixes(self.source)?;
        let found = mistakes.into_iter().chain(warnings).map(|finding| finding.error);
        let warnings: Vec<Error> = of_prefixes.into_iter().chain(found).collect();
        Ok(html! {
            @if !reasons.is_empty() {
                div .reasons { h3 { (at.say("Why there is nothing")) } ul { @for reason in &reasons { li { (remark(&reason.error)) } } } }
            }
            @if !warnings.is_empty() { ul .warnings { @for warning in &warnings { li { (remark(warning)) } } } }
        })
    }
}

fn remark(error: &Error) -> Markup {
    html! {
        (text(error.message()))
        @if let Some(place) = error.place() { " " span .muted { "(" (place.line) ":" (place.column) ")" } }
        @for hint in error.hints() { p .hint { (text(hint)) } }
    }
}
