//! The parsed dataset: every quad once, as written, with information about the files it came from.

use super::input::Input;
use super::read::{ReadOptions, read_all};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{Contested, Declared, GraphName, Prefixes, Quad};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// A set of quads in the order of their files. Lexical forms are kept (Oxigraph's store would normalise `"01"^^xsd:integer`
/// to 1).
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    quads: Vec<Quad>,
    /// For each quad, the number of the first file that contains it.
    origins: Vec<u32>,
    pub prefixes: Prefixes,
    /// The prefixes that files declare differently.
    pub contested: Vec<Contested>,
    pub files: Vec<FileReport>,
}

/// What one file contained.
#[derive(Clone, Debug)]
pub struct FileReport {
    pub name: String,
    /// Statements in the file, including repetitions.
    pub quads: u64,
    /// Statements by graph; `None` is the default graph.
    pub graphs: BTreeMap<Option<String>, u64>,
}

impl Dataset {
    /// Reads all inputs; see [`read_all`].
    pub fn read(inputs: &[Input], options: ReadOptions<'_>) -> Result<Self> {
        let parsed = read_all(inputs, options)?;
        let mut dataset = Self::default();
        let mut all = Vec::with_capacity(parsed.iter().map(|p| p.quads.len()).sum());
        let mut origins = Vec::with_capacity(all.capacity());
        let mut declared = Declared::default();
        for (input, document) in inputs.iter().zip(parsed) {
            declared.add(&input.name, &document.prefixes);
            let number = u32::try_from(dataset.files.len()).unwrap_or(u32::MAX);
            dataset.files.push(FileReport::of(&input.name, &document.quads));
            origins.resize(origins.len() + document.quads.len(), number);
            all.extend(document.quads);
        }
        (dataset.quads, dataset.origins) = distinct(all, origins);
        (dataset.prefixes, dataset.contested) = (declared.prefixes, declared.contested);
        Ok(dataset)
    }

    /// Maps the quads of each file by `f`; prefixes and files stay.
    #[must_use]
    pub fn map_quads(self, f: impl Fn(Vec<Quad>) -> Vec<Quad>) -> Self {
        let mut by_file: BTreeMap<u32, Vec<Quad>> = BTreeMap::new();
        for (quad, origin) in self.quads.into_iter().zip(self.origins) {
            by_file.entry(origin).or_default().push(quad);
        }
        let (mut all, mut origins) = (Vec::new(), Vec::new());
        for (origin, quads) in by_file {
            all.extend(f(quads));
            origins.resize(all.len(), origin);
        }
        let (quads, origins) = distinct(all, origins);
        Self { quads, origins, prefixes: self.prefixes, contested: self.contested, files: self.files }
    }

    /// The quads, each with the number of the first file (see `files`) that contains it.
    pub(crate) fn quads_with_origin(&self) -> impl Iterator<Item = (&Quad, usize)> {
        self.quads.iter().zip(self.origins.iter().map(|origin| *origin as usize))
    }

    pub fn quads(&self) -> &[Quad] {
        &self.quads
    }

    pub fn len(&self) -> usize {
        self.quads.len()
    }

    pub fn is_empty(&self) -> bool {
        self.quads.is_empty()
    }
}

impl FileReport {
    fn of(name: &str, quads: &[Quad]) -> Self {
        let mut graphs: BTreeMap<Option<String>, u64> = BTreeMap::new();
        for quad in quads {
            let graph = match &quad.graph_name {
                GraphName::DefaultGraph => None,
                GraphName::NamedNode(node) => Some(node.as_str().to_owned()),
                GraphName::BlankNode(node) => Some(node.to_string()),
            };
            *graphs.entry(graph).or_default() += 1;
        }
        Self { name: name.to_owned(), quads: quads.len() as u64, graphs }
    }
}

/// Each quad once, in order of first appearance, with its origin.
fn distinct(quads: Vec<Quad>, origins: Vec<u32>) -> (Vec<Quad>, Vec<u32>) {
    let mut seen: FxHashSet<&Quad> = FxHashSet::default();
    seen.reserve(quads.len());
    let first: Vec<bool> = quads.iter().map(|quad| seen.insert(quad)).collect();
    let pairs = quads.into_iter().zip(origins).zip(first);
    pairs.filter_map(|(pair, first)| first.then_some(pair)).unzip()
}
