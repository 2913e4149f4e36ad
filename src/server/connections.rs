//! Accepts connections up to a maximum, closes stalled ones, and lets the open ones finish for a while when the server stops.

use super::{Shared, reload, routes};
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use kgq_syntax::error::{Error, Result};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;
use tokio_io_timeout::TimeoutStream;

/// Deep queries recurse deeply. The system commits stack memory only as it is used.
pub const STACK: usize = 256 << 20;
/// Threads that run the connections; they do no query work.
const CARRIERS: usize = 2;
/// How long running work may continue after the server was asked to stop.
const LAST: Duration = Duration::from_secs(10);
/// The longest part of a request before its body: the request line and the headers.
const LONGEST_HEAD: usize = 96 << 10;
/// How long to pause accepting connections when the system has no resources for another one.
const BREATH: Duration = Duration::from_millis(100);

/// The maximum number of connections for metrics.
const MEASURERS: usize = 16;

/// The sockets on which the server listens.
pub struct Listeners {
    pub main: TcpListener,
    /// Serves metrics only.
    pub metrics: Option<TcpListener>,
}

/// A signal to the program from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Stop,
    Reload,
}

/// Serves until it is told to stop, then waits for running work until that is done, its time is over, or a second stop arrives.
///
/// # Errors
/// The system cannot provide threads or sockets.
pub fn serve(server: Shared, listeners: Listeners, signals: UnboundedReceiver<Signal>) -> Result<()> {
    let (reload, asked) = std::sync::mpsc::channel();
    let follower = Arc::clone(&server);
    std::thread::Builder::new()
        .name("reload".into())
        .stack_size(STACK)
        .spawn(move || reload::follow(&follower, &asked))
        .map_err(|error| Error::io("the thread that reads files again", &error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CARRIERS)
        .max_blocking_threads(server.settings.capacity.open + CARRIERS)
        .thread_stack_size(STACK)
        .thread_name("serve")
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Error::io("the threads of the server", &error))?;
    let served = runtime.block_on(async {
        if let Some(metrics) = listeners.metrics {
            let (free, open) = (Arc::new(Semaphore::new(MEASURERS)), GracefulShutdown::new());
            let (server, metrics) = (Arc::clone(&server), asynchronous(metrics)?);
            tokio::spawn(async move {
                let router = routes::metrics(&server);
                loop {
                    accept(&server, &metrics, (&router, Security::None), &free, &open).await;
                }
            });
        }
        run(&server, asynchronous(listeners.main)?, signals, &reload).await;
        Ok(())
    });
    // A query that ignores its cancellation ends with the program.
    runtime.shutdown_background();
    served
}

fn asynchronous(listener: TcpListener) -> Result<tokio::net::TcpListener> {
    let failed = |error: std::io::Error| Error::io("the listening socket", &error);
    listener.set_nonblocking(true).map_err(failed)?;
    tokio::net::TcpListener::from_std(listener).map_err(failed)
}

/// Accepts connections until the server is told to stop, then waits for running work.
async fn run(
    server: &Shared,
    listener: tokio::net::TcpListener,
    mut signals: UnboundedReceiver<Signal>,
    reload: &std::sync::mpsc::Sender<()>,
) {
    let router = routes::router(server);
    let free = Arc::new(Semaphore::new(server.settings.connections));
    let open = GracefulShutdown::new();
    loop {
        tokio::select! {
            () = accept(server, &listener, (&router, Security::AsSet), &free, &open) => {}
            signal = signals.recv() => match signal {
                // The receiving thread lives as long as a sender exists.
                Some(Signal::Reload) => drop(reload.send(())),
                Some(Signal::Stop) | None => break,
            },
        }
    }
    drop(listener);
    server.log.say("the server stops: what runs is finished");
    server.stopping.send_replace(true);
    tokio::select! {
        () = open.shutdown() => {}
        () = sleep(LAST) => server.log.say("what still ran was cut off"),
        () = stopped_again(&mut signals) => {}
    }
}

/// Whether connections use TLS.
#[derive(Clone, Copy, Debug)]
enum Security {
    /// Use TLS if a certificate is configured.
    AsSet,
    None,
}

/// Accepts one connection and starts serving it.
async fn accept(
    server: &Shared,
    listener: &tokio::net::TcpListener,
    (router, security): (&axum::Router, Security),
    free: &Arc<Semaphore>,
    open: &GracefulShutdown,
) {
    let Some((stream, peer, taken)) = next(listener, free).await else {
        return sleep(BREATH).await;
    };
    let router = Peered { router: TowerToHyperService::new(router.clone()), peer };
    let (server, watcher) = (Arc::clone(server), open.watcher());
    tokio::spawn(async move {
        carry(&server, stream, (router, security), watcher).await;
        drop(taken);
    });
}

/// Serves a connection until it ends. How it ends is not reported: the log has the requests.
async fn carry(server: &Shared, stream: TcpStream, (router, security): (Peered, Security), watcher: Watcher) {
    let mut stopping = server.stopping.subscribe();
    let stream = tokio::select! {
        stream = opened(server, stream, security) => stream,
        // No request has arrived on it yet.
        _ = stopping.wait_for(|stops| *stops) => return,
    };
    if let Some(stream) = stream {
        let _ = watcher.watch(connection(server, stream, router)).await;
    }
}

async fn stopped_again(signals: &mut UnboundedReceiver<Signal>) {
    while signals.recv().await == Some(Signal::Reload) {}
}

/// Waits for a free place and accepts the next connection. Returns `None` if the system has no resources for it.
async fn next(
    listener: &tokio::net::TcpListener,
    free: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let taken = Arc::clone(free).acquire_owned().await.ok()?;
    let (stream, peer) = listener.accept().await.ok()?;
    Some((stream, peer, taken))
}

/// The address of the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Passes the address of the sender to the router with each request.
struct Peered {
    router: TowerToHyperService<axum::Router>,
    peer: SocketAddr,
}

impl Service<Request<Incoming>> for Peered {
    type Response = <TowerToHyperService<axum::Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<axum::Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<axum::Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(Peer(self.peer));
        self.router.call(request)
    }
}

/// A byte stream, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Prepares a stream for requests; writing fails after a while if nobody reads. Returns `None` if the TLS handshake fails or
/// takes too long.
async fn opened(server: &Shared, stream: TcpStream, security: Security) -> Option<Box<dyn Stream>> {
    let patience = server.settings.patience;
    // Pieces are large; a small write is the last one, so there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience));
    let stream = Box::pin(stream);
    match security {
        #[cfg(feature = "net")]
        Security::AsSet if let Some(tls) = &server.settings.tls => {
            let secured = tokio::time::timeout(patience, tls.acceptor().accept(stream)).await.ok()?.ok()?;
            Some(Box::new(secured))
        }
        Security::AsSet | Security::None => Some(Box::new(stream)),
    }
}

/// Serves a connection, and closes it if the other side neither sends nor reads.
fn connection(
    server: &Shared,
    stream: Box<dyn Stream>,
    router: Peered,
) -> http1::Connection<TokioIo<Box<dyn Stream>>, Peered> {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(server.settings.patience)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), router)
}
