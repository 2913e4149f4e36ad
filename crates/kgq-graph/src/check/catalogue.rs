//! OASIS XML catalogues, such as the `catalog-v001.xml` that Protégé writes: they say which file holds an imported
//! ontology.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The usual file name of a catalogue.
pub const NAME: &str = "catalog-v001.xml";
/// A larger catalogue is not read, and neither are more catalogues than this many.
const LARGEST: u64 = 16 << 20;
const MOST_CATALOGUES: usize = 100;

/// The files of ontologies, by IRI.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    files: BTreeMap<String, PathBuf>,
    /// Beginnings of IRIs, with the folder that stands for each.
    rewritten: Vec<(String, PathBuf)>,
}

impl Catalogue {
    /// Adds the entries of a catalogue file and of those that it names. A catalogue that cannot be read adds nothing:
    /// its imports are then unavailable.
    pub fn read(&mut self, file: &Path, may_read: &dyn Fn(&Path) -> bool) {
        let mut open = vec![file.to_owned()];
        let mut seen: Vec<PathBuf> = Vec::new();
        while let Some(file) = open.pop() {
            let is_new = seen.len() < MOST_CATALOGUES && !seen.contains(&file);
            let is_small = std::fs::metadata(&file).is_ok_and(|entry| entry.is_file() && entry.len() <= LARGEST);
            if !is_new || !is_small || !may_read(&file) {
                continue;
            }
            if let Ok(text) = std::fs::read_to_string(&file) {
                open.extend(self.parse(&text, file.parent().unwrap_or(Path::new(""))));
            }
            seen.push(file);
        }
    }

    /// The file of an ontology, if the catalogue has it.
    pub fn file(&self, iri: &str) -> Option<PathBuf> {
        let rewritten = || {
            let longest = self.rewritten.iter().filter(|(start, _)| iri.starts_with(start.as_str()));
            let (start, folder) = longest.max_by_key(|(start, _)| start.len())?;
            Some(folder.join(&iri[start.len()..]))
        };
        self.files.get(iri).cloned().or_else(rewritten)
    }

    /// Parses a catalogue's text; returns the further catalogues that it names.
    fn parse(&mut self, text: &str, folder: &Path) -> Vec<PathBuf> {
        let mut reader = Reader::from_str(text);
        let mut further = Vec::new();
        // The folders named by `xml:base` of the open elements.
        let mut bases = vec![folder.to_owned()];
        loop {
            match reader.read_event() {
                Ok(Event::Start(element)) => {
                    let base = base_of(&element, &bases);
                    further.extend(self.entry(&element, &base));
                    bases.push(base);
                }
                Ok(Event::Empty(element)) => {
                    let base = base_of(&element, &bases);
                    further.extend(self.entry(&element, &base));
                }
                Ok(Event::End(_)) if bases.len() > 1 => drop(bases.pop()),
                Ok(Event::Eof) | Err(_) => return further,
                Ok(_) => {}
            }
        }
    }

    fn entry(&mut self, element: &BytesStart<'_>, base: &Path) -> Option<PathBuf> {
        let value = |name| attribute(element, name);
        match element.local_name().as_ref() {
            "uri" | "system" | "public" => {
                let name = value("name").or_else(|| value("systemId")).or_else(|| value("publicId"))?;
                self.files.entry(name).or_insert(local_file(&value("uri")?, base)?);
            }
            "rewriteURI" | "rewriteSystem" => {
                let start = value("uriStartString").or_else(|| value("systemIdStartString"))?;
                self.rewritten.push((start, local_file(&value("rewritePrefix")?, base)?));
            }
            "nextCatalog" => return local_file(&value("catalog")?, base),
            _ => {}
        }
        None
    }
}

fn base_of(element: &BytesStart<'_>, bases: &[PathBuf]) -> PathBuf {
    let outer = bases.last().cloned().unwrap_or_default();
    attribute(element, "xml:base").and_then(|base| local_file(&base, &outer)).unwrap_or(outer)
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    Some(quick_xml::escape::unescape(&attribute.value).ok()?.into_owned())
}

/// The path that a reference names, if it is on this machine.
fn local_file(reference: &str, folder: &Path) -> Option<PathBuf> {
    let path = reference.strip_prefix("file://").or_else(|| reference.strip_prefix("file:")).unwrap_or(reference);
    (!path.contains("://")).then(|| folder.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_names_files_beside_it() {
        let text = r#"<?xml version="1.0"?>
<catalog prefer="public" xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">
  <uri id="a" name="http://o.example/a" uri="imports/a.owl"/>
  <group xml:base="vendor/"><uri name="http://o.example/b" uri="b&amp;c.owl"/></group>
  <uri name="http://o.example/c" uri="http://elsewhere.example/c"/>
  <rewriteURI uriStartString="http://r.example/" rewritePrefix="r/"/>
  <nextCatalog catalog="more.xml"/>
</catalog>"#;
        let mut catalogue = Catalogue::default();
        assert_eq!(catalogue.parse(text, Path::new("/p")), [PathBuf::from("/p/more.xml")]);
        let file = |iri: &str| catalogue.file(iri).map(|path| path.display().to_string());
        assert_eq!(file("http://o.example/a").as_deref(), Some("/p/imports/a.owl"));
        assert_eq!(file("http://o.example/b").as_deref(), Some("/p/vendor/b&c.owl"));
        assert_eq!(file("http://o.example/c"), None);
        assert_eq!(file("http://r.example/x/y.ttl").as_deref(), Some("/p/r/x/y.ttl"));
    }
}
