//! Character classes: `[…]` with subtraction, and the escapes that stand for several characters.

use super::Fault;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};
use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

/// The deepest nesting of subtractions.
const DEEPEST: usize = 50;

/// The category names of XML Schema (part 2, §G.4.2.2).
const CATEGORIES: &[&str] = &[
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "Z", "Zs", "Zl", "Zp", "S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn",
];

/// The characters that can begin a name in XML (§2.3), and those that can follow.
const NAME_START: &str = r":A-Z_a-z\xC0-\xD6\xD8-\xF6\xF8-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}-\x{200D}\x{2070}-\x{218F}\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}";
const NAME_REST: &str = r"\-.0-9\xB7\x{300}-\x{36F}\x{203F}-\x{2040}";

/// The character of an escape that stands for a single one.
pub(super) fn single(escaped: char) -> Option<char> {
    match escaped {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        c if c.is_ascii_punctuation() => Some(c),
        _ => None,
    }
}

/// Translates an escape that stands for several characters for the `regex` crate, to a class in brackets or an escape;
/// `None` for any other escape.
pub(super) fn multiple(escaped: char, rest: &mut Peekable<Chars<'_>>) -> Result<Option<String>, Fault> {
    Ok(Some(match escaped {
        's' => r"[ \t\n\r]".to_owned(),
        'S' => r"[^ \t\n\r]".to_owned(),
        'd' | 'D' | 'w' | 'W' => format!("\\{escaped}"),
        'i' => format!("[{NAME_START}]"),
        'I' => format!("[^{NAME_START}]"),
        'c' => format!("[{NAME_START}{NAME_REST}]"),
        'C' => format!("[^{NAME_START}{NAME_REST}]"),
        'p' | 'P' => property(escaped, rest)?,
        _ => return Ok(None),
    }))
}

/// Reads what follows `\p` or `\P`.
fn property(escaped: char, rest: &mut Peekable<Chars<'_>>) -> Result<String, Fault> {
    let braces = || Fault::new(format!("`\\{escaped}` needs a category or block: `\\p{{L}}`, `\\p{{IsGreek}}`"));
    rest.next_if_eq(&'{').ok_or_else(braces)?;
    let mut name = String::new();
    loop {
        match rest.next() {
            Some('}') => break,
            Some(c) => name.push(c),
            None => return Err(braces()),
        }
    }
    if CATEGORIES.contains(&name.as_str()) {
        return Ok(format!("\\{escaped}{{{name}}}"));
    }
    let Some(block_name) = name.strip_prefix("Is") else {
        return Err(Fault::new(format!("`{name}` is no category of characters"))
            .hint("categories are `L`, `Lu`, `Nd`, `P` and their like; a block is `IsGreek`"));
    };
    let (start, end) = block(block_name).ok_or_else(|| Fault::new(format!("`{name}` is no block of Unicode")))?;
    let negation = if escaped == 'P' { "^" } else { "" };
    Ok(format!("[{negation}\\x{{{start:X}}}-\\x{{{end:X}}}]"))
}

/// The first and last code point of a block, by its name without spaces; earlier names of Unicode blocks work too.
fn block(name: &str) -> Option<(u32, u32)> {
    let name = match name {
        "Greek" => "GreekandCoptic",
        "CombiningMarksforSymbols" => "CombiningDiacriticalMarksforSymbols",
        "PrivateUse" => "PrivateUseArea",
        name => name,
    };
    let is_named = |known: &str| {
        let known = known.chars().filter(|c| *c != ' ');
        known.map(|c| c.to_ascii_lowercase()).eq(name.chars().map(|c| c.to_ascii_lowercase()))
    };
    let mut at = 0;
    while at <= u32::from(char::MAX) {
        match char::from_u32(at).and_then(unicode_blocks::find_unicode_block) {
            Some(block) if is_named(block.name()) => return Some((block.start(), block.end())),
            Some(block) => at = block.end() + 1,
            // Blocks begin at multiples of 16.
            None => at += 16,
        }
    }
    None
}

/// Reads what follows `[`, up to its `]`.
pub(super) fn bracketed(rest: &mut Peekable<Chars<'_>>, ignore_case: bool) -> Result<ClassUnicode, Fault> {
    nested(rest, ignore_case, 0)
}

fn nested(rest: &mut Peekable<Chars<'_>>, ignore_case: bool, depth: usize) -> Result<ClassUnicode, Fault> {
    if depth > DEEPEST {
        return Err(Fault::new(format!("classes are subtracted more than {DEEPEST} deep")));
    }
    let is_negated = rest.next_if_eq(&'^').is_some();
    // Flag `i` extends single characters and ranges, but not escapes.
    let (mut characters, mut escapes) = (ClassUnicode::empty(), ClassUnicode::empty());
    let mut subtracted = None;
    let mut is_first = true;
    loop {
        let start = match rest.next().ok_or_else(never_closed)? {
            ']' if is_first => return Err(Fault::new("`[]` is empty").hint("the character itself is written `\\]`")),
            ']' => break,
            '-' if !is_first && rest.next_if_eq(&'[').is_some() => {
                subtracted = Some(nested(rest, ignore_case, depth + 1)?);
                if rest.next() != Some(']') {
                    return Err(Fault::new("what is subtracted ends a class: `[a-z-[aeiou]]`"));
                }
                break;
            }
            '[' => {
                return Err(Fault::new("`[` inside a class is written `\\[`")
                    .hint("letters are `\\p{L}`, digits `\\d`; a class is subtracted by `-[…]`"));
            }
            '\\' => match escaped(rest)? {
                Member::Character(c) => c,
                Member::Many(set) => {
                    escapes.union(&set);
                    is_first = false;
                    continue;
                }
            },
            c => c,
        };
        is_first = false;
        let end = range_end(start, rest)?;
        characters.push(ClassUnicodeRange::new(start, end));
    }
    if ignore_case {
        characters.try_case_fold_simple().map_err(|error| Fault::new(error.to_string()))?;
    }
    characters.union(&escapes);
    if is_negated {
        characters.negate();
    }
    if let Some(subtracted) = subtracted {
        characters.difference(&subtracted);
    }
    Ok(characters)
}

/// The last character of the range that begins with `start`; `start` itself if there is no range.
fn range_end(start: char, rest: &mut Peekable<Chars<'_>>) -> Result<char, Fault> {
    let mut ahead = rest.clone();
    if ahead.next() != Some('-') || matches!(ahead.peek(), None | Some(']' | '[')) {
        return Ok(start);
    }
    rest.next();
    let end = match rest.next().ok_or_else(never_closed)? {
        '\\' => match escaped(rest)? {
            Member::Character(c) => c,
            Member::Many(_) => return Err(Fault::new("a range ends with one character")),
        },
        c => c,
    };
    if end < start {
        return Err(Fault::new(format!("the range `{start}-{end}` ends before it begins")));
    }
    Ok(end)
}

enum Member {
    Character(char),
    Many(ClassUnicode),
}

/// Reads what follows `\` in a class.
fn escaped(rest: &mut Peekable<Chars<'_>>) -> Result<Member, Fault> {
    let c = rest.next().ok_or_else(cut)?;
    if let Some(character) = single(c) {
        return Ok(Member::Character(character));
    }
    let text = multiple(c, rest)?.ok_or_else(|| no_escape(c))?;
    let parsed = regex_syntax::parse(&text).map_err(|error| Fault::new(error.to_string()))?;
    Ok(Member::Many(match parsed.into_kind() {
        HirKind::Class(Class::Unicode(set)) => set,
        // A category with a single character.
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0).into_owned();
            ClassUnicode::new(text.chars().map(|c| ClassUnicodeRange::new(c, c)))
        }
        _ => return Err(no_escape(c)),
    }))
}

/// The class in the syntax of the `regex` crate.
pub(super) fn written(set: &ClassUnicode) -> String {
    if set.ranges().is_empty() {
        // An intersection without any character: the syntax has no empty class.
        return r"[a&&b]".to_owned();
    }
    let mut out = "[".to_owned();
    for range in set.iter() {
        let (start, end) = (u32::from(range.start()), u32::from(range.end()));
        let _ = write!(out, "\\x{{{start:X}}}-\\x{{{end:X}}}");
    }
    out.push(']');
    out
}

fn never_closed() -> Fault {
    Fault::new("`[` is never closed").hint("the character itself is written `\\[`")
}

pub(super) fn cut() -> Fault {
    Fault::new("the pattern ends with `\\`").hint("the character itself is written `\\\\`")
}

pub(super) fn no_escape(c: char) -> Fault {
    Fault::new(format!("`\\{c}` is no escape of XPath's regular expressions")).hint(
        "there are \\n \\r \\t, \\s \\d \\w \\i \\c, \\p{…}, these as capitals, and a backslash before punctuation",
    )
}
