//! A JSON text as a tree that records the position of each value and key.

use super::super::json_tree::Json;
use json_event_parser::{JsonEvent, JsonSyntaxError, LowLevelJsonParser};
use kgq_syntax::Span;

/// Deeper than the bounds allow.
const MAX_DEPTH: usize = 1_024;

#[derive(Clone, Debug)]
pub struct Spanned {
    pub span: Span,
    pub value: JsonValue,
}

#[derive(Clone, Debug)]
pub enum JsonValue {
    /// Neither an array nor an object.
    Scalar(Json),
    Array(Vec<Spanned>),
    /// In the order of the text; keys may repeat.
    Object(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Spanned,
}

impl Spanned {
    /// Parses a text.
    pub fn parse(text: &[u8]) -> Result<Self, JsonSyntaxError> {
        let mut parser = LowLevelJsonParser::new().with_max_stack_size(MAX_DEPTH);
        // The open arrays and objects; for each object, the key that awaits its value.
        let mut open: Vec<(Self, Option<(String, Span)>)> = Vec::new();
        let mut whole = Self { span: 0..0, value: JsonValue::Scalar(Json::Null) };
        let mut at = 0;
        loop {
            let read = parser.parse_next(&text[at..], true);
            let span = trimmed(text, at..at + read.consumed_bytes);
            at += read.consumed_bytes;
            let Some(event) = read.event else { return Ok(whole) };
            let value = match event? {
                JsonEvent::Null => JsonValue::Scalar(Json::Null),
                JsonEvent::Boolean(value) => JsonValue::Scalar(Json::Boolean(value)),
                JsonEvent::Number(number) => JsonValue::Scalar(Json::Number(number.into_owned())),
                JsonEvent::String(text) => JsonValue::Scalar(Json::Text(text.into_owned())),
                JsonEvent::StartArray => {
                    open.push((Self { span, value: JsonValue::Array(Vec::new()) }, None));
                    continue;
                }
                JsonEvent::StartObject => {
                    open.push((Self { span, value: JsonValue::Object(Vec::new()) }, None));
                    continue;
                }
                JsonEvent::ObjectKey(key) => {
                    if let Some((_, waiting)) = open.last_mut() {
                        *waiting = Some((key.into_owned(), span));
                    }
                    continue;
                }
                JsonEvent::EndArray | JsonEvent::EndObject => match open.pop() {
                    Some((closed, _)) => {
                        let closed = Self { span: closed.span.start..span.end, ..closed };
                        keep(&mut open, &mut whole, closed);
                        continue;
                    }
                    None => continue,
                },
                JsonEvent::Eof => return Ok(whole),
            };
            keep(&mut open, &mut whole, Self { span, value });
        }
    }

    /// The tree without the positions.
    pub fn json(&self) -> Json {
        match &self.value {
            JsonValue::Scalar(scalar) => scalar.clone(),
            JsonValue::Array(items) => Json::Array(items.iter().map(Self::json).collect()),
            JsonValue::Object(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), entry.value.json())).collect())
            }
        }
    }

    /// The items of an array, or the value itself.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            JsonValue::Array(items) => items,
            JsonValue::Scalar(_) | JsonValue::Object(_) => std::slice::from_ref(self),
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            JsonValue::Scalar(scalar) => scalar.as_text(),
            JsonValue::Array(_) | JsonValue::Object(_) => None,
        }
    }

    /// Calls `f` for this value and each within it, in the order of the text.
    pub fn each<'a>(&'a self, f: &mut dyn FnMut(&'a Self)) {
        f(self);
        match &self.value {
            JsonValue::Scalar(_) => {}
            JsonValue::Array(items) => items.iter().for_each(|item| item.each(f)),
            JsonValue::Object(entries) => entries.iter().for_each(|entry| entry.value.each(f)),
        }
    }

    pub fn as_object(&self) -> Option<&[Entry]> {
        match &self.value {
            JsonValue::Object(entries) => Some(entries),
            JsonValue::Scalar(_) | JsonValue::Array(_) => None,
        }
    }
}

/// Adds a value to the innermost open array or object.
fn keep(open: &mut [(Spanned, Option<(String, Span)>)], whole: &mut Spanned, value: Spanned) {
    let Some((inner, waiting)) = open.last_mut() else {
        *whole = value;
        return;
    };
    match &mut inner.value {
        JsonValue::Array(items) => items.push(value),
        JsonValue::Object(entries) => {
            if let Some((key, key_span)) = waiting.take() {
                entries.push(Entry { key, key_span, value });
            }
        }
        JsonValue::Scalar(_) => {}
    }
}

/// The span of an event's token, without the commas, colons and white space around it.
fn trimmed(text: &[u8], span: Span) -> Span {
    let beside = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':');
    let read = &text[span.clone()];
    let start = read.iter().take_while(|byte| beside(byte)).count();
    let end = read[start..].iter().rev().take_while(|byte| beside(byte)).count();
    span.start + start..span.end - end
}
