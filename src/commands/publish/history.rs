//! When what is said of each thing last changed, as git knows: the newest line of its statements. Without git, or for lines not yet
//! committed, nothing is known.

use kgq_graph::project::Project;
use kgq_syntax::diagnose::Known;
use kgq_syntax::error::Source;
use kgq_syntax::rdf::{NamedOrBlankNode, RdfFormat};
use kgq_syntax::turtle::tree::Dialect;
use kgq_syntax::turtle::{self, triples::triples};
use rustc_hash::FxHashMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// The day of the last change, by IRI.
pub fn last_changes(project: &Project, base: &str) -> FxHashMap<String, String> {
    let mut newest: FxHashMap<String, i64> = FxHashMap::default();
    for file in project.files().unwrap_or_default() {
        let dialect = match RdfFormat::from_path(&file.name) {
            Some(RdfFormat::Turtle) => Dialect::Turtle,
            Some(RdfFormat::TriG) => Dialect::TriG,
            _ => continue,
        };
        let Ok(text) = std::fs::read_to_string(&file.path) else { continue };
        let Some(times) = line_times(&project.root, &file.path) else { continue };
        let Ok(document) = turtle::parse(Source::new(&file.name, &text), dialect, Known { prefixes: &[], base: true })
        else {
            continue;
        };
        let starts: Vec<usize> = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1))
            .collect();
        let line = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
        for found in triples(&text, &document, Some(base)) {
            let NamedOrBlankNode::NamedNode(subject) = &found.quad.subject else { continue };
            let lines = line(found.predicate.start)..=line(found.object.end.saturating_sub(1));
            let last = times.get(lines).into_iter().flatten().flatten().max();
            if let Some(time) = last {
                let known = newest.entry(subject.as_str().to_owned()).or_insert(*time);
                *known = (*known).max(*time);
            }
        }
    }
    newest.into_iter().map(|(iri, time)| (iri, day(time))).collect()
}

/// For each line of a file, the time at which it was committed, in seconds since 1970; `None` for the file if git does not know it.
fn line_times(root: &Path, file: &Path) -> Option<Vec<Option<i64>>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["-c", "core.fsmonitor=false", "blame", "--line-porcelain", "--"])
        .arg(file)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let mut times = Vec::new();
    let (mut time, mut committed) = (None, true);
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if line.starts_with('\t') {
            times.push(time.filter(|_| committed));
        } else if let Some(seconds) = line.strip_prefix("committer-time ") {
            time = seconds.parse().ok();
        } else if let Some(hash) =
            line.split(' ').next().filter(|word| word.len() >= 40 && word.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            // A line that is not committed yet has a hash of zeros.
            committed = hash.bytes().any(|b| b != b'0');
        }
    }
    Some(times)
}

/// The day of a time, in UTC: the civil calendar from a count of days, by eras of 400 years.
fn day(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_days_of_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(1_745_280_000), "2025-04-22");
    }
}
