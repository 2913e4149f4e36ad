//! Answers as columns, for programs that work on those: Arrow, Parquet, Excel.
//!
//! - [`Batches`]: the solutions of a query as Arrow's batches of records, typed where a column has one datatype.
//! - [`ipc`], [`parquet`]: batches to bytes. [`excel`]: solutions as a sheet.
//! - [`snapshot`]: a whole graph as two tables of Parquet, of its terms and of its statements.
//!
//! It knows no project and no graph: whoever has solutions has columns.
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

// Without its feature the crate is empty: its crates take long to build, and most builds of the workspace do without them.
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

/// What Arrow's crates could not do with what they were given.
fn arrow_error(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => Error::io("the output", &error),
        error => Error::bug(format!("columns could not be made or written: {error}")),
    }
}

#[cfg(test)]
mod files_tests;
