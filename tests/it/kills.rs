//! An output file is complete, old or new, whenever the program is killed and whoever reads it meanwhile.

use super::program;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The number of kills per command; `KGQ_KILLS` overrides it.
pub fn kills() -> u64 {
    std::env::var("KGQ_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
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

    let mut random = fastrand::Rng::with_seed(11);
    let mut ended = [0; 3];
    for round in 0..kills() {
        std::fs::write(&output, old).unwrap();
        let wait = usual.mul_f64(random.f64() * 1.2);
        let (signal, code) =
            [(libc::SIGKILL, -libc::SIGKILL), (libc::SIGTERM, 143), (libc::SIGINT, 130), (libc::SIGHUP, 129)]
                [usize::try_from(round % 4).unwrap()];
        let mut child = program::command(folder.path()).args(arguments).spawn().unwrap();
        std::thread::sleep(wait.max(Duration::from_millis(1)));
        program::send(signal, &child);
        let status = child.wait().unwrap();
        let found = std::fs::read(&output).unwrap();
        assert!(found == old || found == new, "killed by {signal} after {wait:?}: {} bytes", found.len());
        let got = status.code().unwrap_or_else(|| -std::os::unix::process::ExitStatusExt::signal(&status).unwrap());
        // A signal that arrives before the program handles it ends the program directly.
        assert!([0, code, -signal].contains(&got), "killed by {signal} after {wait:?}: ends with {got}");
        if signal != libc::SIGKILL && got != -signal {
            let own = format!(".out.ttl.{}-", child.id());
            let left = leftovers(folder.path()).into_iter().find(|name| name.starts_with(&own));
            assert_eq!(left, None, "killed by {signal} after {wait:?}");
        }
        ended[usize::from(got != 0) + usize::from(got != 0 && found == new)] += 1;
    }
    // The next command that writes there has removed what the killed ones left.
    assert_eq!(program::run(folder.path(), arguments).code, 0);
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
    assert!(ended[1] > 0, "no kill came in time: {ended:?}");
}

#[test]
fn a_killed_build_leaves_the_old_snapshot_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (old, new) = two_datasets(folder);
    build(folder, "old.nt");
    let before = std::fs::read(folder.join("s.kgq")).unwrap();
    let started = Instant::now();
    build(folder, "new.nt");
    let usual = started.elapsed();
    let mut random = fastrand::Rng::with_seed(5);
    let mut ended = [0; 2];
    for round in 0..kills() / 2 {
        std::fs::write(folder.join("s.kgq"), &before).unwrap();
        let wait = usual.mul_f64(random.f64() * 1.2).max(Duration::from_millis(1));
        let signal = if round % 3 == 2 { libc::SIGTERM } else { libc::SIGKILL };
        let mut child = program::command(folder).args(BUILD).arg("new.nt").spawn().unwrap();
        std::thread::sleep(wait);
        program::send(signal, &child);
        ended[usize::from(!child.wait().unwrap().success())] += 1;
        let count = counted(folder);
        assert!([old, new].contains(&count), "killed by {signal} after {wait:?}: {count} statements");
        assert_eq!(program::run(folder, &["query", "--snapshot", "s.kgq", "ASK {}"]).code, 0);
    }
    assert!(ended[1] > 0, "no kill came in time: {ended:?}");
    // The next build removes the files of killed ones.
    build(folder, "new.nt");
    assert_eq!(counted(folder), new);
    assert_eq!(names(folder), ["new.nt", "old.nt", "s.kgq"]);
}

#[test]
fn what_dead_builds_left_in_the_cache_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cache = folder.join(".cache/kgq");
    std::fs::create_dir_all(&cache).unwrap();
    for name in [".0123.kgq.1-0.building", ".record-abc"] {
        std::fs::write(cache.join(name), "half").unwrap();
    }
    // A file that a running build holds stays.
    let held = cache.join(".4567.kgq.2-0.building");
    let file = std::fs::File::create(&held).unwrap();
    file.lock().unwrap();
    assert_eq!(program::run(folder, &["cache", "clear"]).code, 0);
    assert_eq!(names(&cache), [".4567.kgq.2-0.building"]);
    drop(file);
    assert_eq!(program::run(folder, &["cache", "clear"]).code, 0);
    assert_eq!(names(&cache), Vec::<String>::new());
}

#[test]
fn two_processes_read_a_snapshot_while_a_third_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (old, new) = two_datasets(folder);
    build(folder, "old.nt");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = Vec::new();
                    while !done.load(Ordering::Relaxed) || seen.is_empty() {
                        seen.push(counted(folder));
                    }
                    seen
                })
            })
            .collect();
        for round in 0..kills() / 3 {
            build(folder, if round % 2 == 0 { "new.nt" } else { "old.nt" });
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            let seen = reader.join().unwrap();
            assert!(seen.iter().all(|count| [old, new].contains(count)), "{seen:?}");
        }
    });
    assert_eq!(names(folder), ["new.nt", "old.nt", "s.kgq"]);
}

/// Runs with a limit on file sizes, as on a full disk.
#[allow(unsafe_code, reason = "calls of the C library in the child")]
fn with_room_for(bytes: u64, command: &mut Command) -> program::Ran {
    // SAFETY: between fork and exec only functions that may be called from a signal handler.
    unsafe {
        command.pre_exec(move || {
            // Writing beyond the limit is then an error, as on a full disk, and no signal.
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            if libc::setrlimit(libc::RLIMIT_FSIZE, &limit) == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
        });
    }
    program::finish(command.spawn().unwrap())
}

#[test]
fn a_disk_that_is_full_is_said_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (old, _) = two_datasets(folder);
    build(folder, "old.nt");
    let size = std::fs::metadata(folder.join("s.kgq")).unwrap().len();
    for room in [0, 5000, size / 3, size - 100] {
        let ran = with_room_for(room, program::command(folder).args(BUILD).arg("new.nt"));
        assert_eq!(ran.code, 4, "{room} bytes: {}", ran.stderr);
        assert!(ran.stderr.contains("s.kgq"), "{room} bytes: {}", ran.stderr);
        assert_eq!(names(folder), ["new.nt", "old.nt", "s.kgq"], "{room} bytes");
        assert_eq!(counted(folder), old);
    }
}

const BUILD: [&str; 3] = ["build", "--output", "s.kgq"];

fn build(folder: &Path, data: &str) {
    let ran = program::run(folder, &[&BUILD[..], &[data]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Writes two files of statements; returns how many each has.
fn two_datasets(folder: &Path) -> (usize, usize) {
    for (name, count) in [("old.nt", 3_000), ("new.nt", 6_000)] {
        let triples: String = (0..count).map(|i| format!("<e:s{i}> <e:p{}> \"{i} of many\" .\n", i % 7)).collect();
        std::fs::write(folder.join(name), triples).unwrap();
    }
    (3_000, 6_000)
}

/// Counts the statements of the snapshot, by two permutations.
fn counted(folder: &Path) -> usize {
    let query = "SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?m) { ?s ?p ?o }";
    let ran = program::run(folder, &["query", "--snapshot", "s.kgq", "--format", "csv", query]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = ran.text();
    let numbers: Vec<usize> = text.lines().nth(1).unwrap().split(',').map(|n| n.parse().unwrap()).collect();
    assert_eq!(numbers[0], numbers[1], "{text}");
    numbers[0]
}

fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.retain(|name| name != ".cache");
    names
}

fn leftovers(folder: &Path) -> Vec<String> {
    let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".building")).collect()
}
