//! Clients in Rollbook's own API.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{CLIENTS, granted, keyed, make_client, search_stored, with};
use crate::support::{A, AUDITOR, B, FULL, GROUP_ADMIN, GROUP_READER, Server, USER_ADMIN, make_user};

fn path(id: &Value) -> String {
    format!("{CLIENTS}/{}", id.as_str().unwrap())
}

#[tokio::test]
async fn a_client_is_made_with_a_secret_that_is_shown_once() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "robot").await;
    let body = json!({
        "name": "Entra", "roles": [GROUP_ADMIN, GROUP_READER], "communities": [A], "user": "username:robot",
        "accessMinutes": 5, "refreshMinutes": 7, "refreshRotation": true, "strictMembers": true, "maxRemovalPercent": 10,
    });
    let made = admin.post(CLIENTS, &body).await.is(201);
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert_eq!((secret.len(), &made["secretShown"]), (43, &json!(false)));
    assert_eq!(made.header("location"), path(&made["id"]));
    let expected = json!({
        "id": id, "name": "Entra", "roles": [GROUP_ADMIN, GROUP_READER], "communities": [A], "user": "uid:1",
        "public": false, "enabled": true, "accessMinutes": 5, "refreshMinutes": 7, "refreshRotation": true,
        "strictMembers": true, "maxRemovalPercent": 10, "version": 1, "created": made["created"],
        "updated": made["created"],
    });
    let shown = admin.get(&path(&made["id"])).await.is(200);
    assert_eq!(*shown.json(), expected, "without the secret");
    assert_eq!(*admin.get(&path(&json!(id.to_uppercase()))).await.is(200).json(), expected);
    assert_eq!((shown.header("etag"), made.header("etag")), (r#""rollbook-2-1""#, r#""rollbook-2-1""#));
    with(&admin, "GET", &path(&made["id"]), ("if-none-match", shown.header("etag")), &Value::Null).await.is(304);
    let token = server.client_token(id, secret).await;
    server.bearer(&token).get("/rollbook/v1/groups").await.is(200);
    // What is left out has the defaults of the command line.
    let bare = admin.post(CLIENTS, &json!({ "name": "bare" })).await.is(201);
    for (field, value) in [
        ("roles", json!([])),
        ("communities", json!([])),
        ("user", Value::Null),
        ("accessMinutes", json!(600)),
        ("refreshMinutes", json!(0)),
        ("strictMembers", json!(false)),
        ("maxRemovalPercent", Value::Null),
    ] {
        assert_eq!(bare[field], value, "{field}");
    }
    let listed = server.cli().run(&["client", "list", "--json"]).printed();
    assert!(listed.contains(r#""strictMembers":true"#) && listed.contains(r#""maxRemovalPercent":10"#), "{listed}");
}

#[tokio::test]
async fn clients_are_listed_in_pages() {
    let server = Server::start();
    let admin = server.admin().await;
    for name in ["a", "b", "c"] {
        make_client(&admin, json!({ "name": name })).await;
    }
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{CLIENTS}?limit=2{after}")).await.is(200);
        names.extend(page["items"].as_array().unwrap().iter().map(|client| client["name"].clone()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["admin", "a", "b", "c"]);
    let whole = admin.get(CLIENTS).await.is(200);
    assert_eq!((whole["items"].as_array().unwrap().len(), &whole["next"]), (4, &Value::Null));
    assert!(!whole.text.contains("secret"), "{}", whole.text);
    for query in ["limit=0", "limit=1001", "limit=", "after=AA", "name=a", "limit=1&limit=1"] {
        admin.get(&format!("{CLIENTS}?{query}")).await.fails(400, "invalid_parameter");
    }
    // A cursor belongs to its list.
    let next = admin.get(&format!("{CLIENTS}?limit=1")).await.is(200)["next"].clone();
    admin.get(&format!("/rollbook/v1/tokens?after={}", next.as_str().unwrap())).await.fails(400, "invalid_parameter");
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    let made = make_client(&admin, json!({ "name": "app", "roles": [FULL], "communities": [A] })).await;
    let own = path(&made["id"]);
    assert_eq!(admin.patch(&own, &json!({})).await.is(200)["version"], 1, "nothing changed");
    let patch = json!({
        "name": "App", "communities": [], "accessMinutes": 3, "refreshMinutes": 4, "refreshRotation": true,
        "strictMembers": true, "maxRemovalPercent": 0, "user": "ada",
    });
    let patched = admin.patch(&own, &patch).await.is(200);
    let mut expected = admin.get(&own).await.is(200).json().clone();
    assert_eq!((*patched.json()).clone(), expected);
    for (field, value) in patch.as_object().unwrap() {
        let value = if field == "user" { &json!("uid:1") } else { value };
        assert_eq!(expected[field], *value, "{field}");
    }
    assert_eq!((&expected["roles"], &expected["version"]), (&json!([FULL]), &json!(2)));
    // What GET returned can be changed and sent back; null empties.
    expected["maxRemovalPercent"] = Value::Null;
    expected["user"] = Value::Null;
    let emptied = admin.patch(&own, &expected).await.is(200);
    assert_eq!(
        (&emptied["maxRemovalPercent"], &emptied["user"], &emptied["version"]),
        (&Value::Null, &Value::Null, &json!(3))
    );
    admin.patch(&own, &expected).await.fails(412, "precondition_failed");
    with(&admin, "PATCH", &own, ("if-match", r#""rollbook-2-2""#), &json!({ "name": "x" })).await.is(412);
    with(&admin, "PATCH", &own, ("if-match", emptied.header("etag")), &json!({ "name": "x" })).await.is(200);
    for (body, pointer) in [(json!({ "id": "other" }), "/id"), (json!({ "public": true }), "/public")] {
        assert_eq!(admin.patch(&own, &body).await.fails(400, "invalid")["errors"][0]["pointer"], pointer);
    }
    admin.patch(&path(&json!("none")), &json!({})).await.fails(404, "not_found");
}

#[tokio::test]
async fn fewer_rights_end_the_tokens_at_once() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    let made = make_client(&admin, json!({ "name": "app", "roles": [FULL] })).await;
    let own = path(&made["id"]);
    let groups = async |token: &str| server.bearer(token).get("/v1/usergroups").await.status;
    for (patch, is_valid) in [
        (json!({ "name": "App" }), true),
        (json!({ "roles": [FULL, USER_ADMIN] }), true),
        (json!({ "roles": [GROUP_READER] }), false),
        (json!({ "user": "ada" }), false),
        (json!({ "user": null }), false),
        (json!({ "enabled": false }), false),
    ] {
        let token = granted(&server, &made).await.is(200)["access_token"].as_str().unwrap().to_owned();
        assert_eq!(groups(&token).await, 200);
        admin.patch(&own, &patch).await.is(200);
        assert_eq!(groups(&token).await, if is_valid { 200 } else { 401 }, "{patch}");
    }
    granted(&server, &made).await.is(400);
    admin.patch(&own, &json!({ "enabled": true })).await.is(200);
    granted(&server, &made).await.is(200);
}

#[tokio::test]
async fn a_rotation_replaces_the_secret() {
    let server = Server::start();
    let admin = server.admin().await;
    let made = make_client(&admin, json!({ "name": "app", "roles": [FULL] })).await;
    let own = path(&made["id"]);
    let token = server.bearer(granted(&server, &made).await.is(200)["access_token"].as_str().unwrap());
    let rotate = format!("{own}/rotate");
    with(&admin, "POST", &rotate, ("if-match", r#""rollbook-2-9""#), &Value::Null)
        .await
        .fails(412, "precondition_failed");
    admin.post(&rotate, &json!({ "secret": "chosen" })).await.fails(400, "invalid_body");
    admin.post(&format!("{rotate}?x=1"), &json!({})).await.fails(400, "invalid_parameter");
    granted(&server, &made).await.is(200);
    let rotated = with(&admin, "POST", &rotate, ("if-match", made.header("etag")), &Value::Null).await.is(200);
    assert_eq!((&rotated["id"], &rotated["version"]), (&made["id"], &json!(2)));
    assert!(rotated["secret"].as_str().unwrap().len() == 43 && rotated["secret"] != made["secret"]);
    granted(&server, &made).await.is(400);
    granted(&server, &rotated).await.is(200);
    token.get("/rollbook/v1/groups").await.is(401);
    admin.post(&format!("{CLIENTS}/none/rotate"), &json!({})).await.fails(404, "not_found");
}

#[tokio::test]
async fn a_deleted_client_is_gone_with_its_tokens() {
    let server = Server::start();
    let admin = server.admin().await;
    let made = make_client(&admin, json!({ "name": "app", "roles": [FULL] })).await;
    let own = path(&made["id"]);
    let token = server.bearer(granted(&server, &made).await.is(200)["access_token"].as_str().unwrap());
    with(&admin, "DELETE", &own, ("if-match", r#""rollbook-2-9""#), &Value::Null)
        .await
        .fails(412, "precondition_failed");
    // A client may delete itself.
    token.delete(&own).await.is(204);
    token.get("/rollbook/v1/groups").await.is(401);
    granted(&server, &made).await.is(400);
    admin.get(&own).await.fails(404, "not_found");
    admin.delete(&own).await.fails(404, "not_found");
    assert_eq!(admin.get(CLIENTS).await.is(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    let made = make_client(&admin, json!({ "name": "spa", "public": true })).await;
    assert_eq!((&made["public"], &made["secret"], &made["secretShown"]), (&json!(true), &Value::Null, &json!(false)));
    let own = path(&made["id"]);
    admin.post(&format!("{own}/rotate"), &json!({})).await.fails(409, "public_client");
    let refused = admin.patch(&own, &json!({ "user": "ada" })).await.fails(400, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/user");
    let both = json!({ "name": "spa", "public": true, "user": "ada" });
    admin.post(CLIENTS, &both).await.fails(400, "invalid");
    let form = [
        ("grant_type", "password"),
        ("client_id", made["id"].as_str().unwrap()),
        ("username", "ada"),
        ("password", crate::support::PASSWORD),
    ];
    server.grant(&form).await.is(400);
    server.cli().run(&["user", "set-roles", "ada", "--role", FULL]).printed();
    server.grant(&form).await.is(200);
}

/// The first answer shows the secret; nothing that is stored or logged contains it.
#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_shows_no_secret() {
    let server = Server::start();
    let admin = server.admin().await;
    let body = json!({ "name": "app", "roles": [FULL] });
    let mut requests = JoinSet::new();
    for _ in 0..6 {
        let (admin, body) = (admin.clone(), body.clone());
        requests.spawn(async move { keyed(&admin, "k", CLIENTS, &body).await.is(201) });
    }
    let replies = requests.join_all().await;
    let (first, again): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply["secret"].is_string());
    assert_eq!((first.len(), again.len()), (1, 5), "one client, whose secret is shown once");
    let first = &first[0];
    for reply in &again {
        assert_eq!((&reply["secretShown"], reply.header("idempotency-replayed")), (&json!(true), "true"));
        let mut expected = first.json().clone();
        (expected["secret"], expected["secretShown"]) = (Value::Null, json!(true));
        assert_eq!(*reply.json(), expected);
        assert_eq!((reply.header("location"), reply.header("etag")), (first.header("location"), first.header("etag")));
    }
    let own = path(&first["id"]);
    let rotated = keyed(&admin, "r", &format!("{own}/rotate"), &Value::Null).await.is(200);
    let again = keyed(&admin, "r", &format!("{own}/rotate"), &Value::Null).await.is(200);
    assert_eq!((&again["secret"], &again["secretShown"], &again["version"]), (&Value::Null, &json!(true), &json!(2)));
    granted(&server, &rotated).await.is(200);
    let tokens = format!("{own}/tokens");
    let token = keyed(&admin, "t", &tokens, &json!({ "name": "sync" })).await.is(201);
    let again = keyed(&admin, "t", &tokens, &json!({ "name": "sync" })).await.is(201);
    assert_eq!((&again["secret"], &again["secretShown"], &again["id"]), (&Value::Null, &json!(true), &token["id"]));
    assert_eq!(admin.get(&tokens).await.is(200)["items"].as_array().unwrap().len(), 1);
    // A public client had none to show.
    let public = json!({ "name": "spa", "public": true });
    keyed(&admin, "p", CLIENTS, &public).await.is(201);
    assert_eq!(keyed(&admin, "p", CLIENTS, &public).await.is(201)["secretShown"], false);
    keyed(&admin, "k", CLIENTS, &public).await.fails(422, "idempotency_key_reused");
    let secrets = [first, &rotated, &token].map(|reply| reply["secret"].as_str().unwrap().to_owned());
    search_stored(&server, first["id"].as_str().unwrap(), &secrets.each_ref().map(String::as_str));
}

#[tokio::test]
async fn a_patch_is_replayed() {
    let server = Server::start();
    let admin = server.admin().await;
    let made = make_client(&admin, json!({ "name": "app" })).await;
    let patch = async |name: &str| {
        let request = admin.request("PATCH", &path(&made["id"])).header("idempotency-key", "k");
        admin.send(request.json(&json!({ "name": name }))).await
    };
    let first = patch("App").await.is(200);
    admin.patch(&path(&made["id"]), &json!({ "name": "Other" })).await.is(200);
    let again = patch("App").await.is(200);
    assert_eq!((again.text.as_str(), again.header("etag")), (first.text.as_str(), first.header("etag")));
    assert_eq!(admin.get(&path(&made["id"])).await.is(200)["name"], "Other");
    patch("Third").await.fails(422, "idempotency_key_reused");
}

#[tokio::test]
async fn only_unlimited_callers_read_and_change_clients() {
    let server = Server::start();
    let admin = server.admin().await;
    let made = make_client(&admin, json!({ "name": "app", "roles": [FULL] })).await;
    let own = path(&made["id"]);
    let auditor = server.token(&[AUDITOR], &[]).await;
    for path in [CLIENTS, &own, &format!("{own}/tokens"), "/rollbook/v1/tokens", "/rollbook/v1/keys"] {
        auditor.get(path).await.is(200);
        for (roles, communities) in [(&[FULL][..], &[B][..]), (&[AUDITOR], &[B]), (&[GROUP_ADMIN, USER_ADMIN], &[])] {
            server.token(roles, communities).await.get(path).await.fails(403, "forbidden");
        }
        server.anonymous().get(path).await.fails(401, "unauthenticated");
    }
    let limited = server.token(&[FULL], &[B]).await;
    for caller in [auditor, limited, server.token(&[USER_ADMIN], &[]).await] {
        caller.post(CLIENTS, &json!({ "name": "n" })).await.fails(403, "forbidden");
        caller.patch(&own, &json!({ "name": "n" })).await.fails(403, "forbidden");
        caller.delete(&own).await.fails(403, "forbidden");
        caller.post(&format!("{own}/rotate"), &json!({})).await.fails(403, "forbidden");
        caller.post(&format!("{own}/tokens"), &json!({ "name": "n" })).await.fails(403, "forbidden");
        caller.post("/rollbook/v1/keys/rotate", &json!({})).await.fails(403, "forbidden");
    }
    let mut expected = made.json().clone();
    let fields = expected.as_object_mut().unwrap();
    fields.retain(|name, _| !name.starts_with("secret"));
    assert_eq!(*admin.get(&own).await.is(200).json(), expected);
    granted(&server, &made).await.is(200);
}

#[tokio::test]
async fn bad_bodies_are_refused_with_their_field() {
    let server = Server::start();
    let admin = server.admin().await;
    let made = make_client(&admin, json!({ "name": "app" })).await;
    let own = path(&made["id"]);
    for (field, value) in [
        ("name", json!(" ")),
        ("name", json!(1)),
        ("name", json!("x".repeat(101))),
        ("roles", json!(["Everything"])),
        ("roles", json!("FullAccess")),
        ("roles", json!([1])),
        ("roles", Value::Null),
        ("communities", json!(["x"])),
        ("user", json!("nobody")),
        ("user", json!("uid:99")),
        ("user", json!("a b")),
        ("user", json!(1)),
        ("public", json!("yes")),
        ("enabled", Value::Null),
        ("accessMinutes", json!(0)),
        ("accessMinutes", json!(525_601)),
        ("accessMinutes", json!(1.5)),
        ("accessMinutes", json!("1")),
        ("refreshMinutes", json!(-1)),
        ("refreshRotation", json!(true)),
        ("strictMembers", json!(1)),
        ("maxRemovalPercent", json!(101)),
        ("maxRemovalPercent", json!(-1)),
        ("maxRemovalPercent", json!("10")),
    ] {
        let mut body = json!({ "name": "n" });
        body[field] = value.clone();
        for refused in [admin.post(CLIENTS, &body).await, admin.patch(&own, &body).await] {
            let pointers: Vec<_> = refused.fails(400, "invalid")["errors"].as_array().unwrap().clone();
            assert!(pointers.iter().any(|error| error["pointer"] == format!("/{field}")), "{body} {pointers:?}");
        }
    }
    assert_eq!(admin.post(CLIENTS, &json!({})).await.fails(400, "invalid")["errors"][0]["pointer"], "/name");
    for field in ["role", "secret", "clientSecret", "id", "version", "created"] {
        let body = json!({ "name": "n", field: "x" });
        admin.post(CLIENTS, &body).await.fails(400, "invalid_body");
    }
    admin.patch(&own, &json!({ "secret": "x" })).await.fails(400, "invalid_body");
    assert_eq!(admin.get(&own).await.is(200)["version"], 1);
    assert_eq!(admin.get(CLIENTS).await.is(200)["items"].as_array().unwrap().len(), 2);
}
