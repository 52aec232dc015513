//! The commands of docs/operations.md, run unchanged, and a directory to compare with what they restore.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::json;

use crate::support::{A, Caller, FULL, PASSWORD, Server, everything, make_group, make_groups};

/// The blocks of commands that tests run, by their names on the page.
const BLOCKS: [&str; 9] = [
    "sqlite-backup",
    "sqlite-restore",
    "postgres-create",
    "postgres-dump",
    "postgres-restore",
    "postgres-basebackup",
    "postgres-to-file",
    "file-to-postgres",
    "sqlite-to-postgres",
];
const MARK: &str = "<!-- tested: ";
/// The beginnings of the titles of sections whose commands must all be tested.
const SECTION: &str = "Backup and restore";

/// The commands that the page marks with this name, in a shell that exits at the first failure. Its environment has
/// only these variables.
pub(crate) fn command(name: &str, variables: &[(&str, &OsStr)]) -> Command {
    assert!(BLOCKS.contains(&name), "{name} is not among the blocks that tests run");
    let page = page();
    let block = blocks(&page).into_iter().find(|block| block.name == Some(name));
    let mut command = Command::new("sh");
    command.arg("-euc").arg(block.expect("a block of this name").commands).stdin(Stdio::null());
    command.current_dir(env::temp_dir()).env_clear().env("PATH", search_path()).envs(variables.iter().copied());
    command
}

/// Runs the commands that the page marks with this name; panics if they fail.
#[track_caller]
pub(crate) fn run(name: &str, variables: &[(&str, &OsStr)]) {
    let output = command(name, variables).output().expect("there is a shell");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A `PATH` that begins with the folder of the binary under test, followed by PostgreSQL's programs if they are
/// installed.
fn search_path() -> std::ffi::OsString {
    let mut folders = vec![Path::new(env!("CARGO_BIN_EXE_rollbook")).parent().expect("a folder").to_owned()];
    folders.extend(env::var_os("TEST_POSTGRES_BIN").filter(|folder| !folder.is_empty()).map(PathBuf::from));
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    env::join_paths(folders).expect("no folder with a colon")
}

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    fs::read_to_string(page).expect("the page")
}

/// A block of commands and its position on the page.
struct Block<'a> {
    section: &'a str,
    name: Option<&'a str>,
    commands: &'a str,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let sections = page.split("\n## ").skip(1);
    sections.flat_map(|section| blocks_of(section.lines().next().unwrap_or_default(), section)).collect()
}

fn blocks_of<'a>(title: &'a str, text: &'a str) -> impl Iterator<Item = Block<'a>> {
    let section = title.trim_start_matches(|character: char| character.is_ascii_digit() || ". ".contains(character));
    text.match_indices("```sh\n").map(move |(at, fence)| {
        let before = text[..at].trim_end().lines().next_back().unwrap_or_default().trim();
        let name = before.strip_prefix(MARK).and_then(|name| name.strip_suffix(" -->"));
        let commands = text[at + fence.len()..].split("```").next().unwrap_or_default();
        Block { section, name, commands }
    })
}

#[test]
fn every_command_for_backups_is_run_by_a_test() {
    let page = page();
    let blocks = blocks(&page);
    let backups: Vec<_> = blocks.iter().filter(|block| block.section.starts_with(SECTION)).collect();
    assert!(backups.len() >= 7, "{} blocks were found", backups.len());
    for block in backups {
        assert!(block.name.is_some(), "{}: no test runs\n{}", block.section, block.commands);
    }
    let names: BTreeSet<_> = blocks.iter().filter_map(|block| block.name).collect();
    assert_eq!(names, BLOCKS.into(), "each block that is marked, once");
    assert_eq!(page.matches(MARK).count(), BLOCKS.len(), "and each mark before a block");
}

/// A directory with entities of each kind, and its state when it was copied.
pub(crate) struct DirectoryState {
    token: String,
    observed: Vec<String>,
    /// The highest number of a group.
    newest: i64,
}

impl DirectoryState {
    /// Fills the server's directory.
    pub(crate) async fn in_directory_of(server: &Server) -> Self {
        let admin = server.admin().await;
        make_groups(&admin, &["support", "sales", "gone"]).await;
        let more = json!({ "Description": "Ärger, дом & Co", "xp": { "Dept": "IT", "Tags": ["blue", 7] } });
        admin.patch("/v1/usergroups/support", &more).await.is(200);
        server.make_user("ada", &[FULL], &[]);
        for group in ["support", "gone"] {
            let pair = json!({ "UserGroupID": group, "UserID": "ada" });
            admin.post("/v1/usergroups/assignments", &pair).await.is(204);
        }
        admin.delete("/v1/usergroups/gone").await.is(204);
        let newest = make_group(&admin, "Assistenza", &[A]).await;
        Self { observed: responses(&admin).await, token: admin.bearer().to_owned(), newest }
    }

    /// Compares another server with the directory: its responses are equal, a token from before and the user's password
    /// are valid, and writes succeed.
    pub(crate) async fn is_served_by(&self, server: &Server) {
        assert_eq!(responses(&server.bearer(&self.token)).await, self.observed);
        server.log_on("ada", PASSWORD).await.is(200);
        let next = make_group(&server.admin().await, "After", &[]).await;
        assert!(next > self.newest, "{next} was used before");
    }
}

/// All entities, and lists that each use another index.
async fn responses(admin: &Caller) -> Vec<String> {
    let mut observed = everything(admin).await;
    for query in ["search=r", "search=до", "search=upp", "xp.Tags=7", "xp.Dept=I*", "sortBy=!Name"] {
        observed.push(admin.get(&format!("/v1/usergroups?{query}")).await.is(200).text);
    }
    observed
}
