//! The documentation page for programmers: renders the OpenAPI description of a server without external resources.

use super::html::{At, Head, page, text};
use super::model::Model;
use maud::{Markup, html};
use serde_json::{Map, Value};

/// Renders an OpenAPI 3.1 description as a page.
pub fn docs_page(model: &Model<'_>, described: &Value) -> String {
    let at = At { model, path: "docs" };
    let none = Map::new();
    let paths = described["paths"].as_object().unwrap_or(&none);
    let server = described["servers"][0]["url"].as_str().unwrap_or_default();
    let body = html! {
        article .docs {
            h1 { (at.say("For programs")) }
            p { (at.say("What this server answers, address by address. The same for programs: ")) a href=(at.href("openapi.json")) { code { "/openapi.json" } } "." }
            @for (path, operations) in paths {
                // POST takes the same parameters.
                @for (method, operation) in operations.as_object().into_iter().flatten().filter(|(method, _)| *method == "get") {
                    (operation_section(&at, server, path, method, operation))
                }
            }
        }
    };
    page(&at, Head { title: at.say("For programs").into(), ..Head::default() }, body)
}

fn operation_section(at: &At<'_, '_>, server: &str, path: &str, method: &str, operation: &Value) -> Markup {
    let word = |name: &str| operation[name].as_str().filter(|text| !text.is_empty());
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let formats = operation["responses"]["200"]["content"].as_object();
    let formats: Vec<&str> = formats.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    html! {
        section {
            h2 { code { (method.to_uppercase()) " " @match path.starts_with("/query/") {
                true => a href=(at.href(&format!("{}.html", path.trim_start_matches('/')))) { (text(path)) },
                false => (text(path)),
            } } }
            @if let Some(summary) = word("summary") { p .summary { (text(summary)) } }
            @if let Some(description) = word("description") { p { (text(description)) } }
            @if !parameters.is_empty() {
                table {
                    thead { tr { th scope="col" { (at.say("Parameter")) } th scope="col" { (at.say("Value")) } th scope="col" { (at.say("Meaning")) } } }
                    tbody { @for parameter in parameters { (row(at, parameter)) } }
                }
            }
            @if !formats.is_empty() { p .muted { (at.say("Formats: ")) (text(&formats.join(", "))) } }
            pre { code { "curl '" (text(server)) (text(path)) (text(&example(parameters))) "'" } }
        }
    }
}

fn row(at: &At<'_, '_>, parameter: &Value) -> Markup {
    let schema = &parameter["schema"];
    let is_list = schema["type"] == "array";
    let of_one = if is_list { &schema["items"] } else { schema };
    let kind = of_one["format"].as_str().or(of_one["type"].as_str()).unwrap_or_default();
    let values: Vec<&str> = of_one["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    html! {
        tr {
            th scope="row" { code { (text(parameter["name"].as_str().unwrap_or_default())) } }
            td {
                (text(kind))
                @if is_list { (at.say(", several")) }
                @if parameter["required"] == true { (at.say(", needed")) }
                @if !values.is_empty() { ": " (text(&values.join(", "))) }
                @if let Some(default) = schema["default"].as_str() { (at.say("; without it ")) code { (text(default)) } }
            }
            td { (text(parameter["description"].as_str().unwrap_or_default())) }
        }
    }
}

/// The query string of an example: the required parameters, with placeholders for their values.
fn example(parameters: &[Value]) -> String {
    let needed = parameters.iter().filter(|parameter| parameter["required"] == true);
    let mut out = String::new();
    for name in needed.filter_map(|parameter| parameter["name"].as_str()) {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(&format!("{name}=…"));
    }
    out
}
