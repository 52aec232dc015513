//! Invalid parameters of lists.

use crate::support::everything;

use super::directory;

const PAGES: [&str; 7] = ["0", "-1", "1.1", "x", "2147483648", "99999999999999999999", "%2B1x"];

#[tokio::test]
async fn page_settings_out_of_range_are_refused() {
    let (_server, admin) = directory().await;
    for list in ["/v1/usergroups", "/v1/adminusers", "/v1/usergroups/assignments"] {
        for page in PAGES {
            admin.get(&format!("{list}?page={page}")).await.fails(400, "InvalidRequest");
        }
        for size in ["0", "-1", "101", "1.1", "x", "99999999999999999999"] {
            admin.get(&format!("{list}?pageSize={size}")).await.fails(400, "List.InvalidPageSize");
        }
        for repeated in ["page=1&page=1", "pageSize=1&PAGESIZE=2"] {
            admin.get(&format!("{list}?{repeated}")).await.fails(400, "InvalidRequest");
        }
        admin.get(&format!("{list}?page=2147483647&pageSize=100")).await.is(200);
    }
    for page in PAGES.into_iter().map(|page| format!("page={page}")).chain(["pageSize=101".into(), "pageSize=0".into()])
    {
        admin.get(&format!("/api/admin/v1/users-groups/list?{page}")).await.fails(400, "invalid_request");
    }
    admin.get("/api/admin/v1/users-groups/list?page=1&Page=1").await.fails(400, "invalid_request");
}

/// A script whose variable is empty must not reach another resource than it meant.
#[tokio::test]
async fn a_path_with_an_empty_segment_changes_nothing() {
    let (_server, admin) = directory().await;
    let before = everything(&admin).await;
    for path in [
        "/v1/usergroups/",
        "/v1/usergroups//assignments/u",
        "/v1/usergroups/g/assignments/",
        "/v1/usergroups//assignments/",
        "/v1/adminusers/",
        "/v1/adminusers//tokens",
        "/v1/adminusers/u/",
        "/api/admin/v1/users-groups/",
        "/oauth/certs/",
    ] {
        admin.delete(path).await.is(404);
        for method in ["GET", "PUT", "PATCH"] {
            let reply = admin.text(method, path, r#"{"Name":"N"}"#).await;
            assert!([404, 405].contains(&reply.status), "{method} {path}: {}", reply.text);
        }
    }
    assert_eq!(everything(&admin).await, before);
}

#[tokio::test]
async fn unknown_properties_are_refused() {
    let (_server, admin) = directory().await;
    let refusals = [
        ("Foo=1", "List.InvalidProperty", "UserGroup.Foo"),
        ("xp=1", "List.InvalidProperty", "UserGroup.xp"),
        ("xp.=1", "List.InvalidProperty", "UserGroup.xp."),
        ("Name|ID=x", "List.InvalidProperty", "UserGroup.Name|ID"),
        ("searchType=AnyTerm", "List.InvalidProperty", "UserGroup.searchType"),
        ("pageKey=abc", "List.InvalidProperty", "UserGroup.pageKey"),
        ("sortBy=Foo", "List.InvalidProperty", "UserGroup.Foo"),
        ("sortBy=ID,!Foo", "List.InvalidProperty", "UserGroup.Foo"),
        ("sortBy=Description", "List.InvalidSortProperty", "UserGroup.Description"),
        ("search=x&searchOn=Foo", "List.InvalidSearchProperty", "UserGroup.Foo"),
    ];
    for (query, code, property) in refusals {
        let reply = admin.get(&format!("/v1/usergroups?{query}")).await.fails(400, code);
        assert_eq!(reply["Errors"][0]["Data"]["Property"], property, "{query}");
    }
    let of_users = [
        ("Active=perhaps", "List.InvalidType"),
        ("Active=>true", "List.InvalidType"),
        ("DateCreated=yesterday", "List.InvalidType"),
        ("DateCreated=>x", "List.InvalidType"),
        ("FailedLoginAttempts=1.5", "List.InvalidType"),
        ("Password=x", "List.InvalidProperty"),
        ("sortBy=Phone", "List.InvalidSortProperty"),
        ("search=x&searchOn=Phone", "List.InvalidSearchProperty"),
    ];
    for (query, code) in of_users {
        admin.get(&format!("/v1/adminusers?{query}")).await.fails(400, code);
    }
}

#[tokio::test]
async fn invalid_text_is_refused() {
    let (_server, admin) = directory().await;
    let before = everything(&admin).await;
    for query in ["Name=%FF", "Name=a%00b", "search=%00", "sortBy=%FF", "%FF=1", "xp.%00=1", "xp.a=%C3"] {
        admin.get(&format!("/v1/usergroups?{query}")).await.fails(400, "InvalidRequest");
    }
    for query in ["page=%FF", "PAGESIZE=1%00", "foo=%FF&page=%C3"] {
        admin.get(&format!("/api/admin/v1/users-groups/list?{query}")).await.fails(400, "invalid_request");
    }
    // A parameter that is ignored may have any value.
    for query in ["foo=%FF", "%FF=1", "pa%00ge=x", "foo=%00&pageSize=1"] {
        admin.get(&format!("/api/admin/v1/users-groups/list?{query}")).await.is(200);
    }
    admin.get("/v1/usergroups/%FF").await.fails(400, "InvalidRequest");
    for path in ["/v1/usergroups/a%00b", "/v1/usergroups/a%2Fb", "/v1/usergroups/%2e%2e"] {
        admin.get(path).await.fails(404, "NotFound");
    }
    assert_eq!(everything(&admin).await, before);
}

/// An unusual filter that is valid gets a response.
#[tokio::test]
async fn unusual_filters_are_evaluated() {
    let (_server, admin) = directory().await;
    let stars = format!("Name={}", "*a".repeat(500));
    let bars = format!("Name={}", "a|".repeat(2_000));
    let odd = ["Name=", "Name=!", "Name=|", "Name=\\", "Name=!!!!g", "Name=%25_%5C%27%22", "search=%25", "search=*"];
    for query in
        odd.into_iter().chain(["sortBy=,!,,", "searchOn=Foo", "xp.a.b.c.d=1", "xp.a=>>1", "&&&=", &stars, &bars])
    {
        let reply = admin.get(&format!("/v1/usergroups?{query}")).await;
        assert!([200, 400].contains(&reply.status), "{query:.60}: {}", reply.text);
    }
    // A quote and a percent sign have no special meaning.
    for query in ["Name=%25", "Name=_", "Name=%27%20OR%201=1%20--", "search=%25", "search=_"] {
        assert_eq!(admin.get(&format!("/v1/usergroups?{query}")).await.is(200).total(), 0, "{query}");
    }
}

/// Parameters that would make a statement too long for a database are refused, however they are spelled.
#[tokio::test]
async fn too_costly_lists_are_refused() {
    let (server, admin) = directory().await;
    let many = |unit: &str, count: usize| unit.repeat(count);
    let paths = |count: usize| (0..count).map(|at| format!("xp.{at}")).collect::<Vec<_>>().join(",");
    let endless = [
        format!("Name={}", many(">a|", 2_000)),
        format!("xp.a={}", many("!1|", 2_000)),
        many("ID=!a&", 2_000),
        many("xp.a=1&", 2_000),
        many("sortBy=ID&", 1) + &many("CompanyID=*&", 1_000),
        format!("sortBy={}", paths(2_000)),
        format!("search=a&searchOn={}", paths(2_000)),
    ];
    for query in endless {
        let list = if query.contains("CompanyID") { "/v1/adminusers" } else { "/v1/usergroups" };
        admin.get(&format!("{list}?{query}")).await.fails(400, "List.TooCostly");
    }
    let most = [
        format!("Name={}", many(">a|", 200)),
        format!("Name={}", many("a|", 8_000)),
        format!("xp.a={}", many("1|", 8_000)),
        many("xp.a=!1&", 200),
        format!("sortBy={}", paths(20)),
        format!("search=abc&searchOn={}", paths(200)),
    ];
    for query in most {
        admin.get(&format!("/v1/usergroups?{query}")).await.is(200);
    }
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}
