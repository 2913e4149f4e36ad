//! Finds files with the same content in several formats: `a.ttl` beside `a.rdf` and `a.jsonld`. Loading all of them
//! would give every blank node several times.

use super::look::{Holds, Looked, on_all};
use crate::project::stem;
use kgq_snapshot::store::{Input, ReadOptions, read_each};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::canonical::canonicalize;
use kgq_syntax::rdf::{GraphName, NamedOrBlankNode, Quad, RdfFormat, Term};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::hash::{Hash, Hasher};
use std::path::Path;

/// Two files are near copies if at most one statement in this many differs.
const NEARLY: usize = 5;

/// Another file with nearly the same content: `own` of this file's `all` statements are missing from it.
#[derive(Clone, Debug)]
pub(super) struct Near {
    pub(super) of: String,
    pub(super) own: usize,
    pub(super) all: usize,
}

/// What two files of the same name have in common.
enum Likeness {
    Copy,
    Near { own: usize, all: usize },
}

/// Marks files whose content, or nearly all of it, is in another file of the same name with another ending.
pub(super) fn mark(folder: &Path, files: &mut [Looked], options: ReadOptions<'_>) {
    let mut by_stem: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (number, file) in files.iter().enumerate() {
        // Files too large to read whole are not compared.
        if !file.counts.cut && !matches!(file.holds, Holds::Nothing(_) | Holds::Broken(_)) {
            by_stem.entry(stem(&file.name)).or_default().push(number);
        }
    }
    let groups: Vec<Vec<usize>> = by_stem.into_values().filter(|group| group.len() > 1).collect();
    let found = on_all(&groups, |group| copies(folder, group.iter().map(|number| (*number, &files[*number])), options));
    for (number, of, found) in found.into_iter().flatten() {
        let of = files[of].name.clone();
        match found {
            Likeness::Copy => files[number].holds = Holds::Copy(of),
            Likeness::Near { own, all } => files[number].near = Some(Near { of, own, all }),
        }
    }
}

/// Returns two files that have the same name in different formats, taking the first such name, and the number of such
/// names.
pub fn in_several_formats(files: &[String]) -> Option<(&str, &str, usize)> {
    let mut sorted: Vec<&str> = files.iter().map(String::as_str).collect();
    sorted.sort_unstable_by_key(|name| (stem(name), format(name), *name));
    let mut found = None;
    let mut names: FxHashSet<&str> = FxHashSet::default();
    for pair in sorted.windows(2) {
        if stem(pair[0]) == stem(pair[1]) && format(pair[0]) != format(pair[1]) {
            found.get_or_insert((pair[0], pair[1]));
            names.insert(stem(pair[0]));
        }
    }
    found.map(|(one, other)| (one, other, names.len()))
}

/// Finds the files whose statements are all, or nearly all, in another one, each with that other. Of two files with the
/// same content, the one in the more readable format is kept.
fn copies<'f>(
    folder: &Path,
    files: impl Iterator<Item = (usize, &'f Looked)>,
    options: ReadOptions<'_>,
) -> Vec<(usize, usize, Likeness)> {
    let mut read: Vec<(usize, &Looked, Said)> =
        files.filter_map(|(number, file)| Some((number, file, Said::by(folder, file, options).ok()?))).collect();
    read.sort_by_key(|(_, file, said)| (std::cmp::Reverse(said.all.len()), format(&file.name), &file.name));
    let (mut kept, mut found): (Vec<(usize, &Looked, Said)>, _) = (Vec::new(), Vec::new());
    for (number, file, said) in read {
        let own = |at: usize| (said.all.difference(&kept[at].2.all).count(), at);
        match (0..kept.len()).map(own).min() {
            Some((0, at)) => {
                let (of, original, other) = &kept[at];
                let is_copy = !said.has_blank && !other.has_blank
                    || same(&[original, file].map(|file| canonical(folder, file, options)));
                found.push((
                    number,
                    *of,
                    if is_copy { Likeness::Copy } else { Likeness::Near { own: 0, all: said.all.len() } },
                ));
                if is_copy {
                    continue;
                }
            }
            Some((own, at)) if own * NEARLY <= said.all.len() => {
                found.push((number, kept[at].0, Likeness::Near { own, all: said.all.len() }));
            }
            Some(_) | None => {}
        }
        kept.push((number, file, said));
    }
    found
}

/// Whether both files have a canonical form, and it is the same.
fn same([one, other]: &[Result<String>; 2]) -> bool {
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

/// The rank of a format by readability, best first.
fn format(name: &str) -> usize {
    let order = [RdfFormat::Turtle, RdfFormat::TriG, RdfFormat::NTriples, RdfFormat::NQuads, RdfFormat::RdfXml];
    RdfFormat::from_path(name).and_then(|format| order.iter().position(|own| *own == format)).unwrap_or(order.len())
}

/// The statements of a file.
struct Said {
    /// A hash of each statement, with all blank nodes treated as the same.
    all: FxHashSet<u64>,
    /// Whether there is a blank node: the hashes do not show how blank nodes are connected.
    has_blank: bool,
}

impl Said {
    fn by(folder: &Path, file: &Looked, options: ReadOptions<'_>) -> Result<Self> {
        let mut said = Self { all: FxHashSet::default(), has_blank: false };
        read(folder, file, options, &mut |quad| {
            said.all.insert(hash(&quad));
            said.has_blank |= matches!(quad.subject, NamedOrBlankNode::BlankNode(_))
                || matches!(quad.object, Term::BlankNode(_) | Term::Triple(_))
                || matches!(quad.graph_name, GraphName::BlankNode(_));
        })?;
        Ok(said)
    }
}

/// The hash of a file's canonical form (RDFC-1.0), in which blank nodes are told apart only by how they are connected.
fn canonical(folder: &Path, file: &Looked, options: ReadOptions<'_>) -> Result<String> {
    let mut quads = Vec::new();
    read(folder, file, options, &mut |quad| quads.push(quad))?;
    let unbounded = Budget::default();
    Ok(canonicalize(&quads, options.budget.unwrap_or(&unbounded))?.hash())
}

fn read(folder: &Path, file: &Looked, options: ReadOptions<'_>, take: &mut dyn FnMut(Quad)) -> Result<()> {
    // IRIs relative to the file itself are then the same in all of the files.
    let base = Some("http://file.invalid/".to_owned());
    let input = Input::file(&file.name, &folder.join(&file.name), None)?.with_base(base);
    let text = input.open(options.bounds)?;
    read_each(&input, text, options, &mut |quad| {
        take(quad);
        Ok(())
    })
    .map(drop)
}

fn hash(quad: &Quad) -> u64 {
    let mut hasher = FxHasher::default();
    match &quad.subject {
        NamedOrBlankNode::NamedNode(node) => node.hash(&mut hasher),
        NamedOrBlankNode::BlankNode(_) => 0u8.hash(&mut hasher),
    }
    quad.predicate.hash(&mut hasher);
    match &quad.object {
        Term::BlankNode(_) => 0u8.hash(&mut hasher),
        Term::Literal(literal) => {
            literal.value().hash(&mut hasher);
            literal.datatype().hash(&mut hasher);
            literal.language().map(str::to_ascii_lowercase).hash(&mut hasher);
        }
        object => object.hash(&mut hasher),
    }
    quad.graph_name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_without_the_endings_of_formats_and_compressions() {
        assert_eq!(stem("a.b/c.d.ttl.gz"), "a.b/c.d");
        assert_eq!(stem("a.b/c"), "a.b/c");
        assert_eq!(stem("c.rdf"), "c");
    }

    #[test]
    fn names_in_several_formats_are_counted_once() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let files = names(&["b/x.rdf", "a.ttl", "b/x.ttl", "b/x.jsonld", "c.ttl", "c.ttl.gz", "d.nt", "d.xml"]);
        assert_eq!(in_several_formats(&files), Some(("b/x.ttl", "b/x.rdf", 2)));
        assert_eq!(in_several_formats(&names(&["a.ttl", "b.rdf", "b/a.rdf"])), None);
    }
}
