//! The dates that are accepted: every moment of the years 1 to 9999 in UTC (docs/ordercloud.md, section 1).

use serde_json::{Value, json};

use crate::support::{Caller, Server, user_body};

const USERS: &str = "/v1/adminusers";

/// An ID, what is sent, and what is returned.
const ENDS: [(&str, &str, &str); 4] = [
    ("first", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ("last", "9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.999999+00:00"),
    ("long", "9999-12-31T23:59:59.999999900000Z", "9999-12-31T23:59:59.999999+00:00"),
    ("moved", "9999-12-31T22:59:59.9999999-01:00", "9999-12-31T23:59:59.999999+00:00"),
];

const OUTSIDE: [&str; 8] = [
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59.9999999-00:01",
    "0000-06-01",
    "10000-01-01",
    "2016-12-31T23:59:60Z",
    "2016-12-31T24:00:00Z",
    "2016-12-31T12:00:00+24:00",
    "2016-12-31T12:00:00-25:00",
];

/// The IDs, as one text, of the users that a filter matches.
async fn found(admin: &Caller, name: &str, value: &str) -> String {
    admin.list(USERS, &[("sortBy", "ID"), (name, value)]).await.is(200).ids().join(" ")
}

#[tokio::test]
async fn every_moment_of_four_digit_years_is_accepted_and_compared() {
    let server = Server::start();
    let admin = server.admin().await;
    for (id, sent, returned) in ENDS {
        let mut user = user_body(id);
        user["TermsAccepted"] = sent.into();
        user["xp"] = json!({ "At": sent });
        let made = admin.post(USERS, &user).await.is(201);
        assert_eq!((&made["TermsAccepted"], &made["xp"]["At"]), (&json!(returned), &json!(sent)));
    }
    for name in ["TermsAccepted", "xp.At"] {
        for (value, ids) in [
            ("<=0001-01-01", "first"),
            (">0001-01-01", "last long moved"),
            (">=9999-12-31T23:59:59.999999Z", "last long moved"),
            (">=9999-12-31T23:59:59.9999990000Z", "last long moved"),
            (">9999-12-31T23:59:59.9999999Z", ""),
            ("<9999-12-31T23:59:59.9999999Z", "first"),
        ] {
            assert_eq!(found(&admin, name, value).await, ids, "{name}={value}");
        }
    }
    assert_eq!(found(&admin, "TermsAccepted", "9999-12-31T23:59:59.9999999").await, "last long moved");
    // An export of them can be imported.
    let users = server.cli().run(&["export"]).printed();
    let fresh = Server::start();
    fresh.cli().run_with(&["import", "-"], &users).printed();
    let last = found(&fresh.admin().await, "TermsAccepted", ">=9999-12-31T23:59:59.999999Z").await;
    assert_eq!(last, "last long moved");
}

#[tokio::test]
async fn a_moment_outside_these_years_in_utc_is_no_date() {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post(USERS, &user_body("ada")).await.is(201);
    let mut line: Value = json!({ "user": {
        "id": "imported", "username": "imported", "first_name": "F", "last_name": "L", "email": "e", "active": true,
    } });
    for text in OUTSIDE {
        let body = json!({ "TermsAccepted": text });
        let refused = admin.patch("/v1/adminusers/ada", &body).await.fails(400, "ValidationFailure");
        assert_eq!(refused.fields(), ["TermsAccepted"], "{text}");
        for value in [text.to_owned(), format!(">{text}")] {
            let query = [("TermsAccepted", value.as_str())];
            admin.list(USERS, &query).await.fails(400, "List.InvalidType");
        }
        line["user"]["terms_accepted"] = text.into();
        let outcome = server.cli().run_with(&["import", "-"], &line.to_string());
        assert!(!outcome.success && outcome.stderr.contains("terms_accepted"), "{}", outcome.stderr);
        // In xp it is a text like any other.
        admin.patch("/v1/adminusers/ada", &json!({ "xp": { "At": text } })).await.is(200);
        assert_eq!(found(&admin, "xp.At", text).await, "ada");
        assert_eq!(found(&admin, "xp.At", &format!("<={text}")).await, "ada");
        assert_eq!(found(&admin, "xp.At", &format!(">{text}")).await, "");
    }
}
