//! The W3C formats of SPARQL results except CSV, that is TSV, JSON and XML, written exactly to the standard by
//! sparesults.

use crate::render::xml::{CarriageReturns, check};
use crate::render::{Format, output_error};
use kgq_engine::Solutions;
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::written;
use sparesults::{QueryResultsFormat, QueryResultsSerializer};
use std::io::Write;

pub fn write(solutions: Solutions, format: Format, out: &mut dyn Write) -> Result<u64> {
    if format == Format::Xml {
        return write_rows(solutions, format, &mut CarriageReturns(out));
    }
    write_rows(solutions, format, out)
}

fn write_rows(solutions: Solutions, format: Format, out: &mut dyn Write) -> Result<u64> {
    let Solutions { variables, rows } = solutions;
    let mut serializer = QueryResultsSerializer::from_format(results_format(format)?)
        .serialize_solutions_to_writer(&mut *out, variables.clone())
        .map_err(|e| output_error(&e))?;
    let mut count = 0;
    for row in rows {
        let row = row?;
        if format == Format::Xml {
            row.iter().flatten().try_for_each(|term| check(term.as_ref(), "XML"))?;
        }
        let row: Vec<_> = row.iter().map(|term| term.as_ref().map(written)).collect();
        let bound = variables.iter().zip(&row).filter_map(|(v, term)| Some((v.as_ref(), term.as_deref()?.as_ref())));
        serializer.serialize(bound).map_err(|e| output_error(&e))?;
        count += 1;
    }
    serializer.finish().map_err(|e| output_error(&e))?;
    end_line(format, out)?;
    Ok(count)
}

pub fn write_boolean(value: bool, format: Format, out: &mut dyn Write) -> Result<()> {
    QueryResultsSerializer::from_format(results_format(format)?)
        .serialize_boolean_to_writer(&mut *out, value)
        .map_err(|e| output_error(&e))?;
    end_line(format, out)
}

/// Ends the line: JSON and XML have no newline at their end, and a shell's prompt would follow on the same line.
fn end_line(format: Format, out: &mut dyn Write) -> Result<()> {
    match format {
        Format::Json | Format::Xml => writeln!(out).map_err(|e| output_error(&e)),
        _ => Ok(()),
    }
}

fn results_format(format: Format) -> Result<QueryResultsFormat> {
    match format {
        Format::Tsv => Ok(QueryResultsFormat::Tsv),
        Format::Json => Ok(QueryResultsFormat::Json),
        Format::Xml => Ok(QueryResultsFormat::Xml),
        _ => Err(Error::bug(format!("{} is no W3C format of results", format.name()))),
    }
}
