//! Keys of JSON-LD that no context defines. The standard leaves out what stands there, and so does reading.

use super::finding::{Finding, Severity};
use super::report::Report;
use super::subject::{Subject, text_of};
use super::{Check, Explanation};
use kgq_snapshot::store::{Input, UndefinedKey, undefined_keys};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Result, Source};
use kgq_syntax::rdf::RdfFormat;
use kgq_syntax::text::count;

pub const CHECK: Check = Check {
    codes: &[Explanation {
        code: "undefined-key",
        finds: "a key of a JSON-LD file that no context defines, and that is no IRI",
        why: "what stands there is no statement: JSON-LD leaves it out without a word",
        mend: "define the key in the `@context`, or set `@vocab` there, which makes IRIs of all keys; a key that is left out \
               on purpose is defined as null",
    }],
    run,
    needs_all_files: false,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    for file in subject.files.iter().filter(|file| file.error.is_none()) {
        report.findings.extend(file.input().into_iter().flat_map(|input| findings(input, subject.options.bounds)));
    }
    Ok(())
}

/// A remark on each such key of a document.
pub(crate) fn findings(input: &Input, bounds: Bounds) -> Vec<Finding> {
    let text = Some(input).filter(|input| input.format == RdfFormat::JsonLd).and_then(|input| text_of(input, bounds));
    let Some(text) = text else { return Vec::new() };
    let source = Source::new(&input.name, &text);
    let keys = undefined_keys(&text, input.holds_lines_of_json(), input.base.as_deref(), &input.contexts);
    let finding = |key: UndefinedKey| {
        let times = match key.times {
            1 => String::new(),
            more => format!(", here and {} more", count(more as u64 - 1, "time", "times")),
        };
        let message = format!("no context defines the key `{}`: what it says is left out{times}", key.key);
        Finding::new(Severity::Note, "undefined-key", source.place(key.at), message)
            .hint("define it in the `@context`, or set `@vocab` there")
    };
    keys.into_iter().map(finding).collect()
}
