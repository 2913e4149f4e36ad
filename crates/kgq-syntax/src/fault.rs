//! A mistake in a text, before it becomes an error of the program.

use super::Span;
use crate::error::{Error, Source};

#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub span: Span,
    pub message: String,
    pub hint: Option<String>,
}

/// What a walk along a grammar gives: something read, or the first mistake.
pub(crate) type Walked<T = ()> = Result<T, Fault>;

impl Fault {
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    /// The walk went no further, and knows of no mistake.
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
