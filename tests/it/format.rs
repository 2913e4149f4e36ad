//! The formatter on many files: the graph and the comments stay, and formatting again changes nothing.

use crate::dice::Dice;
use kgq_graph::format;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Source;
use kgq_syntax::turtle::{self, tree::Dialect};
use kgq_syntax::{TokenKind, diagnose::Known};
use std::collections::BTreeSet;
use std::path::Path;

fn comments(text: &str) -> Vec<String> {
    let tokens = turtle::tokenize(text);
    let mut comments: Vec<String> =
        tokens.iter().filter(|t| t.kind == TokenKind::Comment).map(|t| t.text(text).trim_end().to_owned()).collect();
    comments.sort();
    comments
}

/// Describes what is wrong with the formatted text, if anything is.
fn fault(path: &Path, text: &str) -> Option<String> {
    let dialect = if path.extension().is_some_and(|e| e == "trig") { Dialect::TriG } else { Dialect::Turtle };
    let source = Source::new("f", text);
    let once = match format::turtle(source, dialect, &Bounds::default(), &Budget::default()) {
        Ok(once) => once,
        // A text that oxttl rejects is no input for the formatter, even if our parser accepts it.
        Err(error) if turtle::parse(source, dialect, Known { prefixes: &[], base: true }).is_err() => {
            return (error.kind() == kgq_syntax::error::Kind::Bug).then(|| error.to_string());
        }
        Err(error) if error.kind() == kgq_syntax::error::Kind::Input => return None,
        Err(error) => return Some(error.to_string()),
    };
    let twice = match format::turtle(Source::new("f", &once), dialect, &Bounds::default(), &Budget::default()) {
        Ok(twice) => twice,
        Err(error) => return Some(format!("a second time: {error}\n{once}")),
    };
    if once != twice {
        return Some(format!("a second time it differs\n--- once\n{once}\n--- twice\n{twice}"));
    }
    if comments(text) != comments(&once) {
        return Some(format!("comments differ\n{once}"));
    }
    None
}

/// The text with a comment in every `every`-th gap between tokens.
fn with_comments(text: &str, every: usize, comment: &str) -> String {
    let mut out = String::new();
    for (i, token) in turtle::tokenize(text).iter().enumerate() {
        out.push_str(token.text(text));
        if token.kind == TokenKind::Whitespace && i % every == 0 {
            out.push_str(&format!("{comment}{i}\n"));
        }
    }
    out
}

#[test]
fn w3c_files_keep_graph_and_comments_and_a_second_time_changes_nothing() {
    let files = crate::needs::w3c_files(&["ttl", "trig"]);
    let mut wrong = Vec::new();
    for (i, path) in files.iter().enumerate() {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let commented =
            if i % 2 == 0 { with_comments(&text, 3, "# c") } else { with_comments(&text, 2, "\n\n# a\n# b\n") };
        for text in [text, commented] {
            if let Some(fault) = fault(path, &text) {
                wrong.push(format!("{}: {fault}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// A document that declares a few prefixes and perhaps a base, anywhere, and uses them. Its comments are numbered from this number on: of equal
/// declarations with equal comments, one stays.
fn document(random: &mut Dice, number: &mut usize) -> String {
    const PREFIXES: [&str; 4] = ["", "a", "b", "c"];
    const NAMESPACES: [&str; 6] = ["http://x/", "http://x/y#", "http://y/", "rel/", "#", ""];
    const BASES: [&str; 3] = ["http://one/", "http://two/d", "sub/"];
    let mut out = String::new();
    let mut known: Vec<&str> = Vec::new();
    for _ in 0..2 + random.below(10) {
        *number += 1;
        let i = *number;
        match random.below(9) {
            0 => out.push_str(&format!("@base <{}> .", BASES[random.below(3)])),
            1..=3 => {
                let prefix = PREFIXES[random.below(4)];
                known.push(prefix);
                out.push_str(&format!("PREFIX {prefix}: <{}>", NAMESPACES[random.below(6)]));
            }
            _ => {
                let mut term = || match random.below(3) {
                    0 if !known.is_empty() => format!("{}:n{}", known[random.below(known.len())], random.below(3)),
                    1 => format!("<n{}>", random.below(3)),
                    _ => format!("<{}n{}>", NAMESPACES[random.below(3)], random.below(3)),
                };
                out.push_str(&format!("{} {} {} .", term(), term(), term()));
            }
        }
        match random.below(4) {
            0 => out.push_str(&format!(" # c{i}\n")),
            1 => out.push_str(&format!("\n\n# d{i}\n# e{i}\n\n")),
            2 => out.push_str(&format!("\n# f{i}\n")),
            _ => out.push(' '),
        }
    }
    out
}

fn graph(text: &str) -> BTreeSet<String> {
    let parser = oxttl::TriGParser::new().with_base_iri("http://file/f").expect("an IRI");
    parser.for_slice(text).map(|quad| quad.expect("it parses").to_string()).collect()
}

#[test]
fn documents_one_behind_the_other_keep_their_graphs_whatever_their_prefixes_mean() {
    let mut several = 0;
    let count = crate::updates::number("KGQ_FORMATS", 300);
    for seed in 0..count {
        let mut random = Dice::of_state(seed);
        let format = |text: &str| {
            assert!(
                fault(Path::new("f.trig"), text).is_none(),
                "seed {seed}: {}\n--- of\n{text}",
                fault(Path::new("f.trig"), text).unwrap_or_default()
            );
            format::turtle(Source::new("f", text), Dialect::TriG, &Bounds::default(), &Budget::default())
                .expect("it was formatted just now")
        };
        let mut number = 0;
        let parts: Vec<String> = (0..1 + random.below(4)).map(|_| document(&mut random, &mut number)).collect();
        let raw = parts.join("\n");
        let formatted = format(&raw);
        assert_eq!(graph(&formatted), graph(&raw), "seed {seed}:\n{raw}");
        let joined: String = parts.iter().map(|part| format(part)).collect();
        let again = format(&joined);
        assert_eq!(graph(&again), graph(&joined), "seed {seed}:\n{joined}");
        several += usize::from(again.matches("@prefix a:").count() > 1);
    }
    assert!(several as u64 > count / 10, "only {several} documents had several parts");
}

fn fmt(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_kgq"))
        .args(["-C".as_ref(), folder.as_os_str(), "fmt".as_ref()])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (run.status.code().unwrap_or(-1), text(&run.stdout), text(&run.stderr))
}

#[test]
fn fmt_names_what_would_change_then_writes_it_and_leaves_broken_files_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file can be written");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file can be read");
    write("kgq.toml", "name = \"t\"\ndata = [\"*.ttl\"]\n");
    write("a.ttl", "@prefix ex: <http://ex/> . ex:a ex:p 1 .");
    let (code, out, _) = fmt(folder.path(), &["--check"]);
    assert_eq!((code, out.as_str(), read("a.ttl").lines().count()), (1, "a.ttl\n", 1));
    let (code, out, err) = fmt(folder.path(), &[]);
    assert_eq!((code, out.as_str(), err.trim()), (0, "a.ttl\n", "1 of 1 file changed"));
    assert_eq!(read("a.ttl"), "@prefix ex: <http://ex/> .\n\nex:a\n    ex:p 1 ;\n.\n");
    assert_eq!(fmt(folder.path(), &["--check"]).0, 0);

    let broken = "@prefix ex: <http://ex/> . ex:a ex:p \"1 .";
    write("b.ttl", broken);
    write("c.ttl", "<http://ex/a> <http://ex/p> 1 .");
    let (code, out, err) = fmt(folder.path(), &[]);
    assert_eq!((code, out.as_str(), read("b.ttl").as_str()), (3, "c.ttl\n", broken));
    assert!(err.contains("b.ttl:1:38: this string is never closed"), "{err}");
    let (code, _, err) = fmt(folder.path(), &["a.tll"]);
    assert_eq!(code, 4);
    assert!(err.contains("no such file") && err.contains("a.ttl"), "{err}");
    write("a.rdf", "");
    assert_eq!(fmt(folder.path(), &["a.rdf"]).0, 2);
}

#[cfg(unix)]
#[test]
fn more_files_are_formatted_than_may_be_open_at_first() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names: Vec<String> = (0..100).map(|n| format!("{n}.ttl")).collect();
    for name in &names {
        std::fs::write(folder.path().join(name), "<http://ex/a> <http://ex/p> 1 .").expect("a file can be written");
    }
    let run = std::process::Command::new("sh")
        .args(["-c", "ulimit -S -n 64; exec \"$0\" fmt \"$@\"", env!("CARGO_BIN_EXE_kgq")])
        .args(&names)
        .current_dir(folder.path())
        .output()
        .expect("the program runs");
    let err = String::from_utf8_lossy(&run.stderr);
    assert_eq!((run.status.code(), err.trim()), (Some(0), "100 of 100 files changed"));
}

#[test]
fn the_projects_own_files_and_those_of_a_new_project_are_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["ontology", "data", "src/commands/new"] {
        crate::tokens::files(&root.join(folder), &["ttl", "trig"], &mut files);
    }
    assert!(!files.is_empty());
    for path in files {
        let text = std::fs::read_to_string(&path).expect("the file is part of the repository");
        let formatted =
            format::turtle(Source::new("f", &text), Dialect::Turtle, &Bounds::default(), &Budget::default())
                .expect("it parses");
        assert!(formatted == text, "{} is not formatted: run `kgq fmt`", path.display());
    }
}
