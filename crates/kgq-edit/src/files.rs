//! The project's files as an edit sees them: bytes, text and tree of those that are edited line by line, only the statements of
//! all others.

use crate::tree::Tree;
use kgq_graph::format;
use kgq_graph::graph::{Graph, says_nothing_of};
use kgq_snapshot::Snapshot;
use kgq_snapshot::store::{Content, Input, Parsed, read};
use kgq_syntax::diagnose::Known;
use kgq_syntax::error::{Error, Kind, Result, Source};
use kgq_syntax::rdf::blank::{nodes_of, renamed};
use kgq_syntax::rdf::{BlankNode, Compression, GraphName, NamedNode, NamedOrBlankNode, Prefixes, Quad, RdfFormat};
use kgq_syntax::turtle;
use kgq_syntax::turtle::tree::{Dialect, Document};
use rustc_hash::FxHashSet;
use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;

/// How a text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Turtle and TriG: blocks of facts.
    Blocks,
    /// N-Triples and N-Quads: one statement per line.
    Lines,
}

/// A text that is edited line by line.
pub struct Kept {
    pub text: String,
    pub dialect: Dialect,
    pub style: Style,
    pub document: Document,
    pub tree: Tree,
    /// Its prefixes as the parser resolved them.
    pub prefixes: Prefixes,
}

/// A file of the project.
pub struct File {
    pub name: String,
    pub path: PathBuf,
    /// Its bytes on disk; `None` if the file does not exist yet.
    pub stored: Option<Vec<u8>>,
    pub input: Input,
    /// Its position among the files.
    pub number: usize,
    pub kept: Option<Kept>,
    /// Its statements if it is not edited line by line.
    parsed: Vec<Quad>,
}

impl File {
    /// Its statements, repetitions included, with blank nodes renamed so that each belongs to one file.
    pub fn quads(&self) -> impl Iterator<Item = &Quad> {
        self.kept.iter().flat_map(|kept| kept.tree.quads()).chain(&self.parsed)
    }

    /// The graph of statements outside any named graph block.
    pub fn default_graph(&self) -> GraphName {
        self.input.graph.clone().map_or(GraphName::DefaultGraph, GraphName::NamedNode)
    }

    /// Whether the file can hold statements of this graph.
    pub fn can_hold(&self, graph: &GraphName) -> bool {
        *graph == self.default_graph() || (self.input.format.holds_named_graphs() && *graph != GraphName::DefaultGraph)
    }

    /// Whether the file has a statement of this graph.
    pub fn has_graph(&self, graph: &GraphName) -> bool {
        self.quads().any(|quad| quad.graph_name == *graph)
    }

    /// Whether the file can be edited without rewriting all of it.
    pub fn is_kept_by_line(&self) -> bool {
        self.kept.is_some() && self.input.compression == Compression::None
    }

    /// Whether a blank node belongs to this file.
    pub fn owns(&self, node: &BlankNode) -> bool {
        node.as_str()
            .strip_prefix('f')
            .and_then(|rest| rest.split_once('x'))
            .is_some_and(|(number, _)| number.parse() == Ok(self.number))
    }

    /// The label of one of its blank nodes in the text; `None` if it has none there.
    pub fn written_label<'a>(&self, node: &'a BlankNode) -> Option<&'a str> {
        let (_, label) = node.as_str().split_once('x')?;
        label.strip_prefix('_')
    }
}

/// All files of a project, read once.
pub struct Files {
    pub all: Vec<File>,
    snapshot: OnceLock<Snapshot>,
}

impl Files {
    /// Reads the project's files.
    ///
    /// # Errors
    /// Those of the files.
    pub fn read(graph: &Graph) -> Result<Self> {
        let inputs = graph.inputs()?;
        let all = inputs.into_iter().enumerate().map(|(number, input)| file(graph, input, number));
        let mut files = Self { all: all.collect::<Result<_>>()?, snapshot: OnceLock::new() };
        if let Some(name) = &graph.require_project()?.manifest.edit.file {
            let place = || graph.require_project().map(|project| project.place_in_manifest(name));
            files.add_new(graph, name).or_else(|error| Err(error.at(place()?)))?;
        }
        Ok(files)
    }

    /// Adds a file that does not exist yet, unless it is among the files already; returns its number.
    ///
    /// # Errors
    /// A name that the project does not load, or whose format cannot be edited line by line.
    pub fn add_new(&mut self, graph: &Graph, name: &str) -> Result<usize> {
        if let Some(file) = self.all.iter().find(|file| file.name == name) {
            return Ok(file.number);
        }
        let project = graph.require_project()?;
        if !project.loads(name)? {
            return Err(Error::input(format!("no glob of kgq.toml would load `{name}`"))
                .hint("name a file below the folders that its `ontology` and `data` name"));
        }
        let path = project.root.join(name);
        let mut input = Input::file(name, &path, None)?;
        let base = graph.options().base.clone().or_else(|| project.manifest.base.clone());
        input = input.with_base(base).with_graph(project.graph_of(name));
        input.content = Content::Bytes(Vec::new());
        let Some(dialect) = dialect(input.format).filter(|_| input.compression == Compression::None) else {
            return Err(
                Error::input(format!("`{name}` would not be kept line by line")).hint("call it `.ttl` or `.trig`")
            );
        };
        let number = self.all.len();
        let mut file =
            File { name: name.to_owned(), path, stored: None, input, number, kept: None, parsed: Vec::new() };
        let parsed = Parsed { quads: Vec::new(), prefixes: Prefixes::new() };
        file.kept = Some(kept(&file, String::new(), dialect, &parsed)?);
        self.all.push(file);
        Ok(number)
    }

    /// The IRIs that occur as subjects; one comes as often as it has statements.
    pub fn subjects(&self) -> impl Iterator<Item = &NamedNode> {
        self.all.iter().flat_map(File::quads).filter_map(|quad| match &quad.subject {
            NamedOrBlankNode::NamedNode(node) => Some(node),
            NamedOrBlankNode::BlankNode(_) => None,
        })
    }

    /// The error that the project has no statement about a thing, with the nearest of the names that it knows.
    ///
    /// # Errors
    /// Those of the prefixes.
    pub fn says_nothing_of(&self, graph: &Graph, thing: &NamedNode) -> Result<Error> {
        Ok(says_nothing_of(thing, self.subjects().cloned(), graph.prefixes()?))
    }

    /// All statements of the project, with their order in the files; made when first asked for.
    ///
    /// # Errors
    /// The budget's.
    pub fn snapshot(&self, graph: &Graph) -> Result<&Snapshot> {
        if let Some(made) = self.snapshot.get() {
            return Ok(made);
        }
        let all = || self.all.iter().flat_map(File::quads);
        let made = Snapshot::from_walk_in_order(all().cloned(), all().count(), &graph.loading_budget())?;
        Ok(self.snapshot.get_or_init(|| made))
    }

    /// The same statements as they are in the files, each once.
    pub fn distinct(&self) -> impl Iterator<Item = &Quad> {
        let mut seen = FxHashSet::default();
        self.all.iter().flat_map(File::quads).filter(move |quad| seen.insert(*quad))
    }
}

fn file(graph: &Graph, input: Input, number: usize) -> Result<File> {
    let mut input = input;
    let (path, stored) = match &input.content {
        Content::File(path) => (path.clone(), std::fs::read(path).map_err(|e| Error::io(&input.name, &e))?),
        // The result of an edit that is not written yet.
        Content::Bytes(bytes) => (graph.require_project()?.root.join(&input.name), bytes.clone()),
    };
    let dialect = dialect(input.format);
    if dialect.is_some() {
        input.content = Content::Bytes(stored.clone());
    }
    let budget = graph.loading_budget();
    let parsed = read(&input, number, graph.read_options(&budget, None))?;
    let mut file =
        File { name: input.name.clone(), path, stored: Some(stored), input, number, kept: None, parsed: Vec::new() };
    match dialect {
        Some(dialect) => {
            let mut text = String::new();
            let bounds = graph.options().bounds;
            file.input.open(bounds)?.read_to_string(&mut text).map_err(|e| Error::io(&file.name, &e))?;
            let kept = kept(&file, text, dialect, &parsed)?;
            file.kept = Some(kept);
            // The text is held; nobody reads these bytes again.
            file.input.content = Content::Bytes(Vec::new());
        }
        None => file.parsed = parsed.quads.iter().map(|quad| renamed(quad, &|node| foreign(number, node))).collect(),
    }
    Ok(file)
}

/// The syntax and layout of a format that is edited line by line; `None` for other formats.
pub fn dialect(format: RdfFormat) -> Option<(Dialect, Style)> {
    match format {
        RdfFormat::Turtle => Some((Dialect::Turtle, Style::Blocks)),
        RdfFormat::NTriples => Some((Dialect::Turtle, Style::Lines)),
        RdfFormat::TriG => Some((Dialect::TriG, Style::Blocks)),
        RdfFormat::NQuads => Some((Dialect::NQuads, Style::Lines)),
        RdfFormat::N3 | RdfFormat::RdfXml | RdfFormat::JsonLd | RdfFormat::TurtleStar | RdfFormat::TriGStar => None,
    }
}

/// Reads a text into its tree, and checks that it has as many statements as the loading parser found.
pub fn kept(file: &File, text: String, (dialect, style): (Dialect, Style), parsed: &Parsed) -> Result<Kept> {
    let known = Known { prefixes: &[], base: file.input.base.is_some() };
    let document = turtle::parse(Source::new(&file.name, &text), dialect, known)?;
    let (number, default) = (file.number, file.default_graph());
    let place = |quad: Quad| {
        let mut quad = renamed(&quad, &|node| own(number, node));
        if quad.graph_name == GraphName::DefaultGraph {
            quad.graph_name = default.clone();
        }
        quad
    };
    let tree = Tree::of(&text, &document, file.input.base.as_deref(), &place);
    if tree.quads().count() != parsed.quads.len() {
        return Err(Error::bug(format!(
            "{} has {} statements when it is loaded, and {} when it is edited",
            file.name,
            parsed.quads.len(),
            tree.quads().count()
        )));
    }
    Ok(Kept { text, dialect, style, document, tree, prefixes: parsed.prefixes.clone() })
}

/// Names a blank node after its file, so that labels of two files do not clash. A node without a label is named by its position.
fn own(number: usize, node: &BlankNode) -> BlankNode {
    let label = node.as_str();
    let by_place = ["at", "list"].iter().any(|word| {
        label.strip_prefix(word).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    });
    // A written label can look like a position, so written labels get an underscore.
    BlankNode::new_unchecked(if by_place { format!("f{number}x{label}") } else { format!("f{number}x_{label}") })
}

fn foreign(number: usize, node: &BlankNode) -> BlankNode {
    BlankNode::new_unchecked(format!("f{number}x{}", node.as_str()))
}

/// Whether a quad names a blank node anywhere.
pub fn has_nodes(quad: &Quad) -> bool {
    !nodes_of(quad).is_empty()
}

/// Formats the edited text of a file that the formatter would have left unchanged; any other stays as it is.
///
/// # Errors
/// As [`format::turtle`].
pub fn formatted_as_before(graph: &Graph, file: &File, kept: &Kept, edited: String) -> Result<String> {
    let budget = graph.loading_budget();
    let formatted =
        |text| format::turtle(Source::new(&file.name, text), kept.dialect, &graph.options().bounds, &budget);
    let was_formatted = kept.style == Style::Blocks
        && (kept.text.is_empty() || formatted(&kept.text).is_ok_and(|text| text == kept.text));
    if was_formatted { formatted(&edited) } else { Ok(edited) }
}

/// The error for a file that cannot be edited line by line.
pub fn refusal(file: &File) -> Error {
    let what = match file.kept {
        Some(_) => "is compressed".to_owned(),
        None => format!("is {}", file.input.format.name()),
    };
    Error::new(Kind::Policy, format!("{} {what}, which is not kept line by line: it is not edited", file.name))
        .hint("`--rewrite` writes the whole file anew; its layout and its comments are lost")
}
