//! A table for reading: columns aligned in terminal cells, text wrapped so that the table fits the terminal, and rows
//! written one value per line if columns would become too narrow.

use crate::render::{RenderOptions, output_error, term};
use kgq_engine::{Row, Solutions};
use kgq_syntax::error::Result;
use kgq_syntax::text::{char_width, width};
use std::io::Write;

/// The number of cells between two columns.
const GAP: usize = 2;
/// The most cells that a column is given to fit a piece that cannot be broken.
const WIDEST_PIECE: usize = 28;

/// The number of rows that are laid out at once. The first window decides the column widths, so that a table of any
/// length takes only the memory of one window, and its first rows appear before the last are found.
const WINDOW: usize = 1000;
/// The width of the row numbers if there are more rows than a window holds.
const NUMBERS: usize = 7;

pub fn write(solutions: Solutions, options: RenderOptions<'_>, out: &mut dyn Write) -> Result<u64> {
    let mut names: Vec<String> = solutions.variables.iter().map(|v| v.as_str().to_owned()).collect();
    let mut rows = solutions.rows.fuse().peekable();
    let mut window = Window::take(&mut rows, &options)?;
    let mut numeric = numeric_columns(&window.rows, names.len());
    let vertical = options.table.vertical;
    let numbered = options.table.numbered && !vertical && !names.is_empty() && !window.rows.is_empty();
    let widths = if vertical {
        None
    } else {
        let mut columns = columns(&names, &window.cells);
        if numbered {
            let digits = window.rows.len().to_string().len();
            let width = if rows.peek().is_some() { NUMBERS } else { digits };
            columns.insert(0, Column { natural: width, piece: width });
        }
        fit(&columns, options.width)
    };
    let numbered = numbered && widths.is_some();
    if numbered {
        names.insert(0, String::new());
        numeric.insert(0, true);
    }
    let mut table = Table { numeric, names, cells: Vec::new(), first: 1, colour: options.colour };
    let mut text = widths.as_ref().map_or_else(String::new, |widths| table.header(widths));
    loop {
        let count = window.rows.len();
        table.cells = window.cells;
        if numbered {
            let numbers = table.first..;
            table.cells.iter_mut().zip(numbers).for_each(|(row, number)| row.insert(0, number.to_string()));
        }
        text.push_str(&match &widths {
            Some(widths) => table.horizontal(widths),
            None => table.vertical(options.width),
        });
        out.write_all(text.as_bytes()).map_err(|e| output_error(&e))?;
        table.first += count;
        if rows.peek().is_none() {
            return Ok(table.first as u64 - 1);
        }
        text.clear();
        window = Window::take(&mut rows, &options)?;
    }
}

/// Some rows, with the texts of their cells.
struct Window {
    rows: Vec<Row>,
    cells: Vec<Vec<String>>,
}

impl Window {
    fn take(rows: &mut impl Iterator<Item = Result<Row>>, options: &RenderOptions<'_>) -> Result<Self> {
        let rows = rows.take(WINDOW).collect::<Result<Vec<Row>>>()?;
        let cell = |t: &Option<_>| t.as_ref().map_or(String::new(), |t| term::cell(t, options.prefixes));
        let cells = rows.iter().map(|row| row.iter().map(cell).map(|cell| cut(cell, options.table.longest)).collect());
        let cells = cells.collect();
        Ok(Self { rows, cells })
    }
}

/// Cuts the text to this many cells, with a mark if something is missing.
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

/// The preferred width of a column, and the least width that breaks no piece.
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

/// Returns the width of each column so that the table fits, or `None` if some column would become too narrow to read.
fn fit(columns: &[Column], terminal: Option<usize>) -> Option<Vec<usize>> {
    let natural: Vec<usize> = columns.iter().map(|c| c.natural).collect();
    let Some(terminal) = terminal else { return Some(natural) };
    let room = terminal.saturating_sub(GAP * columns.len().saturating_sub(1));
    if natural.iter().sum::<usize>() <= room {
        return Some(natural);
    }
    // Short columns keep their full width if that leaves room for the pieces of the others.
    let whole = |c: &Column| if c.natural <= SHORT { c.natural } else { c.piece };
    let mut widths: Vec<usize> = columns.iter().map(whole).collect();
    if widths.iter().sum::<usize>() > room {
        widths = columns.iter().map(|c| c.piece).collect();
    }
    let mut left = room.checked_sub(widths.iter().sum())?;
    // Each remaining cell goes where it saves most: to the column whose longest text takes the most lines.
    while left > 0 {
        let lines = |column: usize| (natural[column] * 64).div_ceil(widths[column].max(1));
        let open = (0..widths.len()).filter(|column| widths[*column] < natural[*column]);
        let Some(tallest) = open.max_by_key(|column| (lines(*column), std::cmp::Reverse(*column))) else { break };
        widths[tallest] += 1;
        left -= 1;
    }
    // Rows of many lines are harder to read than one value per line.
    let tallest = (0..widths.len()).map(|column| natural[column].div_ceil(widths[column].max(1))).max().unwrap_or(1);
    (tallest <= TALLEST_ROW).then_some(widths)
}

/// Up to this many cells, a column is better not wrapped.
const SHORT: usize = 22;
/// The most lines that a row may take before values are written one per line.
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
    /// The number of the first of these rows.
    first: usize,
    colour: bool,
}

impl Table {
    /// The column names and the rule below them.
    fn header(&self, widths: &[usize]) -> String {
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
        out
    }

    fn horizontal(&self, widths: &[usize]) -> String {
        let mut out = String::new();
        if self.names.is_empty() {
            return out;
        }
        for row in &self.cells {
            for line in self.lines(row, widths) {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out
    }

    /// A row as lines, with each cell wrapped to its column.
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
        // If the terminal is hardly wider than the names, lines may overrun it.
        let room = terminal.map_or(usize::MAX, |t| t.saturating_sub(widest + 2).max(20));
        let mut out = String::new();
        for (number, row) in (self.first..).zip(&self.cells) {
            out.push_str(&format!("{dim}─── row {number} ───{reset}\n"));
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

/// Splits a text into pieces between which a line may end: after spaces and after the marks that join names, and
/// between characters of scripts written without spaces.
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

/// Splits the text into lines of at most this width; a piece is broken only if it is wider than a line.
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
    use crate::render::{Format, TableOptions};
    use kgq_syntax::rdf::{Literal, Prefixes, Variable};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// The output for this many rows, of which the last is wider than the others. `seen` is told how many rows were
    /// requested at each write.
    fn table(count: usize, vertical: bool, seen: &mut dyn FnMut(usize)) -> String {
        struct Out<'o>(Vec<u8>, &'o mut dyn FnMut(usize), Arc<AtomicUsize>);
        impl Write for Out<'_> {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                (self.1)(self.2.load(Ordering::Relaxed));
                self.0.write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let asked = Arc::new(AtomicUsize::new(0));
        let mut out = Out(Vec::new(), seen, Arc::clone(&asked));
        let rows = (1..=count).map(move |number| {
            asked.fetch_add(1, Ordering::Relaxed);
            let text = if number == count { "the last of them".to_owned() } else { format!("row {number}") };
            Ok(vec![Some(Literal::new_simple_literal(text).into())])
        });
        let solutions = Solutions::new(vec![Variable::new_unchecked("x")], rows);
        let prefixes = Prefixes::default();
        let options = RenderOptions {
            format: Format::Table,
            prefixes: &prefixes,
            width: Some(80),
            colour: false,
            graph: Default::default(),
            table: TableOptions { numbered: true, longest: None, vertical },
            cells: Default::default(),
            columns: Default::default(),
        };
        assert_eq!(write(solutions, options, &mut out).unwrap(), count as u64);
        String::from_utf8(out.0).unwrap()
    }

    #[test]
    fn rows_are_laid_out_a_window_at_a_time() {
        let mut seen = Vec::new();
        let text = table(WINDOW * 2 + 2, false, &mut |asked| seen.push(asked));
        assert_eq!(seen.len(), 3);
        for (window, asked) in seen.iter().enumerate() {
            assert!(*asked <= WINDOW * (window + 1) + 1, "{seen:?}");
        }
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].trim() == "x" && lines[1].starts_with("───────"), "{:?}", &lines[..2]);
        // A later row that is wider than those of the first window is wrapped to its columns.
        assert_eq!(lines[2], "      1  row 1");
        assert_eq!(lines[WINDOW * 2 + 2], "   2001  row 2001");
        assert_eq!(lines[WINDOW * 2 + 3].trim_start(), "2002  the last");
        let vertical = table(WINDOW + 1, true, &mut |_| ());
        assert!(vertical.contains("─── row 1 ───") && vertical.ends_with("─── row 1001 ───\nx  the last of them\n"));
    }

    #[test]
    fn a_short_table_is_as_wide_as_its_rows() {
        let text = table(2, false, &mut |_| ());
        assert_eq!(text, "   x\n─  ────────────────\n1  row 1\n2  the last of them\n");
        assert_eq!(table(0, false, &mut |_| ()), "x\n─\n");
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!(cut("工业和信息化部".into(), Some(7)), "工业和…");
        assert_eq!(cut("short".into(), Some(7)), "short");
    }
}
