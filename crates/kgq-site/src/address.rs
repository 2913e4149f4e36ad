//! Maps things, pages and files to paths below the root, and to the addresses that readers see.

use super::model::Model;
use super::query::PublishedQuery;
use std::borrow::Cow;

/// First path segments that the server uses itself: the page of a thing whose path begins with one gets another address.
const SERVER: &[&str] = &[
    "sparql",
    "graphs",
    "ask",
    "find",
    "about",
    "events",
    "mcp",
    "docs",
    "edit",
    "login",
    "logout",
    "openapi.json",
    "healthz",
    "readyz",
    "metrics",
];

/// Parameters of a canned query's address that control how it is answered.
pub const OF_ANSWERS: [&str; 7] = ["format", "timeout", "lang", "cite", "why", "why-not", "why-not-value"];

/// The name of a query parameter in the address of a canned query. If the bare name controls how the query is answered, the
/// parameter keeps the `$` of its variable.
pub fn parameter_in_address(name: &str) -> Cow<'_, str> {
    if OF_ANSWERS.contains(&name) {
        return Cow::Owned(format!("${name}"));
    }
    Cow::Borrowed(name)
}

/// The query parameter that a name in the address denotes, if any.
pub fn parameter_of_address(name: &str) -> Option<&str> {
    name.strip_prefix('$').or_else(|| (!OF_ANSWERS.contains(&name)).then_some(name))
}

/// The page on which a server shows any IRI.
fn about(iri: &str) -> String {
    format!("about.html?iri={}", escape(iri))
}

/// Escapes a text for use in a path or a query string.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// Writes the values of a canned query's parameters as a query string.
pub fn query_string(values: &[(String, String)]) -> String {
    let pairs = values.iter().map(|(name, value)| format!("{}={}", escape(&parameter_in_address(name)), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

impl Model<'_> {
    /// The page of a thing, with its extension. A server has a page for every thing that the graph describes; if the IRI is
    /// below the base, the page is at the path of the IRI.
    pub fn page(&self, iri: &str) -> Option<String> {
        match self.names.get(iri) {
            Some(stem) if !self.source.served => Some(format!("{stem}.html")),
            Some(stem) if !SERVER.contains(&stem.split('/').next().unwrap_or(stem)) => Some(format!("{stem}.html")),
            Some(_) => Some(about(iri)),
            None => (self.source.served && self.describes(iri)).then(|| about(iri)),
        }
    }

    /// The file beside a thing's page with the same content in another format.
    pub fn beside(&self, iri: &str, ending: &str) -> Option<String> {
        match self.names.get(iri) {
            Some(stem) => Some(format!("{stem}.{ending}")),
            None => self.source.served.then(|| format!("about?iri={}&format={ending}", escape(iri))),
        }
    }

    /// The page of a canned query. On a server, it is at the name of the query, where the query is also answered.
    pub fn query_page(&self, query: &PublishedQuery<'_>) -> String {
        match self.source.served {
            true => format!("query/{}.html", query.canned.name.split('/').map(escape).collect::<Vec<_>>().join("/")),
            false => format!("{}.html", query.stem()),
        }
    }

    /// The file beside that page with this extension.
    pub fn query_file(&self, query: &PublishedQuery<'_>, ending: &str) -> String {
        format!("{}{ending}", self.query_page(query).trim_end_matches("html"))
    }

    pub fn ontology_page(&self) -> String {
        let own = self.ontology().and_then(|iri| self.page(iri.as_str())).filter(|page| !page.contains('?'));
        own.unwrap_or_else(|| "ontology-terms.html".into())
    }

    /// The address of a page once it is on the web.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}", self.base_url(), self.shown(path))
    }

    /// A path as readers see it: pages of a server have no extension.
    pub fn shown<'p>(&self, path: &'p str) -> &'p str {
        match path.strip_suffix(".html").filter(|_| self.source.served) {
            Some("index") => "",
            Some(page) => page,
            None => path,
        }
    }

    /// The address of a page or a file below the root.
    pub fn address(&self, path: &str) -> String {
        let (file, query) = path.split_once('?').map_or((path, None), |(file, query)| (file, Some(query)));
        match query {
            Some(query) => format!("{}?{query}", self.shown(file)),
            None => self.shown(file).to_owned(),
        }
    }
}
