//! Compresses output according to the ending of its file name.

use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Compression;
use std::io::Write;

/// Calls `write` with a writer; what it writes goes to `out`, compressed. `name` is for messages.
pub fn compressed<T>(
    compression: Compression,
    name: &str,
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    let failed = |error: std::io::Error| Error::io(name, &error);
    match compression {
        Compression::None => write(out),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            let result = write(&mut encoder)?;
            encoder.finish().map_err(failed)?;
            Ok(result)
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(failed)?;
            encoder.include_checksum(true).map_err(failed)?;
            let result = write(&mut encoder)?;
            encoder.finish().map_err(failed)?;
            Ok(result)
        }
    }
}
