//! Finds things by their names, in any language, as a user types them.

use crate::catalog::{ParameterContext, Role, classes_of, labels_of};
use crate::graph::Graph;
use kgq_snapshot::TermId;
use kgq_syntax::budget::Budget;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::{NamedNode, Term};

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// A name or its beginning, words of it in any order, a CURIE, or an IRI (also in angle brackets).
    pub text: &'a str,
    pub among: Among,
    /// The largest number of things to return.
    pub most: usize,
    /// Bounds how long another thread is waited for that makes the index.
    pub budget: &'a Budget,
}

/// The things among which is looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Among {
    #[default]
    All,
    Role(Role),
    /// The members of a class.
    MembersOf(TermId),
}

impl Among {
    /// What the word for a role stands for: class, property or thing.
    pub fn role(word: &str) -> Option<Self> {
        Some(Self::Role(match word {
            "class" => Role::Class,
            "property" => Role::Property,
            "thing" => Role::Thing,
            _ => return None,
        }))
    }
}

/// A thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub thing: NamedNode,
    pub role: Role,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The best first.
    pub found: Vec<Found>,
    /// Whether nothing has this name, and these have similar ones.
    pub are_near: bool,
}

/// The search looks for this many times as many things as are wanted, as some have no name.
const UNNAMED: usize = 4;

/// Finds things by name.
///
/// # Errors
/// Those of loading, and of waiting for the index; damage to the snapshot.
pub fn find(graph: &Graph, request: Request<'_>) -> Result<Findings> {
    let (snapshot, index) = (graph.snapshot()?, graph.index_within(request.budget)?);
    let wanted = |id: TermId| match request.among {
        Among::All => true,
        Among::Role(role) => index.role(id) == role,
        Among::MembersOf(class) => classes_of(snapshot, id).contains(&class),
    };
    let mut ids: Vec<TermId> = itself(graph, request.text)?.into_iter().filter(|id| wanted(*id)).collect();
    ids.extend(index.same_letters(request.text, request.most, wanted));
    // Things known only by their IRI rank behind those with a name, so more are looked for than are wanted.
    let mut found = index.search(request.text, request.most.saturating_mul(UNNAMED), wanted).terms;
    found.sort_by_cached_key(|id| labels_of(snapshot, *id).is_empty());
    ids.extend(found);
    let are_near = ids.is_empty();
    if are_near {
        ids = index.near(request.text, request.most, wanted);
    }
    let mut seen = rustc_hash::FxHashSet::default();
    ids.retain(|id| seen.insert(*id));
    let found = ids.into_iter().filter_map(|id| match snapshot.term(id) {
        Term::NamedNode(thing) => Some(Found { thing, role: index.role(id) }),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    });
    let found: Vec<Found> = found.take(request.most).collect();
    snapshot.intact()?;
    Ok(Findings { are_near: are_near && !found.is_empty(), found })
}

/// The thing whose IRI or CURIE the text is.
fn itself(graph: &Graph, text: &str) -> Result<Option<TermId>> {
    let text = text.trim();
    let bare = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
    let iri = graph.prefixes()?.expand(bare).or_else(|| NamedNode::new(bare).ok());
    let known = graph.known()?;
    Ok(iri.filter(|iri| known.contains(iri)).and_then(|iri| graph.snapshot().ok()?.id(iri.as_ref().into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::OpenOptions;

    fn found(text: &str, class: Option<&str>) -> (Vec<String>, bool) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kgq.toml"), "name = \"t\"\ndata = [\"*.ttl\"]\n").unwrap();
        let data = "@prefix e: <http://e/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . \
                    e:xian a e:City ; rdfs:label \"Xi'an\"@en , \"西安\"@zh . e:xiamen rdfs:label \"Xiamen\"@en .";
        std::fs::write(folder.path().join("a.ttl"), data).unwrap();
        let graph = Graph::open(OpenOptions { folder: folder.path().into(), ..Default::default() }).unwrap();
        let class = class.map(|class| NamedNode::new(class).unwrap());
        let id = |class: &NamedNode| graph.snapshot().unwrap().id(class.as_ref().into()).unwrap();
        let among = class.as_ref().map_or(Among::All, |class| Among::MembersOf(id(class)));
        let findings = find(&graph, Request { text, among, most: 9, budget: &Budget::default() }).unwrap();
        (findings.found.into_iter().map(|found| found.thing.into_string()).collect(), findings.are_near)
    }

    #[test]
    fn things_are_found_by_names_curies_and_iris_and_near_names_are_said_to_be_near() {
        let xian = (vec!["http://e/xian".to_owned()], false);
        for text in ["西安", "e:xian", "<http://e/xian>", "http://e/xian", "Xian"] {
            assert_eq!(found(text, None), xian, "{text}");
        }
        assert_eq!(found("Xaimen", None), (vec!["http://e/xiamen".to_owned()], true));
        assert_eq!(found("nothing at all", None), (vec![], false));
    }

    #[test]
    fn members_of_a_class_are_found_as_all_things_are() {
        let xian = (vec!["http://e/xian".to_owned()], false);
        for text in ["Xi", "e:xian", "Xian"] {
            assert_eq!(found(text, Some("http://e/City")), xian, "{text}");
        }
        assert_eq!(found("Xain", Some("http://e/City")), (xian.0, true));
        assert_eq!(found("Xiamen", Some("http://e/City")).0, [""; 0]);
    }
}
