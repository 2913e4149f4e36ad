//! Whether the strings of a list have a text in them. Of a string that shares its beginning with the one before, only the rest is read:
//! what was met in the beginning is remembered.

use super::super::symbols::{ITSELF, Symbols, has_itself};
use super::super::text_search::{Met, TextPattern, TextSearch};
use super::{BLOCK, BlockReader, StringTable};

/// Longer beginnings are not remembered.
const LONGEST_SHARED: usize = 1 << 12;

impl StringTable {
    /// What looking for a pattern takes; `None` where strings are not in codes: they are fast to decode.
    pub(in super::super) fn search(&self, pattern: &TextPattern) -> Option<TextSearch> {
        (!self.symbols.is_empty()).then(|| TextSearch::new(pattern, &self.symbols))
    }

    /// Looks through strings. Asked for close, ascending positions, it does not restart their block.
    pub(in super::super) fn searcher<'a>(&'a self, search: &'a TextSearch) -> TableSearcher<'a> {
        TableSearcher { table: self, search, block: self.block_of(&[]), next: 0, marks: Vec::new() }
    }
}

/// See [`StringTable::searcher`].
pub(in super::super) struct TableSearcher<'a> {
    table: &'a StringTable,
    search: &'a TextSearch,
    block: BlockReader<'a>,
    /// The index of the string that `block` is before; a multiple of [`BLOCK`] if it must be restarted.
    next: u32,
    /// The beginning of the string before, at least as far as the next one shares it.
    marks: Vec<Mark>,
}

/// A code of a string.
struct Mark {
    /// Where in the string its bytes begin, and what was met before them.
    start: usize,
    before: Met,
    unit: Unit,
}

/// What stands for some bytes of a string.
#[derive(Clone, Copy)]
enum Unit {
    Code(u8),
    Byte(u8),
}

impl Unit {
    /// The first unit of a string, and those behind it; `None` at the end, or where a byte is missing.
    #[inline]
    fn first(string: &[u8], in_codes: bool) -> Option<(Self, &[u8])> {
        match string {
            [ITSELF, byte, rest @ ..] if in_codes => Some((Self::Byte(*byte), rest)),
            [ITSELF] if in_codes => None,
            [code, rest @ ..] if in_codes => Some((Self::Code(*code), rest)),
            [byte, rest @ ..] => Some((Self::Byte(*byte), rest)),
            [] => None,
        }
    }

    #[inline]
    fn length(self, search: &TextSearch) -> usize {
        match self {
            Self::Code(code) => search.length(code),
            Self::Byte(_) => 1,
        }
    }

    #[inline]
    fn bytes<'u>(&'u self, symbols: &'u Symbols) -> &'u [u8] {
        match self {
            Self::Code(code) => symbols.symbol(*code),
            Self::Byte(byte) => std::slice::from_ref(byte),
        }
    }

    #[inline]
    fn after(self, met: Met, search: &TextSearch) -> Met {
        match self {
            Self::Code(code) => search.code(met, code),
            Self::Byte(byte) => search.byte(met, byte),
        }
    }
}

impl<'a> TableSearcher<'a> {
    /// Whether the string at `index` has the text in it; of a text in any case, whether it may have it. `None` if only decoding it tells,
    /// or there is no such string.
    #[inline]
    pub(in super::super) fn finds(&mut self, index: u32) -> Option<bool> {
        if index >= self.table.len() {
            return None;
        }
        let is_ahead = index >= self.next && index / BLOCK == self.next / BLOCK;
        if !is_ahead || self.next.is_multiple_of(BLOCK) {
            self.block = self.table.block(index / BLOCK);
            self.marks.clear();
            self.next = index / BLOCK * BLOCK;
        }
        // Where a string is broken, its block is restarted.
        for _ in std::mem::take(&mut self.next)..index {
            self.begin_next()?;
        }
        let (met, rest, in_codes) = self.begin_next()?;
        self.next = index + 1;
        self.finds_in(met, rest, in_codes)
    }

    /// Reads as much of the next string as the one after it shares. Returns what was met there, the rest, and whether that is in codes.
    #[inline]
    fn begin_next(&mut self) -> Option<(Met, &'a [u8], bool)> {
        let in_codes = !self.block.is_first;
        let (shared, mut rest) = self.block.next()?;
        // The mark in which the remembered beginning ends may be of a string before the last.
        if shared > LONGEST_SHARED {
            return None;
        }
        let mut met = self.go_back(shared)?;
        let (mut at, end) = (shared, self.block.shared_by_next().min(LONGEST_SHARED));
        while at < end {
            let (unit, behind) = Unit::first(rest, in_codes)?;
            self.marks.push(Mark { start: at, before: met, unit });
            met = unit.after(met, self.search);
            at += unit.length(self.search);
            rest = behind;
        }
        Some((met, rest, in_codes))
    }

    /// Forgets all but the first bytes of the string before, and returns what was met in them.
    #[inline]
    fn go_back(&mut self, length: usize) -> Option<Met> {
        let kept = self.marks.iter().rposition(|mark| mark.start < length).map_or(0, |last| last + 1);
        self.marks.truncate(kept);
        let Some(last) = self.marks.last() else { return (length == 0).then_some(Met::NOTHING) };
        let bytes = last.unit.bytes(&self.table.symbols).get(..length - last.start)?;
        Some(bytes.iter().fold(last.before, |met, byte| self.search.byte(met, *byte)))
    }

    #[inline]
    fn finds_in(&self, met: Met, rest: &[u8], in_codes: bool) -> Option<bool> {
        let (mut met, mut rest) = (met, rest);
        while !met.is_found() {
            if let Some((step, behind)) = rest.split_first_chunk().filter(|(step, _)| in_codes && !has_itself(step)) {
                met = step.iter().fold(met, |met, code| self.search.code(met, *code));
                rest = behind;
            } else if let Some((unit, behind)) = Unit::first(rest, in_codes) {
                met = unit.after(met, self.search);
                rest = behind;
            } else {
                return rest.is_empty().then_some(false);
            }
        }
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::StringTableBuilder;
    use super::*;
    use kgq_syntax::budget::Budget;

    /// A list that is put in codes, with strings that share much, little and nothing.
    fn coded() -> (Vec<String>, StringTable) {
        let mut random = fastrand::Rng::with_seed(31);
        let words =
            ["graph", "statements", "information", "ministry", "of the ", "Émile", "quick", "nation", "a", "\u{212A}"];
        let text = |random: &mut fastrand::Rng| -> String {
            (0..random.usize(0..12)).map(|_| words[random.usize(..words.len())]).collect()
        };
        let mut strings: Vec<String> = (0..60_000).map(|_| text(&mut random)).collect();
        strings.extend((0..40).map(|n| format!("{}{n}", "shared beginnings ".repeat(300))));
        // Beginnings about as long as what is remembered, behind which the first goes on within a symbol, and two others otherwise. What
        // follows each three keeps one whose beginning is not known from spoiling the next.
        let long = "the ministry of statements ".repeat(160);
        for length in LONGEST_SHARED - 8..LONGEST_SHARED + 8 {
            for shift in 0..8 {
                let (rest, name) = (&long[shift..], format!("{shift}{length}"));
                let beginning = format!("{name}{}", &rest[..length - name.len()]);
                let behind = &rest[beginning.len() - name.len()..][..20];
                strings.extend([behind, "~b", "~bc"].map(|end| format!("{beginning}{end}")));
                strings.extend((0..24).map(|n| format!("{name}~{n}")));
            }
        }
        strings.sort();
        strings.dedup();
        let mut builder = StringTableBuilder::default();
        strings.iter().for_each(|string| builder.push(string.as_bytes()).unwrap());
        let table = builder.finish().coded(&Budget::default()).unwrap();
        assert!(!table.symbols.is_empty());
        (strings, table)
    }

    /// What was found must be right. It may be open only in a block where strings share too much to be remembered.
    fn check(found: Option<bool>, has: bool, index: u32, strings: &[String]) {
        let block = index / BLOCK * BLOCK..index / BLOCK * BLOCK + BLOCK;
        let is_long = |at: u32| strings.get(at as usize).is_some_and(|string| string.len() > LONGEST_SHARED);
        assert!(found == Some(has) || found.is_none() && block.into_iter().any(is_long), "{found:?} at {index}");
    }

    #[test]
    fn a_text_is_found_in_the_strings_that_have_it() {
        let (strings, table) = coded();
        let long = "informationinformationinformationinformationinformationinformation";
        for wanted in
            ["n", "ation", "graphgraph", "of the of", "yE", "Émileq", "tat", "beginnings 3", "~bc", "zz", &long[..63]]
        {
            let search = table.search(&TextPattern::exact(wanted.as_bytes()).unwrap()).unwrap();
            let mut searcher = table.searcher(&search);
            for (index, string) in (0..).zip(&strings) {
                check(searcher.finds(index), string.contains(wanted), index, &strings);
            }
        }
        assert!(TextPattern::exact(long.as_bytes()).is_none() && TextPattern::exact(b"").is_none());
    }

    #[test]
    fn strings_may_be_asked_for_here_and_there() {
        let (strings, table) = coded();
        let search = table.search(&TextPattern::exact(b"tionm").unwrap()).unwrap();
        let mut searcher = table.searcher(&search);
        let (mut random, mut index) = (fastrand::Rng::with_seed(32), 0);
        for _ in 0..20_000 {
            index = if random.u8(..) < 20 { random.u32(..table.len()) } else { index + random.u32(..9) };
            if let Some(string) = strings.get(index as usize) {
                check(searcher.finds(index), string.contains("tionm"), index, &strings);
            }
        }
        assert_eq!(searcher.finds(table.len()), None);
    }

    #[test]
    fn letters_in_any_case_are_never_missed() {
        let (strings, table) = coded();
        for (wanted, exactly) in [("QUICK", false), ("Mile", true), ("mInIsTrY", false), ("grapHQ", true)] {
            let search = table.search(&TextPattern::in_any_case(wanted).unwrap()).unwrap();
            let mut searcher = table.searcher(&search);
            for (index, string) in (0..).zip(&strings) {
                let has = string.to_ascii_lowercase().contains(&wanted.to_ascii_lowercase());
                let finds = searcher.finds(index).unwrap_or(has);
                // `k` is also the sign for Kelvin, and `s` the long s.
                let may = has || !exactly && string.contains(['\u{212A}', '\u{17F}']);
                assert!(finds == has || finds && may, "{wanted} in {string}");
            }
        }
        assert!(TextPattern::in_any_case("é").is_none());
    }

    #[test]
    fn a_list_that_is_not_in_codes_is_decoded() {
        let mut builder = StringTableBuilder::default();
        builder.push(b"a text").unwrap();
        assert!(builder.finish().search(&TextPattern::exact(b"text").unwrap()).is_none());
    }
}
