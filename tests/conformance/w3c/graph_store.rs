//! The suite of the Graph Store Protocol: every request goes through a socket to a server that keeps its graphs in a file. At the
//! end of a case, a newly started server must give the same answer to the last read.

use super::manifest::{MF, Suites, Test};
use super::protocol::{CNT, HT, send, text, writable};
use crate::http::{Response, Served};
use crate::isomorphic::isomorphic;
use kgq_snapshot::store::{Input, ReadOptions, read};
use kgq_syntax::rdf::{Quad, RdfFormat, Term};
use libtest_mimic::Trial;
use std::sync::Arc;

/// The base of the suite's graphs.
const BASE: &str = "http://www.example/";
/// The number of cases.
const CASES: usize = 13;
/// The number of their requests that read.
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
        trials.push(Trial::test(name, move || Ok(case(&test)?)).with_kind("Graph Store Protocol"));
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

fn case(test: &Test) -> Result<(), String> {
    let (folder, served) = writable(Some(BASE));
    let mut location = String::new();
    let mut last = None;
    for (number, request) in requests(test).into_iter().enumerate() {
        let path = text(test.graph.object(&request, HT, "absolutePath")).ok_or("no path")?;
        let path = address(&path.replace("$LOCATION$", &location));
        let response = sent(test, &request, &path, &served).map_err(|why| format!("{number}: {path}: {why}"))?;
        location = response.header("location").map_or(location, str::to_owned);
        if is_reading(test, &request) {
            last = Some((request, path));
        }
    }
    drop(served);
    let again = Served::start(folder.path(), &[]);
    last.map_or(Ok(()), |(request, path)| sent(test, &request, &path, &again).map(drop))
}

/// Our address for a path of the suite: graphs by IRI at their own addresses, the graph store at ours.
fn address(path: &str) -> String {
    match path.strip_prefix("/gsp") {
        Some("" | "/") => "/graphs".to_owned(),
        Some(rest) if rest.starts_with('?') => format!("/graphs{rest}"),
        _ => path.to_owned(),
    }
}

/// The triples in the body of a message.
fn body(test: &Test, message: &Term) -> Result<Vec<Quad>, String> {
    let body = test.graph.object(message, HT, "body").ok_or("no body")?;
    triples(text(test.graph.object(&body, CNT, "chars")).ok_or("no characters")?.into())
}

fn triples(text: Vec<u8>) -> Result<Vec<Quad>, String> {
    let input = Input::bytes("body.ttl", text, RdfFormat::Turtle);
    Ok(read(&input, 0, ReadOptions::default()).map_err(|error| error.render(false))?.quads)
}

/// Sends a request, and compares the response with the expected one.
fn sent(test: &Test, request: &Term, path: &str, served: &Served) -> Result<Response, String> {
    let response = send(served, test, request, path)?;
    let expected = test.graph.object(request, HT, "resp").ok_or("no response is expected")?;
    let statuses: Vec<String> =
        test.graph.objects(&expected, MF, "expectedStatus").iter().map(super::manifest::local).collect();
    if !statuses.iter().any(|status| is_status(status, &response)) {
        return Err(format!("the status is {}, not one of {statuses:?}: {}", response.status, response.text()));
    }
    if method(test, request) == "HEAD" || test.graph.object(&expected, HT, "body").is_none() {
        return Ok(response);
    }
    if response.header("content-type") != Some("text/turtle; charset=utf-8") {
        return Err(format!("the type is {:?}", response.header("content-type")));
    }
    isomorphic(&triples(response.body.clone())?, &body(test, &expected)?)?;
    Ok(response)
}

fn is_status(name: &str, response: &Response) -> bool {
    match name {
        "OK" => response.status == 200,
        "Created" => response.status == 201,
        "NoContent" => response.status == 204,
        "NotFound" => response.status == 404,
        "StatusCode2xx" => response.status / 100 == 2,
        "StatusCode4xx" => response.status / 100 == 4,
        _ => false,
    }
}
