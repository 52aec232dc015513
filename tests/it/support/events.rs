//! A reader of Server-Sent Events.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::Caller;

/// An open stream of events.
pub(crate) struct Events {
    response: reqwest::Response,
    text: String,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// The cursor.
    pub id: String,
    /// The type.
    pub kind: String,
    /// The data, which is one line of JSON.
    pub data: Value,
}

impl Events {
    /// Opens the stream at the path, behind the event with the ID `last`.
    pub(crate) async fn open(caller: &Caller, path: &str, last: Option<&str>) -> Self {
        let request = caller.request("GET", path).header("accept", "text/event-stream");
        let request = last.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let response = request.send().await.expect("a response");
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; `None` at the end of the stream. Panics if a minute brings neither.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = Event::parse(block);
                self.text = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let chunk = timeout(Duration::from_secs(60), self.response.chunk()).await.expect("an event or an end");
            match chunk {
                Ok(Some(bytes)) => self.text.push_str(std::str::from_utf8(&bytes).expect("whole events")),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The next event that tells a change.
    pub(crate) async fn change(&mut self) -> Option<Event> {
        loop {
            match self.next().await {
                Some(event) if event.kind == "cursor" => {}
                event => return event,
            }
        }
    }
}

impl Event {
    /// Parses the lines of an event; `None` for a comment.
    fn parse(block: &str) -> Option<Self> {
        let lines: Vec<_> = block.lines().collect();
        match lines[..] {
            [comment] if comment.starts_with(':') => None,
            [id, kind, data] => Some(Self {
                id: id.strip_prefix("id: ").unwrap().to_owned(),
                kind: kind.strip_prefix("event: ").unwrap().to_owned(),
                data: serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap(),
            }),
            _ => panic!("no event: {block}"),
        }
    }
}
