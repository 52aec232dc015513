//! PostgreSQL alone: `pgbench` sends the same requests to the same tables, without a server in between.

use std::path::PathBuf;

use anyhow::bail;
use rollbook::domain::text::fold;
use tempfile::TempDir;

use crate::database::Database;
use crate::pgbench::{Pgbench, Transport};
use crate::scripts::Scripts;
use crate::workload::{PAGE, USERS, Workload, text};

/// How many different texts are searched for.
const TEXTS: usize = 64;
const COLUMNS: &str = "uid, id, name, description, xp";
const OPERATION: &str = "'01kb' || md5(:group::text || ' ' || :user::text)";
const NOW: &str = "(extract(epoch FROM now()) * 1000000)::bigint";

/// How statements are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PgbenchMode {
    /// One after the other, as pgbench does by default.
    OneByOne,
    /// All statements of a transaction at once, as Rollbook does: it makes a difference if there are several.
    Pipelined,
}

/// pgbench, and its scripts for a directory that Rollbook has filled.
pub(crate) struct PostgresAlone {
    pgbench: Pgbench,
    transport: Transport,
    scripts: Scripts,
    find: PathBuf,
    list: PathBuf,
    join: PathBuf,
    _folder: TempDir,
}

impl PostgresAlone {
    /// Writes the scripts; the patterns of inserts are the newest groups.
    pub(crate) async fn new(database: &Database, groups: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let script = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).map(|()| path)
        };
        let transport = if database.socket().await?.is_some() { Transport::Socket } else { Transport::Tcp };
        let (find, list) = (script("find.sql", find(groups))?, script("list.sql", list())?);
        let join = script("join.sql", join(groups))?;
        let (pgbench, scripts) = (Pgbench::new(database).await?, Scripts::write(database, groups).await?);
        Ok(Self { pgbench, transport, scripts, find, list, join, _folder: folder })
    }

    /// Responses per second of the workload. Only a create has more than one mode.
    pub(crate) async fn rate(
        &self,
        workload: Workload,
        mode: PgbenchMode,
        connections: usize,
        seconds: u32,
    ) -> anyhow::Result<f64> {
        let scripts = match (workload, mode) {
            (Workload::Create, PgbenchMode::Pipelined) => &self.scripts.pipelined,
            (Workload::Fixed, _) => bail!("PostgreSQL has no fixed response"),
            (Workload::Read, _) => &self.scripts.select,
            (Workload::Create, _) => &self.scripts.insert,
            (Workload::Find, _) => &vec![self.find.clone()],
            (Workload::List, _) => &vec![self.list.clone()],
            (Workload::Join, _) => &vec![self.join.clone()],
        };
        self.pgbench.run(scripts, connections, seconds, self.transport).await
    }

    /// The transport to the server.
    pub(crate) fn reached(&self) -> &'static str {
        match self.transport {
            Transport::Tcp => "TCP",
            Transport::Socket => "the Unix socket",
        }
    }
}

/// A page of the groups whose name contains a text, with their number, in the order of names.
fn find(groups: usize) -> String {
    let texts = (0..TEXTS).map(|nth| fold(&text(nth * groups / TEXTS, groups)).replace('\'', "''"));
    let texts = texts.map(|text| format!("'%{text}%'")).collect::<Vec<_>>().join(", ");
    format!(
        "\\set text random(1, {TEXTS})\nSELECT {COLUMNS}, count(*) OVER () FROM groups \
         WHERE name_key LIKE (ARRAY[{texts}])[:text] AND deleted IS NULL ORDER BY name_key, id_key LIMIT {PAGE};\n"
    )
}

/// The first page of all groups, with their number, in the order of names.
fn list() -> String {
    format!(
        "SELECT {COLUMNS}, (SELECT sum(value) FROM counters WHERE name = 'groups') FROM groups \
         WHERE deleted IS NULL ORDER BY name_key, id_key LIMIT {PAGE};\n"
    )
}

/// The rows that Rollbook writes for a new membership.
fn join(groups: usize) -> String {
    format!(
        "\\set slot :client_id % 64\n\\set group random(1, {groups})\n\\set user random(1, {USERS})\nBEGIN;\n\
         WITH made AS (INSERT INTO memberships (group_uid, user_uid, user_key, live, added) \
         SELECT :group, uid, id_key, 1, {NOW} FROM users WHERE uid = :user ON CONFLICT DO NOTHING RETURNING 1) \
         UPDATE groups SET members = members + 1 FROM made WHERE uid = :group;\n\
         UPDATE counters SET value = value + 1 WHERE name = 'memberships' AND slot = :slot;\n\
         INSERT INTO journal (operation, at, actor_client, channel, kind, change, subject, member) \
         VALUES ({OPERATION}, {NOW}, 1, 'ordercloud', 'membership', 'added', :group, :user);\nCOMMIT;\n"
    )
}
