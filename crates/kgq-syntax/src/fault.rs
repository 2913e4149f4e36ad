//! A mistake in a text, before it becomes an error of the program.

use super::Span;
use crate::error::{Error, Source};

#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub span: Span,
    pub message: String,
    pub hint: Option<String>,
}

/// The result of walking along a grammar: what was read, or the first mistake.
pub(crate) type Walked<T = ()> = Result<T, Fault>;

impl Fault {
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    /// The walk stopped here without finding a mistake.
    pub fn given_up(span: Span) -> Self {
        Self::new(span, "")
    }

    pub fn is_given_up(&self) -> bool {
        self.message.is_empty()
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn into_error(self, source: Source<'_>) -> Error {
        Error::input(self.message).at(source.place(self.span)).hint_if(self.hint)
    }
}
