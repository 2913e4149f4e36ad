//! Looks for a short text in texts that are stored in codes, without decoding them.
//!
//! While bytes are read, a word has a bit for each beginning of the wanted text that the bytes read so far end with (shift-and:
//! Baeza-Yates and Gonnet, "A new approach to text searching", 1992). What the bytes of a symbol do to that word together is
//! computed once for each code, so a code costs as little as a byte.

use super::symbols::Symbols;

/// The longest text that is looked for: one bit is always set, so that a symbol with the whole text in it is seen like any other.
const LONGEST: usize = 63;
const ALWAYS: u64 = 1 << 63;
/// The first bytes of the characters that are `k` or `s` in another case: the sign for Kelvin and the long s.
const OTHER_CASES: [(u8, u8); 2] = [(b'k', 0xE2), (b's', 0xC5)];

/// A text to look for.
#[derive(Clone, Debug)]
pub struct TextPattern {
    /// For each byte, a bit for each place at which it may stand.
    places: Box<[u64; 256]>,
    length: usize,
    /// Bytes at which a text counts as found: it may be in what they begin.
    unsure: Vec<u8>,
}

impl TextPattern {
    /// These bytes; `None` if there are none, or too many.
    pub fn exact(text: &[u8]) -> Option<Self> {
        Self::new(text, |byte| [byte, byte])
    }

    /// These letters in whatever case. A text without them may count as having them, if it has a character that Unicode takes for one of them.
    /// `None` if they are not ASCII, if there are none, or too many.
    pub fn in_any_case(text: &str) -> Option<Self> {
        let mut pattern = Self::new(text.as_bytes(), |byte| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()])?;
        let has = |letter: u8| pattern.places[usize::from(letter)] != 0;
        pattern.unsure = OTHER_CASES.iter().filter(|(letter, _)| has(*letter)).map(|(_, first)| *first).collect();
        text.is_ascii().then_some(pattern)
    }

    fn new(text: &[u8], cases: impl Fn(u8) -> [u8; 2]) -> Option<Self> {
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        let mut places = Box::new([0; 256]);
        for (place, byte) in text.iter().enumerate() {
            cases(*byte).iter().for_each(|case| places[usize::from(*case)] |= 1 << place);
        }
        Some(Self { places, length: text.len(), unsure: Vec::new() })
    }

    /// The step that these bytes make together.
    fn step(&self, bytes: &[u8]) -> Step {
        let last = self.length as u64 - 1;
        let mut step = Step { length: 0, keeps: u64::MAX, begins: ALWAYS, completes: 0 };
        for byte in bytes {
            let places = self.places[usize::from(*byte)];
            step.length += 1;
            step.keeps = step.keeps << 1 & places;
            step.begins = step.begins << 1 & places | 1 & places | ALWAYS;
            if let Some(before) = last.checked_sub(step.length).filter(|_| step.keeps >> last & 1 == 1) {
                step.completes |= 1 << before;
            }
            if step.begins >> last & 1 == 1 || self.unsure.contains(byte) {
                step.completes |= ALWAYS;
            }
        }
        step
    }
}

/// What some bytes do to the beginnings that were met before them.
#[derive(Clone, Copy, Debug)]
struct Step {
    length: u64,
    /// Of the beginnings, made longer by these bytes, those that are still beginnings.
    keeps: u64,
    /// The beginnings within these bytes.
    begins: u64,
    /// The beginnings that these bytes complete.
    completes: u64,
}

/// What was met so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    beginnings: u64,
    /// Not 0 where the text was found.
    found: u64,
}

impl Met {
    /// What is met before the first byte.
    pub(super) const NOTHING: Self = Self { beginnings: ALWAYS, found: 0 };

    pub(super) fn is_found(self) -> bool {
        self.found != 0
    }

    #[inline(always)]
    fn after(self, step: &Step) -> Self {
        Self {
            beginnings: self.beginnings << step.length & step.keeps | step.begins,
            found: self.found | self.beginnings & step.completes,
        }
    }
}

/// A pattern with the steps of all codes and bytes.
#[derive(Debug)]
pub struct TextSearch {
    codes: Box<[Step; 256]>,
    bytes: Box<[Step; 256]>,
}

impl TextSearch {
    pub(super) fn new(pattern: &TextPattern, symbols: &Symbols) -> Self {
        let step = |code: usize| pattern.step(symbols.symbol(code as u8));
        Self {
            codes: Box::new(std::array::from_fn(step)),
            bytes: Box::new(std::array::from_fn(|byte| pattern.step(&[byte as u8]))),
        }
    }

    #[inline(always)]
    pub(super) fn code(&self, met: Met, code: u8) -> Met {
        met.after(&self.codes[usize::from(code)])
    }

    /// How many bytes a code stands for.
    #[inline(always)]
    pub(super) fn length(&self, code: u8) -> usize {
        self.codes[usize::from(code)].length as usize
    }

    #[inline(always)]
    pub(super) fn byte(&self, met: Met, byte: u8) -> Met {
        met.after(&self.bytes[usize::from(byte)])
    }
}
