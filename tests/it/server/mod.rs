//! `kgq serve`, tested through a real socket.

mod caching;
mod ends;
mod flood;
mod gone;
mod live;
mod locked;
#[cfg(feature = "mcp")]
mod mcp;
mod mixed;
mod openapi;
mod pages;
mod protocol;
mod things;
mod write;

use crate::http::Served;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

const DATA: &str = "@prefix e: <http://e/> .
e:ada e:knows e:bob , e:cid ; e:age 36 ; e:name \"Ada\"@en .
e:bob e:knows e:cid ; e:name \"Bob\" .
";

/// A server of a small file.
fn small(arguments: &[&str]) -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.ttl"), DATA).unwrap();
    let served = Served::start(folder.path(), &[&["-d", "people.ttl"], arguments].concat());
    (folder, served)
}

/// A server with this many numbers, whose products make queries of any length.
fn numbers(many: usize, arguments: &[&str]) -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let lines = (0..many).map(|n| format!("<http://e/{n}> <http://e/p> \"{n}\" .\n"));
    std::fs::write(folder.path().join("numbers.nt"), lines.collect::<String>()).unwrap();
    let served = Served::start(folder.path(), &[&["-d", "numbers.nt"], arguments].concat());
    (folder, served)
}

/// A server of the project that ships with kgq. Tests that run at the same time share one, for whom it lives.
fn shipped() -> Arc<Served> {
    static SHARED: Mutex<Weak<Served>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let served = Arc::new(Served::start(Path::new(env!("CARGO_MANIFEST_DIR")), &[]));
        *shared = Arc::downgrade(&served);
        served
    })
}
