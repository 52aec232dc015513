//! How groups and users lie in tables: the row of each, and the rows beside it from which lists are answered.

use crate::domain::community::Communities;
use crate::domain::group::Group;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::domain::xp::Xp;
use crate::store::copy::{Column, Kind, Row, Table, Value};

use super::changes::{texts_of_group, texts_of_user};
use super::codec::{communities_to_text, labels_to_text};
use super::copy::columns;
use super::tables::{Groups, Listing as _, Users};
use super::xp;

/// The links between groups and communities.
static LINKS: Table =
    Table { name: "group_communities", columns: columns! { Text: "community"; Integer: "owner"; }, key: 2 };

const XP_COLUMNS: &[Column] = columns! {
    Integer: "owner";
    Text: "path";
    Small: "kind";
    Text: "text" "rest";
    Real: "number";
    Integer: "instant";
    Small: "least";
};

/// The rows behind filters and orders by xp, of groups.
static GROUP_XP: Table = Table { name: Groups::XP_TABLE, columns: XP_COLUMNS, key: 5 };
/// The same, of users.
static USER_XP: Table = Table { name: Users::XP_TABLE, columns: XP_COLUMNS, key: 5 };

/// The group as a row of [`GROUPS`](super::copy::GROUPS).
pub fn group_row(group: &Group) -> Row {
    let fields = &group.fields;
    vec![
        group.uid.into(),
        fields.id.to_string().into(),
        group.name.clone().into(),
        labels_to_text(&fields.labels).into(),
        fields.description.clone().into(),
        xp_text(fields.xp.as_ref()).into(),
        communities_to_text(&fields.communities).into(),
        group.created.as_micros().into(),
        group.updated.as_micros().into(),
        group.deleted.map(Timestamp::as_micros).into(),
        group.version.into(),
        group.members.into(),
        fields.id.key().into(),
        fold(&group.name).into(),
        fields.description.as_deref().map(fold).into(),
    ]
}

/// The user, who has no password yet, as a row of [`USERS`](super::copy::USERS).
pub fn user_row(user: &User) -> Row {
    let fields = &user.fields;
    vec![
        user.uid.into(),
        fields.id.to_string().into(),
        fields.username.clone().into(),
        fields.first_name.clone().into(),
        fields.last_name.clone().into(),
        fields.email.clone().into(),
        fields.phone.clone().into(),
        fields.terms_accepted.map(Timestamp::as_micros).into(),
        i64::from(fields.active).into(),
        xp_text(fields.xp.as_ref()).into(),
        i64::from(fields.roles.bits()).into(),
        communities_to_text(&fields.communities).into(),
        fields.generation.into(),
        fields.password_set.map(Timestamp::as_micros).into(),
        user.created.as_micros().into(),
        user.updated.as_micros().into(),
        user.deleted.map(Timestamp::as_micros).into(),
        user.version.into(),
        user.last_active.map(Timestamp::as_micros).into(),
        user.failed_attempts.into(),
        Value::Null,
        Value::Null,
        fields.id.key().into(),
        fold(&fields.username).into(),
        fold(&fields.first_name).into(),
        fold(&fields.last_name).into(),
        fold(&fields.email).into(),
        fields.phone.as_deref().map(fold).into(),
    ]
}

fn xp_text(xp: Option<&Xp>) -> Option<String> {
    xp.map(|xp| xp.as_str().to_owned())
}

/// What stands beside rows: of live things alone, as tombstones have nothing beside them.
#[derive(Debug, Default, PartialEq)]
pub struct Beside {
    /// Rows of other tables.
    pub rows: Vec<(&'static Table, Vec<Row>)>,
    /// The folded texts that a search looks through, by the number of the group or user.
    pub texts: Vec<(i64, Vec<String>)>,
}

impl Beside {
    /// What stands beside the rows of these groups.
    pub fn of_groups<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Self {
        let (mut links, mut xp, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for group in groups.into_iter().filter(|group| group.deleted.is_none()) {
            links.extend(links_of(group.uid, &group.fields.communities));
            xp.extend(xp_of(group.uid, group.fields.xp.as_ref()));
            texts.push((group.uid, texts_of_group(group)));
        }
        Self { rows: vec![(&LINKS, links), (&GROUP_XP, xp)], texts }
    }

    /// What stands beside the rows of these users.
    pub fn of_users<'a>(users: impl IntoIterator<Item = &'a User>) -> Self {
        let (mut xp, mut texts) = (Vec::new(), Vec::new());
        for user in users.into_iter().filter(|user| user.deleted.is_none()) {
            xp.extend(xp_of(user.uid, user.fields.xp.as_ref()));
            texts.push((user.uid, texts_of_user(user)));
        }
        Self { rows: vec![(&USER_XP, xp)], texts }
    }
}

fn links_of(owner: i64, communities: &Communities) -> impl Iterator<Item = Row> {
    communities.iter().map(move |community| vec![community.to_string().into(), owner.into()])
}

fn xp_of(owner: i64, document: Option<&Xp>) -> impl Iterator<Item = Row> {
    let row = move |row: xp::XpRow| {
        vec![
            owner.into(),
            row.path.into(),
            row.kind.into(),
            row.text.into(),
            row.rest.into(),
            row.number.map_or(Value::Null, Value::Real),
            row.instant.into(),
            i64::from(row.least).into(),
        ]
    };
    xp::rows(document.map(Xp::entries).unwrap_or_default()).into_iter().map(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::copy::{Cells, GROUPS, USERS};
    use crate::store::sql::rows;
    use crate::store::suite;

    #[test]
    fn rows_are_read_back_as_what_they_were_made_of() {
        let (uid, at) = (7, Timestamp::from_micros(1));
        let fields = suite::group("A", "Ä");
        let (created, updated) = (at, at);
        let group =
            Group { uid, name: "Ä".to_owned(), fields, created, updated, deleted: None, version: 2, members: 3 };
        let fields = suite::user("U");
        let user =
            User { uid, fields, created, updated, deleted: None, version: 2, last_active: None, failed_attempts: 0 };
        let rows = [(GROUPS, group_row(&group)), (USERS, user_row(&user))];
        assert_eq!(rows::group(&Cells(&rows[0].1)).unwrap(), group);
        assert_eq!(rows::user(&Cells(&rows[1].1)).unwrap(), user);
        for (table, row) in rows {
            let of = |name: &str| &row[table.columns.iter().position(|column| column.name == name).unwrap()];
            let keys =
                table.columns.iter().filter(|column| column.name.ends_with("_key") && column.name != "phone_key");
            for key in keys.filter(|key| *of(key.name) != Value::Null) {
                let Value::Text(text) = of(key.name.trim_end_matches("_key")) else { panic!("{key:?}") };
                assert_eq!(*of(key.name), Value::Text(fold(text)), "{key:?}");
            }
            assert_eq!(row.len(), table.columns.len());
        }
    }
}
