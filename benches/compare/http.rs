//! The workloads over HTTP.

use std::net::SocketAddr;

use anyhow::ensure;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::protocol::Protocol;
use super::support::generate;
use super::wire::Connection;
use super::workload::{PAGE, Workload, pair, text};

/// A connection, and its next request.
pub(crate) struct Http {
    connection: Connection,
    protocol: Protocol,
    /// All requests have the same head, so that they differ in the request itself only.
    head: String,
    request: Vec<u8>,
}

impl Http {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr, protocol: Protocol, token: &str) -> anyhow::Result<Self> {
        let head = format!(" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n");
        Ok(Self { connection: Connection::open(address).await?, protocol, head, request: Vec::new() })
    }

    /// Prepares the request of this workload with this number, for a peer with `of` groups.
    pub(crate) fn prepare(&mut self, workload: Workload, number: usize, of: usize) {
        let (path, body) = match self.protocol {
            Protocol::JsonServer => of_json_server(workload, number, of),
            _ => of_ordercloud(workload, number, of),
        };
        let method = if body.is_some() { "POST " } else { "GET " };
        let body = body.map(|body| body.to_string());
        let length =
            body.as_ref().map(|body| format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        self.request.clear();
        let length = length.unwrap_or_default();
        for part in [method, &path, &self.head, &length, "\r\n", body.as_deref().unwrap_or_default()] {
            self.request.extend_from_slice(part.as_bytes());
        }
    }

    /// Sends the request and returns the response. Fails unless the status is 2xx.
    pub(crate) async fn send(&mut self) -> anyhow::Result<&[u8]> {
        let response = self.connection.send(&self.request).await?;
        ensure!((200..300).contains(&response.status), "refused: {}", String::from_utf8_lossy(response.bytes));
        Ok(response.bytes)
    }
}

fn of_ordercloud(workload: Workload, number: usize, of: usize) -> (String, Option<Value>) {
    const GROUPS: &str = "/v1/usergroups";
    match workload {
        Workload::Fixed => ("/healthz".to_owned(), None),
        Workload::Read => (format!("{GROUPS}/{}", generate::id(number)), None),
        Workload::Create => (GROUPS.to_owned(), Some(new_group(number, of))),
        Workload::Join => {
            let (group, user) = pair(number, of);
            (format!("{GROUPS}/assignments"), Some(json!({ "UserGroupID": group, "UserID": user })))
        }
        Workload::Find => (format!("{GROUPS}?search={}&searchOn=Name&pageSize={PAGE}", encoded(number, of)), None),
        Workload::List => (format!("{GROUPS}?pageSize={PAGE}"), None),
    }
}

fn of_json_server(workload: Workload, number: usize, of: usize) -> (String, Option<Value>) {
    match workload {
        Workload::Fixed => ("/".to_owned(), None),
        Workload::Read => (format!("/groups/{}", generate::id(number)), None),
        Workload::Create => ("/groups".to_owned(), Some(new_group(number, of))),
        Workload::Join => {
            let (group, user) = pair(number, of);
            ("/memberships".to_owned(), Some(json!({ "groupId": group, "userId": user })))
        }
        Workload::Find => (format!("/groups?Name_like={}&_page=1&_limit={PAGE}", encoded(number, of)), None),
        Workload::List => (format!("/groups?_page=1&_limit={PAGE}"), None),
    }
}

/// A group like those of the directory, whose ID the peer generates.
fn new_group(number: usize, of: usize) -> Value {
    let generate::GeneratedGroup { name, description, xp } = generate::group(of + number, of);
    json!({ "Name": name, "Description": description, "xp": xp })
}

fn encoded(number: usize, of: usize) -> String {
    utf8_percent_encode(&text(number, of), NON_ALPHANUMERIC).to_string()
}
