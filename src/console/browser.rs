//! Who visits a page, and with which browser settings: the extractors of every page.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};

use crate::domain::caller::{Caller, Permission, Permit};
use crate::domain::change::{ChangeContext, EntityVersion, Precondition, Versions};
use crate::domain::error::SignInError;
use crate::domain::reason::Reason;
use crate::domain::user::User;
use crate::http::request::bodies::Authenticator;
use crate::http::request::error::{Error, Result};
use crate::http::{ApiState, Failure};
use crate::service::tokens::SignedIn;

use super::cookies::Cookies;
use super::done::Done;
use super::frame::{Frame, Section, Theme};
use super::time::Reader;

/// What every page of the console knows of the request. The guard puts it into the extensions of the request.
#[derive(Clone)]
pub(super) struct Browser {
    /// Who is signed in.
    pub signed_in: Option<SignedIn>,
    /// The path and query of the page: of the request itself if it reads, otherwise of the page that sent the form.
    pub page: Arc<str>,
    /// The theme that the reader chose.
    pub theme: Theme,
    /// The reader's time zone, and the time.
    pub reader: Reader,
    /// What the last change did.
    pub done: Option<Done>,
    /// The URL of the server as the browser knows it, without a slash at its end.
    pub origin: String,
    /// Whether the browser accepts cookies that are `Secure`: over HTTPS and from loopback addresses.
    pub is_secure: bool,
}

impl Browser {
    /// Reads the request. Fails if the store cannot tell whose session it is.
    pub(super) async fn read(
        api: &ApiState,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(Self, Cookies)> {
        let cookies = Cookies::read(headers);
        let signed_in = match &cookies.session {
            None => None,
            Some(secret) => match api.service.session(secret).await {
                Ok(signed_in) => Some(signed_in),
                Err(crate::domain::Error::SignIn(_)) => None,
                Err(error) => return Err(error.into()),
            },
        };
        let page = match method.is_safe() {
            true => uri.path_and_query().map_or("/console/", |path| path.as_str()).into(),
            false => referring_page(headers).unwrap_or("/console/").into(),
        };
        let browser = Self {
            signed_in,
            page,
            theme: Theme::named(cookies.theme.as_deref()),
            reader: Reader::new(api.service.now(), cookies.zone.as_deref()),
            done: cookies.done.as_deref().and_then(Done::decode),
            origin: origin(api, headers),
            is_secure: is_secure(api, headers),
        };
        Ok((browser, cookies))
    }

    /// Whether the browser runs on the machine of the server.
    pub(super) fn is_loopback(&self) -> bool {
        self.is_secure && self.origin.starts_with("http://")
    }

    /// The frame of a page: everything around its content.
    pub(super) fn frame(&self, title: impl Into<String>, section: Section) -> Frame {
        Frame::new(self, title.into(), section)
    }
}

impl FromRequestParts<ApiState> for Browser {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _api: &ApiState) -> Result<Self, Failure> {
        let browser = parts.extensions.get::<Self>().cloned();
        browser.ok_or_else(|| Failure(Error::internal(anyhow::anyhow!("a page has no guard"))))
    }
}

/// A page that somebody who is signed in visits. Rejects with `Unauthenticated`.
#[derive(Clone)]
pub(super) struct Page {
    /// The request.
    pub browser: Browser,
    /// Who is signed in.
    pub signed_in: SignedIn,
}

impl Page {
    /// The user who is signed in.
    pub(super) fn user(&self) -> &User {
        &self.signed_in.user
    }

    /// Whom the directory knows the user as.
    pub(super) fn caller(&self) -> &Arc<Caller> {
        &self.signed_in.caller
    }

    /// Whether the user may do what takes the permission.
    pub(super) fn may<P: Permission>(&self) -> bool {
        self.caller().permit::<P>().is_ok()
    }

    /// A permit to read. Fails with `Forbidden` or `NotAuthorizedToAdmin`.
    pub(super) fn permit<P: Permission>(&self) -> Result<Permit<P>> {
        Ok(self.caller().permit()?)
    }

    /// A permit for a change as the operation with this ID, with the reason that the form gives. Fails with `Forbidden` or
    /// `NotAuthorizedToAdmin`.
    pub(super) fn change<P: Permission>(&self, operation: &str, reason: Option<Reason>) -> Result<Permit<P>> {
        let context = ChangeContext { reason, operation: Some(operation.into()), ..ChangeContext::default() };
        Ok(self.caller().permit::<P>()?.accompanied_by(context))
    }

    /// As [`Self::change`], for a change that is made only if the entity has this version.
    pub(super) fn change_of<P: Permission>(
        &self,
        operation: &str,
        reason: Option<Reason>,
        version: EntityVersion,
    ) -> Result<Permit<P>> {
        let is = Some(Versions::These(vec![version]));
        let precondition = Some(Precondition { is, is_not: None });
        let operation = Some(operation.into());
        let context = ChangeContext { reason, operation, precondition, ..ChangeContext::default() };
        Ok(self.caller().permit::<P>()?.accompanied_by(context))
    }

    /// The frame of the page.
    pub(super) fn frame(&self, title: impl Into<String>, section: Section) -> Frame {
        self.browser.frame(title, section)
    }
}

impl FromRequestParts<ApiState> for Page {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Failure> {
        let browser = Browser::from_request_parts(parts, api).await?;
        match browser.signed_in.clone() {
            Some(signed_in) => Ok(Self { browser, signed_in }),
            None => Err(Failure::from(Error::from(SignInError::Unauthenticated))),
        }
    }
}

/// Checks the session before a long body is read.
#[derive(Clone)]
pub(super) struct CookieAuthenticator(
    /// The state of the console.
    pub ApiState,
);

impl Authenticator for CookieAuthenticator {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<()> {
        let secret = Cookies::read(headers).session.ok_or(Error::from(SignInError::Unauthenticated))?;
        Ok(self.0.service.session(&secret).await.map(drop)?)
    }
}

/// The request of a page that needs no session: never fails.
impl axum::extract::OptionalFromRequestParts<ApiState> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Option<Self>, Infallible> {
        Ok(<Self as FromRequestParts<ApiState>>::from_request_parts(parts, api).await.ok())
    }
}

/// The path and query of the page of the console that the request came from.
fn referring_page(headers: &HeaderMap) -> Option<&str> {
    let referrer = headers.get(axum::http::header::REFERER)?.to_str().ok()?;
    let (_, rest) = referrer.split_once("://")?;
    own_page(&rest[rest.find('/')?..])
}

/// The text, if it is the path of a page of the console, with or without a query: the only pages to which a sign-in leads
/// back.
pub(super) fn own_page(text: &str) -> Option<&str> {
    let is_below = text == "/console" || text.starts_with("/console/");
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_below && is_plain && !text.contains("/..")).then_some(text)
}

/// The URL of the server: the public one, or that of the request.
fn origin(api: &ApiState, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    api.base_url.as_deref().map_or_else(|| format!("http://{host}"), str::to_owned)
}

/// Whether the connection is secure for a browser: its pages come from a loopback address, or the public URL is HTTPS.
fn is_secure(api: &ApiState, headers: &HeaderMap) -> bool {
    if api.base_url.as_ref().is_some_and(|url| url.starts_with("https://")) {
        return true;
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is_loopback = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_console_are_led_back_to() {
        for own in ["/console/", "/console/groups?q=a%20b&sort=name", "/console", "/console/groups/7"] {
            assert_eq!(own_page(own), Some(own));
        }
        for other in
            ["", "/", "/consoles", "//evil.example/console/", "https://evil.example", "/console/../v1", "/console/\\x"]
        {
            assert_eq!(own_page(other), None, "{other}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(axum::http::header::REFERER, "http://127.0.0.1:8080/console/groups/7?x=1".parse().unwrap());
        assert_eq!(referring_page(&headers), Some("/console/groups/7?x=1"));
    }
}
