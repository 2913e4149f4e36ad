//! Text for people: what may be sent to a terminal, how wide it is there, and which known name was probably meant.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character could control a terminal, or reorder or hide the text around it: C0 and C1 controls (including tab
/// and newline), bidirectional controls (UAX #9), zero-width and other invisible format characters that join nothing.
pub fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The text with every character that a terminal must not receive written as `\n`, `\t`, `\r` or `\u{…}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_unsafe(c) => out.push_str(&format!("\\u{{{:X}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The character as a numeric escape of Turtle and SPARQL, such as `\u009B`.
pub fn codepoint_escape(c: char) -> String {
    let number = u32::from(c);
    if number <= 0xffff { format!("\\u{number:04X}") } else { format!("\\U{number:08X}") }
}

/// A text to be typed or pasted into a query. Characters that a terminal must not receive are written as SPARQL escapes, so
/// the query means the same. Line breaks and tabs stay.
pub fn typeable(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| is_unsafe(c) && c != '\n' && c != '\t';
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let spelled = |c: char| if hidden(c) { codepoint_escape(c) } else { c.to_string() };
    Cow::Owned(text.replace("\r\n", "\n").chars().map(spelled).collect())
}

/// The number of terminal cells that the text occupies (Unicode Standard Annex #11).
pub fn width(text: &str) -> usize {
    text.width()
}

/// The number of terminal cells of one character.
pub fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The text with too wide lines broken between words. Continuation lines start in the column where the line's text begins:
/// after its indentation, or after the first gap of two spaces. Colour codes have no width.
pub fn folded(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        fold(line, most, &mut out);
        out.push('\n');
    }
    out
}

fn fold(line: &str, most: usize, out: &mut String) {
    let text = line.trim_start();
    let lead = line.len() - text.len();
    let gap = text.find("  ").map(|at| at + text[at..].len() - text[at..].trim_start().len());
    let hang = gap.map(|at| width(&line[..lead]) + width_without_colour(&text[..at])).filter(|hang| *hang <= most / 2);
    let pad = " ".repeat(hang.unwrap_or(lead).min(most / 2));
    let (mut used, mut escape) = (0, false);
    // The last position in `out` where the line may be broken, and the width up to there.
    let mut fit: Option<(usize, usize)> = None;
    for c in line.chars() {
        escape |= c == '\x1b';
        let cells = if escape { 0 } else { char_width(c) };
        if c != ' ' && used + cells > most {
            let (at, before) = fit.take().unwrap_or((out.len(), used));
            let rest = out.split_off(at);
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&pad);
            out.push_str(&rest);
            used = pad.len() + used - before;
        }
        // A line may be broken anywhere between Chinese characters.
        if cells == 2 && used > pad.len() {
            fit = Some((out.len(), used));
        }
        out.push(c);
        used += cells;
        if !escape && (c == ' ' || cells == 2) && used > pad.len() {
            fit = Some((out.len(), used));
        }
        escape &= c != 'm';
    }
}

fn width_without_colour(text: &str) -> usize {
    let mut escape = false;
    text.chars()
        .map(|c| {
            escape |= c == '\x1b';
            let cells = if escape { 0 } else { char_width(c) };
            escape &= c != 'm';
            cells
        })
        .sum()
}

/// The known names most similar to a mistyped one, best first; without those too different to have been meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let mistyped = Mistyped::new(name);
    let mut found: Vec<(usize, &str)> =
        known.into_iter().filter_map(|known| Some((mistyped.distance(known)?, known))).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(most).map(|(_, name)| name).collect()
}

/// A mistyped name, to be compared with known ones.
struct Mistyped<'n> {
    name: &'n str,
    folded: String,
    /// In characters.
    length: usize,
}

impl<'n> Mistyped<'n> {
    fn new(name: &'n str) -> Self {
        let folded = name.to_lowercase();
        Self { name, length: folded.chars().count(), folded }
    }

    /// The number of characters in which a known name differs; `None` if it is too different to have been meant.
    fn distance(&self, known: &str) -> Option<usize> {
        // A name this much longer is a different one, and comparing costs time.
        if known == self.name || known.len() > (self.folded.len() + 4) * 4 {
            return None;
        }
        let other = known.to_lowercase();
        let allowed = may_differ(&self.folded, &other);
        if other.chars().count().abs_diff(self.length) > allowed {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&self.folded, &other);
        (distance <= allowed).then_some(distance)
    }
}

/// Gathers what [`nearest`] gives, of more names than should be held.
pub struct Nearest<'n> {
    mistyped: Mistyped<'n>,
    found: Least,
}

impl<'n> Nearest<'n> {
    pub fn new(name: &'n str, most: usize) -> Self {
        Self { mistyped: Mistyped::new(name), found: Least::new(most) }
    }

    pub fn add(&mut self, known: &str) {
        if let Some(distance) = self.mistyped.distance(known) {
            self.found.add(distance, known);
        }
    }

    pub fn into_names(self) -> Vec<String> {
        self.found.into_names()
    }
}

/// The least of any number of names, by a number and then by their letters. Holds no more than are wanted.
pub struct Least {
    most: usize,
    names: BTreeSet<(usize, String)>,
}

impl Least {
    pub fn new(most: usize) -> Self {
        Self { most, names: BTreeSet::new() }
    }

    pub fn add(&mut self, number: usize, name: &str) {
        let is_less = |(last, known): &(usize, String)| (number, name) < (*last, known.as_str());
        if self.names.len() < self.most || self.names.last().is_some_and(is_less) {
            self.names.insert((number, name.to_owned()));
            if self.names.len() > self.most {
                self.names.pop_last();
            }
        }
    }

    pub fn into_names(self) -> Vec<String> {
        self.names.into_iter().map(|(_, name)| name).collect()
    }
}

/// How many characters of a mistyped name may differ from the intended one: a third. In names of one or two letters, each
/// letter matters, though the two may be exchanged. A Chinese character carries as much as a syllable or a word, and an
/// additional one leaves the rest unchanged, so there the longer of the two names decides.
fn may_differ(name: &str, other: &str) -> usize {
    let length = name.chars().count();
    if name.chars().chain(other.chars()).any(|c| char_width(c) == 2) {
        return length.max(other.chars().count()) / 3;
    }
    let is_exchanged = || length == 2 && name.chars().rev().eq(other.chars());
    match length {
        0..=2 => usize::from(is_exchanged()),
        _ => length / 3,
    }
}

/// "did you mean `a` or `b`?", if any name is similar.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near: Vec<String> = nearest(name, known, 3).into_iter().map(|n| format!("`{n}`")).collect();
    let (last, rest) = near.split_last()?;
    Some(if rest.is_empty() {
        format!("did you mean {last}?")
    } else {
        format!("did you mean {} or {last}?", rest.join(", "))
    })
}

/// Bytes as hexadecimal digits in lower case.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// A count with its noun: "1 triple", "12,345 triples".
pub fn count(n: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { singular } else { plural })
}

/// A number with commas between thousands.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_line_is_broken_between_words_below_its_text() {
        assert_eq!(folded(".a B  one two three\n", 12), ".a B  one\n      two\n      three\n");
        assert_eq!(folded("  one two three", 9), "  one two\n  three\n");
        assert_eq!(folded("\x1b[1mone\x1b[0m two", 7), "\x1b[1mone\x1b[0m two\n");
        assert_eq!(folded("x  工业和信息", 8), "x  工业\n   和信\n   息\n");
        assert_eq!(folded("abcdefgh", 3), "abc\ndef\ngh\n");
        assert_eq!(folded("short\n\n", 9), "short\n\n");
    }

    #[test]
    fn escape_sequences_and_bidi_controls_are_made_visible() {
        assert_eq!(visible("a\x1b[31m\u{202e}b\n"), "a\\u{1B}[31m\\u{202E}b\\n");
        assert_eq!(visible("商务部 é 👩‍🔬"), "商务部 é 👩‍🔬");
    }

    #[test]
    fn what_is_pasted_means_the_same_in_characters_that_can_be_seen() {
        assert_eq!(typeable("SELECT * {\r\n\t'\u{9b}\u{e0001}' }"), "SELECT * {\n\t'\\u009B\\U000E0001' }");
    }

    #[test]
    fn chinese_takes_two_cells() {
        assert_eq!(width("商务部"), 6);
    }

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("foa", ["foaf", "rdf", "skos"], 3), ["foaf"]);
        assert_eq!(did_you_mean("zebra", ["foaf", "rdf"]), None);
    }

    #[test]
    fn in_a_short_word_every_letter_is_meant() {
        for (name, known, expected) in [
            ("部门", vec!["厦门", "部委", "门部"], vec![]),
            ("北京", vec!["北京市", "南京", "北京市人民政府"], vec!["北京市"]),
            ("商务布", vec!["商务部", "财政部", "外交部"], vec!["商务部"]),
            ("国家发展委", vec!["国家发展改革委", "国家卫健委"], vec!["国家发展改革委"]),
            ("国家发展改个委", vec!["国家发展改革委", "国家卫健委"], vec!["国家发展改革委"]),
            ("ab", vec!["ac", "abc", "b"], vec![]),
            ("uo", vec!["ou", "ab"], vec!["ou"]),
            ("x", vec!["y", "xy", "X"], vec!["X"]),
            ("foa", vec!["foaf", "fob", "bar"], vec!["fob", "foaf"]),
        ] {
            let mut found = nearest(name, known, 3);
            found.sort_by_key(|name| name.len());
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(12), "12");
    }
}
