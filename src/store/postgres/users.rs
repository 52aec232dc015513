//! Users in PostgreSQL.

use async_trait::async_trait;
use tokio_postgres::Row;

use crate::domain::error::{Error, Kind, Result};
use crate::domain::journal::Operation;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey};
use crate::domain::xp::Xp;
use crate::store::sql::changes::{Written, texts_of_user, user_after};
use crate::store::sql::codec::communities_to_text;
use crate::store::sql::counters::Counter;
use crate::store::sql::journal::Entry;
use crate::store::sql::rows::{self, select_user};
use crate::store::{Edit, UserWrite};

use super::counters;
use super::journal::append;
use super::pipeline::parameters;
use super::points::Points;
use super::transaction::{Change, Taken, Trace, Writing};
use super::trouble::Trouble;
use super::{grams, memberships, xp};

/// A user by number, live or deleted.
pub const BY_UID: &str = select_user!("FROM users WHERE uid = $1");

/// Users by their numbers, in no order.
pub const THESE: &str = select_user!("FROM users WHERE uid = ANY($1)");

/// The user with the key; by number also a deleted one.
pub async fn find(points: &Points, key: &UserKey) -> Result<Option<User>> {
    const BY_ID: &str = select_user!("FROM users WHERE id_key = $1 AND deleted IS NULL");
    const BY_USERNAME: &str = select_user!("FROM users WHERE username_key = $1 AND deleted IS NULL");
    let found = match key {
        UserKey::Id(id) => points.find(BY_ID, &[&id.key()]).await?,
        UserKey::Username(username) => points.find(BY_USERNAME, &[&fold(username)]).await?,
        UserKey::Uid(uid) => points.find(BY_UID, &[uid]).await?,
        UserKey::New => None,
    };
    found.as_ref().map(rows::user::<Row>).transpose()
}

async fn find_locked(writing: &mut Writing<'_>, key: &UserKey) -> Result<Option<User>, Trouble> {
    const BY_ID: &str = select_user!("FROM users WHERE id_key = $1 AND deleted IS NULL FOR NO KEY UPDATE");
    const BY_USERNAME: &str = select_user!("FROM users WHERE username_key = $1 AND deleted IS NULL FOR NO KEY UPDATE");
    const BY_UID: &str = select_user!("FROM users WHERE uid = $1 FOR NO KEY UPDATE");
    let found = match key {
        UserKey::Id(id) => writing.find(BY_ID, &[&id.key()]).await?,
        UserKey::Username(username) => writing.find(BY_USERNAME, &[&fold(username)]).await?,
        UserKey::Uid(uid) => writing.find(BY_UID, &[uid]).await?,
        UserKey::New => None,
    };
    Ok(found.as_ref().map(rows::user::<Row>).transpose()?)
}

/// Writes a user by the rule.
pub struct WriteUser {
    pub operation: Operation,
    pub key: UserKey,
    pub edit: Edit<User, UserWrite>,
}

#[async_trait]
impl Change for WriteUser {
    type Output = User;

    fn trace(&self) -> Trace<'_> {
        Trace::Operation(&self.operation.id)
    }

    async fn make(&self, writing: &mut Writing<'_>) -> Result<User, Trouble> {
        let before = find_locked(writing, &self.key).await?;
        let write = (self.edit)(before.as_ref())?;
        let uid = match &before {
            Some(user) => user.uid,
            None => writing.next("SELECT nextval('users_uid')").await?,
        };
        let (written, password_hash) = user_after(write, before.as_ref(), uid, self.operation.at)?;
        let after = match written {
            Written::Unchanged(user) => return Ok(user),
            Written::Changed(user) => user,
        };
        put(writing, before.as_ref(), &after).await?;
        if let Some(hash) = password_hash {
            writing.queue("UPDATE users SET password_hash = $2 WHERE uid = $1", parameters![after.uid, hash]);
        }
        append(writing, &self.operation, Entry::of_user(before.as_ref(), &after)?);
        Ok(after)
    }

    fn taken(&self, made: &User, index: &str) -> Taken {
        let error = match index {
            "users_username" => Error::UsernameTaken,
            _ => Error::AlreadyExists(Kind::User, made.fields.id.to_string()),
        };
        match self.key {
            // It was not there, but by now somebody may have made it.
            UserKey::Id(_) | UserKey::Username(_) if made.version == 1 => Taken::Again(error),
            _ => Taken::Refused(error),
        }
    }
}

/// Brings the tables from `before` to `after`, but for the password's hash.
pub async fn put(writing: &mut Writing<'_>, before: Option<&User>, after: &User) -> Result<(), Trouble> {
    put_row(writing, before.is_some(), after);
    let was = before.filter(|user| user.deleted.is_none());
    let is = Some(after).filter(|user| user.deleted.is_none());
    let xp_was = was.and_then(|user| user.fields.xp.as_ref());
    xp::put(writing, &xp::USERS, after.uid, xp_was, is.and_then(|user| user.fields.xp.as_ref()));
    grams::put(writing, &grams::USERS, after.uid, was.map(texts_of_user), is.map(texts_of_user));
    counters::add(writing, Counter::Users, i64::from(is.is_some()) - i64::from(was.is_some()));
    match (was, is) {
        (Some(_), None) => memberships::hide_user(writing, after.uid).await?,
        (Some(was), Some(is)) if was.fields.id.key() != is.fields.id.key() => {
            memberships::rename_user(writing, is.uid, is.fields.id.key());
        }
        _ => {}
    }
    Ok(())
}

fn put_row(writing: &mut Writing<'_>, is_there: bool, user: &User) {
    const INSERT: &str = "INSERT INTO users (uid, id, id_key, username, username_key, first_name, first_name_key, \
        last_name, last_name_key, email, email_key, phone, phone_key, terms_accepted, active, xp, roles, communities, \
        generation, password_set, created, updated, deleted, version, failed_attempts) VALUES ($1, $2, $3, $4, $5, $6, \
        $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, 0)";
    // The time of its making does not change, but is written all the same, so that both statements take one list.
    const UPDATE: &str = "UPDATE users SET id = $2, id_key = $3, username = $4, username_key = $5, first_name = $6, \
        first_name_key = $7, last_name = $8, last_name_key = $9, email = $10, email_key = $11, phone = $12, \
        phone_key = $13, terms_accepted = $14, active = $15, xp = $16, roles = $17, communities = $18, \
        generation = $19, password_set = $20, created = $21, updated = $22, deleted = $23, version = $24 \
        WHERE uid = $1";
    let fields = &user.fields;
    writing.queue(
        if is_there { UPDATE } else { INSERT },
        parameters![
            user.uid,
            fields.id.to_string(),
            fields.id.key(),
            fields.username.clone(),
            fold(&fields.username),
            fields.first_name.clone(),
            fold(&fields.first_name),
            fields.last_name.clone(),
            fold(&fields.last_name),
            fields.email.clone(),
            fold(&fields.email),
            fields.phone.clone(),
            fields.phone.as_deref().map(fold),
            fields.terms_accepted.map(Timestamp::as_micros),
            i16::from(fields.active),
            fields.xp.as_ref().map(|xp: &Xp| xp.as_str().to_owned()),
            i16::from(fields.roles.bits()),
            communities_to_text(&fields.communities),
            fields.generation,
            fields.password_set.map(Timestamp::as_micros),
            user.created.as_micros(),
            user.updated.as_micros(),
            user.deleted.map(Timestamp::as_micros),
            user.version,
        ],
    );
}
