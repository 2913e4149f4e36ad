//! All findings of a check with its counts, written for people, programs, GitHub or a SARIF viewer.

use super::finding::{Finding, Severity};
use super::sarif;
use kgq_syntax::text::{count, thousands, visible};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Everything that a check found and counted.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Ordered by file, line, column and code.
    pub findings: Vec<Finding>,
    pub counts: Counts,
    /// The codes that were not checked, because a file that does not parse may declare what they would report as
    /// missing.
    pub waiting: Vec<&'static str>,
    /// The number of findings that `[check]` of kgq.toml leaves out.
    pub ignored: usize,
    /// How many findings the baseline covers, and how many of its entries are gone; `None` without a baseline.
    pub baseline: Option<(usize, usize)>,
}

/// The counts shown in the last line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub files: usize,
    /// The number of distinct statements, as `kgq info` counts them.
    pub statements: usize,
    /// The number of statements as written, repeated ones included.
    pub written: usize,
    /// `None` if there are no citations and none are required.
    pub citations: Option<CitationCounts>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CitationCounts {
    /// The rule for which statements need a citation; `None` if the project requires none.
    pub rule: Option<String>,
    /// The number of those statements, counted in each file separately.
    pub needed: usize,
    pub missing: usize,
    pub failed: usize,
    /// The citations of each source document whose text is not available.
    pub unchecked: BTreeMap<String, usize>,
}

/// The output format of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    Text {
        colour: bool,
    },
    Json,
    /// The workflow commands of GitHub Actions.
    Github,
    /// The Static Analysis Results Interchange Format 2.1.0.
    Sarif,
}

impl Report {
    pub fn errors(&self) -> usize {
        self.of(Severity::Error)
    }

    fn of(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }

    pub fn sort(&mut self) {
        let key = |f: &Finding| (f.place.file.clone(), f.place.line, f.place.column, f.code.clone(), f.message.clone());
        self.findings.sort_by_cached_key(key);
    }

    pub fn write(&self, format: ReportFormat, out: &mut dyn Write) -> io::Result<()> {
        match format {
            ReportFormat::Text { colour } => self.write_text(colour, out),
            ReportFormat::Json => self.write_json(out),
            ReportFormat::Github => self.write_github(out),
            ReportFormat::Sarif => sarif::write(&self.findings, out),
        }
    }

    /// Returns the number of findings of each code.
    pub(crate) fn by_code(&self) -> BTreeMap<&str, usize> {
        let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &self.findings {
            *codes.entry(finding.code.as_ref()).or_default() += 1;
        }
        codes
    }

    fn write_text(&self, colour: bool, out: &mut dyn Write) -> io::Result<()> {
        for finding in &self.findings {
            finding.write_text(colour, out)?;
        }
        self.write_summary(out)?;
        if !self.waiting.is_empty() {
            writeln!(out, "not looked for until every file parses: {}", self.waiting.join(", "))?;
        }
        if let Some(citations) = &self.counts.citations {
            if let Some(rule) = citations.rule.as_ref().filter(|_| citations.missing > 0) {
                writeln!(out, "citations: {}", visible(rule))?;
            }
            for (document, citations) in &citations.unchecked {
                let citations = count(*citations as u64, "citation", "citations");
                writeln!(out, "not checked: {citations} of {}, whose text is not at hand", visible(document))?;
            }
        }
        writeln!(out, "{}", self.last_line())
    }

    /// Writes how often each code was found, and what was left out.
    fn write_summary(&self, out: &mut dyn Write) -> io::Result<()> {
        let codes = self.by_code();
        if codes.len() > 1 {
            let mut codes: Vec<(&str, usize)> = codes.into_iter().collect();
            codes.sort_by_key(|(code, times)| (std::cmp::Reverse(*times), *code));
            let codes: Vec<String> =
                codes.iter().map(|(code, times)| format!("{} {}", visible(code), thousands(*times as u64))).collect();
            writeln!(out, "by code: {}", codes.join(", "))?;
        }
        if self.ignored > 0 {
            let findings = count(self.ignored as u64, "finding", "findings");
            writeln!(out, "left out by [check] of kgq.toml: {findings}")?;
        }
        if let Some((known, gone)) = self.baseline {
            let gone = match gone {
                0 => String::new(),
                gone => format!("; {} of it gone: `--update-baseline` takes them out", thousands(gone as u64)),
            };
            writeln!(out, "in the baseline: {}{gone}", count(known as u64, "finding", "findings"))?;
        }
        Ok(())
    }

    /// Returns the last line: `N statements in 2 files, 0 errors, 0 warnings`; or `N statements to cite, 0 without a
    /// citation, 0 citations failed, 0 not checked`.
    pub fn last_line(&self) -> String {
        let Counts { files, statements, written, citations } = &self.counts;
        let statements = count(*statements as u64, "statement", "statements");
        let Some(CitationCounts { rule, needed, missing, failed, unchecked }) = citations else {
            let repeated = match written {
                written if *written == self.counts.statements => String::new(),
                written => format!(" ({} with repetitions)", thousands(*written as u64)),
            };
            return format!(
                "{statements} in {}{repeated}, {}, {}",
                count(*files as u64, "file", "files"),
                count(self.errors() as u64, "error", "errors"),
                count(self.of(Severity::Warning) as u64, "warning", "warnings"),
            );
        };
        let without = match rule {
            Some(_) => format!(
                "{}, {} without a citation",
                count(*needed as u64, "statement to cite", "statements to cite"),
                thousands(*missing as u64)
            ),
            None => format!("{statements}, citations not asked for"),
        };
        format!(
            "{without}, {} failed, {} not checked",
            count(*failed as u64, "citation", "citations"),
            thousands(unchecked.values().sum::<usize>() as u64),
        )
    }

    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let citations = self.counts.citations.as_ref().map(|c| {
            json!({
                "rule": c.rule,
                "statements_to_cite": c.rule.is_some().then_some(c.needed),
                "without_citation": c.rule.is_some().then_some(c.missing),
                "citations_failed": c.failed,
                "citations_not_checked": c.unchecked.values().sum::<usize>(),
                "texts_not_at_hand": c.unchecked.keys().collect::<Vec<_>>(),
            })
        });
        let report = json!({
            "findings": self.findings.iter().map(Finding::to_json).collect::<Vec<_>>(),
            "errors": self.errors(),
            "warnings": self.of(Severity::Warning),
            "by_code": self.by_code(),
            "ignored": self.ignored,
            "in_baseline": self.baseline.map(|(known, _)| known),
            "gone_from_baseline": self.baseline.map(|(_, gone)| gone),
            "waiting": self.waiting,
            "files": self.counts.files,
            "statements": self.counts.statements,
            "with_repetitions": self.counts.written,
            "citations": citations,
        });
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)
    }

    fn write_github(&self, out: &mut dyn Write) -> io::Result<()> {
        for finding in &self.findings {
            let Finding { place, severity, code, hints, .. } = finding;
            let command = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let mut text = visible(&finding.text()).into_owned();
            for hint in hints {
                text.push_str("\nhint: ");
                text.push_str(&visible(hint));
            }
            writeln!(
                out,
                "::{command} file={},line={},col={},title={}::{}",
                escape_property(&place.file),
                place.line,
                place.column,
                escape_property(code),
                escape(&text)
            )?;
        }
        writeln!(out, "{}", self.last_line())
    }
}

/// Escapes the text of a command for GitHub's runner.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::error::Place;
    use serde_json::Value;

    fn written(format: ReportFormat) -> String {
        let finding = Finding::error("uncited", Place::new("data/a.ttl", 3, 5), "50% of it:\nno").hint("do");
        let counts = Counts {
            files: 1,
            statements: 1500,
            written: 1600,
            citations: Some(CitationCounts {
                rule: Some("each one".into()),
                needed: 1200,
                missing: 1,
                failed: 0,
                unchecked: BTreeMap::from([("doc:x".into(), 2)]),
            }),
        };
        let mut out = Vec::new();
        let waiting = vec!["broken-link"];
        Report { findings: vec![finding], counts, waiting, ..Report::default() }.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_has_a_finding_a_line_and_the_counts_last() {
        assert_eq!(
            written(ReportFormat::Text { colour: false }),
            "data/a.ttl:3:5 error uncited 50% of it:\\nno\n  hint: do\n\
             not looked for until every file parses: broken-link\n\
             citations: each one\n\
             not checked: 2 citations of doc:x, whose text is not at hand\n\
             1,200 statements to cite, 1 without a citation, 0 citations failed, 2 not checked\n"
        );
    }

    #[test]
    fn github_gets_commands_with_nothing_that_ends_them_early() {
        let first = written(ReportFormat::Github).lines().next().unwrap().to_owned();
        assert_eq!(first, "::error file=data/a.ttl,line=3,col=5,title=uncited::50%25 of it:\\nno%0Ahint: do");
    }

    #[test]
    fn json_holds_the_findings_and_the_counts() {
        let value: Value = serde_json::from_str(&written(ReportFormat::Json)).unwrap();
        assert_eq!(value["findings"][0]["line"], 3);
        assert_eq!(value["citations"]["citations_not_checked"], 2);
        assert_eq!((&value["statements"], &value["with_repetitions"]), (&1500.into(), &1600.into()));
        assert_eq!(value["citations"]["statements_to_cite"], 1200);
    }
}
