//! The journal: one entry for every change of a group, user, membership, client, long-lived token or signing key, written
//! in the transaction of the change. The entries are enough to rebuild the state, except for what no entry contains: a
//! secret, a hash, a key, a token and the data of a sign-in.

use std::str::FromStr;
use std::sync::Arc;

use super::client::ClientUid;
use super::env::Clock;
use super::idempotency::Recording;
use super::reason::Reason;
use super::user::UserUid;

/// The API or other way by which a change came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The Core API.
    Core,
    /// The OrderCloud API.
    OrderCloud,
    /// Rollbook's own API.
    Rollbook,
    /// The SCIM API.
    Scim,
    /// The console, in a browser.
    Console,
    /// A command of the operator, other than the bulk import.
    CommandLine,
    /// The bulk import, a command of the operator.
    Import,
    /// The server itself, at its start.
    Server,
}

impl Channel {
    /// The number of channels.
    pub const COUNT: usize = Self::Server as usize + 1;
    /// Every channel.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Core,
        Self::OrderCloud,
        Self::Rollbook,
        Self::Scim,
        Self::Console,
        Self::CommandLine,
        Self::Import,
        Self::Server,
    ];

    /// The name of the channel in the journal and the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::OrderCloud => "ordercloud",
            Self::Rollbook => "rollbook",
            Self::Scim => "scim",
            Self::Console => "console",
            Self::CommandLine => "cli",
            Self::Import => "import",
            Self::Server => "server",
        }
    }
}

impl FromStr for Channel {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|channel| channel.name() == name).ok_or(())
    }
}

/// The user and client who made a change. The operator and the server are neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The user who acted.
    pub user: Option<UserUid>,
    /// The client whose token was used.
    pub client: Option<ClientUid>,
}

/// The person at the command line, as the operating system knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The name of the user who runs the command; the number of a user without a name.
    pub user: String,
    /// The name of the machine.
    pub host: String,
}

/// The request or command that makes changes, as the journal records it.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The operation's unique ID, which all its entries share. It contains the time of the request.
    pub id: String,
    /// The clock from which the store takes the time of the changes, once no other transaction can change the same
    /// entities.
    pub clock: Arc<dyn Clock>,
    /// Who made the changes.
    pub actor: Actor,
    /// The channel by which the changes came.
    pub channel: Channel,
    /// Why the changes are made, if the caller said so.
    pub reason: Option<Reason>,
    /// Who gave the command, if the changes come from the command line.
    pub operator: Option<Operator>,
    /// The operation that the changes undo, if they undo one.
    pub undoes: Option<Arc<str>>,
    /// How to record the answer of the operation, so that its request can be repeated.
    pub(crate) recording: Option<Recording>,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The entity or membership was created.
    Created,
    /// The entity was changed.
    Updated,
    /// The entity or membership was deleted.
    Deleted,
    /// The entity was deleted before and is live again.
    Restored,
    /// The personal fields of the user were emptied for good.
    Erased,
}

impl ChangeKind {
    /// The kind of a change of an entity: whether it was live before, `None` if it did not exist, and whether it is
    /// live now.
    pub const fn new(was_live: Option<bool>, is_live: bool) -> Self {
        match (was_live, is_live) {
            (None, _) => Self::Created,
            (Some(true), true) => Self::Updated,
            (Some(false), true) => Self::Restored,
            (Some(_), false) => Self::Deleted,
        }
    }

    /// The name of the kind in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Erased => "erased",
        }
    }
}
