//! What type a column gets, from all that is in it.

use super::cell::Cells;
use super::gather::{ColumnTerms, fields};
use super::shape::Shape;
use super::values;
use arrow_array::StringArray;
use arrow_schema::{DataType, Field, TimeUnit};
use kgq_snapshot::TermId;
use std::collections::HashMap;

/// Digits that a decimal of Arrow holds.
const MOST_DIGITS: usize = 38;
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// What has been seen of a column.
#[derive(Debug, Default)]
pub struct Seen {
    shape: Common,
    /// Whether a text has no value in the type of its datatype.
    misfits: bool,
    needed: Needed,
}

/// What a type must hold.
#[derive(Debug, Default)]
struct Needed {
    /// The most digits of decimals before and behind the point.
    whole: usize,
    places: usize,
    /// Whether there are moments with a time zone, and without.
    zoned: bool,
    local: bool,
}

impl Needed {
    /// Whether a decimal of so many digits has room beside those before.
    fn room_for(&mut self, digits: Option<(usize, usize)>) -> bool {
        let Some((whole, places)) = digits else { return false };
        self.whole = whole.max(self.whole);
        self.places = places.max(self.places);
        self.whole + self.places <= MOST_DIGITS
    }

    /// Whether a moment has a time zone where those before have one.
    fn zone_of(&mut self, moment: Option<(bool, i64)>) -> bool {
        let Some((zoned, _)) = moment else { return false };
        *(if zoned { &mut self.zoned } else { &mut self.local }) = true;
        !(self.zoned && self.local)
    }
}

/// The shape of all terms, where it is one.
#[derive(Debug, Default, PartialEq, Eq)]
enum Common {
    #[default]
    Nothing,
    One(Shape),
    Several,
}

impl Seen {
    pub fn add(&mut self, terms: &ColumnTerms) {
        terms.shapes.iter().for_each(|shape| self.add_shape(shape));
        if let Common::One(Shape::Typed(datatype)) = &self.shape {
            let datatype = datatype.clone();
            self.look(&datatype, &terms.texts);
        }
    }

    pub fn add_shape(&mut self, shape: &Shape) {
        match &self.shape {
            Common::Nothing => self.shape = Common::One(shape.clone()),
            Common::One(one) if one == shape => {}
            _ => self.shape = Common::Several,
        }
    }

    /// Whether nothing more can be learnt: the terms have several shapes.
    pub fn is_of_several(&self) -> bool {
        self.shape == Common::Several
    }

    /// Whether each text has a value that the type can hold, and what the type must hold.
    fn look(&mut self, datatype: &str, texts: &StringArray) {
        let mut fit: Box<dyn FnMut(&str) -> bool + '_> = match type_of(datatype) {
            Some(DataType::Boolean) => Box::new(|text| values::boolean(text).is_some()),
            Some(DataType::Int8) => Box::new(|text| text.parse::<i8>().is_ok()),
            Some(DataType::Int16) => Box::new(|text| text.parse::<i16>().is_ok()),
            Some(DataType::Int32) => Box::new(|text| text.parse::<i32>().is_ok()),
            Some(DataType::Int64) => Box::new(|text| text.parse::<i64>().is_ok()),
            Some(DataType::UInt8) => Box::new(|text| text.parse::<u8>().is_ok()),
            Some(DataType::UInt16) => Box::new(|text| text.parse::<u16>().is_ok()),
            Some(DataType::UInt32) => Box::new(|text| text.parse::<u32>().is_ok()),
            Some(DataType::UInt64) => Box::new(|text| text.parse::<u64>().is_ok()),
            Some(DataType::Float32) => Box::new(|text| values::float(text).is_some()),
            Some(DataType::Float64) => Box::new(|text| values::double(text).is_some()),
            Some(DataType::Date32) => Box::new(|text| values::date(text).is_some()),
            Some(DataType::Time64(_)) => Box::new(|text| values::time(text).is_some()),
            Some(DataType::Decimal128(..)) => {
                let needed = &mut self.needed;
                Box::new(|text| needed.room_for(values::digits(text)))
            }
            Some(DataType::Timestamp(..)) => {
                let needed = &mut self.needed;
                Box::new(|text| needed.zone_of(values::date_time(text)))
            }
            _ => return,
        };
        let fits = texts.iter().flatten().all(&mut fit);
        drop(fit);
        self.misfits |= !fits;
    }

    /// The same for ids, whose shapes were added.
    pub fn look_at_ids(&mut self, ids: &[TermId], cells: &Cells<'_>) {
        let Common::One(Shape::Typed(datatype)) = &self.shape else { return };
        if self.misfits {
            return;
        }
        let mut bound = ids.iter().copied().filter(|id| !id.is_unbound());
        let needed = &mut self.needed;
        let fits = match type_of(datatype) {
            Some(DataType::Boolean) => bound.all(|id| cells.boolean(id).is_some()),
            Some(DataType::Int8) => bound.all(|id| cells.whole::<i8>(id).is_some()),
            Some(DataType::Int16) => bound.all(|id| cells.whole::<i16>(id).is_some()),
            Some(DataType::Int32) => bound.all(|id| cells.whole::<i32>(id).is_some()),
            Some(DataType::Int64) => bound.all(|id| cells.whole::<i64>(id).is_some()),
            Some(DataType::UInt8) => bound.all(|id| cells.whole::<u8>(id).is_some()),
            Some(DataType::UInt16) => bound.all(|id| cells.whole::<u16>(id).is_some()),
            Some(DataType::UInt32) => bound.all(|id| cells.whole::<u32>(id).is_some()),
            Some(DataType::UInt64) => bound.all(|id| cells.whole::<u64>(id).is_some()),
            Some(DataType::Float32) => bound.all(|id| cells.float(id).is_some()),
            Some(DataType::Float64) => bound.all(|id| cells.double(id).is_some()),
            Some(DataType::Date32) => bound.all(|id| cells.date(id).is_some()),
            Some(DataType::Time64(_)) => bound.all(|id| cells.time(id).is_some()),
            Some(DataType::Decimal128(..)) => bound.all(|id| needed.room_for(cells.digits(id))),
            Some(DataType::Timestamp(..)) => bound.all(|id| needed.zone_of(cells.date_time(id))),
            _ => true,
        };
        self.misfits = !fits;
    }

    /// The type of the column: texts where there is one shape of terms without a type of Arrow's, or with a text that has no
    /// value there; structs where there are several.
    pub fn decide(self) -> Column {
        let shape = match self.shape {
            Common::Several => return Column::terms(),
            Common::Nothing => None,
            Common::One(shape) => Some(shape),
        };
        let data = match &shape {
            Some(Shape::Typed(datatype)) if !self.misfits => match type_of(datatype) {
                Some(DataType::Decimal128(..)) => DataType::Decimal128(MOST_DIGITS as u8, self.needed.places as i8),
                Some(DataType::Timestamp(unit, _)) => {
                    DataType::Timestamp(unit, self.needed.zoned.then(|| "UTC".into()))
                }
                Some(data) => data,
                None => DataType::Utf8,
            },
            _ => DataType::Utf8,
        };
        Column { data, shape }
    }
}

/// The type of a column, and what its terms have in common.
#[derive(Debug)]
pub struct Column {
    pub data: DataType,
    shape: Option<Shape>,
}

impl Column {
    /// A column that says of each term what it is.
    pub fn terms() -> Self {
        Self { data: DataType::Struct(fields()), shape: None }
    }

    /// The field of a schema. What the terms have in common is said in its metadata, so that they can be made again.
    pub fn field(&self, name: &str) -> Field {
        let mut metadata = HashMap::new();
        if let Some(shape) = &self.shape {
            metadata.insert("kgq.kind".to_owned(), shape.kind().to_owned());
            metadata.extend(shape.datatype().map(|datatype| ("kgq.datatype".to_owned(), datatype.to_owned())));
            metadata.extend(shape.language().map(|language| ("kgq.language".to_owned(), language)));
        }
        Field::new(name, self.data.clone(), true).with_metadata(metadata)
    }
}

/// Whether the values of a datatype are integers or decimals.
pub fn is_decimal(datatype: &str) -> bool {
    type_of(datatype).is_some_and(|data| data.is_integer() || matches!(data, DataType::Decimal128(..)))
}

/// The type that holds values of a datatype; `None` for those that stay texts.
fn type_of(datatype: &str) -> Option<DataType> {
    Some(match datatype.strip_prefix(XSD)? {
        "boolean" => DataType::Boolean,
        "byte" => DataType::Int8,
        "short" => DataType::Int16,
        "int" => DataType::Int32,
        "integer" | "long" | "nonNegativeInteger" | "positiveInteger" | "nonPositiveInteger" | "negativeInteger" => {
            DataType::Int64
        }
        "unsignedByte" => DataType::UInt8,
        "unsignedShort" => DataType::UInt16,
        "unsignedInt" => DataType::UInt32,
        "unsignedLong" => DataType::UInt64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "decimal" => DataType::Decimal128(MOST_DIGITS as u8, 0),
        "date" => DataType::Date32,
        "time" => DataType::Time64(TimeUnit::Microsecond),
        "dateTime" | "dateTimeStamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => return None,
    })
}
