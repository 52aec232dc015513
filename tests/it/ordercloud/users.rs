//! Users (docs/ordercloud.md, section 3).

use serde_json::{Value, json};

use crate::support::{FULL, GROUP_READER, PASSWORD, Server, USER_ADMIN, make_user, user_body};

const USERS: &str = "/v1/adminusers";

#[tokio::test]
async fn a_user_has_all_its_properties_and_no_password() {
    let server = Server::start();
    let admin = server.admin().await;
    let made = admin
        .post(
            USERS,
            &json!({
                "ID": "ada", "Username": "Ada", "Password": PASSWORD, "FirstName": "Ada", "LastName": "Lovelace",
                "Email": "ada@example.com", "Phone": "1", "Active": true, "xp": { "a": 1 },
                "TermsAccepted": "2019-06-04T22:35:36.380+02:00",
                "FailedLoginAttempts": 7, "AvailableRoles": [FULL], "CompanyID": "c", "DateCreated": "x", "Locale": 1,
            }),
        )
        .await
        .is(201);
    assert_eq!(made.header("location"), "/v1/adminusers/ada");
    let properties: Vec<_> = made.json().as_object().unwrap().keys().map(String::as_str).collect();
    let all = [
        "ID",
        "CompanyID",
        "Username",
        "FirstName",
        "LastName",
        "Email",
        "Phone",
        "TermsAccepted",
        "Active",
        "xp",
        "AvailableRoles",
        "Locale",
        "DateCreated",
        "LastActive",
        "PasswordLastSetDate",
        "FailedLoginAttempts",
    ];
    assert_eq!(properties, all);
    assert_eq!((&made["TermsAccepted"], &made["xp"]), (&json!("2019-06-04T20:35:36.38+00:00"), &json!({ "a": 1 })));
    let read_only = ["CompanyID", "Locale", "LastActive"].map(|name| &made[name]);
    assert_eq!(read_only, [&Value::Null; 3], "read-only fields are ignored");
    assert_eq!((&made["FailedLoginAttempts"], &made["AvailableRoles"]), (&json!(0), &json!([])));
    for date in ["DateCreated", "PasswordLastSetDate"] {
        assert!(made[date].as_str().unwrap().ends_with("+00:00"), "{}", made[date]);
    }
    assert_eq!(admin.get("/v1/adminusers/ADA").await.is(200).text, made.text);
}

/// A user with this ID and this username; unlike an ID, a username may contain any character.
fn named(id: &str, username: &str) -> Value {
    let mut body = user_body(id);
    body["Username"] = username.into();
    body
}

#[tokio::test]
async fn a_username_is_unique_without_case() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(USERS, &named("a", "Straße")).await.is(201);
    admin.post(USERS, &named("b", "other")).await.is(201);
    let code = "User.UsernameMustBeUnique";
    admin.post(USERS, &named("c", "STRASSE")).await.fails(409, code);
    admin.put("/v1/adminusers/c", &named("c", "strasse")).await.fails(409, code);
    admin.put("/v1/adminusers/b", &named("b", "strasse")).await.fails(409, code);
    admin.patch("/v1/adminusers/b", &json!({ "Username": "straße" })).await.fails(409, code);
    admin.patch("/v1/adminusers/a", &json!({ "Username": "STRASSE" })).await.is(200);
    admin.post(USERS, &named("A", "new")).await.fails(409, "IdExists");
    // Emails need not be unique; the ID and username of a deleted user are free.
    let mut same_email = user_body("d");
    same_email["Email"] = user_body("a")["Email"].clone();
    admin.post(USERS, &same_email).await.is(201);
    admin.delete("/v1/adminusers/a").await.is(204);
    admin.post(USERS, &named("a", "strasse")).await.is(201);
}

#[tokio::test]
async fn a_put_keeps_password_and_roles_and_clears_the_rest() {
    let server = Server::start();
    let admin = server.admin().await;
    server.make_user("ada", &[GROUP_READER], &[]);
    admin.patch("/v1/adminusers/ada", &json!({ "Phone": "1", "xp": { "a": 1 } })).await.is(200);
    let saved = admin.put("/v1/adminusers/ADA", &user_body("ada")).await.is(200);
    assert_eq!((&saved["Phone"], &saved["xp"]), (&Value::Null, &Value::Null));
    assert_eq!(saved["AvailableRoles"], json!([GROUP_READER]));
    server.log_on("ada", PASSWORD).await.is(200);
    assert_eq!(admin.put("/v1/adminusers/new", &user_body("new")).await.is(200)["ID"], "new");
    let mut renamed = user_body("renamed");
    renamed["Username"] = "ada".into();
    assert_eq!(admin.put("/v1/adminusers/ada", &renamed).await.is(200)["ID"], "renamed");
    server.log_on("ada", PASSWORD).await.is(200);
    admin.get("/v1/adminusers/ada").await.fails(404, "NotFound");
}

#[tokio::test]
async fn a_patch_changes_the_fields_it_has() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    let before = admin.get("/v1/adminusers/ada").await.is(200).text;
    for nothing in ["{}", "", r#"{"FailedLoginAttempts":9,"AvailableRoles":["FullAccess"]}"#] {
        assert_eq!(admin.text("PATCH", "/v1/adminusers/ada", nothing).await.is(200).text, before);
    }
    let patch = json!({ "FirstName": "Grace", "Phone": "2", "TermsAccepted": "2020-01-01", "xp": { "a": { "b": 1 } } });
    let patched = admin.patch("/v1/adminusers/ada", &patch).await.is(200);
    assert_eq!((&patched["FirstName"], &patched["LastName"]), (&json!("Grace"), &json!("Lovelace")));
    let cleared = json!({ "Phone": null, "TermsAccepted": null, "xp": { "a": { "c": null } } });
    let cleared = admin.patch("/v1/adminusers/ada", &cleared).await.is(200);
    assert_eq!((&cleared["Phone"], &cleared["TermsAccepted"]), (&Value::Null, &Value::Null));
    assert_eq!(cleared["xp"], json!({ "a": { "b": 1, "c": null } }));
    let missing = admin.patch("/v1/adminusers/no", &json!({ "Active": 1 })).await.fails(404, "NotFound");
    assert_eq!(missing["Errors"][0]["Data"], json!({ "ObjectType": "User", "ObjectID": "no" }));
}

/// Nobody gets more rights by changing a user that has more.
#[tokio::test]
async fn changing_a_user_requires_every_role_the_user_has() {
    let server = Server::start();
    let clerk = server.token(&[USER_ADMIN], &[]).await;
    for (user, roles) in [("boss", &[FULL][..]), ("reader", &[GROUP_READER]), ("peer", &[USER_ADMIN]), ("none", &[])] {
        server.make_user(user, roles, &[]);
    }
    let weaker_hands = [
        ("PUT", "", r#"{"Username":"x","FirstName":"F","LastName":"L","Email":"e","Active":true}"#),
        ("PATCH", "", r#"{"Password":"Another-Horse-8"}"#),
        ("PATCH", "", r#"{"Active":false}"#),
        ("POST", "/unlock", ""),
        ("DELETE", "/tokens", ""),
        ("DELETE", "", ""),
    ];
    for user in ["boss", "reader"] {
        for (method, below, body) in weaker_hands {
            let reply = clerk.text(method, &format!("{USERS}/{user}{below}"), body).await;
            reply.fails(403, "Auth.InsufficientRoles");
        }
        server.log_on(user, PASSWORD).await.is(200);
    }
    for user in ["peer", "none"] {
        for (method, below, body) in &weaker_hands[1..] {
            let status = clerk.text(method, &format!("{USERS}/{user}{below}"), body).await.status;
            assert!([200, 204].contains(&status), "{method} {user}{below}: {status}");
        }
    }
    // A user that a user administrator creates has no roles.
    assert_eq!(clerk.post(USERS, &user_body("new")).await.is(201)["AvailableRoles"], json!([]));
}

#[tokio::test]
async fn unlock_and_revoke_return_204_without_a_body() {
    let server = Server::start();
    let admin = server.admin().await;
    make_user(&admin, "ada").await;
    for own in [None, Some("application/json")] {
        assert_eq!(admin.call("POST", "/v1/adminusers/ada/unlock", own, "").await.is(204).text, "");
        assert_eq!(admin.call("DELETE", "/v1/adminusers/ada/tokens", own, "").await.is(204).text, "");
    }
    admin.call("POST", "/v1/adminusers/no/unlock", None, "").await.fails(404, "NotFound");
    admin.delete("/v1/adminusers/no/tokens").await.fails(404, "NotFound");
    admin.delete("/v1/adminusers/no").await.fails(404, "NotFound");
}
