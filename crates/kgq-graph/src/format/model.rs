//! The model of the output: sections of blocks of facts, with their comments; every piece has its final text.

use super::parts::{has_scheme, iri_of, name_of};
use kgq_syntax::turtle::tree::{Directive, DirectiveKind};

/// Lines of text without their indentation. A line may hold line breaks: those of a long string, which are never indented.
pub(super) type Lines = Vec<Line>;

/// A line and its indentation depth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub depth: usize,
    pub text: String,
}

impl Line {
    pub fn new(depth: usize, text: impl Into<String>) -> Self {
        Self { depth, text: text.into() }
    }
}

/// The layout of one part.
pub(super) struct Laid {
    /// Comments about the whole, as groups of lines.
    pub header: Vec<Vec<String>>,
    pub declared: Vec<Declared>,
    pub sections: Vec<Section>,
}

/// A declaration.
pub(super) struct Declared {
    pub leading: Vec<String>,
    pub text: String,
    pub trailing: Option<String>,
    /// The prefix without its colon; `None` for a base or version, which come first.
    pub prefix: Option<String>,
    /// Whether repeating it changes the meaning, as for a relative base.
    pub accumulates: bool,
    /// Its index among the document's items.
    pub item: usize,
}

impl Declared {
    pub fn new(text: &str, directive: &Directive, item: usize) -> Self {
        let accumulates = matches!(&directive.kind, DirectiveKind::Base { iri } if !has_scheme(&iri_of(text, iri)));
        let (prefix, text) = match &directive.kind {
            DirectiveKind::Prefix { prefix, iri } => {
                let name = name_of(text, prefix);
                let text = format!("@prefix {name}: {} .", &text[iri.clone()]);
                (Some(name), text)
            }
            DirectiveKind::Base { iri } => (None, format!("@base {} .", &text[iri.clone()])),
            DirectiveKind::Version { text: version } => (None, format!("@version {} .", &text[version.clone()])),
        };
        Self { leading: Vec::new(), text, trailing: None, prefix, accumulates, item }
    }
}

/// The content between two headings.
#[derive(Default)]
pub(super) struct Section {
    /// Comments followed by a blank line, as groups of lines.
    pub heading: Vec<Vec<String>>,
    pub blocks: Vec<Block>,
}

/// A subject with its facts, or a graph with its sections.
pub(super) struct Block {
    pub leading: Vec<String>,
    pub head: Lines,
    pub head_comment: Option<String>,
    pub body: Body,
    /// The comments before the end.
    pub tail: Vec<String>,
    pub trailing: Option<String>,
    /// Whether the subject is an IRI or a label, by which blocks are sorted and joined.
    pub named: bool,
    pub ontology: bool,
}

pub(super) enum Body {
    Facts(Vec<Fact>),
    Graph(Vec<Section>),
}

/// A predicate and one object, with its annotations.
pub(super) struct Fact {
    pub leading: Vec<String>,
    pub verb: String,
    pub rank: usize,
    pub object: Lines,
    pub key: ObjectKey,
    /// Whether repeating it adds nothing: a term without annotations.
    pub bare: bool,
    pub trailing: Option<String>,
}

/// The sort key of objects with the same predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ObjectKey {
    Name(String),
    /// Language tag or datatype, then the text.
    Literal(String, String),
    Label(String),
    /// Nested nodes keep the order in which they are written.
    Nested,
}
