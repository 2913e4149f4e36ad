//! The rows of a form: one per value, with its citations; the value of a blank node has rows of its own within.

use super::edit::{Correction, in_language, name};
use super::html::{At, text};
use kgq_edit::form::{Field, FieldValue, Row, inside, is_key};
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::{NamedNode, Term};
use maud::{Markup, html};

/// The maximum number of things offered in a list; beyond it, the user types a name.
const LONGEST_CHOICE: usize = 200;
/// From this many characters on, a text gets more than one line.
const LONG: usize = 70;

/// A form with its entered values.
pub struct FormRows<'r> {
    pub at: &'r At<'r, 'r>,
    pub correction: &'r Correction<'r>,
    /// The documents that can be cited, as they are written and as they are called.
    documents: Vec<(String, String)>,
}

impl<'r> FormRows<'r> {
    pub fn of(at: &'r At<'r, 'r>, correction: &'r Correction<'r>) -> Self {
        let audit = &at.model.source.audit;
        let mut documents: Vec<NamedNode> =
            audit.citations().iter().filter_map(|citation| audit.citation(citation).document).collect();
        documents.sort();
        documents.dedup();
        let documents = documents.iter().map(|node| choice(at, node)).collect();
        Self { at, correction, documents }
    }

    /// The fields at one level of the form, with their rows.
    pub fn fields(&self, fields: &[Field], within: &str) -> Markup {
        let at = self.at;
        html! {
            @for field in fields {
                @let rows: Vec<(usize, &Row)> = self.rows(field, within).collect();
                @let statements = field.facts.iter().any(|fact| matches!(fact.object, Term::Triple(_)));
                @if !rows.is_empty() || statements {
                    fieldset {
                        legend { (name(at, field)) @if field.min.is_some_and(|min| min > 0) { span .muted { (at.say(", required")) } } }
                        @if let Some(description) = in_language(at, &field.descriptions) { p .about { (text(description)) } }
                        @if statements { p .about { (at.say("A value that is a statement is changed in the files.")) } }
                        @for (number, row) in rows {
                            @if is_key(&row.old) || (row.old.is_empty() && !field.nested.is_empty()) { (self.unnamed(field, number, row)) }
                            @else { (self.row(field, number, row)) }
                        }
                    }
                }
            }
        }
    }

    fn rows<'s>(&'s self, field: &'s Field, within: &'s str) -> impl Iterator<Item = (usize, &'r Row)> + 's {
        let rows = self.correction.rows.iter().enumerate();
        rows.filter(move |(_, row)| row.within == within && row.property == field.property.as_str())
    }

    /// A blank node as value, with the rows within it.
    fn unnamed(&self, field: &Field, number: usize, row: &Row) -> Markup {
        let at = self.at;
        let is_of = |fact: &&FieldValue| fact.node.as_ref().is_some_and(|node| node.key == row.old);
        let node = field.facts.iter().find(is_of).and_then(|fact| fact.node.as_ref());
        let fields = node.map_or(field.nested.as_slice(), |node| node.fields.as_slice());
        let id = format!("row-{number}");
        html! {
            div .nested {
                (hidden(row))
                div .row {
                    div .field {
                        @if row.old.is_empty() { p .muted #(id) { (at.say("A new value, made of what is filled in here:")) } }
                        @else { label .keep for=(id) { input #(id) type="checkbox" name="v" value="[]" checked[!row.value.is_empty()]; " " (at.say("This value stays, with:")) } }
                    }
                    (self.cited(number, row))
                    (self.wrong(number))
                }
                input type="hidden" name="l" value="";
                (self.fields(fields, &inside(&row.within, &row.property, &row.old)))
                @match node {
                    Some(node) if node.is_list => p .about { (at.say("A list is changed in the files; here it can only go as a whole.")) },
                    Some(node) if node.fields.is_empty() => p .about { (at.say("What is in it is changed in the files; here it can only go as a whole.")) },
                    _ => {},
                }
            }
        }
    }

    fn row(&self, field: &Field, number: usize, row: &Row) -> Markup {
        let at = self.at;
        let id = format!("row-{number}");
        let described =
            self.correction.wrong.iter().any(|wrong| wrong.row == number).then(|| format!("wrong-{number}"));
        html! {
            div .row {
                (hidden(row))
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
                (self.cited(number, row))
                (self.wrong(number))
            }
        }
    }

    /// What a value is cited from, and inputs for a new citation.
    fn cited(&self, number: usize, row: &Row) -> Markup {
        let at = self.at;
        let (cited, document, words) = (format!("c-{number}"), format!("d-{number}"), format!("w-{number}"));
        let is_open = !row.document.is_empty() || !row.words.is_empty();
        let known = row.document.is_empty() || self.documents.iter().any(|(value, _)| *value == row.document);
        html! {
            div .field {
                label for=(cited) { (at.say("Cited from")) }
                input #(cited) name="c" value=(row.sources) autocapitalize="off" spellcheck="false";
                @if !self.documents.is_empty() {
                    details open[is_open] {
                        summary { (at.say("A new citation")) }
                        label for=(document) { (at.say("Document")) }
                        @if self.documents.len() <= LONGEST_CHOICE {
                            select #(document) name="d" {
                                option value="" {}
                                @if !known { option value=(row.document) selected { (text(&row.document)) } }
                                @for (value, label) in &self.documents { option value=(value) selected[*value == row.document] { (text(label)) } }
                            }
                        } @else { input #(document) name="d" value=(row.document) autocapitalize="off" spellcheck="false"; }
                        label for=(words) { (at.say("Its words, as they stand there")) }
                        textarea #(words) name="w" rows="2" dir="auto" { "\n" (row.words) }
                    }
                }
            }
        }
    }

    fn wrong(&self, number: usize) -> Markup {
        let wrong = self.correction.wrong.iter().find(|wrong| wrong.row == number);
        html! { @if let Some(wrong) = wrong { p .wrong #(format!("wrong-{number}")) role="alert" { (text(&wrong.message)) } } }
    }
}

/// Hidden inputs that identify a row. Each row begins with its property.
fn hidden(row: &Row) -> Markup {
    html! {
        input type="hidden" name="p" value=(row.property);
        input type="hidden" name="n" value=(row.within);
        input type="hidden" name="o" value=(row.old);
    }
}

/// All content of a row as hidden inputs, to be sent again.
pub fn all_hidden(row: &Row) -> Markup {
    html! {
        (hidden(row))
        @for (name, value) in [("v", &row.value), ("l", &row.language), ("c", &row.sources), ("d", &row.document), ("w", &row.words)] {
            input type="hidden" name=(name) value=(value);
        }
    }
}

/// A thing as it is written, and its label.
fn choice(at: &At<'_, '_>, node: &NamedNode) -> (String, String) {
    let short = at.model.source.prefixes.shorten(node.as_str()).unwrap_or_else(|| node.as_str().to_owned());
    (short, at.model.label(node))
}

fn control(at: &At<'_, '_>, field: &Field, id: &str, row: &Row, described: Option<&str>) -> Markup {
    let (model, invalid) = (at.model, described.map(|_| "true"));
    let mut choices: Vec<(String, String)> = match (&field.choices[..], &field.class) {
        ([], Some(class)) => {
            let members = model.members.get(class.as_str()).map_or(&[][..], Vec::as_slice);
            // Of more than can be chosen from none is listed.
            model.nodes(members).take(LONGEST_CHOICE + 1).map(|node| choice(at, &node)).collect()
        }
        (listed, _) => listed
            .iter()
            .map(|term| match term {
                Term::NamedNode(node) => choice(at, node),
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
        // A browser empties a date input whose value has another form, such as a date with a time zone.
        Some("date") if row.value.is_empty() || is_plain_date(&row.value) => ("date", None),
        Some("integer" | "decimal" | "nonNegativeInteger") => ("text", Some("decimal")),
        _ => ("text", None),
    };
    html! {
        @if row.value.chars().count() > LONG || row.value.contains(['\n', '\r']) {
            // The first line break in a textarea is not part of its text (HTML, §13.1.2.6).
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
