//! Statements about the world without a citation, and citations that their sources do not bear out.

use super::finding::Finding;
use super::report::{CitationCounts, Report};
use super::subject::{SourceFile, Subject};
use super::{Check, Explanation};
use crate::audit::{Audit, Citation, Failure, span_of, verify, verify_document};
use crate::project::{MANIFEST, Role};
use kgq_snapshot::Ids;
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::vocabulary::oa;
use kgq_syntax::rdf::{NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, Triple};
use kgq_syntax::text::did_you_mean;
use std::collections::{BTreeMap, BTreeSet};

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
                   `s p o ~ id {| prov:wasDerivedFrom citation |}`. For example: \
                   `id:ada voc:memberOf id:research ~ id:s1 {| prov:wasDerivedFrom id:c1 |} . \
                   id:c1 oa:hasSource id:handbook ; oa:hasSelector [ oa:start 120 ; oa:end 168 ; oa:exact \"joined the team\" ] .` \
                   (oa: is <http://www.w3.org/ns/oa#>, prov: is <http://www.w3.org/ns/prov#>); the text of the handbook lies where \
                   [sources] in kgq.toml says",
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
            code: "citation-quote",
            finds: "a text that is said to be quoted (`wording` and `quoted` in [citations] of kgq.toml name how) and does not stand in \
                    any span that its statement cites; capital letters are not compared",
            why: "a reader takes the words for the source's, and they are not",
            mend: "quote the words as they stand, or say that they are a translation or the graph's own",
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
            code: "citation-setting",
            finds: "a name in [citations] of kgq.toml that is neither an IRI nor a CURIE with a known prefix",
            why: "what it should name is not read: anchors, hashes or exemptions are passed over",
            mend: "correct the name, or declare its prefix in [prefixes]",
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
    let settings = &subject.project.manifest.citations;
    check_settings(subject, report);
    let audit = Audit::new(subject.snapshot(), settings, &subject.prefixes);
    let mut counts = CitationCounts::default();
    if settings.are_required() {
        counts.rule = Some(audit.rule(&subject.prefixes));
        for file in subject.files.iter().filter(|file| file.role == Role::Data) {
            for ids in subject.written_in(file) {
                let Some(statement) = subject.triple(*ids) else { continue };
                if audit.is_exempt(&statement) {
                    continue;
                }
                counts.needed += 1;
                if !audit.is_cited(&statement) {
                    counts.missing += 1;
                    report.findings.push(uncited(subject, (file, *ids), &statement, &audit));
                }
            }
        }
    }
    let citations = audit.citations();
    let texts = read_texts(subject, report);
    check_documents(subject, &audit, &citations, &texts, report);
    for citation in &citations {
        check_citation(subject, citation, &audit, &texts, &mut counts, report);
    }
    check_quotes(subject, &audit, &texts, report);
    // Existing citations are verified even if the project does not ask for any.
    if counts.rule.is_some() || !citations.is_empty() {
        report.counts.citations = Some(counts);
    }
    Ok(())
}

fn check_settings(subject: &Subject<'_>, report: &mut Report) {
    let settings = &subject.project.manifest.citations;
    let single = [
        &settings.anchor,
        &settings.hash,
        &settings.sentence,
        &settings.length,
        &settings.text_at_hand,
        &settings.states_nothing,
        &settings.wording,
        &settings.quoted,
    ];
    let names = single.into_iter().flatten().chain(&settings.exempt_properties).chain(&settings.exempt_classes);
    for name in names {
        if subject.expand(name).is_none() {
            let message = format!("`{name}` is neither an IRI nor a CURIE with a known prefix");
            let near = name.split_once(':').and_then(|(prefix, _)| did_you_mean(prefix, subject.prefixes.names()));
            report
                .findings
                .push(Finding::error("citation-setting", subject.place_in_manifest(name), message).hint_if(near));
        }
    }
}

fn uncited(subject: &Subject<'_>, (file, ids): (&SourceFile, Ids), statement: &Triple, audit: &Audit<'_>) -> Finding {
    let shown = format!(
        "{} {} {}",
        subject.name_of(&statement.subject),
        subject.prefixes.display(statement.predicate.as_str()),
        subject.name(&statement.object)
    );
    let derived_from = subject.prefixes.display("http://www.w3.org/ns/prov#wasDerivedFrom");
    let statements = audit.statements(statement);
    let hint = match &statements[..] {
        [] => format!("add a reifier after the object: ~ ID {{| {derived_from} CITATION |}}"),
        [first, ..] => match audit.baseless_grounds(&first.reifier).first() {
            Some(ground) => {
                let source = subject.prefixes.display(oa::HAS_SOURCE.as_str());
                format!("{} is no citation (it has no {source}) and reifies no statement", subject.name(ground))
            }
            None if first.citations.is_empty() && first.grounds.is_empty() => {
                format!("{} has no {derived_from}", subject.name_of(&first.reifier))
            }
            None => "what it follows from has no citation either, or follows from it; a citation needs an IRI".into(),
        },
    };
    let finding = Finding::error("uncited", subject.place_in(file, ids), format!("no citation: {shown}"));
    finding.about_node(&statement.subject).hint(hint)
}

/// The text of a source document.
struct SourceText {
    text: String,
    /// Whether messages may describe it: if not, they could be made to reveal any file of the user's.
    may_show: bool,
}

impl SourceText {
    /// Says what the text does not bear out, as far as that may be revealed.
    fn tell(&self, failure: &Failure) -> String {
        if self.may_show {
            return failure.to_string();
        }
        let what = match failure {
            Failure::NoSpan => return failure.to_string(),
            Failure::Span { .. } => "the span does not lie in the text",
            Failure::Hash { .. } => "the span's text has another SHA-256",
            Failure::Anchor { .. } => "the anchor does not stand once in the span",
            Failure::DocumentHash { .. } => "the text has another SHA-256",
            Failure::DocumentLength { .. } => "the text has another number of code points",
        };
        format!("{what} (it lies outside the project; with `--trust` kgq says what is there)")
    }
}

/// Reads the texts of `[sources]`, by the IRI of the document. A missing file leaves its citations unchecked; one that
/// cannot be read as text is a finding.
fn read_texts(subject: &Subject<'_>, report: &mut Report) -> BTreeMap<String, SourceText> {
    let mut texts = BTreeMap::new();
    for (document, name) in &subject.project.manifest.sources {
        let path = subject.project.root.join(name);
        // Reading a pipe or a device might never end.
        let is_other = std::fs::metadata(&path).is_ok_and(|entry| !entry.is_file());
        let read = if is_other { Err(std::io::Error::other("this is no regular file")) } else { std::fs::read(&path) };
        let error = match read.map(String::from_utf8) {
            Ok(Ok(text)) => {
                texts.insert(document.clone(), SourceText { text, may_show: subject.project.may_show(&path) });
                continue;
            }
            Ok(Err(e)) => {
                let at = e.utf8_error().valid_up_to();
                Error::input(format!("{name}: the text of a source must be UTF-8, and byte {at} is not"))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => Error::io(name, &e),
        };
        let place = subject.place_in_manifest(name);
        report.findings.push(Finding::from_error("source-text", MANIFEST, &error.at(place)));
    }
    texts
}

fn check_documents(
    subject: &Subject<'_>,
    audit: &Audit<'_>,
    citations: &[NamedNode],
    texts: &BTreeMap<String, SourceText>,
    report: &mut Report,
) {
    let documents: BTreeSet<NamedNode> = citations.iter().filter_map(|iri| audit.citation(iri).document).collect();
    for name in subject.project.manifest.sources.keys() {
        if !documents.iter().any(|document| document.as_str() == name) {
            let message = format!("[sources] names {}, which no citation names", subject.prefixes.display(name));
            let near = did_you_mean(name, documents.iter().map(NamedNode::as_str));
            let finding = Finding::warning("unknown-source", subject.place_in_manifest(name), message);
            report.findings.push(finding.hint_if(near));
        }
    }
    for iri in documents {
        let Some(text) = texts.get(iri.as_str()) else { continue };
        let node = NamedOrBlankNode::from(iri.clone());
        for failure in verify_document(&audit.document(&iri), &text.text) {
            let property = match failure {
                Failure::DocumentLength { .. } => audit.length_property(),
                _ => audit.hash_property(),
            };
            let stated = property.and_then(|p| find(subject, &node, &[p.as_ref()], None));
            let place = stated.map_or_else(|| subject.place_of_subject(&node), |q| subject.place_of(&q.into()));
            let message = format!("{}: {}", subject.prefixes.display(iri.as_str()), text.tell(&failure));
            report.findings.push(Finding::error("source-text", place, message));
        }
    }
}

fn check_citation(
    subject: &Subject<'_>,
    iri: &NamedNode,
    audit: &Audit<'_>,
    texts: &BTreeMap<String, SourceText>,
    counts: &mut CitationCounts,
    report: &mut Report,
) {
    let name = subject.prefixes.display(iri.as_str());
    let mut failed = false;
    for citation in audit.places(iri) {
        let Some(document) = &citation.document else { continue };
        let source = subject.prefixes.display(document.as_str());
        let Some(text) = texts.get(document.as_str()) else {
            *counts.unchecked.entry(source).or_default() += 1;
            return;
        };
        if citation.selector.is_none() && citation.anchor.is_none() {
            let message = format!("{name} names no place in {source}, whose text is at hand");
            let place = subject.place_of_subject(&iri.clone().into());
            report.findings.push(Finding::warning("citation-without-place", place, message));
        }
        for failure in verify(&citation, &text.text) {
            failed = true;
            let place = place_of_failure(subject, &citation, audit, &failure);
            report.findings.push(Finding::error(code(&failure), place, format!("{name}: {}", text.tell(&failure))));
        }
    }
    counts.failed += usize::from(failed);
}

/// Checks that quoted words occur in a span that their statement cites, if a cited text is available.
fn check_quotes(subject: &Subject<'_>, audit: &Audit<'_>, texts: &BTreeMap<String, SourceText>, report: &mut Report) {
    for (reifier, triple) in audit.reified_triples() {
        let Term::Literal(words) = &triple.object else { continue };
        if !audit.is_quoted(&reifier) {
            continue;
        }
        let citations = audit.statement(&reifier).map(|statement| statement.citations).unwrap_or_default();
        let places = citations.iter().flat_map(|citation| audit.places(citation));
        let span = |place: Citation| {
            // As for anchors, the message says whether the words occur there, and nothing about the rest of the text.
            let text = &texts.get(place.document?.as_str())?.text;
            text.get(span_of(text, place.span?)?)
        };
        let spans: Vec<&str> = places.filter_map(span).collect();
        let quoted = words.value().to_lowercase();
        if !spans.is_empty() && !spans.iter().any(|span| span.to_lowercase().contains(&quoted)) {
            let message =
                format!("the words {words} are said to be quoted, and stand in no span that is cited for them");
            report.findings.push(Finding::error("citation-quote", subject.place_of(&triple), message));
        }
    }
}

fn code(failure: &Failure) -> &'static str {
    match failure {
        Failure::NoSpan | Failure::Span { .. } => "citation-span",
        Failure::Hash { .. } => "citation-hash",
        Failure::Anchor { .. } => "citation-anchor",
        Failure::DocumentHash { .. } | Failure::DocumentLength { .. } => "source-text",
    }
}

/// The place of the statement to fix: the selector's start or hash, or the anchor.
fn place_of_failure(subject: &Subject<'_>, citation: &Citation, audit: &Audit<'_>, failure: &Failure) -> Place {
    let node = NamedOrBlankNode::from(citation.iri.clone());
    let properties: Vec<NamedNodeRef<'_>> = match failure {
        Failure::NoSpan | Failure::Span { .. } => vec![oa::START, oa::END],
        Failure::Hash { .. } => audit.hash_property().map(NamedNode::as_ref).into_iter().collect(),
        Failure::Anchor { .. } => audit.anchor_property().map(NamedNode::as_ref).into_iter().collect(),
        Failure::DocumentHash { .. } | Failure::DocumentLength { .. } => Vec::new(),
    };
    let value = match failure {
        Failure::Anchor { anchor, .. } => Some(anchor.as_str()),
        _ => None,
    };
    let holders = std::iter::once(&node).chain(&citation.selector);
    let found = holders.into_iter().find_map(|holder| find(subject, holder, &properties, value));
    match (found, &citation.selector) {
        (Some(quad), _) => subject.place_of(&quad.into()),
        (None, Some(selector)) if matches!(failure, Failure::NoSpan) => subject.place_of_subject(selector),
        (None, _) => subject.place_of_subject(&node),
    }
}

/// Finds a statement about a node with one of the properties, and with this text if one is given.
fn find(
    subject: &Subject<'_>,
    node: &NamedOrBlankNode,
    properties: &[NamedNodeRef<'_>],
    value: Option<&str>,
) -> Option<Quad> {
    let says = |object: &Term| value.is_none_or(|value| matches!(object, Term::Literal(l) if l.value() == value));
    let mut quads = subject.quads_about(node);
    quads.find(|quad| properties.contains(&quad.predicate.as_ref()) && says(&quad.object))
}
