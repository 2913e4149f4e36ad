//! Statements about the world that have no citation, and citations that do not hold in their sources.

use super::evidence::{Citation, CitationTerms, Citations, Ground, expand};
use super::finding::{CitationCounts, Finding, Report};
use super::subject::{Subject, as_node, triple_of};
use super::text::{Failure, Texts, verify, verify_document};
use super::{Check, Explanation};

use crate::error::{Place, Result};
use crate::project::{MANIFEST, Role};
use crate::rdf::vocabulary::{rdf, rdfs, skos};
use crate::rdf::{NamedNode, NamedOrBlankNode, Term, Triple};
use crate::text::did_you_mean;
use oxrdf::vocab::rdfs::SUB_CLASS_OF;
use rustc_hash::FxHashSet;

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "uncited",
            finds: "a statement of the data that no citation supports. The rule: in a project with [citations] in its kgq.toml \
                    (`required = true` is enough), every statement of the data files needs one, except those whose predicate is rdf:type or a \
                    label, those whose subject is part of the apparatus (the reifier of a statement, a citation, its \
                    selector, a source document), and those that `exempt-properties` and `exempt-classes` name",
            why: "nobody can say where the statement comes from, so nobody can defend it",
            mend: "give the statement a reifier that is derived from a citation, or from statements it follows from: \
                   `s p o ~ id {| prov:wasDerivedFrom citation |}`",
        },
        Explanation {
            code: "citation-span",
            finds: "a citation whose span does not lie in the text of its source, or has no start or end; spans count code \
                    points from 0, the end not included",
            why: "the place that the citation names does not exist",
            mend: "find the sentence in the source and correct start and end",
        },
        Explanation {
            code: "citation-hash",
            finds: "a citation whose span has another SHA-256 than the one stated",
            why: "the span was moved, or the source changed: the words cited are no longer those that were read",
            mend: "read the sentence at the span; if it still says what is cited, state its hash, else correct the span",
        },
        Explanation {
            code: "citation-anchor",
            finds: "a citation whose anchor does not stand exactly once in its span",
            why: "the anchor is there to find the words by; missing or twice, it points at nothing or at two things",
            mend: "take a few words that stand once in the sentence, as they stand there",
        },
        Explanation {
            code: "citation-without-place",
            finds: "a citation of a source whose text is at hand that has neither a span nor an anchor",
            why: "a reader has to search the whole text",
            mend: "add a selector with start and end, or an anchor",
        },
        Explanation {
            code: "source-text",
            finds: "a source whose text at hand has another SHA-256 or length than the graph states, or cannot be read",
            why: "every citation of the source counts in another text",
            mend: "point [sources] of kgq.toml at the right file, or state hash and length of the text as given",
        },
        Explanation {
            code: "unknown-source",
            finds: "an entry of [sources] in kgq.toml for a document that no citation names",
            why: "the IRI is most often misspelt, and then the citations of the right one are not checked",
            mend: "correct the IRI, or remove the entry",
        },
    ],
    run,
    needs_all_files: false,
};

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let terms = CitationTerms::of(subject.project, &subject.prefixes)?;
    let citations = Citations::read(subject.quads(), terms);
    let mut counts = CitationCounts::default();
    let rule = Rule::of(subject)?;
    match &rule {
        Some(rule) => {
            for (_, quad) in subject.quads_of(Role::Data) {
                if rule.exempts(&quad.subject, &quad.predicate, &citations) {
                    continue;
                }
                report.counts.statements += 1;
                let statement = triple_of(quad);
                if citations.of(&statement).is_empty() {
                    counts.missing += 1;
                    report.findings.push(uncited(subject, &statement, &citations));
                }
            }
        }
        None => report.counts.statements = subject.quads_of(Role::Data).count(),
    }
    let texts = Texts::read(subject.project);
    check_sources(subject, &citations, &texts, report);
    for citation in citations.iter() {
        check_citation(subject, citation, &citations, &texts, &mut counts, report);
    }
    // Without the rule, citations that are there are still verified and counted.
    if rule.is_some() || citations.iter().next().is_some() {
        report.counts.citations = Some(counts);
    }
    Ok(())
}

/// Which statements need no citation.
struct Rule {
    predicates: FxHashSet<NamedNode>,
    subjects: FxHashSet<NamedOrBlankNode>,
}

impl Rule {
    /// The rule of a project that asks for citations.
    fn of(subject: &Subject<'_>) -> Result<Option<Self>> {
        let settings = &subject.project.manifest.citations;
        if !settings.are_required() {
            return Ok(None);
        }
        let list = [
            rdf::TYPE,
            rdfs::LABEL,
            skos::PREF_LABEL,
            skos::ALT_LABEL,
            oxrdf::vocab::rdf::FIRST,
            oxrdf::vocab::rdf::REST,
        ];
        let mut predicates: FxHashSet<NamedNode> = list.iter().map(|p| p.into_owned()).collect();
        for name in &settings.exempt_properties {
            predicates.insert(expand(name, &subject.prefixes)?);
        }
        let mut classes: Vec<NamedNode> = Vec::new();
        for name in &settings.exempt_classes {
            classes.push(expand(name, &subject.prefixes)?);
        }
        let mut at = 0;
        while let Some(class) = classes.get(at).cloned() {
            at += 1;
            for quad in subject.quads().filter(|q| q.predicate == SUB_CLASS_OF && is(&q.object, &class)) {
                if let NamedOrBlankNode::NamedNode(sub) = &quad.subject
                    && !classes.contains(sub)
                {
                    classes.push(sub.clone());
                }
            }
        }
        let exempt = |object: &Term| classes.iter().any(|class| is(object, class));
        let members = subject.quads().filter(|q| q.predicate == rdf::TYPE && exempt(&q.object));
        Ok(Some(Self { predicates, subjects: members.map(|q| q.subject.clone()).collect() }))
    }

    fn exempts(&self, subject: &NamedOrBlankNode, predicate: &NamedNode, citations: &Citations) -> bool {
        self.predicates.contains(predicate) || self.subjects.contains(subject) || citations.is_apparatus(subject)
    }
}

fn is(term: &Term, iri: &NamedNode) -> bool {
    matches!(term, Term::NamedNode(node) if node == iri)
}

fn uncited(subject: &Subject<'_>, statement: &Triple, citations: &Citations) -> Finding {
    let shown = format!(
        "{} {} {}",
        subject.name_of(&statement.subject),
        subject.prefixes.display(statement.predicate.as_str()),
        subject.name(&statement.object)
    );
    let derived_from = subject.prefixes.display(citations.terms.derived_from.as_str());
    let reifiers = citations.reifiers(statement);
    let grounds: Vec<&Ground> = reifiers.iter().flat_map(|reifier| citations.grounds(reifier)).collect();
    let hint = match (reifiers, &grounds[..]) {
        ([], _) => format!("add a reifier after the object: ~ ID {{| {derived_from} CITATION |}}"),
        ([reifier, ..], []) => format!("{} has no {derived_from}", subject.name_of(reifier)),
        (_, [Ground::Other(other), ..]) => {
            let source = subject.prefixes.display(citations.terms.source.as_str());
            format!("{} is no citation (it has no {source}) and reifies no statement", subject.name(other))
        }
        (_, [Ground::Citation(_) | Ground::Statement(_), ..]) => {
            "the statements that it follows from have no citation either, or follow from each other".into()
        }
    };
    Finding::error("uncited", subject.place_of(statement), format!("no citation: {shown}")).hint(hint)
}

fn check_sources(subject: &Subject<'_>, citations: &Citations, texts: &Texts, report: &mut Report) {
    for error in texts.errors() {
        report.findings.push(Finding::from_error("source-text", MANIFEST, error));
    }
    let documents: Vec<&str> = citations
        .documents()
        .iter()
        .filter_map(|d| match d {
            Term::NamedNode(iri) => Some(iri.as_str()),
            Term::BlankNode(_) | Term::Literal(_) | Term::Triple(_) => None,
        })
        .collect();
    for name in subject.project.manifest.sources.keys() {
        if !documents.contains(&name.as_str()) {
            let message = format!("[sources] names {}, which no citation names", subject.prefixes.display(name));
            let finding = Finding::warning("unknown-source", Place::new(MANIFEST, 1, 1), message);
            report.findings.push(finding.hint_if(did_you_mean(name, documents.iter().copied())));
        }
    }
    for document in citations.documents() {
        let (Some(text), Some(node)) = (texts.get(document), as_node(document)) else { continue };
        let stated = |property: &Option<NamedNode>| {
            let property = property.as_ref()?;
            subject.quads().find(|q| q.subject == node && q.predicate == *property)
        };
        let value = |quad: Option<&crate::rdf::Quad>| match quad.map(|q| &q.object) {
            Some(Term::Literal(literal)) => Some(literal.value().to_owned()),
            _ => None,
        };
        let (hash, length) = (stated(&citations.terms.hash), stated(&citations.terms.length));
        for failure in verify_document(value(hash).as_deref(), value(length).as_deref(), text) {
            let quad = if matches!(failure, Failure::DocumentLength { .. }) { length } else { hash };
            let place = quad.map_or_else(|| subject.place_of_subject(&node), |q| subject.place_of(&triple_of(q)));
            report.findings.push(Finding::error(
                "source-text",
                place,
                format!("{}: {failure}", subject.name(document)),
            ));
        }
    }
}

fn check_citation(
    subject: &Subject<'_>,
    citation: &Citation,
    citations: &Citations,
    texts: &Texts,
    counts: &mut CitationCounts,
    report: &mut Report,
) {
    let name = subject.name_of(&citation.node);
    let mut failed = false;
    for source in &citation.sources {
        let Some(text) = texts.get(source) else {
            *counts.unchecked.entry(subject.name(source)).or_default() += 1;
            continue;
        };
        if citation.selectors.is_empty() && citation.anchors.is_empty() {
            let message = format!("{name} names no place in {}, whose text is at hand", subject.name(source));
            let place = subject.place_of_subject(&citation.node);
            report.findings.push(Finding::warning("citation-without-place", place, message));
        }
        for failure in verify(citation, text) {
            failed = true;
            let place = place_of_failure(subject, citation, citations, &failure);
            report.findings.push(Finding::error(code(&failure), place, format!("{name}: {failure}")));
        }
    }
    counts.failed += usize::from(failed);
}

fn code(failure: &Failure) -> &'static str {
    match failure {
        Failure::Span { .. } => "citation-span",
        Failure::Hash { .. } => "citation-hash",
        Failure::Anchor { .. } => "citation-anchor",
        Failure::DocumentHash { .. } | Failure::DocumentLength { .. } => "source-text",
    }
}

/// The statement to mend: the selector's start or hash, or the citation's anchor.
fn place_of_failure(subject: &Subject<'_>, citation: &Citation, citations: &Citations, failure: &Failure) -> Place {
    let terms = &citations.terms;
    let of = |node: &Term, properties: &[Option<&NamedNode>]| {
        let node = as_node(node)?;
        let mut quads = subject.quads();
        let quad = quads.find(|q| q.subject == node && properties.contains(&Some(&q.predicate)))?;
        Some(subject.place_of(&triple_of(quad)))
    };
    let found = match failure {
        Failure::Span { selector, .. } => of(selector, &[Some(&terms.start), Some(&terms.end)]),
        Failure::Hash { selector, .. } => of(selector, &[terms.hash.as_ref()]),
        Failure::Anchor { anchor, .. } => {
            let holders = std::iter::once(&citation.node).cloned().map(Term::from);
            let mut holders = holders.chain(citation.selectors.iter().map(|s| s.node.clone()));
            holders.find_map(|holder| {
                let node = as_node(&holder)?;
                let mut quads = subject.quads();
                let is_anchor = |term: &Term| matches!(term, Term::Literal(l) if l.value() == anchor);
                let quad = quads.find(|q| q.subject == node && q.predicate == terms.anchor && is_anchor(&q.object))?;
                Some(subject.place_of(&triple_of(quad)))
            })
        }
        Failure::DocumentHash { .. } | Failure::DocumentLength { .. } => None,
    };
    found.unwrap_or_else(|| subject.place_of_subject(&citation.node))
}
