//! Tests of tokens from the sign-in to their end, on the embedded store.

mod sessions;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;
use crate::auth::{jwt, test_keys};
use crate::domain::caller::{Caller, Permission, Permit};
use crate::domain::client::Client;
use crate::domain::community::{Communities, Community, Visibility};
use crate::domain::env::{Clock, RandomIds};
use crate::domain::error::SignInError;
use crate::domain::id::Id;
use crate::domain::journal::Channel;
use crate::domain::lockout::MAX_FAILURES;
use crate::domain::role::Roles;
use crate::domain::sign_in::Origin;
use crate::domain::signing_key::PublishedKey;
use crate::domain::time::Timestamp;
use crate::domain::user::{Secret, User, UserKey};
use crate::service::clients::{ClientDraft, ClientPatch, new_secret};
use crate::service::users::{UserDraft, UserPatch};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{SigningKey, Store};

const PASSWORD: &str = "Passw0rd!!x";
const ORIGIN: Origin = Origin { channel: Channel::OrderCloud, source: None };

/// A clock that advances only by [`Nodes::advance`].
#[derive(Debug)]
struct FixedClock(AtomicI64);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Two nodes with one directory.
struct Nodes {
    one: Service,
    other: Service,
    clock: Arc<FixedClock>,
    _folder: TempDir,
}

impl Nodes {
    async fn start() -> Self {
        Self::with_key(test_keys::KEY).await
    }

    /// Two nodes whose directory has this signing key.
    async fn with_key(pem: &str) -> Self {
        let nodes = Self::without_key().await;
        let published = PublishedKey { kid: "key".to_owned(), signs_from: nodes.clock.now() };
        let key = SigningKey { published, pem: pem.to_owned() };
        let operation = nodes.one.operation(&operator::<OperateDirectory>());
        assert!(nodes.one.store.add_signing_key(operation, key, true).await.unwrap().is_some());
        nodes.one.ensure_signing_key(&operator()).await.unwrap();
        nodes
    }

    async fn without_key() -> Self {
        let folder = TempDir::new().unwrap();
        let path: PathBuf = folder.path().join("rollbook.db");
        let list_limit = Duration::from_secs(60);
        let options = SqliteOptions { path, default_language: None, create: true, serve: true, list_limit };
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options).await.unwrap());
        let clock = Arc::new(FixedClock(AtomicI64::new(1_800_000_000_000_000)));
        let node =
            || Service::new(Arc::clone(&store), clock.clone(), Arc::<RandomIds>::default(), "rollbook".to_owned());
        Self { one: node(), other: node(), clock, _folder: folder }
    }

    fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    async fn client(&self, change: impl FnOnce(&mut ClientDraft)) -> (Client, ClientAuth) {
        let mut draft = ClientDraft {
            id: None,
            name: "app".to_owned(),
            roles: Roles::NONE,
            communities: Communities::new(),
            user: None,
            secret: Some(new_secret().unwrap()),
            access_minutes: 10,
            refresh_minutes: 60,
            refresh_rotation: false,
            enabled: true,
            strict_members: false,
            max_removal_percent: None,
        };
        change(&mut draft);
        let secret = draft.secret.clone();
        let client = self.one.create_client(&operator(), draft).await.unwrap();
        let auth = ClientAuth { id: client.fields.id.clone(), secret };
        (client, auth)
    }

    async fn user(&self, name: &str, roles: Roles) -> User {
        let draft = UserDraft {
            id: Id::new(name),
            username: name.to_owned(),
            password: Some(Secret::from(PASSWORD)),
            first_name: "Ann".to_owned(),
            last_name: "Lee".to_owned(),
            email: "ann@example.org".to_owned(),
            phone: None,
            terms_accepted: None,
            active: true,
            xp: None,
        };
        let user = self.one.create_user(&operator(), draft).await.unwrap();
        self.one.set_user_roles(&operator(), user.fields.id, roles).await.unwrap()
    }

    async fn patch(&self, user: &User, patch: UserPatch) {
        self.one.patch_user(&operator(), user.fields.id.clone(), patch).await.unwrap();
    }

    async fn client_token(&self, auth: &ClientAuth, scope: Option<&str>) -> Result<String> {
        let grant = Grant::ClientCredentials { client: auth.clone(), scope: scope.map(str::to_owned) };
        self.one.grant(grant, ORIGIN).await.map(|granted| granted.access_token)
    }

    async fn sign_in(
        &self,
        auth: &ClientAuth,
        username: &str,
        password: &str,
        scope: Option<&str>,
    ) -> Result<IssuedTokens> {
        let (username, password) = (username.to_owned(), Secret::from(password));
        let grant = Grant::Password { client: auth.clone(), username, password, scope: scope.map(str::to_owned) };
        self.one.grant(grant, ORIGIN).await
    }

    async fn refresh(&self, auth: &ClientAuth, token: &str) -> Result<IssuedTokens> {
        self.one.grant(Grant::RefreshToken { client: auth.clone(), token: Secret::from(token) }, ORIGIN).await
    }

    async fn caller(&self, token: &str) -> Result<Arc<Caller>> {
        self.one.authenticate(token, Channel::Core).await
    }

    async fn is_revoked(&self, token: &str) -> bool {
        matches!(self.caller(token).await, Err(Error::SignIn(SignInError::TokenRevoked)))
    }
}

fn operator<P: Permission>() -> Permit<P> {
    Arc::new(Caller::operator(Channel::CommandLine)).permit().unwrap()
}

/// The patch that enables or disables a client.
fn enabling(enabled: bool) -> ClientPatch {
    ClientPatch { enabled: Some(enabled), ..ClientPatch::default() }
}

fn community(number: u8) -> Community {
    Community::parse(&format!("00000000-0000-0000-0000-0000000000{number:02}")).unwrap()
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(Error::SignIn(SignInError::InvalidCredentials))), "{result:?}");
}

#[tokio::test]
async fn a_client_gets_its_own_roles() {
    let nodes = Nodes::start().await;
    let user = nodes.user("ann", Roles::USER_READER).await;
    let roles = Roles::GROUP_ADMIN.with(Roles::GROUP_READER);
    let (client, mut auth) = nodes.client(|draft| (draft.roles, draft.user) = (roles, Some(user.uid))).await;
    auth.id.make_ascii_uppercase();
    let caller = nodes.caller(&nodes.client_token(&auth, None).await.unwrap()).await.unwrap();
    assert_eq!((caller.roles, &caller.visibility, caller.channel), (roles, &Visibility::All, Channel::Core));
    assert_eq!((caller.actor.user, caller.actor.client), (Some(user.uid), Some(client.uid)));
    let narrow = nodes.client_token(&auth, Some("AdminUserGroupReader AdminUserReader")).await.unwrap();
    assert_eq!(nodes.caller(&narrow).await.unwrap().roles, Roles::GROUP_READER);
    assert!(matches!(
        nodes.client_token(&auth, Some("FullAccess")).await,
        Err(Error::SignIn(SignInError::InvalidScope))
    ));
    let granted = nodes.one.grant(Grant::ClientCredentials { client: auth, scope: None }, ORIGIN).await.unwrap();
    assert_eq!((granted.expires_in, granted.refresh_token), (599, None));
}

#[tokio::test]
async fn a_client_must_authenticate() {
    let nodes = Nodes::start().await;
    let user = nodes.user("ann", Roles::FULL_ACCESS).await;
    let (_, auth) = nodes.client(|draft| (draft.roles, draft.user) = (Roles::FULL_ACCESS, Some(user.uid))).await;
    let (_, public) = nodes.client(|draft| (draft.roles, draft.secret) = (Roles::FULL_ACCESS, None)).await;
    let with = |id: &str, secret: Option<&str>| ClientAuth { id: id.to_owned(), secret: secret.map(Secret::from) };
    for wrong in [with(&auth.id, None), with(&auth.id, Some("")), with(&auth.id, Some("wrong")), with("nobody", None)] {
        assert!(matches!(nodes.client_token(&wrong, None).await, Err(Error::SignIn(SignInError::InvalidClient))));
        assert!(matches!(
            nodes.sign_in(&wrong, "ann", PASSWORD, None).await,
            Err(Error::SignIn(SignInError::InvalidClient))
        ));
    }
    assert!(matches!(nodes.client_token(&public, None).await, Err(Error::SignIn(SignInError::InvalidClient))));
    assert!(nodes.sign_in(&public, "ann", PASSWORD, None).await.is_ok());
    assert!(nodes.sign_in(&with(&public.id, Some("")), "ann", PASSWORD, None).await.is_ok());
    let claimed = with(&public.id, Some("not its secret"));
    assert!(matches!(
        nodes.sign_in(&claimed, "ann", PASSWORD, None).await,
        Err(Error::SignIn(SignInError::InvalidClient))
    ));
    nodes.patch(&user, UserPatch { active: Some(false), ..UserPatch::default() }).await;
    assert!(matches!(nodes.client_token(&auth, None).await, Err(Error::SignIn(SignInError::InvalidClient))));
    nodes.patch(&user, UserPatch { active: Some(true), ..UserPatch::default() }).await;
    assert!(nodes.client_token(&auth, None).await.is_ok());
    nodes.one.patch_client(&operator(), &auth.id, enabling(false)).await.unwrap();
    assert!(matches!(nodes.client_token(&auth, None).await, Err(Error::SignIn(SignInError::InvalidClient))));
}

#[tokio::test]
async fn a_user_gets_the_roles_that_the_client_leaves() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::GROUP_ADMIN.with(Roles::USER_ADMIN)).await;
    nodes.user("bob", Roles::NONE).await;
    let (_, open) = nodes.client(|_| ()).await;
    let (_, narrow) = nodes.client(|draft| draft.roles = Roles::USER_ADMIN).await;
    let (_, wide) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let both = Roles::GROUP_ADMIN.with(Roles::USER_ADMIN);
    for (client, roles) in [(&open, both), (&narrow, Roles::USER_ADMIN), (&wide, both)] {
        let granted = nodes.sign_in(client, "ANN", PASSWORD, None).await.unwrap();
        assert_eq!(nodes.caller(&granted.access_token).await.unwrap().roles, roles);
    }
    let scoped = nodes.sign_in(&narrow, "ann", PASSWORD, Some("AdminUserGroupAdmin")).await;
    assert!(matches!(scoped, Err(Error::SignIn(SignInError::InvalidScope))));
    assert!(matches!(nodes.sign_in(&open, "bob", PASSWORD, None).await, Err(Error::SignIn(SignInError::InvalidScope))));
}

#[tokio::test]
async fn every_refusal_of_a_user_has_the_same_error() {
    let nodes = Nodes::start().await;
    let user = nodes.user("ann", Roles::FULL_ACCESS).await;
    let (_, auth) = nodes.client(|_| ()).await;
    for (username, password) in [("ann", ""), ("", PASSWORD)] {
        assert!(matches!(
            nodes.sign_in(&auth, username, password, None).await,
            Err(Error::SignIn(SignInError::CredentialsRequired))
        ));
    }
    let long = "x".repeat(5_000);
    for (username, password) in [("eve", PASSWORD), (&long, PASSWORD), ("a\0nn", PASSWORD), ("ann", &long)] {
        assert_refused(nodes.sign_in(&auth, username, password, None).await);
    }
    nodes.patch(&user, UserPatch { active: Some(false), ..UserPatch::default() }).await;
    assert_refused(nodes.sign_in(&auth, "ann", PASSWORD, None).await);
    nodes.patch(&user, UserPatch { active: Some(true), ..UserPatch::default() }).await;
    assert!(nodes.sign_in(&auth, "ann", PASSWORD, None).await.is_ok());
    for _ in 0..MAX_FAILURES {
        assert_refused(nodes.one.log_on("ann", &Secret::from("wrong"), Roles::FULL_ACCESS, ORIGIN).await);
    }
    assert_refused(nodes.sign_in(&auth, "ann", PASSWORD, None).await);
    nodes.one.unlock_user(&operator(), &UserKey::Uid(user.uid)).await.unwrap();
    assert!(nodes.sign_in(&auth, "ann", PASSWORD, None).await.is_ok());
}

#[tokio::test]
async fn logging_on_needs_a_role_and_logging_off_ends_one_token() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::USER_READER).await;
    let password = Secret::from(PASSWORD);
    let refused = nodes.one.log_on("ann", &password, Roles::GROUP_READER, ORIGIN).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    let [first, second] = [0, 1].map(|_| nodes.one.log_on("ann", &password, Roles::USER_READER, ORIGIN));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!((first.user.fields.username.as_str(), first.roles), ("ann", Roles::USER_READER));
    let caller = nodes.caller(&first.token).await.unwrap();
    nodes.one.log_off(&caller).await.unwrap();
    assert!(nodes.is_revoked(&first.token).await);
    assert!(nodes.caller(&second.token).await.is_ok());
    nodes.advance(599 * 60);
    assert!(nodes.is_revoked(&first.token).await);
    nodes.advance(60);
    for token in [&first.token, &second.token] {
        assert!(matches!(nodes.caller(token).await, Err(Error::SignIn(SignInError::Unauthenticated))));
    }
}

#[tokio::test]
async fn a_loss_of_roles_or_credentials_ends_tokens() {
    let nodes = Nodes::start().await;
    let (ann, bob) = (nodes.user("ann", Roles::FULL_ACCESS).await, nodes.user("bob", Roles::FULL_ACCESS).await);
    let (_, auth) = nodes.client(|_| ()).await;
    let token = async || nodes.sign_in(&auth, "ann", PASSWORD, None).await.unwrap().access_token;
    let id = || ann.fields.id.clone();

    let before = token().await;
    nodes.patch(&ann, UserPatch { password: Some(Secret::from(PASSWORD)), ..UserPatch::default() }).await;
    assert!(nodes.is_revoked(&before).await);
    let before = token().await;
    nodes.one.set_user_roles(&operator(), id(), Roles::FULL_ACCESS.with(Roles::GROUP_ADMIN)).await.unwrap();
    assert!(nodes.caller(&before).await.is_ok(), "an additional role ends no token");
    nodes.one.set_user_roles(&operator(), id(), Roles::GROUP_ADMIN).await.unwrap();
    assert!(nodes.is_revoked(&before).await);
    let before = token().await;
    nodes.one.revoke_user_tokens(&operator(), UserKey::Id(id())).await.unwrap();
    assert!(nodes.is_revoked(&before).await);
    let before = token().await;
    nodes.one.set_client_secret(&operator(), &auth.id, &new_secret().unwrap()).await.unwrap();
    assert!(nodes.is_revoked(&before).await);

    let (_, auth) = nodes.client(|draft| (draft.roles, draft.user) = (Roles::FULL_ACCESS, Some(bob.uid))).await;
    let before = nodes.client_token(&auth, None).await.unwrap();
    nodes.one.delete_user(&operator(), UserKey::Id(bob.fields.id)).await.unwrap();
    assert!(nodes.is_revoked(&before).await);
    let (_, auth) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let before = nodes.client_token(&auth, None).await.unwrap();
    nodes.one.delete_client(&operator(), &auth.id).await.unwrap();
    assert!(nodes.is_revoked(&before).await);
}

#[tokio::test]
async fn a_revocation_reaches_other_nodes_within_five_seconds() {
    let nodes = Nodes::start().await;
    let (_, auth) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let token = nodes.client_token(&auth, None).await.unwrap();
    let at_other = async || nodes.other.authenticate(&token, Channel::OrderCloud).await;
    assert!(at_other().await.is_ok(), "the other node reads an unknown key");
    nodes.one.patch_client(&operator(), &auth.id, enabling(false)).await.unwrap();
    assert!(nodes.is_revoked(&token).await);
    nodes.advance(3);
    assert!(at_other().await.is_ok(), "the status is cached");
    nodes.advance(1);
    assert!(matches!(at_other().await, Err(Error::SignIn(SignInError::TokenRevoked))));
    nodes.one.patch_client(&operator(), &auth.id, enabling(true)).await.unwrap();
    assert!(nodes.is_revoked(&token).await, "a revocation is permanent");
}

#[tokio::test]
async fn the_present_limits_of_user_and_client_apply() {
    let nodes = Nodes::start().await;
    let ann = nodes.user("ann", Roles::FULL_ACCESS).await;
    let (a, b, c) = (community(1), community(2), community(3));
    let (_, auth) = nodes.client(|draft| draft.communities = Communities::from([a, b])).await;
    let token = nodes.sign_in(&auth, "ann", PASSWORD, None).await.unwrap().access_token;
    let mut seen = Vec::new();
    for limit in [Communities::new(), Communities::from([b, c]), Communities::from([c])] {
        nodes.one.set_user_communities(&operator(), ann.fields.id.clone(), limit).await.unwrap();
        seen.push(nodes.caller(&token).await.unwrap().visibility.clone());
    }
    assert_eq!(seen, [vec![a, b], vec![b], vec![]].map(|own| Visibility::Within(own.into_iter().collect())));
}

fn is_refused(result: Result<IssuedTokens>) -> bool {
    matches!(result, Err(Error::SignIn(SignInError::InvalidRefreshToken)))
}

#[tokio::test]
async fn a_refresh_token_is_valid_until_it_expires() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::GROUP_ADMIN.with(Roles::GROUP_READER)).await;
    let (_, auth) = nodes.client(|draft| draft.access_minutes = 1).await;
    let (_, stranger) = nodes.client(|_| ()).await;
    let (_, without) = nodes.client(|draft| draft.refresh_minutes = 0).await;
    assert_eq!(nodes.sign_in(&without, "ann", PASSWORD, None).await.unwrap().refresh_token, None);
    let granted = nodes.sign_in(&auth, "ann", PASSWORD, Some("AdminUserGroupReader")).await.unwrap();
    let token = granted.refresh_token.unwrap();
    for (client, token) in [(&stranger, token.as_str()), (&without, &token), (&auth, "unknown"), (&auth, "")] {
        assert!(is_refused(nodes.refresh(client, token).await));
    }
    let bare = ClientAuth { secret: None, ..auth.clone() };
    for minute in 1..60 {
        nodes.advance(60);
        let granted = nodes.refresh(if minute % 2 == 0 { &auth } else { &bare }, &token).await.unwrap();
        assert_eq!(granted.refresh_token.as_ref(), Some(&token), "minute {minute}");
        assert_eq!(nodes.caller(&granted.access_token).await.unwrap().roles, Roles::GROUP_READER);
    }
    let wrong = ClientAuth { secret: Some(Secret::from("wrong")), ..auth.clone() };
    assert!(matches!(nodes.refresh(&wrong, &token).await, Err(Error::SignIn(SignInError::InvalidClient))));
    nodes.advance(60);
    assert!(is_refused(nodes.refresh(&auth, &token).await), "the lifetime begins at the sign-in, not at the last use");
}

#[tokio::test]
async fn a_rotated_refresh_token_is_used_once() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::FULL_ACCESS).await;
    let (_, auth) = nodes.client(|draft| draft.refresh_rotation = true).await;
    let begun = nodes.sign_in(&auth, "ann", PASSWORD, None).await.unwrap();
    let first = begun.refresh_token.unwrap();
    let bare = ClientAuth { secret: None, ..auth.clone() };
    assert!(matches!(nodes.refresh(&bare, &first).await, Err(Error::SignIn(SignInError::InvalidClient))));
    let next = async |token: &str| nodes.refresh(&auth, token).await.unwrap().refresh_token.unwrap();
    nodes.advance(59 * 60);
    let second = next(&first).await;
    assert_ne!(second, first);
    nodes.advance(10);
    let third = next(&second).await;
    nodes.advance(19);
    assert_eq!(next(&first).await, second, "29 seconds after its first use, although the successor was used");
    assert_eq!(next(&second).await, third);
    let access = nodes.refresh(&auth, &third).await.unwrap();
    nodes.advance(1);
    assert!(is_refused(nodes.refresh(&auth, &first).await), "a replay");
    assert!(nodes.is_revoked(&access.access_token).await);
    for ended in [&second, &third, access.refresh_token.as_ref().unwrap()] {
        assert!(is_refused(nodes.refresh(&auth, ended).await));
    }
    let apart = nodes.sign_in(&auth, "ann", PASSWORD, None).await.unwrap();
    assert!(
        nodes.caller(&apart.access_token).await.is_ok()
            && nodes.refresh(&auth, &apart.refresh_token.unwrap()).await.is_ok()
    );
}

#[tokio::test]
async fn logging_off_ends_the_whole_sign_in() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::FULL_ACCESS).await;
    let (_, auth) = nodes.client(|_| ()).await;
    let (begun, apart) =
        (nodes.sign_in(&auth, "ann", PASSWORD, None).await, nodes.sign_in(&auth, "ann", PASSWORD, None).await);
    let (begun, apart) = (begun.unwrap(), apart.unwrap());
    let token = begun.refresh_token.unwrap();
    let renewed = nodes.refresh(&auth, &token).await.unwrap();
    nodes.one.log_off(&nodes.caller(&renewed.access_token).await.unwrap()).await.unwrap();
    assert!(nodes.is_revoked(&renewed.access_token).await && nodes.is_revoked(&begun.access_token).await);
    assert!(is_refused(nodes.refresh(&auth, &token).await));
    assert!(
        nodes.caller(&apart.access_token).await.is_ok()
            && nodes.refresh(&auth, &apart.refresh_token.unwrap()).await.is_ok()
    );
}

#[tokio::test]
async fn a_refresh_token_ends_with_its_user_and_client() {
    let nodes = Nodes::start().await;
    let ann = nodes.user("ann", Roles::FULL_ACCESS).await;
    let (_, auth) = nodes.client(|_| ()).await;
    let token = async || nodes.sign_in(&auth, "ann", PASSWORD, None).await.unwrap().refresh_token.unwrap();
    let before = token().await;
    nodes.one.revoke_user_tokens(&operator(), UserKey::Id(ann.fields.id.clone())).await.unwrap();
    assert!(matches!(nodes.refresh(&auth, &before).await, Err(Error::SignIn(SignInError::InvalidRefreshToken))));
    let before = token().await;
    nodes.one.patch_client(&operator(), &auth.id, enabling(false)).await.unwrap();
    assert!(matches!(nodes.refresh(&auth, &before).await, Err(Error::SignIn(SignInError::InvalidClient))));
    nodes.one.patch_client(&operator(), &auth.id, enabling(true)).await.unwrap();
    assert!(matches!(nodes.refresh(&auth, &before).await, Err(Error::SignIn(SignInError::InvalidRefreshToken))));
}

#[tokio::test]
async fn the_first_key_is_created_once_and_published() {
    let nodes = Nodes::without_key().await;
    nodes.one.ensure_signing_key(&operator()).await.unwrap();
    nodes.other.ensure_signing_key(&operator()).await.unwrap();
    let (ours, theirs) = (nodes.one.certificates().await.unwrap(), nodes.other.certificates().await.unwrap());
    assert_eq!((ours.len(), &ours), (1, &theirs));
    assert_eq!(nodes.one.certificate(&ours[0].kid).await.unwrap(), ours[0]);
    let missing = nodes.one.certificate("none").await;
    assert!(matches!(missing, Err(Error::NotFound(ResourceKind::Certificate, kid)) if kid == "none"));
}

#[tokio::test]
async fn a_new_key_signs_after_its_publication_time() {
    let nodes = Nodes::start().await;
    let (_, auth) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let before = nodes.client_token(&auth, None).await.unwrap();
    let at_other = async |token: &str| nodes.other.authenticate(token, Channel::OrderCloud).await;
    assert!(at_other(&before).await.is_ok());
    let created = nodes.other.rotate_signing_key(&operator(), 60).await.unwrap();
    nodes.advance(59);
    let published = nodes.client_token(&auth, None).await.unwrap();
    assert_ne!(jwt::kid(&published).as_ref(), Some(&created.kid), "it does not sign yet");
    assert_eq!(nodes.one.certificates().await.unwrap().len(), 2, "but it is published");
    nodes.advance(1);
    let after = nodes.client_token(&auth, None).await.unwrap();
    assert_eq!(jwt::kid(&after).as_ref(), Some(&created.kid));
    for token in [&before, &published, &after] {
        assert!(at_other(token).await.is_ok());
    }
    let listed = nodes.one.signing_keys(&operator()).await.unwrap();
    assert_eq!(listed.iter().map(|key| key.state).collect::<Vec<_>>(), [KeyState::Signing, KeyState::Retired]);
}

#[tokio::test]
async fn a_rotation_does_not_overtake_an_upcoming_key() {
    let nodes = Nodes::start().await;
    let created = nodes.one.rotate_signing_key(&operator(), 3_600).await.unwrap();
    for seconds in [60, 3_600] {
        let refused = nodes.other.rotate_signing_key(&operator(), seconds).await;
        assert!(matches!(refused, Err(Error::KeyAnnounced(key)) if key == created));
    }
    nodes.advance(1);
    nodes.other.rotate_signing_key(&operator(), 3_600).await.unwrap();
    let states =
        async || nodes.one.signing_keys(&operator()).await.unwrap().iter().map(|key| key.state).collect::<Vec<_>>();
    assert_eq!(states().await, [KeyState::Upcoming, KeyState::Upcoming, KeyState::Signing]);
    nodes.advance(3_599);
    assert_eq!(states().await, [KeyState::Upcoming, KeyState::Signing, KeyState::Retired]);
}

#[tokio::test]
async fn invalid_tokens_are_refused() {
    let nodes = Nodes::start().await;
    let (_, auth) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let token = nodes.client_token(&auth, None).await.unwrap();
    nodes.advance(-60);
    assert!(nodes.caller(&token).await.is_ok(), "clocks of nodes may differ");
    nodes.advance(-1);
    let fresh = nodes.other.authenticate(&token, Channel::OrderCloud).await;
    assert!(matches!(fresh, Err(Error::SignIn(SignInError::Unauthenticated))), "not yet valid");
    nodes.advance(61);
    let foreign = Nodes::with_key(test_keys::OTHER_KEY).await;
    let (_, auth) = foreign.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let forged = foreign.client_token(&auth, None).await.unwrap();
    for bearer in ["", "x", "a.b.c", "Bearer", &token[1..], &forged] {
        assert!(matches!(nodes.caller(bearer).await, Err(Error::SignIn(SignInError::Unauthenticated))), "{bearer}");
    }
}

/// Creates a long-lived token of the client for ten days.
async fn long_lived(nodes: &Nodes, client: &Client) -> NewLongLivedToken {
    nodes.one.create_long_lived_token(&operator(), &client.fields.id, "sync", 10).await.unwrap()
}

#[tokio::test]
async fn a_long_lived_token_acts_as_its_client() {
    let nodes = Nodes::start().await;
    let user = nodes.user("robot", Roles::NONE).await;
    let (client, auth) = nodes
        .client(|draft| {
            (draft.user, draft.roles) = (Some(user.uid), Roles::AUDITOR);
            draft.communities = Communities::from([community(1)]);
        })
        .await;
    let NewLongLivedToken { secret, token } = long_lived(&nodes, &client).await;
    let secret = secret.expose_secret();
    let caller = nodes.caller(secret).await.unwrap();
    let own = nodes.caller(&nodes.client_token(&auth, None).await.unwrap()).await.unwrap();
    assert_eq!((caller.roles, caller.actor, &caller.visibility), (own.roles, own.actor, &own.visibility));
    assert_eq!((caller.actor.user, caller.actor.client), (Some(user.uid), Some(client.uid)));
    let known = caller.token.clone().unwrap();
    assert_eq!((known.jti, known.expires, known.is_long_lived), (token.fields.id, token.fields.expires, true));
    nodes.one.log_off(&caller).await.unwrap();
    assert!(nodes.caller(secret).await.is_ok(), "a logoff ends a sign-in, and there was none");
    nodes.one.set_client_secret(&operator(), &client.fields.id, &new_secret().unwrap()).await.unwrap();
    assert!(nodes.caller(secret).await.is_ok(), "a new secret ends access tokens alone");
    nodes.advance(10 * 86_400 - 1);
    assert!(nodes.caller(secret).await.is_ok());
    nodes.advance(1);
    assert!(matches!(nodes.caller(secret).await, Err(Error::SignIn(SignInError::Unauthenticated))), "expired");
    let unknown = format!("rbk_{}", "0".repeat(43));
    assert!(matches!(nodes.caller(&unknown).await, Err(Error::SignIn(SignInError::Unauthenticated))));
}

#[tokio::test]
async fn long_lived_tokens_end_with_client_and_user() {
    let nodes = Nodes::start().await;
    let user = nodes.user("robot", Roles::NONE).await;
    let (client, _) = nodes.client(|draft| draft.user = Some(user.uid)).await;
    let id = client.fields.id.clone();
    let [first, second] = [long_lived(&nodes, &client).await, long_lived(&nodes, &client).await];
    let [first_secret, second_secret] = [&first, &second].map(|own| own.secret.expose_secret().to_owned());
    assert!(nodes.caller(&first_secret).await.is_ok() && nodes.caller(&second_secret).await.is_ok());
    nodes.one.revoke_long_lived_token(&operator(), &first.token.fields.id).await.unwrap();
    assert!(nodes.is_revoked(&first_secret).await && nodes.caller(&second_secret).await.is_ok());
    for enabled in [false, true] {
        nodes.one.patch_client(&operator(), &id, enabling(enabled)).await.unwrap();
        assert!(nodes.is_revoked(&second_secret).await, "enabling the client does not restore it");
    }
    let third = long_lived(&nodes, &client).await.secret.expose_secret().to_owned();
    for active in [false, true] {
        nodes.patch(&user, UserPatch { active: Some(active), ..UserPatch::default() }).await;
        assert!(nodes.is_revoked(&third).await, "activating the user does not restore it");
    }
    let fourth = long_lived(&nodes, &client).await.secret.expose_secret().to_owned();
    assert!(nodes.caller(&fourth).await.is_ok());
    nodes.one.delete_client(&operator(), &id).await.unwrap();
    assert!(nodes.is_revoked(&fourth).await);
}

#[tokio::test]
async fn long_lived_tokens_are_refused() {
    let nodes = Nodes::start().await;
    let (client, _) = nodes.client(|_| ()).await;
    let (public, _) = nodes.client(|draft| draft.secret = None).await;
    let create = async |client: &str, name: &str, days| {
        nodes.one.create_long_lived_token(&operator(), client, name, days).await.map(drop)
    };
    assert!(matches!(create(&public.fields.id, "n", 1).await, Err(Error::PublicClient(_))));
    assert!(matches!(create("nobody", "n", 1).await, Err(Error::NotFound(ResourceKind::Client, _))));
    for (name, days) in [(" ", 1), (&*"x".repeat(101), 1), ("n", 0), ("n", 731)] {
        assert!(matches!(create(&client.fields.id, name, days).await, Err(Error::Invalid(_))), "{name} {days}");
    }
    let unknown = nodes.one.revoke_long_lived_token(&operator(), "none").await;
    assert!(matches!(unknown, Err(Error::NotFound(ResourceKind::LongLivedToken, _))));
    assert!(create(&client.fields.id, "n", 31).await.is_ok() && create(&client.fields.id, "m", 730).await.is_ok());
    let expiring = async || nodes.one.expiring_long_lived_tokens(&operator(), 10).await.unwrap().len();
    assert_eq!(expiring().await, 0);
    nodes.advance(86_400);
    assert_eq!(expiring().await, 1);
    nodes.advance(31 * 86_400);
    assert_eq!(expiring().await, 0, "it has expired");
}

#[tokio::test]
async fn a_role_removed_from_a_client_ends_its_tokens() {
    let nodes = Nodes::start().await;
    let (client, auth) = nodes.client(|draft| draft.roles = Roles::GROUP_READER.with(Roles::USER_READER)).await;
    let set = async |roles: Roles| {
        let patch = ClientPatch { roles: Some(roles), ..ClientPatch::default() };
        nodes.one.patch_client(&operator(), &client.fields.id, patch).await.unwrap()
    };
    let token = nodes.client_token(&auth, None).await.unwrap();
    let long_lived = long_lived(&nodes, &client).await.secret.expose_secret().to_owned();
    let more = Roles::GROUP_READER.with(Roles::USER_READER).with(Roles::AUDITOR);
    set(more).await;
    assert!(nodes.caller(&token).await.is_ok(), "an added role ends nothing");
    assert_eq!(nodes.caller(&long_lived).await.unwrap().roles, more);
    set(Roles::GROUP_READER).await;
    assert!(nodes.is_revoked(&token).await);
    assert_eq!(nodes.caller(&long_lived).await.unwrap().roles, Roles::GROUP_READER, "it has the present roles");
    let (unlimited, auth) = nodes.client(|_| ()).await;
    nodes.user("ann", Roles::FULL_ACCESS).await;
    let token = nodes.sign_in(&auth, "ann", PASSWORD, None).await.unwrap().access_token;
    let patch = ClientPatch { roles: Some(Roles::GROUP_READER), ..ClientPatch::default() };
    nodes.one.patch_client(&operator(), &unlimited.fields.id, patch).await.unwrap();
    assert!(nodes.is_revoked(&token).await, "the client limits its users now");
}
