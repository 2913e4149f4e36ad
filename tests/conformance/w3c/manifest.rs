//! Reads the manifests of the W3C's test suites: the tests, and their inputs and results.

use kgq_snapshot::store::{Input, Parsed, ReadOptions, read};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Quad, RdfFormat, Term};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The address where the suites are published: relative file names are resolved against it.
const PUBLISHED: &str = "https://w3c.github.io/rdf-tests/";

pub const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
pub const QT: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#";
pub const UT: &str = "http://www.w3.org/2009/sparql/tests/test-update#";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// The folder of the suites.
pub struct Suites {
    root: PathBuf,
}

/// One test of a manifest.
pub struct Test {
    /// The manifest's folder and the test's own name: a unique key, as listed in `known.tsv`.
    pub key: String,
    /// The local name of its class.
    pub kind: String,
    pub subject: Term,
    pub action: Term,
    pub result: Option<Term>,
    /// Whether repeated rows may be left out.
    pub lax: bool,
    pub graph: Arc<Graph>,
}

/// The triples of a manifest by subject.
#[derive(Default)]
pub struct Graph(BTreeMap<String, Vec<(NamedNode, Term)>>);

impl Graph {
    pub fn new<'a>(quads: impl IntoIterator<Item = &'a Quad>) -> Self {
        let mut graph = Self::default();
        for quad in quads {
            let of = graph.0.entry(quad.subject.to_string()).or_default();
            of.push((quad.predicate.clone(), quad.object.clone()));
        }
        graph
    }

    pub fn objects(&self, subject: &Term, vocabulary: &str, property: &str) -> Vec<Term> {
        let property = format!("{vocabulary}{property}");
        let of = self.0.get(&subject.to_string()).into_iter().flatten();
        of.filter(|(p, _)| p.as_str() == property).map(|(_, o)| o.clone()).collect()
    }

    pub fn object(&self, subject: &Term, vocabulary: &str, property: &str) -> Option<Term> {
        self.objects(subject, vocabulary, property).into_iter().next()
    }

    pub fn list(&self, head: &Term) -> Vec<Term> {
        let mut items = Vec::new();
        let mut at = head.clone();
        while let Some(first) = self.object(&at, RDF, "first") {
            items.push(first);
            let Some(rest) = self.object(&at, RDF, "rest") else { break };
            at = rest;
        }
        items
    }
}

impl Suites {
    pub fn at(root: &Path) -> Self {
        Self { root: root.canonicalize().unwrap() }
    }

    /// The tests of a manifest and of those that it includes.
    pub fn tests(&self, name: &str) -> Vec<Test> {
        let iri = format!("{PUBLISHED}{name}");
        let quads = self.read(&iri, &iri).unwrap_or_else(|e| panic!("{name}: {e}")).quads;
        let graph = Arc::new(Graph::new(&quads));
        let mut tests = Vec::new();
        for quad in &quads {
            let property = quad.predicate.as_str();
            // The conformance manifests of SPARQL 1.1 include others by a property of their own.
            if [format!("{MF}include"), format!("{MF}conformanceRequirement")].iter().any(|p| p == property) {
                for included in graph.list(&quad.object) {
                    let Term::NamedNode(included) = included else { panic!("{name}: a manifest without a name") };
                    tests.extend(self.tests(included.as_str().strip_prefix(PUBLISHED).unwrap()));
                }
            }
            if property == format!("{MF}entries") {
                let folder = name.rsplit_once('/').unwrap().0;
                tests.extend(graph.list(&quad.object).iter().filter_map(|entry| Self::test(&graph, folder, entry)));
            }
        }
        tests
    }

    fn test(graph: &Arc<Graph>, folder: &str, entry: &Term) -> Option<Test> {
        let Term::NamedNode(iri) = entry else { panic!("{folder}: a test without a name") };
        let name = iri.as_str().rsplit(['#', '/']).next().unwrap();
        let rejected = graph.objects(entry, "http://www.w3.org/ns/rdftest#", "approval");
        if rejected.iter().any(|t| t.to_string().contains("Rejected")) {
            return None;
        }
        let kind = graph.object(entry, RDF, "type")?;
        Some(Test {
            key: format!("{folder}/{name}"),
            kind: local(&kind),
            subject: entry.clone(),
            // A case about service descriptions has no action: it is about the service itself.
            action: graph.object(entry, MF, "action").unwrap_or_else(|| entry.clone()),
            result: graph.object(entry, MF, "result"),
            lax: graph.object(entry, MF, "resultCardinality").is_some_and(|c| local(&c) == "LaxCardinality"),
            graph: Arc::clone(graph),
        })
    }

    /// The local file for an IRI of the published suites.
    pub fn path(&self, iri: &str) -> PathBuf {
        self.root.join(iri.strip_prefix(PUBLISHED).unwrap_or_else(|| panic!("{iri} is no file of the suites")))
    }

    pub fn text(&self, iri: &str) -> Vec<u8> {
        std::fs::read(self.path(iri)).unwrap_or_else(|e| panic!("{iri}: {e}"))
    }

    /// A file of the suites to read, its relative IRIs resolved against this base.
    pub fn input(&self, iri: &str, base: &str) -> Input {
        let path = self.path(iri);
        let format = RdfFormat::from_path(iri).unwrap_or(RdfFormat::Turtle);
        Input::file(iri, &path, Some(format)).unwrap().with_base(Some(base.to_owned()))
    }

    pub fn read(&self, iri: &str, base: &str) -> kgq_syntax::error::Result<Parsed> {
        read(&self.input(iri, base), 0, ReadOptions::default())
    }
}

pub fn local(term: &Term) -> String {
    term.to_string().trim_end_matches('>').rsplit(['#', '/']).next().unwrap().to_owned()
}

/// The IRI of a term; panics if it is not an IRI.
pub fn iri(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        other => panic!("{other} is no IRI"),
    }
}

pub fn subject_term(subject: &NamedOrBlankNode) -> Term {
    match subject {
        NamedOrBlankNode::NamedNode(node) => node.clone().into(),
        NamedOrBlankNode::BlankNode(node) => node.clone().into(),
    }
}
