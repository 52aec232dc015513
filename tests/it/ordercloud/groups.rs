//! Groups and their IDs (docs/ordercloud.md, sections 2, 4 and 9).

use serde_json::{Value, json};

use crate::support::{GROUP_READER, Server, USER_READER, make_groups};

const GROUPS: &str = "/v1/usergroups";

#[tokio::test]
async fn a_group_always_has_its_four_properties() {
    let server = Server::start();
    let admin = server.admin().await;
    let made = admin.post(GROUPS, &json!({ "Name": "N" })).await.is(201);
    let id = made["ID"].as_str().unwrap();
    assert_eq!(made.text, format!(r#"{{"ID":"{id}","Name":"N","Description":null,"xp":null}}"#));
    assert_eq!(made.header("location"), format!("{GROUPS}/{id}"));
    assert_eq!(made.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(admin.get(made.header("location")).await.is(200).text, made.text);
}

#[tokio::test]
async fn an_id_is_generated_if_none_is_given() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut ids = Vec::new();
    for body in [json!({ "Name": "N" }), json!({ "Name": "N", "ID": "" }), json!({ "Name": "N", "ID": null })] {
        ids.push(admin.post(GROUPS, &body).await.is(201)["ID"].as_str().unwrap().to_owned());
    }
    let is_valid = |id: &String| id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    assert!(ids.iter().all(|id| (1..=100).contains(&id.len()) && is_valid(id)), "{ids:?}");
    assert!(ids.is_sorted_by(|a, b| a < b), "different, and growing with time: {ids:?}");
}

#[tokio::test]
async fn an_id_is_unique_without_case_and_keeps_its_own() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({ "ID": "Sales-EU_1", "Name": "N" })).await.is(201);
    let taken = admin.post(GROUPS, &json!({ "ID": "SALES-eu_1", "Name": "M" })).await.fails(409, "IdExists");
    assert_eq!(taken["Errors"][0]["Data"], json!({ "ObjectType": "UserGroup", "ObjectID": "SALES-eu_1" }));
    assert_eq!(admin.get("/v1/usergroups/sales-eu_1").await.is(200)["ID"], "Sales-EU_1");
    // Only the case differs: a rename like any other.
    let renamed = admin.patch("/v1/usergroups/SALES-EU_1", &json!({ "ID": "sales-eu_1" })).await.is(200);
    assert_eq!(renamed["ID"], "sales-eu_1");
    // A name need not be unique.
    admin.post(GROUPS, &json!({ "Name": "N" })).await.is(201);
}

#[tokio::test]
async fn a_missing_resource_is_reported_with_its_type_and_id() {
    let server = Server::start();
    let admin = server.admin().await;
    let data = json!({ "ObjectType": "UserGroup", "ObjectID": "No-Such" });
    for (method, body) in [("GET", ""), ("DELETE", ""), ("PATCH", r#"{"Name":"N"}"#), ("PATCH", "")] {
        let reply = admin.text(method, "/v1/usergroups/No-Such", body).await.fails(404, "NotFound");
        assert_eq!(reply["Errors"], json!([{ "ErrorCode": "NotFound", "Message": "Object not found.", "Data": data }]));
    }
}

#[tokio::test]
async fn a_deleted_group_is_not_found_and_its_id_is_free() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["g"]).await;
    let deleted = admin.delete("/v1/usergroups/G").await.is(204);
    assert_eq!((deleted.text.as_str(), deleted.header("content-type")), ("", ""));
    admin.get("/v1/usergroups/g").await.fails(404, "NotFound");
    admin.delete("/v1/usergroups/g").await.fails(404, "NotFound");
    admin.post(GROUPS, &json!({ "ID": "G", "Name": "again" })).await.is(201);
    assert_eq!(admin.get(GROUPS).await.is(200).ids(), ["G"]);
}

#[tokio::test]
async fn a_rename_moves_the_group_and_its_assignments() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["old", "other"]).await;
    crate::support::make_user(&admin, "u").await;
    let pair = |group: &str| json!({ "UserGroupID": group, "UserID": "u" });
    admin.post("/v1/usergroups/assignments", &pair("old")).await.is(204);
    let taken = admin.patch("/v1/usergroups/old", &json!({ "ID": "OTHER" })).await;
    taken.fails(409, "IdExists");
    assert_eq!(admin.patch("/v1/usergroups/old", &json!({ "ID": "new" })).await.is(200)["ID"], "new");
    admin.get("/v1/usergroups/old").await.fails(404, "NotFound");
    admin.get("/v1/usergroups/new").await.is(200);
    let assignments = admin.get("/v1/usergroups/assignments").await.is(200);
    assert_eq!(assignments["Items"], json!([pair("new")]));
    // A new group with the old ID has none of the old group's users.
    make_groups(&admin, &["old"]).await;
    assert_eq!(admin.get("/v1/usergroups/assignments?userGroupID=old").await.is(200).total(), 0);
}

#[tokio::test]
async fn the_group_called_assignments_cannot_be_got_or_posted_to() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.put("/v1/usergroups/assignments", &json!({ "Name": "Namesake" })).await.is(200);
    assert!(admin.get("/v1/usergroups/assignments").await.is(200)["Meta"].is_object(), "a list, not the group");
    let patched = admin.patch("/v1/usergroups/assignments", &json!({ "Description": "d" })).await.is(200);
    assert_eq!((&patched["Name"], &patched["Description"]), (&json!("Namesake"), &json!("d")));
    assert_eq!(admin.get("/v1/usergroups?ID=assignments").await.is(200).total(), 1);
    admin.delete("/v1/usergroups/assignments").await.is(204);
    admin.delete("/v1/usergroups/assignments").await.fails(404, "NotFound");
}

#[tokio::test]
async fn fields_match_without_case_and_unknown_ones_are_ignored() {
    let server = Server::start();
    let admin = server.admin().await;
    let body = r#"{"id":"g","NAME":"N","description":"d","XP":{"K":1,"k":2},"Foo":{"a":[]},"DateCreated":1}"#;
    let made = admin.text("POST", GROUPS, body).await.is(201);
    assert_eq!(made.text, r#"{"ID":"g","Name":"N","Description":"d","xp":{"K":1,"k":2}}"#);
}

#[tokio::test]
async fn a_reader_of_groups_reads_and_a_reader_of_users_does_not() {
    let server = Server::start();
    make_groups(&server.admin().await, &["g"]).await;
    let reader = server.token(&[GROUP_READER], &[]).await;
    reader.get("/v1/usergroups/g").await.is(200);
    let refused = reader.delete("/v1/usergroups/g").await.fails(403, "Auth.InsufficientRoles");
    let roles = json!({ "SufficientRoles": ["FullAccess", "AdminUserGroupAdmin"], "AssignedRoles": [GROUP_READER] });
    assert_eq!(refused["Errors"][0]["Data"], roles);
    server.token(&[USER_READER], &[]).await.get(GROUPS).await.fails(403, "Auth.InsufficientRoles");
    let nobody = server.anonymous().get(GROUPS).await.fails(401, "InvalidToken");
    assert_eq!(nobody["Errors"][0]["Message"], "Access token is invalid or expired.");
    assert_eq!(nobody["Errors"][0]["Data"], Value::Null);
}

/// GET and DELETE with a content type and no body, as the vendor's JavaScript client sends them.
#[tokio::test]
async fn a_content_type_without_a_body_is_accepted() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["g"]).await;
    for own in ["application/json", "text/plain"] {
        admin.call("GET", "/v1/usergroups/g", Some(own), "").await.is(200);
        admin.call("PATCH", "/v1/usergroups/g", Some(own), "").await.is(200);
    }
    admin.call("PATCH", "/v1/usergroups/g", None, "").await.is(200);
    admin.call("DELETE", "/v1/usergroups/g", Some("application/json"), "").await.is(204);
}
