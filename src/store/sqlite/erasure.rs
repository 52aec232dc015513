//! Erasures in SQLite: beyond what every store empties, the bytes of deleted text must not stay in the file. The writer
//! overwrites what it deletes (`secure_delete`). The text indexes only mark what is deleted, so they are merged, in steps,
//! until nothing that is marked is left. The log is copied into the file and truncated.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::erasure::Erased;
use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::idempotency::RequestKey;
use crate::domain::journal::Operation;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::UserUpdateFn;
use crate::store::erasure::Erasure;
use crate::store::sql::erasure::{
    ANSWERS, EMPTY_SIGN_INS, EMPTY_SOURCES, Erasing, ErasureSteps, FORGET, REMEMBER, SIGN_INS, TOKENS, Traces,
    UNFINISHED, count, emptied, entries, finish, setting, traces, user_of,
};
use crate::store::sql::sessions::END_ALL;
use crate::store::sql::tables::{Listing as _, Users};

use super::SqliteStore;
use super::entities::{journal, memberships};
use super::entity::{SqliteEntity as _, find, store};
use super::past::{SqliteSnapshot, output};
use super::storage::open::failed;
use super::write::checkpoint::truncate;
use super::write::writer::WriteContext;
use crate::store::sql::entity::StoredEntity as _;

/// The number of pages of a text index that one step merges.
const MERGED_PAGES: i64 = 256;
/// How often the log is truncated at most: a reader may hold it.
const TRUNCATIONS: u32 = 20;
/// The pause between two attempts to truncate the log.
const TRUNCATION_PAUSE: Duration = Duration::from_millis(100);

#[async_trait]
impl Erasure for SqliteStore {
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
        self.write_recorded(operation, move |context, operation| {
            let connection = context.connection;
            let before: Option<User> = find(connection, &UserKey::Uid(user)).map_err(failed)?;
            let extra = User::context(connection, before.as_ref()).map_err(failed)?;
            User::apply(&update, before.as_ref(), extra)?;
            let before = before.ok_or_else(|| Error::NotFound(ResourceKind::User, user.to_string()))?;
            let erasing = Erasing::of(&before, &language, journal::time(connection, operation)?)?;
            if let Some(deleted) = &erasing.deleted {
                store(context, Some(&before), deleted)?;
            }
            store(context, Some(erasing.deleted.as_ref().unwrap_or(&before)), &erasing.erased)?;
            empty_row(connection, &erasing.erased).map_err(failed)?;
            for entry in erasing.entries(&before)? {
                journal::append(connection, operation, entry)?;
            }
            Ok(Erased { uid: user, changes })
        })
        .await
    }

    async fn finish_erasure(&self, user: UserUid) -> Result<()> {
        finish(self, user).await
    }

    async fn unfinished_erasures(&self) -> Result<Vec<UserUid>> {
        let read = |connection: &Connection| {
            let mut keys = connection.prepare_cached(UNFINISHED)?;
            let keys = keys.query_map([], |row| row.get::<_, String>(0))?;
            keys.map(|key| Ok(user_of(&key?))).filter_map(Result::transpose).collect()
        };
        self.readers.point(read)
    }
}

/// Empties what [`store`] does not write, and remembers that the erasure is not finished.
fn empty_row(connection: &Connection, erased: &User) -> rusqlite::Result<()> {
    connection.prepare_cached(EMPTY_SIGN_INS)?.execute([erased.uid])?;
    connection.prepare_cached(END_ALL)?.execute([erased.uid])?;
    memberships::rename_user(connection, erased.uid, &erased.fields.id.key())?;
    connection.prepare_cached(REMEMBER)?.execute([setting(erased.uid)]).map(drop)
}

#[async_trait]
impl ErasureSteps for SqliteStore {
    async fn entries(&self, user: UserUid, from: i64) -> Result<Vec<i64>> {
        self.read_past(move |snapshot: &mut SqliteSnapshot<'_>| output(entries(snapshot, user, from))).await
    }

    async fn traces(&self, user: UserUid) -> Result<Traces> {
        self.read_past(move |snapshot: &mut SqliteSnapshot<'_>| output(traces(snapshot, user))).await
    }

    async fn empty_answers(&self, traces: &Traces, after: &RequestKey) -> Result<Option<RequestKey>> {
        let traces = traces.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?;
        let after = after.clone();
        self.writer.write(move |context| empty_answers(context.connection, traces, &after).map_err(failed)).await
    }

    async fn empty_entries(&self, user: UserUid, entries: &[i64]) -> Result<()> {
        let entries = entries.to_vec();
        let empty = move |context: &mut WriteContext<'_>| {
            entries.iter().try_for_each(|entry| empty_entry(context.connection, user, *entry))
        };
        self.writer.write(empty).await
    }

    async fn delete_refresh_tokens(&self, user: UserUid) -> Result<bool> {
        let delete = move |context: &mut WriteContext<'_>| {
            let sql = "DELETE FROM refresh_tokens WHERE hash IN \
                       (SELECT hash FROM refresh_tokens WHERE user_uid = ?1 LIMIT ?2)";
            let deleted = context.connection.prepare_cached(sql).and_then(|mut delete| delete.execute([user, TOKENS]));
            Ok(deleted.map_err(failed)? as i64 == TOKENS)
        };
        self.writer.write(delete).await
    }

    async fn empty_sign_ins(&self, user: UserUid) -> Result<bool> {
        let empty = move |context: &mut WriteContext<'_>| {
            let empty = context.connection.prepare_cached(EMPTY_SOURCES);
            let emptied = empty.and_then(|mut empty| empty.execute([user, SIGN_INS])).map_err(failed)?;
            Ok(emptied as i64 == SIGN_INS)
        };
        self.writer.write(empty).await
    }

    async fn complete(&self, user: UserUid) -> Result<()> {
        for table in [Users::TEXT_TABLE, Users::NGRAMS_TABLE] {
            // A negative number begins to merge all parts into one; further steps go on.
            let mut pages = -MERGED_PAGES;
            while self.writer.write(move |context| merge(context.connection, table, pages).map_err(failed)).await? {
                pages = MERGED_PAGES;
            }
        }
        self.truncate_log().await?;
        let forget = move |context: &mut WriteContext<'_>| {
            let forgotten =
                context.connection.prepare_cached(FORGET).and_then(|mut forget| forget.execute([setting(user)]));
            forgotten.map(drop).map_err(failed)
        };
        self.writer.write(forget).await
    }
}

/// Empties the answers of one step. Returns the key of the last one that it looked at, if there may be more.
fn empty_answers(
    connection: &Connection,
    traces: Option<String>,
    after: &RequestKey,
) -> rusqlite::Result<Option<RequestKey>> {
    let select = "SELECT scope, key FROM idempotency_keys WHERE (scope, key) > (?1, ?2) ORDER BY scope, key LIMIT ?3";
    let keys: Vec<RequestKey> = connection
        .prepare_cached(select)?
        .query_map(params![after.scope, after.key, ANSWERS], |row| {
            Ok(RequestKey { scope: row.get(0)?, key: row.get(1)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let empty = "UPDATE idempotency_keys SET body = NULL, location = NULL WHERE scope = ?1 AND key = ?2 \
                 AND (body IS NOT NULL OR location IS NOT NULL) AND (?3 IS NULL OR EXISTS (SELECT 1 \
                 FROM json_each(?3) AS t WHERE instr(body, t.value) > 0 OR instr(location, t.value) > 0))";
    let mut empty = connection.prepare_cached(empty)?;
    for RequestKey { scope, key } in &keys {
        empty.execute(params![scope, key, traces])?;
    }
    Ok(if keys.len() as i64 == ANSWERS { keys.into_iter().next_back() } else { None })
}

/// Empties the states of the user in the entry, if it is still kept.
fn empty_entry(connection: &Connection, user: UserUid, entry: i64) -> Result<()> {
    let select = "SELECT kind, before, after FROM journal WHERE seq = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found = connection.prepare_cached(select).and_then(|mut select| select.query_row([entry], read).optional());
    let Some((kind, before, after)): Option<(String, Option<String>, Option<String>)> = found.map_err(failed)? else {
        return Ok(());
    };
    for (column, json) in [("before", before), ("after", after)] {
        if let Some(text) = json.map(|json| emptied(&kind, user, &json)).transpose()?.flatten() {
            let update = format!("UPDATE journal SET {column} = ?2 WHERE seq = ?1");
            let updated =
                connection.prepare_cached(&update).and_then(|mut update| update.execute(params![entry, text]));
            updated.map_err(failed)?;
        }
    }
    Ok(())
}

/// Merges some pages of a text index. Returns whether there may be more.
fn merge(connection: &Connection, table: &str, pages: i64) -> rusqlite::Result<bool> {
    let total = |connection: &Connection| {
        connection.prepare_cached("SELECT total_changes()")?.query_row([], |row| row.get::<_, i64>(0))
    };
    let before = total(connection)?;
    let sql = format!("INSERT INTO {table} ({table}, rank) VALUES ('merge', ?1)");
    connection.prepare_cached(&sql)?.execute([pages])?;
    // The command itself counts as one change (https://www.sqlite.org/fts5.html#the_merge_command).
    Ok(total(connection)? - before > 1)
}

impl SqliteStore {
    /// Copies the log into the file and truncates it, so that no former page is left in it. Another process may read it
    /// for longer than this waits; then the log is overwritten later.
    async fn truncate_log(&self) -> Result<()> {
        for _ in 0..TRUNCATIONS {
            let (readers, integrity) = (Arc::clone(&self.readers), Arc::clone(&self.integrity));
            let attempt = move || {
                integrity.check()?;
                let connection = integrity.open_copier()?;
                readers.without_snapshots(|| truncate(&connection)).map_err(failed)
            };
            match tokio::task::spawn_blocking(attempt).await.map_err(Error::internal)? {
                Ok(()) => return Ok(()),
                Err(Error::Unavailable(_)) => tokio::time::sleep(TRUNCATION_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
        tracing::warn!("another process reads the write-ahead log: it holds former values until it is overwritten");
        Ok(())
    }
}
