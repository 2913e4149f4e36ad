//! Base IRIs: those of files, and bases without `.` and `..` in their paths. Also escapes IRIs for writing between `<` and
//! `>`.

use std::path::{Component, Path};

/// A base without the segments `.` and `..`. RFC 3986 removes them after a relative path is joined to the base's path
/// (§5.2.2), and allows to remove them from the base before (§5.2.1); the parsers do neither.
pub fn without_dots(iri: &str) -> String {
    let end = iri.find(['?', '#']).unwrap_or(iri.len());
    let (hierarchy, rest) = iri.split_at(end);
    let Some((scheme, after)) = hierarchy.split_once(':') else { return iri.to_owned() };
    let start = match after.strip_prefix("//") {
        Some(authority) => 2 + authority.find('/').unwrap_or(authority.len()),
        None => 0,
    };
    let (authority, path) = after.split_at(start);
    if !path.starts_with('/') || !path.contains("/.") {
        return iri.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("{scheme}:{authority}/{}{rest}", kept.join("/"))
}

/// The `file:` IRI of a path, which does not depend on how the path is written. Symbolic links are not resolved: the author
/// may mean the link's name.
pub fn of_file(path: &Path) -> Option<String> {
    let mut segments: Vec<Vec<u8>> = Vec::new();
    for component in std::path::absolute(path).ok()?.components() {
        match component {
            Component::ParentDir => drop(segments.pop()),
            Component::Normal(name) => segments.push(name.as_encoded_bytes().to_vec()),
            Component::Prefix(prefix) => segments.push(prefix.as_os_str().as_encoded_bytes().to_vec()),
            Component::RootDir | Component::CurDir => {}
        }
    }
    let mut iri = String::from("file://");
    for segment in segments {
        iri.push('/');
        for byte in segment {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => iri.push(char::from(byte)),
                byte => iri.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    Some(iri)
}

/// The text to put between `<` and `>`, with characters escaped that are not allowed there.
pub fn escaped(iri: &str) -> String {
    let mut out = String::with_capacity(iri.len());
    for c in iri.chars() {
        match c {
            '\0'..=' ' | '<' | '>' | '"' | '{' | '}' | '|' | '^' | '`' | '\\' => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_from_a_path_and_from_nothing_else() {
        for (iri, wanted) in [
            ("http://e/a/../b/./c", "http://e/b/c"),
            ("http://e/../../a/..", "http://e/"),
            ("http://e/a/b/.", "http://e/a/b/"),
            ("file:///a//../b?x/../y#/./z", "file:///a/b?x/../y#/./z"),
            ("http://e", "http://e"),
            ("http://e/.a/..b/c..", "http://e/.a/..b/c.."),
            ("urn:a/../b", "urn:a/../b"),
            ("http://e/a#../b", "http://e/a#../b"),
        ] {
            assert_eq!(without_dots(iri), wanted, "{iri}");
        }
    }

    #[test]
    fn a_file_has_one_iri_however_it_is_named() {
        let iri = of_file(Path::new("a b/é%.ttl")).unwrap();
        assert!(iri.starts_with("file:///") && iri.ends_with("/a%20b/%C3%A9%25.ttl"), "{iri}");
        for other in ["./a b/é%.ttl", "x/../a b/é%.ttl", "a b/./y/../é%.ttl", "a b//é%.ttl"] {
            assert_eq!(of_file(Path::new(other)).unwrap(), iri, "{other}");
        }
        assert_eq!(of_file(Path::new("/../../a")).unwrap(), "file:///a");
    }
}
