//! Changes of the directory as the journal records them, and questions about the past (docs/rollbook.md, section 11).

use std::fmt;
use std::sync::Arc;

use crate::domain::actor::{NamedActor, NamedClient, NamedUser};
use crate::domain::change_type::ChangeType;
use crate::domain::client::{Client, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::group::{Group, GroupUid};
use crate::domain::journal::Channel;
use crate::domain::long_lived_token::{LongLivedToken, LongLivedTokenUid};
use crate::domain::membership::{JoinedGroup, Member};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserUid};

/// The maximum number of changes on a page.
pub const CHANGES_MAX: u32 = 1_000;

/// The identity of a change: the number of its journal entry, and its index among the changes of the entry. Of two
/// changes of one entity, the later one has the higher identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId {
    /// The number of the journal entry, from 1.
    pub seq: i64,
    /// The index of the change in the entry, from 0.
    pub index: u32,
}

impl fmt::Display for ChangeId {
    /// Writes the number and the index: `184467.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.index)
    }
}

/// What a change is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A group.
    Group(GroupUid),
    /// A user.
    User(UserUid),
    /// A user's membership of a group.
    Membership {
        /// The group.
        group: GroupUid,
        /// The user.
        user: UserUid,
    },
    /// A client.
    Client(ClientUid),
    /// A long-lived token.
    Token(LongLivedTokenUid),
    /// A signing key, by its key ID.
    Key(String),
}

impl Subject {
    /// The group that a change of this subject is about.
    pub fn group(&self) -> Option<GroupUid> {
        match self {
            Self::Group(group) | Self::Membership { group, .. } => Some(*group),
            _ => None,
        }
    }

    /// The user that a change of this subject is about.
    pub fn user(&self) -> Option<UserUid> {
        match self {
            Self::User(user) | Self::Membership { user, .. } => Some(*user),
            _ => None,
        }
    }
}

/// A group as a change names it: as it was right after the change, or before its deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedGroup {
    /// The number.
    pub uid: GroupUid,
    /// The ID.
    pub id: String,
    /// The Name.
    pub name: String,
}

/// An entity at one moment, without counts and without the data of sign-ins.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// A group.
    Group(Box<Group>),
    /// A user.
    User(Box<User>),
    /// A client.
    Client(Box<Client>),
    /// A long-lived token.
    Token(Box<LongLivedToken>),
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The identity.
    pub id: ChangeId,
    /// What was done.
    pub kind: ChangeType,
    /// What it was done to.
    pub subject: Subject,
    /// The time of the change.
    pub time: Timestamp,
    /// The ID of the operation that made the change. An operation can make several.
    pub operation: String,
    /// The channel by which the operation came.
    pub channel: Channel,
    /// Why the change was made, if the caller said so.
    pub reason: Option<String>,
    /// Who made it, by their names right after the change.
    pub actor: NamedActor,
    /// The group concerned.
    pub group: Option<NamedGroup>,
    /// The user concerned.
    pub user: Option<NamedUser>,
    /// The client concerned.
    pub client: Option<NamedClient>,
    /// The entity before the change; `None` for memberships, keys and what was created.
    pub before: Option<State>,
    /// The entity after the change; `None` for memberships and keys.
    pub after: Option<State>,
    /// When the membership of the change began; `None` for other changes.
    pub since: Option<Timestamp>,
    /// The operation that the change undoes, if it undoes one.
    pub undoes: Option<String>,
}

/// One change as the journal keeps it: with numbers instead of names.
#[derive(Clone, Debug, PartialEq)]
pub struct JournaledChange {
    /// The identity.
    pub id: ChangeId,
    /// What was done.
    pub kind: ChangeType,
    /// What it was done to.
    pub subject: Subject,
    /// The time of the change.
    pub time: Timestamp,
    /// The ID of the operation that made the change.
    pub operation: Arc<str>,
    /// The entity before the change; `None` for memberships, keys and what was created.
    pub before: Option<State>,
    /// The entity after the change; `None` for memberships and keys.
    pub after: Option<State>,
    /// When the membership of the change began; `None` for other changes.
    pub since: Option<Timestamp>,
}

/// The direction in which changes are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    #[default]
    Ascending,
    /// The newest first.
    Descending,
}

/// Times from which to which changes are read, both inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first time; `None` = the beginning.
    pub since: Option<Timestamp>,
    /// The last time; `None` = now.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Whether the time is in the span.
    pub fn contains(self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time <= until)
    }
}

/// Whose history is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryOf {
    /// Changes of the group and of its memberships.
    Group(GroupUid),
    /// Changes of the user and of their memberships.
    User(UserUid),
    /// Changes of the user's membership of the group.
    Membership(GroupUid, UserUid),
}

/// A query for the history of one entity.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    /// Whose history.
    pub of: HistoryOf,
    /// The groups that the caller may see. Memberships of other groups are left out.
    pub visibility: Visibility,
    /// The times of the changes.
    pub span: Span,
    /// The types of the changes; `None` = all.
    pub types: Option<Vec<ChangeType>>,
    /// The order.
    pub order: Order,
    /// The change behind which the page begins; `None` = at the beginning.
    pub after: Option<ChangeId>,
    /// The maximum number of changes, from 1 to [`CHANGES_MAX`].
    pub limit: u32,
}

/// A page of a history, from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPage {
    /// The changes.
    pub changes: Vec<Change>,
    /// Where the next page begins; `None` = nowhere, because nothing was read.
    pub next: Option<ChangeId>,
    /// Whether there may be more.
    pub more: bool,
}

/// Which changes a reader of the feed wants. An empty list means any; several lists must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// What was done.
    pub types: Vec<ChangeType>,
    /// The groups concerned.
    pub groups: Vec<GroupUid>,
    /// The users concerned.
    pub users: Vec<UserUid>,
    /// The users who acted.
    pub actors: Vec<UserUid>,
    /// The clients whose tokens were used.
    pub clients: Vec<ClientUid>,
    /// The channels.
    pub channels: Vec<Channel>,
    /// The operations.
    pub operations: Vec<String>,
}

impl ChangeFilter {
    /// Whether the lists of groups and users include those of the subject.
    pub fn concerns(&self, subject: &Subject) -> bool {
        includes(&self.groups, subject.group().as_ref()) && includes(&self.users, subject.user().as_ref())
    }

    /// Whether the lists of types, actors, clients and channels include those of a change.
    pub fn matches(
        &self,
        kind: ChangeType,
        user: Option<UserUid>,
        client: Option<ClientUid>,
        channel: Channel,
    ) -> bool {
        includes(&self.types, Some(&kind))
            && includes(&self.actors, user.as_ref())
            && includes(&self.clients, client.as_ref())
            && includes(&self.channels, Some(&channel))
    }

    /// Whether all lists include the change.
    pub fn selects(&self, change: &Change) -> bool {
        let Change { kind, subject, operation, channel, actor, .. } = change;
        let (user, client) = (actor.user.as_ref().map(|user| user.uid), actor.client.as_ref().map(|client| client.uid));
        self.concerns(subject)
            && self.matches(*kind, user, client, *channel)
            && includes(&self.operations, Some(operation))
    }
}

fn includes<T: PartialEq>(wanted: &[T], value: Option<&T>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.contains(value))
}

/// A position in the feed, behind a change. Positions are in the order of the feed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedPosition {
    /// The number of the transaction, by which the feed is ordered first; 0 if the store's transactions do not overlap.
    pub transaction: i64,
    /// The last change that was read. An index of [`u32::MAX`] stands behind all changes of the entry.
    pub change: ChangeId,
    /// The operation of the change, by which a restored database is noticed.
    pub operation: String,
}

/// A query for a part of the feed.
#[derive(Clone, Debug)]
pub struct FeedQuery {
    /// The groups that the caller may see. Changes of other groups are left out.
    pub visibility: Visibility,
    /// Which changes.
    pub filter: ChangeFilter,
    /// The times of the changes.
    pub span: Span,
    /// The order.
    pub order: Order,
    /// The position behind which the part begins; `None` = at the beginning.
    pub after: Option<FeedPosition>,
    /// The maximum number of changes, from 1 to [`CHANGES_MAX`].
    pub limit: u32,
    /// Whether the part ends where earlier changes can still appear, so that a reader misses none. Without it, the part has
    /// all changes that are committed.
    pub is_settled: bool,
}

/// A change in the feed.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedChange {
    /// The number of the transaction that made it.
    pub transaction: i64,
    /// The change.
    pub change: Change,
}

impl FeedChange {
    /// The position behind the change.
    pub fn position(&self) -> FeedPosition {
        let Change { id, operation, .. } = &self.change;
        FeedPosition { transaction: self.transaction, change: *id, operation: operation.clone() }
    }
}

/// A part of the feed, from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedPage {
    /// The changes.
    pub changes: Vec<FeedChange>,
    /// The position up to which the feed was read; `None` = nothing was there to read.
    pub next: Option<FeedPosition>,
    /// Whether there may be more now.
    pub more: bool,
}

/// A part of the journal, from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct JournaledPage {
    /// The changes.
    pub changes: Vec<JournaledChange>,
    /// The position up to which the journal was read; `None` = nothing was there to read.
    pub next: Option<FeedPosition>,
    /// Whether there may be more now.
    pub more: bool,
    /// The length of all states, in bytes of JSON.
    pub bytes: usize,
}

/// One uninterrupted membership of a user in a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Spell {
    /// When it began.
    pub start: Timestamp,
    /// When it ended; `None` = it lasts.
    pub end: Option<Timestamp>,
    /// The change that began it; `None` if it is no longer kept.
    pub added: Option<Change>,
    /// The change that ended it.
    pub ended: Option<Change>,
}

/// The members of a group at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct MembersAt {
    /// The members of the page, with their fields of that moment.
    pub items: Vec<Member>,
    /// The number of all members at that moment.
    pub total: u64,
    /// The folded ID and the number of the last member of the page; `None` = it is the last page.
    pub next: Option<(String, UserUid)>,
}

/// The groups of a user at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinedGroupsAt {
    /// The groups of the page, with their fields of that moment.
    pub items: Vec<JoinedGroup>,
    /// The number of the last group of the page; `None` = it is the last page.
    pub next: Option<GroupUid>,
}

/// A query for the members of a group at a moment, in the order of the users' IDs of today.
#[derive(Clone, Debug)]
pub struct MembersAtQuery {
    /// The group.
    pub group: GroupUid,
    /// The moment.
    pub at: Timestamp,
    /// The folded ID and the number of the user behind whom the page begins; `None` = at the beginning.
    pub after: Option<(String, UserUid)>,
    /// The maximum number of members, from 1.
    pub limit: u32,
}

/// A query for the groups of a user at a moment, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct JoinedGroupsAtQuery {
    /// The user.
    pub user: UserUid,
    /// The groups that the caller may see.
    pub visibility: Visibility,
    /// The moment.
    pub at: Timestamp,
    /// The group behind which the page begins; `None` = at the beginning.
    pub after: Option<GroupUid>,
    /// The maximum number of groups, from 1.
    pub limit: u32,
}
