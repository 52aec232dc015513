//! Passes the error of a handler to the middleware, which renders it in the format of the API.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::http::request::error::Error;

/// The rejection of handlers and extractors. As a response it is an empty 500 with the error in its extensions. The
/// middleware logs the error and renders it in the format of the API that the path of the request belongs to.
#[derive(Debug)]
pub struct Failure(
    /// The error to render.
    pub Error,
);

/// The response extension with an error that is not rendered yet.
#[derive(Clone)]
struct Carried(Arc<Error>);

impl Failure {
    /// Returns the error in the extensions of the response, if the response is a failure that is not rendered yet.
    pub fn carried_by(response: &Response) -> Option<Arc<Error>> {
        response.extensions().get::<Carried>().map(|Carried(error)| Arc::clone(error))
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Carried(Arc::new(self.0)));
        response
    }
}
