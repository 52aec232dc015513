//! Assignments (docs/ordercloud.md, section 7).

use serde_json::{Value, json};

use crate::support::{A, B, Caller, FULL, Reply, Server, make_group, make_groups, make_user};

const ASSIGNMENTS: &str = "/v1/usergroups/assignments";

async fn assign(caller: &Caller, group: &str, user: &str) -> Reply {
    caller.post(ASSIGNMENTS, &json!({ "UserGroupID": group, "UserID": user })).await
}

async fn pairs(caller: &Caller, query: &str) -> Vec<(String, String)> {
    let listed = caller.get(&format!("{ASSIGNMENTS}?pageSize=100&{query}")).await.is(200);
    let items = listed["Items"].as_array().unwrap().clone();
    assert_eq!(items.len() as u64, listed.total());
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    items.iter().map(|item| (text(item, "UserGroupID"), text(item, "UserID"))).collect()
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(group, user)| ((*group).to_owned(), (*user).to_owned())).collect()
}

#[tokio::test]
async fn saving_one_answers_204_as_often_as_it_is_saved() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["Sales"]).await;
    make_user(&admin, "Ada").await;
    for (group, user) in [("Sales", "Ada"), ("Sales", "Ada"), ("SALES", "ada")] {
        let saved = assign(&admin, group, user).await.is(204);
        assert_eq!((saved.text.as_str(), saved.header("content-type")), ("", ""));
    }
    assert_eq!(pairs(&admin, "").await, expected(&[("Sales", "Ada")]), "in the casing they have");
    admin.delete("/v1/usergroups/sales/assignments/ADA").await.is(204);
    assert_eq!(pairs(&admin, "").await, []);
}

#[tokio::test]
async fn the_group_is_checked_before_the_user() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["g"]).await;
    make_user(&admin, "u").await;
    let missing = async |group: &str, user: &str| assign(&admin, group, user).await.fails(404, "NotFound");
    let data = |kind: &str, id: &str| json!({ "ObjectType": kind, "ObjectID": id });
    assert_eq!(missing("no", "nobody").await["Errors"][0]["Data"], data("UserGroup", "no"));
    assert_eq!(missing("g", "nobody").await["Errors"][0]["Data"], data("User", "nobody"));
    let delete = async |path: &str| admin.delete(path).await.fails(404, "NotFound");
    delete("/v1/usergroups/g/assignments/u").await;
    delete("/v1/usergroups/no/assignments/u").await;
    delete("/v1/usergroups/g/assignments/nobody").await;
    // Users and groups have separate IDs: a user may have the ID of a group.
    make_user(&admin, "g").await;
    assign(&admin, "g", "g").await.is(204);
}

#[tokio::test]
async fn assignments_are_listed_by_group_then_user_and_filtered_by_id() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["b", "A", "c"]).await;
    for user in ["y", "X", "z"] {
        make_user(&admin, user).await;
    }
    for (group, user) in [("c", "z"), ("b", "y"), ("b", "X"), ("A", "z"), ("A", "y")] {
        assign(&admin, group, user).await.is(204);
    }
    let all = [("A", "y"), ("A", "z"), ("b", "X"), ("b", "y"), ("c", "z")];
    assert_eq!(pairs(&admin, "").await, expected(&all));
    for (query, found) in [
        ("userGroupID=B", &all[2..4]),
        ("userID=z", &[("A", "z"), ("c", "z")]),
        ("USERGROUPID=a&UserID=Z", &[("A", "z")]),
        ("userGroupID=c&userID=y", &[]),
        ("userGroupID=nothing", &[]),
        ("userGroupID=a|b", &[]),
        ("userGroupID=*", &[]),
        ("depth=all", &all),
        ("Depth=&userGroupID=c", &[("c", "z")]),
    ] {
        assert_eq!(pairs(&admin, query).await, expected(found), "{query}");
    }
    let page = admin.get(&format!("{ASSIGNMENTS}?page=2&pageSize=2")).await.is(200);
    let meta =
        json!({ "Page": 2, "PageSize": 2, "TotalCount": 5, "TotalPages": 3, "ItemRange": [3, 4], "NextPageKey": null });
    assert_eq!(page["Meta"], meta);
    assert_eq!(page["Items"][0], json!({ "UserGroupID": "b", "UserID": "X" }));
}

/// A script that deletes what it listed must not delete more than it meant to.
#[tokio::test]
async fn an_unknown_parameter_or_an_empty_value_lists_nothing() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["g"]).await;
    make_user(&admin, "u").await;
    assign(&admin, "g", "u").await.is(204);
    for query in [
        "groupID=g",
        "userGroupID=g&user=u",
        "usergroup=g",
        "search=g",
        "sortBy=UserID",
        "userGroupID=",
        "userID=&userGroupID=g",
        "USERID",
        "userGroupID=g&=u",
        "page=",
        "xp.a=1",
    ] {
        admin.get(&format!("{ASSIGNMENTS}?{query}")).await.fails(400, "InvalidRequest");
    }
    admin.get(&format!("{ASSIGNMENTS}?pageSize=")).await.fails(400, "List.InvalidPageSize");
    let observed = admin.get(&format!("{ASSIGNMENTS}?groupID=g")).await.text;
    assert!(observed.contains("groupID is not a parameter of this list."), "{observed}");
}

#[tokio::test]
async fn assignments_are_deleted_with_their_group_and_user() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["g", "h"]).await;
    for user in ["u", "v"] {
        make_user(&admin, user).await;
        assign(&admin, "g", user).await.is(204);
        assign(&admin, "h", user).await.is(204);
    }
    admin.delete("/v1/usergroups/g").await.is(204);
    assert_eq!(pairs(&admin, "").await, expected(&[("h", "u"), ("h", "v")]), "members do not keep a group");
    admin.delete("/v1/adminusers/u").await.is(204);
    assert_eq!(pairs(&admin, "").await, expected(&[("h", "v")]));
    assign(&admin, "g", "v").await.fails(404, "NotFound");
    assign(&admin, "h", "u").await.fails(404, "NotFound");
    // A new entity with the same ID has none of the old one's assignments.
    make_groups(&admin, &["g"]).await;
    make_user(&admin, "u").await;
    assert_eq!(pairs(&admin, "").await, expected(&[("h", "v")]));
    assign(&admin, "g", "u").await.is(204);
}

#[tokio::test]
async fn a_renamed_user_keeps_its_groups() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["g"]).await;
    make_user(&admin, "u").await;
    assign(&admin, "g", "u").await.is(204);
    admin.patch("/v1/adminusers/u", &json!({ "ID": "w" })).await.is(200);
    assert_eq!(pairs(&admin, "userID=w").await, expected(&[("g", "w")]));
    assert_eq!(pairs(&admin, "userID=u").await, []);
}

#[tokio::test]
async fn limited_callers_see_and_change_assignments_of_their_groups() {
    let server = Server::start();
    let (admin, of_a) = (server.admin().await, server.token(&[FULL], &[A]).await);
    make_group(&admin, "own", &[A]).await;
    make_group(&admin, "other", &[B]).await;
    let id = async |name: &str| admin.list("/v1/usergroups", &[("Name", name)]).await.is(200).ids().remove(0);
    let (own, other) = (id("own").await, id("other").await);
    make_user(&admin, "u").await;
    for group in [&own, &other] {
        assign(&admin, group, "u").await.is(204);
    }
    assert_eq!(pairs(&of_a, "").await, expected(&[(&own, "u")]), "the total does not reveal the others");
    assert_eq!(pairs(&of_a, &format!("userGroupID={other}")).await, []);
    assert_eq!(pairs(&of_a, "userID=u").await, expected(&[(&own, "u")]));
    let unseen = assign(&of_a, &other, "u").await.fails(404, "NotFound").text;
    assert_eq!(unseen.replace(&other, "no-such"), assign(&of_a, "no-such", "u").await.text, "the same words");
    of_a.delete(&format!("/v1/usergroups/{other}/assignments/u")).await.fails(404, "NotFound");
    of_a.delete(&format!("/v1/usergroups/{own}/assignments/u")).await.is(204);
    assert_eq!(pairs(&admin, "").await, expected(&[(&other, "u")]));
}
