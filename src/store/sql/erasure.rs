//! The erasure of a user: what is emptied, and in which steps. Each step is one transaction of bounded work, and may be
//! repeated after a crash (docs/rollbook.md, section 13).
//!
//! The first transaction ([`Erasing`]) deletes the user, empties the row and remembers in the settings that the erasure is
//! not finished. The journal entries of that transaction hold the last state of the user, so that [`traces`] finds the
//! user's names again after a crash. Then [`finish`] empties recorded answers, while the journal tells by which names they
//! show the user, and the journal last.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::domain::error::{Error, Result};
use crate::domain::history::{Order, State};
use crate::domain::idempotency::{KEPT_SECONDS, RequestKey};
use crate::domain::journal::ChangeKind;
use crate::domain::labels::Tag;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};

use super::entity::{Stamp, StoredEntity as _, not_before};
use super::journal::batch_entry::BatchEntities;
use super::journal::{JournalEntry, raw, text, to_text};
use super::past::SnapshotReader;
use super::past::history::{HistoryReader, Trail};
use super::past::states::{decode, state};

/// Remembers that the erasure of the user is not finished. The parameter is [`setting`].
pub(crate) const REMEMBER: &str = "INSERT INTO settings (key, value) VALUES ($1, '') ON CONFLICT (key) DO NOTHING";
/// Forgets it.
pub(crate) const FORGET: &str = "DELETE FROM settings WHERE key = $1";
/// Selects the keys of the settings of erasures that are not finished.
pub(crate) const UNFINISHED: &str = "SELECT key FROM settings WHERE key >= 'erasing:' AND key < 'erasing;'";
/// Empties the data of sign-ins of the user, and removes the password.
pub(crate) const EMPTY_SIGN_INS: &str = "UPDATE users SET last_active = NULL, failed_attempts = 0, \
     locked_until = NULL, password_hash = NULL WHERE uid = $1";
/// The number of recorded answers that one step looks at.
pub(crate) const ANSWERS: i64 = 500;
/// The number of refresh tokens that one step deletes.
pub(crate) const TOKENS: i64 = 1_000;
/// The number of recorded sign-ins that one step empties.
pub(crate) const SIGN_INS: i64 = 1_000;
/// Empties the addresses of recorded sign-ins of a user. The parameters are the number of the user and [`SIGN_INS`].
pub(crate) const EMPTY_SOURCES: &str = "UPDATE sign_ins SET source = NULL WHERE seq IN \
     (SELECT seq FROM sign_ins WHERE user_uid = $1 AND source IS NOT NULL LIMIT $2)";

const SETTING: &str = "erasing:";
/// The maximum number of names by which answers are looked for. A user with more was renamed hundreds of times in a day.
const TRACES_MAX: usize = 1_000;
/// The maximum number of entries in which names are looked for. A user with more was changed every few minutes of a day.
const TRACED_MAX: usize = 500;
/// How much longer than answers are kept the names of a user count, in seconds: clocks differ.
const MARGIN: i64 = 3_600;

/// The key of the setting that an erasure is not finished.
pub(crate) fn setting(user: UserUid) -> String {
    format!("{SETTING}{user}")
}

/// The user of a key that [`UNFINISHED`] selects; `None` if it is none.
pub(crate) fn user_of(setting: &str) -> Option<UserUid> {
    setting.strip_prefix(SETTING)?.parse().ok()
}

/// The states through which the first transaction takes a user.
#[derive(Debug)]
pub(crate) struct Erasing {
    /// The user as deleted; `None` if they are deleted already.
    pub deleted: Option<User>,
    /// The user without personal fields.
    pub erased: User,
}

impl Erasing {
    /// The states of a user who is erased at `at`. Fails with `AlreadyErased`.
    pub(crate) fn of(user: &User, language: &Tag, at: Timestamp) -> Result<Self> {
        if user.is_erased() {
            return Err(Error::AlreadyErased);
        }
        let at = not_before(Some(user.updated), at);
        let stamp = Stamp { uid: user.uid, at, version: user.version + 1, language, returns_memberships: false };
        let deleted = user.deleted.is_none().then(|| user.clone().tombstone(&stamp));
        let last = deleted.as_ref().unwrap_or(user);
        let mut fields = last.fields.emptied(user.uid);
        fields.generation += 1;
        let erased = User {
            fields,
            updated: at,
            version: last.version + 1,
            erased: Some(at),
            last_active: None,
            failed_attempts: 0,
            locked_until: None,
            ..last.clone()
        };
        Ok(Self { deleted, erased })
    }

    /// The journal entries of the first transaction on the user.
    pub(crate) fn entries(&self, user: &User) -> Result<Vec<JournalEntry>> {
        let deletion = self.deleted.as_ref().map(|deleted| JournalEntry::of(Some(user), deleted)).transpose()?;
        let last = self.deleted.as_ref().unwrap_or(user);
        let erasure = JournalEntry { change: ChangeKind::Erased, ..JournalEntry::of(Some(last), &self.erased)? };
        Ok(deletion.into_iter().chain([erasure]).collect())
    }
}

/// By which texts recorded answers show a user; `None` = by too many to look for, so any answer may show them.
pub(crate) type Traces = Option<Vec<String>>;

/// What a store does in the steps of an erasure. Each method is one transaction.
#[async_trait]
pub(crate) trait ErasureSteps: Sync {
    /// Returns the numbers of the first entries from the number on that hold states of the user, in order.
    async fn entries(&self, user: UserUid, from: i64) -> Result<Vec<i64>>;
    /// Returns [`traces`] of the user.
    async fn traces(&self, user: UserUid) -> Result<Traces>;
    /// Of the next [`ANSWERS`] recorded answers behind the key, empties the bodies and locations of those with a trace.
    /// Returns the key of the last one; `None` if there are no more.
    async fn empty_answers(&self, traces: &Traces, after: &RequestKey) -> Result<Option<RequestKey>>;
    /// Empties the states of the user in these entries, as [`emptied`] does.
    async fn empty_entries(&self, user: UserUid, entries: &[i64]) -> Result<()>;
    /// Deletes up to [`TOKENS`] refresh tokens of the user. Returns whether there may be more.
    async fn delete_refresh_tokens(&self, user: UserUid) -> Result<bool>;
    /// Empties the addresses from which up to [`SIGN_INS`] recorded sign-ins of the user came. Returns whether there may be more.
    async fn empty_sign_ins(&self, user: UserUid) -> Result<bool>;
    /// Removes what is left in indexes and logs, and forgets that the erasure is not finished.
    async fn complete(&self, user: UserUid) -> Result<()>;
}

/// Takes all steps behind the first transaction.
pub(crate) async fn finish(steps: &impl ErasureSteps, user: UserUid) -> Result<()> {
    let traces = steps.traces(user).await?;
    let mut after = Some(RequestKey { scope: String::new(), key: String::new() });
    while let Some(key) = after {
        after = steps.empty_answers(&traces, &key).await?;
    }
    while steps.delete_refresh_tokens(user).await? {}
    while steps.empty_sign_ins(user).await? {}
    let mut from = 0;
    loop {
        // At most 256 entries, of which those of batches have up to 64 KiB each.
        let entries = steps.entries(user, from).await?;
        let Some(last) = entries.last() else { break };
        steps.empty_entries(user, &entries).await?;
        from = last + 1;
    }
    steps.complete(user).await
}

/// Counts the entries that hold states of the user.
pub(crate) async fn count(steps: &impl ErasureSteps, user: UserUid) -> Result<u64> {
    let (mut count, mut from) = (0, 0);
    loop {
        let entries = steps.entries(user, from).await?;
        count += entries.len() as u64;
        match entries.last() {
            Some(last) => from = last + 1,
            None => return Ok(count),
        }
    }
}

/// Returns the numbers of the first entries from the number on that hold states of the user, in order; none if there are
/// no more.
pub(crate) async fn entries<S: SnapshotReader>(
    snapshot: &mut S,
    user: UserUid,
    from: i64,
) -> Result<Vec<i64>, S::Failure> {
    HistoryReader::new(Trail::UserItself(user), Order::Ascending, None).entry_numbers(snapshot, from).await
}

/// Returns the texts by which an answer that is still recorded may show the user, as JSON spells them: the number if more
/// follows it, and every ID, username and email address that they had while it was recorded.
pub(crate) async fn traces<S: SnapshotReader>(snapshot: &mut S, user: UserUid) -> Result<Traces, S::Failure> {
    let language = snapshot.language().clone();
    let mut reader = HistoryReader::new(Trail::UserItself(user), Order::Descending, None);
    let mut found = BTreeSet::from([format!("\"uid\":{user},")]);
    let mut earliest = None;
    while let Some(changes) = reader.next_changes(snapshot).await? {
        for change in changes {
            let at = change.circumstances.at;
            for json in [&change.before, &change.after].into_iter().flatten() {
                if let State::User(state) = state::<User>(json, &language)? {
                    let names = [state.fields.id.as_str(), &state.fields.username, &state.fields.email];
                    found.extend(
                        names.into_iter().filter(|name| !name.is_empty()).map(spelled).collect::<Result<Vec<_>>>()?,
                    );
                }
            }
            if at < *earliest.get_or_insert(at.plus_seconds(-KEPT_SECONDS - MARGIN)) {
                return Ok(Some(found.into_iter().collect()));
            }
        }
        if found.len() > TRACES_MAX || reader.entries_read > TRACED_MAX {
            return Ok(None);
        }
    }
    Ok(Some(found.into_iter().collect()))
}

/// The text as JSON spells it, without the quotes.
fn spelled(text: &str) -> Result<String> {
    let json = to_text(&text)?;
    Ok(json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned())
}

/// Returns a journal entry's `before` or `after` with the states of the user emptied; `None` if it holds none. `kind` is
/// that of the entry.
pub(crate) fn emptied(kind: &str, user: UserUid, json: &str) -> Result<Option<String>> {
    let of_state = |json: &str| -> Result<Option<User>> {
        let state: User = decode(json)?;
        let fields = state.fields.emptied(user);
        Ok((state.uid == user).then_some(User { fields, ..state }))
    };
    if kind != "batch" {
        return of_state(json)?.map(|state| text(&state)).transpose();
    }
    let mut entities: BatchEntities = serde_json::from_str(json).map_err(Error::internal)?;
    let mut has_any = false;
    for state in &mut entities.users {
        if let Some(emptied) = of_state(state.get())? {
            *state = raw(&emptied)?;
            has_any = true;
        }
    }
    has_any.then(|| to_text(&entities)).transpose()
}
