//! Namespaces in XML 1.0: names, and what their prefixes stand for at an element.

use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Prefixes;
use kgq_syntax::rdf::xml::is_nc_name;
use rustc_hash::FxHashMap;
use std::rc::Rc;

pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// What the prefixes stand for at the current element. A change costs as much as it declares, however many prefixes are in
/// force.
#[derive(Default)]
pub(super) struct Namespaces {
    /// The namespaces of each prefix, with the one in force last. The empty prefix is the default namespace; an empty
    /// namespace means none.
    stacks: FxHashMap<Rc<str>, Vec<Rc<str>>>,
    /// For each open element, the prefixes that it declares.
    declared: Vec<Vec<Rc<str>>>,
}

impl Namespaces {
    /// Opens an element with these declarations.
    pub(super) fn open(&mut self, declarations: Vec<(&str, Rc<str>)>) -> Result<()> {
        let mut declared = Vec::with_capacity(declarations.len());
        for (prefix, namespace) in declarations {
            match prefix {
                "xml" if *namespace == *XML => continue,
                "xml" | "xmlns" => {
                    return Err(Error::input(format!("the prefix `{prefix}` is XML's own and cannot be declared")));
                }
                "" => {}
                _ if namespace.is_empty() => {
                    return Err(Error::input(format!("`xmlns:{prefix}` declares no namespace"))
                        .hint("XML 1.0 cannot undeclare a prefix"));
                }
                _ => {}
            }
            if matches!(&*namespace, XML | XMLNS) {
                return Err(Error::input(format!("the namespace `{namespace}` is XML's own and cannot be declared")));
            }
            let prefix: Rc<str> = prefix.into();
            self.stacks.entry(Rc::clone(&prefix)).or_default().push(namespace);
            declared.push(prefix);
        }
        self.declared.push(declared);
        Ok(())
    }

    /// Closes the element opened last.
    pub(super) fn close(&mut self) {
        for prefix in self.declared.pop().unwrap_or_default() {
            if let Some(stack) = self.stacks.get_mut(&prefix) {
                stack.pop();
                if stack.is_empty() {
                    self.stacks.remove(&prefix);
                }
            }
        }
    }

    /// The namespace of a prefix; the empty prefix gives the default namespace, if there is one.
    pub(super) fn get(&self, prefix: &str) -> Option<Rc<str>> {
        if prefix == "xml" {
            return Some(XML.into());
        }
        let namespace = self.stacks.get(prefix)?.last()?;
        (!namespace.is_empty()).then(|| Rc::clone(namespace))
    }

    /// All prefixes in force, as RDF prefixes.
    pub(super) fn prefixes(&self) -> Prefixes {
        let last = |stack: &Vec<Rc<str>>| stack.last().map(|namespace| namespace.to_string());
        let pairs = self.stacks.iter().filter_map(|(prefix, stack)| Some((prefix.to_string(), last(stack)?)));
        pairs.filter(|(_, namespace)| oxiri::Iri::parse(namespace.as_str()).is_ok()).collect()
    }
}

/// A name as written, and the position of its colon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct QName {
    text: Box<str>,
    colon: Option<usize>,
}

impl QName {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let colon = text.find(':');
        let good = match colon {
            Some(colon) => is_nc_name(&text[..colon]) && is_nc_name(&text[colon + 1..]),
            None => is_nc_name(text),
        };
        if good {
            Ok(Self { text: text.into(), colon })
        } else {
            Err(Error::input(format!("`{text}` is no name of XML with at most one prefix")))
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn prefix(&self) -> &str {
        self.colon.map_or("", |colon| &self.text[..colon])
    }

    pub(super) fn local(&self) -> &str {
        self.colon.map_or(&self.text, |colon| &self.text[colon + 1..])
    }
}
