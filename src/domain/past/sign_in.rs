//! Sign-ins, as the directory records them (docs/rollbook.md, section 12). They are no changes: the journal has none. No
//! record contains what was typed as a name, a password or a secret.

use std::net::IpAddr;
use std::str::FromStr;

use crate::domain::actor::{NamedActor, NamedClient, NamedUser};
use crate::domain::client::ClientUid;
use crate::domain::history::{Order, Span};
use crate::domain::journal::Channel;
use crate::domain::lockout::{Attempt, Failures};
use crate::domain::time::Timestamp;
use crate::domain::user::UserUid;

/// The length of the time in which attempts with unknown names are counted together, in microseconds.
const TALLY_MICROS: i64 = 60_000_000;

/// How a sign-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignInType {
    /// A token was issued.
    Succeeded,
    /// It was refused.
    Failed,
    /// It was refused, and the user is locked out: from this failure on, or since an earlier one.
    Locked,
}

impl SignInType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Locked];

    /// The name of the type in the API and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "sign_in.succeeded",
            Self::Failed => "sign_in.failed",
            Self::Locked => "sign_in.locked",
        }
    }
}

impl FromStr for SignInType {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(())
    }
}

/// Why a sign-in was refused. The caller is never told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No user has the name.
    UnknownUser,
    /// The user has no password.
    NoPassword,
    /// The password is another one.
    WrongPassword,
    /// The user is inactive.
    Inactive,
    /// The user is locked out.
    LockedOut,
    /// The user has no role that the API needs.
    NoRole,
    /// The token would have no role.
    NoRoleInScope,
    /// No client has the `client_id`.
    UnknownClient,
    /// The client is disabled.
    Disabled,
    /// The client sent another secret, or none.
    WrongSecret,
    /// The client is public, and asked for a token of its own.
    PublicClient,
    /// The user that the client acts for is deleted or inactive.
    UserOfClient,
}

impl Refusal {
    /// The reason as the log, the API and the store name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown user",
            Self::NoPassword => "no password",
            Self::WrongPassword => "wrong password",
            Self::Inactive => "inactive",
            Self::LockedOut => "locked",
            Self::NoRole => "no role for this API",
            Self::NoRoleInScope => "no role in the scope",
            Self::UnknownClient => "unknown client",
            Self::Disabled => "disabled",
            Self::WrongSecret => "wrong or missing secret",
            Self::PublicClient => "a public client has no roles of its own",
            Self::UserOfClient => "its user is deleted or inactive",
        }
    }

    /// Whether a name was sent that nobody has. It may be a password, and anybody can send any number of them.
    const fn is_of_unknown_name(self) -> bool {
        matches!(self, Self::UnknownUser | Self::UnknownClient)
    }
}

/// Where a sign-in came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The API or page.
    pub channel: Channel,
    /// The address of the client; `None` if the server does not know it.
    pub source: Option<IpAddr>,
}

/// An attempt of a known user to sign in with a password.
#[derive(Clone, Copy, Debug)]
pub struct PasswordAttempt {
    /// The user.
    pub user: UserUid,
    /// The client through which the user signs in.
    pub client: Option<ClientUid>,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub origin: Origin,
    /// Why the password is not right; `None` = it is.
    pub wrong: Option<Refusal>,
}

impl PasswordAttempt {
    /// The record of a refused attempt; `None` = it was not refused. `outcome` is that of the lockout; `None` = the user
    /// is inactive or deleted.
    pub fn refused(&self, outcome: Option<Attempt>) -> Option<SignIn> {
        let wrong = self.wrong.unwrap_or(Refusal::WrongPassword);
        let (kind, refusal) = match outcome {
            Some(Attempt::Succeeded) => return None,
            Some(Attempt::LockedOut) => (SignInType::Locked, Refusal::LockedOut),
            Some(Attempt::Failed(Failures { locked_until: Some(_), .. })) => (SignInType::Locked, wrong),
            Some(Attempt::Failed(_)) => (SignInType::Failed, wrong),
            None => (SignInType::Failed, self.wrong.unwrap_or(Refusal::Inactive)),
        };
        let &Self { user, client, at, origin, .. } = self;
        Some(SignIn { at, kind, origin, user: Some(user), client, refusal: Some(refusal) })
    }
}

/// A sign-in to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// When.
    pub at: Timestamp,
    /// How it ended.
    pub kind: SignInType,
    /// From where.
    pub origin: Origin,
    /// The user; `None` for a client that signs in for itself, and for an unknown name.
    pub user: Option<UserUid>,
    /// The client.
    pub client: Option<ClientUid>,
    /// Why it was refused; `None` = it was not.
    pub refusal: Option<Refusal>,
}

impl SignIn {
    /// The address of the client as text.
    pub fn source(&self) -> Option<String> {
        self.origin.source.map(|source| source.to_string())
    }

    /// What names the record that counts this attempt together with others of the same minute and source. `None` = the
    /// attempt has a record of its own, because it named an existing user or client.
    pub fn tally(&self) -> Option<String> {
        let refusal = self.refusal.filter(|refusal| refusal.is_of_unknown_name())?;
        let minute = self.at.as_micros().div_euclid(TALLY_MICROS);
        let (source, channel) = (self.source().unwrap_or_default(), self.origin.channel.name());
        let client = self.client.unwrap_or_default();
        Some(format!("{minute} {source} {channel} {client} {}", refusal.name()))
    }
}

/// Which sign-ins a reader wants. An empty list means any; several lists must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignInFilter {
    /// How they ended.
    pub types: Vec<SignInType>,
    /// The users.
    pub users: Vec<UserUid>,
    /// The clients.
    pub clients: Vec<ClientUid>,
    /// The channels.
    pub channels: Vec<Channel>,
    /// The addresses of the clients.
    pub sources: Vec<IpAddr>,
}

/// A position behind a recorded sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInPosition {
    /// The number of the transaction that recorded it; 0 if the store's transactions do not overlap.
    pub transaction: i64,
    /// The number of the record.
    pub seq: i64,
    /// The time of the sign-in, by which a restored database is noticed.
    pub at: Timestamp,
}

/// A query for a part of the recorded sign-ins.
#[derive(Clone, Debug)]
pub struct SignInQuery {
    /// Which sign-ins.
    pub filter: SignInFilter,
    /// Their times.
    pub span: Span,
    /// The order.
    pub order: Order,
    /// The position behind which the part begins; `None` = at the beginning.
    pub after: Option<SignInPosition>,
    /// The maximum number of sign-ins, from 1 to [`CHANGES_MAX`](super::history::CHANGES_MAX).
    pub limit: u32,
}

/// A recorded sign-in, with the present names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSignIn {
    /// The number of the record.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// How it ended.
    pub kind: SignInType,
    /// The API or page.
    pub channel: Channel,
    /// The user.
    pub user: Option<NamedUser>,
    /// The client.
    pub client: Option<NamedClient>,
    /// The address of the client.
    pub source: Option<String>,
    /// The number of attempts: 1, or more with unknown names.
    pub count: i64,
    /// Why it was refused.
    pub reason: Option<String>,
}

impl RecordedSignIn {
    /// Who signed in; nobody if the sign-in was refused.
    pub(crate) fn actor(&self) -> NamedActor {
        match self.kind {
            SignInType::Succeeded => {
                NamedActor { user: self.user.clone(), client: self.client.clone(), operator: None }
            }
            SignInType::Failed | SignInType::Locked => NamedActor::default(),
        }
    }
}

/// A part of the recorded sign-ins, from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct SignInPage {
    /// The sign-ins.
    pub sign_ins: Vec<RecordedSignIn>,
    /// The position up to which was read; `None` = nothing was there to read.
    pub next: Option<SignInPosition>,
    /// Whether there may be more now.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(second: i64, refusal: Refusal) -> SignIn {
        let origin = Origin { channel: Channel::Core, source: Some([127, 0, 0, 1].into()) };
        let at = Timestamp::from_micros(second * 1_000_000);
        SignIn { at, kind: SignInType::Failed, origin, user: None, client: Some(7), refusal: Some(refusal) }
    }

    #[test]
    fn every_type_has_a_name_of_its_own() {
        for kind in SignInType::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert_eq!("sign_in".parse::<SignInType>(), Err(()));
    }

    #[test]
    fn unknown_names_of_a_minute_and_source_are_counted_together() {
        let tally = |second, refusal| sign_in(second, refusal).tally();
        assert!(tally(0, Refusal::UnknownUser).is_some());
        assert_eq!(tally(0, Refusal::UnknownUser), tally(59, Refusal::UnknownUser));
        assert_ne!(tally(0, Refusal::UnknownUser), tally(60, Refusal::UnknownUser));
        assert_ne!(tally(0, Refusal::UnknownUser), tally(0, Refusal::UnknownClient));
        let mut elsewhere = sign_in(0, Refusal::UnknownUser);
        elsewhere.origin.source = Some([127, 0, 0, 2].into());
        assert_ne!(elsewhere.tally(), tally(0, Refusal::UnknownUser));
        assert_eq!(tally(0, Refusal::WrongSecret), None);
    }

    #[test]
    fn a_refusal_tells_whether_the_user_is_locked_out() {
        let attempt = |wrong| PasswordAttempt {
            user: 3,
            client: None,
            at: Timestamp::from_micros(0),
            origin: Origin { channel: Channel::Core, source: None },
            wrong,
        };
        let wrong = attempt(Some(Refusal::WrongPassword));
        let refused = |attempt: PasswordAttempt, outcome| {
            attempt.refused(outcome).map(|sign_in| (sign_in.kind, sign_in.refusal.unwrap()))
        };
        let failures = |locked_until| Some(Attempt::Failed(Failures { count: 1, locked_until }));
        assert_eq!(refused(attempt(None), Some(Attempt::Succeeded)), None);
        assert_eq!(refused(wrong, failures(None)), Some((SignInType::Failed, Refusal::WrongPassword)));
        let locked = Some(Timestamp::from_micros(9));
        assert_eq!(refused(wrong, failures(locked)), Some((SignInType::Locked, Refusal::WrongPassword)));
        for attempt in [wrong, attempt(None)] {
            let expected = Some((SignInType::Locked, Refusal::LockedOut));
            assert_eq!(refused(attempt, Some(Attempt::LockedOut)), expected);
        }
        assert_eq!(refused(attempt(None), None), Some((SignInType::Failed, Refusal::Inactive)));
        assert_eq!(refused(wrong, None), Some((SignInType::Failed, Refusal::WrongPassword)));
    }
}
