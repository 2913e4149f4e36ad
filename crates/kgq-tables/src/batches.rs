//! Turns solutions into record batches. A type holds for a whole column, so it is chosen once all rows are known: until then they
//! are held in memory, and beyond a bound in a temporary file. Columns of structs need no such choice; their batches are made as
//! the rows are found.

use super::arrow_error;
use super::by_id::ById;
use super::column::{Column, Seen};
use super::gather::{Gathered, Gathering};
use super::spool::{Pile, Piled, Spool, Spooled, temporary};
use super::typed::typed;
use super::values::Texts;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, StructArray};
use arrow_schema::{DataType, Schema, SchemaRef};
use kgq_engine::{IdRows, Solutions};
use kgq_syntax::budget::{Budget, Reservation};
use kgq_syntax::error::{Error, Result};
use std::sync::Arc;

/// Options for turning solutions into columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gather {
    /// Make every column one of structs, whatever its terms have in common.
    pub terms: bool,
    /// Find all rows before the first batch is returned, even if no type depends on them: for a reader that can neither be
    /// interrupted nor report errors.
    pub whole: bool,
    /// The most bytes of rows held in memory until all are found. The rest goes to a temporary file.
    pub held: u64,
}

impl Default for Gather {
    fn default() -> Self {
        Self { terms: false, whole: false, held: 64 << 20 }
    }
}

/// The solutions of a query as record batches of one schema.
pub struct Batches {
    schema: SchemaRef,
    rest: Rest,
}

/// The source of the remaining batches.
enum Rest {
    /// Rows still to be found.
    Found(Gathering),
    Held(std::vec::IntoIter<(Gathered, Reservation)>),
    Spooled(Spooled, Option<Budget>),
    /// Rows given as ids.
    ById(Box<ById>),
    /// Finished batches.
    Made(Piled),
    Ended,
}

impl Batches {
    /// # Errors
    /// Those of the rows; the budget's; a temporary file that cannot be written.
    pub fn of(solutions: Solutions, how: &Gather, budget: &Budget) -> Result<Self> {
        let names: Vec<String> = solutions.variables.iter().map(|variable| variable.as_str().to_owned()).collect();
        let Solutions { variables, rows } = solutions;
        let rows = match rows.into_ids() {
            Ok(rows) => return Self::by_id(rows, &names, how, budget),
            Err(rows) => rows,
        };
        let terms = schema(&names, names.iter().map(|_| Column::terms()).collect());
        let mut rows = Gathering::new(Solutions { variables, rows }, budget);
        if how.terms && !how.whole {
            return Ok(Self { schema: terms, rest: Rest::Found(rows) });
        }
        let most = held(how, budget);
        let mut seen: Vec<Seen> = names.iter().map(|_| Seen::default()).collect();
        let mut held = Vec::new();
        let mut bytes = 0;
        let mut spool = None;
        while let Some((batch, reserved)) = rows.next()? {
            seen.iter_mut().zip(&batch.columns).for_each(|(seen, terms)| seen.add(terms));
            bytes += batch.bytes;
            held.push((batch, reserved));
            if spool.is_none() && bytes <= most {
                continue;
            }
            let spool = match &mut spool {
                Some(spool) => spool,
                none => none.insert(Spool::create(&terms, budget)?),
            };
            held.drain(..).try_for_each(|(batch, _reserved)| spool.write(&structs(&terms, &batch)?))?;
        }
        let schema = if how.terms { terms } else { schema(&names, seen.into_iter().map(Seen::decide).collect()) };
        // With `whole`, all rows are there: the time that their reader takes is not charged to the query.
        let budget = (!how.whole).then(|| budget.clone());
        let rest = match spool {
            None => Rest::Held(held.into_iter()),
            Some(spool) => Rest::Spooled(spool.read()?, budget),
        };
        Ok(Self { schema, rest })
    }

    /// Batches of rows given as ids.
    fn by_id(rows: IdRows, names: &[String], how: &Gather, budget: &Budget) -> Result<Self> {
        let most = held(how, budget);
        let mut rows = ById::new(rows, names.len(), budget);
        let columns = match how.terms {
            true => names.iter().map(|_| Column::terms()).collect(),
            false => rows.find_all(most)?,
        };
        let schema = schema(names, columns);
        if !how.whole {
            return Ok(Self { schema, rest: Rest::ById(Box::new(rows)) });
        }
        let mut made = Pile::new(Arc::clone(&schema), most, budget);
        while let Some(batch) = rows.next(&schema)? {
            made.push(batch)?;
        }
        Ok(Self { schema, rest: Rest::Made(made.batches()?) })
    }

    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn gathered(&self, batch: &Gathered) -> Result<RecordBatch> {
        let columns = batch.columns.iter().zip(self.schema.fields()).map(|(terms, field)| match field.data_type() {
            DataType::Struct(_) => terms.structs(),
            data => of_texts(terms.texts.clone(), data),
        });
        record(&self.schema, columns.collect::<Result<_>>()?, batch.rows)
    }

    /// Converts a batch that was spooled as structs to the columns of the schema.
    fn spooled(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns().iter().zip(self.schema.fields()).map(|(column, field)| match field.data_type() {
            DataType::Struct(_) => Ok(Arc::clone(column)),
            data => of_texts(texts(column)?, data),
        });
        record(&self.schema, columns.collect::<Result<_>>()?, batch.num_rows())
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>> {
        match &mut self.rest {
            Rest::Ended => Ok(None),
            Rest::Found(rows) => match rows.next()? {
                Some((batch, _reserved)) => self.gathered(&batch).map(Some),
                None => Ok(None),
            },
            Rest::ById(rows) => rows.next(&self.schema),
            Rest::Made(batches) => batches.next().transpose(),
            Rest::Held(batches) => match batches.next() {
                Some((batch, _reserved)) => self.gathered(&batch).map(Some),
                None => Ok(None),
            },
            Rest::Spooled(reader, budget) => {
                budget.as_ref().map_or(Ok(()), Budget::check)?;
                match reader.next() {
                    Some(batch) => self.spooled(&batch.map_err(temporary)?).map(Some),
                    None => Ok(None),
                }
            }
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.rest = Rest::Ended;
        }
        next
    }
}

fn schema(names: &[String], columns: Vec<Column>) -> SchemaRef {
    Arc::new(Schema::new(names.iter().zip(columns).map(|(name, column)| column.field(name)).collect::<Vec<_>>()))
}

/// The most bytes of rows held in memory: a quarter of the limit, to leave room for finding the rest.
fn held(how: &Gather, budget: &Budget) -> u64 {
    budget.limits().memory.map_or(how.held, |memory| how.held.min(memory / 4))
}

/// Rows as structs, in the form in which they are spooled.
fn structs(schema: &SchemaRef, batch: &Gathered) -> Result<RecordBatch> {
    let columns = batch.columns.iter().map(|terms| terms.structs()).collect::<Result<_>>()?;
    record(schema, columns, batch.rows)
}

pub fn record(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    // An answer can have rows without columns, so the number of rows is passed along.
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(arrow_error)
}

/// The values of texts; the texts themselves where the type is that of texts.
fn of_texts(texts: StringArray, data: &DataType) -> Result<ArrayRef> {
    Ok(typed(texts.iter(), data, &Texts)?.unwrap_or_else(|| Arc::new(texts)))
}

/// The texts of a column of structs, null where the struct is.
fn texts(column: &ArrayRef) -> Result<StringArray> {
    let structs = column.as_any().downcast_ref::<StructArray>();
    let texts = structs.and_then(|structs| structs.column(0).as_any().downcast_ref::<StringArray>());
    let (Some(structs), Some(texts)) = (structs, texts) else {
        return Err(Error::bug("a temporary file holds other columns than were written to it"));
    };
    let (offsets, values, _) = texts.clone().into_parts();
    StringArray::try_new(offsets, values, arrow_array::Array::nulls(structs).cloned()).map_err(arrow_error)
}

#[cfg(test)]
#[path = "batches_tests.rs"]
mod tests;
