//! Texts and ids of a column as the values of its type.

use super::cell::Cells;
use super::values;
use arrow_array::builder::{BooleanBuilder, PrimitiveBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_schema::DataType;
use kgq_snapshot::TermId;
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

/// The values of ids, all of which have one in the type; `None` for types that are made of texts.
pub fn of_ids(ids: &[TermId], data: &DataType, cells: &Cells<'_>) -> Result<Option<ArrayRef>> {
    fn array<T: ArrowPrimitiveType>(
        ids: &[TermId],
        data: &DataType,
        read: impl Fn(TermId) -> Option<T::Native>,
    ) -> Result<Option<ArrayRef>> {
        let mut values = PrimitiveBuilder::<T>::with_capacity(ids.len()).with_data_type(data.clone());
        each(ids, read, |value| values.append_option(value))?;
        Ok(Some(Arc::new(values.finish())))
    }
    match data {
        DataType::Boolean => {
            let mut values = BooleanBuilder::with_capacity(ids.len());
            each(ids, |id| cells.boolean(id), |value| values.append_option(value))?;
            Ok(Some(Arc::new(values.finish())))
        }
        DataType::Int8 => array::<Int8Type>(ids, data, |id| cells.whole(id)),
        DataType::Int16 => array::<Int16Type>(ids, data, |id| cells.whole(id)),
        DataType::Int32 => array::<Int32Type>(ids, data, |id| cells.whole(id)),
        DataType::Int64 => array::<Int64Type>(ids, data, |id| cells.whole(id)),
        DataType::UInt8 => array::<UInt8Type>(ids, data, |id| cells.whole(id)),
        DataType::UInt16 => array::<UInt16Type>(ids, data, |id| cells.whole(id)),
        DataType::UInt32 => array::<UInt32Type>(ids, data, |id| cells.whole(id)),
        DataType::UInt64 => array::<UInt64Type>(ids, data, |id| cells.whole(id)),
        DataType::Float32 => array::<Float32Type>(ids, data, |id| cells.float(id)),
        DataType::Float64 => array::<Float64Type>(ids, data, |id| cells.double(id)),
        DataType::Date32 => array::<Date32Type>(ids, data, |id| cells.date(id)),
        DataType::Time64(_) => array::<Time64MicrosecondType>(ids, data, |id| cells.time(id)),
        DataType::Timestamp(..) => array::<TimestampMicrosecondType>(ids, data, |id| Some(cells.date_time(id)?.1)),
        DataType::Decimal128(_, scale) => {
            let scale = usize::try_from(*scale).unwrap_or(0);
            array::<Decimal128Type>(ids, data, |id| cells.decimal(id, scale))
        }
        _ => Ok(None),
    }
}

fn each<V>(ids: &[TermId], read: impl Fn(TermId) -> Option<V>, mut put: impl FnMut(Option<V>)) -> Result<()> {
    for id in ids {
        if id.is_unbound() {
            put(None);
            continue;
        }
        let misfit = || Error::bug(format!("the term {} has no value in the type that its column got", id.get()));
        put(Some(read(*id).ok_or_else(misfit)?));
    }
    Ok(())
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
