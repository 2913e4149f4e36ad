//! The tool `find`: finds things by their names.

use super::arguments::{self as given, check};
use super::budget::fitting;
use super::call::Call;
use super::cells::Names;
use super::tools::Outcome;
use kgq_graph::catalog::{Role, classes_of};
use kgq_graph::request::find::{self, Among, Found};
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

pub fn call(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["text", "kind", "limit", "lang"])?;
    let text = given::required(call.arguments, "text")?;
    let most = given::number(call.arguments, "limit")?.unwrap_or(FEW).clamp(1, MOST);
    // One more than wanted shows whether there are more.
    let most_and_one = most + 1;
    let among = among(call, given::text(call.arguments, "kind")?)?;
    let request = find::Request { text, among, most: most_and_one, budget: &call.work };
    let mut findings = find::find(call.graph, request)?;
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

/// The things that `kind` names: those of a role, or the members of a class.
fn among(call: &Call<'_>, kind: Option<&str>) -> Result<Among> {
    let Some(kind) = kind else { return Ok(Among::All) };
    if let Some(role) = Among::role(kind) {
        return Ok(role);
    }
    let id = call.graph.snapshot()?.id(call.thing(kind)?.as_ref().into());
    let unknown = || Error::input("`kind` is class, property, thing, or a class of the graph");
    id.map(Among::MembersOf).ok_or_else(unknown)
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
