//! The parsed dataset: every quad once, as it was written, with what is known of the files it came from.

use super::input::Input;
use super::read::{ReadOptions, read_all};
use crate::error::Result;
use crate::rdf::{GraphName, Prefixes, Quad};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// A set of quads with their lexical forms kept (Oxigraph's store normalises `"01"^^xsd:integer` to 1), in the order
/// of their files.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    quads: Vec<Quad>,
    pub prefixes: Prefixes,
    pub files: Vec<FileReport>,
}

/// What one file held.
#[derive(Clone, Debug)]
pub struct FileReport {
    pub name: String,
    /// Statements in the file, repetitions included.
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
        for (input, document) in inputs.iter().zip(parsed) {
            // The first file to declare a prefix decides what it stands for.
            for (prefix, namespace) in document.prefixes.iter() {
                dataset.prefixes.insert_if_absent(prefix, namespace);
            }
            dataset.files.push(FileReport::of(&input.name, &document.quads));
            all.extend(document.quads);
        }
        dataset.quads = distinct(all);
        Ok(dataset)
    }

    /// A dataset that comes from no file.
    pub fn from_quads(quads: impl IntoIterator<Item = Quad>) -> Self {
        Self { quads: distinct(quads.into_iter().collect()), ..Self::default() }
    }

    /// The dataset with its quads mapped by `f`; prefixes and files stay.
    #[must_use]
    pub fn map_quads(self, f: impl FnOnce(Vec<Quad>) -> Vec<Quad>) -> Self {
        Self { quads: distinct(f(self.quads)), ..self }
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

/// Each quad once, in order of first appearance.
fn distinct(quads: Vec<Quad>) -> Vec<Quad> {
    let mut seen: FxHashSet<&Quad> = FxHashSet::default();
    seen.reserve(quads.len());
    let first: Vec<bool> = quads.iter().map(|quad| seen.insert(quad)).collect();
    quads.into_iter().zip(first).filter_map(|(quad, first)| first.then_some(quad)).collect()
}
