//! Terms without a label in words, and class expressions as sentences, for readers who do not know the code.

use super::labels::local_name;
use kgq_syntax::rdf::vocabulary::rdf;
use kgq_syntax::rdf::{BlankNode, NamedNode, Term};

/// Turns the local name of an IRI into words, `isPartOf` into "is part of"; `None` for codes such as `BFO_0000050` or
/// `P31`.
pub fn words_of(iri: &str) -> Option<String> {
    if iri == rdf::TYPE.as_str() {
        return Some("is a".to_owned());
    }
    let local = local_name(iri);
    let letters = local.chars().filter(|c| c.is_alphabetic()).count();
    let digits = local.chars().filter(char::is_ascii_digit).count();
    let readable = local.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    let long_enough = letters > 2 || local.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
    if !readable || !long_enough || digits > 2 || (digits > 0 && letters < 4) {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    for part in local.split(['_', '-', '.']).filter(|part| !part.is_empty()) {
        words.extend(humps(part));
    }
    for word in words.iter_mut().skip(1) {
        // An acronym keeps its capitals.
        if word.chars().filter(|c| c.is_uppercase()).count() < 2 {
            *word = word.to_lowercase();
        }
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// Splits `hasXMLName` into `has`, `XML`, `Name`.
fn humps(part: &str) -> Vec<String> {
    let chars: Vec<char> = part.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| chars.get(i));
        let after = chars.get(i + 1);
        let begins =
            c.is_uppercase() && before.is_some_and(|b| !b.is_uppercase() || after.is_some_and(|a| a.is_lowercase()));
        if begins && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.push(*c);
    }
    words.push(word);
    words
}

/// A piece of a class expression in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassWord {
    Word(&'static str),
    Term(Term),
    Open,
    Close,
    Comma,
}

/// Returns the statements about a blank node.
pub type FactsOf<'f> = dyn Fn(&BlankNode) -> Vec<(NamedNode, Term)> + 'f;

/// The deepest nesting of expressions, and the longest list, that are read.
const DEEPEST: usize = 6;
const LONGEST: usize = 100;

const OWL: &str = "http://www.w3.org/2002/07/owl#";
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// The facets of a datatype in words.
const FACETS: &[(&str, &str)] = &[
    ("minInclusive", "at least"),
    ("maxInclusive", "at most"),
    ("minExclusive", "more than"),
    ("maxExclusive", "less than"),
    ("pattern", "matching"),
    ("length", "of length"),
    ("minLength", "of length at least"),
    ("maxLength", "of length at most"),
    ("totalDigits", "of digits at most"),
    ("fractionDigits", "of decimals at most"),
];

/// The kinds of restrictions, the words put between property and value, and the property that names the class, if any.
const RESTRICTIONS: &[(&str, &str, Option<&str>)] = &[
    ("someValuesFrom", "some", None),
    ("allValuesFrom", "only", None),
    ("hasValue", "is", None),
    ("minCardinality", "at least", None),
    ("maxCardinality", "at most", None),
    ("cardinality", "exactly", None),
    ("minQualifiedCardinality", "at least", Some("onClass")),
    ("maxQualifiedCardinality", "at most", Some("onClass")),
    ("qualifiedCardinality", "exactly", Some("onClass")),
];

/// Returns in words the class expression or datatype that a blank node stands for; `None` if it stands for something
/// else.
pub fn expression(node: &BlankNode, facts_of: &FactsOf<'_>) -> Option<Vec<ClassWord>> {
    let mut out = Vec::new();
    Expressions { facts_of }.of_node(node, 0, &mut out)?;
    Some(out)
}

struct Expressions<'f> {
    facts_of: &'f FactsOf<'f>,
}

impl Expressions<'_> {
    fn of_node(&self, node: &BlankNode, depth: usize, out: &mut Vec<ClassWord>) -> Option<()> {
        if depth > DEEPEST {
            out.push(ClassWord::Word("…"));
            return Some(());
        }
        let facts = (self.facts_of)(node);
        let find = |name: &str| {
            facts.iter().find(|(p, _)| p.as_str().strip_prefix(OWL) == Some(name)).map(|(_, object)| object)
        };
        if let Some(property) = find("onProperty") {
            return self.restriction(property, &find, depth, out);
        }
        for (name, word) in [("unionOf", "or"), ("disjointUnionOf", "or"), ("intersectionOf", "and")] {
            if let Some(list) = find(name) {
                return self.joined(list, word, depth, out);
            }
        }
        if let Some(list) = find("oneOf") {
            out.push(ClassWord::Word("one of"));
            for (i, item) in self.list(list)?.iter().enumerate() {
                if i > 0 {
                    out.push(ClassWord::Comma);
                }
                self.part(item, depth, out);
            }
            return Some(());
        }
        for (name, word) in [("complementOf", "not"), ("datatypeComplementOf", "not"), ("inverseOf", "the inverse of")]
        {
            // A blank node with `inverseOf` is an inverse property expression; a property with an IRI is described by itself.
            if let Some(term) = find(name) {
                out.push(ClassWord::Word(word));
                self.part(term, depth, out);
                return Some(());
            }
        }
        self.datatype(find("onDatatype")?, find("withRestrictions")?, out)
    }

    fn restriction<'t>(
        &self,
        property: &Term,
        find: &dyn Fn(&str) -> Option<&'t Term>,
        depth: usize,
        out: &mut Vec<ClassWord>,
    ) -> Option<()> {
        if find("hasSelf").is_some() {
            self.part(property, depth, out);
            out.push(ClassWord::Word("itself"));
            return Some(());
        }
        let (value, word, class) =
            RESTRICTIONS.iter().find_map(|(name, word, class)| Some((find(name)?, *word, *class)))?;
        self.part(property, depth, out);
        out.push(ClassWord::Word(word));
        self.part(value, depth, out);
        if let Some(class) = class.and_then(find).or_else(|| class.and_then(|_| find("onDataRange"))) {
            self.part(class, depth, out);
        }
        Some(())
    }

    fn joined(&self, list: &Term, word: &'static str, depth: usize, out: &mut Vec<ClassWord>) -> Option<()> {
        for (i, item) in self.list(list)?.iter().enumerate() {
            if i > 0 {
                out.push(ClassWord::Word(word));
            }
            self.part(item, depth, out);
        }
        Some(())
    }

    fn datatype(&self, datatype: &Term, facets: &Term, out: &mut Vec<ClassWord>) -> Option<()> {
        out.push(ClassWord::Term(datatype.clone()));
        for (i, facet) in self.list(facets)?.iter().enumerate() {
            let Term::BlankNode(node) = facet else { continue };
            for (property, value) in (self.facts_of)(node) {
                let local = property.as_str().strip_prefix(XSD);
                let Some((_, word)) = FACETS.iter().find(|(name, _)| Some(*name) == local) else { continue };
                out.extend([
                    if i > 0 { ClassWord::Word("and") } else { ClassWord::Comma },
                    ClassWord::Word(word),
                    ClassWord::Term(value),
                ]);
            }
        }
        Some(())
    }

    /// A part of an expression, in brackets if it has several words itself.
    fn part(&self, term: &Term, depth: usize, out: &mut Vec<ClassWord>) {
        let Term::BlankNode(node) = term else {
            out.push(ClassWord::Term(term.clone()));
            return;
        };
        let mut inner = Vec::new();
        if self.of_node(node, depth + 1, &mut inner).is_none() {
            out.push(ClassWord::Word("something without a name"));
        } else if inner.len() > 1 {
            out.push(ClassWord::Open);
            out.append(&mut inner);
            out.push(ClassWord::Close);
        } else {
            out.append(&mut inner);
        }
    }

    /// The members of a list, at most [`LONGEST`]; `None` if the list is broken or empty.
    fn list(&self, head: &Term) -> Option<Vec<Term>> {
        let mut items = Vec::new();
        let mut rest = head.clone();
        while let Term::BlankNode(node) = &rest {
            let facts = (self.facts_of)(node);
            let find = |name: &str| {
                let wanted = |p: &NamedNode| {
                    p.as_str().strip_prefix("http://www.w3.org/1999/02/22-rdf-syntax-ns#") == Some(name)
                };
                facts.iter().find(|(p, _)| wanted(p)).map(|(_, object)| object.clone())
            };
            items.push(find("first")?);
            if items.len() == LONGEST {
                break;
            }
            rest = find("rest")?;
        }
        (!items.is_empty()).then_some(items)
    }
}

/// Joins the pieces into one text; `name` returns the name of a term.
pub fn sentence(pieces: &[ClassWord], name: &dyn Fn(&Term) -> String) -> String {
    let mut out = String::new();
    let mut open = true;
    for piece in pieces {
        let text = match piece {
            ClassWord::Word(word) => (*word).to_owned(),
            ClassWord::Term(term) => name(term),
            ClassWord::Open => "(".to_owned(),
            ClassWord::Close => ")".to_owned(),
            ClassWord::Comma => ",".to_owned(),
        };
        if !open && !matches!(piece, ClassWord::Close | ClassWord::Comma) {
            out.push(' ');
        }
        open = *piece == ClassWord::Open;
        out.push_str(&text);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_name_is_words_and_a_code_is_none() {
        let words = |local: &str| words_of(&format!("https://e.example/{local}"));
        for (local, expected) in [
            ("isPartOf", "is part of"),
            ("has_part", "has part"),
            ("NamedIndividual", "Named individual"),
            ("hasXMLName", "has XML name"),
            ("DOI", "DOI"),
            ("level2", "level2"),
            ("名称", "名称"),
        ] {
            assert_eq!(words(local).as_deref(), Some(expected), "{local}");
        }
        for code in ["BFO_0000050", "P31", "", "p", "a%20b"] {
            assert_eq!(words(code), None, "{code}");
        }
        assert_eq!(words_of("http://www.w3.org/1999/02/22-rdf-syntax-ns#type").as_deref(), Some("is a"));
    }
}
