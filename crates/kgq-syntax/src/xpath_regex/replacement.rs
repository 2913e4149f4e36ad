//! The replacement argument of REPLACE (XPath Functions and Operators 3.1 §5.6.4).

use super::Fault;

/// A part of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplacementPart {
    Text(String),
    /// The text captured by the group; 0 is the whole match.
    Group(usize),
}

/// Reads a replacement. `$N` is the text captured by group N, where N takes as many digits as give an existing group; `\$`
/// and `\\` are the characters themselves.
///
/// # Errors
/// Any other use of `$` or `\`.
pub fn replacement(text: &str, groups: usize) -> Result<Vec<ReplacementPart>, Fault> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(c @ ('\\' | '$')) => plain.push(c),
                _ => {
                    return Err(Fault::new("a backslash in a replacement stands before `\\` or `$` only")
                        .hint("the character itself is `\\\\`, which a SPARQL string writes as `\\\\\\\\`"));
                }
            },
            '$' => {
                let digit = characters.next().and_then(|c| c.to_digit(10));
                let Some(first) = digit else {
                    return Err(Fault::new("a digit follows `$` in a replacement")
                        .hint("the character itself is `\\$`, which a SPARQL string writes as `\\\\$`"));
                };
                let mut group = first as usize;
                while let Some(digit) = characters.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > groups {
                        break;
                    }
                    group = longer;
                    characters.next();
                }
                if !plain.is_empty() {
                    parts.push(ReplacementPart::Text(std::mem::take(&mut plain)));
                }
                // A group that the pattern does not have gives an empty text.
                if group <= groups {
                    parts.push(ReplacementPart::Group(group));
                }
            }
            c => plain.push(c),
        }
    }
    if !plain.is_empty() {
        parts.push(ReplacementPart::Text(plain));
    }
    Ok(parts)
}
