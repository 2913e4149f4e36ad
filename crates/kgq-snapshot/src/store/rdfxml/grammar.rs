//! The grammar of RDF/XML (§7.2): from XML events to statements with their positions.

use super::StatementPositions;
use super::attributes::{Attributes, ParseType, Placed, Property, PropertyValue, RDF, Scope, Version, absolute};
use super::canonical::Canonical;
use super::names::Namespaces;
use super::position::Position;
use super::xml::{Element, Event};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Prefixes, Term, Triple};
use oxiri::Iri;
use oxrdf::vocab::{rdf, xsd};
use rustc_hash::FxHashSet;
use std::rc::Rc;

pub(super) struct Grammar<'k> {
    keep: &'k mut dyn FnMut(Triple, StatementPositions) -> Result<()>,
    frames: Vec<Frame>,
    /// The values of `rdf:ID` so far; each may occur only once.
    ids: FxHashSet<String>,
    given: u64,
    pub(super) prefixes: Prefixes,
}

/// An open element.
struct Frame {
    scope: Scope,
    state: State,
}

enum State {
    Document,
    /// `rdf:RDF`.
    Nodes,
    /// A node, or the content of `parseType="Resource"`.
    Node(NodeElement),
    /// A property whose object is text or a node.
    Property(Open, Object),
    Literal(Open, Canonical),
    Collection(Open, Vec<NodeElement>),
    /// A property whose object is the single statement inside it.
    Triple(Open, Vec<Triple>),
}

#[derive(Clone)]
struct NodeElement {
    subject: NamedOrBlankNode,
    at: Position,
    /// The number of `rdf:li` elements so far.
    items: u64,
}

/// An open property.
struct Open {
    subject: NamedOrBlankNode,
    predicate: NamedNode,
    places: StatementPositions,
    attributes: Attributes,
}

#[derive(Default)]
struct Object {
    node: Option<NamedOrBlankNode>,
    text: String,
}

impl<'k> Grammar<'k> {
    pub(super) fn new(
        base: Option<Rc<Iri<String>>>,
        lenient: bool,
        keep: &'k mut dyn FnMut(Triple, StatementPositions) -> Result<()>,
    ) -> Self {
        let scope = Scope { base, language: None, direction: None, version: Version::Rdf11, lenient };
        Self {
            keep,
            frames: vec![Frame { scope, state: State::Document }],
            ids: FxHashSet::default(),
            given: 0,
            prefixes: Prefixes::new(),
        }
    }

    pub(super) fn event(&mut self, event: Event, at: Position, names: &Namespaces) -> Result<()> {
        match event {
            Event::Start(element) => self.start(element, at, names),
            Event::End => self.end(),
            Event::Text(text) => self.text(&text),
            Event::Comment(text) => {
                if let Some(State::Literal(_, literal)) = self.state() {
                    literal.comment(&text);
                }
                Ok(())
            }
            Event::Instruction(text) => {
                if let Some(State::Literal(_, literal)) = self.state() {
                    literal.instruction(&text);
                }
                Ok(())
            }
            Event::Eof => Ok(()),
        }
    }

    fn state(&mut self) -> Option<&mut State> {
        self.frames.last_mut().map(|frame| &mut frame.state)
    }

    fn start(&mut self, mut element: Element, at: Position, names: &Namespaces) -> Result<()> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        if let State::Literal(_, literal) = &mut frame.state {
            literal.start(&element, names);
            return Ok(());
        }
        let (scope, attributes) = frame.scope.enter(&mut element)?;
        let state = match &mut frame.state {
            State::Document if is_rdf(&element, "RDF") => {
                if !attributes.is_empty() {
                    return Err(Error::input("`rdf:RDF` can have no attributes but those of XML"));
                }
                State::Nodes
            }
            State::Document => self.node(&element, &scope, attributes, at).map_err(|error| strange(error, &element))?,
            State::Node(node) => {
                let predicate = predicate(&element, node, scope.lenient)?;
                let places = StatementPositions { subject: node.at, predicate: at };
                let open = Open { subject: node.subject.clone(), predicate, places, attributes };
                self.property(open, &scope)?
            }
            State::Property(_, object) if object.node.is_some() || !is_blank(&object.text) => {
                return Err(Error::input("a property has one object: a second stands here, or text beside it"));
            }
            _ => self.node(&element, &scope, attributes, at)?,
        };
        self.frames.push(Frame { scope, state });
        Ok(())
    }

    /// Handles a node element (§7.2.11).
    fn node(&mut self, element: &Element, scope: &Scope, attributes: Attributes, at: Position) -> Result<State> {
        const NOT_NODES: [&str; 11] = [
            "RDF",
            "ID",
            "about",
            "bagID",
            "parseType",
            "resource",
            "nodeID",
            "li",
            "aboutEach",
            "aboutEachPrefix",
            "datatype",
        ];
        if let Some(name) = NOT_NODES.iter().find(|name| is_rdf(element, name)) {
            return Err(Error::input(format!("`rdf:{name}` cannot be a node")));
        }
        self.id_is_new(&attributes, scope)?;
        let (subject, at) = match (attributes.id, attributes.node_id, attributes.about) {
            (Some((iri, at)), None, None) | (None, None, Some((iri, at))) => (iri.into(), at),
            (None, Some((node, at)), None) => (node.into(), at),
            (None, None, None) => (self.blank().into(), at),
            _ => return Err(Error::input("a node can have one of `rdf:ID`, `rdf:nodeID` and `rdf:about`")),
        };
        if attributes.parse_type.is_some() || attributes.resource.is_some() || attributes.datatype.is_some() {
            return Err(Error::input(
                "`rdf:parseType`, `rdf:resource` and `rdf:datatype` stand on properties, and this is a node",
            ));
        }
        let node = NodeElement { subject, at, items: 0 };
        if !is_rdf(element, "Description") {
            let class = name_of(element, scope.lenient)?;
            let triple = Triple::new(node.subject.clone(), rdf::TYPE, class);
            self.emit(triple, StatementPositions { subject: at, predicate: at })?;
        }
        self.properties(&node, attributes.properties, scope)?;
        Ok(State::Node(node))
    }

    /// Handles a property element (§7.2.14).
    fn property(&mut self, mut open: Open, scope: &Scope) -> Result<State> {
        self.id_is_new(&open.attributes, scope)?;
        let attributes = &mut open.attributes;
        if attributes.about.is_some() {
            return Err(Error::input("`rdf:about` stands on nodes, and this is a property")
                .hint("`rdf:resource` names its object"));
        }
        if let Some(parse_type) = attributes.parse_type {
            let others = attributes.resource.is_some() || attributes.node_id.is_some() || attributes.datatype.is_some();
            if others || !attributes.properties.is_empty() {
                return Err(Error::input("beside `rdf:parseType` only `rdf:ID` and annotations can stand"));
            }
            return Ok(match parse_type {
                ParseType::Literal => State::Literal(open, Canonical::default()),
                ParseType::Collection => State::Collection(open, Vec::new()),
                ParseType::Triple => State::Triple(open, Vec::new()),
                ParseType::Resource => {
                    let object = self.blank();
                    let at = open.places.predicate;
                    self.close(open, object.clone().into())?;
                    State::Node(NodeElement { subject: object.into(), at, items: 0 })
                }
            });
        }
        let properties = std::mem::take(&mut attributes.properties);
        let at = open.places.predicate;
        let subject: Option<NamedOrBlankNode> = match (attributes.resource.take(), attributes.node_id.take()) {
            (Some(_), Some(_)) => {
                return Err(Error::input("a property can have one of `rdf:resource` and `rdf:nodeID`"));
            }
            (Some(iri), None) => Some(iri.into()),
            (None, Some((node, _))) => Some(node.into()),
            (None, None) if properties.is_empty() => None,
            (None, None) => Some(self.blank().into()),
        };
        if let Some(subject) = &subject {
            self.properties(&NodeElement { subject: subject.clone(), at, items: 0 }, properties, scope)?;
        }
        Ok(State::Property(open, Object { node: subject, text: String::new() }))
    }

    /// Emits the statements of property attributes.
    fn properties(&mut self, node: &NodeElement, properties: Vec<Property>, scope: &Scope) -> Result<()> {
        for property in properties {
            let object = match property.value {
                PropertyValue::Type(class) => class.into(),
                PropertyValue::Text(text) => literal(text, None, scope).into(),
            };
            let triple = Triple { subject: node.subject.clone(), predicate: property.predicate, object };
            self.emit(triple, StatementPositions { subject: node.at, predicate: property.at })?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        match self.state() {
            Some(State::Literal(_, literal)) => literal.text(text),
            Some(State::Property(_, Object { node: None, text: before })) => before.push_str(text),
            _ if is_blank(text) => {}
            _ => {
                let shown: String = text.trim().chars().take(40).collect();
                return Err(Error::input(format!("text cannot stand here: `{shown}`")));
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        if let Some(State::Literal(_, literal)) = self.state()
            && literal.is_open()
        {
            literal.end();
            return Ok(());
        }
        let Some(Frame { scope, state }) = self.frames.pop() else { return Ok(()) };
        match state {
            State::Document | State::Nodes => Ok(()),
            State::Node(node) => {
                match self.state() {
                    Some(State::Property(_, object)) => object.node = Some(node.subject),
                    Some(State::Collection(_, nodes)) => nodes.push(node),
                    _ => {}
                }
                Ok(())
            }
            State::Property(open, Object { node: Some(node), .. }) => self.close(open, node.into()),
            State::Property(mut open, Object { node: None, text }) => {
                let datatype = open.attributes.datatype.take();
                self.close(open, literal(text, datatype, &scope).into())
            }
            State::Literal(open, literal) => {
                let object = Literal::new_typed_literal(literal.finish(), rdf::XML_LITERAL);
                self.close(open, object.into())
            }
            State::Collection(open, nodes) => self.collection(open, nodes),
            // Only RDF 1.2 has triple terms, and the document must announce it.
            State::Triple(..) if scope.version != Version::Rdf12 => Ok(()),
            State::Triple(open, mut triples) => match (triples.pop(), triples.pop()) {
                (Some(triple), None) => self.close(open, Term::Triple(Box::new(triple))),
                _ => Err(Error::input("`rdf:parseType=\"Triple\"` must hold one statement")),
            },
        }
    }

    fn collection(&mut self, open: Open, nodes: Vec<NodeElement>) -> Result<()> {
        let mut links: Vec<NamedOrBlankNode> = nodes.iter().map(|_| self.blank().into()).collect();
        links.push(rdf::NIL.into_owned().into());
        let head = links[0].clone();
        for (node, link) in nodes.into_iter().zip(links.windows(2)) {
            let places = StatementPositions { subject: node.at, predicate: node.at };
            self.emit(Triple::new(link[0].clone(), rdf::FIRST, node.subject), places)?;
            self.emit(Triple::new(link[0].clone(), rdf::REST, link[1].clone()), places)?;
        }
        self.close(open, head.into())
    }

    /// Emits the statement of a property whose object is now known, and the statements about that statement (§7.3).
    fn close(&mut self, open: Open, object: Term) -> Result<()> {
        let Open { subject, predicate, places, attributes } = open;
        let triple = Triple { subject, predicate, object };
        self.emit(triple.clone(), places)?;
        if let Some((id, _)) = attributes.id {
            self.emit(Triple::new(id.clone(), rdf::TYPE, rdf::STATEMENT), places)?;
            self.emit(Triple::new(id.clone(), rdf::SUBJECT, triple.subject.clone()), places)?;
            self.emit(Triple::new(id.clone(), rdf::PREDICATE, triple.predicate.clone()), places)?;
            self.emit(Triple::new(id, rdf::OBJECT, triple.object.clone()), places)?;
        }
        if let Some(annotation) = attributes.annotation {
            self.emit(Triple::new(annotation, rdf::REIFIES, triple.clone()), places)?;
        }
        if let Some(annotation) = attributes.annotation_node {
            self.emit(Triple::new(annotation, rdf::REIFIES, triple), places)?;
        }
        Ok(())
    }

    /// Emits a statement: to the graph, or to the triple term that is open.
    fn emit(&mut self, triple: Triple, places: StatementPositions) -> Result<()> {
        for frame in self.frames.iter_mut().rev() {
            if let State::Triple(_, triples) = &mut frame.state {
                triples.push(triple);
                return Ok(());
            }
        }
        (self.keep)(triple, places)
    }

    fn id_is_new(&mut self, attributes: &Attributes, scope: &Scope) -> Result<()> {
        match &attributes.id {
            Some((id, at)) if !scope.lenient && !self.ids.insert(id.as_str().to_owned()) => {
                Err(Error::input(format!("{id} was an `rdf:ID` before")).placed(*at))
            }
            _ => Ok(()),
        }
    }

    /// A new blank node; its label cannot be an `rdf:nodeID`.
    fn blank(&mut self) -> BlankNode {
        self.given += 1;
        BlankNode::new_unchecked(self.given.to_string())
    }
}

impl Attributes {
    fn is_empty(&self) -> bool {
        let names = self.id.is_none() && self.about.is_none() && self.node_id.is_none() && self.resource.is_none();
        names && self.datatype.is_none() && self.parse_type.is_none() && self.properties.is_empty()
    }
}

fn is_rdf(element: &Element, local: &str) -> bool {
    element.name.local() == local && element.namespace.as_deref() == Some(RDF)
}

fn name_of(element: &Element, lenient: bool) -> Result<NamedNode> {
    let local = element.name.local();
    match &element.namespace {
        Some(namespace) => absolute(format!("{namespace}{local}"), lenient),
        None => Err(Error::input(format!("the element `{local}` is in no namespace"))
            .hint("give it a prefix that is declared, or declare a default namespace with `xmlns=\"…\"`")),
    }
}

fn predicate(element: &Element, node: &mut NodeElement, lenient: bool) -> Result<NamedNode> {
    const NOT_PROPERTIES: [&str; 11] = [
        "RDF",
        "Description",
        "ID",
        "about",
        "bagID",
        "parseType",
        "resource",
        "nodeID",
        "aboutEach",
        "aboutEachPrefix",
        "datatype",
    ];
    if is_rdf(element, "li") {
        node.items += 1;
        return Ok(NamedNode::new_unchecked(format!("{RDF}_{}", node.items)));
    }
    if let Some(name) = NOT_PROPERTIES.iter().find(|name| is_rdf(element, name)) {
        return Err(Error::input(format!("`rdf:{name}` cannot be a property")));
    }
    name_of(element, lenient)
}

fn literal(text: String, datatype: Option<NamedNode>, scope: &Scope) -> Literal {
    match (datatype, &scope.language, scope.direction) {
        (Some(datatype), _, _) if datatype == xsd::STRING => Literal::new_simple_literal(text),
        (Some(datatype), _, _) => Literal::new_typed_literal(text, datatype),
        (None, Some(language), Some(direction)) => {
            Literal::new_directional_language_tagged_literal_unchecked(text, &**language, direction)
        }
        (None, Some(language), None) => Literal::new_language_tagged_literal_unchecked(text, &**language),
        (None, None, _) => Literal::new_simple_literal(text),
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// The error for a first element that is not RDF/XML, with a guess at what the document is.
fn strange(error: Error, element: &Element) -> Error {
    let local = element.name.local();
    match (element.namespace.as_deref(), local) {
        (_, "html" | "HTML") => Error::input("this is a page of HTML, not RDF/XML")
            .hint("a download may have answered with a page: look at it, and download the data again"),
        _ => error,
    }
}
