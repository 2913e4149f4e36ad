//! The formatter on many files: the graph stays, comments stay, and a second time changes nothing.

use kgq_graph::format;
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::Source;
use kgq_syntax::turtle::{self, tree::Dialect};
use kgq_syntax::{Kind, diagnose::Known};
use std::path::Path;

fn comments(text: &str) -> Vec<String> {
    let tokens = turtle::tokenize(text);
    let mut comments: Vec<String> =
        tokens.iter().filter(|t| t.kind == Kind::Comment).map(|t| t.text(text).trim_end().to_owned()).collect();
    comments.sort();
    comments
}

/// What is wrong with the formatted text, if anything is.
fn fault(path: &Path, text: &str) -> Option<String> {
    let dialect = if path.extension().is_some_and(|e| e == "trig") { Dialect::TriG } else { Dialect::Turtle };
    let source = Source::new("f", text);
    let once = match format::turtle(source, dialect, &Bounds::default()) {
        Ok(once) => once,
        // A prefix that changes its meaning, or a second base, is refused with the reason.
        Err(error) if error.message().contains("two meanings") || error.message().contains("second base") => {
            return None;
        }
        // What the walk finds no mistake in, but oxttl does, is no input of the formatter.
        Err(error) if turtle::parse(source, dialect, Known { prefixes: &[], base: true }).is_err() => {
            return (error.kind() == kgq_syntax::error::Kind::Bug).then(|| error.to_string());
        }
        Err(error) if error.kind() == kgq_syntax::error::Kind::Input => return None,
        Err(error) => return Some(error.to_string()),
    };
    let twice = match format::turtle(Source::new("f", &once), dialect, &Bounds::default()) {
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

/// The text with a comment in every few gaps between tokens.
fn with_comments(text: &str, every: usize, comment: &str) -> String {
    let mut out = String::new();
    for (i, token) in turtle::tokenize(text).iter().enumerate() {
        out.push_str(token.text(text));
        if token.kind == Kind::Whitespace && i % every == 0 {
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
    assert_eq!(fmt(folder.path(), &["a.rdf"]).0, 2);
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
            format::turtle(Source::new("f", &text), Dialect::Turtle, &Bounds::default()).expect("it parses");
        assert!(formatted == text, "{} is not formatted: run `kgq fmt`", path.display());
    }
}
