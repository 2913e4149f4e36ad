//! Pages made one by one for a server: they have the content of the published ones, every link of theirs leads to
//! another, and queries are asked in forms.

use super::{SMALL, assert_harmless, files, parse, project, publish};
use kgq_engine::EvaluationOptions;
use kgq_graph::graph::{Graph, OpenOptions};
use kgq_site::{About, Audience, Page, Pages, Question};
use kgq_syntax::budget::Budget;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

static UNLIMITED: LazyLock<Budget> = LazyLock::new(Budget::default);

fn english() -> Audience<'static> {
    Audience { language: "en", chosen: false, broken: None, editable: false, budget: &UNLIMITED }
}

fn pages_of(folder: &Path) -> Pages {
    let options = OpenOptions { folder: folder.to_owned(), ..OpenOptions::default() };
    Pages::new(Graph::open(options).unwrap(), None)
}

fn text(pages: &Pages, path: &str) -> String {
    let page = pages.page(path, &english()).unwrap().unwrap_or_else(|| panic!("{path} is not there"));
    String::from_utf8(page.body).unwrap()
}

/// The content of a page, with its links written as a server writes them.
fn said(html: &str) -> String {
    let main = &html[html.find("<main").unwrap()..html.find("</main>").unwrap()];
    let main = main.replace(".html\"", "\"").replace(".html#", "#");
    let main = main.replace("=\"index\"", "=\"./\"").replace("/index\"", "/\"");
    // A thing that is described but not of the graph's own namespace has a page on a server only.
    static OTHER: LazyLock<regex::Regex> =
        LazyLock::new(|| regex::Regex::new(r#"<a (class="external" )?href="(http|[^"]*about\?iri=)[^>]*>"#).unwrap());
    OTHER.replace_all(&main, "<a>").into_owned()
}

/// Compares pages of things and of lists, each so many-th, with those of a published site. The pages of queries, of the data and of what
/// is not there have more, or less, of a server.
pub fn assert_as_published(folder: &Path, site: &BTreeMap<String, Vec<u8>>, language: &str, step: usize) -> usize {
    let pages = pages_of(folder);
    pages.answer_all(&|| true).unwrap();
    let view = Audience { language, ..english() };
    let mut same = 0;
    let of_both = |path: &String| {
        path.ends_with(".html") && !path.starts_with("query/") && !["data.html", "404.html"].contains(&path.as_str())
    };
    for (path, published) in site.iter().filter(|(path, _)| of_both(path)).step_by(step) {
        let published = said(std::str::from_utf8(published).unwrap());
        for path in [path.as_str(), path.trim_end_matches(".html")] {
            let served = pages.page(path, &view).unwrap().unwrap_or_else(|| panic!("{path} is not there"));
            let served = said(std::str::from_utf8(&served.body).unwrap());
            // Published pages have the date of the last change from git, which a server does not ask.
            let published = match (published.find(". Last changed <time"), published.rfind("</time>.")) {
                (Some(start), Some(end)) => format!("{}{}", &published[..start], &published[end + 7..]),
                _ => published.clone(),
            };
            assert!(served == published, "{path}: {}", first_difference(&served, &published));
        }
        same += 1;
    }
    same
}

fn first_difference(one: &str, other: &str) -> String {
    let at = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count().saturating_sub(60);
    let piece = |text: &str| text.chars().skip(at).take(200).collect::<String>();
    format!("\n{}\n{}", piece(one), piece(other))
}

#[test]
fn each_page_of_a_small_project_is_made_alone_as_it_is_published_in_any_language() {
    let odd = "PREFIX : <https://e.example/> PREFIX o: <https://e.example/o#> :A o:p :a, :Ä, <https://e.example/x/> . :Ä o:p 1 . <https://e.example/x/> o:p 2 .";
    let project = project(&[("data/a.ttl", SMALL), ("data/odd.ttl", odd)]);
    let sites = tempfile::tempdir().unwrap();
    for language in ["en", "zh"] {
        let site = sites.path().join(language);
        publish(project.path(), &site, &["--language", language]);
        assert!(assert_as_published(project.path(), &files(&site), language, 1) > 8);
    }
    let pages = pages_of(project.path());
    // An IRI is found at its own path, however a browser encodes its letters.
    assert!(text(&pages, "%C3%84").contains("https://e.example/Ä"));
    assert!(text(&pages, "x/").contains("href=\"../assets/site.css\""));
}

/// Follows every link from the first page on, visiting each page once.
fn walk(pages: &Pages) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![String::new()]);
    while let Some(address) = open.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        let (path, query) = address.split_once('?').unwrap_or((&address, ""));
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let found = match (path, value("iri")) {
            ("about", Some(iri)) => pages.about(&unescape(iri), &english()).unwrap(),
            _ => pages.page(path, &english()).unwrap(),
        };
        let page = found.unwrap_or_else(|| panic!("{address} is not there"));
        if page.policy.is_none() || value("format").is_some() {
            continue;
        }
        assert_harmless(&address, &page.body);
        let parsed = parse(&page.body);
        for tag in parsed.tags.borrow().iter() {
            let link = super::attribute(tag, "href").or_else(|| super::attribute(tag, "src"));
            let Some(link) = link.filter(|link| !link.contains("://") && !link.starts_with(['#', 'm', '?'])) else {
                continue;
            };
            let mut parts: Vec<&str> = path.split('/').collect();
            parts.pop();
            let (file, rest) = link.split_once('?').map_or((link, ""), |(file, rest)| (file, rest));
            for part in file.split('#').next().unwrap().split('/') {
                match part {
                    ".." => drop(parts.pop().unwrap_or_else(|| panic!("{address}: {link}"))),
                    "." => {}
                    part => parts.push(part),
                }
            }
            let target = parts.join("/");
            open.push(if rest.is_empty() { target } else { format!("{target}?{}", rest.split('#').next().unwrap()) });
        }
    }
    seen
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_link_of_a_served_page_leads_to_a_page() {
    let routes = "PREFIX : <https://e.example/> :a :p :find . :find :p :sparql . :sparql :p <https://other.example/b> . <https://other.example/b> :p 1 .";
    let query = "#+ title: Towns\nSELECT ?t WHERE { ?t a <https://e.example/Town> }";
    let project = project(&[("data/a.ttl", SMALL), ("data/r.ttl", routes), ("queries/Towns.rq", query)]);
    let seen = walk(&pages_of(project.path()));
    for wanted in
        ["a", "query/Towns", "about?iri=https%3A%2F%2Fe.example%2Ffind", "about?iri=https%3A%2F%2Fother.example%2Fb"]
    {
        assert!(seen.contains(wanted), "{wanted} is not in {seen:?}");
    }
}

#[test]
fn a_graph_without_iris_of_its_own_has_a_page_for_every_iri() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.ttl");
    std::fs::write(&file, SMALL).unwrap();
    let options = OpenOptions { files: vec![file.to_str().unwrap().to_owned()], ..OpenOptions::default() };
    let pages = Pages::new(Graph::open(options).unwrap(), None);
    assert!(text(&pages, "").contains("about?iri=https%3A%2F%2Fe.example%2Fa"));
    // The site is named after its file, and its folder is not disclosed.
    assert!(text(&pages, "").contains("<h1>d.ttl</h1>") && !text(&pages, "").contains(folder.path().to_str().unwrap()));
    assert!(walk(&pages).len() > 15);
    assert_eq!(pages.about("https://e.example/nothing", &english()).unwrap(), None);
    assert_eq!(pages.page("nothing/here", &english()).unwrap(), None);
}

#[test]
fn a_language_that_was_chosen_goes_along_with_links_between_pages() {
    let project = project(&[("data/a.ttl", SMALL)]);
    let pages = pages_of(project.path());
    let page = pages.page("a", &Audience { language: "zh", chosen: true, ..english() }).unwrap().unwrap();
    let html = String::from_utf8(page.body).unwrap();
    assert!(html.contains("href=\"b?lang=zh\"") && html.contains("href=\"./?lang=zh\""), "{html}");
    assert!(html.contains("href=\"assets/site.css\"") && html.contains("事物"), "{html}");
}

const CITED: &str = "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX oa: <http://www.w3.org/ns/oa#> PREFIX dct: <http://purl.org/dc/terms/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> PREFIX : <https://e.example/>\n\
    :Town a rdfs:Class . :a a :Town ; rdfs:label \"Avon\"@en, \"甲\"@zh ; :founded \"1201-02-03\"^^xsd:date {| prov:wasDerivedFrom :cite |} .\n\
    :b a :Town ; rdfs:label \"Bath\" . :cite oa:hasSource :book . :book dct:title \"The Book of Towns\" .\n";

const FOUNDED: &str = "#+ title: {en: When was it founded?, zh: 何时建立？}\n#+ params:\n#+   town: {type: \"<https://e.example/Town>\", required: true, example: Avon, description: {en: The town, zh: 城}}\n\
    #+   after: {type: date, description: {en: Not before}}\n#+   least: {type: integer, default: 0}\nSELECT ?town ?day WHERE { ?town :founded ?day FILTER(!BOUND(?after) || ?day >= ?after) FILTER(?least >= 0) }";

fn cited() -> Pages {
    cited_in(&cited_project())
}

fn cited_project() -> tempfile::TempDir {
    project(&[("data/a.ttl", CITED), ("queries/founded.rq", FOUNDED)])
}

fn cited_in(folder: &tempfile::TempDir) -> Pages {
    let graph = Graph::open(OpenOptions { folder: folder.path().to_owned(), ..OpenOptions::default() }).unwrap();
    graph.load().unwrap();
    Pages::new(graph, None)
}

fn html(page: Page) -> String {
    String::from_utf8(page.body).unwrap()
}

fn founded(pages: &Pages, values: &[(&str, &str)], language: &str) -> String {
    let values: Vec<(String, String)> = values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let view = Audience { language, ..english() };
    let page = pages.query("founded", &values, None, &EvaluationOptions::default(), &view).unwrap().unwrap();
    assert_harmless("query/founded", &page.body);
    html(page)
}

#[track_caller]
fn assert_in(html: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(html.contains(wanted), "{wanted} is not in\n{html}");
    }
}

#[test]
fn the_form_of_a_canned_query_has_typed_fields_with_allowed_values_by_label() {
    let pages = cited();
    // Without values, the query runs with its example.
    let page = founded(&pages, &[], "en");
    assert_in(
        &page,
        &[
            r#"<form class="fields" method="get" action="../query/founded">"#,
            r#"<option value=":a" selected>Avon</option><option value=":b">Bath</option>"#,
            r#"<input id="field-1" name="after" type="date""#,
            r#"<input id="field-2" name="least" type="number" step="1" value="0""#,
            r#"<time datetime="1201-02-03">"#,
            r##"<td class="marks"><sup class="notes"><a href="#note-1""##,
            "The Book of Towns",
            r#"href="../query/founded?town=Avon&amp;format=csv""#,
            "rel=\"bookmark\"",
        ],
    );
    assert_in(&founded(&pages, &[("town", "Avon")], "zh"), &[">甲</option>", "何时建立？", ". 城", "lang=\"zh\""]);
    assert!(
        founded(&pages, &[("town", "Avon"), ("after", "1300-01-01")], "en").contains("nothing in the graph answers it")
    );
    assert_eq!(pages.query("nothing", &[], None, &EvaluationOptions::default(), &english()).unwrap(), None);
}

#[test]
fn what_is_wrong_with_a_value_stands_at_its_field_and_nothing_is_asked() {
    let pages = cited();
    let page = founded(&pages, &[("town", "Atlantis"), ("after", "soon"), ("least", "")], "en");
    assert_in(
        &page,
        &[
            r#"<p class="wrong" id="wrong-0" role="alert">parameter `town` must be a"#,
            r#"<p class="wrong" id="wrong-1" role="alert">parameter `after` must be a date"#,
            // An input that a date field could not show is kept.
            r#"name="after" type="text" value="soon""#,
            r#"aria-describedby="about-1 wrong-1" aria-invalid="true""#,
            "There is one when the values above are mended.",
        ],
    );
    assert!(!page.contains("wrong-2"));
    assert_in(&founded(&pages, &[("after", "1300-01-01")], "en"), &["needs a value for `town`"]);
    assert_in(&founded(&pages, &[("town", "Avon"), ("twon", "x")], "en"), &["has no parameter `twon`"]);
}

fn asked(pages: &Pages, query: &str) -> String {
    let question = Question { query: Some(query), part: false, about: None };
    let page = pages.ask(&question, &EvaluationOptions::default(), &english()).unwrap();
    assert_harmless("ask", &page.body);
    html(page)
}

#[test]
fn a_query_is_answered_below_its_form_with_sources_and_its_plan() {
    let pages = cited();
    let page = asked(&pages, "SELECT ?day { <https://e.example/a> <https://e.example/founded> ?day }");
    assert_in(
        &page,
        &[
            "name=\"query\"",
            r#"<time datetime="1201-02-03">"#,
            r##"<td class="marks"><sup class="notes"><a href="#note-1""##,
            "The Book of Towns",
            "How it is answered",
            r#"href="ask?query=SELECT%20%3Fday"#,
            r#"href="sparql?query=SELECT%20%3Fday"#,
            "&amp;format=csv\"",
        ],
    );
    let part = Question { query: Some("ASK { ?s ?p 1 }"), part: true, about: None };
    let part = html(pages.ask(&part, &EvaluationOptions::default(), &english()).unwrap());
    assert!(part.starts_with("<section class=\"answer\">") && part.contains("No</p>"), "{part}");
    let hostile = asked(&pages, "SELECT * { ?s ?p \"</textarea><script>alert(1)</script>\" }");
    assert!(!hostile.contains("<script>alert"));
}

#[test]
fn a_mistake_in_a_query_is_told_with_its_place_and_an_empty_answer_with_its_reason() {
    let pages = cited();
    let page = asked(&pages, "SELECT * {\n  ?s foaf:name ?n\n}");
    assert_in(
        &page,
        &[r#"<section class="failure" data-line="2" data-column="6">"#, "The query has a mistake", "foaf"],
    );
    let page = asked(&pages, "SELECT * { ?s <http://www.w3.org/2000/01/rdf-schema#label> \"Avon\" }");
    assert_in(&page, &["Why there is nothing", "@en"]);
}

#[test]
fn a_limit_that_is_passed_is_an_error_of_the_server_not_of_the_page() {
    let pages = cited();
    let options = EvaluationOptions {
        limits: kgq_engine::Limits { time: Some(std::time::Duration::ZERO), ..Default::default() },
        ..EvaluationOptions::default()
    };
    let query = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o . ?p ?q ?r } ORDER BY ?a ?d ?g";
    let error = pages.ask(&Question { query: Some(query), part: true, about: None }, &options, &english()).unwrap_err();
    assert_eq!(error.kind(), kgq_syntax::error::Kind::Limit);
}

#[test]
fn every_page_says_that_the_files_are_broken_and_offers_the_languages_of_the_graph() {
    let pages = cited();
    let view = Audience { broken: Some("data/a.ttl:3:1: expected a dot <b>"), ..english() };
    for path in ["", "a", "queries", "query/founded", "ask"] {
        let page = html(pages.page(path, &view).unwrap().unwrap());
        assert_in(&page, &["class=\"banner\"", "expected a dot &lt;b&gt;", "href=\"?lang=zh\"", "English</a>"]);
    }
    let about = html(pages.about("https://e.example/a", &english()).unwrap().unwrap());
    assert_in(&about, &["href=\"?iri=https%3A%2F%2Fe.example%2Fa&amp;lang=zh\""]);
}

#[test]
fn what_makes_a_row_is_drawn_and_told_with_its_sources_and_why_another_is_missing() {
    // The places of statements are read from the files.
    let folder = cited_project();
    let pages = cited_in(&folder);
    let query = "SELECT ?day { <https://e.example/a> <https://e.example/founded> ?day }";
    let table = asked(&pages, query);
    assert_in(
        &table,
        &[
            r#"&amp;why=1#why" aria-label="Why row 1">why</a>"#,
            "&amp;format=bundle\"",
            r#"<select id="missing-column" name="why-not"><option value="day">"#,
        ],
    );
    let about = |about: About<'_>| {
        let question = Question { query: Some(query), part: false, about: Some(about) };
        let page = pages.ask(&question, &EvaluationOptions::default(), &english()).unwrap();
        assert_harmless("ask", &page.body);
        html(page)
    };
    let row = about(About::Row(1));
    assert_in(
        &row,
        &[
            r#"<section class="why" id="why"><h3>Why row 1</h3>"#,
            "<figure class=\"drawing grounds\">",
            r##"<a href="#statement-1"><circle"##,
            r##"<a href="#note-1"><circle"##,
            r#"<li id="statement-1">"#,
            "data/a.ttl:2</span>",
            "None of them can be left out.",
        ],
    );
    assert_in(&about(About::Row(2)), &["It could not be answered: ", "no row 2"]);
    // As a browser sends it: the form for a missing row repeats the query.
    let sent = query.replace("{ ", "{\r\n\t");
    assert_in(&asked(&pages, &sent), &["name=\"query\" value=\"SELECT ?day {\r\n\t&lt;https://e.example/a&gt;"]);
    let expected = [("day".to_owned(), "1300-01-01".to_owned())];
    let missing = about(About::Missing(&expected));
    assert_in(
        &missing,
        &[
            "<h3>Why there is no such row</h3>",
            "<code>day</code> = <bdi>1300-01-01</bdi>",
            "The nearest statements:",
            "data/a.ttl:2</span>",
        ],
    );
    assert_in(&about(About::Missing(&[("none".to_owned(), String::new())])), &["no column `none`"]);
    assert_in(
        &asked(&pages, "ASK { <https://e.example/b> <https://e.example/founded> ?day }"),
        &["why-not=#why\">Why is there nothing?</a>"],
    );

    let values = [("town".to_owned(), "Avon".to_owned())];
    let view = Audience { language: "zh", ..english() };
    let page =
        pages.query("founded", &values, Some(About::Row(1)), &EvaluationOptions::default(), &view).unwrap().unwrap();
    assert_in(
        &html(page),
        &["<h3>为何有第 1 行</h3>", r#"href="../query/founded?town=Avon&amp;why=1#why""#, "缺一不可"],
    );
}
