//! The common interface of groups, users, clients and long-lived tokens.

use super::client::Client;
use super::error::ResourceKind;
use super::group::Group;
use super::long_lived_token::LongLivedToken;
use super::time::Timestamp;
use super::user::User;

/// A group, user, client or long-lived token.
pub(crate) trait Entity {
    /// The kind of the entity in errors.
    const KIND: ResourceKind;
    /// The name of the kind in the journal and the log.
    const NAME: &'static str;

    /// The entity's number, which never changes and is never reused.
    fn uid(&self) -> i64;
    /// The entity's text key, unique among the live entities of its kind.
    fn id(&self) -> &str;
    /// The time of the last change.
    fn updated(&self) -> Timestamp;
    /// The time of deletion; `None` = the entity is live.
    fn deleted(&self) -> Option<Timestamp>;
    /// The version, which grows by one with each change.
    fn version(&self) -> i64;

    /// Whether the entity is not deleted.
    fn is_live(&self) -> bool {
        self.deleted().is_none()
    }
}

macro_rules! entity {
    ($entity:ident, $name:literal) => {
        impl Entity for $entity {
            const KIND: ResourceKind = ResourceKind::$entity;
            const NAME: &'static str = $name;

            fn uid(&self) -> i64 {
                self.uid
            }

            fn id(&self) -> &str {
                self.fields.id.as_ref()
            }

            fn updated(&self) -> Timestamp {
                self.updated
            }

            fn deleted(&self) -> Option<Timestamp> {
                self.deleted
            }

            fn version(&self) -> i64 {
                self.version
            }
        }
    };
}

entity!(Group, "group");
entity!(User, "user");
entity!(Client, "client");
entity!(LongLivedToken, "token");
