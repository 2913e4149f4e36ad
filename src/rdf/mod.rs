//! The RDF data model as the rest of the program names it.

pub mod literal;
pub mod path;

pub use oxrdf::{
    BaseDirection, BlankNode, GraphName, Literal, LiteralRef, NamedNode, NamedNodeRef, NamedOrBlankNode,
    NamedOrBlankNodeRef, Quad, QuadRef, Term, TermRef, Triple, TripleRef, Variable,
};
