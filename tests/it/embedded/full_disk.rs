//! A disk that fills up and is freed again: a small file system for one server, in a mount namespace.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::support::{CORE, Caller, Reply, eventually, make_group};

const SECRET: &str = "a-secret-of-the-tests-0123456789";
/// Mounts the file system on `$0`, then executes the command that follows.
const MOUNT: &str = r#"mount -t tmpfs -o size=16m rollbook "$0" && exec "$@""#;
/// How many groups are written at most until a full disk shows: a write may still find space in existing pages.
const MANY: usize = 500;

/// A server whose database is on a small file system that only it sees.
struct SmallDisk {
    server: Child,
    base: String,
    /// The path of the small file system as this process sees it.
    disk: PathBuf,
    _mount_point: TempDir,
}

impl SmallDisk {
    /// Returns nothing, and prints why, if this machine does not allow mounts.
    fn start() -> Option<Self> {
        let mount_point = TempDir::new().expect("a temporary directory");
        let Some(namespace) = usable_namespace(mount_point.path()) else {
            // Written to the terminal, since the test harness hides the output of a test that passes.
            let _ = writeln!(io::stderr(), "SKIPPED full_disk: this machine lets us mount nothing (unshare --mount)");
            return None;
        };
        let mut command = in_namespace(&namespace, mount_point.path());
        command.arg(env!("CARGO_BIN_EXE_rollbook")).env("ROLLBOOK_LISTEN", "127.0.0.1:0").env("ROLLBOOK_LOG", "error");
        command.env("ROLLBOOK_DATABASE", format!("sqlite:{}/rollbook.db", mount_point.path().display()));
        command.env("ROLLBOOK_ADMIN_CLIENT_ID", "admin").env("ROLLBOOK_ADMIN_CLIENT_SECRET", SECRET);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        let base = line.trim_end().strip_prefix("listening on ").expect("the server listens").to_owned();
        let root = PathBuf::from(format!("/proc/{}/root", server.id()));
        let disk = root.join(mount_point.path().strip_prefix("/").expect("an absolute path"));
        Some(Self { server, base, disk, _mount_point: mount_point })
    }

    async fn admin(&self) -> Caller {
        let http = || Client::builder().no_proxy().build().expect("a client");
        let fields = [("grant_type", "client_credentials"), ("client_id", "admin"), ("client_secret", SECRET)];
        let granted = Caller::new(http(), &self.base, None).form("/oauth/token", &fields).await.is(200);
        Caller::new(http(), &self.base, granted["access_token"].as_str())
    }

    /// Writes until the disk is full to the last byte.
    fn fill(&self) {
        let mut ballast = File::create(self.disk.join("ballast")).expect("space for a name");
        for size in [1 << 16, 1] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free_disk_space(&self) {
        fs::remove_file(self.disk.join("ballast")).expect("the ballast");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The options of `unshare` with which a file system can be mounted: those for root, or for other users.
fn usable_namespace(mount_point: &Path) -> Option<Vec<&'static str>> {
    let ways = [vec!["--mount"], vec!["--mount", "--map-root-user"]];
    ways.into_iter().find(|way| {
        let mut trial = in_namespace(way, mount_point);
        trial.arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}

fn in_namespace(namespace: &[&str], mount_point: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(namespace).args(["sh", "-c", MOUNT]).arg(mount_point).stdin(Stdio::null());
    command
}

fn group(at: usize) -> Json {
    json!({ "ID": format!("g{at}"), "Name": format!("Group {at}"), "xp": { "Text": "x".repeat(7_000) } })
}

/// Creates groups until one is refused; returns its index and the response.
async fn refused(admin: &Caller) -> (usize, Reply) {
    for at in 0..MANY {
        let reply = admin.post("/v1/usergroups", &group(at)).await;
        if reply.status != 201 {
            return (at, reply);
        }
    }
    panic!("{MANY} groups were written to a full disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_serves_reads_and_recovers() {
    let Some(server) = SmallDisk::start() else { return };
    let admin = server.admin().await;
    let number = make_group(&admin, "First", &[]).await;
    server.fill();
    let (written, reply) = refused(&admin).await;
    assert_ne!(reply.fails(503, "Api.Offline").header("retry-after"), "");

    assert_eq!(admin.get("/readyz").await.status, 503);
    let again = json!({ "ID": number, "Labels": json!({ "en": "x".repeat(100) }).to_string() });
    admin.post(CORE, &again).await.fails(503, "unavailable");
    admin.get(&format!("/v1/usergroups/g{written}")).await.fails(404, "NotFound");
    let whole = |listed: Reply| assert_eq!(listed.total(), written as u64 + 1);
    whole(admin.get("/v1/usergroups").await.is(200));
    admin.get(&format!("{CORE}/{number}")).await.is(200);

    server.free_disk_space();
    let limit = Duration::from_secs(20);
    eventually("a write", limit, async || admin.post("/v1/usergroups", &group(written)).await.status == 201).await;
    admin.post(CORE, &again).await.is(200);
    eventually("readiness", limit, async || admin.get("/readyz").await.status == 200).await;
    whole(admin.get("/v1/usergroups?ID=!g0").await.is(200));
}
