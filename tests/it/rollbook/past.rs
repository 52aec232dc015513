//! Histories, the feed of changes, and groups at a moment in Rollbook's own API.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{A, AUDITOR, B, Caller, FULL, GROUP_READER, Server, eventually, make_user};

const GROUPS: &str = "/rollbook/v1/groups";
const CHANGES: &str = "/rollbook/v1/changes";

async fn assign(admin: &Caller, group: &str, user: &str) {
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": group, "UserID": user })).await.is(204);
}

/// Every page of a history or of the feed, from the path with its parameters on.
async fn all(caller: &Caller, path: &str) -> Vec<Value> {
    let (mut changes, mut after) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("{path}{after}")).await.is(200);
        changes.extend(page["changes"].as_array().unwrap().clone());
        if page["more"] == json!(false) {
            return changes;
        }
        after = format!("&after={}", page["next"].as_str().unwrap());
    }
}

/// As [`all`], once it has so many changes. On PostgreSQL, the transactions of other tests can hold the feed back.
async fn feed(caller: &Caller, path: &str, count: usize) -> Vec<Value> {
    let mut changes = Vec::new();
    eventually(path, Duration::from_secs(30), async || {
        changes = all(caller, path).await;
        changes.len() >= count
    })
    .await;
    changes
}

fn types(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|change| change["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_history_tells_who_changed_what_and_why() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    let group =
        json!({ "id": "support", "labels": { "en": "Support", "it": "Assistenza" }, "xp": { "Dept": "IT", "n": 1.0 } });
    admin.post(GROUPS, &group).await.is(201);
    assign(&admin, "support", "ada").await;
    let patch = json!({ "labels": { "it": null, "en": "Help" }, "xp": { "Dept": null } });
    let request =
        admin.request("PATCH", &format!("{GROUPS}/support")).header("rollbook-reason", "the%20move").json(&patch);
    admin.send(request).await.is(200);
    admin.delete("/v1/usergroups/support/assignments/ada").await.is(204);
    admin.delete(&format!("{GROUPS}/support")).await.is(204);

    let history = all(&admin, &format!("{GROUPS}/uid:1/history?limit=2")).await;
    let expected = ["group.deleted", "membership.removed", "group.updated", "membership.added", "group.created"];
    assert_eq!(types(&history), expected);
    let changed = &history[2];
    assert_eq!(changed["changed"], json!(["labels.en", "labels.it", "xp.Dept"]));
    assert_eq!((&changed["reason"], &changed["channel"]), (&json!("the move"), &json!("rollbook")));
    assert_eq!(changed["before"]["labels"], json!({ "en": "Support", "it": "Assistenza" }));
    assert_eq!((&changed["after"]["name"], &changed["after"]["version"]), (&json!("Help"), &json!(2)));
    assert!(changed["before"].get("memberCount").is_none());
    assert!(changed["actor"]["client"]["id"].is_string() && changed["actor"]["operator"].is_null());
    // Names are those of the moment.
    assert_eq!(history[3]["group"], json!({ "uid": 1, "id": "support", "name": "Support" }));
    assert_eq!(history[1]["group"], json!({ "uid": 1, "id": "support", "name": "Help" }));
    assert_eq!(history[1]["user"]["username"], json!(history[3]["user"]["username"].as_str().unwrap()));
    assert_eq!((&history[1]["channel"], &history[1]["before"]), (&json!("ordercloud"), &Value::Null));
    let mut forwards = all(&admin, &format!("{GROUPS}/uid:1/history?order=asc&limit=3")).await;
    forwards.reverse();
    assert_eq!(forwards, history);
    let additions = all(&admin, &format!("{GROUPS}/uid:1/history?type=membership.added&type=membership.removed")).await;
    assert_eq!(additions.len(), 2);
    let since = format!("{GROUPS}/uid:1/history?since={}", history[1]["time"].as_str().unwrap());
    assert_eq!(types(&all(&admin, &since).await), expected[..2]);
    assert_eq!(
        types(&all(&admin, "/rollbook/v1/users/ada/history?order=asc").await),
        ["user.created", "membership.added", "membership.removed"]
    );
    let spells = admin.get(&format!("{GROUPS}/uid:1/members/ada/history")).await.is(200);
    let spell = &spells["spells"][0];
    assert_eq!((&spell["start"], &spell["end"]), (&history[3]["time"], &history[1]["time"]));
    assert_eq!((&spell["added"]["id"], &spell["ended"]["id"]), (&history[3]["id"], &history[1]["id"]));
}

#[tokio::test]
async fn a_group_is_shown_as_it_was() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    let created = admin.post(GROUPS, &json!({ "id": "g", "name": "Old" })).await.is(201)["created"].clone();
    assign(&admin, "g", "ada").await;
    let renamed =
        admin.patch(&format!("{GROUPS}/g"), &json!({ "id": "h", "name": "New" })).await.is(200)["updated"].clone();
    let at = |time: &Value| format!("{GROUPS}/h?at={}", time.as_str().unwrap());
    let then = admin.get(&at(&created)).await.is(200);
    assert_eq!((&then["id"], &then["name"], &then["memberCount"]), (&json!("g"), &json!("Old"), &json!(0)));
    let now = admin.get(&at(&renamed)).await.is(200);
    assert_eq!((&now["id"], &now["name"], &now["memberCount"]), (&json!("h"), &json!("New"), &json!(1)));
    let members = |time: &Value| format!("{GROUPS}/h/members?at={}", time.as_str().unwrap());
    assert_eq!(admin.get(&members(&created)).await.is(200)["total"], 0);
    let then = admin.get(&members(&renamed)).await.is(200);
    assert_eq!((&then["total"], &then["items"][0]["user"]["id"]), (&json!(1), &json!("ada")));
    admin.get(&format!("{}&sort=since", members(&renamed))).await.fails(400, "invalid_parameter");
    let joined = |time: &Value| format!("/rollbook/v1/users/ada/groups?at={}", time.as_str().unwrap());
    let group = &admin.get(&joined(&renamed)).await.is(200)["items"][0]["group"].clone();
    assert_eq!(*group, json!({ "uid": 1, "id": "h", "name": "New" }));
    assert_eq!(admin.get(&joined(&created)).await.is(200)["items"], json!([]));
    admin.delete(&format!("{GROUPS}/h")).await.is(204);
    assert_eq!(admin.get(&joined(&renamed)).await.is(200)["items"].as_array().unwrap().len(), 1);
    let path = |time: &str| format!("{GROUPS}/uid:1?at={time}");
    let before = admin.get(&path(renamed.as_str().unwrap())).await.is(200);
    assert_eq!((&before["deleted"], &before["memberCount"]), (&Value::Null, &json!(1)));
    admin.get(&path("2001-01-01T00:00:00Z")).await.fails(404, "not_found");
    admin.get(&path("9998-01-01T00:00:00Z")).await.fails(400, "invalid");
    for wrong in ["", "yesterday", "20150101"] {
        admin.get(&path(wrong)).await.fails(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn the_feed_is_read_in_parts_and_goes_on_from_its_cursor() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = format!("{CHANGES}?type=group.created&type=group.updated&limit=2");
    assert_eq!(all(&admin, &path).await, Vec::<Value>::new());
    for name in ["a", "b", "c"] {
        admin.post(GROUPS, &json!({ "id": name, "name": name })).await.is(201);
    }
    feed(&admin, &path, 3).await;
    let first = admin.get(&path).await.is(200);
    assert_eq!(types(first["changes"].as_array().unwrap()), ["group.created", "group.created"]);
    let cursor = first["next"].as_str().unwrap().to_owned();
    admin.patch(&format!("{GROUPS}/a"), &json!({ "name": "A" })).await.is(200);
    let rest = feed(&admin, &format!("{path}&after={cursor}"), 2).await;
    assert_eq!(types(&rest), ["group.created", "group.updated"]);
    let backwards = all(&admin, &format!("{path}&order=desc")).await;
    assert_eq!(types(&backwards), ["group.updated", "group.created", "group.created", "group.created"]);
    // A filter by what it concerns and how it came, and by one operation.
    let of_a = all(&admin, &format!("{CHANGES}?group=a&channel=rollbook")).await;
    assert_eq!(types(&of_a), ["group.created", "group.updated"]);
    let operation = of_a[1]["operation"].as_str().unwrap();
    assert_eq!(all(&admin, &format!("{CHANGES}?operation={operation}")).await, of_a[1..]);
    for wrong in ["group=nobody", "user=nobody", "client=nobody", "channel=post", "order=up", "after=AAAA", "limit=0"] {
        admin.get(&format!("{CHANGES}?{wrong}")).await.fails(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_limited_caller_is_told_nothing_foreign() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    for (id, communities) in [("own", json!([A, B])), ("foreign", json!([B]))] {
        admin.post(GROUPS, &json!({ "id": id, "name": id, "communities": communities })).await.is(201);
        assign(&admin, id, "ada").await;
    }
    let limited = server.token(&[FULL], &[A]).await;
    let told = feed(&limited, &format!("{CHANGES}?limit=1"), 2).await;
    assert_eq!(types(&told), ["group.created", "membership.added"]);
    assert!(told.iter().all(|change| change["group"]["id"] == "own"), "{told:?}");
    assert_eq!(told[0]["after"]["communities"], json!([A]));
    limited.get(&format!("{CHANGES}?group=foreign")).await.fails(400, "invalid_parameter");
    limited.get(&format!("{GROUPS}/foreign/history")).await.fails(404, "not_found");
    limited.get(&format!("{GROUPS}/foreign/members/ada/history")).await.fails(404, "not_found");
    limited.get(&format!("{GROUPS}/foreign?at=2026-01-01")).await.fails(404, "not_found");
    let user = all(&limited, "/rollbook/v1/users/ada/history?order=asc").await;
    assert_eq!(types(&user), ["user.created", "membership.added"]);
    // Without a role that reads users, they are numbers and IDs.
    let reader = server.token(&[GROUP_READER], &[]).await;
    let history = all(&reader, &format!("{GROUPS}/own/history?type=membership.added")).await;
    assert_eq!(history[0]["user"], json!({ "uid": history[0]["user"]["uid"], "id": "ada" }));
    reader.get(CHANGES).await.fails(403, "forbidden");
    server.token(&[AUDITOR], &[]).await.get(CHANGES).await.is(200);
}

#[tokio::test]
async fn whoever_may_not_read_users_sees_no_state_of_one() {
    let server = Server::start();
    let admin = server.admin().await;
    let user = json!({ "id": "ada", "username": "ada", "firstName": "A", "lastName": "L", "email": "a@x", "phone": "+1-secret" });
    admin.post("/rollbook/v1/users", &user).await.is(201);
    admin.post(GROUPS, &json!({ "id": "g", "name": "g" })).await.is(201);
    assign(&admin, "g", "ada").await;
    admin.delete("/rollbook/v1/users/ada").await.is(204);
    admin.post("/rollbook/v1/users/uid:1/restore", &json!({})).await.is(200);
    let path = format!("{GROUPS}/g/members/ada/history");
    assert!(admin.get(&path).await.is(200).text.contains("+1-secret"));
    let reader = server.token(&[GROUP_READER], &[]).await;
    let told = reader.get(&path).await.is(200);
    assert!(!told.text.contains("secret") && !told.text.contains("username"), "{}", told.text);
    assert_eq!(told["spells"].as_array().unwrap().len(), 2);
    // And whoever may not read groups is not told of memberships.
    let reader = server.token(&["AdminUserReader"], &[]).await;
    let history = all(&reader, "/rollbook/v1/users/ada/history?order=asc").await;
    assert_eq!(types(&history), ["user.created", "user.deleted", "user.restored"]);
}

#[tokio::test]
async fn a_cursor_of_another_group_or_user_is_refused() {
    let server = Server::start();
    let admin = server.admin().await;
    for user in ["ada", "bob"] {
        make_user(&admin, user).await;
    }
    for group in ["g", "h"] {
        admin.post(GROUPS, &json!({ "id": group, "name": group })).await.is(201);
        assign(&admin, group, "ada").await;
        assign(&admin, group, "bob").await;
    }
    let now = admin.patch(&format!("{GROUPS}/h"), &json!({ "description": "d" })).await.is(200)["updated"].clone();
    let at = now.as_str().unwrap();
    // The group g is deleted, and h takes its ID.
    let lists = ["history?order=asc&limit=1".to_owned(), format!("members?limit=1&at={at}")];
    let mut cursors = Vec::new();
    for list in &lists {
        let page = admin.get(&format!("{GROUPS}/g/{list}")).await.is(200);
        cursors.push(page["next"].as_str().unwrap().to_owned());
        admin.get(&format!("{GROUPS}/G/{list}&after={}", page["next"].as_str().unwrap())).await.is(200);
    }
    let joined = format!("/rollbook/v1/users/ada/groups?limit=1&at={at}");
    let page = admin.get(&joined).await.is(200);
    let other = joined.replace("ada", "bob");
    admin.get(&format!("{other}&after={}", page["next"].as_str().unwrap())).await.fails(400, "invalid_parameter");
    admin.delete(&format!("{GROUPS}/g")).await.is(204);
    admin.patch(&format!("{GROUPS}/h"), &json!({ "id": "g" })).await.is(200);
    for (list, cursor) in lists.iter().zip(&cursors) {
        admin.get(&format!("{GROUPS}/g/{list}&after={cursor}")).await.fails(400, "invalid_parameter");
    }
}
