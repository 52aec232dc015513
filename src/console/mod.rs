//! The console: pages in a browser for the people who keep groups (docs/console.md). The pages are rendered on the server,
//! from the services that the APIs use, and work without JavaScript.

mod assets;
mod browser;
mod chart;
mod cookies;
mod difference;
mod done;
mod error;
mod form;
mod frame;
mod guard;
mod list;
mod messages;
mod pages;
mod table;
mod time;
mod timeline;
mod ui;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use tower_http::compression::CompressionLayer;

use crate::domain::journal::Channel;
use crate::http::ApiState;
use crate::http::request::bodies::{BodyBudget, BodyLayer};
use crate::http::response::envelope::Envelope;

use browser::CookieAuthenticator;
use done::page_above;
use pages::clients::{self, all_tokens, end, new as new_client, one as client, secret, tokens};
use pages::group::{add, csv, danger, members, membership, overview, then};
use pages::user::access;
use pages::{account, changes, deleted, find, group, groups, live, operations, setup, sign_in, system, user, users};

/// The prefix of every path of the console.
const PREFIX: &str = "/console";

/// The path of the page of all groups, which is the first page of the console.
pub(crate) const START: &str = "/console/groups";

/// The path to which the sign-in form is sent, with a password and without a session.
const SIGN_IN: &str = "/console/sign-in";

/// The paths that take lists of people, and so bodies up to
/// [`Limits::large_body_bytes`](crate::http::limits::Limits::large_body_bytes).
const LARGE_BODIES: &[&str] = &[ADD_MEMBERS];

/// The path of the list of clients.
const CLIENTS: &str = "/console/clients";

const MEMBERS: &str = "/console/groups/{uid}/members";
const ADD_MEMBERS: &str = "/console/groups/{uid}/members/add";

/// The rendering of errors that no page of the console has rendered, such as a request that took too long.
pub(crate) const ENVELOPE: Envelope =
    Envelope { prefixes: &[PREFIX], is_open_to_other_origins: false, render: error::render_alone };

/// Returns the routes of the console. The channel of `api` must be [`Channel::Console`]. `bodies` is shared with the APIs.
pub(crate) fn routes(api: ApiState, bodies: BodyBudget) -> Router {
    debug_assert_eq!(api.channel, Channel::Console);
    let bodies = BodyLayer {
        shared: bodies,
        authenticator: CookieAuthenticator(api.clone()),
        sign_in: Some(SIGN_IN),
        large_bodies: LARGE_BODIES,
    };
    let pages = Router::new()
        .route("/console", get(sign_in::start))
        .route("/console/", get(sign_in::start))
        .route(SIGN_IN, get(sign_in::form).post(sign_in::submit))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/setup", get(setup::form).post(setup::submit))
        .route("/console/appearance", post(account::set_appearance))
        .route("/console/account", get(account::show))
        .route("/console/account/password", get(page_above).post(account::change_password))
        .route("/console/account/sessions/{id}", post(account::end_session))
        .route("/console/groups", get(groups::list))
        .route("/console/groups/new", get(overview::new).post(overview::create))
        .route("/console/groups/{uid}", get(overview::show).post(overview::save))
        .route("/console/groups/{uid}/danger", get(danger::show))
        .route("/console/groups/{uid}/rename", get(page_above).post(danger::rename))
        .route("/console/groups/{uid}/delete", post(danger::delete))
        .route(MEMBERS, get(members::list))
        .route(ADD_MEMBERS, get(add::form).post(add::submit))
        .route("/console/groups/{uid}/members.csv", get(csv::export))
        .route("/console/groups/{uid}/members/then", get(then::list))
        .route("/console/groups/{uid}/members/{user}", get(membership::show))
        .route("/console/groups/{uid}/members/add-one", get(page_above).post(add::one))
        .route("/console/groups/{uid}/members/remove", post(members::remove))
        .route("/console/groups/{uid}/history", get(group::history::show))
        .route("/console/users", get(users::list))
        .route("/console/users/new", get(user::new::form).post(user::new::create))
        .route("/console/users/{uid}", get(user::groups::list))
        .route("/console/users/{uid}/groups", get(page_above).post(user::groups::add))
        .route("/console/users/{uid}/groups/{group}/remove", post(user::groups::remove))
        .route("/console/users/{uid}/profile", get(user::profile::show).post(user::profile::save))
        .route("/console/users/{uid}/access", get(access::show).post(access::save))
        .route("/console/users/{uid}/password", get(page_above).post(access::set_password))
        .route("/console/users/{uid}/unlock", post(access::unlock))
        .route("/console/users/{uid}/end-sessions", post(access::end_sessions))
        .route("/console/users/{uid}/delete", post(access::delete))
        .route("/console/users/{uid}/history", get(user::history::show))
        .route("/console/changes", get(changes::list))
        .route("/console/changes/live", get(live::events))
        .route("/console/operations/{id}", get(operations::show))
        .route(CLIENTS, get(clients::list::list))
        .route("/console/clients/new", get(new_client::form).post(new_client::create))
        .route("/console/clients/tokens", get(all_tokens::list))
        .route("/console/clients/tokens/{token}/revoke", post(all_tokens::revoke))
        .route("/console/clients/{id}", get(client::show).post(client::save))
        .route("/console/clients/{id}/tokens", get(tokens::list).post(tokens::create))
        .route("/console/clients/{id}/secret", get(secret::form).post(secret::rotate))
        .route("/console/clients/{id}/end", get(end::show))
        .route("/console/clients/{id}/disable", post(end::disable))
        .route("/console/clients/{id}/enable", post(end::enable))
        .route("/console/clients/{id}/delete", post(end::delete))
        .route("/console/operations/{id}/undo", get(page_above).post(operations::undo))
        .route("/console/deleted", get(deleted::groups))
        .route("/console/deleted/users", get(deleted::users))
        .route("/console/deleted/groups/{uid}", get(deleted::group_preview).post(deleted::restore_group))
        .route("/console/deleted/users/{uid}", get(deleted::user_preview).post(deleted::restore_user))
        .route("/console/find", get(find::show))
        .route("/console/find/groups", get(find::suggest_groups))
        .route("/console/find/users", get(find::suggest_users))
        .route("/console/system", get(system::show))
        .route("/console/system/rotate", post(system::rotate))
        .layer(from_fn_with_state(api.clone(), guard::keep_form))
        .layer(bodies)
        // The layer above bounds the length of bodies.
        .layer(DefaultBodyLimit::disable())
        .route("/console/{*path}", any(error::no_page))
        .layer(from_fn_with_state(api.clone(), guard::visit))
        .layer(CompressionLayer::new())
        .with_state(api);
    pages.merge(assets::routes())
}
