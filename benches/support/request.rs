//! Requests to a directory without a connection.

use axum::body::Body;
use axum::http::{Request, header};

use super::support::Directory;

/// A GET with the directory's token.
pub(crate) fn get(directory: &Directory, uri: &str) -> Request<Body> {
    let head = Request::get(uri).header(header::HOST, "localhost");
    let head = head.header(header::AUTHORIZATION, format!("Bearer {}", directory.token));
    head.body(Body::empty()).expect("a URI of the benchmarks is well-formed")
}
