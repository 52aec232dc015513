//! Mocks of such APIs: json-server, and Prism with our own document.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::names::{JSON_SERVER, PRISM};
use super::peer::Peer;
use super::process::{Process, free_address};
use crate::protocol::Protocol;
use crate::support::generate;
use crate::workload::{self, USERS};

/// Fewer groups than in other peers: every write rewrites the whole file, so more would only take minutes.
const JSON_SERVER_GROUPS: usize = 10_000;

/// A package that is installed next to this program's source.
struct Package {
    folder: PathBuf,
    version: String,
    node: String,
}

impl Package {
    fn find(name: &str) -> Option<Self> {
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/compare/peers/node_modules");
        let folder = modules.join(name);
        let output: Value = serde_json::from_slice(&std::fs::read(folder.join("package.json")).ok()?).ok()?;
        let node = Command::new("node").arg("--version").output().ok()?;
        let node = String::from_utf8_lossy(&node.stdout).trim().to_owned();
        Some(Self { folder, version: output["version"].as_str()?.to_owned(), node })
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(self.folder.join(script)).env("NODE_ENV", "production");
        command
    }
}

/// Fills a json-server in the folder and starts it; `None` if it is not installed.
pub(crate) async fn json_server(folder: &Path, groups: usize) -> anyhow::Result<Option<Peer>> {
    let Some(package) = Package::find("json-server") else { return Ok(None) };
    let folder = folder.join("json-server");
    std::fs::create_dir_all(&folder)?;
    let (file, groups, address) = (folder.join("db.json"), groups.min(JSON_SERVER_GROUPS), free_address().await?);
    write_groups(&file, groups)?;
    let mut command = package.command("lib/cli/bin.js");
    command.args(["--host", "127.0.0.1", "--port", &address.port().to_string(), "--quiet", "--no-gzip"]);
    command.arg(&file).current_dir(&folder);
    let process = Process::serve(command, address, &folder.join("log")).await.context("json-server")?;
    let about = format!(
        "json-server {}, Node.js {}, with {groups} groups: all in memory; a write writes the whole file again, and \
         does not wait for the disk",
        package.version, package.node
    );
    let (protocol, secret) = (Protocol::JsonServer, String::new());
    Ok(Some(Peer { name: JSON_SERVER, about, protocol, address, secret, groups, process }))
}

fn write_groups(path: &Path, groups: usize) -> anyhow::Result<()> {
    let group = |number| {
        let generate::GeneratedGroup { name, description, xp } = generate::group(number, groups);
        json!({ "id": generate::id(number), "Name": name, "Description": description, "xp": xp })
    };
    let user = |id: String| json!({ "id": id, "Username": id });
    let groups: Vec<_> = (0..groups).map(group).collect();
    let users: Vec<_> = (0..USERS).map(workload::user).map(user).collect();
    let all = json!({ "groups": groups, "users": users, "memberships": [] });
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    serde_json::to_writer(&mut file, &all)?;
    Ok(file.flush()?)
}

/// Starts Prism with our own document; `None` if it is not installed.
pub(crate) async fn prism(folder: &Path, groups: usize) -> anyhow::Result<Option<Peer>> {
    let Some(package) = Package::find("@stoplight/prism-cli") else { return Ok(None) };
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/ordercloud.json");
    let address = free_address().await?;
    let mut command = package.command("dist/index.js");
    command.args(["mock", "--host", "127.0.0.1", "--port", &address.port().to_string(), "--verboseLevel", "silent"]);
    command.arg(document);
    let process = Process::serve(command, address, &folder.join("prism.log")).await.context("prism")?;
    let about = format!(
        "Prism {}, Node.js {}, on openapi/ordercloud.json: keeps nothing, every response is the document's example",
        package.version, package.node
    );
    let (protocol, secret) = (Protocol::Ordercloud, "any".to_owned());
    Ok(Some(Peer { name: PRISM, about, protocol, address, secret, groups, process }))
}
