//! Maps by `@index` under a node whose type has a context of its own. By the standard, that context extends to the map's
//! nodes (JSON-LD 1.1 API §5.1.2, steps 7 and 13.8); oxjsonld does not do this. In plain cases, each node of such a map is
//! given the context as its own; unclear cases are refused.

use super::json_places::{Entry, JsonValue, Spanned};
use super::json_tree::Json;
use super::type_maps::TypeMaps;
use kgq_syntax::Span;
use kgq_syntax::error::Error;
use std::collections::BTreeMap;

/// Keys of a context that affect everything below it.
const OF_ALL: [&str; 4] = ["@vocab", "@base", "@language", "@direction"];

/// The types whose contexts are given to nodes, by the positions where the nodes begin in the text.
type Given<'t> = BTreeMap<usize, &'t str>;

/// An error, and its place.
pub type Refused = (Error, Span);

/// The document, with the contexts of types added where they extend to maps.
///
/// # Errors
/// A map for which the standard's meaning is unclear.
pub fn with_contexts(terms: &TypeMaps, tree: &Spanned) -> Result<Json, Refused> {
    let mut given = Given::new();
    if !terms.indexed.is_empty() && !terms.scoped.is_empty() {
        decide(terms, tree, None, &mut given)?;
    }
    Ok(written(terms, tree, &given))
}

/// Looks for maps in all nodes. A node in a map by `@type` has the type of its key.
fn decide<'t>(
    terms: &'t TypeMaps,
    value: &'t Spanned,
    mapped: Option<&'t str>,
    given: &mut Given<'t>,
) -> Result<(), Refused> {
    let entries = match &value.value {
        JsonValue::Scalar(_) => return Ok(()),
        JsonValue::Array(items) => return items.iter().try_for_each(|item| decide(terms, item, mapped, given)),
        JsonValue::Object(entries) => entries,
    };
    let own = entries.iter().filter(|entry| terms.is_type(&entry.key)).flat_map(|entry| entry.value.items());
    let types = own.filter_map(Spanned::as_text).chain(mapped);
    let scoped: Vec<&str> = types.filter(|of| terms.scoped.contains_key(*of)).collect();
    if !scoped.is_empty() {
        for (map, is_scoped) in with_nested(terms, entries) {
            reach(terms, &scoped, map, is_scoped, given)?;
        }
    }
    for entry in entries.iter().filter(|entry| entry.key != "@context") {
        match entry.value.as_object().filter(|_| terms.maps.contains(&entry.key)) {
            Some(map) => map.iter().try_for_each(|item| decide(terms, &item.value, Some(&item.key), given))?,
            None => decide(terms, &entry.value, None, given)?,
        }
    }
    Ok(())
}

/// Gives the nodes of a map the context of the only type that has one, if that context affects any key in them.
fn reach<'t>(
    terms: &'t TypeMaps,
    scoped: &[&'t str],
    map: &'t Entry,
    is_scoped: bool,
    given: &mut Given<'t>,
) -> Result<(), Refused> {
    let mut inner = Vec::new();
    let mut is_plain = !is_scoped;
    collect(terms, map, &mut inner, &mut is_plain);
    let meant = |entry: &Entry| scoped.iter().copied().find(|of| terms.reaches(of, &entry.key));
    let found = inner.iter().flat_map(|node| node.as_object().unwrap_or_default());
    let Some((entry, of)) = found.filter_map(|entry| Some((entry, meant(entry)?))).next() else { return Ok(()) };
    let [only] = scoped else { return Err(refused(map, entry, of)) };
    let alone = terms.scoped.len() == 1;
    match terms.plain_context(only) {
        // It then extends to everything below, which oxjsonld handles.
        Some(context) if context.get("@propagate") == Some(&Json::Boolean(true)) && alone => return Ok(()),
        Some(context) if context.get("@propagate") != Some(&Json::Boolean(true)) && is_plain => {}
        _ => return Err(refused(map, entry, of)),
    }
    for node in inner {
        let is_free = node.as_object().unwrap_or_default().iter().all(|entry| entry.key != "@context");
        if !is_free || given.insert(node.span.start, only).is_some() {
            return Err(refused(map, entry, of));
        }
    }
    Ok(())
}

/// Collects the nodes of a map, and those of the maps inside them: a context that extends to the first extends to the
/// others.
fn collect<'t>(terms: &TypeMaps, map: &'t Entry, inner: &mut Vec<&'t Spanned>, is_plain: &mut bool) {
    *is_plain &= terms.is_plain_map(&map.key);
    let values = map.value.as_object().unwrap_or_default().iter().flat_map(|entry| entry.value.items());
    for node in values {
        let Some(entries) = node.as_object() else { continue };
        let is = |keyword: &str| entries.iter().any(|entry| terms.stands_for(&entry.key, keyword));
        // Nodes in a list or a set belong to no map.
        if is("@list") || is("@set") {
            continue;
        }
        // A value's type may be a term of the context, but a value is not a node that could be given one.
        *is_plain &= !is("@value");
        inner.push(node);
        for (map, is_scoped) in with_nested(terms, entries) {
            *is_plain &= !is_scoped;
            collect(terms, map, inner, is_plain);
        }
    }
}

/// The maps of a node, including those inside `@nest`; and whether the alias of `@nest` has a context of its own there.
fn with_nested<'t>(terms: &TypeMaps, entries: &'t [Entry]) -> Vec<(&'t Entry, bool)> {
    let mut all: Vec<(&Entry, bool)> = entries.iter().map(|entry| (entry, false)).collect();
    let mut next = 0;
    while let Some((entry, is_scoped)) = all.get(next).copied() {
        next += 1;
        if terms.stands_for(&entry.key, "@nest") {
            let nested = entry.value.items().iter().filter_map(Spanned::as_object).flatten();
            let is_scoped = is_scoped || terms.scoped.contains_key(&entry.key);
            all.extend(nested.map(|entry| (entry, is_scoped)));
        }
    }
    all.retain(|(entry, _)| terms.indexed.contains(&entry.key) && entry.value.as_object().is_some());
    all
}

fn refused(map: &Entry, entry: &Entry, of: &str) -> Refused {
    let (map, term) = (&map.key, &entry.key);
    let error = Error::input(format!(
        "in the map of `{map}`, `{term}` is or may mean something by the context of the type `{of}`, which kgq takes into maps by `@index` only where that is plain"
    ));
    let hint = "define the term in the document's own context, or write the map as a list";
    (error.hint(hint), entry.key_span.clone())
}

/// Writes the tree with the contexts given to nodes.
fn written(terms: &TypeMaps, value: &Spanned, given: &Given<'_>) -> Json {
    match &value.value {
        JsonValue::Scalar(scalar) => scalar.clone(),
        JsonValue::Array(items) => Json::Array(items.iter().map(|item| written(terms, item, given)).collect()),
        JsonValue::Object(entries) => {
            let own = given.get(&value.span.start).and_then(|of| terms.plain_context(of));
            let context = own.map(|context| ("@context".to_owned(), for_node_alone(context)));
            let entries = entries.iter().map(|entry| (entry.key.clone(), written(terms, &entry.value, given)));
            Json::Object(context.into_iter().chain(entries).collect())
        }
    }
}

/// The context of a type as the context of a single node, not extending to inner nodes.
fn for_node_alone(context: &Json) -> Json {
    let Json::Object(entries) = context else { return context.clone() };
    let mut entries = entries.clone();
    entries.retain(|(key, _)| key != "@propagate");
    entries.push(("@propagate".to_owned(), Json::Boolean(false)));
    Json::Object(entries)
}

impl TypeMaps {
    /// Whether a type's context may affect a key.
    fn reaches(&self, of: &str, key: &str) -> bool {
        let Some(terms) = self.scoped.get(of) else { return false };
        let is_keyword = key.starts_with('@');
        terms.contains(key)
            || !is_keyword && (self.scoped_elsewhere.contains(of) || OF_ALL.iter().any(|key| terms.contains(*key)))
    }

    /// The context of a type, if the document has only one for it and it is self-contained.
    fn plain_context(&self, of: &str) -> Option<&Json> {
        let context = self.contexts.get(of).filter(|_| self.is_defined_once(of))?;
        (matches!(context, Json::Object(_)) && context.get("@import").is_none()).then_some(context)
    }

    /// Whether a term has maps by `@index` and nothing else throughout the document.
    fn is_plain_map(&self, term: &str) -> bool {
        self.plainly_indexed.contains(term) && self.is_defined_once(term) && !self.scoped.contains_key(term)
    }

    fn is_defined_once(&self, term: &str) -> bool {
        !self.taken_away && self.times.get(term) == Some(&1) && self.outermost.contains(term)
    }
}
