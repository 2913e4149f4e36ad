//! The budget of one answer: rows, time, and an estimated number of language model tokens.

use kgq_graph::project::{McpSettings, parse_duration};
use kgq_syntax::error::{Error, Result};
use serde_json::Value;
use std::time::Duration;

const ROWS: usize = 50;
const TOKENS: usize = 3_000;
const TIME: Duration = Duration::from_secs(20);
/// The time if kgq.toml sets no limit; the limit of all queries still applies.
const A_DAY: Duration = Duration::from_secs(86_400);
/// The maximum number of rows that a call can ask for.
const MOST_ROWS: usize = 1_000;
/// Characters per token, a rule of thumb that holds for English and code.
const CHARACTERS: usize = 4;

#[derive(Clone, Copy, Debug)]
pub struct AnswerSize {
    pub rows: usize,
    pub tokens: usize,
    pub time: Duration,
}

impl AnswerSize {
    /// The size set in kgq.toml, else the default.
    ///
    /// # Errors
    /// The time in kgq.toml is invalid.
    pub fn of(settings: &McpSettings) -> Result<Self> {
        let time = settings.timeout.as_deref().map(parse_duration).transpose();
        let time = time.map_err(|message| Error::input(format!("`timeout` below `[mcp]` in kgq.toml: {message}")))?;
        Ok(Self {
            rows: settings.rows.unwrap_or(ROWS).clamp(1, MOST_ROWS),
            tokens: settings.tokens.unwrap_or(TOKENS).max(200),
            time: time.map_or(TIME, |time| time.unwrap_or(A_DAY)),
        })
    }

    #[must_use]
    pub fn with_rows(self, rows: Option<usize>) -> Self {
        Self { rows: rows.map_or(self.rows, |rows| rows.clamp(1, MOST_ROWS)), ..self }
    }
}

/// The estimated number of tokens of a value as text.
pub fn tokens(value: &Value) -> usize {
    value.to_string().chars().count().div_ceil(CHARACTERS)
}

/// As many leading members as fit, and how many are left out. The first one is always included.
pub fn fitting(members: Vec<Value>, most: usize) -> (Vec<Value>, usize) {
    let (all, mut spent, mut kept) = (members.len(), 0, Vec::new());
    for member in members {
        spent += tokens(&member) + 1;
        if spent > most && !kept.is_empty() {
            break;
        }
        kept.push(member);
    }
    let left = all - kept.len();
    (kept, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_fit_is_counted_and_the_first_always_comes() {
        let members = vec![json!("12345678"), json!("12345678"), json!("12345678")];
        assert_eq!(fitting(members.clone(), 8), (members[..2].to_vec(), 1));
        assert_eq!(fitting(members.clone(), 0), (members[..1].to_vec(), 2));
        assert_eq!(fitting(members.clone(), 99), (members, 0));
        assert_eq!(fitting(Vec::new(), 0), (Vec::new(), 0));
    }
}
