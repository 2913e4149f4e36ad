//! The page of a canned query on a server: a form for its parameters, errors in a value at its field, and the answer below.

use super::address::{escape, parameter_in_address, query_string};
use super::answer::{Look, MOST_ROWS, answer};
use super::answers::{self, kind_in_words};
use super::html::{At, Head, page, text};
use super::model::Model;
use super::notes::Notes;
use super::query::{PublishedAnswer, PublishedParam, PublishedQuery, named, sparql, texts};
use super::standalone;
use super::why::{About, Doubted, missing_form};
use kgq_engine::EvaluationOptions;
use kgq_engine::query::{BoundTo, Form};
use kgq_graph::catalog::{CannedQuery, ParamKind, ParameterContext as _, Values};
use kgq_graph::graph::{Graph, KnownTerms};
use kgq_graph::render::{Format, has_geometry};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Term};
use maud::{Markup, html};

/// The maximum number of values offered in a list; beyond it, the user types one.
const LONGEST_CHOICE: usize = 500;

/// A canned query to be run with these values; without any, with its examples.
pub struct FormRequest<'q> {
    pub graph: &'q Graph,
    pub query: &'q PublishedQuery<'q>,
    pub values: &'q [(String, String)],
    pub options: &'q EvaluationOptions,
    /// An explanation of the answer, if one is requested.
    pub about: Option<About<'q>>,
}

/// Makes the page at a path. It shows errors in values; whatever stops the query is returned as an error.
///
/// # Errors
/// The files of the graph cannot be read, or a limit is exceeded.
pub fn form_page(model: &Model<'_>, asked: &FormRequest<'_>, path: &str) -> Result<String> {
    let at = At { model, path };
    let canned = asked.query.canned;
    let header = &canned.header;
    let known = asked.graph.known()?;
    let values = given(asked);
    let fields: Vec<Field<'_>> =
        asked.query.params.iter().map(|param| Field::of(canned, param, &values, &known)).collect::<Result<_>>()?;
    let mut notes = Notes::default();
    let answered = answered(&at, asked, &values, &fields, &known, &mut notes)?;
    let title = asked.query.title(model);
    let body = html! {
        article .query {
            p .kind { a href=(at.href("queries.html")) { (at.say("Question")) } @if canned.is_check() { (at.say(" · a rule: whatever it finds is a mistake")) } @if !header.tags.is_empty() { " · " (text(&header.tags.join(", "))) } }
            h1 { @match &header.title { Some(title) => (texts(model, title)), None => (text(title)) } }
            @if let Some(question) = &header.question { p .summary { (texts(model, question)) } }
            @if let Some(description) = &header.description { p .description { (texts(model, description)) } }
            @if !fields.is_empty() { (form(&at, asked, &fields)) }
            section .answer { h2 { (at.say("The answer")) } (answered) }
            section {
                h2 { (at.say("The query")) }
                (sparql(model, &asked.query.text))
                ul .links {
                    li { a href=(at.href(&format!("ask.html?query={}", escape(&bound(canned, asked.query, &values, &known))))) { (at.say("Ask it here, changed as you like")) } }
                    li { code { @match &header.example { Some(example) => (text(example)), None => { "kgq run " (text(&canned.name)) } } } }
                }
            }
            (named(&at, asked.query))
            (notes.render(&at))
        }
    };
    let description = header.question.as_ref().map(|q| q.in_language(model.language).trim().to_owned());
    let query = query_string(asked.values);
    Ok(page(&at, Head { title: title.to_owned(), description, section: "queries", query, ..Head::default() }, body))
}

/// The values to use: those given and not empty; if none is given at all, the examples of the required parameters.
fn given(asked: &FormRequest<'_>) -> Vec<(String, String)> {
    if asked.values.is_empty() {
        let required = asked.query.params.iter().filter(|param| param.required);
        let examples = required.flat_map(|param| param.values.iter().map(|value| (param.name.clone(), value.clone())));
        return examples.collect();
    }
    asked.values.iter().filter(|(_, value)| !value.trim().is_empty()).cloned().collect()
}

/// The query with its values inserted, so that any tool can run it; unchanged if the values do not fit.
fn bound(
    canned: &CannedQuery,
    query: &PublishedQuery<'_>,
    values: &[(String, String)],
    known: &KnownTerms<'_>,
) -> String {
    let bindings = canned.bindings(&Values::from_pairs(values.iter().cloned()), known);
    let text: String = query.text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("#+")).collect();
    bindings.map_or(text.clone(), |bindings| standalone::bind(&text, &bindings)).trim().to_owned()
}

fn answered(
    at: &At<'_, '_>,
    asked: &FormRequest<'_>,
    values: &[(String, String)],
    fields: &[Field<'_>],
    known: &KnownTerms<'_>,
    notes: &mut Notes,
) -> Result<Markup> {
    if fields.iter().any(|field| field.wrong.is_some()) {
        return Ok(html! { p .muted { (at.say("There is one when the values above are mended.")) } });
    }
    let given = Values::from_pairs(values.iter().cloned());
    // Errors that belong to no field, such as an unknown parameter.
    if let Err(error) = asked.query.canned.bindings(&given, known) {
        return Ok(failure(at, &error));
    }
    let parsed = match asked.graph.parse_canned(asked.query.canned, &given) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(failure(at, &error)),
    };
    let found = answers::answer(asked.graph, &at.model.source.audit, &parsed, asked.options, Some(MOST_ROWS))?;
    let pairs = query_string(values);
    let page = at.model.query_page(asked.query);
    let address = |format: &str| {
        let parts: Vec<&str> = [pairs.as_str(), format].into_iter().filter(|part| !part.is_empty()).collect();
        let file = if format.is_empty() { page.as_str() } else { page.trim_end_matches(".html") };
        if parts.is_empty() { file.to_owned() } else { format!("{file}?{}", parts.join("&")) }
    };
    let downloads = html! {
        (downloads(at, asked.query.form, &found, &|format| at.href(&address(&format!("format={format}")))))
        li { a href=(at.href(&address(""))) rel="bookmark" { (at.say("Link to this answer")) } }
    };
    let why = |row: usize| {
        let why = format!("why={row}");
        let parts: Vec<&str> = [pairs.as_str(), &why].into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}#why", at.href(&format!("{page}?{}", parts.join("&"))))
    };
    let look = Look { title: asked.query.title(at.model), header: &asked.query.canned.header, why: Some(&why) };
    let doubted =
        Doubted { graph: asked.graph, source: asked.query.canned.source(), query: &parsed, options: asked.options };
    let told = asked.about.map(|about| doubted.told(at, about, notes)).transpose()?.unwrap_or_default();
    Ok(html! { (told) (answer(at, look, &found, &downloads, notes)) (missing_form(at, &page, values, &found)) })
}

/// List items with a link to the answer in each downloadable format that fits a query of this form.
pub fn downloads(at: &At<'_, '_>, form: Form, answer: &PublishedAnswer, address: &dyn Fn(&str) -> String) -> Markup {
    let fits = |format: &Format| match format {
        // The page shows the table itself.
        Format::Table => false,
        Format::GeoJson => {
            matches!(answer, PublishedAnswer::Table { variables, rows, .. } if has_geometry(variables, rows))
        }
        // A boolean is for programs that read SPARQL results.
        Format::Json | Format::Xml => true,
        _ => form != Form::Ask,
    };
    html! {
        @for format in Format::of(form).filter(fits) { li { a href=(address(format.name())) download { (format.name()) } } }
        li { a href=(address("bundle")) download { (at.say("bundle with proofs")) } }
    }
}

/// Shows an error with its hints.
pub fn failure(at: &At<'_, '_>, error: &Error) -> Markup {
    html! {
        p .wrong role="alert" { (at.say("It could not be answered: ")) (text(error.message())) }
        @for hint in error.hints() { p .hint { (text(hint)) } }
    }
}

/// A parameter as a field of the form.
struct Field<'q> {
    param: &'q PublishedParam,
    /// The given values, or the default.
    texts: Vec<String>,
    /// The terms that these values denote.
    terms: Vec<Term>,
    /// The allowed values: as they are given, with the thing that labels them, if one is meant.
    choice: Vec<(String, Option<NamedNode>)>,
    wrong: Option<Error>,
}

impl<'q> Field<'q> {
    fn of(
        canned: &CannedQuery,
        param: &'q PublishedParam,
        values: &[(String, String)],
        known: &KnownTerms<'_>,
    ) -> Result<Self> {
        let own: Vec<(String, String)> = values.iter().filter(|(name, _)| *name == param.name).cloned().collect();
        // Bind this parameter alone, so that every error is about it.
        let mut alone = canned.clone();
        alone.header.params.retain(|name, _| *name == param.name);
        let bindings = alone.bindings(&Values::from_pairs(own.iter().cloned()), known);
        let (terms, wrong) = match bindings {
            Ok(bindings) => (bindings.into_iter().flat_map(|binding| terms(binding.value)).collect(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let header = canned.header.params.get(&param.name);
        let allowed = header.map(|header| header.values.as_slice()).unwrap_or_default();
        let choice = match &param.kind {
            _ if !allowed.is_empty() => allowed.iter().map(|value| (value.clone(), None)).collect(),
            ParamKind::Boolean => ["true", "false"].map(|value| (value.to_owned(), None)).to_vec(),
            ParamKind::MemberOf(class) => {
                let members = known.members(class).into_iter().take(LONGEST_CHOICE + 1);
                members.map(|node| (known.prefixes().display(node.as_str()), Some(node))).collect()
            }
            _ => Vec::new(),
        };
        let default = header.and_then(|header| header.default.as_ref()).map(|default| default.texts());
        let texts = match own.is_empty() {
            true => default.unwrap_or_default(),
            false => own.into_iter().map(|(_, value)| value).collect(),
        };
        Ok(Self { param, texts, terms, choice, wrong })
    }

    fn chosen(&self, value: &str, node: Option<&NamedNode>) -> bool {
        match node {
            Some(node) => self.terms.iter().any(|term| matches!(term, Term::NamedNode(n) if n == node)),
            None => self.texts.iter().any(|text| text == value),
        }
    }
}

fn terms(value: BoundTo) -> Vec<Term> {
    match value {
        BoundTo::One(term) => vec![term],
        BoundTo::AnyOf(terms) => terms,
    }
}

fn form(at: &At<'_, '_>, asked: &FormRequest<'_>, fields: &[Field<'_>]) -> Markup {
    let action = at.href(at.model.query_page(asked.query).as_str());
    html! {
        form .fields method="get" action=(action.split('?').next().unwrap_or_default()) {
            @if at.model.chosen { input type="hidden" name="lang" value=(at.model.language); }
            @for (number, field) in fields.iter().enumerate() { (row(at, field, number)) }
            p { button type="submit" { (at.say("Ask")) } }
        }
    }
}

fn row(at: &At<'_, '_>, field: &Field<'_>, number: usize) -> Markup {
    let param = field.param;
    let (id, about, wrong) = (format!("field-{number}"), format!("about-{number}"), format!("wrong-{number}"));
    let described = match &field.wrong {
        Some(_) => format!("{about} {wrong}"),
        None => about.clone(),
    };
    html! {
        div .field {
            label for=(id) { (text(&param.name)) @if param.required { span .muted { (at.say(", required")) } } }
            (control(at, field, &id, &described))
            p .about #(about) {
                @match kind_in_words(&param.kind) { (_, Some(class)) => { (at.say("a ")) (at.thing(class)) }, (words, None) => (at.say(words)) }
                @if param.list { (at.say(", one or several")) }
                @if let Some(description) = &param.description { ". " (text(description.in_language(at.model.language).trim())) }
            }
            @if let Some(error) = &field.wrong {
                p .wrong #(wrong) role="alert" { (text(error.message())) @for hint in error.hints() { ". " (text(hint)) } }
            }
        }
    }
}

fn control(at: &At<'_, '_>, field: &Field<'_>, id: &str, described: &str) -> Markup {
    let param = field.param;
    let invalid = field.wrong.is_some().then_some("true");
    if !field.choice.is_empty() && field.choice.len() <= LONGEST_CHOICE {
        let mut choice: Vec<(String, &str, bool)> = field
            .choice
            .iter()
            .map(|(value, node)| {
                let label = node.as_ref().map_or_else(|| value.clone(), |node| at.model.label(node));
                (label, value.as_str(), field.chosen(value, node.as_ref()))
            })
            .collect();
        if field.choice.iter().any(|(_, node)| node.is_some()) {
            choice.sort_by_cached_key(|(label, value, _)| (label.to_lowercase(), (*value).to_owned()));
        }
        let none = !param.required && !param.list;
        return html! {
            select id=(id) name=(parameter_in_address(&param.name)) multiple[param.list] aria-describedby=(described) aria-invalid=[invalid] {
                @if none || !choice.iter().any(|(_, _, chosen)| *chosen) && !param.list { option value="" { (at.say("not chosen")) } }
                @for (label, value, chosen) in &choice { option value=(value) selected[*chosen] { (text(label)) } }
            }
        };
    }
    let (kind, step) = match &param.kind {
        _ if param.list => ("text", None),
        ParamKind::Integer => ("number", Some("1")),
        ParamKind::Number | ParamKind::Decimal => ("number", Some("any")),
        ParamKind::Date => ("date", None),
        _ => ("text", None),
    };
    // An invalid value goes into a text input: a number or date input would not show it.
    let kind = if invalid.is_some() { "text" } else { kind };
    let names = matches!(param.kind, ParamKind::Iri | ParamKind::MemberOf(_)).then_some("names");
    html! {
        input id=(id) name=(parameter_in_address(&param.name)) type=(kind) step=[step.filter(|_| kind == "number")] value=(text(&field.texts.join(", "))) autocomplete="off" spellcheck="false" data-complete=[names] aria-describedby=(described) aria-invalid=[invalid];
    }
}
