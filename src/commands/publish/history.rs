//! Finds out from git when lines of files were committed. Without git, nothing is known.

use crate::git;
use kgq_graph::request::history::LineTimes;
use std::path::Path;

/// The commit times of a file's lines; `None` if git does not track the file.
pub fn line_times(root: &Path, file: &Path) -> Option<LineTimes> {
    let told = git::blame(root, file, []).ok()?;
    let mut times = Vec::new();
    let (mut time, mut committed) = (None, true);
    for line in told.lines() {
        if line.starts_with('\t') {
            times.push(time.filter(|_| committed));
        } else if let Some(seconds) = line.strip_prefix("committer-time ") {
            time = seconds.parse().ok();
        } else if let Some(hash) =
            line.split(' ').next().filter(|word| word.len() >= 40 && word.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            // A line not yet committed has a hash of zeros.
            committed = hash.bytes().any(|b| b != b'0');
        }
    }
    Some(times)
}
