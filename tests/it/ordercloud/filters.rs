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

/// The IDs, as one text, of the matches of a query that is sent without further encoding.
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

/// Numbers that are equal as doubles or too large for one, and different spellings of one number: in classes of equal
/// numbers, in ascending order.
const ASCENDING: [&[&str]; 14] = [
    &["-738529527931269426"],
    &["-738529527931269425", "-738529527931269425.0"],
    &["-0.1"],
    &["-1e-400"],
    &["0", "-0", "0.0", "0e5"],
    &["1e-400"],
    &["0.1", "1e-1", "10E-2"],
    &["0.10000000000000000000001"],
    &["9007199254740993"],
    &["9007199254740994"],
    &["738529527931269424"],
    &["738529527931269425", "738529527931269425.0", "7385295279.31269425e8", "738529527931269425000e-3"],
    &["738529527931269426"],
    &["1e308", "100e306"],
];

#[tokio::test]
async fn numbers_of_xp_compare_by_their_exact_value() {
    let server = Server::start();
    let admin = server.admin().await;
    let spellings: Vec<(usize, &str)> =
        ASCENDING.iter().enumerate().flat_map(|(rank, same)| same.iter().map(move |text| (rank, *text))).collect();
    let id = |at: usize| format!("{at:02}");
    // Created in reverse, so that the order does not come from the creation.
    for (at, (_, spelling)) in spellings.iter().enumerate().rev() {
        let body = format!(r#"{{"ID":"{}","Name":"n","xp":{{"d":{spelling}}}}}"#, id(at));
        admin.text("POST", GROUPS, &body).await.is(201);
    }
    let all: Vec<String> = (0..spellings.len()).map(id).collect();
    assert_eq!(admin.get(&format!("{GROUPS}?sortBy=xp.d,ID&pageSize=100")).await.is(200).ids(), all);
    for (rank, spelling) in &spellings {
        let expected = |matches: &dyn Fn(usize) -> bool| -> Vec<String> {
            let expected_spellings = spellings.iter().enumerate().filter(|(_, (other, _))| matches(*other));
            expected_spellings.map(|(at, _)| id(at)).collect()
        };
        let own = *rank;
        for (operator, ids) in [
            ("", expected(&|other| other == own)),
            ("!", expected(&|other| other != own)),
            ("<", expected(&|other| other < own)),
            (">", expected(&|other| other > own)),
            ("<=", expected(&|other| other <= own)),
            (">=", expected(&|other| other >= own)),
        ] {
            let value = format!("{operator}{spelling}");
            let query = [("sortBy", "ID"), ("pageSize", "100"), ("xp.d", &value)];
            assert_eq!(admin.list(GROUPS, &query).await.is(200).ids(), ids, "xp.d={value}");
        }
    }
    // An operand may be too large for a double, but its exponent must fit 32 bits; otherwise it is a text.
    for (value, count) in [("<1e400", all.len()), (">-1e2147483647", all.len()), (">=1e400", 0), ("1e2147483648", 0)] {
        assert_eq!(admin.list(GROUPS, &[("xp.d", value)]).await.is(200).total(), count as u64, "{value}");
    }
}

#[tokio::test]
async fn texts_that_read_as_numbers_compare_with_numbers_exactly() {
    let server = Server::start();
    let admin = server.admin().await;
    for (id, number) in [("a", "738529527931269424"), ("b", "738529527931269425"), ("c", "1e400"), ("d", "+5")] {
        admin.post(GROUPS, &json!({ "ID": id, "Name": "n", "xp": { "d": number } })).await.is(201);
    }
    let rows = [
        ("xp.d=>738529527931269424", "bc"),
        ("xp.d=<738529527931269425", "ad"),
        ("xp.d=>1e399", "c"),
        ("xp.d=738529527931269425", "b"),
        ("xp.d=738529527931269425.0", ""),
        ("xp.d=%2B5", "d"),
        ("xp.d=5", ""),
    ];
    check(&admin, &rows).await;
}

#[tokio::test]
async fn whole_numbers_compare_exactly() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post("/v1/adminusers", &crate::support::user_body("ada")).await.is(201);
    let total = async |value| admin.list("/v1/adminusers", &[("FailedLoginAttempts", value)]).await.is(200).total();
    for (value, count) in [("0", 1), ("<9223372036854775807", 1), ("!0", 0), (">-9223372036854775808", 1), ("+0", 1)] {
        assert_eq!(total(value).await, count, "{value}");
    }
}

/// The forms that the JavaScript, Python and .NET clients were recorded to send.
#[tokio::test]
async fn each_clients_spelling_of_a_filter_matches_the_same() {
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

/// Equality allows as many alternatives as the URL holds; every other operator has a limit.
#[tokio::test]
async fn a_filter_may_have_thousands_of_values() {
    let server = Server::start();
    let admin = server.admin().await;
    let group = |number: u32| {
        let (half, parity) = (f64::from(number) / 2.0, number % 2);
        format!(
            r#"{{"group":{{"id":"{number}","labels":{{"en":"N{number}"}},"description":"D{number}","xp":{{"n":{half},"t":"t{number}","p":{parity}}}}}}}"#
        )
    };
    server.cli().run_with(&["import", "-"], &(1..=600).map(group).collect::<Vec<_>>().join("\n")).printed();
    let values = |prefix: &str, to: u32| (1..=to).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>().join("|");
    let halves = (1..=2_000).map(|n| format!("{n}.0")).collect::<Vec<_>>().join("|");
    for (query, total) in [
        (format!("ID={}", values("", 3_000)), 600),
        (format!("ID={}", values("", 300)), 300),
        (format!("ID=!7|{}", values("", 3_000)), 600),
        (format!("ID={}&ID=!7&xp.p=1", values("", 2_900)), 299),
        (format!("ID={}|>=9|8*", values("1", 2_500)), 99 + 11 + 11),
        (format!("Name={}", values("n", 2_500)), 600),
        (format!("Description={}", values("d", 2_500)), 600),
        (format!("Description={}", values("d", 90)), 90),
        (format!("xp.t={}", values("T", 2_500)), 600),
        (format!("xp.n={halves}"), 300),
        (format!("xp.n=!1|{halves}"), 600),
        (format!("xp.n={}&xp.t={}", values("", 1_000), values("t", 1_000)), 300),
    ] {
        let query = format!("{GROUPS}?sortBy=xp.n&pageSize=7&page=3&{query}");
        let listed = admin.get(&query).await.is(200);
        assert_eq!((listed.total(), listed.ids().len()), (total, 7), "{query:.80}");
    }
    let listed = admin.get(&format!("{GROUPS}?sortBy=!xp.n&ID={}", values("", 3_000))).await.is(200);
    assert_eq!(listed.ids()[..3], ["600", "599", "598"]);
    for operator in ["!", ">", "*"] {
        let value = vec![format!("{operator}x"); 201].join("|");
        admin.get(&format!("{GROUPS}?ID={value}")).await.fails(400, "List.TooCostly");
    }
    let users = format!("/v1/adminusers?FailedLoginAttempts={0}&AvailableRoles={0}", values("", 1_200));
    assert_eq!(admin.get(&users).await.is(200).total(), 0);
}
