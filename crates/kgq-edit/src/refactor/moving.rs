//! Moves a thing's blocks to another file as they are written, with their comments.

use crate::Edit;
use crate::edit::{FileChange, compare, stored};
use crate::files::{File, Files, Kept, Style, formatted_as_before, refusal};
use crate::splice::{Lines, Splices};
use crate::text::{declaration, new_words};
use crate::tree::Statement;
use crate::words::{Words, prefixed_name};
use kgq_graph::graph::Graph;
use kgq_syntax::error::{Error, Result, Source};
use kgq_syntax::rdf::{GraphName, NamedNode, NamedOrBlankNode, Prefixes, Quad};
use kgq_syntax::{Span, TokenKind};

/// Moves all blocks of a thing to the file with this number.
///
/// # Errors
/// A block that cannot stand in the other file; a thing that has none.
pub fn move_to(graph: &Graph, files: &Files, thing: &NamedNode, target: usize) -> Result<Edit> {
    let to = &files.all[target];
    let Some(into) = to.kept.as_ref().filter(|kept| kept.style == Style::Blocks && to.is_kept_by_line()) else {
        return Err(refusal(to));
    };
    let prefixes = graph.prefixes()?;
    let mut moved = String::new();
    let mut quads: Vec<Quad> = Vec::new();
    let mut edit = Edit::default();
    let may = |prefix: &str, namespace: &str| crate::text::may_declare(into, prefix, namespace);
    let mut words = new_words(into, prefixes, &may);
    for file in files.all.iter().filter(|file| file.number != target) {
        if let Some((text, own)) = taken_out(graph, file, to, thing, &mut words, &mut moved)? {
            let (name, path, before) = (file.name.clone(), file.path.clone(), file.stored.clone());
            edit.changes.push(FileChange { name, path, before, after: stored(file, text.as_bytes())? });
            quads.extend(own);
        }
    }
    if edit.changes.is_empty() {
        let known = to.quads().any(|quad| quad.subject == NamedOrBlankNode::from(thing.clone()));
        let message = if known {
            format!("{} stands in {} already", thing, to.name)
        } else {
            format!("no file has a block of {thing}")
        };
        return Err(Error::input(message));
    }
    let mut splices = Splices::default();
    declaration(into, &words.needed, &mut splices);
    let lead = if into.text.trim().is_empty() { "" } else { "\n" };
    splices.insert(into.text.len(), format!("{lead}{}\n", moved.trim_matches('\n')));
    let text = formatted_as_before(graph, to, into, splices.apply(&into.text))?;
    compare(graph, to, &text, to.quads().cloned().map(|quad| plain(to, quad)).chain(quads).collect())?;
    edit.changes.push(FileChange {
        name: to.name.clone(),
        path: to.path.clone(),
        before: to.stored.clone(),
        after: stored(to, text.as_bytes())?,
    });
    Ok(edit)
}

/// The text of a file without the thing's blocks, and the statements of these; the blocks themselves are appended to `moved`.
fn taken_out(
    graph: &Graph,
    file: &File,
    to: &File,
    thing: &NamedNode,
    words: &mut Words<'_>,
    moved: &mut String,
) -> Result<Option<(String, Vec<Quad>)>> {
    let is_its = |quad: &Quad| quad.subject == NamedOrBlankNode::from(thing.clone());
    let Some(kept) = &file.kept else {
        return if file.quads().any(is_its) { Err(refusal(file)) } else { Ok(None) };
    };
    let own: Vec<&Statement> = kept
        .tree
        .statements
        .iter()
        .filter(|s| s.is_plain && s.site.subject == NamedOrBlankNode::from(thing.clone()))
        .collect();
    if own.is_empty() {
        return Ok(None);
    }
    if kept.style == Style::Lines || !file.is_kept_by_line() {
        return Err(refusal(file));
    }
    if own.iter().any(|s| s.block.is_some()) || file.default_graph() != to.default_graph() {
        return Err(Error::input(format!(
            "{thing} stands in another graph in {} than it would in {}",
            file.name, to.name
        )));
    }
    let lines = Lines { text: &kept.text, tokens: &kept.document.tokens };
    let mut splices = Splices::default();
    for statement in &own {
        let span = lines.with_comments(&statement.span);
        refuse_shared_nodes(file, kept, &span)?;
        moved.push_str(&format!("\n{}\n", rewritten(kept, &span, words)));
        let (gone, _) = lines.without_block(&span);
        splices.replace(gone, "");
    }
    let quads: Vec<Quad> = own.iter().flat_map(|s| s.quads()).cloned().map(|quad| plain(file, quad)).collect();
    let text = formatted_as_before(graph, file, kept, splices.apply(&kept.text))?;
    let left = file.quads().cloned().map(|quad| plain(file, quad)).filter(|quad| !quads.contains(quad));
    compare(graph, file, &text, left.collect())?;
    Ok(Some((text, quads)))
}

fn plain(file: &File, mut quad: Quad) -> Quad {
    if quad.graph_name == file.default_graph() {
        quad.graph_name = GraphName::DefaultGraph;
    }
    quad
}

/// Refuses a block with a labelled blank node, as one node cannot be in two files.
fn refuse_shared_nodes(file: &File, kept: &Kept, span: &Span) -> Result<()> {
    let inside = |at: usize| span.contains(&at);
    let labels = |within: bool| {
        let tokens =
            kept.document.tokens.iter().filter(move |t| t.kind == TokenKind::BlankNode && inside(t.start) == within);
        tokens.map(|token| (token.text(&kept.text), token.span()))
    };
    let outside: Vec<&str> = labels(false).map(|(label, _)| label).collect();
    match labels(true).next() {
        // The other file may use the same label.
        Some((label, place)) => Err(Error::input(format!(
            "the blank node {label} is {}, and would be lost in another file",
            if outside.contains(&label) { "named in other blocks too" } else { "named by a label" }
        ))
        .at(Source::new(&file.name, &kept.text).place(place))
        .hint("write it as `[ … ]` where it is used, or give it an IRI first")),
        None => Ok(()),
    }
}

/// A piece of a text with its prefixed names rewritten for the prefixes of the other file.
fn rewritten(kept: &Kept, span: &Span, words: &mut Words<'_>) -> String {
    let mut out = String::new();
    let known: &Prefixes = &kept.prefixes;
    for token in kept.document.tokens.iter().filter(|token| token.start >= span.start && token.end <= span.end) {
        let written = token.text(&kept.text);
        let namespace =
            prefixed_name(&kept.text, token).and_then(|(prefix, local)| Some((known.get(prefix)?, local, prefix)));
        match namespace {
            Some((namespace, local, prefix)) => {
                let same = words.own.get(prefix) == Some(namespace)
                    || words.needed.get(prefix).map(String::as_str) == Some(namespace);
                let iri = format!("{namespace}{}", local.replace('\\', ""));
                out.push_str(&if same { written.to_owned() } else { words.iri(&iri) });
            }
            None => out.push_str(written),
        }
    }
    out
}
