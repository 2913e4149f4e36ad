//! What all requests share: the graph that is current, the settings, who may work, what is counted.

use super::admission::{Admission, Capacity};
use super::door::Names;
use super::events::News;
use super::gone::Gone;
use super::log::Log;
use super::memory::Memory;
use super::metrics::Metrics;
use super::problem::Problem;
use super::request::RequestKey;
use super::sessions::Sessions;
use super::shares::{Clients, Shares};
use super::tokens::Tokens;
use super::write::{Writers, Writing};
use axum::http::HeaderValue;
use kgq_engine::Limits;
use kgq_graph::graph::{Graph, Live};
use kgq_site::Pages;
use kgq_syntax::budget::Exceeded;
use kgq_syntax::error::{Error, Kind, Result};
use kgq_syntax::rdf::NamedNode;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

pub type Shared = Arc<Server>;

/// How the server serves.
pub struct Settings {
    /// Of each query.
    pub limits: Limits,
    pub capacity: Capacity,
    /// Of each client.
    pub shares: Shares,
    /// Proxies that tell for whom they ask.
    pub proxies: Vec<IpAddr>,
    /// The longest body of a request, in bytes.
    pub longest_body: usize,
    /// The longest answer that is held until it is whole, in bytes.
    pub longest_held: usize,
    /// The longest answer to a query, in bytes: not of pages, reports of writing and tools.
    pub longest_answer: Option<u64>,
    /// How long a client may take to send its headers, its body, or to read a piece of an answer.
    pub patience: Duration,
    /// How many connections there may be.
    pub connections: usize,
    /// For how many seconds an answer may be taken for current without asking.
    pub max_age: u64,
    /// The certificate that clients are shown.
    #[cfg(feature = "net")]
    pub tls: Option<super::tls::Tls>,
    /// How clients ask here: `http` or `https`.
    pub scheme: &'static str,
    /// The names by which the server may be asked.
    pub names: Names,
    /// The address of the site, where it is another than the one listened on: a proxy stands before it.
    pub address: Option<String>,
    /// Pages of these origins may ask; `*` is all.
    pub origins: Vec<String>,
    pub tokens: Tokens,
    /// Whether what is counted is told at /metrics of the same address.
    pub tells_metrics: bool,
    /// How the files are changed, where who has a token for it may do so.
    pub writing: Option<Writing>,
}

impl Settings {
    /// Whether browsers ask by TLS, here or at a proxy.
    pub fn is_secure(&self) -> bool {
        self.scheme == "https" || self.address.as_ref().is_some_and(|address| address.starts_with("https://"))
    }

    /// What is said of the keeping of answers.
    pub fn caching(&self) -> HeaderValue {
        // What only some may read, no cache between may keep for others.
        let text = match (self.tokens.guard_reading(), self.max_age) {
            (true, 0) => "private, no-cache".to_owned(),
            (true, seconds) => format!("private, max-age={seconds}"),
            (false, 0) => "no-cache".to_owned(),
            (false, seconds) => format!("public, max-age={seconds}"),
        };
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("no-cache"))
    }
}

/// A graph with what names its state.
pub struct Held {
    pub graph: Arc<Graph>,
    /// Differs where an answer could.
    pub tag: String,
    /// Stands for that in the tags of answers, before what else they depend on.
    pub version: String,
    pub pages: Pages,
    /// Whether the canned queries are being answered for its pages.
    pub answering: Once,
    gone: OnceLock<Option<Gone>>,
}

impl Held {
    /// # Errors
    /// Those of the graph's files.
    pub fn of(graph: Arc<Graph>, settings: &Settings) -> Result<Self> {
        graph.load()?;
        let (tag, version) = (tag_of(&graph)?, version_of(&graph)?);
        let pages = Pages::new(Graph::clone(&graph), settings.address.clone());
        Ok(Self { graph, tag, version, pages, answering: Once::new(), gone: OnceLock::new() })
    }

    /// Whether the files said something before of one of these things, of which they say nothing now.
    pub fn knew(&self, things: &[NamedNode]) -> bool {
        let gone = || self.gone.get_or_init(|| self.graph.project().map(Gone::of));
        !things.is_empty() && gone().as_ref().is_some_and(|gone| things.iter().any(|thing| gone.knew(thing)))
    }
}

fn tag_of(graph: &Graph) -> Result<String> {
    Ok(format!("{} {}", env!("CARGO_PKG_VERSION"), graph.fingerprint()?))
}

/// What the tags of all answers from a graph begin with.
///
/// # Errors
/// Those of the graph's files.
pub fn version_of(graph: &Graph) -> Result<String> {
    Ok(Sha256::digest(tag_of(graph)?).iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// How many pieces of news are kept for who listens slowly.
const UNHEARD: usize = 16;

pub struct Server {
    pub live: Live,
    held: RwLock<Arc<Held>>,
    /// Who reads the files again: of two, the later has the newer graph.
    reading: Mutex<()>,
    pub settings: Settings,
    pub writers: Writers,
    /// Who is signed in by a browser.
    pub sessions: Sessions,
    pub admission: Admission,
    pub memory: Memory,
    pub metrics: Metrics,
    pub log: Log,
    /// Tells what happens to the graph.
    pub news: broadcast::Sender<News>,
    /// Tells that the server stops.
    pub stopping: watch::Sender<bool>,
}

impl Server {
    /// # Errors
    /// Those of the graph's files.
    pub fn new(graph: Graph, settings: Settings, memory: Memory, log: Log) -> Result<Self> {
        let live = Live::new(graph);
        let held = RwLock::new(Arc::new(Held::of(live.graph(), &settings)?));
        let admission = Admission::new(settings.capacity, Clients::new(settings.shares, memory.all().clone()));
        let (metrics, news, stopping) = (Metrics::default(), broadcast::Sender::new(UNHEARD), watch::Sender::default());
        let (reading, writers, sessions) = (Mutex::default(), Writers::new(settings.capacity), Sessions::default());
        Ok(Self { live, held, reading, settings, writers, sessions, admission, memory, metrics, log, news, stopping })
    }

    /// Reads the certificate again, where there is one. What was read before stays if that fails; the log tells either.
    pub fn read_certificate(&self) {
        #[cfg(feature = "net")]
        if let Some(tls) = &self.settings.tls {
            match tls.read_again() {
                Ok(()) => self.log.say("the certificate was read again"),
                Err(error) => self.log.say(&format!(
                    "the certificate cannot be read again; the one before stays\n{}",
                    error.render(false)
                )),
            }
        }
    }

    /// Reads the files again, and lets what they say be the current graph. How many were new, changed or gone.
    ///
    /// # Errors
    /// Why they cannot be read; the graph stays what it was.
    pub fn reload(&self) -> Result<usize> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let reloaded = self.live.reload()?;
        self.replace(reloaded.after)?;
        Ok(reloaded.files)
    }

    /// The same where they have changed since they were last read, or tried.
    ///
    /// # Errors
    /// As [`Server::reload`].
    pub fn refresh(&self) -> Result<Option<usize>> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(reloaded) = self.live.refresh()? else { return Ok(None) };
        self.replace(reloaded.after)?;
        Ok(Some(reloaded.files))
    }

    /// Lets a newer graph be the current one; who holds the old one finishes with it.
    fn replace(&self, graph: Arc<Graph>) -> Result<()> {
        let newer = Arc::new(Held::of(graph, &self.settings)?);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = newer;
        let times = self.metrics.reloads.fetch_add(1, Ordering::Relaxed) + 1;
        // Nobody need listen.
        let _ = self.news.send(News::Graph(times));
        Ok(())
    }

    /// The graph that is current.
    pub fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The address by which the client knows this server: its scheme, host and port.
    pub fn address_for(&self, asked: &RequestKey) -> String {
        match &self.settings.address {
            Some(address) => address.trim_end_matches('/').to_owned(),
            None => format!("{}://{}", self.settings.scheme, asked.host.as_deref().unwrap_or("localhost")),
        }
    }

    /// What a client is told of an error of the graph or of a query. The log has what it is not told.
    pub fn problem(&self, error: &Error) -> Problem {
        if matches!(error.kind(), Kind::Io | Kind::Bug) {
            self.log.say(&error.render(false));
        }
        let problem = Problem::from(error.clone());
        match error.limit_passed() {
            Some(limit) => problem.with("limit", limit_name(limit)),
            None => problem,
        }
    }
}

/// The name of a limit that was passed.
fn limit_name(limit: Exceeded) -> &'static str {
    match limit {
        Exceeded::Time(_) => "time",
        Exceeded::Memory(_) => "memory",
        Exceeded::Rows => "rows",
    }
}
