//! The rows of the lists of long-lived tokens.

use crate::domain::client::Client;
use crate::domain::long_lived_token::{LongLivedToken, WARNING_DAYS};
use crate::domain::time::Timestamp;

use super::path_of;
use crate::console::messages::clients as t;
use crate::console::ui::{self, Html};

const SECONDS_PER_DAY: i64 = 86_400;

/// One long-lived token.
pub(super) struct TokenRow {
    pub id: String,
    pub name: Html,
    /// The path and the name of its client.
    pub client: Option<(String, Html)>,
    pub created: Timestamp,
    pub last_used: Option<Timestamp>,
    pub expires: Timestamp,
    pub is_expired: bool,
    /// Whether it expires within [`WARNING_DAYS`].
    pub ends_soon: bool,
    /// What a screen reader says of the button that revokes it.
    pub revoke: String,
}

impl TokenRow {
    /// The row of the token of the client.
    pub(super) fn new(token: &LongLivedToken, client: Option<&Client>, now: Timestamp) -> Self {
        let fields = &token.fields;
        let is_expired = fields.expires <= now;
        Self {
            id: fields.id.clone(),
            name: ui::name(&fields.name),
            client: client.map(|client| (path_of(&client.fields.id), ui::name(&client.fields.name))),
            created: token.created,
            last_used: token.last_used,
            expires: fields.expires,
            is_expired,
            ends_soon: !is_expired && fields.expires <= now.plus_seconds(WARNING_DAYS * SECONDS_PER_DAY),
            revoke: t::revoke(&fields.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::long_lived_token::LongLivedTokenFields;

    #[test]
    fn a_token_has_ended_or_ends_soon() {
        let now = Timestamp::from_micros(0);
        let state = |days: i64| {
            let fields = LongLivedTokenFields {
                id: String::new(),
                name: "nightly".to_owned(),
                client: 1,
                client_generation: 0,
                user: None,
                user_generation: 0,
                expires: now.plus_seconds(days * SECONDS_PER_DAY),
            };
            let hash = String::new();
            let token = LongLivedToken {
                uid: 1,
                fields,
                hash,
                created: now,
                updated: now,
                deleted: None,
                version: 1,
                last_used: None,
            };
            let row = TokenRow::new(&token, None, now);
            (row.is_expired, row.ends_soon)
        };
        assert_eq!(
            [-1, 0, 1, 30, 31].map(state),
            [(true, false), (true, false), (false, true), (false, true), (false, false)]
        );
    }
}
