//! Texts in fewer bytes: frequent strings of up to eight bytes become one byte each.
//!
//! This is FSST (Boncz, Neumann, Leis: "FSST: Fast Random Access String Compression", VLDB 2020): each text can be decoded
//! without its neighbours, at about the speed of a copy. Libraries for FSST trust their input; a forged file must not be
//! trusted.

use super::decoded::Decoded;
use super::storage::Bytes;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// The longest symbol.
pub(super) const LONGEST: usize = 8;
/// The code for a byte that stands for itself and follows it. Lesser codes are symbols.
pub(super) const ITSELF: u8 = 255;
/// Codes that are decoded at once, and what they may take while they are.
const STEP: usize = 4;
/// A text of more codes than this is looked through for its length before it is decoded.
const LONG: usize = 1 << 12;
const STEP_ROOM: usize = 64;
/// Rounds in which the table gets better.
const ROUNDS: usize = 5;

/// Some bytes, padded with zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Symbol {
    bytes: [u8; LONGEST],
    length: u8,
}

/// The symbol of each code; codes from `count` on have none.
#[derive(Debug)]
pub(super) struct Symbols {
    /// The bytes of all, padded, and how many of them count, apart: a code is decoded by one load of a word and one of a byte.
    bytes: Box<[[u8; LONGEST]; 256]>,
    lengths: Box<[u8; 256]>,
    count: usize,
}

impl Default for Symbols {
    fn default() -> Self {
        Self::new([])
    }
}

impl Symbols {
    fn new(symbols: impl IntoIterator<Item = Symbol>) -> Self {
        let mut new = Self { bytes: Box::new([[0; LONGEST]; 256]), lengths: Box::new([0; 256]), count: 0 };
        for (code, symbol) in (0..ITSELF.into()).zip(symbols) {
            (new.bytes[code], new.lengths[code]) = (symbol.bytes, symbol.length);
            new.count += 1;
        }
        new
    }

    /// All that there are, by their codes.
    fn all(&self) -> impl Iterator<Item = Symbol> {
        self.bytes
            .iter()
            .zip(self.lengths.iter())
            .take(self.count)
            .map(|(bytes, length)| Symbol { bytes: *bytes, length: *length })
    }

    /// Builds a table that suits texts like these.
    pub(super) fn of(sample: &[&[u8]]) -> Self {
        (0..ROUNDS).fold(Self::default(), |symbols, _| symbols.better(sample))
    }

    /// Reads the output of [`Symbols::to_bytes`]. Damaged bytes give other symbols, hence other texts, but no failure.
    pub(super) fn from_bytes(bytes: &Bytes) -> Self {
        let symbols = bytes
            .slice(0..bytes.len())
            .as_chunks::<{ LONGEST + 1 }>()
            .0
            .iter()
            .map(|[length, bytes @ ..]| Symbol { bytes: *bytes, length: (*length).min(LONGEST as u8) });
        Self::new(symbols)
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        let bytes = self.all().flat_map(|symbol| std::iter::once(symbol.length).chain(symbol.bytes));
        Bytes::new(bytes.collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What a code stands for; nothing if it is no symbol's.
    #[inline]
    pub(super) fn symbol(&self, code: u8) -> &[u8] {
        let code = usize::from(code);
        &self.bytes[code][..usize::from(self.lengths[code]).min(LONGEST)]
    }

    /// Puts what the codes stand for behind what is in `out`. False if they break off.
    #[inline]
    pub(super) fn decode(&self, codes: &[u8], out: &mut Decoded) -> bool {
        // Each code writes eight bytes; the next one overwrites those that are too many. For a long text, room for the bytes that count
        // is found by looking through its codes first.
        let most = if codes.len() > LONG { self.decoded_len(codes) } else { codes.len() * LONGEST };
        let room = out.room(most + STEP_ROOM);
        let (mut at, mut rest) = (0, codes);
        loop {
            while let Some((step, behind)) = rest.split_first_chunk().filter(|(step, _)| !has_itself(step)) {
                let Some(place) = room.get_mut(at..).and_then(|room| room.first_chunk_mut()) else { return false };
                at += self.decode_step(*step, place);
                rest = behind;
            }
            let Some((code, behind)) = rest.split_first() else { break };
            let (bytes, length, behind) = match (*code, behind) {
                (ITSELF, [byte, behind @ ..]) => ([*byte, 0, 0, 0, 0, 0, 0, 0], 1, behind),
                (ITSELF, []) => return false,
                (code, behind) => (self.bytes[usize::from(code)], self.lengths[usize::from(code)], behind),
            };
            let Some(place) = room.get_mut(at..).and_then(|room| room.first_chunk_mut()) else { return false };
            *place = bytes;
            at += usize::from(length);
            rest = behind;
        }
        out.set_len(out.len() + at);
        true
    }

    /// How many bytes the codes stand for, at most.
    fn decoded_len(&self, codes: &[u8]) -> usize {
        codes.iter().map(|code| if *code == ITSELF { 1 } else { usize::from(self.lengths[usize::from(*code)]) }).sum()
    }

    /// Decodes some codes, none of which says that the next byte stands for itself, and says how many bytes they make.
    #[inline(always)]
    fn decode_step(&self, codes: [u8; STEP], place: &mut [u8; STEP_ROOM]) -> usize {
        let mut at = 0;
        for code in codes {
            let code = usize::from(code);
            // No length is greater: so it is seen that all is within the place.
            place[at..at + LONGEST].copy_from_slice(&self.bytes[code]);
            at += usize::from(self.lengths[code] & 15);
        }
        at
    }

    /// Fills `out` with what codes stand for at first. False if that is less.
    pub(super) fn decode_beginning(&self, codes: &[u8], out: &mut [u8]) -> bool {
        let (mut rest, mut codes) = (out, codes.iter());
        while !rest.is_empty() {
            let Some(code) = codes.next() else { return false };
            let bytes = &self.bytes[usize::from(*code)];
            let length = usize::from(self.lengths[usize::from(*code)]).min(rest.len());
            if *code == ITSELF {
                let Some(byte) = codes.next() else { return false };
                rest[0] = *byte;
                rest = &mut rest[1..];
            } else {
                rest[..length].copy_from_slice(&bytes[..length]);
                rest = &mut rest[length..];
            }
        }
        true
    }

    /// A table of the symbols that would save most, chosen from the current ones and from pairs of neighbours joined.
    fn better(&self, sample: &[&[u8]]) -> Self {
        let coder = Coder::new(self);
        // Numbers stand for codes; those from `self.count` on stand for single bytes.
        let numbers = self.count + 256;
        let symbol = |number: usize| match number.checked_sub(self.count) {
            None => Symbol { bytes: self.bytes[number], length: self.lengths[number] },
            Some(byte) => Symbol { bytes: [byte as u8, 0, 0, 0, 0, 0, 0, 0], length: 1 },
        };
        let (mut single, mut pairs) = (vec![0u64; numbers], vec![0u32; numbers * numbers]);
        for text in sample {
            let (mut rest, mut last) = (*text, None);
            while let Some(first) = rest.first() {
                let own = self.count + usize::from(*first);
                let number = match coder.longest(rest) {
                    Some(code) => {
                        // Count the single byte too, so that it stays in the table: a text that continues differently needs
                        // it.
                        single[own] += 1;
                        usize::from(code)
                    }
                    None => own,
                };
                single[number] += 1;
                if let Some(last) = last {
                    pairs[last * numbers + number] += 1;
                }
                last = Some(number);
                rest = &rest[usize::from(symbol(number).length)..];
            }
        }
        let mut gains: FxHashMap<(u64, u8), u64> = FxHashMap::default();
        let mut add = |symbol: Symbol, count: u64| {
            *gains.entry((u64::from_le_bytes(symbol.bytes), symbol.length)).or_default() +=
                count * u64::from(symbol.length);
        };
        for (number, count) in single.iter().enumerate().filter(|(_, count)| **count > 0) {
            add(symbol(number), *count);
            for (next, count) in pairs[number * numbers..][..numbers].iter().enumerate().filter(|(_, n)| **n > 1) {
                if let Some(joined) = symbol(number).joined(symbol(next)) {
                    add(joined, u64::from(*count));
                }
            }
        }
        let mut best: Vec<((u64, u8), u64)> = gains.into_iter().collect();
        best.sort_unstable_by_key(|(symbol, gain)| (Reverse(*gain), *symbol));
        best.truncate(ITSELF.into());
        Self::new(best.into_iter().map(|((bytes, length), _)| Symbol { bytes: bytes.to_le_bytes(), length }))
    }
}

/// Whether one of the codes says that the next byte stands for itself: a byte of ones.
#[inline(always)]
pub(super) fn has_itself(codes: &[u8; STEP]) -> bool {
    let zeros = !u32::from_le_bytes(*codes);
    zeros.wrapping_sub(0x0101_0101) & !zeros & 0x8080_8080 != 0
}

impl Symbol {
    /// This symbol and the next joined, cut to the longest length; `None` if this one already has that length.
    fn joined(self, next: Self) -> Option<Self> {
        let own = usize::from(self.length);
        let more = LONGEST.checked_sub(own).filter(|more| *more > 0)?.min(next.length.into());
        let mut joined = self;
        joined.bytes[own..own + more].copy_from_slice(&next.bytes[..more]);
        joined.length += more as u8;
        Some(joined)
    }
}

/// Finds the longest symbol that a text begins with.
pub(super) struct Coder {
    /// One-byte symbols, by their byte.
    short: [Option<u8>; 256],
    /// Where the symbols with these first two bytes start in `long`.
    starts: Vec<u16>,
    /// Symbols of two bytes or more, sorted by their first two bytes, the longest first: bytes, mask, length, code.
    long: Vec<(u64, u64, u8, u8)>,
    lengths: [u8; 256],
}

impl Coder {
    pub(super) fn new(symbols: &Symbols) -> Self {
        let (mut short, mut long) = ([None; 256], Vec::new());
        for (code, Symbol { bytes, length }) in (0..ITSELF).zip(symbols.all()) {
            match length {
                0 => {}
                1 => short[usize::from(bytes[0])] = Some(code),
                _ => {
                    let mask = u64::MAX >> (64 - 8 * u32::from(length));
                    long.push((u64::from_le_bytes(bytes) & mask, mask, length, code));
                }
            }
        }
        long.sort_unstable_by_key(|(bytes, _, length, code)| (*bytes as u16, Reverse(*length), *code));
        let mut starts = vec![0; (1 << 16) + 1];
        long.iter().for_each(|(bytes, ..)| starts[usize::from(*bytes as u16) + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { short, starts, long, lengths: *symbols.lengths }
    }

    /// Appends the codes of a text to `out`.
    pub(super) fn encode(&self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            match self.longest(rest) {
                Some(code) => {
                    out.push(code);
                    rest = &rest[usize::from(self.lengths[usize::from(code)])..];
                }
                None => {
                    out.extend([ITSELF, *first]);
                    rest = after;
                }
            }
        }
    }

    #[inline]
    fn longest(&self, text: &[u8]) -> Option<u8> {
        let beginning = match text.first_chunk() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => {
                let mut bytes = [0; LONGEST];
                bytes[..text.len()].copy_from_slice(text);
                u64::from_le_bytes(bytes)
            }
        };
        let pair = usize::from(beginning as u16);
        let long = &self.long[usize::from(self.starts[pair])..usize::from(self.starts[pair + 1])];
        let found = long
            .iter()
            .find(|(bytes, mask, length, _)| beginning & mask == *bytes && usize::from(*length) <= text.len());
        found.map(|(.., code)| *code).or_else(|| self.short[usize::from(*text.first()?)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_they_were_written_and_take_fewer_bytes() {
        let words = ["graph", "of ", "statements", " and ", "ministry ", "\u{0}", "\u{ff}ÿ", "的"];
        let mut random = fastrand::Rng::with_seed(3);
        let texts: Vec<Vec<u8>> = (0..300)
            .map(|n| (0..n % 40).flat_map(|_| words[random.usize(..words.len())].bytes()).collect())
            .chain([vec![0; 30], (0..=255).collect(), (0..=255).rev().collect()])
            .collect();
        let sample: Vec<&[u8]> = texts.iter().step_by(3).map(Vec::as_slice).collect();
        for symbols in [Symbols::of(&sample), Symbols::of(&[]), Symbols::from_bytes(&Symbols::of(&sample).to_bytes())] {
            let coder = Coder::new(&symbols);
            let (mut codes, mut out) = (Vec::new(), Decoded::default());
            for text in &texts {
                codes.clear();
                coder.encode(text, &mut codes);
                out.set_len(0);
                out.extend(b"before ");
                assert!(symbols.decode(&codes, &mut out));
                assert_eq!(out.as_slice(), [b"before ".as_slice(), text].concat());
            }
            let sizes = texts.iter().map(|text| {
                codes.clear();
                coder.encode(text, &mut codes);
                [text.len(), codes.len()]
            });
            let [plain, coded] = sizes.fold([0, 0], |[a, b], [text, codes]| [a + text, b + codes]);
            assert!(symbols.is_empty() || coded * 2 < plain, "{coded} of {plain} bytes");
        }
    }

    #[test]
    fn what_codes_that_were_forged_stand_for_is_short_or_nothing() {
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..500 {
            let mut noise = |length: usize| -> Vec<u8> { (0..length).map(|_| random.u8(..)).collect() };
            let symbols = Symbols::from_bytes(&Bytes::new(noise(9 * 200 + 5)));
            let codes = noise(50);
            let mut out = Decoded::default();
            symbols.decode(&codes, &mut out);
            assert!(out.len() <= (codes.len() + 1) * LONGEST);
        }
    }
}
