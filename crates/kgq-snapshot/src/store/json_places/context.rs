//! What the terms of a JSON-LD context stand for, in the plain cases: terms, compact IRIs, `@vocab`, `@base`, aliases of
//! keywords, contexts within contexts. It validates nothing: oxjsonld reads the document, and this only finds the places of
//! its statements.

use super::super::json_tree::Json;
use oxiri::Iri;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The longest chain of definitions, or of contexts that name other contexts.
const MAX_CHAIN: usize = 16;

/// The context in force at a node. For what it does not define, the surrounding context applies.
#[derive(Debug, Default)]
pub struct Context {
    around: Option<Rc<Self>>,
    terms: BTreeMap<String, Term>,
    /// `Some(None)` where the context removes it.
    base: Option<Option<String>>,
    vocabulary: Option<Option<String>>,
}

#[derive(Clone, Debug, Default)]
pub struct Term {
    /// An IRI or a keyword; `None` for a term that the context maps to nothing.
    pub stands_for: Option<String>,
    pub is_reverse: bool,
    /// The `@type` of its values.
    pub kind: Option<String>,
    pub containers: Vec<String>,
    /// The context of its values, or of the nodes of this type.
    pub context: Option<Rc<Json>>,
}

/// Looks contexts up by address.
pub type Remote<'r> = &'r dyn Fn(&str) -> Option<Json>;

impl Context {
    pub fn with_base(base: Option<&str>) -> Self {
        Self { base: Some(base.map(str::to_owned)), ..Self::default() }
    }

    /// Reads a context inside another.
    pub fn within(around: &Rc<Self>, context: &Json, remote: Remote<'_>) -> Self {
        let mut inner = Self { around: Some(Rc::clone(around)), ..Self::default() };
        inner.read(context, remote, 0);
        inner
    }

    fn read(&mut self, context: &Json, remote: Remote<'_>, depth: usize) {
        if depth > MAX_CHAIN {
            return;
        }
        match context {
            Json::Null => *self = Self::with_base(self.outermost().base.clone().flatten().as_deref()),
            Json::Array(contexts) => contexts.iter().for_each(|context| self.read(context, remote, depth + 1)),
            Json::Text(address) => {
                if let Some(context) = remote(address).as_ref().and_then(|document| document.get("@context")) {
                    self.read(context, remote, depth + 1);
                }
            }
            Json::Object(definitions) => self.define(context, definitions, remote, depth),
            Json::Boolean(_) | Json::Number(_) => {}
        }
    }

    fn define(&mut self, context: &Json, definitions: &[(String, Json)], remote: Remote<'_>, depth: usize) {
        if let Some(import) = context.get("@import") {
            self.read(import, remote, depth + 1);
        }
        match context.get("@base") {
            Some(Json::Null) => self.base = Some(None),
            Some(Json::Text(base)) => self.base = Some(self.resolve(base)),
            _ => {}
        }
        match context.get("@vocab") {
            Some(Json::Null) => self.vocabulary = Some(None),
            Some(Json::Text(vocabulary)) => {
                self.vocabulary = Some(self.expand_by(vocabulary, context, 0).or_else(|| self.resolve(vocabulary)));
            }
            _ => {}
        }
        for (term, definition) in definitions.iter().filter(|(term, _)| !term.starts_with('@')) {
            let text = |key: &str| definition.get(key).and_then(Json::as_text).map(str::to_owned);
            let containers = definition.get("@container").map_or(&[][..], Json::items);
            let defined = Term {
                stands_for: self.defined(term, context, 0),
                is_reverse: definition.get("@reverse").is_some(),
                kind: text("@type"),
                containers: containers.iter().filter_map(Json::as_text).map(str::to_owned).collect(),
                context: definition.get("@context").map(|own| Rc::new(own.clone())),
            };
            self.terms.insert(term.clone(), defined);
        }
    }

    /// What a term stands for while its context is still being read: its definition may use later ones.
    fn defined(&self, term: &str, context: &Json, depth: usize) -> Option<String> {
        let definition = context.get(term)?;
        let id = match definition {
            Json::Object(_) => definition.get("@id").or_else(|| definition.get("@reverse")),
            other => Some(other),
        };
        match id {
            Some(Json::Text(id)) if id == term => self.expand(id),
            Some(Json::Text(id)) => self.expand_by(id, context, depth + 1),
            Some(_) => None,
            None if term.contains(':') => self.expand_by(term, context, depth + 1),
            None => Some(format!("{}{term}", self.vocabulary()?)),
        }
    }

    /// Expands a term, compact IRI or IRI by the definitions of the context being read, and those in force.
    fn expand_by(&self, name: &str, context: &Json, depth: usize) -> Option<String> {
        if depth > MAX_CHAIN {
            return None;
        }
        if let Some((prefix, local)) = name.split_once(':')
            && !local.starts_with("//")
            && context.get(prefix).is_some()
        {
            return Some(format!("{}{local}", self.defined(prefix, context, depth)?));
        }
        if !name.starts_with('@') && context.get(name).is_some() {
            return self.defined(name, context, depth);
        }
        self.expand(name)
    }

    /// Expands a key or the name of a type to an IRI or a keyword.
    pub fn expand(&self, name: &str) -> Option<String> {
        if name.starts_with('@') {
            return Some(name.to_owned());
        }
        if let Some(term) = self.term(name) {
            return term.stands_for.clone();
        }
        match name.split_once(':') {
            Some(_) => Some(self.whole(name)),
            None => Some(format!("{}{name}", self.vocabulary()?)),
        }
    }

    /// Resolves an `@id` to an IRI.
    pub fn resolve(&self, id: &str) -> Option<String> {
        let whole = self.whole(id);
        if whole != id || Iri::parse(id).is_ok() {
            return Some(whole);
        }
        let base = Iri::parse(self.find(|context| context.base.as_ref())?.as_deref()?).ok()?;
        Some(base.resolve(id).ok()?.into_inner())
    }

    /// Expands a compact IRI to a full one.
    fn whole(&self, name: &str) -> String {
        let Some((prefix, local)) = name.split_once(':').filter(|(_, local)| !local.starts_with("//")) else {
            return name.to_owned();
        };
        match self.term(prefix).and_then(|term| term.stands_for.as_ref()) {
            Some(namespace) => format!("{namespace}{local}"),
            None => name.to_owned(),
        }
    }

    pub fn term(&self, name: &str) -> Option<&Term> {
        self.find(|context| context.terms.get(name))
    }

    fn vocabulary(&self) -> Option<&str> {
        self.find(|context| context.vocabulary.as_ref())?.as_deref()
    }

    /// Looks a property up in the innermost context that defines it.
    fn find<'c, T: ?Sized>(&'c self, said: impl Fn(&'c Self) -> Option<&'c T>) -> Option<&'c T> {
        let mut context = self;
        loop {
            if let Some(said) = said(context) {
                return Some(said);
            }
            context = context.around.as_deref()?;
        }
    }

    fn outermost(&self) -> &Self {
        let mut context = self;
        while let Some(around) = context.around.as_deref() {
            context = around;
        }
        context
    }
}
