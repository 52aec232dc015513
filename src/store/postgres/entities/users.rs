//! Users: the parts that are specific to them in PostgreSQL.

use async_trait::async_trait;

use crate::domain::restore::RestoredMemberships;
use crate::domain::role::Roles;
use crate::domain::user::User;

use super::{clients, memberships};
use crate::store::postgres::connection::database_error::DatabaseError;
use crate::store::postgres::entity::{PostgresEntity, statements};
use crate::store::postgres::write::transaction::Transaction;

#[async_trait]
impl PostgresEntity for User {
    statements!(User);

    /// Reads the roles of the clients that act for the user. The user is locked already, so a concurrent transaction
    /// that creates such a client either waits or has committed and is visible.
    async fn context(transaction: &mut Transaction<'_>, current: Option<&Self>) -> Result<Roles, DatabaseError> {
        let Some(user) = current else { return Ok(Roles::NONE) };
        Ok(clients::roles_acting_for(transaction, &[user.uid]).await?.remove(&user.uid).unwrap_or_default())
    }

    /// Updates the memberships of a user who was deleted or renamed.
    async fn update_dependents(
        transaction: &mut Transaction<'_>,
        before: Option<&Self>,
        after: &Self,
    ) -> Result<(), DatabaseError> {
        let (live_before, key) = (before.filter(|user| user.deleted.is_none()), after.fields.id.key());
        match (live_before, after.deleted) {
            (Some(_), Some(_)) => memberships::show_or_hide(transaction, after).await.map(drop)?,
            (Some(live), None) if live.fields.id.key() != key => memberships::rename_user(transaction, after.uid, key),
            _ => {}
        }
        Ok(())
    }

    async fn return_memberships(
        transaction: &mut Transaction<'_>,
        restored: &Self,
    ) -> Result<RestoredMemberships, DatabaseError> {
        let (returned, gone) = memberships::show_or_hide(transaction, restored).await?;
        Ok(RestoredMemberships::new(returned, gone))
    }
}
