//! The pages by which who has a token corrects what is said of a thing: signing in, the form, the difference, and that it is saved. They
//! need no script.

use super::address::escape;
use super::html::{At, Head, page, text};
use super::model::Model;
use kgq_edit::form::{Field, Row, Wrong};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{NamedNode, Term};
use maud::{Markup, html};

/// Up to how many things stand in a list to choose from; of more, one is named.
const LONGEST_CHOICE: usize = 200;
/// Of how many characters a text gets more than a line.
const LONG: usize = 70;

/// Signing in.
#[derive(Clone, Copy, Debug)]
pub struct Login<'l> {
    /// Who is signed in.
    pub who: Option<&'l str>,
    /// What shows that a form was made here.
    pub secret: &'l str,
    /// Where to go then.
    pub to: &'l str,
    /// Whether a token was given that nobody holds.
    pub wrong: bool,
}

/// A form of a thing.
#[derive(Clone, Copy, Debug)]
pub struct Correction<'c> {
    pub thing: &'c NamedNode,
    pub fields: &'c [Field],
    pub rows: &'c [Row],
    pub wrong: &'c [Wrong],
    /// Why nothing was saved.
    pub refused: &'c [String],
    pub secret: &'c str,
    /// The version of the graph that the form shows.
    pub version: &'c str,
    /// What was changed and why, in the author's words.
    pub message: &'c str,
    pub step: Step<'c>,
}

/// How far a correction is.
#[derive(Clone, Copy, Debug)]
pub enum Step<'c> {
    Fill,
    /// The difference of the files, before it is saved.
    Look {
        difference: &'c str,
    },
    Saved {
        files: &'c [String],
        committed: bool,
        warnings: &'c [String],
    },
}

pub fn login_page(model: &Model<'_>, login: &Login<'_>) -> String {
    let at = At { model, path: "login" };
    let body = html! {
        article .login {
            h1 { (at.say("Sign in")) }
            @if let Some(who) = login.who {
                p { (at.fill("You are signed in as {}.", text(who))) }
                form .fields method="post" action=(action(&at, "logout.html")) {
                    input type="hidden" name="secret" value=(login.secret);
                    p { button type="submit" { (at.say("Sign out")) } }
                }
            } @else {
                p .summary { (at.say("Who runs this server gives out tokens. One that may write lets you correct what is said here.")) }
                form .fields method="post" action=(action(&at, "login.html")) {
                    input type="hidden" name="secret" value=(login.secret);
                    input type="hidden" name="to" value=(login.to);
                    div .field {
                        label for="token" { (at.say("Token")) }
                        input #token type="password" name="token" autocomplete="current-password" required autofocus aria-invalid=[login.wrong.then_some("true")];
                        @if login.wrong { p .wrong role="alert" { (at.say("Nobody holds this token.")) } }
                    }
                    p { button type="submit" { (at.say("Sign in")) } }
                }
            }
        }
    };
    let query = format!("to={}", escape(login.to));
    page(&at, Head { title: at.say("Sign in").into(), query, ..Head::default() }, body)
}

pub fn edit_page(model: &Model<'_>, correction: &Correction<'_>) -> String {
    let at = At { model, path: "edit" };
    let body = html! {
        article .edit {
            p .kind { (at.thing(correction.thing)) }
            h1 { (at.fill("Correct “{}”", text(&model.label(correction.thing)))) }
            @if !correction.refused.is_empty() {
                div .reasons role="alert" {
                    h2 { (at.say("Nothing was saved")) }
                    @for reason in correction.refused { p { (text(reason)) } }
                }
            }
            @match correction.step {
                Step::Fill => (fill(&at, correction)),
                Step::Look { difference } => (look(&at, correction, difference)),
                Step::Saved { files, committed, warnings } => {
                    p .summary role="status" { (at.say("It is saved.")) @if committed { " " (at.say("A commit was made in your name.")) } }
                    @for warning in warnings { p .wrong { (text(warning)) } }
                    ul .files { @for file in files { li { code { (text(file)) } } } }
                    p { (at.thing(correction.thing)) }
                }
            }
            form .out method="post" action=(action(&at, "logout.html")) {
                input type="hidden" name="secret" value=(correction.secret);
                button type="submit" { (at.say("Sign out")) }
            }
        }
    };
    let query = format!("iri={}", escape(correction.thing.as_str()));
    page(&at, Head { title: at.say("Correct this").into(), query, section: "things", ..Head::default() }, body)
}

/// Where a form is sent.
fn action(at: &At<'_, '_>, file: &str) -> String {
    at.href(file)
}

fn hidden(at: &At<'_, '_>, correction: &Correction<'_>) -> Markup {
    html! {
        input type="hidden" name="secret" value=(correction.secret);
        input type="hidden" name="version" value=(correction.version);
        input type="hidden" name="iri" value=(correction.thing.as_str());
        @if at.model.chosen { input type="hidden" name="lang" value=(at.model.language); }
    }
}

fn fill(at: &At<'_, '_>, correction: &Correction<'_>) -> Markup {
    html! {
        p { (at.say("An empty value removes the fact. What a fact is cited from is named by IRI, CURIE or name, several with spaces between them.")) }
        form .fields.facts method="post" action=(action(at, "edit.html")) {
            (hidden(at, correction))
            @for field in correction.fields {
                @if correction.rows.iter().any(|row| row.property == field.property.as_str()) {
                    fieldset {
                        legend { (name(at, field)) @if field.min.is_some_and(|min| min > 0) { span .muted { (at.say(", required")) } } }
                        @if let Some(description) = in_language(at, &field.descriptions) { p .about { (text(description)) } }
                        @for (number, row) in correction.rows.iter().enumerate() {
                            @if row.property == field.property.as_str() { (row_of(at, correction, field, number, row)) }
                        }
                    }
                }
            }
            p { button type="submit" name="step" value="look" { (at.say("Show the difference")) } }
        }
    }
}

fn row_of(at: &At<'_, '_>, correction: &Correction<'_>, field: &Field, number: usize, row: &Row) -> Markup {
    let wrong = correction.wrong.iter().find(|wrong| wrong.row == number);
    let id = format!("row-{number}");
    let described = wrong.map(|_| format!("wrong-{number}"));
    html! {
        div .row {
            input type="hidden" name="p" value=(row.property);
            input type="hidden" name="o" value=(row.old);
            div .field {
                label for=(id) { @if row.old.is_empty() { (at.say("New value")) } @else { (at.say("Value")) } }
                (control(at, field, &id, row, described.as_deref()))
            }
            @if field.has_languages() {
                div .field.language {
                    label for=(format!("l-{number}")) { (at.say("Language")) }
                    input #(format!("l-{number}")) name="l" value=(cased(&row.language)) size="6" autocapitalize="off";
                }
            } @else { input type="hidden" name="l" value=(row.language); }
            div .field {
                label for=(format!("c-{number}")) { (at.say("Cited from")) }
                input #(format!("c-{number}")) name="c" value=(row.sources) autocapitalize="off" spellcheck="false";
            }
            @if let Some(wrong) = wrong { p .wrong #(format!("wrong-{number}")) role="alert" { (text(&wrong.message)) } }
        }
    }
}

fn control(at: &At<'_, '_>, field: &Field, id: &str, row: &Row, described: Option<&str>) -> Markup {
    let (model, invalid) = (at.model, described.map(|_| "true"));
    let short =
        |node: &NamedNode| model.source.prefixes.shorten(node.as_str()).unwrap_or_else(|| node.as_str().to_owned());
    let mut choices: Vec<(String, String)> = match (&field.choices[..], &field.class) {
        ([], Some(class)) => {
            let members = model.members.get(class.as_str()).into_iter().flatten();
            members.map(|node| (short(node), model.label(node))).collect()
        }
        (listed, _) => listed
            .iter()
            .map(|term| match term {
                Term::NamedNode(node) => (short(node), model.label(node)),
                term => (at.plain(term), at.plain(term)),
            })
            .collect(),
    };
    if choices.len() <= LONGEST_CHOICE && !choices.is_empty() {
        choices.sort_by(|a, b| a.1.cmp(&b.1));
        let known = row.value.is_empty() || choices.iter().any(|(value, _)| *value == row.value);
        return html! {
            select #(id) name="v" aria-describedby=[described] aria-invalid=[invalid] {
                option value="" {}
                @if !known { option value=(row.value) selected { (text(&row.value)) } }
                @for (value, label) in &choices { option value=(value) selected[*value == row.value] { (text(label)) } }
            }
        };
    }
    let kind = field.datatype.as_ref().map(|datatype| datatype.as_str().rsplit('#').next().unwrap_or_default());
    let (kind, mode) = match kind {
        // A browser empties such a field of what is not written so: of a date with a time zone, say.
        Some("date") if row.value.is_empty() || is_plain_date(&row.value) => ("date", None),
        Some("integer" | "decimal" | "nonNegativeInteger") => ("text", Some("decimal")),
        _ => ("text", None),
    };
    html! {
        @if row.value.chars().count() > LONG || row.value.contains(['\n', '\r']) {
            // The first end of a line is none of the text (HTML, §13.1.2.6).
            textarea #(id) name="v" rows="4" dir="auto" aria-describedby=[described] aria-invalid=[invalid] { "\n" (row.value) }
        } @else {
            input #(id) name="v" type=(kind) inputmode=[mode] dir="auto" value=(row.value) aria-describedby=[described] aria-invalid=[invalid];
        }
    }
}

/// Whether a value is written as browsers write dates: `YYYY-MM-DD`.
fn is_plain_date(value: &str) -> bool {
    let (digits, dashes): (Vec<_>, Vec<_>) = value.bytes().enumerate().partition(|(_, byte)| byte.is_ascii_digit());
    digits.len() == 8 && dashes == [(4, b'-'), (7, b'-')]
}

fn look(at: &At<'_, '_>, correction: &Correction<'_>, difference: &str) -> Markup {
    html! {
        @if difference.is_empty() { p .summary { (at.say("Nothing would change.")) } }
        @else { p { (at.say("This is what changes in the files:")) } pre .difference tabindex="0" { code { @for line in difference.lines() { (diff_line(line)) "\n" } } } }
        form .fields method="post" action=(action(at, "edit.html")) {
            (hidden(at, correction))
            @for row in correction.rows {
                @for (name, value) in [("p", &row.property), ("o", &row.old), ("v", &row.value), ("l", &row.language), ("c", &row.sources)] {
                    input type="hidden" name=(name) value=(value);
                }
            }
            @if !difference.is_empty() {
                div .field {
                    label for="message" { (at.say("What you correct, and why")) }
                    input #message name="message" value=(correction.message) maxlength="500" dir="auto";
                }
            }
            p {
                @if !difference.is_empty() { button type="submit" name="step" value="save" { (at.say("Save")) } " " }
                button .other type="submit" name="step" value="fill" { (at.say("Change it once more")) }
            }
        }
    }
}

fn diff_line(line: &str) -> Markup {
    let shown = text(line);
    match line.chars().next() {
        // The names of the files.
        _ if line.starts_with("--- ") || line.starts_with("+++ ") => html! { b { (shown) } },
        Some('+') => html! { ins { (shown) } },
        Some('-') => html! { del { (shown) } },
        _ => html! { (shown) },
    }
}

/// What a field is called: by its shape, else by its property's label.
fn name(at: &At<'_, '_>, field: &Field) -> Markup {
    match in_language(at, &field.names) {
        Some(name) => html! { bdi { (text(name)) } },
        None => at.property(&field.property),
    }
}

/// The text in the page's language, else the first.
fn in_language<'t>(at: &At<'_, '_>, texts: &'t [kgq_syntax::rdf::Literal]) -> Option<&'t str> {
    let own = texts.iter().find(|text| text.language() == Some(at.model.language));
    own.or(texts.first()).map(|text| text.value())
}
