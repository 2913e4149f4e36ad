//! The formatter on many files: the graph stays, comments stay, and a second time changes nothing.

use kgq::error::Source;
use kgq::format;
use kgq::syntax::bounds::Bounds;
use kgq::syntax::turtle::{self, tree::Dialect};
use kgq::syntax::{Kind, diagnose::Known};
use std::path::{Path, PathBuf};

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
            return (error.kind() == kgq::error::Kind::Bug).then(|| error.to_string());
        }
        Err(error) if error.kind() == kgq::error::Kind::Input => return None,
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
    let root = std::env::var_os("KGQ_W3C").map_or_else(|| PathBuf::from("../shared/w3c"), PathBuf::from);
    let mut files = Vec::new();
    crate::tokens::files(&root, &["ttl", "trig"], &mut files);
    if files.is_empty() {
        eprintln!("skipped: no W3C files under {}", root.display());
        return;
    }
    files.sort();
    let mut wrong = Vec::new();
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let texts = [text.clone(), with_comments(&text, 3, "# c"), with_comments(&text, 2, "\n\n# a\n# b\n")];
        for text in texts {
            if let Some(fault) = fault(&path, &text) {
                wrong.push(format!("{}: {fault}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n\n"));
}
