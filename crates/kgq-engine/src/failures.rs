//! Errors in expressions that whoever reads the answer would not expect: a value is missing, and the query looks right.
//!
//! An unbound variable and a term of the wrong type are no such errors: queries count on them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Reasons that are told apart; further ones are counted with the first.
const MOST_REASONS: usize = 64;

/// What failed while one query was answered, and how often. Threads share it.
#[derive(Clone, Debug, Default)]
pub struct Failures(Arc<Mutex<BTreeMap<Arc<str>, u64>>>);

impl Failures {
    /// Counts a failure. This is where an expression has failed already, so that it may take a lock.
    pub fn count(&self, reason: &Arc<str>) {
        let mut reasons = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = reasons.get_mut(reason) {
            *count += 1;
        } else if reasons.len() < MOST_REASONS {
            reasons.insert(Arc::clone(reason), 1);
        } else if let Some(mut first) = reasons.first_entry() {
            *first.get_mut() += 1;
        }
    }

    /// How many failures there were, and the first reason by its text; `None` if there was no failure.
    pub fn told(&self) -> Option<(u64, String)> {
        let reasons = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, _) = reasons.first_key_value()?;
        Some((reasons.values().sum(), first.to_string()))
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
