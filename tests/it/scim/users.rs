//! Users: what they have, versions, roles, and what is refused.

use serde_json::{Value, json};

use crate::support::{AUDITOR, FULL, GROUP_READER, Launch, PASSWORD, Server, USER_ADMIN, USER_READER};

use super::{ROLLBOOK, USER, filtered, get, make_user, patch, path_of, refused, send, total, user_body};

#[tokio::test]
async fn a_user_has_the_attributes_that_the_directory_keeps() {
    let server = Launch::default().env("ROLLBOOK_PUBLIC_URL", "https://groups.example.org").start();
    let admin = server.admin().await;
    let mut body = user_body("ada");
    body[ROLLBOOK] = json!({ "key": "Ada-1", "xp": "{\"b\":1.0,\"a\":[]}" });
    body["phoneNumbers"] = json!([{ "value": "+39 1", "type": "work", "primary": true }]);
    let made = send(&admin, "POST", "/Users", &body).await.is(201);
    let url = format!("https://groups.example.org/scim/v2/Users/{}", made["id"].as_str().unwrap());
    let expected = json!({
        "schemas": [USER, ROLLBOOK], "id": made["id"], "userName": "ada",
        "name": { "formatted": "Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada" }, "active": true,
        "emails": body["emails"], "phoneNumbers": body["phoneNumbers"], ROLLBOOK: body[ROLLBOOK],
        "meta": {
            "resourceType": "User", "created": made["meta"]["created"], "lastModified": made["meta"]["created"],
            "location": url, "version": "W/\"1\"",
        },
    });
    assert_eq!(*made.json(), expected);
    assert_eq!((made.header("location"), made.header("etag")), (&*url, "W/\"1\""));
    assert!(made["meta"]["created"].as_str().unwrap().ends_with('Z'));
    // The same user in another API: no password, no roles.
    let user = admin.get("/rollbook/v1/users/ada-1").await.is(200);
    assert_eq!(made["id"], format!("u{}", user["uid"]));
    assert_eq!((&user["passwordSet"], &user["roles"], &user["phone"]), (&json!(false), &json!([]), &json!("+39 1")));
    // The journal knows the channel.
    let history = admin.get("/rollbook/v1/users/ada-1/history").await.is(200);
    assert_eq!(history["changes"][0]["channel"], "scim");
}

#[tokio::test]
async fn a_user_that_lacks_what_is_required_is_refused_with_the_attribute() {
    let server = Server::start();
    let admin = server.admin().await;
    for (attribute, named) in [("userName", "userName"), ("name", "name.familyName"), ("emails", "emails")] {
        for value in [None, Some(json!(null)), Some(json!([])), Some(json!({})), Some(json!(""))] {
            let mut body = user_body("ada");
            match value {
                None => drop(body.as_object_mut().unwrap().remove(attribute)),
                Some(value) => body[attribute] = value,
            }
            let reply = send(&admin, "POST", "/Users", &body).await;
            assert!(reply.status == 400 && reply["scimType"] == "invalidValue", "{attribute}: {}", reply.text);
            let detail = reply["detail"].as_str().unwrap();
            assert!(detail.contains(named) || detail.contains(attribute), "{detail}");
        }
    }
    for (attribute, value) in [
        ("userName", json!("x".repeat(101))),
        ("emails", json!([{ "value": "x".repeat(201) }])),
        ("active", json!("perhaps")),
        ("phoneNumbers", json!([{ "value": "1".repeat(101) }])),
        (ROLLBOOK, json!({ "key": "a b" })),
        (ROLLBOOK, json!({ "xp": "[]" })),
        (ROLLBOOK, json!({ "xp": "{" })),
    ] {
        let mut body = user_body("ada");
        body[attribute] = value;
        refused(send(&admin, "POST", "/Users", &body).await, 400, "invalidValue");
    }
    for body in ["", "null", "[]", "{", "\"x\""] {
        refused(admin.call("POST", "/scim/v2/Users", Some(super::SENT), body).await, 400, "invalidSyntax");
    }
    for kind in ["text/plain", "application/merge-patch+json"] {
        refused(admin.call("POST", "/scim/v2/Users", Some(kind), "{}").await, 415, "");
    }
    assert_eq!(total(&get(&admin, "/Users").await), 0);
}

#[tokio::test]
async fn what_is_unknown_or_not_kept_is_ignored() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut body = user_body("ada");
    for (name, value) in [
        ("id", json!("u99")),
        ("meta", json!({ "resourceType": "User" })),
        ("groups", json!([{ "value": "g1" }])),
        ("roles", json!([{ "value": "FullAccess" }])),
        ("password", json!("short")),
        ("addresses", json!(null)),
        ("shoeSize", json!(42)),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0User", json!({ "department": "D" })),
        ("urn:ietf:params:scim:schemas:extension:acme:2.0:User", json!({ "badge": [1, {}] })),
    ] {
        body[name] = value;
    }
    let made = send(&admin, "POST", "/Users", &body).await.is(201);
    assert!(made["roles"].is_null() && made["shoeSize"].is_null() && made["id"] != "u99");
    let user = admin.get("/rollbook/v1/users/username:ada").await.is(200);
    assert_eq!((&user["roles"], &user["passwordSet"]), (&json!([]), &json!(false)));
    assert_eq!(server.log_on("ada", "short").await.status, 401);
}

#[tokio::test]
async fn a_put_replaces_what_the_standard_schemas_have() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut body = user_body("ada");
    body[ROLLBOOK] = json!({ "key": "ada", "xp": "{\"a\":1}" });
    body["phoneNumbers"] = json!([{ "value": "1", "type": "mobile" }]);
    let made = send(&admin, "POST", "/Users", &body).await.is(201);
    let path = path_of(&made);
    // What GET returned can be sent back, and changes nothing.
    let same = send(&admin, "PUT", &path, made.json()).await.is(200);
    assert_eq!(same.json(), made.json());
    let mut other = user_body("Grace");
    other.as_object_mut().unwrap().remove("active");
    let put = send(&admin, "PUT", &path, &other).await.is(200);
    assert_eq!((&put["userName"], &put["phoneNumbers"], &put["active"]), (&json!("Grace"), &Value::Null, &json!(true)));
    assert_eq!((&put[ROLLBOOK], &put["meta"]["version"]), (&body[ROLLBOOK], &json!("W/\"2\"")));
    let mut without_mail = user_body("Grace");
    without_mail.as_object_mut().unwrap().remove("emails");
    refused(send(&admin, "PUT", &path, &without_mail).await, 400, "invalidValue");
    make_user(&admin, "taken").await;
    refused(send(&admin, "PUT", &path, &user_body("TAKEN")).await, 409, "uniqueness");
    refused(send(&admin, "PUT", "/Users/u999", &user_body("new")).await, 404, "");
}

#[tokio::test]
async fn a_patch_is_made_as_a_whole_or_not_at_all() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = make_user(&admin, "ada").await;
    let before = get(&admin, &path).await.is(200);
    let valid = json!({ "op": "replace", "path": "name.givenName", "value": "Grace" });
    for (operation, scim_type) in [
        (json!({ "op": "move", "path": "userName", "value": "x" }), "invalidSyntax"),
        (json!({ "op": "replace", "path": "userName", "value": "" }), "invalidValue"),
        (json!({ "op": "replace", "path": "userName", "value": "x".repeat(101) }), "invalidValue"),
        (json!({ "op": "replace", "path": "shoe", "value": "x" }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[", "value": "x" }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[value co \"a\"].value", "value": "x" }), "invalidFilter"),
        (json!({ "op": "replace", "path": "id", "value": "u7" }), "mutability"),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (json!({ "op": "remove" }), "noTarget"),
        (json!({ "op": "replace", "path": "emails[type eq \"home\"].display", "value": "x" }), "noTarget"),
    ] {
        refused(patch(&admin, &path, json!([valid, operation])).await, 400, scim_type);
    }
    refused(send(&admin, "PATCH", &path, &json!({ "schemas": [] })).await, 400, "invalidSyntax");
    assert_eq!(get(&admin, &path).await.json(), before.json());
    let changed = patch(&admin, &path, json!([valid])).await.is(200);
    assert_eq!((&changed["name"]["givenName"], &changed["meta"]["version"]), (&json!("Grace"), &json!("W/\"2\"")));
    // Nothing to change is no new version.
    for nothing in [json!([]), json!([valid]), json!([{ "op": "add", "value": { "shoe": 1, "id": "u7" } }])] {
        assert_eq!(patch(&admin, &path, nothing).await.is(200).json(), changed.json());
    }
    refused(patch(&admin, "/Users/u999", json!([])).await, 404, "");
}

#[tokio::test]
async fn a_deactivated_user_is_found_and_cannot_sign_in() {
    let server = Server::start();
    let admin = server.admin().await;
    server.make_user("ada", &[GROUP_READER], &[]);
    let session = server.log_on("ada", PASSWORD).await.is(200);
    let ada = server.bearer(session["Token"].as_str().unwrap());
    ada.get("/rollbook/v1/me").await.is(200);
    let found = filtered(&admin, "/Users", "userName eq \"ada\"").await;
    let path = format!("/Users/{}", found["Resources"][0]["id"].as_str().unwrap());
    assert_eq!(
        patch(&admin, &path, json!([{ "op": "replace", "path": "active", "value": "False" }])).await.is(200)["active"],
        false
    );
    ada.get("/rollbook/v1/me").await.is(401);
    assert_eq!(server.log_on("ada", PASSWORD).await.status, 401);
    assert_eq!(get(&admin, &path).await.is(200)["active"], false);
    assert_eq!(total(&filtered(&admin, "/Users", "userName eq \"ada\" and active eq false").await), 1);
    assert_eq!(total(&filtered(&admin, "/Users", "userName eq \"ada\" and active eq \"True\"").await), 0);
    patch(&admin, &path, json!([{ "op": "Replace", "path": "active", "value": "True" }])).await.is(200);
    server.log_on("ada", PASSWORD).await.is(200);
}

#[tokio::test]
async fn a_deleted_user_is_gone_and_can_be_made_again() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = make_user(&admin, "ada").await;
    let deleted = send(&admin, "DELETE", &path, &Value::Null).await.is(204);
    assert_eq!(deleted.text, "");
    for method in ["GET", "DELETE"] {
        refused(send(&admin, method, &path, &Value::Null).await, 404, "");
    }
    refused(send(&admin, "PUT", &path, &user_body("ada")).await, 404, "");
    refused(patch(&admin, &path, json!([])).await, 404, "");
    assert_eq!(total(&filtered(&admin, "/Users", "userName eq \"ada\"").await), 0);
    assert_ne!(make_user(&admin, "ada").await, path);
}

#[tokio::test]
async fn versions_are_weak_tags_and_conditions_hold() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = make_user(&admin, "ada").await;
    let with = async |method: &str, name: &str, tag: &str, body: &Value| {
        let request = admin.request(method, &format!("/scim/v2{path}")).header(name, tag);
        admin.send(if body.is_null() { request } else { request.json(body) }).await
    };
    let null = Value::Null;
    for (name, tag, status) in [
        ("if-none-match", "W/\"1\"", 304),
        ("if-none-match", "\"1\"", 304),
        ("if-none-match", "W/\"2\"", 200),
        ("if-match", "W/\"1\"", 200),
        ("if-match", "*", 200),
        ("if-match", "W/\"2\"", 412),
    ] {
        assert_eq!(with("GET", name, tag, &null).await.status, status, "{name}: {tag}");
    }
    let rename = json!({ "Operations": [{ "op": "replace", "path": "userName", "value": "grace" }] });
    refused(with("PATCH", "if-match", "W/\"2\"", &rename).await, 412, "");
    refused(with("PUT", "if-match", "W/\"2\"", &user_body("grace")).await, 412, "");
    refused(with("DELETE", "if-match", "W/\"2\"", &null).await, 412, "");
    let renamed = with("PATCH", "if-match", "W/\"1\"", &rename).await.is(200);
    assert_eq!((renamed.header("etag"), &renamed["userName"]), ("W/\"2\"", &json!("grace")));
    with("DELETE", "if-match", "\"2\"", &null).await.is(204);
}

#[tokio::test]
async fn pages_begin_at_any_user_and_have_the_total() {
    let server = Server::start();
    let admin = server.admin().await;
    for at in 1..=12 {
        make_user(&admin, &format!("user{at:02}")).await;
    }
    let names = async |query: &str| {
        let page = get(&admin, &format!("/Users?{query}")).await.is(200);
        assert_eq!(page["totalResults"], 12, "{query}");
        let resources = page["Resources"].as_array().unwrap();
        assert_eq!(page["itemsPerPage"], resources.len(), "{query}");
        let names: Vec<String> = resources.iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect();
        (page["startIndex"].as_u64().unwrap(), names.first().cloned(), names.len())
    };
    let first = |name: &str| Some(name.to_owned());
    assert_eq!(names("").await, (1, first("user01"), 12));
    assert_eq!(names("startIndex=6&count=5").await, (6, first("user06"), 5));
    assert_eq!(names("startIndex=11&count=5").await, (11, first("user11"), 2));
    assert_eq!(names("startIndex=13&count=5").await, (13, None, 0));
    assert_eq!(names("startIndex=0&count=1").await, (1, first("user01"), 1));
    assert_eq!(names("count=0").await, (1, None, 0));
    refused(get(&admin, "/Users?count=all").await, 400, "invalidValue");
}

#[tokio::test]
async fn filters_find_users_and_never_widen_a_list() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = make_user(&admin, "ada").await;
    make_user(&admin, "Grace").await;
    let id = path.trim_start_matches("/Users/");
    for (filter, found) in [
        ("userName eq \"ADA\"", 1),
        ("USERNAME EQ \"ada\"", 1),
        ("userName eq ada", 1),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ada\"", 1),
        (&*format!("id eq \"{id}\""), 1),
        (&format!("id eq \"{id}\" and userName eq \"Grace\""), 0),
        ("id eq \"x\"", 0),
        ("emails eq \"ada@example.com\"", 1),
        ("emails.value eq \"ADA@example.com\"", 1),
        ("emails[type eq \"work\"].value eq \"ada@example.com\"", 1),
        ("emails[type eq \"work\" and value eq \"ada@example.com\"]", 1),
        ("emails[type eq \"home\"].value eq \"ada@example.com\"", 0),
        ("name.givenName eq \"ada\"", 2),
        ("name.familyName eq \"lovelace\" and userName eq \"grace\"", 1),
        ("active eq true", 2),
        ("active eq \"False\"", 0),
    ] {
        assert_eq!(total(&filtered(&admin, "/Users", filter).await), found, "{filter}");
    }
    for bad in [
        "",
        "userName",
        "userName eq",
        "shoe eq \"x\"",
        "active eq \"x\"",
        "name eq \"x\"",
        "userName eq \"a",
        "(",
        "emails[x eq \"y\"]",
    ] {
        refused(filtered(&admin, "/Users", bad).await, 400, "invalidFilter");
    }
}

#[tokio::test]
async fn answers_have_the_attributes_that_are_asked_for() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = make_user(&admin, "ada").await;
    let names = |reply: &Value| reply.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let one = get(&admin, &format!("{path}?attributes=userName")).await.is(200);
    assert_eq!(names(one.json()), ["schemas", "id", "userName"]);
    let list = get(&admin, "/Users?excludedAttributes=emails,name,meta").await.is(200);
    assert_eq!(names(&list["Resources"][0]), ["schemas", "id", "userName", "active", ROLLBOOK]);
    let made = send(&admin, "POST", "/Users?attributes=id", &user_body("grace")).await.is(201);
    assert_eq!(names(made.json()), ["schemas", "id"]);
    let group = admin.post("/v1/usergroups", &json!({ "ID": "g", "Name": "Group" })).await.is(201);
    let user = admin.get("/rollbook/v1/users/username:ada").await.is(200);
    admin
        .post("/v1/usergroups/assignments", &json!({ "UserGroupID": group["ID"], "UserID": user["id"] }))
        .await
        .is(204);
    let joined = get(&admin, &format!("{path}?attributes=groups")).await.is(200);
    let expected = json!([{ "value": "g1", "$ref": "/scim/v2/Groups/g1", "display": "Group", "type": "direct" }]);
    assert_eq!((&joined["groups"], joined.header("etag")), (&expected, ""));
    assert!(get(&admin, &path).await.is(200)["groups"].is_null(), "on request only");
    let reader = server.token(&[USER_READER], &[]).await;
    refused(get(&reader, &format!("{path}?attributes=groups")).await, 403, "");
}

#[tokio::test]
async fn roles_are_those_of_the_other_apis() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = make_user(&admin, "ada").await;
    for role in [USER_READER, AUDITOR] {
        let reader = server.token(&[role], &[]).await;
        get(&reader, &path).await.is(200);
        refused(patch(&reader, &path, json!([])).await, 403, "");
        refused(send(&reader, "DELETE", &path, &Value::Null).await, 403, "");
    }
    refused(get(&server.token(&[GROUP_READER], &[]).await, "/Users").await, 403, "");
    refused(get(&server.anonymous(), "/Users").await, 401, "");
    // Nobody changes a user who has more rights than they have.
    server.make_user("root", &[FULL], &[]);
    let provider = server.token(&[USER_ADMIN], &[]).await;
    let root = filtered(&provider, "/Users", "userName eq \"root\"").await;
    let root = format!("/Users/{}", root["Resources"][0]["id"].as_str().unwrap());
    refused(patch(&provider, &root, json!([{ "op": "replace", "path": "active", "value": false }])).await, 403, "");
    patch(&provider, &path, json!([{ "op": "replace", "path": "active", "value": false }])).await.is(200);
}

#[tokio::test]
async fn a_post_with_an_idempotency_key_can_be_repeated() {
    let server = Server::start();
    let admin = server.admin().await;
    let make = async || {
        let request = admin.request("POST", "/scim/v2/Users").header("idempotency-key", "k1");
        admin.send(request.json(&user_body("ada"))).await.is(201)
    };
    let (first, second) = (make().await, make().await);
    assert_eq!((first.text.as_str(), second.header("idempotency-replayed")), (second.text.as_str(), "true"));
    assert_eq!(second.header("content-type"), "application/scim+json");
    assert_eq!(total(&get(&admin, "/Users").await), 1);
}
