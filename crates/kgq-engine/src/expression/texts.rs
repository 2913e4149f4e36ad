//! Strings without a language, concatenated in one text; and string functions over a whole column of them, which make
//! no string for each row.

use super::call::{Function, PatternSource};
use super::column::{Column, Datum, ROWS_BETWEEN_CHECKS};
use super::evaluate::Evaluation;
use super::numbers::Numbers;
use super::pattern::{Replacement, too_large};
use super::value::{Number, Text, Value};
use super::{LARGEST_STRING, strings};
use crate::terms::Truth;
use kgq_snapshot::{TermId, TermKind};
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Term;
use memchr::memmem::Finder;

/// A string or nothing for each row.
#[derive(Debug)]
pub struct Texts {
    all: String,
    /// The end of each row's text.
    ends: Vec<usize>,
    /// Whether a row has an error and no text.
    failed: Vec<bool>,
}

/// Bytes of a row in addition to its text.
const ROW_BYTES: usize = size_of::<usize>() + size_of::<bool>();
/// Above this many bytes in total, the text grows by an eighth.
const LARGE: usize = 1 << 20;

impl Texts {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Makes a text for each row, one after the other, and counts their bytes on the way. `write` returns whether a row
    /// has a text.
    ///
    /// # Errors
    /// Those of `write`; a limit of the query.
    fn made(
        rows: usize,
        bytes: usize,
        evaluation: &Evaluation<'_>,
        mut write: impl FnMut(usize, &mut String) -> Result<bool>,
    ) -> Result<Self> {
        evaluation.grow(bytes + rows * ROW_BYTES)?;
        let mut counted = bytes;
        let mut texts = Self {
            all: String::with_capacity(bytes),
            ends: Vec::with_capacity(rows),
            failed: Vec::with_capacity(rows),
        };
        for row in 0..rows {
            if row % ROWS_BETWEEN_CHECKS == ROWS_BETWEEN_CHECKS - 1 {
                evaluation.context.terms.budget().check()?;
            }
            let start = texts.all.len();
            if start >= LARGE && texts.all.capacity() < start + start / 16 {
                let bytes = start + start / 8;
                evaluation.grow(bytes.saturating_sub(counted))?;
                counted = bytes;
                texts.all.reserve_exact(bytes - start);
            }
            let has_text = write(row, &mut texts.all)?;
            if !has_text {
                texts.all.truncate(start);
            }
            texts.ends.push(texts.all.len());
            texts.failed.push(!has_text);
            let bytes = texts.all.capacity();
            evaluation.grow(bytes.saturating_sub(counted))?;
            counted = counted.max(bytes);
        }
        Ok(texts)
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
    pub fn of_terms(ids: &[TermId], evaluation: &Evaluation<'_>) -> Result<Self> {
        let terms = &evaluation.context.terms;
        let snapshot = terms.snapshot();
        let mut decoder = snapshot.decoder();
        Self::made(ids.len(), ids.len() * 16, evaluation, |row, out| {
            let id = ids[row];
            if id == TermId::UNBOUND {
                return Ok(false);
            }
            if terms.is_stored(id) {
                let has_text = matches!(snapshot.kind(id), TermKind::Iri | TermKind::Literal);
                let text = decoder.text(id).filter(|_| has_text);
                if let Some(text) = text {
                    // Only damaged bytes need the lossy conversion, which takes several times as long.
                    match str::from_utf8(text) {
                        Ok(text) => out.push_str(text),
                        Err(_) => out.push_str(&String::from_utf8_lossy(text)),
                    }
                }
                return Ok(text.is_some());
            }
            match terms.term(id) {
                Term::NamedNode(iri) => out.push_str(iri.as_str()),
                Term::Literal(literal) => out.push_str(literal.value()),
                Term::BlankNode(_) | Term::Triple(_) => return Ok(false),
            }
            Ok(true)
        })
    }

    /// Makes a text from each text by `write`.
    fn map(&self, evaluation: &Evaluation<'_>, mut write: impl FnMut(&str, &mut String) -> Result<()>) -> Result<Self> {
        Self::made(self.len(), self.all.len(), evaluation, |row, out| match self.get(row) {
            Some(text) => write(text, out).map(|()| true),
            None => Ok(false),
        })
    }

    fn truths(&self, holds: impl Fn(&str) -> bool) -> Vec<Truth> {
        self.iter().map(|text| text.map(&holds).into()).collect()
    }
}

/// Evaluates a function of a column of texts and of constants for all rows at once. `None` if it must be called row by row.
///
/// # Errors
/// A limit of the query.
pub fn apply<'b>(
    function: &Function,
    columns: &[Column<'_>],
    evaluation: &Evaluation<'_>,
) -> Result<Option<Column<'b>>> {
    if matches!(function, Function::Concat) {
        return Ok(concat(columns, evaluation)?.map(Column::Texts));
    }
    let Some((Column::Texts(texts), others)) = columns.split_first() else { return Ok(None) };
    let part = || others.first().and_then(constant);
    let mapped = match function {
        Function::StrLen => {
            let lengths: Vec<Option<i64>> =
                texts.iter().map(|text| text.map(|text| text.chars().count() as i64)).collect();
            return Ok(Some(integers(lengths)));
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
        Function::UpperCase => texts.map(evaluation, |text, out| {
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
        Function::LowerCase => texts.map(evaluation, |text, out| {
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
        Function::EncodeForUri => texts.map(evaluation, |text, out| {
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
            texts.map(evaluation, |text, out| {
                out.push_str(strings::substring(text, start, length));
                Ok(())
            })
        }
        Function::StrBefore | Function::StrAfter => {
            let Some(part) = part() else { return Ok(None) };
            let (finder, before) = (Finder::new(part), matches!(function, Function::StrBefore));
            texts.map(evaluation, |text, out| {
                if let Some(at) = finder.find(text.as_bytes()) {
                    out.push_str(if before { &text[..at] } else { &text[at + part.len()..] });
                }
                Ok(())
            })
        }
        Function::Digest(digest) => texts.map(evaluation, |text, out| {
            digest.write(text, out);
            Ok(())
        }),
        Function::Replace(PatternSource::Constant(Ok(pattern))) => {
            // Failures are reported row by row.
            let Some(Ok(replacement)) = others.get(1).and_then(constant).map(|text| Replacement::new(pattern, text))
            else {
                return Ok(None);
            };
            texts.map(evaluation, |text, out| replacement.write(text, out, evaluation.context.terms.budget()))
        }
        _ => return Ok(None),
    };
    Ok(Some(Column::Texts(mapped?)))
}

/// Returns the integers as numbers of one type, unless a row has none.
fn integers<'b>(all: Vec<Option<i64>>) -> Column<'b> {
    match all.iter().copied().collect() {
        Some(integers) => Column::Numbers(Numbers::Integers(integers)),
        None => Column::Data(all.into_iter().map(|n| n.map(|n| Datum::Value(Value::integer(n)))).collect()),
    }
}

/// CONCAT of texts and constants without a language.
fn concat(columns: &[Column<'_>], evaluation: &Evaluation<'_>) -> Result<Option<Texts>> {
    enum Part<'a> {
        Constant(&'a str),
        Texts(&'a Texts),
    }
    let parts = columns.iter().map(|column| match column {
        Column::Texts(texts) => Some(Part::Texts(texts)),
        column => constant(column).map(Part::Constant),
    });
    let Some(parts) = parts.collect::<Option<Vec<Part<'_>>>>() else { return Ok(None) };
    let some = parts.iter().find_map(|part| if let Part::Texts(texts) = part { Some(*texts) } else { None });
    let Some(some) = some else { return Ok(None) };
    let made = Texts::made(some.len(), some.all.len() * 2, evaluation, |row, out| {
        let start = out.len();
        for part in &parts {
            let text = match part {
                Part::Constant(text) => text,
                Part::Texts(texts) => match texts.get(row) {
                    Some(text) => text,
                    None => return Ok(false),
                },
            };
            if out.len() - start + text.len() > LARGEST_STRING {
                return Err(too_large());
            }
            out.push_str(text);
        }
        Ok(true)
    });
    made.map(Some)
}

/// Returns the text without a language that is the same in all rows, if there is one.
fn constant<'a>(column: &'a Column<'_>) -> Option<&'a str> {
    match column {
        Column::Same(_, Value::Text(Text { value, language: None }), _) => Some(value),
        _ => None,
    }
}

/// Returns the integer that is the same in all rows, if there is one.
fn number(column: &Column<'_>) -> Option<i64> {
    match column {
        Column::Same(_, Value::Number(Number::Integer(n)), _) => Some((*n).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{columns, parse, snapshot_of};
    use super::super::{Context, compile};
    use super::*;
    use crate::batch::Batch;
    use kgq_syntax::budget::{Budget, Exceeded, Limits, Work};
    use kgq_syntax::rdf::Literal;

    const MEMORY: u64 = 4 << 20;
    const ROWS: usize = 4096;

    fn limited() -> Budget {
        Budget::new(Limits { memory: Some(MEMORY), ..Limits::default() })
    }

    #[test]
    fn texts_are_counted_while_they_are_made() {
        let (snapshot, budget) = (snapshot_of([]), limited());
        let context = Context::new(&snapshot, None, budget.clone());
        let evaluation = Evaluation::new(&context).unwrap();
        let text = "x".repeat(10_000);
        let mut rows = 0;
        let error = Texts::made(ROWS, 0, &evaluation, |_, out| {
            rows += 1;
            out.push_str(&text);
            Ok(true)
        })
        .unwrap_err();
        assert_eq!(error.limit_passed(), Some(Exceeded::Memory(Work::Query)));
        // Texts double up to a size, and grow by an eighth beyond it.
        let made = rows * text.len() as u64;
        assert!(MEMORY * 3 / 4 < made && made < MEMORY * 5 / 4, "{made} bytes were made");
        assert!(MEMORY / 2 < budget.peak() && budget.peak() <= MEMORY, "{} bytes were counted", budget.peak());
        drop(evaluation);
        assert_eq!(budget.held(), 0);
    }

    /// Returns whether an expression over a column of texts is refused for its memory, and how much was counted.
    fn refused(expression: &str, texts: impl Iterator<Item = String>) -> (bool, u64) {
        let terms: Vec<Term> = texts.map(|text| Literal::new_simple_literal(text).into()).collect();
        let (snapshot, budget) = (snapshot_of(terms.iter().cloned()), limited());
        let context = Context::new(&snapshot, None, budget.clone());
        let ids: Vec<TermId> = terms.into_iter().map(|term| context.terms.id(term).unwrap()).collect();
        let rows = ids.len();
        let schema = columns(1);
        let compiled = compile(&parse(expression), &schema, &context).unwrap();
        let data = compiled.data(&Batch::new(vec![ids], rows), true, &context);
        (data.is_err_and(|error| error.limit_passed().is_some()), budget.peak())
    }

    #[test]
    fn expressions_that_make_large_texts_of_many_rows_are_refused_before_they_made_them() {
        let hundred = "y".repeat(100);
        let replace = |inner: &str| format!("REPLACE({inner}, \".\", \"{hundred}\")");
        for expression in [
            replace(&replace("STR(?x)")),
            replace(&replace("?x")),
            format!("STRLEN({})", replace(&replace("STR(?x)"))),
            format!("CONCAT({0}, {0}, {0})", replace("STR(?x)")),
            format!("COALESCE(1/0, {})", replace(&replace("?x"))),
            format!("IF(STRLEN(?x) > 1, {}, 1)", replace(&replace("?x"))),
        ] {
            let (refused, counted) = refused(&expression, (0..ROWS).map(|n| format!("text {n}")));
            assert!(refused && counted > MEMORY / 2, "{expression}: {counted} bytes");
        }
        // A single row, a text of the data that many rows have, and what is made from it.
        let (huge, large) = ("x".repeat(100_000), "x".repeat(20_000));
        assert!(refused(&replace("?x"), std::iter::once(huge)).0);
        for expression in ["STR(?x)", "UCASE(?x)", "UCASE(STR(?x))", "COALESCE(UCASE(?x), 1)"] {
            assert!(refused(expression, std::iter::repeat_n(large.clone(), ROWS)).0, "{expression}");
        }
        assert!(!refused("UCASE(STR(?x))", (0..ROWS).map(|n| format!("text {n}"))).0);
    }
}
