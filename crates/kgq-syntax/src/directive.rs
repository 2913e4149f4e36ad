//! The IRIs given by `@base` and `@prefix`, as `guard` meets them. Their length is bounded, because other IRIs are built
//! from them; and dot segments are removed from a base, because parsers would keep them.

use crate::error::Error;
use crate::rdf::iri::without_dots;
use std::ops::Range;

/// The longest base or namespace, in bytes. Each IRI built from it is at least as long, so a file could cost its size
/// squared.
pub const LONGEST: usize = 64 << 10;

/// The role of the next IRI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    Base,
    Namespace,
}

/// Reads words until one announces an IRI.
#[derive(Debug, Default)]
pub struct Directives {
    /// The current word, up to the length of the longest one that matters.
    word: [u8; 8],
    length: usize,
    pub announced: Option<Announced>,
    /// The spans of bases in the text, brackets included, until they are rewritten.
    bases: Vec<Range<usize>>,
}

impl Directives {
    /// Adds bytes to the current word.
    pub fn word(&mut self, bytes: &[u8]) {
        let from = self.length.min(self.word.len());
        let taken = bytes.len().min(self.word.len() - from);
        self.word[from..from + taken].copy_from_slice(&bytes[..taken]);
        self.length += bytes.len();
    }

    /// Ends the current word; `byte` follows it.
    pub(crate) fn end_word(&mut self, byte: u8) {
        if self.length > 0 {
            let word = self.word.get(..self.length).unwrap_or_default();
            self.announced = match self.announced {
                // The name of the prefix comes in between.
                Some(Announced::Namespace) => Some(Announced::Namespace),
                _ if word == b"@base" || word.eq_ignore_ascii_case(b"base") => Some(Announced::Base),
                _ if word == b"@prefix" || word.eq_ignore_ascii_case(b"prefix") => Some(Announced::Namespace),
                _ => None,
            };
            self.length = 0;
        }
        if !b" \t\r\n<#".contains(&byte) {
            self.announced = None;
        }
    }

    /// Ends an IRI in brackets, which may have been announced.
    pub(crate) fn end_iri(&mut self, place: Range<usize>) {
        if self.announced.take() == Some(Announced::Base) {
            self.bases.push(place);
        }
    }

    /// Removes dot segments from the bases in these bytes, which begin at offset `from` of the text. Spaces fill up each
    /// shorter IRI, so that positions stay.
    pub fn without_dots(&mut self, bytes: &mut [u8], from: usize) {
        for place in self.bases.drain(..) {
            let Some(start) = place.start.checked_sub(from) else { continue };
            let Some(written) = bytes.get_mut(start..place.end - from) else { continue };
            let Some(iri) = str::from_utf8(written).ok().and_then(|iri| iri.strip_prefix('<')?.strip_suffix('>'))
            else {
                continue;
            };
            let shorter = without_dots(iri);
            if shorter.len() >= iri.len() {
                continue;
            }
            let shorter = format!("<{shorter}>").into_bytes();
            let (iri, blank) = written.split_at_mut(shorter.len());
            iri.copy_from_slice(&shorter);
            blank.fill(b' ');
        }
    }
}

/// The error for a base or namespace that is too long.
pub fn too_long(announced: Announced) -> Error {
    let what = match announced {
        Announced::Base => "base",
        Announced::Namespace => "namespace",
    };
    Error::input(format!("this {what} is longer than 64 KiB, and each IRI that is made of it would be as long"))
        .hint("a closing `>` may be missing")
}
