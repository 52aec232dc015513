//! The process of a server: started, told to stop, ended.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use super::command::binary;

/// The process behind a server.
pub struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    base: String,
}

impl Process {
    /// Starts the binary on `rollbook.db` in a directory and waits until it listens. What it logs is kept there, too.
    pub fn start(arguments: &[String], environment: &[(String, String)], directory: &Path) -> Self {
        let database = format!("sqlite:{}", directory.join("rollbook.db").display());
        let log = File::options().create(true).append(true).open(log_file(directory)).expect("a log");
        let mut command = binary(&database);
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("standard output is text");
        let Some(base) = line.trim_end().strip_prefix("listening on ") else {
            let _ = child.kill();
            panic!("the server did not start: {line:?}\n{}", fs::read_to_string(log_file(directory)).unwrap());
        };
        Self { child, stdout, base: base.to_owned() }
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
    }
}

/// Where the server of a directory logs.
pub fn log_file(directory: &Path) -> PathBuf {
    directory.join("stderr.log")
}
