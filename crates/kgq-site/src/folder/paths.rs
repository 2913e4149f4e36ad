//! The paths of a site, millions of them: sorted, each with only what it does not share with the one before.

use kgq_syntax::error::{Error, Result};

/// How many paths are stored one after the other; the first of them is whole.
const BLOCK: usize = 16;

/// Sorted paths, each once.
#[derive(Debug, Default)]
pub struct Paths {
    /// For each path how many bytes it shares with the one before, how many more it has, and these.
    bytes: Vec<u8>,
    /// Where each block starts.
    blocks: Vec<usize>,
    count: usize,
}

impl Paths {
    /// Sorts paths.
    ///
    /// # Errors
    /// A path that comes twice.
    pub fn of(mut paths: Vec<String>) -> Result<Self> {
        paths.sort_unstable();
        if let Some(pair) = paths.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::bug(format!("the site has two files {}", pair[0])));
        }
        let mut sorted = Self::default();
        let mut before = "";
        for path in &paths {
            let is_first = sorted.count.is_multiple_of(BLOCK);
            if is_first {
                sorted.blocks.push(sorted.bytes.len());
            }
            let alike = before.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
            let shared = if is_first { 0 } else { alike };
            push_length(shared, &mut sorted.bytes);
            push_length(path.len() - shared, &mut sorted.bytes);
            sorted.bytes.extend_from_slice(&path.as_bytes()[shared..]);
            sorted.count += 1;
            before = path;
        }
        sorted.bytes.shrink_to_fit();
        sorted.blocks.shrink_to_fit();
        Ok(sorted)
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// The path at a place.
    pub fn get(&self, at: usize) -> Option<String> {
        let mut cursor = self.block(at / BLOCK)?;
        let path = (0..=at % BLOCK).try_for_each(|_| cursor.advance().then_some(()));
        path.map(|()| cursor.text())
    }

    /// The place of a path.
    pub fn position(&self, path: &str) -> Option<usize> {
        let after = self.blocks.partition_point(|start| self.first(*start) <= path.as_bytes());
        let block = after.checked_sub(1)?;
        let mut cursor = self.block(block)?;
        for at in block * BLOCK..self.count.min((block + 1) * BLOCK) {
            if !cursor.advance() {
                return None;
            }
            match cursor.path.as_slice().cmp(path.as_bytes()) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Some(at),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }

    pub fn has(&self, path: &str) -> bool {
        self.position(path).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = String> + '_ {
        let mut cursor = Cursor { rest: &self.bytes, path: Vec::new() };
        std::iter::from_fn(move || cursor.advance().then(|| cursor.text()))
    }

    /// The first path of the block that starts there.
    fn first(&self, start: usize) -> &[u8] {
        let mut rest = &self.bytes[start..];
        take_length(&mut rest);
        let length = take_length(&mut rest);
        &rest[..length]
    }

    fn block(&self, block: usize) -> Option<Cursor<'_>> {
        Some(Cursor { rest: &self.bytes[*self.blocks.get(block)?..], path: Vec::new() })
    }
}

/// Reads one path after the other.
struct Cursor<'p> {
    rest: &'p [u8],
    path: Vec<u8>,
}

impl Cursor<'_> {
    /// Goes to the next path; false after the last.
    fn advance(&mut self) -> bool {
        if self.rest.is_empty() {
            return false;
        }
        let shared = take_length(&mut self.rest);
        let more = take_length(&mut self.rest);
        let (own, rest) = self.rest.split_at(more);
        self.path.truncate(shared);
        self.path.extend_from_slice(own);
        self.rest = rest;
        true
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }
}

/// Appends a number, seven bits a byte.
fn push_length(mut length: usize, out: &mut Vec<u8>) {
    while length > 127 {
        out.push(length as u8 & 127 | 128);
        length >>= 7;
    }
    out.push(length as u8);
}

fn take_length(bytes: &mut &[u8]) -> usize {
    let mut length = 0;
    for shift in (0..).step_by(7) {
        let Some((byte, rest)) = bytes.split_first() else { return length };
        *bytes = rest;
        length |= usize::from(byte & 127) << shift;
        if byte & 128 == 0 {
            break;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_by_their_places_and_places_by_their_paths() {
        let long = "x".repeat(300);
        let mut all: Vec<String> = (0..100).map(|n| format!("a/{}/{n}.html", n % 7)).collect();
        all.extend((0..20).map(|n| format!("{long}/é{n:02}")));
        let paths = Paths::of(all.clone()).unwrap();
        all.sort();
        assert_eq!(paths.iter().collect::<Vec<_>>(), all);
        assert_eq!(paths.len(), all.len());
        for (at, path) in all.iter().enumerate() {
            assert_eq!((paths.position(path), paths.get(at).as_ref()), (Some(at), Some(path)));
            assert!(!paths.has(&format!("{path}x")) && !paths.has(&path[..path.len() - 1]));
        }
        assert!(!paths.has("") && !paths.has("zz") && paths.get(all.len()).is_none());
        assert!(!Paths::default().has("a") && Paths::default().iter().next().is_none());
        let of_texts: usize = all.iter().map(String::len).sum();
        assert!(paths.bytes.len() < of_texts / 2, "{} of {of_texts}", paths.bytes.len());
    }

    #[test]
    fn a_path_cannot_come_twice() {
        assert!(Paths::of(vec!["a".into(), "b".into(), "a".into()]).is_err());
    }
}
