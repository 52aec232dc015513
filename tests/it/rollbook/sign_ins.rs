//! Sign-ins in Rollbook's own API.

use std::time::Duration;

use serde_json::{Value, json};

use super::{granted, make_client, search_stored};
use crate::support::{A, AUDITOR, Caller, FULL, GROUP_READER, PASSWORD, Server, USER_ADMIN, eventually};

const SIGN_INS: &str = "/rollbook/v1/sign-ins";

/// Every page, from the parameters on.
async fn all(caller: &Caller, parameters: &[(&str, &str)]) -> Vec<Value> {
    let (mut found, mut after): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let mut query = parameters.to_vec();
        query.extend(after.as_deref().map(|cursor| ("after", cursor)));
        let page = caller.list(SIGN_INS, &query).await.is(200);
        found.extend(page["changes"].as_array().unwrap().clone());
        if page["more"] == json!(false) {
            return found;
        }
        after = page["next"].as_str().map(str::to_owned);
    }
}

/// As [`all`], once there are so many. On PostgreSQL, the transactions of other tests can hold them back.
async fn settled(caller: &Caller, parameters: &[(&str, &str)], count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    eventually("sign-ins", Duration::from_secs(30), async || {
        found = all(caller, parameters).await;
        found.len() >= count
    })
    .await;
    found
}

/// Type and reason of each.
fn outcomes(sign_ins: &[Value]) -> Vec<(&str, Option<&str>)> {
    sign_ins.iter().map(|own| (own["type"].as_str().unwrap(), own["reason"].as_str())).collect()
}

async fn password_grant(server: &Server, client: (&str, &str), username: &str, password: &str) -> u16 {
    let fields = [
        ("grant_type", "password"),
        ("client_id", client.0),
        ("client_secret", client.1),
        ("username", username),
        ("password", password),
    ];
    server.grant(&fields).await.status
}

#[tokio::test]
async fn every_way_to_sign_in_is_recorded() {
    let server = Server::start();
    let admin = server.admin().await;
    server.make_user("ada", &[GROUP_READER], &[]);
    server.make_user("bob", &[USER_ADMIN], &[]);
    let client = make_client(&admin, json!({ "name": "App", "roles": [GROUP_READER], "refreshMinutes": 60 })).await;
    let (id, secret) = (client["id"].as_str().unwrap(), client["secret"].as_str().unwrap());
    let fields = [("grant_type", "password"), ("client_id", id), ("client_secret", secret), ("username", "ada")];
    let tokens = server.grant(&[&fields[..], &[("password", PASSWORD)]].concat()).await.is(200);
    let renewal = [("refresh_token", tokens["refresh_token"].as_str().unwrap()), ("client_id", id)];
    server.grant(&[&[("grant_type", "refresh_token")], &renewal[..]].concat()).await.is(200);
    assert_eq!(password_grant(&server, (id, secret), "ada", "not-the-Password-1").await, 400);
    server.log_on("ada", PASSWORD).await.is(200);
    server.log_on("bob", PASSWORD).await.is(403);
    granted(&server, &client).await.is(200);
    let wrong_secret = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", "not-the-Secret-2")];
    server.grant(&wrong_secret).await.is(400);

    let found = settled(&admin, &[], 7).await;
    let expected = [
        ("sign_in.succeeded", None),
        ("sign_in.succeeded", None),
        ("sign_in.failed", Some("wrong password")),
        ("sign_in.succeeded", None),
        ("sign_in.failed", Some("no role for this API")),
        ("sign_in.succeeded", None),
        ("sign_in.failed", Some("wrong or missing secret")),
    ];
    let mut by_time = found.clone();
    by_time.sort_by_key(|own| own["time"].as_str().unwrap().to_owned());
    assert_eq!(outcomes(&by_time), expected, "a renewal is none");
    assert!(by_time.iter().all(|own| own["source"] == "127.0.0.1" && own["count"] == 1));
    let (ada, app) = (json!({ "uid": 1, "id": "ada", "username": "ada" }), json!({ "id": id, "name": "App" }));
    let who = |at: usize| {
        let own = &by_time[at];
        (own["user"].clone(), own["client"].clone(), own["channel"].clone(), own["actor"].clone())
    };
    let actor = |user: &Value, client: &Value| json!({ "user": user, "client": client, "operator": null });
    let null = Value::Null;
    assert_eq!(who(0).1["id"], json!("admin"));
    assert_eq!(who(1), (ada.clone(), app.clone(), json!("ordercloud"), actor(&ada, &app)));
    assert_eq!(who(2), (ada.clone(), app.clone(), json!("ordercloud"), actor(&null, &null)));
    assert_eq!(who(3), (ada.clone(), null.clone(), json!("core"), actor(&ada, &null)));
    assert_eq!((who(4).0["id"].clone(), who(4).2), (json!("bob"), json!("core")));
    assert_eq!(who(5), (null.clone(), app.clone(), json!("ordercloud"), actor(&null, &app)));
    assert_eq!(who(6), (null.clone(), app.clone(), json!("ordercloud"), actor(&null, &null)));

    let changes = admin.get("/rollbook/v1/changes?limit=1000").await.is(200);
    assert!(!changes.text.contains("sign_in"), "the journal has none");
    search_stored(&server, "wrong or missing secret", &["not-the-Password-1", "not-the-Secret-2", PASSWORD]);
}

#[tokio::test]
async fn unknown_names_are_counted_without_the_name() {
    let server = Server::start();
    let admin = server.admin().await;
    let names = ["Tr0ub4dor-and-3", "my-own-Password-9", "nobody-here"];
    for name in names {
        server.log_on(name, "some-Password-1").await.is(401);
    }
    let unknown = [("grant_type", "client_credentials"), ("client_id", "no-such-client"), ("client_secret", "s")];
    server.grant(&unknown).await.is(400);
    let mut found = Vec::new();
    // A minute may begin between two attempts.
    let count = |found: &[Value]| found.iter().map(|own| own["count"].as_i64().unwrap()).sum::<i64>();
    eventually("sign-ins", Duration::from_secs(30), async || {
        found = all(&admin, &[("type", "sign_in.failed")]).await;
        count(&found) == 4
    })
    .await;
    let users: Vec<_> = found.iter().filter(|own| own["reason"] == "unknown user").cloned().collect();
    assert!((1..=2).contains(&users.len()) && count(&users) == 3, "{users:?}");
    assert_eq!(found.iter().filter(|own| own["reason"] == "unknown client").count(), 1);
    for own in &found {
        assert_eq!((&own["user"], &own["client"], &own["source"]), (&Value::Null, &Value::Null, &json!("127.0.0.1")));
    }
    search_stored(&server, "unknown user", &[&names[..], &["no-such-client", "some-Password-1"]].concat());
}

#[tokio::test]
async fn a_locked_user_is_recorded_as_locked() {
    let server = Server::start();
    let admin = server.admin().await;
    server.make_user("ada", &[FULL], &[]);
    for _ in 0..10 {
        server.log_on("ada", "wrong").await.is(401);
    }
    server.log_on("ada", PASSWORD).await.is(401);
    let found = settled(&admin, &[("user", "ada")], 11).await;
    let mut expected = vec![("sign_in.failed", Some("wrong password")); 9];
    expected.extend([("sign_in.locked", Some("wrong password")), ("sign_in.locked", Some("locked"))]);
    assert_eq!(outcomes(&found), expected);
    assert_eq!(all(&admin, &[("type", "sign_in.locked"), ("limit", "1")]).await, found[9..]);
}

#[tokio::test]
async fn filters_and_cursors_find_what_is_asked() {
    let server = Server::start();
    let admin = server.admin().await;
    for name in ["ada", "bob"] {
        server.make_user(name, &[GROUP_READER], &[]);
    }
    let (id, secret) = server.make_client(&[], &[], &[]);
    for name in ["ada", "bob", "ada"] {
        server.log_on(name, PASSWORD).await.is(200);
    }
    assert_eq!(password_grant(&server, (&id, &secret), "bob", PASSWORD).await, 200);
    let found = settled(&admin, &[], 5).await;
    let count = async |parameters: &[(&str, &str)]| all(&admin, parameters).await.len();
    assert_eq!(count(&[("user", "ada")]).await, 2);
    assert_eq!(count(&[("user", "ada"), ("user", "username:bob"), ("limit", "1")]).await, 4);
    assert_eq!(count(&[("user", "bob"), ("channel", "core")]).await, 1);
    assert_eq!(count(&[("client", &id)]).await, 1);
    assert_eq!(count(&[("source", "127.0.0.1")]).await, 5);
    assert_eq!(count(&[("source", "::ffff:127.0.0.1")]).await, 5);
    assert_eq!(count(&[("source", "192.0.2.1")]).await, 0);
    assert_eq!(count(&[("type", "sign_in.succeeded"), ("type", "sign_in.locked")]).await, 5);
    let mut newest = all(&admin, &[("order", "desc"), ("limit", "2")]).await;
    newest.reverse();
    assert_eq!(newest, found);
    let times: Vec<_> = found.iter().map(|own| own["time"].as_str().unwrap()).collect();
    let first = times.iter().min().unwrap();
    assert_eq!(all(&admin, &[("until", first)]).await.len(), 1);
    assert_eq!(all(&admin, &[("since", first)]).await.len(), 5);
    // A reader goes on from the last cursor.
    let next = admin.get(&format!("{SIGN_INS}?limit=1000")).await.is(200)["next"].as_str().unwrap().to_owned();
    server.log_on("ada", PASSWORD).await.is(200);
    let later = settled(&admin, &[("after", &next)], 1).await;
    assert_eq!((later.len(), &later[0]["user"]["id"]), (1, &json!("ada")));
    for wrong in
        ["user=nobody", "client=none", "type=group.created", "source=here", "channel=x", "after=x", "name=x", "limit=0"]
    {
        admin.get(&format!("{SIGN_INS}?{wrong}")).await.fails(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn auditors_read_them_and_limited_callers_do_not() {
    let server = Server::start();
    server.token(&[AUDITOR], &[]).await.get(SIGN_INS).await.is(200);
    server.token(&[USER_ADMIN], &[]).await.get(SIGN_INS).await.fails(403, "forbidden");
    for role in [FULL, AUDITOR] {
        assert_eq!(server.token(&[role], &[A]).await.get(SIGN_INS).await.status, 403, "{role}");
    }
}

#[tokio::test]
async fn the_command_line_prints_them() {
    let server = Server::start();
    let admin = server.admin().await;
    server.make_user("ada", &[GROUP_READER], &[]);
    server.log_on("ada", PASSWORD).await.is(200);
    server.log_on("ada", "wrong").await.is(401);
    settled(&admin, &[], 3).await;
    let printed = server.cli().run(&["sign-ins", "--user", "ada"]).printed();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!((lines.len(), lines[0].split('\t').nth(4)), (3, Some("SOURCE")));
    assert!(lines[1..].iter().all(|line| line.contains("\tada\t-\t127.0.0.1\tcore\t1\t")), "{printed}");
    let failed = server.cli().run(&["sign-ins", "--since", "2020-01-01", "--type", "sign_in.failed", "--json"]).json();
    assert_eq!((&failed["reason"], &failed["user"]["id"]), (&json!("wrong password"), &json!("ada")));
}

/// What waits in memory is written when the server stops.
#[tokio::test]
async fn a_stopped_server_has_recorded_all() {
    let mut server = Server::start();
    server.make_user("ada", &[GROUP_READER], &[]);
    server.log_on("ada", PASSWORD).await.is(200);
    assert!(server.stop().success());
    let printed = server.cli().run(&["sign-ins", "--json"]).json();
    assert_eq!((&printed["type"], &printed["user"]["id"]), (&json!("sign_in.succeeded"), &json!("ada")));
}
