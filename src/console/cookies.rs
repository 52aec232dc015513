//! The cookies of the console: the session, what the last change did, the theme and the time zone.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use cookie::{Cookie, SameSite};
use secrecy::ExposeSecret as _;

use crate::domain::user::Secret;

/// The cookie with the secret of the session. The prefix lets a browser accept it only with `Secure`, for this host alone
/// and from all paths (RFC 6265bis, section 4.1.3.2).
const SESSION: &str = "__Host-rollbook";
/// The cookie with what the last change did, for the next page.
const DONE: &str = "__Host-rollbook-done";
/// The cookie with the theme that the reader chose.
const THEME: &str = "rollbook-theme";
/// The cookie with the name of the reader's time zone, which the script sets.
const ZONE: &str = "rollbook-zone";

/// The maximum length of a cookie that the console reads, in bytes.
const VALUE_MAX: usize = 2_000;

/// What the cookies of a request say.
#[derive(Clone, Debug, Default)]
pub(super) struct Cookies {
    /// The secret of the session.
    pub session: Option<String>,
    /// What the last change did, encoded.
    pub done: Option<String>,
    /// The name of the theme.
    pub theme: Option<String>,
    /// The name of the time zone.
    pub zone: Option<String>,
}

impl Cookies {
    /// Reads the headers of a request. What is not valid is left out.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut cookies = Self::default();
        let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        for cookie in values.flat_map(Cookie::split_parse).flatten() {
            let place = match cookie.name() {
                SESSION => &mut cookies.session,
                DONE => &mut cookies.done,
                THEME => &mut cookies.theme,
                ZONE => &mut cookies.zone,
                _ => continue,
            };
            if cookie.value().len() <= VALUE_MAX {
                place.get_or_insert_with(|| cookie.value().to_owned());
            }
        }
        cookies
    }
}

/// Lets the browser keep the session until it is closed or the session ends.
pub(super) fn keep_session(response: &mut Response, secret: &Secret) {
    add(response, &host_cookie(SESSION, secret.expose_secret()).build());
}

/// Lets the browser forget the session.
pub(super) fn forget_session(response: &mut Response) {
    add(response, &host_cookie(SESSION, "").max_age(cookie::time::Duration::ZERO).build());
}

/// Keeps what a change did for the next page.
pub(super) fn keep_done(response: &mut Response, encoded: &str) {
    add(response, &host_cookie(DONE, encoded).max_age(cookie::time::Duration::minutes(2)).build());
}

/// Forgets what a change did.
pub(super) fn forget_done(response: &mut Response) {
    add(response, &host_cookie(DONE, "").max_age(cookie::time::Duration::ZERO).build());
}

/// Keeps the theme for a year.
pub(super) fn keep_theme(response: &mut Response, theme: &str) {
    let cookie = Cookie::build((THEME, theme)).path("/console").same_site(SameSite::Strict);
    add(response, &cookie.max_age(cookie::time::Duration::days(365)).build());
}

fn host_cookie<'a>(name: &'a str, value: &'a str) -> cookie::CookieBuilder<'a> {
    Cookie::build((name, value)).path("/").secure(true).http_only(true).same_site(SameSite::Strict)
}

fn add(response: &mut Response, cookie: &Cookie<'_>) {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn only_the_consoles_cookies_are_read() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; __Host-rollbook=s3cret; rollbook-zone=Europe/Rome"));
        headers.append(COOKIE, HeaderValue::from_static("__Host-rollbook=other; ;=; x"));
        headers.append(COOKIE, HeaderValue::from_str(&format!("rollbook-theme={}", "x".repeat(3_000))).unwrap());
        let cookies = Cookies::read(&headers);
        assert_eq!((cookies.session.as_deref(), cookies.zone.as_deref()), (Some("s3cret"), Some("Europe/Rome")));
        assert_eq!((cookies.theme, cookies.done), (None, None));
    }

    #[test]
    fn the_session_is_for_this_host_and_no_script() {
        let mut response = ().into_response();
        keep_session(&mut response, &Secret::from("s3cret"));
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        for part in ["__Host-rollbook=s3cret", "HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}
