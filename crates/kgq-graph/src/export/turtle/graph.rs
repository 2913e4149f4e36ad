//! One graph as blocks of Turtle: the facts of a subject, with annotations, blank nodes and lists inline where they are used.

use kgq_syntax::budget::{Reservation, Steps};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::iri::escaped;
use kgq_syntax::rdf::language::cased;
use kgq_syntax::rdf::vocabulary::{rdf, rdfs, skos};
use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Prefixes, Quad, Term, Triple};
use kgq_syntax::sort::sorted_by_text;
use oxrdf::vocab::xsd;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub(super) const RDF_FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";
pub(super) const RDF_REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";

/// The deepest nesting of blank nodes; deeper ones get blocks of their own.
pub(super) const DEEPEST: usize = 8;

type Facts<'a> = Vec<(&'a NamedNode, &'a Term)>;

/// A graph while it is written.
pub(super) struct Graph<'a> {
    prefixes: &'a Prefixes,
    facts: FxHashMap<&'a NamedOrBlankNode, Facts<'a>>,
    /// How often a blank node is an object. Uses inside triple terms are counted so that such a node is never written
    /// inline.
    uses: FxHashMap<&'a BlankNode, u32>,
    /// Reifiers that are written with the statement that they are about.
    annotations: FxHashMap<&'a Triple, Vec<&'a NamedOrBlankNode>>,
    annotates: FxHashSet<&'a NamedOrBlankNode>,
    /// The subjects of annotated statements.
    annotated: FxHashSet<&'a NamedOrBlankNode>,
    shared: &'a FxHashSet<BlankNode>,
    done: FxHashSet<&'a NamedOrBlankNode>,
    /// Nodes at which no list starts that could be written in parentheses.
    no_lists: FxHashSet<&'a NamedOrBlankNode>,
    /// The prefixes in use, with their namespaces.
    pub(super) used: BTreeSet<(String, String)>,
    steps: &'a Steps,
    _held: Reservation,
}

/// Estimated bytes held for a statement: its entry among the facts of its subject, and the uses of its terms.
const BYTES_OF_A_FACT: u64 = 64;

impl<'a> Graph<'a> {
    pub(super) fn of(
        quads: &[&'a Quad],
        prefixes: &'a Prefixes,
        shared: &'a FxHashSet<BlankNode>,
        steps: &'a Steps,
    ) -> Result<Self> {
        let _held = steps.budget().reserve(quads.len() as u64 * BYTES_OF_A_FACT)?;
        let mut facts: FxHashMap<&NamedOrBlankNode, Facts<'_>> = FxHashMap::default();
        let mut uses: FxHashMap<&BlankNode, u32> = FxHashMap::default();
        let mut reifies: FxHashMap<&NamedOrBlankNode, Vec<&Triple>> = FxHashMap::default();
        for quad in quads {
            steps.take()?;
            facts.entry(&quad.subject).or_default().push((&quad.predicate, &quad.object));
            match &quad.object {
                Term::BlankNode(node) => *uses.entry(node).or_default() += 1,
                Term::Triple(triple) => {
                    let mut inner: &Triple = triple;
                    loop {
                        if let NamedOrBlankNode::BlankNode(node) = &inner.subject {
                            *uses.entry(node).or_default() += 2;
                        }
                        match &inner.object {
                            Term::BlankNode(node) => *uses.entry(node).or_default() += 2,
                            Term::Triple(deeper) => {
                                inner = deeper;
                                continue;
                            }
                            Term::NamedNode(_) | Term::Literal(_) => {}
                        }
                        break;
                    }
                    if quad.predicate.as_ref() == rdf::REIFIES {
                        reifies.entry(&quad.subject).or_default().push(triple);
                    }
                }
                Term::NamedNode(_) | Term::Literal(_) => {}
            }
        }
        for facts in facts.values_mut() {
            steps.take()?;
            // NUL sorts before every character of an IRI, so that a property comes before those that it is a prefix of.
            let key = |(predicate, object): &(&NamedNode, &Term)| {
                format!("{}{}\0{object}", rank(predicate), predicate.as_str())
            };
            *facts = sorted_by_text(std::mem::take(facts), key, steps.budget())?;
        }
        let mut graph = Self {
            prefixes,
            facts,
            uses,
            annotations: FxHashMap::default(),
            annotates: FxHashSet::default(),
            annotated: FxHashSet::default(),
            shared,
            done: FxHashSet::default(),
            no_lists: FxHashSet::default(),
            used: BTreeSet::new(),
            steps,
            _held,
        };
        for (reifier, triples) in reifies {
            if let [triple] = triples.as_slice()
                && graph.asserts(triple)
                // An annotation could not be written within an annotation of itself.
                && graph.facts.get(reifier).is_some_and(|f| f.iter().all(|(p, o)| p.as_ref() == rdf::REIFIES || !o.is_triple()))
                && !graph.reifies_itself(reifier, triple)
            {
                graph.annotations.entry(triple).or_default().push(reifier);
                graph.annotates.insert(reifier);
                graph.annotated.insert(&triple.subject);
            }
        }
        for reifiers in graph.annotations.values_mut() {
            reifiers.sort_by_cached_key(|r| r.to_string());
        }
        Ok(graph)
    }

    fn asserts(&self, triple: &Triple) -> bool {
        let facts = self.facts.get(&triple.subject);
        facts.is_some_and(|facts| facts.iter().any(|(p, o)| **p == triple.predicate && **o == triple.object))
    }

    /// Whether the statement's subject is itself a reifier, so that its annotation would contain an annotation: such
    /// chains are written separately.
    fn reifies_itself(&self, reifier: &NamedOrBlankNode, triple: &Triple) -> bool {
        triple.subject == *reifier
            || self.facts.get(&triple.subject).is_some_and(|f| f.iter().any(|(p, _)| p.as_ref() == rdf::REIFIES))
    }

    /// The subjects as their blocks stand: things with names first.
    pub(super) fn order(&self) -> Result<Vec<&'a NamedOrBlankNode>> {
        let key = |subject: &&NamedOrBlankNode| format!("{}{subject}", u8::from(subject.is_blank_node()));
        sorted_by_text(self.facts.keys().copied(), key, self.steps.budget())
    }

    /// Writes the block of a subject, unless it is written elsewhere: a blank node that is used once stands where it is used.
    pub(super) fn first_pass(&mut self, subject: &'a NamedOrBlankNode, out: &mut String) -> Result<()> {
        if self.is_nested(subject) { Ok(()) } else { self.second_pass(subject, out) }
    }

    /// Writes the block of a subject that no block led to, such as one of a cycle.
    pub(super) fn second_pass(&mut self, subject: &'a NamedOrBlankNode, out: &mut String) -> Result<()> {
        if self.done.contains(subject) || self.annotates.contains(subject) {
            return Ok(());
        }
        self.block(subject, out)
    }

    /// Either of both.
    pub(super) fn pass(&mut self, is_first: bool, subject: &'a NamedOrBlankNode, out: &mut String) -> Result<()> {
        if is_first { self.first_pass(subject, out) } else { self.second_pass(subject, out) }
    }

    fn is_nested(&self, subject: &NamedOrBlankNode) -> bool {
        let NamedOrBlankNode::BlankNode(node) = subject else { return false };
        self.uses.get(node) == Some(&1) && !self.shared.contains(node)
    }

    pub(super) fn block(&mut self, subject: &'a NamedOrBlankNode, out: &mut String) -> Result<()> {
        self.done.insert(subject);
        out.push('\n');
        match subject {
            NamedOrBlankNode::BlankNode(node) if !self.uses.contains_key(node) && !self.shared.contains(node) => {
                out.push_str("[]");
            }
            NamedOrBlankNode::BlankNode(node) => out.push_str(&node.to_string()),
            NamedOrBlankNode::NamedNode(node) => out.push_str(&self.iri(node.as_str())),
        }
        out.push('\n');
        self.facts_of(subject, 1, out)?;
        out.push_str("    .\n");
        Ok(())
    }

    fn facts_of(&mut self, subject: &'a NamedOrBlankNode, depth: usize, out: &mut String) -> Result<()> {
        let facts = self.facts.get(subject).cloned().unwrap_or_default();
        let indent = "    ".repeat(depth);
        for (predicate, object) in facts {
            self.steps.take()?;
            let predicate_text =
                if predicate.as_ref() == rdf::TYPE { "a".to_owned() } else { self.iri(predicate.as_str()) };
            let _ = write!(out, "{indent}{predicate_text} ");
            self.object(object, depth, out)?;
            self.annotate(subject, predicate, object, depth, out)?;
            out.push_str(" ;\n");
        }
        Ok(())
    }

    fn annotate(
        &mut self,
        subject: &NamedOrBlankNode,
        predicate: &NamedNode,
        object: &Term,
        depth: usize,
        out: &mut String,
    ) -> Result<()> {
        if self.annotations.is_empty() {
            return Ok(());
        }
        let triple = Triple::new(subject.clone(), predicate.clone(), object.clone());
        for reifier in self.annotations.get(&triple).cloned().unwrap_or_default() {
            self.done.insert(reifier);
            match reifier {
                NamedOrBlankNode::NamedNode(node) => {
                    let name = self.iri(node.as_str());
                    let _ = write!(out, " ~ {name}");
                }
                NamedOrBlankNode::BlankNode(node) => {
                    let _ = write!(out, " ~ {node}");
                }
            }
            let facts = self.facts.get(reifier).cloned().unwrap_or_default();
            let facts: Facts<'_> = facts.into_iter().filter(|(p, _)| p.as_ref() != rdf::REIFIES).collect();
            if facts.is_empty() {
                continue;
            }
            out.push_str(" {|");
            for (number, (predicate, object)) in facts.into_iter().enumerate() {
                out.push_str(if number == 0 { " " } else { " ; " });
                let predicate_text =
                    if predicate.as_ref() == rdf::TYPE { "a".to_owned() } else { self.iri(predicate.as_str()) };
                let _ = write!(out, "{predicate_text} ");
                self.object(object, depth + 1, out)?;
            }
            out.push_str(" |}");
        }
        Ok(())
    }

    fn object(&mut self, object: &'a Term, depth: usize, out: &mut String) -> Result<()> {
        match object {
            Term::NamedNode(node) => out.push_str(&self.iri(node.as_str())),
            Term::Literal(literal) => {
                let text = self.literal(literal);
                out.push_str(&text);
            }
            Term::Triple(triple) => {
                let text = self.triple(triple);
                out.push_str(&text);
            }
            Term::BlankNode(node) => self.blank(node, depth, out)?,
        }
        Ok(())
    }

    fn blank(&mut self, node: &'a BlankNode, depth: usize, out: &mut String) -> Result<()> {
        let subject = self.facts.get_key_value(&NamedOrBlankNode::from(node.clone())).map(|(key, _)| *key);
        let Some(subject) = subject.filter(|s| self.is_nested(s) && !self.done.contains(s) && depth < DEEPEST) else {
            let alone = subject.is_none() && self.uses.get(node) == Some(&1) && !self.shared.contains(node);
            out.push_str(&if alone { "[]".to_owned() } else { node.to_string() });
            return Ok(());
        };
        if let Some(items) = self.list(subject)? {
            out.push('(');
            for item in items {
                out.push(' ');
                self.object(item, depth + 1, out)?;
            }
            out.push_str(" )");
            return Ok(());
        }
        self.done.insert(subject);
        out.push_str("[\n");
        self.facts_of(subject, depth + 1, out)?;
        out.push_str(&"    ".repeat(depth));
        out.push(']');
        Ok(())
    }

    /// Returns the members of the list that starts here if Turtle can write it in parentheses; its nodes are then done.
    fn list(&mut self, start: &'a NamedOrBlankNode) -> Result<Option<Vec<&'a Term>>> {
        let (mut node, mut items, mut nodes) = (start, Vec::new(), FxHashSet::default());
        while let Some((item, next)) = self.cell(node).filter(|_| nodes.insert(node)) {
            self.steps.take()?;
            items.push(item);
            match next {
                Some(next) => node = next,
                None => {
                    self.done.extend(nodes);
                    return Ok(Some(items));
                }
            }
        }
        // No such list starts at any of these nodes either: from each, the chain ends or goes in a circle in the same
        // way.
        self.no_lists.extend(nodes);
        Ok(None)
    }

    /// Returns the item of a list node, and the node after it unless it is the last; `None` if it cannot be in
    /// parentheses.
    fn cell(&self, node: &NamedOrBlankNode) -> Option<(&'a Term, Option<&'a NamedOrBlankNode>)> {
        let [(first, item), (rest, next)] = self.facts.get(node)?.as_slice() else { return None };
        let is_cell = first.as_str() == RDF_FIRST && rest.as_str() == RDF_REST;
        if !is_cell || self.annotated.contains(node) || self.no_lists.contains(node) {
            return None;
        }
        match next {
            Term::NamedNode(end) if end.as_ref() == rdf::NIL => Some((item, None)),
            Term::BlankNode(next) => {
                let next = self.facts.get_key_value(&NamedOrBlankNode::from(next.clone())).map(|(key, _)| *key)?;
                (self.is_nested(next) && !self.done.contains(next)).then_some((*item, Some(next)))
            }
            _ => None,
        }
    }

    fn triple(&mut self, triple: &Triple) -> String {
        let subject = match &triple.subject {
            NamedOrBlankNode::NamedNode(node) => self.iri(node.as_str()),
            NamedOrBlankNode::BlankNode(node) => node.to_string(),
        };
        let predicate = self.iri(triple.predicate.as_str());
        let object = match &triple.object {
            Term::NamedNode(node) => self.iri(node.as_str()),
            Term::BlankNode(node) => node.to_string(),
            Term::Literal(literal) => self.literal(literal),
            Term::Triple(inner) => self.triple(inner),
        };
        format!("<<( {subject} {predicate} {object} )>>")
    }

    fn literal(&mut self, literal: &Literal) -> String {
        let value = literal.value();
        if let Some(language) = literal.language() {
            let direction = literal.direction().map(|d| format!("--{d}")).unwrap_or_default();
            return format!("{}@{}{direction}", quote(value), cased(language));
        }
        let datatype = literal.datatype();
        let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let bare = if datatype == xsd::INTEGER {
            !digits.is_empty() && all_digits(digits)
        } else if datatype == xsd::DECIMAL {
            digits.split_once('.').is_some_and(|(a, b)| !b.is_empty() && all_digits(a) && all_digits(b))
        } else {
            datatype == xsd::BOOLEAN && matches!(value, "true" | "false")
        };
        if bare {
            return value.to_owned();
        }
        if datatype == xsd::STRING {
            return quote(value);
        }
        format!("{}^^{}", quote(value), self.iri(datatype.as_str()))
    }

    fn iri(&mut self, iri: &str) -> String {
        let (text, used) = shortened(iri, self.prefixes);
        self.used.extend(used);
        text
    }

    /// Whether the block of a subject was written, or it stands in another's.
    pub(super) fn is_done(&self, subject: &NamedOrBlankNode) -> bool {
        self.done.contains(subject)
    }

    /// Whether it is known that no list in parentheses starts at a node.
    pub(super) fn starts_no_list(&self, node: &NamedOrBlankNode) -> bool {
        self.no_lists.contains(node)
    }
}

/// An IRI as it is written, and the prefix that it needs with its namespace.
pub(super) fn shortened(iri: &str, prefixes: &Prefixes) -> (String, Option<(String, String)>) {
    let Some(short) = prefixes.shorten(iri) else { return (format!("<{}>", escaped(iri)), None) };
    let split = short.split_once(':').map(|(prefix, _)| prefix);
    let used = split.and_then(|prefix| Some((prefix.to_owned(), prefixes.get(prefix)?.to_owned())));
    (short, used)
}

/// The order of predicates: types first, then names, then the rest.
fn rank(predicate: &NamedNode) -> u8 {
    let predicate = predicate.as_ref();
    if predicate == rdf::TYPE {
        0
    } else if [skos::PREF_LABEL, rdfs::LABEL].contains(&predicate) {
        1
    } else if predicate == skos::ALT_LABEL {
        2
    } else {
        3
    }
}

fn quote(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if kgq_syntax::text::is_unsafe(c) && u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
