//! What every test here stands on: a server of its own, callers with their tokens, and the command line.
//!
//! Tests that suit either store run on the one that this run is about ([`Store::of_this_run`]). A test starts with [`Server::start`], takes its callers from it ([`Server::admin`], [`Server::token`],
//! [`Server::anonymous`]) and reads what they are told as a [`Reply`].

mod caller;
mod command;
mod database;
mod directory;
mod process;
mod raw;
mod server;
pub mod sql;

pub use caller::{Caller, Reply};
pub use command::{Outcome, Rollbook};
pub use database::{Database, Store, server};
pub use directory::{CORE, core_groups, everything, labels, make_group, make_groups, make_user, user_body};
pub use raw::{Raw, raw};
pub use server::{Launch, Server};

use std::time::{Duration, Instant};

/// The roles there are.
pub const FULL: &str = "FullAccess";
pub const GROUP_ADMIN: &str = "AdminUserGroupAdmin";
pub const GROUP_READER: &str = "AdminUserGroupReader";
pub const USER_ADMIN: &str = "AdminUserAdmin";
pub const USER_READER: &str = "AdminUserReader";

/// Three communities.
pub const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";
pub const C: &str = "cccccccc-0000-4000-8000-000000000003";

/// The password of every user made by a test.
pub const PASSWORD: &str = "Correct-Horse-7";

/// Asks again and again until `true`; fails after `limit`. Each question is a round trip, which is the pace of it.
pub async fn eventually(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !ask().await {
        assert!(begin.elapsed() < limit, "{what} did not come true within {limit:?}");
        tokio::task::yield_now().await;
    }
}
