//! From the text of a query to its algebra: parsing with the project's prefixes, binding parameters as terms, and
//! finding what a query refers to (terms, network). Nothing is evaluated here.

pub mod atoms;
mod bind;
mod changes;
mod dataset;
pub mod expected;
pub mod functions;
mod inspect;
mod joins;
pub mod lint;
mod needed;
pub(crate) mod operands;
mod order;
mod parse;
pub(crate) mod parts;
pub mod prebind;
pub(crate) mod products;
mod sse;
mod update;

pub(crate) use bind::expression as expression_of;
pub use bind::{Binding, BoundTo, bind, set_slice};
pub use dataset::LeftOut;
pub use inspect::{
    Position, UsedTerm, is_repeatable, needs_network, refuse_network, refuse_network_in_update, used_terms, variables,
    wanted_terms,
};
pub(crate) use inspect::{functions_of_expression, variables_of_expression, variables_of_pattern};
pub use needed::needed_terms;
pub use order::{is_ordered, order_columns};
pub use parse::{Form, ParseContext, Query, parse_query};
pub use sse::{indented, with_curies};
pub use update::{Operation, OperationForm, Transfer, TransferKind, Update, parse_update};
