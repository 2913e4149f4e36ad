//! How much one answer may be: rows, time, and tokens of a language model, which are estimated.

use kgq_graph::project::{McpSettings, parse_duration};
use kgq_syntax::error::{Error, Result};
use serde_json::Value;
use std::time::Duration;

const ROWS: usize = 50;
const TOKENS: usize = 3_000;
const TIME: Duration = Duration::from_secs(20);
/// Where no limit is wanted, that of all queries still holds.
const A_DAY: Duration = Duration::from_secs(86_400);
/// What is asked for by a call is given up to this.
const MOST_ROWS: usize = 1_000;
/// How many characters make a token, by a rule of thumb that is right for English and code.
const CHARACTERS: usize = 4;

#[derive(Clone, Copy, Debug)]
pub struct AnswerSize {
    pub rows: usize,
    pub tokens: usize,
    pub time: Duration,
}

impl AnswerSize {
    /// What kgq.toml says, else the defaults.
    ///
    /// # Errors
    /// A time that is none.
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

/// About how many tokens a value is as text.
pub fn tokens(value: &Value) -> usize {
    value.to_string().chars().count().div_ceil(CHARACTERS)
}

/// As many of the first members as fit, and how many are left out. The first always fits.
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
