//! Browser sessions: a token shown once is exchanged for a cookie that no script can read and no other site can send.

use super::clients::Client;
use super::tokens::Holder;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use kgq_syntax::error::{Error, Result};
use kgq_syntax::text::hexadecimal;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// How long a session lasts.
const LIFE: Duration = Duration::from_secs(12 * 3_600);
/// The maximum number of sessions; one more ends the oldest.
const MOST: usize = 1_000;
/// How many wrong tokens a client may show within `WHILE`.
const TRIES: u32 = 10;
const WHILE: Duration = Duration::from_secs(60);
/// The number of clients whose wrong tokens are counted. Beyond it, all counts are dropped.
const COUNTED: usize = 10_000;

const COOKIE_NAME: &str = "kgq-session";
/// The cookie of the sign-in form, which belongs to no session yet.
const FORM_NAME: &str = "kgq-form";

struct Session {
    holder: Holder,
    secret: String,
    until: Instant,
}

/// The open sessions, by the hash of their cookie.
#[derive(Default)]
pub struct Sessions {
    open: Mutex<FxHashMap<[u8; 32], Session>>,
    tries: Mutex<FxHashMap<Client, (u32, Instant)>>,
}

/// Attached to a request with a valid session cookie: the secret that the forms of this session contain.
#[derive(Clone, Debug)]
pub struct Signed {
    secret: String,
}

impl Signed {
    /// The secret that every form of the session contains.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether a form with this secret belongs to the session.
    pub fn is_own(&self, secret: &str) -> bool {
        is_same(&self.secret, secret)
    }
}

impl Sessions {
    /// Opens a session for a holder, and returns the cookie to set.
    ///
    /// # Errors
    /// The system provides no random bytes.
    pub fn open(&self, holder: Holder, secure: bool) -> Result<HeaderValue> {
        let (id, secret) = (random()?, random()?);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        open.retain(|_, session| session.until > now);
        if open.len() >= MOST
            && let Some(oldest) = open.iter().min_by_key(|(_, session)| session.until).map(|(id, _)| *id)
        {
            open.remove(&oldest);
        }
        open.insert(Sha256::digest(&id).into(), Session { holder, secret, until: now + LIFE });
        Ok(cookie(COOKIE_NAME, &id, LIFE.as_secs(), secure))
    }

    /// Returns the holder and the session that belong to the cookie of a request.
    pub fn of(&self, headers: &HeaderMap) -> Option<(Holder, Signed)> {
        let id: [u8; 32] = Sha256::digest(value(headers, COOKIE_NAME)?).into();
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.get(&id).filter(|session| session.until > Instant::now())?;
        Some((session.holder.clone(), Signed { secret: session.secret.clone() }))
    }

    /// Ends the session, and returns the cookie to set.
    pub fn close(&self, headers: &HeaderMap, secure: bool) -> HeaderValue {
        if let Some(id) = value(headers, COOKIE_NAME) {
            let id: [u8; 32] = Sha256::digest(id).into();
            self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
        cookie(COOKIE_NAME, "", 0, secure)
    }

    /// Whether a client may try a token: it has not shown too many wrong ones recently.
    pub fn may_try(&self, client: &Client) -> bool {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.get(client).is_none_or(|(wrong, since)| *wrong < TRIES || since.elapsed() > WHILE)
    }

    /// Counts a wrong token of a client.
    pub fn failed(&self, client: &Client) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= COUNTED {
            tries.clear();
        }
        let now = Instant::now();
        let (wrong, since) = tries.entry(client.clone()).or_insert((0, now));
        if since.elapsed() > WHILE {
            (*wrong, *since) = (0, now);
        }
        *wrong += 1;
    }
}

/// Returns the secret of a sign-in form, and the cookie that goes with it.
///
/// # Errors
/// The system provides no random bytes.
pub fn form_secret(secure: bool) -> Result<(String, HeaderValue)> {
    let secret = random()?;
    let cookie = cookie(FORM_NAME, &secret, 3_600, secure);
    Ok((secret, cookie))
}

/// Whether a sign-in form was made by this server for this browser.
pub fn is_own_form(headers: &HeaderMap, secret: &str) -> bool {
    value(headers, FORM_NAME).is_some_and(|known| is_same(known, secret))
}

fn is_same(one: &str, other: &str) -> bool {
    !one.is_empty() && bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

fn random() -> Result<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::io("random bytes", &std::io::Error::other(error.to_string())))?;
    Ok(hexadecimal(&bytes))
}

fn cookie(name: &str, value: &str, seconds: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The value of a cookie.
fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tokens::Scope;
    use super::*;

    fn with(cookie: &HeaderValue) -> HeaderMap {
        let text = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&format!("a=b; {text}")).unwrap())])
    }

    #[test]
    fn who_signs_in_is_known_by_the_cookie_until_signing_out() {
        let sessions = Sessions::default();
        let ada = Holder { name: "ada".into(), scope: Scope::Write };
        let cookie = sessions.open(ada.clone(), true).unwrap();
        assert!(cookie.to_str().unwrap().ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie:?}");
        let (holder, signed) = sessions.of(&with(&cookie)).unwrap();
        assert!(holder == ada && signed.is_own(signed.secret()) && !signed.is_own("") && !signed.is_own("x"));
        assert!(sessions.of(&HeaderMap::new()).is_none());
        assert!(sessions.of(&with(&HeaderValue::from_static("kgq-session=00"))).is_none());
        let gone = sessions.close(&with(&cookie), false);
        assert!(gone.to_str().unwrap().contains("Max-Age=0") && sessions.of(&with(&cookie)).is_none());
    }

    #[test]
    fn a_client_tries_so_many_tokens_and_no_more() {
        let sessions = Sessions::default();
        let [one, other] = ["one", "other"].map(|name| Client::Token(name.into()));
        for _ in 0..TRIES {
            assert!(sessions.may_try(&one));
            sessions.failed(&one);
        }
        assert!(!sessions.may_try(&one) && sessions.may_try(&other));
    }
}
