//! PostgreSQL alone: `pgbench` asks the same of the same tables, with no server in between.

use std::path::PathBuf;

use anyhow::bail;
use rollbook::domain::text::fold;
use tempfile::TempDir;

use super::database::Database;
use super::pgbench::{Pgbench, Transport};
use super::question::{PAGE, Question, USERS, text};
use super::scripts::Scripts;

/// How many different texts are looked for.
const TEXTS: usize = 64;
const COLUMNS: &str = "uid, id, name, description, xp";
const OPERATION: &str = "'01kb' || md5(:group::text || ' ' || :user::text)";
const NOW: &str = "(extract(epoch FROM now()) * 1000000)::bigint";

/// How statements are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One after the other, as pgbench does by itself.
    OneByOne,
    /// All of a transaction at once, as Rollbook does: it makes a difference where there are several.
    Pipelined,
}

/// pgbench, and its scripts for a directory that Rollbook has filled.
pub struct Raw {
    pgbench: Pgbench,
    transport: Transport,
    scripts: Scripts,
    find: PathBuf,
    list: PathBuf,
    join: PathBuf,
    _folder: TempDir,
}

impl Raw {
    /// Writes the scripts; patterns of what is to be inserted are among the newest groups.
    pub async fn new(database: &Database, groups: usize) -> anyhow::Result<Self> {
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

    /// How often the question was answered a second. Only a create has more than one way.
    pub async fn rate(&self, question: Question, way: Way, connections: usize, seconds: u32) -> anyhow::Result<f64> {
        let scripts = match (question, way) {
            (Question::Create, Way::Pipelined) => &self.scripts.pipelined,
            (Question::Fixed, _) => bail!("PostgreSQL has no fixed answer"),
            (Question::Read, _) => &self.scripts.select,
            (Question::Create, _) => &self.scripts.insert,
            (Question::Find, _) => &vec![self.find.clone()],
            (Question::List, _) => &vec![self.list.clone()],
            (Question::Join, _) => &vec![self.join.clone()],
        };
        self.pgbench.run(scripts, connections, seconds, self.transport).await
    }

    /// By which way it reaches the server.
    pub fn reached(&self) -> &'static str {
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

/// What Rollbook writes for a new membership.
fn join(groups: usize) -> String {
    format!(
        "\\set slot :client_id % 64\n\\set group random(1, {groups})\n\\set user random(1, {USERS})\nBEGIN;\n\
         WITH made AS (INSERT INTO memberships (group_uid, user_uid, user_key, live, added) \
         SELECT :group, uid, id_key, 1, {NOW} FROM users WHERE uid = :user ON CONFLICT DO NOTHING RETURNING 1) \
         UPDATE groups SET members = members + 1 FROM made WHERE uid = :group;\n\
         UPDATE counters SET value = value + 1 WHERE name = 'memberships' AND slot = :slot;\n\
         INSERT INTO journal (operation, at, actor_client, door, kind, change, subject, member) \
         VALUES ({OPERATION}, {NOW}, 1, 'ordercloud', 'membership', 'added', :group, :user);\nCOMMIT;\n"
    )
}
