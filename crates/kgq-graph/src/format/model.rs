//! What is printed: sections of blocks of facts, with their comments, each piece already in its final words.

/// Lines of text without their indentation. A line may hold line breaks: those of a long string, which are never indented.
pub(super) type Lines = Vec<Line>;

/// One line and how deep it is indented.
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

/// A declaration.
pub(super) struct Declared {
    pub leading: Vec<String>,
    pub text: String,
    pub trailing: Option<String>,
    /// The prefix without its colon; `None` for a base or version, which stand first.
    pub prefix: Option<String>,
}

/// What stands between two headings.
#[derive(Default)]
pub(super) struct Section {
    /// Comments with a blank line behind them, as groups of lines.
    pub heading: Vec<Vec<String>>,
    pub blocks: Vec<Block>,
}

/// A subject with its facts, or a graph with its sections.
pub(super) struct Block {
    pub leading: Vec<String>,
    pub head: Lines,
    pub head_comment: Option<String>,
    pub body: Body,
    /// Comments before the end.
    pub tail: Vec<String>,
    pub trailing: Option<String>,
    /// Whether the subject is a name, by which blocks are sorted and joined.
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
    /// Whether saying it twice says no more: a term without annotations.
    pub bare: bool,
    pub trailing: Option<String>,
}

/// How objects of one predicate are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ObjectKey {
    Name(String),
    /// Tag or datatype, then the text.
    Literal(String, String),
    Label(String),
    /// Nested nodes stay in the order in which they are written.
    Nested,
}
