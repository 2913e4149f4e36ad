//! The pages that lead to all others: the home page with search and classes, lists of members, queries, data, and the map.

use super::draw;
use super::html::{At, Head, page, text};
use super::model::Model;
use super::vocabulary::*;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::NamedNode;
use kgq_syntax::rdf::language::cased;
use kgq_syntax::text::thousands;
use maud::{Markup, html};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The number of things on one page of a list.
pub const PAGE: usize = 1000;

/// How many members of a class the home page names, and how many columns of text their names may take.
const SHOWN: usize = 12;
const ROOM: usize = 240;

/// How many names in other languages are shown beside a name in a list.
const ALSO: usize = 2;

/// The home page.
pub fn index_page(model: &Model<'_>, dataset: &Value) -> String {
    let at = At { model, path: "index.html" };
    let asked = model.source.queries.iter().filter(|q| !q.canned.is_check()).count();
    let body = html! {
        article .home {
            h1 { (text(model.source.title)) }
            div .search role="search" {
                label for="search" { (at.say("Search by name, in any language")) }
                input #search type="search" autocomplete="off" spellcheck="false" data-root="" aria-controls="found" disabled;
                p #search-state .muted role="status" { (at.say("Search needs JavaScript; the lists below do not.")) }
                ol #found {}
            }
            p .muted {
                (at.count(model.source.snapshot.len() as u64, "statement", "statements")) (at.say(" about "))
                (at.count(model.things.len() as u64, "thing", "things")) ". "
                @if asked > 0 { a href=(at.href("queries.html")) { (at.count(asked as u64, "question", "questions")) } (at.say(" with answers. ")) }
                @if !model.places.is_empty() { a href=(at.href("places.html")) { (at.count(model.places.len() as u64, "place", "places")) } (at.say(" on a map.")) }
            }
            section {
                h2 { (at.say("By kind")) }
                div .kinds {
                    @for (class, members) in by_size(model) {
                        (class_card(&at, class, members))
                    }
                }
            }
        }
    };
    let head = Head {
        title: model.source.title.to_owned(),
        section: "things",
        alternates: vec![("text/turtle", "void.ttl".into())],
        json_ld: Some(dataset.clone()),
        scripts: vec!["assets/search-data.js"],
        ..Head::default()
    };
    page(&at, head, body)
}

/// The classes that the first page shows: of the domain first, by size; those of the ontology's own machinery last.
fn by_size<'m>(model: &'m Model<'_>) -> Vec<(NamedNode, &'m [TermId])> {
    let mut classes: Vec<(u8, usize, NamedNode, &[TermId])> = model
        .members
        .iter()
        .map(|(class, members)| {
            let machinery = [OWL, "http://www.w3.org/2000/01/rdf-schema#", SH, "http://www.w3.org/ns/oa#"];
            let named = model.nodes(members).any(|m| !model.source.labels.all(&m).is_empty());
            let rank = u8::from(machinery.iter().any(|ns| class.starts_with(ns))) + u8::from(!named);
            (rank, members.len(), NamedNode::new_unchecked(class), members.as_slice())
        })
        .collect();
    classes.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then_with(|| a.2.as_str().cmp(b.2.as_str())));
    classes.into_iter().map(|(_, _, class, members)| (class, members)).collect()
}

fn class_card(at: &At<'_, '_>, class: NamedNode, members: &[TermId]) -> Markup {
    let page = at.model.browse_page(class.as_str()).map(|p| at.href(&p));
    let named = at.model.nodes(members).map(|m| (at.model.label(&m), m));
    let mut first: Vec<(String, NamedNode)> = if members.len() <= 5000 {
        let mut all: Vec<_> = named.collect();
        all.sort_by(|a, b| (a.0.to_lowercase(), a.1.as_str()).cmp(&(b.0.to_lowercase(), b.1.as_str())));
        all
    } else {
        named.take(SHOWN).collect()
    };
    first.truncate(SHOWN);
    let mut room = ROOM;
    let fitting = first.iter().take_while(|(label, _)| {
        let fits = room > 0;
        room = room.saturating_sub(kgq_syntax::text::width(label) + 2);
        fits
    });
    let fitting = fitting.count();
    first.truncate(fitting);
    html! {
        section .card {
            h3 { a href=[page] { (text(&at.model.label(&class))) } " " span .count { (thousands(members.len() as u64)) } }
            ul .inline { @for (label, member) in &first { li { (at.link(member, &text(label))) } } @if members.len() > first.len() { li .muted { "…" } } }
        }
    }
}

/// The number of pages of a list with this many members.
pub fn parts(members: usize) -> usize {
    members.div_ceil(PAGE)
}

/// A page of the list of a class's members; `None` if the path is not one.
///
/// # Errors
/// The budget's.
pub fn browse_page(model: &Model<'_>, path: &str) -> Result<Option<String>> {
    let found = model.members.iter().find_map(|(class, members)| {
        let stem = model.browse_page(class)?;
        let rest = path.strip_prefix(stem.trim_end_matches(".html"))?;
        let number = (0..parts(members.len())).find(|part| model.browse_part(class, *part).as_deref() == Some(path));
        (rest.starts_with(['/', '.'])).then_some((NamedNode::new_unchecked(class), members, number?))
    });
    let Some((class, members, number)) = found else { return Ok(None) };
    let at = At { model, path };
    let label = model.label(&class);
    let listed = model.listed(class.as_str())?;
    let Some(part) = listed.chunks(PAGE).nth(number) else { return Ok(None) };
    let part = model.nodes(part).map(|m| (model.label(&m), m));
    let part: Vec<(String, NamedNode)> = part.collect();
    // Above the list and below it: who is told the names of landmarks tells them apart.
    let others = |name: &str| {
        html! {
            nav .pages aria-label=(name) {
                @for i in 0..parts(members.len()) {
                    @if i == number { span aria-current="page" { (i + 1) } }
                    @else if let Some(page) = model.browse_part(class.as_str(), i) { a href=(at.href(&page)) { (i + 1) } }
                    " "
                }
            }
        }
    };
    let is_long = members.len() > PAGE;
    let body = html! {
        article .browse {
            p .kind { (at.say("Kind")) }
            h1 { (at.link(&class, &text(&label))) " " span .count { (thousands(members.len() as u64)) } }
            @if let Some(about) = model.descriptions(&class).first() { p .summary { (at.literal(about)) } }
            @if is_long { (others(at.say("Pages of the list"))) }
            ul .columns {
                @for (label, member) in &part {
                    li {
                        (at.link(member, &text(label)))
                        @for other in model.titles(member).others.iter().take(ALSO) {
                            " " span .also lang=[other.language().map(cased)] dir="auto" { (text(other.value())) }
                        }
                    }
                }
            }
            @if is_long { (others(at.say("Pages of the list, below it"))) }
        }
    };
    let title = if number == 0 { label } else { format!("{label}{}", at.fill(", page {}", number + 1)) };
    Ok(Some(page(&at, Head { title, section: "things", ..Head::default() }, body)))
}

/// The list of the canned queries.
pub fn queries_page(model: &Model<'_>) -> String {
    let at = At { model, path: "queries.html" };
    let (checks, asked): (Vec<_>, Vec<_>) = model.source.queries.iter().partition(|q| q.canned.is_check());
    let entry = |query: &&super::query::PublishedQuery<'_>| {
        let header = &query.canned.header;
        html! {
            li {
                a href=(at.href(&model.query_page(query))) { (text(query.title(model))) }
                @if let Some(question) = header.question.as_ref().or(header.description.as_ref()) { p { (text(question.in_language(model.language).trim())) } }
            }
        }
    };
    let body = html! {
        article .questions {
            h1 { (at.say("Questions")) }
            p .summary { (at.say("Each with its query, and its answer from this graph.")) }
            @if asked.is_empty() && checks.is_empty() { p .muted { (at.say("This graph has no canned queries.")) } }
            ul .entries { @for query in &asked { (entry(query)) } }
            @if !checks.is_empty() {
                section { h2 { (at.say("Rules")) } p .muted { (at.say("What each of these finds would be a mistake in the graph.")) } ul .entries { @for query in &checks { (entry(query)) } } }
            }
        }
    };
    page(&at, Head { title: at.say("Questions").into(), section: "queries", ..Head::default() }, body)
}

/// All places on one map.
pub fn places_page(model: &Model<'_>) -> String {
    let at = At { model, path: "places.html" };
    let spots: Vec<draw::Spot<'_>> = model
        .places
        .values()
        .map(|(node, point)| draw::Spot { node, label: model.label(node), point: *point, own: false })
        .collect();
    let body = html! {
        article {
            h1 { (at.say("Places")) }
            p .muted { (at.count(spots.len() as u64, "place", "places")) (at.say(", drawn by their coordinates alone")) }
            (draw::map(&at, &spots).unwrap_or_default())
        }
    };
    page(&at, Head { title: at.say("Places").into(), section: "things", ..Head::default() }, body)
}

/// Why an address has no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Unknown,
    /// The thing existed before.
    Gone,
}

/// The page for a missing address, with suggestions.
pub fn missing_page(model: &Model<'_>, path: &str, why: Missing, near: &[NamedNode]) -> String {
    let at = At { model, path };
    let (title, told) = match why {
        Missing::Unknown => (at.say("Nothing here"), at.say("The graph has no page of this name. ")),
        Missing::Gone => (
            at.say("No longer here"),
            at.say("The graph said something of this before; it was removed, as the history of its files shows. "),
        ),
    };
    let body = html! {
        article {
            h1 { (title) }
            p { (told) a href=(at.href("index.html")) { (at.say("All there is")) } "." }
            @if !near.is_empty() {
                section { h2 { (at.say("What is called nearly so")) } ul .inline { @for node in near { li { (at.thing(node)) } } } }
            }
        }
    };
    page(&at, Head { title: title.into(), ..Head::default() }, body)
}

/// The page that says why a request was refused.
pub fn refused_page(model: &Model<'_>, reasons: &[String]) -> String {
    let at = At { model, path: "index.html" };
    let title = at.say("This was not done");
    let body = html! {
        article {
            h1 { (title) }
            div .reasons role="alert" { @for reason in reasons { p { (text(reason)) } } }
            p { a href=(at.href("index.html")) { (at.say("All there is")) } "." }
        }
    };
    page(&at, Head { title: title.into(), ..Head::default() }, body)
}

/// The page on which the browser evaluates queries itself.
pub fn ask_page(model: &Model<'_>) -> String {
    let at = At { model, path: "ask.html" };
    let body = html! {
        article .ask {
            h1 { (at.say("Ask")) }
            p .muted { (at.say("Queries run in this browser, over the whole graph; nothing is sent anywhere. The first needs the graph to be loaded.")) }
            div .row {
                label for="canned" { (at.say("Start from")) }
                select #canned disabled { option value="" { (at.say("a query of your own")) } }
            }
            div #editor {}
            div .row {
                button #run type="button" disabled { (at.say("Run")) }
                button #stop type="button" hidden { (at.say("Stop")) }
                span #state role="status" { (at.say("This page needs JavaScript, and a web server: a browser loads no data into a page that was opened from disk.")) }
            }
            div #result tabindex="-1" {}
        }
    };
    let head = Head {
        title: at.say("Ask").into(),
        section: "query",
        scripts: vec!["assets/queries.js", "assets/ask.js"],
        styles: vec!["assets/ask.css"],
        runs_queries: true,
        ..Head::default()
    };
    page(&at, head, body)
}

/// The page of a thing without the common extension.
fn stem_of(model: &Model<'_>, thing: &NamedNode) -> Option<String> {
    let page = model.page(thing.as_str())?;
    Some(if model.source.served { model.address(&page) } else { page.trim_end_matches(".html").to_owned() })
}

/// The data for search: the page of each thing, its kind, and its names in all languages. It is a script, because a page
/// opened from disk cannot load other files.
pub fn search_data(model: &Model<'_>) -> String {
    let mut kinds: Vec<String> = Vec::new();
    let mut entries = String::new();
    let mut add = |entry: Value| {
        let _ = write!(entries, "{}{entry}", if entries.is_empty() { "" } else { ",\n" });
    };
    let mut kind_number = |kind: String| match kinds.iter().position(|k| *k == kind) {
        Some(number) => number,
        None => {
            kinds.push(kind);
            kinds.len() - 1
        }
    };
    for thing in model.nodes(&model.things) {
        let thing = &thing;
        let mut names: Vec<&str> = Vec::new();
        for label in model.source.labels.all(thing) {
            if !names.contains(&label.value()) {
                names.push(label.value());
            }
        }
        // Terms of the ontology are also found by their local name.
        let local = kgq_graph::catalog::local_name(thing.as_str());
        if !names.is_empty()
            && let Some(stem) = stem_of(model, thing)
        {
            let best = model.label(thing);
            names.sort_by_key(|name| *name != best);
            if model.is_class(thing) || model.is_property(thing) {
                names.push(local);
            }
            let kind = model.own_types(thing).first().map_or_else(String::new, |class| model.label(class));
            // Things are also found by their CURIE, if a prefix covers their IRI.
            let curie = model.source.prefixes.shorten(thing.as_str());
            add(match curie {
                Some(curie) => json!([stem, kind_number(kind), names, curie]),
                None => json!([stem, kind_number(kind), names]),
            });
        }
    }
    for query in model.source.queries.iter().filter(|q| !q.canned.is_check()) {
        let mut names: Vec<&str> = Vec::new();
        for words in [&query.canned.header.title, &query.canned.header.question].into_iter().flatten() {
            names.extend(words.all().into_iter().map(|(_, words)| words.trim()));
        }
        names.push(&query.canned.name);
        let page = model.query_page(query);
        add(json!([page.trim_end_matches(".html"), kind_number(model.say("Question").into()), names]));
    }
    let mut out = String::from("kgqSearch({\"kinds\":");
    out.push_str(&json!(kinds).to_string());
    if model.source.served {
        out.push_str(",\"ending\":\"\"");
    }
    out.push_str(",\"entries\":[\n");
    out.push_str(&entries);
    if !entries.is_empty() {
        out.push('\n');
    }
    out.push_str("]});\n");
    if !out.contains(['\u{2028}', '\u{2029}']) {
        return out;
    }
    // Two characters end a line in a script and not in JSON.
    out.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// The page of the dumps and descriptions.
pub fn data_page(model: &Model<'_>, dumps: &[super::dumps::Dump]) -> String {
    let at = At { model, path: "data.html" };
    let body = html! {
        article .data {
            h1 { (at.say("Data")) }
            p .summary { (at.say("The whole graph, in the same order every time. Turtle, TriG and N-Quads are of RDF 1.2; JSON-LD and RDF/XML, for tools of RDF 1.1, have reifiers as ")) code { "rdf:Statement" } "." }
            section {
                h2 { (at.say("Dumps")) }
                div .scroll tabindex="0" role="group" aria-label=(at.say("The dumps")) {
                    table {
                        thead { tr { th scope="col" { (at.say("file")) } th scope="col" { (at.say("holds")) } @if !model.source.served { th scope="col" .number { (at.say("bytes")) } th scope="col" { "SHA-256" } } } }
                        tbody {
                            @for dump in dumps {
                                tr {
                                    td { a href=(at.href(&dump.path)) download { (dump.path.trim_start_matches("dump/")) } }
                                    td { (at.say(dump.holds)) }
                                    @if let Some(made) = &dump.made {
                                        td .number { (thousands(made.bytes)) }
                                        td { code .hash { (made.hash) } }
                                    }
                                }
                            }
                        }
                    }
                }
                @if !model.source.served { p { a href="dump/SHA256SUMS" { "SHA256SUMS" } (at.say(" checks them: ")) code { "sha256sum -c SHA256SUMS" } } }
            }
            section {
                h2 { (at.say("Descriptions")) }
                dl {
                    @for (path, what) in [
                        ("void.ttl", "VoID: what the dataset holds, by class and property"),
                        ("catalog.ttl", "DCAT 3: the dataset and its files, with checksums"),
                        ("service.ttl", "SPARQL service description"),
                        ("queries.ttl", "The questions as SHACL SPARQL executables, for the editors of others"),
                        ("llms.txt", "An overview for language models"),
                        ("sitemap.xml", "The pages, for search engines"),
                    ] {
                        div .fact { dt { a href=(at.href(path)) { (path) } } dd { (at.say(what)) } }
                    }
                }
            }
            section {
                h2 { (at.say("Prefixes")) }
                div .scroll tabindex="0" role="group" aria-label=(at.say("The prefixes")) {
                    table { tbody { @for (prefix, namespace) in model.source.prefixes.iter() { tr { td { code { (text(prefix)) ":" } } td { code { (text(namespace)) } } } } } }
                }
            }
        }
    };
    page(
        &at,
        Head {
            title: at.say("Data").into(),
            section: "data",
            alternates: vec![("text/turtle", "void.ttl".into())],
            ..Head::default()
        },
        body,
    )
}
