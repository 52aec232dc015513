//! Erasures in PostgreSQL. Former versions of rows stay in the files until VACUUM (docs/operations.md, section 14).

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;

use crate::domain::erasure::Erased;
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::idempotency::RequestKey;
use crate::domain::journal::Operation;
use crate::domain::labels::Tag;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::UserUpdateFn;
use crate::store::erasure::Erasure;
use crate::store::sql::entity::StoredEntity as _;
use crate::store::sql::erasure::{
    ANSWERS, EMPTY_SIGN_INS, EMPTY_SOURCES, Erasing, ErasureSteps, FORGET, REMEMBER, SIGN_INS, TOKENS, Traces,
    UNFINISHED, count, emptied, entries, finish, setting, traces, user_of,
};
use crate::store::sql::sessions::END_ALL;

use super::PostgresStore;
use super::connection::database_error::DatabaseError;
use super::entities::{journal, memberships};
use super::entity::{PostgresEntity as _, find_locked, store};
use super::past::{PostgresSnapshot, read_past};
use super::write::pipeline::parameters;
use super::write::transaction::Transaction;
use super::write::unit_of_work::{OutcomeLookup, UnitOfWork};

#[async_trait]
impl Erasure for PostgresStore {
    async fn entries_of_user(&self, user: UserUid) -> Result<u64> {
        count(self, user).await
    }

    async fn begin_erasure(
        &self,
        operation: Operation,
        user: UserUid,
        changes: u64,
        update: UserUpdateFn,
    ) -> Result<Erased> {
        let language = self.default_language.clone();
        self.record(&operation.clone(), BeginErasure { operation, user, changes, update, language }).await
    }

    async fn finish_erasure(&self, user: UserUid) -> Result<()> {
        finish(self, user).await
    }

    async fn unfinished_erasures(&self) -> Result<Vec<UserUid>> {
        let rows = self.point_reads.rows(UNFINISHED, &[]).await?;
        let keys = rows.iter().map(|row| row.try_get::<_, String>(0).map_err(Error::internal));
        keys.map(|key| Ok(user_of(&key?))).filter_map(Result::transpose).collect()
    }
}

/// The unit of work that deletes the user and empties the row.
struct BeginErasure {
    operation: Operation,
    user: UserUid,
    changes: u64,
    update: UserUpdateFn,
    language: Tag,
}

#[async_trait]
impl UnitOfWork for BeginErasure {
    type Output = Erased;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Operation(&self.operation.id)
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Erased, DatabaseError> {
        let before: Option<User> = find_locked(transaction, &UserKey::Uid(self.user)).await?;
        let extra = User::context(transaction, before.as_ref()).await?;
        User::apply(&self.update, before.as_ref(), extra)?;
        let before = before.ok_or_else(|| Error::NotFound(ResourceKind::User, self.user.to_string()))?;
        let erasing = Erasing::of(&before, &self.language, transaction.time(&self.operation))?;
        if let Some(deleted) = &erasing.deleted {
            store(transaction, Some(&before), deleted).await?;
        }
        store(transaction, Some(erasing.deleted.as_ref().unwrap_or(&before)), &erasing.erased).await?;
        transaction.queue(EMPTY_SIGN_INS, parameters![self.user]);
        transaction.queue(END_ALL, parameters![self.user]);
        memberships::rename_user(transaction, self.user, erasing.erased.fields.id.key());
        transaction.queue(REMEMBER, parameters![setting(self.user)]);
        for entry in erasing.entries(&before)? {
            journal::append(transaction, &self.operation, entry);
        }
        Ok(Erased { uid: self.user, changes: self.changes })
    }
}

#[async_trait]
impl ErasureSteps for PostgresStore {
    async fn entries(&self, user: UserUid, from: i64) -> Result<Vec<i64>> {
        read_past!(self, entries, user, from)
    }

    async fn traces(&self, user: UserUid) -> Result<Traces> {
        read_past!(self, traces, user)
    }

    async fn empty_answers(&self, traces: &Traces, after: &RequestKey) -> Result<Option<RequestKey>> {
        self.execute(EmptyAnswers { traces: traces.clone(), after: after.clone() }).await
    }

    async fn empty_entries(&self, user: UserUid, entries: &[i64]) -> Result<()> {
        self.execute(EmptyEntries { user, entries: entries.into() }).await
    }

    async fn delete_refresh_tokens(&self, user: UserUid) -> Result<bool> {
        self.execute(DeleteRefreshTokens(user)).await
    }

    async fn empty_sign_ins(&self, user: UserUid) -> Result<bool> {
        self.execute(EmptySignIns(user)).await
    }

    async fn complete(&self, user: UserUid) -> Result<()> {
        self.execute(Complete(user)).await
    }
}

/// The unit of work that empties the answers of one step.
struct EmptyAnswers {
    traces: Traces,
    after: RequestKey,
}

#[async_trait]
impl UnitOfWork for EmptyAnswers {
    type Output = Option<RequestKey>;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Option<RequestKey>, DatabaseError> {
        const SELECT: &str = "SELECT scope, key FROM idempotency_keys WHERE (scope, key) > ($1, $2) \
                              ORDER BY scope, key LIMIT $3";
        const EMPTY: &str = "UPDATE idempotency_keys AS k SET body = NULL, location = NULL \
                             FROM unnest($1::TEXT[], $2::TEXT[]) AS own (scope, key) \
                             WHERE k.scope = own.scope AND k.key = own.key \
                             AND (body IS NOT NULL OR location IS NOT NULL) \
                             AND ($3::TEXT[] IS NULL OR EXISTS (SELECT 1 FROM unnest($3::TEXT[]) AS t (value) \
                             WHERE strpos(body, t.value) > 0 OR strpos(location, t.value) > 0))";
        let rows = transaction.read(SELECT, &[&self.after.scope, &self.after.key, &ANSWERS]).await?;
        let mut keys = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for row in &rows {
            keys.0.push(row.try_get::<_, String>(0)?);
            keys.1.push(row.try_get::<_, String>(1)?);
        }
        let last = keys.0.last().cloned().zip(keys.1.last().cloned());
        let last = last.filter(|_| rows.len() as i64 == ANSWERS).map(|(scope, key)| RequestKey { scope, key });
        if !rows.is_empty() {
            transaction.queue(EMPTY, parameters![keys.0, keys.1, self.traces.clone()]);
        }
        Ok(last)
    }
}

/// The unit of work that empties the states of the user in these entries.
struct EmptyEntries {
    user: UserUid,
    entries: Arc<[i64]>,
}

#[async_trait]
impl UnitOfWork for EmptyEntries {
    type Output = ();

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    /// Locks the entries: the erasure of another user may empty the same ones of batches.
    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        const SELECT: &str =
            "SELECT seq, kind, before, after FROM journal WHERE seq = ANY($1) ORDER BY seq FOR NO KEY UPDATE";
        const UPDATE: &str =
            "UPDATE journal SET before = coalesce($2, before), after = coalesce($3, after) WHERE seq = $1";
        let entries = self.entries.to_vec();
        for row in transaction.read(SELECT, &[&entries]).await? {
            let (seq, kind): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            let empty = |json: Option<String>| json.map(|json| emptied(&kind, self.user, &json)).transpose();
            let (before, after) = (empty(row.try_get(2)?)?.flatten(), empty(row.try_get(3)?)?.flatten());
            if before.is_some() || after.is_some() {
                transaction.queue(UPDATE, parameters![seq, before, after]);
            }
        }
        Ok(())
    }
}

/// The unit of work that deletes some refresh tokens of the user with this number. Its output is whether there may be more.
struct DeleteRefreshTokens(UserUid);

#[async_trait]
impl UnitOfWork for DeleteRefreshTokens {
    type Output = bool;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        let sql = "SELECT hash FROM refresh_tokens WHERE user_uid = $1 LIMIT $2";
        let rows = transaction.read(sql, &[&self.0, &TOKENS]).await?;
        let hashes = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        let more = hashes.len() as i64 == TOKENS;
        if !hashes.is_empty() {
            transaction.queue("DELETE FROM refresh_tokens WHERE hash = ANY($1)", parameters![hashes]);
        }
        Ok(more)
    }
}

/// The unit of work that empties the addresses of some recorded sign-ins of the user with this number. Its output is whether
/// there may be more.
struct EmptySignIns(UserUid);

#[async_trait]
impl UnitOfWork for EmptySignIns {
    type Output = bool;

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        let sql = "SELECT count(*) FROM (SELECT FROM sign_ins WHERE user_uid = $1 AND source IS NOT NULL LIMIT $2) AS left_over";
        let row = transaction.find(sql, &[&self.0, &SIGN_INS]).await?;
        let count: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        if count > 0 {
            transaction.queue(EMPTY_SOURCES, parameters![self.0, SIGN_INS]);
        }
        Ok(count == SIGN_INS)
    }
}

/// The unit of work that forgets that the erasure of the user with this number is not finished.
struct Complete(UserUid);

#[async_trait]
impl UnitOfWork for Complete {
    type Output = ();

    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
        transaction.queue(FORGET, parameters![setting(self.0)]);
        Ok(())
    }
}
