//! Who the caller is, and what the directory is.

use serde_json::{Value, json};

use crate::support::{
    A, AUDITOR, B, FULL, GROUP_ADMIN, GROUP_READER, Launch, PASSWORD, Server, Store, USER_READER, make_group, make_user,
};

const ME: &str = "/rollbook/v1/me";
const INFO: &str = "/rollbook/v1/info";
const STATISTICS: &str = "/rollbook/v1/statistics";

#[tokio::test]
async fn every_token_tells_who_the_caller_is() {
    let server = Server::start();
    server.make_user("ada", &[GROUP_ADMIN, USER_READER], &[A, B]);
    let user = json!({
        "uid": 1, "id": "ada", "username": "ada", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com",
    });
    // A user, by a client that is limited, too.
    let (id, _) = server.make_client(&[GROUP_ADMIN], &[B], &["--public"]);
    let fields = [("grant_type", "password"), ("client_id", &*id), ("username", "ada"), ("password", PASSWORD)];
    let granted = server.grant(&fields).await.is(200);
    let ada = server.bearer(granted["access_token"].as_str().unwrap());
    let me = ada.get(ME).await.is(200);
    let expected = json!({
        "user": user, "client": { "id": id, "name": "made by a test" }, "roles": [GROUP_ADMIN], "communities": [B],
        "expires": me["expires"],
    });
    assert_eq!(*me.json(), expected);
    assert!(me["expires"].as_str().unwrap().ends_with('Z'));
    // A user, by a logon without a client.
    let session = server.log_on("ada", PASSWORD).await.is(200);
    let me = server.bearer(session["Token"].as_str().unwrap()).get(ME).await.is(200);
    assert_eq!((&me["user"], &me["roles"]), (&user, &json!([GROUP_ADMIN, USER_READER])));
    assert_eq!((&me["client"], &me["communities"]), (&Value::Null, &json!([A, B])));
    // A client, by a token of its own and by a long-lived one. It acts for nobody, and nothing limits it.
    let (id, secret) = server.make_client(&[GROUP_READER], &[], &[]);
    let token = server.cli().run(&["token", "create", &id, "--name", "sync", "--json"]).json();
    let tokens = [server.client_token(&id, &secret).await, token["token"].as_str().unwrap().to_owned()];
    for token in tokens {
        let me = server.bearer(&token).get(ME).await.is(200);
        let expected = json!({
            "user": null, "client": { "id": id, "name": "made by a test" }, "roles": [GROUP_READER],
            "communities": null, "expires": me["expires"],
        });
        assert_eq!(*me.json(), expected);
        assert!(me["expires"].is_string());
    }
    ada.get(&format!("{ME}?at=now")).await.fails(400, "invalid_parameter");
    server.anonymous().get(ME).await.fails(401, "unauthenticated");
}

#[tokio::test]
async fn numbers_are_those_that_the_caller_may_know() {
    let server = Launch::default().arg("--default-language").arg("it").start();
    let admin = server.admin().await;
    let before = admin.get(INFO).await.is(200)["changes"].as_u64().unwrap();
    make_group(&admin, "one", &[A, B]).await;
    make_group(&admin, "two", &[]).await;
    for user in ["a", "b"] {
        make_user(&admin, user).await;
    }
    let groups = admin.list("/v1/usergroups", &[("sortBy", "Name")]).await.ids();
    for (group, user) in [(0, "a"), (1, "a"), (1, "b")] {
        let pair = json!({ "UserGroupID": groups[group], "UserID": user });
        admin.post("/v1/usergroups/assignments", &pair).await.is(204);
    }
    let info = admin.get(INFO).await.is(200);
    let store = if Store::of_this_run() == Store::Sqlite { "sqlite" } else { "postgres" };
    let expected = json!({
        "version": env!("CARGO_PKG_VERSION"), "store": store, "defaultLanguage": "it", "groups": 2, "users": 2,
        "memberships": 3, "changes": before + 7, "oldestChange": info["oldestChange"],
    });
    assert_eq!(*info.json(), expected);
    assert!(info["oldestChange"].as_str().unwrap().ends_with('Z'));
    assert_eq!(server.token(&[AUDITOR], &[]).await.get(INFO).await.is(200)["memberships"], 3);
    let known = async |roles: &[&str], communities: &[&str]| {
        let info = server.token(roles, communities).await.get(INFO).await.is(200);
        ["groups", "users", "memberships"].map(|name| info[name].as_u64())
    };
    assert_eq!(known(&[FULL], &[A]).await, [Some(1), Some(2), Some(1)]);
    assert_eq!(known(&[FULL], &["cccccccc-0000-4000-8000-000000000009"]).await, [Some(0), Some(2), Some(0)]);
    assert_eq!(known(&[GROUP_READER], &[]).await, [Some(2), None, Some(3)]);
    assert_eq!(known(&[USER_READER], &[A]).await, [None, Some(2), None]);
    for (roles, communities) in [(&[GROUP_READER][..], &[][..]), (&[FULL], &[A]), (&[AUDITOR], &[B])] {
        let info = server.token(roles, communities).await.get(INFO).await.is(200);
        assert_eq!((&info["changes"], &info["oldestChange"]), (&Value::Null, &Value::Null), "{roles:?}");
    }
    admin.get(&format!("{INFO}?x=1")).await.fails(400, "invalid_parameter");
    server.anonymous().get(INFO).await.fails(401, "unauthenticated");
}

#[tokio::test]
async fn statistics_tell_ninety_days_of_which_the_last_is_today() {
    let server = Server::start();
    let admin = server.admin().await;
    make_group(&admin, "one", &[A]).await;
    make_user(&admin, "ada").await;
    let auditor = server.token(&[AUDITOR], &[]).await;
    let statistics = auditor.get(STATISTICS).await.is(200);
    let (days, info) = (statistics["items"].as_array().unwrap(), admin.get(INFO).await.is(200));
    assert_eq!(days.len(), 90);
    let today = &days[89];
    let expected = json!({
        "day": today["day"], "groups": 1, "users": 1, "memberships": 0, "changes": info["changes"],
    });
    assert_eq!(*today, expected, "everything was changed today");
    assert!(days[..89].iter().all(|day| day["groups"].is_null() && day["changes"].is_null()));
    assert!(days.windows(2).all(|pair| pair[0]["day"].as_str() < pair[1]["day"].as_str()));
    for (roles, communities) in [(&[GROUP_ADMIN, USER_READER][..], &[][..]), (&[FULL], &[A])] {
        server.token(roles, communities).await.get(STATISTICS).await.fails(403, "forbidden");
    }
}
