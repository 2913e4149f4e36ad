//! IRIs of the vocabularies that the program itself reads, and the prefixes that people expect it to know.

/// Commonly used prefixes, in the order in which hints suggest them.
pub const WELL_KNOWN: &[(&str, &str)] = &[
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ("owl", "http://www.w3.org/2002/07/owl#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("org", "http://www.w3.org/ns/org#"),
    ("prov", "http://www.w3.org/ns/prov#"),
    ("sh", "http://www.w3.org/ns/shacl#"),
    ("schema", "https://schema.org/"),
    ("geo", "http://www.opengis.net/ont/geosparql#"),
    ("wgs84", "http://www.w3.org/2003/01/geo/wgs84_pos#"),
    ("oa", "http://www.w3.org/ns/oa#"),
    ("qudt", "http://qudt.org/schema/qudt/"),
    ("time", "http://www.w3.org/2006/time#"),
    ("void", "http://rdfs.org/ns/void#"),
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("wd", "http://www.wikidata.org/entity/"),
    ("wdt", "http://www.wikidata.org/prop/direct/"),
    ("dbo", "http://dbpedia.org/ontology/"),
    ("dbr", "http://dbpedia.org/resource/"),
];

/// The namespace of a well-known prefix.
pub fn well_known(prefix: &str) -> Option<&'static str> {
    WELL_KNOWN.iter().find(|(name, _)| *name == prefix).map(|(_, iri)| *iri)
}

pub mod rdf {
    use oxrdf::NamedNodeRef;
    pub use oxrdf::vocab::rdf::{LANG_STRING, NIL, TYPE};

    const fn term(iri: &'static str) -> NamedNodeRef<'static> {
        NamedNodeRef::new_unchecked(iri)
    }

    pub const STATEMENT: NamedNodeRef<'_> = term("http://www.w3.org/1999/02/22-rdf-syntax-ns#Statement");
    pub const SUBJECT: NamedNodeRef<'_> = term("http://www.w3.org/1999/02/22-rdf-syntax-ns#subject");
    pub const PREDICATE: NamedNodeRef<'_> = term("http://www.w3.org/1999/02/22-rdf-syntax-ns#predicate");
    pub const OBJECT: NamedNodeRef<'_> = term("http://www.w3.org/1999/02/22-rdf-syntax-ns#object");
    pub const REIFIES: NamedNodeRef<'_> = term("http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies");
}

pub mod rdfs {
    use oxrdf::NamedNodeRef;
    pub use oxrdf::vocab::rdfs::{CLASS, COMMENT, LABEL};

    pub const SUB_CLASS_OF: NamedNodeRef<'_> =
        NamedNodeRef::new_unchecked("http://www.w3.org/2000/01/rdf-schema#subClassOf");
}

pub mod skos {
    use oxrdf::NamedNodeRef;

    pub const PREF_LABEL: NamedNodeRef<'_> =
        NamedNodeRef::new_unchecked("http://www.w3.org/2004/02/skos/core#prefLabel");
    pub const ALT_LABEL: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/2004/02/skos/core#altLabel");
    pub const IN_SCHEME: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/2004/02/skos/core#inScheme");
    pub const TOP_CONCEPT_OF: NamedNodeRef<'_> =
        NamedNodeRef::new_unchecked("http://www.w3.org/2004/02/skos/core#topConceptOf");
}

pub mod prov {
    use oxrdf::NamedNodeRef;

    pub const WAS_DERIVED_FROM: NamedNodeRef<'_> =
        NamedNodeRef::new_unchecked("http://www.w3.org/ns/prov#wasDerivedFrom");
    pub const WAS_ATTRIBUTED_TO: NamedNodeRef<'_> =
        NamedNodeRef::new_unchecked("http://www.w3.org/ns/prov#wasAttributedTo");
}

/// Web Annotation Vocabulary.
pub mod oa {
    use oxrdf::NamedNodeRef;

    pub const HAS_SOURCE: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/ns/oa#hasSource");
    pub const HAS_SELECTOR: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/ns/oa#hasSelector");
    pub const START: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/ns/oa#start");
    pub const END: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/ns/oa#end");
    pub const EXACT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/ns/oa#exact");
}

/// Dublin Core: the terms, and those of the older elements that are still in use.
pub mod dc {
    use oxrdf::NamedNodeRef;

    pub const TITLE: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://purl.org/dc/terms/title");
    pub const PUBLISHER: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://purl.org/dc/terms/publisher");
    pub const ISSUED: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://purl.org/dc/terms/issued");
    pub const DATE: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://purl.org/dc/terms/date");
    pub const CREATED: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://purl.org/dc/terms/created");
    pub const IS_PART_OF: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://purl.org/dc/terms/isPartOf");
    pub const ELEMENTS_PUBLISHER: NamedNodeRef<'_> =
        NamedNodeRef::new_unchecked("http://purl.org/dc/elements/1.1/publisher");
}
