//! Sessions and setup codes in SQLite.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params, params_from_iter};

use crate::domain::Result;
use crate::domain::session::{SESSIONS_MAX, Session};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserKey, UserUid};
use crate::store::sessions::Sessions;
use crate::store::sql::columns::{insert, inserted, select};
use crate::store::sql::sessions::{
    ADMINISTRATOR, CLEAR_CODES, END, END_ALL, END_OLDEST, EXPIRED_PER_WRITE, FIND_CODE, KEEP_CODE, NOTE_USE, OF_USER,
    USE_CODE,
};

use super::SqliteStore;
use super::entities::rows;
use super::entity::find;
use super::storage::open::failed;

#[async_trait]
impl Sessions for SqliteStore {
    async fn start_session(&self, session: Session) -> Result<()> {
        let clear = "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires <= ?1 LIMIT ?2)";
        let start = move |connection: &rusqlite::Connection| {
            connection.prepare_cached(&insert::<Session>())?.execute(params_from_iter(inserted(&session)))?;
            let now = session.created.as_micros();
            connection.prepare_cached(clear)?.execute(params![now, EXPIRED_PER_WRITE])?;
            connection.prepare_cached(END_OLDEST)?.execute(params![session.user, SESSIONS_MAX]).map(drop)
        };
        self.writer.write(move |context| start(context.connection).map_err(failed)).await
    }

    async fn session(&self, hash: &str) -> Result<Option<(Session, User)>> {
        self.readers.point(|connection| {
            let sql = select::<Session>("WHERE hash = ?1");
            let session = connection.prepare_cached(&sql)?.query_row([hash], rows::record::<Session>).optional()?;
            let Some(session) = session else { return Ok(None) };
            let user: Option<User> = find(connection, &UserKey::Uid(session.user))?;
            Ok(user.map(|user| (session, user)))
        })
    }

    async fn note_session_use(&self, hash: &str, at: Timestamp) -> Result<()> {
        let hash = hash.to_owned();
        self.writer
            .write(move |context| {
                let note = context.connection.prepare_cached(NOTE_USE);
                note.and_then(|mut note| note.execute(params![at.as_micros(), hash])).map(drop).map_err(failed)
            })
            .await
    }

    async fn sessions_of(&self, user: UserUid) -> Result<Vec<Session>> {
        self.readers.point(|connection| {
            connection.prepare_cached(&select::<Session>(OF_USER))?.query_map([user], rows::record)?.collect()
        })
    }

    async fn end_session(&self, user: UserUid, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.writer
            .write(move |context| {
                let end = context.connection.prepare_cached(END);
                Ok(end.and_then(|mut end| end.execute(params![user, id])).map_err(failed)? > 0)
            })
            .await
    }

    async fn end_sessions(&self, user: UserUid) -> Result<()> {
        self.writer
            .write(move |context| {
                let end = context.connection.prepare_cached(END_ALL);
                end.and_then(|mut end| end.execute([user])).map(drop).map_err(failed)
            })
            .await
    }

    async fn keep_setup_code(&self, hash: &str, expires: Timestamp, now: Timestamp) -> Result<()> {
        let hash = hash.to_owned();
        let keep = move |connection: &rusqlite::Connection| {
            connection.prepare_cached(CLEAR_CODES)?.execute([now.as_micros()])?;
            connection.prepare_cached(KEEP_CODE)?.execute(params![hash, expires.as_micros()]).map(drop)
        };
        self.writer.write(move |context| keep(context.connection).map_err(failed)).await
    }

    async fn setup_code(&self, hash: &str, now: Timestamp) -> Result<Option<Timestamp>> {
        let expires: Option<i64> = self.readers.point(|connection| {
            connection.prepare_cached(FIND_CODE)?.query_row(params![hash, now.as_micros()], |row| row.get(0)).optional()
        })?;
        Ok(expires.map(Timestamp::from_micros))
    }

    async fn use_setup_code(&self, hash: &str, now: Timestamp) -> Result<bool> {
        let hash = hash.to_owned();
        self.writer
            .write(move |context| {
                let used = context.connection.prepare_cached(USE_CODE);
                Ok(used.and_then(|mut used| used.execute(params![hash, now.as_micros()])).map_err(failed)? > 0)
            })
            .await
    }

    async fn has_administrator(&self) -> Result<bool> {
        self.readers.point(|connection| connection.prepare_cached(ADMINISTRATOR)?.exists([]))
    }
}
