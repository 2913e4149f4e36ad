//! Makes file names from IRIs: always the same for the same IRI, safe on every system, unique even if case is ignored,
//! and never outside of the folder. Nothing is written here.

use kgq_syntax::budget::{Budget, Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::text::hexadecimal;
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};

/// The longest part of a path, and the longest path. Every file system can hold them, with room for the path of the
/// folder.
const LONGEST_PART: usize = 80;
const LONGEST_STEM: usize = 180;

/// Endings of pages and of the files beside them: a folder's name must not end in one.
const ENDINGS: &[&str] = &[
    ".html", ".ttl", ".jsonld", ".nt", ".nq", ".trig", ".rdf", ".rq", ".csv", ".json", ".js", ".css", ".txt", ".xml",
    ".gz", ".svg", ".wasm",
];

/// Folders that the site fills itself, and the folder for things whose IRIs would put them into one of those.
const OWN_FOLDERS: &[&str] = &["assets", "browse", "dump", "hosting", "query"];
const ASIDE: &str = "named";

/// Names that Windows reserves for devices, with any ending.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];

/// About what an entry of a map takes beside its texts, in bytes.
const ENTRY: usize = 80;

/// The place of each thing's page: the path relative to the site's folder, without an ending.
#[derive(Debug, Default)]
pub struct PageNames {
    stems: FxHashMap<String, String>,
    _held: Reservation,
}

impl PageNames {
    /// Names the pages of these IRIs, all of which start with `base`. `taken` holds stems that the site itself needs. What the
    /// names hold stays reserved as long as they are there.
    ///
    /// # Errors
    /// The budget's.
    pub fn assign<'a>(
        base: &str,
        iris: impl IntoIterator<Item = &'a str>,
        taken: &[&str],
        budget: &Budget,
    ) -> Result<Self> {
        let steps = Steps::new(budget);
        let mut iris: Vec<&str> = iris.into_iter().collect();
        iris.sort_unstable();
        iris.dedup();
        let mut used: FxHashSet<String> = taken.iter().map(|stem| stem.to_lowercase()).collect();
        let (mut held, mut making) = (Reservation::default(), Reservation::default());
        let mut wanted: Vec<(&str, String)> = Vec::new();
        let mut rivals: FxHashMap<String, u32> = FxHashMap::default();
        for iri in iris {
            steps.take()?;
            let stem = stem(base, iri);
            // The stem as it is wanted, and folded in two maps.
            making.grow(budget, (3 * (stem.len() + ENTRY)) as u64)?;
            held.grow(budget, (iri.len() + stem.len() + ENTRY) as u64)?;
            *rivals.entry(stem.to_lowercase()).or_default() += 1;
            wanted.push((iri, stem));
        }
        let mut stems = FxHashMap::default();
        for (iri, stem) in wanted {
            steps.take()?;
            let folded = stem.to_lowercase();
            // Of names that differ only in case, the one in lower case is kept whatever others there are.
            let alone = rivals.get(&folded) == Some(&1) || stem == folded;
            let stem = if alone && used.insert(folded) { stem } else { unlike(&stem, iri, &mut used) };
            stems.insert(iri.to_owned(), stem);
        }
        Ok(Self { stems, _held: held })
    }

    pub fn get(&self, iri: &str) -> Option<&str> {
        self.stems.get(iri).map(String::as_str)
    }
}

/// Appends as much of the IRI's hash to the stem as makes it unique.
fn unlike(stem: &str, iri: &str, used: &mut FxHashSet<String>) -> String {
    let hash = hash(iri);
    let mut length = 8;
    loop {
        let candidate = format!("{stem}-{}", &hash[..length.min(hash.len())]);
        if used.insert(candidate.to_lowercase()) || length >= hash.len() {
            return candidate;
        }
        length += 8;
    }
}

fn hash(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// The path for an IRI: what follows the base, with the fragment as last part. If characters have to be replaced, the
/// IRI's hash is appended to keep the path unique.
fn stem(base: &str, iri: &str) -> String {
    let tail = iri.strip_prefix(base).unwrap_or(iri).trim_start_matches('/');
    let parts: Vec<&str> = tail.split(['/', '#']).collect();
    let last = parts.len() - 1;
    let mut exact = true;
    let mut safe: Vec<String> = Vec::with_capacity(parts.len());
    for (i, part) in parts.iter().enumerate() {
        let (part, same) = safe_part(part, i == last);
        exact &= same;
        safe.push(part);
    }
    let stem = safe.join("/");
    if stem.len() > LONGEST_STEM {
        return format!("long/{}", &hash(iri)[..32]);
    }
    if parts.len() > 1 && OWN_FOLDERS.contains(&safe[0].to_lowercase().as_str()) {
        return format!("{ASIDE}/{stem}-{}", &hash(iri)[..8]);
    }
    if exact { stem } else { format!("{stem}-{}", &hash(iri)[..8]) }
}

/// Returns a safe name for a part of a path, and whether it is the part itself.
pub fn safe_part(part: &str, last: bool) -> (String, bool) {
    let mut out = String::with_capacity(part.len());
    for c in part.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    let mut out = out.trim_matches(['.', '-']).to_owned();
    if out.len() > LONGEST_PART {
        out.truncate(LONGEST_PART);
        out = out.trim_end_matches(['.', '-']).to_owned();
    }
    if out.is_empty() {
        out.push_str("thing");
    }
    let folded = out.to_ascii_lowercase();
    let device = folded.split('.').next().unwrap_or_default();
    let numbered = device.len() == 4
        && (device.starts_with("com") || device.starts_with("lpt"))
        && device.ends_with(|c: char| c.is_ascii_digit());
    if DEVICES.contains(&device) || numbered {
        out = format!("thing-{out}");
    }
    if !last && ENDINGS.iter().any(|ending| folded.ends_with(ending)) {
        out = out.replace('.', "-");
    }
    let same = out == part;
    (out, same)
}

/// Returns the relative link from the page `from` to the file `to`, both given as paths relative to the site's folder.
pub fn relative(from: &str, to: &str) -> String {
    let depth = from.matches('/').count();
    let mut out = "../".repeat(depth);
    out.push_str(to);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://e.example/";

    fn names(iris: &[&str]) -> Vec<String> {
        let iris: Vec<String> = iris.iter().map(|tail| format!("{BASE}{tail}")).collect();
        let names = PageNames::assign(BASE, iris.iter().map(String::as_str), &["index"], &Budget::default()).unwrap();
        iris.iter().map(|iri| names.get(iri).unwrap().to_owned()).collect()
    }

    #[test]
    fn a_plain_iri_keeps_its_path_and_a_fragment_becomes_a_file() {
        assert_eq!(names(&["id/region/beijing", "ontology#Region"]), ["id/region/beijing", "ontology/Region"]);
    }

    #[test]
    fn names_that_differ_in_case_only_are_told_apart() {
        let found = names(&["a/Name", "a/name", "a/NAME", "index", "INDEX"]);
        assert_eq!(found[1], "a/name");
        let mut folded: Vec<String> = found.iter().map(|n| n.to_lowercase()).collect();
        folded.push("index".into());
        folded.sort();
        folded.dedup();
        assert_eq!(folded.len(), 6);
    }

    #[test]
    fn no_iri_leads_out_of_the_folder_or_to_a_name_that_a_system_refuses() {
        let long = "x".repeat(400);
        let deep = "y/".repeat(300);
        let hostile = [
            "../../etc/passwd",
            "..",
            ".",
            "",
            "/",
            "//",
            "a/../b",
            "..%2f..%2fb",
            "con",
            "aux.txt/x",
            "COM1",
            "a\\b",
            "C:/x",
            "a:b",
            "a?b=c&d",
            "x|y",
            "nul",
            ".htaccess",
            "a/.git/config",
            "trailing./x",
            "trailing ",
            "商务部",
            "商务 部",
            "a.html/b",
            "a",
            "é",
            "e\u{301}",
            &long,
            &deep,
        ];
        let found = names(&hostile);
        let mut folded = std::collections::BTreeSet::new();
        for name in &found {
            assert!(name.len() < 220, "{name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)), "{name}");
            for part in name.split('/') {
                assert!(!part.is_empty() && !part.starts_with('.') && !part.ends_with('.'), "{name}");
                assert!(!DEVICES.contains(&part.to_ascii_lowercase().split('.').next().unwrap()), "{name}");
            }
            assert!(folded.insert(name.to_lowercase()), "{name} twice");
        }
        assert!(!found.contains(&"a.html/b".to_owned()));
    }

    #[test]
    fn a_name_in_a_folder_of_the_site_itself_stands_aside_whatever_the_site_holds() {
        for tail in ["assets/site", "Dump/SHA256SUMS/x", "query/a", "browse/owl-Class", "hosting#nginx"] {
            let found = names(&[tail]).remove(0);
            let own = format!("named/{}-", tail.replace('#', "/"));
            assert!(found.starts_with(&own) && found.len() == own.len() + 8, "{found}");
        }
        assert_eq!(names(&["assets", "query"]), ["assets", "query"]);
    }

    #[test]
    fn links_lead_up_as_many_folders_as_the_page_is_deep() {
        assert_eq!(relative("id/region/beijing.html", "index.html"), "../../index.html");
        assert_eq!(relative("index.html", "id/a.html"), "id/a.html");
    }
}
