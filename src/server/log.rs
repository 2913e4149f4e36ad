//! The log: a line per request and per event of the graph, as text or as JSON. The program decides where it goes.

use serde_json::{Map, Value};
use std::sync::Arc;

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
    None,
}

/// Receives the lines of the log.
#[derive(Clone)]
pub struct Log {
    format: LogFormat,
    /// Log the text of queries, not only their hashes.
    pub with_queries: bool,
    write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    pub fn new(format: LogFormat, with_queries: bool, write: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        Self { format, with_queries, write }
    }

    /// Logs an event.
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

    /// Logs a finished request by its fields.
    pub fn request(&self, fields: &Map<String, Value>) {
        match self.format {
            LogFormat::None => {}
            LogFormat::Json => (self.write)(&Value::Object(fields.clone()).to_string()),
            LogFormat::Text => {
                // Whoever collects a text log adds the time.
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
