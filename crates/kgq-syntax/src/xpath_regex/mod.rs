//! Regular expressions as XPath defines them (XPath Functions and Operators 3.1 §5.6; XML Schema part 2, appendix G), for
//! REGEX, REPLACE and `sh:pattern`. They are translated for the `regex` crate, which matches in time linear in the text;
//! what it cannot do, such as back-references, is refused by name.
//!
//! Also accepted, because queries use it and the grammar does not forbid it: `\b`, `\B`, `\A`, `\z`, inline flags (`(?i)`),
//! a backslash before any punctuation, single `]` and `}`. One deviation: `\w` is a letter, mark, digit or connector (`_`),
//! as in all engines; XML Schema's `\w` excludes `_` but includes `+` and `$`.

mod class;
mod replacement;
mod translate;

pub use replacement::{ReplacementPart, replacement};

use regex::{Regex, RegexBuilder};
use std::borrow::Cow;

/// The most bytes that a compiled pattern may take.
const LARGEST_PATTERN: usize = 1_000_000;

/// Why a pattern, its flags or a replacement cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    pub hint: Option<&'static str>,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

/// Compiles a pattern with its flags: `s`, `m`, `i`, `x` and `q`.
///
/// # Errors
/// A mistake in the pattern or flags, or something that is not supported.
pub fn compile(pattern: &str, flags: &str) -> Result<Regex, Fault> {
    if let Some(flag) = flags.chars().find(|flag| !matches!(flag, 's' | 'm' | 'i' | 'x' | 'q')) {
        return Err(Fault::new(format!("`{flag}` is no flag")).hint("the flags are s, m, i, x and q"));
    }
    let has = |flag| flags.contains(flag);
    let translated = if has('q') {
        regex::escape(pattern)
    } else {
        let pattern = if has('x') { Cow::Owned(without_white_space(pattern)) } else { Cow::Borrowed(pattern) };
        translate::translate(&pattern, has('s'), has('i'))?
    };
    RegexBuilder::new(&translated)
        .size_limit(LARGEST_PATTERN)
        .multi_line(has('m') && !has('q'))
        .case_insensitive(has('i'))
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => Fault::new("the pattern is too large"),
            // The crate's message draws the pattern over several lines; its last line says what is wrong.
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                Fault::new(last.trim_start_matches("error: "))
            }
        })
}

/// The pattern as flag `x` means it: without white space, except in character classes.
fn without_white_space(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut depth = 0_usize;
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                out.push(c);
                out.extend(characters.next());
                continue;
            }
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ' ' | '\t' | '\n' | '\r' if depth == 0 => continue,
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, flags: &str, text: &str) -> bool {
        compile(pattern, flags).unwrap_or_else(|fault| panic!("{pattern}: {fault:?}")).is_match(text)
    }

    /// Each pattern with flags, the texts that it matches and those that it does not.
    #[test]
    fn patterns_mean_what_xpath_says() {
        for (pattern, flags, yes, no) in [
            ("^[a-z-[aeiou]]$", "", &["b", "z"][..], &["a", "e", "-", "["][..]),
            ("^[^a-z-[A]]$", "", &["B", "1"], &["a", "A"]),
            ("^[a-z-[aeiou-[e]]]$", "", &["b", "e"], &["a", "o"]),
            ("^[A-Z-[OI]]$", "i", &["a", "B"], &["o", "O", "i", "I"]),
            (r"^[\p{L}-[\p{Lu}]]+$", "", &["abc", "é"], &["aBc", "1"]),
            (r"^\i\c*$", "", &["a1", "_x", "ns:a-b.c", "é"], &["1a", "-a", "a b", ""]),
            (r"^\I\C$", "", &["1 ", "- "], &["a ", "1a"]),
            (r"^[\i-[:]]$", "", &["a", "_"], &[":", "1"]),
            (r"^\p{IsBasicLatin}$", "", &["a", "~"], &["é"]),
            (r"^\P{IsBasicLatin}$", "", &["é"], &["a"]),
            (r"^\p{IsLatin-1Supplement}+\p{IsGreek}$", "", &["éα"], &["eα", "éa"]),
            (r"^[\p{IsCyrillic}\d]+$", "", &["д1"], &["a"]),
            ("^a.b$", "", &["axb", "a\u{85}b", "a\u{2028}b"], &["a\nb", "a\rb"]),
            ("^a.b$", "s", &["a\nb", "a\rb"], &["ab"]),
            ("^b$", "", &["b"], &["a\nb", "b\n"]),
            ("^b$", "m", &["b", "a\nb", "b\nc"], &["a\rb"]),
            ("^a  b[ ]c$", "x", &["ab c"], &["a  b c", "abc"]),
            ("a.b|", "q", &["xa.b|"], &["axb", ""]),
            ("A.B", "iq", &["a.b"], &["axb"]),
            (r"^\p{Lu}$", "i", &["A"], &["a"]),
            ("^[^q]$", "i", &["a"], &["q", "Q"]),
            (r"^\s$", "", &[" ", "\t", "\n"], &["\u{a0}", "\u{b}"]),
            (r"^\d\D$", "", &["1a", "٣a"], &["11"]),
            (r"^\w\W$", "", &["é-", "_ "], &["--"]),
            (r"^[-a]+[a-]+$", "", &["-a-"], &["b"]),
            (r"^[\^\]\\$.]$", "", &["^", "]", "\\", "$", "."], &["a"]),
            ("^[&&~~]$", "", &["&", "~"], &["a"]),
            (r"^a{2}b{1,}c{0,2}?(?:d|e)$", "", &["aabd", "aabbcce"], &["abd"]),
            (r"\bfoo\b", "", &["a foo b"], &["food"]),
            ("(?i)foo(?-i:BAR)", "", &["FOOBAR"], &["FOObar"]),
            ("((?i)a)b", "", &["Ab"], &["AB"]),
            (r"http:\/\/", "", &["http://"], &["http:"]),
            ("^$", "", &[""], &["a"]),
            ("^[a-[a]]?$", "", &[""], &["a"]),
            ("^(a|)$", "", &["", "a"], &["b"]),
        ] {
            for text in yes {
                assert!(matches(pattern, flags, text), "{pattern} with {flags:?} matches {text:?}");
            }
            for text in no {
                assert!(!matches(pattern, flags, text), "{pattern} with {flags:?} does not match {text:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_translated_is_refused_by_name() {
        for (pattern, flags, expected) in [
            (r"(a)\1", "", "back-reference"),
            ("a(?=b)", "", "look-ahead"),
            ("a(?!b)", "", "look-ahead"),
            ("(?<=a)b", "", "look-behind"),
            ("(?<n>a)", "", "a group has no name"),
            ("(?P<n>a)", "", "a group has no name"),
            (r"\x41", "", r"`\x` is no escape"),
            ("[[:alpha:]]", "", r"written `\[`"),
            ("[]", "", "empty"),
            ("[a", "", "`[` is never closed"),
            ("[z-a]", "", "`z-a` ends before it begins"),
            (r"[a-\d]", "", "range"),
            ("[a-z-[b]c]", "", "subtracted"),
            (r"\p{IsKlingon}", "", "`IsKlingon` is no block"),
            (r"\p{Foo}", "", "`Foo` is no category"),
            (r"\pL", "", r"`\p`"),
            ("(a", "", "`(` is never closed"),
            ("a)", "", "`)` closes nothing"),
            ("*a", "", "`*` repeats nothing"),
            ("a|+", "", "`+` repeats nothing"),
            ("a**", "", "`*` repeats a repetition"),
            ("a{2,1}", "", "`{2,1}`"),
            ("a{,2}", "", "`{`"),
            ("{", "", "`{`"),
            ("a\\", "", "ends with"),
            ("a", "g", "`g` is no flag"),
            ("(((a{100}){100}){100}){100}", "", "too large"),
        ] {
            let fault = compile(pattern, flags).expect_err(pattern);
            assert!(fault.message.contains(expected), "{pattern}: {fault:?}");
        }
        // Neither deep nesting nor an endless class overflows the stack.
        for deep in ["(".repeat(100_000), "[a-".repeat(100_000), format!("{}{}", "(".repeat(5000), ")".repeat(5000))] {
            assert!(compile(&deep, "").is_err());
        }
    }
}
