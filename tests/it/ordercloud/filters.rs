//! The filter language (docs/ordercloud.md, section 6), as the vendor's clients send it.

use serde_json::json;

use crate::support::{Caller, Server};

const GROUPS: &str = "/v1/usergroups";

async fn directory() -> (Server, Caller) {
    let server = Server::start();
    let admin = server.admin().await;
    for group in [
        json!({ "ID": "a", "Name": "Admins", "Description": "x", "xp": { "N": 5, "Color": "Red", "Geo": { "Lat": 12.5 } } }),
        json!({ "ID": "b", "Name": "Back office", "xp": { "N": "30", "Color": ["blue", "GREEN"], "Flag": false, "Zero": 0 } }),
        json!({ "ID": "c", "Name": "C&D=e+f g/é~'()#\\*%", "Description": "", "xp": { "N": 30, "Color": null, "At": "2015-06-01" } }),
        json!({ "ID": "d", "Name": "Devops|2", "Description": "y", "xp": { "Items": [{ "Sku": "A" }, { "Sku": "B" }], "k.l": 1, "E": [] } }),
        json!({ "ID": "e", "Name": "!Early" }),
    ] {
        admin.post(GROUPS, &group).await.is(201);
    }
    (server, admin)
}

/// The IDs, as one text, of what a query as it stands in the URL finds.
async fn found(admin: &Caller, query: &str) -> String {
    let listed = admin.get(&format!("{GROUPS}?sortBy=ID&{query}")).await.is(200);
    assert_eq!(listed.ids().len() as u64, listed.total(), "{query}");
    listed.ids().concat()
}

async fn check(admin: &Caller, rows: &[(&str, &str)]) {
    for (query, expected) in rows {
        assert_eq!(found(admin, query).await, *expected, "{query}");
    }
}

#[tokio::test]
async fn operators_on_text() {
    let (_server, admin) = directory().await;
    let rows = [
        ("Name=admins", "a"),
        ("name=ADMINS", "a"),
        ("Name==admins", "a"),
        ("Name=!admins", "bcde"),
        ("Name=!=admins", "bcde"),
        ("Name=!!admins", "a"),
        ("Name=!a&Name=!b", "abcde"),
        ("ID=!a&ID=!b", "cde"),
        ("ID=a|b", "ab"),
        ("ID=!a|b", "bcde"),
        ("ID=a|", "a"),
        ("ID=", "abcde"),
        ("ID=!", "abcde"),
        ("ID=|", "abcde"),
        ("Name=*o*", "bd"),
        ("Name=Adm*|*office", "ab"),
        ("Name=a*n*s", "a"),
        ("Name=!*o*", "ace"),
        ("ID=>b", "cde"),
        ("ID=>B&ID=<D", "c"),
        ("ID=>=b&ID=<=d", "bcd"),
        ("ID=!<b&ID=!>d", "bcd"),
        ("ID==<b", "ab"),
        ("ID=!>=b", "a"),
        ("Description=*", "acd"),
        ("Description=!*", "be"),
        ("Description=!x", "bcde"),
        ("Description=!x*", "bcde"),
        ("Description=>w", "ad"),
        ("Name=\\!Early", "e"),
        ("Name=%5C!*", "e"),
        ("Name=Devops%5C%7C2", "d"),
        ("Name=Devops\\|2", "d"),
    ];
    check(&admin, &rows).await;
}

#[tokio::test]
async fn operators_on_xp() {
    let (_server, admin) = directory().await;
    let rows = [
        ("xp.Color=red", "a"),
        ("XP.Color=RED", "a"),
        ("xp.color=red", ""),
        ("xp.Color=!red", "bcde"),
        ("xp.Color=blue", "b"),
        ("xp.Color=!blue", "acde"),
        ("xp.Color=!red&xp.Color=!green", "cde"),
        ("xp.Color=*", "ab"),
        ("xp.Color=!*", "cde"),
        ("xp.Color=*e*", "ab"),
        ("xp.N=5", "a"),
        ("xp.N=5.0", "a"),
        ("xp.N=30", "bc"),
        ("xp.N=30.0", "c"),
        ("xp.N=>5", "bc"),
        ("xp.N=>=5", "abc"),
        ("xp.N=<30", "a"),
        ("xp.N=!<30", "bc"),
        ("xp.Flag=false", "b"),
        ("xp.Flag=FALSE", "b"),
        ("xp.Zero=0", "b"),
        ("xp.Zero=!0", "acde"),
        ("xp.Geo.Lat=>10", "a"),
        ("xp.Geo=*", "a"),
        ("xp.Geo=!*", "bcde"),
        ("xp.Items.Sku=b", "d"),
        ("xp.Items.Sku=!b", "abce"),
        ("xp.Items.0.Sku=A", ""),
        ("xp.k.l=1", "d"),
        ("xp.E=*", "d"),
        ("xp.E=x", ""),
        ("xp.At=>2015-05-31T23:00:00Z", "c"),
        ("xp.At=>2015-06-01T00:00:00%2B05:30", "c"),
        ("xp.At=<2015-06-01T00:00:00-05:30", "c"),
        ("xp.anything.at.all=x", ""),
        ("xp.anything=!*", "abcde"),
    ];
    check(&admin, &rows).await;
}

/// The forms that the JavaScript, Python and .NET clients were recorded to send.
#[tokio::test]
async fn the_same_filter_in_every_clients_spelling() {
    let (_server, admin) = directory().await;
    let rows = [
        ("Description=!*", "be"),
        ("Description=%21%2A", "be"),
        ("Name=Adm*%7C*office", "ab"),
        ("Name=Adm%2A%7C%2Aoffice", "ab"),
        ("Name=Adm*|*office", "ab"),
        ("Name=Back%20office", "b"),
        ("Name=Back+office", "b"),
        ("Name=C%26D%3De%2Bf%20g%2F%C3%A9~'()%23%5C%5C%5C*%25", "c"),
        ("Name=C%26D%3De%2Bf+g%2F%C3%A9~%27%28%29%23%5C%5C%5C%2A%25", "c"),
        ("xp.N=%3E%3D5&xp.Color=!red", "bc"),
        ("xp.N=%3E5&xp.N=%3C100", "bc"),
    ];
    check(&admin, &rows).await;
}

#[tokio::test]
async fn users_are_filtered_by_type() {
    let server = Server::start();
    let admin = server.admin().await;
    for (id, active, last) in [("a", true, "Zuse"), ("b", false, "Hopper"), ("c", true, "Hopper")] {
        let mut user = crate::support::user_body(id);
        user["Active"] = active.into();
        user["LastName"] = last.into();
        user["TermsAccepted"] = json!(format!("2020-0{}-01T00:00:00Z", id.as_bytes()[0] - b'a' + 1));
        admin.post("/v1/adminusers", &user).await.is(201);
    }
    server.cli().run(&["user", "set-roles", "a", "--role", "AdminUserReader", "--role", "FullAccess"]).printed();
    for (query, expected) in [
        ("", "bca"),
        ("sortBy=!LastName", "abc"),
        ("Active=true&sortBy=ID", "ac"),
        ("Active=FALSE", "b"),
        ("Active=!true", "b"),
        ("TermsAccepted=>2020-01-15&sortBy=ID", "bc"),
        ("TermsAccepted=2020-03-01", "c"),
        ("TermsAccepted=2020-03-01T05%3A30%3A00%2B05%3A30", "c"),
        ("DateCreated=>2015-01-01T00%3A00%3A00%2B05%3A30&Active=true", "ca"),
        ("DateCreated=<2015-01-01", ""),
        ("LastActive=!*", "bca"),
        ("PasswordLastSetDate=*", ""),
        ("FailedLoginAttempts=0", "bca"),
        ("FailedLoginAttempts=>0", ""),
        ("AvailableRoles=fullaccess", "a"),
        ("AvailableRoles=!AdminUserReader", "bc"),
        ("AvailableRoles=*group*", ""),
        ("CompanyID=!*", "bca"),
        ("CompanyID=*", ""),
        ("Locale=x", ""),
        ("search=HOPP", "bc"),
        ("search=b@example", "b"),
        ("search=ada&searchOn=FirstName&LastName=Zuse", "a"),
    ] {
        let listed = admin.get(&format!("/v1/adminusers?{query}")).await.is(200);
        assert_eq!((listed.ids().concat().as_str(), listed.total()), (expected, expected.len() as u64), "{query}");
    }
}
