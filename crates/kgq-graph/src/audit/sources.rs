//! The sources of statements, looked up in a snapshot on demand.

use super::reads::{Reads, as_subject, literal};
use crate::project::CitationSettings;
use kgq_snapshot::{Snapshot, TermId};
use kgq_syntax::rdf::vocabulary::{dc, oa};
use kgq_syntax::rdf::vocabulary::{prov, rdf, rdfs, skos};
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, NamedOrBlankNode, Prefixes, Quad, Term, TermRef, Triple};
use rustc_hash::FxHashSet;

/// A reified triple, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub reifier: NamedOrBlankNode,
    pub triple: Triple,
    /// Citations that it rests on directly.
    pub citations: Vec<NamedNode>,
    /// The reifiers of the statements that it is inferred from.
    pub grounds: Vec<NamedOrBlankNode>,
}

/// A place in a source document, or the document as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    pub iri: NamedNode,
    pub document: Option<NamedNode>,
    pub selector: Option<NamedOrBlankNode>,
    pub span: Option<Span>,
    pub anchor: Option<String>,
    /// SHA-256 of the span's text in UTF-8, in hexadecimal digits.
    pub hash: Option<String>,
    pub sentences: Vec<String>,
}

/// A span in code points from 0, the end excluded (Web Annotation Data Model §4.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A source document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub iri: NamedNode,
    pub title: Option<String>,
    pub publisher: Option<String>,
    pub date: Option<String>,
    /// SHA-256 of the text, in hexadecimal digits.
    pub hash: Option<String>,
    /// Length of the text in code points.
    pub length: Option<usize>,
    /// Whether the graph says that the text is available; `None` if it does not say.
    pub at_hand: Option<bool>,
}

/// The properties of a document that name its publisher.
pub(super) const PUBLISHERS: [NamedNodeRef<'static>; 3] =
    [dc::PUBLISHER, dc::ELEMENTS_PUBLISHER, prov::WAS_ATTRIBUTED_TO];

/// The properties that are looked up for many nodes.
const PROPERTIES: [NamedNodeRef<'static>; 8] = [
    rdf::TYPE,
    rdfs::SUB_CLASS_OF,
    prov::WAS_DERIVED_FROM,
    oa::HAS_SOURCE,
    oa::HAS_SELECTOR,
    oa::START,
    oa::END,
    dc::IS_PART_OF,
];

/// The citations of a graph. Check that the snapshot was intact before reporting anything from it.
pub struct Audit<'a> {
    reads: Reads<'a>,
    settings: Settings,
    exempt_classes: Vec<TermId>,
}

#[derive(Clone, Debug, Default)]
struct Settings {
    anchor: Option<NamedNode>,
    hash: Option<NamedNode>,
    sentence: Option<NamedNode>,
    length: Option<NamedNode>,
    at_hand: Option<NamedNode>,
    states_nothing: Option<NamedNode>,
    wording: Option<NamedNode>,
    quoted: Option<NamedNode>,
    exempt_properties: Vec<NamedNode>,
    exempt_classes: Vec<NamedNode>,
}

impl Settings {
    fn of(settings: &CitationSettings, prefixes: &Prefixes) -> Self {
        let node = |name: &String| {
            let iri = name.trim_start_matches('<').trim_end_matches('>');
            prefixes.expand(name).or_else(|| NamedNode::new(iri).ok())
        };
        let one = |name: &Option<String>| name.as_ref().and_then(node);
        Self {
            anchor: one(&settings.anchor).or_else(|| Some(oa::EXACT.into_owned())),
            hash: one(&settings.hash),
            sentence: one(&settings.sentence),
            length: one(&settings.length),
            at_hand: one(&settings.text_at_hand),
            states_nothing: one(&settings.states_nothing),
            wording: one(&settings.wording),
            quoted: one(&settings.quoted),
            exempt_properties: settings.exempt_properties.iter().filter_map(node).collect(),
            exempt_classes: settings.exempt_classes.iter().filter_map(node).collect(),
        }
    }
}

impl<'a> Audit<'a> {
    pub fn new(snapshot: &'a Snapshot, settings: &CitationSettings, prefixes: &Prefixes) -> Self {
        let settings = Settings::of(settings, prefixes);
        let own = [&settings.anchor, &settings.hash, &settings.sentence, &settings.wording];
        let own = own.into_iter().flatten().map(NamedNode::as_ref);
        let reads = Reads::new(snapshot, PROPERTIES.into_iter().chain(own));
        let exempt_classes =
            settings.exempt_classes.iter().filter_map(|class| reads.id(class.as_ref().into())).collect();
        Self { reads, settings, exempt_classes }
    }

    /// Whether anything in the graph is cited: otherwise a missing citation means nothing.
    pub fn has_citations(&self) -> bool {
        self.reads.each(prov::WAS_DERIVED_FROM).any(|[reifier, ..]| self.reads.reified(reifier).is_some())
    }

    /// Returns the rule for which statements need a citation, as `kgq check` prints it.
    pub fn rule(&self, prefixes: &Prefixes) -> String {
        let mut rule = String::from(
            "every statement of the data files needs one, except those whose subject is a reifier, a citation, its selector \
             or a source document, and except rdf:type and labels",
        );
        let list =
            |nodes: &[NamedNode]| nodes.iter().map(|n| prefixes.display(n.as_str())).collect::<Vec<_>>().join(", ");
        if !self.settings.exempt_properties.is_empty() {
            rule.push_str(&format!("; except the properties {}", list(&self.settings.exempt_properties)));
        }
        if !self.settings.exempt_classes.is_empty() {
            rule.push_str(&format!("; except what is said of members of {}", list(&self.settings.exempt_classes)));
        }
        rule
    }

    /// Whether a statement needs no citation.
    pub(crate) fn is_exempt(&self, triple: &Triple) -> bool {
        let predicate = triple.predicate.as_ref();
        if [rdf::TYPE, rdfs::LABEL, skos::PREF_LABEL, skos::ALT_LABEL].contains(&predicate)
            || predicate == rdf::REIFIES
            || self.settings.exempt_properties.iter().any(|p| p.as_ref() == predicate)
        {
            return true;
        }
        self.reads.node(&triple.subject).is_some_and(|subject| {
            let plays_a_part = [oa::HAS_SOURCE, oa::HAS_SELECTOR];
            self.reads.reified(subject).is_some()
                || plays_a_part.into_iter().any(|property| self.reads.is_value(subject, property))
                || self.is_span(subject)
                || self.reads.has(subject, oa::HAS_SOURCE)
                || self.is_of_exempt_class(subject)
        })
    }

    /// Whether a node is a span of text: a selector that no citation uses is one too.
    fn is_span(&self, node: TermId) -> bool {
        [oa::START, oa::END].into_iter().all(|property| self.reads.has(node, property))
    }

    fn is_of_exempt_class(&self, node: TermId) -> bool {
        if self.exempt_classes.is_empty() {
            return false;
        }
        let mut classes: Vec<TermId> = self.reads.objects(node, rdf::TYPE).collect();
        let mut at = 0;
        while let Some(class) = classes.get(at).copied() {
            at += 1;
            if self.exempt_classes.contains(&class) {
                return true;
            }
            for wider in self.reads.objects(class, rdfs::SUB_CLASS_OF) {
                if !classes.contains(&wider) {
                    classes.push(wider);
                }
            }
        }
        false
    }

    /// Returns what a reifier says its statement rests on that is neither a citation (it has no source) nor another
    /// statement.
    pub(crate) fn baseless_grounds(&self, reifier: &NamedOrBlankNode) -> Vec<Term> {
        let rests = |ground: &TermId| self.reads.reified(*ground).is_some() || self.reads.has(*ground, oa::HAS_SOURCE);
        let Some(reifier) = self.reads.node(reifier) else { return Vec::new() };
        let grounds = self.reads.objects(reifier, prov::WAS_DERIVED_FROM).filter(|ground| !rests(ground));
        grounds.map(|ground| self.reads.term(ground)).collect()
    }

    /// Returns the property for anchors.
    pub fn anchor_property(&self) -> Option<&NamedNode> {
        self.settings.anchor.as_ref()
    }

    /// Whether a reifier says that the text in its statement's object is quoted.
    pub(crate) fn is_quoted(&self, reifier: &NamedOrBlankNode) -> bool {
        let (Some(wording), Some(quoted)) = (&self.settings.wording, &self.settings.quoted) else { return false };
        self.objects(reifier, wording.as_ref()).any(|value| matches!(value, Term::NamedNode(node) if node == *quoted))
    }

    /// Returns why nothing rests on the sentence of a selector, according to the graph; in English if possible.
    pub(super) fn states_nothing(&self, selector: &NamedOrBlankNode) -> Option<String> {
        let property = self.settings.states_nothing.as_ref()?;
        let reasons: Vec<Term> = self.objects(selector, property.as_ref()).collect();
        let english = reasons.iter().find(|t| matches!(t, Term::Literal(l) if l.language() == Some("en")));
        english.or(reasons.first()).and_then(literal).map(str::to_owned)
    }

    /// Returns the selectors of a document: those of its citations, and those said to be part of it.
    pub(super) fn selectors(&self, document: &NamedNode) -> Vec<NamedOrBlankNode> {
        let Some(document) = self.reads.id(document.as_ref().into()) else { return Vec::new() };
        let is_named = |citation: &TermId| matches!(self.reads.term(*citation), Term::NamedNode(_));
        let of_citations = self.reads.subjects(oa::HAS_SOURCE, document).filter(is_named);
        let cited = of_citations.flat_map(|citation| self.reads.objects(citation, oa::HAS_SELECTOR));
        let parts = self.reads.subjects(dc::IS_PART_OF, document);
        let mut seen = FxHashSet::default();
        let selectors = cited.chain(parts).filter(|node| self.is_span(*node) && seen.insert(*node));
        selectors.filter_map(|node| self.reads.subject(node)).collect()
    }

    /// Returns the span of a selector and the numbers of its sentences.
    pub(super) fn sentences_of(&self, selector: &NamedOrBlankNode) -> (Option<Span>, Vec<String>) {
        let number = |property| self.objects(selector, property).find_map(|t| literal(&t)?.parse().ok());
        let span = number(oa::START).zip(number(oa::END)).map(|(start, end)| Span { start, end });
        let numbers = self.settings.sentence.iter().flat_map(|property| self.objects(selector, property.as_ref()));
        (span, numbers.filter_map(|t| literal(&t).map(str::to_owned)).collect())
    }

    /// Returns the property for sentence numbers.
    pub(crate) fn sentence_property(&self) -> Option<&NamedNode> {
        self.settings.sentence.as_ref()
    }

    /// Returns the property for hashes of spans and documents.
    pub fn hash_property(&self) -> Option<&NamedNode> {
        self.settings.hash.as_ref()
    }

    /// Returns the property for a document's length.
    pub(crate) fn length_property(&self) -> Option<&NamedNode> {
        self.settings.length.as_ref()
    }

    /// Whether any graph of the dataset has the triple.
    pub fn holds(&self, triple: &Triple) -> bool {
        self.reads.holds(triple)
    }

    /// Returns the first file with the triple, for each graph that has it.
    pub(super) fn files_of<'t>(&'t self, triple: &'t Triple) -> impl Iterator<Item = usize> + 't {
        self.reads.of_triple(triple).filter_map(|statement| self.reads.file(statement))
    }

    /// The statements of a triple: one for each of its reifiers.
    pub fn statements(&self, triple: &Triple) -> Vec<Statement> {
        let of = |reifier: TermId| self.statement_of(reifier, triple.clone());
        self.reifiers_of(triple).into_iter().filter_map(of).collect()
    }

    /// Returns the statements of a triple; for an `rdf:reifies` triple also the statement that is reified.
    pub fn behind(&self, triple: &Triple) -> Vec<Statement> {
        let mut statements = self.statements(triple);
        if triple.predicate.as_ref() == rdf::REIFIES {
            statements.extend(self.statement(&triple.subject));
        }
        statements
    }

    /// Returns the statement with this reifier.
    pub fn statement(&self, reifier: &NamedOrBlankNode) -> Option<Statement> {
        let reifier = self.reads.node(reifier)?;
        let triple = self.reads.reified(reifier)?;
        self.statement_of(reifier, self.reads.triple(triple)?)
    }

    fn statement_of(&self, reifier: TermId, triple: Triple) -> Option<Statement> {
        let (mut citations, mut grounds) = (Vec::new(), Vec::new());
        for source in self.reads.objects(reifier, prov::WAS_DERIVED_FROM) {
            match self.reads.term(source) {
                Term::NamedNode(node) if self.reads.reified(source).is_some() => grounds.push(node.into()),
                Term::NamedNode(node) => citations.push(node),
                Term::BlankNode(node) => grounds.push(node.into()),
                Term::Literal(_) | Term::Triple(_) => {}
            }
        }
        Some(Statement { reifier: self.reads.subject(reifier)?, triple, citations, grounds })
    }

    /// Returns the distinct citations of a statement, of its grounds, and of theirs.
    pub fn all_citations(&self, statement: &Statement) -> Vec<NamedNode> {
        let mut found: Vec<NamedNode> = Vec::new();
        let mut seen: FxHashSet<NamedOrBlankNode> = FxHashSet::from_iter([statement.reifier.clone()]);
        let mut open = vec![statement.clone()];
        while let Some(statement) = open.pop() {
            for citation in statement.citations {
                if !found.contains(&citation) {
                    found.push(citation);
                }
            }
            for ground in statement.grounds {
                if seen.insert(ground.clone()) {
                    open.extend(self.statement(&ground));
                }
            }
        }
        found
    }

    /// Whether a statement rests on a citation of a source, directly or through the statements that it follows from.
    pub fn is_cited(&self, statement: &Triple) -> bool {
        let statements = self.statements(statement);
        let mut citations = statements.iter().flat_map(|statement| self.all_citations(statement));
        citations.any(|citation| self.citation(&citation).document.is_some())
    }

    /// The citation with its first selector.
    pub fn citation(&self, iri: &NamedNode) -> Citation {
        let subject = NamedOrBlankNode::from(iri.clone());
        let selector = self.objects(&subject, oa::HAS_SELECTOR).find_map(|node| as_subject(&node));
        self.citation_at(iri, subject, selector)
    }

    /// The citation once for each of its selectors; once, if it has none.
    pub fn places(&self, iri: &NamedNode) -> Vec<Citation> {
        let subject = NamedOrBlankNode::from(iri.clone());
        let selectors = self.objects(&subject, oa::HAS_SELECTOR);
        let selectors: Vec<_> = selectors.filter_map(|node| as_subject(&node)).collect();
        if selectors.is_empty() {
            return vec![self.citation(iri)];
        }
        selectors.into_iter().map(|selector| self.citation_at(iri, subject.clone(), Some(selector))).collect()
    }

    fn citation_at(&self, iri: &NamedNode, subject: NamedOrBlankNode, selector: Option<NamedOrBlankNode>) -> Citation {
        let document = self.objects(&subject, oa::HAS_SOURCE).find_map(|t| match t {
            Term::NamedNode(node) => Some(node),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        });
        // The place of a citation may be described on the citation itself or on its selector.
        let places: Vec<&NamedOrBlankNode> = std::iter::once(&subject).chain(&selector).collect();
        let number = |property: NamedNodeRef<'_>| {
            places.iter().flat_map(|place| self.objects(place, property)).find_map(|t| literal(&t)?.parse().ok())
        };
        let texts = |property: &Option<NamedNode>| -> Vec<String> {
            let Some(property) = property else { return Vec::new() };
            let values = places.iter().flat_map(|place| self.objects(place, property.as_ref()));
            values.filter_map(|t| literal(&t).map(str::to_owned)).collect()
        };
        let (start, end) = (number(oa::START), number(oa::END));
        Citation {
            iri: iri.clone(),
            span: start.zip(end).map(|(start, end)| Span { start, end }),
            anchor: texts(&self.settings.anchor).into_iter().next(),
            hash: texts(&self.settings.hash).into_iter().next(),
            sentences: texts(&self.settings.sentence),
            document,
            selector,
        }
    }

    pub fn document(&self, iri: &NamedNode) -> Document {
        let subject = NamedOrBlankNode::from(iri.clone());
        let first = |properties: &[NamedNodeRef<'_>]| {
            properties.iter().find_map(|p| {
                let values: Vec<Term> = self.objects(&subject, *p).collect();
                let english = values.iter().find(|t| matches!(t, Term::Literal(l) if l.language() == Some("en")));
                english.or(values.first()).and_then(|t| self.name(t))
            })
        };
        let inferred = |property: NamedNodeRef<'_>| {
            let mut stated = self.objects(&subject, property).map(|value| Triple {
                subject: subject.clone(),
                predicate: property.into_owned(),
                object: value,
            });
            stated.any(|triple| self.statements(&triple).iter().any(|statement| !statement.grounds.is_empty()))
        };
        let publisher = PUBLISHERS.into_iter().find_map(|property| {
            let name = first(&[property])?;
            Some(if inferred(property) { format!("{name} (inferred)") } else { name })
        });
        let own = |property: &Option<NamedNode>| {
            self.objects(&subject, property.as_ref()?.as_ref()).find_map(|t| literal(&t).map(str::to_owned))
        };
        Document {
            iri: iri.clone(),
            title: first(&[dc::TITLE, rdfs::LABEL]),
            publisher,
            date: first(&[dc::ISSUED, dc::DATE, dc::CREATED]),
            hash: own(&self.settings.hash),
            length: own(&self.settings.length).and_then(|n| n.parse().ok()),
            at_hand: own(&self.settings.at_hand).map(|text| text == "true" || text == "1"),
        }
    }

    /// The text of a literal, or the label of a thing.
    fn name(&self, term: &Term) -> Option<String> {
        if let Some(text) = literal(term) {
            return Some(text.to_owned());
        }
        let subject = as_subject(term)?;
        let labels: Vec<Term> = self.objects(&subject, rdfs::LABEL).collect();
        let english = labels.iter().find(|t| matches!(t, Term::Literal(l) if l.language() == Some("en")));
        english.or(labels.first()).and_then(literal).map(str::to_owned)
    }

    /// What a reifier says besides what it reifies and rests on: its class, its rule, remarks.
    pub fn remarks(&self, reifier: &NamedOrBlankNode) -> Vec<(NamedNode, Term)> {
        let said = self.reads.node(reifier).map(|reifier| self.reads.outgoing(reifier)).unwrap_or_default();
        let is_remark = |quad: &Quad| ![rdf::REIFIES, prov::WAS_DERIVED_FROM].contains(&quad.predicate.as_ref());
        said.into_iter().filter(is_remark).map(|quad| (quad.predicate, quad.object)).collect()
    }

    /// Returns every reified triple of the graph with its reifier, in file order.
    pub(crate) fn reified_triples(&self) -> impl Iterator<Item = (NamedOrBlankNode, Triple)> + '_ {
        let all = self.reads.all(rdf::REIFIES).into_iter();
        all.filter_map(|[reifier, _, triple, _]| Some((self.reads.subject(reifier)?, self.reads.triple(triple)?)))
    }

    /// Returns every citation of the graph, that is everything with a source, in file order.
    pub fn citations(&self) -> Vec<NamedNode> {
        let mut seen = FxHashSet::default();
        let subjects = self.reads.all(oa::HAS_SOURCE).into_iter().map(|[subject, ..]| subject);
        let named = subjects.filter(|subject| seen.insert(*subject)).filter_map(|subject| self.reads.subject(subject));
        named
            .filter_map(|subject| match subject {
                NamedOrBlankNode::NamedNode(node) => Some(node),
                NamedOrBlankNode::BlankNode(_) => None,
            })
            .collect()
    }

    /// Returns the reifiers of a triple.
    pub(super) fn reifiers(&self, triple: &Triple) -> Vec<NamedOrBlankNode> {
        self.reifiers_of(triple).into_iter().filter_map(|reifier| self.reads.subject(reifier)).collect()
    }

    fn reifiers_of(&self, triple: &Triple) -> Vec<TermId> {
        let mut seen = FxHashSet::default();
        let id = self.reads.id(TermRef::Triple(triple));
        let reifiers = id.into_iter().flat_map(|triple| self.reads.subjects(rdf::REIFIES, triple));
        reifiers.filter(|reifier| seen.insert(*reifier)).collect()
    }

    pub(super) fn outgoing(&self, node: &Term) -> Vec<Quad> {
        self.reads.id(node.as_ref()).map(|node| self.reads.outgoing(node)).unwrap_or_default()
    }

    fn objects(&self, subject: &NamedOrBlankNode, property: NamedNodeRef<'_>) -> impl Iterator<Item = Term> + '_ {
        let found = self.reads.node(subject).map(|subject| self.reads.objects(subject, property));
        found.into_iter().flatten().map(|object| self.reads.term(object))
    }
}
