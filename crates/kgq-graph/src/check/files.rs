//! Reports all files that do not parse, files that kgq.toml names but that do not exist, and RDF files that it does not name.

use super::finding::{Finding, Severity};
use super::report::Report;
use super::subject::Subject;
use super::{Check, Explanation};
use crate::project::MANIFEST;
use kgq_syntax::error::{Error, Result};

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "syntax",
            finds: "a file of the project that cannot be read or does not parse",
            why: "nothing of the file is known: queries answer as if it were not there, and other checks wait for it",
            mend: "mend what the message names; every broken file is reported, one error for each",
        },
        Explanation {
            code: "missing-file",
            finds: "a file that `ontology` or `data` in kgq.toml names, and that is not there",
            why: "what it holds is missing from every answer; nothing can be loaded until it is there",
            mend: "correct the name, or remove it from the list",
        },
        Explanation {
            code: "finds-nothing",
            finds: "a glob of `ontology`, `data`, `queries` or a key of [graphs] in kgq.toml that matches no file, or a folder \
                    that is not loaded because only the other of `ontology` and `data` is set",
            why: "most often the name is misspelt: queries succeed, but answer from less data than there is",
            mend: "correct the glob; the hint says what is near, or what there is",
        },
        Explanation {
            code: "not-loaded",
            finds: "files of RDF in the project's folder that no glob of `ontology` or `data` takes, or that `!FILE` leaves out, \
                    as `kgq init` does with broken files; a folder that `!FOLDER/**` leaves out is not told",
            why: "queries answer as if they were not there",
            mend: "add them to a list, or leave their folder out with `!`",
        },
    ],
    run,
    needs_all_files: false,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    report.findings.extend(subject.missing.iter().map(|e| Finding::from_error("missing-file", MANIFEST, e)));
    let remarks = subject.remarks.iter().map(|e| Finding::from_error("finds-nothing", MANIFEST, e));
    report.findings.extend(remarks.map(|finding| Finding { severity: Severity::Warning, ..finding }));
    let unloaded = subject.unloaded.iter().map(|e| Finding::from_error("not-loaded", MANIFEST, e));
    report.findings.extend(unloaded.map(|finding| Finding { severity: Severity::Note, ..finding }));
    for file in &subject.files {
        if let Some(error) = &file.error {
            let errors = std::iter::once(error).chain(error.others());
            report.findings.extend(errors.map(|e: &Error| Finding::from_error("syntax", &file.name, e)));
        }
    }
    Ok(())
}
