//! A preview of an import. The store judges each batch by what the directory has now, and undoes it. So a line that depends
//! on a line of an earlier batch of the same file is judged here, by what is remembered of those lines: a digest of each ID,
//! username and number.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};

use crate::domain::error::{Error, ResourceKind, Result};
use crate::domain::id::Id;
use crate::domain::text::fold;
use crate::service::import::{ItemOutcome, Record};

/// The digest of a text.
type Digest = u64;

/// What the lines before would have made.
#[derive(Debug, Default)]
pub(super) struct Seen {
    groups: HashSet<Digest>,
    users: HashSet<Digest>,
    /// Whose they are, by the digest of the user's ID.
    usernames: HashMap<Digest, Digest>,
    /// Whose they are: the numbers of groups, and those of users.
    numbers: [HashMap<i64, Digest>; 2],
}

/// What is known of a line.
#[derive(Debug)]
pub(super) enum Judged {
    /// The outcome.
    Known(Result<ItemOutcome>),
    /// The group of the membership is made by an earlier line: it would be created if the directory has the user.
    IfUser(Id),
}

impl Seen {
    /// The outcome of a line that changes what an earlier line makes, if its username and number are those of that line: the
    /// store may have refused it for another line of the batch that would be refused itself.
    fn own(&self, record: &Record) -> Option<ItemOutcome> {
        let (id, of_kind, uid, username) = match record {
            Record::Group(uid, fields) => (digest(&fields.id.key()), 0, uid, None),
            Record::User(uid, fields) => (digest(&fields.id.key()), 1, uid, Some(digest(&fold(&fields.username)))),
            Record::Membership(_) => return None,
        };
        let is_known = if of_kind == 0 { self.groups.contains(&id) } else { self.users.contains(&id) };
        let is_own = |owner: Option<&Digest>| owner == Some(&id);
        let has_username = username.is_none_or(|username| is_own(self.usernames.get(&username)));
        let has_number = uid.is_none_or(|uid| is_own(self.numbers[of_kind].get(&uid)));
        (is_known && has_username && has_number).then_some(ItemOutcome::Updated)
    }

    /// Returns what the outcome of the line would be behind the earlier lines. `outcome` is that of the store, which knows
    /// the earlier lines of the same batch alone.
    pub(super) fn judge(&mut self, record: &Record, outcome: Result<ItemOutcome>) -> Judged {
        let outcome = match outcome {
            Err(error @ (Error::UsernameTaken | Error::Invalid(_))) => self.own(record).ok_or(error),
            outcome => outcome,
        };
        match (record, outcome) {
            (Record::Group(uid, fields), Ok(outcome)) => {
                let id = digest(&fields.id.key());
                if is_anothers(&self.numbers[0], *uid, id) {
                    return Judged::Known(Err(taken_by_another("group")));
                }
                self.numbers[0].extend(uid.map(|uid| (uid, id)));
                Judged::Known(Ok(behind(&mut self.groups, id, outcome)))
            }
            (Record::User(uid, fields), Ok(outcome)) => {
                let (id, username) = (digest(&fields.id.key()), digest(&fold(&fields.username)));
                if is_anothers(&self.numbers[1], *uid, id) {
                    return Judged::Known(Err(taken_by_another("user")));
                }
                if is_anothers(&self.usernames, Some(username), id) {
                    return Judged::Known(Err(Error::UsernameTaken));
                }
                self.numbers[1].extend(uid.map(|uid| (uid, id)));
                self.usernames.insert(username, id);
                Judged::Known(Ok(behind(&mut self.users, id, outcome)))
            }
            (Record::Membership(member), Err(Error::NotFound(kind, missing))) => {
                let (has_group, has_user) = (
                    self.groups.contains(&digest(&member.group.key())),
                    self.users.contains(&digest(&member.user.key())),
                );
                match kind {
                    ResourceKind::Group if has_group && has_user => Judged::Known(Ok(ItemOutcome::Created)),
                    ResourceKind::Group if has_group => Judged::IfUser(member.user.clone()),
                    ResourceKind::User if has_user => Judged::Known(Ok(ItemOutcome::Created)),
                    _ => Judged::Known(Err(Error::NotFound(kind, missing))),
                }
            }
            (_, outcome) => Judged::Known(outcome),
        }
    }
}

/// The outcome of a line whose entity an earlier line may have made.
fn behind(seen: &mut HashSet<Digest>, id: Digest, outcome: ItemOutcome) -> ItemOutcome {
    match (outcome, seen.insert(id)) {
        (ItemOutcome::Created, false) => ItemOutcome::Updated,
        (outcome, _) => outcome,
    }
}

/// Whether the key is that of another entity than `id`.
fn is_anothers<K: Eq + Hash>(owners: &HashMap<K, Digest>, key: Option<K>, id: Digest) -> bool {
    key.and_then(|key| owners.get(&key)).is_some_and(|owner| *owner != id)
}

fn taken_by_another(kind: &str) -> Error {
    Error::invalid("uid", format!("is another {kind}'s, by an earlier line"))
}

fn digest(text: &str) -> Digest {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
