//! Strings without a language, one after the other in one text; and the functions of strings over a whole column of them, which make no
//! string for each row.

use super::call::{Function, PatternSource};
use super::column::{Column, Datum, ROWS_BETWEEN_CHECKS};
use super::pattern::{Replacement, too_large};
use super::value::{Number, Text, Value};
use super::{Context, LARGEST_STRING, strings};
use crate::terms::Truth;
use kgq_snapshot::{TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use memchr::memmem::Finder;

/// A string or nothing for each row.
#[derive(Debug, Default)]
pub struct Texts {
    all: String,
    /// Where each text ends.
    ends: Vec<usize>,
    /// Whether a row has an error, and no text.
    failed: Vec<bool>,
}

impl Texts {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn bytes(&self) -> usize {
        self.all.capacity()
    }

    fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self { all: String::with_capacity(bytes), ends: Vec::with_capacity(rows), failed: Vec::with_capacity(rows) }
    }

    /// Ends the text that was written behind the others.
    fn close(&mut self) {
        self.ends.push(self.all.len());
        self.failed.push(false);
    }

    /// Ends a row without a text, whatever was written of one.
    fn fail(&mut self) {
        self.all.truncate(self.end());
        self.ends.push(self.all.len());
        self.failed.push(true);
    }

    /// Where the last text ends.
    fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    pub fn get(&self, row: usize) -> Option<&str> {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        (!self.failed[row]).then(|| &self.all[start..self.ends[row]])
    }

    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// STR() of a column of ids.
    ///
    /// # Errors
    /// A limit of the query.
    pub fn of_terms(ids: &[TermId], context: &Context<'_>) -> Result<Self> {
        let snapshot = context.terms.snapshot();
        let mut decoder = snapshot.decoder();
        let mut texts = Self::with_capacity(ids.len(), ids.len() * 16);
        for (row, id) in ids.iter().enumerate() {
            if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                context.terms.budget().check()?;
            }
            if *id == TermId::UNBOUND {
                texts.fail();
            } else if context.terms.is_stored(*id) {
                let has_text = matches!(snapshot.kind(*id), TermKind::Iri | TermKind::Literal);
                match decoder.text(*id).filter(|_| has_text) {
                    Some(text) => {
                        texts.all.push_str(&String::from_utf8_lossy(text));
                        texts.close();
                    }
                    None => texts.fail(),
                }
            } else {
                match context.terms.term(*id) {
                    Term::NamedNode(iri) => texts.push(iri.as_str()),
                    Term::Literal(literal) => texts.push(literal.value()),
                    Term::BlankNode(_) | Term::Triple(_) => texts.fail(),
                }
            }
        }
        Ok(texts)
    }

    fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.close();
    }

    /// What is written for each text.
    fn map(&self, context: &Context<'_>, mut write: impl FnMut(&str, &mut String) -> Result<()>) -> Result<Self> {
        let mut texts = Self::with_capacity(self.len(), self.all.len());
        for (row, text) in self.iter().enumerate() {
            if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                context.terms.budget().check()?;
            }
            match text {
                Some(text) => {
                    write(text, &mut texts.all)?;
                    texts.close();
                }
                None => texts.fail(),
            }
        }
        Ok(texts)
    }

    fn truths(&self, holds: impl Fn(&str) -> bool) -> Vec<Truth> {
        self.iter().map(|text| text.map(&holds).into()).collect()
    }
}

/// A function of a column of texts, and of constants, for all rows at once. `None` where it has to be called row by row.
///
/// # Errors
/// A limit of the query.
pub fn apply<'b>(function: &Function, columns: &[Column<'_>], context: &Context<'_>) -> Result<Option<Column<'b>>> {
    if matches!(function, Function::Concat) {
        return Ok(concat(columns, context)?.map(Column::Texts));
    }
    let Some((Column::Texts(texts), others)) = columns.split_first() else { return Ok(None) };
    let part = || others.first().and_then(constant);
    let mapped = match function {
        Function::StrLen => {
            let length = |text: &str| Value::integer(text.chars().count() as i64);
            return Ok(Some(Column::Data(texts.iter().map(|text| Some(Datum::Value(length(text?)))).collect())));
        }
        Function::Contains | Function::StrStarts | Function::StrEnds => {
            let Some(part) = part() else { return Ok(None) };
            return Ok(Some(Column::Truths(match function {
                Function::Contains => {
                    let finder = Finder::new(part);
                    texts.truths(|text| finder.find(text.as_bytes()).is_some())
                }
                Function::StrStarts => texts.truths(|text| text.starts_with(part)),
                _ => texts.truths(|text| text.ends_with(part)),
            })));
        }
        Function::UpperCase => texts.map(context, |text, out| {
            let start = out.len();
            match text.is_ascii() {
                true => {
                    out.push_str(text);
                    out[start..].make_ascii_uppercase();
                }
                false => out.push_str(&text.to_uppercase()),
            }
            Ok(())
        }),
        Function::LowerCase => texts.map(context, |text, out| {
            let start = out.len();
            match text.is_ascii() {
                true => {
                    out.push_str(text);
                    out[start..].make_ascii_lowercase();
                }
                false => out.push_str(&text.to_lowercase()),
            }
            Ok(())
        }),
        Function::EncodeForUri => texts.map(context, |text, out| {
            strings::encode_for_uri(text, out);
            Ok(())
        }),
        Function::SubStr => {
            let (start, length) = match others {
                [start] => (number(start), Some(None)),
                [start, length] => (number(start), number(length).map(Some)),
                _ => (None, None),
            };
            let (Some(start), Some(length)) = (start, length) else { return Ok(None) };
            texts.map(context, |text, out| {
                out.push_str(strings::substring(text, start, length));
                Ok(())
            })
        }
        Function::StrBefore | Function::StrAfter => {
            let Some(part) = part() else { return Ok(None) };
            let (finder, before) = (Finder::new(part), matches!(function, Function::StrBefore));
            texts.map(context, |text, out| {
                if let Some(at) = finder.find(text.as_bytes()) {
                    out.push_str(if before { &text[..at] } else { &text[at + part.len()..] });
                }
                Ok(())
            })
        }
        Function::Digest(digest) => texts.map(context, |text, out| {
            digest.write(text, out);
            Ok(())
        }),
        Function::Replace(PatternSource::Constant(Ok(pattern))) => {
            // What fails is told row by row.
            let Some(Ok(replacement)) = others.get(1).and_then(constant).map(|text| Replacement::new(pattern, text))
            else {
                return Ok(None);
            };
            texts.map(context, |text, out| replacement.write(text, out, context.terms.budget()))
        }
        _ => return Ok(None),
    };
    Ok(Some(Column::Texts(mapped?)))
}

/// CONCAT of texts and constants without a language.
fn concat(columns: &[Column<'_>], context: &Context<'_>) -> Result<Option<Texts>> {
    enum Part<'a, I> {
        Constant(&'a str),
        Texts(I),
    }
    let is_plain = |column: &Column<'_>| matches!(column, Column::Texts(_)) || constant(column).is_some();
    let some = columns.iter().find_map(|column| if let Column::Texts(texts) = column { Some(texts) } else { None });
    let Some(some) = some.filter(|_| columns.iter().all(is_plain)) else { return Ok(None) };
    let mut parts: Vec<Part<'_, _>> = columns
        .iter()
        .map(|column| match column {
            Column::Texts(texts) => Part::Texts(texts.iter()),
            column => Part::Constant(constant(column).unwrap_or_default()),
        })
        .collect();
    let mut out = Texts::with_capacity(some.len(), some.all.len() * 2);
    for row in 0..some.len() {
        if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
            context.terms.budget().check()?;
        }
        let mut is_whole = true;
        for part in &mut parts {
            match part {
                Part::Constant(text) => out.all.push_str(text),
                Part::Texts(texts) => match texts.next().flatten() {
                    Some(text) => out.all.push_str(text),
                    None => is_whole = false,
                },
            }
        }
        if out.all.len() - out.end() > LARGEST_STRING {
            return Err(too_large());
        }
        if is_whole {
            out.close();
        } else {
            out.fail();
        }
    }
    Ok(Some(out))
}

/// The one text without a language that all rows have.
fn constant<'a>(column: &'a Column<'_>) -> Option<&'a str> {
    match column {
        Column::Same(_, Value::Text(Text { value, language: None }), _) => Some(value),
        _ => None,
    }
}

/// The one integer that all rows have.
fn number(column: &Column<'_>) -> Option<i64> {
    match column {
        Column::Same(_, Value::Number(Number::Integer(n)), _) => Some((*n).into()),
        _ => None,
    }
}
