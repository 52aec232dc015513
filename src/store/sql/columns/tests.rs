use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

use super::*;
use crate::domain::client::{Client, ClientFields};
use crate::domain::community::Communities;
use crate::domain::group::{Group, GroupFields, GroupSummary};
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenFields};
use crate::domain::signing_key::PublishedKey;
use crate::domain::user::{User, UserFields};
use crate::store::sql::copy::Cells;
use crate::store::sql::entity::StoredEntity;
use crate::store::sql::journal::text;
use crate::store::suite;
use crate::store::{RefreshToken, SigningKey};

const AT: Timestamp = Timestamp::from_micros(1_000_000);

fn some_group() -> Group {
    let labels = Labels::from_stored([("de", "Ä"), ("en", "B")].map(|(tag, text)| (tag.into(), text.into())));
    let communities = Communities::from([suite::community(1), suite::community(2)]);
    let fields = GroupFields { labels, communities, description: Some("D".into()), ..suite::group("A", "B") };
    let fields = GroupFields { xp: suite::xp(r#"{"b":1.0,"a":null}"#), ..fields };
    let (created, updated) = (AT, AT.plus_seconds(1));
    Group {
        uid: 7,
        name: "B".to_owned(),
        fields,
        created,
        updated,
        deleted: None,
        version: 2,
        members: 3,
        members_version: 5,
    }
}

fn some_user() -> User {
    let fields = UserFields { phone: Some("P".into()), roles: Roles::USER_ADMIN, active: false, ..suite::user("U") };
    User {
        uid: 8,
        fields: UserFields { terms_accepted: Some(AT), password_set: Some(AT), generation: 4, ..fields },
        created: AT,
        updated: AT,
        deleted: Some(AT),
        erased: None,
        version: 5,
        last_active: Some(AT.plus_seconds(2)),
        failed_attempts: 6,
        locked_until: Some(AT.plus_seconds(3)),
    }
}

fn some_client() -> Client {
    let fields = ClientFields {
        id: "C".into(),
        name: "N".into(),
        roles: Roles::FULL_ACCESS,
        communities: Communities::from([suite::community(3)]),
        user: Some(8),
        access_minutes: 9,
        refresh_minutes: 10,
        refresh_rotation: true,
        enabled: false,
        strict_members: true,
        max_removal_percent: Some(17),
        generation: 11,
        long_lived_generation: 14,
        secret_set: Some(AT),
    };
    let secret_hash = Some("hash".into());
    Client { uid: 12, fields, created: AT, updated: AT, deleted: None, version: 13, secret_hash }
}

fn some_token() -> LongLivedToken {
    let fields = LongLivedTokenFields {
        id: "T".into(),
        name: "N".into(),
        client: 12,
        client_generation: 14,
        user: Some(8),
        user_generation: 4,
        expires: AT.plus_seconds(4),
    };
    let (hash, last_used) = ("hash".into(), Some(AT.plus_seconds(5)));
    LongLivedToken { uid: 15, fields, hash, created: AT, updated: AT, deleted: Some(AT), version: 16, last_used }
}

/// A row that records which of its columns were read.
struct RecordingRow<'a>(Cells<'a>, RefCell<BTreeSet<usize>>);

impl Columns for RecordingRow<'_> {
    type Error = anyhow::Error;

    fn integer(&self, at: usize) -> anyhow::Result<i64> {
        self.1.borrow_mut().insert(at);
        self.0.integer(at)
    }

    fn optional_integer(&self, at: usize) -> anyhow::Result<Option<i64>> {
        self.1.borrow_mut().insert(at);
        self.0.optional_integer(at)
    }

    fn small(&self, at: usize) -> anyhow::Result<i64> {
        self.integer(at)
    }

    fn optional_small(&self, at: usize) -> anyhow::Result<Option<i64>> {
        self.optional_integer(at)
    }

    fn text(&self, at: usize) -> anyhow::Result<&str> {
        self.1.borrow_mut().insert(at);
        self.0.text(at)
    }

    fn optional_text(&self, at: usize) -> anyhow::Result<Option<&str>> {
        self.1.borrow_mut().insert(at);
        self.0.optional_text(at)
    }

    fn unreadable(at: usize, reason: String) -> anyhow::Error {
        Cells::unreadable(at, reason)
    }
}

fn assert_round_trip<E: Record + Debug + PartialEq>(record: &E) {
    let row = row(record);
    let cells = RecordingRow(Cells(&row), RefCell::default());
    assert_eq!(E::read(&cells).unwrap(), *record);
    let read: Vec<_> = cells.1.into_inner().into_iter().collect();
    assert_eq!(read, Vec::from_iter(0..read_columns(E::COLUMNS)), "every column that is selected is read");
    for (key, value) in E::COLUMNS.iter().zip(&row).filter(|(column, _)| column.name.ends_with("_key")) {
        let name = key.name.trim_end_matches("_key");
        let at = E::COLUMNS.iter().position(|column| column.name == name).unwrap();
        let folded = match &row[at] {
            Value::Text(text) => Value::Text(fold(text)),
            other => other.clone(),
        };
        assert_eq!(*value, folded, "{}", key.name);
    }
}

#[test]
fn records_survive_a_round_trip() {
    assert_round_trip(&some_group());
    assert_round_trip(&some_user());
    assert_round_trip(&some_client());
    assert_round_trip(&some_token());
    assert_round_trip(&suite::entities::signing_in::refresh_token("t", "f"));
    let labels = "{}".to_owned();
    assert_round_trip(&GroupSummary { uid: 1, created: AT, updated: AT, labels });
    let key = SigningKey { published: PublishedKey { kid: "k".into(), signs_from: AT }, pem: "p".into() };
    let row = row(&key);
    let read = SigningKey::read(&Cells(&row)).unwrap();
    assert_eq!((read.published, read.pem), (key.published, key.pem));
}

fn journaled<E: StoredEntity>(entity: &E) -> String {
    text(entity).unwrap()
}

#[test]
fn the_journal_lists_the_columns_in_order() {
    assert_eq!(
        journaled(&some_group()),
        r#"{"uid":7,"id":"A","labels":{"de":"Ä","en":"B"},"description":"D","xp":{"b":1.0,"a":null},"communities":["00000000-0000-0000-0000-000000000001","00000000-0000-0000-0000-000000000002"],"created":1000000,"updated":2000000,"deleted":null,"version":2}"#
    );
    assert_eq!(
        journaled(&some_user()),
        r#"{"uid":8,"id":"U","username":"U","first_name":"F","last_name":"U","email":"U@example.com","phone":"P","terms_accepted":1000000,"active":false,"xp":null,"roles":["AdminUserAdmin"],"communities":[],"generation":4,"password_set":1000000,"created":1000000,"updated":1000000,"deleted":1000000,"version":5}"#
    );
    assert_eq!(
        journaled(&some_client()),
        r#"{"uid":12,"id":"C","name":"N","roles":["FullAccess"],"communities":["00000000-0000-0000-0000-000000000003"],"user":8,"access_minutes":9,"refresh_minutes":10,"refresh_rotation":true,"enabled":false,"strict_members":true,"max_removal_percent":17,"generation":11,"long_lived_generation":14,"secret_set":1000000,"created":1000000,"updated":1000000,"deleted":null,"version":13}"#
    );
}

#[test]
fn statements_follow_the_description() {
    let (upsert, update) = (upsert::<Client>(), update::<User>());
    assert!(upsert.starts_with("INSERT INTO clients (uid, id, name, roles, "), "{upsert}");
    assert!(upsert.contains("secret_hash, id_key) VALUES ($1, $2, ") && upsert.contains(", $21) "), "{upsert}");
    assert!(upsert.contains(" ON CONFLICT (uid) DO UPDATE SET id = excluded.id, "), "{upsert}");
    assert!(!upsert.contains("created = "), "{upsert}");
    assert_eq!(inserted(&some_client()).count(), 21);
    assert!(update.starts_with("UPDATE users SET id = $2, username = $3, "), "{update}");
    assert!(update.ends_with(", phone_key = $24 WHERE uid = $1"), "{update}");
    for other in ["created = ", "last_active", "failed_attempts", "locked_until", "password_hash"] {
        assert!(!update.contains(other), "{update}");
    }
    assert_eq!(updated(&some_user()).count(), 24);
    assert_eq!(select::<SigningKey>("ORDER BY kid"), "SELECT kid, pem, signs_from FROM signing_keys ORDER BY kid");
    assert!(!select::<RefreshToken>("").contains("used"));
}
