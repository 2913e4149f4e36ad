//! A JSON text as a tree in which numbers stay as they are written, for what is changed in JSON-LD before it is read.

use json_event_parser::{JsonEvent, JsonSyntaxError, SliceJsonParser, WriterJsonSerializer};
use std::io;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Boolean(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Self>),
    /// In the order of the text; keys may repeat.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// The tree of a text. How deep it nests was bounded before.
    pub fn parse(text: &[u8]) -> Result<Self, JsonSyntaxError> {
        let mut parser = SliceJsonParser::new(text);
        // The arrays and objects that are open, and for each object the key that waits for its value.
        let mut open: Vec<(Self, String)> = Vec::new();
        let mut whole = Self::Null;
        loop {
            let value = match parser.parse_next()? {
                JsonEvent::Null => Self::Null,
                JsonEvent::Boolean(value) => Self::Boolean(value),
                JsonEvent::Number(number) => Self::Number(number.into_owned()),
                JsonEvent::String(text) => Self::Text(text.into_owned()),
                JsonEvent::StartArray => {
                    open.push((Self::Array(Vec::new()), String::new()));
                    continue;
                }
                JsonEvent::StartObject => {
                    open.push((Self::Object(Vec::new()), String::new()));
                    continue;
                }
                JsonEvent::ObjectKey(key) => {
                    if let Some((_, waiting)) = open.last_mut() {
                        *waiting = key.into_owned();
                    }
                    continue;
                }
                JsonEvent::EndArray | JsonEvent::EndObject => match open.pop() {
                    Some((value, _)) => value,
                    None => continue,
                },
                JsonEvent::Eof => return Ok(whole),
            };
            match open.last_mut() {
                Some((Self::Array(items), _)) => items.push(value),
                Some((Self::Object(entries), key)) => entries.push((std::mem::take(key), value)),
                _ => whole = value,
            }
        }
    }

    /// The text of a tree.
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

    /// The value of a key.
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
