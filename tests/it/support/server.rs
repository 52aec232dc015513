//! A server of the test's own: the real binary, a database of its own, a free port.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::command::Rollbook;
use super::database::{Database, Store};
use super::process::Process;
use super::{Caller, PASSWORD, Reply};

const ADMIN: (&str, &str) = ("admin", "a-secret-of-the-tests-0123456789");

/// How a server is to be started.
#[derive(Clone, Debug)]
pub struct Launch {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    store: Store,
}

impl Default for Launch {
    /// On a free port, with a preset client of every right.
    fn default() -> Self {
        let preset = [("ROLLBOOK_ADMIN_CLIENT_ID", ADMIN.0), ("ROLLBOOK_ADMIN_CLIENT_SECRET", ADMIN.1)];
        Self::bare().env(preset[0].0, preset[0].1).env(preset[1].0, preset[1].1)
    }
}

impl Launch {
    /// On a free port, without a preset client.
    pub fn bare() -> Self {
        let launch = Self { arguments: Vec::new(), environment: Vec::new(), store: Store::of_this_run() };
        launch.env("ROLLBOOK_LISTEN", "127.0.0.1:0")
    }

    /// On this store, whichever this run is about.
    pub fn store(self, store: Store) -> Self {
        Self { store, ..self }
    }

    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets a variable, anew where it is set.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(own, _)| own != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts on a new database.
    pub fn start(self) -> Server {
        let database = Database::new(self.store);
        self.start_on(database)
    }

    /// Starts on this database, alone or beside others.
    pub fn start_on(self, database: impl Into<Arc<Database>>) -> Server {
        let database = database.into();
        let log = database.folder().join(format!("node-{}.log", database.next_node()));
        let process = Process::start(&self.arguments, &self.environment, database.url(), &log);
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().expect("a client");
        Server { launch: self, process, log, database, http, tokens: Mutex::default() }
    }
}

/// A running server. It ends with the value.
pub struct Server {
    launch: Launch,
    process: Process,
    log: PathBuf,
    database: Arc<Database>,
    http: Client,
    /// A token costs a slow hash or two, so that each is asked for once.
    tokens: Mutex<HashMap<String, String>>,
}

impl Server {
    /// A server on a new database, with a preset client of every right.
    pub fn start() -> Self {
        Launch::default().start()
    }

    /// One more server on this one's database, started as this one was.
    pub fn another_node(&self) -> Self {
        self.launch.clone().start_on(Arc::clone(&self.database))
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn base(&self) -> &str {
        self.process.base()
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.base().trim_start_matches("http://")
    }

    /// The database that it serves.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// All that was logged so far, of every start.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// What was printed after the line that tells the address, to the last `curl` line.
    pub fn announcement(&mut self) -> String {
        self.process.announcement()
    }

    /// The commands, on this server's database.
    pub fn cli(&self) -> Rollbook {
        Rollbook::on(self.database.url())
    }

    /// A caller without a token.
    pub fn anonymous(&self) -> Caller {
        Caller::new(self.http.clone(), self.base(), None)
    }

    /// A caller without a token of what else listens, e.g. on another address.
    pub fn caller_at(&self, base: &str) -> Caller {
        Caller::new(self.http.clone(), base, None)
    }

    /// A caller with this token, whatever it is.
    pub fn bearer(&self, token: &str) -> Caller {
        Caller::new(self.http.clone(), self.base(), Some(token))
    }

    /// A caller with every right.
    pub async fn admin(&self) -> Caller {
        self.cached("admin", || (ADMIN.0.to_owned(), ADMIN.1.to_owned())).await
    }

    /// A client with these roles, limited to these communities if any are given.
    pub async fn token(&self, roles: &[&str], communities: &[&str]) -> Caller {
        let key = format!("{roles:?} {communities:?}");
        self.cached(&key, || self.make_client(roles, communities, &[])).await
    }

    /// Makes a client at the command line; gives its ID and secret (empty for a public one).
    pub fn make_client(&self, roles: &[&str], communities: &[&str], more: &[&str]) -> (String, String) {
        let mut arguments = vec!["client", "create", "--json", "--name", "made by a test"];
        arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
        arguments.extend(communities.iter().flat_map(|community| ["--community", community]));
        arguments.extend(more);
        let made = self.cli().run(&arguments).json();
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        (text("client_id"), text("client_secret"))
    }

    /// Makes a user at the command line, whose ID and username are `name` and whose password is [`PASSWORD`].
    pub fn make_user(&self, name: &str, roles: &[&str], communities: &[&str]) {
        let (email, mut arguments) = (format!("{name}@example.com"), vec!["user", "create"]);
        arguments.extend(["--id", name, "--username", name, "--first-name", "Ada", "--last-name", "Lovelace"]);
        arguments.extend(["--email", &email]);
        arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
        arguments.extend(communities.iter().flat_map(|community| ["--community", community]));
        self.cli().run_with(&arguments, &format!("{PASSWORD}\n")).printed();
    }

    /// Asks the token endpoint.
    pub async fn grant(&self, fields: &[(&str, &str)]) -> Reply {
        self.anonymous().form("/oauth/token", fields).await
    }

    /// Signs a user in at the Core API.
    pub async fn log_on(&self, username: &str, password: &str) -> Reply {
        let body = serde_json::json!({ "username": username, "password": password });
        self.anonymous().post("/api/admin/v1/user/logon", &body).await
    }

    async fn cached(&self, key: &str, client: impl FnOnce() -> (String, String)) -> Caller {
        let known = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let token = match known {
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

    /// A token of a client, by client_credentials.
    pub async fn client_token(&self, id: &str, secret: &str) -> String {
        let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        match &self.grant(&fields).await.is(200)["access_token"] {
            Value::String(token) => token.clone(),
            other => panic!("{other}"),
        }
    }

    /// Stops the server by SIGTERM and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        self.process.terminate();
        self.process.wait()
    }

    /// Tells the server to stop, without waiting.
    pub fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits for the end of a server that was told to stop.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// Ends the server at once, by SIGKILL.
    pub fn kill_9(&mut self) {
        self.process.kill();
    }

    /// Ends the server and gives its database, for another one to start on.
    pub fn into_database(self) -> Arc<Database> {
        self.database
    }

    /// Starts it again on the same database, after [`Self::stop`] or [`Self::kill_9`] or in place of them. Tokens
    /// stay good; the port, and so every caller, is a new one.
    pub fn restart(&mut self) {
        self.process.kill();
        let Launch { arguments, environment, .. } = &self.launch;
        self.process = Process::start(arguments, environment, self.database.url(), &self.log);
    }
}
