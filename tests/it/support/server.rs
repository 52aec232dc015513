//! A server for one test: the real binary, a new database, a free port.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::command::{Rollbook, binary_in_shell};
use super::database::{Database, Store};
use super::process::Process;
use super::{Caller, PASSWORD, Reply};

const ADMIN: (&str, &str) = ("admin", "a-secret-of-the-tests-0123456789");

/// How to start a server.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    store: Store,
    before: String,
    streams: &'static str,
}

impl Default for Launch {
    /// On a free port, with a preset client that has every right.
    fn default() -> Self {
        let preset = [("ROLLBOOK_ADMIN_CLIENT_ID", ADMIN.0), ("ROLLBOOK_ADMIN_CLIENT_SECRET", ADMIN.1)];
        Self::bare().env(preset[0].0, preset[0].1).env(preset[1].0, preset[1].1)
    }
}

impl Launch {
    /// On a free port, without a preset client.
    pub(crate) fn bare() -> Self {
        let launch = Self {
            arguments: Vec::new(),
            environment: Vec::new(),
            store: Store::of_this_run(),
            before: String::new(),
            streams: "",
        };
        launch.env("ROLLBOOK_LISTEN", "127.0.0.1:0")
    }

    /// On this store, whatever the store of this run is.
    pub(crate) fn store(self, store: Store) -> Self {
        Self { store, ..self }
    }

    /// With this limit of the operating system on open files.
    pub(crate) fn open_files(self, files: u32) -> Self {
        Self { before: format!("ulimit -n {files}"), ..self }
    }

    /// With a log that cannot be written, as on a full disk.
    pub(crate) fn without_log(self) -> Self {
        Self { streams: "2>/dev/full", ..self }
    }

    /// With one more command-line argument.
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// With this environment variable, which replaces an earlier value.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(own, _)| own != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts on a new database.
    pub(crate) fn start(self) -> Server {
        let database = Database::new(self.store);
        self.start_on(database)
    }

    /// Starts on this database, which other servers may serve too.
    pub(crate) fn start_on(self, database: impl Into<Arc<Database>>) -> Server {
        let database = database.into();
        let log = database.folder().join(format!("node-{}.log", database.next_node()));
        let process = self.process(&database, &log);
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().expect("a client");
        Server { launch: self, process, log, database, http, tokens: Mutex::default() }
    }

    fn process(&self, database: &Database, log: &Path) -> Process {
        let command = binary_in_shell(database.url(), &self.before, self.streams);
        Process::start(command, &self.arguments, &self.environment, log)
    }
}

/// A running server. It is killed when the value is dropped.
pub(crate) struct Server {
    launch: Launch,
    process: Process,
    log: PathBuf,
    database: Arc<Database>,
    http: Client,
    /// Tokens by caller. A token costs one or two slow hashes, so each is requested once.
    tokens: Mutex<HashMap<String, String>>,
}

impl Server {
    /// Starts a server on a new database, with a preset client that has every right.
    pub(crate) fn start() -> Self {
        Launch::default().start()
    }

    /// Starts another server on the same database, in the same way.
    pub(crate) fn another_node(&self) -> Self {
        self.launch.clone().start_on(Arc::clone(&self.database))
    }

    /// The base URL: `http://127.0.0.1:PORT`.
    pub(crate) fn base(&self) -> &str {
        self.process.base()
    }

    /// The address: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        self.base().trim_start_matches("http://")
    }

    /// The database that it serves.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The whole log so far, of all starts.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// What the server printed after the line with its address, up to the last command it suggests.
    pub(crate) fn announcement(&mut self) -> String {
        self.process.announcement()
    }

    /// The command line, on this server's database.
    pub(crate) fn cli(&self) -> Rollbook {
        Rollbook::on(self.database.url())
    }

    /// A caller without a token.
    pub(crate) fn anonymous(&self) -> Caller {
        Caller::new(self.http.clone(), self.base(), None)
    }

    /// A caller without a token, at another base URL.
    pub(crate) fn caller_at(&self, base: &str) -> Caller {
        Caller::new(self.http.clone(), base, None)
    }

    /// A caller with this token, valid or not.
    pub(crate) fn bearer(&self, token: &str) -> Caller {
        Caller::new(self.http.clone(), self.base(), Some(token))
    }

    /// A caller with every right.
    pub(crate) async fn admin(&self) -> Caller {
        self.cached("admin", || (ADMIN.0.to_owned(), ADMIN.1.to_owned())).await
    }

    /// A caller with these roles, limited to these communities if there are any.
    pub(crate) async fn token(&self, roles: &[&str], communities: &[&str]) -> Caller {
        let key = format!("{roles:?} {communities:?}");
        self.cached(&key, || self.make_client(roles, communities, &[])).await
    }

    /// Creates a client on the command line; returns its ID and its secret (empty for a public client).
    pub(crate) fn make_client(&self, roles: &[&str], communities: &[&str], more: &[&str]) -> (String, String) {
        let mut arguments = vec!["client", "create", "--json", "--name", "made by a test"];
        arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
        arguments.extend(communities.iter().flat_map(|community| ["--community", community]));
        arguments.extend(more);
        let client = self.cli().run(&arguments).json();
        let text = |name: &str| client[name].as_str().unwrap_or_default().to_owned();
        (text("client_id"), text("client_secret"))
    }

    /// Creates a user on the command line, with ID and username `name` and the password [`PASSWORD`].
    pub(crate) fn make_user(&self, name: &str, roles: &[&str], communities: &[&str]) {
        let (email, mut arguments) = (format!("{name}@example.com"), vec!["user", "create"]);
        arguments.extend(["--id", name, "--username", name, "--first-name", "Ada", "--last-name", "Lovelace"]);
        arguments.extend(["--email", &email]);
        arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
        arguments.extend(communities.iter().flat_map(|community| ["--community", community]));
        self.cli().run_with(&arguments, &format!("{PASSWORD}\n")).printed();
    }

    /// Sends a form to the token endpoint.
    pub(crate) async fn grant(&self, fields: &[(&str, &str)]) -> Reply {
        self.anonymous().form("/oauth/token", fields).await
    }

    /// Signs a user in with the Core API.
    pub(crate) async fn log_on(&self, username: &str, password: &str) -> Reply {
        let body = serde_json::json!({ "username": username, "password": password });
        self.anonymous().post("/api/admin/v1/user/logon", &body).await
    }

    async fn cached(&self, key: &str, client: impl FnOnce() -> (String, String)) -> Caller {
        let cached = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let token = match cached {
            Some(token) => token,
            None => {
                let (id, secret) = client();
                let token = self.client_token(&id, &secret).await;
                self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), token.clone());
                token
            }
        };
        self.bearer(&token)
    }

    /// An access token for a client, by the grant `client_credentials`.
    pub(crate) async fn client_token(&self, id: &str, secret: &str) -> String {
        let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        match &self.grant(&fields).await.is(200)["access_token"] {
            Value::String(token) => token.clone(),
            other => panic!("{other}"),
        }
    }

    /// Stops the server by SIGTERM and waits until it has exited.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.process.terminate();
        self.process.wait()
    }

    /// Sends SIGHUP, as a terminal does when it is closed.
    pub(crate) fn hang_up(&self) {
        self.process.hang_up();
    }

    /// Sends SIGTERM and does not wait.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits until a server that got a signal has exited.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// Kills the server by SIGKILL.
    pub(crate) fn kill_9(&mut self) {
        self.process.kill();
    }

    /// Kills the server and returns its database, for another server to start on.
    pub(crate) fn into_database(self) -> Arc<Database> {
        self.database
    }

    /// Kills the server if it still runs, and starts it again on the same database. Tokens stay valid. The port is a
    /// new one, so callers from before do not reach the server.
    pub(crate) fn restart(&mut self) {
        self.process.kill();
        self.process = self.launch.process(&self.database, &self.log);
    }
}
