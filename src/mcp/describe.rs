//! The tool `describe`: the statements about a thing, and those that refer to it.

use super::arguments::{self as given, check};
use super::budget::{fitting, tokens};
use super::call::Call;
use super::cells::Names;
use super::citations::Citations;
use super::tools::Outcome;
use kgq_graph::request::describe::{Description, describe};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term, Triple};
use rmcp::model::Tool;
use serde_json::{Value, json};

/// How many values of a property, and how many referring things per property, are returned.
const FEW: usize = 12;

pub fn tool() -> Tool {
    super::tools::tool(
        "describe",
        "Describe one thing",
        "What the graph says of one thing, with the citations of each value, and which things refer to it. Takes an id of `find`, an \
         IRI, or a label.",
        &json!({
            "thing": {"type": "string"},
            "property": {"type": "string", "description": "Only this one: all its values, and all that refer by it, within the budget"},
            "lang": {"type": "string", "description": "The language of labels"},
        }),
        &["thing"],
        &json!({
            "thing": {"type": "object"},
            "facts": {"type": "array", "items": {"type": "object"}},
            "referring": {"type": "array", "items": {"type": "object"}},
            "citations": {"type": "array", "items": {"type": "object"}},
        }),
    )
}

pub fn call(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["thing", "property", "lang"])?;
    let thing = call.thing(given::required(call.arguments, "thing")?)?;
    let only = given::text(call.arguments, "property")?.map(|property| call.thing(property)).transpose()?;
    let mut description = describe(call.graph, &thing, false)?;
    if let Some(only) = &only {
        description.facts.retain(|fact| fact.property == *only);
        description.referring.retain(|property, _| property == only);
    }
    let most = if only.is_some() { call.budget.rows } else { FEW };
    told(call, &description, most)
}

/// The terms in the description.
fn terms(description: &Description, most: usize) -> Vec<Term> {
    let mut terms = vec![Term::from(description.thing.clone())];
    for fact in &description.facts {
        terms.push(fact.property.clone().into());
        terms.extend(fact.values.iter().take(most).map(|(value, _)| value.clone()));
    }
    for (property, things) in &description.referring {
        terms.push(property.clone().into());
        terms.extend(things.iter().take(most).map(|thing| thing.clone().into()));
    }
    terms
}

fn told(call: &Call<'_>, description: &Description, most: usize) -> Outcome {
    let terms = terms(description, most);
    let names = Names::of(call.graph, &terms, &call.language)?;
    let mut citations = Citations::of(call.graph)?;
    let mut spent = tokens(&names.thing(&description.thing));
    let (mut facts, mut left) = (Vec::new(), Vec::new());
    for fact in &description.facts {
        let known = citations.as_ref().map_or(0, Citations::len);
        let values: Vec<&Term> = fact.values.iter().map(|(value, _)| value).take(most).collect();
        let mut told = json!({
            "property": names.thing(&fact.property),
            "values": values.iter().map(|value| cited(description, &fact.property, value, &names, &mut citations)).collect::<Vec<_>>(),
        });
        let more = fact.values.len() - values.len() + fact.in_other_languages;
        if more > 0 {
            told["more"] = more.into();
        }
        let new = citations.as_ref().map_or(0, |own| (known + 1..=own.len()).map(|n| tokens(&own.told(n))).sum());
        let cost: usize = tokens(&told) + new;
        // A third of the budget is reserved for what refers to the thing.
        if spent + cost > call.budget.tokens * 2 / 3 && !facts.is_empty() {
            citations.as_mut().into_iter().for_each(|own| own.truncate(known));
            left.push(call.graph.prefixes()?.display(fact.property.as_str()));
            continue;
        }
        spent += cost;
        facts.push(told);
    }
    let (referring, unsaid) = fitting(referring(description, &names, most), call.budget.tokens.saturating_sub(spent));
    let mut told = json!({ "thing": names.thing(&description.thing), "facts": facts, "referring": referring });
    if let Some(citations) = citations.filter(|citations| citations.len() > 0) {
        told["citations"] = citations.all().into();
    }
    if !left.is_empty() || unsaid > 0 {
        let behind = description.referring.keys().skip(description.referring.len() - unsaid);
        let prefixes = call.graph.prefixes()?;
        left.extend(behind.map(|property| prefixes.display(property.as_str())));
        told["left_out"] = json!({ "properties": left, "note": "`property` asks for one of them" });
    }
    Ok(told)
}

/// A value with its sources.
fn cited(
    description: &Description,
    property: &NamedNode,
    value: &Term,
    names: &Names<'_>,
    citations: &mut Option<Citations<'_>>,
) -> Value {
    let mut told = names.cell(value);
    let triple = Triple::new(description.thing.clone(), property.clone(), value.clone());
    let numbers = citations.as_mut().map(|citations| citations.of_triple(&triple)).unwrap_or_default();
    if !numbers.is_empty() {
        told["cites"] = numbers.into();
    }
    if description.inferred.contains(&triple) {
        told["inferred"] = true.into();
    }
    told
}

fn referring(description: &Description, names: &Names<'_>, most: usize) -> Vec<Value> {
    let told = |(property, things): (&NamedNode, &Vec<NamedOrBlankNode>)| {
        let some = things.iter().take(most).map(|thing| names.cell(&thing.clone().into()));
        json!({ "property": names.thing(property), "things": some.collect::<Vec<_>>(), "count": things.len() })
    };
    description.referring.iter().map(told).collect()
}
