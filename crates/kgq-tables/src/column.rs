//! Chooses the type of a column from all its terms.

use super::gather::{ColumnTerms, fields};
use super::shape::Shape;
use super::values::{Texts, Values};
use arrow_schema::{DataType, Field, TimeUnit};
use std::collections::HashMap;

/// The number of digits that an Arrow decimal holds.
const MOST_DIGITS: usize = 38;
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// What the terms of a column seen so far have in common.
#[derive(Debug, Default)]
pub struct Seen {
    shape: Common,
    /// Whether some text has no value in the Arrow type of its datatype.
    misfits: bool,
    needed: Needed,
}

/// What the column's type must be able to hold.
#[derive(Debug, Default)]
struct Needed {
    /// The most digits of decimals before and after the point.
    whole: usize,
    places: usize,
    /// Whether some date and time has a time zone, and whether some has none.
    zoned: bool,
    local: bool,
}

impl Needed {
    /// Whether the type can hold the value of each literal: all have one, and those before leave room for them.
    fn hold<L: Copy>(&mut self, data: &DataType, mut literals: impl Iterator<Item = L>, from: &impl Values<L>) -> bool {
        match data {
            DataType::Boolean => literals.all(|literal| from.boolean(literal).is_some()),
            DataType::Int8 => literals.all(|literal| from.whole::<i8>(literal).is_some()),
            DataType::Int16 => literals.all(|literal| from.whole::<i16>(literal).is_some()),
            DataType::Int32 => literals.all(|literal| from.whole::<i32>(literal).is_some()),
            DataType::Int64 => literals.all(|literal| from.whole::<i64>(literal).is_some()),
            DataType::UInt8 => literals.all(|literal| from.whole::<u8>(literal).is_some()),
            DataType::UInt16 => literals.all(|literal| from.whole::<u16>(literal).is_some()),
            DataType::UInt32 => literals.all(|literal| from.whole::<u32>(literal).is_some()),
            DataType::UInt64 => literals.all(|literal| from.whole::<u64>(literal).is_some()),
            DataType::Float32 => literals.all(|literal| from.float(literal).is_some()),
            DataType::Float64 => literals.all(|literal| from.double(literal).is_some()),
            DataType::Date32 => literals.all(|literal| from.date(literal).is_some()),
            DataType::Time64(_) => literals.all(|literal| from.time(literal).is_some()),
            DataType::Decimal128(..) => literals.all(|literal| self.room_for(from.digits(literal))),
            DataType::Timestamp(..) => literals.all(|literal| self.zone_of(from.date_time(literal))),
            _ => true,
        }
    }

    /// Whether a decimal of so many digits has room beside those before.
    fn room_for(&mut self, digits: Option<(usize, usize)>) -> bool {
        let Some((whole, places)) = digits else { return false };
        self.whole = whole.max(self.whole);
        self.places = places.max(self.places);
        self.whole + self.places <= MOST_DIGITS
    }

    /// Whether all dates and times so far have a time zone, or none has.
    fn zone_of(&mut self, moment: Option<(bool, i64)>) -> bool {
        let Some((zoned, _)) = moment else { return false };
        *(if zoned { &mut self.zoned } else { &mut self.local }) = true;
        !(self.zoned && self.local)
    }
}

/// The common shape of all terms, if there is one.
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
        self.look(terms.texts.iter().flatten(), &Texts);
    }

    pub fn add_shape(&mut self, shape: &Shape) {
        match &self.shape {
            Common::Nothing => self.shape = Common::One(shape.clone()),
            Common::One(one) if one == shape => {}
            _ => self.shape = Common::Several,
        }
    }

    /// Whether the terms have several shapes, so that further terms change nothing.
    pub fn is_of_several(&self) -> bool {
        self.shape == Common::Several
    }

    /// Looks at literals whose shapes were added.
    pub fn look<L: Copy>(&mut self, literals: impl Iterator<Item = L>, values: &impl Values<L>) {
        if let Common::One(Shape::Typed(datatype)) = &self.shape
            && !self.misfits
            && let Some(data) = type_of(datatype)
        {
            self.misfits = !self.needed.hold(&data, literals, values);
        }
    }

    /// Decides the type of the column: structs if the terms have several shapes; texts if their one shape has no Arrow type or a
    /// text has no value in it; else that type.
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
    /// A column of structs, which hold value, kind, datatype and language of each term.
    pub fn terms() -> Self {
        Self { data: DataType::Struct(fields()), shape: None }
    }

    /// The field for a schema. Its metadata names the common shape, so that the terms can be restored.
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

/// The Arrow type for the values of a datatype; `None` for datatypes whose values stay texts.
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
