//! The OpenAPI documents and the page to browse them. All files are embedded in the binary.

use axum::Router;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use serde_json::{Value, json};
use utoipa_swagger_ui::SwaggerUi;

/// The OpenAPI document of an API.
pub(crate) struct Document {
    /// The name of the API, for the selection on the page.
    pub title: &'static str,
    /// The paths of the document, each with its JSON text. The page shows the first.
    pub served: Vec<(&'static str, String)>,
}

/// Allows the files of this server only: no inline script, no other origin. Swagger UI needs inline styles.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The script that starts the page. It replaces the one of the package.
const INITIALIZER: &str = include_str!("docs.js");

/// The routes of the documents, `/docs/` to browse them, and `/`, which leads a browser to `start` and any other program
/// to `/docs/`.
pub(crate) fn routes(documents: Vec<Document>, start: &'static str) -> Router {
    let start =
        Router::new().route("/", get(async move |headers: HeaderMap| root(&headers, start))).merge(page(&documents));
    documents.into_iter().flat_map(|document| document.served).fold(start, with_document)
}

/// The answer to `/`. A browser says that it takes HTML; `*/*` alone is another program.
fn root(headers: &HeaderMap, start: &'static str) -> Response {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let is_browser = accepted.flat_map(|value| value.split(',')).any(|range| range.trim().starts_with("text/html"));
    let mut response = Redirect::to(if is_browser { start } else { "/docs/" }).into_response();
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    response
}

fn with_document(routes: Router, (path, json): (&str, String)) -> Router {
    let json = Bytes::from(json);
    routes.route(path, get(async move || ([(CONTENT_TYPE, "application/json")], json)))
}

fn page(documents: &[Document]) -> Router {
    let initializer = INITIALIZER.replace("{{urls}}", &urls(documents).to_string());
    let headers = [(CONTENT_TYPE, "text/javascript"), (CACHE_CONTROL, "no-cache")];
    Router::from(SwaggerUi::new("/docs"))
        .route("/docs/swagger-initializer.js", get(async move || (headers, initializer)))
        .layer(map_response(add_security_headers))
}

/// The documents that the page offers.
fn urls(documents: &[Document]) -> Value {
    let browsed = documents.iter().filter_map(|document| Some((document.title, document.served.first()?.0)));
    browsed.map(|(name, url)| json!({ "name": name, "url": url })).collect()
}

async fn add_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::LOCATION;
    use axum::http::{Request, StatusCode};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
        let served = ["/openapi/one.json", "/v1/openapi"].map(|path| (path, "{}".to_owned()));
        let document = Document { title: "One", served: served.into() };
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (head, body) = routes(vec![document], "/console/").oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn documents_are_served_at_all_their_paths() {
        for path in ["/openapi/one.json", "/v1/openapi"] {
            let (status, headers, body) = get(path).await;
            assert_eq!(
                (status, body.as_str(), &headers[CONTENT_TYPE]),
                (StatusCode::OK, "{}", &"application/json".parse().unwrap())
            );
        }
        let initializer = get("/docs/swagger-initializer.js").await.2;
        assert!(initializer.contains("One") && initializer.contains("/openapi/one.json"), "{initializer}");
    }

    #[tokio::test]
    async fn the_root_redirects_to_the_page() {
        assert_eq!(get("/").await.1[LOCATION], "/docs/");
        assert_eq!(get("/docs").await.1[LOCATION], "/docs/");
    }

    #[tokio::test]
    async fn the_page_conforms_to_its_policy() {
        let (status, headers, page) = get("/docs/").await;
        assert_eq!((status, &headers[CONTENT_SECURITY_POLICY]), (StatusCode::OK, &POLICY));
        assert!(!page.contains("http://") && !page.contains("https://"), "no other origin");
        for script in page.split("<script").skip(1) {
            let (attributes, inline) = script.split_once('>').unwrap();
            assert!(attributes.contains("src=\"./") && inline.trim_start().starts_with("</script>"), "{script}");
        }
        let quoted = page.split("href=\"").chain(page.split("src=\"")).filter_map(|part| part.split('"').next());
        let files: Vec<_> = quoted.filter(|file| file.contains('.') && !file.contains('<')).collect();
        assert!(files.len() >= 5, "{files:?}");
        for file in files {
            let (status, headers, _) = get(&format!("/docs/{}", file.trim_start_matches("./"))).await;
            assert_eq!(
                (status, &headers[REFERRER_POLICY]),
                (StatusCode::OK, &"no-referrer".parse().unwrap()),
                "{file}"
            );
        }
    }
}
