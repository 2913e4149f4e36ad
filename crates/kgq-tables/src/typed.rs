//! Texts of a column as the values of its type.

use super::values;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_schema::DataType;
use kgq_syntax::error::{Error, Result};
use std::str::FromStr;
use std::sync::Arc;

/// The values of texts, all of which have one in the type.
pub fn typed(texts: &StringArray, data: &DataType) -> Result<ArrayRef> {
    match data {
        DataType::Boolean => {
            let values = texts.iter().map(|text| text.map(|text| value(text, values::boolean)).transpose());
            Ok(Arc::new(values.collect::<Result<BooleanArray>>()?))
        }
        DataType::Int8 => whole::<Int8Type>(texts, data),
        DataType::Int16 => whole::<Int16Type>(texts, data),
        DataType::Int32 => whole::<Int32Type>(texts, data),
        DataType::Int64 => whole::<Int64Type>(texts, data),
        DataType::UInt8 => whole::<UInt8Type>(texts, data),
        DataType::UInt16 => whole::<UInt16Type>(texts, data),
        DataType::UInt32 => whole::<UInt32Type>(texts, data),
        DataType::UInt64 => whole::<UInt64Type>(texts, data),
        DataType::Float32 => primitive::<Float32Type>(texts, data, values::float),
        DataType::Float64 => primitive::<Float64Type>(texts, data, values::double),
        DataType::Date32 => primitive::<Date32Type>(texts, data, values::date),
        DataType::Time64(_) => primitive::<Time64MicrosecondType>(texts, data, values::time),
        DataType::Timestamp(..) => {
            primitive::<TimestampMicrosecondType>(texts, data, |text| Some(values::date_time(text)?.1))
        }
        DataType::Decimal128(_, scale) => {
            let scale = usize::try_from(*scale).unwrap_or(0);
            primitive::<Decimal128Type>(texts, data, |text| values::decimal(text, scale))
        }
        _ => Ok(Arc::new(texts.clone())),
    }
}

fn whole<T: ArrowPrimitiveType<Native: FromStr>>(texts: &StringArray, data: &DataType) -> Result<ArrayRef> {
    primitive::<T>(texts, data, |text| text.parse().ok())
}

fn primitive<T: ArrowPrimitiveType>(
    texts: &StringArray,
    data: &DataType,
    read: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let values = texts.iter().map(|text| text.map(|text| value(text, &read)).transpose());
    let array: PrimitiveArray<T> = values.collect::<Result<Vec<Option<T::Native>>>>()?.into_iter().collect();
    Ok(Arc::new(array.with_data_type(data.clone())))
}

/// The type was chosen after all texts were looked at.
fn value<V>(text: &str, read: impl Fn(&str) -> Option<V>) -> Result<V> {
    read(text).ok_or_else(|| Error::bug(format!("`{text}` has no value in the type that its column got")))
}
