//! Names of terms in memory, found by the beginnings of their words while the user types.
//!
//! A name's number is its rank: classes and properties before things, short names before long ones. The typed text
//! becomes sets of such numbers, which are read from the lowest up. So only about as many names are read as are
//! offered, however many match.

use fixedbitset::FixedBitSet;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::sort::{Piece, sort_by};
use rustc_hash::{FxHashSet, FxHasher};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::OnceLock;

/// Collects names with the terms that have them: `Names::add` for each, then `Names::index`.
#[derive(Debug, Default)]
pub struct Names {
    /// Folded names, one per line.
    text: String,
    found: Vec<Name>,
    words: Vec<Word>,
}

#[derive(Clone, Copy, Debug)]
struct Name {
    start: u32,
    owner: TermId,
    /// Classes and properties (`false`) before things (`true`); then by length.
    rank: (bool, u32),
}

/// Where a word begins in the text, and which name it belongs to.
#[derive(Clone, Copy, Debug)]
struct Word {
    start: u32,
    name: u32,
}

/// Names that can be searched.
#[derive(Debug, Default)]
pub struct NameIndex {
    text: String,
    /// Where each name starts, and finally where the text ends.
    starts: Vec<u32>,
    owners: Vec<TermId>,
    /// Sorted by the text at each word.
    words: Vec<Word>,
    /// A hash of the letters and digits of each name and of each of its words, with the number of the name; sorted.
    /// Made when first needed.
    by_letters: OnceLock<Vec<(u32, u32)>>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameMatches {
    /// The best first.
    pub terms: Vec<TermId>,
    /// The number of names that were read for it.
    pub looked_at: usize,
}

/// The most characters of a name that are kept: anything longer is a text rather than a name.
const LONGEST: usize = 200;
/// The most bytes of text that are kept. Terms whose names do not fit are found only by their IRIs.
const MOST_TEXT: usize = 256 << 20;
/// Words are ordered by this many bytes of text: longer beginnings are compared only up to here.
const KEY: usize = 64;
/// The most occurrences of one word that are used, and the most names that are read: more would take too long for a key
/// press.
const MOST_PLACES: usize = 1 << 20;
const MOST_LOOKED_AT: usize = 20_000;

impl Names {
    /// Adds a name of a term, which may have several. `schema`: whether the term is a class or a property.
    pub fn add(&mut self, name: &str, owner: TermId, schema: bool) {
        if self.text.len() + LONGEST * 4 > MOST_TEXT {
            return;
        }
        let number = self.found.len() as u32;
        let start = self.text.len() as u32;
        let (mut before, mut length) = (' ', 0);
        for c in name.chars().take(LONGEST) {
            let begins = is_ideograph(c)
                || c.is_alphanumeric() && (!before.is_alphanumeric() || is_ideograph(before))
                || c.is_uppercase() && before.is_lowercase();
            if begins {
                self.words.push(Word { start: self.text.len() as u32, name: number });
            }
            self.text.extend(folded(c));
            before = c;
            length += 1;
        }
        self.text.push('\n');
        self.found.push(Name { start, owner, rank: (!schema, length) });
    }

    /// The bytes held.
    pub fn bytes(&self) -> usize {
        let (names, words) = (self.found.capacity() * size_of::<Name>(), self.words.capacity() * size_of::<Word>());
        self.text.capacity() + names + words
    }

    /// The bytes that [`Names::index`] holds beside these names: the copied text, numbers, and the words in two buffers.
    fn bytes_to_sort(&self) -> usize {
        self.text.len() + self.found.len() * 4 * size_of::<u32>() + self.words.len() * 2 * size_of::<(u64, Word)>()
    }

    /// Sorts names and words. The budget counts what this takes beside the names, which whoever collected them counts.
    ///
    /// # Errors
    /// The budget's.
    pub fn index(self, budget: &Budget) -> Result<NameIndex> {
        let _held = budget.reserve(self.bytes_to_sort() as u64)?;
        let Self { text: unordered, found, mut words } = self;
        let mut order: Vec<u32> = (0..found.len() as u32).collect();
        let key = |n: &u32| {
            let name = &found[*n as usize];
            (name.rank, name.owner, *n)
        };
        sort_by(&mut order, Piece::Large, |a, b| key(a).cmp(&key(b)), budget)?;
        let mut text = String::with_capacity(unordered.len());
        let mut starts = Vec::with_capacity(found.len() + 1);
        let mut numbers = vec![0u32; found.len()];
        for (number, n) in (0u32..).zip(&order) {
            let start = found[*n as usize].start as usize;
            let end = found.get(*n as usize + 1).map_or(unordered.len(), |next| next.start as usize);
            starts.push(text.len() as u32);
            text.push_str(&unordered[start..end]);
            numbers[*n as usize] = number;
        }
        starts.push(text.len() as u32);
        for word in &mut words {
            let number = numbers[word.name as usize];
            word.start = starts[number as usize] + (word.start - found[word.name as usize].start);
            word.name = number;
        }
        let bytes = text.as_bytes();
        let key = |from: usize, to: usize| bytes.get(from..to.min(bytes.len())).unwrap_or_default();
        // Most words differ in their first eight bytes, which are kept next to each other for sorting.
        let mut keyed: Vec<(u64, Word)> = words
            .into_iter()
            .map(|word| {
                let mut head = [0; 8];
                let own = key(word.start as usize, word.start as usize + 8);
                head[..own.len()].copy_from_slice(own);
                (u64::from_be_bytes(head), word)
            })
            .collect();
        let compare = |(a, x): &(u64, Word), (b, y): &(u64, Word)| {
            let rest = |w: &Word| key(w.start as usize + 8, w.start as usize + KEY);
            a.cmp(b).then_with(|| rest(x).cmp(rest(y))).then_with(|| x.start.cmp(&y.start))
        };
        sort_by(&mut keyed, Piece::Small, compare, budget)?;
        let words = keyed.iter().map(|(_, word)| *word).collect();
        let owners = order.iter().map(|n| found[*n as usize].owner).collect();
        Ok(NameIndex { text, starts, owners, words, by_letters: OnceLock::new() })
    }
}

impl NameIndex {
    /// The bytes held, with what the first search by letters adds.
    pub fn bytes(&self) -> usize {
        let (names, words) = (self.owners.len(), self.words.len());
        let numbers = names * (size_of::<u32>() + size_of::<TermId>()) + words * size_of::<Word>();
        self.text.capacity() + numbers + (names + words) * size_of::<(u32, u32)>()
    }

    /// Returns at most `most` terms: first those whose name begins with what was typed, then those whose name has words
    /// that begin with all the typed words in any order, then those with the characters of a Chinese word in this order
    /// but not adjacent.
    pub fn search(&self, typed: &str, most: usize, wanted: impl Fn(TermId) -> bool) -> NameMatches {
        let typed: String = typed.chars().flat_map(folded).collect();
        let phrase = typed.split_whitespace().collect::<Vec<_>>().join(" ");
        let words: Vec<&str> = phrase.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        if words.is_empty() {
            return NameMatches::default();
        }
        let mut picked =
            Picked { index: self, most, wanted, seen: FxHashSet::default(), found: NameMatches::default() };
        let mut whole = FixedBitSet::with_capacity(self.owners.len());
        for word in &self.words[self.places(&phrase)] {
            if self.starts[word.name as usize] == word.start {
                whole.insert(word.name as usize);
            }
        }
        picked.take(&whole, |_| true);
        picked.take(&self.having_all(words.iter().copied()), |_| true);
        if words.iter().any(|word| word.chars().filter(|c| is_ideograph(*c)).count() > 1) {
            let parts = words.iter().flat_map(|word| ideographs_apart(word));
            let scattered: Vec<&str> = words.iter().copied().filter(|w| w.chars().any(is_ideograph)).collect();
            picked.take(&self.having_all(parts), |name| scattered.iter().all(|word| in_order(name, word)));
        }
        picked.found
    }

    /// Returns at most `most` terms with a name, or a word of one, that differs in few letters from what was typed, the
    /// most similar first. Characters other than letters and digits are ignored, so that `xian` matches `Xi'an`
    /// exactly.
    pub fn near(&self, typed: &str, most: usize, wanted: impl Fn(TermId) -> bool) -> Vec<TermId> {
        let typed = letters(&typed.chars().flat_map(folded).collect::<String>());
        let length = typed.chars().count();
        let allowed = if length < SHORTEST_NEAR { 0 } else { (length / 4).clamp(1, 3) };
        let distance = |name: &str| {
            let name = letters(name);
            if name.chars().count().abs_diff(length) > allowed {
                return None;
            }
            if allowed == 0 {
                return (typed == name).then_some(0);
            }
            Some(strsim::osa_distance(&typed, &name)).filter(|distance| *distance <= allowed)
        };
        let mut found: Vec<(usize, u32)> = Vec::new();
        for number in 0..self.owners.len() as u32 {
            let name = self.name(number);
            let words = name.split_whitespace().filter_map(distance);
            if let Some(distance) = distance(name).into_iter().chain(words).min() {
                found.push((distance, number));
            }
        }
        found.sort_unstable();
        let mut seen = FxHashSet::default();
        let owners = found.into_iter().map(|(_, number)| self.owners[number as usize]);
        owners.filter(|owner| wanted(*owner) && seen.insert(*owner)).take(most).collect()
    }

    /// At most `most` terms with a name, or a word of one, that has the same letters and digits as what was typed.
    pub fn same_letters(&self, typed: &str, most: usize, wanted: impl Fn(TermId) -> bool) -> Vec<TermId> {
        let typed = letters(&typed.chars().flat_map(folded).collect::<String>());
        let key = hash(&typed);
        let all = self.by_letters.get_or_init(|| self.letters_of_all());
        let from = all.partition_point(|(own, _)| *own < key);
        let alike = all[from..].iter().take_while(|(own, _)| *own == key).map(|(_, number)| *number);
        let same = alike.filter(|number| {
            let name = self.name(*number);
            letters(name) == typed || name.split_whitespace().any(|word| letters(word) == typed)
        });
        let mut seen = FxHashSet::default();
        let owners = same.map(|number| self.owners[number as usize]);
        owners.filter(|owner| wanted(*owner) && seen.insert(*owner)).take(most).collect()
    }

    fn letters_of_all(&self) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for number in 0..self.owners.len() as u32 {
            let name = self.name(number);
            all.push((hash(&letters(name)), number));
            all.extend(name.split_whitespace().map(|word| (hash(&letters(word)), number)));
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The names that have, for each of these beginnings, a word that starts with it.
    fn having_all<'a>(&self, beginnings: impl Iterator<Item = &'a str>) -> FixedBitSet {
        let mut all: Option<FixedBitSet> = None;
        for beginning in beginnings {
            let mut having = FixedBitSet::with_capacity(self.owners.len());
            for word in &self.words[self.places(beginning)] {
                having.insert(word.name as usize);
            }
            all = Some(match all {
                Some(mut all) => {
                    all.intersect_with(&having);
                    all
                }
                None => having,
            });
        }
        all.unwrap_or_default()
    }

    /// The range of words that start with this text.
    fn places(&self, beginning: &str) -> Range<usize> {
        let bytes = self.text.as_bytes();
        let beginning = &beginning.as_bytes()[..beginning.len().min(KEY)];
        let head = |word: &Word| {
            let start = word.start as usize;
            &bytes[start..bytes.len().min(start + beginning.len())]
        };
        let start = self.words.partition_point(|word| head(word) < beginning);
        let len = self.words[start..].partition_point(|word| head(word) == beginning);
        start..start + len.min(MOST_PLACES)
    }

    fn name(&self, number: u32) -> &str {
        let at = number as usize;
        self.text[self.starts[at] as usize..self.starts[at + 1] as usize].trim_end_matches('\n')
    }
}

/// The state of a search.
struct Picked<'a, W> {
    index: &'a NameIndex,
    most: usize,
    wanted: W,
    seen: FxHashSet<TermId>,
    found: NameMatches,
}

impl<W: Fn(TermId) -> bool> Picked<'_, W> {
    /// Adds those of these names that fit, until there are enough.
    fn take(&mut self, numbers: &FixedBitSet, fits: impl Fn(&str) -> bool) {
        // In ascending order of rank.
        for number in numbers.ones() {
            if self.found.terms.len() >= self.most || self.found.looked_at >= MOST_LOOKED_AT {
                return;
            }
            let owner = self.index.owners[number];
            if self.seen.contains(&owner) {
                continue;
            }
            self.found.looked_at += 1;
            if fits(self.index.name(number as u32)) && (self.wanted)(owner) {
                self.seen.insert(owner);
                self.found.terms.push(owner);
            }
        }
    }
}

/// A shorter word is similar to too many others.
const SHORTEST_NEAR: usize = 3;

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn hash(text: &str) -> u32 {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    // Few names share half of a hash; those that do are compared in full.
    hasher.finish() as u32
}

/// Folds a character: case is ignored, and all kinds of space are the same.
fn folded(c: char) -> impl Iterator<Item = char> {
    if c.is_whitespace() || c.is_control() { ' ' } else { c }.to_lowercase()
}

/// Splits a word into its single Chinese characters and the parts between them.
fn ideographs_apart(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in word.char_indices().filter(|(_, c)| is_ideograph(*c)) {
        if start < at {
            parts.push(&word[start..at]);
        }
        parts.push(&word[at..at + c.len_utf8()]);
        start = at + c.len_utf8();
    }
    if start < word.len() {
        parts.push(&word[start..]);
    }
    parts
}

fn in_order(name: &str, characters: &str) -> bool {
    let mut rest = name.chars();
    characters.chars().all(|c| rest.any(|n| n == c))
}

/// Whether a character belongs to a script written without spaces: a word may begin at each of them.
pub fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: &[&str]) -> NameIndex {
        let mut all = Names::default();
        (0..).zip(names).for_each(|(n, name)| all.add(name, TermId::new(n), false));
        all.index(&Budget::default()).unwrap()
    }

    fn found(names: &[&str], typed: &str) -> Vec<u32> {
        index(names).search(typed, 9, |_| true).terms.into_iter().map(TermId::get).collect()
    }

    #[test]
    fn names_are_counted_once_while_they_are_sorted() {
        use kgq_syntax::budget::Limits;
        let mut names = Names::default();
        (0..1_000).for_each(|n| names.add(&format!("number {n}"), TermId::new(n), false));
        let most = (names.bytes() + names.bytes_to_sort()) as u64;
        let budget = Budget::new(Limits { memory: Some(most), ..Limits::default() });
        let _held = budget.reserve(names.bytes() as u64).unwrap();
        assert_eq!(names.index(&budget).unwrap().search("number 999", 9, |_| true).terms, [TermId::new(999)]);
        assert_eq!(budget.peak(), most);
    }

    #[test]
    fn a_name_is_found_by_beginnings_of_words_in_any_order() {
        let names = ["Ministry of Industry and Information Technology", "Ministry of Finance", "leadsSector"];
        assert_eq!(found(&names, "industry min"), [0]);
        assert_eq!(found(&names, "MINISTRY  of"), [1, 0]);
        assert_eq!(found(&names, "dustry"), [0; 0]);
        assert_eq!(found(&names, "sector"), [2]);
        assert_eq!(found(&names, " - "), [0; 0]);
    }

    #[test]
    fn names_that_begin_as_typed_come_first_and_short_ones_before_long_ones() {
        assert_eq!(found(&["Trade in goods", "Free trade", "Trade", "Fair trade zone"], "trade"), [2, 0, 1, 3]);
    }

    #[test]
    fn classes_and_properties_come_before_things() {
        let mut names = Names::default();
        names.add("plan", TermId::new(1), false);
        names.add("planned for", TermId::new(2), true);
        let found = names.index(&Budget::default()).unwrap().search("plan", 9, |_| true).terms;
        assert_eq!(found, [TermId::new(2), TermId::new(1)]);
    }

    #[test]
    fn chinese_characters_are_found_side_by_side_first_and_else_in_their_order() {
        let names = ["工业和信息化部", "工信", "信用工程"];
        assert_eq!(found(&names, "工业"), [0]);
        assert_eq!(found(&names, "工信"), [1, 0]);
        assert_eq!(found(&names, "信工"), [2]);
        assert_eq!(found(&["5G工业和信息", "工业"], "5g工信"), [0]);
    }

    #[test]
    fn a_term_with_several_names_is_found_once() {
        let mut names = Names::default();
        names.add("Ministry", TermId::new(7), false);
        names.add("Ministerium", TermId::new(7), false);
        let index = names.index(&Budget::default()).unwrap();
        assert_eq!(index.search("mini", 9, |_| true).terms, [TermId::new(7)]);
    }

    #[test]
    fn near_names_differ_in_few_letters_and_marks_do_not_count() {
        let names = ["Xi'an", "Ministry of Finance", "Xiamen"];
        let near =
            |typed: &str| -> Vec<u32> { index(&names).near(typed, 9, |_| true).into_iter().map(TermId::get).collect() };
        assert_eq!(near("xian"), [0]);
        assert_eq!(near("Finanse"), [1]);
        assert_eq!(near("ministry of finence"), [1]);
        assert_eq!(near("Xaimen"), [2]);
        assert_eq!(near("xx"), [0; 0]);
    }

    #[test]
    fn a_text_that_is_no_name_is_cut_and_bounds_what_is_compared() {
        let long = "aa ".repeat(100_000);
        assert_eq!(found(&[&long, &long], &long), [0, 1]);
    }

    #[test]
    fn no_more_names_are_looked_at_than_are_offered_however_many_fit() {
        let all: Vec<String> = (0..20_000).map(|n| format!("plan {n} of the 工业和信息化部")).collect();
        let all = index(&all.iter().map(String::as_str).collect::<Vec<_>>());
        for typed in ["p", "plan", "of plan", "plan the o", "工", "工信", "plan 工部"] {
            let found = all.search(typed, 40, |_| true);
            assert_eq!((found.terms.len(), found.looked_at), (40, 40), "{typed}");
        }
        // The search also ends if few of them are wanted.
        assert!(all.search("plan", 40, |_| false).looked_at <= MOST_LOOKED_AT);
    }
}
