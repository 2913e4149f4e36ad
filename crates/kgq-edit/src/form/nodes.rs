//! Values without a name (blank nodes): keys that tell them apart, since their labels change with each reading of the files, and
//! paths by which the rows of a form find them.

use super::statements::Statements;
use kgq_graph::audit::sha256;
use kgq_syntax::rdf::{BlankNode, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;

/// The deepest nesting of values that a form shows.
pub const DEEPEST: usize = 4;
/// The value of a row that keeps a value without a name.
pub const KEPT: &str = "[]";
/// The number of hash digits in a key.
const DIGITS: usize = 16;
/// How many levels below a value its hash covers, as lists can be of any length. Values that are equal so far are numbered.
const TOLD: usize = 8;

/// The path of rows within a value: the path around it, then its property and key.
pub fn inside(within: &str, property: &str, key: &str) -> String {
    format!("{within}{property} {key} / ")
}

/// Whether a row's old value is the key of a value without a name.
pub fn is_key(old: &str) -> bool {
    old.starts_with("_:")
}

/// The values of a node that have no name, each with its key; values with the same statements are numbered.
pub fn unnamed<'g>(
    statements: &'g Statements<'_>,
    subject: &NamedOrBlankNode,
) -> Vec<(String, &'g Quad, &'g BlankNode)> {
    let mut times: FxHashMap<(&NamedNode, String), usize> = FxHashMap::default();
    let (mut found, mut known) = (Vec::new(), Known::default());
    for quad in statements.about(subject) {
        let Term::BlankNode(node) = &quad.object else { continue };
        let key = format!("_:{}", &told(statements, node, TOLD, &mut known)[..DIGITS]);
        let time = times.entry((&quad.predicate, key.clone())).or_default();
        *time += 1;
        found.push((if *time == 1 { key } else { format!("{key}-{time}") }, quad, node));
    }
    found
}

/// The hashes of nodes, by node and number of levels.
type Known<'g> = FxHashMap<(&'g BlankNode, usize), String>;

/// The hash of the statements about a node, in a fixed order, down to this many levels.
fn told<'g>(statements: &'g Statements<'_>, node: &'g BlankNode, levels: usize, known: &mut Known<'g>) -> String {
    if let Some(hash) = known.get(&(node, levels)) {
        return hash.clone();
    }
    let about = statements.about(&node.clone().into());
    let mut facts: Vec<String> = Vec::with_capacity(about.len());
    for quad in about {
        facts.push(format!("{} {}", quad.predicate, value(statements, &quad.object, levels, known)));
    }
    facts.sort();
    let hash = sha256(facts.join(" ; ").as_bytes());
    known.insert((node, levels), hash.clone());
    hash
}

fn value<'g>(statements: &'g Statements<'_>, term: &'g Term, levels: usize, known: &mut Known<'g>) -> String {
    match term {
        Term::BlankNode(node) => below(statements, node, levels, known),
        Term::Triple(triple) => {
            let Triple { subject, predicate, object } = triple.as_ref();
            let subject = match subject {
                NamedOrBlankNode::NamedNode(node) => node.to_string(),
                NamedOrBlankNode::BlankNode(node) => below(statements, node, levels, known),
            };
            format!("<<( {subject} {predicate} {} )>>", value(statements, object, levels, known))
        }
        Term::NamedNode(_) | Term::Literal(_) => term.to_string(),
    }
}

fn below<'g>(statements: &'g Statements<'_>, node: &'g BlankNode, levels: usize, known: &mut Known<'g>) -> String {
    match levels.checked_sub(1) {
        Some(levels) => told(statements, node, levels, known),
        None => "_:".to_owned(),
    }
}

/// The values of a thing that have no name, and those nested in them, by the paths of their rows.
pub fn places<'g>(
    statements: &'g Statements<'_>,
    thing: &NamedOrBlankNode,
) -> FxHashMap<String, (NamedOrBlankNode, &'g Quad)> {
    let mut places = FxHashMap::default();
    let mut open = vec![(String::new(), thing.clone(), 0)];
    while let Some((within, subject, depth)) = open.pop() {
        for (key, quad, node) in unnamed(statements, &subject) {
            let inner = inside(&within, quad.predicate.as_str(), &key);
            let node = NamedOrBlankNode::from(node.clone());
            if depth + 1 < DEEPEST {
                open.push((inner.clone(), node.clone(), depth + 1));
            }
            places.insert(inner, (node, quad));
        }
    }
    places
}
