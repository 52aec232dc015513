//! Rollbook: the program that was built with this benchmark, with default settings.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rollbook::domain::caller::Caller;
use rollbook::domain::id::Id;
use rollbook::domain::journal::Channel;
use rollbook::service::users::UserDraft;

use super::names::{ON_POSTGRES, ON_SQLITE};
use super::peer::Peer;
use super::process::{Process, free_address};
use crate::database::Database;
use crate::protocol::Protocol;
use crate::support::Directory;
use crate::workload::{self, USERS};

/// The number of concurrent writes of users.
const CONCURRENT_WRITES: usize = 64;

/// Fills a SQLite file in the folder and starts a server on it.
pub(crate) async fn on_sqlite(folder: &Path, groups: usize) -> anyhow::Result<Peer> {
    let about = format!("Rollbook {}: a SQLite file, every commit synced", env!("CARGO_PKG_VERSION"));
    let url = format!("sqlite:{}", folder.join("rollbook.db").display());
    start(ON_SQLITE, about, &url, folder, groups).await
}

/// Fills a database and starts a server on it.
pub(crate) async fn on_postgres(database: &Database, folder: &Path, groups: usize) -> anyhow::Result<Peer> {
    let (version, reached) = (env!("CARGO_PKG_VERSION"), database.transport());
    let about = format!("Rollbook {version}: on that PostgreSQL, with 16 connections by {reached}");
    let peer = start(ON_POSTGRES, about, database.url(), folder, groups).await?;
    database.settle().await?;
    Ok(peer)
}

async fn start(name: &'static str, about: String, url: &str, folder: &Path, groups: usize) -> anyhow::Result<Peer> {
    let secret = fill(url, groups).await.with_context(|| format!("{name} could not be filled"))?;
    let address = free_address().await?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    // The database URL is in the environment, as it may contain a password.
    command.args(["serve", "--log", "warn", "--listen", &address.to_string()]).env("ROLLBOOK_DATABASE", url);
    let process = Process::serve(command, address, &folder.join(format!("{name}.log"))).await.context(name)?;
    Ok(Peer { name, about, protocol: Protocol::Ordercloud, address, secret, groups, process })
}

/// Writes the groups and the users; returns a token with every right.
async fn fill(url: &str, groups: usize) -> anyhow::Result<String> {
    let directory = Directory::open(url).await?;
    directory.fill(groups).await?;
    let permit = std::sync::Arc::new(Caller::operator(Channel::OrderCloud)).permit()?;
    let made = (0..USERS).map(|number| directory.service.create_user(&permit, user(workload::user(number))));
    stream::iter(made).buffer_unordered(CONCURRENT_WRITES).try_for_each(async |_| Ok(())).await?;
    directory.service.close().await;
    Ok(directory.token)
}

fn user(id: String) -> UserDraft {
    UserDraft {
        id: Id::new(id.clone()),
        email: format!("{id}@example.com"),
        username: id,
        password: None,
        first_name: "Ana".to_owned(),
        last_name: "López".to_owned(),
        phone: None,
        terms_accepted: None,
        active: true,
        xp: None,
    }
}
