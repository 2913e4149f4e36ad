//! Regular expressions: REGEX and REPLACE (SPARQL 1.1 §17.4.3.14–15; XPath Functions and Operators 3.1 §5.6).
//!
//! The syntax is that of the `regex` crate, which matches in time linear in the text. It knows what XPath's patterns have, except
//! back-references and the subtraction of character classes: a pattern that uses these is an error value, as a wrong one is.

use super::LARGEST_STRING;
use crate::limits::Guard;
use kgq_syntax::error::{Error, Result};
use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that a compiled pattern may take.
const LARGEST_PATTERN: usize = 1_000_000;
/// Patterns of one expression that are kept compiled.
const CACHED: usize = 64;

/// A compiled pattern with its flags.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// Flag `q`: neither the pattern nor the replacement is more than its characters.
    literal: bool,
    /// The pattern, if it was given without flags.
    plain: Option<String>,
}

impl Pattern {
    /// `None` where the pattern or the flags are wrong, or the pattern is too large.
    pub fn new(pattern: &str, flags: &str) -> Option<Self> {
        if !flags.chars().all(|flag| matches!(flag, 's' | 'm' | 'i' | 'x' | 'q')) {
            return None;
        }
        let literal = flags.contains('q');
        let plain = flags.is_empty().then(|| pattern.to_owned());
        let pattern = if literal {
            Cow::Owned(regex::escape(pattern))
        } else if flags.contains('x') {
            Cow::Owned(without_white_space(pattern))
        } else {
            Cow::Borrowed(pattern)
        };
        let regex = RegexBuilder::new(&pattern)
            .size_limit(LARGEST_PATTERN)
            .dot_matches_new_line(flags.contains('s'))
            .multi_line(!literal && flags.contains('m'))
            .case_insensitive(flags.contains('i'))
            .build()
            .ok()?;
        Some(Self { regex, literal, plain })
    }

    /// If the pattern is a text: whether it stands at the start, the text, and whether it stands at the end.
    pub fn as_literal(&self) -> Option<(bool, &str, bool)> {
        let pattern = self.plain.as_deref()?;
        let rest = pattern.strip_prefix('^').unwrap_or(pattern);
        let text = rest.strip_suffix('$').unwrap_or(rest);
        let is_text = !text.contains(|c: char| r"\.+*?()|[]{}^$".contains(c));
        is_text.then_some((rest.len() < pattern.len(), text, text.len() < rest.len()))
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The text with every match replaced; `None` where XPath raises an error: the pattern matches the empty string, or
    /// the replacement is not well formed.
    pub fn replace(&self, text: &str, replacement: &str, guard: &Guard) -> Result<Option<String>> {
        if self.regex.is_match("") {
            return Ok(None);
        }
        let parts = if self.literal {
            vec![Part::Text(replacement.to_owned())]
        } else {
            match parse_replacement(replacement, self.regex.captures_len() - 1) {
                Some(parts) => parts,
                None => return Ok(None),
            }
        };
        let mut out = String::new();
        let mut end = 0;
        for (n, found) in self.regex.captures_iter(text).enumerate() {
            if n % 4096 == 4095 {
                guard.check()?;
            }
            let all = found.get_match();
            out.push_str(&text[end..all.start()]);
            for part in &parts {
                match part {
                    Part::Text(text) => out.push_str(text),
                    Part::Group(n) => out.push_str(found.get(*n).map_or("", |group| group.as_str())),
                }
            }
            if out.len() > LARGEST_STRING {
                return Err(too_large());
            }
            end = all.end();
        }
        out.push_str(&text[end..]);
        Ok(Some(out))
    }
}

/// A string has outgrown what one may be.
pub fn too_large() -> Error {
    Error::limit(format!("a string in this query is larger than {} MiB", LARGEST_STRING >> 20))
}

/// The pattern as flag `x` reads it: without white space, except in character classes.
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

/// What stands for a match.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// What the group captured; 0 is the match.
    Group(usize),
}

/// Reads a replacement: `$N` is what group N captured, with as many digits as there is such a group for; `\$` and `\\` are
/// the characters. Any other use of these two is an error.
fn parse_replacement(replacement: &str, groups: usize) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut characters = replacement.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(c @ ('\\' | '$')) => text.push(c),
                _ => return None,
            },
            '$' => {
                let mut group = characters.next()?.to_digit(10)? as usize;
                while let Some(digit) = characters.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > groups {
                        break;
                    }
                    group = longer;
                    characters.next();
                }
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                // A group that the pattern does not have captured nothing.
                if group <= groups {
                    parts.push(Part::Group(group));
                }
            }
            c => text.push(c),
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Some(parts)
}

/// The patterns that one expression has compiled, which its threads share.
#[derive(Debug, Default)]
pub struct Patterns(Mutex<FxHashMap<PatternAndFlags, Option<Arc<Pattern>>>>);

type PatternAndFlags = (String, String);

impl Patterns {
    /// The compiled pattern; `None` where it is wrong.
    pub fn get(&self, pattern: &str, flags: &str) -> Option<Arc<Pattern>> {
        let key = (pattern.to_owned(), flags.to_owned());
        // A thread that panicked can have left nothing but a map that lacks an entry.
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cached.get(&key) {
            return found.clone();
        }
        let compiled = Pattern::new(pattern, flags).map(Arc::new);
        if cached.len() >= CACHED {
            cached.clear();
        }
        cached.insert(key, compiled.clone());
        compiled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(text: &str, pattern: &str, replacement: &str, flags: &str) -> Option<String> {
        Pattern::new(pattern, flags)?.replace(text, replacement, &Guard::default()).unwrap()
    }

    #[test]
    fn replace_follows_the_examples_of_xpath() {
        assert_eq!(replace("abracadabra", "bra", "*", "").unwrap(), "a*cada*");
        assert_eq!(replace("abracadabra", "a.*a", "*", "").unwrap(), "*");
        assert_eq!(replace("abracadabra", "a.*?a", "*", "").unwrap(), "*c*bra");
        assert_eq!(replace("abracadabra", "a", "", "").unwrap(), "brcdbr");
        assert_eq!(replace("abracadabra", "a(.)", "a$1$1", "").unwrap(), "abbraccaddabbra");
        assert_eq!(replace("AAAA", "A+", "b", "").unwrap(), "b");
        assert_eq!(replace("darted", "^(.*?)d(.*)$", "$1c$2", "").unwrap(), "carted");
        assert_eq!(replace("abracadabra", ".*?", "$1", ""), None);
        assert_eq!(replace("a\\b\\c", "\\", "\\\\", "q").unwrap(), "a\\\\b\\\\c");
        assert_eq!(replace("a/b/c", "/", "$", "q").unwrap(), "a$b$c");
    }

    #[test]
    fn a_replacement_is_read_by_the_rules_of_xpath() {
        assert_eq!(replace("ab", "(a)", "$1x", "").unwrap(), "axb", "the name of a group is a number");
        assert_eq!(replace("ab", "(a)", "$12", "").unwrap(), "a2b", "there is no group 12");
        assert_eq!(replace("ab", "a", "\\$0", "").unwrap(), "$0b");
        assert_eq!(replace("ab", "a", "$", ""), None);
        assert_eq!(replace("ab", "a", "\\n", ""), None);
        assert_eq!(replace("ab", "a", "[$3]", "").unwrap(), "[]b");
    }

    #[test]
    fn flag_x_drops_white_space_outside_of_classes_only() {
        assert!(Pattern::new("a b[ ]#", "x").unwrap().is_match("ab #"));
        assert!(!Pattern::new("a b", "").unwrap().is_match("ab"));
    }

    #[test]
    fn a_pattern_without_special_characters_is_a_text() {
        let literal = |pattern: &str| {
            let pattern = Pattern::new(pattern, "").unwrap();
            pattern.as_literal().map(|(start, text, end)| (start, text.to_owned(), end))
        };
        assert_eq!(literal("^a b-c"), Some((true, "a b-c".to_owned(), false)));
        assert_eq!(literal("é$"), Some((false, "é".to_owned(), true)));
        assert_eq!(literal(""), Some((false, String::new(), false)));
        assert_eq!(literal("^a.b"), None);
        assert_eq!(literal("a\\$"), None);
        assert_eq!(Pattern::new("a", "i").unwrap().as_literal(), None);
    }

    #[test]
    fn wrong_flags_and_huge_patterns_are_refused() {
        assert!(Pattern::new("a", "g").is_none());
        assert!(Pattern::new("(((a{100}){100}){100}){100}", "").is_none());
        assert!(Pattern::new("(", "").is_none());
    }
}
