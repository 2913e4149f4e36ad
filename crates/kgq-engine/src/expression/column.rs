//! The values of an expression for some rows, and the rows that it is evaluated for.

use super::Context;
use super::numbers::{Numbers, number};
use super::texts::Texts;
use super::value::{Number, Text, Value};
use crate::batch::{Batch, gather};
use crate::terms::Truth;
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use std::borrow::Cow;

/// Rows between two checks of the clock.
pub const ROWS_BETWEEN_CHECKS: usize = 256;

/// The value of an expression for one row.
#[derive(Clone, Debug)]
pub enum Datum {
    /// A term with an id; its lexical form is known.
    Term(TermId),
    /// A value whose term has not been needed so far.
    Value(Value),
}

impl Datum {
    /// Returns the approximate bytes held on the heap.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Term(_) => 0,
            Self::Value(value) => value.bytes(),
        }
    }
}

/// The values of an expression for some rows. An unbound id, `Truth::Error` and `None` are errors.
#[derive(Debug)]
pub enum Column<'b> {
    Ids(Cow<'b, [TermId]>),
    Truths(Vec<Truth>),
    Data(Vec<Option<Datum>>),
    Numbers(Numbers),
    /// Strings without a language.
    Texts(Texts),
    /// One value for all rows, with its id.
    Same(TermId, &'b Value, usize),
    Errors(usize),
}

impl Column<'_> {
    /// Returns the same column without borrowing from the batch.
    pub fn detached(self) -> Column<'static> {
        match self {
            Self::Ids(ids) => Column::Ids(Cow::Owned(ids.into_owned())),
            Self::Truths(truths) => Column::Truths(truths),
            Self::Data(data) => Column::Data(data),
            Self::Numbers(numbers) => Column::Numbers(numbers),
            Self::Texts(texts) => Column::Texts(texts),
            Self::Same(id, _, rows) => Column::Ids(Cow::Owned(vec![id; rows])),
            Self::Errors(rows) => Column::Errors(rows),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Ids(ids) => ids.len(),
            Self::Truths(truths) => truths.len(),
            Self::Data(data) => data.len(),
            Self::Numbers(numbers) => numbers.rows(),
            Self::Texts(texts) => texts.len(),
            Self::Same(_, _, rows) | Self::Errors(rows) => *rows,
        }
    }

    pub fn value(&self, row: usize, context: &Context<'_>) -> Option<Cow<'_, Value>> {
        match self {
            Self::Ids(ids) => match ids[row] {
                TermId::UNBOUND => None,
                id => Some(Cow::Owned(context.terms.value(id))),
            },
            Self::Truths(truths) => match truths[row] {
                Truth::Error => None,
                truth => Some(Cow::Owned(Value::Boolean(truth == Truth::True))),
            },
            Self::Data(data) => match data[row].as_ref()? {
                Datum::Term(id) => Some(Cow::Owned(context.terms.value(*id))),
                Datum::Value(value) => Some(Cow::Borrowed(value)),
            },
            Self::Numbers(numbers) => Some(Cow::Owned(Value::Number(number(numbers, row)))),
            Self::Texts(texts) => Some(Cow::Owned(Value::string(texts.get(row)?))),
            Self::Same(_, value, _) => Some(Cow::Borrowed(value)),
            Self::Errors(_) => None,
        }
    }

    pub fn text(&self, row: usize, context: &Context<'_>) -> Option<Cow<'_, Text>> {
        match self {
            Self::Ids(ids) => match ids[row] {
                TermId::UNBOUND => None,
                id => context.terms.text(id).map(Cow::Owned),
            },
            Self::Data(data) => match data[row].as_ref()? {
                Datum::Term(id) => context.terms.text(*id).map(Cow::Owned),
                Datum::Value(Value::Text(text)) => Some(Cow::Borrowed(text)),
                Datum::Value(_) => None,
            },
            Self::Texts(texts) => Some(Cow::Owned(Text { value: texts.get(row)?.to_owned(), language: None })),
            Self::Same(_, Value::Text(text), _) => Some(Cow::Borrowed(text)),
            Self::Same(..) | Self::Truths(_) | Self::Numbers(_) | Self::Errors(_) => None,
        }
    }

    pub fn term(&self, row: usize, context: &Context<'_>) -> Option<Term> {
        match self {
            Self::Ids(ids) => match ids[row] {
                TermId::UNBOUND => None,
                id => Some(context.terms.term(id)),
            },
            Self::Data(data) => match data[row].as_ref()? {
                Datum::Term(id) => Some(context.terms.term(*id)),
                Datum::Value(value) => Some(value.clone().into_term()),
            },
            Self::Same(id, _, _) => Some(context.terms.term(*id)),
            Self::Truths(_) | Self::Numbers(_) | Self::Texts(_) | Self::Errors(_) => {
                Some(self.value(row, context)?.into_owned().into_term())
            }
        }
    }

    /// # Errors
    /// A limit, if a truth value needs an id and there is none.
    pub fn datum(&self, row: usize, context: &Context<'_>) -> Result<Option<Datum>> {
        Ok(match self {
            Self::Ids(ids) => (ids[row] != TermId::UNBOUND).then_some(Datum::Term(ids[row])),
            Self::Truths(truths) => match truths[row] {
                Truth::Error => None,
                truth => Some(Datum::Term(context.truth_id(truth == Truth::True)?)),
            },
            Self::Data(data) => data[row].clone(),
            Self::Numbers(numbers) => Some(Datum::Value(Value::Number(number(numbers, row)))),
            Self::Texts(texts) => texts.get(row).map(|text| Datum::Value(Value::string(text))),
            Self::Same(id, _, _) => Some(Datum::Term(*id)),
            Self::Errors(_) => None,
        })
    }

    pub fn truth(&self, row: usize, context: &Context<'_>) -> Truth {
        match self {
            Self::Ids(ids) => context.terms.truth(ids[row]),
            Self::Truths(truths) => truths[row],
            Self::Data(data) => match &data[row] {
                Some(Datum::Term(id)) => context.terms.truth(*id),
                Some(Datum::Value(value)) => value.truth().into(),
                None => Truth::Error,
            },
            Self::Numbers(numbers) => number(numbers, row).is_true().into(),
            Self::Texts(texts) => texts.get(row).map(|text| !text.is_empty()).into(),
            Self::Same(_, value, _) => value.truth().into(),
            Self::Errors(_) => Truth::Error,
        }
    }

    pub fn into_truths(self, context: &Context<'_>) -> Vec<Truth> {
        match self {
            Self::Truths(truths) => truths,
            Self::Same(_, value, rows) => vec![value.truth().into(); rows],
            Self::Errors(rows) => vec![Truth::Error; rows],
            Self::Texts(texts) => texts.iter().map(|text| text.map(|text| !text.is_empty()).into()).collect(),
            Self::Ids(_) | Self::Data(_) | Self::Numbers(_) => {
                (0..self.len()).map(|row| self.truth(row, context)).collect()
            }
        }
    }

    /// Assigns an id to every value.
    ///
    /// # Errors
    /// A limit, if there is no room for another term.
    pub fn into_ids(self, context: &Context<'_>) -> Result<Vec<TermId>> {
        Ok(match self {
            Self::Ids(ids) => ids.into_owned(),
            Self::Truths(truths) => {
                let (yes, no) = (context.truth_id(true)?, context.truth_id(false)?);
                let id = |truth| match truth {
                    Truth::True => yes,
                    Truth::False => no,
                    Truth::Error => TermId::UNBOUND,
                };
                truths.into_iter().map(id).collect()
            }
            Self::Data(data) => {
                // Small numbers, such as lengths, occur again and again, so their ids are remembered.
                let mut small = [TermId::UNBOUND; 256];
                let mut id = |datum| -> Result<TermId> {
                    let value = match datum {
                        None => return Ok(TermId::UNBOUND),
                        Some(Datum::Term(id)) => return Ok(id),
                        Some(Datum::Value(value)) => value,
                    };
                    let known = match &value {
                        Value::Number(Number::Integer(n)) => usize::try_from(i64::from(*n)).ok(),
                        _ => None,
                    };
                    match known.and_then(|n| small.get_mut(n)) {
                        Some(known) if *known != TermId::UNBOUND => Ok(*known),
                        Some(known) => {
                            *known = context.terms.id_of_value(value)?;
                            Ok(*known)
                        }
                        None => context.terms.id_of_value(value),
                    }
                };
                let mut ids = Vec::with_capacity(data.len());
                for (row, datum) in data.into_iter().enumerate() {
                    if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                        context.terms.budget().check()?;
                    }
                    ids.push(id(datum)?);
                }
                ids
            }
            Self::Numbers(numbers) => context.terms.ids_of_numbers(&numbers)?,
            Self::Texts(texts) => {
                let mut ids = Vec::with_capacity(texts.len());
                for (row, text) in texts.iter().enumerate() {
                    if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                        context.terms.budget().check()?;
                    }
                    ids.push(match text {
                        Some(text) => context.terms.id_of_text(text)?,
                        None => TermId::UNBOUND,
                    });
                }
                ids
            }
            Self::Same(id, _, rows) => vec![id; rows],
            Self::Errors(rows) => vec![TermId::UNBOUND; rows],
        })
    }
}

/// The rows of a batch that an expression is evaluated for.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'b> {
    batch: &'b Batch,
    /// Positions in the batch; all rows if absent.
    selection: Option<&'b [u32]>,
    /// The number of the solution in the batch's first row.
    first: u64,
}

impl<'b> Selection<'b> {
    pub fn all(batch: &'b Batch, first: u64) -> Self {
        Self { batch, selection: None, first }
    }

    pub fn len(&self) -> usize {
        self.selection.map_or(self.batch.rows(), <[u32]>::len)
    }

    pub fn column(&self, column: usize) -> Cow<'b, [TermId]> {
        match self.selection {
            None => Cow::Borrowed(self.batch.column(column)),
            Some(selection) => Cow::Owned(gather(self.batch.column(column), selection)),
        }
    }

    /// Returns the positions in the batch for the given positions in this selection.
    pub fn narrow(&self, positions: &[u32]) -> Vec<u32> {
        match self.selection {
            None => positions.to_vec(),
            Some(selection) => positions.iter().map(|at| selection[*at as usize]).collect(),
        }
    }

    /// Returns the rows at these positions in the batch.
    pub fn selected<'s>(&self, positions: &'s [u32]) -> Selection<'s>
    where
        'b: 's,
    {
        Selection { batch: self.batch, selection: Some(positions), first: self.first }
    }

    /// Returns the number of the solution in a row.
    pub fn solution(&self, row: usize) -> u64 {
        let at = self.selection.map_or(row, |selection| selection[row] as usize);
        self.first + at as u64
    }
}
