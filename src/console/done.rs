//! The line at the foot of a page that says what the last change did, with the way to take it back.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cookies;

/// The maximum length of the sentence, in characters: a cookie keeps it for one request.
const TEXT_MAX: usize = 300;

/// What a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// A sentence in the past tense.
    pub text: String,
    /// The operation, which can be undone; `None` if nothing was changed or it cannot be.
    pub operation: Option<String>,
}

impl Done {
    /// A change that cannot be undone, or that changed nothing.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), operation: None }
    }

    /// A change that can be undone by its operation.
    pub(super) fn undoable(text: impl Into<String>, operation: impl Into<String>) -> Self {
        Self { text: text.into(), operation: Some(operation.into()) }
    }

    fn encode(&self) -> String {
        let text: String = self.text.chars().take(TEXT_MAX).collect();
        URL_SAFE_NO_PAD.encode(format!("{}\n{text}", self.operation.as_deref().unwrap_or_default()))
    }

    /// Reads the cookie of a request; `None` if it is not one of this program.
    pub(super) fn decode(encoded: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?;
        let (operation, text) = text.split_once('\n')?;
        let operation = Some(operation).filter(|operation| !operation.is_empty()).map(str::to_owned);
        Some(Self { text: text.to_owned(), operation })
    }
}

/// Leads to the page, which then says what was done.
pub(super) fn see(path: &str, done: &Done) -> Response {
    let mut response = redirect(path);
    cookies::keep_done(&mut response, &done.encode());
    response
}

/// Leads to the page, which is asked for with GET. The path must be one of this program, percent-encoded.
pub(super) fn redirect(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static(super::START));
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

/// Leads from the address of a form to the page above it: a browser asks for it again after an answer that was a page.
pub(super) async fn page_above(uri: Uri) -> Response {
    redirect(uri.path().rsplit_once('/').map_or(super::START, |(above, _)| above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_survives_its_cookie() {
        for done in [Done::new("Nothing was changed."), Done::undoable("“Ärzte” was deleted;\nreally", "0197-x")] {
            assert_eq!(Done::decode(&done.encode()), Some(done));
        }
        assert!(Done::decode("").is_none() && Done::decode("%%%").is_none());
        assert!(Done::new("ü".repeat(1_000)).encode().len() < 1_000);
    }
}
