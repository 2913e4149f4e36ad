//! IRIs that only this crate reads or writes.

pub const RDFS_DOMAIN: &str = "http://www.w3.org/2000/01/rdf-schema#domain";
pub const RDFS_RANGE: &str = "http://www.w3.org/2000/01/rdf-schema#range";
pub const RDFS_COMMENT: &str = "http://www.w3.org/2000/01/rdf-schema#comment";
pub const RDFS_LABEL: &str = "http://www.w3.org/2000/01/rdf-schema#label";
pub const RDFS_CLASS: &str = "http://www.w3.org/2000/01/rdf-schema#Class";
pub const RDFS_SUB_CLASS_OF: &str = "http://www.w3.org/2000/01/rdf-schema#subClassOf";
pub const RDFS_SUB_PROPERTY_OF: &str = "http://www.w3.org/2000/01/rdf-schema#subPropertyOf";
pub const RDF_PROPERTY: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#Property";
pub const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
pub const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";
pub const SKOS: &str = "http://www.w3.org/2004/02/skos/core#";
pub const OWL: &str = "http://www.w3.org/2002/07/owl#";
pub const OWL_CLASS: &str = "http://www.w3.org/2002/07/owl#Class";
pub const OWL_ONTOLOGY: &str = "http://www.w3.org/2002/07/owl#Ontology";
pub const OWL_DEPRECATED: &str = "http://www.w3.org/2002/07/owl#deprecated";
pub const OWL_SAME_AS: &str = "http://www.w3.org/2002/07/owl#sameAs";
pub const PROPERTY_CLASSES: &[&str] = &[
    "http://www.w3.org/2002/07/owl#ObjectProperty",
    "http://www.w3.org/2002/07/owl#DatatypeProperty",
    "http://www.w3.org/2002/07/owl#AnnotationProperty",
    RDF_PROPERTY,
];
pub const OBO_DEFINITION: &str = "http://purl.obolibrary.org/obo/IAO_0000115";
pub const SKOS_DEFINITION: &str = "http://www.w3.org/2004/02/skos/core#definition";
pub const SKOS_CONCEPT: &str = "http://www.w3.org/2004/02/skos/core#Concept";
pub const SKOS_EXACT_MATCH: &str = "http://www.w3.org/2004/02/skos/core#exactMatch";
pub const DCT_DESCRIPTION: &str = "http://purl.org/dc/terms/description";
pub const DCT_LICENSE: &str = "http://purl.org/dc/terms/license";
pub const DC_DESCRIPTION: &str = "http://purl.org/dc/elements/1.1/description";
pub const SCHEMA_DESCRIPTION: &str = "https://schema.org/description";
pub const SH: &str = "http://www.w3.org/ns/shacl#";
pub const GEO_HAS_GEOMETRY: &str = "http://www.opengis.net/ont/geosparql#hasGeometry";
pub const GEO_AS_WKT: &str = "http://www.opengis.net/ont/geosparql#asWKT";
pub const WGS_LAT: &str = "http://www.w3.org/2003/01/geo/wgs84_pos#lat";
pub const WGS_LONG: &str = "http://www.w3.org/2003/01/geo/wgs84_pos#long";
pub const OA_HAS_SOURCE: &str = "http://www.w3.org/ns/oa#hasSource";
pub const OA_START: &str = "http://www.w3.org/ns/oa#start";
pub const OA_END: &str = "http://www.w3.org/ns/oa#end";
pub const FOAF_PERSON: &str = "http://xmlns.com/foaf/0.1/Person";
pub const FOAF_DOCUMENT: &str = "http://xmlns.com/foaf/0.1/Document";
pub const ORG_ORGANIZATION: &str = "http://www.w3.org/ns/org#Organization";
pub const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// A term of the SHACL vocabulary.
pub fn sh(name: &str) -> String {
    format!("{SH}{name}")
}
