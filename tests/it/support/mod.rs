//! Helpers of the black-box tests: a server per test, callers with their tokens, and the command line.
//!
//! A test calls [`Server::start`], gets its callers from the server ([`Server::admin`], [`Server::token`],
//! [`Server::anonymous`]) and reads each response as a [`Reply`]. Tests that suit both stores run on the store of this
//! run ([`Store::of_this_run`]).

mod caller;
mod command;
mod database;
mod directory;
mod events;
mod process;
mod raw;
mod server;
pub(crate) mod sql;

pub(crate) use caller::{Caller, Reply};
pub(crate) use command::{Outcome, Rollbook, binary_in_shell};
pub(crate) use database::{Database, Store, server};
pub(crate) use directory::{CORE, core_groups, everything, labels, make_group, make_groups, make_user, user_body};
pub(crate) use events::{Event, Events};
pub(crate) use raw::{RawConnection, send_raw};
pub(crate) use server::{Launch, Server};

use std::time::{Duration, Instant};

/// The role with every right.
pub(crate) const FULL: &str = "FullAccess";
/// The role that may write groups.
pub(crate) const GROUP_ADMIN: &str = "AdminUserGroupAdmin";
/// The role that may read groups.
pub(crate) const GROUP_READER: &str = "AdminUserGroupReader";
/// The role that may write users.
pub(crate) const USER_ADMIN: &str = "AdminUserAdmin";
/// The role that may read users.
pub(crate) const USER_READER: &str = "AdminUserReader";
/// The role that may read everything.
pub(crate) const AUDITOR: &str = "Auditor";

/// The first of three communities.
pub(crate) const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// The second community.
pub(crate) const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";
/// The third community.
pub(crate) const C: &str = "cccccccc-0000-4000-8000-000000000003";

/// The password of every user that a test creates.
pub(crate) const PASSWORD: &str = "Correct-Horse-7";

/// Checks a condition until it is `true`; panics after `limit`. The condition makes a round trip, which limits the
/// rate.
pub(crate) async fn eventually(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !condition().await {
        assert!(begin.elapsed() < limit, "{what}: not true within {limit:?}");
        tokio::task::yield_now().await;
    }
}
