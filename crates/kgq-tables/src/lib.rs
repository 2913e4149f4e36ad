//! Answers as columns, for programs that work with columns: Arrow, Parquet, Excel.
//!
//! - [`Batches`]: the solutions of a query as Arrow record batches, typed where a column has one datatype.
//! - [`ipc`], [`parquet`]: write batches as bytes. [`excel`]: writes solutions as a sheet.
//! - [`snapshot`]: writes a whole graph as two Parquet tables, one of its terms and one of its statements.
//!
//! The crate depends on no project and no graph: solutions are all that it needs.
//!
//! ```
//! use kgq_engine::Solutions;
//! use kgq_syntax::budget::Budget;
//! use kgq_syntax::rdf::{Literal, Variable};
//! use kgq_tables::{Batches, Gather};
//!
//! let rows = (1..=3).map(|n| Ok(vec![Some(Literal::from(n).into())]));
//! let solutions = Solutions::new(vec![Variable::new_unchecked("n")], rows);
//! let batches = Batches::of(solutions, &Gather::default(), &Budget::default())?;
//! assert_eq!(batches.schema().field(0).data_type().to_string(), "Int64");
//! let batches = batches.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(batches[0].num_rows(), 3);
//! # Ok::<(), kgq_syntax::error::Error>(())
//! ```

// Without its feature the crate is empty: its dependencies take long to build, and most builds of the workspace do not need them.
#![cfg(feature = "columns")]

mod batches;
mod by_id;
mod cell;
mod column;
pub mod excel;
mod gather;
pub mod ipc;
pub mod parquet;
mod shape;
pub mod snapshot;
mod spool;
mod temporary;
mod typed;
mod values;

pub use arrow_array;
pub use arrow_schema;
pub use batches::{Batches, Gather};

use arrow_schema::ArrowError;
use kgq_syntax::error::Error;

/// Converts an error of Arrow's crates.
fn arrow_error(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => Error::io("the output", &error),
        error => Error::bug(format!("columns could not be made or written: {error}")),
    }
}

#[cfg(test)]
mod files_tests;
