//! Functions, property functions and services of other engines: which engine has them, and what SPARQL 1.1 offers instead.

/// A namespace of another engine.
pub struct Namespace {
    pub start: &'static str,
    /// The engine's name, as in "is a function of …".
    pub engine: &'static str,
}

/// Returns the foreign namespace that an IRI belongs to.
pub fn namespace(iri: &str) -> Option<&'static Namespace> {
    NAMESPACES.iter().find(|namespace| iri.starts_with(namespace.start))
}

/// Whether an IRI used as a predicate is computed by its engine and occurs in no data.
pub fn is_property_function(iri: &str) -> bool {
    PROPERTY_FUNCTIONS.iter().any(|start| iri.starts_with(start))
}

/// Returns what to write instead of a function, by its name after the namespace.
pub fn instead(iri: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(end, _)| iri.ends_with(end)).map(|(_, instead)| *instead)
}

const NAMESPACES: &[Namespace] = &[
    Namespace { start: "http://www.w3.org/2005/xpath-functions", engine: "XPath" },
    Namespace { start: "http://jena.apache.org/", engine: "Apache Jena" },
    Namespace { start: "http://jena.hpl.hp.com/", engine: "Apache Jena" },
    Namespace { start: "java:", engine: "Apache Jena" },
    Namespace { start: "http://www.dotnetrdf.org/leviathan#", engine: "dotNetRDF and Apache Jena" },
    Namespace { start: "http://spinrdf.org/", engine: "TopBraid (SPIN)" },
    Namespace { start: "http://topbraid.org/", engine: "TopBraid" },
    Namespace { start: "http://www.ontotext.com/", engine: "GraphDB" },
    Namespace { start: "http://www.openrdf.org/", engine: "RDF4J" },
    Namespace { start: "http://rdf4j.org/", engine: "RDF4J" },
    Namespace { start: "bif:", engine: "Virtuoso" },
    Namespace { start: "sql:", engine: "Virtuoso" },
    Namespace { start: "http://www.openlinksw.com/schema", engine: "Virtuoso" },
    Namespace { start: "tag:stardog:", engine: "Stardog" },
    Namespace { start: "http://franz.com/ns/", engine: "AllegroGraph" },
    Namespace { start: "http://www.bigdata.com/", engine: "Blazegraph" },
    Namespace { start: "http://wikiba.se/ontology#", engine: "the Wikidata Query Service" },
    Namespace { start: "http://oxfordsemantic.tech/", engine: "RDFox" },
    Namespace { start: "http://marklogic.com/", engine: "MarkLogic" },
    Namespace { start: "http://comunica.dev/", engine: "Comunica" },
    Namespace { start: "http://www.opengis.net/def/function/", engine: "engines with GeoSPARQL" },
    Namespace { start: "http://qudt.org/", engine: "engines that know QUDT" },
];

const PROPERTY_FUNCTIONS: &[&str] = &[
    "http://jena.apache.org/ARQ/property#",
    "http://jena.apache.org/ARQ/list#",
    "http://jena.hpl.hp.com/ARQ/property#",
    "http://jena.hpl.hp.com/ARQ/list#",
    "http://jena.apache.org/text#",
    "http://jena.apache.org/spatial#",
    "java:",
    "bif:",
    "tag:stardog:api:property:",
    "http://www.bigdata.com/rdf/search#",
    "http://www.bigdata.com/queryHints#",
    "http://www.openrdf.org/contrib/lucenesail#",
    "http://www.ontotext.com/connectors/",
    "http://www.ontotext.com/owlim/lucene#",
    "http://franz.com/ns/allegrograph/2.2/textindex/",
];

/// `?x` and the like stand for the arguments.
const INSTEAD: &[(&str, &str)] = &[
    ("ARQ/function#localname", r#"REPLACE(STR(?x), "^.*[/#]", "")"#),
    ("ARQ/function#namespace", r#"REPLACE(STR(?x), "[^/#]*$", "")"#),
    ("ARQ/function#bnode", "STR(?x) for an IRI; SPARQL does not name blank nodes"),
    ("ARQ/function#now", "NOW()"),
    ("ARQ/function#min", "IF(?x < ?y, ?x, ?y)"),
    ("ARQ/function#max", "IF(?x > ?y, ?x, ?y)"),
    ("ARQ/function#pi", "<http://www.w3.org/2005/xpath-functions/math#pi>()"),
    ("ARQ/function#e", "<http://www.w3.org/2005/xpath-functions/math#exp>(1)"),
    ("ARQ/function#sqrt", "<http://www.w3.org/2005/xpath-functions/math#sqrt>(?x)"),
    ("ARQ/function#sha1sum", "SHA1(?x)"),
    ("ARQ/function#substr", "SUBSTR(?text, ?start + 1, ?end - ?start)"),
    ("ARQ/function#substring", "SUBSTR(?text, ?start + 1, ?end - ?start)"),
    ("ARQ/function#strjoin", "CONCAT(?x, \", \", ?y)"),
    ("ARQ/function#timezone", "TIMEZONE(?x)"),
    ("ARQ/property#concat", "BIND(CONCAT(?x, ?y) AS ?text)"),
    ("ARQ/property#assign", "BIND(?x AS ?y)"),
    ("ARQ/property#str", "BIND(STR(?x) AS ?text)"),
    ("ARQ/property#bag", "rdfs:member's sub-properties: FILTER(STRSTARTS(STR(?p), CONCAT(STR(rdf:), \"_\")))"),
    ("ARQ/list#member", "?list rdf:rest*/rdf:first ?member"),
    ("ARQ/list#length", "COUNT(?rest) over ?list rdf:rest* ?rest . ?rest rdf:first ?member, in a group"),
    ("jena.apache.org/text#query", r#"FILTER(CONTAINS(LCASE(?text), "word"))"#),
    ("bif:contains", r#"FILTER(CONTAINS(LCASE(?text), "word"))"#),
    ("bif:lower", "LCASE(?x)"),
    ("bif:upper", "UCASE(?x)"),
    ("bif:lcase", "LCASE(?x)"),
    ("bif:ucase", "UCASE(?x)"),
    ("bif:length", "STRLEN(?x)"),
    ("bif:concat", "CONCAT(?x, ?y)"),
    ("bif:substring", "SUBSTR(?text, ?start, ?length)"),
    ("bif:strcontains", "CONTAINS(?text, ?part)"),
    ("bif:exists", "EXISTS { … }"),
    ("sql:GROUP_CONCAT", r#"GROUP_CONCAT(?x; SEPARATOR=", ")"#),
    ("sql:SAMPLE", "SAMPLE(?x)"),
    ("spif#buildString", "CONCAT(?x, ?y)"),
    ("spif#buildURI", "IRI(CONCAT(?x, ?y))"),
    ("spif#currentDateTime", "NOW()"),
    ("spif#lowerCase", "LCASE(?x)"),
    ("spif#upperCase", "UCASE(?x)"),
    ("spif#indexOf", "STRLEN(STRBEFORE(?text, ?part))"),
    ("spif#regex", "REGEX(?text, ?pattern)"),
    ("spif#replaceAll", "REPLACE(?text, ?pattern, ?with)"),
    ("spif#trim", r#"REPLACE(?x, "^\\s+|\\s+$", "")"#),
    ("spif#cast", "xsd:integer(?x), by the datatype's name"),
    ("spif#name", "?x rdfs:label ?name"),
    ("rdf/search#search", r#"FILTER(CONTAINS(LCASE(?text), "word"))"#),
    ("property:textMatch", r#"FILTER(CONTAINS(LCASE(?text), "word"))"#),
];
