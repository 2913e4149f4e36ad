//! The context of a request besides its question: what the client accepts, what it has cached, by which address it came.

use super::clients::Client;
use super::problem::Problem;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HOST, HeaderName, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Version};
use percent_encoding::percent_decode_str;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Counts of one request, for the log and the metrics.
#[derive(Debug, Default)]
pub struct Tally {
    pub rows: AtomicU64,
    /// The text of the query. The log shows it only if asked to, otherwise its hash.
    pub query: OnceLock<String>,
}

impl Tally {
    pub fn count_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }
}

/// The parts of a request on which its answer depends.
#[derive(Clone, Debug)]
pub struct RequestKey {
    pub path: String,
    /// The parameters of the query string, decoded.
    pub values: Vec<(String, String)>,
    pub accept: Option<String>,
    pub accept_language: Option<String>,
    pub accept_encoding: Option<String>,
    pub if_none_match: Option<String>,
    pub host: Option<String>,
    /// Whether the client supports chunked transfer, by which it can tell a part from the whole.
    pub takes_pieces: bool,
    pub tally: Arc<Tally>,
    pub client: Client,
}

impl RequestKey {
    pub fn of(parts: &Parts) -> Result<Self, Problem> {
        let header = |name: HeaderName| text(&parts.headers, name);
        Ok(Self {
            path: decoded(parts.uri.path())?,
            values: pairs(parts.uri.query().unwrap_or_default().as_bytes())?,
            accept: header(ACCEPT),
            accept_language: header(ACCEPT_LANGUAGE),
            accept_encoding: header(ACCEPT_ENCODING),
            if_none_match: header(IF_NONE_MATCH),
            host: header(HOST),
            takes_pieces: parts.version >= Version::HTTP_11,
            tally: parts.extensions.get::<Arc<Tally>>().cloned().unwrap_or_default(),
            client: client(parts),
        })
    }

    /// All values of a parameter, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that may occur at most once.
    pub fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Problem> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Problem::bad_request(format!("`{name}` is allowed once, but is given several times"))),
        }
    }

    /// The language tag that the client prefers, if it names any.
    pub fn language(&self) -> Option<String> {
        self.languages().into_iter().next()
    }

    /// The language tags that the client accepts, the preferred one first (RFC 9110 §12.5.4). `*` names none.
    pub fn languages(&self) -> Vec<String> {
        let header = self.accept_language.as_deref().unwrap_or_default();
        let mut accepted: Vec<(f32, &str)> = Vec::new();
        for item in header.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let tag = parts.next().filter(|tag| !tag.is_empty() && *tag != "*");
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            accepted.extend(tag.filter(|_| weight > 0.0).map(|tag| (weight, tag)));
        }
        accepted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        accepted.into_iter().map(|(_, tag)| tag.to_owned()).collect()
    }
}

/// The client that sent the request.
pub fn client(parts: &Parts) -> Client {
    parts.extensions.get().cloned().unwrap_or(Client::Unknown)
}

/// The text of a header. If the header occurs several times, its values are joined into one list.
pub fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let all: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Decodes the escapes of a part of an address.
pub fn decoded(text: &str) -> Result<String, Problem> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| Problem::bad_request("the address is not UTF-8 behind its escapes"))
}

/// Parses the parameters of an address or of a form.
pub fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    // The form parser would silently replace what is not UTF-8.
    percent_encoding::percent_decode(text)
        .decode_utf8()
        .map_err(|_| Problem::bad_request("the parameters are not UTF-8 behind their escapes"))?;
    Ok(form_urlencoded::parse(text).into_owned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, headers: &[(HeaderName, &str)]) -> Result<RequestKey, Problem> {
        let mut request = axum::http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        RequestKey::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn values_are_read_as_forms_write_them_and_must_be_utf_8() {
        let values = asked("/sparql?query=a+b%20c&x=%E5%B7%A5", &[]).unwrap().values;
        assert_eq!(values, [("query".into(), "a b c".into()), ("x".into(), "工".into())]);
        assert!(asked("/sparql?query=%FF", &[]).is_err());
    }

    #[test]
    fn a_value_that_may_stand_once_is_refused_twice() {
        assert!(asked("/?a=1&a=2", &[]).unwrap().one("a").is_err());
        assert_eq!(asked("/?a=1", &[]).unwrap().one("a").unwrap(), Some("1"));
    }

    #[test]
    fn the_language_is_the_one_with_the_highest_weight() {
        let language = |header| asked("/", &[(ACCEPT_LANGUAGE, header)]).unwrap().language();
        assert_eq!(language("en;q=0.5, zh-Hans, de;q=0.7").as_deref(), Some("zh-Hans"));
        assert_eq!(language("fr, en;q=0.9, *;q=0.5").as_deref(), Some("fr"));
        assert_eq!(language("fr;q=0, , en;q=0.1").as_deref(), Some("en"));
        assert_eq!(language("*"), None);
    }
}
