//! Lists of users in Rollbook's own API.

use serde_json::{Value, json};

use super::users::USERS;
use super::{ids, walk};
use crate::support::{A, AUDITOR, B, Caller, FULL, GROUP_ADMIN, PASSWORD, Server, USER_READER};

/// Four users and three groups: `x` has a and b, `y` has b, `z`, which is linked to community A, has c.
async fn directory() -> (Server, Caller) {
    let server = Server::start();
    let admin = server.admin().await;
    for body in [
        json!({
            "id": "a", "username": "zoe", "firstName": "Zoe", "lastName": "Berg", "email": "zoe@b.org", "phone": "1",
            "roles": [AUDITOR], "xp": { "n": 2 }, "password": PASSWORD,
        }),
        json!({
            "id": "b", "username": "max", "firstName": "Max", "lastName": "Åberg", "email": "max@a.org",
            "roles": [AUDITOR, GROUP_ADMIN], "communities": [A, B], "xp": { "n": 10 },
            "termsAccepted": "2026-01-01T00:00:00Z", "password": PASSWORD,
        }),
        json!({
            "id": "c", "username": "ann", "firstName": "Ann", "lastName": "Berg", "email": "ann@a.org",
            "communities": [B], "active": false,
        }),
        json!({ "id": "d", "username": "lea", "firstName": "Lea", "lastName": "Cole", "email": "lea@a.org" }),
    ] {
        admin.post(USERS, &body).await.is(201);
    }
    for (group, communities, members) in [("x", json!([]), "a b"), ("y", json!([]), "b"), ("z", json!([A]), "c")] {
        let body = json!({ "id": group, "name": group, "communities": communities });
        admin.post("/rollbook/v1/groups", &body).await.is(201);
        for member in members.split(' ') {
            let pair = json!({ "UserGroupID": group, "UserID": member });
            admin.post("/v1/usergroups/assignments", &pair).await.is(204);
        }
    }
    for _ in 0..10 {
        server.log_on("max", "wrong").await.is(401);
    }
    server.log_on("zoe", PASSWORD).await.is(200);
    (server, admin)
}

#[tokio::test]
async fn users_are_filtered_searched_and_sorted() {
    let (_server, admin) = directory().await;
    let created = admin.get(&format!("{USERS}/c")).await["created"].as_str().unwrap().to_owned();
    for (parameters, expected) in [
        (&[][..], "a b c d"),
        (&[("sort", "-uid")], "d c b a"),
        (&[("sort", "-id")], "d c b a"),
        (&[("sort", "username")], "c d b a"),
        (&[("sort", "firstName")], "c d b a"),
        (&[("sort", "lastName,-firstName")], "a c d b"),
        (&[("sort", "email")], "c d b a"),
        (&[("sort", "-lastActive,uid")], "a b c d"),
        (&[("sort", "lastActive,-created")], "d c b a"),
        (&[("sort", "-created")], "d c b a"),
        (&[("sort", "-xp.n,uid")], "b a c d"),
        (&[("id", "A|D")], "a d"),
        (&[("username", "*a*")], "b c d"),
        (&[("firstName", "!ann")], "a b d"),
        (&[("lastName", "berg"), ("active", "true")], "a"),
        (&[("email", "*@a.org")], "b c d"),
        (&[("phone", "*")], "a"),
        (&[("active", "false")], "c"),
        (&[("termsAccepted", ">2025-12-31")], "b"),
        (&[("passwordSet", "true")], "a b"),
        (&[("passwordSet", "false")], "c d"),
        (&[("roles", "Auditor")], "a b"),
        (&[("roles", "AdminUserGroupAdmin")], "b"),
        (&[("roles", "!Auditor")], "c d"),
        (&[("communities", B)], "b c"),
        (&[("communities", "!*")], "a d"),
        (&[("lockedUntil", "*")], "b"),
        (&[("locked", "true")], "b"),
        (&[("failedSignIns", ">9")], "b"),
        (&[("lastActive", "*")], "a"),
        (&[("created", &*format!(">={created}"))], "c d"),
        (&[("xp.n", ">2")], "b"),
        (&[("memberOf", "x")], "a b"),
        (&[("memberOf", "x"), ("memberOf", "uid:2")], "b"),
        (&[("memberOf", "x"), ("memberOf", "z")], ""),
        (&[("memberOf", "X"), ("roles", "Auditor"), ("sort", "-uid")], "b a"),
        (&[("withoutGroups", "true")], "d"),
        (&[("withoutGroups", "true"), ("active", "false")], ""),
        (&[("q", "BERG")], "a b c"),
        (&[("q", "b.org")], "a"),
        (&[("deleted", "true")], ""),
    ] {
        let reply = admin.list(USERS, parameters).await.is(200);
        let expected: Vec<_> = expected.split_whitespace().collect();
        assert_eq!(ids(&reply), expected, "{parameters:?}");
        assert_eq!((&reply["total"], &reply["next"]), (&json!(expected.len()), &Value::Null), "{parameters:?}");
        let paged: Vec<_> = parameters.iter().copied().chain([("limit", "1")]).collect();
        assert_eq!(walk(&admin, USERS, &paged).await, expected, "{parameters:?} page by page");
    }
    let mut single = admin.get(&format!("{USERS}/a")).await.json().clone();
    single.as_object_mut().unwrap().remove("groupCount").unwrap();
    assert_eq!(admin.list(USERS, &[("limit", "1")]).await["items"][0], single, "lists do not count groups");
    for user in ["a", "c"] {
        admin.delete(&format!("{USERS}/{user}")).await.is(204);
    }
    assert_eq!(walk(&admin, USERS, &[("deleted", "true"), ("limit", "1")]).await, ["c", "a"], "the newest first");
    for (name, value) in [("lastName", "Berg"), ("active", "true"), ("phone", "1"), ("username", "z*")] {
        let found = ids(&admin.list(USERS, &[("deleted", "true"), (name, value)]).await);
        assert!(found.contains(&"a".to_owned()), "{name}={value}: {found:?}");
    }
    assert_eq!(ids(&admin.list(USERS, &[("deleted", "true"), ("id", "a")]).await), ["a"]);
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let (_server, admin) = directory().await;
    let next = admin.list(USERS, &[("limit", "1")]).await["next"].as_str().unwrap().to_owned();
    let of_groups = admin.list("/rollbook/v1/groups", &[("limit", "1")]).await["next"].as_str().unwrap().to_owned();
    let many = vec![("memberOf", "x"); 201];
    for parameters in [
        &[("lastname", "x")][..],
        &[("Id", "x")],
        &[("uid", "1")],
        &[("updated", ">2026-01-01")],
        &[("groupCount", "1")],
        &[("password", "x")],
        &[("labels.en", "x")],
        &[("member", "a")],
        &[("lastName", "")],
        &[("lastName", "a||b")],
        &[("roles", "|")],
        &[("active", "yes")],
        &[("passwordSet", "*")],
        &[("failedSignIns", "many")],
        &[("created", "yesterday")],
        &[("limit", "0")],
        &[("limit", "1001")],
        &[("q", "")],
        &[("sort", "phone")],
        &[("sort", "groupCount")],
        &[("sort", "lastName,")],
        &[("memberOf", "")],
        &[("memberOf", "nothing")],
        &[("memberOf", "x"), ("memberOf", "uid:99")],
        &[("memberOf", "a b")],
        &[("withoutGroups", "false")],
        &[("withoutGroups", "true"), ("withoutGroups", "true")],
        &[("locked", "yes")],
        &[("locked", "")],
        &[("deleted", "false")],
        &[("deleted", "true"), ("sort", "id")],
        &[("deleted", "true"), ("memberOf", "x")],
        &[("deleted", "true"), ("roles", "Auditor")],
        &[("after", "x")],
        &[("after", &*of_groups)],
        &[("after", &*next), ("sort", "id")],
    ] {
        admin.list(USERS, parameters).await.fails(400, "invalid_parameter");
    }
    admin.list(USERS, &many).await.fails(400, "too_costly");
    assert_eq!(ids(&admin.list(USERS, &[("after", &*next), ("limit", "2")]).await), ["b", "c"]);
}

#[tokio::test]
async fn a_limited_caller_lists_by_visible_groups_and_communities() {
    let (server, _admin) = directory().await;
    let in_a = server.token(&[FULL], &[A]).await;
    let listed = in_a.list(USERS, &[]).await.is(200);
    assert_eq!(ids(&listed), ["a", "b", "c", "d"], "every user, with their own communities");
    assert_eq!((&listed["items"][1]["communities"], &listed["items"][2]["communities"]), (&json!([A]), &json!([])));
    assert_eq!(ids(&in_a.list(USERS, &[("communities", B)]).await), Vec::<String>::new());
    assert_eq!(ids(&in_a.list(USERS, &[("communities", A)]).await), ["b"]);
    assert_eq!(ids(&in_a.list(USERS, &[("memberOf", "z")]).await), ["c"]);
    in_a.list(USERS, &[("memberOf", "x")]).await.fails(400, "invalid_parameter");
    assert_eq!(ids(&in_a.list(USERS, &[("withoutGroups", "true")]).await), ["a", "b", "d"]);
    let reader = server.token(&[USER_READER], &[]).await;
    reader.list(USERS, &[("memberOf", "x")]).await.fails(403, "forbidden");
    assert_eq!(ids(&reader.list(USERS, &[("withoutGroups", "true")]).await), ["d"]);
    server.token(&[GROUP_ADMIN], &[]).await.get(USERS).await.fails(403, "forbidden");
}
