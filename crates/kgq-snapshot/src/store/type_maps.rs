//! Maps by `@type` of JSON-LD 1.1 (§4.6.4), which oxjsonld refuses where a node has an `@id`, and whose type-scoped contexts it passes
//! over: each becomes a list of nodes with their types, and its term loses the container.

use super::json_tree::Json;
use kgq_syntax::error::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// What the contexts of a document say of the terms that concern us.
#[derive(Default)]
pub struct Terms {
    /// Terms whose values are maps by `@type`.
    maps: BTreeSet<String>,
    /// Terms that are defined without that somewhere.
    others: BTreeSet<String>,
    /// Terms whose strings are resolved against the vocabulary, which no list of nodes can say.
    of_vocabulary: BTreeSet<String>,
    /// Terms for maps by `@index`.
    indexed: BTreeSet<String>,
    /// Terms for `@type` and for `@none`.
    types: BTreeSet<String>,
    none: BTreeSet<String>,
    /// Terms for `@nest`, whose entries are those of the node around.
    nests: BTreeSet<String>,
    /// Types whose own context is at an address, so that its terms are not told here.
    scoped_elsewhere: BTreeSet<String>,
    /// By type: the terms that its own context defines.
    scoped: BTreeMap<String, BTreeSet<String>>,
}

impl Terms {
    /// What the contexts in this document say; it may be a document that is a context itself.
    pub fn read(&mut self, document: &Json) {
        document.each(&mut |value| {
            if let Some(context) = value.get("@context") {
                context.items().iter().for_each(|context| self.read_context(context));
            }
        });
    }

    fn read_context(&mut self, context: &Json) {
        let Json::Object(terms) = context else { return };
        for (term, definition) in terms.iter().filter(|(term, _)| !term.starts_with('@')) {
            let id = definition.as_text().or_else(|| definition.get("@id")?.as_text());
            match id {
                Some("@type") => drop(self.types.insert(term.clone())),
                Some("@none") => drop(self.none.insert(term.clone())),
                Some("@nest") => drop(self.nests.insert(term.clone())),
                _ => {}
            }
            let has = |container| is_container(definition, container);
            if has("@type") { &mut self.maps } else { &mut self.others }.insert(term.clone());
            if has("@index") {
                self.indexed.insert(term.clone());
            }
            if definition.get("@type").and_then(Json::as_text) == Some("@vocab") {
                self.of_vocabulary.insert(term.clone());
            }
            if let Some(own) = definition.get("@context") {
                let defined = own.items().iter().filter_map(|context| match context {
                    Json::Object(terms) => Some(terms.iter().map(|(term, _)| term.clone())),
                    _ => None,
                });
                self.scoped.entry(term.clone()).or_default().extend(defined.flatten());
                if own.items().iter().any(|context| context.as_text().is_some()) {
                    self.scoped_elsewhere.insert(term.clone());
                }
            }
        }
    }

    /// How many terms have contexts of their own, times all terms.
    pub fn cost(&self) -> usize {
        self.scoped.len().saturating_mul(self.maps.union(&self.others).count())
    }

    /// Whether a document with such contexts is to be rewritten: it has maps by `@type`, and nothing in them that no list can say.
    pub fn are_to_be_rewritten(&self, document: &Json) -> bool {
        let mut can = true;
        document.each(&mut |value| {
            let Json::Object(entries) = value else { return };
            for (_, map) in
                entries.iter().filter(|(key, _)| self.of_vocabulary.contains(key) && self.maps.contains(key))
            {
                let Json::Object(map) = map else { continue };
                can &= !map.iter().flat_map(|(_, items)| items.items()).any(|item| matches!(item, Json::Text(_)));
            }
        });
        can && !self.maps.is_empty()
    }

    /// The terms of type-scoped contexts reach into maps by `@index` (JSON-LD 1.1 API §5.1.2, step 13.8), which oxjsonld does not do.
    ///
    /// # Errors
    /// That the document needs it.
    pub fn refuse_scoped_in_maps(&self, document: &Json) -> Result<()> {
        if self.indexed.is_empty() || self.scoped.is_empty() {
            return Ok(());
        }
        let mut refused = None;
        document.each(&mut |node| {
            let Json::Object(entries) = node else { return };
            let types = entries.iter().filter(|(key, _)| self.is_type(key)).flat_map(|(_, types)| types.items());
            let scoped: Vec<_> =
                types.filter_map(|of| Some((of.as_text()?, self.scoped.get(of.as_text()?)?))).collect();
            for (key, map) in self.with_nested(entries).into_iter().filter(|(key, _)| self.indexed.contains(key)) {
                let Json::Object(map) = map else { continue };
                let inner = map.iter().flat_map(|(_, nodes)| nodes.items()).filter_map(|node| match node {
                    Json::Object(entries) => Some(entries),
                    _ => None,
                });
                for (term, _) in inner.flatten() {
                    let defines = |of: &str, terms: &BTreeSet<String>| {
                        terms.contains(term) || self.scoped_elsewhere.contains(of) && !term.starts_with('@')
                    };
                    if let Some((of, _)) = scoped.iter().find(|(of, terms)| defines(of, terms)) {
                        refused.get_or_insert((key, term, (*of).to_owned()));
                    }
                }
            }
        });
        let Some((key, term, of)) = refused else { return Ok(()) };
        Err(Error::input(format!(
            "in the map of `{key}`, `{term}` is or may be a term of the context of the type `{of}`, which kgq does not take into maps by `@index`"
        ))
        .hint("define the term in the document's own context, or write the map as a list"))
    }

    /// The entries of a node, with those that `@nest` holds.
    fn with_nested<'a>(&self, entries: &'a [(String, Json)]) -> Vec<&'a (String, Json)> {
        let mut all: Vec<_> = entries.iter().collect();
        let mut next = 0;
        while let Some((key, value)) = all.get(next).copied() {
            next += 1;
            if key == "@nest" || self.nests.contains(key) {
                let objects = value.items().iter().filter_map(|item| match item {
                    Json::Object(entries) => Some(entries),
                    _ => None,
                });
                all.extend(objects.flatten());
            }
        }
        all
    }

    fn is_type(&self, key: &str) -> bool {
        key == "@type" || self.types.contains(key)
    }

    /// The document without maps by `@type`.
    ///
    /// # Errors
    /// What cannot be said without them.
    pub fn rewrite(&self, document: &mut Json) -> Result<()> {
        let entries = match document {
            Json::Array(items) => return items.iter_mut().try_for_each(|item| self.rewrite(item)),
            Json::Object(entries) => entries,
            _ => return Ok(()),
        };
        for (key, value) in entries {
            if key == "@context" {
                self.rewrite_contexts(value);
                continue;
            }
            self.rewrite(value)?;
            if self.maps.contains(key)
                && let Json::Object(map) = value
            {
                if self.others.contains(key) {
                    return Err(Error::input(format!(
                        "one context gives `{key}` maps by `@type` and another does not; kgq reads only one of the two"
                    ))
                    .hint("give the two terms two names"));
                }
                *value = Json::Array(self.nodes(std::mem::take(map)));
            }
        }
        Ok(())
    }

    /// The nodes of a map, each with its type.
    fn nodes(&self, map: Vec<(String, Json)>) -> Vec<Json> {
        let mut nodes = Vec::new();
        for (kind, value) in map {
            let is_none = kind == "@none" || self.none.contains(&kind);
            let items = match value {
                Json::Array(items) => items,
                single => vec![single],
            };
            for item in items {
                let mut entries = match item {
                    Json::Object(entries) => entries,
                    Json::Text(id) => vec![("@id".to_owned(), Json::Text(id))],
                    other => {
                        nodes.push(other);
                        continue;
                    }
                };
                if !is_none {
                    let own = entries.iter_mut().find(|(key, _)| key == "@type");
                    let kind = Json::Text(kind.clone());
                    match own {
                        Some((_, types)) => *types = Json::Array([&[kind], types.items()].concat()),
                        None => entries.push(("@type".to_owned(), kind)),
                    }
                }
                nodes.push(Json::Object(entries));
            }
        }
        nodes
    }

    /// Takes the container from the terms of contexts.
    pub fn rewrite_contexts(&self, contexts: &mut Json) {
        let terms = match contexts {
            Json::Array(contexts) => return contexts.iter_mut().for_each(|context| self.rewrite_contexts(context)),
            Json::Object(terms) => terms,
            _ => return,
        };
        for (_, definition) in terms {
            let is_map = is_container(definition, "@type") && is_of_nodes(definition);
            let Json::Object(entries) = definition else { continue };
            if is_map {
                entries.retain(|(key, _)| key != "@container");
                // Where nothing else is said, the strings of such a map are IRIs.
                if !entries.iter().any(|(key, _)| key == "@type") {
                    entries.push(("@type".to_owned(), Json::Text("@id".to_owned())));
                }
            }
            for (_, own) in entries.iter_mut().filter(|(key, _)| key == "@context") {
                self.rewrite_contexts(own);
            }
        }
    }
}

/// Whether the values of a term are nodes; another type is refused by oxjsonld for a map.
fn is_of_nodes(definition: &Json) -> bool {
    definition.get("@type").is_none_or(|of| matches!(of.as_text(), Some("@id" | "@vocab")))
}

fn is_container(definition: &Json, wanted: &str) -> bool {
    definition.get("@container").is_some_and(|container| container.items().iter().any(|c| c.as_text() == Some(wanted)))
}
