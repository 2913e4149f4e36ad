//! Checks every request: does it use a name of this server, and may this client ask? Sets the security headers of every answer.

use super::Shared;
use super::clients::Client;
use super::connections::Peer;
use super::login::sign_in_first;
use super::negotiate::likes_html;
use super::origins::own_origins;
use super::problem::Problem;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};

/// Refuses requests under a foreign host name, and adds the headers that keep browsers from misusing an answer.
pub async fn pass(State(server): State<Shared>, request: Request<Body>, next: Next) -> Response {
    let mut response = match refusal(&server, &request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    const ALWAYS: [(HeaderName, &str); 4] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages bring their own policy; other answers must not be run or framed.
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    response
}

/// Open to everyone: the health checks, and the sign-in page with its assets. Signing out reveals nothing about the graph.
const OPEN: [&str; 8] = [
    "/healthz",
    "/readyz",
    "/login",
    "/logout",
    "/assets/site.css",
    "/assets/site.js",
    "/assets/served.js",
    "/assets/icon.svg",
];

/// Admits everyone if no token guards reading; otherwise only holders of a token and users signed in with one.
pub async fn admit(State(server): State<Shared>, mut request: Request<Body>, next: Next) -> Response {
    // The form itself checks who is signed in, so that a user whose session expired can sign in again instead of being refused.
    let is_form = request.uri().path() == "/edit" && server.settings.writing.is_some();
    let is_open = is_form || OPEN.contains(&request.uri().path());
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let mut holder = token.and_then(|(_, token)| server.settings.tokens.holder(token.trim()));
    if given.is_none()
        && let Some((signed_in, signed)) = server.sessions.of(request.headers())
    {
        request.extensions_mut().insert(signed);
        holder = Some(signed_in);
    }
    if is_open || holder.is_some() || !server.settings.tokens.guard_reading() {
        let peer = request.extensions().get::<Peer>();
        let address = peer.map(|peer| Client::at(peer.0, request.headers(), &server.settings.proxies));
        let named = holder.as_ref().map(|holder| Client::Token(holder.name.clone()));
        request.extensions_mut().insert(named.or(address).unwrap_or(Client::Unknown));
        if let Some(holder) = holder {
            request.extensions_mut().insert(holder);
        }
        return next.run(request).await;
    }
    if request.method() == Method::GET
        && request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(likes_html)
    {
        return sign_in_first(request.uri().path_and_query().map_or("/", |path| path.as_str()));
    }
    Problem::new(StatusCode::UNAUTHORIZED, "reading needs a token")
        .hint("send it as `Authorization: Bearer TOKEN`")
        .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        .into_response()
}

/// Refuses a request by its host name. A foreign page whose host name was made to resolve to this server (DNS rebinding)
/// still sends its own host name.
fn refusal(server: &Shared, request: &Request<Body>) -> Option<Problem> {
    let header = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
    let absolute = request.uri().authority().map(|authority| authority.as_str());
    if header.is_none() && absolute.is_none() && request.version() >= Version::HTTP_11 {
        return Some(Problem::bad_request("the request names no host"));
    }
    let stranger = header.into_iter().chain(absolute).find(|host| !server.settings.names.knows(host))?;
    let shown: String = stranger.chars().take(100).collect();
    Some(
        Problem::forbidden(format!("this server is not known as `{shown}`"))
            .hint("who runs it can add the name with `--public NAME`"),
    )
}

/// Refuses a page of another origin where it could do more than read public data. Clients other than browsers send no origin.
pub fn foreign_origin(server: &Shared, headers: &HeaderMap) -> Option<Problem> {
    let origin = headers.get(ORIGIN)?.to_str().unwrap_or_default();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let at = origin.split_once("://").map(|(_, authority)| authority);
    let is_own = at.zip(host).is_some_and(|(at, host)| at.eq_ignore_ascii_case(host));
    // A proxy in front of the server may use another host name than browsers do.
    let is_public = server.settings.names.has_origin(origin);
    if is_own || is_public || server.settings.origins.iter().any(|named| named == "*" || named == origin) {
        return None;
    }
    let problem = Problem::forbidden("pages of this origin may not ask here");
    Some(problem.hint("who runs the server can let them with `--cors ORIGIN`"))
}

/// The host names under which this server answers.
pub struct Names {
    listens: SocketAddr,
    public: Vec<String>,
    origins: Vec<String>,
}

impl Names {
    /// Builds the names from the listening address, and from configured host names or site addresses.
    pub fn new(listens: SocketAddr, public: &[String]) -> Self {
        let host = |name: &String| {
            let rest = name.split_once("://").map_or(name.as_str(), |(_, rest)| rest);
            host_of(rest.split('/').next().unwrap_or(rest)).to_ascii_lowercase()
        };
        let origins = public.iter().flat_map(|name| own_origins(name)).collect();
        Self { listens, public: public.iter().map(host).collect(), origins }
    }

    /// Whether this origin belongs to the server itself, under one of its configured names.
    fn has_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }

    /// Whether a host, with or without a port, is one of the names. A numeric address is safe: nobody can make it resolve here.
    fn knows(&self, host: &str) -> bool {
        let host = host_of(host);
        if self.public.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            return true;
        }
        let own = self.listens.ip();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address == own || own.is_unspecified() || own.is_loopback() && address.is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost") && (own.is_loopback() || own.is_unspecified()),
        }
    }
}

/// Strips the port from a host.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.ends_with(':') => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(listens: &str, public: &[&str]) -> Names {
        let public: Vec<String> = public.iter().map(|name| (*name).to_owned()).collect();
        Names::new(listens.parse().unwrap(), &public)
    }

    #[test]
    fn a_server_of_this_machine_is_known_by_its_addresses_alone() {
        let names = names("127.0.0.1:7878", &[]);
        for known in ["127.0.0.1:7878", "localhost", "LOCALHOST:8080", "[::1]:7878", "127.0.0.1"] {
            assert!(names.knows(known), "{known}");
        }
        for strange in [
            "evil.example",
            "evil.example:7878",
            "10.0.0.1:7878",
            "",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
        ] {
            assert!(!names.knows(strange), "{strange}");
        }
    }

    #[test]
    fn a_public_server_is_known_by_its_names_too() {
        let names = names("0.0.0.0:80", &["https://Graph.example/", "other.example:8080"]);
        for known in ["graph.example", "GRAPH.example:443", "other.example", "10.1.2.3", "[fe80::1]:80"] {
            assert!(names.knows(known), "{known}");
        }
        assert!(!names.knows("evil.example"));
        let own = self::names("10.0.0.1:80", &[]);
        assert!(own.knows("10.0.0.1:80") && !own.knows("10.0.0.2:80") && !own.knows("localhost"));
    }
}
