//! The names of what a change is about and of who made it, as they were then. Names are looked up and never stored: an
//! entity that was not changed since has its present name, and another one the name before its next change.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use crate::domain::actor::{NamedActor, NamedClient, NamedUser};
use crate::domain::client::{Client, ClientUid};
use crate::domain::community::Visibility;
use crate::domain::error::Result;
use crate::domain::group::{Group, GroupUid};
use crate::domain::history::{Change, JournaledChange, NamedGroup, Order, State, Subject};
use crate::domain::labels::Tag;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::sql::codec::communities_from_text;
use crate::store::sql::journal::batch_index::Touch;

use super::batches::batch_entries;
use super::entries::{StoredChange, load};
use super::states::{Journaled, state};
use super::{SnapshotReader, Statement, integer, list_of, optional_text, read_rows, text};

/// The groups whose changes the caller may see.
pub(crate) struct GroupFilter<'a> {
    visibility: &'a Visibility,
    /// Whether the caller may see the group, of those that were looked up.
    known: HashMap<GroupUid, bool>,
}

impl<'a> GroupFilter<'a> {
    /// The filter of a caller who may see these groups.
    pub(crate) fn new(visibility: &'a Visibility) -> Self {
        Self { visibility, known: HashMap::new() }
    }

    /// Looks up the groups of the changes.
    pub(crate) async fn look_up<S: SnapshotReader>(
        &mut self,
        snapshot: &mut S,
        changes: &[StoredChange],
    ) -> Result<(), S::Failure> {
        if self.visibility.limit().is_none() {
            return Ok(());
        }
        let groups = changes.iter().filter_map(|change| change.subject.group());
        let unknown: BTreeSet<_> = groups.filter(|group| !self.known.contains_key(group)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let sql = format!("SELECT uid, communities FROM groups WHERE uid IN ({})", list_of(unknown));
        for row in read_rows(snapshot, Statement::built(sql, Vec::new())).await? {
            let communities = communities_from_text(text(&row, 1)?).unwrap_or_default();
            self.known.insert(integer(&row, 0)?, self.visibility.sees(&communities));
        }
        Ok(())
    }

    /// Whether the change is about no group, or about one that the caller may see.
    pub(crate) fn shows(&self, change: &StoredChange) -> bool {
        let is_visible = |group| self.known.get(&group).copied().unwrap_or_default();
        self.visibility.limit().is_none() || change.subject.group().is_none_or(is_visible)
    }

    /// Whether the feed shows the change: a limited caller gets the changes of groups that they may see, and no others.
    pub(crate) fn is_in_feed(&self, change: &StoredChange) -> bool {
        self.shows(change) && (self.visibility.limit().is_none() || change.subject.group().is_some())
    }
}

/// A kind of entity that changes name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Group,
    User,
    Client,
}

impl Kind {
    /// The name in the journal.
    const fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::User => "user",
            Self::Client => "client",
        }
    }

    /// A `SELECT` of number, ID, name and time of the last change. The numbers follow it.
    const fn select(self) -> &'static str {
        match self {
            Self::Group => "SELECT uid, id, name, updated FROM groups WHERE uid IN",
            Self::User => "SELECT uid, id, username, updated FROM users WHERE uid IN",
            Self::Client => "SELECT uid, id, name, updated FROM clients WHERE uid IN",
        }
    }

    /// How the index of batches records changes of existing entities; `None` if batches change none.
    const fn updated_by_batches(self) -> Option<Touch> {
        match self {
            Self::Group => Some(Touch::GroupUpdated),
            Self::User => Some(Touch::UserUpdated),
            Self::Client => None,
        }
    }
}

/// The ID and the name of an entity.
type Name = (String, String);

/// An entity right after the entry with the number `seq`, made at `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Moment {
    kind: Kind,
    uid: i64,
    seq: i64,
    at: Timestamp,
}

/// Returns the changes with the names of that time, in the same order.
pub(crate) async fn named<S: SnapshotReader>(
    snapshot: &mut S,
    changes: Vec<StoredChange>,
) -> Result<Vec<Change>, S::Failure> {
    let moments: BTreeSet<_> = changes.iter().flat_map(moments).collect();
    let names = names_at(snapshot, moments).await?;
    let language = snapshot.language();
    Ok(changes.into_iter().map(|change| with_names(change, &names, language)).collect::<Result<_>>()?)
}

/// Every name that the change needs.
fn moments(change: &StoredChange) -> Vec<Moment> {
    let (seq, at) = (change.id.seq, change.circumstances.at);
    let moment = |kind, uid| Moment { kind, uid, seq, at };
    let mut moments = Vec::new();
    moments.extend(change.circumstances.actor_user.map(|uid| moment(Kind::User, uid)));
    moments.extend(change.circumstances.actor_client.map(|uid| moment(Kind::Client, uid)));
    // Other subjects are named by their own state.
    match change.subject {
        Subject::Membership { group, user } => moments.extend([moment(Kind::Group, group), moment(Kind::User, user)]),
        Subject::Token(_) => moments.extend(client_of_token(change).map(|uid| moment(Kind::Client, uid))),
        _ => {}
    }
    moments
}

/// The number of the client whose token the change is about.
fn client_of_token(change: &StoredChange) -> Option<ClientUid> {
    #[derive(Deserialize)]
    struct TokenEntry {
        client: ClientUid,
    }
    let json = change.after.as_ref().or(change.before.as_ref())?;
    serde_json::from_str::<TokenEntry>(json).ok().map(|token| token.client)
}

/// Looks up the names. An entity of which nothing is kept has none.
async fn names_at<S: SnapshotReader>(
    snapshot: &mut S,
    moments: BTreeSet<Moment>,
) -> Result<HashMap<Moment, Name>, S::Failure> {
    let mut present: HashMap<(Kind, i64), (Name, Timestamp)> = HashMap::new();
    for kind in [Kind::Group, Kind::User, Kind::Client] {
        let uids: BTreeSet<_> = moments.iter().filter(|moment| moment.kind == kind).map(|moment| moment.uid).collect();
        if uids.is_empty() {
            continue;
        }
        let sql = format!("{} ({})", kind.select(), list_of(uids));
        for row in read_rows(snapshot, Statement::built(sql, Vec::new())).await? {
            let name = (text(&row, 1)?.to_owned(), text(&row, 2)?.to_owned());
            present.insert((kind, integer(&row, 0)?), (name, Timestamp::from_micros(integer(&row, 3)?)));
        }
    }
    let mut names = HashMap::new();
    for moment in moments {
        let Some((name, updated)) = present.get(&(moment.kind, moment.uid)) else { continue };
        let earlier = match *updated < moment.at {
            true => None,
            false => name_before_next(snapshot, moment).await?,
        };
        names.insert(moment, earlier.unwrap_or_else(|| name.clone()));
    }
    Ok(names)
}

/// Returns the name before the next change after the moment; `None` if there is none.
async fn name_before_next<S: SnapshotReader>(snapshot: &mut S, moment: Moment) -> Result<Option<Name>, S::Failure> {
    let next = match moment.kind {
        Kind::Group => state_before_next::<Group, S>(snapshot, moment).await?,
        Kind::User => state_before_next::<User, S>(snapshot, moment).await?,
        Kind::Client => state_before_next::<Client, S>(snapshot, moment).await?,
    };
    Ok(next.as_ref().map(name_of))
}

async fn state_before_next<E: Journaled, S: SnapshotReader>(
    snapshot: &mut S,
    Moment { kind, uid, seq, .. }: Moment,
) -> Result<Option<State>, S::Failure> {
    const NEXT: &str =
        "SELECT seq, before FROM journal WHERE kind = $1 AND subject = $2 AND seq > $3 ORDER BY seq LIMIT 1";
    let parameters = vec![kind.name().to_owned().into(), uid.into(), seq.into()];
    let rows = read_rows(snapshot, Statement::constant(NEXT, parameters)).await?;
    let single = rows.first().map(|row| Ok::<_, crate::domain::Error>((integer(row, 0)?, optional_text(row, 1)?)));
    let single = single.transpose()?;
    let batch = match kind.updated_by_batches() {
        Some(touch) => batch_entries(snapshot, touch, uid, seq + 1, Order::Ascending, 1).await?.first().copied(),
        None => None,
    };
    let language = snapshot.language().clone();
    match (single, batch) {
        (single, Some(batch)) if single.is_none_or(|(seq, _)| batch < seq) => {
            let is_own = |subject: &Subject| match subject {
                Subject::Group(group) => kind == Kind::Group && *group == uid,
                Subject::User(user) => kind == Kind::User && *user == uid,
                _ => false,
            };
            let entries = load(snapshot, &[batch], Order::Ascending).await?;
            let changes = entries.into_iter().map(|entry| entry.changes(Order::Ascending, is_own));
            let before = changes.collect::<Result<Vec<_>>>()?.into_iter().flatten().find_map(|change| change.before);
            Ok(before.map(|json| state::<E>(&json, &language)).transpose()?)
        }
        (single, _) => {
            let before = single.and_then(|(_, before)| before);
            Ok(before.map(|json| state::<E>(json, &language)).transpose()?)
        }
    }
}

fn name_of(state: &State) -> Name {
    match state {
        State::Group(group) => (group.fields.id.to_string(), group.name.clone()),
        State::User(user) => (user.fields.id.to_string(), user.fields.username.clone()),
        State::Client(client) => (client.fields.id.clone(), client.fields.name.clone()),
        State::Token(token) => (token.fields.id.clone(), token.fields.name.clone()),
    }
}

/// Returns the change with its states and names.
fn with_names(change: StoredChange, names: &HashMap<Moment, Name>, language: &Tag) -> Result<Change> {
    let client_of_token = client_of_token(&change);
    let JournaledChange { id, kind, subject, before, after, since, .. } = change.journaled(language)?;
    let circumstances = change.circumstances;
    let name = |kind, uid| names.get(&Moment { kind, uid, seq: id.seq, at: circumstances.at }).cloned();
    let group_name = |uid, (id, name)| NamedGroup { uid, id, name };
    let user_name = |uid, (id, username)| NamedUser { uid, id, username };
    let client_name = |uid, (id, name)| NamedClient { uid, id, name };
    let own = after.as_ref().or(before.as_ref()).map(name_of);
    let (mut group, mut user, mut client) = (None, None, None);
    match subject {
        Subject::Group(uid) => group = own.map(|own| group_name(uid, own)),
        Subject::User(uid) => user = own.map(|own| user_name(uid, own)),
        Subject::Client(uid) => client = own.map(|own| client_name(uid, own)),
        Subject::Membership { group: of, user: member } => {
            group = name(Kind::Group, of).map(|name| group_name(of, name));
            user = name(Kind::User, member).map(|name| user_name(member, name));
        }
        Subject::Token(_) => {
            client = client_of_token.and_then(|uid| Some(client_name(uid, name(Kind::Client, uid)?)));
        }
        Subject::Key(_) => {}
    }
    let actor = NamedActor {
        user: circumstances.actor_user.and_then(|uid| Some(user_name(uid, name(Kind::User, uid)?))),
        client: circumstances.actor_client.and_then(|uid| Some(client_name(uid, name(Kind::Client, uid)?))),
        operator: circumstances.operator.clone(),
    };
    Ok(Change {
        id,
        kind,
        subject,
        time: circumstances.at,
        operation: circumstances.operation.as_ref().to_owned(),
        channel: circumstances.channel,
        reason: circumstances.reason.clone(),
        actor,
        group,
        user,
        client,
        before,
        after,
        since,
        undoes: circumstances.undoes.clone(),
    })
}
