//! A server whose files change while the advice on a change is sought.

use super::*;
use crate::server::door::Names;
use crate::server::log::{Log, LogFormat};
use crate::server::memory::Memory;
use crate::server::shares::Shares;
use crate::server::state::{Server, Settings as ServerSettings};
use crate::server::tokens::Tokens;
use axum::http::Request;
use axum::http::header::ETAG;
use std::path::Path;

fn server(folder: &Path) -> Shared {
    let graph = Graph::open(OpenOptions { folder: folder.to_owned(), ..OpenOptions::default() }).unwrap();
    let settings = ServerSettings {
        limits: Limits::default(),
        capacity: Capacity { running: 2, open: 4, queue: 4, wait: Duration::from_secs(60) },
        shares: Shares::default(),
        proxies: Vec::new(),
        longest_body: 1 << 20,
        longest_held: 1 << 20,
        longest_answer: None,
        patience: Duration::from_secs(60),
        connections: 4,
        max_age: 0,
        #[cfg(feature = "net")]
        tls: None,
        scheme: "http",
        names: Names::new(([127, 0, 0, 1], 0).into(), &[]),
        address: None,
        origins: Vec::new(),
        tokens: Tokens::default(),
        tells_metrics: false,
        writing: Some(Writing { check: false, commit: false }),
    };
    let memory = Memory::new(None, 4, None);
    Arc::new(Server::new(graph, settings, memory, Log::new(LogFormat::None, false, Arc::new(|_| ()))).unwrap())
}

#[tokio::test]
async fn an_update_is_answered_with_its_own_version_though_another_is_made_while_advice_is_sought() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("kgq.toml", "name = \"t\"\ndata = [\"*.ttl\"]\n");
    file("a.ttl", "<http://e/a> <http://e/p> 1 .\n");
    let server = server(folder.path());
    let own = server.held().version.clone();
    let (parts, ()) = Request::new(()).into_parts();
    let author = Holder { name: "one".into(), scope: Scope::Write };
    let wish = Wish { author, conditions: Conditions::default(), queued: server.writers.queue().unwrap() };
    let (other, path) = (Arc::clone(&server), folder.path().join("a.ttl"));
    let advice: Advice = Box::new(move |_| {
        std::fs::write(&path, "<http://e/a> <http://e/p> 2 .\n").unwrap();
        other.reload().map(|_| vec!["nothing was changed".to_owned()])
    });
    let plan = Plan {
        title: String::new(),
        change: Change::default(),
        settings: Settings::default(),
        reply: Told::Report,
        advice: Some(advice),
    };
    let response = write(&server, RequestKey::of(&parts).unwrap(), wish, |_| Ok(plan)).await.unwrap();
    assert_ne!(server.held().version, own);
    assert_eq!(response.headers()[ETAG].to_str().unwrap(), format!("\"{own}\""));
}
