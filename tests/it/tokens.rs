//! The tokenizers on many inputs: W3C's files, mutations of them, noise, and texts designed to be slow. `KGQ_TOKENS` is how many of
//! W3C's files are read.

use super::dice::Dice;
use super::updates::number;
use kgq_syntax::diagnose::{self, Known};
use kgq_syntax::error::Source;
use kgq_syntax::highlight::highlight;
use kgq_syntax::rdf::blank::renamed;
use kgq_syntax::rdf::{BlankNode, Quad};
use kgq_syntax::turtle::pieces::{Pieces, Start};
use kgq_syntax::turtle::{tree::Dialect, triples::Located, triples::triples};
use kgq_syntax::{Span, Token, bounds::Bounds, guard::Guard, sparql, turtle};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TOKENIZERS: [fn(&str) -> Vec<Token>; 2] = [sparql::tokenize, turtle::tokenize];

#[track_caller]
fn assert_lossless(text: &str) {
    for tokenize in TOKENIZERS {
        let tokens = tokenize(text);
        let mut at = 0;
        for token in &tokens {
            assert!(token.start == at && token.end > at, "a gap or an empty token at {at} in {text:?}");
            assert!(text.is_char_boundary(token.end), "a split character at {} in {text:?}", token.end);
            at = token.end;
        }
        assert_eq!(at, text.len(), "{text:?}");
    }
    let tokens = sparql::tokenize(text);
    sparql::undeclared_prefixes(text, &tokens);
    sparql::parameters(text, &tokens);
    sparql::base(text, &tokens);
    sparql::unfinished(text);
    let source = Source::new("q", text);
    diagnose::query(source, "error at 1:1: expected x", Known::default());
    diagnose::update(source, "error at 2:3: expected x", Known::default());
    for dialect in [Dialect::Turtle, Dialect::TriG, Dialect::NQuads] {
        if let Ok(document) = turtle::parse(source, dialect, Known { base: true, ..Known::default() }) {
            let whole: Vec<Located> = triples(text, &document, Some("http://example.org/")).collect();
            for size in [1, 60] {
                assert_eq!(in_pieces(text, dialect, size).unwrap(), without_labels(&whole, 0), "{size} in {text:?}");
            }
        }
    }
    highlight(text, None, &|_| true);
}

/// The triples of a text that is read in pieces, with their places in the whole text. Each piece is read again from its
/// start.
fn in_pieces(text: &str, dialect: Dialect, size: usize) -> std::io::Result<Vec<(Quad, Span, Span, Span)>> {
    let (mut pieces, mut found) =
        (Pieces::new(text.as_bytes(), dialect, Start::of_text(Some("http://example.org/")), size), Vec::new());
    while let Some(piece) = pieces.read(&mut |_| Ok(()))? {
        let offset = piece.start.offset as usize;
        assert!(text[offset..].starts_with(piece.text) && !piece.text.is_empty(), "{text:?}");
        assert_eq!(piece.start.line, text[..offset].matches('\n').count() + 1);
        let mut again = Pieces::new(&text.as_bytes()[offset..], dialect, piece.start.clone(), size);
        assert_eq!(again.read(&mut |_| Ok(()))?.map(|piece| piece.triples), Some(piece.triples.clone()));
        found.extend(without_labels(&Vec::from(piece.triples), offset));
    }
    Ok(found)
}

/// Triples with the places of subject, predicate and object; blank nodes without a label are named after their places.
fn without_labels(triples: &[Located], offset: usize) -> Vec<(Quad, Span, Span, Span)> {
    let any = |_: &BlankNode| BlankNode::new_unchecked("any");
    let moved = |span: &Span| span.start + offset..span.end + offset;
    let places = |t: &Located| (moved(&t.subject), moved(&t.predicate), moved(&t.object));
    let of = |t: &Located| (renamed(&t.quad, &any), places(t));
    triples.iter().map(of).map(|(quad, (s, p, o))| (quad, s, p, o)).collect()
}

pub fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        if path.is_dir() {
            files(&path, endings, found);
        } else if path.extension().is_some_and(|e| endings.iter().any(|k| e == *k)) {
            found.push(path);
        }
    }
}

#[test]
fn tokens_are_lossless_on_w3c_files_and_mutations_of_them() {
    let found = crate::needs::w3c_files(&["rq", "ru", "ttl", "trig", "nt", "nq"]);
    let mut random = Dice::of_state(1);
    const MARKS: &[&str] =
        &["<", "\"", "'''", "\\", "{", ")", ">>", "<<(", "?", ":", "@", "，", "\u{0}", "_:", "-", ".", "#", "é"];
    let step = (found.len() / number("KGQ_TOKENS", 800) as usize).max(1);
    for path in found.into_iter().step_by(step) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if text.len() > 50_000 {
            continue;
        }
        assert_lossless(&text);
        let mut changed: Vec<char> = text.chars().collect();
        for _ in 0..2 {
            let at = random.below(changed.len() + 1);
            match random.below(3) {
                0 if at < changed.len() => drop(changed.remove(at)),
                1 => changed.truncate(at.max(changed.len() / 2)),
                _ => drop(changed.splice(at..at, MARKS[random.below(MARKS.len())].chars())),
            }
            assert_lossless(&changed.iter().collect::<String>());
        }
    }
}

#[test]
fn tokens_are_lossless_on_noise() {
    let mut random = Dice::of_state(2);
    const PIECES: &[&str] = &[
        "<",
        ">",
        "<<",
        "(",
        ")>>",
        "{|",
        "a",
        "ex:",
        "?x",
        "$",
        "\"",
        "'''",
        "\\",
        "\\u00e9",
        "1",
        ".",
        "e",
        "-",
        "@en",
        "--",
        "_:",
        "#",
        "\n",
        " ",
        "，",
        "“",
        "\u{0}",
        "\u{10ffff}",
        "é",
        "%",
        "%41",
        "://",
        "\u{300}",
        "SELECT",
        "@prefix",
    ];
    for _ in 0..4_000 {
        let text: String = (0..random.below(24)).map(|_| PIECES[random.below(PIECES.len())]).collect();
        assert_lossless(&text);
        let bytes: Vec<u8> = (0..random.below(24)).map(|_| random.below(256) as u8).collect();
        assert_lossless(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn texts_made_to_be_slow_are_not() {
    for piece in [
        "<",
        "<http://a ",
        "a.",
        "ex:a.",
        "a-",
        "\"",
        "'''",
        "?",
        "_:a.",
        "@a-",
        "1e",
        "\\",
        "((",
        "a.é",
        "<urn:x{",
        "%",
        "..",
        "ex:.:",
    ] {
        let cost = |bytes: usize| {
            let text = piece.repeat(bytes / piece.len());
            let runs = (0..3).map(|_| {
                let before = processor_time();
                for tokenize in TOKENIZERS {
                    tokenize(&text);
                }
                // The guard's result does not matter here, only its speed.
                let _ = Guard::new(text.as_bytes(), "f", Bounds::default()).read_to_end(&mut Vec::new());
                processor_time() - before
            });
            runs.min().unwrap()
        };
        // Sixteen times the text takes some sixteen times the work, where a loop in a loop would take 256 times.
        let (small, large) = (cost(1 << 14), cost(1 << 18));
        assert!(
            large < 80 * small.max(Duration::from_micros(50)),
            "{piece:?} took {small:?}, 16 times as much {large:?}"
        );
    }
}

/// The time that a processor gave to this thread, whatever else the machine does.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn the_deepest_text_that_any_setting_allows_is_walked_on_a_small_stack() {
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("[ <http://p> ", "]"),
        ("IF(1, 2, ", ")"),
        ("{ FILTER NOT EXISTS ", "}"),
        ("{ SELECT * ", "}"),
        ("<< ", ">>"),
        ("<http://s> <http://p> 1 {| <http://p> ", "|}"),
    ] {
        let depths = [120, 155, 990];
        for (before, after) in [("ASK { FILTER(", ") }"), ("SELECT * ", ""), ("<http://s> <http://p> ", " .")] {
            for depth in depths {
                let around =
                    |inner: &str| format!("{before}{}{inner}{}{after}", open.repeat(depth), close.repeat(depth));
                for text in [around("1 1"), around("1"), around("")] {
                    let source = Source::new("q", &text);
                    diagnose::query(source, "error at 1:1: expected x", Known::default());
                    diagnose::update(source, "error at 1:1: expected x", Known::default());
                    if let Ok(document) = turtle::parse(source, Dialect::TriG, Known::default()) {
                        assert!(triples(&text, &document, None).count() > 0);
                    }
                }
            }
        }
    }
}
