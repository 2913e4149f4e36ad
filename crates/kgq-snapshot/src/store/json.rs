//! What is particular to JSON-LD: lines that are documents, and refusals in words.

use super::input::Input;
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Prefixes, Quad, Term};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};

/// The longest line of such a file, in bytes.
const LONGEST_LINE: u64 = 64 << 20;

type Keep<'k> = dyn FnMut(Quad) -> Result<()> + 'k;

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

/// The refusals of oxjsonld that it says in words of its own or leaves half said. `text` gives the document, if it is at hand.
pub fn refusal(input: &Input, message: &str, text: impl FnOnce() -> Option<String>) -> Option<Error> {
    if message.contains("LoadDocumentCallback") {
        let document = text().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let address = document.as_ref().and_then(remote_context);
        let named = address.map_or_else(|| "its context".to_owned(), |address| format!("its context <{address}>"));
        let error =
            Error::policy(format!("{}: {named} is on the network, and kgq makes no network request", input.name));
        return Some(error.hint("write the context into the file, in place of its address"));
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
        return Some(said.hint("put `@type` first").hint(
            "in a map by `@type` whose nodes have an `@id`: write a list of nodes instead, each with its `@type`",
        ));
    }
    None
}

/// The first address that the document gives for a context.
fn remote_context(value: &Value) -> Option<&str> {
    fn address(context: &Value) -> Option<&str> {
        match context {
            Value::String(address) => Some(address),
            Value::Array(parts) => parts.iter().find_map(address),
            Value::Object(terms) => {
                terms.get("@import").and_then(Value::as_str).or_else(|| terms.values().find_map(remote_context))
            }
            _ => None,
        }
    }
    match value {
        Value::Object(entries) => match entries.get("@context").and_then(address) {
            Some(address) => Some(address),
            None => entries.values().find_map(remote_context),
        },
        Value::Array(values) => values.iter().find_map(remote_context),
        _ => None,
    }
}
