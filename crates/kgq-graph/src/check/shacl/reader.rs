//! Reads what a shapes graph says about a node: property values, lists and queries, with remarks on those that are
//! ill-formed or not run.

use super::dataset::{NodeId, ValidationData};
use super::function::Signatures;
use super::shape::{IllFormed, ShapeId};
use super::sparql;
use super::vocab as sh;
use kgq_engine::query::prebind::{PrebindContext, Prebound};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::embedded::Embedded;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Prefixes, Term, Triple};
use oxrdf::vocab::{rdf, rdfs, xsd};
use rustc_hash::{FxHashMap, FxHashSet};

/// What is known about the texts of the queries in a shapes graph.
#[derive(Clone, Copy)]
pub struct Texts<'t> {
    pub bounds: Bounds,
    /// Returns the string that is the object of a statement, as written in its file.
    pub written: &'t dyn Fn(&Triple) -> Option<WrittenText>,
}

/// A text that is a string in a file.
pub struct WrittenText {
    pub file: String,
    pub text: String,
    pub embedded: Embedded,
}

impl WrittenText {
    fn source(&self) -> Source<'_> {
        Source::within(&self.file, &self.text, Some(&self.embedded))
    }
}

/// Parses a text into a query.
type Parse<'p> = &'p dyn Fn(Source<'_>, PrebindContext<'_>) -> Result<Prebound>;

pub(super) struct Reader<'d> {
    pub dataset: &'d ValidationData,
    texts: Texts<'d>,
    ids: FxHashMap<NodeId, ShapeId>,
    /// The nodes of shapes, in the order in which they were first referred to.
    pub queue: Vec<NodeId>,
    faults: Vec<IllFormed>,
    not_run: Vec<IllFormed>,
    pub functions: Signatures,
    /// The number of paths read so far within the current one.
    pub paths_read: usize,
}

/// Abbreviates a term of the vocabulary to `sh:name`.
pub(super) fn short(term: NamedNodeRef<'_>) -> String {
    format!("sh:{}", term.as_str().rsplit('#').next().unwrap_or_default())
}

impl<'d> Reader<'d> {
    pub fn new(dataset: &'d ValidationData, texts: Texts<'d>) -> Self {
        Self {
            dataset,
            texts,
            ids: FxHashMap::default(),
            queue: Vec::new(),
            faults: Vec::new(),
            not_run: Vec::new(),
            functions: Signatures::default(),
            paths_read: 0,
        }
    }

    /// Returns the remarks on ill-formed parts and on parts that are not run, without duplicates.
    pub fn remarks(mut self) -> (Vec<IllFormed>, Vec<IllFormed>) {
        for remarks in [&mut self.faults, &mut self.not_run] {
            let mut seen = FxHashSet::default();
            remarks.retain(|remark| seen.insert((remark.node.clone(), remark.message.clone())));
        }
        (self.faults, self.not_run)
    }

    pub fn fault(&mut self, node: NodeId, message: impl Into<String>) {
        let fault = self.remark(node, message);
        self.faults.push(fault);
    }

    fn remark(&self, node: NodeId, message: impl Into<String>) -> IllFormed {
        IllFormed { node: self.dataset.term(node), message: message.into(), hints: Vec::new(), place: None }
    }

    /// Records something that is allowed but not run.
    pub fn not_run(&mut self, node: NodeId, message: impl Into<String>) {
        let remark = self.remark(node, message);
        self.not_run.push(remark);
    }

    /// A term of the shapes graph as messages show it.
    pub fn written(&self, node: NodeId) -> String {
        self.dataset.term(node).to_string()
    }

    /// Whether a constraint, validator, target or rule is written in JavaScript, which is not run.
    pub fn is_javascript(&self, node: NodeId) -> bool {
        !self.objects(node, sh::JS_FUNCTION_NAME).is_empty()
    }

    pub fn objects(&self, subject: NodeId, predicate: NamedNodeRef<'_>) -> Vec<NodeId> {
        let predicate = self.dataset.iri(predicate);
        predicate.map(|p| self.dataset.shapes.objects(subject, p)).unwrap_or_default()
    }

    pub fn instances(&self, class: NamedNodeRef<'_>) -> Vec<NodeId> {
        let class = self.dataset.iri(class);
        let instances = |class| self.dataset.instances(&self.dataset.shapes, class);
        // The budget is checked again before the shapes are used.
        class.and_then(|class| instances(class).ok()).unwrap_or_default()
    }

    /// Returns a class and all its superclasses.
    pub fn superclasses(&self, class: NodeId) -> Vec<NodeId> {
        let mut classes = vec![class];
        let mut at = 0;
        while let Some(class) = classes.get(at).copied() {
            at += 1;
            let above = self.objects(class, rdfs::SUB_CLASS_OF);
            classes.extend(above.into_iter().filter(|c| !classes.contains(c)).collect::<Vec<_>>());
        }
        classes
    }

    pub fn subjects_of(&self, predicate: NamedNodeRef<'_>) -> Vec<NodeId> {
        let predicate = self.dataset.iri(predicate);
        predicate.into_iter().flat_map(|p| self.dataset.shapes.pairs(p)).map(|(s, _)| s).collect()
    }

    /// Returns the value of a property that may have only one.
    pub fn one(&mut self, subject: NodeId, predicate: NamedNodeRef<'_>) -> Option<NodeId> {
        let values = self.objects(subject, predicate);
        if values.len() > 1 {
            self.fault(subject, format!("{} has {} values, and can have only one", short(predicate), values.len()));
        }
        values.first().copied()
    }

    pub fn literal(&self, node: NodeId) -> Option<Literal> {
        match self.dataset.term(node) {
            Term::Literal(literal) => Some(literal),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => None,
        }
    }

    /// Reads a query that is a property value; `None`, with a remark about a node, if it cannot be used.
    pub fn query(
        &mut self,
        about: NodeId,
        holder: NodeId,
        property: NamedNodeRef<'_>,
        parse: Parse<'_>,
    ) -> Option<Prebound> {
        let value = self.one(holder, property)?;
        let text = self.text(holder, property)?;
        if !self.objects(holder, sh::RESULT_ANNOTATION).is_empty() {
            self.not_run(
                about,
                "sh:resultAnnotation is passed over: the results have what SHACL gives them, and no more",
            );
        }
        let prefixes = sparql::prefixes(self, holder);
        let known =
            PrebindContext { prefixes: &prefixes, functions: &self.functions.declared, bounds: self.texts.bounds };
        let why = match parse(Source::new("the query", &text), known) {
            Ok(query) => return (!self.calls_javascript(about, &query)).then_some(query),
            Err(why) => why,
        };
        // Parsed again, as part of its file.
        let written = self.statement(holder, property, value).and_then(|s| (self.texts.written)(&s));
        let placed = written.as_ref().and_then(|written| parse(written.source(), known).err());
        self.refuse_query(about, property, placed.as_ref(), &why);
        None
    }

    /// Records why a query cannot be used: its errors with their places in the file, else with their lines in the text.
    fn refuse_query(&mut self, about: NodeId, property: NamedNodeRef<'_>, placed: Option<&Error>, why: &Error) {
        let errors = placed.unwrap_or(why);
        for error in std::iter::once(errors).chain(errors.others()) {
            let line = error.place().filter(|_| placed.is_none()).map(|place| format!("line {}: ", place.line));
            let line = line.unwrap_or_default();
            let mut fault =
                self.remark(about, format!("{} cannot be used: {line}{}", short(property), error.message()));
            fault.hints = error.hints().to_vec();
            fault.place = error.place().filter(|_| placed.is_some()).cloned();
            self.faults.push(fault);
        }
    }

    fn statement(&self, subject: NodeId, predicate: NamedNodeRef<'_>, object: NodeId) -> Option<Triple> {
        let subject: NamedOrBlankNode = match self.dataset.term(subject) {
            Term::NamedNode(iri) => iri.into(),
            Term::BlankNode(node) => node.into(),
            Term::Literal(_) | Term::Triple(_) => return None,
        };
        Some(Triple::new(subject, predicate.into_owned(), self.dataset.term(object)))
    }

    /// The call of a function by a node expression.
    pub fn function_call(&self, name: &NamedNode, arguments: usize) -> Result<Prebound> {
        let prefixes = Prefixes::default();
        let known =
            PrebindContext { prefixes: &prefixes, functions: &self.functions.declared, bounds: self.texts.bounds };
        Prebound::parse_call(name, arguments, known)
    }

    /// Whether a query needs JavaScript; if so, this is recorded.
    pub fn calls_javascript(&mut self, about: NodeId, query: &Prebound) -> bool {
        let called = query.calls().iter().find(|name| self.functions.javascript.contains(*name));
        if let Some(name) = called {
            self.not_run(about, format!("what calls {name}, a function in JavaScript, is not run"));
        }
        called.is_some()
    }

    /// Returns the value of a property that must be a plain string.
    pub fn text(&mut self, subject: NodeId, predicate: NamedNodeRef<'_>) -> Option<String> {
        let value = self.one(subject, predicate)?;
        match self.literal(value) {
            Some(literal) => Some(literal.value().to_owned()),
            None => {
                self.fault(subject, format!("{} needs a string", short(predicate)));
                None
            }
        }
    }

    pub fn boolean(&mut self, subject: NodeId, predicate: NamedNodeRef<'_>) -> bool {
        let Some(value) = self.one(subject, predicate) else { return false };
        match self.literal(value).filter(|l| l.datatype() == xsd::BOOLEAN).as_ref().map(Literal::value) {
            // The standard requires the term `true`: `"1"^^xsd:boolean` has the same value, but is another term.
            Some("true") => true,
            Some("false" | "0" | "1") => false,
            _ => {
                self.fault(subject, format!("{} needs true or false", short(predicate)));
                false
            }
        }
    }

    /// Returns the value of `sh:order`, or 0.
    pub fn order(&mut self, node: NodeId) -> f64 {
        let Some(value) = self.one(node, sh::ORDER) else { return 0.0 };
        let order = self.literal(value).and_then(|l| l.value().trim().parse::<f64>().ok()).filter(|o| o.is_finite());
        order.unwrap_or_else(|| {
            self.fault(node, "sh:order needs a number");
            0.0
        })
    }

    pub fn count(&mut self, subject: NodeId, predicate: NamedNodeRef<'_>) -> Option<u64> {
        let value = self.one(subject, predicate)?;
        let count = self.literal(value).filter(|l| l.datatype() == xsd::INTEGER).and_then(|l| l.value().parse().ok());
        if count.is_none() {
            self.fault(subject, format!("{} needs an integer from 0", short(predicate)));
        }
        count
    }

    pub fn messages(&self, node: NodeId) -> Vec<Literal> {
        self.objects(node, sh::MESSAGE).into_iter().filter_map(|m| self.literal(m)).collect()
    }

    /// The values of a property that must be IRIs.
    pub fn iris(&mut self, subject: NodeId, predicate: NamedNodeRef<'_>) -> Vec<NodeId> {
        let (iris, others): (Vec<NodeId>, _) =
            self.objects(subject, predicate).into_iter().partition(|v| self.dataset.is_iri(*v));
        let others: Vec<NodeId> = others;
        if !others.is_empty() {
            self.fault(subject, format!("{} needs an IRI", short(predicate)));
        }
        iris
    }

    /// Returns the members of an RDF list; `None`, with the fault recorded, if it is broken or circular.
    pub fn list(&mut self, subject: NodeId, predicate: NamedNodeRef<'_>, head: NodeId) -> Option<Vec<NodeId>> {
        let nil = self.dataset.iri(rdf::NIL);
        let mut members = Vec::new();
        let mut seen = FxHashSet::default();
        let mut at = head;
        while Some(at) != nil {
            let (first, rest) = (self.objects(at, rdf::FIRST), self.objects(at, rdf::REST));
            let ([first], [rest]) = (&first[..], &rest[..]) else {
                self.fault(subject, format!("{} needs a list that ends in rdf:nil", short(predicate)));
                return None;
            };
            if !seen.insert(at) {
                self.fault(subject, format!("the list of {} runs in a circle", short(predicate)));
                return None;
            }
            members.push(*first);
            at = *rest;
        }
        Some(members)
    }

    /// Returns the shape id of a node; the shape is queued for reading if it is new.
    pub fn shape_id(&mut self, node: NodeId) -> ShapeId {
        let next = ShapeId(self.queue.len());
        let id = *self.ids.entry(node).or_insert(next);
        if id == next {
            self.queue.push(node);
        }
        id
    }

    pub fn shape_ids(&mut self, nodes: Vec<NodeId>) -> Vec<ShapeId> {
        nodes.into_iter().map(|node| self.shape_id(node)).collect()
    }
}
