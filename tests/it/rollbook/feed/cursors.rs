//! Cursors of the feed, and CloudEvents, whose next cursor is a link.

use super::*;
use crate::rollbook::with;
use crate::support::{Database, Launch, Store};
use tempfile::TempDir;

#[tokio::test]
async fn a_cursor_of_another_directory_is_refused() {
    let (server, other) = (Server::start(), Server::start());
    let (admin, foreign) = (server.admin().await, other.admin().await);
    for caller in [&admin, &foreign] {
        make(caller, "g").await;
    }
    let cursor = end(&foreign, 1).await;
    let path = format!("{CHANGES}?after={cursor}");
    foreign.get(&path).await.is(200);
    for form in ["application/json", "text/event-stream", "application/cloudevents-batch+json"] {
        with(&admin, "GET", &path, ("accept", form), &Value::Null).await.fails(400, "invalid_parameter");
    }
    let request = admin.request("GET", CHANGES).header("accept", "text/event-stream").header("last-event-id", cursor);
    admin.send(request).await.fails(400, "invalid_parameter");
}

/// A copy is the same directory, and does not have what happened after it.
#[tokio::test]
async fn a_cursor_whose_change_is_not_there_is_gone() {
    let server = Server::start();
    let admin = server.admin().await;
    let folder = TempDir::new().unwrap();
    let to = format!("sqlite:{}", folder.path().join("rollbook.db").display());
    server.cli().run(&["copy", "--from", server.database().url(), "--to", &to]).printed();
    make(&admin, "g").await;
    let cursor = end(&admin, 1).await;
    let copy = Launch::default().store(Store::Sqlite).start_on(Database::in_folder(folder));
    let admin = copy.admin().await;
    let path = format!("{CHANGES}?after={cursor}");
    for form in ["application/json", "text/event-stream", "application/cloudevents-batch+json"] {
        with(&admin, "GET", &path, ("accept", form), &Value::Null).await.fails(410, "gone");
    }
    admin.get(&format!("{path}&wait=55")).await.fails(410, "gone");
}

#[tokio::test]
async fn cloud_events_have_what_the_specification_requires() {
    let server = Server::start();
    let admin = server.admin().await;
    for group in ["a", "b", "c"] {
        make(&admin, group).await;
    }
    end(&admin, 3).await;
    let form = ("accept", "application/cloudevents-batch+json");
    let path = format!("{CHANGES}?type=group.created&limit=2");
    let first = with(&admin, "GET", &path, form, &Value::Null).await.is(200);
    assert_eq!(first.header("content-type"), "application/cloudevents-batch+json; charset=utf-8");
    let events = first.json().as_array().unwrap();
    assert_eq!(events.len(), 2);
    let polled = admin.get(&path).await.is(200);
    for (event, change) in events.iter().zip(polled["changes"].as_array().unwrap()) {
        let attributes = ["specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data"];
        assert_eq!(names(event), attributes);
        assert_eq!((&event["specversion"], &event["id"]), (&json!("1.0"), &change["id"]));
        assert!(event["source"].as_str().unwrap().starts_with("urn:uuid:"));
        assert_eq!((&event["type"], &event["time"]), (&json!("rollbook.group.created"), &change["time"]));
        assert_eq!(event["subject"], json!(format!("groups/uid:{}", change["group"]["uid"])));
        assert_eq!((&event["datacontenttype"], &event["data"]), (&json!("application/json"), change));
    }
    let link = first.header("link");
    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    let rest = with(&admin, "GET", next, form, &Value::Null).await.is(200);
    assert_eq!((rest.json().as_array().unwrap().len(), &rest.json()[0]["data"]["group"]["id"]), (1, &json!("c")));
    let behind = rest.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
    assert_eq!(*with(&admin, "GET", &behind, form, &Value::Null).await.is(200).json(), json!([]));
}
