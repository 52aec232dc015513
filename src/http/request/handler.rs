//! The service that a middleware layer wraps.

use std::convert::Infallible;

use axum::extract::Request;
use axum::response::Response;
use futures_util::future::BoxFuture;
use tower::Service;

/// A service that returns a response to every request: a handler, with its inner layers.
///
/// Layers that every request passes implement [`Service`] themselves, because `axum::middleware::from_fn` boxes and
/// clones the inner service for each request.
pub(crate) trait Handler:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
    /// Returns the response to the request. Call it only after `poll_ready` returned ready.
    fn respond(&mut self, request: Request) -> impl Future<Output = Response> + Send {
        let response = self.call(request);
        async {
            match response.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    }

    /// Takes the handler that `poll_ready` reported ready, and leaves a clone in its place.
    fn take(&mut self) -> Self {
        let clone = self.clone();
        std::mem::replace(self, clone)
    }
}

impl<S> Handler for S
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
}

/// The boxed future of a layer that does more than pass the request on.
pub(crate) type ResponseFuture = BoxFuture<'static, Result<Response, Infallible>>;
