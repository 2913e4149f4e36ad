//! Bytes that are written once and read once: in memory, or in an unnamed file.

use kgq_syntax::error::{Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Cursor, Seek, Write};
use std::path::Path;

/// Holds sorted runs until they are merged. The file has no name, so nothing is left of it however the program ends.
pub(super) enum Spool {
    Memory(Vec<u8>),
    File(BufWriter<File>),
}

pub(super) type Spooled = Box<dyn BufRead + Send>;

impl Spool {
    /// Creates a spool: in a file in this folder, or in memory if there is none.
    pub(super) fn new(folder: Option<&Path>) -> Result<Self> {
        Ok(match folder {
            None => Self::Memory(Vec::new()),
            Some(folder) => {
                let file = tempfile::tempfile_in(folder).map_err(|e| Error::io(folder.display(), &e))?;
                Self::File(BufWriter::with_capacity(1 << 18, file))
            }
        })
    }

    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Memory(all) => {
                all.extend_from_slice(bytes);
                Ok(())
            }
            Self::File(file) => file.write_all(bytes).map_err(failed),
        }
    }

    /// Writes a number in groups of seven bits, least significant first.
    #[inline]
    pub(super) fn put_number(&mut self, mut value: u64) -> Result<()> {
        let (mut bytes, mut len) = ([0; 10], 0);
        while value >= 0x80 {
            bytes[len] = value as u8 | 0x80;
            value >>= 7;
            len += 1;
        }
        bytes[len] = value as u8;
        self.put(&bytes[..=len])
    }

    pub(super) fn read(self) -> Result<Spooled> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(Cursor::new(bytes)),
            Self::File(file) => {
                let mut file = Self::File(file).into_file()?;
                file.rewind().map_err(failed)?;
                Box::new(BufReader::with_capacity(1 << 18, file))
            }
        })
    }

    /// The file with everything written; an error if the spool is in memory.
    pub(super) fn into_file(self) -> Result<File> {
        match self {
            Self::File(file) => file.into_inner().map_err(|e| failed(e.into_error())),
            Self::Memory(_) => Err(Error::bug("a temporary file was expected")),
        }
    }
}

/// Reads exactly enough bytes to fill `out`.
#[inline]
pub(super) fn take(from: &mut Spooled, out: &mut [u8]) -> Result<()> {
    let ready = from.fill_buf().map_err(failed)?;
    if let Some(bytes) = ready.get(..out.len()) {
        out.copy_from_slice(bytes);
        from.consume(out.len());
        return Ok(());
    }
    from.read_exact(out).map_err(failed)
}

#[inline]
pub(super) fn take_array<const N: usize>(from: &mut Spooled) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    take(from, &mut bytes)?;
    Ok(bytes)
}

pub(super) fn take_number(from: &mut Spooled) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = take_array(from)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    Ok(value)
}

fn failed(error: std::io::Error) -> Error {
    Error::io("the build's temporary files", &error)
}
