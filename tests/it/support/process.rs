//! The process of a server: started, told to stop, ended.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;

use super::command::binary;

/// How many lines of its server's log a test that fails shows.
const LOG_SHOWN: usize = 30;

/// The process behind a server.
pub struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    base: String,
    log: PathBuf,
}

impl Process {
    /// Starts the binary on the database that a URL names and waits until it listens. What it logs is added to `log`.
    pub fn start(arguments: &[String], environment: &[(String, String)], database: &str, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("a log");
        let mut command = binary(database);
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("standard output is text");
        let Some(base) = line.trim_end().strip_prefix("listening on ") else {
            let _ = child.kill();
            panic!("the server did not start: {line:?}\n{}", fs::read_to_string(log).unwrap());
        };
        Self { child, stdout, base: base.to_owned(), log: log.to_owned() }
    }

    /// All that was logged so far, of every start.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the log is UTF-8")
    }

    /// Where it listens: `http://ADDR:PORT`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What was printed after the address, to the last `curl` line.
    pub fn announcement(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("\ncurl ") {
            assert!(self.stdout.read_line(&mut text).expect("standard output is text") > 0, "{text}");
        }
        text
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Ends it by SIGKILL, if it still runs.
    pub fn kill(&mut self) {
        // One that ended by itself is not there to be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the server ends")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_SHOWN)..];
            eprintln!("the end of the log of {}:\n{}", self.base, last.join("\n"));
        }
    }
}
