//! PostgreSQL servers for one test, to be stopped, killed and promoted.

mod access;
mod backups;
mod damage;
mod failover;
mod frozen;
mod outage;
mod pooler;
mod readiness;

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

/// The time limit for the start of a server.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A PostgreSQL server with its own data folder, on a fixed port of loopback. When the value is dropped, the server is
/// killed and its data are deleted.
pub(super) struct Cluster {
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    /// None while it is stopped.
    postmaster: Option<Child>,
}

impl Cluster {
    /// A new server with these settings, each `name=value`.
    pub(super) fn start(settings: &[&str]) -> Self {
        let mut cluster = Self::prepared(settings);
        let data = cluster.data();
        run(program("initdb", &cluster.folder).arg("--pgdata").arg(&data).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
        ]));
        cluster.start_again();
        cluster
    }

    /// Starts a standby of this server, for which commits do not wait.
    pub(super) fn standby(&self) -> Self {
        let mut standby = Self::prepared(&["cluster_name=standby"]);
        let data = standby.data();
        let mut copy = program("pg_basebackup", &standby.folder);
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--create-slot", "--slot=standby"]);
        run(copy.arg("--dbname").arg(self.url()).arg("--pgdata").arg(data));
        standby.start_again();
        let streaming = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'";
        wait("the standby", || !sql::run(&self.url(), streaming).is_empty());
        standby
    }

    /// Starts a standby of this server, for which every commit waits from now on.
    pub(super) fn synchronous_standby(&self) -> Self {
        let standby = self.standby();
        sql::run(&self.url(), "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        sql::run(&self.url(), "SELECT pg_reload_conf()");
        let synchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
        wait("the synchronous standby", || !sql::run(&self.url(), synchronous).is_empty());
        standby
    }

    fn prepared(settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("rollbook-cluster-").tempdir().expect("a temporary directory");
        let settings = settings.iter().map(|own| (*own).to_owned()).collect();
        let cluster = Self { folder, port: free_port(), settings, postmaster: None };
        cluster.give_to_server(cluster.folder.path()).expect("a file of our own");
        cluster
    }

    /// Makes a file or folder the property of the user that the server runs as, with no access for others.
    fn give_to_server(&self, path: &Path) -> io::Result<()> {
        if let Some((user, group)) = unprivileged() {
            chown(path, Some(user), Some(group))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(if path.is_dir() { 0o700 } else { 0o600 }))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The address: `127.0.0.1:PORT`.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of its database `postgres`.
    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address())
    }

    /// Starts the server, however it ended before, and waits until it accepts connections. It does not start while a
    /// process of the last run still exists, so the start is repeated.
    pub(super) fn start_again(&mut self) {
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

    /// Stops the server and closes its connections.
    pub(super) fn stop(&mut self) {
        self.end("-INT", &[]);
    }

    /// Kills the server and all its processes by SIGKILL.
    pub(super) fn kill_9(&mut self) {
        let children = self.children();
        self.end("-KILL", &children);
    }

    /// Stops the server and all its processes by SIGSTOP: the operating system accepts connections, but nothing
    /// responds.
    pub(super) fn freeze(&self) {
        let postmaster = self.postmaster.as_ref().expect("it runs").id();
        signal("-STOP", &[postmaster]);
        signal("-STOP", &self.children());
    }

    /// Continues the server after [`Self::freeze`].
    pub(super) fn thaw(&self) {
        signal("-CONT", &[self.children(), vec![self.postmaster.as_ref().expect("it runs").id()]].concat());
    }

    fn children(&self) -> Vec<u32> {
        self.postmaster.as_ref().map(|postmaster| children_of(postmaster.id())).unwrap_or_default()
    }

    fn end(&mut self, name: &str, more: &[u32]) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        signal(name, &[&[postmaster.id()], more].concat());
        postmaster.wait().expect("the server ends");
    }

    /// Promotes a standby to primary.
    pub(super) fn promote(&self) {
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

/// A command of the server's programs, run in this folder by a user that they accept.
fn program(name: &str, folder: &TempDir) -> Command {
    let programs = env::var("TEST_POSTGRES_BIN").ok().filter(|folder| !folder.is_empty());
    let programs = programs.expect("TEST_POSTGRES_BIN is not set: run this by scripts/with-postgres COMMAND");
    program_at(&PathBuf::from(programs).join(name), folder)
}

/// As [`program`], for the program at this path.
fn program_at(path: &Path, folder: &TempDir) -> Command {
    let mut command = Command::new(path);
    command.current_dir(folder.path()).stdin(Stdio::null());
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command
}

/// The user that servers run as if the tests run as root.
fn unprivileged() -> Option<(u32, u32)> {
    let user = env::var("TEST_POSTGRES_USER").ok().filter(|user| !user.is_empty())?;
    let id = |option: &str| {
        let output = Command::new("id").arg(option).arg(&user).output().expect("id runs");
        String::from_utf8(output.stdout).ok().and_then(|id| id.trim().parse().ok()).expect("a user of this machine")
    };
    Some((id("-u"), id("-g")))
}

/// Sends the signal to our processes; each of them may have exited.
fn signal(name: &str, pids: &[u32]) {
    let _ = Command::new("kill").arg(name).args(pids.iter().map(u32::to_string)).stderr(Stdio::null()).status();
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A free port below those that the system assigns, so that it is still free after a stop.
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

/// Checks a condition until it is true. The condition makes a round trip, which limits the rate.
fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < START_LIMIT, "{what} did not come in time");
        thread::yield_now();
    }
}
