//! The RDF data model as used throughout the program: terms, prefixes, formats, vocabularies.

pub mod blank;
pub mod canonical;
pub mod digits;
mod format;
pub mod iri;
pub mod isomorphism;
pub mod language;
pub mod literal;
pub mod path;
mod prefixes;
pub mod rdf11;
pub mod size;
pub mod vocabulary;
pub mod xml;

pub use format::{Compression, RdfFormat};
pub use oxrdf::{
    BaseDirection, BlankNode, GraphName, GraphNameRef, Literal, LiteralRef, NamedNode, NamedNodeRef, NamedOrBlankNode,
    NamedOrBlankNodeRef, Quad, QuadRef, Term, TermRef, Triple, TripleRef, Variable,
};
pub use prefixes::{Contested, Declared, Prefixes};
