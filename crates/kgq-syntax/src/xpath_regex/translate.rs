//! The parts of a pattern outside character classes: groups, repetitions, anchors and escapes.

use super::Fault;
use super::class;
use std::iter::Peekable;
use std::str::Chars;

/// The flags at one place of the pattern; they can change inside a group.
#[derive(Clone, Copy)]
struct Flags {
    dot_all: bool,
    ignore_case: bool,
}

/// What a quantifier would repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Atom,
    Repetition,
}

struct Translator<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    flags: Flags,
    /// For each open group, the flags outside it.
    open: Vec<Flags>,
    before: Before,
}

/// Translates the pattern to the syntax of the `regex` crate. Its flags `m` and `i` are set separately.
pub(super) fn translate(pattern: &str, dot_all: bool, ignore_case: bool) -> Result<String, Fault> {
    let mut translator = Translator {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len()),
        flags: Flags { dot_all, ignore_case },
        open: Vec::new(),
        before: Before::Nothing,
    };
    translator.run()?;
    Ok(translator.out)
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        while let Some(c) = self.rest.next() {
            match c {
                '(' => self.group()?,
                ')' => {
                    self.flags = self.open.pop().ok_or_else(|| {
                        Fault::new("`)` closes nothing").hint("the character itself is written `\\)`")
                    })?;
                    self.atom(")");
                }
                '|' => {
                    self.out.push('|');
                    self.before = Before::Nothing;
                }
                '?' | '*' | '+' => self.repetition(&c.to_string())?,
                '{' => {
                    let counts = self.counts()?;
                    self.repetition(&counts)?;
                }
                '.' if self.flags.dot_all => self.atom("(?s:.)"),
                '.' => self.atom(r"[^\n\r]"),
                '^' | '$' => self.atom(c.encode_utf8(&mut [0; 4])),
                '[' => {
                    let set = class::bracketed(&mut self.rest, self.flags.ignore_case)?;
                    self.class(&class::written(&set));
                }
                '\\' => self.escape()?,
                c => self.character(c),
            }
        }
        if self.open.is_empty() {
            return Ok(());
        }
        Err(Fault::new("`(` is never closed").hint("the character itself is written `\\(`"))
    }

    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.before = Before::Atom;
    }

    fn character(&mut self, c: char) {
        let escaped = regex::escape(c.encode_utf8(&mut [0; 4]));
        self.atom(&escaped);
    }

    /// Adds a class, which flag `i` must not extend any further.
    fn class(&mut self, text: &str) {
        if self.flags.ignore_case {
            self.atom(&format!("(?-i:{text})"));
        } else {
            self.atom(text);
        }
    }

    /// Reads what follows `(`.
    fn group(&mut self) -> Result<(), Fault> {
        let outside = self.flags;
        self.before = Before::Nothing;
        if self.rest.next_if_eq(&'?').is_none() {
            self.out.push('(');
            self.open.push(outside);
            return Ok(());
        }
        // The flags to pass on to the crate; the others are handled here.
        let (mut set, mut unset, mut sets) = (String::new(), String::new(), true);
        let is_group = loop {
            match self.rest.next() {
                Some(':') => break true,
                Some(')') => break false,
                Some('-') if sets => sets = false,
                Some('s') => self.flags.dot_all = sets,
                Some(flag @ ('i' | 'm')) => {
                    if flag == 'i' {
                        self.flags.ignore_case = sets;
                    }
                    let flags = if sets { &mut set } else { &mut unset };
                    flags.push(flag);
                }
                Some('=' | '!') => return Err(unsupported("look-ahead")),
                Some('<') if matches!(self.rest.peek(), Some('=' | '!')) => return Err(unsupported("look-behind")),
                Some('<' | 'P') => {
                    return Err(Fault::new("a group has no name in XPath's regular expressions")
                        .hint("write it as `(…)`; a replacement names it by its number, `$1`"));
                }
                Some(c) => return Err(Fault::new(format!("`(?` is not followed by `{c}`")).hint("write `(?:…)`")),
                None => return Err(Fault::new("`(?` is never closed")),
            }
        };
        let unset = if unset.is_empty() { unset } else { format!("-{unset}") };
        if is_group {
            self.out.push_str(&format!("(?{set}{unset}:"));
            self.open.push(outside);
        } else if !(set.is_empty() && unset.is_empty()) {
            // These hold until the surrounding group ends.
            self.out.push_str(&format!("(?{set}{unset})"));
        }
        Ok(())
    }

    /// Reads what follows `{`, and returns it with the `{`.
    fn counts(&mut self) -> Result<String, Fault> {
        let mut text = "{".to_owned();
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_digit() || *c == ',') {
            text.push(c);
        }
        let wrong = || {
            Fault::new("`{` does not start a count of repetitions")
                .hint("write `{2}`, `{2,}` or `{2,5}`; the character itself is written `\\{`")
        };
        self.rest.next_if_eq(&'}').ok_or_else(wrong)?;
        let (first, most) = text[1..].split_once(',').unwrap_or((&text[1..], ""));
        let least: u32 = first.parse().map_err(|_| wrong())?;
        let most: u32 = if most.is_empty() { u32::MAX } else { most.parse().map_err(|_| wrong())? };
        text.push('}');
        if most < least {
            return Err(Fault::new(format!("`{text}` allows no number of repetitions")));
        }
        Ok(text)
    }

    fn repetition(&mut self, sign: &str) -> Result<(), Fault> {
        match self.before {
            Before::Atom => {}
            Before::Nothing => {
                return Err(Fault::new(format!("`{sign}` repeats nothing"))
                    .hint("the character itself is written with `\\` before it"));
            }
            Before::Repetition => return Err(Fault::new(format!("`{sign}` repeats a repetition"))),
        }
        self.out.push_str(sign);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        self.before = Before::Repetition;
        Ok(())
    }

    /// Reads what follows `\`.
    fn escape(&mut self) -> Result<(), Fault> {
        let c = self.rest.next().ok_or_else(class::cut)?;
        if let Some(character) = class::single(c) {
            self.character(character);
        } else if let Some(set) = class::multiple(c, &mut self.rest)? {
            self.class(&set);
        } else if matches!(c, 'b' | 'B' | 'A' | 'z') {
            self.atom(&format!("\\{c}"));
        } else if c.is_ascii_digit() {
            return Err(Fault::new(format!("the back-reference `\\{c}` is not supported"))
                .hint("patterns are matched in linear time, which cannot compare with what a group has matched"));
        } else {
            return Err(class::no_escape(c));
        }
        Ok(())
    }
}

fn unsupported(what: &str) -> Fault {
    Fault::new(format!("{what} is not part of XPath's regular expressions"))
        .hint("use two conditions: REGEX(…) && !REGEX(…)")
}
