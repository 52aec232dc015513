//! Pages, search and order (docs/ordercloud.md, section 6).

use serde_json::json;

use crate::support::{Caller, Server, make_groups};

const GROUPS: &str = "/v1/usergroups";

async fn found(caller: &Caller, query: &str) -> Vec<String> {
    let listed = caller.get(&format!("{GROUPS}?{query}")).await.is(200);
    assert_eq!(listed.ids().len() as u64, listed.total(), "{query}");
    listed.ids()
}

#[tokio::test]
async fn meta_describes_the_page() {
    let server = Server::start();
    let admin = server.admin().await;
    let meta = |page, size, total, pages, range: [u32; 2]| json!({ "Page": page, "PageSize": size, "TotalCount": total, "TotalPages": pages, "ItemRange": range, "NextPageKey": null });
    let empty = admin.get(GROUPS).await.is(200);
    assert_eq!(empty.json(), &json!({ "Meta": meta(1, 20, 0, 0, [0, 0]), "Items": [] }));
    let ids: Vec<_> = (10..35).map(|number| format!("g{number}")).collect();
    make_groups(&admin, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for (query, expected, items) in [
        ("", meta(1, 20, 25, 2, [1, 20]), &ids[..20]),
        ("page=2", meta(2, 20, 25, 2, [21, 25]), &ids[20..]),
        ("Page=2&PAGESIZE=10", meta(2, 10, 25, 3, [11, 20]), &ids[10..20]),
        ("page=3", meta(3, 20, 25, 2, [0, 0]), &[]),
        ("pageSize=100", meta(1, 100, 25, 1, [1, 25]), &ids[..]),
        ("page=2147483647&pageSize=1", meta(2_147_483_647_u32, 1, 25, 25, [0, 0]), &[]),
        ("search=g1&pageSize=4&page=3", meta(3, 4, 10, 3, [9, 10]), &ids[8..10]),
    ] {
        let listed = admin.get(&format!("{GROUPS}?{query}")).await.is(200);
        assert_eq!((&listed["Meta"], listed.ids()), (&expected, items.to_vec()), "{query}");
    }
}

#[tokio::test]
async fn long_lists_are_paged_by_last_id() {
    let server = Server::start();
    let admin = server.admin().await;
    let ids = ["a", "B", "c-1", "c_1", "C1", "d"];
    make_groups(&admin, &ids).await;
    let (mut observed, mut last) = (Vec::new(), String::new());
    loop {
        let page =
            admin.list(GROUPS, &[("sortBy", "ID"), ("ID", &format!(">{last}")), ("pageSize", "2")]).await.is(200);
        let Some(next) = page.ids().pop() else { break };
        (observed, last) = ([observed, page.ids()].concat(), next);
    }
    let mut expected = ids.map(str::to_owned).to_vec();
    expected.sort_by_key(|id| id.to_lowercase());
    assert_eq!(observed, expected, "comparisons and order agree");
}

#[tokio::test]
async fn groups_are_sorted_by_name_then_id_by_default() {
    let server = Server::start();
    let admin = server.admin().await;
    for (id, name, rank) in
        [("3", "alpha", json!(2)), ("1", "Beta", json!("x")), ("2", "ALPHA", json!(10)), ("4", "beta", json!(null))]
    {
        admin.post(GROUPS, &json!({ "ID": id, "Name": name, "xp": { "Rank": rank } })).await.is(201);
    }
    admin.post(GROUPS, &json!({ "ID": "5", "Name": "éa" })).await.is(201);
    admin.post(GROUPS, &json!({ "ID": "6", "Name": "zz", "xp": { "Rank": [7, 1], "Deep": { "K": 1 } } })).await.is(201);
    for (by, expected) in [
        ("", "231465"),
        ("Name", "231465"),
        ("!Name", "561423"),
        ("name,!id", "324165"),
        ("!!Name, ID,NAME", "561423"),
        ("!ID", "654321"),
        ("xp.Rank", "456321"),
        ("!xp.Rank", "123645"),
        ("xp.rank", "231465"),
        ("xp.Deep.K,!ID", "543216"),
        (",!, ", "231465"),
    ] {
        let listed = admin.list(GROUPS, &[("sortBy", by)]).await.is(200);
        assert_eq!(listed.ids().concat(), expected, "{by}");
    }
}

#[tokio::test]
async fn a_search_matches_substrings_of_any_length() {
    let server = Server::start();
    let admin = server.admin().await;
    let groups = [
        json!({ "ID": "smiths", "Name": "The McSmiths", "Description": "Beats 100% of all" }),
        json!({ "ID": "strasse", "Name": "Große Straße", "xp": { "Dept": "IT Support", "N": 42 } }),
        json!({ "ID": "cafe", "Name": "Cafe\u{301} *", "Description": "smith_er" }),
    ];
    for group in &groups {
        admin.post(GROUPS, group).await.is(201);
    }
    for (query, expected) in [
        ("search=SMITH", &["cafe", "smiths"][..]),
        ("search=s", &["cafe", "smiths", "strasse"]),
        ("search=mc", &["smiths"]),
        ("search=eats", &["smiths"]),
        ("search=STRASSE", &["strasse"]),
        ("search=gro%C3%9Fe%20str", &["strasse"]),
        ("search=the+mcs", &["smiths"]),
        ("search=caf%C3%A9", &["cafe"]),
        ("search=*", &["cafe"]),
        ("search=%25", &["smiths"]),
        ("search=_", &["cafe"]),
        ("search=mc the", &[]),
        ("search=", &["cafe", "smiths", "strasse"]),
        ("search=smith&searchOn=Name", &["smiths"]),
        ("search=smith&searchOn=description,ID", &["cafe", "smiths"]),
        ("search=support", &[]),
        ("search=support&searchOn=xp.Dept", &["strasse"]),
        ("search=4&searchOn=xp.N,Name", &["strasse"]),
        ("searchOn=Nonsense", &["cafe", "smiths", "strasse"]),
        ("search=smith&Description=!*", &[]),
    ] {
        assert_eq!(found(&admin, &format!("{query}&sortBy=ID")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn lists_follow_every_change() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(GROUPS, &json!({ "ID": "g", "Name": "First name", "xp": { "k": "one" } })).await.is(201);
    admin.patch("/v1/usergroups/g", &json!({ "Name": "Second name", "xp": { "k": "two" } })).await.is(200);
    for (query, total) in
        [("search=first", 0), ("search=second", 1), ("xp.k=one", 0), ("xp.k=two", 1), ("Name=second*", 1)]
    {
        assert_eq!(admin.get(&format!("{GROUPS}?{query}")).await.is(200).total(), total, "{query}");
    }
    admin.patch("/v1/usergroups/g", &json!({ "ID": "renamed" })).await.is(200);
    for (query, total) in [("search=renamed", 1), ("ID=g", 0), ("ID=RENAMED", 1)] {
        assert_eq!(admin.get(&format!("{GROUPS}?{query}")).await.is(200).total(), total, "{query}");
    }
    admin.delete("/v1/usergroups/renamed").await.is(204);
    for query in ["", "search=second", "xp.k=two", "xp.k=*"] {
        assert_eq!(admin.get(&format!("{GROUPS}?{query}")).await.is(200).total(), 0, "{query}");
    }
}
