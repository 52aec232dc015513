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
    /// Returns what the outcome of the line would be behind the earlier lines. `outcome` is that of the store, which knows
    /// the earlier lines of the same batch alone.
    pub(super) fn judge(&mut self, record: &Record, outcome: Result<ItemOutcome>) -> Judged {
        match (record, outcome) {
            (Record::Group(uid, fields), Ok(outcome)) => {
                let id = digest(&fields.id.key());
                let taken = number_is_taken(&mut self.numbers[0], *uid, id);
                Judged::Known(if taken {
                    Err(taken_by_another("group"))
                } else {
                    Ok(behind(&mut self.groups, id, outcome))
                })
            }
            (Record::User(uid, fields), Ok(outcome)) => {
                let id = digest(&fields.id.key());
                if *self.usernames.entry(digest(&fold(&fields.username))).or_insert(id) != id {
                    return Judged::Known(Err(Error::UsernameTaken));
                }
                let taken = number_is_taken(&mut self.numbers[1], *uid, id);
                Judged::Known(if taken {
                    Err(taken_by_another("user"))
                } else {
                    Ok(behind(&mut self.users, id, outcome))
                })
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

fn number_is_taken(numbers: &mut HashMap<i64, Digest>, uid: Option<i64>, id: Digest) -> bool {
    uid.is_some_and(|uid| *numbers.entry(uid).or_insert(id) != id)
}

fn taken_by_another(kind: &str) -> Error {
    Error::invalid("uid", format!("is another {kind}'s, by an earlier line"))
}

fn digest(text: &str) -> Digest {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
