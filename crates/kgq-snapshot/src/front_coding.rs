//! Lists of byte strings, front-coded in blocks: each string stores only what it does not share with the one before, and
//! stores that in codes where they save enough.

mod search;

pub(super) use search::TableSearcher;

use super::decoded::Decoded;
use super::file::{Reader, Writer};
use super::interner::too_many_terms;
use super::storage::{Bytes, Words};
use super::symbols::{Coder, LONGEST, Symbols};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use std::cmp::Ordering;
use std::ops::Range;

/// Strings per block. The first is stored whole, so that a search can compare with it without decoding.
const BLOCK: u32 = 16;

/// Shorter texts are not coded: the codes would save little, and a small project is loaded anew at each start.
const WORTH_CODING: usize = 1 << 20;
/// The bytes of a text that are sampled to choose its symbols.
const SAMPLE: usize = 1 << 16;
/// The least number of blocks to sample, if there are that many; and the most bytes to sample from a string.
const LEAST_SAMPLED: u32 = 64;
const LONGEST_SAMPLED: usize = 1 << 8;
/// Bytes of strings between two checks of the budget.
const BYTES_BETWEEN_CHECKS: usize = 1 << 20;

/// A list of byte strings, which must be sorted to be searched.
#[derive(Debug, Default)]
pub(super) struct StringTable {
    count: u32,
    /// Where each block starts in the text, as 64-bit numbers.
    blocks: Words,
    text: Bytes,
    /// What the codes stand for in all strings but the first of a block; empty where strings are stored as they are.
    symbols: Symbols,
}

impl StringTable {
    pub(super) fn len(&self) -> u32 {
        self.count
    }

    /// Puts the string at `index` into `out`. Returns false if there is none or it cannot be decoded.
    pub(super) fn get(&self, index: u32, out: &mut Vec<u8>) -> bool {
        let mut string = Decoded::over(std::mem::take(out));
        let found = index < self.count && self.seek(index, &mut string).is_some();
        *out = string.into_bytes();
        found
    }

    /// Puts the string at `index`, which there is, into `out`, and gives a reader of those behind it in its block.
    fn seek(&self, index: u32, out: &mut Decoded) -> Option<BlockReader<'_>> {
        let mut reader = self.block(index / BLOCK);
        out.set_len(0);
        reader.skip_into(index % BLOCK + 1, out).then_some(reader)
    }

    /// Returns a reader for many strings. Asked for close, ascending positions, it does not restart their block.
    pub(super) fn reader(&self) -> TableReader<'_> {
        TableReader { table: self, block: self.block_of(&[]), next: 0, string: Decoded::default() }
    }

    /// The position of a string within a sorted range of the list.
    pub(super) fn find(&self, range: Range<u32>, target: &[u8]) -> Option<u32> {
        if range.is_empty() || range.end > self.count {
            return None;
        }
        // Search the blocks whose first string is in the range and at most the target.
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
        let mut string = Decoded::default();
        for index in first..range.end.min(first + BLOCK) {
            if !reader.next_into(&mut string) {
                return None;
            }
            if index >= range.start && string.as_slice() == target {
                return Some(index);
            }
        }
        None
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<()> {
        writer.numbers(&[self.count])?;
        writer.words(&self.blocks)?;
        writer.bytes(&self.text)?;
        writer.bytes(&self.symbols.to_bytes())
    }

    pub(super) fn read(reader: &mut Reader) -> Result<Self> {
        let [count] = reader.numbers_of()?;
        let blocks = reader.words_of((count.div_ceil(BLOCK) as usize + 1) * 2)?;
        let (text, symbols) = (reader.bytes()?, Symbols::from_bytes(&reader.bytes()?));
        reader.file().intact()?;
        Ok(Self { count, blocks, text, symbols })
    }

    fn block(&self, block: u32) -> BlockReader<'_> {
        let start = self.blocks.pair(block as usize);
        let end = self.blocks.pair(block as usize + 1);
        self.block_of(self.text.slice(start as usize..end as usize))
    }

    fn block_of<'a>(&'a self, text: &'a [u8]) -> BlockReader<'a> {
        BlockReader { rest: text, symbols: (!self.symbols.is_empty()).then_some(&self.symbols), is_first: true }
    }

    /// The same list with its strings in codes, if that saves at least a quarter.
    pub(super) fn coded(self, budget: &Budget) -> Result<Self> {
        if self.text.len() < WORTH_CODING {
            return Ok(self);
        }
        // Memory for the codes, which are abandoned if they grow longer than the text.
        let _held = budget.reserve(self.text.len() as u64)?;
        let symbols = self.suitable_symbols();
        let coder = Coder::new(&symbols);
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u32);
        let blocks = self.count.div_ceil(BLOCK);
        let parts: Vec<Range<u32>> = (0..threads)
            .map(|part| {
                (part * blocks.div_ceil(threads)).min(blocks)..((part + 1) * blocks.div_ceil(threads)).min(blocks)
            })
            .collect();
        let coded: Option<Vec<(Vec<u64>, Vec<u8>)>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                parts.into_iter().map(|part| scope.spawn(|| self.code_blocks(part, &coder, budget))).collect();
            let failed = |_| Err(Error::bug("coding strings failed"));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(failed)).collect::<Result<_>>()
        })?;
        let Some(coded) = coded else { return Ok(self) };
        let length = coded.iter().map(|(_, text)| text.len()).sum::<usize>();
        if length > self.text.len() / 4 * 3 {
            return Ok(self);
        }
        drop(self.text);
        let (mut blocks, mut all) = (Vec::with_capacity(self.blocks.len()), Vec::with_capacity(length));
        for (starts, text) in coded {
            let before = all.len() as u64;
            blocks.extend(starts.into_iter().map(|start| before + start).flat_map(two_words));
            all.extend_from_slice(&text);
        }
        blocks.extend(two_words(all.len() as u64));
        Ok(Self { count: self.count, blocks: Words::new(blocks), text: Bytes::new(all), symbols })
    }

    /// Symbols that suit the strings, chosen from samples of all parts of the list.
    fn suitable_symbols(&self) -> Symbols {
        let blocks = self.count.div_ceil(BLOCK);
        let step = (self.text.len() / SAMPLE).clamp(1, (blocks / LEAST_SAMPLED).max(1) as usize);
        let mut sample = Vec::new();
        for block in (0..blocks).step_by(step) {
            let mut reader = self.block(block);
            for _ in 0..BLOCK.min(self.count - block * BLOCK) {
                sample.extend(reader.next().map(|(_, suffix)| &suffix[..suffix.len().min(LONGEST_SAMPLED)]));
            }
        }
        Symbols::of(&sample)
    }

    /// The text of these blocks in codes, and where each block starts in it; `None` if the codes are longer than the text.
    fn code_blocks(&self, blocks: Range<u32>, coder: &Coder, budget: &Budget) -> Result<Option<(Vec<u64>, Vec<u8>)>> {
        let (mut starts, mut text, mut codes) = (Vec::with_capacity(blocks.len()), Vec::new(), Vec::new());
        let (mut plain, mut looked) = (0, 0);
        for block in blocks {
            starts.push(text.len() as u64);
            let mut reader = self.block(block);
            for number in 0..BLOCK.min(self.count - block * BLOCK) {
                let Some((shared, suffix)) = reader.next() else {
                    return Err(Error::bug("a list of strings is broken"));
                };
                codes.clear();
                match number {
                    0 => codes.extend_from_slice(suffix),
                    _ => coder.encode(suffix, &mut codes),
                }
                write_number(shared, &mut text);
                write_number(codes.len(), &mut text);
                text.extend_from_slice(&codes);
                // A string may have a few bytes or many millions, so bytes are counted, not strings.
                plain += suffix.len() + 2;
                if plain - looked >= BYTES_BETWEEN_CHECKS {
                    looked = plain;
                    budget.check()?;
                    if text.len() > plain {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some((starts, text)))
    }
}

/// See [`StringTable::reader`].
pub(super) struct TableReader<'a> {
    table: &'a StringTable,
    block: BlockReader<'a>,
    /// The index after the one of `string`; 0 if there is none.
    next: u32,
    string: Decoded,
}

impl TableReader<'_> {
    /// The string at `index`. `None` if there is none or it cannot be decoded.
    #[inline]
    pub(super) fn get(&mut self, index: u32) -> Option<&[u8]> {
        let next = self.next;
        if index == next && !next.is_multiple_of(BLOCK) && next < self.table.count {
            // Strings are mostly asked for one after the other.
            self.next = 0;
            self.block.next_into(&mut self.string).then_some(())?;
            self.next = next + 1;
        } else if next == 0 || index != next - 1 {
            self.go_to(index)?;
        }
        Some(self.string.as_slice())
    }

    /// Reads the string at `index`, from the one that was read last if that is before it in its block.
    fn go_to(&mut self, index: u32) -> Option<()> {
        if index >= self.table.count {
            return None;
        }
        let next = std::mem::take(&mut self.next);
        if next > 0 && index >= next && (next - 1) / BLOCK == index / BLOCK {
            self.block.skip_into(index - next + 1, &mut self.string).then_some(())?;
        } else {
            self.block = self.table.seek(index, &mut self.string)?;
        }
        self.next = index + 1;
        Some(())
    }
}

struct BlockReader<'a> {
    rest: &'a [u8],
    /// What codes stand for, if the strings after the first are in codes.
    symbols: Option<&'a Symbols>,
    is_first: bool,
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
    #[inline]
    fn next_into(&mut self, string: &mut Decoded) -> bool {
        let symbols = self.symbols.filter(|_| !self.is_first);
        let Some((shared, suffix)) = self.next() else { return false };
        if shared > string.len() {
            return false;
        }
        string.set_len(shared);
        decode(symbols, suffix, string)
    }

    /// Replaces `string` by the string `count` positions further on. It must hold the previous string, or nothing at the
    /// start of a block.
    ///
    /// Of those between only the bytes are decoded that it shares: mostly a few of the last ones.
    fn skip_into(&mut self, count: u32, string: &mut Decoded) -> bool {
        let coded_from = usize::from(self.is_first);
        let all_symbols = self.symbols;
        let symbols = |number: usize| all_symbols.filter(|_| number >= coded_from);
        let mut strings = [(0, [].as_slice()); BLOCK as usize];
        let Some(strings) = strings.get_mut(..count as usize) else { return false };
        // No string so far is longer than this: a greater shared length comes from a forged file, and no memory is allocated
        // for it.
        let mut most = string.len();
        for string in strings.iter_mut() {
            let Some((shared, suffix)) = self.next().filter(|(shared, _)| *shared <= most) else { return false };
            most = shared + suffix.len() * LONGEST;
            *string = (shared, suffix);
        }
        let Some(((shared, suffix), between)) = strings.split_last() else { return false };
        let (known, mut missing) = (string.len(), *shared);
        string.set_len(missing);
        for (number, (own, suffix)) in between.iter().enumerate().rev() {
            if *own < missing {
                if !decode_beginning(symbols(number), suffix, string.part(*own, missing)) {
                    return false;
                }
                missing = *own;
            }
        }
        missing <= known && decode(symbols(between.len()), suffix, string)
    }

    /// The number of bytes that the next string shares with the one before, and its other bytes as stored.
    #[inline]
    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        let (shared, length) = match self.rest {
            // Most strings are short.
            [shared, length, rest @ ..] if (shared | length) & 0x80 == 0 => {
                self.rest = rest;
                (usize::from(*shared), usize::from(*length))
            }
            _ => (self.number()?, self.number()?),
        };
        let suffix = self.rest.get(..length)?;
        self.rest = &self.rest[length..];
        self.is_first = false;
        Some((shared, suffix))
    }

    /// The number of bytes that the string after the next one shares with it; 0 at the end of the block.
    #[inline]
    fn shared_by_next(&self) -> usize {
        let mut ahead = BlockReader { rest: self.rest, symbols: None, is_first: false };
        ahead.number().unwrap_or(0)
    }

    /// Reads a number stored in groups of seven bits, least significant first.
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

/// Appends a decoded suffix to `out`; it is in codes if there are symbols. Returns false if it cannot be decoded.
#[inline]
fn decode(symbols: Option<&Symbols>, suffix: &[u8], out: &mut Decoded) -> bool {
    match symbols {
        Some(symbols) => symbols.decode(suffix, out),
        None => {
            out.extend(suffix);
            true
        }
    }
}

/// Fills `out` with the beginning of a suffix. Returns false if the suffix is shorter.
fn decode_beginning(symbols: Option<&Symbols>, suffix: &[u8], out: &mut [u8]) -> bool {
    match (symbols, suffix.get(..out.len())) {
        (Some(symbols), _) => symbols.decode_beginning(suffix, out),
        (None, Some(beginning)) => {
            out.copy_from_slice(beginning);
            true
        }
        (None, None) => false,
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
        let (blocks, text) = (Words::new(self.blocks), Bytes::new(self.text));
        StringTable { count: self.count, blocks, text, symbols: Symbols::default() }
    }

    fn mark(&mut self) {
        self.blocks.extend(two_words(self.text.len() as u64));
    }
}

fn two_words(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

/// The length of the common prefix of two strings.
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
    fn what_a_forged_string_shares_beyond_the_one_before_is_not_made_room_for() {
        let mut far = Vec::new();
        write_number(usize::MAX >> 30, &mut far);
        for (text, index) in [([far.as_slice(), &[0]].concat(), 0), ([&[0, 1, b'a'], far.as_slice(), &[0]].concat(), 1)]
        {
            let blocks = [0, text.len() as u64].into_iter().flat_map(two_words).collect();
            let table = StringTable {
                count: 2,
                blocks: Words::new(blocks),
                text: Bytes::new(text),
                symbols: Symbols::default(),
            };
            let mut out = Vec::new();
            assert!(!table.get(index, &mut out));
            assert!(out.capacity() < 1 << 10);
            assert_eq!(table.reader().get(index), None);
        }
    }

    #[test]
    fn long_strings_behind_short_ones_are_put_in_codes_that_suit_them() {
        let prose = "the ministry of commerce opens the service industry of the region. ".repeat(1500);
        let strings = (0..20u32).map(|n| format!("{n:02}")).chain((0..30).map(|n| format!("{n:02} {prose}")));
        let strings: Vec<String> = strings.collect();
        let mut builder = StringTableBuilder::default();
        strings.iter().for_each(|string| builder.push(string.as_bytes()).unwrap());
        let table = builder.finish().coded(&Budget::default()).unwrap();
        assert!(!table.symbols.is_empty());
        let mut out = Vec::new();
        for (index, string) in (0..).zip(&strings) {
            assert!(table.get(index, &mut out) && out == string.as_bytes(), "{index}");
        }
    }

    #[test]
    fn a_long_list_is_put_in_codes_and_reads_as_before() {
        let strings: Vec<String> = (0..40_000u32)
            .map(|i| format!("{i:05} is the number of statement {:x}", i.wrapping_mul(2_654_435_761)))
            .collect();
        let mut builder = StringTableBuilder::default();
        strings.iter().for_each(|string| builder.push(string.as_bytes()).unwrap());
        let plain = builder.finish();
        let before = plain.text.len();
        let table = plain.coded(&Budget::default()).unwrap();
        assert!(!table.symbols.is_empty() && table.text.len() < before / 4 * 3, "{} of {before}", table.text.len());
        let (mut reader, mut out) = (table.reader(), Vec::new());
        for (index, string) in (0..).zip(&strings) {
            assert_eq!(reader.get(index), Some(string.as_bytes()));
            assert!(table.get(index, &mut out));
            assert_eq!(out, string.as_bytes());
            if index % 7 == 0 {
                assert_eq!(table.find(0..table.len(), string.as_bytes()), Some(index));
            }
        }
        assert_eq!(table.find(0..table.len(), b"00001 is"), None);
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
