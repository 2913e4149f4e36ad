//! Errors as Python's exceptions: which class, and what its attributes are.

use kgq_syntax::budget::Exceeded;
use kgq_syntax::error::{Error, Kind};
use pyo3::prelude::*;

/// The exception that says what the error says.
pub fn raised(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// The exception as a value: warnings are told so too.
pub fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let place = error.place();
    let limit = error.limit_passed().map(|limit| match limit {
        Exceeded::Time(_) => "time",
        Exceeded::Memory(_) => "memory",
        Exceeded::Rows => "rows",
    });
    let others = error.others().iter().map(|other| exception(py, other)).collect::<PyResult<Vec<_>>>()?;
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
