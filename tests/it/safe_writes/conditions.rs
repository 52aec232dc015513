//! Entity tags and conditional requests.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{GROUP, core_path, labelled, send};
use crate::support::{A, B, CORE, Caller, FULL, PASSWORD, Reply, Server, make_group, make_user};

fn tag(reply: &Reply) -> String {
    assert_ne!(reply.header("etag"), "", "{}", reply.text);
    assert_eq!(reply.header("cache-control"), "private, no-cache");
    reply.header("etag").to_owned()
}

async fn named(admin: &Caller, name: &str) -> Reply {
    admin.put(GROUP, &json!({ "Name": name })).await.is(200)
}

#[tokio::test]
async fn a_tag_names_the_version_in_its_api() {
    let server = Server::start();
    let admin = server.admin().await;
    let created = admin.post("/v1/usergroups", &json!({ "ID": "g", "Name": "One" })).await.is(201);
    assert_eq!(tag(&created), r#""ordercloud-1-1""#);
    assert_eq!(tag(&admin.get("/v1/usergroups/G").await.is(200)), r#""ordercloud-1-1""#);
    assert_eq!(tag(&admin.get(&core_path(1)).await.is(200)), r#""core-1-1""#);
    assert_eq!(tag(&admin.patch(GROUP, &json!({ "Name": "One" })).await.is(200)), r#""ordercloud-1-1""#, "unchanged");
    assert_eq!(tag(&admin.patch(GROUP, &json!({ "Name": "Two" })).await.is(200)), r#""ordercloud-1-2""#);
    assert_eq!(tag(&admin.post(CORE, &labelled(Some(1), "Three")).await.is(200)), r#""core-1-3""#);
    assert_eq!(tag(&named(&admin, "Four").await), r#""ordercloud-1-4""#);
    assert_eq!(tag(&admin.post(CORE, &labelled(None, "Other")).await.is(200)), r#""core-2-1""#);
    for reply in [admin.delete(GROUP).await.is(204), admin.get("/v1/usergroups").await.is(200)] {
        assert_eq!((reply.header("etag"), reply.header("cache-control")), ("", "no-store"));
    }
}

#[tokio::test]
async fn a_client_that_has_the_version_gets_304_without_a_body() {
    let server = Server::start();
    let admin = server.admin().await;
    named(&admin, "One").await;
    let has = async |path: &str, tags: &str| send(&admin, "GET", path, &[("if-none-match", tags)], &Value::Null).await;
    for path in [GROUP, &core_path(1)] {
        let own = tag(&admin.get(path).await.is(200));
        for tags in [own.clone(), format!("\"x\", W/{own}"), "*".to_owned()] {
            let reply = has(path, &tags).await.is(304);
            assert_eq!(
                (tag(&reply), reply.text.as_str(), reply.header("content-type")),
                (own.clone(), "", ""),
                "{tags}"
            );
        }
        for tags in [r#""x""#, r#""ordercloud-1-9""#] {
            assert_eq!(has(path, tags).await.is(200).header("etag"), own, "{tags}");
        }
    }
    let old = tag(&admin.get(GROUP).await);
    named(&admin, "Two").await;
    assert_eq!(has(GROUP, &old).await.is(200)["Name"], "Two");
    server.anonymous().get(GROUP).await.is(401);
}

/// The sign-ins that a user's answer shows are a part of the tag, but no part of the version.
#[tokio::test]
async fn a_sign_in_changes_the_answer_but_makes_no_edit_stale() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    server.cli().run(&["user", "set-roles", "ada", "--role", FULL]).printed();
    let path = "/v1/adminusers/ada";
    let before = tag(&admin.get(path).await.is(200));
    server.log_on("ada", PASSWORD).await.is(200);
    let active = send(&admin, "GET", path, &[("if-none-match", &before)], &Value::Null).await.is(200);
    assert_ne!(active["LastActive"], Value::Null);
    server.log_on("ada", "wrong").await.is(401);
    let failed = send(&admin, "GET", path, &[("if-none-match", &tag(&active))], &Value::Null).await.is(200);
    assert_eq!(failed["FailedLoginAttempts"], 1);
    send(&admin, "GET", path, &[("if-none-match", &tag(&failed))], &Value::Null).await.is(304);
    let edit = [("if-match", &*before)];
    let edited = send(&admin, "PATCH", path, &edit, &json!({ "Phone": "1" })).await.is(200);
    send(&admin, "PATCH", path, &edit, &json!({ "Phone": "2" })).await.fails(412, "PreconditionFailed");
    send(&admin, "DELETE", path, &edit, &Value::Null).await.fails(412, "PreconditionFailed");
    send(&admin, "DELETE", path, &[("if-match", &tag(&edited))], &Value::Null).await.is(204);
}

#[tokio::test]
async fn a_write_of_another_version_is_refused_in_the_form_of_its_api() {
    let server = Server::start();
    let admin = server.admin().await;
    let old = tag(&named(&admin, "One").await);
    named(&admin, "Two").await;
    let name = json!({ "Name": "Three" });
    for tags in [&*old, r#""ordercloud-2-2""#, r#"W/"ordercloud-1-2""#, r#""other""#] {
        for method in ["PUT", "PATCH", "DELETE"] {
            let refused = send(&admin, method, GROUP, &[("if-match", tags)], &name).await;
            refused.fails(412, "PreconditionFailed");
        }
        for (method, path, body) in [("POST", CORE, labelled(Some(1), "x")), ("DELETE", &core_path(1), Value::Null)] {
            let refused = send(&admin, method, path, &[("if-match", tags)], &body).await;
            refused.fails(412, "precondition_failed");
        }
    }
    assert_eq!(admin.get(GROUP).await.is(200)["Name"], "Two");
    // Number and version decide; the tag may come from any API.
    let tags = r#""x", "core-1-2", W/"y""#;
    send(&admin, "PATCH", GROUP, &[("if-match", tags)], &name).await.is(200);
    send(&admin, "POST", CORE, &[("if-match", r#""core-1-3""#)], &labelled(Some(1), "Four")).await.is(200);
    send(&admin, "PUT", GROUP, &[("if-match", "*")], &name).await.is(200);
    send(&admin, "DELETE", &core_path(1), &[("if-match", r#""core-1-5""#)], &Value::Null).await.is(200);
}

#[tokio::test]
async fn a_put_can_create_only_or_replace_only() {
    let server = Server::start();
    let admin = server.admin().await;
    let put =
        async |name: &str, value: &str| send(&admin, "PUT", GROUP, &[(name, value)], &json!({ "Name": "N" })).await;
    put("if-match", "*").await.fails(412, "PreconditionFailed");
    put("if-match", r#""ordercloud-1-1""#).await.fails(412, "PreconditionFailed");
    put("if-none-match", "*").await.is(200);
    put("if-none-match", "*").await.fails(412, "PreconditionFailed");
    put("if-none-match", r#"W/"ordercloud-1-1""#).await.fails(412, "PreconditionFailed");
    put("if-none-match", r#""ordercloud-1-2""#).await.is(200);
    // A new group has no version yet.
    let create = send(&admin, "POST", "/v1/usergroups", &[("if-match", "*")], &json!({ "ID": "h", "Name": "N" })).await;
    create.fails(412, "PreconditionFailed");
    send(&admin, "POST", CORE, &[("if-match", "*")], &labelled(None, "N")).await.fails(412, "precondition_failed");
    assert_eq!(admin.get("/v1/usergroups").await.is(200).total(), 1);
}

#[tokio::test]
async fn headers_that_say_nothing_are_refused() {
    let server = Server::start();
    let admin = server.admin().await;
    named(&admin, "One").await;
    for (name, value) in [
        ("if-match", "ordercloud-1-1"),
        ("if-match", ""),
        ("if-match", r#"*, "a""#),
        ("if-none-match", r#""a"#),
        ("rollbook-reason", ""),
        ("rollbook-reason", "%FF"),
        ("rollbook-reason", "a%00b"),
        ("rollbook-reason", &"%C3%A9".repeat(501)),
    ] {
        let delete = async |path: &str| send(&admin, "DELETE", path, &[(name, value)], &Value::Null).await;
        delete(GROUP).await.fails(400, "InvalidRequest");
        delete(&core_path(1)).await.fails(400, "invalid_request");
        delete("/v1/usergroups/g/assignments/ada").await.fails(400, "InvalidRequest");
    }
    let reason = "K%C3%BCndigung";
    let twice = admin.request("DELETE", GROUP).header("rollbook-reason", reason).header("rollbook-reason", reason);
    admin.send(twice).await.fails(400, "InvalidRequest");
    let unread = send(&server.anonymous(), "DELETE", GROUP, &[("if-match", "x")], &Value::Null).await;
    unread.fails(401, "InvalidToken");
    send(&admin, "DELETE", GROUP, &[("rollbook-reason", reason)], &Value::Null).await.is(204);
}

/// An assignment and the lock of a user have no version, so no condition on them can hold.
#[tokio::test]
async fn what_has_no_version_takes_no_condition() {
    let server = Server::start();
    let admin = server.admin().await;
    named(&admin, "One").await;
    make_user(&admin, "ada").await;
    let pair = json!({ "UserGroupID": "g", "UserID": "ada" });
    for header in [("if-match", "*"), ("if-none-match", "*")] {
        let refused = send(&admin, "POST", "/v1/usergroups/assignments", &[header], &pair).await;
        refused.fails(412, "PreconditionFailed");
        send(&admin, "POST", "/v1/adminusers/ada/unlock", &[header], &Value::Null)
            .await
            .fails(412, "PreconditionFailed");
    }
    assert_eq!(admin.get("/v1/usergroups/assignments").await.is(200).total(), 0);
}

/// What is refused without a condition is refused in the same way with one.
#[tokio::test]
async fn a_condition_reveals_no_group_that_the_caller_may_not_see() {
    let server = Server::start();
    let (admin, limited) = (server.admin().await, server.token(&[FULL], &[A]).await);
    let hidden = make_group(&admin, "Hidden", &[B]).await;
    let id = admin.list("/v1/usergroups", &[("Name", "Hidden")]).await.is(200).ids().remove(0);
    let group = format!("/v1/usergroups/{id}");
    let own = format!("\"core-{hidden}-1\"");
    for header in [("if-match", "*"), ("if-match", &*own), ("if-match", r#""core-9-9""#), ("if-none-match", "*")] {
        let get = send(&limited, "GET", &group, &[header], &Value::Null).await;
        get.fails(404, "NotFound");
        for path in [&group, "/v1/usergroups/none"] {
            send(&limited, "DELETE", path, &[header], &Value::Null).await.fails(404, "NotFound");
            send(&limited, "PATCH", path, &[header], &json!({ "Name": "N" })).await.fails(404, "NotFound");
        }
        for number in [hidden, 99] {
            send(&limited, "DELETE", &core_path(number), &[header], &Value::Null).await.fails(404, "not_found");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_writers_of_one_version_exactly_one_succeeds() {
    const WRITERS: usize = 20;
    const VERSIONS: usize = 10;
    let server = Server::start();
    let admin = server.admin().await;
    let mut current = tag(&named(&admin, "Version 1").await);
    for version in 2..=VERSIONS {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (admin, current) = (admin.clone(), current.clone());
            writers.spawn(async move {
                let header = [("if-match", &*current)];
                match writer % 2 {
                    0 => {
                        let name = json!({ "Name": format!("Version {version} of {writer}") });
                        send(&admin, "PATCH", GROUP, &header, &name).await
                    }
                    _ => {
                        let label = format!("Version {version} of {writer}");
                        send(&admin, "POST", CORE, &header, &labelled(Some(1), &label)).await
                    }
                }
            });
        }
        let replies = writers.join_all().await;
        let (done, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(done.len(), 1, "{version}");
        assert!(refused.iter().all(|reply| reply.status == 412), "{refused:?}");
        current = tag(&admin.get(GROUP).await.is(200));
        assert_eq!(current, format!("\"ordercloud-1-{version}\""));
    }
}
