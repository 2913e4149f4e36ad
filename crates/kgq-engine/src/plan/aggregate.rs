//! Aggregates as a plan states them: what is computed from a group of solutions (SPARQL 1.1 §18.5.1).

use kgq_syntax::rdf::NamedNode;
use spargebra::algebra::{AggregateExpression, AggregateFunction as Parsed};

/// An aggregate function, and whether it sees only the distinct values of its argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregation {
    pub function: AggregateFunction,
    pub distinct: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AggregateFunction {
    /// COUNT(*).
    CountRows,
    Count,
    Sum,
    Average,
    Min,
    Max,
    Sample,
    Concatenate {
        separator: String,
    },
}

impl Aggregation {
    /// COUNT(*).
    pub const COUNT_ROWS: Self = Self { function: AggregateFunction::CountRows, distinct: false };

    /// Translates an aggregate of a query.
    ///
    /// # Errors
    /// The name of the function, if it is not defined.
    pub fn of(aggregate: &AggregateExpression) -> Result<Self, &NamedNode> {
        Ok(match aggregate {
            AggregateExpression::CountSolutions { distinct } => {
                Self { function: AggregateFunction::CountRows, distinct: *distinct }
            }
            AggregateExpression::FunctionCall { name, distinct, .. } => {
                let function = match name {
                    Parsed::Count => AggregateFunction::Count,
                    Parsed::Sum => AggregateFunction::Sum,
                    Parsed::Avg => AggregateFunction::Average,
                    Parsed::Min => AggregateFunction::Min,
                    Parsed::Max => AggregateFunction::Max,
                    Parsed::Sample => AggregateFunction::Sample,
                    Parsed::GroupConcat { separator } => {
                        let separator = separator.clone().unwrap_or_else(|| " ".to_owned());
                        AggregateFunction::Concatenate { separator }
                    }
                    Parsed::Custom(name) => return Err(name),
                };
                Self { function, distinct: *distinct }
            }
        })
    }

    /// Whether it reads whole rows and not one column: COUNT(DISTINCT *).
    pub fn needs_rows(&self) -> bool {
        self.distinct && self.function == AggregateFunction::CountRows
    }

    /// Whether it reads only the values of its argument, so that they need no terms.
    pub fn takes_data(&self) -> bool {
        !self.distinct
            && matches!(self.function, AggregateFunction::Count | AggregateFunction::Sum | AggregateFunction::Average)
    }
}
