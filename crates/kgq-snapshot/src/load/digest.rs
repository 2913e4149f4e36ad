//! Digests of documents as they are stored, and of everything that decides the content of a snapshot of them.

use crate::store::{Content, Input};
use crate::{BuildOptions, ContentKey};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::RdfFormat;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Digests bytes while they pass through a reader.
#[derive(Clone, Default)]
pub(super) struct Passing(Arc<Mutex<(Sha256, u64)>>);

impl Passing {
    /// The digest of an input's stored bytes. If not all of them have passed, the file is read again.
    pub(super) fn finish(self, input: &Input) -> Result<[u8; 32]> {
        let (digest, passed) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match &input.content {
            // A pipe has no size, and cannot be read twice.
            Content::File(path) if path.is_file() && passed != input.stored_size() => digest_of_file(path),
            Content::File(_) => Ok(digest.finalize().into()),
            Content::Bytes(bytes) => Ok(Sha256::digest(bytes).into()),
        }
    }
}

/// A reader that digests and counts the bytes that pass.
pub(super) struct Digesting<'a, R> {
    inner: R,
    passing: Passing,
    bytes_read: &'a AtomicU64,
}

impl<'a, R: Read> Digesting<'a, R> {
    pub(super) fn new(inner: R, passing: Passing, bytes_read: &'a AtomicU64) -> Self {
        Self { inner, passing, bytes_read }
    }
}

impl<R: Read> Read for Digesting<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buf)?;
        let mut state = self.passing.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.update(&buf[..read]);
        state.1 += read as u64;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The SHA-256 digest of a file's bytes.
///
/// # Errors
/// When the file cannot be read.
pub fn digest_of_file(path: &Path) -> Result<[u8; 32]> {
    let failed = |e| Error::io(path.display(), &e);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(digest.finalize().into()),
            Ok(read) => digest.update(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// The key of a snapshot of these documents; `digests` has one digest per input, in the same order.
pub fn content_key(inputs: &[Input], digests: &[[u8; 32]], options: &BuildOptions<'_>) -> ContentKey {
    let read = u8::from(options.lenient) | u8::from(options.unreify) << 1;
    let mut parts: Vec<Vec<u8>> = vec![b"kgq snapshot 1".to_vec(), vec![read]];
    for (input, digest) in inputs.iter().zip(digests) {
        parts.push(digest.to_vec());
        parts.push(input.format.name().into());
        parts.push(format!("{:?}", input.compression).into());
        parts.push(input.base.clone().unwrap_or_default().into());
        if input.format == RdfFormat::JsonLd {
            parts
                .extend(input.contexts.iter().flat_map(|(address, text)| [address.as_bytes().to_vec(), text.to_vec()]));
        }
        parts.push(input.graph.as_ref().map_or(String::new(), |graph| graph.as_str().to_owned()).into());
    }
    ContentKey::of(parts.iter().map(Vec::as_slice))
}
