//! The compiled half of the Python package `kgq`: the functions that its Python half (`kgq/`) calls, and the command-line
//! program.
//!
//! The Python half has the public classes with their documentation; this one opens graphs, asks queries and converts values.
//! Whatever may take long runs on a thread of its own (`apart`), without the interpreter's lock, and ends when the user
//! interrupts.

mod answer;
mod apart;
mod binding;
mod failure;
mod graph;
mod rows;
#[cfg(feature = "tables")]
mod stream;
mod told;
mod value;

use pyo3::prelude::*;
use std::ffi::OsString;

/// Without effect until the program sets a memory limit, which only its own commands do.
#[global_allocator]
static ALLOCATOR: kgq::Allocator = kgq::Allocator;

#[pymodule]
mod _kgq {
    #[pymodule_export]
    use super::answer::Answer;
    #[pymodule_export]
    use super::graph::Graph;
    #[pymodule_export]
    use super::rows::Rows;
    #[pymodule_export]
    use super::{main, open};
}

/// Runs the program with these arguments, the first of which is its name; returns the exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| kgq::main(arguments))
}

/// Opens the graph that these command-line options name, and reads what every query needs.
#[pyfunction]
fn open(py: Python<'_>, options: Vec<OsString>) -> PyResult<graph::Graph> {
    graph::Graph::open(py, options)
}
