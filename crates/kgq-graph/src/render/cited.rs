//! An answer with its sources: numbered rows and footnotes; in other formats a field or column of citations.

use super::format::{self, json, markdown, table};
use super::{Format, RenderOptions, Written, output_error};
use crate::audit::{CitedText, Reference, RowSources};
use kgq_engine::{Row, Solutions};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::{Literal, NamedNode, Prefixes, Triple, Variable};
use kgq_syntax::text::{count, folded, visible};
use serde_json::{Map, Value, json};
use std::io::Write;

/// An answer with what each row rests on.
pub struct Cited<'a> {
    pub variables: Vec<Variable>,
    pub rows: Vec<Row>,
    /// The number of the first row.
    pub first: usize,
    pub sources: Vec<RowSources>,
    /// Whether citations are expected, so that a statement without one needs none by the rule.
    pub has_rule: bool,
    /// Every citation of the rows, grouped by document, in order of first use; the first is footnote 1.
    pub references: &'a [Reference],
}

/// Writes the answer.
pub fn write(cited: Cited<'_>, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<Written> {
    let rows = cited.rows.len() as u64;
    match options.format {
        Format::Table => table(&cited, options, out)?,
        Format::Json => {
            serde_json::to_writer(&mut *out, &document(&cited)).map_err(|e| output_error(&e.into()))?;
            writeln!(out).map_err(|e| output_error(&e))?;
        }
        Format::Ndjson => {
            for (row, sources) in cited.rows.iter().zip(&cited.sources) {
                let line = Value::Object(binding(&cited, row, sources));
                writeln!(out, "{line}").map_err(|e| output_error(&e))?;
            }
        }
        Format::Csv
        | Format::Tsv
        | Format::Xml
        | Format::Html
        | Format::GeoJson
        | Format::Arrow
        | Format::Parquet
        | Format::Excel => {
            return format::write_solutions(with_column(cited), options, out);
        }
        Format::Markdown => {
            let list = markdown_references(cited.references);
            markdown::write(with_marks(&cited), options.prefixes, out)?;
            let heading = if list.is_empty() { "" } else { "\n## Sources\n\n" };
            write!(out, "{heading}{list}").map_err(|e| output_error(&e))?;
        }
        Format::Rdf(format) => {
            return Err(Error::usage(format!("{} cannot hold a table with its sources", format.name()))
                .hint(format!("formats for --cite: {}", Format::list_of_tables())));
        }
    }
    Ok(Written { rows, ..Written::default() })
}

/// The answer with one more column: the IRIs of the row's citations, separated by spaces.
fn with_column(cited: Cited<'_>) -> Solutions {
    let mut variables = cited.variables;
    let mut name = "cite".to_owned();
    while variables.iter().any(|v| v.as_str() == name) {
        name.push('_');
    }
    variables.push(Variable::new_unchecked(name));
    let rows: Vec<Row> = cited
        .rows
        .into_iter()
        .zip(cited.sources)
        .map(|(mut row, sources)| {
            let iris: Vec<&str> = sources.citations.iter().map(NamedNode::as_str).collect();
            row.push(Some(Literal::new_simple_literal(iris.join(" ")).into()));
            row
        })
        .collect();
    Solutions::new(variables, rows.into_iter().map(Ok))
}

/// SPARQL JSON with a field `cite` in each row.
fn document(cited: &Cited<'_>) -> Value {
    let names: Vec<&str> = cited.variables.iter().map(Variable::as_str).collect();
    let rows = cited.rows.iter().zip(&cited.sources).map(|(row, sources)| binding(cited, row, sources).into());
    json!({"head": {"vars": names}, "results": {"bindings": rows.collect::<Vec<Value>>()}})
}

fn binding(cited: &Cited<'_>, row: &Row, sources: &RowSources) -> Map<String, Value> {
    let values = cited.variables.iter().zip(row);
    let mut object: Map<String, Value> =
        values.filter_map(|(v, term)| Some((v.as_str().to_owned(), json::value(term.as_ref()?)))).collect();
    object.insert("cite".into(), sources_json(cited, sources));
    object
}

fn sources_json(cited: &Cited<'_>, sources: &RowSources) -> Value {
    let citations: Vec<Value> = cited
        .references
        .iter()
        .filter(|r| sources.citations.contains(&r.citation.iri))
        .map(|reference| {
            let mut object = Map::new();
            object.insert("citation".into(), reference.citation.iri.as_str().into());
            if let Some(document) = &reference.document {
                object.insert("document".into(), document.iri.as_str().into());
                for (key, value) in
                    [("title", &document.title), ("publisher", &document.publisher), ("date", &document.date)]
                {
                    if let Some(value) = value {
                        object.insert(key.into(), value.as_str().into());
                    }
                }
            }
            if !reference.citation.sentences.is_empty() {
                object.insert("sentences".into(), reference.citation.sentences.clone().into());
            }
            if let Some(span) = reference.citation.span {
                object.insert("start".into(), span.start.into());
                object.insert("end".into(), span.end.into());
            }
            if let Some(anchor) = &reference.citation.anchor {
                object.insert("anchor".into(), anchor.as_str().into());
            }
            match &reference.place {
                CitedText::NotAtHand => {}
                CitedText::Verified(text) => {
                    object.insert("text".into(), format!("{}{}{}", text.before, text.anchor, text.after).into());
                }
                CitedText::Differs(why) => {
                    object.insert("differs".into(), why.to_string().into());
                }
            }
            Value::Object(object)
        })
        .collect();
    let triple = |t: &Triple| json::value(&t.clone().into())["value"].clone();
    let mut object = Map::new();
    object.insert("citations".into(), citations.into());
    object.insert("statements".into(), sources.triples.iter().map(triple).collect::<Vec<_>>().into());
    object.insert("inferred".into(), sources.inferred.into());
    object.insert("uncited".into(), sources.uncited.iter().map(triple).collect::<Vec<_>>().into());
    if sources.unexplained {
        object.insert("incomplete".into(), true.into());
    }
    Value::Object(object)
}

/// Returns the answer with its row numbers, and a column with the numbers of the sources.
fn with_marks(cited: &Cited<'_>) -> Solutions {
    let number = |iri: &NamedNode| cited.references.iter().position(|r| r.citation.iri == *iri).map(|n| n + 1);
    let mut variables = vec![Variable::new_unchecked("#")];
    variables.extend(cited.variables.iter().cloned());
    variables.push(Variable::new_unchecked("sources"));
    let row = |(at, (row, sources)): (usize, (&Row, &RowSources))| {
        let mut notes: Vec<usize> = sources.citations.iter().filter_map(number).collect();
        notes.sort_unstable();
        let mut marks: Vec<String> = notes.into_iter().map(|n| format!("[{n}]")).collect();
        if !sources.uncited.is_empty() {
            marks.push(format!("{} uncited", sources.uncited.len()));
        } else if marks.is_empty() {
            marks.push(without_source(sources, cited.has_rule).into());
        }
        if sources.inferred {
            marks.push("inferred".into());
        }
        let mut cells: Row = vec![Some(Literal::from(at as u64).into())];
        cells.extend(row.iter().cloned());
        cells.push(Some(Literal::new_simple_literal(marks.join(" ")).into()));
        Ok(cells)
    };
    let rows: Vec<Result<Row>> = (cited.first..).zip(cited.rows.iter().zip(&cited.sources)).map(row).collect();
    Solutions::new(variables, rows.into_iter())
}

/// The text for a row without a source.
fn without_source(sources: &RowSources, has_rule: bool) -> &'static str {
    match (sources.unexplained, sources.triples.is_empty(), has_rule) {
        (true, ..) => "not explained",
        (false, true, _) => "no statement",
        (false, false, true) => "none needed",
        (false, false, false) => "none",
    }
}

fn table(cited: &Cited<'_>, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<()> {
    table::write(with_marks(cited), options, out)?;
    let text = footnotes(cited, options.prefixes, options.colour);
    let text = options.width.map_or(text.clone(), |width| folded(&text, width));
    out.write_all(text.as_bytes()).map_err(|e| output_error(&e))
}

fn footnotes(cited: &Cited<'_>, prefixes: &Prefixes, colour: bool) -> String {
    let bold = if colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let mut out = String::new();
    if !cited.references.is_empty() {
        out.push_str(&format!("\n{}Sources{}\n", bold.0, bold.1));
    }
    let mut document = String::new();
    for (at, reference) in cited.references.iter().enumerate() {
        // Consecutive places in the same document are listed below its name.
        let line = reference.document_line();
        if line != document {
            out.push_str(&format!("{}\n", visible(&line)));
            document = line;
        }
        let rows: Vec<String> = (cited.first..)
            .zip(&cited.sources)
            .filter(|(_, sources)| sources.citations.contains(&reference.citation.iri))
            .map(|(row, _)| row.to_string())
            .collect();
        let rows = format!("{} {}", if rows.len() == 1 { "row" } else { "rows" }, ranges(&rows));
        out.push_str(&place(&format!("[{}]", at + 1), reference, &format!(" ({rows})"), colour));
    }
    let cell = |t: &Triple| super::term::cell(&t.clone().into(), prefixes);
    for (row, sources) in (cited.first..).zip(&cited.sources) {
        for triple in &sources.uncited {
            out.push_str(&format!("row {row} rests on a statement without a citation: {}\n", cell(triple)));
        }
        if sources.unexplained {
            out.push_str(&format!("row {row} cannot be explained: the query gives it anew each time\n"));
        }
    }
    let inferred: Vec<String> = (cited.first..)
        .zip(&cited.sources)
        .filter(|(_, sources)| sources.inferred)
        .map(|(row, _)| row.to_string())
        .collect();
    if !inferred.is_empty() {
        let what = count(inferred.len() as u64, "row rests", "rows rest");
        out.push_str(&format!("{what} on inferences ({}); `kgq cite S P O` shows their grounds\n", ranges(&inferred)));
    }
    out
}

/// Abbreviates numbers as `1–3, 7`.
fn ranges(numbers: &[String]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in numbers.iter().filter_map(|n| n.parse().ok()) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}–{last}") };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

/// Returns the sources as a numbered Markdown list, each below the name of its document.
pub(crate) fn markdown_references(references: &[Reference]) -> String {
    let (mut out, mut document) = (String::new(), String::new());
    for (number, source) in references.iter().enumerate() {
        let line = source.document_line();
        if line != document {
            out.push_str(&format!("{}{}\n\n", if number == 0 { "" } else { "\n" }, markdown(&line)));
            document = line;
        }
        out.push_str(&format!("{}. {}\n", number + 1, markdown(&source.place_line())));
        match &source.place {
            CitedText::NotAtHand => {}
            CitedText::Verified(text) => {
                let anchor =
                    if text.anchor.is_empty() { String::new() } else { format!("**{}**", markdown(&text.anchor)) };
                out.push_str(&format!("   > {}{anchor}{}\n", markdown(&text.before), markdown(&text.after)));
            }
            CitedText::Differs(why) => out.push_str(&format!("   not verified: {}\n", markdown(&why.to_string()))),
        }
    }
    out
}

/// Formats a text on one line for Markdown.
fn markdown(text: &str) -> String {
    markdown::escape(&visible(text).replace('\n', " "))
}

/// Returns a source as lines of text: the document, the place, the sentence with its anchor marked.
pub fn reference(reference: &Reference, colour: bool) -> String {
    format!("{}\n{}", visible(&reference.document_line()), place("", reference, "", colour))
}

/// The place in the document, and the sentence with its anchor marked if its text is available.
fn place(mark: &str, reference: &Reference, after: &str, colour: bool) -> String {
    let (marked, plain) = if colour { ("\x1b[1;33m", "\x1b[0m") } else { ("«", "»") };
    let pad = " ".repeat(6);
    let mut out = format!("{mark:<5} {}{after}\n", visible(&reference.place_line()));
    match &reference.place {
        CitedText::NotAtHand => {}
        CitedText::Verified(text) if text.anchor.is_empty() => {
            out.push_str(&format!("{pad}{}\n", visible(&text.before)));
        }
        CitedText::Verified(text) => {
            let (before, after) = (visible(&text.before), visible(&text.after));
            out.push_str(&format!("{pad}{before}{marked}{}{plain}{after}\n", visible(&text.anchor)));
        }
        CitedText::Differs(why) => out.push_str(&format!("{pad}NOT VERIFIED: {}\n", visible(&why.to_string()))),
    }
    out
}
