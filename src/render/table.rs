//! A table for reading: columns of even width in terminal cells, cells wrapped so that it fits the terminal, and rows set
//! one value a line where columns would become too narrow.

use super::{RenderOptions, collect, output_error, term};
use crate::engine::{Row, Solutions};
use crate::error::Result;
use crate::text::{char_width, width};
use std::io::Write;

/// Cells between two columns.
const GAP: usize = 2;
/// The narrowest that a column is made to fit the terminal.
const NARROWEST: usize = 10;

pub fn write(solutions: Solutions<'_>, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<u64> {
    let names: Vec<String> = solutions.variables.iter().map(|v| v.as_str().to_owned()).collect();
    let rows = collect(solutions.rows)?;
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|t| t.as_ref().map_or(String::new(), |t| term::cell(t, options.prefixes))).collect())
        .collect();
    let natural: Vec<usize> = (0..names.len())
        .map(|column| cells.iter().map(|row| width(&row[column])).chain([width(&names[column])]).max().unwrap_or(0))
        .collect();
    let table = Table { numeric: numeric_columns(&rows, names.len()), names, cells, colour: options.colour };
    let text = match fit(&natural, options.width) {
        Some(widths) => table.horizontal(&widths),
        None => table.vertical(),
    };
    out.write_all(text.as_bytes()).map_err(|e| output_error(&e))?;
    Ok(rows.len() as u64)
}

/// The width of each column so that the table fits, or `None` where some column would become too narrow to read.
fn fit(natural: &[usize], terminal: Option<usize>) -> Option<Vec<usize>> {
    let Some(terminal) = terminal else { return Some(natural.to_vec()) };
    let room = terminal.saturating_sub(GAP * natural.len().saturating_sub(1));
    if natural.iter().sum::<usize>() <= room {
        return Some(natural.to_vec());
    }
    // Columns that are narrower than a fair share keep their width; the others share what is left.
    let mut widths = natural.to_vec();
    let mut open: Vec<usize> = (0..natural.len()).collect();
    let mut left = room;
    loop {
        let share = left / open.len().max(1);
        let (small, large): (Vec<usize>, Vec<usize>) = open.iter().partition(|column| natural[**column] <= share);
        if small.is_empty() {
            if share < NARROWEST {
                return None;
            }
            // What the division leaves over goes to the first columns, a cell each.
            for (position, column) in large.iter().enumerate() {
                widths[*column] = share + usize::from(position < left % large.len());
            }
            return Some(widths);
        }
        left -= small.iter().map(|column| natural[*column]).sum::<usize>();
        open = large;
    }
}

fn numeric_columns(rows: &[Row], columns: usize) -> Vec<bool> {
    (0..columns)
        .map(|column| {
            let mut values = rows.iter().filter_map(|row| row.get(column)?.as_ref()).peekable();
            values.peek().is_some() && values.all(term::is_number)
        })
        .collect()
}

struct Table {
    names: Vec<String>,
    cells: Vec<Vec<String>>,
    numeric: Vec<bool>,
    colour: bool,
}

impl Table {
    fn horizontal(&self, widths: &[usize]) -> String {
        let (bold, dim, reset) = if self.colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
        let mut out = String::new();
        if self.names.is_empty() {
            return out;
        }
        for line in self.lines(&self.names, widths) {
            out.push_str(&format!("{bold}{line}{reset}\n"));
        }
        let rule: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
        out.push_str(&format!("{dim}{}{reset}\n", rule.join(&" ".repeat(GAP))));
        for row in &self.cells {
            for line in self.lines(row, widths) {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out
    }

    /// A row as lines: each cell wrapped to its column.
    fn lines(&self, row: &[String], widths: &[usize]) -> Vec<String> {
        let wrapped: Vec<Vec<String>> = row.iter().zip(widths).map(|(cell, w)| wrap(cell, *w)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(1);
        (0..height)
            .map(|line| {
                let mut out = String::new();
                for (column, cell) in wrapped.iter().enumerate() {
                    let text = cell.get(line).map_or("", String::as_str);
                    let pad = " ".repeat(widths[column].saturating_sub(width(text)));
                    if column > 0 {
                        out.push_str(&" ".repeat(GAP));
                    }
                    if self.numeric[column] {
                        out.push_str(&pad);
                        out.push_str(text);
                    } else {
                        out.push_str(text);
                        out.push_str(&pad);
                    }
                }
                out.truncate(out.trim_end().len());
                out
            })
            .collect()
    }

    fn vertical(&self) -> String {
        let (bold, dim, reset) = if self.colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
        let widest = self.names.iter().map(|n| width(n)).max().unwrap_or(0);
        let mut out = String::new();
        for (number, row) in self.cells.iter().enumerate() {
            out.push_str(&format!("{dim}─── row {} ───{reset}\n", number + 1));
            for (name, cell) in self.names.iter().zip(row) {
                let pad = " ".repeat(widest - width(name));
                out.push_str(&format!("{bold}{name}{reset}{pad}  {cell}\n"));
            }
        }
        out
    }
}

/// The text in lines no wider than this, broken at spaces where there are some.
fn wrap(text: &str, most: usize) -> Vec<String> {
    if width(text) <= most {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut line_width = 0;
    for c in text.chars() {
        let w = char_width(c);
        if line_width + w > most && !line.is_empty() {
            let rest = match line.rfind(' ') {
                // Breaking at a space far back would leave most of the line empty.
                Some(space) if space * 2 > line.len() => line.split_off(space + 1),
                _ => String::new(),
            };
            lines.push(std::mem::replace(&mut line, rest).trim_end().to_owned());
            line_width = width(&line);
        }
        line.push(c);
        line_width += w;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_measured_in_cells_and_wrapped() {
        assert_eq!(wrap("工业和信息化部", 6), ["工业和", "信息化", "部"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    }

    #[test]
    fn narrow_columns_keep_their_width_and_wide_ones_share_the_rest() {
        assert_eq!(fit(&[4, 100, 60], Some(80)), Some(vec![4, 36, 36]));
        assert_eq!(fit(&[4, 10], Some(80)), Some(vec![4, 10]));
        assert_eq!(fit(&[50; 12], Some(80)), None);
    }
}
