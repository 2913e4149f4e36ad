//! A table for reading: columns of even width in terminal cells, cells wrapped so that it fits the terminal, and rows set
//! one value a line where columns would become too narrow.

use super::{RenderOptions, collect, output_error, term};
use kgq_engine::{Row, Solutions};
use kgq_syntax::error::Result;
use kgq_syntax::text::{char_width, width};
use std::io::Write;

/// Cells between two columns.
const GAP: usize = 2;
/// The widest that a column is made for the sake of a piece that cannot be broken.
const WIDEST_PIECE: usize = 28;

pub fn write(solutions: Solutions, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<u64> {
    let mut names: Vec<String> = solutions.variables.iter().map(|v| v.as_str().to_owned()).collect();
    let rows = collect(solutions.rows)?;
    let mut cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cell = |t: &Option<_>| t.as_ref().map_or(String::new(), |t| term::cell(t, options.prefixes));
            row.iter().map(cell).map(|cell| cut(cell, options.table.longest)).collect()
        })
        .collect();
    let mut numeric = numeric_columns(&rows, names.len());
    let vertical = options.table.vertical;
    if options.table.numbered && !vertical && !names.is_empty() && !rows.is_empty() {
        names.insert(0, String::new());
        numeric.insert(0, true);
        for (number, row) in cells.iter_mut().enumerate() {
            row.insert(0, (number + 1).to_string());
        }
    }
    let widths = if vertical { None } else { fit(&columns(&names, &cells), options.width) };
    let mut table = Table { numeric, names, cells, colour: options.colour };
    let text = match widths {
        Some(widths) => table.horizontal(&widths),
        None => {
            if options.table.numbered && !vertical && !rows.is_empty() {
                table.names.remove(0);
                table.cells.iter_mut().for_each(|row| drop(row.remove(0)));
            }
            table.vertical(options.width)
        }
    };
    out.write_all(text.as_bytes()).map_err(|e| output_error(&e))?;
    Ok(rows.len() as u64)
}

/// The text, cut to so many cells, with a mark where something is missing.
fn cut(text: String, longest: Option<usize>) -> String {
    let Some(longest) = longest.filter(|most| width(&text) > *most) else { return text };
    let mut used = 1;
    let mut out: String = text
        .chars()
        .take_while(|c| {
            used += char_width(*c);
            used <= longest
        })
        .collect();
    out.push('…');
    out
}

/// How wide a column would like to be, and how narrow it can be without breaking a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column {
    natural: usize,
    piece: usize,
}

fn columns(names: &[String], cells: &[Vec<String>]) -> Vec<Column> {
    let measure = |column: usize| {
        let texts = || cells.iter().map(|row| &row[column]).chain([&names[column]]);
        let natural = texts().map(|text| width(text)).max().unwrap_or(0);
        let piece = texts().flat_map(|text| pieces(text)).map(|piece| width(piece.trim_end())).max().unwrap_or(0);
        Column { natural, piece: piece.min(WIDEST_PIECE) }
    };
    (0..names.len()).map(measure).collect()
}

/// The width of each column so that the table fits, or `None` where some column would become too narrow to read.
fn fit(columns: &[Column], terminal: Option<usize>) -> Option<Vec<usize>> {
    let natural: Vec<usize> = columns.iter().map(|c| c.natural).collect();
    let Some(terminal) = terminal else { return Some(natural) };
    let room = terminal.saturating_sub(GAP * columns.len().saturating_sub(1));
    if natural.iter().sum::<usize>() <= room {
        return Some(natural);
    }
    // Short columns are left whole, if that leaves the others room for their pieces.
    let whole = |c: &Column| if c.natural <= SHORT { c.natural } else { c.piece };
    let mut widths: Vec<usize> = columns.iter().map(whole).collect();
    if widths.iter().sum::<usize>() > room {
        widths = columns.iter().map(|c| c.piece).collect();
    }
    let mut left = room.checked_sub(widths.iter().sum())?;
    // What is left goes where it saves the most lines: always to the column whose longest cell has the most of them.
    while left > 0 {
        let lines = |column: usize| (natural[column] * 64).div_ceil(widths[column].max(1));
        let open = (0..widths.len()).filter(|column| widths[*column] < natural[*column]);
        let Some(tallest) = open.max_by_key(|column| (lines(*column), std::cmp::Reverse(*column))) else { break };
        widths[tallest] += 1;
        left -= 1;
    }
    // Rows of many lines are harder to read than values one a line.
    let tallest = (0..widths.len()).map(|column| natural[column].div_ceil(widths[column].max(1))).max().unwrap_or(1);
    (tallest <= TALLEST_ROW).then_some(widths)
}

/// A column of so many cells is better not broken.
const SHORT: usize = 22;
/// The most lines that a row may take before values are set one a line.
const TALLEST_ROW: usize = 8;

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

    fn vertical(&self, terminal: Option<usize>) -> String {
        let (bold, dim, reset) = if self.colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
        let widest = self.names.iter().map(|n| width(n)).max().unwrap_or(0);
        // On a terminal that is hardly wider than the names, lines may as well run over.
        let room = terminal.map_or(usize::MAX, |t| t.saturating_sub(widest + 2).max(20));
        let mut out = String::new();
        for (number, row) in self.cells.iter().enumerate() {
            out.push_str(&format!("{dim}─── row {} ───{reset}\n", number + 1));
            for (name, cell) in self.names.iter().zip(row) {
                let pad = " ".repeat(widest - width(name));
                for (line, text) in wrap(cell, room).iter().enumerate() {
                    let line = match line {
                        0 => format!("{bold}{name}{reset}{pad}  {text}"),
                        _ => format!("{}  {text}", " ".repeat(widest)),
                    };
                    out.push_str(line.trim_end());
                    out.push('\n');
                }
            }
        }
        out
    }
}

/// A text in the pieces between which a line may end: behind spaces and the marks that hold names together, and between
/// characters of scripts that are written without spaces.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before = 'a';
    for (at, c) in text.char_indices() {
        let after_mark = matches!(before, ' ' | ':' | '-' | '/' | '#' | '_' | ',' | ';') && c != ' ';
        let wide = char_width(c) == 2 || char_width(before) == 2;
        // Punctuation does not begin a line.
        if at > start && (after_mark || wide && !matches!(c, '，' | '。' | '、' | '；' | '：' | '）' | '》' | '”'))
        {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = c;
    }
    pieces.push(&text[start..]);
    pieces
}

/// The text in lines no wider than this; a piece is broken only where it is wider than a line.
fn wrap(text: &str, most: usize) -> Vec<String> {
    if width(text) <= most {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for piece in pieces(text) {
        if used + width(piece.trim_end()) > most && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
        }
        for c in piece.chars() {
            if used + char_width(c) > most && c != ' ' && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += char_width(c);
        }
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
    fn a_name_is_broken_behind_its_marks_and_within_a_piece_only_if_it_must() {
        assert_eq!(wrap("claim:zhu-bing-figures", 12), ["claim:zhu-", "bing-figures"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("服务业，扩大", 6), ["服务", "业，扩", "大"]);
    }

    fn column(natural: usize, piece: usize) -> Column {
        Column { natural, piece }
    }

    #[test]
    fn columns_share_the_room_so_that_rows_are_low() {
        assert_eq!(fit(&[column(4, 4), column(10, 5)], Some(80)), Some(vec![4, 10]));
        let widths = fit(&[column(4, 4), column(120, 9), column(60, 9)], Some(80)).unwrap();
        assert_eq!(widths.iter().sum::<usize>(), 76);
        assert!(widths[0] == 4 && widths[1] > widths[2], "{widths:?}");
        assert_eq!(fit(&[column(50, 20); 12], Some(80)), None);
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!(cut("工业和信息化部".into(), Some(7)), "工业和…");
        assert_eq!(cut("short".into(), Some(7)), "short");
    }
}
