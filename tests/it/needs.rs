//! External things that some tests need. Without them the tests skip themselves and say so. `KGQ_REQUIRE=tools,shared` makes that
//! a failure for tools (tmux, git, openssl, node) and for the contents of `../shared` (the W3C suites, the article), so that a full run
//! cannot pass by skipping.

use std::io::Write;
use std::path::PathBuf;

/// Reports that a test was skipped because this is missing, a tool or a part of `shared`; fails if that kind is required.
fn absent(kind: &str, what: &str) {
    let required = std::env::var("KGQ_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|k| k == kind), "{what} is not here, and KGQ_REQUIRE={required}");
    // The harness shows a test's prints only with --nocapture, but a skipped test should always say so.
    let _ = std::io::stderr().write_all(format!("skipped: {what} is not here\n").as_bytes());
}

pub fn absent_tool(name: &str) {
    absent("tools", name);
}

pub fn absent_file(path: &str) {
    absent("shared", path);
}

/// The files of the W3C suites with one of these endings; empty, with a message, if the suites are missing.
pub fn w3c_files(endings: &[&str]) -> Vec<PathBuf> {
    let root = std::env::var_os("KGQ_W3C").map_or_else(|| "../shared/w3c".into(), PathBuf::from);
    let mut files = Vec::new();
    crate::tokens::files(&root, endings, &mut files);
    if files.is_empty() {
        absent_file(&root.display().to_string());
    }
    files.sort();
    files
}
