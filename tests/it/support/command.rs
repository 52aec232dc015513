//! The command line: runs the binary and waits until it exits.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_rollbook");

/// The binary with only the database URL and `PATH` in its environment, so that no setting of the machine has effect.
pub(super) fn binary(database: &str) -> Command {
    bare(Command::new(BINARY), database)
}

/// As [`binary`], started by a shell that first runs `before` and redirects the standard streams as `streams` says.
pub(crate) fn binary_in_shell(database: &str, before: &str, streams: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-euc", &format!("{before}\nexec \"$0\" \"$@\" {streams}"), BINARY]);
    bare(shell, database)
}

fn bare(mut command: Command, database: &str) -> Command {
    command.env_clear().env("ROLLBOOK_DATABASE", database);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// The command line, on one database.
#[derive(Clone, Debug)]
pub(crate) struct Rollbook {
    database: String,
    environment: Vec<(String, String)>,
}

/// The outcome of a command.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Whether the exit status is 0.
    pub success: bool,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

impl Rollbook {
    /// On the SQLite file `rollbook.db` in a folder.
    pub(crate) fn at(directory: &Path) -> Self {
        Self::on(format!("sqlite:{}", directory.join("rollbook.db").display()))
    }

    /// On the database with this URL.
    pub(crate) fn on(database: impl Into<String>) -> Self {
        Self { database: database.into(), environment: Vec::new() }
    }

    /// With this environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a command with an empty standard input.
    pub(crate) fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Outcome {
        self.run_with(arguments, "")
    }

    /// Starts a command that goes on until it is ended, with its standard output as a pipe.
    pub(crate) fn start(&self, arguments: &[impl AsRef<OsStr>]) -> Child {
        let mut command = binary(&self.database);
        command.args(arguments).envs(self.environment.clone()).stdin(Stdio::null()).stdout(Stdio::piped());
        command.spawn().expect("the binary starts")
    }

    /// Runs a command with this standard input.
    pub(crate) fn run_with(&self, arguments: &[impl AsRef<OsStr>], input: &str) -> Outcome {
        let mut command = binary(&self.database);
        command
            .args(arguments)
            .envs(self.environment.clone())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        // A command that reads no input may exit before the input is written.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the command ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("commands print UTF-8");
        Outcome { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Outcome {
    /// The standard output; panics if the command failed.
    #[track_caller]
    pub(crate) fn printed(self) -> String {
        assert!(self.success, "{}", self.stderr);
        self.stdout
    }

    /// The standard output as JSON; panics if the command failed.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let printed = self.printed();
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// The error message; panics if the command succeeded or printed anything to standard output.
    #[track_caller]
    pub(crate) fn error(self) -> String {
        assert!(!self.success && self.stdout.is_empty(), "{}", self.stdout);
        self.stderr.trim_end().to_owned()
    }
}
