//! Lists of groups in Rollbook's own API.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{ids, walk};
use crate::support::{A, B, Caller, FULL, Server, make_user};

const GROUPS: &str = "/rollbook/v1/groups";

async fn add(admin: &Caller, group: Value) {
    admin.post(GROUPS, &group).await.is(201);
}

async fn directory() -> (Server, Caller) {
    let server = Server::start();
    let admin = server.admin().await;
    add(
        &admin,
        json!({ "id": "a", "labels": { "en": "Sales", "de": "Vertrieb" }, "xp": { "n": 2 }, "communities": [A] }),
    )
    .await;
    add(&admin, json!({ "id": "b", "name": "support team", "description": "Answers", "xp": { "n": 10 } })).await;
    add(&admin, json!({ "id": "c", "name": "Support", "communities": [A, B] })).await;
    add(&admin, json!({ "id": "d", "labels": { "de": "Lager" } })).await;
    make_user(&admin, "ada").await;
    for group in ["b", "c"] {
        let pair = json!({ "UserGroupID": group, "UserID": "ada" });
        admin.post("/v1/usergroups/assignments", &pair).await.is(204);
    }
    (server, admin)
}

#[tokio::test]
async fn groups_are_filtered_searched_and_sorted() {
    let (_server, admin) = directory().await;
    let created = admin.get(&format!("{GROUPS}/c")).await["created"].as_str().unwrap().to_owned();
    for (parameters, expected) in [
        (&[][..], "a b c d"),
        (&[("sort", "name")], "d a c b"),
        (&[("sort", "-uid")], "d c b a"),
        (&[("sort", "-memberCount,id")], "b c a d"),
        (&[("sort", "labels.de")], "b c d a"),
        (&[("sort", "xp.n")], "c d a b"),
        (&[("sort", "-xp.n")], "b a d c"),
        (&[("name", "sup*")], "b c"),
        (&[("name", "!sup*"), ("memberCount", "0")], "a d"),
        (&[("memberCount", ">0")], "b c"),
        (&[("labels.de", "*")], "a d"),
        (&[("labels.de", "!*")], "b c"),
        (&[("labels.de", "vertrieb|lager")], "a d"),
        (&[("labels.en", "Sales")], "a"),
        (&[("xp.n", ">2")], "b"),
        (&[("communities", B)], "c"),
        (&[("communities", "!*")], "b d"),
        (&[("created", &*format!(">={created}"))], "c d"),
        (&[("member", "ada")], "b c"),
        (&[("member", "uid:1"), ("name", "support")], "c"),
        (&[("member", "username:ada")], "b c"),
        (&[("q", "TEAM")], "b"),
        (&[("id", "A|D")], "a d"),
        (&[("deleted", "true")], ""),
    ] {
        let reply = admin.list(GROUPS, parameters).await.is(200);
        let expected: Vec<_> = expected.split_whitespace().collect();
        assert_eq!(ids(&reply), expected, "{parameters:?}");
        assert_eq!((&reply["total"], &reply["next"]), (&json!(expected.len()), &Value::Null), "{parameters:?}");
        let paged: Vec<_> = parameters.iter().copied().chain([("limit", "1")]).collect();
        assert_eq!(walk(&admin, GROUPS, &paged).await, expected, "{parameters:?} page by page");
    }
    assert_eq!(
        admin.list(GROUPS, &[("limit", "1")]).await["items"][0],
        *admin.get(&format!("{GROUPS}/a")).await.json()
    );
    for group in ["a", "c"] {
        admin.delete(&format!("{GROUPS}/{group}")).await.is(204);
    }
    assert_eq!(walk(&admin, GROUPS, &[("deleted", "true"), ("limit", "1")]).await, ["c", "a"], "the newest first");
    assert_eq!(ids(&admin.list(GROUPS, &[("deleted", "true"), ("name", "sales")]).await), ["a"]);
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let (_server, admin) = directory().await;
    let next = admin.list(GROUPS, &[("limit", "1")]).await["next"].as_str().unwrap().to_owned();
    let garbled = next.replace(|c: char| c.is_ascii_lowercase(), "x");
    for parameters in [
        &[("nmae", "x")][..],
        &[("Name", "x")],
        &[("name", "")],
        &[("name", "a||b")],
        &[("q", "")],
        &[("limit", "0")],
        &[("limit", "1001")],
        &[("limit", "1"), ("limit", "2")],
        &[("sort", "description")],
        &[("sort", "name,")],
        &[("labels.en_US", "x")],
        &[("xp.", "x")],
        &[("memberCount", "many")],
        &[("created", "yesterday")],
        &[("member", "nobody")],
        &[("member", "uid:99")],
        &[("deleted", "false")],
        &[("deleted", "true"), ("sort", "name")],
        &[("deleted", "true"), ("xp.n", "1")],
        &[("after", "x")],
        &[("after", &*garbled)],
        &[("after", &*next), ("sort", "name")],
        &[("after", &*next), ("name", "a")],
    ] {
        admin.list(GROUPS, parameters).await.fails(400, "invalid_parameter");
    }
    assert_eq!(
        ids(&admin.list(GROUPS, &[("after", &*next), ("limit", "2")]).await),
        ["b", "c"],
        "another limit is none"
    );
}

#[tokio::test]
async fn a_limited_caller_lists_only_visible_groups_and_communities() {
    let (server, admin) = directory().await;
    let in_a = server.token(&[FULL], &[A]).await;
    let listed = in_a.list(GROUPS, &[]).await.is(200);
    assert_eq!((ids(&listed), &listed["total"]), (vec!["a".to_owned(), "c".to_owned()], &json!(2)));
    assert_eq!(listed["items"][1]["communities"], json!([A]));
    assert_eq!(ids(&in_a.list(GROUPS, &[("member", "ada")]).await), ["c"]);
    admin.delete(&format!("{GROUPS}/c")).await.is(204);
    admin.delete(&format!("{GROUPS}/b")).await.is(204);
    assert_eq!(ids(&in_a.list(GROUPS, &[("deleted", "true")]).await), ["c"]);
}

/// While writers create, rename and delete groups, a walk sees every group that stays exactly once.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_misses_and_repeats_nothing_that_stays() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut staying = BTreeSet::new();
    for number in 0..120 {
        let id = format!("stays-{number:03}");
        add(&admin, json!({ "id": id, "name": format!("Name {}", number * 7 % 120) })).await;
        staying.insert(id);
    }
    let (stop, mut writers) = (tokio::sync::watch::channel(false), JoinSet::new());
    for writer in 0..16 {
        let (admin, stopped) = (admin.clone(), stop.1.clone());
        writers.spawn(async move {
            let mut number = 0;
            while !*stopped.borrow() {
                let path = format!("{GROUPS}/w{writer}-{number}");
                admin.put(&path, &json!({ "name": format!("Name {}", number * 13 % 120) })).await.is(200);
                admin.patch(&path, &json!({ "name": format!("Name {}", number * 29 % 120) })).await.is(200);
                if number % 2 == 0 {
                    admin.delete(&path).await.is(204);
                }
                number += 1;
            }
        });
    }
    for sort in ["name", "-name", "uid", "-uid", "id", "memberCount"] {
        let seen = walk(&admin, GROUPS, &[("sort", sort), ("limit", "7")]).await;
        let stayed: Vec<_> = seen.iter().filter(|id| staying.contains(*id)).cloned().collect();
        assert_eq!(stayed.len(), staying.len(), "{sort}: repeated or missed");
        assert_eq!(stayed.into_iter().collect::<BTreeSet<_>>(), staying, "{sort}");
    }
    stop.0.send_replace(true);
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
}
