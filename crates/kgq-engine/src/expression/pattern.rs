//! Regular expressions: REGEX and REPLACE (SPARQL 1.1 §17.4.3.14–15; XPath Functions and Operators 3.1 §5.6).
//!
//! Patterns are compiled by `kgq_syntax::xpath_regex`. A wrong pattern that is written in a query is refused when the
//! query is parsed; a wrong pattern that is computed is an error value, whose reason is counted.

use super::{BYTES_BETWEEN_CHECKS, LARGEST_STRING};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::xpath_regex::{self, ReplacementPart};
use regex::{Captures, Regex};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most patterns of one expression that are kept compiled.
const CACHED: usize = 64;

/// The most characters of a wrong pattern that are shown.
const SHOWN: usize = 60;

/// The reason why an expression failed.
pub type Reason = Arc<str>;

/// A compiled pattern with its flags.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// Flag `q`: the characters of the pattern and the replacement have no special meaning.
    literal: bool,
    /// The pattern, if it was given without flags, or with the flag `i` alone.
    plain: Option<String>,
    any_case: bool,
}

/// Whether the characters have no special meaning in a pattern.
fn is_text(pattern: &str) -> bool {
    !pattern.contains(|c: char| r"\.+*?()|[]{}^$".contains(c))
}

/// Formats a text of the data for a reason; a long text is cut.
pub fn shown(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("`{shown}{more}`")
}

impl Pattern {
    /// Fails, with the reason, if the pattern or the flags are wrong or the pattern is too large.
    pub fn new(pattern: &str, flags: &str) -> Result<Self, Reason> {
        let regex = xpath_regex::compile(pattern, flags)
            .map_err(|fault| Reason::from(format!("the regular expression {}: {}", shown(pattern), fault.message)))?;
        let literal = flags.contains('q');
        let any_case = flags == "i";
        let plain = (flags.is_empty() || any_case).then(|| pattern.to_owned());
        Ok(Self { regex, literal, plain, any_case })
    }

    /// If the pattern is a literal text, returns whether it is anchored at the start, the text, and whether it is
    /// anchored at the end.
    pub fn as_literal(&self) -> Option<(bool, &str, bool)> {
        let pattern = self.plain.as_deref().filter(|_| !self.any_case)?;
        let rest = pattern.strip_prefix('^').unwrap_or(pattern);
        let text = rest.strip_suffix('$').unwrap_or(rest);
        is_text(text).then_some((rest.len() < pattern.len(), text, text.len() < rest.len()))
    }

    /// If the pattern is a literal text in any case, returns it.
    pub fn as_text_in_any_case(&self) -> Option<&str> {
        self.plain.as_deref().filter(|pattern| self.any_case && is_text(pattern))
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// The replacement of REPLACE for each match of a pattern.
pub struct Replacement<'p> {
    pattern: &'p Pattern,
    parts: Vec<ReplacementPart>,
    /// Whether it refers to groups of the pattern.
    has_groups: bool,
}

impl<'p> Replacement<'p> {
    /// Fails, with the reason, if this cannot be used as a replacement.
    pub fn new(pattern: &'p Pattern, replacement: &str) -> Result<Self, Reason> {
        if pattern.regex.is_match("") {
            return Err("REPLACE has a regular expression that matches the empty text".into());
        }
        let parts = if pattern.literal {
            vec![ReplacementPart::Text(replacement.to_owned())]
        } else {
            // A wrong replacement that is written in the query was refused when the query was parsed.
            xpath_regex::replacement(replacement, pattern.regex.captures_len() - 1)
                .map_err(|fault| Reason::from(format!("the replacement of REPLACE: {}", fault.message)))?
        };
        let has_groups = parts.iter().any(|part| matches!(part, ReplacementPart::Group(_)));
        Ok(Self { pattern, parts, has_groups })
    }

    /// Appends the text with all matches replaced. The appended bytes are counted only until this returns; a caller
    /// that keeps them must count them.
    ///
    /// # Errors
    /// A limit of the query, or on the length of a string.
    pub fn write(&self, text: &str, out: &mut String, budget: &Budget) -> Result<()> {
        let (start, mut end, mut matches) = (out.len(), 0, 0u32);
        let (mut held, mut uncounted) = (Reservation::default(), start + BYTES_BETWEEN_CHECKS);
        let mut put = |all: std::ops::Range<usize>, groups: Option<&Captures<'_>>, out: &mut String| {
            matches += 1;
            if matches % 4096 == 4095 {
                budget.check()?;
            }
            out.push_str(&text[end..all.start]);
            for part in &self.parts {
                out.push_str(match part {
                    ReplacementPart::Text(text) => text,
                    ReplacementPart::Group(n) => {
                        groups.and_then(|groups| groups.get(*n)).map_or("", |group| group.as_str())
                    }
                });
            }
            end = all.end;
            if out.len() > uncounted {
                held.grow(budget, (out.len() - start) as u64 - held.bytes())?;
                uncounted = out.len() + BYTES_BETWEEN_CHECKS;
            }
            if out.len() - start > LARGEST_STRING { Err(too_large()) } else { Ok(()) }
        };
        if self.has_groups {
            for found in self.pattern.regex.captures_iter(text) {
                put(found.get_match().range(), Some(&found), out)?;
            }
        } else {
            for found in self.pattern.regex.find_iter(text) {
                put(found.range(), None, out)?;
            }
        }
        out.push_str(&text[end..]);
        Ok(())
    }
}

/// The error for a string that exceeds the allowed size.
pub fn too_large() -> Error {
    Error::limit(format!("a string in this query is larger than {} MiB", LARGEST_STRING >> 20))
}

/// The compiled patterns of one expression, shared by its threads.
#[derive(Debug, Default)]
pub struct Patterns(Mutex<FxHashMap<PatternAndFlags, Result<Arc<Pattern>, Reason>>>);

type PatternAndFlags = (String, String);

impl Patterns {
    /// Returns the compiled pattern, or the reason why it is wrong.
    pub fn get(&self, pattern: &str, flags: &str) -> Result<Arc<Pattern>, Reason> {
        let key = (pattern.to_owned(), flags.to_owned());
        // At worst, a thread that panicked has left a map that lacks an entry.
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
        let pattern = Pattern::new(pattern, flags).ok()?;
        let mut out = String::new();
        Replacement::new(&pattern, replacement).ok()?.write(text, &mut out, &Budget::default()).unwrap();
        Some(out)
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
        let in_any_case =
            |pattern: &str, flags| Pattern::new(pattern, flags).unwrap().as_text_in_any_case().map(str::to_owned);
        assert_eq!(in_any_case("a B", "i"), Some("a B".to_owned()));
        assert_eq!([in_any_case("^a", "i"), in_any_case("a", ""), in_any_case("a", "is")], [None, None, None]);
    }

    #[test]
    fn wrong_flags_and_huge_patterns_are_refused() {
        assert!(Pattern::new("a", "g").is_err());
        assert!(Pattern::new("(((a{100}){100}){100}){100}", "").is_err());
        assert!(Pattern::new("(", "").unwrap_err().starts_with("the regular expression `(`: "));
    }
}
