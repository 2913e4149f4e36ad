//! The texts of the site itself, in English, or in Chinese for any tag of Chinese.

use super::chinese::{COUNTED, VOCABULARY, WORDS};
use super::model::Model;
use kgq_syntax::text::thousands;
use std::fmt::Display;

impl Model<'_> {
    fn is_chinese(&self) -> bool {
        self.language.split('-').next().is_some_and(|tag| tag.eq_ignore_ascii_case("zh"))
    }

    /// The language of the site's own texts.
    pub fn own_language(&self) -> &str {
        if self.is_chinese() { self.language } else { "en" }
    }

    /// Translates a text of the templates into the language of the site.
    pub fn say(&self, english: &'static str) -> &'static str {
        if !self.is_chinese() {
            return english;
        }
        WORDS.iter().find(|(key, _)| *key == english).map_or(english, |(_, chinese)| chinese)
    }

    /// Translates a text, and inserts a value for `{}`.
    pub fn fill(&self, english: &'static str, value: impl Display) -> String {
        self.say(english).replacen("{}", &value.to_string(), 1)
    }

    /// Translates the words of a vocabulary term, such as one of OWL, into the language of the site.
    pub fn vocabulary(&self, words: String) -> String {
        let chinese = VOCABULARY.iter().find(|(key, _)| *key == words).filter(|_| self.is_chinese());
        chinese.map_or(words, |(_, chinese)| (*chinese).to_owned())
    }

    /// A number with its noun.
    pub fn count(&self, number: u64, one: &'static str, several: &'static str) -> String {
        let chinese = COUNTED.iter().find(|(key, _)| *key == one).filter(|_| self.is_chinese());
        match chinese {
            Some((_, word)) => format!("{} {word}", thousands(number)),
            None => kgq_syntax::text::count(number, one, several),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// The literals that follow a call in the templates of the site.
    fn said(call: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        for folder in [root.clone(), root.join("draw")] {
            for entry in fs::read_dir(folder).unwrap().flatten().filter(|e| e.path().is_file()) {
                if entry.file_name() == "says.rs" {
                    continue;
                }
                let text = fs::read_to_string(entry.path()).unwrap();
                for (at, _) in text.match_indices(call) {
                    let rest = &text[at + call.len()..];
                    let literal =
                        rest.split_once('"').map_or("", |(before, rest)| match before.trim().split(',').next_back() {
                            Some(last) if last.trim().is_empty() && !before.contains(';') => {
                                rest.split('"').next().unwrap_or("")
                            }
                            _ => "",
                        });
                    found.extend((!literal.is_empty()).then(|| literal.to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn all_that_the_templates_say_has_chinese_words() {
        let mut missing: Vec<String> = Vec::new();
        let said_words: Vec<String> = [".say(", ".fill("].into_iter().flat_map(said).collect();
        assert!(said_words.len() > 80, "{}", said_words.len());
        missing.extend(said_words.into_iter().filter(|words| !WORDS.iter().any(|(key, _)| key == words)));
        let counted = said(".count(");
        assert!(counted.len() > 8, "{}", counted.len());
        missing.extend(counted.into_iter().filter(|word| !COUNTED.iter().any(|(key, _)| key == word)));
        assert!(missing.is_empty(), "{missing:?}");
    }
}
