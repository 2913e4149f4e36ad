//! The things of a document: those whose IRI is the document's followed by `#` and a name.

use crate::graph::Graph;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Term};

/// Returns at most `most` things whose IRI is this one followed by `#` and a name.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn things(graph: &Graph, document: &NamedNode, most: usize) -> Result<Vec<NamedNode>> {
    beginning_with(graph, &format!("{}#", document.as_str()), most)
}

/// Returns at most `most` things whose IRI begins with this text.
///
/// # Errors
/// Those of loading; damage to the snapshot.
pub fn beginning_with(graph: &Graph, beginning: &str, most: usize) -> Result<Vec<NamedNode>> {
    let snapshot = graph.snapshot()?;
    let mut things = Vec::new();
    for id in snapshot.iris_beginning_with(beginning) {
        let Term::NamedNode(thing) = snapshot.term(TermId::new(id)) else { break };
        if things.len() >= most {
            break;
        }
        if snapshot.find(Some(thing.as_ref().into()), None, None).next().is_some() {
            things.push(thing);
        }
    }
    snapshot.intact()?;
    Ok(things)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::OpenOptions;

    #[test]
    fn the_things_of_a_document_are_those_behind_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.nt");
        let line = |thing: &str| format!("<http://e/{thing}> <http://e/doc#p> \"1\" .\n");
        std::fs::write(&file, ["doc", "doc#a", "doc#b", "doc/c", "document#d", "a", "z"].map(line).concat()).unwrap();
        let files = vec![file.display().to_string()];
        let graph = Graph::open(OpenOptions { files, ..Default::default() }).unwrap();
        let of = |document: &str, most| {
            let found = things(&graph, &NamedNode::new(document).unwrap(), most).unwrap();
            found.into_iter().map(NamedNode::into_string).collect::<Vec<_>>()
        };
        assert_eq!(of("http://e/doc", 9), ["http://e/doc#a", "http://e/doc#b"]);
        assert_eq!(of("http://e/doc", 1), ["http://e/doc#a"]);
        assert!(of("http://e/none", 9).is_empty());
    }
}
