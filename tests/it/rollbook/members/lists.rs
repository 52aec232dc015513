//! Lists of members and of the groups of a user.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{MEMBERS, directory, ids, make_user, member, with};
use crate::support::Caller;

/// The IDs on all pages of a walk with these parameters.
async fn walk(caller: &Caller, parameters: &[(&str, &str)]) -> Vec<String> {
    let (mut all, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let mut query = parameters.to_vec();
        query.extend(after.as_deref().map(|cursor| ("after", cursor)));
        let page = caller.list(MEMBERS, &query).await.is(200);
        all.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return all,
        }
    }
}

#[tokio::test]
async fn members_are_sorted_and_searched() {
    let (_server, admin) = directory(&["cy", "ada", "bob"]).await;
    for (user, last) in [("ada", "Zu"), ("bob", "Ypsilanti"), ("cy", "Xu")] {
        admin.patch(&format!("/v1/adminusers/{user}"), &json!({ "LastName": last })).await.is(200);
        admin.put(&member(user), &Value::Null).await.is(204);
    }
    for (parameters, expected) in [
        (&[][..], "ada bob cy"),
        (&[("sort", "id")], "ada bob cy"),
        (&[("sort", "-id")], "cy bob ada"),
        (&[("sort", "since")], "ada bob cy"),
        (&[("sort", "-since")], "cy bob ada"),
        (&[("sort", "uid")], "cy ada bob"),
        (&[("sort", "username")], "ada bob cy"),
        (&[("sort", "lastName")], "cy bob ada"),
        (&[("sort", "firstName")], "cy ada bob"),
        (&[("sort", "-email")], "cy bob ada"),
        (&[("sort", "created")], "cy ada bob"),
        (&[("sort", "lastActive")], "cy ada bob"),
        (&[("q", "U")], "ada cy"),
        (&[("q", "psi"), ("sort", "-since")], "bob"),
        (&[("q", "bob@ex")], "bob"),
        (&[("q", "nobody")], ""),
    ] {
        let reply = admin.list(MEMBERS, parameters).await.is(200);
        let expected: Vec<_> = expected.split_whitespace().collect();
        assert_eq!(ids(&reply), expected, "{parameters:?}");
        assert_eq!((&reply["total"], &reply["next"]), (&json!(expected.len()), &Value::Null), "{parameters:?}");
        let paged: Vec<_> = parameters.iter().copied().chain([("limit", "1")]).collect();
        assert_eq!(walk(&admin, &paged).await, expected, "{parameters:?} page by page");
    }
}

#[tokio::test]
async fn garbled_and_foreign_cursors_are_refused() {
    let (_server, admin) = directory(&["ada", "bob", "cy"]).await;
    let users = json!({ "members": ["ada", "bob", "cy"] });
    admin.put(MEMBERS, &users).await.is(200);
    admin.post("/rollbook/v1/groups", &json!({ "id": "other", "name": "Other" })).await.is(201);
    let other = "/rollbook/v1/groups/other/members";
    admin.put(other, &users).await.is(200);
    let next = admin.list(MEMBERS, &[("limit", "1")]).await["next"].as_str().unwrap().to_owned();
    let garbled = next.replace(|c: char| c.is_ascii_lowercase(), "x");
    for parameters in [
        &[("after", "x")][..],
        &[("after", &*garbled)],
        &[("after", &*next), ("sort", "since")],
        &[("after", &*next), ("q", "a")],
        &[("after", "")],
        &[("limit", "0")],
        &[("limit", "1001")],
        &[("sort", "name")],
        &[("sort", "id,since")],
        &[("sort", "")],
        &[("sort", "-")],
        &[("q", "")],
        &[("id", "ada")],
    ] {
        admin.list(MEMBERS, parameters).await.fails(400, "invalid_parameter");
    }
    admin.list(other, &[("after", &next)]).await.fails(400, "invalid_parameter");
    admin.list("/rollbook/v1/users/ada/groups", &[("after", &next)]).await.fails(400, "invalid_parameter");
    admin.list("/rollbook/v1/groups", &[("after", &next)]).await.fails(400, "invalid_parameter");
    for address in ["G", "uid:1"] {
        let path = format!("/rollbook/v1/groups/{address}/members");
        assert_eq!(ids(&admin.list(&path, &[("after", &*next), ("limit", "9")]).await.is(200)), ["bob", "cy"]);
    }
    let joined = "/rollbook/v1/users/ada/groups";
    let next = admin.list(joined, &[("limit", "1")]).await["next"].as_str().unwrap().to_owned();
    assert_eq!(admin.list(joined, &[("after", &*next)]).await.is(200)["items"][0]["group"]["id"], "other");
    admin.list("/rollbook/v1/users/bob/groups", &[("after", &next)]).await.fails(400, "invalid_parameter");
}

#[tokio::test]
async fn a_page_that_the_client_has_is_not_sent_again() {
    let (_server, admin) = directory(&["ada", "bob"]).await;
    admin.put(&member("ada"), &Value::Null).await.is(204);
    let tag = admin.get(MEMBERS).await.is(200).header("etag").to_owned();
    let get = async |path: &str| with(&admin, "GET", path, ("if-none-match", &tag), &Value::Null).await;
    let unchanged = get(MEMBERS).await.is(304);
    assert_eq!((&*unchanged.text, unchanged.header("etag")), ("", &*tag));
    with(&admin, "GET", MEMBERS, ("if-match", &tag), &Value::Null).await.is(200);
    with(&admin, "GET", MEMBERS, ("if-match", r#""rollbook-1-1""#), &Value::Null).await.is(412);
    // Another page is something else, and so is the page once it shows something else.
    get(&format!("{MEMBERS}?q=b")).await.is(200);
    admin.patch("/v1/adminusers/ada", &json!({ "LastName": "King" })).await.is(200);
    assert_eq!(get(MEMBERS).await.is(200)["items"][0]["user"]["lastName"], "King");
    admin.put(&member("bob"), &Value::Null).await.is(204);
    get(MEMBERS).await.is(200);
}

#[tokio::test]
async fn the_groups_of_a_user_are_listed() {
    let (_server, admin) = directory(&["ada"]).await;
    for name in ["b", "a", "c"] {
        admin.post("/rollbook/v1/groups", &json!({ "id": format!("group-{name}"), "name": name })).await.is(201);
        admin.put(&format!("/rollbook/v1/groups/group-{name}/members/ada"), &Value::Null).await.is(204);
    }
    let joined = "/rollbook/v1/users/username:ADA/groups";
    let listed = admin.get(joined).await.is(200);
    let first = &listed["items"][0];
    assert_eq!(first["group"], json!({ "uid": 2, "id": "group-b", "name": "b" }));
    assert!(first["since"].is_string() && first["addedBy"]["client"]["id"] == "admin", "{first}");
    assert_eq!((&listed["total"], &listed["next"]), (&json!(3), &Value::Null));
    for (sort, expected) in [("uid", "b a c"), ("-uid", "c a b"), ("name", "a b c"), ("-name", "c b a")] {
        let listed = admin.list(joined, &[("sort", sort)]).await.is(200);
        let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| &item["group"]["name"]).collect();
        assert_eq!(json!(names), json!(expected.split(' ').collect::<Vec<_>>()), "{sort}");
    }
    for wrong in ["sort=id", "q=a", "limit=0", "after=x"] {
        admin.get(&format!("{joined}?{wrong}")).await.fails(400, "invalid_parameter");
    }
    for missing in ["nobody", "uid:9", "username:x", "a%20b"] {
        admin.get(&format!("/rollbook/v1/users/{missing}/groups")).await.fails(404, "not_found");
    }
    admin.delete("/v1/adminusers/ada").await.is(204);
    assert_eq!(admin.get("/rollbook/v1/users/uid:1/groups").await.is(200)["total"], 0);
    admin.get("/rollbook/v1/users/ada/groups").await.fails(404, "not_found");
}

/// While writers add and remove others, a walk sees every member who stays exactly once.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_misses_and_repeats_nobody_who_stays() {
    let (_server, admin) = directory(&[]).await;
    let (mut staying, mut coming) = (BTreeSet::new(), Vec::new());
    for number in 0..60 {
        let (stays, comes) = (format!("u{number:02}-stays"), format!("u{number:02}-comes"));
        make_user(&admin, &stays).await;
        make_user(&admin, &comes).await;
        staying.insert(stays);
        coming.push(comes);
    }
    admin.patch(MEMBERS, &json!({ "add": staying })).await.is(200);
    let (stop, mut writers) = (tokio::sync::watch::channel(false), JoinSet::new());
    for writer in 0..8 {
        let (admin, stopped) = (admin.clone(), stop.1.clone());
        let own: Vec<_> = coming.iter().skip(writer).step_by(8).cloned().collect();
        writers.spawn(async move {
            while !*stopped.borrow() {
                admin.patch(MEMBERS, &json!({ "add": own })).await.is(200);
                admin.delete(&member(&own[0])).await.is(204);
                admin.patch(MEMBERS, &json!({ "remove": own })).await.is(200);
            }
        });
    }
    for sort in ["id", "-id", "since", "-since", "uid", "lastName"] {
        let seen = walk(&admin, &[("sort", sort), ("limit", "7")]).await;
        let stayed: Vec<_> = seen.iter().filter(|id| staying.contains(*id)).cloned().collect();
        assert_eq!(stayed.len(), staying.len(), "{sort}: repeated or missed");
        assert_eq!(stayed.into_iter().collect::<BTreeSet<_>>(), staying, "{sort}");
    }
    stop.0.send_replace(true);
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
}
