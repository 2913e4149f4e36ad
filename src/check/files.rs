//! Files that do not parse, all of them, and queries that do not.

use super::finding::{Finding, Report};
use super::subject::Subject;
use super::{Check, Explanation};
use crate::error::{Error, Result};

pub const CHECK: Check = Check {
    codes: &[Explanation {
        code: "syntax",
        finds: "a file of the project that cannot be read or does not parse",
        why: "nothing of the file is known: queries answer as if it were not there, and other checks wait for it",
        mend: "mend what the message names; every broken file is reported, one error for each",
    }],
    run,
    needs_all_files: false,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    for file in &subject.files {
        if let Some(error) = &file.error {
            let errors = std::iter::once(error).chain(error.others());
            report.findings.extend(errors.map(|e: &Error| Finding::from_error("syntax", &file.name, e)));
        }
    }
    Ok(())
}
