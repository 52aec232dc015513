//! What surrounds every page: where the request may come from, who is signed in, the headers of the response, and the page
//! of an error.

use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};

use crate::http::request::bodies::refuse;
use crate::http::request::error::RequestError;
use crate::http::request::extract::Form;
use crate::http::{ApiState, Failure};

use super::browser::Browser;
use super::pages::sign_in;
use super::{cookies, error, messages, ui};

/// The paths of forms that need no session.
const PUBLIC: [&str; 3] = [super::SIGN_IN, "/console/setup", "/console/appearance"];

/// Allows the files of this server only: no inline script and no inline style, no other origin.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
/// With `no-referrer`, Chromium sends `Origin: null` with forms of the same origin.
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const NO_PERMISSIONS: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()");

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The middleware of every page.
pub(super) async fn visit(State(api): State<ApiState>, mut request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    if !method.is_safe() && !is_of_this_origin(&headers) {
        // Reads the rest of the body, so that the browser gets the response.
        refuse(request, RequestError::MethodNotAllowed);
        return with_headers(error::foreign_origin(), false);
    }
    let (browser, sent) = match Browser::read(&api, &method, &uri, &headers).await {
        Ok(read) => read,
        Err(failed) => {
            let Failure(failed) = refuse(request, failed);
            return with_headers(error::page(&failed, None, &method, &uri, &headers), false);
        }
    };
    if comes_from_elsewhere(&browser, &method, &headers) {
        return with_headers(repeated(&browser.page), browser.is_secure);
    }
    request.extensions_mut().insert(browser.clone());
    let response = next.run(request).await;
    let mut response = match Failure::carried_by(&response) {
        Some(failed) => error::page(&failed, Some(&browser), &method, &uri, &headers),
        None => response,
    };
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if sent.done.is_some() && method == Method::GET && is_page {
        cookies::forget_done(&mut response);
    }
    with_headers(response, browser.is_secure)
}

/// Answers a form of somebody whose session has ended with the sign-in, which keeps what was filled in. It runs after the
/// body was read.
pub(super) async fn keep_form(browser: Browser, request: Request, next: Next) -> Response {
    let is_public = PUBLIC.contains(&request.uri().path());
    if request.method().is_safe() || browser.signed_in.is_some() || is_public {
        return next.run(request).await;
    }
    let action = request.uri().path_and_query().map_or("/console/", |own| own.as_str()).to_owned();
    let pairs = match Form::from_request(request, &()).await {
        Ok(Form(pairs)) => pairs,
        Err(_) => Vec::new(),
    };
    match sign_in::keep(&browser, &action, pairs) {
        Ok(page) => page,
        Err(error) => Failure(error).into_response(),
    }
}

/// Whether a request that changes something comes from a page of this server: the browser says so itself
/// (`Sec-Fetch-Site`), or its `Origin` is this host. A session is in a cookie, so that a page of another origin could use it.
fn is_of_this_origin(headers: &HeaderMap) -> bool {
    match headers.get(FETCH_SITE) {
        Some(site) => site == "same-origin" || site == "none",
        None => {
            let host = headers.get(HOST).map(HeaderValue::as_bytes);
            let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
            let origin = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host.as_bytes());
            origin.is_some() && origin == host
        }
    }
}

/// Whether a link on a page of another site led here without a session. The browser leaves the cookie of the session out
/// then (`SameSite=Strict`), so the page is asked for once more from here.
fn comes_from_elsewhere(browser: &Browser, method: &Method, headers: &HeaderMap) -> bool {
    let says = |name: HeaderName, value: &str| headers.get(name).is_some_and(|own| own == value);
    *method == Method::GET
        && browser.signed_in.is_none()
        && says(FETCH_SITE, "cross-site")
        && says(FETCH_MODE, "navigate")
}

/// A page that asks for the path again, as a request of this site.
fn repeated(path: &str) -> Response {
    let path = ui::escaped(path);
    let (title, text) = (messages::PRODUCT, messages::CONTINUE);
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <meta http-equiv=\"refresh\" content=\"0;url={path}\"><p><a href=\"{path}\">{text}</a></p></html>"
    ))
    .into_response()
}

fn with_headers(mut response: Response, is_secure: bool) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, REFERRER);
    headers.insert(PERMISSIONS_POLICY, NO_PERMISSIONS);
    if is_secure {
        // Elsewhere the browser would report an error.
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_from_this_origin() {
        let allowed = |own: &[(HeaderName, &'static str)]| {
            let pairs = own.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            is_of_this_origin(&pairs.chain([(HOST, HeaderValue::from_static("127.0.0.1:8080"))]).collect())
        };
        assert!(allowed(&[(FETCH_SITE, "same-origin")]) && allowed(&[(FETCH_SITE, "none")]));
        assert!(allowed(&[(ORIGIN, "http://127.0.0.1:8080")]));
        for refused in [
            &[][..],
            &[(FETCH_SITE, "same-site")],
            &[(FETCH_SITE, "cross-site"), (ORIGIN, "http://127.0.0.1:8080")],
            &[(ORIGIN, "http://127.0.0.1:8081")],
            &[(ORIGIN, "null")],
        ] {
            assert!(!allowed(refused), "{refused:?}");
        }
    }
}
