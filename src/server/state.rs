//! The state shared by all requests: the current graph, the settings, the admission of work, the counters.

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
use kgq_syntax::text::hexadecimal;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

pub type Shared = Arc<Server>;

/// The settings of the server.
pub struct Settings {
    /// The limits of each query.
    pub limits: Limits,
    pub capacity: Capacity,
    /// The shares of each client.
    pub shares: Shares,
    /// Trusted proxies, whose `X-Forwarded-For` names the client.
    pub proxies: Vec<IpAddr>,
    /// The maximum size of a request body, in bytes.
    pub longest_body: usize,
    /// The maximum size, in bytes, of an answer that must be complete before it is sent.
    pub longest_held: usize,
    /// The maximum size of a query answer, in bytes. It does not apply to pages, reports of writes and tools.
    pub longest_answer: Option<u64>,
    /// How long a client may take to send its headers, to send its body, or to read a piece of an answer.
    pub patience: Duration,
    /// The maximum number of connections.
    pub connections: usize,
    /// For how many seconds a cache may reuse an answer without asking again.
    pub max_age: u64,
    /// The certificate that is shown to clients.
    #[cfg(feature = "net")]
    pub tls: Option<super::tls::Tls>,
    /// The scheme by which clients reach this server: `http` or `https`.
    pub scheme: &'static str,
    /// The host names under which the server answers.
    pub names: Names,
    /// The public address of the site if it differs from the listening address, as behind a proxy.
    pub address: Option<String>,
    /// Origins whose pages may send requests; `*` means all.
    pub origins: Vec<String>,
    pub tokens: Tokens,
    /// Whether `/metrics` is served at the main address, too.
    pub tells_metrics: bool,
    /// How the files are changed by clients whose token allows it; `None` if the server is read-only.
    pub writing: Option<Writing>,
}

impl Settings {
    /// Whether browsers reach the server by TLS, directly or through a proxy.
    pub fn is_secure(&self) -> bool {
        self.scheme == "https" || self.address.as_ref().is_some_and(|address| address.starts_with("https://"))
    }

    /// The value of `Cache-Control` for answers.
    pub fn caching(&self) -> HeaderValue {
        // Shared caches must not keep what only some clients may read.
        let text = match (self.tokens.guard_reading(), self.max_age) {
            (true, 0) => "private, no-cache".to_owned(),
            (true, seconds) => format!("private, max-age={seconds}"),
            (false, 0) => "no-cache".to_owned(),
            (false, seconds) => format!("public, max-age={seconds}"),
        };
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("no-cache"))
    }
}

/// A graph, with tags that identify its state.
pub struct Held {
    pub graph: Arc<Graph>,
    /// Changes whenever an answer could change.
    pub tag: String,
    /// A short hash of the tag, with which the entity tags of answers begin.
    pub version: String,
    pub pages: Pages,
    /// Makes the canned queries run once in the background for the pages.
    pub answering: Once,
    gone: OnceLock<Option<Gone>>,
}

impl Held {
    /// Loads the graph.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn of(graph: Arc<Graph>, settings: &Settings) -> Result<Self> {
        graph.load()?;
        let (tag, version) = (tag_of(&graph)?, version_of(&graph)?);
        let pages = Pages::new(Graph::clone(&graph), settings.address.clone());
        Ok(Self { graph, tag, version, pages, answering: Once::new(), gone: OnceLock::new() })
    }

    /// Whether the files once said something about one of these things, about which they now say nothing.
    pub fn knew(&self, things: &[NamedNode]) -> bool {
        let gone = || self.gone.get_or_init(|| self.graph.project().map(Gone::of));
        !things.is_empty() && gone().as_ref().is_some_and(|gone| things.iter().any(|thing| gone.knew(thing)))
    }
}

fn tag_of(graph: &Graph) -> Result<String> {
    Ok(format!("{} {}", env!("CARGO_PKG_VERSION"), graph.fingerprint()?))
}

/// The short hash with which the entity tags of all answers from a graph begin.
///
/// # Errors
/// The files of the graph cannot be read.
pub fn version_of(graph: &Graph) -> Result<String> {
    Ok(hexadecimal(&Sha256::digest(tag_of(graph)?)[..8]))
}

/// How many events are kept for slow listeners.
const UNHEARD: usize = 16;

pub struct Server {
    pub live: Live,
    held: RwLock<Arc<Held>>,
    /// Held while the files are read again, so that of two readers the later one installs the newer graph.
    reading: Mutex<()>,
    pub settings: Settings,
    pub writers: Writers,
    /// The open browser sessions.
    pub sessions: Sessions,
    pub admission: Admission,
    pub memory: Memory,
    pub metrics: Metrics,
    pub log: Log,
    /// Announces events of the graph.
    pub news: broadcast::Sender<News>,
    /// Announces that the server stops.
    pub stopping: watch::Sender<bool>,
}

impl Server {
    /// Creates a server for a graph.
    ///
    /// # Errors
    /// The files of the graph cannot be read.
    pub fn new(graph: Graph, settings: Settings, memory: Memory, log: Log) -> Result<Self> {
        let live = Live::new(graph);
        let held = RwLock::new(Arc::new(Held::of(live.graph(), &settings)?));
        let admission = Admission::new(settings.capacity, Clients::new(settings.shares, memory.all().clone()));
        let (metrics, news, stopping) = (Metrics::default(), broadcast::Sender::new(UNHEARD), watch::Sender::default());
        let (reading, writers, sessions) = (Mutex::default(), Writers::new(settings.capacity), Sessions::default());
        Ok(Self { live, held, reading, settings, writers, sessions, admission, memory, metrics, log, news, stopping })
    }

    /// Reads the certificate again, if there is one. On failure the former one stays in use; the log records both outcomes.
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

    /// Reads the files again, and makes the result the current graph. Returns how many files were new, changed or deleted.
    ///
    /// # Errors
    /// The files cannot be read; the graph stays what it was.
    pub fn reload(&self) -> Result<usize> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let reloaded = self.live.reload()?;
        self.replace(reloaded.after)?;
        Ok(reloaded.files)
    }

    /// Reloads only if the files have changed since they were last read or tried.
    ///
    /// # Errors
    /// As [`Server::reload`].
    pub fn refresh(&self) -> Result<Option<usize>> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(reloaded) = self.live.refresh()? else { return Ok(None) };
        self.replace(reloaded.after)?;
        Ok(Some(reloaded.files))
    }

    /// Installs a newer graph. Requests that hold the old one finish with it.
    fn replace(&self, graph: Arc<Graph>) -> Result<()> {
        let newer = Arc::new(Held::of(graph, &self.settings)?);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = newer;
        let times = self.metrics.reloads.fetch_add(1, Ordering::Relaxed) + 1;
        // It is no error if nobody listens.
        let _ = self.news.send(News::Graph(times));
        Ok(())
    }

    /// The current graph.
    pub fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The address by which the client reaches this server: scheme, host and port.
    pub fn address_for(&self, asked: &RequestKey) -> String {
        match &self.settings.address {
            Some(address) => address.trim_end_matches('/').to_owned(),
            None => format!("{}://{}", self.settings.scheme, asked.host.as_deref().unwrap_or("localhost")),
        }
    }

    /// Turns an error of the graph or of a query into what the client may see. The log gets the details that the client does not.
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

/// The name of the limit that was exceeded.
fn limit_name(limit: Exceeded) -> &'static str {
    match limit {
        Exceeded::Time(_) => "time",
        Exceeded::Memory(_) => "memory",
        Exceeded::Rows => "rows",
    }
}
