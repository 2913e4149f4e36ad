//! Functions on strings (SPARQL 1.1 §17.4.3) that need no regular expression. `None` is a type error.

use super::LARGEST_STRING;
use super::pattern::too_large;
use super::value::{Language, Text};
use kgq_syntax::error::Result;
use std::borrow::Cow;

/// CONCAT: the result has the texts' language if all have the same.
///
/// # Errors
/// A limit, if the result is too large; it is not built then.
pub fn concat(texts: &[Cow<'_, Text>]) -> Result<Text> {
    let length: usize = texts.iter().map(|text| text.value.len()).sum();
    if length > LARGEST_STRING {
        return Err(too_large());
    }
    let mut value = String::with_capacity(length);
    for text in texts {
        value.push_str(&text.value);
    }
    Ok(Text { value, language: common_language(texts.iter().map(|text| &text.language)) })
}

/// Returns the language that all have in common, if there is one.
pub fn common_language<'a>(mut languages: impl Iterator<Item = &'a Option<Language>>) -> Option<Language> {
    let first = languages.next()?;
    if languages.all(|language| language == first) { first.clone() } else { None }
}

/// SUBSTR: at most `length` characters from position `start`, which is counted from 1.
pub fn substring(text: &str, start: i64, length: Option<i64>) -> &str {
    // Positions before the first character use up part of the length.
    let end = length.map_or(i64::MAX, |length| start.saturating_add(length));
    let skipped = usize::try_from(start.saturating_sub(1)).unwrap_or(0);
    let kept = usize::try_from(end.saturating_sub(start.max(1))).unwrap_or(0);
    let mut positions = text.char_indices().map(|(at, _)| at).skip(skipped);
    let Some(from) = positions.next() else { return "" };
    if kept == 0 {
        return "";
    }
    let to = positions.nth(kept - 1).unwrap_or(text.len());
    &text[from..to]
}

/// Whether the second argument is compatible with the first (SPARQL 1.1 §17.4.3.1.2): it has no language, or the same one.
pub fn are_compatible(first: &Text, second: &Text) -> bool {
    second.language.is_none() || first.language == second.language
}

/// ENCODE_FOR_URI; appends to `out`.
pub fn encode_for_uri(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// LANGMATCHES: basic filtering (RFC 4647 §3.3.1).
pub fn language_matches(tag: &str, range: &str) -> bool {
    if range == "*" {
        return !tag.is_empty();
    }
    match tag.as_bytes().split_at_checked(range.len()) {
        Some((start, rest)) => {
            start.eq_ignore_ascii_case(range.as_bytes()) && (rest.is_empty() || rest.starts_with(b"-"))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_count_characters_from_one() {
        assert_eq!(substring("motor car", 6, None), " car");
        assert_eq!(substring("metadata", 4, Some(3)), "ada");
        assert_eq!(substring("12345", 0, Some(3)), "12");
        assert_eq!(substring("12345", 5, Some(-3)), "");
        assert_eq!(substring("12345", -3, Some(5)), "1");
        assert_eq!(substring("", 1, Some(3)), "");
        assert_eq!(substring("aé日z", 2, Some(2)), "é日");
        assert_eq!(substring("abc", 2, Some(0)), "");
        assert_eq!(substring("abc", 4, None), "");
        assert_eq!(substring("abc", i64::MIN, Some(i64::MAX)), "");
        assert_eq!(substring("abc", i64::MAX, Some(i64::MAX)), "");
        assert_eq!(substring("abc", i64::MIN, None), "abc");
    }

    #[test]
    fn a_language_range_matches_whole_subtags() {
        assert!(language_matches("fr-BE", "FR"));
        assert!(language_matches("fr", "*"));
        assert!(!language_matches("", "*"));
        assert!(!language_matches("frx", "fr"));
        assert!(!language_matches("fr", "fr-BE"));
    }
}
