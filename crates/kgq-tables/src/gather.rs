//! Gathers rows of terms into columns of texts, batch by batch.

use super::arrow_error;
use super::shape::Shape;
use arrow_array::builder::StringBuilder;
use arrow_array::{Array, ArrayRef, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields};
use kgq_engine::Solutions;
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::Term;
use kgq_syntax::rdf::language::text;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The most rows of a batch, and the bytes of text after which it ends.
const ROWS: usize = 1 << 15;
const BYTES: usize = 16 << 20;

/// The terms of a column in some rows.
pub struct ColumnTerms {
    /// The text of each term; null if unbound.
    pub texts: StringArray,
    /// The distinct shapes of the terms.
    pub shapes: Vec<Shape>,
    /// For each row the index of its shape; `None` if there is at most one shape.
    pub which: Option<Vec<u32>>,
}

/// Some rows of an answer, by column.
pub struct Gathered {
    pub columns: Vec<ColumnTerms>,
    pub rows: usize,
    pub bytes: u64,
}

/// Reads the rows of solutions batch by batch.
pub struct Gathering {
    solutions: Solutions,
    budget: Budget,
}

impl Gathering {
    pub fn new(solutions: Solutions, budget: &Budget) -> Self {
        Self { solutions, budget: budget.clone() }
    }

    /// Returns the next rows, with the reservation of their memory; `None` after the last.
    pub fn next(&mut self) -> Result<Option<(Gathered, Reservation)>> {
        self.budget.check()?;
        let mut columns: Vec<Building> = self.solutions.variables.iter().map(|_| Building::default()).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < ROWS && bytes < BYTES {
            let Some(row) = self.solutions.rows.next() else { break };
            for (column, term) in columns.iter_mut().zip(&row?) {
                bytes += column.add(term.as_ref())?;
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns: Vec<ColumnTerms> = columns.into_iter().map(Building::finish).collect();
        let bytes = columns.iter().map(ColumnTerms::bytes).sum();
        Ok(Some((Gathered { columns, rows, bytes }, self.budget.reserve(bytes)?)))
    }
}

/// A column that is built term by term.
#[derive(Default)]
pub struct Building {
    texts: StringBuilder,
    rows: usize,
    shapes: Vec<Shape>,
    known: FxHashMap<Shape, u32>,
    last: u32,
    /// The bytes of the last shape, besides the text.
    beside: usize,
    which: Option<Vec<u32>>,
}

impl Building {
    /// Adds a term; returns the bytes of its text and its shape.
    pub fn add(&mut self, term: Option<&Term>) -> Result<usize> {
        self.rows += 1;
        let Some(term) = term else {
            self.texts.append_null();
            self.which.iter_mut().for_each(|which| which.push(0));
            return Ok(0);
        };
        let text = text(term);
        // Offsets into a column have 31 bits.
        if text.len() > i32::MAX as usize - BYTES {
            return Err(Error::limit("a text is longer than the 2 GiB that a column of Arrow holds"));
        }
        self.texts.append_value(&text);
        if !self.shapes.get(self.last as usize).is_some_and(|shape| shape.fits(term)) {
            self.last = self.place(Shape::of(term));
            self.beside = self.shapes[self.last as usize].bytes();
            if self.shapes.len() == 2 && self.which.is_none() {
                self.which = Some(vec![0; self.rows - 1]);
            }
        }
        let last = self.last;
        self.which.iter_mut().for_each(|which| which.push(last));
        Ok(text.len() + self.beside)
    }

    fn place(&mut self, shape: Shape) -> u32 {
        if let Some(place) = self.known.get(&shape) {
            return *place;
        }
        let place = self.shapes.len() as u32;
        self.shapes.push(shape.clone());
        self.known.insert(shape, place);
        place
    }

    pub fn finish(mut self) -> ColumnTerms {
        ColumnTerms { texts: self.texts.finish(), shapes: self.shapes, which: self.which }
    }
}

/// The fields of a column of terms.
pub fn fields() -> Fields {
    let field = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    Fields::from(vec![field("value", false), field("kind", false), field("datatype", true), field("language", true)])
}

impl ColumnTerms {
    fn bytes(&self) -> u64 {
        let which = self.which.as_ref().map_or(0, |which| size_of_val(which.as_slice()));
        (self.texts.get_array_memory_size() + which + size_of_val(self.shapes.as_slice())) as u64
    }

    /// The column as structs of value, kind, datatype and language, null if unbound.
    pub fn structs(&self) -> Result<ArrayRef> {
        let languages: Vec<Option<String>> = self.shapes.iter().map(Shape::language).collect();
        let shape = |row: usize| self.which.as_ref().map_or(0, |which| which[row] as usize);
        // The index of each row's shape, if the row has a term.
        let shapes = || (0..self.texts.len()).map(|row| self.texts.is_valid(row).then(|| shape(row)));
        // Required fields are empty texts in rows without a term.
        let values: StringArray = self.texts.iter().map(|text| Some(text.unwrap_or_default())).collect();
        let kinds: StringArray = shapes().map(|at| Some(at.map_or("", |at| self.shapes[at].kind()))).collect();
        let datatypes: StringArray = shapes().map(|at| self.shapes[at?].datatype()).collect();
        let languages: StringArray = shapes().map(|at| languages[at?].as_deref()).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(values), Arc::new(kinds), Arc::new(datatypes), Arc::new(languages)];
        let structs = StructArray::try_new(fields(), columns, self.texts.nulls().cloned()).map_err(arrow_error)?;
        Ok(Arc::new(structs))
    }
}
