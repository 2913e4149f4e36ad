//! Edits all files of a project at once. The new text of each is compared with the requested change before anything is written.

use crate::assign::Places;
use crate::files::{File, Files, Kept, formatted_as_before, refusal};
use crate::refactor::Renamed;
use crate::text::{self, Addition};
use kgq_engine::update::Change;
use kgq_graph::graph::{Graph, UpdateContext};
use kgq_graph::render::{GraphOptions, write_quads};
use kgq_snapshot::store::{Content, compressed, mark_length, read};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::isomorphism::are_isomorphic;
use kgq_syntax::rdf::{GraphName, NamedOrBlankNode, Prefixes, Quad};
use kgq_syntax::sparql;
use rustc_hash::FxHashSet;
use similar::TextDiff;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Options of an edit.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether files that cannot be edited line by line may be rewritten as a whole.
    pub rewrite: bool,
    /// Prefixes that new text may use, besides those of the project.
    pub prefixes: Prefixes,
    /// Pairs of subjects: the first is written beside the second if it has no place of its own.
    pub beside: Vec<(NamedOrBlankNode, NamedOrBlankNode)>,
}

/// One file, before and after an edit.
#[derive(Clone, Debug)]
pub struct FileChange {
    pub name: String,
    pub path: PathBuf,
    /// Its bytes now; `None` for a new file.
    pub before: Option<Vec<u8>>,
    pub after: Vec<u8>,
}

impl FileChange {
    /// Returns a unified diff as git shows it, with the names below `a/` and `b/`.
    pub fn diff(&self) -> String {
        let before = String::from_utf8_lossy(self.before.as_deref().unwrap_or_default());
        let after = String::from_utf8_lossy(&self.after);
        let old = if self.before.is_some() { format!("a/{}", self.name) } else { "/dev/null".to_owned() };
        let binary = self.before.as_deref().unwrap_or_default().contains(&0) || self.after.contains(&0);
        if binary {
            return format!("{} differs, and is no text\n", self.name);
        }
        let mut out = String::new();
        let diff = TextDiff::from_lines(&before, &after);
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{}", diff.unified_diff().context_radius(3).header(&old, &format!("b/{}", self.name)));
        out
    }
}

/// Files to be changed together.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    pub changes: Vec<FileChange>,
    pub warnings: Vec<Error>,
    /// The renaming that this edit applies to all files, if it is one.
    pub renaming: Option<Renamed>,
}

impl Settings {
    /// The settings for an update: new text may use the prefixes that the update declares.
    pub fn of_update(text: &str, rewrite: bool) -> Self {
        let declared = sparql::prefixes_declared(text, &sparql::tokenize(text));
        let prefixes = declared.iter().map(|declared| (declared.prefix, declared.iri)).collect();
        Self { rewrite, prefixes, ..Self::default() }
    }
}

/// Computes what an update changes in the statements of these files.
///
/// # Errors
/// Those of the update.
pub fn update(graph: &Graph, files: &Files, source: Source<'_>) -> Result<Change> {
    update_within(graph, files, source, &UpdateContext::default())
}

/// Like [`update`], for an update that came with a protocol request.
///
/// # Errors
/// Those of the update; one with its own `USING` or `WITH` although the request names graphs.
pub fn update_within(graph: &Graph, files: &Files, source: Source<'_>, context: &UpdateContext) -> Result<Change> {
    graph.update_of(files.snapshot(graph)?, source, context)
}

/// Computes the files after a change.
///
/// # Errors
/// A statement that no file can take; a file that cannot be edited line by line, unless it may be rewritten.
pub fn edit(graph: &Graph, files: &Files, change: &Change, settings: &Settings) -> Result<Edit> {
    let project = graph.require_project()?;
    let removed: FxHashSet<Quad> = change.removed.iter().cloned().collect();
    let mut by_file: BTreeMap<usize, Vec<Addition>> = BTreeMap::new();
    for file in &files.all {
        if file.quads().any(|quad| removed.contains(quad)) {
            by_file.entry(file.number).or_default();
        }
    }
    for (file, addition) in Places::of(files, project, &removed, &change.added).beside(&settings.beside).assign()? {
        by_file.entry(file).or_default().push(addition);
    }
    let mut more = graph.prefixes()?.clone();
    for (prefix, namespace) in settings.prefixes.iter() {
        more.insert_if_absent(prefix, namespace);
    }
    let mut edit = Edit::default();
    for (number, additions) in by_file {
        let file = &files.all[number];
        if !file.is_kept_by_line() && !settings.rewrite {
            return Err(refusal(file));
        }
        let after = match &file.kept {
            Some(kept) => {
                let edited = one(graph, file, kept, &removed, &additions, &more)?;
                edit.warnings.extend(edited.warnings);
                stored(file, edited.text.as_bytes())?
            }
            None => anew(file, &expected(file, &removed, &additions), &more)?,
        };
        if file.stored.as_deref() != Some(after.as_slice()) {
            let (name, path, before) = (file.name.clone(), file.path.clone(), file.stored.clone());
            edit.changes.push(FileChange { name, path, before, after });
        }
    }
    Ok(edit)
}

fn one(
    graph: &Graph,
    file: &File,
    kept: &Kept,
    removed: &FxHashSet<Quad>,
    additions: &[Addition],
    more: &Prefixes,
) -> Result<text::Edited> {
    let mut edited = text::edit(file, kept, removed, additions, more);
    edited.text = formatted_as_before(graph, file, kept, edited.text)?;
    compare(graph, file, &edited.text, expected(file, removed, additions))?;
    Ok(edited)
}

/// The bytes of a file that is rewritten as a whole.
pub(crate) fn anew(file: &File, quads: &[Quad], prefixes: &Prefixes) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    write_quads(quads, file.input.format, prefixes, GraphOptions::default(), &Budget::default(), &mut out)?;
    stored(file, &out)
}

/// The statements of the file after the edit, with its own graph as the default graph.
fn expected(file: &File, removed: &FxHashSet<Quad>, additions: &[Addition]) -> Vec<Quad> {
    let kept = file.quads().filter(|quad| !removed.contains(quad));
    let quads = kept.chain(additions.iter().map(|addition| &addition.quad)).cloned();
    let default = file.default_graph();
    let own = |mut quad: Quad| {
        if quad.graph_name == default {
            quad.graph_name = GraphName::DefaultGraph;
        }
        quad
    };
    quads.map(own).collect()
}

/// Checks that the edited text parses to exactly the wanted statements.
pub(crate) fn compare(graph: &Graph, file: &File, text: &str, wanted: Vec<Quad>) -> Result<()> {
    let mut input = file.input.clone();
    input.content = Content::Bytes(text.as_bytes().to_vec());
    input.compression = kgq_syntax::rdf::Compression::None;
    input.graph = None;
    let budget = graph.loading_budget();
    let parsed = read(&input, file.number, graph.read_options(&budget, None))
        .map_err(|error| Error::bug(format!("the edited text of {} would not parse: {error}", file.name)))?;
    if are_isomorphic(&wanted, &parsed.quads, &budget)? {
        return Ok(());
    }
    Err(Error::bug(format!("the edited text of {} would say something else, so it is left as it is", file.name)))
}

/// The bytes of a text as its file stores them: with the byte order mark that the file had, compressed if the file is.
pub(crate) fn stored(file: &File, text: &[u8]) -> Result<Vec<u8>> {
    let before = file.stored.as_deref().unwrap_or_default();
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(&before[..mark_length(before)]);
    compressed(file.input.compression, &file.name, &mut out, |out| {
        out.write_all(text).map_err(|e| Error::io(&file.name, &e))
    })?;
    Ok(out)
}
