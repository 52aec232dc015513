//! Erased users in Rollbook's own API and at the command line (docs/rollbook.md, section 13).

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::support::{A, Caller, FULL, Server, Store, USER_ADMIN};

const USER: &str = "/rollbook/v1/users/uid:1";
const USERS: &str = "/rollbook/v1/users";
/// What only the erased user has.
const PERSONAL: [&str; 6] = ["Vorazka", "vora.name", "Firstvora", "Lastvora", "vora@home.example", "vora-xp"];

/// A server with user 1, who has values in every personal field and is in the group `support`.
async fn directory() -> (Server, Caller) {
    let server = Server::start();
    let admin = server.admin().await;
    let user = json!({
        "id": "Vorazka", "username": "vora.name", "firstName": "Firstvora", "lastName": "Lastvora",
        "email": "vora@home.example", "xp": { "note": "vora-xp" },
    });
    let request = admin.request("POST", USERS).header("idempotency-key", "made").json(&user);
    admin.send(request).await.is(201);
    admin.post("/rollbook/v1/groups", &json!({ "id": "support", "name": "Support" })).await.is(201);
    admin.put("/rollbook/v1/groups/support/members/uid:1", &Value::Null).await.is(204);
    (server, admin)
}

/// Whether the text holds something personal.
fn is_personal(text: &str) -> bool {
    PERSONAL.iter().any(|value| text.to_lowercase().contains(&value.to_lowercase()))
}

#[tokio::test]
async fn an_erased_user_is_in_no_answer_and_no_file() {
    let (server, admin) = directory().await;
    let preview = admin.post(&format!("{USER}/erase?dryRun=true"), &Value::Null).await.is(200);
    assert_eq!(
        (&preview["user"], &preview["dryRun"], &preview["changes"]),
        (&json!({ "uid": 1 }), &json!(true), &json!(1))
    );
    assert!(preview["note"].as_str().unwrap().contains("cannot be undone"));
    admin.get(&format!("{USERS}/Vorazka")).await.is(200);

    let request = admin.request("POST", &format!("{USERS}/vorazka/erase"));
    let request = request.header("idempotency-key", "erased").header("rollbook-reason", "Request 17");
    let erased = admin.send(request.try_clone().unwrap()).await.is(200);
    assert_eq!(
        (&erased["user"], &erased["dryRun"], &erased["changes"]),
        (&json!({ "uid": 1 }), &json!(false), &json!(1))
    );
    let again = admin.send(request).await.is(200);
    assert_eq!((again.json(), again.header("idempotency-replayed")), (erased.json(), "true"));

    let user = admin.get(USER).await.is(200);
    assert_eq!(
        (&user["id"], &user["username"], &user["lastName"], &user["xp"]),
        (&json!("erased-1"), &json!(""), &json!(""), &json!({}))
    );
    assert!(user["deleted"].is_string());
    let history = admin.get(&format!("{USER}/history")).await.is(200);
    let types: Vec<_> = history["changes"].as_array().unwrap().iter().map(|change| &change["type"]).collect();
    assert_eq!(types, ["erased", "user.deleted", "membership.added", "user.created"]);
    let last = &history["changes"][0];
    assert_eq!(
        (&last["user"], &last["reason"]),
        (&json!({ "uid": 1, "id": "erased-1", "username": "" }), &json!("Request 17"))
    );
    let made = admin.request("POST", USERS).header("idempotency-key", "made").json(&json!({
        "id": "Vorazka", "username": "vora.name", "firstName": "Firstvora", "lastName": "Lastvora",
        "email": "vora@home.example", "xp": { "note": "vora-xp" },
    }));
    let replayed = admin.send(made).await.is(201);
    assert_eq!((replayed.text.as_str(), replayed.header("idempotency-replayed")), ("{}", "true"));
    for path in ["uid:1/history", "uid:1", "?deleted=true"].map(|path| format!("{USERS}/{path}").replace("/?", "?")) {
        let answer = admin.get(&path).await.is(200);
        assert!(!is_personal(&answer.text), "{path}: {}", answer.text);
    }
    for path in [
        "/rollbook/v1/changes?order=desc",
        "/rollbook/v1/groups/support/history",
        "/rollbook/v1/groups/support/members/uid:1/history",
    ] {
        let answer = admin.get(path).await.is(200);
        assert!(!is_personal(&answer.text), "{path}: {}", answer.text);
    }
    if Store::of_this_run() == Store::Sqlite {
        for file in fs::read_dir(server.database().folder()).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!is_personal(&String::from_utf8_lossy(&bytes)));
        }
    }
    // ID and username are free, and the number is not.
    admin.post(USERS, &json!({ "id": "Vorazka", "username": "vora.name", "firstName": "F", "lastName": "L", "email": "e@example.com" })).await.is(201);
    admin.post(&format!("{USER}/erase"), &Value::Null).await.fails(409, "erased");
    admin.post(&format!("{USER}/erase?dryRun=true"), &Value::Null).await.fails(409, "erased");
    admin.post(&format!("{USER}/restore"), &Value::Null).await.fails(409, "erased");
    admin.post(&format!("{USERS}/uid:99/erase"), &Value::Null).await.fails(404, "not_found");
}

#[tokio::test]
async fn only_unlimited_callers_with_full_access_erase() {
    let (server, admin) = directory().await;
    for caller in [server.token(&[USER_ADMIN], &[]).await, server.token(&[FULL], &[A]).await] {
        caller.post(&format!("{USER}/erase"), &Value::Null).await.fails(403, "forbidden");
    }
    let stale = admin.request("POST", &format!("{USER}/erase")).header("if-match", r#""rollbook-1-9""#);
    admin.send(stale).await.fails(412, "precondition_failed");
    admin.get(&format!("{USERS}/Vorazka")).await.is(200);
}

#[tokio::test]
async fn the_command_line_erases() {
    let (server, admin) = directory().await;
    let erase = |arguments: &[&str]| server.cli().run(&[&["user", "erase"], arguments].concat());
    let preview = erase(&["vorazka", "--dry-run"]).printed();
    assert!(
        preview.starts_with("The user vorazka, number 1, would be erased, in 1 entries")
            && preview.contains("cannot be undone")
    );
    admin.get(&format!("{USERS}/Vorazka")).await.is(200);
    let error = erase(&["vorazka"]).error();
    assert!(error.contains("--yes"), "{error}");
    let erased = erase(&["username:vora.name", "--yes", "--reason", "Request 17"]).printed();
    assert!(erased.starts_with("The user username:vora.name, number 1, is erased"), "{erased}");
    admin.get(&format!("{USERS}/Vorazka")).await.fails(404, "not_found");
    let error = erase(&["uid:1", "--yes"]).error();
    assert!(error.contains("the user is erased"), "{error}");
    let changes = server.cli().run(&["history", "user", "uid:1", "--json"]).printed();
    assert!(changes.contains(r#""type":"erased""#) && !is_personal(&changes), "{changes}");
}

#[tokio::test]
async fn others_keep_their_recorded_answers() {
    let (_server, admin) = directory().await;
    let body = BTreeMap::from([("id", "other"), ("name", "Other")]);
    let make =
        || admin.send(admin.request("POST", "/rollbook/v1/groups").header("idempotency-key", "group").json(&body));
    let made = make().await.is(201);
    admin.post(&format!("{USER}/erase"), &Value::Null).await.is(200);
    assert_eq!(make().await.is(201).json(), made.json());
}
