//! Errors in expressions that a reader of the answer would not expect: a value is missing although the query looks right.
//!
//! An unbound variable is not such an error, and neither is a term of the wrong type in a function or a comparison, because
//! queries rely on them. These are: a text that a cast cannot read, arithmetic with what is no number, and a sum over a
//! value that is unbound or no number.

use std::sync::{Arc, Mutex, PoisonError};

/// The number of failures while one query was answered, and the first reason in the order of the texts, which does not
/// depend on the order in which threads meet them. Threads share it.
#[derive(Clone, Debug, Default)]
pub struct Failures(Arc<Mutex<(u64, Option<Arc<str>>)>>);

impl Failures {
    /// Counts a failure. It may take a lock, because this path is rare: the expression has failed already.
    pub fn count(&self, reason: &Arc<str>) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.0 += 1;
        if told.1.as_ref().is_none_or(|first| reason < first) {
            told.1 = Some(Arc::clone(reason));
        }
    }

    /// Returns the number of failures and the first reason by its text; `None` if there was no failure.
    pub fn told(&self) -> Option<(u64, String)> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some((told.0, told.1.as_ref()?.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_and_one_reason_is_told_whatever_their_order() {
        let failures = Failures::default();
        assert_eq!(failures.told(), None);
        for reason in ["b", "a", "b"] {
            failures.count(&reason.into());
        }
        assert_eq!(failures.told(), Some((3, "a".into())));
        for number in 0..1_000 {
            failures.count(&format!("c{number}").into());
        }
        assert_eq!(failures.told(), Some((1_003, "a".into())));
    }
}
