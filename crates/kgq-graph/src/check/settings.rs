//! Applies `[check]` of kgq.toml: the severity of findings by code, and the findings to leave out.

use super::explain;
use super::finding::{Finding, Severity};
use super::report::Report;
use super::subject::Subject;
use super::{Check, Explanation};
use crate::project::{FindingLevel, Glob, IgnoreSettings, MANIFEST};
use kgq_syntax::error::Place;
use kgq_syntax::error::Result;

/// It finds nothing when it runs: `apply` does, after all checks.
pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "check-setting",
            finds: "an entry of [check.severity] or [[check.ignore]] in kgq.toml that names no code, or a glob that cannot be read",
            why: "it has no effect, although whoever wrote it expects one",
            mend: "correct the name; the hint lists similar names",
        },
        Explanation {
            code: "unused-ignore",
            finds: "an entry of [[check.ignore]] in kgq.toml that matches no finding",
            why: "what it was for is mended, or its names are misspelt",
            mend: "remove or correct it",
        },
    ],
    run: |_, _| Ok(()),
    needs_all_files: false,
};

/// An entry of `[[check.ignore]]`, prepared for matching.
struct Ignore<'s> {
    setting: &'s IgnoreSettings,
    file: Option<Glob>,
    /// The IRI, or the part of one before `*`; `true` for the latter.
    term: Option<(String, bool)>,
    used: bool,
}

impl Ignore<'_> {
    fn is_of(&self, finding: &Finding) -> bool {
        let code = self.setting.code.as_ref().is_none_or(|code| matches(code, &finding.code));
        let file = self.file.as_ref().is_none_or(|glob| glob.takes(&finding.place.file));
        let term = self.term.as_ref().is_none_or(|(name, is_start)| {
            finding.about.as_ref().is_some_and(|term| match is_start {
                true => term.as_str().starts_with(name),
                false => term.as_str() == name,
            })
        });
        code && file && term
    }
}

/// Whether a pattern matches a code: equal to it, or to its beginning before `*`.
fn matches(pattern: &str, code: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => code.starts_with(start),
        None => pattern == code,
    }
}

/// Whether the project enables a code that is checked only on request.
pub fn asks_for(subject: &Subject<'_>, code: &str) -> bool {
    let levels = &subject.project.manifest.check.severity;
    levels.iter().any(|(pattern, level)| matches(pattern, code) && *level != FindingLevel::Off)
}

/// Gives findings the severity that the project sets, and removes those that it ignores.
pub fn apply(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let settings = &subject.project.manifest.check;
    let mut wrong = Vec::new();
    let mut ignores: Vec<Ignore<'_>> = Vec::new();
    for code in settings.severity.keys().chain(settings.ignore.iter().filter_map(|ignore| ignore.code.as_ref())) {
        wrong.extend(unknown_code(subject, code));
    }
    for setting in &settings.ignore {
        let file = match setting.file.as_deref().map(|glob| subject.project.glob(glob)).transpose() {
            Ok(file) => file,
            Err(error) => {
                wrong.push(Finding::from_error("check-setting", MANIFEST, &error));
                continue;
            }
        };
        if setting.code.is_none() && setting.file.is_none() && setting.term.is_none() {
            let message = "an entry of [[check.ignore]] needs a code, a file or a term";
            wrong.push(Finding::error("check-setting", subject.place_in_manifest("check.ignore"), message));
            continue;
        }
        let term = setting.term.as_deref().map(|term| full_name(subject, term));
        ignores.push(Ignore { setting, file, term, used: false });
    }
    // The longest matching pattern is the most specific.
    let level = |code: &str| {
        let levels = settings.severity.iter().filter(|(pattern, _)| matches(pattern, code));
        levels.max_by_key(|(pattern, _)| pattern.len()).map(|(_, level)| *level)
    };
    let before = report.findings.len();
    report.findings.retain_mut(|finding| {
        let mut ignored = false;
        for ignore in ignores.iter_mut().filter(|ignore| ignore.is_of(finding)) {
            ignore.used = true;
            ignored = true;
        }
        match level(&finding.code) {
            Some(FindingLevel::Off) => ignored = true,
            Some(FindingLevel::Error) => finding.severity = Severity::Error,
            Some(FindingLevel::Warning) => finding.severity = Severity::Warning,
            Some(FindingLevel::Note) => finding.severity = Severity::Note,
            None => {}
        }
        !ignored
    });
    report.ignored = before - report.findings.len();
    report.findings.append(&mut wrong);
    // If checks are waiting, the findings that an entry is meant for may not have been looked for.
    let unused = ignores.iter().filter(|ignore| !ignore.used && report.waiting.is_empty());
    let unused: Vec<Finding> = unused.map(|ignore| unused_ignore(subject, ignore.setting)).collect();
    report.findings.extend(unused);
    Ok(())
}

fn unused_ignore(subject: &Subject<'_>, setting: &IgnoreSettings) -> Finding {
    let IgnoreSettings { code, file, term, .. } = setting;
    let parts = [("code", code), ("file", file), ("term", term)];
    let said: Vec<String> =
        parts.iter().filter_map(|(key, value)| Some(format!("{key} `{}`", value.as_ref()?))).collect();
    let place: Place = match [term, file, code].into_iter().flatten().next() {
        Some(text) => subject.place_in_manifest(text),
        None => subject.place_in_manifest(""),
    };
    let message = format!("the entry of [[check.ignore]] for {} matches no finding", said.join(", "));
    Finding::new(Severity::Note, "unused-ignore", place, message)
}

fn unknown_code(subject: &Subject<'_>, code: &str) -> Option<Finding> {
    let known = match code.strip_suffix('*') {
        Some(start) => super::CHECKS.iter().flat_map(|check| check.codes).any(|e| e.code.starts_with(start)),
        None => explain(code).is_ok(),
    };
    if known {
        return None;
    }
    let finding =
        Finding::error("check-setting", subject.place_in_manifest(code), format!("no finding has the code `{code}`"));
    Some(finding.hint_if(explain(code).err().and_then(|error| error.hints().first().cloned())))
}

/// The IRI that a CURIE or IRI names, or the beginning of one if it ends in `*`.
fn full_name(subject: &Subject<'_>, name: &str) -> (String, bool) {
    let (name, is_start) = match name.strip_suffix('*') {
        Some(start) => (start, true),
        None => (name, false),
    };
    let full = match name.split_once(':').filter(|(_, local)| !local.starts_with("//")) {
        Some((prefix, local)) => subject.prefixes.get(prefix).map(|namespace| format!("{namespace}{local}")),
        None => None,
    };
    (full.unwrap_or_else(|| name.to_owned()), is_start)
}
