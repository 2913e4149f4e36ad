//! Rows given as ids of four bytes each. Until all rows are found and types are chosen, only the ids are held. Stored numbers,
//! booleans and dates come from the snapshot's inline values, not from texts; texts are decoded when their batch is made.

use super::batches::record;
use super::cell::Cells;
use super::column::{Column, Seen};
use super::gather::ColumnTerms;
use super::shape::Shape;
use super::spool::{Pile, Piled};
use super::typed::typed;
use arrow_array::builder::StringBuilder;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array, cast::AsArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use kgq_engine::{ColumnTexts, IdRows, Terms};
use kgq_snapshot::{TermId, TypeKey};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Result};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The most rows of a batch, and the bytes of texts beyond which it is halved.
const ROWS: usize = 1 << 16;
const BYTES: usize = 16 << 20;
/// The number of rows requested from the engine at once.
const FOUND: usize = 1 << 12;

/// Rows of ids that are turned into batches.
pub struct ById {
    rows: IdRows,
    width: usize,
    /// The ids found before the types were chosen; `None` if types do not depend on them.
    found: Option<Piled>,
    /// Parts of a batch that was too large for Arrow or for the budget, the next one last.
    parts: Vec<RecordBatch>,
    /// The most rows of a batch: those of the largest that the budget had room for, once it had none for a larger one.
    most: usize,
    budget: Budget,
    texts: ColumnTexts,
}

impl ById {
    pub fn new(rows: IdRows, width: usize, budget: &Budget) -> Self {
        Self {
            rows,
            width,
            found: None,
            parts: Vec::new(),
            most: ROWS,
            budget: budget.clone(),
            texts: ColumnTexts::default(),
        }
    }

    /// Finds all rows, holding at most `most` bytes of their ids in memory. Returns each column's type.
    ///
    /// # Errors
    /// Those of the rows; the budget's; a temporary file that cannot be written.
    pub fn find_all(&mut self, most: u64) -> Result<Vec<Column>> {
        let mut seen: Vec<Seen> = (0..self.width).map(|_| Seen::default()).collect();
        let mut pile = Pile::new(schema(self.width), most, &self.budget);
        while let Some(batch) = self.next_found()? {
            let columns = seen.iter_mut().zip(batch.columns());
            self.rows.with_terms(|terms| {
                let cells = Cells::new(terms);
                columns.into_iter().for_each(|(seen, ids)| look(seen, ids, terms, &cells));
                Ok(())
            })?;
            pile.push(batch)?;
        }
        self.found = Some(pile.batches()?);
        Ok(seen.into_iter().map(Seen::decide).collect())
    }

    /// The next rows of the query.
    fn next_found(&mut self) -> Result<Option<RecordBatch>> {
        self.budget.check()?;
        let mut columns: Vec<Vec<u32>> = vec![Vec::new(); self.width];
        let mut rows = 0;
        let most = (BYTES / size_of::<TermId>() / self.width.max(1)).clamp(FOUND, ROWS);
        while rows + FOUND <= most {
            let more = self.rows.next_columns(|found, count| {
                columns.iter_mut().zip(found).for_each(|(column, ids)| column.extend(ids.iter().map(|id| id.get())));
                rows += count;
            })?;
            if !more {
                break;
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns = columns.into_iter().map(|ids| Arc::new(UInt32Array::from(ids)) as ArrayRef).collect();
        record(&schema(self.width), columns, rows).map(Some)
    }

    /// The next batch of the answer.
    ///
    /// # Errors
    /// Those of the rows, the budget's, those of a temporary file, damage to the snapshot.
    pub fn next(&mut self, schema: &SchemaRef) -> Result<Option<RecordBatch>> {
        loop {
            self.budget.check()?;
            let part = match (self.parts.pop(), &mut self.found) {
                (Some(part), _) => Some(part),
                (None, Some(found)) => found.next().transpose()?,
                (None, None) => self.next_found()?,
            };
            let Some(mut part) = part else { return Ok(None) };
            if part.num_rows() > self.most {
                self.parts.push(part.slice(self.most, part.num_rows() - self.most));
                part = part.slice(0, self.most);
            }
            let texts = &mut self.texts;
            let made = self.rows.with_terms(|terms| answer(&part, schema, terms, texts))?;
            if let Some(made) = made {
                // The batch belongs to its reader from now on, but there must have been room for it.
                match self.budget.reserve(made.get_array_memory_size() as u64) {
                    Ok(_held) => return Ok(Some(made)),
                    Err(error) if part.num_rows() == 1 => return Err(error),
                    Err(_) => self.most = part.num_rows() / 2,
                }
            }
            let half = part.num_rows() / 2;
            self.parts.extend([part.slice(half, part.num_rows() - half), part.slice(0, half)]);
        }
    }
}

/// The columns of ids.
fn schema(width: usize) -> SchemaRef {
    Arc::new(Schema::new((0..width).map(|at| Field::new(at.to_string(), DataType::UInt32, false)).collect::<Vec<_>>()))
}

/// Makes a batch of the answer from ids; `None` if its texts are too long for one batch.
fn answer(
    part: &RecordBatch,
    schema: &SchemaRef,
    terms: &Terms<'_>,
    texts: &mut ColumnTexts,
) -> Result<Option<RecordBatch>> {
    let cells = Cells::new(terms);
    let mut columns = Vec::with_capacity(part.num_columns());
    // A single row cannot be halved.
    let mut left = if part.num_rows() > 1 { BYTES } else { usize::MAX };
    for (ids, field) in part.columns().iter().zip(schema.fields()) {
        let ids = ids_of(ids);
        let literals = ids.iter().map(|id| (!id.is_unbound()).then_some(*id));
        if let Some(values) = typed(literals, field.data_type(), &cells)? {
            columns.push(values);
            continue;
        }
        if !texts.read(&ids, terms, left) || texts.bytes() > left {
            return Ok(None);
        }
        left -= texts.bytes();
        columns.push(match field.data_type() {
            DataType::Struct(_) => {
                let (shapes, which) = shapes(&ids, terms);
                let beside: Vec<usize> = shapes.iter().map(Shape::bytes).collect();
                let bound = ids.iter().zip(&which).filter(|(id, _)| !id.is_unbound());
                let beside = bound.map(|(_, at)| beside[*at as usize]).sum::<usize>();
                if beside > left {
                    return Ok(None);
                }
                left -= beside;
                ColumnTerms { texts: strings(texts)?, shapes, which: Some(which) }.structs()?
            }
            _ => Arc::new(strings(texts)?),
        });
    }
    record(schema, columns, part.num_rows()).map(Some)
}

fn strings(texts: &ColumnTexts) -> Result<arrow_array::StringArray> {
    let bytes = texts.bytes();
    // Offsets into a column have 31 bits.
    if bytes > i32::MAX as usize {
        return Err(Error::limit("a text is longer than the 2 GiB that a column of Arrow holds"));
    }
    let mut strings = StringBuilder::with_capacity(texts.len(), bytes);
    texts.iter().for_each(|text| strings.append_option(text));
    Ok(strings.finish())
}

fn ids_of(column: &ArrayRef) -> Vec<TermId> {
    column.as_primitive::<UInt32Type>().values().iter().copied().map(TermId::new).collect()
}

/// Takes a column's ids into account for its type.
fn look(seen: &mut Seen, column: &ArrayRef, terms: &Terms<'_>, cells: &Cells<'_>) {
    if seen.is_of_several() {
        return;
    }
    let ids = ids_of(column);
    shapes(&ids, terms).0.iter().for_each(|shape| seen.add_shape(shape));
    seen.look(ids.iter().copied().filter(|id| !id.is_unbound()), cells);
}

/// The distinct shapes of the ids, and for each id the index of its shape; 0 if unbound.
fn shapes(ids: &[TermId], terms: &Terms<'_>) -> (Vec<Shape>, Vec<u32>) {
    let mut shapes: Vec<Shape> = Vec::new();
    let mut places: FxHashMap<Shape, u32> = FxHashMap::default();
    let mut place = |shape: Shape| {
        *places.entry(shape).or_insert_with_key(|shape| {
            shapes.push(shape.clone());
            shapes.len() as u32 - 1
        })
    };
    let mut by_key: FxHashMap<TypeKey, u32> = FxHashMap::default();
    let mut last: Option<(TypeKey, u32)> = None;
    let snapshot = terms.snapshot();
    let which = ids.iter().map(|id| {
        if id.is_unbound() {
            return 0;
        }
        if !terms.is_stored(*id) {
            return place(Shape::of(&terms.term(*id)));
        }
        let key = snapshot.type_key(*id);
        match last {
            Some((before, at)) if before == key => at,
            _ => {
                let at = *by_key.entry(key).or_insert_with(|| place(Shape::of_id(snapshot, *id)));
                last = Some((key, at));
                at
            }
        }
    });
    let which = which.collect();
    (shapes, which)
}

#[cfg(test)]
#[path = "by_id_tests.rs"]
mod tests;
