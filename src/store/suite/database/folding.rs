//! Directories whose keys were folded with other tables of Unicode.

use crate::domain::client::ClientKey;
use crate::domain::query::{Comparison, GroupField, Test};
use crate::domain::text::FoldingTables;
use crate::store::suite::*;

use crate::store::suite::journal::entries::put_client;
use crate::store::suite::lists::groups::{at, ids, operand, own, query};
use crate::store::suite::lists::search::{ALL, found};

const OLDER: &str = "UPDATE settings SET value = '1.1.0 1.1.0' WHERE key = 'folding';";
const UNKNOWN: &str = "DELETE FROM settings WHERE key = 'folding';";
/// Every key of groups, users and clients, and every text of their xp, is wrong.
const WRONG_KEYS: &str = "
    UPDATE groups SET id_key = 'wrong ' || uid, name_key = 'wrong', description_key = 'wrong';
    UPDATE users SET id_key = 'wrong ' || uid, username_key = 'wrong ' || uid, first_name_key = 'wrong',
        last_name_key = 'wrong', email_key = 'wrong', phone_key = 'wrong';
    UPDATE clients SET id_key = 'wrong ' || uid;
    UPDATE group_xp SET text = 'wrong ' || text WHERE kind = 2;
    UPDATE user_xp SET text = 'wrong ' || text WHERE kind = 2;";

/// Fills a directory that takes several batches. Three groups have xp, and the last one is deleted.
async fn fill(store: &impl TestStore) {
    for number in 0..105 {
        make_group(store, group(&format!("G{number}"), &format!("Group {number}"))).await;
    }
    let fields = GroupFields {
        description: Some("Ärger".into()),
        xp: xp(r#"{"Colour":["Rot","BLAU"]}"#),
        ..group("Aa", "Straße")
    };
    make_group(store, fields.clone()).await;
    make_group(store, GroupFields { id: id("Gone"), ..fields }).await;
    delete_group(store, 2, GroupKey::Id(id("gone"))).await;
    make_user(store, UserFields { username: "Ann".into(), xp: xp(r#"{"a":"X"}"#), ..user("U1") }).await;
    make_user(store, UserFields { username: "Bob".into(), phone: Some("Tel".into()), ..user("U2") }).await;
    // A deleted user may have the name of a live one.
    delete_user(store, 2, UserKey::Id(id("u1"))).await;
    make_user(store, UserFields { username: "ANN".into(), ..user("U3") }).await;
    put_client(store, 2, Target::New, true).await;
}

async fn by_username(store: &impl TestStore, username: &str) -> Option<String> {
    let user = store.user(&UserKey::Username(username.to_owned())).await.unwrap();
    user.map(|user| user.fields.id.to_string())
}

pub(crate) async fn older_keys_are_folded_again(store: &impl TestStore) {
    fill(store).await;
    let state = store.state();
    for (tables, texts) in [(OLDER, store.forget_texts()), (UNKNOWN, "")] {
        let sql = [WRONG_KEYS, texts, tables].concat();
        let Err(refused) = store.reopened(&sql, false).await else { panic!("a command does not fold keys") };
        assert!(refused.to_string().contains("start 'rollbook serve' of this version"), "{refused:#}");
        let store = store.reopened("", true).await.unwrap();
        assert_eq!(store.state(), state);
        assert!(store.group(&GroupKey::Id(id("aA"))).await.unwrap().is_some());
        assert_eq!(by_username(&store, "ann").await.as_deref(), Some("U3"));
        assert!(store.client(&ClientKey::Id("CLIENT".into())).await.unwrap().is_some());
        for (term, expected) in [("strasse", "Aa"), ("är", "Aa"), ("ßq", ""), ("group 77", "G77"), ("wrong", "")] {
            assert_eq!(found(&store, term, &ALL).await, expected, "{term}");
        }
        let last = own(GroupField::Name, Test::Compare(Comparison::Greater, operand("Group 98")));
        assert_eq!(ids(&store, query(vec![last], Vec::new())).await, ["G99", "Aa"]);
        for (condition, expected) in [
            (own(GroupField::Name, Test::equal(operand("STRASSE"))), "Aa"),
            (at("Colour", Test::equal(operand("blau"))), "Aa"),
            (at("Colour", Test::equal(operand("wrong rot"))), ""),
        ] {
            assert_eq!(ids(&store, query(vec![condition], Vec::new())).await.concat(), expected);
        }
        store.reopened("", false).await.expect("the tables are stored").close().await;
    }
}

/// No order of the rows avoids that one gets the key that another still has.
pub(crate) async fn exchanged_keys_find_their_owners(store: &impl TestStore) {
    for name in ["ann", "bob", "cat"] {
        make_user(store, user(name)).await;
    }
    let exchange = "UPDATE users SET username_key = 'other' WHERE id = 'ann';
                    UPDATE users SET username_key = 'ann' WHERE id = 'cat';
                    UPDATE users SET username_key = 'cat' WHERE id = 'bob';
                    UPDATE users SET username_key = 'bob' WHERE id = 'ann';";
    let store = store.reopened(&[exchange, OLDER].concat(), true).await.unwrap();
    for name in ["ann", "bob", "cat"] {
        assert_eq!(by_username(&store, name).await.as_deref(), Some(name));
    }
}

pub(crate) async fn current_keys_are_not_read(store: &impl TestStore) {
    make_user(store, user("ann")).await;
    let store = store.reopened("UPDATE users SET username_key = 'wrong'", true).await.unwrap();
    assert_eq!(by_username(&store, "ann").await, None);
    assert_eq!(by_username(&store, "wrong").await.as_deref(), Some("ann"));
}

pub(crate) async fn newer_keys_are_refused(store: &impl TestStore) {
    let newer = "UPDATE settings SET value = '16.0.0 999.0.0' WHERE key = 'folding'";
    for serve in [true, false] {
        let Err(refused) = store.reopened(newer, serve).await else { panic!("newer keys are not used") };
        assert!(refused.to_string().contains("newer version"), "{refused:#}");
    }
}

pub(crate) async fn a_collision_is_refused_and_changes_nothing(store: &impl TestStore) {
    make_group(store, group("a", "Name")).await;
    for name in ["ann", "bob"] {
        make_user(store, user(name)).await;
    }
    let state = store.state();
    let collision = "UPDATE groups SET name_key = 'wrong'; UPDATE users SET username = 'ANN' WHERE id = 'bob';";
    for sql in [&[collision, OLDER].concat(), ""] {
        let Err(refused) = store.reopened(sql, true).await else { panic!("one of the two would be lost") };
        let refused = format!("{refused:#}");
        let both = r#"the users "ann" and "bob" have the same username ("ann" and "ANN")"#;
        assert!(refused.contains(both) && refused.contains("start the previous version again"), "{refused}");
    }
    let repaired = format!(
        "UPDATE users SET username = 'bob' WHERE id = 'bob'; UPDATE settings SET value = '{}' WHERE key = 'folding'",
        FoldingTables::CURRENT
    );
    let store = store.reopened(&repaired, true).await.unwrap();
    assert_eq!(store.state(), state);
    let named = |name| query(vec![own(GroupField::Name, Test::equal(operand(name)))], Vec::new());
    assert_eq!(ids(&store, named("wrong")).await.concat(), "a", "the group before the users was not changed");
    assert_eq!(by_username(&store, "bob").await.as_deref(), Some("bob"));
}
