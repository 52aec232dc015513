//! Content negotiation: which of the media types that an operation offers the client prefers.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// Returns the index of the media type that the `Accept` headers name with the highest weight; of equal weights, the one
/// named first. `None` if they name none of them: then the answer is JSON, whatever else they name.
pub(crate) fn preferred(headers: &HeaderMap, offered: &[&str]) -> Option<usize> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(','));
    let mut best = None;
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        let at = offered.iter().position(|own| own.eq_ignore_ascii_case(name));
        if let Some(at) = at
            && weight > best.map_or(0.0, |(_, highest)| highest)
        {
            best = Some((at, weight));
        }
    }
    best.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_highest_weight_is_preferred() {
        let offered = ["application/json", "text/event-stream", "application/x"];
        let of = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            preferred(&headers, &offered)
        };
        for (accept, index) in [
            ("text/event-stream", Some(1)),
            ("Text/Event-Stream;charset=utf-8, application/json", Some(1)),
            ("application/json, text/event-stream", Some(0)),
            ("application/json;q=0.5, text/event-stream; q=0.9", Some(1)),
            ("text/event-stream;q=0", None),
            ("*/*", None),
            ("text/html", None),
            ("", None),
        ] {
            assert_eq!(of(accept), index, "{accept}");
        }
        assert_eq!(preferred(&HeaderMap::new(), &offered), None);
    }
}
