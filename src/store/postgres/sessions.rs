//! Sessions and setup codes in PostgreSQL.

use std::sync::LazyLock;

use async_trait::async_trait;

use crate::domain::Result;
use crate::domain::error::Error;
use crate::domain::session::{SESSIONS_MAX, Session};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};
use crate::store::sessions::Sessions;
use crate::store::sql::columns::{Record as _, insert, inserted, read_columns, select};
use crate::store::sql::sessions::{
    ADMINISTRATOR, CLEAR_CODES, END, END_ALL, END_OLDEST, EXPIRED_PER_WRITE, FIND_CODE, KEEP_CODE, NOTE_USE, OF_USER,
    USE_CODE,
};

use super::PostgresStore;
use super::connection::database_error::DatabaseError;
use super::read::rows::{ColumnsFrom, all};
use super::write::pipeline::{owned, parameters};
use super::write::transaction::Transaction;
use super::write::unit_of_work::{OutcomeLookup, UnitOfWork};

#[async_trait]
impl Sessions for PostgresStore {
    async fn start_session(&self, session: Session) -> Result<()> {
        self.execute(Change::Start(session)).await.map(drop)
    }

    async fn session(&self, hash: &str) -> Result<Option<(Session, User)>> {
        static WITH_USER: LazyLock<String> = LazyLock::new(|| {
            let (session, user) = (select::<Session>("WHERE hash = $1"), select::<User>(""));
            format!("SELECT s.*, u.* FROM ({session}) AS s JOIN ({user}) AS u ON u.uid = s.user_uid")
        });
        const USER: usize = read_columns(Session::COLUMNS);
        let row = self.point_reads.find(&WITH_USER, &[&hash]).await?;
        row.map(|row| Ok((Session::read(&row)?, User::read(&ColumnsFrom { row: &row, first: USER })?))).transpose()
    }

    async fn note_session_use(&self, hash: &str, at: Timestamp) -> Result<()> {
        self.execute(Change::NoteUse(hash.to_owned(), at)).await.map(drop)
    }

    async fn sessions_of(&self, user: UserUid) -> Result<Vec<Session>> {
        static ALL: LazyLock<String> = LazyLock::new(|| select::<Session>(OF_USER));
        all(&self.point_reads.rows(&ALL, &[&user]).await?, Session::read)
    }

    async fn end_session(&self, user: UserUid, id: &str) -> Result<bool> {
        self.execute(Change::End(user, id.to_owned())).await
    }

    async fn end_sessions(&self, user: UserUid) -> Result<()> {
        self.execute(Change::EndAll(user)).await.map(drop)
    }

    async fn keep_setup_code(&self, hash: &str, expires: Timestamp, now: Timestamp) -> Result<()> {
        self.execute(Change::KeepCode { hash: hash.to_owned(), expires, now }).await.map(drop)
    }

    async fn setup_code(&self, hash: &str, now: Timestamp) -> Result<Option<Timestamp>> {
        let row = self.point_reads.find(FIND_CODE, &[&hash, &now.as_micros()]).await?;
        row.map(|row| Ok(Timestamp::from_micros(row.try_get(0).map_err(Error::internal)?))).transpose()
    }

    async fn use_setup_code(&self, hash: &str, now: Timestamp) -> Result<bool> {
        self.execute(Change::UseCode(hash.to_owned(), now)).await
    }

    async fn has_administrator(&self) -> Result<bool> {
        Ok(self.point_reads.find(ADMINISTRATOR, &[]).await?.is_some())
    }
}

/// The unit of work that changes sessions or setup codes. Its output is whether what it names was there.
enum Change {
    Start(Session),
    NoteUse(String, Timestamp),
    End(UserUid, String),
    EndAll(UserUid),
    KeepCode { hash: String, expires: Timestamp, now: Timestamp },
    UseCode(String, Timestamp),
}

#[async_trait]
impl UnitOfWork for Change {
    type Output = bool;

    /// A change that is committed twice is the same as once, except that its second output says that nothing was there: a
    /// setup code is used up then, and the server prints another at its next start.
    fn outcome_lookup(&self) -> OutcomeLookup<'_> {
        OutcomeLookup::Idempotent
    }

    async fn run(&self, transaction: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
        static INSERT: LazyLock<String> = LazyLock::new(|| format!("{} ON CONFLICT DO NOTHING", insert::<Session>()));
        // SKIP LOCKED: rows that another node is deleting are left to it.
        const CLEAR: &str = "DELETE FROM sessions WHERE hash IN \
                             (SELECT hash FROM sessions WHERE expires <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
        const FIND: &str = "SELECT 1 FROM sessions WHERE user_uid = $1 AND id = $2 FOR UPDATE";
        match self {
            Self::Start(session) => {
                transaction.queue(&INSERT, owned(inserted(session)));
                transaction.queue(CLEAR, parameters![session.created.as_micros(), EXPIRED_PER_WRITE]);
                transaction.queue(END_OLDEST, parameters![session.user, i64::from(SESSIONS_MAX)]);
            }
            Self::NoteUse(hash, at) => transaction.queue(NOTE_USE, parameters![at.as_micros(), hash.clone()]),
            Self::End(user, id) => {
                if transaction.find(FIND, &[user, id]).await?.is_none() {
                    return Ok(false);
                }
                transaction.queue(END, parameters![*user, id.clone()]);
            }
            Self::EndAll(user) => transaction.queue(END_ALL, parameters![*user]),
            Self::KeepCode { hash, expires, now } => {
                transaction.queue(CLEAR_CODES, parameters![now.as_micros()]);
                transaction.queue(KEEP_CODE, parameters![hash.clone(), expires.as_micros()]);
            }
            Self::UseCode(hash, now) => {
                // Two uses of codes at once wait for each other.
                transaction.read("LOCK TABLE setup_codes IN SHARE ROW EXCLUSIVE MODE", &[]).await?;
                if transaction.find(FIND_CODE, &[hash, &now.as_micros()]).await?.is_none() {
                    return Ok(false);
                }
                transaction.queue(USE_CODE, parameters![hash.clone(), now.as_micros()]);
            }
        }
        Ok(true)
    }
}
