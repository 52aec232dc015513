//! Sessions of people who sign in to the console (docs/console.md, section 2): an opaque secret in a cookie, of which the
//! store has the hash. A session is no token: no API accepts its secret.

use std::sync::Arc;

use tracing::debug;

use crate::auth::digest::sha256_hex;
use crate::auth::random;
use crate::domain::caller::{Caller, Permit, WriteUsers};
use crate::domain::community::Visibility;
use crate::domain::error::{Error, ResourceKind, Result, SignInError};
use crate::domain::journal::{Actor, Channel};
use crate::domain::membership::{JoinedGroup, JoinedGroupKey, JoinedGroupQuery};
use crate::domain::session::{SESSION_HOURS, Session};
use crate::domain::sign_in::Origin;
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, User, UserKey};
use crate::service::Service;

use super::status::is_active;

/// How old the recorded use of a session may be, in seconds.
const SEEN_SECONDS: i64 = 60;
/// The number of the user's own groups that are listed.
const OWN_GROUPS: u32 = 100;

/// A new session.
#[derive(Debug)]
pub(crate) struct NewSession {
    /// The secret, which only the browser keeps.
    pub secret: Secret,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// The user as a caller, with the present roles and communities.
    pub caller: Arc<Caller>,
    /// The user.
    pub user: Arc<User>,
    /// The session.
    pub session: Arc<Session>,
}

impl Service {
    /// Signs in a user, also one without roles. Fails with `CredentialsRequired` or `InvalidCredentials`.
    pub(crate) async fn sign_in(&self, username: &str, password: &Secret, origin: Origin) -> Result<NewSession> {
        let user = self.authenticate_user(username, password, None, origin).await?;
        let session = self.start_session(&user).await?;
        self.accept(Some(user.uid), None, "session", origin);
        Ok(session)
    }

    async fn start_session(&self, user: &User) -> Result<NewSession> {
        let (secret, now) = (random::token()?, self.clock.now());
        let session = Session {
            hash: sha256_hex(&secret),
            id: self.ids.uuid(now).to_string(),
            user: user.uid,
            generation: user.fields.generation,
            created: now,
            seen: now,
            expires: now.plus_seconds(SESSION_HOURS * 3_600),
        };
        self.store.start_session(session).await?;
        Ok(NewSession { secret: secret.into() })
    }

    /// Returns who is signed in by the session with the secret, with the present roles and communities, and records the
    /// use. Fails with `Unauthenticated` if there is no such session, or if it has ended.
    pub(crate) async fn session(&self, secret: &str) -> Result<SignedIn> {
        let now = self.clock.now();
        let signed_in = self.session_with(&sha256_hex(secret), now).await?;
        self.note_session_use(&signed_in.session, now);
        Ok(signed_in)
    }

    /// As [`Self::session`], for a page that somebody keeps open: nothing is recorded.
    pub(crate) async fn is_still_signed_in(&self, before: &SignedIn) -> Result<SignedIn> {
        self.session_with(&before.session.hash, self.clock.now()).await
    }

    /// Who is signed in at `now` by the session with this hash, with the present rights of the user.
    async fn session_with(&self, hash: &str, now: Timestamp) -> Result<SignedIn> {
        let found = self.store.session(hash).await?.filter(|(session, user)| is_valid(session, user, now));
        let (session, user) = found.ok_or(Error::SignIn(SignInError::Unauthenticated))?;
        let caller = Caller {
            roles: user.fields.roles,
            visibility: Visibility::All.narrowed_by(&user.fields.communities),
            actor: Actor { user: Some(user.uid), client: None },
            channel: Channel::Console,
            token: None,
            operator: None,
        };
        Ok(SignedIn { caller: Arc::new(caller), user: Arc::new(user), session: Arc::new(session) })
    }

    /// Records the use in the background, at most once a minute. The page does not wait for it, and a failure is only
    /// logged.
    fn note_session_use(&self, session: &Session, now: Timestamp) {
        if session.seen.plus_seconds(SEEN_SECONDS) > now {
            return;
        }
        let (store, hash, user) = (Arc::clone(&self.store), session.hash.clone(), session.user);
        tokio::spawn(async move {
            if let Err(error) = store.note_session_use(&hash, now).await {
                debug!(user, %error, "the use of a session was not recorded");
            }
        });
    }

    /// Ends the session.
    pub(crate) async fn sign_out(&self, signed_in: &SignedIn) -> Result<()> {
        self.store.end_session(signed_in.user.uid, &signed_in.session.id).await.map(drop)
    }

    /// Returns the user's own sessions that have not ended, the newest first.
    pub(crate) async fn own_sessions(&self, signed_in: &SignedIn) -> Result<Vec<Session>> {
        let now = self.clock.now();
        let mut sessions = self.store.sessions_of(signed_in.user.uid).await?;
        sessions.retain(|session| is_valid(session, &signed_in.user, now));
        Ok(sessions)
    }

    /// Ends the user's own session with the ID. Fails with `NotFound`.
    pub(crate) async fn end_own_session(&self, signed_in: &SignedIn, id: &str) -> Result<()> {
        match self.store.end_session(signed_in.user.uid, id).await? {
            true => Ok(()),
            false => Err(Error::NotFound(ResourceKind::Session, id.to_owned())),
        }
    }

    /// Returns the first groups that the user is in, whether or not the user may read groups, and how many there are.
    pub(crate) async fn own_groups(&self, signed_in: &SignedIn) -> Result<(Vec<JoinedGroup>, Option<u64>)> {
        let query = JoinedGroupQuery {
            visibility: Visibility::All,
            user: UserKey::Uid(signed_in.user.uid),
            key: JoinedGroupKey::Uid,
            descending: false,
            after: None,
            limit: OWN_GROUPS,
        };
        let (_, page) = self.store.list_joined_groups(query).await?;
        Ok((page.items, page.total))
    }

    /// Sets the user's own password, after the old one was given, and returns the session that replaces this one: all
    /// other sessions and tokens of the user end. Fails with `InvalidCredentials` if the old password is wrong, which counts
    /// as a failed sign-in, and with `InsecurePassword`.
    pub(crate) async fn change_own_password(
        &self,
        signed_in: &SignedIn,
        old: &Secret,
        new: &Secret,
        origin: Origin,
    ) -> Result<NewSession> {
        let user = self.authenticate_user(&signed_in.user.fields.username, old, None, origin).await?;
        if user.uid != signed_in.user.uid {
            return Err(Error::SignIn(SignInError::InvalidCredentials));
        }
        let permit = own_permit(signed_in)?;
        self.set_user_password(&permit, UserKey::Uid(user.uid), new.clone()).await?;
        let user = self.store.user(&UserKey::Uid(user.uid)).await?.filter(is_active);
        let user = user.ok_or(Error::SignIn(SignInError::Unauthenticated))?;
        self.store.end_sessions(user.uid).await?;
        self.start_session(&user).await
    }
}

/// A permit to change the user's own account: that needs no role.
fn own_permit(signed_in: &SignedIn) -> Result<Permit<WriteUsers>> {
    let operator = Caller::operator(Channel::Console);
    Arc::new(Caller { actor: signed_in.caller.actor, ..operator }).permit()
}

/// Whether the session has not ended by `now`.
fn is_valid(session: &Session, user: &User, now: Timestamp) -> bool {
    now < session.ends() && is_active(user) && user.fields.generation == session.generation
}
