//! Rollbook's own API.

mod clients;
mod erasure;
mod feed;
mod groups;
mod info;
mod keys;
mod lists;
mod members;
mod past;
mod restore;
mod retention;
mod sign_ins;
mod tokens;
mod undo;
mod user_lists;
mod user_rights;
mod users;

use std::fs;

use serde_json::Value;

use crate::support::{Caller, Reply, Server, Store, sql};

/// Sends a request with one header.
async fn with(caller: &Caller, method: &str, path: &str, header: (&str, &str), body: &Value) -> Reply {
    let request = caller.request(method, path).header(header.0, header.1);
    caller.send(if body.is_null() { request } else { request.json(body) }).await
}

/// The IDs of the items, in their order.
fn ids(reply: &Reply) -> Vec<String> {
    let items = reply["items"].as_array().unwrap_or_else(|| panic!("no list: {}", reply.text));
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// All IDs of a walk through the list with these parameters.
async fn walk(caller: &Caller, list: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let (mut all, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let mut query = parameters.to_vec();
        query.extend(after.as_deref().map(|cursor| ("after", cursor)));
        let page = caller.list(list, &query).await.is(200);
        all.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return all,
        }
    }
}

/// The path of clients.
const CLIENTS: &str = "/rollbook/v1/clients";

/// Sends a POST with an idempotency key; a null is no body.
async fn keyed(caller: &Caller, key: &str, path: &str, body: &Value) -> Reply {
    with(caller, "POST", path, ("idempotency-key", key), body).await
}

/// Creates a client.
async fn make_client(admin: &Caller, body: Value) -> Reply {
    admin.post(CLIENTS, &body).await.is(201)
}

/// What the token endpoint answers to a client with the secret of this reply.
async fn granted(server: &Server, client: &Reply) -> Reply {
    let text = |name: &str| client[name].as_str().unwrap();
    let fields = [("grant_type", "client_credentials"), ("client_id", text("id")), ("client_secret", text("secret"))];
    server.grant(&fields).await
}

/// Checks that the log and the database contain `known`, and none of the secrets.
fn search_stored(server: &Server, known: &str, secrets: &[&str]) {
    let stored = match Store::of_this_run() {
        // The folder of the database is that of the logs.
        Store::Sqlite => fs::read_dir(server.database().folder())
            .unwrap()
            .flat_map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect(),
        Store::Postgres => {
            let url = server.database().url();
            let tables = sql::run(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
            let rows = tables
                .iter()
                .flatten()
                .flatten()
                .flat_map(|table| sql::run(url, &format!("SELECT to_jsonb(t)::text FROM {table} AS t")));
            let text: String = rows.flatten().flatten().collect();
            (text + &server.log()).into_bytes()
        }
    };
    let contains = |text: &str| stored.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(contains(known), "{known} is stored");
    for secret in secrets {
        assert!(!contains(secret), "a secret is stored");
    }
}
