//! The suites of the SPARQL Protocol and of service descriptions: every case goes through a socket to `kgq serve`, with the bytes
//! that the manifest gives. Cases that write do so through the files of a project, with a token.

use super::manifest::{MF, Suites, Test, UT, local};
use crate::http::{Response, Served};
use kgq_snapshot::store::{Input, ReadOptions, read};
use kgq_syntax::rdf::{RdfFormat, Term};
use libtest_mimic::Trial;
use std::path::Path;
use std::sync::Arc;

pub const HT: &str = "http://www.w3.org/2011/http#";
pub const CNT: &str = "http://www.w3.org/2011/content#";
const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";

/// The number of Protocol cases that send a query.
const QUERIES: usize = 20;
/// The number of those that send updates.
const UPDATES: usize = 14;
/// The number of cases about service descriptions.
const DESCRIPTIONS: usize = 3;

pub fn trials(root: &Path) -> Vec<Trial> {
    let suites = Arc::new(Suites::at(root));
    let tests: Vec<Arc<Test>> =
        suites.tests("sparql/sparql11/protocol/manifest.ttl").into_iter().map(Arc::new).collect();
    let updates = tests.iter().filter(|test| is_update(test)).count();
    let described: Vec<Test> = suites.tests("sparql/sparql11/service-description/manifest.ttl");
    let counted = (tests.len() - updates, updates, described.len());
    let mut trials = vec![Trial::test("the suites of protocols are whole", move || {
        if counted == (QUERIES, UPDATES, DESCRIPTIONS) { Ok(()) } else { Err(format!("{counted:?} cases").into()) }
    })];
    for test in tests {
        let suites = Arc::clone(&suites);
        let name = test.key.clone();
        trials.push(Trial::test(name, move || Ok(protocol(&suites, &test)?)).with_kind("SPARQL 1.1 Protocol"));
    }
    trials.extend(super::graph_store::trials(&suites));
    for test in described {
        let name = test.key.clone();
        trials.push(Trial::test(name, move || Ok(description(&test.key)?)).with_kind("Service Description"));
    }
    trials
}

fn is_update(test: &Test) -> bool {
    test.key.contains("update")
}

/// The header that lets the client write.
pub const TOKEN: (&str, &str) = ("Authorization", "Bearer abc");

/// A server that keeps its graphs in the file of a project, whose base is this.
pub fn writable(base: Option<&str>) -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let base = base.map(|base| format!("base = \"{base}\"\n")).unwrap_or_default();
    let manifest = format!("name = \"store\"\n{base}data = [\"*.trig\"]\n[edit]\nfile = \"data.trig\"\n");
    std::fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("data.trig"), "").unwrap();
    // The hash of `abc`.
    let token = "suite write ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    std::fs::write(folder.path().join("tokens"), token).unwrap();
    let served = Served::start(folder.path(), &["--writable", "--tokens", "tokens"]);
    (folder, served)
}

/// A server of the graphs that the case names.
fn served(suites: &Suites, test: &Test) -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let mut quads = String::new();
    for data in test.graph.objects(&test.subject, UT, "graphData") {
        let Some(Term::NamedNode(file)) = test.graph.object(&data, UT, "graph") else {
            panic!("{}: no graph", test.key)
        };
        let Some(Term::Literal(name)) = test.graph.object(&data, RDFS, "label") else {
            panic!("{}: no name", test.key)
        };
        let text = String::from_utf8(suites.text(file.as_str())).unwrap();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            quads.push_str(&format!("{} <{}> .\n", line.trim_end().trim_end_matches('.'), name.value()));
        }
    }
    std::fs::write(folder.path().join("data.nq"), quads).unwrap();
    let served = Served::start(folder.path(), &["-d", "data.nq"]);
    (folder, served)
}

fn protocol(suites: &Suites, test: &Test) -> Result<(), String> {
    let (_folder, served) = if is_update(test) { writable(None) } else { served(suites, test) };
    let requests = test.graph.object(&test.action, HT, "requests").ok_or("no requests")?;
    let requests = test.graph.list(&requests);
    if requests.is_empty() {
        return Err("no request".into());
    }
    for request in requests {
        let path = text(test.graph.object(&request, HT, "absolutePath")).ok_or("no path")?;
        let response = send(&served, test, &request, &path)?;
        let expected = test.graph.object(&request, HT, "resp").ok_or("no response is expected")?;
        compare(test, &expected, &response)?;
    }
    Ok(())
}

pub fn text(term: Option<Term>) -> Option<String> {
    match term? {
        Term::Literal(literal) => Some(literal.value().to_owned()),
        _ => None,
    }
}

/// Sends a request of a manifest to this path.
pub fn send(served: &Served, test: &Test, request: &Term, path: &str) -> Result<Response, String> {
    let value = |property| text(test.graph.object(request, HT, property));
    let method = value("methodName").ok_or("no method")?;
    let mut headers = Vec::new();
    for header in test.graph.object(request, HT, "headers").map(|list| test.graph.list(&list)).unwrap_or_default() {
        let field = |property| text(test.graph.object(&header, HT, property)).unwrap_or_default();
        headers.push((field("fieldName"), field("fieldValue")));
    }
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<(&str, &str)> = headers.chain([TOKEN]).collect();
    let body = test.graph.object(request, HT, "body");
    let chars = body.as_ref().and_then(|body| text(test.graph.object(body, CNT, "chars"))).unwrap_or_default();
    let encoding = body.as_ref().and_then(|body| text(test.graph.object(body, CNT, "characterEncoding")));
    let bytes = match encoding.as_deref() {
        Some("UTF-16") => chars.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => chars.into_bytes(),
    };
    Ok(served.request_with_body(&method, path, &headers, &bytes))
}

fn compare(test: &Test, expected: &Term, response: &Response) -> Result<(), String> {
    let class = format!("StatusCode{}xx", response.status / 100);
    let classes: Vec<String> = test.graph.objects(expected, MF, "expectedStatus").iter().map(local).collect();
    if !classes.contains(&class) {
        return Err(format!("the status is {}, not one of {classes:?}: {}", response.status, response.text()));
    }
    let media_type = response.header("content-type").unwrap_or_default();
    match text(test.graph.object(expected, MF, "expectedFormat")).as_deref() {
        Some("boolean" | "tabular") if media_type != "application/sparql-results+json" => {
            return Err(format!("the type is {media_type}"));
        }
        Some("RDF") => {
            RdfFormat::from_name(media_type.split(';').next().unwrap_or_default())
                .ok_or_else(|| format!("{media_type} is no type of RDF"))?;
        }
        _ => {}
    }
    if let Some(truth) = text(test.graph.object(expected, MF, "expectedBoolean")) {
        let given = response.json()["boolean"].to_string();
        if given != truth {
            return Err(format!("the answer is {given}"));
        }
    }
    Ok(())
}

/// Checks a description: it must be RDF about the requested endpoint, with classes and properties of its vocabulary.
fn description(case: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.trig"), "<http://e/g> { <http://e/a> <http://e/p> 1 }").unwrap();
    let served = Served::start(folder.path(), &["-d", "a.trig"]);
    let response = served.get("/sparql", "text/turtle, application/rdf+xml;q=0.9");
    let input = Input::bytes("description.ttl", response.body.clone(), RdfFormat::Turtle);
    let quads = read(&input, 0, ReadOptions::default()).map_err(|error| error.to_string())?.quads;
    let sd = "http://www.w3.org/ns/sparql-service-description#";
    match case.rsplit('/').next() {
        Some("returns-rdf") if response.status == 200 && !quads.is_empty() => Ok(()),
        Some("has-endpoint-triple") => {
            let endpoint = format!("<http://{}/sparql>", served.address);
            let is = |quad: &&kgq_syntax::rdf::Quad| quad.predicate.as_str() == format!("{sd}endpoint");
            let found = quads.iter().find(is).ok_or("there is no endpoint")?;
            if found.object.to_string() == endpoint { Ok(()) } else { Err(found.to_string()) }
        }
        Some("conforms-to-schema") => {
            let known = [
                "Service",
                "Dataset",
                "Graph",
                "NamedGraph",
                "endpoint",
                "supportedLanguage",
                "resultFormat",
                "defaultDataset",
                "defaultGraph",
                "namedGraph",
                "name",
                "feature",
            ];
            let names = quads.iter().flat_map(|quad| [quad.predicate.as_str().to_owned(), quad.object.to_string()]);
            let own = names.filter_map(|name| Some(name.trim_matches(['<', '>']).strip_prefix(sd)?.to_owned()));
            let languages = ["SPARQL10Query", "SPARQL11Query"];
            let strange: Vec<String> =
                own.filter(|name| !known.contains(&name.as_str()) && !languages.contains(&name.as_str())).collect();
            if strange.is_empty() { Ok(()) } else { Err(format!("{strange:?} are not in the vocabulary")) }
        }
        other => Err(format!("{other:?} is a case that this does not know")),
    }
}
