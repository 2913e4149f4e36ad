//! XML literals in the form that RDF/XML §7.2.17 requires: Exclusive XML Canonicalization 1.0, with comments.

use super::names::{Namespaces, XML};
use super::xml::{Attribute, Element};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The content of an element, while it is being written.
#[derive(Default)]
pub(super) struct Canonical {
    out: String,
    open: Vec<Opened>,
    /// The namespaces that were written and are in force; for each prefix, the last one counts.
    written: Vec<(Box<str>, Rc<str>)>,
}

struct Opened {
    name: Box<str>,
    /// The length of `written` before this element.
    before: usize,
}

impl Canonical {
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    pub(super) fn start(&mut self, element: &Element, names: &Namespaces) {
        self.out.push('<');
        self.out.push_str(element.name.as_str());
        let before = self.written.len();
        let used = std::iter::once((element.name.prefix(), element.namespace.clone()));
        let others = element.attributes.iter().filter(|attribute| !attribute.name.prefix().is_empty());
        // An element declares only the namespaces that it uses itself, and only those not yet in force.
        let used: BTreeMap<&str, Option<Rc<str>>> =
            used.chain(others.map(|attribute| (attribute.name.prefix(), names.get(attribute.name.prefix())))).collect();
        for (prefix, namespace) in used {
            let namespace = namespace.unwrap_or_else(|| Rc::from(""));
            let known = self.written.iter().rev().find(|(written, _)| **written == *prefix);
            let as_known = known.map_or(namespace.is_empty(), |(_, known)| *known == namespace);
            if as_known || *namespace == *XML {
                continue;
            }
            self.out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.out.push_str(prefix);
            self.value(&namespace);
            self.written.push((prefix.into(), namespace));
        }
        let mut attributes: Vec<&Attribute> = element.attributes.iter().collect();
        attributes.sort_by_key(|attribute| (attribute.namespace.as_deref().unwrap_or(""), attribute.name.local()));
        for attribute in attributes {
            self.out.push(' ');
            self.out.push_str(attribute.name.as_str());
            self.value(&attribute.value);
        }
        self.out.push('>');
        self.open.push(Opened { name: element.name.as_str().into(), before });
    }

    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        escape(value, &mut self.out, |c| match c {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '"' => Some("&quot;"),
            '\t' => Some("&#x9;"),
            '\n' => Some("&#xA;"),
            '\r' => Some("&#xD;"),
            _ => None,
        });
        self.out.push('"');
    }

    pub(super) fn end(&mut self) {
        if let Some(opened) = self.open.pop() {
            self.written.truncate(opened.before);
            self.out.push_str("</");
            self.out.push_str(&opened.name);
            self.out.push('>');
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        escape(text, &mut self.out, |c| match c {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '\r' => Some("&#xD;"),
            _ => None,
        });
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.out.push_str("<!--");
        self.out.push_str(text);
        self.out.push_str("-->");
    }

    /// `text` is the target followed by the data.
    pub(super) fn instruction(&mut self, text: &str) {
        let space = |c: char| c.is_ascii_whitespace();
        let (target, data) = text.split_once(space).unwrap_or((text, ""));
        let data = data.trim_start_matches(space);
        let between = if data.is_empty() { "" } else { " " };
        self.out.extend(["<?", target, between, data, "?>"]);
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

fn escape(text: &str, out: &mut String, reference: impl Fn(char) -> Option<&'static str>) {
    for c in text.chars() {
        match reference(c) {
            Some(reference) => out.push_str(reference),
            None => out.push(c),
        }
    }
}
