//! Tokens from the first sign-in to their end, on the embedded store.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::auth::jwt;
use crate::domain::client::Client;
use crate::domain::community::{Communities, Community, Visibility};
use crate::domain::env::{Clock, RandomIds};
use crate::domain::id::Id;
use crate::domain::journal::Door;
use crate::domain::role::{Caller, Permission, Permit, Roles};
use crate::domain::time::Timestamp;
use crate::domain::user::{MAX_FAILURES, Secret, User};
use crate::service::clients::{ClientDraft, new_secret};
use crate::service::users::{UserDraft, UserPatch};
use crate::store::Store;
use crate::store::sqlite::{Options, SqliteStore};

const PASSWORD: &str = "Passw0rd!!x";

/// A clock that goes only when it is told to.
struct Held(AtomicI64);

impl Clock for Held {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Two nodes on one directory.
struct Nodes {
    one: Service,
    other: Service,
    clock: Arc<Held>,
    _folder: TempDir,
}

impl Nodes {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let path: PathBuf = folder.path().join("rollbook.db");
        let list_limit = Duration::from_secs(60);
        let options = Options { path, default_language: None, create: true, serve: true, list_limit };
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options).await.unwrap());
        let clock = Arc::new(Held(AtomicI64::new(1_800_000_000_000_000)));
        let node = || Service::new(Arc::clone(&store), clock.clone(), Arc::new(RandomIds), "rollbook".to_owned());
        let nodes = Self { one: node(), other: node(), clock, _folder: folder };
        nodes.one.ensure_signing_key().await.unwrap();
        nodes
    }

    fn pass(&self, seconds: i64) {
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
        self.one.grant(grant).await.map(|granted| granted.access_token)
    }

    async fn sign_in(&self, auth: &ClientAuth, username: &str, password: &str, scope: Option<&str>) -> Result<Granted> {
        let (username, password) = (username.to_owned(), Secret::from(password));
        let grant = Grant::Password { client: auth.clone(), username, password, scope: scope.map(str::to_owned) };
        self.one.grant(grant).await
    }

    async fn refresh(&self, auth: &ClientAuth, token: &str) -> Result<Granted> {
        self.one.grant(Grant::RefreshToken { client: auth.clone(), token: Secret::from(token) }).await
    }

    async fn caller(&self, token: &str) -> Result<Arc<Caller>> {
        self.one.authenticate(token, Door::Core).await
    }

    async fn is_revoked(&self, token: &str) -> bool {
        matches!(self.caller(token).await, Err(Error::TokenRevoked))
    }
}

fn operator<P: Permission>() -> Permit<P> {
    Arc::new(Caller::operator(Door::CommandLine)).permit().unwrap()
}

fn community(number: u8) -> Community {
    Community::parse(&format!("00000000-0000-0000-0000-0000000000{number:02}")).unwrap()
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(Error::InvalidCredentials)), "{result:?}");
}

#[tokio::test]
async fn a_client_gets_its_own_roles() {
    let nodes = Nodes::start().await;
    let user = nodes.user("ann", Roles::USER_READER).await;
    let roles = Roles::GROUP_ADMIN.with(Roles::GROUP_READER);
    let (client, mut auth) = nodes.client(|draft| (draft.roles, draft.user) = (roles, Some(user.uid))).await;
    auth.id.make_ascii_uppercase();
    let caller = nodes.caller(&nodes.client_token(&auth, None).await.unwrap()).await.unwrap();
    assert_eq!((caller.roles, &caller.visibility, caller.door), (roles, &Visibility::All, Door::Core));
    assert_eq!((caller.actor.user, caller.actor.client), (Some(user.uid), Some(client.uid)));
    let narrow = nodes.client_token(&auth, Some("AdminUserGroupReader AdminUserReader")).await.unwrap();
    assert_eq!(nodes.caller(&narrow).await.unwrap().roles, Roles::GROUP_READER);
    assert!(matches!(nodes.client_token(&auth, Some("FullAccess")).await, Err(Error::InvalidScope)));
    let granted = nodes.one.grant(Grant::ClientCredentials { client: auth, scope: None }).await.unwrap();
    assert_eq!((granted.expires_in, granted.refresh_token), (599, None));
}

#[tokio::test]
async fn a_client_must_be_itself() {
    let nodes = Nodes::start().await;
    let user = nodes.user("ann", Roles::FULL_ACCESS).await;
    let (_, auth) = nodes.client(|draft| (draft.roles, draft.user) = (Roles::FULL_ACCESS, Some(user.uid))).await;
    let (_, public) = nodes.client(|draft| (draft.roles, draft.secret) = (Roles::FULL_ACCESS, None)).await;
    let with = |id: &str, secret: Option<&str>| ClientAuth { id: id.to_owned(), secret: secret.map(Secret::from) };
    for wrong in [with(&auth.id, None), with(&auth.id, Some("")), with(&auth.id, Some("wrong")), with("nobody", None)] {
        assert!(matches!(nodes.client_token(&wrong, None).await, Err(Error::InvalidClient)));
        assert!(matches!(nodes.sign_in(&wrong, "ann", PASSWORD, None).await, Err(Error::InvalidClient)));
    }
    assert!(matches!(nodes.client_token(&public, None).await, Err(Error::InvalidClient)));
    assert!(nodes.sign_in(&public, "ann", PASSWORD, None).await.is_ok());
    assert!(nodes.sign_in(&with(&public.id, Some("")), "ann", PASSWORD, None).await.is_ok());
    let claimed = with(&public.id, Some("not its secret"));
    assert!(matches!(nodes.sign_in(&claimed, "ann", PASSWORD, None).await, Err(Error::InvalidClient)));
    nodes.patch(&user, UserPatch { active: Some(false), ..UserPatch::default() }).await;
    assert!(matches!(nodes.client_token(&auth, None).await, Err(Error::InvalidClient)));
    nodes.patch(&user, UserPatch { active: Some(true), ..UserPatch::default() }).await;
    assert!(nodes.client_token(&auth, None).await.is_ok());
    nodes.one.enable_client(&operator(), &auth.id, false).await.unwrap();
    assert!(matches!(nodes.client_token(&auth, None).await, Err(Error::InvalidClient)));
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
    assert!(matches!(scoped, Err(Error::InvalidScope)));
    assert!(matches!(nodes.sign_in(&open, "bob", PASSWORD, None).await, Err(Error::InvalidScope)));
}

#[tokio::test]
async fn every_refusal_of_a_user_is_the_same() {
    let nodes = Nodes::start().await;
    let user = nodes.user("ann", Roles::FULL_ACCESS).await;
    let (_, auth) = nodes.client(|_| ()).await;
    for (username, password) in [("ann", ""), ("", PASSWORD)] {
        assert!(matches!(nodes.sign_in(&auth, username, password, None).await, Err(Error::CredentialsRequired)));
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
        assert_refused(nodes.one.log_on("ann", &Secret::from("wrong"), Roles::FULL_ACCESS).await);
    }
    assert_refused(nodes.sign_in(&auth, "ann", PASSWORD, None).await);
    nodes.one.unlock_user(&operator(), &user.fields.id).await.unwrap();
    assert!(nodes.sign_in(&auth, "ann", PASSWORD, None).await.is_ok());
}

#[tokio::test]
async fn logging_on_takes_a_role_and_logging_off_ends_one_token() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::USER_READER).await;
    let password = Secret::from(PASSWORD);
    let refused = nodes.one.log_on("ann", &password, Roles::GROUP_READER).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    let [first, second] = [0, 1].map(|_| nodes.one.log_on("ann", &password, Roles::USER_READER));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!((first.user.fields.username.as_str(), first.roles), ("ann", Roles::USER_READER));
    let caller = nodes.caller(&first.token).await.unwrap();
    nodes.one.log_off(&caller).await.unwrap();
    assert!(nodes.is_revoked(&first.token).await);
    assert!(nodes.caller(&second.token).await.is_ok());
    nodes.pass(599 * 60);
    assert!(nodes.is_revoked(&first.token).await);
    nodes.pass(60);
    for token in [&first.token, &second.token] {
        assert!(matches!(nodes.caller(token).await, Err(Error::Unauthenticated)));
    }
}

#[tokio::test]
async fn what_takes_rights_away_ends_tokens() {
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
    assert!(nodes.caller(&before).await.is_ok(), "a role more ends nothing");
    nodes.one.set_user_roles(&operator(), id(), Roles::GROUP_ADMIN).await.unwrap();
    assert!(nodes.is_revoked(&before).await);
    let before = token().await;
    nodes.one.revoke_user_tokens(&operator(), id()).await.unwrap();
    assert!(nodes.is_revoked(&before).await);
    let before = token().await;
    nodes.one.set_client_secret(&operator(), &auth.id, &new_secret().unwrap()).await.unwrap();
    assert!(nodes.is_revoked(&before).await);

    let (_, auth) = nodes.client(|draft| (draft.roles, draft.user) = (Roles::FULL_ACCESS, Some(bob.uid))).await;
    let before = nodes.client_token(&auth, None).await.unwrap();
    nodes.one.delete_user(&operator(), bob.fields.id).await.unwrap();
    assert!(nodes.is_revoked(&before).await);
    let (_, auth) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let before = nodes.client_token(&auth, None).await.unwrap();
    nodes.one.delete_client(&operator(), &auth.id).await.unwrap();
    assert!(nodes.is_revoked(&before).await);
}

#[tokio::test]
async fn other_nodes_follow_within_five_seconds() {
    let nodes = Nodes::start().await;
    let (_, auth) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let token = nodes.client_token(&auth, None).await.unwrap();
    let at_other = async || nodes.other.authenticate(&token, Door::OrderCloud).await;
    assert!(at_other().await.is_ok(), "the other node reads the key that it does not know");
    nodes.one.enable_client(&operator(), &auth.id, false).await.unwrap();
    assert!(nodes.is_revoked(&token).await);
    nodes.pass(3);
    assert!(at_other().await.is_ok(), "remembered without asking the store");
    nodes.pass(1);
    assert!(matches!(at_other().await, Err(Error::TokenRevoked)));
    nodes.one.enable_client(&operator(), &auth.id, true).await.unwrap();
    assert!(nodes.is_revoked(&token).await, "what was ended stays ended");
}

#[tokio::test]
async fn both_limits_hold_as_they_are_now() {
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

#[tokio::test]
async fn a_refresh_token_is_used_once() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::GROUP_ADMIN.with(Roles::GROUP_READER)).await;
    let (_, auth) = nodes.client(|_| ()).await;
    let (_, stranger) = nodes.client(|_| ()).await;
    let (_, without) = nodes.client(|draft| draft.refresh_minutes = 0).await;
    assert_eq!(nodes.sign_in(&without, "ann", PASSWORD, None).await.unwrap().refresh_token, None);
    let granted = nodes.sign_in(&auth, "ann", PASSWORD, Some("AdminUserGroupReader")).await.unwrap();
    let first = granted.refresh_token.unwrap();
    let refused = |result: Result<Granted>| matches!(result, Err(Error::InvalidRefreshToken));
    for (client, token) in [(&stranger, first.as_str()), (&without, &first), (&auth, "unknown"), (&auth, "")] {
        assert!(refused(nodes.refresh(client, token).await));
    }
    nodes.pass(59 * 60);
    let granted = nodes.refresh(&auth, &first).await.unwrap();
    assert_eq!(nodes.caller(&granted.access_token).await.unwrap().roles, Roles::GROUP_READER);
    let second = granted.refresh_token.unwrap();
    nodes.pass(59 * 60);
    let third = nodes.refresh(&auth, &second).await.unwrap().refresh_token.unwrap();
    assert!(refused(nodes.refresh(&auth, &second).await), "used before");
    assert!(refused(nodes.refresh(&auth, &third).await), "its family has ended");
    let last = nodes.sign_in(&auth, "ann", PASSWORD, None).await.unwrap().refresh_token.unwrap();
    nodes.pass(60 * 60);
    assert!(refused(nodes.refresh(&auth, &last).await), "expired");
}

#[tokio::test]
async fn a_refresh_token_stands_with_its_user_and_client() {
    let nodes = Nodes::start().await;
    let ann = nodes.user("ann", Roles::FULL_ACCESS).await;
    let (_, auth) = nodes.client(|_| ()).await;
    let token = async || nodes.sign_in(&auth, "ann", PASSWORD, None).await.unwrap().refresh_token.unwrap();
    let before = token().await;
    nodes.one.revoke_user_tokens(&operator(), ann.fields.id.clone()).await.unwrap();
    assert!(matches!(nodes.refresh(&auth, &before).await, Err(Error::InvalidRefreshToken)));
    let before = token().await;
    nodes.one.enable_client(&operator(), &auth.id, false).await.unwrap();
    assert!(matches!(nodes.refresh(&auth, &before).await, Err(Error::InvalidClient)));
    nodes.one.enable_client(&operator(), &auth.id, true).await.unwrap();
    assert!(matches!(nodes.refresh(&auth, &before).await, Err(Error::InvalidRefreshToken)));
}

#[tokio::test]
async fn keys_are_made_once_and_shown() {
    let nodes = Nodes::start().await;
    nodes.other.ensure_signing_key().await.unwrap();
    let (ours, theirs) = (nodes.one.certificates().await.unwrap(), nodes.other.certificates().await.unwrap());
    assert_eq!((ours.len(), &ours), (1, &theirs));
    assert_eq!(nodes.one.certificate(&ours[0].kid).await.unwrap(), ours[0]);
    let missing = nodes.one.certificate("none").await;
    assert!(matches!(missing, Err(Error::NotFound(Kind::Certificate, kid)) if kid == "none"));
}

#[tokio::test]
async fn a_new_key_signs_once_every_node_knows_it() {
    let nodes = Nodes::start().await;
    let (_, auth) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let before = nodes.client_token(&auth, None).await.unwrap();
    let at_other = async |token: &str| nodes.other.authenticate(token, Door::OrderCloud).await;
    assert!(at_other(&before).await.is_ok());
    let made = nodes.other.rotate_signing_key(&operator(), 60).await.unwrap();
    nodes.pass(59);
    let published = nodes.client_token(&auth, None).await.unwrap();
    assert_ne!(jwt::kid(&published).as_ref(), Some(&made.kid), "it does not sign yet");
    assert_eq!(nodes.one.certificates().await.unwrap().len(), 2, "but it is published");
    nodes.pass(1);
    let after = nodes.client_token(&auth, None).await.unwrap();
    assert_eq!(jwt::kid(&after).as_ref(), Some(&made.kid));
    for token in [&before, &published, &after] {
        assert!(at_other(token).await.is_ok());
    }
    let listed = nodes.one.signing_keys(&operator()).await.unwrap();
    assert_eq!(listed.iter().map(|key| key.signs).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let nodes = Nodes::start().await;
    let (_, auth) = nodes.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let token = nodes.client_token(&auth, None).await.unwrap();
    nodes.pass(-60);
    assert!(nodes.caller(&token).await.is_ok(), "clocks of nodes differ a little");
    nodes.pass(-1);
    let fresh = nodes.other.authenticate(&token, Door::OrderCloud).await;
    assert!(matches!(fresh, Err(Error::Unauthenticated)), "not yet valid");
    nodes.pass(61);
    let foreign = Nodes::start().await;
    let (_, auth) = foreign.client(|draft| draft.roles = Roles::FULL_ACCESS).await;
    let forged = foreign.client_token(&auth, None).await.unwrap();
    for bearer in ["", "x", "a.b.c", "Bearer", &token[1..], &forged] {
        assert!(matches!(nodes.caller(bearer).await, Err(Error::Unauthenticated)), "{bearer}");
    }
}
