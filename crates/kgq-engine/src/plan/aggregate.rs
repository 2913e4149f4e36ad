//! What a plan computes of a group of solutions (SPARQL 1.1 §18.5.1).

use kgq_syntax::rdf::NamedNode;
use spargebra::algebra::{AggregateExpression, AggregateFunction as Parsed};

/// A function of the solutions of a group, or of those of its argument's values that differ.
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

    /// The aggregation that a query asks for.
    ///
    /// # Errors
    /// The name of one that nobody has defined.
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

    /// Whether it looks at whole rows, not at one column: COUNT(DISTINCT *).
    pub fn needs_rows(&self) -> bool {
        self.distinct && self.function == AggregateFunction::CountRows
    }

    /// Whether it looks at the values of its argument alone, so that these need no terms.
    pub fn takes_data(&self) -> bool {
        !self.distinct
            && matches!(self.function, AggregateFunction::Count | AggregateFunction::Sum | AggregateFunction::Average)
    }
}
