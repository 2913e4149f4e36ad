//! `/login` and `/logout`: exchange a token for a session cookie, so that its holder can write by forms.

use super::Shared;
use super::door::foreign_origin;
use super::pages::own_page;
use super::problem::Problem;
use super::request::{RequestKey, client, pairs};
use super::sessions::{Signed, form_secret, is_own_form};
use super::sparql::{options, read_body, respond};
use super::tokens::Holder;
use super::work::work;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use kgq_site::Login;

const METHODS: &str = "GET, HEAD, POST, OPTIONS";

pub async fn login(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => respond(show(&server, &parts, None, StatusCode::OK, false).await),
        Method::POST => respond(sign_in(&server, &parts, body).await),
        Method::OPTIONS => options(METHODS),
        _ => Problem::method(METHODS).into_response(),
    }
}

/// Shows the sign-in page, with a form that only this browser can send.
async fn show(
    server: &Shared,
    parts: &Parts,
    to: Option<String>,
    status: StatusCode,
    wrong: bool,
) -> Result<Response, Problem> {
    let asked = RequestKey::of(parts)?;
    let to = local(to.as_deref().or(asked.one("to")?));
    let holder = parts.extensions.get::<Holder>().cloned();
    let signed = parts.extensions.get::<Signed>().cloned();
    let (secret, cookie) = form_secret(is_secure(server)).map_err(|error| server.problem(&error))?;
    let is_signed = signed.is_some();
    let secret = signed.map_or(secret, |signed| signed.secret().to_owned());
    let mut page = work(server, asked, move |job, _| {
        let who = holder.as_ref().filter(|_| is_signed).map(|holder| holder.name.as_str());
        let login = Login { who, secret: &secret, to: &to, wrong };
        Err(own_page(job, status, |held, view| held.pages.login(&login, view)))
    })
    .await?;
    if !is_signed {
        page.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(page)
}

async fn sign_in(server: &Shared, parts: &Parts, body: Body) -> Result<Response, Problem> {
    if let Some(problem) = foreign_origin(server, &parts.headers) {
        return Err(problem);
    }
    let client = client(parts);
    if !server.sessions.may_try(&client) {
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens were sent recently")
            .header(RETRY_AFTER, HeaderValue::from_static("60")));
    }
    let form = pairs(&read_body(server, &parts.headers, body).await?)?;
    let field = |name: &str| form.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    if !is_own_form(&parts.headers, field("secret").unwrap_or_default()) {
        return Err(foreign_form());
    }
    let to = field("to").map(str::to_owned);
    let Some(holder) = field("token").and_then(|token| server.settings.tokens.holder(token.trim())) else {
        server.sessions.failed(&client);
        return show(server, parts, to, StatusCode::FORBIDDEN, true).await;
    };
    let cookie = server.sessions.open(holder, is_secure(server)).map_err(|error| server.problem(&error))?;
    Ok(sent_to(&local(to.as_deref()), Some(cookie)))
}

pub async fn logout(State(server): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let done = async {
        if let Some(problem) = foreign_origin(&server, &parts.headers) {
            return Err(problem);
        }
        let form = pairs(&read_body(&server, &parts.headers, body).await?)?;
        let secret = form.iter().find(|(name, _)| name == "secret").map_or("", |(_, value)| value);
        let signed = parts.extensions.get::<Signed>();
        if signed.is_some_and(|signed| !signed.is_own(secret)) {
            return Err(foreign_form());
        }
        Ok(sent_to("/", Some(server.sessions.close(&parts.headers, is_secure(&server)))))
    };
    match parts.method {
        Method::POST => respond(done.await),
        _ => Problem::method("POST").into_response(),
    }
}

/// The refusal of a form that was not made for this session.
pub fn foreign_form() -> Problem {
    Problem::forbidden("the form is not one of this session").hint("open it again, and send it from there")
}

/// Redirects a browser to the sign-in page, and from there back to this path.
pub fn sign_in_first(here: &str) -> Response {
    let to: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
    sent_to(&format!("/login?to={to}"), None)
}

/// Redirects a browser to another path of this server.
pub fn sent_to(path: &str, cookie: Option<HeaderValue>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Returns a path if it is local to this server, otherwise its root.
fn local(path: Option<&str>) -> String {
    let is_local = |path: &&str| path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    path.filter(is_local).unwrap_or("/").to_owned()
}

fn is_secure(server: &Shared) -> bool {
    server.settings.is_secure()
}
