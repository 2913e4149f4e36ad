//! The log: a line for each request and for what happens to the graph, as text or as JSON. Where it goes is the program's affair.

use serde_json::{Map, Value};
use std::sync::Arc;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
    None,
}

/// Takes the log's lines.
#[derive(Clone)]
pub struct Log {
    format: LogFormat,
    /// The text of queries is told too, not their hashes alone.
    pub with_queries: bool,
    write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    pub fn new(format: LogFormat, with_queries: bool, write: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        Self { format, with_queries, write }
    }

    /// Something that happened.
    pub fn say(&self, text: &str) {
        match self.format {
            LogFormat::None => {}
            LogFormat::Text => (self.write)(text.trim_end()),
            LogFormat::Json => {
                let event = Map::from_iter([("event".to_owned(), Value::String(text.trim_end().to_owned()))]);
                (self.write)(&Value::Object(event).to_string());
            }
        }
    }

    /// A request that is over, by what is known of it.
    pub fn request(&self, fields: &Map<String, Value>) {
        match self.format {
            LogFormat::None => {}
            LogFormat::Json => (self.write)(&Value::Object(fields.clone()).to_string()),
            LogFormat::Text => {
                // Whoever keeps a log as text adds the time.
                let words = fields.iter().filter(|(name, _)| *name != "time");
                let words = words.map(|(name, value)| match (name.as_str(), value) {
                    ("method" | "path", Value::String(text)) => text.clone(),
                    ("status", number) => number.to_string(),
                    (name, Value::String(text)) => format!("{name}={text:?}"),
                    (name, value) => format!("{name}={value}"),
                });
                (self.write)(&words.collect::<Vec<_>>().join(" "));
            }
        }
    }
}
