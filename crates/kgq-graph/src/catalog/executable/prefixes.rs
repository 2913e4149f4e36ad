//! The prefixes that `sh:declare` declares for the queries of a collection.
//!
//! A query has the prefixes of its `sh:prefixes` and of what that imports (SHACL §5.2.1). Collections often declare
//! them in a file of their own under a blank node, which no other file can name. So a prefix that a query lacks is
//! taken from the nearest folder that declares it, and failing that from the directives of the query's own file.

use super::{SH, TurtleFile, as_subject};
use kgq_syntax::rdf::{NamedOrBlankNode, Term};
use rustc_hash::{FxHashMap, FxHashSet};

const IMPORTS: &str = "http://www.w3.org/2002/07/owl#imports";

/// The declarations in all files of canned queries.
#[derive(Default)]
pub(in crate::catalog) struct Declarations {
    /// By the declaring node: an ontology with an IRI, or a blank node of one file.
    by_node: FxHashMap<Declarer, Vec<(String, String)>>,
    imports: FxHashMap<Declarer, Vec<Declarer>>,
    /// The namespace by folder and prefix.
    by_folder: FxHashMap<(String, String), String>,
}

/// A node, with its file if it is blank.
type Declarer = (Option<String>, NamedOrBlankNode);

fn node(file: &TurtleFile, node: NamedOrBlankNode) -> Declarer {
    (node.is_blank_node().then(|| file.name.clone()), node)
}

impl Declarations {
    pub fn of(files: &[TurtleFile]) -> Self {
        let mut found = Self::default();
        files.iter().for_each(|file| found.add(file));
        found
    }

    fn add(&mut self, file: &TurtleFile) {
        for located in file.statements() {
            let Some(object) = as_subject(&located.quad.object) else { continue };
            let subject = node(file, located.quad.subject.clone());
            match located.quad.predicate.as_str() {
                IMPORTS => self.imports.entry(subject).or_default().push(node(file, object)),
                declare if declare.strip_prefix(SH) == Some("declare") => {
                    let value = |name: &str| {
                        let property = format!("{SH}{name}");
                        file.values(&object, &property).find_map(text).map(str::to_owned)
                    };
                    let (Some(prefix), Some(namespace)) = (value("prefix"), value("namespace")) else { continue };
                    let folder = (file.folder().to_owned(), prefix.clone());
                    self.by_folder.entry(folder).or_insert_with(|| namespace.clone());
                    self.by_node.entry(subject).or_default().push((prefix, namespace));
                }
                _ => {}
            }
        }
    }

    /// Returns the namespace of a prefix in a query of this file.
    pub fn namespace<'a>(&'a self, file: &'a TurtleFile, query: &NamedOrBlankNode, prefix: &str) -> Option<&'a str> {
        self.of_query(file, query, prefix).or_else(|| self.near(file, prefix)).or_else(|| file.prefixes.get(prefix))
    }

    fn of_query(&self, file: &TurtleFile, query: &NamedOrBlankNode, prefix: &str) -> Option<&str> {
        let property = format!("{SH}prefixes");
        let named = file.values(query, &property).filter_map(as_subject);
        let mut nodes: Vec<Declarer> = named.map(|n| node(file, n)).collect();
        let mut seen: FxHashSet<Declarer> = nodes.iter().cloned().collect();
        let mut at = 0;
        while let Some(node) = nodes.get(at).cloned() {
            at += 1;
            let mut declared = self.by_node.get(&node).into_iter().flatten();
            if let Some((_, namespace)) = declared.find(|(name, _)| name == prefix) {
                return Some(namespace);
            }
            let imported = self.imports.get(&node).into_iter().flatten();
            nodes.extend(imported.filter(|node| seen.insert((*node).clone())).cloned());
        }
        None
    }

    fn near(&self, file: &TurtleFile, prefix: &str) -> Option<&str> {
        let mut folder = file.folder();
        loop {
            if let Some(namespace) = self.by_folder.get(&(folder.to_owned(), prefix.to_owned())) {
                return Some(namespace);
            }
            let above = folder.strip_suffix('/')?;
            folder = &folder[..above.rfind('/').map_or(0, |at| at + 1)];
        }
    }
}

fn text(term: &Term) -> Option<&str> {
    match term {
        Term::Literal(literal) => Some(literal.value()),
        Term::NamedNode(iri) => Some(iri.as_str()),
        Term::BlankNode(_) | Term::Triple(_) => None,
    }
}
