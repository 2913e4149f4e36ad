//! `kgq serve`.

use super::descriptors::raise_limit;
use super::output::Output;
use super::terminal::Stream;
use super::watchdog::Watchdog;
use crate::edits;
use crate::server::{
    self, Capacity, Listeners, Log, LogFormat, Memory, Names, Server, Settings, Shares, Signal, Tokens, Writing,
};
use kgq_graph::graph::Graph;
use kgq_graph::project::{MANIFEST, parse_duration, parse_size};
use kgq_syntax::error::{Error, Kind, Result, Source};
use kgq_syntax::text::{count, visible};
use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Answer by HTTP: SPARQL at /sparql, for every client that knows its protocol
///
/// Without any option it serves the project of this folder to this machine alone, and prints the address to open. Limits on time
/// and rows hold for each query, the one on memory for all together: a quarter of it is set aside for light ones, the rest goes to
/// who needs it. A client can ask for less time with `timeout=`. Ctrl-C finishes what runs, a second one ends at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kgq serve
  curl -H 'Accept: text/csv' --data-urlencode 'query=SELECT * { ?s ?p ?o } LIMIT 10' http://127.0.0.1:7878/sparql
  kgq serve --writable --check --commit --tokens ../tokens
  curl -H \"Authorization: Bearer $TOKEN\" --data-urlencode update@fix.ru http://127.0.0.1:7878/sparql")]
pub struct Args {
    /// Where to listen; another address than a loopback one lets other machines ask
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7878")]
    pub listen: String,
    /// Another name or address by which clients know this server, such as `https://graph.example/` of a proxy before it; may be
    /// repeated. Requests by other names are refused
    #[arg(long, value_name = "NAME", value_parser = server::parse_public)]
    pub public: Vec<String>,
    /// Speak TLS (in a kgq built with the feature `net`): the server's certificate in PEM, followed by those of its issuers. SIGHUP reads it
    /// again
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<String>,
    /// The key of the certificate, in PEM without a password
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<String>,
    /// Let pages of this origin, such as `https://app.example`, ask; `*` lets all; may be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = server::parse_origin)]
    pub cors: Vec<String>,
    /// Tokens of clients: lines of NAME, `read` or `write`, and the token's SHA-256 hash. With one that reads, nobody reads without
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<String>,
    /// Let who has a `write` token of --tokens change the project's files: by SPARQL Update at /sparql, graph by graph with PUT, POST,
    /// PATCH and DELETE at /graphs and at their own addresses, and by the forms of pages for who signs in at /login. An answer comes
    /// when the files are safe on disk
    #[arg(long)]
    pub writable: bool,
    /// Refuse a change that would add a finding of `kgq check` or fail a case of `kgq test`, with status 422
    #[arg(long, requires = "writable")]
    pub check: bool,
    /// Make a git commit of each change: its author is the token's name, its message `message=` of the request
    #[arg(long, requires = "writable")]
    pub commit: bool,
    /// Tell what is counted at this address alone; /metrics of the main one does otherwise
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<String>,
    /// How many queries run at once [default: one for each processor]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// How many requests wait for a query to end, before others are refused with 429
    #[arg(long, value_name = "NUMBER", default_value = "256")]
    pub queue: usize,
    /// How many requests of one client are answered or wait at once, before it is refused with 429; a client is known by its token,
    /// else by its address [default: as many as there is room for]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub per_client: Option<u16>,
    /// How much memory the queries of one client hold together, beyond the little that is set aside for each; one that needs more fails
    /// [default: as much as there is]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub per_client_memory: Option<u64>,
    /// How long the queries of one client work within a minute, all together, before it is refused with 429 until that is made up for
    /// [default: as long as it likes]
    #[arg(long, value_name = "TIME", value_parser = parse_share)]
    pub per_client_time: Option<Duration>,
    /// The longest answer to a query, or graph, as it is sent; pages and the tools of /mcp have bounds of their own [default: as long as it is]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub max_bytes: Option<u64>,
    /// A proxy before the server, by its address: clients behind it are known by what it adds to `X-Forwarded-For`; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub proxy: Vec<IpAddr>,
    /// How long a client may take to send a request, or to read a piece of its answer, before the connection ends
    #[arg(long, value_name = "TIME", value_parser = parse_patience, default_value = "30s")]
    pub patience: Duration,
    /// For how many seconds a client may keep an answer without asking whether it is still right
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    pub max_age: u64,
    /// How the log on the standard error is written: text, json, none
    #[arg(long, value_name = "FORMAT", value_parser = parse_log, default_value = "text")]
    pub log: LogFormat,
    /// Let the log tell the text of queries; it tells a hash of each otherwise
    #[arg(long)]
    pub log_queries: bool,
}

fn parse_log(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        "none" => Ok(LogFormat::None),
        _ => Err("the formats are text, json and none".into()),
    }
}

fn parse_patience(text: &str) -> Result<Duration, String> {
    parse_duration(text)?
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "clients without end would take all connections".into())
}

fn parse_share(text: &str) -> Result<Duration, String> {
    parse_duration(text)?.filter(|time| !time.is_zero()).ok_or_else(|| "leave the option out to set no limit".into())
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    parse_size(text)?.filter(|bytes| *bytes > 0).ok_or_else(|| "leave the option out to set no limit".into())
}

/// The number of open answers for each query slot: slow readers keep answers open for long.
const OPEN_EACH: usize = 32;
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 4_096;
/// The number of open files besides connections.
const OTHER_FILES: usize = 128;
/// The number of hidden things that a message names.
const SHOWN: usize = 5;
const LONGEST_BODY: usize = 1 << 20;
const LONGEST_HELD: usize = 32 << 20;

pub fn run(args: &Args, graph: &Graph, output: &mut Output) -> Result<u8> {
    let is_loaded = Arc::new(AtomicBool::new(false));
    let signals = signals(Arc::clone(&is_loaded))?;
    if let (Some(share), Some(all)) = (args.per_client_memory, graph.options().limits.memory)
        && share > all
    {
        let error = Error::usage("the limit for one client is above the limit for all, so it would have no effect");
        return Err(error.hint("`--per-client-memory` is a part of `--max-memory`"));
    }
    let tokens = tokens(args.tokens.as_deref())?;
    let is_guarded = tokens.guard_reading();
    if args.writable {
        can_write(args, &tokens, graph)?;
    }
    let listeners = Listeners { main: bind(&args.listen)?, metrics: args.metrics.as_deref().map(bind).transpose()? };
    let address = listeners.main.local_addr().map_err(|error| Error::io(&args.listen, &error))?;
    let watchdog = Watchdog::of_loading(graph.options());
    let settings = settings(args, address, tokens, graph)?;
    let (scheme, is_secure) = (settings.scheme, settings.is_secure());
    let memory = Memory::new(graph.options().limits.memory, settings.capacity.open, args.per_client_memory);
    let server = Server::new(graph.clone(), settings, memory, log(args, output))?;
    is_loaded.store(true, Ordering::SeqCst);
    let held = server.held();
    drop(watchdog);
    let statements = count(held.graph.snapshot()?.len() as u64, "statement", "statements");
    output.note(&format!("{statements} from {}", held.graph.origin()?));
    if let Some(queries) = held.graph.catalog_if_any()?.map(|catalog| catalog.queries.len() as u64) {
        output.note(&count(queries, "canned query", "canned queries"));
    }
    let hidden = server::hidden(&server, SHOWN + 1)?;
    if !hidden.is_empty() {
        let shown: Vec<String> =
            hidden.iter().take(SHOWN).map(|thing| format!("<{}>", visible(thing.as_str()))).collect();
        let more = if hidden.len() > SHOWN { " and others" } else { "" };
        output.note(&format!(
            "addresses of the server itself hide {}{more}: ask for them by /about?iri=",
            shown.join(", ")
        ));
    }
    if args.writable && held.graph.project().is_some_and(|project| project.manifest.edit.file.is_none()) {
        output.note(&format!(
            "new things of no class with members are refused: no file is named for them; {MANIFEST} can name one: `[edit]` and, below it, \
             `file = \"data/new.ttl\"`"
        ));
    }
    if !address.ip().is_loopback() {
        let who = if is_guarded { "who has a token" } else { "everybody, without a token," };
        if args.writable && !is_secure {
            output.note("who has a token to write can change the files from there: put a proxy with TLS before it");
        }
        output.note(&format!("{address} can be reached from other machines: {who} can read all of the graph there"));
    }
    output.line(&format!("{scheme}://{address}/"))?;
    output.out.flush().map_err(|error| Error::io("the output", &error))?;
    drop(held);
    server::serve(Arc::new(server), listeners, signals)?;
    Ok(0)
}

fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput => Error::usage(format!("`{address}` is no address with a port"))
            .hint("write it as `127.0.0.1:7878`; port 0 is any that is free"),
        _ => Error::io(address, &error)
            .hint("another program may listen there; `--listen 127.0.0.1:0` takes any free port"),
    })
}

fn tokens(file: Option<&str>) -> Result<Tokens> {
    let Some(file) = file else { return Ok(Tokens::default()) };
    let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, &error))?;
    Tokens::read(Source::new(file, &text))
}

/// Checks that clients can change the files.
fn can_write(args: &Args, tokens: &Tokens, graph: &Graph) -> Result<()> {
    let root = kgq_edit::project_of(graph)?;
    if !tokens.let_write() {
        return Err(Error::policy("`--writable` needs a token with which a client may write")
            .hint("make one: `head -c 24 /dev/urandom | base64`; keep it secret, and send it as `Authorization: Bearer TOKEN`")
            .hint("`printf %s TOKEN | sha256sum` prints its hash; put the line `NAME write HASH` into a file outside of the project")
            .hint("start with `--writable --tokens FILE`"));
    }
    if args.commit { edits::can_commit(&root) } else { Ok(()) }
}

fn settings(args: &Args, listens: SocketAddr, tokens: Tokens, graph: &Graph) -> Result<Settings> {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let running = args.threads.map_or(processors, usize::from);
    let requests = args.per_client.map(usize::from);
    Ok(Settings {
        limits: graph.options().limits,
        capacity: Capacity { running, open: running * OPEN_EACH, queue: args.queue, wait: LONGEST_WAIT },
        shares: Shares { requests, memory: args.per_client_memory, time: args.per_client_time },
        proxies: args.proxy.clone(),
        longest_body: LONGEST_BODY.max(graph.options().bounds.max_query_size.saturating_mul(3)),
        longest_held: LONGEST_HELD,
        longest_answer: args.max_bytes,
        patience: args.patience,
        connections: connections(),
        max_age: args.max_age,
        #[cfg(feature = "net")]
        tls: args
            .certificate
            .as_deref()
            .zip(args.key.as_deref())
            .map(|(file, key)| server::Tls::read(file, key))
            .transpose()?,
        scheme: scheme(args)?,
        names: Names::new(listens, &args.public),
        address: args.public.iter().find(|name| name.contains("://")).cloned(),
        origins: args.cors.clone(),
        tokens,
        tells_metrics: args.metrics.is_none(),
        writing: args.writable.then_some(Writing { check: args.check, commit: args.commit }),
    })
}

/// The URL scheme that clients use.
fn scheme(args: &Args) -> Result<&'static str> {
    match args.certificate {
        None => Ok("http"),
        Some(_) if cfg!(feature = "net") => Ok("https"),
        Some(_) => Err(Error::usage("this kgq was built without TLS").hint(
            "build it with `cargo build --release --features net`, or put a proxy with TLS before it (docs/for-operators.md)",
        )),
    }
}

/// The most connections: what the system's limit on open files allows, less some for other files, but at most [`CONNECTIONS`].
fn connections() -> usize {
    CONNECTIONS.min(raise_limit().saturating_sub(OTHER_FILES)).max(1)
}

/// A log to standard error, one line per entry.
fn log(args: &Args, output: &Output) -> Log {
    let format = if output.quiet { LogFormat::None } else { args.log };
    let stream = Mutex::new(Stream::stderr());
    let write = move |line: &str| {
        // A failure to write the log does not stop the server.
        let _ = writeln!(stream.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
    };
    Log::new(format, args.log_queries, Arc::new(write))
}

/// The signals that the server handles, as they arrive. Before the data are loaded there is nothing to finish, so the program
/// ends.
fn signals(is_loaded: Arc<AtomicBool>) -> Result<UnboundedReceiver<Signal>> {
    let (sender, receiver) = unbounded_channel();
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let failed = |error: std::io::Error| Error::io("the signals", &error);
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
        let listen = move || {
            for signal in signals.forever() {
                if !is_loaded.load(Ordering::SeqCst) && signal != SIGHUP {
                    super::unfinished().remove();
                    let kind = if signal == SIGTERM { Kind::Terminated } else { Kind::Interrupted };
                    std::process::exit(i32::from(kind.exit_code()));
                }
                let told = if signal == SIGHUP { Signal::Reload } else { Signal::Stop };
                if sender.send(told).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(listen).map_err(failed)?;
    }
    #[cfg(not(unix))]
    {
        drop(is_loaded);
        std::mem::forget(sender);
    }
    Ok(receiver)
}
