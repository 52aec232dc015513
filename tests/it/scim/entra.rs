//! What Entra ID sends about users, in both forms: its own, and that of the flag `aadOptscim062020`.

use serde_json::{Value, json};

use crate::support::Server;

use super::{ENTERPRISE, USER, filtered, get, patch, path_of, send, total};

/// The body with which Entra creates a user.
fn created() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": "jyoung",
        "userName": "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1",
        "active": true,
        "addresses": null, "displayName": "Joy Young", "department": null, "manager": null, "title": null, "phoneNumbers": null,
        "emails": [{ "primary": true, "type": "work", "value": "Test_User_fd0ea19b@testuser.com" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "Joy Young", "familyName": "Young", "givenName": "Joy" },
        "roles": [],
    })
}

#[tokio::test]
async fn a_user_is_matched_created_changed_disabled_enabled_and_deleted() {
    let server = Server::start();
    let admin = server.admin().await;
    // Test Connection: a random GUID.
    let nobody = "userName eq \"8e1f8b0c-8b44-4b2f-a9c5-3b0d29d7e2b4\"";
    assert_eq!(total(&filtered(&admin, "/Users", nobody).await), 0);
    let body = created();
    let made = send(&admin, "POST", "/Users", &body).await.is(201);
    assert_eq!(made["userName"], body["userName"]);
    let path = path_of(&made);
    for matching in [
        "userName eq \"Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1\"",
        "emails[type eq \"work\"].value eq \"Test_User_fd0ea19b@testuser.com\"",
    ] {
        assert_eq!(filtered(&admin, "/Users", matching).await.is(200)["Resources"][0]["id"], made["id"], "{matching}");
    }
    let operations = json!([
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "updated@microsoft.com" },
        { "op": "Replace", "path": "name.familyName", "value": "Updated" },
        { "op": "Add", "path": "phoneNumbers[type eq \"work\"].value", "value": "+1 (555) 010" },
    ]);
    let changed = patch(&admin, &path, operations).await.is(200);
    assert_eq!(
        (&changed["emails"][0]["value"], &changed["name"]["familyName"]),
        (&json!("updated@microsoft.com"), &json!("Updated"))
    );
    assert_eq!(changed["phoneNumbers"][0]["value"], "+1 (555) 010", "stored as it was sent");
    for (sent, active) in [("False", false), ("True", true)] {
        patch(&admin, &path, json!([{ "op": "Replace", "path": "active", "value": sent }])).await.is(200);
        assert_eq!(get(&admin, &path).await.is(200)["active"], active);
        let found = filtered(&admin, "/Users", "userName eq \"Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1\"").await;
        assert_eq!(found["Resources"][0]["active"], active);
    }
    send(&admin, "DELETE", &path, &Value::Null).await.is(204);
    assert_eq!(get(&admin, &path).await.status, 404);
}

/// Several attributes in one operation without a path, whose keys are paths.
#[tokio::test]
async fn the_compliant_dialect_is_understood_too() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = path_of(&send(&admin, "POST", "/Users", &created()).await.is(201));
    let value = json!({
        "userName": "joy", "name.givenName": "Joyce", "emails[type eq \"work\"].value": "joyce@testuser.com",
        (format!("{USER}:name.familyName")): "Older", "active": false,
    });
    let changed = patch(&admin, &path, json!([{ "op": "replace", "value": value }])).await.is(200);
    let observed = ["/userName", "/name/givenName", "/name/familyName", "/emails/0/value", "/active"];
    let observed = observed.map(|pointer| changed.json().pointer(pointer).cloned().unwrap());
    assert_eq!(observed, [json!("joy"), json!("Joyce"), json!("Older"), json!("joyce@testuser.com"), json!(false)]);
}
