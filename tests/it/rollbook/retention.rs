//! Changes that are no longer kept (docs/rollbook.md, section 14).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Launch, Server, Store, eventually, make_user, sql};

const GROUP: &str = "/rollbook/v1/groups/support";
const INFO: &str = "/rollbook/v1/info";

/// Makes all changes of a stopped server ten days older.
fn age(server: &Server) {
    let sql = "UPDATE journal SET at = at - 864000000000; UPDATE groups SET created = created - 864000000000, \
               updated = updated - 864000000000; UPDATE memberships SET added = added - 864000000000;";
    let url = server.database().url();
    match Store::of_this_run() {
        Store::Sqlite => {
            let path = url.strip_prefix("sqlite:").unwrap();
            rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
        }
        Store::Postgres => _ = sql::run(url, sql),
    }
}

#[tokio::test]
async fn a_server_drops_old_changes_and_refuses_earlier_moments() {
    let mut server = Launch::default().arg("--journal-days").arg("7").start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    admin.post("/rollbook/v1/groups", &json!({ "id": "support", "name": "Support" })).await.is(201);
    admin.patch(GROUP, &json!({ "name": "Team" })).await.is(200);
    admin.put(&format!("{GROUP}/members/ada"), &Value::Null).await.is(204);
    let oldest = admin.get(INFO).await.is(200)["oldestChange"].clone();
    let cursor = admin.get("/rollbook/v1/changes?limit=1").await.is(200)["next"].as_str().unwrap().to_owned();
    server.stop();
    age(&server);
    let server = Launch::default().arg("--journal-days").arg("7").start_on(server.into_database());
    let admin = server.admin().await;
    admin.patch(GROUP, &json!({ "name": "Help" })).await.is(200);
    // What is old was dropped at the start, but for the last change of that time.
    eventually("old changes are dropped", Duration::from_secs(30), async || {
        let history = admin.get(&format!("{GROUP}/history?order=asc")).await.is(200);
        history["changes"][0]["type"] != "group.created"
    })
    .await;
    let info = admin.get(INFO).await.is(200);
    assert!(info["oldestChange"].as_str() < oldest.as_str() && info["changes"].as_u64().unwrap() > 3);

    let gone = admin.get(&format!("{GROUP}?at=2026-01-01T00:00:00Z")).await;
    assert!(gone.status == 404, "it did not exist: {}", gone.text);
    let group = admin.get(GROUP).await.is(200);
    let created = group["created"].as_str().unwrap();
    for path in [format!("{GROUP}?at={created}"), format!("{GROUP}/members?at={created}")] {
        let refused = admin.get(&path).await.fails(410, "gone");
        assert!(refused["detail"].as_str().unwrap().contains("are no longer kept"), "{}", refused.text);
    }
    let changes = format!("/rollbook/v1/changes?after={cursor}");
    admin.get(&changes).await.fails(410, "gone");
    let since = admin.get("/rollbook/v1/changes?since=2020-01-01T00:00:00Z").await.is(200);
    assert!(since["changes"].as_array().unwrap().iter().all(|change| change["type"] != "group.created"));
    // The membership is there, and who gave it is not known any more.
    let member = admin.get(&format!("{GROUP}/members/ada")).await.is(200);
    assert!(member["since"].is_string());
    let spells = admin.get(&format!("{GROUP}/members/ada/history")).await.is(200);
    let spells = spells["spells"].as_array().unwrap();
    assert_eq!((spells.len(), &spells[0]["end"]), (1, &Value::Null));
    admin.get(&format!("{GROUP}/members?at={}", group["updated"].as_str().unwrap())).await.is(200);
}
