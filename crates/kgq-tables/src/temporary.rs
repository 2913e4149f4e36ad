//! Temporary files of bounded size: a query that never ends must not fill the disk.

use kgq_syntax::budget::{Budget, FileSpace};
use kgq_syntax::error::{Error, Result};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// An anonymous file, deleted with this value. What is written is charged to a budget, which may stop the writing.
pub struct TemporaryFile {
    file: File,
    budget: Budget,
    space: FileSpace,
}

impl TemporaryFile {
    /// # Errors
    /// Those of the system; `what` says in messages what the file is for.
    pub fn create(what: &str, budget: &Budget) -> Result<Self> {
        let file = tempfile::tempfile().map_err(|error| Error::io(what, &error))?;
        Ok(Self { file, budget: budget.clone(), space: FileSpace::new(budget) })
    }
}

/// The error of a temporary file: the budget's if that stopped the writing, else the system's.
pub fn told(error: io::Error, what: &str) -> Error {
    error.downcast::<Error>().unwrap_or_else(|error| Error::io(what, &error))
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.budget.check().and_then(|()| self.space.grow(bytes.len() as u64)).map_err(io::Error::other)?;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for TemporaryFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for TemporaryFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
