//! What is particular to JSON-LD: lines that are documents, and refusals in words.

use super::input::Input;
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Prefixes, Quad, Term};
use std::io::{BufRead, BufReader, Read};

/// The longest line of such a file, in bytes.
const LONGEST_LINE: u64 = 64 << 20;

type Keep<'k> = dyn FnMut(Quad) -> Result<()> + 'k;

/// The end of what is said of a context that is not among those at hand.
pub const NOT_AT_HAND: &str = ": it is not at hand";

/// Reads the document of a line, by the line's number and text.
type ReadLine<'r> = dyn FnMut(usize, Vec<u8>, &mut Keep<'_>) -> Result<Prefixes> + 'r;

/// Reads a file each line of which is a JSON-LD document. Blank nodes of two lines are two.
pub fn read_lines(input: &Input, text: impl Read, read: &mut ReadLine<'_>, keep: &mut Keep<'_>) -> Result<Prefixes> {
    let mut text = BufReader::new(text);
    let mut prefixes = Prefixes::new();
    for number in 1.. {
        let mut line = Vec::new();
        let length = (&mut text).take(LONGEST_LINE + 1).read_until(b'\n', &mut line);
        if length.map_err(|e| input.unreadable(&e))? == 0 {
            break;
        }
        if line.len() as u64 > LONGEST_LINE {
            return Err(Error::input("this line is longer than 64 MiB").at(Place::new(&input.name, number, 1)));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let declared = read(number, line, &mut |mut quad| {
            label(&mut quad, number);
            keep(quad)
        })?;
        for (prefix, namespace) in declared.iter() {
            prefixes.insert_if_absent(prefix, namespace);
        }
    }
    Ok(prefixes)
}

/// An error of a line's document as one of the file.
pub fn in_line(error: Error, line: usize) -> Error {
    match error.place() {
        Some(place) => {
            let place = Place { line: place.line + line - 1, ..place.clone() };
            error.at(place)
        }
        None => error,
    }
}

fn label(quad: &mut Quad, line: usize) {
    let labelled = |node: &BlankNode| BlankNode::new_unchecked(format!("l{line}_{}", node.as_str()));
    if let NamedOrBlankNode::BlankNode(node) = &mut quad.subject {
        *node = labelled(node);
    }
    if let Term::BlankNode(node) = &mut quad.object {
        *node = labelled(node);
    }
    if let GraphName::BlankNode(node) = &mut quad.graph_name {
        *node = labelled(node);
    }
}

/// The refusals of oxjsonld that it says in words of its own or leaves half said.
pub fn refusal(input: &Input, message: &str) -> Option<Error> {
    let unknown = message.split_once("Failed to load remote context ");
    if let Some((address, _)) = unknown.and_then(|(_, rest)| rest.split_once(NOT_AT_HAND)) {
        let why = if address.starts_with("file:") {
            "is in another file, which kgq does not read unasked"
        } else {
            "is on the network, and kgq makes no network request"
        };
        return Some(Error::policy(format!("{}: its context <{address}> {why}", input.name)).hint(format!(
            "fetch it and name the file with `--context {address}=FILE`, or in kgq.toml below `[contexts]`"
        )));
    }
    let at_start = |message: &str| Error::input(message).at(Place::new(&input.name, 1, 1));
    if message.starts_with("Inconsistent expansion of") {
        // Which of several such terms it names changes from run to run.
        let said = at_start("a term of the context looks like a compact IRI, and its `@id` gives it another one");
        return Some(
            said.hint("let the term's `@id` be what its prefix and name make, or choose a name without a colon"),
        );
    }
    if message.contains("@type must be the first key") {
        let said = at_start("kgq reads a node's `@type` only before its other keys, but `@context` and `@id`");
        return Some(said.hint("put `@type` first"));
    }
    None
}
