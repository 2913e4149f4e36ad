//! The suite of the Graph Store Protocol, as far as it reads: what a case writes, the test writes into the file that is served, as the
//! protocol says, and every GET and HEAD goes through a socket.

use super::manifest::{MF, Suites, Test};
use super::protocol::{CNT, HT, send, text};
use crate::http::{Response, Served};
use crate::isomorphic::isomorphic;
use kgq_snapshot::store::{Input, ReadOptions, read};
use kgq_syntax::rdf::{GraphName, NamedNode, Quad, RdfFormat, Term};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the suite has its graph store.
const STORE: &str = "http://www.example/gsp";
/// How many cases there are.
const CASES: usize = 13;
/// How many requests of them read.
const READING: usize = 18;

pub fn trials(suites: &Arc<Suites>) -> Vec<Trial> {
    let manifests = ["direct", "indirect"]
        .map(|kind| suites.tests(&format!("sparql/sparql11/graph-store-protocol/manifest-{kind}.ttl")));
    let tests: Vec<Arc<Test>> = manifests.into_iter().flatten().map(Arc::new).collect();
    let reading = tests.iter().map(|test| requests(test).iter().filter(|request| is_reading(test, request)).count());
    let counted = (tests.len(), reading.sum::<usize>());
    let mut trials = vec![Trial::test("the suite of the Graph Store Protocol is whole", move || {
        if counted == (CASES, READING) { Ok(()) } else { Err(format!("{counted:?} cases, requests that read").into()) }
    })];
    for test in tests {
        let name = test.key.clone();
        trials.push(Trial::test(name, move || Ok(case(&test)?)).with_kind("Graph Store Protocol, reading"));
    }
    trials
}

fn requests(test: &Test) -> Vec<Term> {
    let requests = test.graph.object(&test.action, HT, "requests");
    requests.map(|list| test.graph.list(&list)).unwrap_or_default()
}

fn method(test: &Test, request: &Term) -> String {
    text(test.graph.object(request, HT, "methodName")).unwrap_or_default()
}

fn is_reading(test: &Test, request: &Term) -> bool {
    ["GET", "HEAD"].contains(&method(test, request).as_str())
}

/// The graphs that there are; the default one has no name.
type Graphs = BTreeMap<Option<String>, Vec<Quad>>;

fn case(test: &Test) -> Result<(), String> {
    let (mut graphs, mut location) = (Graphs::new(), String::new());
    for (number, request) in requests(test).into_iter().enumerate() {
        let path = text(test.graph.object(&request, HT, "absolutePath")).ok_or("no path")?;
        let path = path.replace("$LOCATION$", &location);
        if is_reading(test, &request) {
            reads(test, &request, &path, &graphs).map_err(|why| format!("{path}: {why}"))?;
            continue;
        }
        let name = match method(test, &request).as_str() {
            // A new graph, whose name the store chooses.
            "POST" if path == "/gsp" || path == "/gsp/" => {
                location = format!("{STORE}/new");
                Some(location.clone())
            }
            _ => named(&path),
        };
        match method(test, &request).as_str() {
            "DELETE" => drop(graphs.remove(&name)),
            "PUT" => drop(graphs.insert(name, body(test, &request, number)?)),
            "POST" => graphs.entry(name).or_default().extend(body(test, &request, number)?),
            other => return Err(format!("{other} is a method that this does not know")),
        }
    }
    Ok(())
}

/// The graph that a path means.
fn named(path: &str) -> Option<String> {
    match path.strip_prefix("/gsp").and_then(|rest| rest.strip_prefix('?')) {
        Some("default") => None,
        Some(query) => Some(decoded(query.trim_start_matches("graph="))),
        None => Some(format!("http://www.example{}", decoded(path))),
    }
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, more @ ..] = rest {
        let escaped = more.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let escaped = escaped.and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &more[2..] } else { more };
    }
    String::from_utf8(bytes).unwrap()
}

/// The triples that a request or a response has.
fn body(test: &Test, message: &Term, number: usize) -> Result<Vec<Quad>, String> {
    let body = test.graph.object(message, HT, "body").ok_or("no body")?;
    let chars = text(test.graph.object(&body, CNT, "chars")).ok_or("no characters")?;
    let chars = chars.trim_start();
    // A form of several parts has a line between them, with which it begins, and a blank one behind the headers of each.
    let Some(boundary) = chars.lines().next().filter(|line| line.starts_with("--")) else {
        return triples(chars.into(), number);
    };
    let parts =
        chars.split(boundary.trim_end()).filter_map(|part| part.split_once("\n\n").or(part.split_once("\r\n\r\n")));
    let mut all = Vec::new();
    for (at, (_, part)) in parts.enumerate() {
        all.extend(triples(part.into(), number + 100 * (at + 1))?);
    }
    Ok(all)
}

/// The triples of a text; its blank nodes are others than those of a text with another number.
fn triples(text: Vec<u8>, number: usize) -> Result<Vec<Quad>, String> {
    let input = Input::bytes("body.ttl", text, RdfFormat::Turtle);
    Ok(read(&input, number, ReadOptions::default()).map_err(|error| error.render(false))?.quads)
}

/// Serves the graphs as they are, and asks for one.
fn reads(test: &Test, request: &Term, path: &str, graphs: &Graphs) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for (name, quads) in graphs {
        for quad in quads {
            let mut quad = quad.clone();
            quad.graph_name = match name {
                Some(name) => NamedNode::new(name).map_err(|error| error.to_string())?.into(),
                None => GraphName::DefaultGraph,
            };
            lines.push_str(&format!("{quad} .\n"));
        }
    }
    std::fs::write(folder.path().join("data.nq"), lines).unwrap();
    let manifest = "name = \"store\"\nbase = \"http://www.example/\"\ndata = [\"*.nq\"]\n";
    std::fs::write(folder.path().join("kgq.toml"), manifest).unwrap();
    let served = Served::start(folder.path(), &[]);
    // Graphs are asked for at their own addresses, and by name at ours.
    let path = match path.strip_prefix("/gsp?") {
        Some(query) => format!("/graphs?{query}"),
        None => path.to_owned(),
    };
    let response = send(&served, test, request, &path)?;
    let expected = test.graph.object(request, HT, "resp").ok_or("no response is expected")?;
    let statuses: Vec<String> =
        test.graph.objects(&expected, MF, "expectedStatus").iter().map(super::manifest::local).collect();
    if !statuses.iter().any(|status| is_status(status, &response)) {
        return Err(format!("the status is {}, not one of {statuses:?}", response.status));
    }
    if method(test, request) == "HEAD" || test.graph.object(&expected, HT, "body").is_none() {
        return Ok(());
    }
    if response.header("content-type") != Some("text/turtle; charset=utf-8") {
        return Err(format!("the type is {:?}", response.header("content-type")));
    }
    isomorphic(&triples(response.body.clone(), 0)?, &body(test, &expected, 0)?)
}

fn is_status(name: &str, response: &Response) -> bool {
    match name {
        "OK" => response.status == 200,
        "NotFound" => response.status == 404,
        "StatusCode2xx" => response.status / 100 == 2,
        "StatusCode4xx" => response.status / 100 == 4,
        _ => false,
    }
}
