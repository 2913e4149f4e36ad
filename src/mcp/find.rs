//! The tool `find`: finds things by their names.

use super::arguments::{self as given, check};
use super::budget::fitting;
use super::call::Call;
use super::cells::Names;
use super::tools::Outcome;
use kgq_graph::catalog::{Role, classes_of};
use kgq_graph::request::find::{self, Findings, Found};
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{NamedNode, Term};
use rmcp::model::Tool;
use serde_json::{Value, json};

const FEW: usize = 10;
const MOST: usize = 100;

pub fn tool() -> Tool {
    super::tools::tool(
        "find",
        "Find things by name",
        "Finds things, classes and properties by name in any language, by words of it in any order, and by near spellings. Gives \
         the `id` to use in `query` and `describe`.",
        &json!({
            "text": {"type": "string"},
            "kind": {"type": "string", "description": "class, property, thing, or a class whose members are meant"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST},
            "lang": {"type": "string", "description": "The language of labels"},
        }),
        &["text"],
        &json!({
            "found": {"type": "array", "items": {"type": "object"}},
            "near": {"type": "boolean", "description": "Nothing is called so; these are called nearly so"},
        }),
    )
}

/// Restricts a search to a role or to the members of a class.
enum Wanted {
    Role(Option<Role>),
    Member(TermId),
}

pub fn call(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["text", "kind", "limit", "lang"])?;
    let text = given::required(call.arguments, "text")?;
    let most = given::number(call.arguments, "limit")?.unwrap_or(FEW).clamp(1, MOST);
    // One more than wanted shows whether there are more.
    let most_and_one = most + 1;
    let mut findings = match wanted(call, given::text(call.arguments, "kind")?)? {
        Wanted::Role(role) => find::find(call.graph, find::Request { text, role, most: most_and_one })?,
        Wanted::Member(class) => members(call, class, text, most_and_one)?,
    };
    let more = findings.found.len() > most;
    findings.found.truncate(most);
    let (found, left) = fitting(told(call, &findings.found)?, call.budget.tokens);
    let mut told = json!({ "found": found });
    if findings.are_near {
        told["near"] = true.into();
    }
    if findings.found.is_empty() {
        told["note"] = "nothing is called so, or nearly so".into();
    } else if more || left > 0 {
        told["note"] = "there are more: ask for more, for a kind, or by a longer name".into();
    }
    Ok(told)
}

fn wanted(call: &Call<'_>, kind: Option<&str>) -> Result<Wanted> {
    Ok(match kind {
        None => Wanted::Role(None),
        Some("class") => Wanted::Role(Some(Role::Class)),
        Some("property") => Wanted::Role(Some(Role::Property)),
        Some("thing") => Wanted::Role(Some(Role::Thing)),
        Some(class) => {
            let node = call.thing(class)?;
            let id = call.graph.snapshot()?.id(node.as_ref().into());
            Wanted::Member(id.ok_or_else(|| Error::input("`kind` is class, property, thing, or a class of the graph"))?)
        }
    })
}

/// The members of a class with this name, or else a similar one.
fn members(call: &Call<'_>, class: TermId, text: &str, most: usize) -> Result<Findings> {
    let (snapshot, index) = (call.graph.snapshot()?, call.graph.index()?);
    let wanted = |id| classes_of(snapshot, id).contains(&class);
    let mut ids = index.search(text, most, wanted).terms;
    let are_near = ids.is_empty();
    if are_near {
        ids = index.near(text, most, wanted);
    }
    let found = |id| Some(Found { thing: iri(snapshot, id)?, role: index.role(id) });
    let found: Vec<Found> = ids.into_iter().filter_map(found).collect();
    snapshot.intact()?;
    Ok(Findings { are_near: are_near && !found.is_empty(), found })
}

pub fn iri(snapshot: &Snapshot, id: TermId) -> Option<NamedNode> {
    match snapshot.term(id) {
        Term::NamedNode(node) => Some(node),
        Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
    }
}

fn told(call: &Call<'_>, found: &[Found]) -> Result<Vec<Value>> {
    let snapshot = call.graph.snapshot()?;
    let classes = |found: &Found| -> Vec<Term> {
        let id = snapshot.id(found.thing.as_ref().into());
        let classes = id.map(|id| classes_of(snapshot, id)).unwrap_or_default();
        classes.into_iter().filter_map(|class| Some(iri(snapshot, class)?.into())).collect()
    };
    let things: Vec<(Term, Vec<Term>)> = found.iter().map(|one| (one.thing.clone().into(), classes(one))).collect();
    let terms = things.iter().flat_map(|(thing, classes)| std::iter::once(thing).chain(classes));
    let names = Names::of(call.graph, terms, &call.language)?;
    let one = |(found, (_, classes)): (&Found, &(Term, Vec<Term>))| {
        let mut told = names.thing(&found.thing);
        told["kind"] = match found.role {
            Role::Class => "class",
            Role::Property => "property",
            Role::Thing => "thing",
        }
        .into();
        if !classes.is_empty() {
            told["classes"] = classes.iter().map(|class| names.cell(class)).collect();
        }
        told
    };
    let told = found.iter().zip(&things).map(one).collect();
    snapshot.intact()?;
    Ok(told)
}
