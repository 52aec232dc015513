//! A handler's error on its way to the outer layer, which knows in whose envelope to put it.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::domain::Error;

/// What handlers and extractors reject with. As a response it is an empty 500 that carries the error in its
/// extensions: the outer layer renders it as the dialect of the request's path does, and logs it.
#[derive(Debug)]
pub struct Failure(pub Error);

/// The error inside a response that is still to be rendered.
#[derive(Clone)]
struct Carried(Arc<Error>);

impl Failure {
    /// The error that the response carries, if it is a failure not rendered yet.
    pub fn carried_by(response: &Response) -> Option<Arc<Error>> {
        response.extensions().get::<Carried>().map(|Carried(error)| Arc::clone(error))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Carried(Arc::new(self.0)));
        response
    }
}
