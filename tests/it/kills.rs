//! An output file is the old one or the new one, never less, whenever the program is killed.

use super::program;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often each command is killed; `KGQ_KILLS` sets another number.
fn kills() -> u64 {
    std::env::var("KGQ_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(30)
}

#[test]
fn a_killed_export_leaves_the_old_file_or_the_new() {
    killed(&["export", "-d", "d.nt", "--output", "out.ttl"]);
}

#[test]
fn a_killed_update_leaves_the_old_file_or_the_new() {
    killed(&["update", "-d", "d.nt", "--output", "out.ttl", "INSERT DATA { <e:new> <e:p> 1 }"]);
}

fn killed(arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.ttl");
    let triples: String = (0..4_000).map(|i| format!("<e:s{i}> <e:p> \"{i} of many\" .\n")).collect();
    std::fs::write(folder.path().join("d.nt"), triples).unwrap();
    let started = Instant::now();
    let whole = program::run(folder.path(), arguments);
    let usual = started.elapsed();
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    let new = std::fs::read(&output).unwrap();
    let old = b"# old\n".as_slice();

    let mut state = 11u64;
    let mut ended = [0; 3];
    for round in 0..kills() {
        std::fs::write(&output, old).unwrap();
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wait = usual.mul_f64((state >> 40) as f64 / (1 << 24) as f64 * 1.2);
        let (signal, code) = [(libc::SIGKILL, -libc::SIGKILL), (libc::SIGTERM, 143), (libc::SIGINT, 130)]
            [usize::try_from(round % 3).unwrap()];
        let mut child = program::command(folder.path()).args(arguments).spawn().unwrap();
        std::thread::sleep(wait.max(Duration::from_millis(1)));
        // SAFETY: a signal to a child that is not yet waited for: its number is still its own.
        unsafe { libc::kill(i32::try_from(child.id()).unwrap(), signal) };
        let status = child.wait().unwrap();
        let found = std::fs::read(&output).unwrap();
        assert!(found == old || found == new, "killed by {signal} after {wait:?}: {} bytes", found.len());
        let got = status.code().unwrap_or_else(|| -std::os::unix::process::ExitStatusExt::signal(&status).unwrap());
        // A signal that comes before the program listens for it ends it as any other.
        assert!([0, code, -signal].contains(&got), "killed by {signal} after {wait:?}: ends with {got}");
        if signal != libc::SIGKILL && got != -signal {
            assert_eq!(leftovers(folder.path()), Vec::<String>::new(), "killed by {signal} after {wait:?}");
        }
        ended[usize::from(got != 0) + usize::from(got != 0 && found == new)] += 1;
        for name in leftovers(folder.path()) {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
    assert!(ended[1] > 0, "no kill came in time: {ended:?}");
}

fn leftovers(folder: &Path) -> Vec<String> {
    let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".kgq-")).collect()
}
