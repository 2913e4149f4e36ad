//! A JSON text as a tree in which numbers stay as written. Used where JSON-LD is changed before it is read.

use super::json_places::Spanned;
use json_event_parser::{JsonEvent, JsonSyntaxError, WriterJsonSerializer};
use std::io;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Boolean(bool),
    /// As written.
    Number(String),
    Text(String),
    Array(Vec<Self>),
    /// In the order of the text; keys may repeat.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Parses a text. Its nesting was bounded before.
    pub fn parse(text: &[u8]) -> Result<Self, JsonSyntaxError> {
        Spanned::parse(text).map(|tree| tree.json())
    }

    /// Writes the tree as JSON text.
    pub fn write(&self) -> io::Result<Vec<u8>> {
        let mut writer = WriterJsonSerializer::new(Vec::new());
        self.write_to(&mut writer)?;
        writer.finish()
    }

    fn write_to(&self, writer: &mut WriterJsonSerializer<Vec<u8>>) -> io::Result<()> {
        match self {
            Self::Null => writer.serialize_event(JsonEvent::Null),
            Self::Boolean(value) => writer.serialize_event(JsonEvent::Boolean(*value)),
            Self::Number(number) => writer.serialize_event(JsonEvent::Number(number.into())),
            Self::Text(text) => writer.serialize_event(JsonEvent::String(text.into())),
            Self::Array(items) => {
                writer.serialize_event(JsonEvent::StartArray)?;
                items.iter().try_for_each(|item| item.write_to(writer))?;
                writer.serialize_event(JsonEvent::EndArray)
            }
            Self::Object(entries) => {
                writer.serialize_event(JsonEvent::StartObject)?;
                for (key, value) in entries {
                    writer.serialize_event(JsonEvent::ObjectKey(key.into()))?;
                    value.write_to(writer)?;
                }
                writer.serialize_event(JsonEvent::EndObject)
            }
        }
    }

    /// The value of a key; `None` if there is no such key, or this is not an object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries.iter().find(|(own, _)| own == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array, or the value itself.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            single => std::slice::from_ref(single),
        }
    }

    /// Calls `f` for this value and each within it.
    pub fn each<'a>(&'a self, f: &mut dyn FnMut(&'a Self)) {
        f(self);
        match self {
            Self::Array(items) => items.iter().for_each(|item| item.each(f)),
            Self::Object(entries) => entries.iter().for_each(|(_, value)| value.each(f)),
            _ => {}
        }
    }
}
