//! Where commands write: the two standard streams, with the properties of the terminal, and files that are either complete or
//! absent.

use super::hints::with_hints;
use super::terminal::{Content, Stream};
use kgq_graph::project::named_files;
use kgq_snapshot::store::{WholeFile, compressed};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Compression;
use kgq_syntax::text::{folded, visible};
use std::io::{BufWriter, Write};
use std::path::Path;

/// The streams of the program.
pub struct Output {
    pub out: Stream,
    pub err: Stream,
    /// The width in cells of the terminal behind `out`; `None` if it is not a terminal.
    pub terminal: Option<usize>,
    pub colour: bool,
    pub err_is_terminal: bool,
    pub err_colour: bool,
    /// Leave out counts, times and notes.
    pub quiet: bool,
}

impl Output {
    /// An output without a terminal that writes to this writer.
    #[cfg(test)]
    pub fn to(out: Box<dyn std::io::Write + Send>) -> Self {
        Self {
            out: Stream::Bytes(out),
            err: Stream::Bytes(Box::new(std::io::sink())),
            terminal: None,
            colour: false,
            err_is_terminal: false,
            err_colour: false,
            quiet: false,
        }
    }

    /// Writes a line to standard output.
    pub fn line(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{text}").map_err(|e| Error::io("the output", &e))
    }

    /// Writes a page of text; on a terminal, lines are wrapped between words.
    pub fn page(&mut self, text: &str) -> Result<()> {
        match self.terminal {
            Some(width) => self.line(folded(text, width).trim_end()),
            None => self.line(text.trim_end()),
        }
    }

    /// Writes a remark to standard error, unless `quiet`. A failure to write it is ignored.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            let (dim, reset) = if self.err_colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            let _ = writeln!(self.err, "{dim}{}{reset}", visible(text));
        }
    }

    /// Prints a warning: an error that does not stop the command.
    pub fn warn(&mut self, error: &Error) {
        let _ = self.err.write_all(with_hints(error.clone()).render(self.err_colour).as_bytes());
    }
}

/// Resolves names to files, with remarks on other contents of the folders.
pub fn files_of(names: &[String], output: &mut Output) -> Result<Vec<String>> {
    let named = named_files(names)?;
    named.remarks.iter().for_each(|remark| output.note(remark));
    Ok(named.files)
}

/// Writes to the file, or to standard output if there is none.
pub fn write_to<T>(
    path: Option<&Path>,
    content: Content,
    output: &mut Output,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    match path {
        Some(path) => write_file(path, write),
        None => output.out.write_as(content, |out| buffered(out, "the output", write)),
    }
}

/// Writes to a file. It keeps its old content until the new one is complete, and is compressed if its name says so. A device or
/// pipe is written directly.
pub fn write_file<T>(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let name = path.to_string_lossy();
    refuse_unknown_compression(&name)?;
    let (_, compression) = Compression::strip(&name);
    let write = |out: &mut dyn Write| compressed(compression, &name, out, write);
    if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        let file = std::fs::OpenOptions::new().write(true).open(path).map_err(|e| Error::io(&name, &e))?;
        return buffered(file, &name, write);
    }
    let mut whole = WholeFile::create(path, super::unfinished())?;
    let result = buffered(whole.file(), &name, write)?;
    whole.finish()?;
    Ok(result)
}

/// Appends to a file. It keeps its old content until the new part is complete. A compressed file gets one more member.
pub fn append_file<T>(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let name = path.to_string_lossy();
    let (_, compression) = Compression::strip(&name);
    let failed = |e: std::io::Error| Error::io(&name, &e);
    let mut whole = WholeFile::create(path, super::unfinished())?;
    match std::fs::File::open(path) {
        Ok(mut before) => std::io::copy(&mut before, whole.file()).map(|_| ()).map_err(failed)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let result = buffered(whole.file(), &name, |out| compressed(compression, &name, out, write))?;
    whole.finish()?;
    Ok(result)
}

/// Fails if a file cannot be written; leaves nothing behind.
pub fn probe_file(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err(Error::input(format!("{} is a folder", path.display()))),
        Ok(meta) if !meta.is_file() => Ok(()),
        _ => WholeFile::create(path, super::unfinished()).map(drop),
    }
}

fn buffered<T>(out: impl Write, name: &str, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let mut buffered = BufWriter::with_capacity(1 << 16, out);
    let result = write(&mut buffered)?;
    buffered.flush().map_err(|e| Error::io(name, &e))?;
    Ok(result)
}

/// Refuses a name with the ending of an archive or of a compression that kgq does not write.
pub fn refuse_unknown_compression(name: &str) -> Result<()> {
    match Compression::unknown(name) {
        None => Ok(()),
        Some(kind) => Err(Error::usage(format!("{name}: kgq does not write {kind}"))
            .hint("a file named `.gz` or `.zst` is compressed as its name says")),
    }
}
