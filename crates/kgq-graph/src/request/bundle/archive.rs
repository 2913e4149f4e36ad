//! A ZIP archive in one form: entries stored and sorted by name, fixed times, no extra fields, no comments (APPNOTE.TXT
//! 6.3.10 §4.3). The same entries give the same bytes, so that writing an archive again shows whether it was changed.

use kgq_syntax::error::{Error, Result};

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Entry {
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// The first day that the format can express: 1 January 1980.
const DAY: u16 = 0x0021;
/// The largest archive that needs no ZIP64 extensions.
const MOST_ENTRIES: usize = u16::MAX as usize - 1;
const MOST_BYTES: usize = u32::MAX as usize - 1;

/// The bytes of an archive.
///
/// # Errors
/// An archive larger than the form allows; two entries with the same name.
pub fn write(mut entries: Vec<Entry>) -> Result<Vec<u8>> {
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Error::bug(format!("an archive has two entries `{}`", pair[0].name)));
    }
    let all: usize = entries.iter().map(|entry| entry.bytes.len() + 2 * entry.name.len() + 76).sum();
    if entries.len() > MOST_ENTRIES || all > MOST_BYTES {
        return Err(Error::limit("the archive would be larger than 4 GiB or hold more than 65,534 files"));
    }
    let (mut out, mut central) = (Vec::with_capacity(all + 22), Vec::new());
    for entry in &entries {
        // Both fit: checked above.
        let (offset, size) = (out.len() as u32, entry.bytes.len() as u32);
        let checksum = crc32fast::hash(&entry.bytes);
        out.extend(LOCAL.to_le_bytes());
        out.extend(shared_fields(entry, checksum, size));
        out.extend(entry.name.as_bytes());
        out.extend(&entry.bytes);
        central.extend(CENTRAL.to_le_bytes());
        // The version of the writing program: 1.0, on no particular system.
        central.extend(10_u16.to_le_bytes());
        central.extend(shared_fields(entry, checksum, size));
        // No comment, first disk, no attributes.
        central.extend([0; 10]);
        central.extend(offset.to_le_bytes());
        central.extend(entry.name.as_bytes());
    }
    let (start, count) = (out.len() as u32, entries.len() as u16);
    out.extend(&central);
    out.extend(END.to_le_bytes());
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend((central.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    Ok(out)
}

/// The fields that a local header and the central directory have in common: version, flags, method, time, day,
/// checksum, sizes, lengths.
fn shared_fields(entry: &Entry, checksum: u32, size: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(26);
    for field in [10, 0, 0, 0, DAY] {
        out.extend(u16::to_le_bytes(field));
    }
    for field in [checksum, size, size] {
        out.extend(field.to_le_bytes());
    }
    out.extend((entry.name.len() as u16).to_le_bytes());
    out.extend([0; 2]);
    out
}

/// Reads the entries of an archive that [`write()`] wrote. The caller finds any other difference by writing it again and
/// comparing.
///
/// # Errors
/// An archive that was not written so.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
    let other = || Error::input("this is no archive as kgq writes it: it was cut, or written by another program");
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((header, behind)) =
        rest.split_at_checked(30).filter(|(header, _)| header.starts_with(&LOCAL.to_le_bytes()))
    {
        let length = |at: usize, width: usize| -> usize {
            header[at..at + width].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
        };
        let (size, name) = (length(22, 4), length(26, 2));
        let (name, behind) = behind.split_at_checked(name).ok_or_else(other)?;
        let (content, behind) = behind.split_at_checked(size).ok_or_else(other)?;
        let name = std::str::from_utf8(name).map_err(|_| other())?;
        entries.push(Entry::new(name, content));
        rest = behind;
    }
    if entries.is_empty() || !rest.starts_with(&CENTRAL.to_le_bytes()) {
        return Err(other());
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        vec![Entry::new("b/c.txt", "two"), Entry::new("a.txt", "one"), Entry::new("empty", "")]
    }

    #[test]
    fn an_archive_is_the_same_whatever_the_order_of_its_entries() {
        let written = write(entries()).unwrap();
        assert_eq!(write(entries().into_iter().rev().collect()).unwrap(), written);
        let names: Vec<String> = read(&written).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["a.txt", "b/c.txt", "empty"]);
    }

    #[test]
    fn every_bit_of_the_form_shows_when_it_is_written_again() {
        let written = write(entries()).unwrap();
        for at in 0..written.len() * 8 {
            let mut changed = written.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let again = read(&changed).and_then(write);
            // Changed content has another checksum, which the archive records.
            assert!(again.is_err() || again.unwrap() != changed, "bit {at}");
        }
    }

    #[test]
    fn two_entries_of_a_name_are_refused() {
        assert!(write(vec![Entry::new("a", "1"), Entry::new("a", "2")]).is_err());
    }
}
