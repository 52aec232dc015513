//! Users and clients by name, and who made a change.

use super::client::ClientUid;
use super::journal::Operator;
use super::user::UserUid;

/// Who made a change. Whether the names are the present ones or those of the change depends on who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedActor {
    /// The user who acted.
    pub user: Option<NamedUser>,
    /// The client whose token was used.
    pub client: Option<NamedClient>,
    /// The person at the command line.
    pub operator: Option<Operator>,
}

/// A user, live or deleted, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedUser {
    /// The number.
    pub uid: UserUid,
    /// The ID.
    pub id: String,
    /// The username.
    pub username: String,
}

/// A client, live or deleted, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedClient {
    /// The number.
    pub uid: ClientUid,
    /// The `client_id`.
    pub id: String,
    /// The name for people.
    pub name: String,
}
