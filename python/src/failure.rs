//! Converts errors to Python exceptions: chooses the class and sets its attributes.

use kgq_syntax::budget::Exceeded;
use kgq_syntax::error::{Error, Kind, Severity};
use pyo3::prelude::*;

/// The Python error for an error of kgq.
pub fn raised(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// The exception as a value; warnings are passed like this too.
pub fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    made(py, &in_python(error), error.limit_passed())
}

fn made<'py>(py: Python<'py>, error: &Error, limit: Option<Exceeded>) -> PyResult<Bound<'py, PyAny>> {
    let place = error.place();
    let limit = limit.map(|limit| match limit {
        Exceeded::Time(_) => "time",
        Exceeded::Memory(_) => "memory",
        Exceeded::Rows => "rows",
    });
    let others = error.others().iter().map(|other| made(py, other, None)).collect::<PyResult<Vec<_>>>()?;
    let made = py.import("kgq.errors")?.getattr("made")?;
    made.call1((
        kind(error.kind()),
        (error.message(), error.render(false).trim_end()),
        place.map(|place| (place.file.as_str(), place.line, place.column)),
        error.hints().to_vec(),
        others,
        limit,
    ))
}

/// The same error, reworded for a user without a command line.
fn in_python(error: &Error) -> Error {
    let mut told = Error::new(error.kind(), error.message());
    if let Some(place) = error.place() {
        told = told.at(place.clone());
    }
    if error.severity() == Severity::Warning {
        told = told.as_warning();
    }
    told = error.hints().iter().filter_map(|hint| hint_in_python(hint)).fold(told, Error::hint);
    let others = error.others().iter().map(in_python);
    Error::all(std::iter::once(told.clone()).chain(others)).unwrap_or(told)
}

/// A hint in terms of `kgq.open`; `None` if it only helps on a command line.
fn hint_in_python(hint: &str) -> Option<String> {
    let mut told =
        hint.replace("run once with `--trust`", "open it with `trust=True`").replace("`--lenient`", "`lenient=True`");
    // An option that is also a key of kgq.toml is replaced by that key.
    while let Some((before, behind)) = told.split_once("`--") {
        let (option, rest) = behind.split_once('`')?;
        let rest = rest.strip_prefix(" or ").filter(|rest| rest.starts_with(&format!("`{option}`")))?;
        told = format!("{before}{rest}");
    }
    // A hyphen in backquotes can also belong to a query.
    let is_option = |behind: &str| behind.starts_with(|first: char| first.is_ascii_alphabetic());
    let names_options = told.split("`-").skip(1).any(is_option);
    (!names_options).then_some(told)
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Check => "check",
        Kind::Usage => "usage",
        Kind::Input => "input",
        Kind::Io | Kind::ClosedPipe => "file",
        Kind::Limit => "limit",
        Kind::Policy => "policy",
        Kind::Bug => "bug",
        Kind::Interrupted | Kind::Terminated => "interrupted",
    }
}
