//! What a decided edit still has to write, as bytes: for each file its name, the hash of its old content, and its new
//! content; then a hash of all of this.

use super::{Replacement, hash};

const HEAD: &[u8] = b"kgq edit 1\n";
/// Stands in place of a hash or a length for a file that does not exist.
const NONE: &str = "-";

pub struct Journal {
    pub entries: Vec<JournalEntry>,
}

pub struct JournalEntry {
    pub name: String,
    /// The hash of the old content; `None` if the file did not exist.
    pub before: Option<String>,
    pub after: Option<Vec<u8>>,
}

impl Journal {
    pub fn of(files: &[Replacement]) -> Self {
        let entry = |file: &Replacement| JournalEntry {
            name: file.name.clone(),
            before: file.before.as_deref().map(hash),
            after: file.after.clone(),
        };
        Self { entries: files.iter().map(entry).collect() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = HEAD.to_vec();
        for JournalEntry { name, before, after } in &self.entries {
            let before = before.as_deref().unwrap_or(NONE);
            let length = after.as_ref().map_or_else(|| NONE.to_owned(), |bytes| bytes.len().to_string());
            out.extend_from_slice(format!("{} {before} {length}\n{name}\n", name.len()).as_bytes());
            out.extend_from_slice(after.as_deref().unwrap_or_default());
            out.push(b'\n');
        }
        let hash = hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    /// Parses a journal; `None` if the bytes are not a complete, unchanged journal.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (rest, own) = bytes.split_at_checked(bytes.len().checked_sub(64)?)?;
        if hash(rest).as_bytes() != own {
            return None;
        }
        let mut rest = rest.strip_prefix(HEAD)?;
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let line = rest.iter().position(|byte| *byte == b'\n')?;
            let (head, body) = rest.split_at(line);
            let head = std::str::from_utf8(head).ok()?;
            let mut words = head.split(' ');
            let (name, before, after) = (words.next()?, words.next()?, words.next()?);
            let (name, body) = body[1..].split_at_checked(name.parse().ok()?)?;
            let body = body.strip_prefix(b"\n")?;
            let length = if after == NONE { 0 } else { after.parse().ok()? };
            let (content, body) = body.split_at_checked(length)?;
            entries.push(JournalEntry {
                name: String::from_utf8(name.to_vec()).ok()?,
                before: (before != NONE).then(|| before.to_owned()),
                after: (after != NONE).then(|| content.to_vec()),
            });
            rest = body.strip_prefix(b"\n")?;
        }
        Some(Self { entries })
    }
}
