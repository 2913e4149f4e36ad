//! Writes solutions as an Excel sheet. Numbers, booleans, dates and times become Excel values if Excel keeps every digit, else
//! texts. IRIs become links. A language becomes the cell format, so that the text itself is unchanged.

use super::values;
use kgq_engine::Solutions;
use kgq_syntax::budget::{Budget, FileSpace, Reservation};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::rdf::language::{cased, text};

use kgq_syntax::rdf::{Literal, Term};
use oxrdf::vocab::xsd;
use oxsdatatypes::{Date, DateTime, DayTimeDuration, TimezoneOffset};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Url, Workbook, Worksheet, XlsxError};
use rustc_hash::FxHashMap;
use std::io::{Seek, Write};

/// The limits of a sheet (Microsoft, "Excel specifications and limits"); the first row is the heading.
const MOST_ROWS: u32 = 1_048_576 - 1;
const MOST_COLUMNS: usize = 16_384;
const LONGEST_TEXT: usize = 32_767;
const MOST_LINKS: usize = 65_530;
const LONGEST_LINK: usize = 2_080;
/// The number of digits that an Excel number keeps.
const EXACT: usize = 15;
/// The number of languages with a format of their own: Excel allows a few hundred formats.
const MOST_LANGUAGES: usize = 100;
const WIDTH: u16 = 24;

/// Upper bounds in bytes: for a cell in the sheet's XML besides its text, and for a link in memory.
const CELL: u64 = 96;
const LINK: u64 = 256;

/// Counts of what was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub rows: u64,
    /// Addresses written as texts because they are too long for a link, or the sheet can hold no more links.
    pub unlinked: u64,
}

/// Writes a workbook of one sheet. Its rows are kept in temporary files until the last one is known, its links in memory.
///
/// # Errors
/// An answer that exceeds a limit of sheets, which the error names; those of the rows, of temporary files and of the writer; the
/// budget's.
pub fn write(solutions: Solutions, budget: &Budget, out: &mut dyn Write) -> Result<Written> {
    let mut workbook = Workbook::new();
    // A fixed date: the same answer must give the same bytes.
    let made = ExcelDateTime::from_ymd(2000, 1, 1).map_err(failed)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let mut sheet = Sheet::begin(workbook.add_worksheet_with_constant_memory().map_err(failed)?, &solutions, budget)?;
    for row in solutions.rows {
        sheet.row(&row?)?;
    }
    let written = Written { rows: u64::from(sheet.rows), unlinked: sheet.unlinked };
    let _held = (sheet.space, sheet.linked);
    let temporary = |error: std::io::Error| Error::io("a temporary file for the sheet", &error);
    let mut file = tempfile::tempfile().map_err(temporary)?;
    workbook.save_to_writer(&mut file).map_err(failed)?;
    file.rewind().map_err(temporary)?;
    std::io::copy(&mut file, out).map_err(|error| Error::io("the output", &error))?;
    Ok(written)
}

struct Sheet<'a> {
    sheet: &'a mut Worksheet,
    names: Vec<String>,
    rows: u32,
    links: usize,
    unlinked: u64,
    budget: &'a Budget,
    /// Disk space for the sheet's XML and for the archive of it.
    space: FileSpace,
    linked: Reservation,
    languages: FxHashMap<String, Format>,
    date: Format,
    time: Format,
    local: Format,
    utc: Format,
}

impl<'a> Sheet<'a> {
    fn begin(sheet: &'a mut Worksheet, solutions: &Solutions, budget: &'a Budget) -> Result<Self> {
        let names: Vec<String> = solutions.variables.iter().map(|name| name.as_str().to_owned()).collect();
        if names.len() > MOST_COLUMNS {
            return Err(too_much(&format!("the answer has {} columns", names.len()), "16,384"));
        }
        let heading = Format::new().set_bold();
        for (column, name) in (0..).zip(&names) {
            sheet.set_column_width(column, WIDTH).map_err(failed)?;
            sheet.write_string_with_format(0, column, name, &heading).map_err(failed)?;
        }
        sheet.set_freeze_panes(1, 0).map_err(failed)?;
        let format = |pattern: &str| Format::new().set_num_format(pattern);
        Ok(Self {
            sheet,
            names,
            rows: 0,
            links: 0,
            unlinked: 0,
            budget,
            space: FileSpace::new(budget),
            linked: Reservation::default(),
            languages: FxHashMap::default(),
            date: format("yyyy-mm-dd"),
            time: format("hh:mm:ss"),
            local: format("yyyy-mm-dd hh:mm:ss"),
            utc: format("yyyy-mm-dd hh:mm:ss\"Z\""),
        })
    }

    fn row(&mut self, row: &[Option<Term>]) -> Result<()> {
        if self.rows == MOST_ROWS {
            return Err(too_much("the answer has more rows than a sheet", "1,048,575 below its heading"));
        }
        self.budget.check()?;
        self.rows += 1;
        for (column, term) in row.iter().enumerate() {
            if let Some(term) = term {
                self.cell(column, term)?;
            }
        }
        Ok(())
    }

    fn cell(&mut self, column: usize, term: &Term) -> Result<()> {
        let (row, at) = (self.rows, column as u16);
        let text = text(term);
        if text.encode_utf16().count() > LONGEST_TEXT {
            let place = format!("row {row}: ?{} is a text of {} characters", self.names[column], text.chars().count());
            return Err(too_much(&place, "32,767 in a cell"));
        }
        // The sheet writer cannot be stopped midway, so its output is charged to the budget beforehand.
        self.space.grow(2 * (CELL + written_length(&text)))?;
        let written = match term {
            Term::NamedNode(node) if self.may_link(node.as_str()) => {
                self.links += 1;
                self.linked.grow(self.budget, LINK + 2 * node.as_str().len() as u64)?;
                self.sheet.write_url(row, at, Url::new(node.as_str()).set_text(node.as_str()))
            }
            Term::Literal(literal) => return self.literal(at, literal),
            Term::NamedNode(_) | Term::BlankNode(_) | Term::Triple(_) => self.sheet.write_string(row, at, text),
        };
        written.map(drop).map_err(failed)
    }

    /// Whether an IRI becomes a link; an address that does not is counted.
    fn may_link(&mut self, iri: &str) -> bool {
        let is_address = ["http://", "https://", "mailto:"].iter().any(|scheme| iri.starts_with(scheme));
        let fits = self.links < MOST_LINKS && iri.len() <= LONGEST_LINK;
        self.unlinked += u64::from(is_address && !fits);
        is_address && fits
    }

    fn literal(&mut self, at: u16, literal: &Literal) -> Result<()> {
        let (row, text) = (self.rows, literal.value());
        let written = match value(literal) {
            Value::Number(number) => self.sheet.write_number(row, at, number),
            Value::Boolean(value) => self.sheet.write_boolean(row, at, value),
            Value::Date(date) => self.sheet.write_datetime_with_format(row, at, &date, &self.date),
            Value::Time(time) => self.sheet.write_datetime_with_format(row, at, &time, &self.time),
            Value::Local(moment) => self.sheet.write_datetime_with_format(row, at, &moment, &self.local),
            Value::Utc(moment) => self.sheet.write_datetime_with_format(row, at, &moment, &self.utc),
            Value::Text => match literal.language() {
                None => self.sheet.write_string(row, at, text),
                Some(language) => match self.language(language) {
                    Some(format) => self.sheet.write_string_with_format(row, at, text, &format),
                    None => self.sheet.write_string(row, at, format!("{text}@{}", cased(language))),
                },
            },
        };
        written.map(drop).map_err(failed)
    }

    /// The cell format that shows a language after the text; `None` once too many languages have one.
    fn language(&mut self, language: &str) -> Option<Format> {
        if let Some(format) = self.languages.get(language) {
            return Some(format.clone());
        }
        (self.languages.len() < MOST_LANGUAGES).then(|| {
            let format = Format::new().set_num_format(format!("@\" @{}\"", cased(language)));
            self.languages.insert(language.to_owned(), format.clone());
            format
        })
    }
}

/// A literal as an Excel value.
enum Value {
    Number(f64),
    Boolean(bool),
    Date(ExcelDateTime),
    Time(ExcelDateTime),
    Local(ExcelDateTime),
    Utc(ExcelDateTime),
    Text,
}

fn value(literal: &Literal) -> Value {
    let (datatype, text) = (literal.datatype(), literal.value());
    let found = if datatype == xsd::BOOLEAN {
        values::boolean(text).map(Value::Boolean)
    } else if datatype == xsd::DOUBLE || datatype == xsd::FLOAT {
        values::double(text).filter(|number| number.is_finite()).map(Value::Number)
    } else if super::column::is_decimal(datatype.as_str()) {
        number(text).map(Value::Number)
    } else if datatype == xsd::DATE {
        date(text).map(Value::Date)
    } else if datatype == xsd::TIME {
        time(text).map(Value::Time)
    } else if datatype == xsd::DATE_TIME || datatype == xsd::DATE_TIME_STAMP {
        moment(text)
    } else {
        None
    };
    found.unwrap_or(Value::Text)
}

/// An integer or decimal that a double holds to the last digit; `None` for others.
fn number(text: &str) -> Option<f64> {
    let (whole, places) = values::digits(text)?;
    (whole + places <= EXACT).then(|| text.parse().ok()).flatten()
}

fn date(text: &str) -> Option<ExcelDateTime> {
    let date: Date = text.parse().ok()?;
    if date.timezone_offset().is_some() {
        return None;
    }
    ExcelDateTime::from_ymd(u16::try_from(date.year()).ok()?, date.month(), date.day()).ok()
}

fn time(text: &str) -> Option<ExcelDateTime> {
    let milliseconds = milliseconds(values::time(text)?)?;
    let (hours, minutes, seconds) = (milliseconds / 3_600_000, milliseconds / 60_000 % 60, milliseconds / 1000 % 60);
    ExcelDateTime::from_hms_milli(hours as u16, minutes as u8, seconds as u8, (milliseconds % 1000) as u16).ok()
}

/// A date and time, converted to UTC if it has a time zone, as Excel has none.
fn moment(text: &str) -> Option<Value> {
    let moment: DateTime = text.parse().ok()?;
    let zoned = moment.timezone_offset().is_some();
    let moment = if zoned { moment.adjust(Some(TimezoneOffset::UTC))? } else { moment };
    let midnight: DateTime =
        format!("{:04}-{:02}-{:02}T00:00:00", moment.year(), moment.month(), moment.day()).parse().ok()?;
    let of_day: DayTimeDuration = moment.adjust(None)?.checked_sub(midnight)?;
    let milliseconds = milliseconds(values::microseconds(of_day)?)?;
    let (hours, minutes, seconds) = (milliseconds / 3_600_000, milliseconds / 60_000 % 60, milliseconds / 1000 % 60);
    let date = ExcelDateTime::from_ymd(u16::try_from(moment.year()).ok()?, moment.month(), moment.day()).ok()?;
    let moment = date.and_hms_milli(hours as u16, minutes as u8, seconds as u8, (milliseconds % 1000) as u16).ok()?;
    Some(if zoned { Value::Utc(moment) } else { Value::Local(moment) })
}

/// A time of day in milliseconds; `None` if it has a finer part or lies outside one day.
fn milliseconds(microseconds: i64) -> Option<i64> {
    (microseconds % 1000 == 0 && (0..86_400_000_000).contains(&microseconds)).then_some(microseconds / 1000)
}

/// An upper bound of the bytes of a text in XML: the longest escape of a character is `_x001F_`.
fn written_length(text: &str) -> u64 {
    let longer = text.bytes().filter(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'_' | 0..0x20)).count();
    (text.len() + 6 * longer) as u64
}

fn too_much(what: &str, most: &str) -> Error {
    Error::usage(format!("{what}, and Excel holds {most}"))
        .hint("choose another format, such as csv or parquet, or ask for less")
}

fn failed(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(error) => Error::io("the sheet", &error),
        XlsxError::TempFileError(folder, error) => Error::io(folder.display(), &error),
        error => Error::bug(format!("the sheet could not be written: {error}")),
    }
}
