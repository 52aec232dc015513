//! `rollbook copy` from a SQLite file to PostgreSQL and back.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::launch;
use crate::support::{
    A, B, CORE, Caller, Database, GROUP_ADMIN, Launch, PASSWORD, Rollbook, Server, Store, core_groups, eventually,
    everything, labels, make_group, make_user, sql, user_body,
};

const GROUPS: &str = "/v1/usergroups";
const USERS: &str = "/v1/adminusers";
const SOON: Duration = Duration::from_secs(10);

/// What clients of a directory hold while it moves.
struct SourceState {
    /// Their tokens: one that is valid, and one that has ended.
    session: String,
    ended: String,
    /// A public client and its refresh token, the second one of its sign-in.
    client: String,
    refresh: Json,
    /// The numbers of a deleted group, and of the group created last.
    deleted: i64,
    last: i64,
}

/// Creates entities of every kind in a directory.
async fn fill(server: &Server) -> SourceState {
    let admin = server.admin().await;
    for number in 0..30 {
        make_group(&admin, &format!("Größe {number}"), [&[][..], &[A], &[A, B]][number % 3]).await;
        let xp = json!({ "size": number, "words": ["ein", "zwei"], "of": { "day": "2020-01-02" } });
        let body = json!({ "ID": format!("group-{number}"), "Name": "N", "Description": "Τέλος", "xp": xp });
        admin.post(GROUPS, &body).await.is(201);
    }
    for user in ["ada", "bob", "gone"] {
        make_user(&admin, user).await;
        for number in 0..5 {
            let assignment = json!({ "UserID": user, "UserGroupID": format!("group-{number}") });
            admin.post(&format!("{GROUPS}/assignments"), &assignment).await.is(204);
        }
    }
    server.make_user("eve", &[GROUP_ADMIN], &[A]);
    let number = json!({ "Labels": labels(&json!({ "en": "English", "de": "Deutsch" })) });
    admin.post(CORE, &number).await.is(200);
    admin.patch(&format!("{USERS}/ada"), &json!({ "xp": { "size": 1.50 }, "Phone": "1" })).await.is(200);
    let deleted = make_group(&admin, "deleted", &[B]).await;
    admin.delete(&format!("{CORE}/{deleted}")).await.is(200);
    admin.delete(&format!("{USERS}/gone")).await.is(204);
    admin.delete(&format!("{GROUPS}/group-4")).await.is(204);
    let state = record_state(server, deleted).await;
    // A node records what waits to be recorded before it shows the sign-ins, so that copies do not differ in them.
    admin.get("/rollbook/v1/sign-ins").await.is(200);
    state
}

async fn record_state(server: &Server, deleted: i64) -> SourceState {
    let log_on = async || {
        let session = server.log_on("eve", PASSWORD).await.is(200);
        session["Token"].as_str().expect("a token").to_owned()
    };
    let (session, ended) = (log_on().await, log_on().await);
    server.bearer(&ended).post("/api/admin/v1/user/logoff", &json!({})).await.is(200);
    server.log_on("bob", "wrong").await.fails(401, "invalid_credentials");
    let (client, _) = server.make_client(&[], &[], &["--public", "--refresh-minutes", "60", "--refresh-rotation"]);
    let password = [("grant_type", "password"), ("username", "eve"), ("password", PASSWORD)];
    let signed_in = server.grant(&[&password[..], &[("client_id", &client)]].concat()).await.is(200);
    let refresh = refreshed(server, &client, &signed_in["refresh_token"]).await.is(200)["refresh_token"].clone();
    let last = make_group(&server.admin().await, "last", &[]).await;
    SourceState { session, ended, client, refresh, deleted, last }
}

async fn refreshed(server: &Server, client: &str, token: &Json) -> crate::support::Reply {
    let token = token.as_str().expect("a refresh token");
    server.grant(&[("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)]).await
}

/// The responses of the directory to many requests.
async fn observed(admin: &Caller) -> Vec<String> {
    let paths = [
        format!("{GROUPS}?search=ö"),
        format!("{GROUPS}?search=röss&pageSize=100"),
        format!("{GROUPS}?search=τέλοσ&searchOn=Description&sortBy=!xp.size"),
        format!("{GROUPS}?xp.size=>20&sortBy=ID&pageSize=100"),
        format!("{GROUPS}?xp.of.day=>2020-01-01&xp.words=zw*"),
        format!("{USERS}?search=ad"),
        format!("{USERS}?search=example&xp.size=1.5"),
        format!("{CORE}/list-all"),
        "/oauth/certs".to_owned(),
    ];
    let mut observed = everything(admin).await;
    for path in paths {
        observed.push(admin.get(&path).await.is(200).text);
    }
    observed
}

/// Runs the copy until it exits.
async fn copied(from: &str, to: &str) -> String {
    let (rollbook, arguments) = (Rollbook::on(from), ["copy", "--from", from, "--to", to].map(str::to_owned));
    spawn_blocking(move || rollbook.run(&arguments).printed()).await.unwrap()
}

/// Starts the copy.
fn copying(from: &str, to: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    command.args(["copy", "--from", from, "--to", to]).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

fn file(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("rollbook.db").display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_copied_there_and_back() {
    let source = Launch::default().store(Store::Sqlite).start();
    let state = fill(&source).await;
    let token = source.admin().await.bearer().to_owned();
    let before = observed(&source.bearer(&token)).await;
    let (there, back) = (Database::new(Store::Postgres), TempDir::new().unwrap());
    let on_the_way = copied(source.database().url(), there.url()).await;
    assert!(on_the_way.contains("read back. SHA-256 of all rows: "), "{on_the_way}");
    assert_eq!(copied(there.url(), &file(back.path())).await, on_the_way, "as many rows, and the same digest");
    for server in [launch().start_on(there), Launch::default().start_on(Database::in_folder(back))] {
        assert_eq!(observed(&server.bearer(&token)).await, before);
        works_as_before(&server, &state).await;
    }
}

/// Clients of the directory notice no difference.
async fn works_as_before(server: &Server, state: &SourceState) {
    server.bearer(&state.session).get(GROUPS).await.is(200);
    server.bearer(&state.ended).get(GROUPS).await.fails(401, "Auth.TokenRevoked");
    let admin = server.admin().await;
    let sign_ins = async || admin.get("/rollbook/v1/sign-ins?limit=1000").await.is(200)["changes"].clone();
    let of_the_source = async || sign_ins().await.as_array().unwrap().len() > 1;
    eventually("the sign-ins of the source", SOON, of_the_source).await;
    server.log_on("eve", PASSWORD).await.is(200);
    let is_last = async || sign_ins().await.as_array().unwrap().last().unwrap()["user"]["id"] == "eve";
    eventually("a new sign-in", SOON, is_last).await;
    server.log_on("gone", PASSWORD).await.fails(401, "invalid_credentials");
    refreshed(server, &state.client, &state.refresh).await.is(200);
    admin.delete(&format!("{CORE}/{}", state.deleted)).await.fails(410, "already_deleted");
    assert_eq!(make_group(&admin, "new", &[]).await, state.last + 1, "no number is used again");
    admin.post(GROUPS, &json!({ "ID": "GROUP-1", "Name": "N" })).await.fails(409, "IdExists");
    admin.post(USERS, &user_body("Bob")).await.fails(409, "IdExists");
    admin.post(USERS, &user_body("gone")).await.is(201);
}

/// Copies while groups are created one after the other: the copy has the first of them, and all that existed before.
async fn copies_one_state(source: Server, to: &str, start: impl FnOnce() -> Server) {
    let made = Arc::new(Mutex::new(Vec::new()));
    let admin = source.admin().await;
    let writing = tokio::spawn({
        let (admin, made) = (admin.clone(), Arc::clone(&made));
        async move {
            loop {
                let number = make_group(&admin, "one more", &[A]).await;
                made.lock().unwrap().push(number);
            }
        }
    });
    let count = || made.lock().unwrap().len();
    eventually("a directory worth copying", SOON, async || count() >= 50).await;
    let before = count();
    copied(source.database().url(), to).await;
    let after = count();
    eventually("writes during the copy", SOON, async || count() > after).await;
    writing.abort();
    let copy = start();
    let found = core_groups(&copy.admin().await).await;
    let made = made.lock().unwrap();
    assert!(found.len() >= before && found.len() <= made.len() && *found == made[..found.len()], "{found:?} {made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_copied_while_it_is_written_to() {
    let database = Database::new(Store::Postgres);
    let to = database.url().to_owned();
    copies_one_state(Launch::default().store(Store::Sqlite).start(), &to, || launch().start_on(database)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_copied_while_it_is_written_to() {
    let folder = TempDir::new().unwrap();
    let to = file(folder.path());
    copies_one_state(launch().start(), &to, || Launch::default().start_on(Database::in_folder(folder))).await;
}

/// Waits until a session waits for a lock in the database.
async fn blocked(url: &str) {
    let waiting = "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                   WHERE d.datname = current_database() AND NOT l.granted";
    eventually("the copy waits", SOON, async || !sql::run(url, waiting).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_copy_into_a_database_leaves_nothing_and_can_be_repeated() {
    let source = Launch::default().store(Store::Sqlite).start();
    fill(&source).await;
    let (from, to) = (source.database().url(), Database::new(Store::Postgres));
    // Creates the tables only.
    let nothing = Rollbook::on(from).run(&["copy", "--from", "sqlite:/none.db", "--to", to.url()]).error();
    assert!(nothing.contains("there is no database /none.db"), "{nothing}");
    let mut holding = sql::connect(to.url()).await;
    let lock = holding.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE group_communities IN SHARE MODE").await.unwrap();
    let mut copy = copying(from, to.url());
    blocked(to.url()).await;
    copy.kill().unwrap();
    assert!(!copy.wait().unwrap().success());
    lock.commit().await.unwrap();
    let whole = copied(from, to.url()).await;
    let folder = TempDir::new().unwrap();
    assert_eq!(copied(from, &file(folder.path())).await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_copy_into_a_file_leaves_nothing_and_can_be_repeated() {
    let (source, folder) = (launch().start(), TempDir::new().unwrap());
    fill(&source).await;
    let (from, to) = (source.database().url(), file(folder.path()));
    let mut holding = sql::connect(from).await;
    let lock = holding.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let mut copy = copying(from, &to);
    blocked(from).await;
    let busy = spawn_blocking({
        let (rollbook, arguments) = (Rollbook::on(from), ["copy", "--from", from, "--to", &to].map(str::to_owned));
        move || rollbook.run(&arguments).error()
    });
    assert!(busy.await.unwrap().contains("another copy is writing"));
    copy.kill().unwrap();
    copy.wait().unwrap();
    let names = || fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(), ["rollbook.db.part"], "no directory yet");
    lock.commit().await.unwrap();
    copied(from, &to).await;
    assert_eq!(names(), ["rollbook.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_not_copied_over_another() {
    let (source, there) = (Launch::default().store(Store::Sqlite).start(), launch().start());
    let before = everything(&there.admin().await).await;
    let (from, to) = (source.database().url().to_owned(), there.database().url().to_owned());
    let refused = spawn_blocking(move || Rollbook::on(&*from).run(&["copy", "--from", &from, "--to", &to]).error());
    let error = refused.await.unwrap();
    assert!(error.contains("holds a directory already") && error.contains("name an empty database"), "{error}");
    assert_eq!(everything(&there.admin().await).await, before);
}
