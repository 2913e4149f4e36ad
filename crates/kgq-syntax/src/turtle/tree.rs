//! The syntax tree of a Turtle, TriG, N-Triples or N-Quads text, with everything as written. Terms are not resolved.

use crate::{Span, Token};

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Also reads N-Triples.
    Turtle,
    TriG,
    NQuads,
}

/// A whole text.
#[derive(Clone, Debug)]
pub struct Document {
    /// All tokens, including whitespace and comments.
    pub tokens: Vec<Token>,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub enum Item {
    Directive(Directive),
    Statement(Statement),
    Graph(GraphBlock),
}

impl Item {
    pub fn span(&self) -> Span {
        match self {
            Self::Directive(directive) => directive.span.clone(),
            Self::Statement(statement) => statement.span.clone(),
            Self::Graph(graph) => graph.span.clone(),
        }
    }
}

/// `@prefix`, `PREFIX` and similar directives.
#[derive(Clone, Debug)]
pub struct Directive {
    pub kind: DirectiveKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum DirectiveKind {
    /// The spans of `ex:` and of `<…>`.
    Prefix { prefix: Span, iri: Span },
    /// The span of `<…>`.
    Base { iri: Span },
    /// The span of the text.
    Version { text: Span },
}

/// `name { … }` or `{ … }` of TriG.
#[derive(Clone, Debug)]
pub struct GraphBlock {
    pub name: Option<TermNode>,
    /// The span of the opening brace.
    pub open: Span,
    pub statements: Vec<Statement>,
    /// From the name, or `GRAPH`, to the closing brace.
    pub span: Span,
}

/// A subject with its predicates and objects, up to the dot.
#[derive(Clone, Debug)]
pub struct Statement {
    pub subject: TermNode,
    pub predicates: Vec<Predicate>,
    /// The graph of N-Quads.
    pub graph: Option<TermNode>,
    pub span: Span,
}

/// A predicate with its objects.
#[derive(Clone, Debug)]
pub struct Predicate {
    pub verb: TermNode,
    pub objects: Vec<Object>,
}

#[derive(Clone, Debug)]
pub struct Object {
    pub node: TermNode,
    pub annotations: Vec<Annotation>,
    /// Includes the annotations.
    pub span: Span,
}

/// An annotation after an object, about the triple itself.
#[derive(Clone, Debug)]
pub enum Annotation {
    /// `~ name`, or `~` alone.
    Reifier { name: Option<TermNode>, span: Span },
    /// `{| … |}`
    Block { predicates: Vec<Predicate>, span: Span },
}

/// A term, or a construct in place of one.
#[derive(Clone, Debug)]
pub struct TermNode {
    pub form: TermForm,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TermForm {
    /// An IRI, a prefixed name, a blank node label, a number, a boolean, or `a`.
    Plain,
    /// A string, with the span of its tag or of its datatype.
    Literal { text: Span, tag: Option<Span>, datatype: Option<Box<TermNode>> },
    /// `[ … ]`
    Anonymous(Vec<Predicate>),
    /// `( … )`
    Collection(Vec<Object>),
    /// `<< s p o ~ r >>`; the outer option tells whether there is a `~`.
    Reified { triple: Box<[TermNode; 3]>, reifier: Option<Option<Box<TermNode>>> },
    /// `<<( s p o )>>`
    TripleTerm(Box<[TermNode; 3]>),
}
