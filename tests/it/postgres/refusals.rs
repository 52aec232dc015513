//! Databases on which a node refuses to start, with a sentence that says what to do, and changes that a running node
//! tolerates.

use serde_json::json;

use super::launch;
use crate::support::{Database, Rollbook, Server, Store, make_groups, server, sql};

/// The error with which a node refuses to start on this database.
#[track_caller]
pub(super) fn refused(url: &str) -> String {
    let error = Rollbook::on(url).run(&["serve", "--listen", "127.0.0.1:0"]).error();
    assert!(error.starts_with("error: ") && error.lines().count() == 1, "{error}");
    error
}

/// A migration of a later version that only adds to the schema.
const LATER: &str = "BEGIN; ALTER TABLE groups ADD COLUMN later TEXT; ALTER TABLE users ADD COLUMN later BIGINT; \
     CREATE TABLE later (uid BIGINT); INSERT INTO migrations (version, checksum) VALUES (1000, 'later'); COMMIT";

async fn works(node: &Server) {
    let admin = node.admin().await;
    make_groups(&admin, &["g"]).await;
    admin.patch("/v1/usergroups/g", &json!({ "Name": "N", "xp": { "k": 1 } })).await.is(200);
    assert_eq!(admin.get("/v1/usergroups?xp.k=1&search=g&sortBy=Name").await.is(200).ids(), ["g"]);
    assert_eq!(admin.get("/v1/adminusers").await.is(200).total(), 0);
    admin.delete("/v1/usergroups/g").await.is(204);
}

#[tokio::test]
async fn a_running_node_continues_under_a_later_schema_and_none_starts() {
    let node = launch().start();
    works(&node).await;
    sql::run(node.database().url(), LATER);
    works(&node).await;
    let error = refused(node.database().url());
    assert!(error.contains("newer version") && error.contains("rollbook"), "{error}");
    works(&node).await;
}

#[tokio::test]
async fn a_backup_refers_to_postgresqls_own_programs() {
    let node = launch().start();
    let error = node.cli().run(&["backup", node.database().folder().join("new/copy.db").to_str().unwrap()]).error();
    assert!(error.contains("pg_dump") && error.contains("rollbook copy") && !error.contains("another file"), "{error}");
    assert!(!node.database().folder().join("new").exists());
}

#[test]
fn encodings_and_ctypes_that_lose_characters_are_refused() {
    for (options, word) in [
        ("TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'", "SQL_ASCII"),
        ("TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'", "LATIN1"),
        ("TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'", "ctype 'C'"),
    ] {
        let database = Database::created_with(options);
        let error = refused(database.url());
        assert!(error.contains(word) && error.contains("CREATE DATABASE"), "{error}");
        let tables = sql::run(database.url(), "SELECT relname FROM pg_class WHERE relname = 'groups'");
        assert!(tables.is_empty(), "nothing was made: {tables:?}");
    }
}

#[test]
fn invalid_database_urls_are_refused() {
    for (url, words) in [
        ("postgres://u@localhost/db?sslmode=prefer", "sslmode"),
        ("postgres://u@localhost/db?sslmode=verify-ca", "verify-full"),
        ("postgres://u@localhost/db?channel_binding=require", "channel_binding"),
        ("postgres://u@localhost/db?options=-c%20a=b", "options"),
        ("postgres://u@localhost/db?target_session_attrs=standby", "target_session_attrs"),
        ("postgres://u@localhost/db?sslmode=require&sslmode=disable", "twice"),
        ("postgres://u@localhost/db?sslmode=require&sslrootcert=/none/ca.pem", "/none/ca.pem"),
        ("postgres://u@localhost/db?connect_timeout=soon", "connect_timeout"),
        ("postgres://u@localhost", "names no database"),
        ("postgres://u@localhost:x/db", "port"),
        ("postgres://u@/db", "lacks a host"),
    ] {
        let error = refused(url);
        assert!(error.contains(words), "{url}: {error}");
    }
}

#[test]
fn a_password_is_refused_as_an_argument() {
    let secret = "never-to-be-seen";
    let url = format!("postgres://u:{secret}@127.0.0.1:1/db");
    for arguments in [&["serve", "--database", &url][..], &["client", "list", &format!("--database={url}")]] {
        let error = Rollbook::on("sqlite:none.db").run(arguments).error();
        assert!(error.contains("ROLLBOOK_DATABASE_PASSWORD") && !error.contains(secret), "{error}");
    }
    // A password in the environment is accepted, and not printed if the database cannot be reached.
    let error = refused(&url);
    assert!(error.contains("127.0.0.1:1") && !error.contains(secret), "{error}");
}

#[test]
fn commands_need_an_existing_directory() {
    let database = Database::new(Store::Postgres);
    for command in [&["client", "list"][..], &["user", "list"]] {
        let error = Rollbook::on(database.url()).run(command).error();
        assert!(error.contains("rollbook serve"), "{error}");
    }
    let error = refused(&server().replace("/postgres", "/rollbook_it_none"));
    assert!(error.contains("rollbook_it_none"), "{error}");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let database = Database::new(Store::Postgres);
    sql::run(database.url(), "CREATE TABLE groups (name TEXT)");
    let error = refused(database.url());
    assert!(error.contains("another program"), "{error}");
}
