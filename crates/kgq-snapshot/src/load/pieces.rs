//! Cuts documents into pieces of work: some whole lines of a line-based document, or any other document as a whole.

use super::digest::{Digesting, Passing};
use super::lines::Lines;
use super::{Build, ReadFile, is_of_lines};
use crate::interner::Interner;
use crate::store::{Input, ReadOptions, read_each};
use kgq_syntax::bounds::Bounds;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::guard;
use kgq_syntax::rdf::RdfFormat;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes per piece: enough that handing one over costs nothing, few enough that cores and memory are used evenly.
const PIECE: usize = 2 << 20;

/// Positions reserved for the terms of each piece; they give the blank nodes' order of appearance.
const POSITIONS: u64 = 1 << 40;

/// A piece of work for one thread.
pub(super) struct Piece<'a> {
    /// Numbered in the order of the documents.
    pub(super) number: u64,
    input: (usize, &'a Input),
    work: Work,
}

enum Work {
    /// Whole lines, and the number of the first one, from 1.
    Lines {
        text: Vec<u8>,
        first_line: u64,
    },
    Whole,
}

/// Cuts documents into pieces.
pub(super) struct Pieces<'a> {
    inputs: std::iter::Enumerate<std::slice::Iter<'a, Input>>,
    bytes_read: &'a AtomicU64,
    bounds: Bounds,
    most_in_a_line: usize,
    number: u64,
    current: Option<Document<'a>>,
    digests: Vec<(usize, [u8; 32])>,
}

/// A line-based document being cut.
struct Document<'a> {
    input: (usize, &'a Input),
    reader: Box<dyn Read + Send + 'a>,
    passing: Passing,
    /// The part of the next line that was already read.
    rest: Vec<u8>,
    next_line: u64,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(inputs: &'a [Input], bounds: Bounds, bytes_read: &'a AtomicU64) -> Self {
        Self {
            inputs: inputs.iter().enumerate(),
            bytes_read,
            bounds,
            // A line has at most four tokens and a literal's datatype.
            most_in_a_line: bounds.max_token.saturating_mul(5).max(PIECE),
            number: 0,
            current: None,
            digests: Vec::new(),
        }
    }

    /// The number of the piece that was cut last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The digests of the documents that were cut into lines.
    pub(super) fn digests(self) -> Vec<(usize, [u8; 32])> {
        self.digests
    }

    pub(super) fn next(&mut self) -> Result<Option<Piece<'a>>> {
        loop {
            if self.current.is_none() {
                let Some((number, input)) = self.inputs.next() else { return Ok(None) };
                if !is_of_lines(input) {
                    return Ok(Some(self.piece((number, input), Work::Whole)));
                }
                let passing = Passing::default();
                let stored = Digesting::new(input.stored()?, passing.clone(), self.bytes_read);
                self.current = Some(Document {
                    input: (number, input),
                    reader: input.text_of(stored, self.bounds)?,
                    passing,
                    rest: Vec::new(),
                    next_line: 1,
                });
            }
            if let Some(document) = &mut self.current {
                match document.lines(self.most_in_a_line)? {
                    Some(work) => {
                        let input = document.input;
                        return Ok(Some(self.piece(input, work)));
                    }
                    None => {
                        if let Some(document) = self.current.take() {
                            let digest = document.passing.finish(document.input.1)?;
                            self.digests.push((document.input.0, digest));
                        }
                    }
                }
            }
        }
    }

    fn piece(&mut self, input: (usize, &'a Input), work: Work) -> Piece<'a> {
        self.number += 1;
        Piece { number: self.number, input, work }
    }
}

impl Document<'_> {
    /// Reads the next whole lines; `None` at the end.
    fn lines(&mut self, most_in_a_line: usize) -> Result<Option<Work>> {
        let mut text = std::mem::take(&mut self.rest);
        loop {
            let start = text.len();
            text.resize(start + PIECE, 0);
            let mut filled = start;
            let mut ended = false;
            while filled < text.len() {
                match self.reader.read(&mut text[filled..]) {
                    Ok(0) => {
                        ended = true;
                        break;
                    }
                    Ok(n) => filled += n,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        return Err(guard::passed(&error).unwrap_or_else(|| self.input.1.unreadable(&error)));
                    }
                }
            }
            text.truncate(filled);
            if ended {
                if text.is_empty() {
                    return Ok(None);
                }
                break;
            }
            if let Some(last) = memchr::memrchr(b'\n', &text[start..]) {
                self.rest = text.split_off(start + last + 1);
                break;
            }
            if text.len() > most_in_a_line {
                return Err(Error::input(format!("line {} is longer than {most_in_a_line} bytes", self.next_line))
                    .at(kgq_syntax::error::Place::new(&self.input.1.name, self.next_line as usize, 1)));
            }
        }
        let first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', &text).count() as u64;
        Ok(Some(Work::Lines { text, first_line }))
    }
}

impl Piece<'_> {
    /// Reads the piece into the interner. Calls `spill` at points where the statements read so far may be moved to disk.
    pub(super) fn read(
        self,
        interner: &mut Interner,
        build: &Build<'_>,
        whole_files: &Mutex<Vec<ReadFile>>,
        spill: &mut dyn FnMut(&mut Interner) -> Result<()>,
    ) -> Result<()> {
        let (number, input) = self.input;
        let begin = |interner: &mut Interner| interner.begin(number as u32, build.options.origins);
        begin(interner);
        interner.position = self.number * POSITIONS;
        match self.work {
            Work::Lines { text, first_line } => {
                let graph = match &input.graph {
                    Some(graph) => interner.graph(graph.as_ref().into())?,
                    None => None,
                };
                let lines = Lines {
                    name: &input.name,
                    with_graphs: input.format == RdfFormat::NQuads,
                    lenient: build.options.lenient,
                    bounds: build.options.bounds,
                    graph,
                };
                lines.read(&text, first_line, interner, build.budget())
            }
            Work::Whole => {
                let passing = Passing::default();
                let stored = Digesting::new(input.stored()?, passing.clone(), &build.bytes_read);
                let text = input.text_of(stored, build.options.bounds)?;
                let options = ReadOptions {
                    lenient: build.options.lenient,
                    bounds: build.options.bounds,
                    budget: Some(build.budget()),
                    progress: None,
                };
                let mut read = 0u64;
                let prefixes = read_each(input, text, options, &mut |quad| {
                    interner.place = u32::try_from(read).unwrap_or(u32::MAX);
                    interner.quad_in(quad.as_ref(), None)?;
                    read += 1;
                    if read.is_multiple_of(1 << 14) {
                        let position = interner.position;
                        let before = interner.statements();
                        spill(interner)?;
                        if interner.statements() < before {
                            build.statements.fetch_add(before as u64, Ordering::Relaxed);
                            begin(interner);
                            interner.position = position;
                        }
                    }
                    Ok(())
                })?;
                let digest = passing.finish(input)?;
                whole_files.lock().unwrap_or_else(PoisonError::into_inner).push((number, digest, prefixes));
                Ok(())
            }
        }
    }
}
