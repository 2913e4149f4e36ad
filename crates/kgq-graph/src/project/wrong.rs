//! What is wrong with the text of kgq.toml, in the words of its author: the parser's own messages speak of Rust types.

use kgq_syntax::error::{Error, Source};
use kgq_syntax::text::did_you_mean;

/// Translates the parser's error, with its place.
pub fn in_words(source: Source<'_>, error: &toml::de::Error) -> Error {
    let message = error.message().trim_end();
    // toml's list of all keys is long; a similar key is what helps.
    let (message, known) = match message.split_once(", expected one of ") {
        Some((message, list)) => (message, Some(list)),
        None => (message, None),
    };
    let mut out = Error::input(words(message));
    if let Some(span) = error.span() {
        out = out.at(source.place(span));
    }
    let Some(known) = known else {
        return out;
    };
    let keys: Vec<&str> = known.split(", ").map(|k| k.trim_matches('`')).collect();
    let unknown = message.split('`').nth(1).unwrap_or_default();
    let what = if message.starts_with("unknown variant") { "possible values" } else { "known keys" };
    out.hint(did_you_mean(unknown, keys.iter().copied()).unwrap_or_else(|| format!("{what}: {}", keys.join(", "))))
}

fn words(message: &str) -> String {
    if message == "wanted string or table" {
        return "a text in quotes is wanted here".to_owned();
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("the key {key} is missing");
    }
    let found = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    match found.and_then(|found| found.rsplit_once(", expected ")) {
        Some((given, wanted)) => format!("{} is wanted here, not {}", type_in_words(wanted), value_in_words(given)),
        None => message.replace("unknown field", "unknown key").replace("unknown variant", "unknown value"),
    }
}

fn type_in_words(wanted: &str) -> &str {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more,",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a string" => "a text in quotes",
        "a sequence" => "a list in `[ ]`",
        "a map" => "a table",
        wanted if wanted.starts_with("struct ") => "a table",
        wanted if wanted.starts_with("enum ") => "a text in quotes",
        wanted => wanted,
    }
}

fn value_in_words(given: &str) -> String {
    let given = given.split_once(' ').map_or((given, ""), |(kind, value)| (kind, value));
    match given {
        ("string", value) => format!("the text {value}"),
        ("integer", value) => format!("the number {value}"),
        ("floating", value) => format!("the number {}", value.trim_start_matches("point ")),
        ("boolean", value) => value.to_owned(),
        ("sequence", _) => "a list".to_owned(),
        ("map", _) => "a table".to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, value) => format!("{kind} {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Manifest;

    fn told(text: &str) -> String {
        let error = toml::from_str::<Manifest>(text).unwrap_err();
        in_words(Source::new("kgq.toml", text), &error).message().to_owned()
    }

    #[test]
    fn a_value_of_another_type_is_told_without_the_types_of_the_program() {
        let cases = [
            ("limits = 3", "a table is wanted here, not the number `3`"),
            ("limits = { max-depth = \"deep\" }", "a whole number, 0 or more, is wanted here, not the text \"deep\""),
            ("limits = { max-rows = -1 }", "a whole number, 0 or more, is wanted here, not the number `-1`"),
            ("limits = { max-rows = 1.5 }", "a whole number, 0 or more, is wanted here, not the number `1.5`"),
            ("load = { lenient = \"yes\" }", "`true` or `false` is wanted here, not the text \"yes\""),
            ("data = \"a.ttl\"", "a list in `[ ]` is wanted here, not the text \"a.ttl\""),
            ("prefixes = { ex = 1 }", "a text in quotes is wanted here, not the number `1`"),
            ("title = true", "a text in quotes is wanted here, not `true`"),
            ("base = [\"x\"]", "a text in quotes is wanted here, not a list"),
            ("default-graph = 3", "a text in quotes is wanted here"),
        ];
        for (text, words) in cases {
            assert_eq!(told(&format!("name = \"x\"\n{text}\n")), words, "{text}");
        }
        assert_eq!(told(""), "the key `name` is missing");
    }
}
