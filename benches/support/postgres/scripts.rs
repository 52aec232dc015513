//! Scripts for pgbench: the store's own read of a group, and the inserts for a new group, derived from rows that the
//! directory has written.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio_postgres::SimpleQueryRow;

use super::database::Database;
use super::support::generate;

/// An ID as long as a generated one, which grows with time and ends in random characters, too.
const ID: &str = "'01kb' || lpad(to_hex(:uid::bigint), 8, '0') || left(md5(:uid::text), 14)";
/// The tables into which a group inserts one row or several, each with the column that has the group's uid.
const TABLES: [(&str, &str); 4] =
    [("groups", "uid"), ("group_xp", "owner"), ("group_ngrams", "owner"), ("journal", "subject")];
/// As the store does: each session has its own row of the counter.
const COUNT: &str = "UPDATE counters SET value = value + 1 WHERE name = 'groups' AND slot = :slot;";
const SLOT: &str = "\\set slot :client_id % 64";
const NUMBER: &str = "SELECT nextval('groups_uid') AS uid \\gset";

/// Random values for the fields that differ from group to group, as they do in the directory.
const DICE: &str =
    "\\set number random(0, 9999)\n\\set word random(0, 1000000000)\n\\set budget random(1000000, 999999900) / 100.0";
/// One of the newest groups for each number of xp rows.
const SAMPLES: &str = "SELECT max(owner) FROM (SELECT owner, count(*) AS size FROM group_xp \
                       WHERE owner > (SELECT max(owner) - 1000 FROM group_xp) GROUP BY owner) AS newest GROUP BY size";

/// The scripts; pgbench chooses one for each transaction.
pub(crate) struct Scripts {
    _folder: TempDir,
    /// Reads any of the groups.
    pub select: Vec<PathBuf>,
    /// Creates a group: one statement after the other.
    pub insert: Vec<PathBuf>,
    /// Creates a group with pipelined statements: two round trips, as the store needs.
    pub pipelined: Vec<PathBuf>,
}

impl Scripts {
    /// Writes the scripts, for a directory of this many groups. Some of the newest groups are the patterns for new
    /// ones: each is a script, and each connection prepares each statement of each script.
    pub(crate) async fn write(database: &Database, groups: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let script = |name: String, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).map(|()| path)
        };
        let select = script("select.sql".to_owned(), select(groups))?;
        let (mut insert, mut pipelined) = (Vec::new(), Vec::new());
        for row in database.rows(SAMPLES).await? {
            let uid = row.get(0).unwrap_or_default();
            let writes = writes(database, uid).await?;
            let text = format!("{SLOT}\n{DICE}\nBEGIN;\n{NUMBER}\n{writes}\nCOMMIT;\n");
            insert.push(script(format!("insert-{uid}.sql"), text)?);
            let text = format!("{SLOT}\n{DICE}\n{NUMBER}\n\\startpipeline\nBEGIN;\n{writes}\nCOMMIT;\n\\endpipeline\n");
            pipelined.push(script(format!("pipelined-{uid}.sql"), text)?);
        }
        Ok(Self { _folder: folder, select: vec![select], insert, pipelined })
    }
}

/// The columns are those of the store's statement.
fn select(groups: usize) -> String {
    let (slugs, last) = (generate::SLUGS.map(|slug| format!("'{slug}-'")).join(","), groups - 1);
    format!(
        "\\set number random(0, {last})\n\\set slug 1 + :number % {count}\n\
         SELECT uid, id, name, labels, description, xp, communities, created, updated, deleted, version, members \
         FROM groups WHERE id_key = (ARRAY[{slugs}])[:slug] || lpad(:number::text, 6, '0') AND deleted IS NULL;\n",
        count = generate::SLUGS.len(),
    )
}

/// The statements that write the rows of an existing group as those of a new group.
async fn writes(database: &Database, uid: &str) -> anyhow::Result<String> {
    let mut writes = Vec::new();
    let varied = Varied::of(database, uid).await?;
    for (table, whose) in TABLES {
        let rows = database.rows(&format!("SELECT * FROM {table} WHERE {whose} = {uid}")).await?;
        ensure!(!rows.is_empty(), "the group {uid} has no rows in {table}");
        if table == "journal" {
            writes.push(COUNT.to_owned());
        }
        writes.push(insert(table, &rows, &varied));
    }
    Ok(writes.join("\n"))
}

fn insert(table: &str, rows: &[SimpleQueryRow], varied: &Varied) -> String {
    // The journal assigns its last two columns itself.
    let kept = |row: &SimpleQueryRow| {
        let columns = row.columns().iter().map(|column| column.name().to_owned()).enumerate();
        columns.filter(|(_, name)| !["seq", "xid"].contains(&&**name)).collect::<Vec<_>>()
    };
    let columns: Vec<_> = kept(&rows[0]).into_iter().map(|(_, name)| name).collect();
    let tuple = |row: &SimpleQueryRow| {
        let values: Vec<_> = kept(row).iter().map(|(at, name)| varied.value(name, row.get(*at))).collect();
        format!("({})", values.join(", "))
    };
    let tuples: Vec<_> = rows.iter().map(tuple).collect();
    format!("INSERT INTO {table} ({}) VALUES {};", columns.join(", "), tuples.join(", "))
}

/// The texts in a group's rows that must differ in each new group, and the SQL that generates them.
struct Varied {
    texts: Vec<(String, String)>,
    budget: String,
}

impl Varied {
    async fn of(database: &Database, uid: &str) -> anyhow::Result<Self> {
        let parts =
            format!("SELECT name, name_key, xp::json->>'Project', xp::json->>'Budget' FROM groups WHERE uid = {uid}");
        let rows = database.rows(&parts).await?;
        let part = |at| rows.first().and_then(|row| row.get(at)).context("a made-up group has all of these");
        let (name, folded, project, budget) = (part(0)?, part(1)?, part(2)?, part(3)?);
        let numbered = |name: &str| {
            let name = name.trim_end_matches(|last: char| last.is_ascii_digit());
            format!("{name}' || :number::text || E'")
        };
        let texts = vec![
            (name.to_owned(), numbered(name)),
            (folded.to_owned(), numbered(folded)),
            (project.to_owned(), "' || left(md5(:word::text), 8) || E'".to_owned()),
            (budget.to_owned(), "' || :budget::text || E'".to_owned()),
        ];
        Ok(Self { texts, budget: budget.to_owned() })
    }

    fn value(&self, column: &str, text: Option<&str>) -> String {
        match (column, text) {
            ("uid" | "owner" | "subject", _) => ":uid".to_owned(),
            ("id" | "id_key" | "operation", _) => ID.to_owned(),
            ("number", Some(number)) if number == self.budget => ":budget::float8".to_owned(),
            (_, None) => "NULL".to_owned(),
            (_, Some(text)) => self.literal(text),
        }
    }

    fn literal(&self, text: &str) -> String {
        // pgbench takes a colon for the start of a variable even in quotes.
        let literal = text.replace('\\', "\\\\").replace('\'', "''").replace(':', "\\x3a");
        let vary = |literal: String, (old, new): &(String, String)| literal.replace(old, new);
        format!("E'{}'", self.texts.iter().fold(literal, vary))
    }
}
