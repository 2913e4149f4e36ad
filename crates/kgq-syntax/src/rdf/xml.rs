//! What XML 1.0 allows: characters and names.

/// `Char`: what a document can contain, even as a reference.
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// `Name` (5th edition), in which a colon may stand anywhere.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == ':' || starts_name(c)) && chars.all(|c| c == ':' || continues_name(c))
}

/// `NCName` of Namespaces in XML 1.0: a name without a colon.
pub fn is_nc_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(starts_name) && chars.all(continues_name)
}

/// Splits an IRI into a namespace and the longest name at its end.
pub fn split_name(iri: &str) -> Option<(&str, &str)> {
    let tail = iri.char_indices().rev().take_while(|(_, c)| continues_name(*c));
    let (start, _) = tail.filter(|(_, c)| starts_name(*c)).last()?;
    (start > 0).then(|| iri.split_at(start))
}

fn starts_name(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn continues_name(c: char) -> bool {
    starts_name(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iri_is_split_before_its_longest_name() {
        assert_eq!(split_name("http://e/a.b-1"), Some(("http://e/", "a.b-1")));
        assert_eq!(split_name("http://e/1a"), Some(("http://e/1", "a")));
        assert_eq!(split_name("urn:x:é"), Some(("urn:x:", "é")));
        assert_eq!(split_name("http://e/123"), None);
        assert_eq!(split_name("http://e/"), None);
    }
}
