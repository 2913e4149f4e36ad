//! Columns of numbers packed into as few bits as they need; any number can be read without the others.
//!
//! A column is a sequence of frames of 128 numbers. A frame stores the difference of each number from the frame's least, all
//! in the same number of bits. So a look-up costs a shift, and a seek needs only the least number of each frame. The
//! directory has two words per frame: the least number; and the width in bits together with the position of the frame's
//! bits. Storing differences between neighbours instead would save a twentieth of a snapshot where numbers are sorted, but a
//! look-up would have to add them up.

mod near;
mod search;

pub(super) use near::NearReader;

use super::TermId;
use super::blocks::BLOCK_IDS as FRAME;
use super::file::{Reader, Writer};
use super::storage::Words;
use kgq_syntax::error::Result;

/// Numbers packed side by side, so that a machine with vector instructions unpacks them at once.
const LANES: usize = 4;
/// The bits of a directory's second word that hold the width; the others hold the position, in vectors from the start of the
/// frame's region.
const WIDTH_BITS: u32 = 6;
/// The frames per region: small enough that the position of the last one fits beside its width.
const REGION: usize = 1 << 21;

/// A vector of packed bits.
type Vector = [u32; LANES];

/// A column of numbers, in frames.
#[derive(Debug, Default)]
pub(super) struct Column {
    len: usize,
    /// Two words per frame; then, for each region but the first, its start in vectors.
    directory: Words,
    bits: Words,
    /// The greatest allowed number; a greater one, in a forged file, is replaced by it.
    most: u32,
}

/// A function for each width from 1 to 32.
macro_rules! for_each_width {
    ($name:ident) => {
        for_each_width!($name: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
    };
    ($name:ident: $($width:literal)*) => { [$($name::<$width>),*] };
}

/// Runs an expression for each vector of a frame, with the step as a constant: the compiler does not unroll loops that far.
macro_rules! for_each_step {
    ($step:ident => $do:expr) => {
        for_each_step!($step => $do; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
    };
    ($step:ident => $do:expr; $($number:literal)*) => { $({ let $step = $number; $do; })* };
}

/// Appends the bits of the numbers' differences from the least.
type Pack = fn(&[u32; FRAME], u32, &mut Vec<u32>);
/// Restores the numbers from their bits, adding the least.
type Unpack = fn(&[Vector], u32, &mut [TermId; FRAME]);

/// For each width from 1 on, the function that packs a frame, and the one that unpacks it.
static PACK: [Pack; 32] = for_each_width!(pack);
static UNPACK: [Unpack; 32] = for_each_width!(unpack);

/// A frame, ready to be read.
struct Frame<'a> {
    least: u32,
    width: usize,
    vectors: &'a [Vector],
}

impl Frame<'_> {
    /// The number at a position of the frame.
    #[inline(always)]
    fn get(&self, at: usize) -> u32 {
        self.least.saturating_add(self.difference(at))
    }

    /// What the number at a position of the frame has more than the least.
    #[inline(always)]
    fn difference(&self, at: usize) -> u32 {
        let (lane, bit) = (at % LANES, at / LANES * self.width);
        let word = |at: usize| self.vectors.get(at).map_or(0, |vector| u64::from(vector[lane]));
        let first = bit / 32;
        // The last vector has nothing after it, and what stands in for that is masked: so nothing branches on where it is.
        let pair = word(first) | word((first + 1).min(self.vectors.len().wrapping_sub(1))) << 32;
        (pair >> (bit % 32)) as u32 & mask(self.width)
    }

    /// All of its numbers.
    #[inline]
    fn unpack(&self, out: &mut [TermId; FRAME]) {
        match self.width.checked_sub(1).and_then(|at| UNPACK.get(at)) {
            Some(unpack) => unpack(self.vectors, self.least, out),
            None => out.fill(TermId::new(self.least)),
        }
    }
}

/// A mask with this many bits set.
#[inline(always)]
fn mask(width: usize) -> u32 {
    u32::MAX.checked_shr(32 - width.min(32) as u32).unwrap_or(0)
}

impl Column {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number at `at`; 0 outside, or where it is damaged.
    #[inline]
    pub(super) fn get(&self, at: usize) -> u32 {
        if at >= self.len {
            return 0;
        }
        self.limited(self.frame(at / FRAME).get(at % FRAME))
    }

    /// The number, or the greatest allowed one if it is greater than that.
    #[inline(always)]
    fn limited(&self, number: u32) -> u32 {
        if number > self.most {
            self.bits.found_damaged();
        }
        number.min(self.most)
    }

    /// The number at `at`, and the next.
    #[inline]
    pub(super) fn pair(&self, at: usize) -> [u32; 2] {
        let within = at % FRAME;
        if within + 1 == FRAME || at + 1 >= self.len {
            return [self.get(at), self.get(at + 1)];
        }
        let frame = self.frame(at / FRAME);
        [self.limited(frame.get(within)), self.limited(frame.get(within + 1))]
    }

    /// Fills the buffer with the numbers from `at` on, as ids; the column must have that many.
    pub(super) fn fill(&self, at: usize, out: &mut [TermId]) {
        let (mut at, mut rest) = (at, out);
        while !rest.is_empty() {
            let frame = self.frame(at / FRAME);
            let start = at % FRAME;
            let (now, later) = rest.split_at_mut(rest.len().min(FRAME - start));
            let greatest = frame.least.checked_add(mask(frame.width));
            if greatest.is_none() {
                now.iter_mut().zip(at..).for_each(|(id, at)| *id = TermId::new(self.get(at)));
            } else if let Some(now) = now.first_chunk_mut::<FRAME>() {
                frame.unpack(now);
            } else if now.len() * 4 < FRAME {
                now.iter_mut().zip(start..).for_each(|(id, at)| *id = TermId::new(frame.get(at)));
            } else {
                let mut all = [TermId::new(0); FRAME];
                frame.unpack(&mut all);
                now.copy_from_slice(&all[start..start + now.len()]);
            }
            if greatest.is_some_and(|greatest| greatest > self.most) {
                self.keep_limit(now);
            }
            at += now.len();
            rest = later;
        }
    }

    /// Notes the damage where an id is greater than allowed, and replaces it by the greatest allowed.
    fn keep_limit(&self, ids: &mut [TermId]) {
        if ids.iter().fold(0, |most, id| most.max(id.get())) > self.most {
            self.bits.found_damaged();
            ids.iter_mut().for_each(|id| *id = TermId::new(id.get().min(self.most)));
        }
    }

    /// Notes that what it holds cannot be.
    #[cold]
    pub(super) fn found_damaged(&self) {
        self.bits.found_damaged();
    }

    #[inline]
    fn least(&self, frame: usize) -> u32 {
        self.directory.get(frame * 2)
    }

    #[inline]
    fn frame(&self, frame: usize) -> Frame<'_> {
        let [least, place] = match self.directory.slice(frame * 2..frame * 2 + 2) {
            [least, place] => [*least, *place],
            _ => [0, 0],
        };
        let width = (place & ((1 << WIDTH_BITS) - 1)).min(32) as usize;
        let region = match frame / REGION {
            0 => 0,
            later => self.directory.get(self.len.div_ceil(FRAME) * 2 + later - 1) as usize,
        };
        let start = region.saturating_add((place >> WIDTH_BITS) as usize).saturating_mul(LANES);
        let vectors = self.bits.slice(start..start.saturating_add(width * LANES)).as_chunks().0;
        if vectors.len() < width {
            self.bits.found_damaged();
            return Frame { least, width: 0, vectors: &[] };
        }
        Frame { least, width, vectors }
    }
}

/// Packs a column whose numbers arrive in pieces.
#[derive(Default)]
pub(super) struct Packer {
    len: usize,
    directory: Vec<u32>,
    regions: Vec<u32>,
    /// The number of vectors packed so far, and the bits of those that were not taken yet.
    placed: u64,
    bits: Vec<u32>,
    /// Numbers that do not fill a frame yet.
    rest: Vec<u32>,
}

impl Packer {
    /// Appends numbers.
    pub(super) fn push(&mut self, numbers: &[u32]) {
        self.len += numbers.len();
        let mut numbers = numbers;
        if !self.rest.is_empty() {
            let (now, later) = numbers.split_at(numbers.len().min(FRAME - self.rest.len()));
            self.rest.extend_from_slice(now);
            numbers = later;
            if self.rest.len() < FRAME {
                return;
            }
            let mut whole = std::mem::take(&mut self.rest);
            whole.as_chunks().0.iter().for_each(|frame| self.frame(frame));
            whole.clear();
            self.rest = whole;
        }
        let (frames, rest) = numbers.as_chunks();
        frames.iter().for_each(|frame| self.frame(frame));
        self.rest.extend_from_slice(rest);
    }

    /// Takes the bits packed since the last call, for a caller that stores them elsewhere.
    pub(super) fn take_bits(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.bits)
    }

    /// The number of words that [`Packer::take_bits`] would return.
    pub(super) fn waiting(&self) -> usize {
        self.bits.len()
    }

    /// Packs the last frame, padded with its own first number.
    pub(super) fn end(&mut self) {
        if let Some(first) = self.rest.first() {
            let mut last = [*first; FRAME];
            last[..self.rest.len()].copy_from_slice(&self.rest);
            self.rest.clear();
            self.frame(&last);
        }
    }

    /// The finished column; `bits` are those taken before.
    pub(super) fn finish(self, bits: Words) -> Column {
        let Self { len, mut directory, regions, .. } = self;
        directory.extend(regions.iter().skip(1));
        Column { len, directory: Words::new(directory), bits, most: u32::MAX }
    }

    fn frame(&mut self, numbers: &[u32; FRAME]) {
        let (mut least, mut most) = (u32::MAX, 0);
        for number in numbers {
            (least, most) = (least.min(*number), most.max(*number));
        }
        let width = (u32::BITS - (most - least).leading_zeros()) as usize;
        if (self.directory.len() / 2).is_multiple_of(REGION) {
            // A column has at most 2^32 numbers, hence fewer than 2^30 vectors.
            self.regions.push(self.placed as u32);
        }
        let region = self.regions.last().copied().unwrap_or(0);
        let place = (self.placed - u64::from(region)) as u32;
        self.directory.extend([least, place << WIDTH_BITS | width as u32]);
        if let Some(pack) = width.checked_sub(1).and_then(|at| PACK.get(at)) {
            pack(numbers, least, &mut self.bits);
        }
        self.placed += width as u64;
    }
}

impl Column {
    /// Packs numbers that are all in memory.
    pub(super) fn pack(numbers: &[u32]) -> Self {
        let mut packer = Packer::default();
        packer.push(numbers);
        packer.end();
        let bits = packer.take_bits();
        packer.finish(Words::new(bits))
    }

    /// The bytes that the column takes.
    pub(super) fn bytes(&self) -> u64 {
        (self.directory.len() + self.bits.len()) as u64 * 4
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<()> {
        writer.words(&self.directory)?;
        writer.words(&self.bits)
    }

    /// Reads a column of `len` numbers, all less than `below`.
    pub(super) fn read(reader: &mut Reader, len: usize, below: u64) -> Result<Self> {
        let frames = len.div_ceil(FRAME);
        let directory = reader.words_of(frames * 2 + frames.div_ceil(REGION).saturating_sub(1))?;
        let bits = reader.words()?;
        Ok(Self { len, directory, bits, most: below.saturating_sub(1).min(u32::MAX.into()) as u32 })
    }
}

fn pack<const WIDTH: usize>(numbers: &[u32; FRAME], least: u32, out: &mut Vec<u32>) {
    let mut vectors = [[0; LANES]; WIDTH];
    for_each_step!(step => pack_step(&mut vectors, step, least, &numbers.as_chunks().0[step]));
    out.extend_from_slice(vectors.as_flattened());
}

#[inline(always)]
fn pack_step<const WIDTH: usize>(vectors: &mut [Vector; WIDTH], step: usize, least: u32, numbers: &[u32; LANES]) {
    let (at, shift) = (step * WIDTH / 32, step * WIDTH % 32);
    for (lane, number) in numbers.iter().enumerate() {
        let bits = number - least;
        vectors[at][lane] |= bits << shift;
        if shift + WIDTH > 32 {
            vectors[at + 1][lane] |= bits >> (32 - shift);
        }
    }
}

fn unpack<const WIDTH: usize>(vectors: &[Vector], least: u32, out: &mut [TermId; FRAME]) {
    let Some(vectors) = vectors.first_chunk::<WIDTH>() else { return };
    for_each_step!(step => unpack_step(vectors, step, least, &mut out.as_chunks_mut().0[step]));
}

#[inline(always)]
fn unpack_step<const WIDTH: usize>(vectors: &[Vector; WIDTH], step: usize, least: u32, out: &mut [TermId; LANES]) {
    let (at, shift) = (step * WIDTH / 32, step * WIDTH % 32);
    for (lane, id) in out.iter_mut().enumerate() {
        let mut bits = vectors[at][lane] >> shift;
        if shift + WIDTH > 32 {
            bits |= vectors[at + 1][lane] << (32 - shift);
        }
        *id = TermId::new(least.wrapping_add(bits & mask(WIDTH)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::Range;

    /// Numbers below two to the power of `width`.
    fn numbers(random: &mut fastrand::Rng, count: usize, width: u32) -> Vec<u32> {
        (0..count).map(|_| random.u32(..).checked_shr(32 - width).unwrap_or(7)).collect()
    }

    fn filled(column: &Column, range: Range<usize>) -> Vec<u32> {
        let mut ids = vec![TermId::new(3); range.len()];
        column.fill(range.start, &mut ids);
        ids.into_iter().map(TermId::get).collect()
    }

    #[test]
    fn numbers_of_every_width_are_read_as_they_were_packed() {
        let mut random = fastrand::Rng::with_seed(11);
        for width in 0..=32 {
            for count in [0, 1, 5, 127, 128, 129, 700] {
                let numbers = numbers(&mut random, count, width);
                let column = Column::pack(&numbers);
                assert_eq!(column.len(), count);
                assert_eq!((0..count).map(|at| column.get(at)).collect::<Vec<_>>(), numbers, "{width} bits");
                for range in [0..count, count / 3..count / 2, count / 2..count, count..count] {
                    assert_eq!(filled(&column, range.clone()), numbers[range], "{width} bits");
                }
                // The numbers may come in pieces.
                let mut packer = Packer::default();
                numbers.chunks(50).for_each(|piece| packer.push(piece));
                packer.end();
                let bits = packer.take_bits();
                assert_eq!(filled(&packer.finish(Words::new(bits)), 0..count), numbers, "{width} bits");
            }
        }
    }

    #[test]
    fn seeking_finds_what_a_walk_finds_in_a_sorted_part_of_a_column() {
        let mut random = fastrand::Rng::with_seed(12);
        for width in [0, 1, 3, 9, 17, 32] {
            for part in [0..900, 100..101, 127..129, 128..640, 300..700, 5..5] {
                let mut numbers = numbers(&mut random, 900, width);
                numbers[part.clone()].sort_unstable();
                let column = Column::pack(&numbers);
                for _ in 0..60 {
                    let near = numbers[random.usize(..900)].wrapping_add(random.u32(..2));
                    for target in [near, random.u32(..), 0, u32::MAX] {
                        let expected = part.start + numbers[part.clone()].iter().take_while(|n| **n < target).count();
                        assert_eq!(column.gallop(part.clone(), target), expected, "{width} bits, {part:?}, {target}");
                        let equal = numbers[expected..part.end].iter().take_while(|n| **n == target).count();
                        let found = column.equal(part.clone(), target);
                        assert_eq!(found, expected..expected + equal, "{width} bits, {part:?}, {target}");
                    }
                }
            }
        }
    }

    #[test]
    fn seeking_finds_what_is_far_away_in_a_long_column() {
        let mut random = fastrand::Rng::with_seed(14);
        // Evenly spread numbers, ever nearer ones, and runs of equal ones.
        let evenly = (0..700_000).map(|n| n * 5 + n % 3).collect();
        let nearer = (0..700_000).map(|n: u32| n.isqrt() * 4000).collect();
        let equal = (0..700_000).map(|n| n / 1000 * 5000).collect();
        for numbers in [evenly, nearer, equal] {
            let numbers: Vec<u32> = numbers;
            let column = Column::pack(&numbers);
            for turn in 0..3000 {
                let start = random.usize(..numbers.len());
                let (range, target) = (start..random.usize(start..=numbers.len()), random.u32(..3_600_000));
                let target = if turn % 2 == 0 { numbers[random.usize(..numbers.len())] } else { target };
                let before = |target: u32| range.start + numbers[range.clone()].partition_point(|n| *n < target);
                let expected = before(target)..before(target + 1);
                assert_eq!(column.gallop(range.clone(), target), expected.start, "{range:?}, {target}");
                assert_eq!(column.lower_bound(range.clone(), target), expected.start, "{range:?}, {target}");
                assert_eq!(column.equal(range.clone(), target), expected, "{range:?}, {target}");
            }
        }
    }

    #[test]
    fn a_frame_of_equal_numbers_takes_no_bits_and_one_of_neighbours_few() {
        assert_eq!(Column::pack(&[5; 1280]).bytes(), 10 * 8);
        let neighbours: Vec<u32> = (1_000_000..1_001_280).collect();
        assert_eq!(Column::pack(&neighbours).bytes(), 10 * 8 + 1280 * 7 / 8);
    }

    #[test]
    fn what_a_forged_directory_says_is_read_within_the_column() {
        let mut random = fastrand::Rng::with_seed(13);
        let numbers = numbers(&mut random, 1000, 12);
        for _ in 0..2000 {
            let mut column = Column::pack(&numbers);
            column.most = 4096;
            let (Words::Owned(directory), Words::Owned(bits)) = (&mut column.directory, &mut column.bits) else {
                unreachable!("it is in memory")
            };
            let at = random.usize(..directory.len());
            directory[at] = random.u32(..) >> random.u32(..32);
            bits.truncate(random.usize(..=bits.len()));
            assert!(filled(&column, 0..1000).iter().all(|number| *number <= 4096));
            assert!((0..1000).all(|at| column.get(at) <= 4096));
            for target in [0, 77, 4000, u32::MAX] {
                assert!((10..=990).contains(&column.gallop(10..990, target)));
                assert!((10..=990).contains(&column.lower_bound(10..990, target)));
                let equal = column.equal(10..990, target);
                assert!(10 <= equal.start && equal.start <= equal.end && equal.end <= 990);
            }
        }
    }
}
