//! The logical plan, which states a query as patterns over numbered variables, and the modules that make a physical plan from it.
//!
//! `translate` and `lower` make the logical plan from spargebra's algebra, a [`Pattern`] of terms, and `simplify` rewrites it;
//! `equality` and `null_rejecting` are rewrites of their own. Then the snapshot's ids are put in the place of the terms. Of that,
//! `planner` and `order` make a `physical` plan, by what `statistics` say and `estimate` makes of it; `share` has its equal parts made
//! once. `pattern`, `atom`, `condition`, `expression` say what a logical plan is made of, `scope` which variables it binds.

pub mod aggregate;
mod atom;
mod condition;
mod equality;
pub mod estimate;
pub mod expression;
pub mod function;
pub mod lower;
mod null_rejecting;
pub mod order;
mod pattern;
pub mod physical;
pub mod planner;
mod print;
pub mod scope;
pub mod share;
pub mod simplify;
pub mod statistics;
pub mod substitute;
pub mod translate;
pub mod variables;
mod walks;

pub use aggregate::Aggregation;
pub use atom::{ClosureAtom, Constants, Graph, Path, Repeat, Slot, TripleAtom, TripleTermAtom};
pub use condition::{Condition, Scalar};
pub use expression::Expression;
pub use pattern::{Aggregate, Given, OrderKey, Pattern, ServiceCall};
pub use variables::{Var, VarSet, Variables};
