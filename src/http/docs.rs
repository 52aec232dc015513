//! The OpenAPI documents, and the page on which people browse them, served from the binary alone.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// An API's OpenAPI document as it is served.
pub struct Document {
    pub name: &'static str,
    /// Where it stands beside `/openapi/<name>.json`.
    pub further_paths: &'static [&'static str],
    pub json: Bytes,
}

/// Nothing but the binary's own files: no inline script, no other origin. The page writes styles into itself.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The documents, `/docs/` to browse them, and `/`, which leads there.
pub fn routes(documents: Vec<Document>) -> Router {
    let page = page(documents.iter().map(|document| path(document.name)));
    let start = Router::new().route("/", get(async || Redirect::to("/docs/"))).merge(page);
    documents.into_iter().fold(start, with_document)
}

fn path(name: &str) -> String {
    format!("/openapi/{name}.json")
}

fn with_document(routes: Router, Document { name, further_paths, json }: Document) -> Router {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    let served = get(async move || (headers, json));
    let routes = routes.route(&path(name), served.clone());
    further_paths.iter().fold(routes, |routes, further| routes.route(further, served.clone()))
}

fn page(documents: impl Iterator<Item = String>) -> Router {
    // "none" keeps the page from asking a public validator about the document.
    let config = Config::new(documents).validator_url("none");
    Router::from(SwaggerUi::new("/docs").config(config)).layer(map_response(secured))
}

async fn secured(mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::LOCATION;
    use axum::http::{HeaderMap, Request, StatusCode};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
        let document = Document { name: "one", further_paths: &["/v1/openapi"], json: Bytes::from_static(b"{}") };
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (head, body) = routes(vec![document]).oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn documents_stand_at_all_their_paths() {
        for path in ["/openapi/one.json", "/v1/openapi"] {
            let (status, headers, body) = get(path).await;
            assert_eq!(
                (status, body.as_str(), &headers[CONTENT_TYPE]),
                (StatusCode::OK, "{}", &"application/json".parse().unwrap())
            );
        }
        assert!(get("/docs/swagger-initializer.js").await.2.contains("/openapi/one.json"));
    }

    #[tokio::test]
    async fn a_person_is_led_to_the_page() {
        assert_eq!(get("/").await.1[LOCATION], "/docs/");
        assert_eq!(get("/docs").await.1[LOCATION], "/docs/");
    }

    #[tokio::test]
    async fn the_page_keeps_to_its_policy() {
        let (status, headers, page) = get("/docs/").await;
        assert_eq!((status, &headers[CONTENT_SECURITY_POLICY]), (StatusCode::OK, &POLICY));
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing from elsewhere");
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
                (status, &headers[X_CONTENT_TYPE_OPTIONS]),
                (StatusCode::OK, &"nosniff".parse().unwrap()),
                "{file}"
            );
        }
    }
}
