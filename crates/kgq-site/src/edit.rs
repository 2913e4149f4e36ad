//! The editing pages for holders of a token: sign-in, form, preview of the difference, confirmation. They work without scripts.

use super::address::escape;
use super::edit_rows::{FormRows, all_hidden};
use super::html::{At, Head, page, text};
use super::model::Model;
use kgq_edit::form::{Field, Row, Wrong};
use kgq_syntax::rdf::NamedNode;
use maud::{Markup, html};

/// The sign-in page.
#[derive(Clone, Copy, Debug)]
pub struct Login<'l> {
    /// Who is signed in.
    pub who: Option<&'l str>,
    /// The secret that proves that the form was made by this server.
    pub secret: &'l str,
    /// Where to go after signing in.
    pub to: &'l str,
    /// Whether an unknown token was given.
    pub wrong: bool,
}

/// A form that edits a thing.
#[derive(Clone, Copy, Debug)]
pub struct Correction<'c> {
    pub about: About<'c>,
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

/// The subject of a form.
#[derive(Clone, Copy, Debug)]
pub enum About<'c> {
    Thing(&'c NamedNode),
    /// A thing that does not exist yet, with its IRI if that is known.
    New {
        class: &'c NamedNode,
        iri: &'c str,
    },
}

impl<'c> About<'c> {
    /// The thing, or the class of a new one.
    fn node(self) -> &'c NamedNode {
        match self {
            Self::Thing(node) | Self::New { class: node, .. } => node,
        }
    }
}

/// The stage of a correction.
#[derive(Clone, Copy, Debug)]
pub enum Step<'c> {
    Fill,
    /// Preview of the difference of the files.
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
    let (title, key) = match correction.about {
        About::Thing(_) => ("Correct “{}”", "iri"),
        About::New { .. } => ("Add to “{}”", "class"),
    };
    let body = html! {
        article .edit {
            p .kind { (at.thing(correction.about.node())) }
            h1 { (at.fill(title, text(&model.label(correction.about.node())))) }
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
                    @if let About::Thing(thing) = correction.about { p { (at.thing(thing)) } }
                }
            }
            form .out method="post" action=(action(&at, "logout.html")) {
                input type="hidden" name="secret" value=(correction.secret);
                button type="submit" { (at.say("Sign out")) }
            }
        }
    };
    let query = format!("{key}={}", escape(correction.about.node().as_str()));
    page(&at, Head { title: at.say("Correct this").into(), query, section: "things", ..Head::default() }, body)
}

/// The address to which a form is sent.
fn action(at: &At<'_, '_>, file: &str) -> String {
    at.href(file)
}

fn hidden(at: &At<'_, '_>, correction: &Correction<'_>) -> Markup {
    html! {
        input type="hidden" name="secret" value=(correction.secret);
        input type="hidden" name="version" value=(correction.version);
        @match correction.about {
            About::Thing(thing) => input type="hidden" name="iri" value=(thing.as_str());,
            About::New { class, .. } => input type="hidden" name="class" value=(class.as_str());,
        }
        @if at.model.chosen { input type="hidden" name="lang" value=(at.model.language); }
    }
}

fn fill(at: &At<'_, '_>, correction: &Correction<'_>) -> Markup {
    html! {
        p { (at.say("An empty value removes the fact. What a fact is cited from is named by IRI, CURIE or name, several with spaces between them.")) }
        form .fields.facts method="post" action=(action(at, "edit.html")) {
            (hidden(at, correction))
            @if let About::New { iri, .. } = correction.about {
                div .field {
                    label for="iri" { (at.say("Its name: an IRI or a CURIE")) }
                    input #iri name="iri" value=(iri) autocapitalize="off" spellcheck="false" aria-describedby="about-iri";
                    p .about #about-iri { (at.say("Left empty, it is made of the label, as others of its class are named.")) }
                }
            }
            (FormRows::of(at, correction).fields(correction.fields, ""))
            p { button type="submit" name="step" value="look" { (at.say("Show the difference")) } }
        }
    }
}

fn look(at: &At<'_, '_>, correction: &Correction<'_>, difference: &str) -> Markup {
    html! {
        @if difference.is_empty() { p .summary { (at.say("Nothing would change.")) } }
        @else { p { (at.say("This is what changes in the files:")) } pre .difference tabindex="0" { code { @for line in difference.lines() { (diff_line(line)) "\n" } } } }
        form .fields method="post" action=(action(at, "edit.html")) {
            (hidden(at, correction))
            @if let About::New { iri, .. } = correction.about { input type="hidden" name="iri" value=(iri); }
            @for row in correction.rows { (all_hidden(row)) }
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
        // The headers with the file names.
        _ if line.starts_with("--- ") || line.starts_with("+++ ") => html! { b { (shown) } },
        Some('+') => html! { ins { (shown) } },
        Some('-') => html! { del { (shown) } },
        _ => html! { (shown) },
    }
}

/// The name of a field: that of its shape, else the label of its property.
pub fn name(at: &At<'_, '_>, field: &Field) -> Markup {
    match in_language(at, &field.names) {
        Some(name) => html! { bdi { (text(name)) } },
        None => at.property(&field.property),
    }
}

/// The text in the language of the page, else the first.
pub fn in_language<'t>(at: &At<'_, '_>, texts: &'t [kgq_syntax::rdf::Literal]) -> Option<&'t str> {
    let own = texts.iter().find(|text| text.language() == Some(at.model.language));
    own.or(texts.first()).map(|text| text.value())
}
