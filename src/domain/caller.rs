//! Callers and their permits.
//!
//! A service method takes a [`Permit`] of the kind it needs. Only [`Caller::permit`] creates one, after it has checked
//! the caller's roles. So an operation without that check does not compile.

use std::marker::PhantomData;
use std::sync::Arc;

use super::change::{ChangeContext, Precondition};
use super::community::Visibility;
use super::error::{Error, Result};
use super::idempotency::Recording;
use super::journal::{Actor, Channel, Operator};
use super::role::Roles;
use super::time::Timestamp;

/// The sender of a request, with their rights.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The caller's roles: those of the token.
    pub roles: Roles,
    /// The groups that the caller may see.
    pub visibility: Visibility,
    /// The user and client recorded in the journal.
    pub actor: Actor,
    /// The API or command that the caller uses.
    pub channel: Channel,
    /// The token of the request, which a logoff ends. `None` for the operator and the server itself.
    pub token: Option<TokenId>,
    /// The person at the command line, if the call is a command.
    pub operator: Option<Operator>,
}

/// The identity of an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenId {
    /// The token's unique ID: its `jti` claim, or the ID of a long-lived token.
    pub jti: String,
    /// The ID of the token family, if the client also got a refresh token: the `sid` claim.
    pub family: Option<String>,
    /// The moment at which the token expires.
    pub expires: Timestamp,
    /// Whether it is a long-lived token, which a logoff does not end.
    pub is_long_lived: bool,
}

impl Caller {
    /// The operator at the command line, or the server itself: a caller with every right.
    pub fn operator(channel: Channel) -> Self {
        Self {
            roles: Roles::FULL_ACCESS,
            visibility: Visibility::All,
            actor: Actor::default(),
            channel,
            token: None,
            operator: None,
        }
    }

    /// Returns a permit for `P` if the caller has one of its roles. Fails with `Forbidden` if not, and with
    /// `NotAuthorizedToAdmin` if the operation is not for callers limited to communities and this one is.
    pub fn permit<P: Permission>(self: &Arc<Self>) -> Result<Permit<P>> {
        if !self.roles.intersects(P::ROLES) {
            Err(Error::Forbidden { sufficient: P::ROLES, assigned: self.roles })
        } else if P::UNLIMITED_ONLY && self.visibility.limit().is_some() {
            Err(Error::NotAuthorizedToAdmin)
        } else {
            Ok(Permit { caller: Arc::clone(self), context: None, permission: PhantomData })
        }
    }
}

/// A kind of operation, with the roles that allow it.
pub trait Permission: Send + Sync + 'static {
    /// The roles that allow the operation; one of them is enough.
    const ROLES: Roles;
    /// Whether callers limited to communities are refused, whatever roles they have (docs/ordercloud.md, section 10).
    const UNLIMITED_ONLY: bool = false;
}

/// Proof that the caller may perform the operation `P`.
#[derive(Debug)]
pub struct Permit<P> {
    caller: Arc<Caller>,
    /// What accompanies the change. Reads have none, which saves an allocation.
    context: Option<Arc<ChangeContext>>,
    permission: PhantomData<fn() -> P>,
}

impl<P> Permit<P> {
    /// The caller to whom the permit was given.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// What accompanies the change that the permit is used for.
    pub(crate) fn context(&self) -> Option<&ChangeContext> {
        self.context.as_deref()
    }

    /// Fails with `PreconditionFailed` if the change is conditional: for a change of what has no version, of which no
    /// condition can hold.
    pub(crate) fn refuse_condition(&self) -> Result<()> {
        match self.context().and_then(|context| context.precondition.as_ref()) {
            Some(_) => Err(Error::PreconditionFailed),
            None => Ok(()),
        }
    }

    /// The same permit, for a change under this condition on the entity, or under none.
    pub(crate) fn conditioned_on(self, precondition: Option<Precondition>) -> Self {
        let context = self.context().cloned().unwrap_or_default();
        self.accompanied_by(ChangeContext { precondition, ..context })
    }

    /// The same permit, for a change whose answer is recorded.
    pub(crate) fn recorded(self, recording: Recording) -> Self {
        let context = self.context().cloned().unwrap_or_default();
        self.accompanied_by(ChangeContext { recording: Some(recording), ..context })
    }

    /// The same permit, for a change that the context accompanies.
    pub(crate) fn accompanied_by(self, context: ChangeContext) -> Self {
        Self { context: Some(Arc::new(context)), ..self }
    }
}

/// A kind of operation that selects changes of the journal.
pub trait SelectChanges: Permission {}

impl SelectChanges for ReadChanges {}
impl SelectChanges for UndoChanges {}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $($role:ident)|+ $(, unlimited only: $unlimited:literal)?;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Permission for $name {
            const ROLES: Roles = Roles::NONE$(.with(Roles::$role))+;
            $(const UNLIMITED_ONLY: bool = $unlimited;)?
        }
    )+};
}

permissions! {
    /// Reading groups and memberships.
    ReadGroups = FULL_ACCESS | GROUP_ADMIN | GROUP_READER | AUDITOR;
    /// Changing groups and memberships.
    WriteGroups = FULL_ACCESS | GROUP_ADMIN;
    /// Reading users.
    ReadUsers = FULL_ACCESS | USER_ADMIN | USER_READER | AUDITOR;
    /// Changing users.
    WriteUsers = FULL_ACCESS | USER_ADMIN, unlimited only: true;
    /// Erasing users.
    EraseUsers = FULL_ACCESS, unlimited only: true;
    /// Reading clients, their long-lived tokens and the signing keys.
    ReadClients = FULL_ACCESS | AUDITOR, unlimited only: true;
    /// Changing clients and their long-lived tokens.
    ManageClients = FULL_ACCESS, unlimited only: true;
    /// Reading the feed of all changes.
    ReadChanges = FULL_ACCESS | AUDITOR;
    /// Undoing changes. Each inverse change needs its own rights as well.
    UndoChanges = FULL_ACCESS | GROUP_ADMIN | USER_ADMIN;
    /// Reading the recorded sign-ins.
    ReadSignIns = FULL_ACCESS | AUDITOR, unlimited only: true;
    /// Reading numbers of the whole directory by day, and what its database is.
    ReadStatistics = FULL_ACCESS | AUDITOR, unlimited only: true;
    /// Copying the database and creating signing keys.
    OperateDirectory = FULL_ACCESS, unlimited only: true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_needs_a_role() {
        let caller = |roles| Arc::new(Caller { roles, ..Caller::operator(Channel::CommandLine) });
        assert!(caller(Roles::GROUP_READER).permit::<ReadGroups>().is_ok());
        assert!(caller(Roles::GROUP_READER).permit::<WriteGroups>().is_err());
        assert!(caller(Roles::USER_READER).permit::<ReadGroups>().is_err());
        let auditor = caller(Roles::AUDITOR);
        assert!(auditor.permit::<ReadGroups>().is_ok() && auditor.permit::<ReadUsers>().is_ok());
        assert!(auditor.permit::<WriteGroups>().is_err() && auditor.permit::<WriteUsers>().is_err());
        assert!(auditor.permit::<ReadSignIns>().is_ok() && caller(Roles::USER_ADMIN).permit::<ReadSignIns>().is_err());
        assert!(auditor.permit::<ReadClients>().is_ok() && auditor.permit::<ManageClients>().is_err());
    }

    #[test]
    fn limited_callers_only_read_users() {
        let visibility = Visibility::Within(std::collections::BTreeSet::new());
        let caller =
            |roles| Arc::new(Caller { roles, visibility: visibility.clone(), ..Caller::operator(Channel::OrderCloud) });
        let admin = caller(Roles::FULL_ACCESS);
        assert!(admin.permit::<ReadUsers>().is_ok() && admin.permit::<WriteGroups>().is_ok());
        assert!(matches!(admin.permit::<WriteUsers>(), Err(Error::NotAuthorizedToAdmin)));
        assert!(matches!(admin.permit::<ReadClients>(), Err(Error::NotAuthorizedToAdmin)));
        assert!(matches!(admin.permit::<ReadSignIns>(), Err(Error::NotAuthorizedToAdmin)));
        assert!(matches!(admin.permit::<ManageClients>(), Err(Error::NotAuthorizedToAdmin)));
        assert!(matches!(caller(Roles::USER_READER).permit::<WriteUsers>(), Err(Error::Forbidden { .. })));
    }
}
