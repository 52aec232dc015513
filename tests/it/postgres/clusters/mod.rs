//! PostgreSQL servers of a test's own, to be stopped, killed and promoted.

mod access;
mod backups;
mod failover;
mod outage;

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use rand::random_range;
use tempfile::TempDir;

use crate::support::sql;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// A PostgreSQL server with its data in a folder of its own, on a port of loopback that stays the same. It ends, and
/// its data are gone, with the value.
pub struct Cluster {
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    /// None while it is stopped.
    postmaster: Option<Child>,
}

impl Cluster {
    /// A new server with these settings, each `name=value`.
    pub fn start(settings: &[&str]) -> Self {
        let mut cluster = Self::prepared(settings);
        let data = cluster.data();
        run(program("initdb", &cluster.folder).arg("--pgdata").arg(&data).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]));
        cluster.start_again();
        cluster
    }

    /// A standby of this server, which it waits for at every commit from now on.
    pub fn synchronous_standby(&self) -> Self {
        let mut standby = Self::prepared(&["cluster_name=standby"]);
        let data = standby.data();
        let mut copy = program("pg_basebackup", &standby.folder);
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--create-slot", "--slot=standby"]);
        run(copy.arg("--dbname").arg(self.url()).arg("--pgdata").arg(data));
        standby.start_again();
        sql::run(&self.url(), "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        sql::run(&self.url(), "SELECT pg_reload_conf()");
        let synchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
        wait("the standby", || !sql::run(&self.url(), synchronous).is_empty());
        standby
    }

    fn prepared(settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("rollbook-cluster-").tempdir().expect("a temporary directory");
        let settings = settings.iter().map(|own| (*own).to_owned()).collect();
        let cluster = Self { folder, port: free_port(), settings, postmaster: None };
        cluster.owns(cluster.folder.path()).expect("it is ours to give");
        cluster
    }

    /// Gives a file or folder to the user that the server runs as, and to nobody else.
    fn owns(&self, path: &Path) -> io::Result<()> {
        if let Some((user, group)) = unprivileged() {
            chown(path, Some(user), Some(group))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(if path.is_dir() { 0o700 } else { 0o600 }))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of its database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address())
    }

    /// Starts it, after an end of any kind, and waits until it takes connections. It does not start while a process of
    /// the one before is still there, and is tried again then.
    pub fn start_again(&mut self) {
        let mut server = self.spawn();
        wait("the PostgreSQL server", || {
            if server.try_wait().expect("our own child").is_some() {
                server = self.spawn();
            }
            sql::try_run(&self.url(), "SELECT 1").is_ok()
        });
        self.postmaster = Some(server);
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.folder.path().join("server.log")).expect("a log");
        let mut server = program("postgres", &self.folder);
        server.arg("-D").arg(self.data()).args(["-c", &format!("port={}", self.port)]);
        server.args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=100",
        ]);
        server.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        server.stdout(Stdio::null()).stderr(log).spawn().expect("the server starts")
    }

    /// Stops it, cutting its connections.
    pub fn stop(&mut self) {
        self.end("-INT", &[]);
    }

    /// Ends it and all its processes by SIGKILL.
    pub fn kill_9(&mut self) {
        let children = self.postmaster.as_ref().map(|postmaster| children_of(postmaster.id())).unwrap_or_default();
        self.end("-KILL", &children);
    }

    fn end(&mut self, signal: &str, more: &[u32]) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        let pids = [&[postmaster.id()], more].concat();
        // A child may be gone before it is told to.
        let _ = Command::new("kill").arg(signal).args(pids.iter().map(u32::to_string)).stderr(Stdio::null()).status();
        postmaster.wait().expect("the server ends");
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        sql::run(&self.url(), "SELECT pg_promote()");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill_9();
        if thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
            eprintln!("the log of PostgreSQL at {}:\n{log}", self.address());
        }
    }
}

/// A program of the server, run in this folder by a user that it agrees to be run by.
fn program(name: &str, folder: &TempDir) -> Command {
    let programs = env::var("TEST_POSTGRES_BIN").ok().filter(|folder| !folder.is_empty());
    let programs = programs.expect("TEST_POSTGRES_BIN is not set: run this by scripts/with-postgres COMMAND");
    let mut command = Command::new(PathBuf::from(programs).join(name));
    command.current_dir(folder.path()).stdin(Stdio::null());
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command
}

/// Who servers run as, if we are root.
fn unprivileged() -> Option<(u32, u32)> {
    let user = env::var("TEST_POSTGRES_USER").ok().filter(|user| !user.is_empty())?;
    let id = |option: &str| {
        let output = Command::new("id").arg(option).arg(&user).output().expect("id runs");
        String::from_utf8(output.stdout).ok().and_then(|id| id.trim().parse().ok()).expect("a user of this machine")
    };
    Some((id("-u"), id("-g")))
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A free port below those that the system gives away, so that it is still free after a stop.
fn free_port() -> u16 {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| random_range(10_000..20_000)).find(free).expect("a free port")
}

fn children_of(parent: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("ps runs");
    let pair = |line: &str| {
        let mut numbers = line.split_whitespace().map_while(|number| number.parse::<u32>().ok());
        Some((numbers.next()?, numbers.next()?))
    };
    let pairs = String::from_utf8_lossy(&output.stdout).lines().filter_map(pair).collect::<Vec<_>>();
    pairs.into_iter().filter(|(_, own)| *own == parent).map(|(pid, _)| pid).collect()
}

/// Asks until it is so. Each question is a round trip, which is the pace of it.
fn wait(what: &str, mut so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < START, "{what} did not come in time");
        thread::yield_now();
    }
}
