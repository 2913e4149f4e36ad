//! Web origins (RFC 6454): the scheme, host and port that a browser sends to say whose page asks, as an operator writes them.

use axum::http::Uri;
use axum::http::uri::Authority;

/// Parses an origin whose pages may ask: `*` for all, or one as browsers write it.
///
/// # Errors
/// The text is not an origin; the message shows an example.
pub fn parse_origin(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let is_bare = |uri: &Uri| uri.path_and_query().is_none_or(|path| path.as_str() == "/") && !text.contains('#');
    let origin = text.parse().ok().filter(is_bare).as_ref().and_then(origin_of);
    origin.ok_or_else(|| "an origin is a scheme and a host, as in `https://app.example`, or `*` for all".into())
}

/// Parses a host name or an address under which clients know the server.
///
/// # Errors
/// The text is neither; the message shows an example.
pub fn parse_public(text: &str) -> Result<String, String> {
    let host = match text.contains("://") {
        true => text.parse().ok().filter(is_web).and_then(|uri: Uri| uri.into_parts().authority),
        false => text.parse().ok(),
    };
    let is_name = |host: &Authority| !host.host().is_empty() && !host.as_str().contains(['@', '*']);
    match host.filter(is_name) {
        Some(_) => Ok(text.to_owned()),
        None => Err("a server is known as `graph.example`, or by an address such as `https://graph.example/`".into()),
    }
}

/// The origins of the server's own pages under this host name or address.
pub fn own_origins(public: &str) -> Vec<String> {
    let addresses = match public.contains("://") {
        true => vec![public.to_owned()],
        false => ["http", "https"].map(|scheme| format!("{scheme}://{public}")).to_vec(),
    };
    addresses.iter().filter_map(|address| address.parse().ok().as_ref().and_then(origin_of)).collect()
}

fn is_web(uri: &Uri) -> bool {
    matches!(uri.scheme_str(), Some("http" | "https"))
}

/// The origin of an address, without the default port of its scheme.
fn origin_of(address: &Uri) -> Option<String> {
    let (scheme, authority) = (address.scheme_str()?.to_ascii_lowercase(), address.authority()?);
    let host = authority.host().to_ascii_lowercase();
    if host.is_empty() || host.contains('*') || authority.as_str().contains('@') {
        return None;
    }
    let rest = &authority.as_str()[host.len()..];
    let port = match (scheme.as_str(), rest.strip_prefix(':')) {
        (_, None) if rest.is_empty() => None,
        ("http", Some("80" | "")) | ("https", Some("443" | "")) => None,
        (_, Some(port)) => Some(port.parse::<u16>().ok()?),
        (_, None) => return None,
    };
    Some(match port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for (text, origin) in [
            ("*", "*"),
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example/", "https://app.example"),
            ("https://app.example:443", "https://app.example"),
            ("http://localhost:3000/", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://app.example:80", "https://app.example:80"),
            ("moz-extension://0a1b", "moz-extension://0a1b"),
        ] {
            assert_eq!(parse_origin(text).as_deref(), Ok(origin), "{text}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_no_origin() {
        for text in [
            "",
            "app.example",
            "null",
            "https://",
            "https://app.example/page",
            "https://app.example/?x",
            "https://app.example/#x",
            "https://ada@app.example",
            "https://*.example",
            "https://app.example:99999",
            "https://app.example https://other.example",
            "https://bücher.example",
            "/",
        ] {
            assert!(parse_origin(text).is_err_and(|why| why.contains("`https://app.example`")), "{text}");
        }
    }

    #[test]
    fn a_server_is_known_by_hosts_alone() {
        for name in
            ["graph.example", "Graph.example:8080", "https://graph.example/", "http://graph.example/kg/", "[::1]:80"]
        {
            assert_eq!(parse_public(name).as_deref(), Ok(name));
        }
        for text in
            ["", "*", "https://", "graph example", "graph.example/kg", "ftp://graph.example", "https://a@b", "https:/a"]
        {
            assert!(parse_public(text).is_err(), "{text}");
        }
        assert_eq!(own_origins("https://Graph.example/kg/"), ["https://graph.example"]);
        assert_eq!(own_origins("graph.example"), ["http://graph.example", "https://graph.example"]);
    }
}
