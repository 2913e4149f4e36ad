//! `.output`: sends answers to a file instead of the screen. The first answer of a session replaces the file; later ones are
//! appended if the format can hold several.

use super::dot::at_most_one;
use super::{Last, Shell};
use crate::commands::{AnswerArgs, append_file, probe_file, write_answer};
use kgq_graph::render::{self, Format, Written};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::RdfFormat;
use kgq_syntax::text::count;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The file for answers, and the files already written in this session.
#[derive(Default)]
pub struct Sink {
    pub file: Option<PathBuf>,
    begun: Vec<PathBuf>,
}

/// `.output`
pub fn output(shell: &mut Shell<'_>, words: &[String]) -> Result<()> {
    let Some(name) = at_most_one(words)? else {
        shell.sink.file = None;
        shell.output.note("answers go to the screen");
        return Ok(());
    };
    let path = PathBuf::from(name);
    let format = shell.view.format;
    if format.is_none() && Format::from_path(name).is_none() && !is_device(&path) {
        return Err(Error::usage(format!("{name}: the file name shows no format"))
            .hint(format!("`.format FORMAT` says it before: {}", Format::list())));
    }
    arguments(format, &path).check(&shell.graph)?;
    probe_file(&path)?;
    let several = arguments(format, &path).chosen_format()?.is_none_or(holds_several);
    let what = match (shell.sink.begun.contains(&path), several) {
        (false, true) => "the first replaces what is there, the next are appended",
        (false, false) => "one, which replaces what is there",
        (true, true) => "they are appended to those that are there",
        (true, false) => "one, which replaces the one that is there",
    };
    if !several {
        shell.sink.begun.retain(|begun| *begun != path);
    }
    shell.output.note(&format!("answers go to {name}: {what}"));
    shell.sink.file = Some(path);
    Ok(())
}

/// Writes an answer to the file, if one is set.
pub fn write(shell: &mut Shell<'_>, last: &Last) -> Result<Option<Written>> {
    let Some(path) = shell.sink.file.clone() else { return Ok(None) };
    let args = arguments(shell.view.format, &path);
    if is_device(&path) || !shell.sink.begun.contains(&path) {
        let written = write_answer(last.answer.answer(), &args, &shell.graph, shell.output, Instant::now())?;
        shell.sink.begun.push(path);
        return Ok(Some(written));
    }
    let answer = last.answer.answer();
    let options = args.options(&answer, shell.graph.prefixes()?, shell.output)?;
    if !holds_several(options.format) {
        let (file, format) = (path.display(), options.format.name());
        return Err(Error::usage(format!(
            "{file} holds an answer of this session, and {format} holds no more than one"
        ))
        .hint(format!("name another file, or `.output {file}` again to replace it")));
    }
    let written = append_file(&path, |out| {
        if !matches!(options.format, Format::Ndjson | Format::Rdf(_)) {
            out.write_all(b"\n").map_err(|e| Error::io(path.display(), &e))?;
        }
        render::write(answer, options, out)
    })?;
    let what = match (written.truth, options.format) {
        (Some(_), _) => "answer".to_owned(),
        (None, Format::Rdf(_)) => count(written.rows, "triple", "triples"),
        (None, _) => count(written.rows, "row", "rows"),
    };
    shell.output.note(&format!("{what} appended to {}", path.display()));
    Ok(Some(written))
}

fn arguments(format: Option<Format>, path: &Path) -> AnswerArgs {
    AnswerArgs { format, output: Some(path.to_owned()), ..AnswerArgs::default() }
}

fn is_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir())
}

/// Whether a file of this format can hold several answers in sequence.
fn holds_several(format: Format) -> bool {
    let whole = matches!(
        format,
        Format::Json
            | Format::Xml
            | Format::Html
            | Format::GeoJson
            | Format::Rdf(RdfFormat::RdfXml | RdfFormat::JsonLd)
    );
    !whole && !format.is_binary()
}
