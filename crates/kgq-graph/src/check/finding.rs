//! A finding: what is wrong, where, how bad, and what to do; and all of them as a person, a program or GitHub reads them.

use super::shacl::ValidationResult;
use crate::render::term_json;
use kgq_syntax::error::{Error, Place};
use kgq_syntax::text::{count, thousands, visible};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

/// How bad a finding is. Only errors make a check fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub place: Place,
    pub severity: Severity,
    /// What `--explain` takes.
    pub code: Cow<'static, str>,
    pub message: String,
    pub hints: Vec<String>,
    /// What a shape's constraint found.
    pub result: Option<Box<ValidationResult>>,
}

impl Finding {
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, place, message)
    }

    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, place, message)
    }

    pub fn new(
        severity: Severity,
        code: impl Into<Cow<'static, str>>,
        place: Place,
        message: impl Into<String>,
    ) -> Self {
        Self { place, severity, code: code.into(), message: message.into(), hints: Vec::new(), result: None }
    }

    /// An error of another room as a finding; `file` is where it is, if it does not say itself.
    pub fn from_error(code: &'static str, file: &str, error: &Error) -> Self {
        let place = error.place().cloned().unwrap_or_else(|| Place::new(file, 1, 1));
        // The place says the file already.
        let message = error.message();
        let message = message.strip_prefix(&format!("{file}: ")).unwrap_or(message);
        Self { hints: error.hints().to_vec(), ..Self::error(code, place, message) }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub fn hint_if(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "severity": self.severity.as_str(),
            "code": self.code,
            "message": self.message,
            "hints": self.hints,
        });
        if let (Some(result), Value::Object(object)) = (&self.result, &mut value) {
            object.insert("focus".into(), term_json(&result.focus));
            object.insert("path".into(), result.path.as_ref().map(ToString::to_string).into());
            object.insert("value".into(), result.value.as_ref().map_or(Value::Null, term_json));
            let shape = result.named_shape.clone().map_or_else(|| result.shape.clone(), Into::into);
            object.insert("shape".into(), term_json(&shape));
            object.insert("component".into(), result.component.as_str().into());
        }
        value
    }

    /// A line for people, and the hints below.
    pub fn write_text(&self, colour: bool, out: &mut dyn Write) -> io::Result<()> {
        let Self { place, severity, code, message, hints, result: _ } = self;
        let (on, off) = match severity {
            _ if !colour => ("", ""),
            Severity::Error => ("\x1b[1;31m", "\x1b[0m"),
            Severity::Warning => ("\x1b[1;33m", "\x1b[0m"),
            Severity::Note => ("\x1b[1;34m", "\x1b[0m"),
        };
        writeln!(out, "{place} {on}{severity}{off} {} {}", visible(code), visible(message))?;
        for hint in hints {
            writeln!(out, "  hint: {}", visible(hint))?;
        }
        Ok(())
    }
}

/// Everything that a check found, and what it counted.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By file, line, column and code.
    pub findings: Vec<Finding>,
    pub counts: Counts,
    /// The codes that were not looked for, as a file that does not parse may declare what they miss.
    pub waiting: Vec<&'static str>,
}

/// What is said in the last line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Statements that need a citation; all statements of the data where none does.
    pub statements: usize,
    /// `None` where there are none, and none are asked for.
    pub citations: Option<CitationCounts>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CitationCounts {
    /// Which statements need a citation; `None` where the project asks for none.
    pub rule: Option<String>,
    pub missing: usize,
    pub failed: usize,
    /// By source document whose text is not at hand, its citations.
    pub unchecked: BTreeMap<String, usize>,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text {
        colour: bool,
    },
    Json,
    /// The workflow commands of GitHub Actions.
    Github,
}

impl Report {
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|f| f.severity == Severity::Error).count()
    }

    pub fn sort(&mut self) {
        let key = |f: &Finding| (f.place.file.clone(), f.place.line, f.place.column, f.code.clone(), f.message.clone());
        self.findings.sort_by_key(key);
    }

    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Text { colour } => self.write_text(colour, out),
            Format::Json => self.write_json(out),
            Format::Github => self.write_github(out),
        }
    }

    fn write_text(&self, colour: bool, out: &mut dyn Write) -> io::Result<()> {
        for finding in &self.findings {
            finding.write_text(colour, out)?;
        }
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

    /// `N statements, 0 without a citation, 0 citations failed, 0 not checked`.
    pub fn last_line(&self) -> String {
        let statements = count(self.counts.statements as u64, "statement", "statements");
        match &self.counts.citations {
            None => format!("{statements}, citations not asked for"),
            Some(CitationCounts { rule, missing, failed, unchecked }) => {
                let without = match rule {
                    Some(_) => format!("{} without a citation", thousands(*missing as u64)),
                    None => "citations not asked for".into(),
                };
                format!(
                    "{statements}, {without}, {} failed, {} not checked",
                    count(*failed as u64, "citation", "citations"),
                    thousands(unchecked.values().sum::<usize>() as u64),
                )
            }
        }
    }

    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let citations = self.counts.citations.as_ref().map(|c| {
            json!({
                "rule": c.rule,
                "without_citation": c.rule.is_some().then_some(c.missing),
                "citations_failed": c.failed,
                "citations_not_checked": c.unchecked.values().sum::<usize>(),
                "texts_not_at_hand": c.unchecked.keys().collect::<Vec<_>>(),
            })
        });
        let report = json!({
            "findings": self.findings.iter().map(Finding::to_json).collect::<Vec<_>>(),
            "errors": self.errors(),
            "waiting": self.waiting,
            "statements": self.counts.statements,
            "citations": citations,
        });
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)
    }

    fn write_github(&self, out: &mut dyn Write) -> io::Result<()> {
        for finding in &self.findings {
            let Finding { place, severity, code, message, hints, result: _ } = finding;
            let command = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let mut text = visible(message).into_owned();
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

/// As GitHub's runner wants the text of a command.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let finding = Finding::error("uncited", Place::new("data/a.ttl", 3, 5), "50% of it:\nno").hint("do");
        let counts = Counts {
            statements: 1200,
            citations: Some(CitationCounts {
                rule: Some("each one".into()),
                missing: 1,
                failed: 0,
                unchecked: BTreeMap::from([("doc:x".into(), 2)]),
            }),
        };
        let mut out = Vec::new();
        Report { findings: vec![finding], counts, waiting: vec!["broken-link"] }.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_has_a_finding_a_line_and_the_counts_last() {
        assert_eq!(
            written(Format::Text { colour: false }),
            "data/a.ttl:3:5 error uncited 50% of it:\\nno\n  hint: do\n\
             not looked for until every file parses: broken-link\n\
             citations: each one\n\
             not checked: 2 citations of doc:x, whose text is not at hand\n\
             1,200 statements, 1 without a citation, 0 citations failed, 2 not checked\n"
        );
    }

    #[test]
    fn github_gets_commands_with_nothing_that_ends_them_early() {
        let first = written(Format::Github).lines().next().unwrap().to_owned();
        assert_eq!(first, "::error file=data/a.ttl,line=3,col=5,title=uncited::50%25 of it:\\nno%0Ahint: do");
    }

    #[test]
    fn json_holds_the_findings_and_the_counts() {
        let value: Value = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(value["findings"][0]["line"], 3);
        assert_eq!(value["citations"]["citations_not_checked"], 2);
    }
}
