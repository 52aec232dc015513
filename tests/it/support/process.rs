//! The process of a server: start, signals, exit.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;

/// How many lines of the server's log a failed test prints.
const PRINTED_LOG_LINES: usize = 30;

/// The process of a server.
pub(super) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    base: String,
    log: PathBuf,
}

impl Process {
    /// Starts the command and waits until the server listens. Its log is appended to the file `log`.
    pub(super) fn start(
        mut command: Command,
        arguments: &[String],
        environment: &[(String, String)],
        log: &Path,
    ) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("a log");
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

    /// The whole log so far, of all starts.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the log is UTF-8")
    }

    /// The base URL: `http://ADDR:PORT`.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// What the server printed after the line with its address, up to the last command it suggests.
    pub(super) fn announcement(&mut self) -> String {
        let mut text = String::new();
        while !text.contains(" client create ") {
            assert!(self.stdout.read_line(&mut text).expect("standard output is text") > 0, "{text}");
        }
        text
    }

    /// Sends SIGTERM.
    pub(super) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGHUP.
    pub(super) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Kills the process by SIGKILL, if it still runs.
    pub(super) fn kill(&mut self) {
        // The process may have exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until the process has exited.
    pub(super) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the server ends")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(PRINTED_LOG_LINES)..];
            eprintln!("the end of the log of {}:\n{}", self.base, last.join("\n"));
        }
    }
}
