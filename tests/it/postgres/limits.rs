//! The longest values that are allowed can be stored: an index of PostgreSQL takes entries of up to 2,704 bytes, and no
//! text that the APIs allow needs more.

use serde_json::{Value as Json, json};

use super::launch;
use crate::support::{A, CORE, Caller, PASSWORD, Server, Store, labels};

const GROUPS: &str = "/v1/usergroups";

/// A character that folds to three characters, each of two bytes.
const FOLDS_LONGEST: &str = "\u{390}";

/// Characters of four bytes that compression shortens very little.
fn varied(count: usize) -> String {
    (0..count).filter_map(|at| char::from_u32(0x1_0400 + (at as u32 * 7919) % 0x2_0000)).collect()
}

/// As much of the text as a document of 8,000 bytes holds.
fn fitting(text: &str) -> &str {
    &text[..text.floor_char_boundary(7_980)]
}

/// Names and values of xp of the greatest length, as many as are allowed.
fn documents() -> Vec<Json> {
    vec![
        json!({ "k": fitting(&varied(4_000)) }),
        json!({ "k": fitting(&FOLDS_LONGEST.repeat(4_000)) }),
        json!({ fitting(&varied(4_000)): "v" }),
        (0..60).fold(json!(varied(60)), |inner, at| json!({ format!("{}{at}", varied(20)): inner })),
        json!({ "k": (0..400).map(|at| format!("{at}x")).collect::<Vec<_>>() }),
        json!({ "k": [format!("1{}", "0".repeat(300)), 1e300, -1e-300, 12_345_678_901_234_567_890_u64] }),
    ]
}

/// Performs the same requests on both stores; returns all response bodies.
async fn observed(server: &Server) -> Vec<(u16, Json)> {
    let admin = server.admin().await;
    let mut observed = Vec::new();
    let mut note = |reply: crate::support::Reply| observed.push((reply.status, reply.json().clone()));
    for text in [FOLDS_LONGEST.repeat(100), varied(100), "\u{10ffff}".repeat(100)] {
        note(admin.post(GROUPS, &json!({ "ID": "i".repeat(100), "Name": text, "Description": text.repeat(20) })).await);
        note(admin.list(GROUPS, &[("search", &text), ("sortBy", "!Name")]).await);
        note(admin.delete(&format!("{GROUPS}/{}", "i".repeat(100))).await);
        let tags: Json =
            (0..64).map(|at| (format!("x-{at}"), Json::from(text.as_str()))).collect::<serde_json::Map<_, _>>().into();
        admin.post(CORE, &json!({ "Labels": labels(&tags), "Communities": [A] })).await.is(200);
    }
    for (at, xp) in documents().into_iter().enumerate() {
        note(admin.put(&format!("{GROUPS}/xp{at}"), &json!({ "Name": "N", "xp": xp })).await);
        note(admin.get(&format!("{GROUPS}/xp{at}")).await);
    }
    note(admin.list(GROUPS, &[("sortBy", "xp.k"), ("xp.k", "*"), ("pageSize", "100")]).await);
    users(&admin, &mut note).await;
    observed
}

async fn users(admin: &Caller, note: &mut impl FnMut(crate::support::Reply)) {
    for (at, text) in [FOLDS_LONGEST.repeat(100), varied(100)].into_iter().enumerate() {
        let id = format!("{at}{}", "u".repeat(99));
        let user = json!({
            "ID": id, "Username": text, "FirstName": text, "LastName": text, "Email": text.repeat(2), "Active": true,
            "Password": PASSWORD, "Phone": text, "xp": { "k": text },
        });
        let made = admin.post("/v1/adminusers", &user).await.is(201);
        assert_eq!(made["LastName"], text.as_str());
        let found = admin.list("/v1/adminusers", &[("search", &text), ("searchOn", "LastName")]).await.is(200);
        assert_eq!(found.ids(), [id.as_str()]);
        note(admin.list("/v1/adminusers", &[("Username", &text), ("sortBy", "Email"), ("Email", "*")]).await.is(200));
    }
}

#[tokio::test]
async fn the_longest_values_are_stored_alike() {
    let (file, node) = (launch().store(Store::Sqlite).start(), launch().start());
    let (expected, found) = (observed(&file).await, observed(&node).await);
    assert_eq!(expected.len(), found.len());
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(found.0, expected.0, "{expected:?} {found:?}");
        assert!((200..300).contains(&found.0), "{found:?}");
    }
}
