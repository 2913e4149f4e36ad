//! JSON-LD 1.1 maps by `@type` (§4.6.4). oxjsonld refuses them where a node has an `@id`, and ignores their type-scoped
//! contexts. So each map becomes a list of nodes with their types, and its term loses the container.

use super::index_maps::Refused;
use super::json_places::{Entry, JsonValue, Spanned};
use super::json_tree::Json;
use kgq_syntax::error::Error;
use std::collections::{BTreeMap, BTreeSet};

/// What the contexts of a document say about the terms that matter here.
#[derive(Default)]
pub struct TypeMaps {
    /// Terms whose values are maps by `@type`.
    pub maps: BTreeSet<String>,
    /// Terms that some definition does not make such maps.
    others: BTreeSet<String>,
    /// Terms whose strings are resolved against the vocabulary; a list of nodes cannot express that.
    of_vocabulary: BTreeSet<String>,
    /// Terms with maps by `@index`; and those of them that have no other containers but `@set`.
    pub indexed: BTreeSet<String>,
    pub plainly_indexed: BTreeSet<String>,
    /// Aliases of keywords.
    aliases: BTreeSet<(String, String)>,
    /// Types whose own context is at an address, or removes terms, so that its effect on a term cannot be told here.
    pub scoped_elsewhere: BTreeSet<String>,
    /// For each type, the terms that its own context defines; and that context.
    pub scoped: BTreeMap<String, BTreeSet<String>>,
    pub contexts: BTreeMap<String, Json>,
    /// How often each term is defined; and the terms defined in the context of the whole document.
    pub times: BTreeMap<String, usize>,
    pub outermost: BTreeSet<String>,
    /// Whether some context removes all terms.
    pub taken_away: bool,
}

impl TypeMaps {
    /// Collects the definitions of the contexts in this document.
    pub fn read(&mut self, document: &Json) {
        if let Some(context) = document.get("@context") {
            for context in context.items() {
                let Json::Object(terms) = context else { continue };
                self.outermost.extend(terms.iter().map(|(term, _)| term.clone()));
            }
        }
        self.read_elsewhere(document);
    }

    /// Collects the definitions in a document that is only reached by its address.
    pub fn read_elsewhere(&mut self, document: &Json) {
        document.each(&mut |value| {
            if let Some(context) = value.get("@context") {
                context.items().iter().for_each(|context| self.read_context(context));
            }
        });
    }

    fn read_context(&mut self, context: &Json) {
        self.taken_away |= *context == Json::Null;
        let Json::Object(terms) = context else { return };
        for (term, definition) in terms.iter().filter(|(term, _)| !term.starts_with('@')) {
            *self.times.entry(term.clone()).or_default() += 1;
            let id = definition.as_text().or_else(|| definition.get("@id")?.as_text());
            if let Some(keyword) = id.filter(|id| id.starts_with('@')) {
                self.aliases.insert((term.clone(), keyword.to_owned()));
            }
            let has = |container| is_container(definition, container);
            if has("@type") { &mut self.maps } else { &mut self.others }.insert(term.clone());
            if has("@index") {
                self.indexed.insert(term.clone());
                let containers = definition.get("@container").map(Json::items).unwrap_or_default();
                if containers.iter().all(|container| matches!(container.as_text(), Some("@index" | "@set"))) {
                    self.plainly_indexed.insert(term.clone());
                }
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
                self.contexts.insert(term.clone(), own.clone());
                if own.items().iter().any(|context| context.as_text().is_some() || *context == Json::Null) {
                    self.scoped_elsewhere.insert(term.clone());
                }
            }
        }
    }

    /// The number of terms with contexts of their own, times the number of all terms.
    pub fn cost(&self) -> usize {
        self.scoped.len().saturating_mul(self.maps.union(&self.others).count())
    }

    /// Whether a document with these contexts must be rewritten: it has maps by `@type`, and a list can express all of them.
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

    /// Whether a key is a keyword or an alias of it.
    pub fn stands_for(&self, key: &str, keyword: &str) -> bool {
        key == keyword || self.aliases.contains(&(key.to_owned(), keyword.to_owned()))
    }

    pub fn is_type(&self, key: &str) -> bool {
        self.stands_for(key, "@type")
    }

    /// Refuses what cannot be expressed without maps by `@type`.
    ///
    /// # Errors
    /// The error, and its place.
    pub fn refuse_two_meanings(&self, tree: &Spanned) -> Result<(), Refused> {
        let entries = match &tree.value {
            JsonValue::Scalar(_) => return Ok(()),
            JsonValue::Array(items) => return items.iter().try_for_each(|item| self.refuse_two_meanings(item)),
            JsonValue::Object(entries) => entries,
        };
        for Entry { key, key_span, value } in entries.iter().filter(|entry| entry.key != "@context") {
            if self.maps.contains(key) && self.others.contains(key) && value.as_object().is_some() {
                let error = Error::input(format!(
                    "one context gives `{key}` maps by `@type` and another does not; kgq reads only one of the two"
                ));
                return Err((error.hint("give the two terms two names"), key_span.clone()));
            }
            self.refuse_two_meanings(value)?;
        }
        Ok(())
    }

    /// Rewrites the document so that it has no maps by `@type`.
    pub fn rewrite(&self, document: &mut Json) {
        let entries = match document {
            Json::Array(items) => return items.iter_mut().for_each(|item| self.rewrite(item)),
            Json::Object(entries) => entries,
            _ => return,
        };
        for (key, value) in entries {
            if key == "@context" {
                self.rewrite_contexts(value);
                continue;
            }
            self.rewrite(value);
            if self.maps.contains(key)
                && let Json::Object(map) = value
            {
                *value = Json::Array(self.nodes(std::mem::take(map)));
            }
        }
    }

    /// The nodes of a map, each with its type added.
    fn nodes(&self, map: Vec<(String, Json)>) -> Vec<Json> {
        let mut nodes = Vec::new();
        for (kind, value) in map {
            let is_none = self.stands_for(&kind, "@none");
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

    /// Removes the container from the terms of contexts.
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
                // Unless a type is given, the strings in such a map are IRIs.
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

/// Whether the values of a term are nodes; oxjsonld refuses other types for a map.
fn is_of_nodes(definition: &Json) -> bool {
    definition.get("@type").is_none_or(|of| matches!(of.as_text(), Some("@id" | "@vocab")))
}

fn is_container(definition: &Json, wanted: &str) -> bool {
    definition.get("@container").is_some_and(|container| container.items().iter().any(|c| c.as_text() == Some(wanted)))
}
