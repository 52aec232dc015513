//! Sessions of the console, and the first start.

use super::*;
use crate::domain::session::{IDLE_MINUTES, SESSION_HOURS};
use crate::service::setup::{FirstAdministrator, SETUP_MINUTES};
use crate::service::tokens::SignedIn;

const CONSOLE: Origin = Origin { channel: Channel::Console, source: None };

impl Nodes {
    async fn session(&self, name: &str) -> String {
        let session = self.one.sign_in(name, &Secret::from(PASSWORD), CONSOLE).await.unwrap();
        session.secret.expose_secret().to_owned()
    }

    /// Who is signed in by the session, as the other node sees it; `None` = nobody.
    async fn signed_in(&self, secret: &str) -> Option<SignedIn> {
        match self.other.session(secret).await {
            Ok(signed_in) => Some(signed_in),
            Err(Error::SignIn(SignInError::Unauthenticated)) => None,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_session_is_its_user_with_the_present_rights() {
    let nodes = Nodes::start().await;
    let user = nodes.user("ann", Roles::GROUP_READER).await;
    let secret = nodes.session("ann").await;
    let caller = nodes.signed_in(&secret).await.unwrap().caller;
    assert_eq!(
        (caller.roles, caller.channel, caller.actor.user),
        (Roles::GROUP_READER, Channel::Console, Some(user.uid))
    );
    let more = Roles::GROUP_READER.with(Roles::USER_READER);
    nodes.one.set_user_roles(&operator(), user.fields.id.clone(), more).await.unwrap();
    assert_eq!(nodes.signed_in(&secret).await.unwrap().caller.roles, more, "a further role ends nothing");
    nodes.one.set_user_roles(&operator(), user.fields.id.clone(), Roles::NONE).await.unwrap();
    assert!(nodes.signed_in(&secret).await.is_none(), "a role taken away does");
    assert!(nodes.signed_in(&nodes.session("ann").await).await.is_some(), "no role is needed");
}

#[tokio::test]
async fn a_session_ends_unused_and_after_half_a_day() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::NONE).await;
    let secret = nodes.session("ann").await;
    nodes.advance(IDLE_MINUTES * 60 - 1);
    let hash = crate::auth::digest::sha256_hex(&secret);
    // The use is recorded in the background; here it is recorded before the clock goes on.
    nodes.one.store.note_session_use(&hash, nodes.clock.now()).await.unwrap();
    assert!(nodes.signed_in(&secret).await.is_some());
    nodes.advance(IDLE_MINUTES * 60);
    assert!(nodes.signed_in(&secret).await.is_none());
    let secret = nodes.session("ann").await;
    let hash = crate::auth::digest::sha256_hex(&secret);
    for _ in 0..SESSION_HOURS * 2 - 1 {
        nodes.advance(1_800);
        nodes.one.store.note_session_use(&hash, nodes.clock.now()).await.unwrap();
        assert!(nodes.signed_in(&secret).await.is_some());
    }
    nodes.advance(1_800);
    assert!(nodes.signed_in(&secret).await.is_none());
}

#[tokio::test]
async fn a_session_ends_with_its_user_and_by_itself() {
    let nodes = Nodes::start().await;
    let user = nodes.user("ann", Roles::NONE).await;
    let (first, second) = (nodes.session("ann").await, nodes.session("ann").await);
    let signed_in = nodes.signed_in(&first).await.unwrap();
    let sessions = nodes.one.own_sessions(&signed_in).await.unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session.id != signed_in.session.id).unwrap();
    nodes.one.end_own_session(&signed_in, &other.id).await.unwrap();
    assert!(matches!(nodes.one.end_own_session(&signed_in, &other.id).await, Err(Error::NotFound(..))));
    assert!(nodes.signed_in(&second).await.is_none() && nodes.signed_in(&first).await.is_some());
    nodes.one.sign_out(&signed_in).await.unwrap();
    assert!(nodes.signed_in(&first).await.is_none());
    let third = nodes.session("ann").await;
    nodes.patch(&user, UserPatch { active: Some(false), ..UserPatch::default() }).await;
    assert!(nodes.signed_in(&third).await.is_none());
    nodes.patch(&user, UserPatch { active: Some(true), ..UserPatch::default() }).await;
    assert!(nodes.signed_in(&third).await.is_none(), "what ended stays ended");
}

#[tokio::test]
async fn a_user_sets_the_own_password_with_the_old_one() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::NONE).await;
    let (own, other) = (nodes.session("ann").await, nodes.session("ann").await);
    let signed_in = nodes.signed_in(&own).await.unwrap();
    let [old, new, weak, wrong] = [PASSWORD, "An0ther!pass", "short", "Wr0ng!password"].map(Secret::from);
    assert_refused(nodes.one.change_own_password(&signed_in, &wrong, &new, CONSOLE).await);
    let refused = nodes.one.change_own_password(&signed_in, &old, &weak, CONSOLE).await;
    assert!(matches!(refused, Err(Error::InsecurePassword)));
    assert!(nodes.signed_in(&own).await.is_some() && nodes.signed_in(&other).await.is_some());
    let kept = nodes.one.change_own_password(&signed_in, &old, &new, CONSOLE).await.unwrap();
    assert!(nodes.signed_in(&own).await.is_none() && nodes.signed_in(&other).await.is_none());
    assert!(nodes.signed_in(kept.secret.expose_secret()).await.is_some());
    assert_refused(nodes.one.sign_in("ann", &old, CONSOLE).await);
    nodes.one.sign_in("ann", &new, CONSOLE).await.unwrap();
}

#[tokio::test]
async fn a_session_is_no_token() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::FULL_ACCESS).await;
    let secret = nodes.session("ann").await;
    for channel in Channel::ALL {
        let refused = nodes.one.authenticate(&secret, channel).await;
        assert!(matches!(refused, Err(Error::SignIn(SignInError::Unauthenticated))), "{channel:?}");
    }
}

fn administrator(password: &str) -> FirstAdministrator {
    FirstAdministrator {
        username: "ada".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lindqvist".to_owned(),
        email: "ada@example.org".to_owned(),
        password: Secret::from(password),
    }
}

fn assert_no_page<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(Error::NotFound(ResourceKind::SetupPage, _))), "{result:?}");
}

#[tokio::test]
async fn a_code_makes_the_first_administrator_once() {
    let nodes = Nodes::start().await;
    nodes.user("ann", Roles::GROUP_ADMIN).await;
    let code = nodes.one.new_setup_code().await.unwrap().unwrap();
    let code = code.expose_secret();
    assert_no_page(nodes.one.set_up("wrong", administrator(PASSWORD)).await);
    assert!(matches!(nodes.one.set_up(code, administrator("weak")).await, Err(Error::InsecurePassword)));
    let nameless = FirstAdministrator { first_name: " ".to_owned(), ..administrator(PASSWORD) };
    assert!(matches!(nodes.one.set_up(code, nameless).await, Err(Error::Invalid(_))));
    let taken = FirstAdministrator { username: "ANN".to_owned(), ..administrator(PASSWORD) };
    assert!(matches!(nodes.one.set_up(code, taken).await, Err(Error::UsernameTaken)));
    assert!(nodes.other.is_setup_code(code).await.unwrap(), "what is refused leaves the code good");
    let user = nodes.other.set_up(code, administrator(PASSWORD)).await.unwrap();
    assert_eq!(user.fields.roles, Roles::FULL_ACCESS);
    assert!(!nodes.one.is_setup_code(code).await.unwrap());
    assert_no_page(nodes.one.set_up(code, administrator(PASSWORD)).await);
    assert!(nodes.one.new_setup_code().await.unwrap().is_none());
}

#[tokio::test]
async fn a_code_expires_and_is_worth_nothing_beside_an_administrator() {
    let nodes = Nodes::start().await;
    let code = nodes.one.new_setup_code().await.unwrap().unwrap();
    nodes.advance(SETUP_MINUTES * 60);
    assert!(!nodes.one.is_setup_code(code.expose_secret()).await.unwrap());
    assert_no_page(nodes.one.set_up(code.expose_secret(), administrator(PASSWORD)).await);
    let code = nodes.one.new_setup_code().await.unwrap().unwrap();
    nodes.user("root", Roles::FULL_ACCESS).await;
    assert!(!nodes.one.is_setup_code(code.expose_secret()).await.unwrap());
    assert_no_page(nodes.one.set_up(code.expose_secret(), administrator(PASSWORD)).await);
}
