//! A snapshot that is damaged, forged, overwritten or truncated gives a right answer or none, for every query.
//!
//! `KGQ_FLIPS=1000` flips that many bits instead of a few; `KGQ_FORGED=1000` makes that many snapshots with valid checksums and
//! invalid content.

use super::program::{self, Ran};
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A query of every form, and the other commands that read.
const QUESTIONS: &[&[&str]] = &[
    &["query", "SELECT ?s { ?s a e:Kind3 } LIMIT 2"],
    &["query", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"],
    &["query", "SELECT ?k (COUNT(?s) AS ?n) (SUM(?z) AS ?t) { ?s a ?k ; e:size ?z } GROUP BY ?k ORDER BY ?k"],
    &["query", "ASK { <http://example.com/thing/77> e:near ?x . ?x e:size 539 }"],
    &["query", "CONSTRUCT { ?s rdfs:label ?l } { ?s e:code 'c2304' ; rdfs:label ?l }"],
    &["query", "DESCRIBE <http://example.com/thing/5>"],
    &[
        "query",
        "SELECT ?s { ?s rdfs:label ?l ; e:weight ?w FILTER(?w > 900 && CONTAINS(?l, '99')) } ORDER BY ?w LIMIT 5",
    ],
    &["query", "SELECT ?b { <http://example.com/thing/1> e:near+ ?b } ORDER BY ?b LIMIT 3"],
    &["query", "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s e:near ?o } } GROUP BY ?g ORDER BY ?g"],
    &["query", "SELECT ?s ?d { ?s e:made ?d ; e:odd 'v3' OPTIONAL { ?s e:near/e:size 3 } } ORDER BY ?d ?s LIMIT 4"],
    &["query", "SELECT ?s { ?s a e:Kind1 MINUS { ?s e:near ?x . ?x a e:Kind2 } } ORDER BY ?s LIMIT 3"],
    &["query", "-F", "csv", "SELECT ?s ?l ?w { ?s rdfs:label ?l ; e:weight ?w }"],
    &["query", "-F", "csv", "SELECT ?o { ?s e:made ?o }"],
    &["query", "SELECT * { ?s e:code 'nothing' }"],
    &["query", "SELECT * { ?s e:nera ?o }"],
    &["query", "--engine", "oxigraph", "SELECT ?s { ?s e:size 994 ; e:odd ?o } ORDER BY ?s LIMIT 3"],
    &["query", "--explain", "SELECT ?s { ?s e:size 994 ; e:odd ?o ; a e:Kind2 }"],
    &["query", "SELECT (MIN(?o) AS ?a) (MAX(?o) AS ?z) { ?s ?p ?o }"],
    &["describe", "thing number 42"],
    &["describe", "thing nmuber 42"],
    &["info"],
];

const PREFIXES: &str = "PREFIX e: <http://example.com/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> ";

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// The next pseudo-random number.
fn next(random: &mut fastrand::Rng) -> usize {
    random.usize(..1 << 31)
}

/// Builds `s.kgq` in the folder: terms of many kinds, in the default graph and in named ones.
fn build(folder: &Path, things: usize) {
    let mut text = String::new();
    let xsd = "http://www.w3.org/2001/XMLSchema#";
    for i in 0..things {
        let mut say = |predicate: &str, object: String| {
            writeln!(text, "<http://example.com/thing/{i}> <{predicate}> {object} .").unwrap();
            if i % 5 == 0 {
                let graph = i / 5 % 7;
                let of = "<http://example.com/graph/";
                writeln!(text, "<http://example.com/thing/{i}> <{predicate}> {object} {of}{graph}> .").unwrap();
            }
        };
        say("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", format!("<http://example.com/Kind{}>", i % 17));
        // Few have labels, because `describe` reads all of these, which takes longer than everything else.
        if i % 6 == 0 {
            say("http://www.w3.org/2000/01/rdf-schema#label", format!("\"thing number {i}\"@en"));
        }
        say("http://example.com/size", format!("\"{}\"^^<{xsd}integer>", i * 7 % 1000));
        say("http://example.com/weight", format!("\"{}.25\"^^<{xsd}decimal>", i / 3));
        say("http://example.com/made", format!("\"20{:02}-01-02T03:04:05Z\"^^<{xsd}dateTime>", i % 100));
        say("http://example.com/code", format!("\"c{}\"", i * i));
        say("http://example.com/odd", format!("\"v{}\"", i % 50));
        for k in 0..12 {
            say("http://example.com/near", format!("<http://example.com/thing/{}>", (i * 31 + k * k * 97) % things));
        }
    }
    std::fs::write(folder.join("d.nq"), text).unwrap();
    let built = program::run(folder, &["build", "--quiet", "--output", "s.kgq", "d.nq"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
}

fn ask(folder: &Path, question: &[&str]) -> Ran {
    let mut arguments: Vec<String> = question.iter().map(ToString::to_string).collect();
    if question[0] == "query" {
        let text = arguments.pop().unwrap();
        arguments.push(format!("{PREFIXES}{text}"));
    }
    arguments.extend(["--snapshot", "s.kgq"].map(ToOwned::to_owned));
    program::run(folder, &arguments)
}

fn is_refused(ran: &Ran) -> bool {
    ran.code == 4 && ran.stderr.contains("s.kgq: ") && ran.stderr.contains("snapshot")
}

/// Calls `one` with each round and a folder that has a copy of the snapshot, on all processors at once. Returns the sum of the
/// results.
fn rounds(count: usize, snapshot: &Path, one: impl Fn(usize, &Path) -> usize + Sync) -> usize {
    let next = AtomicUsize::new(0);
    let work = || {
        let own = tempfile::tempdir().unwrap();
        std::fs::copy(snapshot, own.path().join("s.kgq")).unwrap();
        let numbers =
            std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|round| *round < count);
        numbers.map(|round| one(round, own.path())).sum::<usize>()
    };
    thread::scope(|scope| {
        let processors = thread::available_parallelism().map_or(2, usize::from);
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    })
}

#[test]
fn a_flipped_bit_is_refused_or_changes_nothing() {
    /// More than the size up to which a snapshot is checked when it is opened.
    const LAZY: u64 = 8 << 20;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(folder, 30_000);
    let path = folder.join("s.kgq");
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(length > LAZY, "{length} bytes are checked when they are opened");
    let expected: Vec<Ran> = QUESTIONS.iter().map(|question| ask(folder, question)).collect();
    let refused = rounds(number("KGQ_FLIPS").unwrap_or(3), &path, |round, folder| {
        let mut random = fastrand::Rng::with_seed(700 + round as u64);
        // Small tables come before large ones, so every third flip is in the first MiB.
        let at = next(&mut random) as u64 % if round % 3 == 0 { 1 << 20 } else { length };
        let (file, mut byte) = (File::options().read(true).write(true).open(folder.join("s.kgq")).unwrap(), [0]);
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1 << (round % 8)], at).unwrap();
        let mut refused = 0;
        for (question, expected) in QUESTIONS.iter().zip(&expected) {
            let ran = ask(folder, question);
            let told = format!("byte {at}, {question:?}: {ran:?}");
            if is_refused(&ran) {
                refused += 1;
                assert!(expected.stdout.starts_with(&ran.stdout), "{told}");
            } else {
                let both = |ran: &Ran| (ran.code, ran.stdout.clone(), ran.stderr.clone());
                assert_eq!(both(&ran), both(expected), "{told}");
            }
        }
        file.write_all_at(&byte, at).unwrap();
        refused
    });
    assert!(refused > 0, "no flip was met");
}

#[test]
fn a_query_over_the_runs_of_a_damaged_index_is_refused_and_not_endless() {
    /// The number of bytes that each checksum covers.
    const BLOCK: u64 = 64 << 10;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(folder, 13_500);
    let question = ["query", "SELECT (MIN(?o) AS ?a) (MAX(?o) AS ?z) { ?s ?p ?o }"];
    let expected = ask(folder, &question);
    let file = File::options().read(true).write(true).open(folder.join("s.kgq")).unwrap();
    let mut refused = 0;
    // The first rows of runs are at the beginning of the file.
    for at in (0..16).map(|block| 4096 + BLOCK * block + BLOCK / 2) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 4], at).unwrap();
        let ran = ask(folder, &question);
        refused += usize::from(is_refused(&ran));
        assert!(is_refused(&ran) || (ran.code, &ran.stdout) == (0, &expected.stdout), "byte {at}: {ran:?}");
        file.write_all_at(&byte, at).unwrap();
    }
    assert!(refused > 0, "no flip was met");
}

/// Writes valid checksums into a snapshot: one for each 64 KiB after the header's page, one for those, one for the header.
fn sign(bytes: &mut [u8]) {
    const HEADER: usize = 4096;
    let body_end = u64::from_ne_bytes(bytes[16..24].try_into().unwrap()) as usize;
    let sums: Vec<u8> = bytes[HEADER..body_end].chunks(64 << 10).flat_map(|block| crc32(block).to_ne_bytes()).collect();
    bytes[body_end..body_end + sums.len()].copy_from_slice(&sums);
    bytes[64..68].copy_from_slice(&crc32(&sums).to_ne_bytes());
    let header = crc32(&bytes[..HEADER - 4]);
    bytes[HEADER - 4..HEADER].copy_from_slice(&header.to_ne_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[test]
fn a_snapshot_with_right_checksums_and_wrong_content_ends_nothing_in_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(folder, 60);
    let path = folder.join("s.kgq");
    let sound = std::fs::read(&path).unwrap();
    let body_end = u64::from_ne_bytes(sound[16..24].try_into().unwrap()) as usize;
    let refused = rounds(number("KGQ_FORGED").unwrap_or(4), &path, |round, folder| {
        let mut random = fastrand::Rng::with_seed(1100 + round as u64);
        let mut forged = sound.clone();
        for _ in 0..[1, 1, 3, 20][round % 4] {
            // Changes words of the body; sometimes the position of a section.
            let table = 72 + next(&mut random) % 200 * 4;
            let at = if next(&mut random).is_multiple_of(10) {
                table
            } else {
                4096 + next(&mut random) % (body_end - 4100) / 4 * 4
            };
            let word = [0, u32::MAX, next(&mut random) as u32, next(&mut random) as u32 % 2000][next(&mut random) % 4];
            forged[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        sign(&mut forged);
        std::fs::write(folder.join("s.kgq"), &forged).unwrap();
        let answered = QUESTIONS.iter().map(|question| {
            let ran = ask(folder, question);
            // Content that is wrong but plausible is accepted; a limit may be exceeded first.
            assert!((0..=5).contains(&ran.code), "round {round}, {question:?}: {ran:?}");
            usize::from(is_refused(&ran))
        });
        answered.sum()
    });
    assert!(refused > 0, "no forgery was noticed");
}

/// Runs a long query, and calls `disturb` once the program has mapped the snapshot.
fn disturbed(folder: &Path, disturb: impl FnOnce(&File)) -> Ran {
    let long =
        "SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f FILTER(STR(?b) < STR(?d) && STR(?d) < STR(?f)) }";
    let arguments = ["query", "--snapshot", "s.kgq", "--timeout", "10s", long];
    let child = program::command(folder).args(arguments).spawn().unwrap();
    let maps = format!("/proc/{}/maps", child.id());
    while !std::fs::read_to_string(&maps).unwrap_or_default().contains("s.kgq") {
        std::thread::yield_now();
    }
    disturb(&File::options().write(true).open(folder.join("s.kgq")).unwrap());
    program::finish(child)
}

#[test]
#[cfg(target_os = "linux")]
fn a_snapshot_that_is_cut_or_overwritten_while_it_is_read_gives_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(folder, 20);
    let cut = disturbed(folder, |file| file.set_len(0).unwrap());
    let rows = |ran: &Ran| ran.text().lines().skip(1).count();
    assert_eq!((cut.code, rows(&cut)), (4, 0), "{}", cut.stderr);
    let is_told = ["was cut", "was changed", "is damaged"].iter().any(|told| cut.stderr.contains(told));
    assert!(is_told, "{}", cut.stderr);
    build(folder, 20);
    let overwritten = disturbed(folder, |file| {
        file.write_all_at(&vec![0; 65536], 4096).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    });
    // The change is noticed before rows are written out; overwritten data may keep the query busy until its time is up.
    assert!(
        [4, 5].contains(&overwritten.code) && rows(&overwritten) == 0,
        "{}: {}",
        overwritten.code,
        overwritten.stderr
    );
    // If a block is read before the modification time is checked, it is reported as damaged.
    let is_told = ["was changed", "is damaged"].iter().any(|told| overwritten.stderr.contains(told));
    assert!(overwritten.code == 5 || is_told, "{}", overwritten.stderr);
}
