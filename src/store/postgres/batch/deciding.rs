//! What the items of a batch come to, one after the other, by what was read.

use std::collections::{HashMap, HashSet};
use std::vec::IntoIter;

use crate::domain::error::{Error, Kind, Result};
use crate::domain::group::{Group, GroupFields, GroupUid};
use crate::domain::id::Id;
use crate::domain::labels::Tag;
use crate::domain::membership::Membership;
use crate::domain::text::fold;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserFields, UserUid};
use crate::store::sql::changes::{Written, group_after, user_after};
use crate::store::sql::journal::Batch;
use crate::store::{Item, ItemChange, Put, UserWrite, Write};

/// What a batch depends on, as it is now: as it was read, and as the items so far have left it.
#[derive(Default)]
pub struct Known {
    /// By the keys of their IDs.
    pub groups: HashMap<String, Held<Group>>,
    pub users: HashMap<String, Held<User>>,
    /// The numbers of users who are only put into groups.
    pub members: HashMap<String, UserUid>,
    /// Whose a username is, by its folded text.
    pub usernames: HashMap<String, UserUid>,
    /// The numbers among those given that some group has.
    pub taken: HashSet<GroupUid>,
    /// Numbers for what is made.
    pub new_groups: IntoIter<GroupUid>,
    pub new_users: IntoIter<UserUid>,
}

/// A live thing.
pub struct Held<T> {
    pub now: T,
    /// Whether the batch made it.
    pub is_new: bool,
}

/// What is to be written.
pub struct Decided {
    /// For the journal, but for the memberships.
    pub told: Batch,
    pub rewritten: Vec<Rewritten>,
    /// The new ones, by number.
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    pub members: Vec<NewMember>,
}

/// A thing that was there before the batch, before a step and after it.
pub enum Rewritten {
    Group(Box<Group>, Box<Group>),
    User(Box<User>, Box<User>),
}

/// A membership that is there afterwards, and may have been before.
pub struct NewMember {
    /// The place of its item.
    pub at: usize,
    pub group: GroupUid,
    pub user: UserUid,
    pub user_key: String,
}

impl NewMember {
    /// The numbers of group and user.
    pub fn pair(&self) -> (GroupUid, UserUid) {
        (self.group, self.user)
    }
}

/// A batch that is being decided.
pub struct Deciding<'a> {
    known: Known,
    language: &'a Tag,
    at: Timestamp,
    told: Batch,
    rewritten: Vec<Rewritten>,
    members: Vec<NewMember>,
    /// Those of `members`.
    pairs: HashSet<(GroupUid, UserUid)>,
}

impl<'a> Deciding<'a> {
    /// Before the first item. What changes does so at `at`.
    pub fn new(known: Known, language: &'a Tag, at: Timestamp) -> Self {
        let (told, rewritten, members, pairs) = (Batch::default(), Vec::new(), Vec::new(), HashSet::new());
        Self { known, language, at, told, rewritten, members, pairs }
    }

    /// Decides the item at the place. Whether a membership is new is not known here: it is `Unchanged` for now.
    pub fn decide(&mut self, at: usize, item: &Item) -> Result<ItemChange> {
        match item {
            Item::Group { id, uid, put } => self.group(id, *uid, put),
            Item::User { id, put } => self.user(id, put),
            Item::Member(member) => self.member(at, member),
        }
    }

    /// Behind the last item.
    pub fn end(self) -> Decided {
        let Self { known, told, rewritten, members, .. } = self;
        let (mut users, mut groups) = (new(known.users), new(known.groups));
        users.sort_unstable_by_key(|user| user.uid);
        groups.sort_unstable_by_key(|group| group.uid);
        Decided { told, rewritten, users, groups, members }
    }

    fn group(&mut self, id: &Id, uid: Option<GroupUid>, put: &Put<Group, GroupFields>) -> Result<ItemChange> {
        let (key, known) = (id.key(), &mut self.known);
        let held = known.groups.get(&key);
        let before = held.map(|held| &held.now);
        let fields = put(before)?;
        stays(id, &fields.id)?;
        let uid = match (before, uid) {
            (Some(group), _) => group.uid,
            (None, Some(uid)) if known.taken.insert(uid) => uid,
            (None, Some(_)) => return Err(Error::invalid("uid", "is another group's, or was")),
            (None, None) => drawn(&mut known.new_groups)?,
        };
        let Written::Changed(after) = group_after(Write::Put(fields), before, uid, self.language, self.at)? else {
            return Ok(ItemChange::Unchanged);
        };
        self.told.group(before, &after)?;
        let change = ItemChange::of(before.is_some());
        let is_new = held.is_none_or(|held| held.is_new);
        if let Some(before) = before.filter(|_| !is_new) {
            self.rewritten.push(Rewritten::Group(before.clone().into(), after.clone().into()));
        }
        known.groups.insert(key, Held { now: after, is_new });
        Ok(change)
    }

    fn user(&mut self, id: &Id, put: &Put<User, UserFields>) -> Result<ItemChange> {
        let (key, known) = (id.key(), &mut self.known);
        let held = known.users.get(&key);
        let before = held.map(|held| &held.now);
        let fields = put(before)?;
        stays(id, &fields.id)?;
        let own = before.map(|user| user.uid);
        let username = fold(&fields.username);
        if known.usernames.get(&username).is_some_and(|owner| Some(*owner) != own) {
            return Err(Error::UsernameTaken);
        }
        let uid = own.map_or_else(|| drawn(&mut known.new_users), Ok)?;
        let write = Write::Put(UserWrite { fields, password_hash: None });
        let (Written::Changed(after), _) = user_after(write, before, uid, self.at)? else {
            return Ok(ItemChange::Unchanged);
        };
        self.told.user(before, &after)?;
        let change = ItemChange::of(before.is_some());
        let is_new = held.is_none_or(|held| held.is_new);
        if let Some(before) = before {
            known.usernames.remove(&fold(&before.fields.username));
            if !is_new {
                self.rewritten.push(Rewritten::User(before.clone().into(), after.clone().into()));
            }
        }
        known.usernames.insert(username, uid);
        known.users.insert(key, Held { now: after, is_new });
        Ok(change)
    }

    fn member(&mut self, at: usize, member: &Membership) -> Result<ItemChange> {
        let (known, user_key) = (&self.known, member.user.key());
        let group = known.groups.get(&member.group.key()).map(|held| held.now.uid);
        let group = group.ok_or_else(|| Error::NotFound(Kind::Group, member.group.to_string()))?;
        let user = known.users.get(&user_key).map(|held| held.now.uid).or(known.members.get(&user_key).copied());
        let user = user.ok_or_else(|| Error::NotFound(Kind::User, member.user.to_string()))?;
        if self.pairs.insert((group, user)) {
            self.members.push(NewMember { at, group, user, user_key });
        }
        Ok(ItemChange::Unchanged)
    }
}

fn new<T>(all: HashMap<String, Held<T>>) -> Vec<T> {
    all.into_values().filter(|held| held.is_new).map(|held| held.now).collect()
}

fn drawn(numbers: &mut IntoIter<i64>) -> Result<i64> {
    numbers.next().ok_or_else(|| Error::internal(anyhow::anyhow!("a batch makes more than it drew numbers for")))
}

/// Fails where a thing would be put under another ID than the one by which it was read.
fn stays(id: &Id, put: &Id) -> Result<()> {
    match id.key() == put.key() {
        true => Ok(()),
        false => Err(Error::internal(anyhow::anyhow!("a batch renames {id} to {put}"))),
    }
}
