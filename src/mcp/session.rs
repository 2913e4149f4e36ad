//! What each client has used during its session, which `[mcp]` can limit in addition to the limits of each call. A client is
//! whoever started this program, or asks a server from one address or with one token. After a while without calls, the next
//! call starts a new session.

use kgq_graph::project::{McpSettings, parse_duration};
use kgq_syntax::budget::Budget;
use kgq_syntax::error::{Error, Kind, Result};
use rustc_hash::FxHashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The client of a call, if the server identifies it.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    pub name: String,
    /// The memory shared by its calls, if it is limited.
    pub memory: Option<Budget>,
}

/// A session ends after this long without a call.
const OVER: Duration = Duration::from_secs(1_800);

/// What a client has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub tokens: usize,
    pub rows: usize,
    pub time: Duration,
}

/// What a session may use; `None` means unlimited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowance {
    tokens: Option<usize>,
    rows: Option<usize>,
    time: Option<Duration>,
}

impl Allowance {
    /// Reads the limits from the settings.
    ///
    /// # Errors
    /// The time is invalid.
    pub fn of(settings: &McpSettings) -> Result<Self> {
        let time = settings.session_timeout.as_deref().map(parse_duration).transpose();
        let time = time.map_err(|message| Error::input(format!("`session-timeout` below `[mcp]`: {message}")))?;
        Ok(Self { tokens: settings.session_tokens, rows: settings.session_rows, time: time.flatten() })
    }

    fn refusal(&self, spent: &Spent) -> Option<Error> {
        let used = |what: String| {
            Error::new(Kind::Limit, format!("the session's {what} are used up; answer with what you have"))
        };
        let tokens = self.tokens.filter(|most| spent.tokens >= *most).map(|most| used(format!("{most} tokens")));
        let rows = || self.rows.filter(|most| spent.rows >= *most).map(|most| used(format!("{most} rows")));
        let time = || {
            let most = self.time.filter(|most| spent.time >= *most)?;
            Some(used(format!("{} seconds of work", most.as_secs_f64())))
        };
        tokens.or_else(rows).or_else(time)
    }
}

/// The sessions of all clients.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<FxHashMap<String, (Spent, Instant)>>);

impl Sessions {
    /// Checks that a client may make another call.
    ///
    /// # Errors
    /// The session has used up what it may.
    pub fn check(&self, asker: &str, allowance: &Allowance) -> Result<()> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = sessions.get(asker).filter(|(_, last)| last.elapsed() < OVER).map(|(spent, _)| *spent);
        spent.and_then(|spent| allowance.refusal(&spent)).map_or(Ok(()), Err)
    }

    /// Adds what an answered call used.
    pub fn add(&self, asker: &str, call: Spent) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, (_, last)| last.elapsed() < OVER);
        let (spent, last) = sessions.entry(asker.to_owned()).or_insert_with(|| (Spent::default(), Instant::now()));
        *last = Instant::now();
        spent.tokens += call.tokens;
        spent.rows += call.rows;
        spent.time += call.time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_has_used_what_a_session_may_is_told_so_and_others_are_not() {
        let settings = McpSettings { session_rows: Some(3), session_timeout: Some("9s".into()), ..Default::default() };
        let (sessions, allowance) = (Sessions::default(), Allowance::of(&settings).unwrap());
        let [one, other] = ["one", "other"];
        let two_rows = Spent { rows: 2, tokens: 1_000_000, ..Spent::default() };
        for _ in 0..2 {
            sessions.check(one, &allowance).unwrap();
            sessions.add(one, two_rows);
        }
        let error = sessions.check(one, &allowance).unwrap_err();
        assert!(error.message().contains("3 rows"), "{error}");
        sessions.check(other, &allowance).unwrap();
        sessions.add(other, Spent { time: Duration::from_secs(9), ..Spent::default() });
        assert!(sessions.check(other, &allowance).unwrap_err().message().contains("9 seconds"));
        assert!(sessions.check(one, &Allowance::default()).is_ok());
        assert!(Allowance::of(&McpSettings { session_timeout: Some("soon".into()), ..Default::default() }).is_err());
    }
}
