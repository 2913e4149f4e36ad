//! A baseline: a file of known findings, so that only new ones make a check fail.
//!
//! A finding is identified by its code, file and message, not by its line: moving a statement makes no finding new.

use super::finding::Finding;
use super::report::Report;
use kgq_syntax::error::{Error, Result, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Known findings.
#[derive(Clone, Debug, Default)]
pub struct Baseline(BTreeMap<Key, usize>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    file: String,
    code: String,
    message: String,
}

impl Key {
    fn of(finding: &Finding) -> Self {
        Self {
            file: finding.place.file.clone(),
            code: finding.code.clone().into_owned(),
            message: finding.message.clone(),
        }
    }
}

/// The file format: JSON with one entry for each finding, ordered by file and code, so that changes to it are easy to
/// read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kgq_baseline: u32,
    findings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    code: String,
    message: String,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    count: usize,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

const VERSION: u32 = 1;

impl Baseline {
    /// All findings of a report.
    pub fn of(report: &Report) -> Self {
        let mut known = BTreeMap::new();
        for finding in &report.findings {
            *known.entry(Key::of(finding)).or_default() += 1;
        }
        Self(known)
    }

    pub fn len(&self) -> usize {
        self.0.values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn parse(source: Source<'_>) -> Result<Self> {
        let file: File = serde_json::from_str(source.text).map_err(|e| {
            let lines: usize = source.text.split_inclusive('\n').take(e.line().saturating_sub(1)).map(str::len).sum();
            let at = lines + e.column().saturating_sub(1);
            Error::input(format!("this is no baseline of findings: {e}"))
                .at(source.place(at..at + 1))
                .hint("`kgq check --baseline FILE --update-baseline` writes one")
        })?;
        if file.kgq_baseline != VERSION {
            let message = format!("this baseline is of version {}; this kgq reads {VERSION}", file.kgq_baseline);
            return Err(Error::input(message).at(source.place(0..0)));
        }
        let mut known = BTreeMap::new();
        for Entry { file, code, message, count } in file.findings {
            *known.entry(Key { file, code, message }).or_default() += count;
        }
        Ok(Self(known))
    }

    pub fn text(&self) -> Result<String> {
        let entry = |(key, count): (&Key, &usize)| {
            let Key { file, code, message } = key.clone();
            Entry { file, code, message, count: *count }
        };
        let file = File { kgq_baseline: VERSION, findings: self.0.iter().map(entry).collect() };
        let text = serde_json::to_string_pretty(&file);
        text.map(|text| text + "\n").map_err(|e| Error::bug(format!("the baseline cannot be written: {e}")))
    }

    /// Removes the known findings from a report.
    pub fn apply(mut self, report: &mut Report) {
        let before = report.findings.len();
        report.findings.retain(|finding| match self.0.get_mut(&Key::of(finding)) {
            Some(times) if *times > 0 => {
                *times -= 1;
                false
            }
            _ => true,
        });
        report.baseline = Some((before - report.findings.len(), self.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::error::Place;

    fn report(lines: &[usize]) -> Report {
        let finding = |line: &usize| Finding::error("c", Place::new("f.ttl", *line, 1), "m").more(format!(" ({line})"));
        Report { findings: lines.iter().map(finding).collect(), ..Report::default() }
    }

    #[test]
    fn what_is_known_is_left_out_wherever_it_stands_and_as_often_as_it_is_known() {
        let text = Baseline::of(&report(&[1, 2])).text().unwrap();
        let known = || Baseline::parse(Source::new("b.json", &text)).unwrap();
        let mut moved = report(&[7, 8, 9]);
        known().apply(&mut moved);
        assert_eq!((moved.findings.len(), moved.baseline), (1, Some((2, 0))));
        let mut mended = report(&[]);
        known().apply(&mut mended);
        assert_eq!(mended.baseline, Some((0, 2)));
    }

    #[test]
    fn a_file_that_is_no_baseline_is_refused_at_its_place() {
        let error = Baseline::parse(Source::new("b.json", "{\n \"x\": 1}")).unwrap_err();
        assert_eq!(error.place().unwrap().line, 2, "{error}");
    }
}
