//! What went wrong, as told to a client: `application/problem+json` (RFC 9457), with the place in the query and the next step.

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kgq_syntax::error::{Error, Kind, Place};
use kgq_syntax::text::count;
use serde_json::{Map, Value};
use std::time::Duration;

/// A refusal or a failure, reported before any byte of an answer was sent.
#[derive(Clone, Debug)]
pub struct Problem(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    fields: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let mut fields = Map::new();
        fields.insert("title".into(), status.canonical_reason().unwrap_or("Error").into());
        fields.insert("status".into(), status.as_u16().into());
        fields.insert("detail".into(), detail.into().into());
        Self(Box::new(Inner { status, fields, headers: HeaderMap::new() }))
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The route does not support the method.
    pub fn method(allowed: &'static str) -> Self {
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("this address takes {allowed}"));
        problem.header(ALLOW, HeaderValue::from_static(allowed))
    }

    /// All places are taken: the client may try again after this many seconds.
    pub fn busy(seconds: u64) -> Self {
        let detail = "the server answers as many requests as it can, and as many wait";
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).header(RETRY_AFTER, seconds.into())
    }

    /// The client already has this many requests open.
    pub fn crowded(most: usize) -> Self {
        let detail = format!(
            "{} of this client are answered or wait, and no more may",
            count(most as u64, "request", "requests")
        );
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).header(RETRY_AFTER, 1.into())
    }

    /// The client's queries used up their working time for this minute.
    pub fn worked_enough(most: Duration, wait: Duration) -> Self {
        let detail = format!(
            "queries of this client worked for {} seconds within a minute, and no more may",
            most.as_secs_f64()
        );
        // `Retry-After` has whole seconds, so round up.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).header(RETRY_AFTER, seconds.into())
    }

    /// A limit, given by its name, was exceeded.
    pub fn limit(name: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with("limit", name)
    }

    /// Returns the problem with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self.with("title", status.canonical_reason().unwrap_or("Error")).with("status", status.as_u16())
    }

    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.fields.insert(field.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Value::Array(hints) = self.0.fields.entry("hints").or_insert_with(|| Value::Array(Vec::new())) {
            hints.push(Value::String(hint.into()));
        }
        self
    }

    #[must_use]
    pub fn header(mut self, name: axum::http::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Returns the problem as JSON, to be embedded in another value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0.fields)
    }

    /// The text of a field, or an empty text if there is none.
    pub fn field(&self, name: &str) -> &str {
        self.0.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// One sentence for each thing that is wrong and each hint, for pages.
    pub fn sentences(&self) -> Vec<String> {
        let list = |name: &str| self.0.fields.get(name).and_then(Value::as_array).into_iter().flatten();
        let findings = list("findings").filter_map(|finding| finding["message"].as_str());
        let hints = list("hints").filter_map(Value::as_str);
        std::iter::once(self.field("detail")).chain(findings).chain(hints).map(str::to_owned).collect()
    }

    /// The headers of the response, such as `Retry-After`.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    pub fn status(&self) -> StatusCode {
        self.0.status
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            Kind::Input | Kind::Usage | Kind::Check => StatusCode::BAD_REQUEST,
            Kind::Policy => StatusCode::FORBIDDEN,
            Kind::Limit | Kind::Interrupted | Kind::Terminated | Kind::ClosedPipe => StatusCode::SERVICE_UNAVAILABLE,
            // The system's message may contain a path of this machine.
            Kind::Io => {
                return Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the graph cannot be read; the server's log says why",
                );
            }
            Kind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut problem = Self::new(status, error.message());
        let mut told = Error::new(error.kind(), error.message());
        if let Some(place) = error.place() {
            problem = problem.with("line", place.line).with("column", place.column);
            told = told.at(Place { file: file_name(&place.file).to_owned(), ..place.clone() });
        }
        for hint in crate::hints::of(&error) {
            problem = problem.hint(hint);
            told = told.hint(hint);
        }
        problem.with("text", told.render(false))
    }
}

/// A file name that can be shown to clients: it hides where on this machine the file is.
pub fn file_name(file: &str) -> &str {
    if file.starts_with('/') || file.contains('\\') { file.rsplit(['/', '\\']).next().unwrap_or(file) } else { file }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner { status, fields, headers } = *self.0;
        let mut response = Response::new(Body::from(format!("{}\n", Value::Object(fields))));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kgq_syntax::error::Source;

    #[test]
    fn a_failure_of_the_system_tells_nobody_where_its_files_are() {
        let error = Error::io("/home/ada/secret.snapshot", &std::io::Error::other("no such file"));
        let problem = Problem::from(error);
        assert_eq!(problem.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!problem.into_value().to_string().contains("secret"));
    }

    #[test]
    fn a_file_elsewhere_is_told_by_its_name_alone() {
        let error = Error::input("an object must follow").at(Source::new("/home/ada/a.ttl", "x").place(0..1));
        let told = Problem::from(error).into_value().to_string();
        assert!(told.contains("a.ttl:1:1") && !told.contains("ada"), "{told}");
        assert_eq!(file_name("data/a.ttl"), "data/a.ttl");
    }

    #[test]
    fn an_error_keeps_its_place_and_its_hints() {
        let error = Error::input("no such prefix").at(Source::new("query", "a\nbc").place(3..4)).hint("declare it");
        let fields = Problem::from(error).into_value();
        assert_eq!(
            (&fields["line"], &fields["column"], &fields["hints"][0]),
            (&2.into(), &2.into(), &"declare it".into())
        );
    }
}
