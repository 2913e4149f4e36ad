//! Files in which each line is a JSON-LD document.

use super::input::Input;
use kgq_syntax::error::{Error, Place, Result};
use kgq_syntax::rdf::{BlankNode, GraphName, NamedOrBlankNode, Prefixes, Quad, Term};
use std::io::{BufRead, BufReader, Read};

/// The longest line of such a file, in bytes.
const LONGEST_LINE: u64 = 64 << 20;

type Keep<'k> = dyn FnMut(Quad) -> Result<()> + 'k;

/// Reads the document on a line, given the line's number and text.
type ReadLine<'r> = dyn FnMut(usize, Vec<u8>, &mut Keep<'_>) -> Result<Prefixes> + 'r;

/// Reads a file in which each line is a JSON-LD document. Blank nodes of different lines are different.
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

/// Turns an error in a line's document into one in the file.
pub fn in_line(error: Error, line: usize) -> Error {
    match error.place() {
        Some(place) => {
            let place = place.clone().from_line(line);
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
