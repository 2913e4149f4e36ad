//! CSV (SPARQL 1.1 Query Results CSV): the text of each term, quoted if a reader would not take it for a single field.

use crate::render::output_error;
use kgq_engine::{ColumnTexts, IdRows, Solutions};
use kgq_snapshot::TermId;
use kgq_syntax::error::Result;
use kgq_syntax::rdf::Variable;
use kgq_syntax::rdf::language::text;
use std::borrow::Cow;
use std::io::Write;

/// Writes the solutions; returns the number of rows.
///
/// # Errors
/// Those of the rows and of the writer.
pub fn write(solutions: Solutions, out: &mut dyn Write) -> Result<u64> {
    let Solutions { variables, rows } = solutions;
    let mut line = String::new();
    fields(variables.iter().map(|name| Some(Variable::as_str(name))), &mut line);
    put(&mut line, out)?;
    let rows = match rows.into_ids() {
        Ok(rows) => return write_ids(rows, variables.len(), out),
        Err(rows) => rows,
    };
    let mut count = 0;
    for row in rows {
        let row = row?;
        let texts: Vec<Option<Cow<'_, str>>> = row.iter().map(|term| term.as_ref().map(text)).collect();
        fields(texts.iter().map(Option::as_deref), &mut line);
        put(&mut line, out)?;
        count += 1;
    }
    Ok(count)
}

/// Writes rows whose texts are read one column at a time.
fn write_ids(mut rows: IdRows, width: usize, out: &mut dyn Write) -> Result<u64> {
    let mut texts: Vec<ColumnTexts> = (0..width).map(|_| ColumnTexts::default()).collect();
    let mut found: Vec<Vec<TermId>> = vec![Vec::new(); width];
    let (mut lines, mut count, mut all) = (String::new(), 0, 0);
    while rows.next_columns(|columns, rows| {
        found.iter_mut().zip(columns).for_each(|(found, column)| found.clone_from(column));
        all = rows;
    })? {
        rows.with_terms(|terms| {
            for (texts, ids) in texts.iter_mut().zip(&found) {
                texts.read(ids, terms, usize::MAX);
            }
            Ok(())
        })?;
        for row in 0..all {
            fields(texts.iter().map(|texts| texts.get(row)), &mut lines);
            if lines.len() >= FULL {
                put(&mut lines, out)?;
            }
        }
        put(&mut lines, out)?;
        count += all as u64;
    }
    Ok(count)
}

/// The number of bytes that are collected before writing.
const FULL: usize = 1 << 16;

fn put(lines: &mut String, out: &mut dyn Write) -> Result<()> {
    out.write_all(lines.as_bytes()).map_err(|error| output_error(&error))?;
    lines.clear();
    Ok(())
}

/// Appends one line.
fn fields<'a>(texts: impl Iterator<Item = Option<&'a str>>, line: &mut String) {
    let (start, mut count) = (line.len(), 0);
    for text in texts {
        if count > 0 {
            line.push(',');
        }
        field(text.unwrap_or_default(), line);
        count += 1;
    }
    // Readers skip an empty line, so a single empty field is quoted.
    if count == 1 && line.len() == start {
        line.push_str("\"\"");
    }
    line.push_str("\r\n");
}

fn field(text: &str, line: &mut String) {
    if !text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r')) {
        line.push_str(text);
        return;
    }
    line.push('"');
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            line.push_str("\"\"");
        }
        line.push_str(part);
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::rdf::{BlankNode, Literal, NamedNode, Term, Triple};

    fn lines(terms: Vec<Term>) -> String {
        let rows = std::iter::once(Ok(terms.iter().cloned().map(Some).chain([None]).collect()));
        let variables = (0..=terms.len()).map(|at| Variable::new_unchecked(format!("v{at}"))).collect();
        let mut out = Vec::new();
        assert_eq!(write(Solutions::new(variables, rows), &mut out).unwrap(), 1);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_whose_only_field_is_empty_is_a_line_that_readers_take() {
        let rows = [None, Some(Literal::new_simple_literal("").into())].map(|cell| Ok(vec![cell]));
        let mut out = Vec::new();
        write(Solutions::new([Variable::new_unchecked("v")].into(), rows.into_iter()), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "v\r\n\"\"\r\n\"\"\r\n");
    }

    #[test]
    fn a_field_is_in_quotes_where_it_would_be_more_than_one() {
        let iri = |text: &str| NamedNode::new_unchecked(text);
        let text = |text: &str| Term::from(Literal::new_simple_literal(text));
        let all =
            vec![iri("http://e/a,b").into(), text("say \"a\""), text("two\nlines"), text("\"\""), text("plain ' ;")];
        let expected =
            "v0,v1,v2,v3,v4,v5\r\n\"http://e/a,b\",\"say \"\"a\"\"\",\"two\nlines\",\"\"\"\"\"\",plain ' ;,\r\n";
        assert_eq!(lines(all), expected);
        let triple = Triple::new(BlankNode::new_unchecked("b"), iri("http://e/p"), Literal::new_simple_literal("a, b"));
        let expected = "v0,v1,v2\r\n_:b,\"<<( _:b <http://e/p> \"\"a, b\"\" )>>\",\r\n";
        assert_eq!(lines(vec![BlankNode::new_unchecked("b").into(), triple.into()]), expected);
    }
}
