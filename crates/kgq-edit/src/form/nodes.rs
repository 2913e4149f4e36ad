//! Values without a name: what tells one from another, as their labels are another with each reading of the files, and where the rows of a
//! form find them.

use super::statements::Statements;
use kgq_graph::audit::sha256;
use kgq_syntax::rdf::{BlankNode, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use rustc_hash::FxHashMap;

/// How deep values within values go in a form.
pub const DEEPEST: usize = 4;
/// What the value of a row says that keeps a value without a name.
pub const KEPT: &str = "[]";
/// How many digits of a hash tell two values of a thing apart.
const DIGITS: usize = 16;

/// Where a row stands: within the value of a property of what stands around it.
pub fn inside(within: &str, property: &str, key: &str) -> String {
    format!("{within}{property} {key} / ")
}

/// Whether a row's old value is one without a name.
pub fn is_key(old: &str) -> bool {
    old.starts_with("_:")
}

/// The values of a node that have no name, each with what tells it from the others: of two that say the same, its number.
pub fn unnamed<'g>(statements: &Statements<'g>, subject: &NamedOrBlankNode) -> Vec<(String, &'g Quad, &'g BlankNode)> {
    let mut times: FxHashMap<(&NamedNode, String), usize> = FxHashMap::default();
    let mut found = Vec::new();
    for quad in statements.about(subject) {
        let Term::BlankNode(node) = &quad.object else { continue };
        let says = told(statements, node, &mut Vec::new());
        let key = format!("_:{}", &sha256(says.as_bytes())[..DIGITS]);
        let time = times.entry((&quad.predicate, key.clone())).or_default();
        *time += 1;
        found.push((if *time == 1 { key } else { format!("{key}-{time}") }, *quad, node));
    }
    found
}

/// What is said of a node, in one order.
fn told(statements: &Statements<'_>, node: &BlankNode, above: &mut Vec<BlankNode>) -> String {
    if above.contains(node) {
        return "_:".into();
    }
    above.push(node.clone());
    let about = statements.about(&node.clone().into());
    let mut facts: Vec<String> =
        about.iter().map(|quad| format!("{} {}", quad.predicate, value(statements, &quad.object, above))).collect();
    above.pop();
    facts.sort();
    format!("[ {} ]", facts.join(" ; "))
}

fn value(statements: &Statements<'_>, term: &Term, above: &mut Vec<BlankNode>) -> String {
    match term {
        Term::BlankNode(node) => told(statements, node, above),
        Term::Triple(triple) => {
            let Triple { subject, predicate, object } = triple.as_ref();
            let subject = value(statements, &subject.clone().into(), above);
            format!("<<( {subject} {predicate} {} )>>", value(statements, object, above))
        }
        Term::NamedNode(_) | Term::Literal(_) => term.to_string(),
    }
}

/// The values without a name of a thing, and those within them, by where their rows stand.
pub fn places<'g>(
    statements: &Statements<'g>,
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
