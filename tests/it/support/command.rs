//! The command line: the binary, run to its end.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The binary with nothing in its environment but the database, so that no setting of the machine gets in.
pub fn binary(database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    command.env_clear().env("ROLLBOOK_DATABASE", database);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// The commands, on one database.
#[derive(Clone, Debug)]
pub struct Rollbook {
    database: String,
    environment: Vec<(String, String)>,
}

/// What came of a command.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Rollbook {
    /// On `rollbook.db` in a directory.
    pub fn at(directory: &Path) -> Self {
        Self::on(format!("sqlite:{}", directory.join("rollbook.db").display()))
    }

    /// On the database that a URL names.
    pub fn on(database: impl Into<String>) -> Self {
        Self { database: database.into(), environment: Vec::new() }
    }

    /// With this variable set.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a command with an empty standard input.
    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Outcome {
        self.run_with(arguments, "")
    }

    /// Runs a command with this standard input.
    pub fn run_with(&self, arguments: &[impl AsRef<OsStr>], input: &str) -> Outcome {
        let mut command = binary(&self.database);
        command
            .args(arguments)
            .envs(self.environment.clone())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        // A command that reads no input may be gone before it is written.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the command ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("commands print UTF-8");
        Outcome { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Outcome {
    /// What the command printed; it must have succeeded.
    #[track_caller]
    pub fn printed(self) -> String {
        assert!(self.success, "{}", self.stderr);
        self.stdout
    }

    /// The JSON that the command printed; it must have succeeded.
    #[track_caller]
    pub fn json(self) -> Value {
        let printed = self.printed();
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// The one line of the error; the command must have failed, and printed nothing else.
    #[track_caller]
    pub fn error(self) -> String {
        assert!(!self.success && self.stdout.is_empty(), "{}", self.stdout);
        self.stderr.trim_end().to_owned()
    }
}
