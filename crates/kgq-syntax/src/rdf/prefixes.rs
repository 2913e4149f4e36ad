//! Prefixes: from a CURIE to an IRI and back.

use super::NamedNode;
use std::collections::BTreeMap;

/// Namespaces by prefix, in alphabetical order of the prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes(BTreeMap<String, String>);

impl Prefixes {
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a prefix; a later declaration of the same prefix wins.
    pub fn insert(&mut self, prefix: impl Into<String>, namespace: impl Into<String>) {
        self.0.insert(prefix.into(), namespace.into());
    }

    /// Declares a prefix unless it is already declared.
    pub fn insert_if_absent(&mut self, prefix: &str, namespace: &str) {
        if !self.0.contains_key(prefix) {
            self.insert(prefix, namespace);
        }
    }

    pub fn get(&self, prefix: &str) -> Option<&str> {
        self.0.get(prefix).map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(prefix, namespace)| (prefix.as_str(), namespace.as_str()))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The IRI of a CURIE such as `foaf:name`; `None` if the prefix is unknown or the result is not an IRI.
    pub fn expand(&self, curie: &str) -> Option<NamedNode> {
        let (prefix, local) = curie.split_once(':')?;
        let namespace = self.get(prefix)?;
        NamedNode::new(format!("{namespace}{}", local.replace('\\', ""))).ok()
    }

    /// The prefix and local name of an IRI. Takes the longest namespace after which the local name needs no escape in Turtle
    /// and SPARQL.
    pub fn split<'a>(&'a self, iri: &'a str) -> Option<(&'a str, &'a str)> {
        self.0
            .iter()
            .filter_map(|(prefix, namespace)| {
                let local = iri.strip_prefix(namespace.as_str()).filter(|_| !namespace.is_empty())?;
                is_plain_local_name(local).then_some((prefix.as_str(), local))
            })
            .min_by_key(|(_, local)| local.len())
    }

    /// The CURIE of an IRI, if a prefix fits.
    pub fn shorten(&self, iri: &str) -> Option<String> {
        self.split(iri).map(|(prefix, local)| format!("{prefix}:{local}"))
    }

    /// The IRI for people: a CURIE if a prefix fits, else in angle brackets.
    pub fn display(&self, iri: &str) -> String {
        self.shorten(iri).unwrap_or_else(|| format!("<{iri}>"))
    }
}

/// A prefix that files declare with different namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contested {
    pub prefix: String,
    /// The namespace that is used, and the file that declares it.
    pub namespace: String,
    pub file: String,
    /// The namespace in the first file that differs.
    pub other: String,
    pub other_file: String,
}

/// Combines the prefixes of several files: the first declaration of a prefix wins.
#[derive(Debug, Default)]
pub struct Declared {
    pub prefixes: Prefixes,
    pub contested: Vec<Contested>,
    /// The file that each prefix comes from.
    files: BTreeMap<String, String>,
}

impl Declared {
    /// Adds the declarations of a file, after those of earlier files.
    pub fn add(&mut self, file: &str, declared: &Prefixes) {
        for (prefix, namespace) in declared.iter() {
            let Some(first) = self.prefixes.get(prefix) else {
                self.prefixes.insert(prefix, namespace);
                self.files.insert(prefix.to_owned(), file.to_owned());
                continue;
            };
            if first != namespace && self.contested.iter().all(|contested| contested.prefix != prefix) {
                self.contested.push(Contested {
                    prefix: prefix.to_owned(),
                    namespace: first.to_owned(),
                    file: self.files.get(prefix).cloned().unwrap_or_default(),
                    other: namespace.to_owned(),
                    other_file: file.to_owned(),
                });
            }
        }
    }
}

impl<P: Into<String>, N: Into<String>> FromIterator<(P, N)> for Prefixes {
    fn from_iter<I: IntoIterator<Item = (P, N)>>(iter: I) -> Self {
        Self(iter.into_iter().map(|(p, n)| (p.into(), n.into())).collect())
    }
}

/// Whether a local name can stand in Turtle and SPARQL without an escape (a subset of `PN_LOCAL`).
fn is_plain_local_name(local: &str) -> bool {
    let mut chars = local.chars();
    let Some(first) = chars.next() else {
        return true;
    };
    let inner = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    (first.is_alphanumeric() || first == '_') && chars.all(|c| inner(c) || c == '.') && !local.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_namespace_wins() {
        let prefixes = Prefixes::from_iter([("ex", "http://e/"), ("id", "http://e/id/")]);
        assert_eq!(prefixes.shorten("http://e/id/a"), Some("id:a".into()));
        assert_eq!(prefixes.shorten("http://e/id"), Some("ex:id".into()));
        assert_eq!(prefixes.shorten("http://e/id/a/b"), None);
        assert_eq!(prefixes.expand("id:a").unwrap().as_str(), "http://e/id/a");
        assert_eq!(prefixes.expand("no:a"), None);
    }

    #[test]
    fn the_first_file_decides_and_the_first_that_differs_is_told() {
        let mut declared = Declared::default();
        for (file, namespace) in [("a", "http://1/"), ("b", "http://1/"), ("c", "http://2/"), ("d", "http://3/")] {
            declared.add(file, &Prefixes::from_iter([("e", namespace), (file, namespace)]));
        }
        assert_eq!(declared.prefixes.get("e"), Some("http://1/"));
        let told: Vec<_> =
            declared.contested.iter().map(|c| (&*c.prefix, &*c.file, &*c.other_file, &*c.other)).collect();
        assert_eq!(told, [("e", "a", "c", "http://2/")]);
    }
}
