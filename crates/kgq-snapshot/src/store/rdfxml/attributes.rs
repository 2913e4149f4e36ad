//! The attributes of an element by their meaning in RDF/XML (§6.1.4, §7.2), with IRIs resolved.

use super::names::XML;
use super::position::Position;
use super::xml::{Attribute, Element};
use kgq_syntax::directive::{self, Announced, too_long};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::iri::without_dots;
use kgq_syntax::rdf::xml::is_nc_name;
use kgq_syntax::rdf::{BlankNode, NamedNode};
use oxiri::Iri;
use oxrdf::BaseDirection;
use std::rc::Rc;

pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const ITS: &str = "http://www.w3.org/2005/11/its";

/// The settings for an element and everything inside it.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) base: Option<Rc<Iri<String>>>,
    pub(super) language: Option<Rc<str>>,
    pub(super) direction: Option<BaseDirection>,
    pub(super) version: Version,
    pub(super) lenient: bool,
}

/// The version that `rdf:version` announces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Rdf11,
    Rdf12,
    /// Without triple terms.
    Rdf12Basic,
}

/// The kind of content that `rdf:parseType` gives a property.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ParseType {
    Literal,
    Resource,
    Collection,
    Triple,
}

/// The attributes of one element.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) id: Option<(NamedNode, Position)>,
    pub(super) about: Option<(NamedNode, Position)>,
    pub(super) node_id: Option<(BlankNode, Position)>,
    pub(super) resource: Option<NamedNode>,
    pub(super) datatype: Option<NamedNode>,
    pub(super) annotation: Option<NamedNode>,
    pub(super) annotation_node: Option<BlankNode>,
    pub(super) parse_type: Option<ParseType>,
    /// `rdf:type` and the property attributes, in their order.
    pub(super) properties: Vec<Property>,
}

pub(super) struct Property {
    pub(super) predicate: NamedNode,
    pub(super) value: PropertyValue,
    pub(super) at: Position,
}

pub(super) enum PropertyValue {
    Type(NamedNode),
    Text(String),
}

impl Scope {
    /// The scope inside this element, and its remaining attributes.
    pub(super) fn enter(&self, element: &mut Element) -> Result<(Self, Attributes)> {
        let mut scope = self.clone();
        let mut rest = Vec::with_capacity(element.attributes.len());
        let mut direction = None;
        for attribute in std::mem::take(&mut element.attributes) {
            match (attribute.namespace.as_deref(), attribute.name.local()) {
                (Some(XML), "lang") => scope.language = language(&attribute, self.lenient)?,
                (Some(XML), "base") => scope.base = Some(base(&attribute, self)?),
                (Some(ITS), "dir") => direction = Some(attribute),
                (Some(RDF), "version") => scope.version = version(&attribute)?,
                (Some(XML | ITS), _) => {}
                // Names that begin with `xml` are reserved for XML.
                (None, local) if local.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml")) => {}
                _ => rest.push(attribute),
            }
        }
        if let Some(attribute) = direction.filter(|_| scope.version != Version::Rdf11) {
            scope.direction = Some(match attribute.value.as_str() {
                "ltr" => BaseDirection::Ltr,
                "rtl" => BaseDirection::Rtl,
                other => return Err(at(&attribute, format!("`{other}` is no direction: it is `ltr` or `rtl`"))),
            });
        }
        let attributes = scope.sort(rest)?;
        Ok((scope, attributes))
    }

    fn sort(&self, attributes: Vec<Attribute>) -> Result<Attributes> {
        let mut out = Attributes::default();
        for attribute in attributes {
            let local = attribute.name.local();
            let of_rdf = match attribute.namespace.as_deref() {
                Some(namespace) => namespace == RDF,
                None if matches!(local, "ID" | "about" | "resource" | "parseType" | "type") => true,
                None => {
                    return Err(at(&attribute, format!("the attribute `{local}` is in no namespace"))
                        .hint("give it a prefix: RDF/XML takes an attribute for a property by its full name"));
                }
            };
            if !of_rdf {
                out.properties.push(self.property(attribute)?);
                continue;
            }
            match local {
                "ID" => {
                    is_id(&attribute)?;
                    let iri = self.iri(&attribute, &format!("#{}", attribute.value))?;
                    out.id = Some((iri, attribute.at));
                }
                "nodeID" => {
                    is_id(&attribute)?;
                    out.node_id = Some((BlankNode::new_unchecked(attribute.value), attribute.at));
                }
                "about" => out.about = Some((self.iri(&attribute, &attribute.value)?, attribute.at)),
                "resource" => out.resource = Some(self.iri(&attribute, &attribute.value)?),
                "datatype" => out.datatype = Some(self.iri(&attribute, &attribute.value)?),
                "annotation" => out.annotation = Some(self.iri(&attribute, &attribute.value)?),
                "annotationNodeID" => {
                    is_id(&attribute)?;
                    out.annotation_node = Some(BlankNode::new_unchecked(attribute.value));
                }
                "parseType" => {
                    out.parse_type = Some(match attribute.value.as_str() {
                        "Resource" => ParseType::Resource,
                        "Collection" => ParseType::Collection,
                        "Triple" => ParseType::Triple,
                        // §7.2.20: any other value means a literal.
                        _ => ParseType::Literal,
                    });
                }
                "type" => {
                    let class = self.iri(&attribute, &attribute.value)?;
                    let predicate = oxrdf::vocab::rdf::TYPE.into_owned();
                    out.properties.push(Property { predicate, value: PropertyValue::Type(class), at: attribute.at });
                }
                "RDF" | "li" | "Description" | "aboutEach" | "aboutEachPrefix" | "bagID" => {
                    return Err(at(&attribute, format!("`rdf:{local}` cannot be an attribute")));
                }
                _ => out.properties.push(self.property(attribute)?),
            }
        }
        Ok(out)
    }

    fn property(&self, attribute: Attribute) -> Result<Property> {
        let namespace = attribute.namespace.as_deref().unwrap_or_default();
        let predicate = absolute(format!("{namespace}{}", attribute.name.local()), self.lenient)
            .map_err(|e| e.placed(attribute.at))?;
        Ok(Property { predicate, value: PropertyValue::Text(attribute.value), at: attribute.at })
    }

    fn iri(&self, attribute: &Attribute, relative: &str) -> Result<NamedNode> {
        let failed = |e: oxiri::IriParseError| {
            let error = at(attribute, format!("`{relative}` is no IRI: {e}"));
            error.hint("`--lenient` reads it as it is")
        };
        match &self.base {
            Some(base) if self.lenient => Ok(NamedNode::new_unchecked(base.resolve_unchecked(relative).into_inner())),
            Some(base) => Ok(NamedNode::new_unchecked(base.resolve(relative).map_err(failed)?.into_inner())),
            None if self.lenient => Ok(NamedNode::new_unchecked(relative)),
            None => Ok(NamedNode::new_unchecked(Iri::parse(relative.to_owned()).map_err(failed)?.into_inner())),
        }
    }
}

/// The IRI of an element's or attribute's name.
pub(super) fn absolute(iri: String, lenient: bool) -> Result<NamedNode> {
    if !lenient && let Err(error) = Iri::parse(iri.as_str()) {
        return Err(Error::input(format!("`{iri}`, a namespace with a name, is no IRI: {error}")));
    }
    Ok(NamedNode::new_unchecked(iri))
}

fn language(attribute: &Attribute, lenient: bool) -> Result<Option<Rc<str>>> {
    let tag = attribute.value.to_ascii_lowercase();
    // An empty tag cancels the language of the surrounding element.
    if tag.is_empty() {
        return Ok(None);
    }
    if !lenient && oxrdf::Literal::new_language_tagged_literal("", &tag).is_err() {
        return Err(at(attribute, format!("`{}` is no language tag", attribute.value)).hint(
            "a tag begins with a language of two or three letters, such as `en`; `--lenient` reads it as it is",
        ));
    }
    Ok(Some(tag.into()))
}

fn base(attribute: &Attribute, scope: &Scope) -> Result<Rc<Iri<String>>> {
    if attribute.value.len() > directive::LONGEST {
        return Err(at(attribute, too_long(Announced::Base).message().to_owned()));
    }
    let iri = without_dots(scope.iri(attribute, &attribute.value)?.as_str());
    let parsed = if scope.lenient { Ok(Iri::parse_unchecked(iri)) } else { Iri::parse(iri) };
    parsed.map(Rc::new).map_err(|e| at(attribute, format!("this base is no IRI: {e}")))
}

fn version(attribute: &Attribute) -> Result<Version> {
    match attribute.value.as_str() {
        "1.1" => Ok(Version::Rdf11),
        "1.2" => Ok(Version::Rdf12),
        "1.2-basic" => Ok(Version::Rdf12Basic),
        other => Err(at(attribute, format!("`{other}` is no version of RDF that is known: 1.1, 1.2, 1.2-basic"))),
    }
}

fn is_id(attribute: &Attribute) -> Result<()> {
    if is_nc_name(&attribute.value) {
        return Ok(());
    }
    let (name, value) = (attribute.name.as_str(), &attribute.value);
    Err(at(attribute, format!("`{value}` cannot be an `{name}`: it must be a name without a colon")))
}

/// An error at an attribute. The document's name is added later, where it is known.
pub(super) fn at(attribute: &Attribute, message: String) -> Error {
    Error::input(message).placed(attribute.at)
}

/// Errors that have a position but no file name yet.
pub(super) trait Placed {
    #[must_use]
    fn placed(self, at: Position) -> Self;
}

impl Placed for Error {
    fn placed(self, at: Position) -> Self {
        if self.place().is_some() { self } else { self.at(kgq_syntax::error::Place::new("", at.line, at.column)) }
    }
}
