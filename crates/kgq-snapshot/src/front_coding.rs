//! Lists of byte strings, front-coded in blocks: each string holds only what it does not share with the one before.

use super::file::{Reader, Writer};
use super::interner::too_many_terms;
use super::storage::{Bytes, Words};
use kgq_syntax::error::Result;
use std::cmp::Ordering;
use std::ops::Range;

/// Strings in a block. The first is whole, so a search compares with it without decoding.
const BLOCK: u32 = 16;

/// A list of byte strings; sorted where it is searched.
#[derive(Debug, Default)]
pub(super) struct StringTable {
    count: u32,
    /// Where each block starts in the text, as 64-bit numbers.
    blocks: Words,
    text: Bytes,
}

impl StringTable {
    pub(super) fn len(&self) -> u32 {
        self.count
    }

    /// Puts the string at `index` into `out`. False if there is none or it cannot be decoded.
    pub(super) fn get(&self, index: u32, out: &mut Vec<u8>) -> bool {
        out.clear();
        if index >= self.count {
            return false;
        }
        let mut block = self.block(index / BLOCK);
        (0..=index % BLOCK).all(|_| block.next_into(out))
    }

    /// Reads strings one after the other; near ones, in ascending order, without starting their block anew.
    pub(super) fn reader(&self) -> TableReader<'_> {
        TableReader { table: self, block: BlockReader { rest: &[] }, next: 0, string: Vec::new() }
    }

    /// The position of a string among those of a sorted range of the list.
    pub(super) fn find(&self, range: Range<u32>, target: &[u8]) -> Option<u32> {
        if range.is_empty() || range.end > self.count {
            return None;
        }
        // The blocks whose first string is in the range, and is at most the target.
        let (mut low, mut high) = (range.start.div_ceil(BLOCK), (range.end - 1) / BLOCK + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.block(middle).head()?.cmp(target) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Some(middle * BLOCK),
                Ordering::Greater => high = middle,
            }
        }
        let block = low.saturating_sub(1).max(range.start / BLOCK);
        let first = block * BLOCK;
        let mut reader = self.block(block);
        let mut string = Vec::new();
        for index in first..range.end.min(first + BLOCK) {
            if !reader.next_into(&mut string) {
                return None;
            }
            if index >= range.start && string == target {
                return Some(index);
            }
        }
        None
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<()> {
        writer.numbers(&[self.count])?;
        writer.words(&self.blocks)?;
        writer.bytes(&self.text)
    }

    pub(super) fn read(reader: &mut Reader) -> Result<Self> {
        let [count] = reader.numbers_of()?;
        let blocks = reader.words_of((count.div_ceil(BLOCK) as usize + 1) * 2)?;
        Ok(Self { count, blocks, text: reader.bytes()? })
    }

    fn block(&self, block: u32) -> BlockReader<'_> {
        let start = self.blocks.pair(block as usize);
        let end = self.blocks.pair(block as usize + 1);
        BlockReader { rest: self.text.slice(start as usize..end as usize) }
    }
}

/// See [`StringTable::reader`].
pub(super) struct TableReader<'a> {
    table: &'a StringTable,
    block: BlockReader<'a>,
    /// The index after that of `string`; 0 if there is none.
    next: u32,
    string: Vec<u8>,
}

impl TableReader<'_> {
    /// The string at `index`. `None` if there is none or it cannot be decoded.
    pub(super) fn get(&mut self, index: u32) -> Option<&[u8]> {
        if index >= self.table.count {
            return None;
        }
        if self.next == 0 || index < self.next - 1 || index / BLOCK != (self.next - 1) / BLOCK {
            self.block = self.table.block(index / BLOCK);
            self.string.clear();
            self.next = index / BLOCK * BLOCK;
        }
        while self.next <= index {
            if !self.block.next_into(&mut self.string) {
                self.next = 0;
                return None;
            }
            self.next += 1;
        }
        Some(&self.string)
    }
}

struct BlockReader<'a> {
    rest: &'a [u8],
}

impl<'a> BlockReader<'a> {
    fn head(&mut self) -> Option<&'a [u8]> {
        let shared = self.number()?;
        let length = self.number()?;
        if shared != 0 {
            return None;
        }
        self.rest.get(..length)
    }

    /// Turns `string`, which holds the string before, into the next one.
    fn next_into(&mut self, string: &mut Vec<u8>) -> bool {
        let (Some(shared), Some(length)) = (self.number(), self.number()) else { return false };
        let (Some(suffix), true) = (self.rest.get(..length), shared <= string.len()) else { return false };
        string.truncate(shared);
        string.extend_from_slice(suffix);
        self.rest = &self.rest[length..];
        true
    }

    /// A number in groups of seven bits, least first.
    #[inline]
    fn number(&mut self) -> Option<usize> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if first < 0x80 {
            return Some(first as usize);
        }
        let mut value = usize::from(first & 0x7f);
        for shift in [7, 14, 21, 28, 35] {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

/// Builds a [`StringTable`] from its strings in order.
#[derive(Default)]
pub(super) struct StringTableBuilder {
    count: u32,
    blocks: Vec<u32>,
    text: Vec<u8>,
    last: Vec<u8>,
}

impl StringTableBuilder {
    pub(super) fn len(&self) -> u32 {
        self.count
    }

    /// # Errors
    /// A limit, when there are more strings than ids.
    pub(super) fn push(&mut self, string: &[u8]) -> Result<()> {
        let shared = if self.count.is_multiple_of(BLOCK) {
            self.mark();
            0
        } else {
            shared_prefix(string, &self.last)
        };
        self.count = self.count.checked_add(1).ok_or_else(too_many_terms)?;
        write_number(shared, &mut self.text);
        write_number(string.len() - shared, &mut self.text);
        self.text.extend_from_slice(&string[shared..]);
        self.last.truncate(shared);
        self.last.extend_from_slice(&string[shared..]);
        Ok(())
    }

    pub(super) fn finish(mut self) -> StringTable {
        self.mark();
        StringTable { count: self.count, blocks: Words::new(self.blocks), text: Bytes::new(self.text) }
    }

    fn mark(&mut self) {
        let at = self.text.len() as u64;
        self.blocks.push(at as u32);
        self.blocks.push((at >> 32) as u32);
    }
}

/// How many bytes two strings start with alike.
#[inline]
pub(super) fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).take_while(|(a, b)| a == b).count() * 8;
    words + a[words..].iter().zip(&b[words..]).take_while(|(a, b)| a == b).count()
}

fn write_number(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gives_the_same_strings_in_whatever_order() {
        let mut builder = StringTableBuilder::default();
        let strings: Vec<String> = (0..100).map(|i| format!("{}{i}", "a".repeat(i % 7))).collect();
        strings.iter().for_each(|string| builder.push(string.as_bytes()).unwrap());
        let table = builder.finish();
        let mut reader = table.reader();
        for index in [0, 0, 3, 3, 4, 40, 33, 99, 98, 15, 16, 17, 1, 100, 2] {
            let expected = strings.get(index as usize).map(|string| string.as_bytes());
            assert_eq!(reader.get(index), expected, "{index}");
        }
    }

    #[test]
    fn strings_are_read_back_and_found_in_any_range() {
        let mut strings: Vec<String> = (0..200).map(|i| format!("http://example.com/{}", i * i)).collect();
        strings.push("x".repeat(300));
        strings.push(String::new());
        strings.sort();
        let mut builder = StringTableBuilder::default();
        strings.iter().for_each(|s| builder.push(s.as_bytes()).unwrap());
        let table = builder.finish();
        let mut out = Vec::new();
        for (i, s) in strings.iter().enumerate() {
            assert!(table.get(i as u32, &mut out));
            assert_eq!(out, s.as_bytes());
        }
        assert!(!table.get(table.len(), &mut out));
        for start in 0..table.len() {
            for end in [start, start + 1, start + 17, start + 40, table.len()] {
                for (i, s) in strings.iter().enumerate() {
                    let expected = (start..end).contains(&(i as u32)).then_some(i as u32);
                    let range = start..end.min(table.len());
                    assert_eq!(table.find(range, s.as_bytes()), expected.filter(|i| *i < end.min(table.len())));
                }
                assert_eq!(table.find(start..end.min(table.len()), b"http://example.com/7"), None);
            }
        }
    }
}
