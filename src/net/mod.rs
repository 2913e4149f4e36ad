//! Outgoing HTTP (feature `net`): for SERVICE, and for data that are named by an address. Only hosts that kgq.toml names are asked, at
//! addresses that were looked up once and checked; redirects are refused, bodies and times are bounded.

mod hosts;

use hosts::{Checked, Hosts, Refused};
use kgq_engine::{Row, ServiceQuery, Services};
use kgq_graph::graph::{Fetched, Network};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{BlankNode, NamedNode, NamedOrBlankNode, Term, Triple, Variable};
use rustc_hash::FxHashMap;
use sparesults::{QueryResultsFormat, QueryResultsParser, ReaderQueryResultsParserOutput};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Response;
use ureq::http::header::{CONTENT_TYPE, LOCATION};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};

/// How long one request takes at most, where no shorter time is asked for.
const LONGEST: Duration = Duration::from_secs(60);
/// How long the answer of another endpoint may be.
const LONGEST_ANSWER: u64 = 64 << 20;
/// How long a document may be.
const LONGEST_DOCUMENT: u64 = 512 << 20;
/// The formats of tables that are read.
const TABLES: &str = "application/sparql-results+json, application/sparql-results+xml;q=0.9";
/// The formats of graphs that are read.
const GRAPHS: &str = "text/turtle, application/n-triples;q=0.9, application/trig;q=0.9, application/n-quads;q=0.9, \
                      application/rdf+xml;q=0.8, application/ld+json;q=0.7";

/// Asks other machines.
#[derive(Debug)]
pub struct Web;

impl Network for Web {
    fn services(&self, hosts: &[String], time: Option<Duration>) -> Arc<dyn Services> {
        Arc::new(Remote(Asker::new(hosts, time)))
    }

    fn fetch(&self, address: &str, hosts: &[String], time: Option<Duration>) -> Result<Fetched> {
        let asker = Asker::new(hosts, time);
        asker.hosts.check(address)?;
        let response = asker.agent.get(address).header("Accept", GRAPHS).call();
        let response = asker.answered(address, response)?;
        let media_type = media_type(&response);
        let mut bytes = Vec::new();
        let mut body = response.into_body().into_with_config().limit(LONGEST_DOCUMENT).reader();
        body.read_to_end(&mut bytes).map_err(|error| failed(address, &error.to_string()))?;
        Ok(Fetched { bytes, media_type })
    }
}

/// Who asks these hosts.
#[derive(Debug)]
struct Asker {
    agent: Agent,
    hosts: Arc<Hosts>,
}

impl Asker {
    fn new(hosts: &[String], time: Option<Duration>) -> Self {
        let hosts = Arc::new(Hosts::new(hosts));
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(time.map_or(LONGEST, |time| time.min(LONGEST))))
            .user_agent(concat!("kgq/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Checked::new(Arc::clone(&hosts)));
        Self { agent, hosts }
    }

    /// The response, if it is an answer.
    fn answered(&self, address: &str, response: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>> {
        let response = response.map_err(|error| match error {
            ureq::Error::Other(inner) if inner.is::<Refused>() => {
                Error::policy(format!("{address} is not asked: {inner}"))
                    .hint("an address that is not on the public internet is named by itself below `[net]`")
            }
            other => failed(address, &other.to_string()),
        })?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("another address");
            return Err(Error::policy(format!("{address} leads to {to}, and no redirection is followed"))
                .hint("name the last address itself"));
        }
        if !status.is_success() {
            return Err(failed(address, &format!("it answers with {status}")));
        }
        Ok(response)
    }
}

fn failed(address: &str, why: &str) -> Error {
    Error::input(format!("{address} gives no answer: {why}"))
}

fn media_type(response: &Response<Body>) -> Option<String> {
    let value = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
}

/// Answers SERVICE by asking endpoints, by the SPARQL 1.1 Protocol.
#[derive(Debug)]
struct Remote(Asker);

impl Services for Remote {
    fn select(&self, endpoint: &NamedNode, query: &ServiceQuery) -> Result<(Vec<Variable>, Vec<Row>)> {
        let address = endpoint.as_str();
        self.0.hosts.check(address)?;
        let asked = self.0.agent.post(address).header("Accept", TABLES).send_form([("query", query.to_string())]);
        let response = self.0.answered(address, asked)?;
        let media_type = media_type(&response).unwrap_or_default();
        let format = QueryResultsFormat::from_media_type(&media_type)
            .ok_or_else(|| failed(address, &format!("`{media_type}` is no format of rows")))?;
        let body = response.into_body().into_with_config().limit(LONGEST_ANSWER).reader();
        rows(QueryResultsParser::from_format(format), body).map_err(|why| failed(address, &why))
    }
}

fn rows(parser: QueryResultsParser, body: impl Read) -> Result<(Vec<Variable>, Vec<Row>), String> {
    let parsed = parser.for_reader(body).map_err(|error| error.to_string())?;
    let ReaderQueryResultsParserOutput::Solutions(solutions) = parsed else {
        return Err("it answers with no rows".into());
    };
    let variables = solutions.variables().to_vec();
    let mut blank = FxHashMap::default();
    let mut rows = Vec::new();
    for solution in solutions {
        let solution = solution.map_err(|error| error.to_string())?;
        rows.push(solution.values().iter().map(|term| Some(own(term.clone()?, &mut blank))).collect());
    }
    Ok((variables, rows))
}

/// The term; a blank node is one of its own, whatever nodes of the graph are called.
fn own(term: Term, blank: &mut FxHashMap<BlankNode, BlankNode>) -> Term {
    match term {
        Term::BlankNode(node) => Term::BlankNode(blank.entry(node).or_default().clone()),
        Term::Triple(triple) => {
            let Triple { subject, predicate, object } = *triple;
            let subject = match subject {
                NamedOrBlankNode::BlankNode(node) => blank.entry(node).or_default().clone().into(),
                NamedOrBlankNode::NamedNode(node) => NamedOrBlankNode::NamedNode(node),
            };
            Term::Triple(Box::new(Triple { subject, predicate, object: own(object, blank) }))
        }
        Term::NamedNode(_) | Term::Literal(_) => term,
    }
}
