//! The journal: one entry for every change of a group, user, membership or client, written in the change's own
//! transaction and enough to rebuild that state. No entry holds a secret, a hash, a key, a token or a sign-in trace.

use super::client::ClientUid;
use super::time::Timestamp;
use super::user::UserUid;

/// The API or command through which a change came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    Core,
    OrderCloud,
    CommandLine,
    /// The server itself, at its start.
    Server,
}

impl Door {
    /// How many doors there are.
    pub const COUNT: usize = Self::Server as usize + 1;

    /// The name under which the journal keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::OrderCloud => "ordercloud",
            Self::CommandLine => "cli",
            Self::Server => "server",
        }
    }
}

/// Who made a change: none of both is the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    pub user: Option<UserUid>,
    pub client: Option<ClientUid>,
}

/// What one request or command does, as the journal names it.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Unique; all entries of one operation share it.
    pub id: String,
    pub at: Timestamp,
    pub actor: Actor,
    pub door: Door,
}

/// What happened to the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Created,
    Updated,
    Deleted,
}

impl Change {
    /// What happened to a thing that was there or not before and is deleted or not now.
    pub const fn of(was_there: bool, is_deleted: bool) -> Self {
        match (was_there, is_deleted) {
            (false, _) => Self::Created,
            (true, false) => Self::Updated,
            (true, true) => Self::Deleted,
        }
    }

    /// The name under which the journal keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}
