//! Preconditions of a write, `If-Match` and `If-None-Match` (RFC 9110, §13.1): which version the client has seen.

use super::problem::Problem;
use super::request::text;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};

/// Preconditions of a change.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Conditions {
    pub fn of(headers: &HeaderMap) -> Self {
        Self { if_match: text(headers, IF_MATCH), if_none_match: text(headers, IF_NONE_MATCH) }
    }

    /// The precondition that the graph still has this version.
    pub fn of_version(version: &str) -> Self {
        Self { if_match: Some(format!("\"{version}\"")), if_none_match: None }
    }

    /// Whether the request states no precondition.
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Checks the preconditions against the current version of the graph, and against whether the target of the write exists.
    ///
    /// # Errors
    /// Names the precondition that fails.
    pub fn check(&self, version: &str, is_there: bool) -> Result<(), Problem> {
        let failed = |what: &str| Err(Problem::new(StatusCode::PRECONDITION_FAILED, what));
        let names = |list: &str| list.trim() == "*" && is_there || tags(list).any(|tag| is_of(tag, version));
        match (&self.if_match, &self.if_none_match) {
            (Some(seen), _) if !names(seen) => failed("the graph has changed since it was read").map_err(|problem| {
                problem.hint("read it again, and send the change with the new `ETag` in `If-Match`")
            }),
            (_, Some(not)) if names(not) => failed("what should be made is there already"),
            _ => Ok(()),
        }
    }
}

fn tags(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// Whether a tag belongs to an answer from this version of the graph. A weak tag is too weak to write by, so it never matches.
fn is_of(tag: &str, version: &str) -> bool {
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    inner.is_some_and(|tag| tag.split('-').next() == Some(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(if_match: Option<&str>, if_none_match: Option<&str>, is_there: bool) -> bool {
        let [if_match, if_none_match] = [if_match, if_none_match].map(|text| text.map(str::to_owned));
        Conditions { if_match, if_none_match }.check("12ab", is_there).is_ok()
    }

    #[test]
    fn a_change_is_made_of_the_version_that_was_seen() {
        for holds in ["\"12ab-77\"", "\"x-1\", \"12ab-9\"", "\"12ab\"", "*"] {
            assert!(check(Some(holds), None, true), "{holds}");
        }
        for fails in ["\"12ac-77\"", "W/\"12ab-77\"", "12ab-77", "", "\"\""] {
            assert!(!check(Some(fails), None, true), "{fails}");
        }
        assert!(!check(Some("*"), None, false));
        assert!(check(None, None, false));
    }

    #[test]
    fn what_must_not_be_there_is_not_replaced() {
        assert!(check(None, Some("*"), false) && !check(None, Some("*"), true));
        assert!(!check(None, Some("\"12ab-1\""), true) && check(None, Some("\"99-1\""), true));
    }
}
