//! What some tests need from outside. Without it they pass over themselves, and say so. `KGQ_REQUIRE=tools,shared` makes that a
//! failure for tools (tmux, git, openssl) and for what lies in `../shared` (the W3C suites, the article), so that a run that counts
//! cannot pass by finding nothing.

use std::io::Write;
use std::path::PathBuf;

/// Says that a test did nothing for want of this, which is a tool or part of `shared`; fails where that kind is required.
fn absent(kind: &str, what: &str) {
    let required = std::env::var("KGQ_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|k| k == kind), "{what} is not here, and KGQ_REQUIRE={required}");
    // The harness shows what a test prints only with --nocapture; a test that did nothing should say so there.
    let _ = std::io::stderr().write_all(format!("skipped: {what} is not here\n").as_bytes());
}

pub fn absent_tool(name: &str) {
    absent("tools", name);
}

pub fn absent_file(path: &str) {
    absent("shared", path);
}

/// The W3C suites' files with one of these endings; none, and said, where the suites are not.
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
