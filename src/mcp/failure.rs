//! An error as told to a model: what is wrong, in which line, what to do next, and a corrected query if one is known.

use kgq_syntax::error::Error;
use serde_json::{Map, Value};

pub fn told(error: &Error, mended: Option<String>) -> Value {
    let mut failure = one(error);
    if let Some(mended) = mended {
        failure.insert("mended".into(), mended.into());
    }
    let others: Vec<Value> = error.others().iter().map(|other| Value::Object(one(other))).collect();
    if !others.is_empty() {
        failure.insert("others".into(), others.into());
    }
    Value::Object(Map::from_iter([("error".to_owned(), Value::Object(failure))]))
}

/// A single error or finding, without the ones attached to it.
pub fn one(error: &Error) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("message".into(), error.message().into());
    if let Some(place) = error.place() {
        told.insert("line".into(), place.line.into());
        told.insert("column".into(), place.column.into());
        if let Some(excerpt) = &place.excerpt {
            told.insert("at".into(), excerpt.marked().into());
        }
    }
    let hints: Vec<&str> = crate::hints::of(error).collect();
    if !hints.is_empty() {
        told.insert("hints".into(), hints.into());
    }
    told
}
