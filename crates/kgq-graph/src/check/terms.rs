//! Classes, properties and datatypes that are used but declared nowhere.

use super::finding::Finding;
use super::report::Report;
use super::subject::{SourceFile, Subject};
use super::{Check, Explanation};
use crate::project::Role;
use kgq_snapshot::{Ids, TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::near::NearNames;
use kgq_syntax::rdf::vocabulary::{WELL_KNOWN, oa, prov};
use kgq_syntax::rdf::{NamedNode, NamedNodeRef};
use kgq_syntax::text::count;
use oxrdf::vocab::rdf;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    codes: &[
        Explanation {
            code: "undefined-term",
            finds: "a class, property or datatype that is used, but declared nowhere, although other terms of its vocabulary are",
            why: "most often it is a misspelling: queries for the right name miss the statement, and nobody is told",
            mend: "correct the name, or declare the term in the ontology (for a vocabulary of others, in the file that declares its terms in use)",
        },
        Explanation {
            code: "undeclared-vocabulary",
            finds: "a vocabulary of which terms are used, but not one is declared in the project",
            why: "misspelt terms of it cannot be told from right ones, so they are not checked",
            mend: "declare the terms in use in a file of the ontology, for example ontology/imports/NAME.ttl",
        },
    ],
    run,
    needs_all_files: true,
};

/// How a term is used: how often, and the first statement using it in each file.
struct Use<'s> {
    kind: &'static str,
    first: Vec<(&'s SourceFile, Ids, usize)>,
}

fn run(subject: &Subject<'_>, report: &mut Report) -> Result<()> {
    let (declared, described) = declared(subject);
    let vocabularies = Vocabularies::of(&declared, &described);
    let mut unknown: BTreeMap<&str, Vec<(NamedNodeRef<'_>, &Use<'_>)>> = BTreeMap::new();
    let used = used(subject);
    let mut near = FxHashMap::default();
    for (term, used) in &used {
        let term = term.as_ref();
        if declared.contains(term.as_str()) || is_built_in(term.as_str()) || subject.imports.may_declare(term) {
            continue;
        }
        let namespace = namespace(term.as_str());
        if vocabularies.are_at_hand(namespace) {
            let names = near.entry(namespace).or_insert_with(|| vocabularies.near_names(namespace));
            let hint = meant(subject, term, names);
            report.findings.extend(undefined(subject, term, used, hint.as_deref()));
        } else {
            unknown.entry(namespace).or_default().push((term, used));
        }
    }
    if !unknown.is_empty() {
        let known = vocabularies.local_names.keys().copied().chain(WELL_KNOWN.iter().map(|(_, n)| *n));
        let known = NearNames::new(known);
        let findings = unknown.iter().map(|(namespace, terms)| {
            let is_partial = vocabularies.local_names.contains_key(*namespace);
            undeclared_vocabulary(subject, namespace, is_partial, terms, &known)
        });
        report.findings.extend(findings.flatten());
    }
    Ok(())
}

/// The declared terms by namespace, including the built-in ones.
struct Vocabularies<'s> {
    local_names: FxHashMap<&'s str, Vec<&'s str>>,
    /// Well-known namespaces without a described term. Some terms may be declared: OWL requires that of annotation
    /// properties in use.
    named_only: FxHashSet<&'s str>,
}

impl<'s> Vocabularies<'s> {
    fn of(declared: &'s FxHashSet<String>, described: &FxHashSet<String>) -> Self {
        let mut local_names: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for (namespace, names) in BUILT_IN {
            local_names.entry(namespace).or_default().extend(names.split_whitespace());
        }
        for term in declared {
            let (namespace, local) = split(term);
            local_names.entry(namespace).or_default().push(local);
        }
        let well_known = WELL_KNOWN.iter().map(|(_, namespace)| *namespace);
        let is_built_in = |namespace: &str| BUILT_IN.iter().any(|(n, _)| *n == namespace);
        let named_only = well_known.filter(|n| !described.contains(*n) && !is_built_in(n)).collect();
        Self { local_names, named_only }
    }

    /// Whether all terms of the namespace are known, so that an undeclared one cannot be in the vocabulary.
    fn are_at_hand(&self, namespace: &str) -> bool {
        self.local_names.contains_key(namespace) && !self.named_only.contains(namespace)
    }

    fn near_names(&self, namespace: &str) -> NearNames<'s> {
        NearNames::new(self.local_names.get(namespace).into_iter().flatten().copied())
    }
}

/// The term that was probably meant by an undeclared one: a similar name in its namespace, or the same name in the
/// vocabulary that has it.
fn meant(subject: &Subject<'_>, term: NamedNodeRef<'_>, names: &NearNames<'_>) -> Option<String> {
    let (namespace, local) = split(term.as_str());
    let shown = |namespace: &str, local: &str| subject.prefixes.display(&format!("{namespace}{local}"));
    // A vocabulary of the project's own has its own names, even if a common vocabulary has the same.
    let is_common = BUILT_IN.iter().any(|(common, _)| *common == namespace);
    let has_it = |(_, names): &&(&str, &str)| names.split_whitespace().any(|name| name == local);
    let elsewhere = BUILT_IN.iter().find(has_it).filter(|_| is_common);
    let near = match elsewhere {
        Some((namespace, _)) => vec![shown(namespace, local)],
        None => names.nearest(local, 2).into_iter().map(|near| shown(namespace, near)).collect(),
    };
    (!near.is_empty()).then(|| format!("did you mean `{}`?", near.join("` or `")))
}

fn undefined(subject: &Subject<'_>, term: NamedNodeRef<'_>, used: &Use<'_>, hint: Option<&str>) -> Vec<Finding> {
    let name = subject.prefixes.display(term.as_str());
    let first = used.first.iter().map(|(file, statement, times)| {
        let more = match times - 1 {
            0 => String::new(),
            more => format!(", and {more} more in this file"),
        };
        let message = format!("{} `{name}` is declared nowhere", used.kind);
        let finding = Finding::error("undefined-term", subject.place_in(file, *statement), message);
        finding.about(&term.into_owned()).more(more).hint_if(hint)
    });
    first.collect()
}

fn undeclared_vocabulary(
    subject: &Subject<'_>,
    namespace: &str,
    is_partial: bool,
    terms: &[(NamedNodeRef<'_>, &Use<'_>)],
    known: &NearNames<'_>,
) -> Option<Finding> {
    let (file, statement, _) = terms.first()?.1.first.first()?;
    let place = subject.place_in(file, *statement);
    let names: Vec<String> = terms.iter().take(3).map(|(t, _)| subject.prefixes.display(t.as_str())).collect();
    let more = if terms.len() > names.len() { ", …" } else { "" };
    let message = match is_partial {
        true => format!("<{namespace}>: a few terms are declared, but none is described"),
        false => format!("no term of <{namespace}> is declared"),
    };
    let more = format!(
        ", so the {} in use cannot be checked: {}{more}",
        count(terms.len() as u64, "one", "terms").trim_start_matches("1 "),
        names.join(", ")
    );
    // A well-known namespace is not a misspelling of another.
    let is_known = WELL_KNOWN.iter().any(|(_, known)| *known == namespace);
    let near = if is_known { Vec::new() } else { known.nearest(namespace, 1) };
    let hint = near.first().map(|near| format!("did you mean <{near}>?"));
    let finding = Finding::warning("undeclared-vocabulary", place, message).more(more).hint_if(hint);
    Some(match NamedNode::new(namespace) {
        Ok(namespace) => finding.about(&namespace),
        Err(_) => finding,
    })
}

fn split(iri: &str) -> (&str, &str) {
    iri.split_at(namespace(iri).len())
}

/// Returns the part of an IRI up to and including its last `#` or `/`.
pub fn namespace(iri: &str) -> &str {
    let end = iri.rfind(['#', '/']).map_or(iri.len(), |at| at + 1);
    &iri[..end]
}

/// Returns the terms that the ontology describes or any file declares as class or property, and the namespaces whose
/// terms have more than a declaration.
fn declared(subject: &Subject<'_>) -> (FxHashSet<String>, FxHashSet<String>) {
    let (mut found, mut described) = (FxHashSet::default(), FxHashSet::default());
    let kind = subject.id(rdf::TYPE);
    let kinds = KINDS.iter().filter_map(|class| subject.id(NamedNodeRef::new_unchecked(class)));
    let kinds: FxHashSet<TermId> = kinds.collect();
    // A shape that targets a class does not describe it: otherwise a misspelt target would count as a declaration.
    let of_shapes = subject.snapshot().iris_beginning_with(SH);
    // The outcome for the previous subject: most statements with the same subject are adjacent.
    let mut last = None;
    for (file, [node, predicate, object, _]) in subject.each() {
        let declares = Some(predicate) == kind && kinds.contains(&object);
        let describes = !of_shapes.contains(&predicate.get()) && Some(predicate) != kind;
        if !(declares || file.role == Role::Ontology && describes) || last == Some((node, Some(predicate) == kind)) {
            continue;
        }
        last = Some((node, Some(predicate) == kind));
        let Some(iri) = subject.iri(node) else { continue };
        if Some(predicate) != kind {
            described.insert(namespace(iri.as_str()).to_owned());
        }
        found.insert(iri.into_string());
    }
    for term in subject.imports.declared() {
        found.insert(term.as_str().to_owned());
        described.insert(namespace(term.as_str()).to_owned());
    }
    (found, described)
}

/// The classes whose members count as declared terms.
const KINDS: [&str; 10] = [
    "http://www.w3.org/2000/01/rdf-schema#Class",
    "http://www.w3.org/2000/01/rdf-schema#Datatype",
    "http://www.w3.org/2000/01/rdf-schema#ContainerMembershipProperty",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#Property",
    "http://www.w3.org/2002/07/owl#Class",
    "http://www.w3.org/2002/07/owl#ObjectProperty",
    "http://www.w3.org/2002/07/owl#DatatypeProperty",
    "http://www.w3.org/2002/07/owl#AnnotationProperty",
    "http://www.w3.org/2002/07/owl#OntologyProperty",
    "http://www.w3.org/ns/shacl#ConstraintComponent",
];

/// The terms in use, by name.
struct InUse<'s> {
    subject: &'s Subject<'s>,
    found: Vec<(NamedNode, Use<'s>)>,
    by_name: FxHashMap<String, usize>,
    by_id: FxHashMap<TermId, usize>,
    /// The kind of term that the objects of a property are.
    kinds: FxHashMap<TermId, Option<&'static str>>,
}

impl<'s> InUse<'s> {
    fn see(&mut self, number: usize, (file, statement): (&'s SourceFile, Ids)) {
        let used = &mut self.found[number].1;
        match used.first.last_mut() {
            Some((last, _, times)) if std::ptr::eq(*last, file) => *times += 1,
            _ => used.first.push((file, statement, 1)),
        }
    }

    fn named(&mut self, name: NamedNodeRef<'_>, kind: &'static str) -> usize {
        if let Some(number) = self.by_name.get(name.as_str()) {
            return *number;
        }
        self.found.push((name.into_owned(), Use { kind, first: Vec::new() }));
        self.by_name.insert(name.as_str().to_owned(), self.found.len() - 1);
        self.found.len() - 1
    }

    fn see_iri(&mut self, id: TermId, kind: &'static str, place: (&'s SourceFile, Ids)) {
        let number = match self.by_id.get(&id) {
            Some(number) => *number,
            None => {
                let Some(iri) = self.subject.iri(id) else { return };
                let number = self.named(iri.as_ref(), kind);
                self.by_id.insert(id, number);
                number
            }
        };
        self.see(number, place);
    }

    fn see_statement(&mut self, predicate: TermId, object: TermId, place: (&'s SourceFile, Ids)) {
        let subject = self.subject;
        self.see_iri(predicate, "the property", place);
        match subject.snapshot().kind(object) {
            TermKind::Iri => {
                let kind = || subject.iri(predicate).and_then(|predicate| kind_of_object(&predicate));
                if let Some(kind) = *self.kinds.entry(predicate).or_insert_with(kind) {
                    self.see_iri(object, kind, place);
                }
            }
            TermKind::Literal => {
                if let Some(datatype) = subject.snapshot().datatype(object) {
                    let number = self.named(datatype, "the datatype");
                    self.see(number, place);
                }
            }
            TermKind::BlankNode | TermKind::Triple => {}
        }
    }
}

fn used<'s>(subject: &'s Subject<'s>) -> Vec<(NamedNode, Use<'s>)> {
    let (by_name, by_id, kinds) = (FxHashMap::default(), FxHashMap::default(), FxHashMap::default());
    let mut used = InUse { subject, found: Vec::new(), by_name, by_id, kinds };
    for (file, statement) in subject.each() {
        let [_, predicate, object, _] = statement;
        used.see_statement(predicate, object, (file, statement));
        if let Some([_, predicate, object]) = subject.snapshot().triple_components(object) {
            used.see_statement(predicate, object, (file, statement));
        }
    }
    let mut found = used.found;
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    found
}

const SH: &str = "http://www.w3.org/ns/shacl#";
const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";
const OWL: &str = "http://www.w3.org/2002/07/owl#";

/// Returns the kind of term that the objects of a property are, if they are terms.
pub fn kind_of_object(predicate: &NamedNode) -> Option<&'static str> {
    Some(match split(predicate.as_str()) {
        ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "type") => "the class",
        (RDFS, "subClassOf" | "domain")
        | (OWL, "equivalentClass" | "disjointWith" | "someValuesFrom" | "onClass" | "complementOf") => "the class",
        (RDFS, "range") | (OWL, "allValuesFrom") => "the class or datatype",
        (RDFS, "subPropertyOf") | (OWL, "inverseOf" | "equivalentProperty" | "onProperty") => "the property",
        (SH, "targetClass" | "class") => "the class",
        (SH, "datatype") => "the datatype",
        (
            SH,
            "path" | "inversePath" | "zeroOrMorePath" | "oneOrMorePath" | "zeroOrOnePath" | "targetSubjectsOf"
            | "targetObjectsOf" | "equals" | "disjoint" | "lessThan" | "lessThanOrEquals",
        ) => "the property",
        _ => return None,
    })
}

fn is_built_in(iri: &str) -> bool {
    let (namespace, local) = iri.split_at(namespace(iri).len());
    let members = local.strip_prefix('_').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    BUILT_IN.iter().any(|(n, names)| *n == namespace && names.split_whitespace().any(|name| name == local))
        || namespace == "http://www.w3.org/1999/02/22-rdf-syntax-ns#" && members
        || OF_CITATIONS.iter().any(|term| term.as_str() == iri)
}

/// The properties that citations are read with: their meaning is known, whoever declares them.
const OF_CITATIONS: [NamedNodeRef<'_>; 6] =
    [prov::WAS_DERIVED_FROM, oa::HAS_SOURCE, oa::HAS_SELECTOR, oa::START, oa::END, oa::EXACT];

/// The complete vocabularies that RDF tools share: nobody declares them, and they are often misspelt.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "type Property Statement subject predicate object Bag Seq Alt value List nil first rest XMLLiteral HTML JSON langString \
         dirLangString CompoundLiteral language direction PlainLiteral reifies",
    ),
    (
        RDFS,
        "Resource Class subClassOf subPropertyOf comment label domain range seeAlso isDefinedBy Literal Container \
         ContainerMembershipProperty member Datatype Proposition",
    ),
    (
        OWL,
        "AllDifferent AllDisjointClasses AllDisjointProperties Annotation AnnotationProperty AsymmetricProperty Axiom Class \
         DataRange DatatypeProperty DeprecatedClass DeprecatedProperty FunctionalProperty InverseFunctionalProperty \
         IrreflexiveProperty NamedIndividual NegativePropertyAssertion Nothing ObjectProperty Ontology OntologyProperty \
         ReflexiveProperty Restriction SymmetricProperty Thing TransitiveProperty allValuesFrom annotatedProperty \
         annotatedSource annotatedTarget assertionProperty backwardCompatibleWith bottomDataProperty bottomObjectProperty \
         cardinality complementOf datatypeComplementOf deprecated differentFrom disjointUnionOf disjointWith distinctMembers \
         equivalentClass equivalentProperty hasKey hasSelf hasValue imports incompatibleWith intersectionOf inverseOf \
         maxCardinality maxQualifiedCardinality members minCardinality minQualifiedCardinality onClass onDataRange onDatatype \
         onProperties onProperty oneOf priorVersion propertyChainAxiom propertyDisjointWith qualifiedCardinality sameAs \
         someValuesFrom sourceIndividual targetIndividual targetValue topDataProperty topObjectProperty unionOf versionIRI \
         versionInfo withRestrictions rational real",
    ),
    (
        "http://www.w3.org/2001/XMLSchema#",
        "string boolean decimal float double duration dateTime time date gYearMonth gYear gMonthDay gDay gMonth hexBinary \
         base64Binary anyURI QName NOTATION normalizedString token language NMTOKEN NMTOKENS Name NCName ID IDREF IDREFS ENTITY \
         ENTITIES integer nonPositiveInteger negativeInteger long int short byte nonNegativeInteger unsignedLong unsignedInt \
         unsignedShort unsignedByte positiveInteger yearMonthDuration dayTimeDuration dateTimeStamp anySimpleType \
         anyAtomicType length minLength maxLength pattern minInclusive maxInclusive minExclusive maxExclusive totalDigits \
         fractionDigits",
    ),
    (
        SH,
        "Shape NodeShape PropertyShape deactivated targetClass targetNode targetObjectsOf targetSubjectsOf message severity \
         Severity Info Violation Warning ValidationReport conforms result shapesGraphWellFormed AbstractResult \
         ValidationResult detail focusNode resultMessage resultPath resultSeverity sourceConstraint sourceShape \
         sourceConstraintComponent value shapesGraph suggestedShapesGraph entailment path inversePath alternativePath \
         zeroOrMorePath oneOrMorePath zeroOrOnePath Parameterizable parameter labelTemplate Parameter optional \
         ConstraintComponent validator nodeValidator propertyValidator Validator SPARQLAskValidator SPARQLSelectValidator \
         SPARQLExecutable SPARQLAskExecutable ask SPARQLConstructExecutable construct SPARQLSelectExecutable select \
         SPARQLUpdateExecutable update prefixes PrefixDeclaration declare prefix namespace SPARQLConstraint sparql \
         and or not xone class closed ignoredProperties datatype disjoint equals hasValue in languageIn lessThan \
         lessThanOrEquals maxCount maxExclusive maxInclusive maxLength minCount minExclusive minInclusive minLength node \
         nodeKind NodeKind BlankNode IRI Literal BlankNodeOrIRI BlankNodeOrLiteral IRIOrLiteral pattern flags property \
         qualifiedMaxCount qualifiedMinCount qualifiedValueShape qualifiedValueShapesDisjoint uniqueLang defaultValue \
         description group name order PropertyGroup \
         AndConstraintComponent OrConstraintComponent NotConstraintComponent XoneConstraintComponent \
         ClassConstraintComponent ClosedConstraintComponent DatatypeConstraintComponent DisjointConstraintComponent \
         EqualsConstraintComponent HasValueConstraintComponent InConstraintComponent LanguageInConstraintComponent \
         LessThanConstraintComponent LessThanOrEqualsConstraintComponent MaxCountConstraintComponent \
         MaxExclusiveConstraintComponent MaxInclusiveConstraintComponent MaxLengthConstraintComponent \
         MinCountConstraintComponent MinExclusiveConstraintComponent MinInclusiveConstraintComponent \
         MinLengthConstraintComponent NodeConstraintComponent NodeKindConstraintComponent PatternConstraintComponent \
         PropertyConstraintComponent PropertyShapeComponent QualifiedMaxCountConstraintComponent \
         QualifiedMinCountConstraintComponent SPARQLConstraintComponent UniqueLangConstraintComponent \
         target Target SPARQLTarget SPARQLTargetType TargetType rule Rule TripleRule SPARQLRule condition subject predicate \
         object this expression Function SPARQLFunction returnType ExpressionConstraintComponent nodes union intersection \
         filterShape JSLibrary resultAnnotation annotationProperty annotationValue annotationVarName ResultAnnotation",
    ),
];
