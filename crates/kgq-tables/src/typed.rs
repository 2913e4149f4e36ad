//! The literals of a column as an array of its type.

use super::values::Values;
use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, PrimitiveBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::DataType;
use kgq_syntax::error::{Error, Result};
use std::fmt::Debug;
use std::sync::Arc;

/// The values of literals as an array, null where there is no literal; `None` for types whose arrays hold texts.
///
/// # Errors
/// A literal without a value in the type: the type was chosen after all were looked at.
pub fn typed<L: Copy + Debug>(
    literals: impl ExactSizeIterator<Item = Option<L>>,
    data: &DataType,
    from: &impl Values<L>,
) -> Result<Option<ArrayRef>> {
    match data {
        DataType::Boolean => {
            let mut values = BooleanBuilder::with_capacity(literals.len());
            each(literals, |literal| from.boolean(literal), |value| values.append_option(value))?;
            Ok(Some(Arc::new(values.finish())))
        }
        DataType::Int8 => primitive::<Int8Type, L>(literals, data, |literal| from.whole(literal)),
        DataType::Int16 => primitive::<Int16Type, L>(literals, data, |literal| from.whole(literal)),
        DataType::Int32 => primitive::<Int32Type, L>(literals, data, |literal| from.whole(literal)),
        DataType::Int64 => primitive::<Int64Type, L>(literals, data, |literal| from.whole(literal)),
        DataType::UInt8 => primitive::<UInt8Type, L>(literals, data, |literal| from.whole(literal)),
        DataType::UInt16 => primitive::<UInt16Type, L>(literals, data, |literal| from.whole(literal)),
        DataType::UInt32 => primitive::<UInt32Type, L>(literals, data, |literal| from.whole(literal)),
        DataType::UInt64 => primitive::<UInt64Type, L>(literals, data, |literal| from.whole(literal)),
        DataType::Float32 => primitive::<Float32Type, L>(literals, data, |literal| from.float(literal)),
        DataType::Float64 => primitive::<Float64Type, L>(literals, data, |literal| from.double(literal)),
        DataType::Date32 => primitive::<Date32Type, L>(literals, data, |literal| from.date(literal)),
        DataType::Time64(_) => primitive::<Time64MicrosecondType, L>(literals, data, |literal| from.time(literal)),
        DataType::Timestamp(..) => {
            primitive::<TimestampMicrosecondType, L>(literals, data, |literal| Some(from.date_time(literal)?.1))
        }
        DataType::Decimal128(_, scale) => {
            let scale = usize::try_from(*scale).unwrap_or(0);
            primitive::<Decimal128Type, L>(literals, data, |literal| from.decimal(literal, scale))
        }
        _ => Ok(None),
    }
}

fn primitive<T: ArrowPrimitiveType, L: Copy + Debug>(
    literals: impl ExactSizeIterator<Item = Option<L>>,
    data: &DataType,
    read: impl Fn(L) -> Option<T::Native>,
) -> Result<Option<ArrayRef>> {
    let mut values = PrimitiveBuilder::<T>::with_capacity(literals.len()).with_data_type(data.clone());
    each(literals, read, |value| values.append_option(value))?;
    Ok(Some(Arc::new(values.finish())))
}

fn each<L: Copy + Debug, V>(
    literals: impl Iterator<Item = Option<L>>,
    read: impl Fn(L) -> Option<V>,
    mut put: impl FnMut(Option<V>),
) -> Result<()> {
    for literal in literals {
        let misfit = |literal| Error::bug(format!("{literal:?} has no value in the type that its column got"));
        put(literal.map(|literal| read(literal).ok_or_else(|| misfit(literal))).transpose()?);
    }
    Ok(())
}
