//! The tool `schema`: the classes and properties in use, each with counts and an example.

use super::arguments::{self as given, check};
use super::budget::{AnswerSize, fitting};
use super::call::Call;
use super::cells::Names;
use super::find::iri;
use super::tools::Outcome;
use kgq_graph::catalog::classes_of;
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode, Term};
use rmcp::model::Tool;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

/// How many classes and how many properties are returned by default, and at most.
const FEW: usize = 25;
const MOST: usize = 200;
/// How many statements of a class or property are read to find an example and the kinds of subjects and values.
const STATEMENTS: usize = 2_000;
/// How many kinds of subjects and of values are returned.
const KINDS: usize = 2;
/// The approximate size of the answer in tokens, unless kgq.toml allows less.
const TOKENS: usize = 2_000;

pub fn tool() -> Tool {
    super::tools::tool(
        "schema",
        "Classes and properties",
        "The classes with the number of members and one example, and the properties with the number of statements, what they are \
         `of` and what they lead `to`. With `class`: the properties of its members alone.",
        &json!({
            "class": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "description": "How many of each"},
            "lang": {"type": "string", "description": "The language of labels"},
        }),
        &[],
        &json!({
            "classes": {"type": "array", "items": {"type": "object"}},
            "properties": {"type": "array", "items": {"type": "object"}},
        }),
    )
}

pub fn call(call: &Call<'_>) -> Outcome {
    check(call.arguments, &["class", "limit", "lang"])?;
    let most = given::number(call.arguments, "limit")?;
    let tokens = if most.is_some() { call.budget.tokens } else { TOKENS.min(call.budget.tokens) };
    let budget = AnswerSize { tokens, rows: most.unwrap_or(FEW).clamp(1, MOST), ..call.budget };
    let (snapshot, index) = (call.graph.snapshot()?, call.graph.index_within(&call.work)?);
    let class = given::text(call.arguments, "class")?.map(|name| class_of(call, name)).transpose()?;
    let (classes, properties) = match class {
        Some(class) => (vec![class], index.properties_of(class.0)),
        None => (index.classes().to_vec(), index.properties()),
    };
    let classes: Vec<Class> =
        classes.iter().take(budget.rows).filter_map(|found| Class::of(snapshot, *found)).collect();
    let told_of = properties.iter().take(budget.rows);
    let properties_told: Vec<Property> = told_of.filter_map(|found| Property::of(snapshot, *found)).collect();
    snapshot.intact()?;
    let terms = classes.iter().flat_map(Class::terms).chain(properties_told.iter().flat_map(Property::terms));
    let terms: Vec<Term> = terms.collect();
    let names = Names::of(call.graph, &terms, &call.language)?;
    // Half of the budget for each; properties may use what classes leave.
    let half = if class.is_some() { budget.tokens } else { budget.tokens / 2 };
    let (classes_told, _) = fitting(classes.iter().map(|class| class.told(&names)).collect(), half);
    let spent: usize = classes_told.iter().map(super::budget::tokens).sum();
    let all: Vec<Value> = properties_told.iter().map(|property| property.told(&names)).collect();
    let (all, _) = fitting(all, budget.tokens.saturating_sub(spent));
    let all_classes = if class.is_some() { 1 } else { index.classes().len() };
    let left = (all_classes - classes_told.len(), properties.len() - all.len());
    let mut told = json!({ "classes": classes_told, "properties": all });
    if left != (0, 0) {
        told["left_out"] = json!({
            "classes": left.0, "properties": left.1,
            "note": "`class` tells the properties of one class; a larger `limit` tells of more; `find` finds by name",
        });
    }
    Ok(told)
}

/// The class of this name, with the number of its members.
fn class_of(call: &Call<'_>, name: &str) -> Result<(TermId, u64)> {
    let node = call.thing(name)?;
    let (snapshot, index) = (call.graph.snapshot()?, call.graph.index_within(&call.work)?);
    let id = snapshot.id(node.as_ref().into());
    let found = id.and_then(|id| index.classes().iter().find(|(class, _)| *class == id).copied());
    found.ok_or_else(|| {
        let shown = call.graph.prefixes().map(|prefixes| prefixes.display(node.as_str())).unwrap_or_default();
        Error::input(format!("{shown} is no class")).hint("`describe` tells of one thing")
    })
}

struct Class {
    class: NamedNode,
    members: u64,
    example: Option<NamedNode>,
}

impl Class {
    fn of(snapshot: &Snapshot, (id, members): (TermId, u64)) -> Option<Self> {
        let class = iri(snapshot, id)?;
        let found = snapshot.find(None, Some(rdf::TYPE.into()), Some(class.as_ref().into()));
        let named = |subject| match subject {
            NamedOrBlankNode::NamedNode(node) => Some(node),
            NamedOrBlankNode::BlankNode(_) => None,
        };
        let example = found.take(STATEMENTS).find_map(|quad| named(quad.subject));
        Some(Self { class, members, example })
    }

    fn terms(&self) -> Vec<Term> {
        vec![self.class.clone().into()]
    }

    fn told(&self, names: &Names<'_>) -> Value {
        let mut told = names.thing(&self.class);
        told["members"] = self.members.into();
        if let Some(example) = &self.example {
            told["example"] = names.thing(example)["id"].clone();
        }
        told
    }
}

struct Property {
    property: NamedNode,
    statements: u64,
    /// The classes of subjects, and in `to` the classes or datatypes of values, the most frequent first.
    of: Vec<Term>,
    to: Vec<Term>,
    example: Option<Term>,
}

impl Property {
    fn of(snapshot: &Snapshot, (id, statements): (TermId, u64)) -> Option<Self> {
        let property = iri(snapshot, id)?;
        let (mut of, mut to) = (FxHashMap::default(), FxHashMap::default());
        let mut example = None;
        for quad in snapshot.find(None, Some(property.as_ref().into()), None).take(STATEMENTS) {
            kinds(snapshot, &quad.subject.into(), &mut of);
            kinds(snapshot, &quad.object, &mut to);
            example = example.or(Some(quad.object));
        }
        Some(Self { property, statements, of: most_frequent(of), to: most_frequent(to), example })
    }

    fn terms(&self) -> Vec<Term> {
        let own = [self.property.clone().into()].into_iter().chain(self.example.clone());
        own.collect()
    }

    fn told(&self, names: &Names<'_>) -> Value {
        let mut told = names.thing(&self.property);
        told["statements"] = self.statements.into();
        let ids = |terms: &[Term]| terms.iter().map(|term| names.cell(term)["id"].clone()).collect::<Vec<_>>();
        told["of"] = ids(&self.of).into();
        told["to"] = ids(&self.to).into();
        if let Some(cell) = self.example.as_ref().map(|example| names.cell(example)) {
            let shown = cell.get("id").or(cell.get("value")).and_then(Value::as_str);
            told["example"] = short(shown.unwrap_or_default()).into();
        }
        told
    }
}

/// The beginning of a text, as an example.
fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Counts the classes of a thing, or the datatype of a literal.
fn kinds(snapshot: &Snapshot, term: &Term, counts: &mut FxHashMap<Term, u64>) {
    if let Term::Literal(literal) = term {
        *counts.entry(literal.datatype().into_owned().into()).or_default() += 1;
        return;
    }
    let Some(id) = snapshot.id(term.as_ref()) else { return };
    for class in classes_of(snapshot, id).into_iter().filter_map(|class| iri(snapshot, class)) {
        *counts.entry(class.into()).or_default() += 1;
    }
}

fn most_frequent(counts: FxHashMap<Term, u64>) -> Vec<Term> {
    let mut counted: Vec<(Term, u64)> = counts.into_iter().collect();
    counted.sort_by_cached_key(|(term, count)| (std::cmp::Reverse(*count), term.to_string()));
    counted.into_iter().map(|(term, _)| term).take(KINDS).collect()
}
