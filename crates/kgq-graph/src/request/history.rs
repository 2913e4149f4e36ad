//! When the statements about each thing last changed: the newest line that states one. The caller passes in when each
//! line was written.

use crate::project::Project;
use kgq_syntax::diagnose::Known;
use kgq_syntax::error::Source;
use kgq_syntax::rdf::{NamedOrBlankNode, RdfFormat};
use kgq_syntax::turtle::tree::Dialect;
use kgq_syntax::turtle::{self, triples::triples};
use rustc_hash::FxHashMap;
use std::path::Path;

/// For each line of a file, the time at which it was committed, in seconds since 1970; `None` for a line that is not committed yet.
pub type LineTimes = Vec<Option<i64>>;

/// Returns the day of the last change for each IRI. `times` returns the times of a file's lines, if the file is known.
pub fn last_changes(
    project: &Project,
    base: &str,
    times: &dyn Fn(&Path) -> Option<LineTimes>,
) -> FxHashMap<String, String> {
    let mut newest: FxHashMap<String, i64> = FxHashMap::default();
    for file in project.files().unwrap_or_default() {
        let dialect = match RdfFormat::from_path(&file.name) {
            Some(RdfFormat::Turtle) => Dialect::Turtle,
            Some(RdfFormat::TriG) => Dialect::TriG,
            _ => continue,
        };
        let Ok(text) = std::fs::read_to_string(&file.path) else { continue };
        let Some(times) = times(&file.path) else { continue };
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

/// Formats the UTC day of a time: the civil calendar from a count of days, by eras of 400 years.
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
    fn a_thing_changed_when_the_newest_line_of_its_statements_did() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kgq.toml"), "name = \"t\"\ndata = [\"*.ttl\"]\n").unwrap();
        let text = "@prefix e: <http://e/> .\ne:a e:p 1 ;\n  e:p 2 .\ne:b e:p 3 .\n_:x e:p 4 .\n";
        std::fs::write(folder.path().join("d.ttl"), text).unwrap();
        let project = Project::find(folder.path()).unwrap().unwrap();
        let days = |times: LineTimes| {
            let mut changes: Vec<_> =
                last_changes(&project, "http://e/", &|_| Some(times.clone())).into_iter().collect();
            changes.sort();
            changes
        };
        let of = |thing: &str, day: &str| (format!("http://e/{thing}"), day.to_owned());
        let first = vec![Some(0); 5];
        assert_eq!(days(first), [of("a", "1970-01-01"), of("b", "1970-01-01")]);
        let later = vec![Some(0), Some(0), Some(951_782_400), None, Some(0)];
        assert_eq!(days(later), [of("a", "2000-02-29")]);
        assert_eq!(last_changes(&project, "http://e/", &|_| None).len(), 0);
    }

    #[test]
    fn seconds_become_days_of_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(1_745_280_000), "2025-04-22");
    }
}
