//! Where commands write: the two streams with what is known of the terminal, and files that are whole or not there.

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
    /// The width in cells of the terminal that `out` is; `None` where it is none.
    pub terminal: Option<usize>,
    pub colour: bool,
    pub err_is_terminal: bool,
    pub err_colour: bool,
    /// Leave out counts, times and notes.
    pub quiet: bool,
}

impl Output {
    /// No terminal, but this writer.
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

    /// A line to the standard output.
    pub fn line(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{text}").map_err(|e| Error::io("the output", &e))
    }

    /// A page of text; on a terminal, its lines are broken between words.
    pub fn page(&mut self, text: &str) -> Result<()> {
        match self.terminal {
            Some(width) => self.line(folded(text, width).trim_end()),
            None => self.line(text.trim_end()),
        }
    }

    /// A remark on the standard error, unless remarks are unwanted. That it cannot be written is no failure.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            let (dim, reset) = if self.err_colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            let _ = writeln!(self.err, "{dim}{}{reset}", visible(text));
        }
    }

    /// A warning: an error that does not stop the command.
    pub fn warn(&mut self, error: &Error) {
        let _ = self.err.write_all(with_hints(error.clone()).render(self.err_colour).as_bytes());
    }
}

/// The files that names mean, with a remark on what their folders hold beside them.
pub fn files_of(names: &[String], output: &mut Output) -> Result<Vec<String>> {
    let named = named_files(names)?;
    named.remarks.iter().for_each(|remark| output.note(remark));
    Ok(named.files)
}

/// Writes to the file, or to the standard output if there is none.
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

/// Writes to a file. It is the old one until it is whole, and compressed if its name says so. A device or pipe is written directly.
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

/// Writes behind what the file holds; it is the old one until the new part is whole. A compressed file gets one more member.
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

/// Fails where a file could not be written, and leaves nothing.
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

/// Refuses a name that promises a kind of compression, or an archive, which kgq does not write.
pub fn refuse_unknown_compression(name: &str) -> Result<()> {
    match Compression::unknown(name) {
        None => Ok(()),
        Some(kind) => Err(Error::usage(format!("{name}: kgq does not write {kind}"))
            .hint("a file named `.gz` or `.zst` is compressed as its name says")),
    }
}
