//! A finding: what is wrong, where, how severe it is, and what to do about it.

use super::shacl::ValidationResult;
use crate::render::term_json;
use kgq_syntax::error::{Error, Place};
use kgq_syntax::rdf::{NamedNode, NamedOrBlankNode};
use kgq_syntax::text::visible;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

/// The severity of a finding. Only errors make a check fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub place: Place,
    pub severity: Severity,
    /// The code, which `--explain` accepts.
    pub code: Cow<'static, str>,
    pub message: String,
    /// How often it was found besides, in words. This may change while the finding counts as the same.
    pub more: String,
    pub hints: Vec<String>,
    /// The term that the finding is about, if any.
    pub about: Option<NamedNode>,
    /// The validation result, if a shape's constraint led to the finding.
    pub result: Option<Box<ValidationResult>>,
}

impl Finding {
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, place, message)
    }

    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, place, message)
    }

    pub fn new(
        severity: Severity,
        code: impl Into<Cow<'static, str>>,
        place: Place,
        message: impl Into<String>,
    ) -> Self {
        let (code, message) = (code.into(), message.into());
        Self { place, severity, code, message, more: String::new(), hints: Vec::new(), about: None, result: None }
    }

    #[must_use]
    pub fn about(self, term: &NamedNode) -> Self {
        Self { about: Some(term.clone()), ..self }
    }

    /// Like `about`, for a node if it is an IRI.
    #[must_use]
    pub(crate) fn about_node(self, node: &NamedOrBlankNode) -> Self {
        match node {
            NamedOrBlankNode::NamedNode(iri) => self.about(iri),
            NamedOrBlankNode::BlankNode(_) => self,
        }
    }

    #[must_use]
    pub fn more(self, more: impl Into<String>) -> Self {
        Self { more: more.into(), ..self }
    }

    /// Returns the message together with how often it was found.
    pub fn text(&self) -> String {
        format!("{}{}", self.message, self.more)
    }

    /// Makes a finding of an error from elsewhere in kgq; `file` is its place if the error has none.
    pub(crate) fn from_error(code: &'static str, file: &str, error: &Error) -> Self {
        let place = error.place().cloned().unwrap_or_else(|| Place::new(file, 1, 1));
        // The place already names the file.
        let message = error.message();
        let message = message.strip_prefix(&format!("{file}: ")).unwrap_or(message);
        Self { hints: error.hints().to_vec(), ..Self::error(code, place, message) }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub fn hint_if(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "severity": self.severity.as_str(),
            "code": self.code,
            "message": self.text(),
            "about": self.about.as_ref().map(|term| term.as_str()),
            "hints": self.hints,
        });
        if let (Some(result), Value::Object(object)) = (&self.result, &mut value) {
            object.insert("focus".into(), term_json(&result.focus));
            object.insert("path".into(), result.path.as_ref().map(ToString::to_string).into());
            object.insert("value".into(), result.value.as_ref().map_or(Value::Null, term_json));
            let shape = result.named_shape.clone().map_or_else(|| result.shape.clone(), Into::into);
            object.insert("shape".into(), term_json(&shape));
            object.insert("component".into(), result.component.as_str().into());
        }
        value
    }

    /// Writes one line for people, and the hints below it.
    pub fn write_text(&self, colour: bool, out: &mut dyn Write) -> io::Result<()> {
        let Self { place, severity, code, hints, .. } = self;
        let (on, off) = match severity {
            _ if !colour => ("", ""),
            Severity::Error => ("\x1b[1;31m", "\x1b[0m"),
            Severity::Warning => ("\x1b[1;33m", "\x1b[0m"),
            Severity::Note => ("\x1b[1;34m", "\x1b[0m"),
        };
        writeln!(out, "{place} {on}{severity}{off} {} {}", visible(code), visible(&self.text()))?;
        for hint in hints {
            writeln!(out, "  hint: {}", visible(hint))?;
        }
        Ok(())
    }
}
