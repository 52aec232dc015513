//! The files of the console. All are embedded in the binary and served under a path with the digest of their content, so
//! that a browser keeps them for good.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use axum::routing::get;
use sha2::{Digest as _, Sha256};
use tower_http::compression::CompressionLayer;

/// The style sheet.
const STYLE: &str = include_str!("assets/console.css");
/// The program of the console's pages.
const SCRIPT: &str = include_str!("assets/console.js");
/// htmx 4.0.1, unchanged; its licence (0BSD) is in `assets/htmx.LICENSE`.
const HTMX: &str = include_str!("assets/htmx.min.js");
/// The icons, as symbols of one file.
const ICONS: &str = include_str!("assets/icons.svg");

/// The name, content type and content of each file.
const FILES: [(&str, &str, &str); 4] = [
    ("console.css", "text/css; charset=utf-8", STYLE),
    ("console.js", "text/javascript; charset=utf-8", SCRIPT),
    ("htmx.min.js", "text/javascript; charset=utf-8", HTMX),
    ("icons.svg", "image/svg+xml", ICONS),
];

/// The folder of the files: with the first digits of the digest over all of them.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let digest = FILES.iter().fold(Sha256::new(), |all, (_, _, content)| all.chain_update(content)).finalize();
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("/console/assets/{digits}")
});

/// Returns the path of the file with the name.
pub(super) fn path(name: &str) -> String {
    format!("{}/{name}", *FOLDER)
}

/// The routes of the files.
pub(super) fn routes() -> Router {
    let with_file = |routes: Router, (name, kind, content): (&str, &'static str, &'static str)| {
        let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
        routes.route(&path(name), get(async move || (headers, content).into_response()))
    };
    FILES.into_iter().fold(Router::new(), with_file).layer(CompressionLayer::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn htmx_is_the_released_file() {
        let digest: String = Sha256::digest(HTMX).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130");
        assert!(include_str!("assets/htmx.LICENSE").starts_with("Zero-Clause BSD"));
    }

    #[test]
    fn the_style_sheet_and_the_script_stay_small() {
        assert!(STYLE.lines().count() <= 600 && SCRIPT.lines().count() <= 200);
    }
}
