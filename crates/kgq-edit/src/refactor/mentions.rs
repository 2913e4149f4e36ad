//! Renames IRIs and CURIEs in running text: comments, headers, expected answers, kgq.toml, and queries inside strings.

use super::Renaming;
use super::turtle::same_prefix;
use kgq_syntax::rdf::Prefixes;

pub struct Mentions<'a> {
    pub renaming: &'a Renaming,
    /// The prefixes of CURIEs.
    pub prefixes: &'a Prefixes,
}

impl Mentions<'_> {
    /// Returns the text with its names renamed. All else stays, down to the spaces.
    pub fn rename(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let length = word(rest);
            if length == 0 {
                let next = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..next]);
                rest = &rest[next..];
                continue;
            }
            out.push_str(&self.word(&rest[..length]));
            rest = &rest[length..];
        }
        out
    }

    /// Renames a run of characters that can be an IRI or a CURIE. Punctuation at the end of a sentence does not belong to the
    /// name.
    fn word(&self, word: &str) -> String {
        let name = word.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        let tail = &word[name.len()..];
        // A namespace may itself end in a colon or another such mark, so the whole word is tried first.
        for (name, tail) in [(word, ""), (name, tail)] {
            if name.contains("://") || name.starts_with("urn:") {
                if let Some(new) = self.renaming.iri(name) {
                    return format!("{new}{tail}");
                }
            } else if let Some(new) = self.curie(name) {
                return format!("{new}{tail}");
            }
        }
        word.to_owned()
    }

    fn curie(&self, name: &str) -> Option<String> {
        let iri = self.prefixes.expand(name)?;
        let new = self.renaming.iri(iri.as_str())?;
        // A prefix moves with its namespace.
        let moved = self.renaming.prefixes(self.prefixes);
        Some(same_prefix(name, &new, &moved).or_else(|| moved.shorten(&new)).unwrap_or(new))
    }
}

/// The length in bytes of the word at the start of a text.
fn word(text: &str) -> usize {
    let of_word = |c: char| c.is_alphanumeric() || "_-.:/#%~?&=+@!$*\\".contains(c);
    text.find(|c: char| !of_word(c)).unwrap_or(text.len())
}
