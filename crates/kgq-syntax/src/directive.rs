//! The IRIs that `@base` and `@prefix` give, as `guard` meets them: others are made of them, so their length is bounded; and parsers
//! keep the dots of a base, so it loses them before.

use crate::error::Error;
use crate::rdf::iri::without_dots;
use std::ops::Range;

/// The longest base or namespace, in bytes. Each IRI that is made of one is as long, so that a file could cost its square.
pub const LONGEST: usize = 64 << 10;

/// What the next IRI is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    Base,
    Namespace,
}

/// Follows words until one announces an IRI.
#[derive(Debug, Default)]
pub struct Directives {
    /// The word that is being read, as far as one of ours would go.
    word: [u8; 8],
    length: usize,
    pub announced: Option<Announced>,
    /// Where bases stand in the text with their brackets, until they are rewritten.
    bases: Vec<Range<usize>>,
}

impl Directives {
    /// More bytes of a word.
    pub fn word(&mut self, bytes: &[u8]) {
        let from = self.length.min(self.word.len());
        let taken = bytes.len().min(self.word.len() - from);
        self.word[from..from + taken].copy_from_slice(&bytes[..taken]);
        self.length += bytes.len();
    }

    /// A byte that ends a word.
    pub(crate) fn end_word(&mut self, byte: u8) {
        if self.length > 0 {
            let word = self.word.get(..self.length).unwrap_or_default();
            self.announced = match self.announced {
                // The name of the prefix stands between.
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

    /// The end of an IRI in brackets, which may have been announced.
    pub(crate) fn end_iri(&mut self, place: Range<usize>) {
        if self.announced.take() == Some(Announced::Base) {
            self.bases.push(place);
        }
    }

    /// Takes the dots from the bases in these bytes, the first of which has the offset `from` in the text. Its length stays, so that
    /// places do: blanks follow the shorter IRI.
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

/// The refusal of a base or namespace that is too long.
pub fn too_long(announced: Announced) -> Error {
    let what = match announced {
        Announced::Base => "base",
        Announced::Namespace => "namespace",
    };
    Error::input(format!("this {what} is longer than 64 KiB, and each IRI that is made of it would be as long"))
        .hint("a closing `>` may be missing")
}
