//! Sites as `kgq publish` writes them: the same bytes from the same files, nothing executable in a page, no broken links,
//! descriptions that other tools can read.

use crate::program::copy_folder;
use html5ever::tokenizer::{BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tokenizer::{Tag, TagKind};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

mod data;
mod pages;
mod scripts;
mod served;
#[cfg(unix)]
mod whole;

/// A project with a class, a property and two things.
const SMALL: &str = "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX owl: <http://www.w3.org/2002/07/owl#> PREFIX : <https://e.example/>\n\
    :Town a owl:Class ; rdfs:subClassOf :Place .\n:Place a owl:Class .\n:twin a owl:ObjectProperty, owl:SymmetricProperty ; rdfs:range :Town .\n\
    :a a :Town ; rdfs:label \"A\"@en ; :twin :b .\n:b a :Place ; rdfs:label \"B, or \\\"bee\\\"\" .\n";

fn kgq(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kgq")).arg("-C").arg(folder).args(arguments).output().unwrap()
}

fn publish(project: &Path, site: &Path, more: &[&str]) -> String {
    let mut arguments = vec!["publish", "--output", site.to_str().unwrap()];
    arguments.extend(more);
    let run = kgq(project, &arguments);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{said}");
    said
}

/// A project of these files and a manifest with the base `https://e.example/`.
fn project(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("kgq.toml"), "name = \"x\"\nbase = \"https://e.example/\"\n").unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, out);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                out.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(root, root, &mut out);
    out
}

/// The start tags of a page, and the texts of its scripts, as a browser's tokenizer reads them.
#[derive(Default)]
struct Page {
    tags: RefCell<Vec<Tag>>,
    script: RefCell<Option<String>>,
    scripts: RefCell<Vec<String>>,
}

impl TokenSink for Page {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let script = &*tag.name == "script";
                self.tags.borrow_mut().push(tag);
                if script {
                    *self.script.borrow_mut() = Some(String::new());
                    return TokenSinkResult::RawData(html5ever::tokenizer::states::RawKind::ScriptData);
                }
            }
            Token::TagToken(tag) if &*tag.name == "script" => {
                self.scripts.borrow_mut().extend(self.script.take());
            }
            Token::CharacterTokens(text) => {
                if let Some(script) = self.script.borrow_mut().as_mut() {
                    script.push_str(&text);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn parse(html: &[u8]) -> Page {
    let queue = BufferQueue::default();
    queue.push_back(std::str::from_utf8(html).unwrap().into());
    let tokenizer = Tokenizer::new(Page::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    tokenizer.sink
}

fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    tag.attrs.iter().find(|a| &*a.name.local == name).map(|a| &*a.value)
}

/// Checks that a page runs only the site's own scripts, and links only to the web, mailboxes and the site.
fn assert_harmless(path: &str, html: &[u8]) {
    assert_harmless_page(path, &parse(html));
}

fn assert_harmless_page(path: &str, page: &Page) {
    let tags = page.tags.borrow();
    let first = tags.iter().position(|t| &*t.name == "meta" && attribute(t, "http-equiv").is_some()).unwrap();
    let policy = attribute(&tags[first], "content").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
    assert!(
        tags[..first].iter().all(|t| ["html", "head", "meta"].contains(&&*t.name)),
        "{path}: the policy comes late"
    );
    for tag in tags.iter() {
        let name = &*tag.name;
        let bad = ["iframe", "object", "embed", "base", "foreignobject", "animate", "set", "style", "use", "math"];
        assert!(!bad.contains(&name), "{path} has <{name}>");
        // A page from a server may have forms, which go to the server itself.
        assert!(name != "form" || policy.contains("form-action 'self'"), "{path} has a form");
        for found in &tag.attrs {
            let (key, value) = (&*found.name.local, &*found.value);
            assert!(!key.starts_with("on") && key != "style" && key != "srcdoc", "{path}: {key}={value}");
            if ["href", "src", "action", "xlink:href"].contains(&key) {
                let lower = value.trim().to_ascii_lowercase();
                let scheme = lower.split(['/', '#', '?']).next().unwrap_or_default().contains(':');
                let web = ["http://", "https://", "mailto:"].iter().any(|s| lower.starts_with(s));
                assert!(!scheme || web, "{path}: {key}={value}");
                assert!(!lower.starts_with("//"), "{path}: {key}={value}");
            }
        }
        if name == "script" {
            let data = attribute(tag, "type") == Some("application/ld+json");
            let own = attribute(tag, "src")
                .is_some_and(|src| src.trim_start_matches("../").trim_start_matches('/').starts_with("assets/"));
            assert!(data || own, "{path}: a script that is neither data nor the site's own");
        }
    }
    for script in page.scripts.borrow().iter().filter(|s| !s.is_empty()) {
        serde_json::from_str::<serde_json::Value>(script).unwrap_or_else(|e| panic!("{path}: {e}: {script}"));
    }
}

fn quads(bytes: &[u8], format: RdfFormat) -> Vec<oxrdf::Quad> {
    let parser = RdfParser::from_format(format).with_base_iri("https://e.example/").unwrap();
    parser
        .for_slice(bytes)
        .map(|quad| quad.unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(bytes))))
        .collect()
}

/// One test, because publishing takes longer than everything that is looked at in the site. `KGQ_PAGES` compares that many pages
/// with those that a server makes: up to 100 of a part of the graph, more of all of it.
#[test]
fn the_pages_of_the_shipped_graph_are_harmless_linked_and_made_alone_as_published() {
    let pages = crate::updates::number("KGQ_PAGES", 100) as usize;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
    let part = (pages <= 100).then(|| part_of(shipped));
    let (root, there) = part.as_ref().map_or((shipped, 2000), |part| (part.path(), 700));
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("site");
    publish(root, &site, &[]);
    let one = files(&site);
    // Of a sample, each so many-th page is looked at; at full counts all are, and the site is made twice.
    let step = (there / pages).max(1);
    if step == 1 {
        assert_unchanged(root, &site, &one);
    }

    let mut folded = BTreeSet::new();
    for path in one.keys() {
        assert!(folded.insert(path.to_lowercase()), "{path} collides where case does not count");
    }
    for (path, bytes) in one.iter().filter(|(path, _)| path.ends_with(".html")).step_by(step) {
        let page = parse(bytes);
        assert_harmless_page(path, &page);
        assert_links_lead_somewhere(path, &page, &one);
    }
    assert_descriptions_are_valid(&one);
    for (path, bytes) in one.iter().step_by(step) {
        match path.rsplit('.').next() {
            Some("ttl") => drop(quads(bytes, RdfFormat::Turtle)),
            Some("nt") => drop(quads(bytes, RdfFormat::NTriples)),
            Some("jsonld") => drop(quads(bytes, RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() })),
            _ => {}
        }
    }
    assert!(served::assert_as_published(root, &one, "en", step) > pages);
}

/// A project like this one with the data on documents, events, people, organisations and times. Most of the other data are statements and citations,
/// thousands of pages that look alike.
fn part_of(whole: &Path) -> TempDir {
    let part = tempfile::tempdir().unwrap();
    for folder in ["ontology", "queries"] {
        copy_folder(&whole.join(folder), &part.path().join(folder));
    }
    fs::copy(whole.join("kgq.toml"), part.path().join("kgq.toml")).unwrap();
    fs::create_dir(part.path().join("data")).unwrap();
    for name in ["cohorts", "documents", "events", "officials", "organisations", "questions", "sources", "times"] {
        let file = format!("data/{name}.ttl");
        fs::copy(whole.join(&file), part.path().join(&file)).unwrap();
    }
    part
}

/// Publishes once more: an existing file is rewritten unless it has the same bytes.
fn assert_unchanged(root: &Path, site: &Path, one: &BTreeMap<String, Vec<u8>>) {
    let said = publish(root, site, &[]);
    assert!(said.contains(": 0 files written, ") && said.contains(" 0 removed"), "{said}");
    assert!(*one == files(site), "the second run gave other bytes");
}

#[test]
fn a_small_project_gives_the_same_site_twice() {
    let project = project(&[("data/a.ttl", SMALL)]);
    let site = project.path().join("site");
    publish(project.path(), &site, &[]);
    assert_unchanged(project.path(), &site, &files(&site));
}

fn assert_links_lead_somewhere(path: &str, page: &Page, site: &BTreeMap<String, Vec<u8>>) {
    let tags = page.tags.borrow();
    let ids: BTreeSet<&str> = tags.iter().filter_map(|t| attribute(t, "id")).collect();
    for link in tags.iter().filter_map(|t| attribute(t, "href").or_else(|| attribute(t, "src"))) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
        if file.is_empty() {
            assert!(fragment.is_empty() || ids.contains(fragment), "{path}: #{fragment}");
            continue;
        }
        let mut parts: Vec<&str> = path.split('/').collect();
        parts.pop();
        // The page for missing addresses is shown at any address, so its links start at the root.
        let from_root = file.strip_prefix('/').filter(|_| path == "404.html");
        for part in from_root.unwrap_or(file).split('/') {
            if part == ".." {
                parts.pop().expect("no link leads out of the site");
            } else {
                parts.push(part);
            }
        }
        assert!(site.contains_key(&parts.join("/")), "{path}: {link}");
    }
}

fn assert_descriptions_are_valid(site: &BTreeMap<String, Vec<u8>>) {
    use oxrdf::Term;
    use sha2::{Digest, Sha256};
    let graph = |path: &str| quads(&site[path], RdfFormat::Turtle);
    let objects = |graph: &[oxrdf::Quad], predicate: &str| -> Vec<Term> {
        graph.iter().filter(|q| q.predicate.as_str() == predicate).map(|q| q.object.clone()).collect()
    };
    let text = |term: &Term| match term {
        Term::Literal(literal) => literal.value().to_owned(),
        Term::NamedNode(node) => node.as_str().to_owned(),
        other => panic!("{other}"),
    };
    let dump = quads(&site["dump/opening-up.nq"], RdfFormat::NQuads);
    for (path, format) in [("dump/opening-up.trig", RdfFormat::TriG), ("dump/opening-up.ttl", RdfFormat::Turtle)] {
        assert_eq!(quads(&site[path], format).len(), dump.len(), "{path}");
    }
    let json = quads(&site["dump/opening-up.jsonld"], RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() });
    let xml = quads(&site["dump/opening-up.rdf"], RdfFormat::RdfXml);
    assert_eq!((json.len(), xml.iter().any(|q| q.object.is_triple())), (xml.len(), false), "both are of RDF 1.1");
    assert!(site["dump/opening-up.nq"].split(|b| *b == b'\n').is_sorted_by(|a, b| b.is_empty() || a <= b));

    let void = graph("void.ttl");
    let whole =
        void.iter().find(|q| q.predicate.as_str() == "http://rdfs.org/ns/void#triples" && q.subject.is_named_node());
    assert_eq!(text(&whole.unwrap().object), dump.len().to_string());
    let parts: u64 = void
        .iter()
        .filter(|q| q.predicate.as_str() == "http://rdfs.org/ns/void#triples" && q.subject.is_blank_node())
        .map(|q| text(&q.object).parse::<u64>().unwrap())
        .sum();
    assert_eq!(parts, dump.len() as u64, "the partitions by property add up to the whole");

    let dcat = graph("catalog.ttl");
    let distributions = objects(&dcat, "http://www.w3.org/ns/dcat#distribution");
    assert_eq!(distributions.len(), 20, "five formats, compressed or not, of what is stated and of what follows");
    for distribution in distributions {
        let of = |subject: &Term, predicate: &str| {
            let found =
                dcat.iter().find(|q| Term::from(q.subject.clone()) == *subject && q.predicate.as_str() == predicate);
            found.unwrap_or_else(|| panic!("{subject} has no {predicate}")).object.clone()
        };
        let url = text(&of(&distribution, "http://www.w3.org/ns/dcat#downloadURL"));
        let bytes = &site[url.strip_prefix("https://opening-up.example/").unwrap()];
        assert_eq!(text(&of(&distribution, "http://www.w3.org/ns/dcat#byteSize")), bytes.len().to_string());
        let checksum = of(&distribution, "http://spdx.org/rdf/terms#checksum");
        let hash: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(text(&of(&checksum, "http://spdx.org/rdf/terms#checksumValue")), hash, "{url}");
    }

    let executables = graph("queries.ttl");
    for select in objects(&executables, "http://www.w3.org/ns/shacl#select") {
        let text = text(&select);
        spargebra::SparqlParser::new().parse_query(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    }
    assert!(!graph("service.ttl").is_empty());
    let search = String::from_utf8(site["assets/search-data.js"].clone()).unwrap();
    let data = search.strip_prefix("kgqSearch(").and_then(|s| s.strip_suffix(");\n")).unwrap();
    serde_json::from_str::<serde_json::Value>(data).unwrap();
    assert!(search.contains("商务部") && search.contains("Ministry of Commerce"));
}

#[test]
fn five_hundred_hostile_labels_leave_nothing_that_runs() {
    let attacks = [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</title><svg onload=alert(1)>",
        "--><script>alert(1)</script>",
        "]]><script>alert(1)</script>",
        "javascript:alert(1)",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#60;script&#62;alert(1)",
        "\\u003cscript\\u003ealert(1)",
        "<base href=//evil.example/>",
        "<meta http-equiv=refresh content=0;url=//evil.example>",
        "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
        "<iframe srcdoc=\"<script>alert(1)</script>\">",
        "\u{202e}</h1><style>*{display:none}</style>",
        "\u{2028}</script>\u{2029}alert(1)//",
        "${alert(1)} {{alert(1)}} `alert(1)`",
        "<!--<script>",
        "<math><mi xlink:href=javascript:alert(1)>",
    ];
    let mut data = String::from(
        "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> PREFIX owl: <http://www.w3.org/2002/07/owl#>\n",
    );
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    for number in 0..500 {
        let attack = escape(attacks[number % attacks.len()]);
        data.push_str(&format!(
            "<https://e.example/t{number}> a <https://e.example/o#C{}> ; rdfs:label \"{attack} {number}\", \"{attack}\"@zh ; rdfs:comment \"{attack}\" ;\n\
             rdfs:seeAlso <javascript:alert({number})>, <data:text/html,x{number}>, <vbscript:x>, <https://ok.example/{number}>, \"javascript:alert(1)\"^^xsd:anyURI, \"https://e/\\\"onclick=x\"^^xsd:anyURI ;\n\
             <https://e.example/o#p> \"2024\\\" onload=\\\"x\"^^xsd:date, \"{attack}\"^^<https://e.example/o#T>, [ rdfs:label \"{attack}\" ], ( \"{attack}\" ) , <https://e.example/t{}> {{| rdfs:comment \"{attack}\" |}} .\n",
            number % 5,
            (number + 1) % 500,
        ));
    }
    for (class, attack) in attacks.iter().take(5).enumerate() {
        let attack = escape(attack);
        data.push_str(&format!("<https://e.example/o#C{class}> a owl:Class ; rdfs:label \"{attack}\" .\n"));
    }
    data.push_str("<https://e.example/o#p> a owl:ObjectProperty ; rdfs:label \"</dt><script>alert(1)</script>\" ; rdfs:domain <https://e.example/o#C1> ; rdfs:range <https://e.example/o#C2> .\n");
    data.push_str("<https://e.example/o#T> a rdfs:Datatype .\n<https://e.example/o> a owl:Ontology ; rdfs:label \"</title><script>alert(1)</script>\" .\n");
    let query = "#+ title: \"</h1><script>alert(1)</script>\"\n#+ question: \"<img src=x onerror=alert(1)>\"\n#+ view: graph\n#+ columns: {l: \"<script>alert(1)</script>\"}\nSELECT ?s ?l { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?l . FILTER(?l != \"</code><script>alert(1)</script>\") } ORDER BY ?s ?l";
    let project = project(&[("data/a.ttl", &data), ("queries/q.rq", query)]);
    fs::write(
        project.path().join("kgq.toml"),
        "name = \"x\"\ntitle = \"</title><script>alert(1)</script>\"\nbase = \"https://e.example/\"\n",
    )
    .unwrap();
    let site = project.path().join("site");
    publish(project.path(), &site, &[]);
    let files = files(&site);
    let pages: Vec<_> = files.iter().filter(|(path, _)| path.ends_with(".html")).collect();
    assert!(pages.len() > 500);
    for (path, bytes) in pages {
        assert_harmless(path, bytes);
    }
    let search = String::from_utf8(files["assets/search-data.js"].clone()).unwrap();
    let data = search.strip_prefix("kgqSearch(").and_then(|s| s.strip_suffix(");\n")).unwrap();
    serde_json::from_str::<serde_json::Value>(data).unwrap();
    assert!(!data.contains(['\u{2028}', '\u{2029}']));
}

#[test]
fn to_a_strict_publish_a_statement_about_something_unknown_is_a_broken_link_and_names_itself() {
    let project = project(&[("data/a.ttl", "<https://e.example/a> <http://p/q> <https://e.example/gone> .")]);
    let site = project.path().join("site");
    let run = kgq(project.path(), &["publish", "--strict", "--output", site.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("`<https://e.example/a> <http://p/q> <https://e.example/gone>`"), "{said}");
    assert!(!site.exists());
}

#[test]
fn a_second_run_writes_only_what_changed_and_removes_what_is_gone() {
    let label = "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n";
    let both = format!("{label}<https://e.example/a> rdfs:label \"A\" . <https://e.example/b> rdfs:label \"B\" .");
    let project = project(&[("data/a.ttl", &both)]);
    let site = project.path().join("site");
    publish(project.path(), &site, &[]);
    let before = fs::metadata(site.join("a.html")).unwrap().modified().unwrap();
    fs::write(project.path().join("data/a.ttl"), format!("{label}<https://e.example/a> rdfs:label \"A\" .")).unwrap();
    let said = publish(project.path(), &site, &[]);
    assert!(said.contains(" 4 removed"), "{said}");
    assert!(!site.join("b.html").exists());
    assert_eq!(fs::metadata(site.join("a.html")).unwrap().modified().unwrap(), before);
}

#[test]
fn a_folder_that_kgq_did_not_make_is_refused() {
    let project = project(&[("data/a.ttl", "<https://e.example/a> a <http://c/C> .")]);
    let run = kgq(project.path(), &["publish", "--output", project.path().to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(6), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(!project.path().join("index.html").exists());
}

#[test]
fn a_rebased_graph_has_its_new_iris_everywhere_and_pages_can_stand_elsewhere() {
    let project = project(&[
        (
            "data/a.ttl",
            "<https://e.example/a> a <https://e.example/C> . <https://e.example/C> a <http://www.w3.org/2002/07/owl#Class> .",
        ),
        ("queries/q.rq", "SELECT ?s { ?s a <https://e.example/C> }"),
    ]);
    let site = project.path().join("site");
    publish(
        project.path(),
        &site,
        &["--rebase", "https://e.example/=https://w3id.org/x/", "--base-url", "https://host.example/pages/"],
    );
    for (path, bytes) in files(&site).iter().filter(|(path, _)| !path.ends_with(".gz")) {
        assert!(!String::from_utf8_lossy(bytes).contains("https://e.example"), "{path}");
    }
    let page = fs::read_to_string(site.join("a.html")).unwrap();
    assert!(page.contains("<link rel=\"canonical\" href=\"https://host.example/pages/a.html\">"), "{page}");
    assert!(page.contains("https://w3id.org/x/a"));
    assert!(fs::read_to_string(site.join("query/q.html")).unwrap().contains("../a.html"));
}
