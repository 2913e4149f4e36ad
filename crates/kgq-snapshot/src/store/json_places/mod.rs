//! Finds where the statements of a JSON-LD text are written, as far as the text itself shows: the node object of the
//! subject, the key of the predicate, and the value. Statements expressed in other ways get no place.

mod context;
mod tree;

pub use tree::{Entry, JsonValue, Spanned};

use super::json_tree::Json;
use super::jsonld::Contexts;
use context::{Context, Term};
use kgq_syntax::Span;
use oxrdf::vocab::rdf;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// A statement of a JSON-LD text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonStatement {
    pub subject: JsonNode,
    pub predicate: String,
    pub object: JsonObject,
    /// The subject's `@id`, or the opening brace of its node object.
    pub subject_at: Span,
    pub key_at: Span,
    pub object_at: Span,
}

/// The IRI of a node; `None` for a blank node.
pub type JsonNode = Option<String>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JsonObject {
    Node(JsonNode),
    /// As written.
    Literal(String),
}

/// A key of a node object that is no keyword, and that no context turns into an IRI: what stands there is no statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndefinedKey {
    pub key: String,
    /// Where the text has it first.
    pub at: Span,
    pub times: usize,
}

/// The statements of a text; in text order, except where nodes nest. With `lines`, each line is a document of its own.
pub fn json_ld_statements(text: &str, lines: bool, base: Option<&str>, contexts: &Contexts) -> Vec<JsonStatement> {
    walked(text, lines, base, contexts).0
}

/// The keys of a text that no context defines, in text order.
pub fn undefined_keys(text: &str, lines: bool, base: Option<&str>, contexts: &Contexts) -> Vec<UndefinedKey> {
    let mut found: Vec<UndefinedKey> = Vec::new();
    let mut places: FxHashMap<String, usize> = FxHashMap::default();
    for (key, at) in walked(text, lines, base, contexts).1 {
        match places.get(&key) {
            Some(place) => found[*place].times += 1,
            None => {
                places.insert(key.clone(), found.len());
                found.push(UndefinedKey { key, at, times: 1 });
            }
        }
    }
    found
}

type Undefined = Vec<(String, Span)>;

/// The statements of a text, and the keys that no context defines.
fn walked(text: &str, lines: bool, base: Option<&str>, contexts: &Contexts) -> (Vec<JsonStatement>, Undefined) {
    let remote: FxHashMap<&str, Json> =
        contexts.iter().filter_map(|(address, document)| Some((address, Json::parse(document).ok()?))).collect();
    let mut walk = Walk {
        remote: &|address| remote.get(address).cloned(),
        scoped: FxHashMap::default(),
        found: Vec::new(),
        undefined: Vec::new(),
    };
    let documents: Vec<&str> = if lines { text.split_inclusive('\n').collect() } else { vec![text] };
    let mut start = 0;
    for document in documents {
        let (before, undefined_before) = (walk.found.len(), walk.undefined.len());
        // A text that is not JSON has no statements.
        if let Ok(tree) = Spanned::parse(document.as_bytes()) {
            let outermost = Rc::new(Context::with_base(base));
            tree.items().iter().for_each(|node| drop(walk.node(node, &outermost, None)));
        }
        let shift = |span: &mut Span| *span = span.start + start..span.end + start;
        for statement in &mut walk.found[before..] {
            [&mut statement.subject_at, &mut statement.key_at, &mut statement.object_at].into_iter().for_each(shift);
        }
        walk.undefined[undefined_before..].iter_mut().for_each(|(_, span)| shift(span));
        start += document.len();
    }
    (walk.found, walk.undefined)
}

struct Walk<'r> {
    remote: context::Remote<'r>,
    /// Contexts of terms, by the context around them: each is read once.
    scoped: FxHashMap<(*const Context, *const Json), Rc<Context>>,
    found: Vec<JsonStatement>,
    undefined: Undefined,
}

/// The subject of statements.
#[derive(Clone)]
struct Subject {
    node: JsonNode,
    at: Span,
}

impl Walk<'_> {
    /// Walks a node object. Its `@id` may come from the map that contains it.
    fn node(&mut self, value: &Spanned, around: &Rc<Context>, id: Option<String>) -> Subject {
        let brace = value.span.start..(value.span.start + 1).min(value.span.end);
        let mut subject = Subject { node: id, at: brace };
        let Some(entries) = value.as_object() else { return subject };
        let mut context = Rc::clone(around);
        if let Some(own) = entries.iter().find(|entry| entry.key == "@context") {
            context = Rc::new(Context::within(&context, &own.value.json(), self.remote));
        }
        let own = Rc::clone(&context);
        let keyed = |keyword: &'static str| {
            let own = Rc::clone(&own);
            entries.iter().filter(move |entry| own.expand(&entry.key).as_deref() == Some(keyword))
        };
        let mut types: Vec<&str> =
            keyed("@type").flat_map(|entry| entry.value.items()).filter_map(Spanned::as_text).collect();
        types.sort_unstable();
        for name in types {
            context = self.within(&context, own.term(name));
        }
        if let Some((entry, id)) = keyed("@id").find_map(|entry| Some((entry, entry.value.as_text()?))) {
            subject = Subject { node: named(context.resolve(id)), at: entry.value.span.clone() };
        }
        self.entries(entries, &context, &own, &subject);
        subject
    }

    /// The context for a term's values, inside the context in force.
    fn within(&mut self, context: &Rc<Context>, term: Option<&Term>) -> Rc<Context> {
        let Some(own) = term.and_then(|term| term.context.as_ref()) else { return Rc::clone(context) };
        let remote = self.remote;
        let known = self.scoped.entry((Rc::as_ptr(context), Rc::as_ptr(own)));
        Rc::clone(known.or_insert_with(|| Rc::new(Context::within(context, own, remote))))
    }

    /// Walks the entries of a node. Contexts of its types are in `context` but not in `own`: they do not extend to inner
    /// nodes.
    fn entries(&mut self, entries: &[Entry], context: &Rc<Context>, own: &Rc<Context>, subject: &Subject) {
        for entry in entries {
            let Some(name) = context.expand(&entry.key) else {
                // A term that a context maps to nothing is left out on purpose.
                if context.term(&entry.key).is_none() {
                    self.undefined.push((entry.key.clone(), entry.key_span.clone()));
                }
                continue;
            };
            match name.as_str() {
                "@type" => {
                    for item in entry.value.items() {
                        let Some(kind) = item.as_text() else { continue };
                        let object = JsonObject::Node(context.expand(kind).or_else(|| context.resolve(kind)));
                        self.tell(subject, rdf::TYPE.as_str(), entry, object, item.span.clone());
                    }
                }
                "@graph" | "@included" => entry.value.items().iter().for_each(|node| drop(self.node(node, own, None))),
                "@nest" => {
                    for nested in entry.value.items().iter().filter_map(Spanned::as_object) {
                        self.entries(nested, context, own, subject);
                    }
                }
                "@reverse" => {
                    for inner in entry.value.as_object().unwrap_or_default() {
                        let term = Term { is_reverse: true, ..Term::default() };
                        if let Some(predicate) = context.expand(&inner.key) {
                            self.values(&Fact { subject, predicate, entry: inner, term: &term }, own);
                        }
                    }
                }
                keyword if keyword.starts_with('@') => {}
                _ => {
                    let term = context.term(&entry.key).cloned().unwrap_or_default();
                    let inner = self.within(own, Some(&term));
                    self.values(&Fact { subject, predicate: name, entry, term: &term }, &inner);
                }
            }
        }
    }

    /// Walks the values of a key. An object may be a map, depending on the term's containers.
    fn values(&mut self, fact: &Fact<'_>, context: &Rc<Context>) {
        let has = |container: &str| fact.term.containers.iter().any(|own| own == container);
        let value = &fact.entry.value;
        if has("@list") {
            return self.list(fact, value.items(), value.span.start, context);
        }
        let by = ["@language", "@index", "@id", "@type"].into_iter().find(|container| has(container));
        let (Some(by), Some(map)) = (by, value.as_object()) else {
            value.items().iter().for_each(|item| self.value(fact, item, None, context));
            return;
        };
        for entry in map {
            let id = if by == "@id" { named(context.resolve(&entry.key)) } else { None };
            let mut inner = Rc::clone(context);
            if by == "@type" {
                inner = self.within(context, context.term(&entry.key));
            }
            for item in entry.value.items() {
                self.value(fact, item, id.clone(), &inner);
            }
        }
    }

    fn value(&mut self, fact: &Fact<'_>, value: &Spanned, id: Option<String>, context: &Rc<Context>) {
        let entries = match &value.value {
            JsonValue::Scalar(scalar) => return self.scalar(fact, scalar, &value.span, context),
            JsonValue::Array(items) => return self.list(fact, items, value.span.start, context),
            JsonValue::Object(entries) => entries,
        };
        let keyed = |keyword: &str| entries.iter().find(|e| context.expand(&e.key).as_deref() == Some(keyword));
        if let Some(inner) = keyed("@value") {
            if let JsonValue::Scalar(scalar) = &inner.value.value {
                let plain = Term { kind: None, ..fact.term.clone() };
                self.scalar(
                    &Fact { term: &plain, predicate: fact.predicate.clone(), ..*fact },
                    scalar,
                    &inner.value.span,
                    context,
                );
            }
        } else if let Some(inner) = keyed("@list") {
            self.list(fact, inner.value.items(), value.span.start, context);
        } else if let Some(inner) = keyed("@set") {
            inner.value.items().iter().for_each(|item| self.value(fact, item, None, context));
        } else {
            let object = self.node(value, context, id);
            self.found(fact, object.node.clone(), object.at);
        }
    }

    fn scalar(&mut self, fact: &Fact<'_>, scalar: &Json, at: &Span, context: &Context) {
        let literal = match scalar {
            Json::Text(text) => match fact.term.kind.as_deref() {
                Some("@id") => return self.found(fact, named(context.resolve(text)), at.clone()),
                Some("@vocab") => {
                    let iri = context.expand(text).or_else(|| context.resolve(text));
                    return self.found(fact, named(iri), at.clone());
                }
                _ => text.clone(),
            },
            Json::Number(number) => number.clone(),
            Json::Boolean(value) => value.to_string(),
            Json::Null | Json::Array(_) | Json::Object(_) => return,
        };
        self.tell(fact.subject, &fact.predicate, fact.entry, JsonObject::Literal(literal), at.clone());
    }

    /// A list is a chain of blank nodes; only its members get places.
    fn list(&mut self, fact: &Fact<'_>, items: &[Spanned], start: usize, context: &Rc<Context>) {
        self.found(fact, None, start..start + 1);
        let cell = Subject { node: None, at: start..start + 1 };
        let inner = Term { is_reverse: false, ..fact.term.clone() };
        let member =
            Fact { subject: &cell, predicate: rdf::FIRST.as_str().to_owned(), entry: fact.entry, term: &inner };
        items.iter().for_each(|item| self.value(&member, item, None, context));
    }

    /// Records a statement between two nodes, in the direction that the term gives it.
    fn found(&mut self, fact: &Fact<'_>, node: JsonNode, at: Span) {
        if fact.term.is_reverse {
            let other = Subject { node, at: at.clone() };
            self.tell(&other, &fact.predicate, fact.entry, JsonObject::Node(fact.subject.node.clone()), at);
        } else {
            self.tell(fact.subject, &fact.predicate, fact.entry, JsonObject::Node(node), at);
        }
    }

    fn tell(&mut self, subject: &Subject, predicate: &str, entry: &Entry, object: JsonObject, object_at: Span) {
        self.found.push(JsonStatement {
            subject: subject.node.clone(),
            predicate: predicate.to_owned(),
            object,
            subject_at: subject.at.clone(),
            key_at: entry.key_span.clone(),
            object_at,
        });
    }
}

/// A key, with its subject, predicate and term.
struct Fact<'f> {
    subject: &'f Subject,
    predicate: String,
    entry: &'f Entry,
    term: &'f Term,
}

/// The IRI of a node; `None` for a blank node's label.
fn named(id: Option<String>) -> JsonNode {
    id.filter(|id| !id.starts_with("_:"))
}

#[cfg(test)]
mod tests;
